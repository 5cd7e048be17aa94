#pragma once
// One writer a bucket. The lock is a byte lock of the open file, so it ends with the process that holds it, however
// that ends; who holds it is only told, on the live page, for the message.

#include <kvb/error.h>

#include <chrono>

#include "kvb/os/file.h"

namespace kvb::store {

// Waits up to `deadline` for the lock, then answers `busy` with the holder's process id and since when. If this process
// itself holds it through another File, it answers at once, since waiting could not help.
[[nodiscard]] Result<void> take_writer_lock(os::Environment& environment, os::File& file,
                                            std::chrono::milliseconds deadline);

// Writes who holds the lock. Call it after the head is known to be there.
[[nodiscard]] Result<void> announce_holder(os::Environment& environment, os::File& file);

// Takes that back; call it before the lock is let go.
void withdraw_holder(os::File& file);

}  // namespace kvb::store
