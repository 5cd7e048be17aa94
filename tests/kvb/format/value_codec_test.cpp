#include "kvb/format/value_codec.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace kvb::format {
namespace {

std::string record_of(int i) {
  return R"({"id":)" + std::to_string(i) + R"(,"name":"customer )" + std::to_string(std::int64_t{i} * 7919 % 10007) +
         R"(","email":"someone)" + std::to_string(i % 97) + R"(@example.com","active":)" +
         (i % 3 == 0 ? "true" : "false") + R"(,"country":"Austria","balance":)" +
         std::to_string(std::int64_t{i} * 31 % 1000) + "}";
}

std::string random_bytes(std::size_t bytes, unsigned seed) {
  std::mt19937_64 random(seed);
  std::string value(bytes, '\0');
  for (char& c : value) c = static_cast<char>(random());
  return value;
}

// A shelf with one dictionary of records like those of record_of.
class ValueCodec : public testing::Test {
 protected:
  static constexpr std::uint16_t kId = 0x1234;

  void SetUp() override {
    std::string samples;
    std::vector<std::size_t> sizes;
    for (int i = 0; i < 2000; ++i) {
      const std::string one = record_of(i);
      samples += one;
      sizes.push_back(one.size());
    }
    const auto trained = train_dictionary(samples, sizes, 16 << 10, kId, 3);
    ASSERT_TRUE(trained.has_value());
    EXPECT_EQ(dictionary_id(*trained), kId);
    dictionary_ = shelf_.add(kId, *trained);
  }

  void expect_round_trip(std::string_view value, const CompressionSettings& settings) {
    std::string room;
    const EncodedValue encoded = encode_value(value, settings, room);
    EXPECT_LE(encoded.payload.size(), value.size());
    EXPECT_EQ(decoded_bytes(encoded.encoding, encoded.payload), value.size());
    EXPECT_EQ(dictionary_of(encoded.encoding, encoded.payload), encoded.dictionary);
    const std::string payload(encoded.payload);
    std::string decoded = "something else";
    ASSERT_EQ(decode_value(encoded.encoding, payload, shelf_, decoded), DecodeFault::none);
    EXPECT_EQ(decoded, value);
  }

  DictionaryShelf shelf_;
  const Dictionary* dictionary_ = nullptr;
};

TEST_F(ValueCodec, every_length_at_every_level_comes_back) {
  std::string text;
  while (text.size() < 300'000) text += record_of(static_cast<int>(text.size()));
  for (const int level : {0, 1, 3, 9, 19}) {
    for (const std::size_t bytes : {0,   1,    15,    16,    17,    95,    96,    97,    127,    128,    200,    255,
                                    256, 1000, 16383, 16384, 32767, 32768, 32769, 65536, 131072, 131073, 300'000}) {
      expect_round_trip(std::string_view(text).substr(0, bytes), {.level = level});
      expect_round_trip(std::string_view(text).substr(0, bytes), {.level = level, .dictionary = dictionary_});
      expect_round_trip(std::string(bytes, 'x'), {.level = level, .dictionary = dictionary_});
      expect_round_trip(random_bytes(bytes, 1), {.level = level, .dictionary = dictionary_});
    }
  }
}

TEST_F(ValueCodec, what_does_not_shrink_is_kept_raw) {
  std::string room;
  for (const std::size_t bytes : {1, 20, 200, 40'000, 400'000}) {
    const std::string value = random_bytes(bytes, 2);
    const auto encoded = encode_value(value, {.level = 3, .dictionary = dictionary_}, room);
    EXPECT_EQ(encoded.encoding, Encoding::raw);
    EXPECT_EQ(encoded.payload.data(), value.data());
    // And it has no consequences for the next one.
    EXPECT_EQ(encode_value(record_of(3), {.level = 3, .dictionary = dictionary_}, room).dictionary, kId);
  }
}

TEST_F(ValueCodec, small_values_shrink_with_a_dictionary_only) {
  std::string room;
  const std::string value = R"({"id":77,"country":"Austria","active":true})";
  ASSERT_LT(value.size(), kLeastBytesAlone);
  EXPECT_EQ(encode_value(value, {.level = 3}, room).encoding, Encoding::raw);
  const auto encoded = encode_value(value, {.level = 3, .dictionary = dictionary_}, room);
  EXPECT_EQ(encoded.encoding, Encoding::block);
  EXPECT_EQ(encoded.dictionary, kId);
  EXPECT_LT(encoded.payload.size(), value.size() * 2 / 3);
}

TEST_F(ValueCodec, records_shrink_to_a_third) {
  std::string room;
  std::size_t raw = 0;
  std::size_t stored = 0;
  for (int i = 5000; i < 6000; ++i) {
    const std::string value = record_of(i);
    raw += value.size();
    stored += encode_value(value, {.level = 3, .dictionary = dictionary_}, room).payload.size();
  }
  EXPECT_LT(stored * 3, raw);
}

TEST_F(ValueCodec, without_its_dictionary_a_value_is_not_guessed) {
  std::string room;
  const auto encoded = encode_value(record_of(1), {.level = 3, .dictionary = dictionary_}, room);
  ASSERT_EQ(encoded.encoding, Encoding::block);
  const DictionaryShelf empty;
  std::string decoded;
  EXPECT_EQ(decode_value(encoded.encoding, encoded.payload, empty, decoded), DecodeFault::unknown_dictionary);
  EXPECT_TRUE(decoded.empty());
}

TEST_F(ValueCodec, a_length_that_cannot_be_is_refused_before_anything_is_allocated) {
  std::string room;
  std::string text;
  while (text.size() < 100'000) text += record_of(static_cast<int>(text.size()));
  const auto encoded = encode_value(text, {.level = 3}, room);
  ASSERT_EQ(encoded.encoding, Encoding::frame);
  const std::string payload(encoded.payload);
  const std::string frame = payload.substr(3);
  std::string decoded;
  // 4 GiB − 1 of a few kilobytes; and a length of ten bytes, of no bytes, in a form that is too long.
  for (const std::string& length : {std::string("\xFF\xFF\xFF\xFF\x0F"), std::string("\xFF\xFF\xFF\xFF\xFF\x01"),
                                    std::string(1, '\0'), std::string("\x80\x80\x00", 3)}) {
    EXPECT_FALSE(decoded_bytes(Encoding::frame, length + frame).has_value());
    EXPECT_EQ(decode_value(Encoding::frame, length + frame, shelf_, decoded), DecodeFault::bad_payload);
  }
  // One that could be, and is not.
  EXPECT_EQ(decode_value(Encoding::frame, "\xA1\x8D\x06" + frame, shelf_, decoded), DecodeFault::bad_payload);
  EXPECT_EQ(decode_value(Encoding::frame, payload + "x", shelf_, decoded), DecodeFault::bad_payload);
  EXPECT_EQ(decode_value(Encoding::frame, payload + frame, shelf_, decoded), DecodeFault::bad_payload);
  EXPECT_EQ(decode_value(Encoding::frame, payload.substr(0, payload.size() - 1), shelf_, decoded),
            DecodeFault::bad_payload);
  EXPECT_EQ(decode_value(Encoding::block, payload, shelf_, decoded), DecodeFault::bad_payload);
  EXPECT_EQ(decode_value(Encoding::frame, "", shelf_, decoded), DecodeFault::bad_payload);
}

TEST_F(ValueCodec, flipped_bytes_never_give_more_than_was_stated) {
  std::string room;
  for (const std::size_t bytes : {150, 5'000, 60'000}) {
    std::string text;
    while (text.size() < bytes) text += record_of(static_cast<int>(text.size()));
    const auto encoded = encode_value(text, {.level = 3, .dictionary = dictionary_}, room);
    ASSERT_NE(encoded.encoding, Encoding::raw);
    const std::string payload(encoded.payload);
    std::string decoded;
    for (std::size_t at = 0; at < payload.size(); ++at) {
      std::string wrong = payload;
      wrong[at] = static_cast<char>(wrong[at] ^ 0x55);
      const auto fault = decode_value(encoded.encoding, wrong, shelf_, decoded);
      if (fault != DecodeFault::none) continue;
      EXPECT_EQ(decoded.size(), decoded_bytes(encoded.encoding, wrong));
    }
  }
}

TEST(DictionaryTraining, nothing_common_gives_no_dictionary) {
  std::string samples;
  std::vector<std::size_t> sizes;
  EXPECT_FALSE(train_dictionary(samples, sizes, 16 << 10, 300, 3).has_value());
  for (unsigned i = 0; i < 4; ++i) {
    samples += random_bytes(10, i);
    sizes.push_back(10);
  }
  EXPECT_FALSE(train_dictionary(samples, sizes, 16 << 10, 300, 3).has_value());
}

TEST(DictionaryTraining, other_bytes_are_no_dictionary) {
  EXPECT_FALSE(dictionary_id({}).has_value());
  std::vector<std::byte> bytes(100);
  EXPECT_FALSE(dictionary_id(bytes).has_value());
  const unsigned char header[8] = {0x37, 0xA4, 0x30, 0xEC, 0x34, 0x12, 0, 0};
  std::memcpy(bytes.data(), header, sizeof header);
  EXPECT_EQ(dictionary_id(bytes), 0x1234);
  bytes[6] = std::byte{1};
  EXPECT_FALSE(dictionary_id(bytes).has_value());
}

TEST(DictionaryShelf, gives_the_newest_of_an_id_and_keeps_the_others) {
  DictionaryShelf shelf;
  EXPECT_EQ(shelf.find(300), nullptr);
  const std::vector<std::byte> bytes(10, std::byte{1});
  const std::vector<std::byte> others(20, std::byte{2});
  const Dictionary* const first = shelf.add(300, bytes);
  EXPECT_EQ(shelf.add(300, bytes), first);
  EXPECT_EQ(shelf.add(301, others)->bytes().size(), 20u);
  EXPECT_EQ(shelf.find(300), first);
  const Dictionary* const second = shelf.add(300, others);
  EXPECT_NE(second, first);
  EXPECT_EQ(shelf.find(300), second);
  EXPECT_EQ(first->bytes().size(), 10u);
}

}  // namespace
}  // namespace kvb::format
