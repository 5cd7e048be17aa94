// Compaction: what it gives back, what it keeps, and that nothing notices but the file.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>

#include "kvb/api/bucket_access.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"
#include "kvb/support/log_checker.h"
#include "kvb/support/temp_folder.h"

namespace kvb {
namespace {

constexpr const char* kPath = "a.kvb";
using Map = std::map<std::string, std::string>;

std::string key(int i) {
  return "key " + std::to_string(100'000 + i);
}

Map everything(const Bucket& bucket) {
  Map found;
  for (auto& entry : KVB_MUST(bucket.scan())) found[entry.key] = std::move(entry.value.bytes);
  return found;
}

class Compact : public ::testing::TestWithParam<CompactStrategy> {};
INSTANTIATE_TEST_SUITE_P(Strategies, Compact,
                         ::testing::Values(CompactStrategy::automatic, CompactStrategy::aggressive,
                                           CompactStrategy::full),
                         [](const auto& of) {
                           return of.param == CompactStrategy::automatic    ? "automatic"
                                  : of.param == CompactStrategy::aggressive ? "aggressive"
                                                                            : "full";
                         });

TEST_P(Compact, R30_R33_gives_space_back_and_changes_nothing_else) {
  os::SimDisk disk({.seed = 21});
  testing::LogChecker checker(disk, kPath);
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  for (int i = 0; i < 3'000; ++i) {
    EXPECT_TRUE(KVB_MUST(bucket.put(key(i), std::string(300, 'v'), {.kind = ValueKind::text})));
  }
  for (int i = 0; i < 3'000; ++i) {
    if (i % 10 == 0) continue;
    EXPECT_TRUE(KVB_MUST(bucket.remove(key(i)))) << i;
  }
  const auto before = KVB_MUST(bucket.scan());
  const auto report = KVB_MUST(bucket.compact({.strategy = GetParam()}));
  EXPECT_LE(report.file_bytes_after, report.file_bytes_before);
  EXPECT_LT(report.allocated_bytes_after, report.allocated_bytes_before * 3 / 4);
  if (GetParam() == CompactStrategy::full) {
    EXPECT_LT(report.file_bytes_after, report.file_bytes_before / 3);
  }
  EXPECT_GT(report.segments_freed, 3u);
  const auto after = KVB_MUST(bucket.scan());
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i].key, before[i].key);
    EXPECT_EQ(after[i].value.bytes, before[i].value.bytes);
    EXPECT_EQ(after[i].value.seqno, before[i].value.seqno);
    EXPECT_EQ(after[i].value.written_at_ns, before[i].value.written_at_ns);
    EXPECT_EQ(after[i].value.kind, before[i].value.kind);
  }
  EXPECT_EQ(bucket.stats().keys, 300u);
  const auto verified = KVB_MUST(bucket.verify());
  EXPECT_TRUE(verified.ok()) << verified.problems.front().message;
  // Life goes on, and comes back.
  EXPECT_TRUE(KVB_MUST(bucket.put("after", "x")));
  disk.environment().kill();
  bucket = KVB_MUST(open_with(disk.start_process(9), kPath));
  EXPECT_EQ(everything(bucket).size(), 301u);
  EXPECT_TRUE(KVB_MUST(bucket.verify()).ok());
}

// What `kvb compact` does: nothing has been written since the file was opened, so its log's last segment, far out in
// the file, is not open for appending.
TEST(CompactFull, R33_empties_the_last_segment_of_a_bucket_that_was_just_opened) {
  for (const bool clean : {true, false}) {
    SCOPED_TRACE(clean ? "closed" : "killed");
    os::SimDisk disk({.seed = 29});
    testing::LogChecker checker(disk, kPath);
    {
      // Closing must not do it either.
      auto bucket = KVB_MUST(open_or_create_with(disk.environment(), kPath, {.compact_automatically = false}));
      for (int i = 0; i < 20'000; ++i) EXPECT_TRUE(KVB_MUST(bucket.put(key(i % 100), std::string(300, 'v'))));
      KVB_MUST(bucket.checkpoint());
      EXPECT_TRUE(KVB_MUST(bucket.put("last", "x")));
      if (clean) {
        KVB_MUST(bucket.close());
      } else {
        disk.environment().kill();
      }
    }
    os::SimProcess& second = disk.start_process(9);
    auto bucket = KVB_MUST(open_with(second, kPath));
    const Map before = everything(bucket);
    const auto report = KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
    EXPECT_GT(report.file_bytes_before, 1'000'000u);
    EXPECT_LT(report.file_bytes_after, 300'000u);
    EXPECT_EQ(everything(bucket), before);
    EXPECT_TRUE(KVB_MUST(bucket.put("after", "x")));
    second.kill();
    bucket = KVB_MUST(open_with(disk.start_process(10), kPath));
    EXPECT_EQ(everything(bucket).size(), 102u);
    EXPECT_TRUE(KVB_MUST(bucket.verify()).ok());
  }
}

TEST(CompactFull, Leaves_little_more_than_the_live_data) {
  os::SimDisk disk({.seed = 22});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  for (int i = 0; i < 20'000; ++i) EXPECT_TRUE(KVB_MUST(bucket.put(key(i), std::string(100, 'v'))));
  for (int i = 0; i < 20'000; ++i) {
    if (i % 10 == 0) continue;
    EXPECT_TRUE(KVB_MUST(bucket.remove(key(i)))) << i;
  }
  (void)KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  const double live = static_cast<double>(bucket.stats().live_bytes);
  EXPECT_LE(static_cast<double>(disk.contents(kPath).size()), 1.3 * live + 200'000);
  EXPECT_EQ(bucket.stats().keys, 2'000u);
  const auto verified = KVB_MUST(bucket.verify());
  EXPECT_TRUE(verified.ok()) << verified.problems.front().message;
}

TEST(CompactFull, R33_what_is_compact_already_gets_no_longer) {
  os::SimDisk disk({.seed = 28});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(KVB_MUST(bucket.put(key(i), std::string(100, 'v'))));
  }
  (void)KVB_MUST(bucket.compact({.strategy = CompactStrategy::automatic}));
  std::size_t before = disk.contents(kPath).size();
  for (int round = 0; round < 5; ++round) {
    (void)KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
    const std::size_t after = disk.contents(kPath).size();
    EXPECT_LE(after, before + before / 16) << "round " << round;
    before = after;
  }
  EXPECT_LE(static_cast<double>(before), 1.5 * static_cast<double>(bucket.stats().live_bytes));
}

TEST(CompactFull, R32_what_was_deleted_does_not_come_back_by_repair) {
  os::SimDisk disk({.seed = 23});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  std::mt19937 random(5);
  Map model;
  for (int round = 0; round < 12; ++round) {
    for (int i = 0; i < 300; ++i) {
      const std::string k = key(static_cast<int>(random() % 200));
      if (random() % 3 == 0) {
        (void)KVB_MUST(bucket.remove(k));
        model.erase(k);
      } else if (random() % 5 == 0) {
        EXPECT_TRUE(KVB_MUST(bucket.put(k, "gone soon", {.ttl_seconds = 1})));
        model.erase(k);
      } else {
        EXPECT_TRUE(KVB_MUST(bucket.put(k, std::to_string(round * 1000 + i) + std::string(200, 'x'))));
        model[k] = std::to_string(round * 1000 + i) + std::string(200, 'x');
      }
    }
    disk.advance(std::chrono::seconds(5));
    const auto strategy = static_cast<CompactStrategy>(round % 3);
    (void)KVB_MUST(bucket.compact({.strategy = strategy}));
    EXPECT_EQ(everything(bucket), model) << "round " << round;
    auto bytes = disk.contents(kPath);
    // From segments alone: without head, table or index.
    std::fill_n(bytes.begin(), format::kHeadBytes, std::byte{0});
    os::SimDisk other({.seed = 24, .wall_clock_ns = disk.environment().wall_clock_ns()});
    other.put_file("damaged.kvb", bytes);
    (void)KVB_MUST(repair_with(other.environment(), "damaged.kvb", "new.kvb"));
    const auto repaired = KVB_MUST(open_with(other.environment(), "new.kvb"));
    EXPECT_EQ(everything(repaired), model) << "repaired, round " << round;
  }
}

TEST(CompactFull, A_snapshot_keeps_what_it_reads) {
  os::SimDisk disk({.seed = 25});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  for (int i = 0; i < 2'000; ++i) EXPECT_TRUE(KVB_MUST(bucket.put(key(i), "old " + std::to_string(i))));
  int seen = 0;
  KVB_MUST(bucket.scan({}, [&](Entry&& entry) {
    EXPECT_EQ(entry.value.bytes, "old " + std::to_string(seen));
    if (seen++ % 500 == 0) {
      for (int i = 0; i < 2'000; ++i) EXPECT_TRUE(bucket.put(key(i), std::string(100, 'n')).has_value());
      EXPECT_TRUE(bucket.compact({.strategy = CompactStrategy::full}).has_value());
    }
    return true;
  }));
  EXPECT_EQ(seen, 2'000);
  EXPECT_TRUE(KVB_MUST(bucket.verify()).ok());
  (void)KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  EXPECT_LE(disk.contents(kPath).size(), 1'000'000u);
}

TEST(CompactFull, R27_a_reader_in_another_process_keeps_what_it_reads) {
  os::SimDisk disk({.seed = 26});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  for (int i = 0; i < 2'000; ++i) EXPECT_TRUE(KVB_MUST(bucket.put(key(i), "old")));
  KVB_MUST(bucket.checkpoint());
  auto reader = KVB_MUST(open_with(disk.start_process(7), kPath, {.read_only = true}));
  int seen = 0;
  KVB_MUST(reader.scan({}, [&](Entry&& entry) {
    EXPECT_EQ(entry.value.bytes, "old");
    if (seen++ == 0) {
      for (int i = 0; i < 2'000; ++i) EXPECT_TRUE(bucket.put(key(i), "new").has_value());
      for (int k = 0; k < 3; ++k) EXPECT_TRUE(bucket.compact({.strategy = CompactStrategy::full}).has_value());
    }
    return true;
  }));
  EXPECT_EQ(seen, 2'000);
  EXPECT_EQ(KVB_MUST(reader.get(key(5)))->bytes, "new");
  EXPECT_EQ(everything(reader), everything(bucket));
}

TEST(CompactFull, A_full_disk_refuses_it_and_loses_nothing) {
  os::SimDisk disk({.seed = 27});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  for (int i = 0; i < 3'000; ++i) EXPECT_TRUE(KVB_MUST(bucket.put(key(i % 1'500), std::string(200, 'v'))));
  const auto before = everything(bucket);
  disk.set_capacity_bytes(1);
  EXPECT_CODE(bucket.compact({.strategy = CompactStrategy::full}), full);
  EXPECT_EQ(everything(bucket), before);
  EXPECT_TRUE(KVB_MUST(bucket.verify()).ok());
  disk.set_capacity_bytes(UINT64_MAX);
  (void)KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  EXPECT_EQ(everything(bucket), before);
}

TEST(CompactThreads, Writers_and_readers_go_on_beside_it) {
  testing::TempFolder folder;
  auto bucket = KVB_MUST(Bucket::open_or_create(folder.path() + "/a.kvb", {.durability = Durability::relaxed}));
  constexpr int kKeys = 5'000;
  for (int i = 0; i < kKeys; ++i) EXPECT_TRUE(KVB_MUST(bucket.put(key(i), std::to_string(i))));
  KVB_MUST(bucket.flush());  // Other threads see what is published.
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> reads{0};
  std::thread writer([&] {
    std::mt19937 random(1);
    while (!stop) {
      const int i = static_cast<int>(random() % kKeys);
      EXPECT_TRUE(bucket.put(key(i), std::to_string(i) + std::string(random() % 300, ' ')).has_value());
      if (random() % 64 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  std::thread reader([&] {
    std::mt19937 random(2);
    while (!stop) {
      const int i = static_cast<int>(random() % kKeys);
      const auto value = bucket.get(key(i));
      ASSERT_TRUE(value.has_value() && value->has_value()) << testing::outcome(value);
      EXPECT_EQ(std::stoi((*value)->bytes), i);
      ++reads;
    }
  });
  std::thread scanner([&] {
    while (!stop) {
      int next = 0;
      const auto scanned = bucket.scan({}, [&](Entry&& entry) {
        EXPECT_EQ(entry.key, key(next++));
        return true;
      });
      EXPECT_TRUE(scanned.has_value()) << testing::outcome(scanned);
      EXPECT_EQ(next, kKeys);
    }
  });
  for (int round = 0; round < 12; ++round) {
    const auto done = bucket.compact({.strategy = static_cast<CompactStrategy>(round % 3)});
    EXPECT_TRUE(done.has_value()) << testing::outcome(done);
  }
  stop = true;
  writer.join();
  reader.join();
  scanner.join();
  EXPECT_GT(reads, 0u);
  const auto verified = KVB_MUST(bucket.verify());
  EXPECT_TRUE(verified.ok()) << verified.problems.front().message;
  EXPECT_EQ(bucket.stats().keys, static_cast<std::uint64_t>(kKeys));
}

}  // namespace
}  // namespace kvb
