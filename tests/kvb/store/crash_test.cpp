// Power cuts at every sync point and between all operations of many workloads (support/crash_harness.h says what must
// hold). Each test asserts how many different images it tried; KVB_CRASH_SCALE=N tries N times as many at each point,
// KVB_CRASH_SEED=N makes other choices.
#include <gtest/gtest.h>
#include <malloc.h>

#include <iostream>
#include <string>
#include <vector>

#include "kvb/store/crash_workloads.h"

namespace kvb::testing {
namespace {

// All workloads together, asserted here by their minimums and in scripts/run_tests.py by what was really tried.
constexpr std::size_t kMinimumImages = 350'000;
constexpr std::size_t kMinimumWorkloads = 20;

std::vector<Workload> all_workloads() {
  std::vector<Workload> all(log_workloads().begin(), log_workloads().end());
  all.insert(all.end(), checkpoint_workloads().begin(), checkpoint_workloads().end());
  all.insert(all.end(), compact_workloads().begin(), compact_workloads().end());
  all.insert(all.end(), close_workloads().begin(), close_workloads().end());
  all.insert(all.end(), compression_workloads().begin(), compression_workloads().end());
  return all;
}

class CrashTest : public ::testing::TestWithParam<Workload> {
 protected:
  // Images of some hundred kilobytes come and go all the time: keep their memory.
  static void SetUpTestSuite() {
    ::mallopt(M_MMAP_THRESHOLD, 64 << 20);
    ::mallopt(M_TRIM_THRESHOLD, 256 << 20);
  }
};

TEST_P(CrashTest, R6_R7_R15_R17_R19_R20_every_image_opens_in_a_state_that_was) {
  const Workload& workload = GetParam();
  CrashCounts counts;
  {
    const std::string name = workload.name;
    CrashHarness harness({.workload = name,
                          .repeat = "KVB_CRASH_SEED=" + std::to_string(crash_seed()) +
                                    " KVB_CRASH_SCALE=" + std::to_string(crash_scale()) +
                                    " build/full/tests/kvb_store_test --gtest_filter='*CrashTest*/" + name + "'",
                          .seed = XXH3_64bits_withSeed(name.data(), name.size(), crash_seed()) % 1'000'000'007,
                          .images_per_point = workload.images_per_point,
                          .durability = workload.durability,
                          .capacity_bytes = workload.capacity_bytes,
                          .checkpoint_bytes = workload.checkpoint_bytes,
                          .compression = workload.compression},
                         counts);
    workload.run(harness);
  }
  std::cout << workload.name << ": " << counts.distinct.size() << " different images, " << counts.images
            << " opened, of them " << counts.by_level[1] << " after a crash during recovery and " << counts.by_level[2]
            << " after a third one; " << counts.superblocks_destroyed << " without their newest superblock, "
            << counts.opened_when_full << " on a full disk; " << counts.checkpoints << " checkpoints asked for\n";
  report_proof("crash_images", counts.distinct.size());
  report_proof("crash_workloads", 1);
  report_proof("crashes_during_recovery", counts.by_level[1] + counts.by_level[2]);
  report_proof("superblocks_destroyed", counts.superblocks_destroyed);
  if (crash_scale() >= 1) {
    EXPECT_GE(counts.distinct.size(), workload.minimum_images);
    EXPECT_GT(counts.by_level[1], 0u);
    EXPECT_GT(counts.by_level[2], 0u);
    EXPECT_GT(counts.superblocks_destroyed, counts.images / 10);
  }
}

INSTANTIATE_TEST_SUITE_P(Workloads, CrashTest, ::testing::ValuesIn(all_workloads()),
                         [](const auto& of) { return std::string(of.param.name); });

TEST(CrashTestCounts, The_minimums_add_up) {
  std::size_t sum = 0;
  for (const Workload& workload : all_workloads()) sum += workload.minimum_images;
  EXPECT_GE(sum, kMinimumImages);
  EXPECT_GE(all_workloads().size(), kMinimumWorkloads);
  EXPECT_GE(checkpoint_workloads().size(), kMinimumWorkloads);
}

}  // namespace
}  // namespace kvb::testing
