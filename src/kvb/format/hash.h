#pragma once
// The key hash: XXH3-64 with the bucket's random seed, so that nobody can choose keys that collide (hash flooding).
// Source: https://github.com/Cyan4973/xxHash, XXH3_64bits_withSeed.

#include <cstdint>
#include <string_view>

namespace kvb::format {

[[nodiscard]] std::uint64_t hash_key(std::string_view key, std::uint64_t seed) noexcept;

}  // namespace kvb::format
