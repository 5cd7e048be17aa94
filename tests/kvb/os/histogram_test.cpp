#include "kvb/os/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

namespace kvb::os {
namespace {

TEST(Histogram, every_duration_lies_in_its_bucket_and_buckets_follow_each_other) {
  for (std::size_t i = 1; i < Histogram::kBuckets; ++i) {
    EXPECT_LT(Histogram::most_of(i - 1), Histogram::most_of(i));
    EXPECT_EQ(Histogram::bucket_of(Histogram::most_of(i - 1) + 1), i);
    EXPECT_EQ(Histogram::bucket_of(Histogram::most_of(i)), i);
  }
  EXPECT_EQ(Histogram::bucket_of(0), 0U);
  EXPECT_EQ(Histogram::bucket_of(UINT64_MAX), Histogram::kBuckets - 1);
}

TEST(Histogram, quantiles_are_right_to_within_an_eighth) {
  std::mt19937_64 random(7);
  for (const double spread : {1.0, 4.0, 9.0}) {
    Histogram histogram;
    std::vector<std::uint64_t> all;
    std::lognormal_distribution<double> draw(9.0, spread / 3);
    std::uint64_t total = 0;
    for (int i = 0; i < 50'000; ++i) {
      all.push_back(static_cast<std::uint64_t>(draw(random)));
      total += all.back();
      histogram.add(all.back());
    }
    std::ranges::sort(all);
    const Latency latency = histogram.read();
    EXPECT_EQ(latency.count, all.size());
    EXPECT_EQ(latency.total_ns, total);
    EXPECT_EQ(latency.max_ns, all.back());
    const auto near = [&](std::uint64_t found, double of) {
      const auto exact = static_cast<double>(all[static_cast<std::size_t>(static_cast<double>(all.size()) * of)]);
      EXPECT_NEAR(static_cast<double>(found), exact, exact / 8 + 1) << of;
    };
    near(latency.p50_ns, 0.5);
    near(latency.p90_ns, 0.9);
    near(latency.p99_ns, 0.99);
    near(latency.p999_ns, 0.999);
  }
}

TEST(Histogram, the_wide_buckets_hold_what_their_limits_say) {
  Histogram histogram;
  const std::vector<std::uint64_t> durations = {0, 255, 256, 511, 512, 1'000'000, 17'179'869'183, 17'179'869'184};
  for (const std::uint64_t duration : durations) histogram.add(duration);
  const Latency latency = histogram.read();
  for (std::size_t i = 0; i < Latency::kBuckets; ++i) {
    const std::uint64_t least = i == 0 ? 0 : Latency::bucket_limit_ns(i - 1);
    const auto in_it = std::ranges::count_if(
        durations, [&](std::uint64_t d) { return d >= least && d < Latency::bucket_limit_ns(i); });
    EXPECT_EQ(latency.buckets[i], static_cast<std::uint64_t>(in_it)) << i;
  }
}

TEST(Histogram, nothing_is_lost_when_many_threads_add) {
  Histogram histogram;
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
      threads.emplace_back([&histogram, t] {
        for (std::uint64_t i = 0; i < 20'000; ++i) histogram.add(i * (t + 1));
      });
    }
  }
  const Latency latency = histogram.read();
  EXPECT_EQ(latency.count, 80'000U);
  EXPECT_EQ(latency.max_ns, 19'999U * 4);
  EXPECT_EQ(latency.total_ns, 19'999ULL * 20'000 / 2 * 10);
}

TEST(Histogram, an_empty_one_says_0) {
  const Latency latency = Histogram().read();
  EXPECT_EQ(latency.count, 0U);
  EXPECT_EQ(latency.p50_ns, 0U);
  EXPECT_EQ(latency.p999_ns, 0U);
}

TEST(Stopwatch, measures_into_its_histogram_or_nowhere) {
  Histogram histogram;
  {
    const Stopwatch nowhere(nullptr);
  }
  {
    const Stopwatch stopwatch(&histogram);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  const Latency latency = histogram.read();
  EXPECT_EQ(latency.count, 1U);
  EXPECT_GE(latency.max_ns, 2'000'000U);
}

}  // namespace
}  // namespace kvb::os
