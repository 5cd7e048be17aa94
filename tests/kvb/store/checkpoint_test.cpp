// What checkpoints promise, one by one. (That no crash in one loses anything: crash_test.cpp.)
#include <gtest/gtest.h>

#include "kvb/api/bucket_access.h"
#include "kvb/format/page.h"
#include "kvb/format/superblock.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"

namespace kvb {
namespace {

constexpr const char* kPath = "a.kvb";

std::string key(int i) {
  return "key " + std::to_string(i);
}

format::Superblock newest_superblock(const os::SimDisk& disk) {
  const auto bytes = disk.contents(kPath);
  std::optional<format::Superblock> best;
  for (const std::uint64_t at : {format::kSuperblockAOffset, format::kSuperblockBOffset}) {
    const auto one = format::decode_superblock(
        std::span<const std::byte, format::kPageBytes>(bytes.data() + at, format::kPageBytes));
    if (one && (!best || one->epoch > best->epoch)) best = *one;
  }
  EXPECT_TRUE(best.has_value());
  return *best;
}

TEST(Checkpoint, R16_replay_reads_the_log_only) {
  os::SimDisk disk({.seed = 7});
  {
    auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
    for (int i = 0; i < 400; ++i) EXPECT_TRUE(KVB_MUST(bucket.put(key(i), std::string(100, 'v'))));
    KVB_MUST(bucket.checkpoint());
    for (int i = 0; i < 400; i += 3) EXPECT_TRUE(KVB_MUST(bucket.put(key(i), "overwritten")));
    for (int i = 1; i < 400; i += 3) EXPECT_TRUE(KVB_MUST(bucket.remove(key(i))));
    disk.environment().kill();
  }
  // The places of pages that hold keys or slots.
  const auto bytes = disk.contents(kPath);
  std::vector<std::uint64_t> pages;
  for (std::uint64_t at = format::kHeadBytes; at + format::kPageBytes <= bytes.size(); at += format::kPageBytes) {
    const auto header = format::decode_page_header(
        std::span<const std::byte, format::kPageHeaderBytes>(bytes.data() + at, format::kPageHeaderBytes));
    if (header && (header->type == format::PageType::hash_slots || header->type == format::PageType::key_leaf)) {
      pages.push_back(at);
    }
  }
  EXPECT_GE(pages.size(), 3u);
  // Damaging them all shows that nobody looks: neither opening nor replay.
  auto damaged = bytes;
  for (const std::uint64_t at : pages) damaged[at + 100] ^= std::byte{0xFF};
  os::SimDisk other;
  other.put_file(kPath, damaged);
  auto bucket = KVB_MUST(open_with(other.environment(), kPath));
  EXPECT_EQ(bucket.stats().replayed_records, 134u + 133u);
  EXPECT_EQ(KVB_MUST(bucket.get(key(0)))->bytes, "overwritten");
  EXPECT_FALSE(KVB_MUST(bucket.get(key(1))).has_value());
  // R4: a page that is not what its parent says is damage, and never a miss.
  EXPECT_CODE(bucket.get(key(2)), damaged);
  EXPECT_CODE(bucket.get("was never there"), damaged);
  EXPECT_FALSE(KVB_MUST(bucket.verify()).ok());
}

TEST(Checkpoint, R12_the_image_is_the_state_at_the_cut) {
  os::SimDisk disk({.seed = 8});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(KVB_MUST(bucket.put(key(i), std::to_string(i))));
  EXPECT_TRUE(KVB_MUST(bucket.remove(key(50))));
  KVB_MUST(bucket.checkpoint());
  const auto image = newest_superblock(disk);
  EXPECT_EQ(image.commit_seqno, 101u);
  EXPECT_EQ(image.journal.seqno, 102u);
  EXPECT_EQ(image.counters.keys, 99u);
  EXPECT_EQ(image.counters.live_bytes, bucket.stats().live_bytes);
  EXPECT_EQ(image.features_incompatible, format::kFeatureImage);
  EXPECT_EQ(bucket.stats().journal_bytes, 0u);
  EXPECT_TRUE(KVB_MUST(bucket.put(key(50), "again")));
  EXPECT_EQ(bucket.stats().keys, 100u);
  EXPECT_EQ(newest_superblock(disk).counters.keys, 99u);
  EXPECT_EQ(bucket.stats().checkpoints, 1u);
}

TEST(Checkpoint, R15_space_of_an_image_is_used_again_two_epochs_later) {
  os::SimDisk disk({.seed = 9});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(KVB_MUST(bucket.put(key(i), "v")));
  std::vector<std::uint64_t> sizes;
  for (int round = 0; round < 20; ++round) {
    EXPECT_TRUE(KVB_MUST(bucket.put(key(round), "w")));
    KVB_MUST(bucket.checkpoint());
    sizes.push_back(disk.contents(kPath).size());
  }
  // Three images at most lie in the file at once: the newest, the one before, and the one in the making.
  EXPECT_EQ(sizes.back(), sizes[5]);
  EXPECT_TRUE(KVB_MUST(bucket.verify()).ok());
}

TEST(Checkpoint, R22_space_is_not_used_again_while_a_reader_pins_it) {
  os::SimDisk disk({.seed = 10});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(KVB_MUST(bucket.put(key(i), "old")));
  KVB_MUST(bucket.checkpoint());
  const auto image = newest_superblock(disk);
  // A process that stands still with the image of epoch 2 open.
  auto& sleeper = disk.start_process(77);
  auto file = KVB_MUST(sleeper.open(kPath, os::OpenMode::read_only));
  EXPECT_TRUE(KVB_MUST(file->try_lock(format::kPinLockBase + image.epoch, os::LockMode::shared)));
  std::vector<std::byte> pages(image.hash_directory.bytes);
  KVB_MUST(file->read(image.hash_directory.paddr, pages));
  for (int round = 0; round < 10; ++round) {
    EXPECT_TRUE(KVB_MUST(bucket.put(key(round), "new")));
    KVB_MUST(bucket.checkpoint());
  }
  std::vector<std::byte> after(pages.size());
  KVB_MUST(file->read(image.hash_directory.paddr, after));
  EXPECT_EQ(pages, after) << "the image that is pinned was overwritten";
  const auto pinned_size = disk.contents(kPath).size();
  // The process dies, and with it its pin.
  sleeper.kill();
  file.reset();
  for (int round = 0; round < 10; ++round) {
    EXPECT_TRUE(KVB_MUST(bucket.put(key(round), "newer")));
    KVB_MUST(bucket.checkpoint());
  }
  EXPECT_EQ(disk.contents(kPath).size(), pinned_size);
}

TEST(Checkpoint, R24_a_reader_follows_over_checkpoints) {
  os::SimDisk disk({.seed = 11});
  auto writer = KVB_MUST(create_with(disk.environment(), kPath));
  auto reader = KVB_MUST(open_with(disk.start_process(5), kPath, {.read_only = true}));
  for (int round = 0; round < 30; ++round) {
    EXPECT_TRUE(KVB_MUST(writer.put(key(round), std::to_string(round))));
    if (round % 4 == 1) KVB_MUST(writer.checkpoint());
    if (round % 5 == 2) {
      EXPECT_TRUE(KVB_MUST(writer.remove(key(round))));
    }
    const auto seen = KVB_MUST(reader.scan());
    const auto there = KVB_MUST(writer.scan());
    ASSERT_EQ(seen.size(), there.size()) << "round " << round;
    for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i].value.bytes, there[i].value.bytes);
    EXPECT_EQ(reader.stats().epoch, writer.stats().epoch);
    EXPECT_EQ(reader.stats().keys, writer.stats().keys);
  }
  EXPECT_TRUE(KVB_MUST(reader.verify()).ok());
}

TEST(Checkpoint, A_clean_close_leaves_little_to_replay) {
  os::SimDisk disk({.seed = 12});
  std::uint64_t written = 0;
  {
    auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
    for (int i = 0; written < 2'000'000; ++i) {
      EXPECT_TRUE(KVB_MUST(bucket.put(key(i % 500), std::string(3'000, 'v'))));
      written += 3'000;
    }
    KVB_MUST(bucket.close());
  }
  auto bucket = KVB_MUST(open_with(disk.environment(), kPath));
  EXPECT_EQ(bucket.stats().replayed_records, 0u);
  EXPECT_EQ(bucket.stats().keys, 500u);
  EXPECT_EQ(bucket.stats().recovery_cuts, 0u);
  EXPECT_TRUE(KVB_MUST(bucket.put("more", "x")));
  KVB_MUST(bucket.close());
  bucket = KVB_MUST(open_with(disk.environment(), kPath));
  EXPECT_EQ(bucket.stats().recovery_cuts, 0u) << "a clean close needs no cut";
  EXPECT_EQ(bucket.stats().replayed_records, 1u);
}

TEST(Checkpoint, R11_keys_can_be_removed_on_a_full_disk) {
  os::SimDisk disk({.seed = 13, .capacity_bytes = 4'000'000});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  int stored = 0;
  for (;; ++stored) {
    auto put = bucket.put(key(stored), std::string(2'000, 'v'));
    if (!put) {
      EXPECT_EQ(put.error().code, ErrorCode::full);
      break;
    }
  }
  ASSERT_GT(stored, 500);
  // Fill the last segment too.
  for (int i = 0; bucket.put("small " + std::to_string(i), "").has_value(); ++i) {
  }
  for (int i = 0; i < 300; ++i) {
    const auto removed = bucket.remove(key(i));
    ASSERT_TRUE(removed.has_value()) << "remove " << i << ": " << testing::outcome(removed);
    EXPECT_TRUE(*removed);
  }
  EXPECT_FALSE(KVB_MUST(bucket.contains(key(0))));
  EXPECT_TRUE(KVB_MUST(bucket.contains(key(stored - 1))));
  EXPECT_TRUE(KVB_MUST(bucket.verify()).ok());
  (void)bucket.close();
  bucket = KVB_MUST(open_with(disk.environment(), kPath));
  EXPECT_FALSE(KVB_MUST(bucket.contains(key(299))));
}

TEST(Checkpoint, A_full_disk_refuses_a_checkpoint_and_loses_nothing) {
  os::SimDisk disk({.seed = 14});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(KVB_MUST(bucket.put(key(i), "before")));
  disk.set_capacity_bytes(1);
  EXPECT_CODE(bucket.checkpoint(), full);
  EXPECT_EQ(bucket.stats().keys, 200u);
  EXPECT_EQ(KVB_MUST(bucket.get(key(7)))->bytes, "before");
  disk.set_capacity_bytes(UINT64_MAX);
  EXPECT_TRUE(KVB_MUST(bucket.put(key(7), "after")));
  EXPECT_EQ(KVB_MUST(bucket.get(key(7)))->bytes, "after");
  EXPECT_EQ(KVB_MUST(bucket.get(key(8)))->bytes, "before");
  KVB_MUST(bucket.checkpoint());
  EXPECT_EQ(bucket.stats().checkpoints, 2u) << "the one that was begun, and one for what came since";
  EXPECT_EQ(bucket.stats().journal_bytes, 0u);
  EXPECT_EQ(KVB_MUST(bucket.get(key(7)))->bytes, "after");
  EXPECT_TRUE(KVB_MUST(bucket.verify()).ok());
}

TEST(Checkpoint, A_scan_reads_one_state_however_many_checkpoints_pass) {
  os::SimDisk disk({.seed = 15});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  for (int i = 0; i < 2'000; ++i) EXPECT_TRUE(KVB_MUST(bucket.put(key(i), "old")));
  std::size_t seen = 0;
  KVB_MUST(bucket.scan({}, [&](Entry&& entry) {
    EXPECT_EQ(entry.value.bytes, "old");
    // Far more than a portion ahead, everything changes.
    if (seen++ % 300 == 0) {
      for (int i = 0; i < 2'000; i += 2) EXPECT_TRUE(bucket.put(key(i), "new").has_value());
      for (int i = 1; i < 2'000; i += 4) EXPECT_TRUE(bucket.remove(key(i)).has_value());
      EXPECT_TRUE(bucket.checkpoint().has_value());
    }
    return true;
  }));
  EXPECT_EQ(seen, 2'000u);
  EXPECT_EQ(bucket.stats().keys, 1'500u);
}

}  // namespace
}  // namespace kvb
