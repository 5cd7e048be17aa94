// What is bounded: the journal, what is replayed, the length of keys and values, and time, which never goes back.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>

#include "kvb/api/bucket_access.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"

namespace kvb {
namespace {

constexpr const char* kPath = "a.kvb";

std::string key(int i) {
  return "key " + std::to_string(100'000 + i);
}

// Without threads a checkpoint is made inside of the write that makes it due, so the bound is exact.
TEST(Bounds, R21_the_journal_and_what_is_replayed) {
  constexpr std::uint64_t kBound = 128 * 1024;
  const OpenOptions options{.checkpoint_bytes = kBound, .compact_automatically = false};
  os::SimDisk disk({.seed = 91, .recording = false});
  auto& first = disk.start_process(5, "first");
  auto bucket = KVB_MUST(open_or_create_with(first, kPath, options));
  std::uint64_t longest = 0;
  for (int i = 0; i < 4'000; ++i) {
    ASSERT_TRUE(KVB_MUST(bucket.put(key(i % 900), std::string(static_cast<std::size_t>(i % 700), 'v'))));
    if (i % 10 == 0) longest = std::max(longest, bucket.stats().journal_bytes);
  }
  EXPECT_LE(longest, kBound + 4'096);
  EXPECT_GT(longest, kBound / 2);
  EXPECT_GT(bucket.stats().checkpoints, 5u);
  first.kill();
  bucket = KVB_MUST(open_with(disk.start_process(6, "second"), kPath, options));
  EXPECT_LE(bucket.stats().replayed_records, (kBound + 4'096) / 57);
  EXPECT_EQ(bucket.stats().keys, 900u);
}

// A clock that is set back, before the bucket is opened or while it is, revives nothing.
TEST(Bounds, Time_never_goes_back_across_openings) {
  os::SimDisk disk({.seed = 92, .recording = false});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  EXPECT_TRUE(KVB_MUST(bucket.put("short", "x", {.ttl_seconds = 10})));
  EXPECT_TRUE(KVB_MUST(bucket.put("long", "x", {.ttl_seconds = 7'200})));
  disk.advance(std::chrono::seconds(11));
  EXPECT_FALSE(KVB_MUST(bucket.contains("short")));
  EXPECT_TRUE(KVB_MUST(bucket.put("later", "x")));
  for (int round = 0; round < 4; ++round) {
    if (round == 1) KVB_MUST(bucket.checkpoint());
    KVB_MUST(bucket.close());
    disk.jump_wall_clock(-std::chrono::hours(3));
    bucket = KVB_MUST(open_with(disk.environment(), kPath));
    EXPECT_FALSE(KVB_MUST(bucket.contains("short"))) << round;
    EXPECT_TRUE(KVB_MUST(bucket.contains("long"))) << round;
    // Nor does what is written now expire too late.
    EXPECT_TRUE(KVB_MUST(bucket.put("again", "x", {.ttl_seconds = 5})));
    disk.advance(std::chrono::seconds(1));
    EXPECT_TRUE(KVB_MUST(bucket.contains("again")));
    disk.jump_wall_clock(std::chrono::hours(3) + std::chrono::seconds(20));
    EXPECT_FALSE(KVB_MUST(bucket.contains("again"))) << round;
  }
}

// Refused before a byte of it is read: the memory cannot be.
TEST(Bounds, A_value_of_4_GiB_is_refused) {
  constexpr std::size_t kTooLong = std::size_t{1} << 32;
  void* const memory = ::mmap(nullptr, kTooLong, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  const std::string_view value(static_cast<const char*>(memory), kTooLong);
  os::SimDisk disk({.seed = 93, .recording = false});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  const auto put = bucket.put("k", value);
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(put.error().message.find("4294967295"), std::string::npos);
  EXPECT_EQ(bucket.stats().committed_seqno, 0u);
  ::munmap(memory, kTooLong);
}

}  // namespace
}  // namespace kvb
