#include "wfl/keystore/key_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "wfl/vm/heap.h"

namespace wfl::keystore {
namespace {

using ::testing::HasSubstr;
using vm::Value;

class KeyCodecTest : public ::testing::Test {
 protected:
  std::string key(Value value) {
    const auto encoded = encode_key(value);
    return encoded ? *encoded : "error: " + encoded.error();
  }
  vm::Heap heap_;
};

TEST_F(KeyCodecTest, TextsAndNumbersAreKeys) {
  EXPECT_EQ(key(Value(heap_.text("user:1"))), "user:1");
  EXPECT_EQ(key(Value(heap_.text("ключ"))), "ключ");
  EXPECT_EQ(key(Value::number(12)), "12");
  EXPECT_EQ(key(Value::number(0.5)), "0.5");
  EXPECT_EQ(key(Value::number(1e21)), "1000000000000000000000");
}

TEST_F(KeyCodecTest, LengthsFrom1To65535) {
  EXPECT_THAT(key(Value(heap_.text(""))), HasSubstr("empty"));
  EXPECT_EQ(key(Value(heap_.text(std::string(65'535, 'k')))).size(), 65'535U);
  EXPECT_THAT(key(Value(heap_.text(std::string(65'536, 'k')))), HasSubstr("65536"));
}

TEST_F(KeyCodecTest, OtherTypesAreRefusedByName) {
  EXPECT_THAT(key(Value::null()), HasSubstr("Null"));
  EXPECT_THAT(key(Value::boolean(true)), HasSubstr("Boolean"));
  EXPECT_THAT(key(Value(heap_.list())), HasSubstr("List"));
  EXPECT_THAT(key(Value(heap_.map())), HasSubstr("Object"));
  EXPECT_THAT(key(Value(heap_.date(0))), HasSubstr("Date"));
  EXPECT_THAT(key(Value(heap_.binary("x"))), HasSubstr("Binary"));
  EXPECT_THAT(key(Value::number(std::numeric_limits<double>::quiet_NaN())), HasSubstr("NaN"));
}

TEST_F(KeyCodecTest, BoundsMayBeEmptyAndLong) {
  EXPECT_EQ(encode_bound(Value(heap_.text("")), "The first key"), "");
  EXPECT_EQ(encode_bound(Value(heap_.text(std::string(70'000, 'k'))), "The first key")->size(), 70'000U);
  const auto wrong = encode_bound(Value::null(), "What the keys start with");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_THAT(wrong.error(), ::testing::StartsWith("What the keys start with must be"));
}

TEST_F(KeyCodecTest, QuotedKeysAreShortAndPrintable) {
  EXPECT_EQ(quote_key("user:1"), "\"user:1\"");
  EXPECT_EQ(quote_key("a\nb\t\"c\"\x01"), "\"a\\nb\\t\\\"c\\\"\\x01\"");
  EXPECT_EQ(quote_key(std::string(100, 'k')), "\"" + std::string(40, 'k') + "…\"");
  EXPECT_EQ(quote_key("\xff\x00"), "0xff");
  EXPECT_EQ(quote_key(std::string("\xff\x00", 2)), "0xff00");
}

}  // namespace
}  // namespace wfl::keystore
