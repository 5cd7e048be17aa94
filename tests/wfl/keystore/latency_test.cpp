#include "wfl/keystore/latency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <thread>
#include <vector>

namespace wfl::keystore {
namespace {

TEST(LatencyTest, SmallNumbersAreExact) {
  Latency latency;
  EXPECT_EQ(latency.quantile_ns(0.5), 0U);
  for (std::uint64_t i = 0; i <= 8; ++i) latency.add(i);
  EXPECT_EQ(latency.measured(), 9U);
  EXPECT_EQ(latency.quantile_ns(0), 0U);
  EXPECT_EQ(latency.quantile_ns(0.5), 4U);
  EXPECT_EQ(latency.quantile_ns(1), 8U);
}

TEST(LatencyTest, QuantilesAreRightWithinATenth) {
  std::mt19937_64 random(7);
  Latency latency;
  std::vector<std::uint64_t> all;
  for (int i = 0; i < 20'000; ++i) {
    // From nanoseconds to a quarter of an hour.
    all.push_back(static_cast<std::uint64_t>(std::exp2(std::uniform_real_distribution<double>(0, 40)(random))));
    latency.add(all.back());
  }
  std::ranges::sort(all);
  for (const double part : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999}) {
    const auto exact = static_cast<double>(all[static_cast<std::size_t>(std::ceil(part * 20'000)) - 1]);
    const auto told = static_cast<double>(latency.quantile_ns(part));
    EXPECT_GE(told, exact) << part;
    EXPECT_LE(told, exact * 1.125 + 1) << part;
  }
  EXPECT_EQ(latency.quantile_ns(1), all.back());
  EXPECT_EQ(latency.slowest_ns(), all.back());
}

TEST(LatencyTest, WhatIsTooLargeIsInTheLastColumn) {
  Latency latency;
  latency.add(UINT64_MAX);
  latency.add(UINT64_MAX - 1);
  EXPECT_EQ(latency.slowest_ns(), UINT64_MAX);
  EXPECT_GT(latency.quantile_ns(0.5), std::uint64_t{1} << 48);
}

TEST(LatencyTest, EveryEighthOperationIsTimedAndTheFirst) {
  Latency latency;
  for (int i = 0; i < 17; ++i) {
    const Latency::Timer timer(latency);
    if (i == 8) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(latency.measured(), 3U);
  EXPECT_GE(latency.slowest_ns(), 5'000'000U);
}

}  // namespace
}  // namespace wfl::keystore
