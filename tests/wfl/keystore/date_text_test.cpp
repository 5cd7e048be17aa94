#include "wfl/keystore/date_text.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace wfl::keystore {
namespace {

TEST(DateTextTest, KnownDays) {
  EXPECT_EQ(date_to_text(0), "1970-01-01");
  EXPECT_EQ(date_to_text(-1), "1969-12-31");
  EXPECT_EQ(date_to_text(19'782), "2024-02-29");
  EXPECT_EQ(date_to_text(11'016), "2000-02-29");
  EXPECT_EQ(date_to_text(-719'468), "0000-03-01");
  EXPECT_EQ(date_to_text(-719'529), "-0001-12-31");
}

TEST(DateTextTest, EveryDayOfEightCenturiesAndRandomOnesComeBack) {
  for (std::int32_t day = -150'000; day <= 150'000; ++day) ASSERT_EQ(date_from_text(date_to_text(day)), day);
  std::mt19937 random(7);
  for (int i = 0; i < 100'000; ++i) {
    const auto day = static_cast<std::int32_t>(random());
    ASSERT_EQ(date_from_text(date_to_text(day)), day) << date_to_text(day);
  }
  for (const std::int32_t day : {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()}) {
    EXPECT_EQ(date_from_text(date_to_text(day)), day);
  }
}

TEST(DateTextTest, WhatIsNoDateIsRefused) {
  for (const char* text : {"", "2023", "2023-1-01", "2023-01-1", "2023-13-01", "2023-00-01", "2023-02-29", "2023-04-31",
                           "2023-01-01 ", " 2023-01-01", "23-01-01", "2023/01/01", "99999999999-01-01", "2023-01-00"}) {
    EXPECT_FALSE(date_from_text(text).has_value()) << text;
  }
}

TEST(DateTextTest, Times) {
  EXPECT_EQ(time_to_text(0, 0), "00:00:00");
  EXPECT_EQ(time_to_text(86'399, 1), "23:59:59.000000001");
  EXPECT_EQ(time_to_text(1, 500'000'000), "00:00:01.5");
  for (std::uint32_t second = 0; second < 86'400; second += 7) {
    const auto back = time_from_text(time_to_text(second, second * 1'000));
    ASSERT_TRUE(back.has_value());
    ASSERT_EQ(back->seconds, second);
    ASSERT_EQ(back->nanoseconds, second * 1'000);
  }
  for (const char* text : {"", "1:00:00", "24:00:00", "00:60:00", "00:00:60", "00:00:00.", "00:00:00.1234567890",
                           "00:00", "00:00:00x", "00:00:00.1x", "-0:00:00"}) {
    EXPECT_FALSE(time_from_text(text).has_value()) << text;
  }
}

TEST(DateTextTest, Moments) {
  EXPECT_EQ(date_time_to_text(-1, 0), "1969-12-31T23:59:59");
  EXPECT_EQ(date_time_to_text(-14'552'873, 0), "1969-07-16T13:32:07");
  std::mt19937_64 random(11);
  for (int i = 0; i < 100'000; ++i) {
    const auto seconds = static_cast<std::int64_t>(random()) >> (i % 40 + 12);
    const auto back = date_time_from_text(date_time_to_text(seconds, 5));
    ASSERT_TRUE(back.has_value()) << date_time_to_text(seconds, 5);
    ASSERT_EQ(back->seconds, seconds);
    ASSERT_EQ(back->nanoseconds, 5U);
  }
  EXPECT_FALSE(date_time_from_text("1969-07-16 13:32:07").has_value());
  EXPECT_FALSE(date_time_from_text("1969-07-16T").has_value());
  EXPECT_FALSE(date_time_from_text("999999999999-07-16T13:32:07x").has_value());
}

}  // namespace
}  // namespace wfl::keystore
