// What a closed bucket leaves on the disk: the head alone when nothing is in it any more, and about its live data when
// most of it is gone. (That no crash in it loses anything: crash_close_workloads.cpp.)
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "kvb/api/bucket_access.h"
#include "kvb/format/layout.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"
#include "kvb/support/log_checker.h"

namespace kvb {
namespace {

constexpr const char* kPath = "a.kvb";

std::string key(int i) {
  return "key " + std::to_string(100'000 + i);
}

struct Size {
  const char* name;
  int keys;
  std::size_t value_bytes;
};
void PrintTo(const Size& size, std::ostream* out) {
  *out << size.name;
}

class ClosedBucket : public ::testing::TestWithParam<Size> {
 protected:
  void put_all(PutOptions options = {}) {
    for (int i = 0; i < GetParam().keys; ++i) {
      EXPECT_TRUE(KVB_MUST(bucket_->put(key(i), std::string(GetParam().value_bytes, 'v'), options)));
    }
  }
  void remove_all() {
    for (int i = 0; i < GetParam().keys; ++i) EXPECT_TRUE(KVB_MUST(bucket_->remove(key(i)))) << i;
  }
  void reopen() {
    KVB_MUST(bucket_->close());
    bucket_.emplace(KVB_MUST(open_with(disk_.environment(), kPath)));
  }
  // Closes it, and looks at what is left, by all means.
  void expect_head_alone() {
    const std::uint64_t last = bucket_->stats().committed_seqno;
    KVB_MUST(bucket_->close());
    EXPECT_EQ(disk_.contents(kPath).size(), format::kHeadBytes);
    bucket_.emplace(KVB_MUST(open_with(disk_.environment(), kPath)));
    EXPECT_EQ(bucket_->stats().keys, 0u);
    EXPECT_EQ(bucket_->stats().committed_seqno, last);
    const auto verified = KVB_MUST(bucket_->verify());
    EXPECT_TRUE(verified.ok()) << verified.problems.front().message;
    KVB_MUST(bucket_->close());
    EXPECT_EQ(disk_.contents(kPath).size(), format::kHeadBytes);
    // Life goes on, with seqnos that were never used.
    bucket_.emplace(KVB_MUST(open_with(disk_.environment(), kPath)));
    EXPECT_TRUE(KVB_MUST(bucket_->put(key(3), "again")));
    EXPECT_EQ(KVB_MUST(bucket_->get(key(3)))->seqno, last + 1);
    disk_.environment().kill();
    bucket_.emplace(KVB_MUST(open_with(disk_.start_process(9), kPath)));
    EXPECT_EQ(KVB_MUST(bucket_->get(key(3)))->bytes, "again");
    EXPECT_EQ(KVB_MUST(bucket_->scan()).size(), 1u);
    EXPECT_TRUE(KVB_MUST(bucket_->verify()).ok());
    KVB_MUST(bucket_->close());
  }

  os::SimDisk disk_{{.seed = 71, .recording = false}};
  testing::LogChecker checker_{disk_, kPath};
  std::optional<Bucket> bucket_{KVB_MUST(create_with(disk_.environment(), kPath))};
};

INSTANTIATE_TEST_SUITE_P(Sizes, ClosedBucket,
                         ::testing::Values(Size{"one_key", 1, 10}, Size{"few_keys", 20, 100},
                                           Size{"many_keys", 6'000, 120}, Size{"long_values", 40, 150'000}),
                         [](const auto& of) { return of.param.name; });

TEST_P(ClosedBucket, Is_its_head_alone_when_all_was_removed) {
  put_all();
  remove_all();
  expect_head_alone();
}

TEST_P(ClosedBucket, Is_its_head_alone_when_all_was_removed_by_prefix_after_opening) {
  put_all();
  reopen();
  EXPECT_EQ(KVB_MUST(bucket_->remove_prefix("")), static_cast<std::uint64_t>(GetParam().keys));
  expect_head_alone();
}

TEST_P(ClosedBucket, Is_its_head_alone_when_all_was_removed_after_checkpoints_and_compactions) {
  put_all();
  KVB_MUST(bucket_->checkpoint());
  put_all();
  (void)KVB_MUST(bucket_->compact({.strategy = CompactStrategy::full}));
  reopen();
  remove_all();
  KVB_MUST(bucket_->checkpoint());
  expect_head_alone();
}

TEST_P(ClosedBucket, Is_its_head_alone_when_all_has_expired) {
  put_all({.ttl_seconds = 60});
  KVB_MUST(bucket_->checkpoint());
  put_all({.ttl_seconds = 30});
  EXPECT_TRUE(KVB_MUST(bucket_->put("other", "x")));
  EXPECT_TRUE(KVB_MUST(bucket_->remove("other")));
  reopen();
  disk_.advance(std::chrono::seconds(61));
  expect_head_alone();
}

TEST_P(ClosedBucket, Is_its_head_alone_again_and_again) {
  for (int round = 0; round < 3; ++round) {
    put_all();
    if (round == 1) reopen();
    remove_all();
    KVB_MUST(bucket_->close());
    EXPECT_EQ(disk_.contents(kPath).size(), format::kHeadBytes) << round;
    bucket_.emplace(KVB_MUST(open_with(disk_.environment(), kPath)));
  }
}

TEST_P(ClosedBucket, Is_small_when_most_was_removed) {
  put_all();
  reopen();
  for (int i = 5; i < GetParam().keys; ++i) EXPECT_TRUE(KVB_MUST(bucket_->remove(key(i))));
  const std::uint64_t live = bucket_->stats().live_bytes;
  KVB_MUST(bucket_->close());
  // Head, records, an index of a few pages; and what is not worth moving.
  EXPECT_LE(disk_.contents(kPath).size(), format::kHeadBytes + 2 * live + 400'000);
  bucket_.emplace(KVB_MUST(open_with(disk_.environment(), kPath)));
  EXPECT_EQ(KVB_MUST(bucket_->scan()).size(), static_cast<std::size_t>(std::min(5, GetParam().keys)));
  EXPECT_TRUE(KVB_MUST(bucket_->verify()).ok());
}

// Nobody waits for readers; when they have gone, the next closing does it.
TEST_P(ClosedBucket, Stays_as_it_is_for_readers) {
  put_all();
  KVB_MUST(bucket_->checkpoint());
  auto& other = disk_.start_process(77, "reader");
  auto reader = KVB_MUST(open_with(other, kPath, {.read_only = true}));
  const auto snapshot = KVB_MUST(reader.snapshot());
  remove_all();
  KVB_MUST(bucket_->close());
  EXPECT_EQ(KVB_MUST(snapshot.scan()).size(), static_cast<std::size_t>(GetParam().keys));
  EXPECT_TRUE(KVB_MUST(reader.scan()).empty());
  other.kill();
  bucket_.emplace(KVB_MUST(open_with(disk_.environment(), kPath)));
  expect_head_alone();
}

// A damaged record is never forgotten in silence.
TEST(ClosedBucketWithDamage, Keeps_what_it_has) {
  os::SimDisk disk({.seed = 72, .recording = false});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  for (int i = 0; i < 3'000; ++i) EXPECT_TRUE(KVB_MUST(bucket.put(key(i), std::string(300, 'v'))));
  KVB_MUST(bucket.checkpoint());
  const std::string needle = key(7);
  KVB_MUST(bucket.close());
  auto bytes = disk.contents(kPath);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t at = text.find(needle + std::string(300, 'v'));
  ASSERT_NE(at, std::string_view::npos);
  bytes[at + 100] ^= std::byte{1};
  disk.put_file("b.kvb", bytes);
  auto damaged = KVB_MUST(open_with(disk.environment(), "b.kvb"));
  for (int i = 0; i < 3'000; ++i) {
    if (i == 7) continue;
    EXPECT_TRUE(KVB_MUST(damaged.remove(key(i)))) << i;
  }
  KVB_MUST(damaged.close());
  damaged = KVB_MUST(open_with(disk.environment(), "b.kvb"));
  const auto got = damaged.get(key(7));
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, ErrorCode::damaged);
}

}  // namespace
}  // namespace kvb
