#pragma once
// Little-endian loads and stores at any alignment; compilers turn each into one instruction.

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace kvb::format {

template <std::integral T>
[[nodiscard]] inline T load_le(const std::byte* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (std::endian::native == std::endian::big) {
    T swapped = 0;
    for (std::size_t i = 0; i < sizeof value; ++i) {
      swapped = static_cast<T>((swapped << 8) | static_cast<T>(std::to_integer<unsigned>(at[sizeof value - 1 - i])));
    }
    return swapped;
  }
  return value;
}

template <std::integral T>
inline void store_le(std::byte* at, T value) noexcept {
  if constexpr (std::endian::native == std::endian::big) {
    for (std::size_t i = 0; i < sizeof value; ++i) {
      at[i] = static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * i));
    }
    return;
  }
  std::memcpy(at, &value, sizeof value);
}

}  // namespace kvb::format
