#pragma once
// Finds everything in a damaged bucket that can have been committed (include/kvb/repair.h says to what end).

#include <kvb/repair.h>

#include <functional>

#include "kvb/format/record.h"
#include "kvb/os/file.h"

namespace kvb::store {

struct SalvagedRecord {
  format::RecordHeader header;
  std::string key;
  std::string value;
};

// Adds to `report` what was found and lost, and hands over the newest record of each key that has a value at `now_ns`,
// in key order, until `take` returns an error.
[[nodiscard]] Result<void> salvage(os::File& file, std::int64_t now_ns, RepairReport& report,
                                   const std::function<Result<void>(SalvagedRecord&&)>& take);

}  // namespace kvb::store
