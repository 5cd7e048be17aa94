#include "kvb/format/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace kvb::format {

std::uint64_t hash_key(std::string_view key, std::uint64_t seed) noexcept {
  const std::uint64_t hash = XXH3_64bits_withSeed(key.data(), key.size(), seed);
#ifdef KVB_TEST_HASH_BITS
  // A test build in which different keys often have equal hashes.
  return hash & ((std::uint64_t{1} << KVB_TEST_HASH_BITS) - 1);
#else
  return hash;
#endif
}

}  // namespace kvb::format
