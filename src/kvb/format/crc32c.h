#pragma once
// CRC32C (Castagnoli), the checksum of every structure in a bucket. The processor's own instruction does the work where
// there is one (SSE4.2, ARMv8 CRC); elsewhere tables do. All ways give the same number for the same bytes.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace kvb::format {

// The checksum of what `crc` was the checksum of, followed by `bytes`. Begin with 0, or with a seed that binds the
// bytes to their place: crc32c_extend(crc32c_extend(0, a), b) is the checksum of a followed by b.
[[nodiscard]] std::uint32_t crc32c_extend(std::uint32_t crc, std::span<const std::byte> bytes) noexcept;

[[nodiscard]] inline std::uint32_t crc32c(std::span<const std::byte> bytes) noexcept {
  return crc32c_extend(0, bytes);
}

[[nodiscard]] inline std::uint32_t crc32c_extend(std::uint32_t crc, std::string_view text) noexcept {
  return crc32c_extend(crc, std::as_bytes(std::span(text.data(), text.size())));
}

// The checksum of a followed by b, from the checksums of both and the length of b alone.
[[nodiscard]] std::uint32_t crc32c_combine(std::uint32_t crc_a, std::uint32_t crc_b, std::uint64_t length_b) noexcept;

// The same as crc32c_extend by tables alone: what runs on processors without the instruction.
[[nodiscard]] std::uint32_t crc32c_table(std::uint32_t crc, std::span<const std::byte> bytes) noexcept;

// "sse4.2", "armv8" or "table": what crc32c_extend uses on this machine.
[[nodiscard]] std::string_view crc32c_implementation() noexcept;

}  // namespace kvb::format
