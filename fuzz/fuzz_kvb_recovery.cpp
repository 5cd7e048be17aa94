// Opening, recovery, reading and writing of a bucket that was changed behind its checksums.
#include "support/mutated_bucket.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = kvb::fuzzing::mutated_bucket(data, size);
  if (!file.empty()) kvb::fuzzing::use_bucket(file, true);
  return 0;
}
