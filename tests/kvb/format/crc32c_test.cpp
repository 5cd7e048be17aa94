#include "kvb/format/crc32c.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace kvb::format {
namespace {

std::vector<std::byte> random_bytes(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

// One bit at a time, straight from the definition: shares nothing with the code under test.
std::uint32_t crc32c_by_definition(std::span<const std::byte> bytes) {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const std::byte byte : bytes) {
    crc ^= static_cast<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1u) != 0 ? (crc >> 1) ^ 0x82F63B78u : crc >> 1;
  }
  return ~crc;
}

TEST(Crc32c, Known_answers_of_RFC_3720) {
  std::vector<std::byte> bytes(32, std::byte{0});
  EXPECT_EQ(crc32c(bytes), 0x8A9136AAu);
  bytes.assign(32, std::byte{0xFF});
  EXPECT_EQ(crc32c(bytes), 0x62A8AB43u);
  for (int i = 0; i < 32; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<std::byte>(i);
  EXPECT_EQ(crc32c(bytes), 0x46DD794Eu);
  for (int i = 0; i < 32; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<std::byte>(31 - i);
  EXPECT_EQ(crc32c(bytes), 0x113FDB5Cu);
  EXPECT_EQ(crc32c_extend(0, std::string_view("123456789")), 0xE3069283u);
  EXPECT_EQ(crc32c({}), 0u);
}

TEST(Crc32c, Chosen_way_equals_table_for_every_length_at_every_alignment) {
  const auto bytes = random_bytes(5'016, 1);
  for (std::size_t alignment = 0; alignment < 8; ++alignment) {
    for (std::size_t length = 0; length <= 5'000; ++length) {
      const auto part = std::span(bytes).subspan(alignment, length);
      ASSERT_EQ(crc32c_extend(0x12345678u, part), crc32c_table(0x12345678u, part))
          << "alignment " << alignment << ", length " << length << ", " << crc32c_implementation();
    }
  }
}

TEST(Crc32c, Equals_the_definition) {
  const auto bytes = random_bytes(50'000, 2);
  for (const std::size_t length :
       {1u, 7u, 8u, 9u, 1'007u, 1'008u, 1'009u, 12'287u, 12'288u, 12'289u, 13'296u, 50'000u}) {
    const auto part = std::span(bytes).first(length);
    EXPECT_EQ(crc32c(part), crc32c_by_definition(part)) << length;
    EXPECT_EQ(crc32c_table(0, part), crc32c_by_definition(part)) << length;
  }
}

TEST(Crc32c, Streaming_in_any_pieces_gives_the_same) {
  const auto bytes = random_bytes(30'000, 3);
  const std::uint32_t whole = crc32c(bytes);
  std::mt19937 random(4);
  for (int round = 0; round < 200; ++round) {
    std::uint32_t crc = 0;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t piece = std::min<std::size_t>(random() % 9'000, bytes.size() - at);
      crc = crc32c_extend(crc, std::span(bytes).subspan(at, piece));
      at += piece;
    }
    ASSERT_EQ(crc, whole);
  }
}

TEST(Crc32c, Combine_joins_two_checksums) {
  const auto bytes = random_bytes(20'000, 5);
  for (const std::size_t split : {0u, 1u, 44u, 4'096u, 19'999u, 20'000u}) {
    const auto a = std::span(bytes).first(split);
    const auto b = std::span(bytes).subspan(split);
    EXPECT_EQ(crc32c_combine(crc32c(a), crc32c(b), b.size()), crc32c(bytes)) << split;
  }
}

TEST(Crc32c, Every_single_bit_error_and_every_short_burst_is_found) {
  auto bytes = random_bytes(64, 6);
  const std::uint32_t good = crc32c(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    EXPECT_NE(crc32c(bytes), good) << bit;
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
  }
  for (std::size_t at = 0; at + 4 <= bytes.size(); ++at) {
    for (std::size_t k = 0; k < 4; ++k) bytes[at + k] ^= std::byte{0xA5};
    EXPECT_NE(crc32c(bytes), good) << at;
    for (std::size_t k = 0; k < 4; ++k) bytes[at + k] ^= std::byte{0xA5};
  }
}

}  // namespace
}  // namespace kvb::format
