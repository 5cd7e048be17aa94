#pragma once
// Segment headers that nothing leads to: see store/stale.cpp.

#include <kvb/error.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "kvb/format/segment.h"
#include "kvb/os/file.h"
#include "kvb/space/free_space.h"

namespace kvb::log {

// The header of a segment of this bucket at this place, if there is one. A place that the file does not have has none.
[[nodiscard]] Result<std::optional<format::SegmentHeader>> header_at(const os::File& file, const format::Uuid& uuid,
                                                                     std::uint64_t paddr);

// The places of all such headers in the range. What has no blocks is not read.
[[nodiscard]] Result<std::vector<std::uint64_t>> find_headers(const os::File& file, const format::Uuid& uuid,
                                                              const space::PageRange& range);

// Overwrites the header with zeros. False if it may still be there.
[[nodiscard]] bool wipe_header(os::File& file, std::uint64_t paddr);

}  // namespace kvb::log
