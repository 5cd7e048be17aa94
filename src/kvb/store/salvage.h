#pragma once
// Finds everything in a damaged bucket that can have been committed (include/kvb/repair.h says to what end).

#include <kvb/bucket.h>
#include <kvb/repair.h>

#include <functional>
#include <string>
#include <vector>

#include "kvb/format/record.h"
#include "kvb/os/file.h"

namespace kvb::store {

struct SalvagedRecord {
  format::RecordHeader header;
  std::string key;
  std::string value;  // Decompressed, whatever the header says.
};

// What is known of how the bucket stored its values, before the first record is handed over.
struct SalvagedCompression {
  Compression compression{};
  std::vector<std::byte> dictionary;  // The one that its new values were compressed with; empty: none that is left.
};

// Adds to `report` what was found and lost, and hands over the newest record of each key that has a value at `now_ns`,
// in key order, until `take` returns an error.
[[nodiscard]] Result<void> salvage(os::File& file, std::int64_t now_ns, RepairReport& report,
                                   SalvagedCompression& compression,
                                   const std::function<Result<void>(SalvagedRecord&&)>& take);

}  // namespace kvb::store
