// R11: a full disk can be emptied again, with nothing but the bucket itself. (That no crash in it loses anything:
// crash_full_disk_workloads.cpp.)
#include <gtest/gtest.h>

#include <map>

#include "kvb/api/bucket_access.h"
#include "kvb/format/layout.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"
#include "kvb/support/log_checker.h"

namespace kvb {
namespace {

constexpr const char* kPath = "a.kvb";
using Map = std::map<std::string, std::string>;

std::string key(int i) {
  return "key " + std::to_string(1'000'000 + i);
}

Map everything(const Bucket& bucket) {
  Map found;
  for (auto& entry : KVB_MUST(bucket.scan())) found[entry.key] = std::move(entry.value.bytes);
  return found;
}

struct Size {
  const char* name;
  std::uint64_t capacity_bytes;
  std::size_t value_bytes;
};
void PrintTo(const Size& size, std::ostream* out) {
  *out << size.name;
}

class FullDisk : public ::testing::TestWithParam<Size> {
 protected:
  // Until the disk takes no more; the keys are in `model_`.
  void fill(os::SimDisk& disk, Bucket& bucket) {
    for (int i = static_cast<int>(model_.size());; ++i) {
      const std::string value = std::to_string(i) + std::string(GetParam().value_bytes, 'v');
      const auto put = bucket.put(key(i), value);
      if (!put) {
        EXPECT_EQ(put.error().code, ErrorCode::full) << testing::outcome(put);
        break;
      }
      model_[key(i)] = value;
      ASSERT_LT(model_.size(), 1'000'000u);
    }
    EXPECT_GT(disk.used_bytes(), GetParam().capacity_bytes / 2);
  }
  void expect_whole(Bucket& bucket) {
    EXPECT_TRUE(everything(bucket) == model_);
    const auto verified = KVB_MUST(bucket.verify());
    EXPECT_TRUE(verified.ok()) << verified.problems.front().message;
  }
  Map model_;
};

INSTANTIATE_TEST_SUITE_P(Sizes, FullDisk,
                         ::testing::Values(Size{"tiny", 500'000, 60}, Size{"small", 1'200'000, 100},
                                           Size{"short_values", 6'000'000, 8}, Size{"middle", 12'000'000, 200},
                                           Size{"long_values", 12'000'000, 6'000},
                                           Size{"own_segments", 24'000'000, 1'500'000}),
                         [](const auto& of) { return of.param.name; });

TEST_P(FullDisk, R11_can_be_emptied_and_used_again) {
  os::SimDisk disk({.seed = 41, .recording = false, .capacity_bytes = GetParam().capacity_bytes});
  testing::LogChecker checker(disk, kPath);
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  fill(disk, bucket);
  expect_whole(bucket);
  const int stored = static_cast<int>(model_.size());
  ASSERT_GT(stored, 4);
  for (int i = 0; i < stored; ++i) {
    if (i % 10 == 7) continue;
    const auto removed = bucket.remove(key(i));
    ASSERT_TRUE(removed.has_value()) << "remove " << i << " of " << stored << ": " << testing::outcome(removed);
    EXPECT_TRUE(*removed);
    model_.erase(key(i));
  }
  expect_whole(bucket);
  KVB_MUST(bucket.flush());
  const std::uint64_t before = disk.contents(kPath).size();
  const auto report = KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  const std::uint64_t after = disk.contents(kPath).size();
  // Head, what is live, and an image that may lie behind the place of the one before.
  EXPECT_LE(after, std::max(before / 2, format::kHeadBytes + bucket.stats().live_bytes * 2 + 110'000))
      << "of " << GetParam().capacity_bytes;
  EXPECT_EQ(report.file_bytes_after, after);
  expect_whole(bucket);
  // And again from the beginning.
  fill(disk, bucket);
  EXPECT_GT(model_.size(), static_cast<std::size_t>(stored) * 2 / 3);
  expect_whole(bucket);
  disk.environment().kill();
  bucket = KVB_MUST(open_with(disk.start_process(9), kPath));
  expect_whole(bucket);
  EXPECT_EQ(KVB_MUST(bucket.remove_prefix("")), model_.size());
  model_.clear();
  expect_whole(bucket);
  KVB_MUST(bucket.close());
}

TEST_P(FullDisk, R11_a_checkpoint_has_room) {
  os::SimDisk disk({.seed = 42, .recording = false, .capacity_bytes = GetParam().capacity_bytes});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  fill(disk, bucket);
  for (int round = 0; round < 5; ++round) KVB_MUST(bucket.checkpoint());
  EXPECT_EQ(bucket.stats().journal_bytes, 0u);
  expect_whole(bucket);
  // Not even then puts eat into what is kept.
  fill(disk, bucket);
  KVB_MUST(bucket.checkpoint());
  EXPECT_TRUE(KVB_MUST(bucket.remove(model_.begin()->first)));
  model_.erase(model_.begin());
  expect_whole(bucket);
}

TEST_P(FullDisk, R11_can_be_closed_opened_and_emptied) {
  os::SimDisk disk({.seed = 43, .recording = false, .capacity_bytes = GetParam().capacity_bytes});
  testing::LogChecker checker(disk, kPath);
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  fill(disk, bucket);
  for (int round = 0; round < 4; ++round) {
    KVB_MUST(bucket.close());
    bucket = KVB_MUST(open_with(disk.environment(), kPath));
    fill(disk, bucket);
  }
  expect_whole(bucket);
  while (!model_.empty()) {
    const auto removed = bucket.remove(model_.begin()->first);
    ASSERT_TRUE(removed.has_value()) << model_.size() << " are left: " << testing::outcome(removed);
    model_.erase(model_.begin());
  }
  expect_whole(bucket);
}

// Another program takes what was free before the bucket could keep it: nothing is lost, and all works again when there
// is room.
TEST(FullDiskOfOthers, Takes_nothing_from_the_bucket) {
  os::SimDisk disk({.seed = 44, .recording = false});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  Map model;
  for (int i = 0; i < 3'000; ++i) {
    model[key(i)] = std::string(100, 'v');
    EXPECT_TRUE(KVB_MUST(bucket.put(key(i), model[key(i)])));
  }
  disk.set_capacity_bytes(disk.used_bytes());
  int more = 3'000;
  for (;; ++more) {
    const auto put = bucket.put(key(more), "x");
    if (!put) {
      EXPECT_EQ(put.error().code, ErrorCode::full);
      break;
    }
    model[key(more)] = "x";
  }
  EXPECT_TRUE(everything(bucket) == model);
  (void)bucket.remove(key(0));
  if (!KVB_MUST(bucket.contains(key(0)))) model.erase(key(0));
  disk.set_capacity_bytes(100'000'000);
  EXPECT_TRUE(KVB_MUST(bucket.put("room", "again")));
  model["room"] = "again";
  KVB_MUST(bucket.checkpoint());
  KVB_MUST(bucket.close());
  bucket = KVB_MUST(open_with(disk.environment(), kPath));
  EXPECT_TRUE(everything(bucket) == model);
}

// A disk with room keeps nothing from anybody.
TEST(FullDiskOfOthers, Nothing_is_kept_while_there_is_room) {
  os::SimDisk disk({.seed = 45, .recording = false, .capacity_bytes = 400'000'000});
  os::SimDisk endless({.seed = 45, .recording = false});
  for (os::SimDisk* each : {&disk, &endless}) {
    auto bucket = KVB_MUST(create_with(each->environment(), kPath));
    for (int i = 0; i < 20'000; ++i) EXPECT_TRUE(KVB_MUST(bucket.put(key(i), std::string(100, 'v'))));
  }
  EXPECT_EQ(disk.used_bytes(), endless.used_bytes());
}

// The room that a quota leaves cannot always be asked for. The first refusal tells; what is left then serves removals,
// as far as it goes.
TEST(FullDiskOfOthers, A_quota_is_noticed_when_it_refuses) {
  os::SimDisk disk({.seed = 46, .recording = false, .capacity_bytes = 8'000'000, .tells_capacity = false});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  Map model;
  for (int i = 0;; ++i) {
    if (!bucket.put(key(i), std::string(100, 'v'))) break;
    model[key(i)] = std::string(100, 'v');
  }
  const std::size_t stored = model.size();
  ASSERT_GT(stored, 10'000u);
  Result<bool> removed = true;
  while (removed && !model.empty()) {
    removed = bucket.remove(model.begin()->first);
    if (removed) model.erase(model.begin());
  }
  EXPECT_LT(model.size(), stored - 100);
  EXPECT_TRUE(everything(bucket) == model);
  disk.set_capacity_bytes(20'000'000);
  (void)KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  while (!model.empty()) {
    EXPECT_TRUE(KVB_MUST(bucket.remove(model.begin()->first)));
    model.erase(model.begin());
  }
  (void)KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  EXPECT_LT(disk.used_bytes(), 1'000'000u);
  EXPECT_TRUE(everything(bucket).empty());
}

}  // namespace
}  // namespace kvb
