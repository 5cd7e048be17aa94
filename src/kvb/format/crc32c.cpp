// Three ways to one number.
//
// Tables: eight bytes at a step from eight tables ("slicing by 8").
//
// Instruction: one crc32 instruction takes eight bytes and has a latency of three cycles but a throughput of one, so a
// single chain uses a third of the unit. For blocks of three equal parts we therefore run three chains at once and join
// them: a CRC is linear, and appending n zero bytes multiplies it by x^(8n) modulo the polynomial. That product is four
// table look-ups for an n that is fixed at compile time, which is why there are two block sizes and not any.
#include "kvb/format/crc32c.h"

#include <array>
#include <atomic>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

namespace kvb::format {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // Castagnoli, bits reflected.

using Table = std::array<std::uint32_t, 256>;

constexpr std::array<Table, 8> make_slicing_tables() {
  std::array<Table, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1u) != 0 ? (crc >> 1) ^ kPolynomial : crc >> 1;
    tables[0][byte] = crc;
  }
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    for (std::size_t k = 1; k < 8; ++k) {
      const std::uint32_t previous = tables[k - 1][byte];
      tables[k][byte] = tables[0][previous & 0xFFu] ^ (previous >> 8);
    }
  }
  return tables;
}

constexpr std::array<Table, 8> kSlicing = make_slicing_tables();

// The product of two polynomials modulo the CRC's. The highest bit is the coefficient of x^0.
constexpr std::uint32_t multiply(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (std::uint32_t mask = 0x8000'0000u; mask != 0; mask >>= 1) {
    if ((a & mask) != 0) product ^= b;
    b = (b & 1u) != 0 ? (b >> 1) ^ kPolynomial : b >> 1;
  }
  return product;
}

// x^(8 * bytes), by squaring.
constexpr std::uint32_t power_of_bytes(std::uint64_t bytes) {
  std::uint32_t result = 0x8000'0000u;  // x^0
  std::uint32_t square = 0x0080'0000u;  // x^8
  for (; bytes != 0; bytes >>= 1) {
    if ((bytes & 1u) != 0) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

std::uint64_t load64(const std::byte* from) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, from, sizeof value);
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  return value;
}

#if defined(__x86_64__) || (defined(__aarch64__) && defined(__linux__))
#define KVB_CRC_INSTRUCTION 1

constexpr std::size_t kLongPart = 4096;
constexpr std::size_t kShortPart = 336;

using ShiftTables = std::array<Table, 4>;

constexpr ShiftTables make_shift_tables(std::uint64_t bytes) {
  ShiftTables tables{};
  const std::uint32_t factor = power_of_bytes(bytes);
  for (std::uint32_t k = 0; k < 4; ++k) {
    // Linear: the entry of a byte is the sum of the entries of its bits.
    for (std::uint32_t bit = 0; bit < 8; ++bit) {
      const std::uint32_t product = multiply(factor, (1u << bit) << (8 * k));
      for (std::uint32_t byte = 0; byte < 256; ++byte) {
        if ((byte >> bit & 1u) != 0) tables[k][byte] ^= product;
      }
    }
  }
  return tables;
}

constexpr ShiftTables kShiftLong = make_shift_tables(kLongPart);
constexpr ShiftTables kShiftShort = make_shift_tables(kShortPart);

inline std::uint32_t shift(const ShiftTables& tables, std::uint32_t crc) noexcept {
  return tables[0][crc & 0xFFu] ^ tables[1][crc >> 8 & 0xFFu] ^ tables[2][crc >> 16 & 0xFFu] ^ tables[3][crc >> 24];
}

#if defined(__x86_64__)
#define KVB_CRC_TARGET __attribute__((target("sse4.2")))
KVB_CRC_TARGET inline std::uint32_t step64(std::uint32_t crc, std::uint64_t word) noexcept {
  return static_cast<std::uint32_t>(_mm_crc32_u64(crc, word));
}
KVB_CRC_TARGET inline std::uint32_t step8(std::uint32_t crc, std::byte byte) noexcept {
  return _mm_crc32_u8(crc, static_cast<unsigned char>(byte));
}
bool has_instruction() noexcept {
  return __builtin_cpu_supports("sse4.2") != 0;
}
constexpr std::string_view kInstructionName = "sse4.2";
#else
#if defined(__clang__)
#define KVB_CRC_TARGET __attribute__((target("crc")))
#else
#define KVB_CRC_TARGET __attribute__((target("+crc")))
#endif
KVB_CRC_TARGET inline std::uint32_t step64(std::uint32_t crc, std::uint64_t word) noexcept {
  return __crc32cd(crc, word);
}
KVB_CRC_TARGET inline std::uint32_t step8(std::uint32_t crc, std::byte byte) noexcept {
  return __crc32cb(crc, static_cast<std::uint8_t>(byte));
}
bool has_instruction() noexcept {
  return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
}
constexpr std::string_view kInstructionName = "armv8";
#endif

template <std::size_t kPart>
KVB_CRC_TARGET inline std::uint32_t three_streams(std::uint32_t crc, const std::byte*& at, std::size_t& left,
                                                  const ShiftTables& tables) noexcept {
  static_assert(kPart % 8 == 0);
  while (left >= 3 * kPart) {
    std::uint32_t second = 0;
    std::uint32_t third = 0;
    for (const std::byte* const end = at + kPart; at != end; at += 8) {
      crc = step64(crc, load64(at));
      second = step64(second, load64(at + kPart));
      third = step64(third, load64(at + 2 * kPart));
    }
    crc = shift(tables, crc) ^ second;
    crc = shift(tables, crc) ^ third;
    at += 2 * kPart;
    left -= 3 * kPart;
  }
  return crc;
}

KVB_CRC_TARGET std::uint32_t extend_by_instruction(std::uint32_t crc, std::span<const std::byte> bytes) noexcept {
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  crc = ~crc;
  if (left >= 3 * kShortPart) {
    crc = three_streams<kLongPart>(crc, at, left, kShiftLong);
    crc = three_streams<kShortPart>(crc, at, left, kShiftShort);
  }
  for (; left >= 8; at += 8, left -= 8) crc = step64(crc, load64(at));
  for (; left != 0; ++at, --left) crc = step8(crc, *at);
  return ~crc;
}
#endif

using Extend = std::uint32_t (*)(std::uint32_t, std::span<const std::byte>) noexcept;

Extend best() noexcept {
#ifdef KVB_CRC_INSTRUCTION
  if (has_instruction()) return &extend_by_instruction;
#endif
  return &crc32c_table;
}

std::uint32_t extend_first(std::uint32_t crc, std::span<const std::byte> bytes) noexcept;

// Points at the chooser until the first call, so that it may be used before main() as well.
constinit std::atomic<Extend> chosen{&extend_first};

std::uint32_t extend_first(std::uint32_t crc, std::span<const std::byte> bytes) noexcept {
  const Extend extend = best();
  chosen.store(extend, std::memory_order_relaxed);
  return extend(crc, bytes);
}

}  // namespace

std::uint32_t crc32c_table(std::uint32_t crc, std::span<const std::byte> bytes) noexcept {
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  crc = ~crc;
  for (; left >= 8; at += 8, left -= 8) {
    const std::uint64_t word = load64(at) ^ crc;
    crc = kSlicing[7][word & 0xFF] ^ kSlicing[6][word >> 8 & 0xFF] ^ kSlicing[5][word >> 16 & 0xFF] ^
          kSlicing[4][word >> 24 & 0xFF] ^ kSlicing[3][word >> 32 & 0xFF] ^ kSlicing[2][word >> 40 & 0xFF] ^
          kSlicing[1][word >> 48 & 0xFF] ^ kSlicing[0][word >> 56];
  }
  for (; left != 0; ++at, --left) {
    crc = kSlicing[0][(crc ^ static_cast<std::uint32_t>(*at)) & 0xFFu] ^ (crc >> 8);
  }
  return ~crc;
}

std::uint32_t crc32c_extend(std::uint32_t crc, std::span<const std::byte> bytes) noexcept {
  return chosen.load(std::memory_order_relaxed)(crc, bytes);
}

std::uint32_t crc32c_combine(std::uint32_t crc_a, std::uint32_t crc_b, std::uint64_t length_b) noexcept {
  return multiply(power_of_bytes(length_b), crc_a) ^ crc_b;
}

std::string_view crc32c_implementation() noexcept {
#ifdef KVB_CRC_INSTRUCTION
  if (has_instruction()) return kInstructionName;
#endif
  return "table";
}

}  // namespace kvb::format
