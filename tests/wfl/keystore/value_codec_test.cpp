#include "wfl/keystore/value_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "wfl/vm/heap.h"
#include "wfl/vm/operations.h"

namespace wfl::keystore {
namespace {

using ::testing::HasSubstr;
using vm::Value;

class ValueCodecTest : public ::testing::Test {
 protected:
  Value text(std::string_view bytes) { return Value(heap_.text(bytes)); }
  Value list(std::vector<Value> items) { return Value(heap_.list(std::move(items))); }
  Value map(std::vector<std::pair<std::string, Value>> entries) {
    vm::Map* made = heap_.map();
    for (auto& [key, value] : entries) heap_.map_set(made, key, value);
    return Value(made);
  }

  std::string json(Value value) {
    const auto encoded = encode_value(value);
    if (!encoded) return "error: " + encoded.error();
    EXPECT_EQ(encoded->kind, kvb::ValueKind::json);
    return encoded->bytes;
  }

  Value decode(std::string_view bytes, kvb::ValueKind kind = kvb::ValueKind::json) {
    const auto decoded = decode_value(heap_, bytes, kind);
    EXPECT_TRUE(decoded.has_value()) << decoded.error();
    return decoded ? *decoded : Value::undefined();
  }

  Value round_trip(Value value) {
    const auto encoded = encode_value(value);
    EXPECT_TRUE(encoded.has_value()) << encoded.error();
    return encoded ? decode(encoded->bytes, encoded->kind) : Value::undefined();
  }

  void expect_same(Value value) {
    const Value back = round_trip(value);
    EXPECT_EQ(vm::type_name(back), vm::type_name(value));
    EXPECT_TRUE(vm::equals(back, value)) << vm::display(value) << " came back as " << vm::display(back);
    EXPECT_EQ(vm::display(back), vm::display(value));
  }

  std::string problem_of(Value value) {
    const auto encoded = encode_value(value);
    return encoded ? "it was encoded as " + encoded->bytes : encoded.error();
  }

  vm::Heap heap_;
};

TEST_F(ValueCodecTest, TextIsKeptAsItsBytes) {
  const auto encoded = encode_value(text("Grüße \"{}\" \n"));
  ASSERT_TRUE(encoded.has_value());
  EXPECT_EQ(encoded->kind, kvb::ValueKind::text);
  EXPECT_EQ(encoded->bytes, "Grüße \"{}\" \n");
  expect_same(text(""));
  expect_same(text("世界 🙂"));
  expect_same(text(std::string("zero \0 inside", 13)));
}

TEST_F(ValueCodecTest, BinaryIsKeptAsItsBytes) {
  const std::string bytes("\xff\x00\x80raw", 6);
  const auto encoded = encode_value(Value(heap_.binary(bytes)));
  ASSERT_TRUE(encoded.has_value());
  EXPECT_EQ(encoded->kind, kvb::ValueKind::bytes);
  EXPECT_EQ(encoded->bytes, bytes);
  expect_same(Value(heap_.binary(bytes)));
  expect_same(Value(heap_.binary("")));
}

TEST_F(ValueCodecTest, NumbersAreShortAndExact) {
  EXPECT_EQ(json(Value::number(42)), "42");
  EXPECT_EQ(json(Value::number(-0.0)), "-0");
  EXPECT_EQ(json(Value::number(0.1)), "0.1");
  EXPECT_EQ(json(Value::number(5.997)), "5.997");
  for (const double number :
       {0.0, 1.0, -1.0, 0.1, 1e21, 1e22, 1e23, 123456789012345678.0, 9007199254740991.0, 9007199254740993.0,
        18446744073709551615.0, 18446744073709551616.0, -9223372036854775808.0, 1e308, -1.7976931348623157e308, 5e-324,
        2.2250738585072014e-308, 1.0 / 3.0, 3.141592653589793}) {
    const Value back = round_trip(Value::number(number));
    ASSERT_TRUE(back.is_number());
    EXPECT_EQ(back.as_number(), number);
  }
  EXPECT_TRUE(std::signbit(round_trip(Value::number(-0.0)).as_number()));
  EXPECT_FALSE(std::signbit(round_trip(Value::number(0.0)).as_number()));
}

TEST_F(ValueCodecTest, EveryRandomNumberComesBack) {
  std::mt19937_64 random(20260);
  for (int i = 0; i < 100'000; ++i) {
    const double number = std::bit_cast<double>(random());
    if (!std::isfinite(number)) continue;
    const Value back = round_trip(Value::number(number));
    ASSERT_TRUE(back.is_number());
    ASSERT_EQ(std::bit_cast<std::uint64_t>(back.as_number()), std::bit_cast<std::uint64_t>(number))
        << json(Value(number));
  }
}

TEST_F(ValueCodecTest, NumbersWithoutDigitsAreRefused) {
  EXPECT_THAT(problem_of(Value::number(std::numeric_limits<double>::quiet_NaN())), HasSubstr("NaN"));
  EXPECT_THAT(problem_of(Value::number(std::numeric_limits<double>::infinity())), HasSubstr("inf"));
  EXPECT_THAT(problem_of(list({Value::number(-std::numeric_limits<double>::infinity())})), HasSubstr("-inf"));
}

TEST_F(ValueCodecTest, TruthAndNothing) {
  EXPECT_EQ(json(Value::boolean(true)), "true");
  EXPECT_EQ(json(Value::boolean(false)), "false");
  EXPECT_EQ(json(Value::null()), "null");
  EXPECT_EQ(json(Value::nothing()), "null");
  expect_same(Value::boolean(true));
  expect_same(Value::boolean(false));
  expect_same(Value::null());
}

TEST_F(ValueCodecTest, ListsAndMapsNest) {
  const Value deep = map({{"name", text("Ada")},
                          {"tags", list({text("a"), Value::number(1.5), Value::boolean(false), Value::null()})},
                          {"inner", map({{"empty list", list({})}, {"empty map", map({})}, {"", text("no name")}})}});
  EXPECT_EQ(json(deep),
            R"({"name":"Ada","tags":["a",1.5,false,null],"inner":{"empty list":[],"empty map":{},"":"no name"}})");
  expect_same(deep);
  expect_same(list({}));
  expect_same(map({}));
}

TEST_F(ValueCodecTest, MapsKeepTheirOrder) {
  EXPECT_EQ(vm::display(round_trip(map({{"z", Value::number(1)}, {"a", Value::number(2)}, {"m", Value::number(3)}}))),
            "{z: 1, a: 2, m: 3}");
}

TEST_F(ValueCodecTest, TextInsideJsonIsEscaped) {
  const Value value = list({text("\"\\/\b\f\n\r\t\x01\x1f\x7f é 🙂"), text(std::string("\0", 1))});
  EXPECT_EQ(json(value), "[\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0001\\u001f\x7f é 🙂\",\"\\u0000\"]");
  expect_same(value);
}

TEST_F(ValueCodecTest, DatesAreTagged) {
  EXPECT_EQ(json(Value(heap_.date(-56270))), R"({"$wfl:date":"1815-12-10"})");
  EXPECT_EQ(json(Value(heap_.time(59405))), R"({"$wfl:time":"16:30:05"})");
  EXPECT_EQ(json(Value(heap_.date_time(-14552873))), R"({"$wfl:datetime":"1969-07-16T13:32:07"})");
  expect_same(Value(heap_.date(0)));
  expect_same(Value(heap_.date(std::numeric_limits<std::int32_t>::min())));
  expect_same(Value(heap_.date(std::numeric_limits<std::int32_t>::max())));
  expect_same(Value(heap_.time(86399, 999'999'999)));
  expect_same(Value(heap_.date_time(-1, 5)));
  expect_same(list({Value(heap_.date(1)), map({{"at", Value(heap_.time(2))}, {"on", Value(heap_.date_time(3))}})}));
}

TEST_F(ValueCodecTest, FractionsOfASecondComeBack) {
  const Value back = round_trip(Value(heap_.time(1, 250'000'000)));
  ASSERT_TRUE(back.is(vm::ObjectKind::kTime));
  EXPECT_EQ(back.as<vm::Time>()->seconds, 1U);
  EXPECT_EQ(back.as<vm::Time>()->nanoseconds, 250'000'000U);
}

TEST_F(ValueCodecTest, BinaryInsideAListIsTagged) {
  const std::string bytes("\x00\xff\x10", 3);
  EXPECT_EQ(json(list({Value(heap_.binary(bytes))})), R"([{"$wfl:binary":"AP8Q"}])");
  expect_same(list({Value(heap_.binary(bytes)), Value(heap_.binary("")), Value(heap_.binary("a"))}));
}

// No map of a program may come back as something else, however much it looks like a tagged value.
TEST_F(ValueCodecTest, MapsThatLookTaggedStayMaps) {
  for (const char* name : {"$wfl:date", "$wfl:time", "$wfl:datetime", "$wfl:binary", "$wfl:map", "$wfl:", "$wfl:new"}) {
    expect_same(map({{name, text("1815-12-10")}}));
    expect_same(map({{name, text("AP8Q")}}));
    expect_same(map({{name, Value::number(1)}}));
    expect_same(map({{name, map({{name, text("1815-12-10")}})}}));
    expect_same(map({{"$wfl:map", map({{name, text("16:30:05")}})}}));
    expect_same(map({{"$wfl:map", map({{"$wfl:map", map({{name, text("16:30:05")}})}})}}));
    expect_same(map({{name, text("1815-12-10")}, {"second", Value::number(2)}}));
    expect_same(map({{"$wfl:map", map({{name, text("1815-12-10")}})}, {"second", Value(heap_.date(5))}}));
    expect_same(list({map({{name, text("1815-12-10")}}), map({{"x", map({{name, Value(heap_.date(7))}})}})}));
  }
}

TEST_F(ValueCodecTest, TagsWithOtherContentsAreOrdinaryMaps) {
  for (const char* foreign :
       {R"({"$wfl:date":"yesterday"})", R"({"$wfl:date":"2023-02-29"})", R"({"$wfl:date":5})",
        R"({"$wfl:time":"24:00:00"})", R"({"$wfl:time":"1:00:00"})", R"({"$wfl:datetime":"2023-01-01 10:00:00"})",
        R"({"$wfl:binary":"%%%"})", R"({"$wfl:date":"2023-02-28","more":1})", R"({"$wfl:unknown":"x"})",
        R"({"$wfl:map":5})"}) {
    EXPECT_EQ(vm::type_name(decode(foreign)), "Object") << foreign;
  }
  EXPECT_EQ(vm::type_name(decode(R"({"$wfl:date":"2024-02-29"})")), "Date");
}

TEST_F(ValueCodecTest, JsonOfOtherProgramsIsRead) {
  EXPECT_EQ(vm::display(decode(" { \"a\" : [ 1e3 , -0.5E-1, 12345678901234567890123 ] } ")),
            "[1000, -0.05, 12345678901234568000000]");
  EXPECT_EQ(vm::display(decode(R"("\u00fc\ud83d\ude42")")), "ü🙂");
  EXPECT_EQ(vm::display(decode(R"({"a":1,"a":2})")), "2");
  EXPECT_TRUE(decode("null").is_null());
}

TEST_F(ValueCodecTest, WrongJsonIsAnError) {
  for (const char* wrong : {"", "{", "[1,]", "nul", "1 2", "{\"a\"}", "\"\xff\"", "'a'", "1e999", "[", "NaN"}) {
    EXPECT_FALSE(decode_value(heap_, wrong, kvb::ValueKind::json).has_value()) << wrong;
  }
  EXPECT_FALSE(decode_value(heap_, std::string(100'000, '['), kvb::ValueKind::json).has_value());
}

TEST_F(ValueCodecTest, TextThatIsNoUtf8ComesBackAsBinary) {
  const Value value = decode("\xff\xfe", kvb::ValueKind::text);
  ASSERT_TRUE(value.is(vm::ObjectKind::kBinary));
  EXPECT_EQ(value.as<vm::Binary>()->bytes, "\xff\xfe");
}

TEST_F(ValueCodecTest, WhatCannotBeStoredIsNamedWithAdvice) {
  EXPECT_THAT(problem_of(Value(heap_.make<vm::Pattern>())),
              ::testing::AllOf(HasSubstr("Pattern"), HasSubstr("create pattern")));
  EXPECT_THAT(problem_of(Value(heap_.make<vm::Action>())),
              ::testing::AllOf(HasSubstr("Function"), HasSubstr("gives back")));
  auto* instance = heap_.make<vm::Instance>();
  instance->container = heap_.make<vm::Container>();
  EXPECT_THAT(problem_of(Value(instance)), ::testing::AllOf(HasSubstr("ContainerInstance"), HasSubstr("map")));
  EXPECT_THAT(problem_of(list({map({{"inner", Value(heap_.make<vm::Pattern>())}})})), HasSubstr("Pattern"));
}

TEST_F(ValueCodecTest, CyclesAndDepthAreBounded) {
  const Value circle = list({Value::number(1)});
  circle.as<vm::List>()->items.push_back(list({circle}));
  EXPECT_THAT(problem_of(circle), HasSubstr("contains itself"));
  vm::Map* loop = heap_.map();
  heap_.map_set(loop, "me", Value(loop));
  EXPECT_THAT(problem_of(Value(loop)), HasSubstr("contains itself"));

  // The same list in two places is no cycle.
  const Value shared = list({Value::number(7)});
  expect_same(list({shared, shared, map({{"again", shared}})}));

  Value nested = Value::number(1);
  for (std::size_t i = 0; i < kMaxNesting; ++i) nested = list({nested});
  const auto encoded = encode_value(nested);
  ASSERT_TRUE(encoded.has_value());
  EXPECT_TRUE(decode_value(heap_, encoded->bytes, encoded->kind).has_value());
  EXPECT_THAT(problem_of(list({nested})), HasSubstr("500"));
}

}  // namespace
}  // namespace wfl::keystore
