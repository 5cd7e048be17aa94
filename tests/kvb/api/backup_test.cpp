// Backup: a copy of one committed state in a new bucket, made while writing goes on.
#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>

#include "kvb/api/bucket_access.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"
#include "kvb/support/temp_folder.h"

namespace kvb::testing {
namespace {

TEST(Backup, Has_every_key_with_all_that_belongs_to_it) {
  TempFolder folder;
  Bucket bucket = KVB_MUST(Bucket::create(folder / "app.kvb"));
  KVB_MUST(bucket.put("text", "t", {.kind = ValueKind::text}));
  KVB_MUST(bucket.put("json", "[1]", {.ttl_seconds = 3'600, .kind = ValueKind::json}));
  ASSERT_FINE(bucket.checkpoint());
  KVB_MUST(bucket.put(std::string("\x00\xFF", 2), std::string(300'000, 'v')));
  KVB_MUST(bucket.put("empty", ""));
  KVB_MUST(bucket.put("removed", "x"));
  KVB_MUST(bucket.remove("removed"));
  for (int i = 0; i < 100; ++i) KVB_MUST(bucket.put("overwritten", std::string(10'000, 'o')));
  const auto report = KVB_MUST(bucket.backup(folder / "copy.kvb"));
  EXPECT_EQ(report.keys, 5u);
  EXPECT_EQ(report.value_bytes, 1u + 3 + 300'000 + 10'000);
  EXPECT_EQ(report.file_bytes, std::filesystem::file_size(folder / "copy.kvb"));
  EXPECT_LT(report.file_bytes, std::filesystem::file_size(folder / "app.kvb") / 2);
  EXPECT_FALSE(std::filesystem::exists(folder / "copy.kvb.partial"));

  const Bucket copy = KVB_MUST(Bucket::open(folder / "copy.kvb"));
  const auto expected = KVB_MUST(bucket.scan());
  const auto found = KVB_MUST(copy.scan());
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].key, expected[i].key);
    EXPECT_EQ(found[i].value.bytes, expected[i].value.bytes);
    EXPECT_EQ(found[i].value.kind, expected[i].value.kind);
    EXPECT_EQ(found[i].value.written_at_ns, expected[i].value.written_at_ns);
    EXPECT_EQ(found[i].value.expires_at_ns(), expected[i].value.expires_at_ns());
  }
  EXPECT_TRUE(KVB_MUST(copy.verify()).ok());
  EXPECT_NE(copy.stats().uuid, bucket.stats().uuid);
}

TEST(Backup, Of_an_empty_bucket_and_of_one_open_for_reading) {
  TempFolder folder;
  {
    Bucket bucket = KVB_MUST(Bucket::create(folder / "app.kvb"));
    EXPECT_EQ(KVB_MUST(bucket.backup(folder / "empty.kvb")).keys, 0u);
    KVB_MUST(bucket.put("a", "1"));
  }
  EXPECT_EQ(KVB_MUST(KVB_MUST(Bucket::open(folder / "empty.kvb")).count()), 0u);
  const Bucket reader = KVB_MUST(Bucket::open(folder / "app.kvb", {.read_only = true}));
  EXPECT_EQ(KVB_MUST(reader.backup(folder / "copy.kvb")).keys, 1u);
  EXPECT_EQ(KVB_MUST(KVB_MUST(Bucket::open(folder / "copy.kvb")).get("a"))->bytes, "1");
}

TEST(Backup, Leaves_a_file_that_is_there_alone) {
  TempFolder folder;
  Bucket bucket = KVB_MUST(Bucket::create(folder / "app.kvb"));
  std::ofstream(folder / "mine.txt") << "mine";
  EXPECT_CODE(bucket.backup(folder / "mine.txt"), already_exists);
  EXPECT_EQ(std::filesystem::file_size(folder / "mine.txt"), 4u);
  EXPECT_CODE(bucket.backup(folder / "app.kvb"), already_exists);
  EXPECT_CODE(bucket.backup(folder / "no such folder/copy.kvb"), not_found);
  EXPECT_CODE(bucket.backup(""), invalid_argument);
  // What an interrupted backup left, or somebody else's file of that name, is not ours to overwrite.
  std::ofstream(folder / "copy.kvb.partial") << "mine";
  EXPECT_CODE(bucket.backup(folder / "copy.kvb"), already_exists);
  EXPECT_FALSE(std::filesystem::exists(folder / "copy.kvb"));
  EXPECT_EQ(std::filesystem::file_size(folder / "copy.kvb.partial"), 4u);
}

TEST(Backup, On_a_full_disk_leaves_nothing_behind) {
  os::SimDisk disk({.recording = false, .capacity_bytes = 12u << 20});
  Bucket bucket = KVB_MUST(create_with(disk.environment(), "app.kvb"));
  for (int i = 0; i < 8; ++i) KVB_MUST(bucket.put("k" + std::to_string(i), std::string(900'000, 'v')));
  EXPECT_CODE(bucket.backup("copy.kvb"), full);
  for (const char* name : {"copy.kvb", "copy.kvb.partial"}) {
    EXPECT_CODE(open_with(disk.environment(), name, {.read_only = true}), not_found);
  }
  KVB_MUST(bucket.put("still", "works"));
}

TEST(Backup, While_others_write_it_is_one_state) {
  TempFolder folder;
  Bucket bucket = KVB_MUST(Bucket::open_or_create(folder / "app.kvb", {.checkpoint_bytes = 1u << 18}));
  std::atomic<int> rounds{0};
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int round = 0; !stop; ++round) {
      Batch batch;
      for (int i = 0; i < 200; ++i) batch.put("key" + std::to_string(i), std::to_string(round));
      KVB_MUST(bucket.write(batch));
      rounds = round + 1;
    }
  });
  while (rounds < 3) std::this_thread::yield();
  for (int copy_number = 0; copy_number < 5; ++copy_number) {
    const std::string path = folder / ("copy" + std::to_string(copy_number) + ".kvb");
    const int before = rounds;
    EXPECT_EQ(KVB_MUST(bucket.backup(path)).keys, 200u);
    const Bucket copy = KVB_MUST(Bucket::open(path, {.read_only = true}));
    const auto entries = KVB_MUST(copy.scan());
    ASSERT_EQ(entries.size(), 200u);
    for (const auto& entry : entries) ASSERT_EQ(entry.value.bytes, entries[0].value.bytes);
    EXPECT_GE(std::stoi(entries[0].value.bytes), before - 1);
  }
  stop = true;
  writer.join();
}

TEST(Backup, Tells_its_progress) {
  TempFolder folder;
  Bucket bucket = KVB_MUST(Bucket::create(folder / "app.kvb"));
  Batch batch;
  for (int i = 0; i < 5'000; ++i) batch.put("key" + std::to_string(i), "v");
  KVB_MUST(bucket.write(batch));
  std::uint64_t last = 0;
  int calls = 0;
  KVB_MUST(bucket.backup(folder / "copy.kvb", {.progress = [&](std::uint64_t keys, std::uint64_t of_keys) {
                           EXPECT_GE(keys, last);
                           EXPECT_EQ(of_keys, 5'000u);
                           last = keys;
                           ++calls;
                         }}));
  EXPECT_EQ(last, 5'000u);
  EXPECT_GT(calls, 3);
}

// A crash leaves no half copy under the name: it has none until everything of it has been synced.
TEST(Backup, Gets_its_name_when_it_is_complete) {
  os::SimDisk disk;
  Bucket bucket = KVB_MUST(create_with(disk.environment(), "app.kvb"));
  Batch batch;
  for (int i = 0; i < 3'000; ++i) batch.put("key" + std::to_string(i), std::string(50, 'v'));
  KVB_MUST(bucket.write(batch));
  int syncs = 0;
  disk.observe_syncs([&](const std::string&) {
    ++syncs;
    EXPECT_FALSE(disk.exists("copy.kvb"));
  });
  KVB_MUST(bucket.backup("copy.kvb"));
  disk.observe_syncs({});
  EXPECT_GT(syncs, 1);
  const auto inode = disk.inode("copy.kvb");
  ASSERT_NE(inode, nullptr);
  EXPECT_TRUE(inode->entry_durable);
  EXPECT_FALSE(disk.exists("copy.kvb.partial"));
  EXPECT_EQ(KVB_MUST(KVB_MUST(open_with(disk.environment(), "copy.kvb")).count()), 3'000u);
}

TEST(Backup, A_failed_call_leaves_nothing_behind) {
  std::uint64_t failed = 0;
  for (std::uint64_t call = 0; call < 300; ++call) {
    os::SimDisk disk({.recording = false});
    Bucket bucket = KVB_MUST(create_with(disk.environment(), "app.kvb"));
    for (int i = 0; i < 20; ++i) KVB_MUST(bucket.put("key" + std::to_string(i), "v"));
    disk.inject({.call = os::SimCall::any, .skip = call});
    const auto copied = bucket.backup("copy.kvb");
    const bool fired = disk.faults_fired() != 0;
    disk.clear_faults();
    EXPECT_FALSE(disk.exists("copy.kvb.partial")) << "failed call " << call;
    if (copied) {
      EXPECT_EQ(KVB_MUST(KVB_MUST(open_with(disk.environment(), "copy.kvb")).count()), 20u);
    } else {
      ++failed;
      EXPECT_FALSE(disk.exists("copy.kvb")) << "failed call " << call;
    }
    if (!fired) break;
  }
  EXPECT_GT(failed, 10u);
}

}  // namespace
}  // namespace kvb::testing
