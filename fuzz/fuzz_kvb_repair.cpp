// Salvaging a bucket that was changed behind its checksums: what comes out must be without faults.
#include "support/mutated_bucket.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = kvb::fuzzing::mutated_bucket(data, size);
  if (!file.empty()) kvb::fuzzing::repair_bucket(file);
  return 0;
}
