// Snapshots: one committed state, as long as they live.
#include <gtest/gtest.h>
#include <kvb/bucket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "kvb/api/bucket_access.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"
#include "kvb/support/temp_folder.h"

namespace kvb::testing {
namespace {

using Contents = std::map<std::string, std::string>;

Contents contents(const Snapshot& snapshot) {
  Contents all;
  for (const auto& entry : KVB_MUST(snapshot.scan())) all[entry.key] = entry.value.bytes;
  return all;
}

class SnapshotTest : public ::testing::Test {
 protected:
  os::SimDisk disk_{{.recording = false}};
  Bucket bucket_ = KVB_MUST(create_with(disk_.environment(), "test.kvb"));
};

TEST_F(SnapshotTest, Shows_what_was_there_and_nothing_newer) {
  KVB_MUST(bucket_.put("a", "1"));
  KVB_MUST(bucket_.put("b", "1"));
  const Snapshot snapshot = KVB_MUST(bucket_.snapshot());
  EXPECT_EQ(snapshot.seqno(), 2u);
  KVB_MUST(bucket_.put("a", "2"));
  KVB_MUST(bucket_.remove("b"));
  KVB_MUST(bucket_.put("c", "new"));
  EXPECT_EQ(KVB_MUST(snapshot.get("a"))->bytes, "1");
  EXPECT_TRUE(KVB_MUST(snapshot.contains("b")));
  EXPECT_FALSE(KVB_MUST(snapshot.contains("c")));
  EXPECT_FALSE(KVB_MUST(snapshot.get("c")));
  EXPECT_FALSE(KVB_MUST(snapshot.get("")));
  EXPECT_EQ(contents(snapshot), (Contents{{"a", "1"}, {"b", "1"}}));
  EXPECT_EQ(KVB_MUST(snapshot.count()), 2u);
  EXPECT_EQ(KVB_MUST(snapshot.count({.prefix = "b"})), 1u);
  const std::vector<std::string_view> keys = {"c", "b", "a"};
  const auto found = KVB_MUST(snapshot.get_many(keys));
  EXPECT_FALSE(found[0]);
  EXPECT_EQ(found[1]->bytes, "1");
  EXPECT_EQ(found[2]->bytes, "1");
  EXPECT_EQ(KVB_MUST(bucket_.get("a"))->bytes, "2");
}

TEST_F(SnapshotTest, Stays_the_same_over_checkpoints) {
  std::vector<std::pair<Snapshot, Contents>> taken;
  Contents now;
  for (int round = 0; round < 12; ++round) {
    for (int i = 0; i < 200; ++i) {
      const std::string key = "key" + std::to_string((i * 37 + round * 11) % 300);
      if ((i + round) % 7 == 0) {
        KVB_MUST(bucket_.remove(key));
        now.erase(key);
      } else {
        now[key] = "value " + std::to_string(round * 1'000 + i);
        KVB_MUST(bucket_.put(key, now[key]));
      }
    }
    taken.emplace_back(KVB_MUST(bucket_.snapshot()), now);
    if (round % 2 == 1) {
      ASSERT_FINE(bucket_.checkpoint());
    }
  }
  for (const auto& [snapshot, expected] : taken) {
    ASSERT_EQ(contents(snapshot), expected);
    for (const auto& [key, value] : expected) ASSERT_EQ(KVB_MUST(snapshot.get(key))->bytes, value);
  }
  // Letting go of them gives their space back for the images to come.
  taken.clear();
  for (int round = 0; round < 8; ++round) {
    KVB_MUST(bucket_.put("again", std::to_string(round)));
    ASSERT_FINE(bucket_.checkpoint());
  }
  EXPECT_TRUE(KVB_MUST(bucket_.verify()).ok());
}

TEST_F(SnapshotTest, What_expires_later_stays_in_it) {
  KVB_MUST(bucket_.put("gone", "x", {.ttl_seconds = 1}));
  disk_.advance(std::chrono::seconds(2));
  KVB_MUST(bucket_.put("session", "x", {.ttl_seconds = 5}));
  const Snapshot snapshot = KVB_MUST(bucket_.snapshot());
  disk_.advance(std::chrono::seconds(10));
  EXPECT_FALSE(KVB_MUST(bucket_.get("session")));
  EXPECT_EQ(KVB_MUST(snapshot.get("session"))->bytes, "x");
  EXPECT_TRUE(KVB_MUST(snapshot.contains("session")));
  EXPECT_FALSE(KVB_MUST(snapshot.contains("gone")));
  EXPECT_EQ(contents(snapshot), (Contents{{"session", "x"}}));
  const std::vector<std::string_view> keys = {"session", "gone"};
  EXPECT_TRUE(KVB_MUST(snapshot.get_many(keys))[0]);
  EXPECT_FALSE(KVB_MUST(snapshot.get_many(keys))[1]);
}

TEST_F(SnapshotTest, Stats_tell_how_many_are_open_and_how_old_the_oldest_is) {
  EXPECT_EQ(bucket_.stats().snapshots, 0u);
  EXPECT_EQ(bucket_.stats().oldest_snapshot_age, 0u);
  KVB_MUST(bucket_.put("a", "1"));
  std::optional<Snapshot> first = KVB_MUST(bucket_.snapshot());
  KVB_MUST(bucket_.put("a", "2"));
  KVB_MUST(bucket_.put("a", "3"));
  Snapshot second = KVB_MUST(bucket_.snapshot());
  KVB_MUST(bucket_.put("a", "4"));
  EXPECT_EQ(bucket_.stats().snapshots, 2u);
  EXPECT_EQ(bucket_.stats().oldest_snapshot_age, 3u);
  first.reset();
  EXPECT_EQ(bucket_.stats().snapshots, 1u);
  EXPECT_EQ(bucket_.stats().oldest_snapshot_age, 1u);
  Snapshot moved = std::move(second);
  EXPECT_EQ(bucket_.stats().snapshots, 1u);
  EXPECT_EQ(KVB_MUST(moved.get("a"))->bytes, "3");
  moved = KVB_MUST(bucket_.snapshot());
  EXPECT_EQ(bucket_.stats().snapshots, 1u);
  EXPECT_EQ(bucket_.stats().oldest_snapshot_age, 0u);
  EXPECT_EQ(KVB_MUST(moved.get("a"))->bytes, "4");
}

TEST_F(SnapshotTest, Moved_from_and_closed_ones_say_so) {
  KVB_MUST(bucket_.put("a", "1"));
  Snapshot first = KVB_MUST(bucket_.snapshot());
  const Snapshot second = std::move(first);
  EXPECT_CODE(first.get("a"), closed);  // NOLINT: what a moved-from one answers is the point.
  EXPECT_EQ(first.seqno(), 0u);
  ASSERT_FINE(bucket_.close());
  const std::vector<std::string_view> keys = {"a"};
  EXPECT_CODE(second.get("a"), closed);
  EXPECT_CODE(second.contains("a"), closed);
  EXPECT_CODE(second.get_many(keys), closed);
  EXPECT_CODE(second.scan(), closed);
  EXPECT_CODE(second.count(), closed);
  EXPECT_CODE(bucket_.snapshot(), closed);
}

TEST_F(SnapshotTest, Outlives_the_bucket) {
  std::optional<Snapshot> snapshot;
  {
    Bucket other = KVB_MUST(create_with(disk_.environment(), "other.kvb"));
    for (int i = 0; i < 1'000; ++i) KVB_MUST(other.put("key" + std::to_string(i), "v"));
    ASSERT_FINE(other.checkpoint());
    KVB_MUST(other.put("key", "v"));
    snapshot = KVB_MUST(other.snapshot());
  }
  EXPECT_CODE(snapshot->get("key"), closed);
  // The file is free for others in the meantime.
  Bucket again = KVB_MUST(open_with(disk_.environment(), "other.kvb"));
  EXPECT_EQ(KVB_MUST(again.count()), 1'001u);
  snapshot.reset();
}

TEST_F(SnapshotTest, A_child_of_fork_is_told_so) {
  TempFolder folder;
  Bucket bucket = KVB_MUST(Bucket::create(folder / "fork.kvb"));
  KVB_MUST(bucket.put("a", "1"));
  Snapshot snapshot = KVB_MUST(bucket.snapshot());
  const pid_t child = ::fork();
  if (child == 0) {
    const auto got = snapshot.get("a");
    const bool told = !got && got.error().code == ErrorCode::forked;
    {
      const Snapshot gone = std::move(snapshot);
    }
    ::_exit(told ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(KVB_MUST(snapshot.get("a"))->bytes, "1");
}

TEST_F(SnapshotTest, Readers_in_other_processes_have_them_too) {
  KVB_MUST(bucket_.put("a", "1"));
  Bucket reader = KVB_MUST(open_with(disk_.environment(), "test.kvb", {.read_only = true}));
  const Snapshot snapshot = KVB_MUST(reader.snapshot());
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 100; ++i) KVB_MUST(bucket_.put("key" + std::to_string(i), std::to_string(round)));
    ASSERT_FINE(bucket_.checkpoint());
    EXPECT_EQ(KVB_MUST(reader.count()), 101u);
    EXPECT_EQ(contents(snapshot), (Contents{{"a", "1"}}));
  }
}

// Every snapshot shows whole batches: each batch sets all keys to one number, and adds a key of its own.
TEST_F(SnapshotTest, R28_no_snapshot_sees_part_of_a_batch) {
  TempFolder folder;
  Bucket bucket = KVB_MUST(
      Bucket::open_or_create(folder / "whole.kvb", {.durability = Durability::relaxed, .checkpoint_bytes = 1u << 18}));
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int round = 0; !stop && round < 3'000; ++round) {
      Batch batch;
      for (int i = 0; i < 20; ++i) batch.put("key" + std::to_string(i), std::to_string(round));
      batch.put("round" + std::to_string(round), "");
      KVB_MUST(bucket.write(batch));
    }
  });
  for (int i = 0; i < 200 && !HasFailure(); ++i) {
    const Snapshot snapshot = KVB_MUST(bucket.snapshot());
    const auto first = KVB_MUST(snapshot.get("key0"));
    const auto entries = KVB_MUST(snapshot.scan({.prefix = "key"}));
    ASSERT_EQ(entries.size(), first ? 20u : 0u);
    for (const auto& entry : entries) ASSERT_EQ(entry.value.bytes, first->bytes);
    ASSERT_EQ(KVB_MUST(snapshot.count({.prefix = "round"})), first ? std::stoull(first->bytes) + 1 : 0u);
    if (i % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  stop = true;
  writer.join();
}

TEST_F(SnapshotTest, R28_a_hundred_thousand_changes_meanwhile) {
  TempFolder folder;
  Bucket bucket = KVB_MUST(
      Bucket::open_or_create(folder / "many.kvb", {.durability = Durability::relaxed, .checkpoint_bytes = 1u << 20}));
  Contents before;
  Batch load;
  for (int i = 0; i < 20'000; ++i) {
    before["key" + std::to_string(i)] = "old " + std::to_string(i);
    load.put("key" + std::to_string(i), "old " + std::to_string(i));
  }
  KVB_MUST(bucket.write(load));
  const Snapshot snapshot = KVB_MUST(bucket.snapshot());
  Contents seen;
  std::thread writer;
  ASSERT_FINE(snapshot.scan({}, [&](Entry&& entry) {
    if (seen.empty()) {  // The scan has begun.
      writer = std::thread([&] {
        for (int i = 0; i < 100'000; ++i) {
          const std::string key = "key" + std::to_string(i * 7 % 40'000);
          if (i % 3 == 0) {
            KVB_MUST(bucket.remove(key));
          } else {
            KVB_MUST(bucket.put(key, "new"));
          }
        }
      });
    }
    if (seen.size() == 15'000) writer.join();
    seen[entry.key] = entry.value.bytes;
    return true;
  }));
  EXPECT_EQ(seen, before);
  EXPECT_EQ(contents(snapshot), before);
}

}  // namespace
}  // namespace kvb::testing
