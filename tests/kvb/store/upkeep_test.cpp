// What is given back without being asked: how much may be dead, what time does, and what a clock may say.
#include "kvb/store/upkeep.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "kvb/api/bucket_access.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/store/hash_filter.h"
#include "kvb/support/expect.h"
#include "kvb/support/log_checker.h"
#include "kvb/support/temp_folder.h"

namespace kvb {
namespace {

constexpr const char* kPath = "a.kvb";
constexpr std::uint64_t kSmall = 64 * 1024;
constexpr auto kDay = std::chrono::hours(24);

std::string key(std::uint64_t i) {
  return "key " + std::to_string(100'000 + i);
}

log::SegmentState segment(std::uint64_t paddr, std::uint64_t size, std::uint64_t live) {
  return {.link = {.id = paddr, .paddr = paddr, .salt = 1}, .size_bytes = size, .end_offset = size, .live_bytes = live};
}

std::uint64_t allocated(const Bucket& bucket) {
  return bucket.stats().allocated_bytes;
}

TEST(Upkeep, The_deadest_segments_go_first_and_no_more_than_needed) {
  const std::vector<log::SegmentState> candidates{segment(4096, 1000, 900), segment(8192, 1000, 100),
                                                  segment(12288, 1000, 500), segment(16384, 1000, 300)};
  auto chosen = store::choose_deadest(candidates, 2200, {.left_dead = 700, .most_alive = 85});
  ASSERT_EQ(chosen.size(), 2u);  // 900 and 700 of 2200 bytes.
  EXPECT_EQ(chosen[0].link.paddr, 8192u);
  EXPECT_EQ(chosen[1].link.paddr, 16384u);
  chosen = store::choose_deadest(candidates, 2200, {.left_dead = 0, .most_alive = 85});
  EXPECT_EQ(chosen.size(), 3u);
  chosen = store::choose_deadest(candidates, 2200, {.left_dead = 0, .most_alive = 100, .most_live_bytes = 350});
  EXPECT_EQ(chosen.size(), 2u);
}

TEST(Upkeep, What_expires_counts_as_dead_when_its_time_comes) {
  log::SegmentState state = segment(4096, 1128, 800);
  state.counted = true;
  state.expiring_bytes = 500;  // Half of its thousand bytes.
  state.first_expiry_ns = 1'000;
  state.last_expiry_ns = 2'000;
  EXPECT_EQ(store::alive_bytes(state, 999), 800u);
  EXPECT_NEAR(static_cast<double>(store::alive_bytes(state, 1'500)), 600.0, 2.0);
  EXPECT_EQ(store::alive_bytes(state, 2'000), 400u);
  EXPECT_EQ(store::alive_bytes(state, 9'000), 400u);
  state.counted = false;
  EXPECT_EQ(store::alive_bytes(state, 9'000), 800u);
}

TEST(Upkeep, A_filter_never_forgets_and_seldom_invents) {
  std::mt19937_64 random(3);
  std::vector<std::uint64_t> hashes(20'000);
  store::HashFilter filter(hashes.size());
  for (auto& hash : hashes) filter.add(hash = random());
  for (const std::uint64_t hash : hashes) EXPECT_TRUE(filter.may_hold(hash));
  int invented = 0;
  for (int i = 0; i < 100'000; ++i) invented += filter.may_hold(random()) ? 1 : 0;
  EXPECT_LT(invented, 1'000);
}

TEST(Upkeep, R33_overwriting_keeps_the_file_within_a_bound_without_being_asked) {
  os::SimDisk disk({.seed = 41, .recording = false});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath, {.durability = Durability::relaxed}));
  KVB_MUST(bucket.close());
  bucket = KVB_MUST(
      open_with(disk.environment(), kPath, {.durability = Durability::relaxed, .checkpoint_bytes = 16 * kSmall}));
  constexpr std::uint64_t kKeys = 10'000;
  std::mt19937_64 random(1);
  for (std::uint64_t i = 0; i < kKeys; ++i) EXPECT_TRUE(KVB_MUST(bucket.put(key(i), std::string(200, 'v'))));
  double worst = 0;
  for (std::uint64_t i = 0; i < 8 * kKeys; ++i) {
    EXPECT_TRUE(KVB_MUST(bucket.put(key(random() % kKeys), std::string(200, 'w'))));
    if (i % 1'000 != 0 || i < kKeys) continue;
    worst = std::max(worst, static_cast<double>(allocated(bucket)) / static_cast<double>(bucket.stats().live_bytes));
  }
  EXPECT_LE(worst, 2.2);
  EXPECT_GT(bucket.stats().bytes_moved, 0u);
  EXPECT_GT(bucket.stats().index_bytes_written, 0u);
  const auto verified = KVB_MUST(bucket.verify());
  EXPECT_TRUE(verified.ok()) << verified.problems.front().message;
}

TEST(Upkeep, When_nobody_writes_more_is_given_back) {
  testing::TempFolder folder;
  auto bucket = KVB_MUST(Bucket::open_or_create(folder.path() + "/a.kvb",
                                                {.durability = Durability::relaxed, .checkpoint_bytes = kSmall}));
  for (std::uint64_t i = 0; i < 40'000; ++i) EXPECT_TRUE(KVB_MUST(bucket.put(key(i % 4'000), std::string(400, 'v'))));
  const auto enough = [&] {
    const Stats stats = bucket.stats();
    return static_cast<double>(stats.allocated_bytes) <= 1.6 * static_cast<double>(stats.live_bytes);
  };
  for (int i = 0; i < 600 && !enough(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(enough()) << allocated(bucket) << " bytes for " << bucket.stats().live_bytes;
  EXPECT_TRUE(KVB_MUST(bucket.verify()).ok());
}

// Data that stays is written first, and lies in the oldest segments; so every expired record could hide one there.
TEST(Expiry, R31_R32_the_space_of_expired_records_comes_back_beside_older_ones_that_stay) {
  os::SimDisk disk({.seed = 42});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  for (std::uint64_t i = 0; i < 500; ++i) EXPECT_TRUE(KVB_MUST(bucket.put("stays " + key(i), std::string(200, 's'))));
  KVB_MUST(bucket.checkpoint());
  const std::uint64_t before = allocated(bucket);
  for (std::uint64_t i = 0; i < 5'000; ++i) {
    EXPECT_TRUE(KVB_MUST(bucket.put("session " + key(i), std::string(200, 'v'), {.ttl_seconds = 60})));
  }
  KVB_MUST(bucket.checkpoint());
  const std::uint64_t full = allocated(bucket);
  disk.advance(std::chrono::seconds(61));
  EXPECT_EQ(KVB_MUST(bucket.count()), 500u);
  const auto report = KVB_MUST(bucket.compact());
  EXPECT_LT(report.records_moved, 1'000u);
  EXPECT_LT(allocated(bucket), before + (full - before) / 4);
  EXPECT_EQ(bucket.stats().keys, 500u);
  EXPECT_TRUE(KVB_MUST(bucket.verify()).ok());
  disk.environment().kill();
  bucket = KVB_MUST(open_with(disk.start_process(3), kPath));
  EXPECT_EQ(KVB_MUST(bucket.count()), 500u);
}

TEST(Expiry, Comes_back_on_a_timer_while_nobody_writes) {
  testing::TempFolder folder;
  auto bucket = KVB_MUST(Bucket::open_or_create(folder.path() + "/a.kvb",
                                                {.durability = Durability::relaxed, .checkpoint_bytes = kSmall}));
  for (std::uint64_t i = 0; i < 500; ++i) EXPECT_TRUE(KVB_MUST(bucket.put("stays " + key(i), std::string(200, 's'))));
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(KVB_MUST(bucket.put("session " + key(i), std::string(200, 'v'), {.ttl_seconds = 1})));
  }
  const auto enough = [&] { return bucket.stats().keys < 1'500u && allocated(bucket) < 1'000'000; };
  for (int i = 0; i < 600 && !enough(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(enough()) << allocated(bucket) << " bytes for " << bucket.stats().keys << " keys";
  EXPECT_EQ(KVB_MUST(bucket.count()), 500u);  // A few that have expired may wait for more of them.
  EXPECT_TRUE(KVB_MUST(bucket.verify()).ok());
}

struct Clocks : public ::testing::Test {
  os::SimDisk disk{{.seed = 43}};
  std::int64_t pid = 10;
  Bucket reopen(Bucket bucket) {
    KVB_MUST(bucket.close());
    return KVB_MUST(open_with(disk.start_process(++pid), kPath));
  }
  static bool there(const Bucket& bucket, const std::string& k) {
    const bool found = KVB_MUST(bucket.get(k)).has_value();
    EXPECT_EQ(KVB_MUST(bucket.contains(k)), found);
    EXPECT_EQ(KVB_MUST(bucket.count({.prefix = k})), found ? 1u : 0u);
    return found;
  }
};

TEST_F(Clocks, Set_back_they_revive_nothing_also_after_opening_again) {
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  EXPECT_TRUE(KVB_MUST(bucket.put("short", "x", {.ttl_seconds = 10})));
  disk.advance(std::chrono::seconds(20));
  EXPECT_TRUE(KVB_MUST(bucket.put("later", "x")));
  EXPECT_FALSE(there(bucket, "short"));
  disk.jump_wall_clock(-std::chrono::hours(5));
  EXPECT_FALSE(there(bucket, "short"));
  bucket = reopen(std::move(bucket));
  EXPECT_FALSE(there(bucket, "short"));
}

TEST_F(Clocks, A_jump_of_more_than_a_day_counts_after_an_hour) {
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  EXPECT_TRUE(KVB_MUST(bucket.put("week", "x", {.ttl_seconds = 7 * 24 * 3600})));
  EXPECT_TRUE(KVB_MUST(bucket.put("soon", "x", {.ttl_seconds = 600})));
  KVB_MUST(bucket.close());
  disk.jump_wall_clock(365 * kDay);
  bucket = KVB_MUST(open_with(disk.start_process(++pid), kPath));
  EXPECT_TRUE(there(bucket, "week"));
  EXPECT_GT(bucket.stats().clock_ahead_ns, std::chrono::nanoseconds(300 * kDay).count());
  // Time goes on all the same, and what is written now expires in its time.
  EXPECT_TRUE(KVB_MUST(bucket.put("new", "x", {.ttl_seconds = 60})));
  EXPECT_TRUE(there(bucket, "new"));
  disk.advance(std::chrono::seconds(700));
  EXPECT_FALSE(there(bucket, "soon"));
  EXPECT_FALSE(there(bucket, "new"));
  EXPECT_TRUE(there(bucket, "week"));
  (void)KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  EXPECT_TRUE(there(bucket, "week"));
  disk.advance(std::chrono::hours(1));
  EXPECT_FALSE(there(bucket, "week"));
  EXPECT_EQ(bucket.stats().clock_ahead_ns, 0);
  // It counts for good now.
  bucket = reopen(std::move(bucket));
  EXPECT_EQ(bucket.stats().clock_ahead_ns, 0);
  EXPECT_FALSE(there(bucket, "week"));
}

TEST_F(Clocks, A_boot_in_a_wrong_year_loses_nothing) {
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  EXPECT_TRUE(KVB_MUST(bucket.put("week", "x", {.ttl_seconds = 7 * 24 * 3600})));
  KVB_MUST(bucket.close());
  disk.jump_wall_clock(70 * 365 * kDay);
  auto* const process = &disk.start_process(++pid);
  bucket = KVB_MUST(open_with(*process, kPath));
  EXPECT_TRUE(KVB_MUST(bucket.put("written in the wrong year", "x")));
  KVB_MUST(bucket.checkpoint());
  EXPECT_TRUE(KVB_MUST(bucket.put("and behind a checkpoint", "x")));
  process->kill();
  disk.jump_wall_clock(-70 * 365 * kDay);
  bucket = KVB_MUST(open_with(disk.start_process(++pid), kPath));
  EXPECT_TRUE(there(bucket, "week"));
  EXPECT_TRUE(there(bucket, "written in the wrong year"));
  disk.advance(8 * kDay);
  EXPECT_FALSE(there(bucket, "week"));
}

TEST_F(Clocks, A_day_and_less_counts_at_once) {
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  EXPECT_TRUE(KVB_MUST(bucket.put("hour", "x", {.ttl_seconds = 3600})));
  KVB_MUST(bucket.close());
  disk.jump_wall_clock(std::chrono::hours(20));
  bucket = KVB_MUST(open_with(disk.start_process(++pid), kPath));
  EXPECT_FALSE(there(bucket, "hour"));
  EXPECT_EQ(bucket.stats().clock_ahead_ns, 0);
}

}  // namespace
}  // namespace kvb
