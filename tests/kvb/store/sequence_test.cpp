// Every sequence of at most three operations out of ten, each with the power cut at every sync and behind every
// operation (support/crash_harness.h). What goes wrong at all often goes wrong in a short history.
#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <string>
#include <vector>

#include "kvb/support/crash_harness.h"

namespace kvb::testing {
namespace {

struct Operation {
  const char* name;
  void (*run)(CrashHarness&);
};

constexpr std::array<Operation, 10> kAlphabet{{
    {"put_a", [](CrashHarness& it) { it.put("a", "first"); }},
    {"overwrite_a_longer", [](CrashHarness& it) { it.put("a", std::string(1'500, 'l')); }},
    {"put_b", [](CrashHarness& it) { it.put("b", std::string(40, 'b'), {.kind = ValueKind::text}); }},
    {"remove_a", [](CrashHarness& it) { it.remove("a"); }},
    {"batch",
     [](CrashHarness& it) {
       Batch batch;
       batch.put("a", std::string(600, 'A'));
       batch.put("b", "from the batch");
       it.write(batch);
     }},
    {"put_with_ttl",
     [](CrashHarness& it) {
       it.put("a", "for a second", {.ttl_seconds = 1});
       it.put("t", "for a minute", {.ttl_seconds = 60});
       it.advance(std::chrono::seconds(2));
     }},
    {"flush", [](CrashHarness& it) { it.flush(); }},
    {"checkpoint", [](CrashHarness& it) { it.checkpoint(); }},
    {"reopen", [](CrashHarness& it) { it.reopen(); }},
    {"kill", [](CrashHarness& it) { it.kill_and_open(); }},
}};
constexpr std::size_t kLongest = 3;
constexpr std::uint64_t kSequencesEach = 1 + 10 + 100;  // That begin with one operation.
constexpr std::uint64_t kMinimumImagesEach = 8'000;     // Different ones, over the sequences of one test.

class Sequences : public ::testing::TestWithParam<std::size_t> {
 protected:
  void run(const std::vector<std::size_t>& sequence) {
    std::string name;
    std::uint64_t number = 0;
    for (const std::size_t operation : sequence) {
      name += (name.empty() ? "" : ", ") + std::string(kAlphabet[operation].name);
      number = number * (kAlphabet.size() + 1) + operation + 1;
    }
    CrashHarness harness({.workload = name,
                          .repeat = "KVB_CRASH_SEED=" + std::to_string(crash_seed()) +
                                    " build/full/tests/kvb_store_test --gtest_filter='*Sequences*/" +
                                    kAlphabet[sequence.front()].name + "'",
                          .seed = crash_seed() * 10'007 + number,
                          .images_per_point = images_per_point_},
                         counts_);
    harness.create();
    for (const std::size_t operation : sequence) kAlphabet[operation].run(harness);
    ++sequences_;
  }
  // This one, and all that go on from it.
  void run_all_from(std::vector<std::size_t>& sequence) {
    run(sequence);
    if (sequence.size() == kLongest) return;
    for (std::size_t next = 0; next < kAlphabet.size(); ++next) {
      sequence.push_back(next);
      run_all_from(sequence);
      sequence.pop_back();
    }
  }

  std::size_t images_per_point_ = std::max<std::size_t>(4, static_cast<std::size_t>(30 * crash_scale()));
  CrashCounts counts_;
  std::uint64_t sequences_ = 0;
};

TEST_P(Sequences, R7_R14_R17_R19_every_short_history_survives_every_crash) {
  std::vector<std::size_t> sequence{GetParam()};
  run_all_from(sequence);
  std::cout << sequences_ << " sequences, " << counts_.images << " images opened, " << counts_.distinct.size()
            << " different ones, " << counts_.superblocks_destroyed << " without their newest superblock\n";
  report_proof("sequences", sequences_);
  report_proof("sequence_images", counts_.distinct.size());
  EXPECT_EQ(sequences_, kSequencesEach);
  EXPECT_GT(counts_.by_level[1], 0u);
  if (crash_scale() >= 1) {
    EXPECT_GT(counts_.distinct.size(), kMinimumImagesEach);
  }
}

INSTANTIATE_TEST_SUITE_P(First, Sequences, ::testing::Range<std::size_t>(0, kAlphabet.size()),
                         [](const auto& of) { return std::string(kAlphabet[of.param].name); });

}  // namespace
}  // namespace kvb::testing
