// Any bytes are a file that somebody takes for a bucket. The input holds the head's pages that mean something (0, 1, 2
// and 15) and what follows the head; the pages between are zeros. Input of less than those four pages is the file's
// first bytes.
#include <algorithm>

#include "kvb/format/layout.h"
#include "support/mutated_bucket.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using kvb::format::kHeadBytes;
  using kvb::format::kPageBytes;
  const auto* const bytes = reinterpret_cast<const std::byte*>(data);
  kvb::fuzzing::FileBytes file;
  if (size < std::size_t{4} * kPageBytes) {
    file.assign(bytes, bytes + size);
  } else {
    file.resize(kHeadBytes);
    std::copy_n(bytes, 3 * kPageBytes, file.begin());
    std::copy_n(bytes + 3 * kPageBytes, kPageBytes, file.begin() + kvb::format::kSuperblockBOffset);
    file.insert(file.end(), bytes + std::size_t{4} * kPageBytes, bytes + size);
  }
  kvb::fuzzing::use_bucket(file, true);
  return 0;
}
