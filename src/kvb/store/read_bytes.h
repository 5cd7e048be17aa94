#pragma once
// Reads a record's bytes wherever they are: under the SIGBUS guard if they are mapped, directly if they are still
// private memory.

#include "kvb/os/mapped_read.h"
#include "kvb/store/store.h"

namespace kvb::store {

template <typename Function>
Result<void> Store::read_bytes(const RecordPlace& place, std::uint64_t paddr, std::uint64_t bytes,
                               Function&& function) const {
  if (!place.mapped) {
    function();
    return {};
  }
  return os::guarded(path_, paddr, place.bytes, bytes, function);
}

}  // namespace kvb::store
