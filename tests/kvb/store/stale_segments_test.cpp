// Segments that nothing leads to: outputs of a compaction that died or failed, and log segments that were made and
// never linked. Repair finds segments by their headers alone when the segment table is gone, so what such a segment
// holds must never come back once it was removed (store/stale.cpp has the argument).
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "kvb/api/bucket_access.h"
#include "kvb/format/hash.h"
#include "kvb/format/record.h"
#include "kvb/format/segment.h"
#include "kvb/format/superblock.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"
#include "kvb/support/log_checker.h"

namespace kvb {
namespace {

constexpr const char* kPath = "a.kvb";
using Map = std::map<std::string, std::string>;

std::string key(int i) {
  return "key " + std::to_string(1'000 + i);
}

Map everything(const Bucket& bucket) {
  Map found;
  for (auto& entry : KVB_MUST(bucket.scan())) found[entry.key] = std::move(entry.value.bytes);
  return found;
}

std::span<const std::byte, format::kPageBytes> page(std::span<const std::byte> bytes, std::uint64_t offset) {
  return bytes.subspan(offset).first<format::kPageBytes>();
}

// What repair finds without a segment table: the head gone as well, or only the tables.
void expect_repair(os::SimDisk& disk, const Map& model, bool head_too, const std::string& when) {
  auto bytes = disk.contents(kPath);
  for (const std::uint64_t at : {format::kSuperblockAOffset, format::kSuperblockBOffset}) {
    const auto superblock = format::decode_superblock(page(bytes, at));
    if (!superblock || superblock->segment_table.paddr == 0) continue;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(superblock->segment_table.paddr), 4096, std::byte{0x5A});
  }
  if (head_too) std::fill_n(bytes.begin(), format::kHeadBytes, std::byte{0});
  os::SimDisk other({.seed = 24, .recording = false, .wall_clock_ns = disk.environment().wall_clock_ns()});
  other.put_file("damaged.kvb", bytes);
  (void)KVB_MUST(repair_with(other.environment(), "damaged.kvb", "new.kvb"));
  const auto repaired = KVB_MUST(open_with(other.environment(), "new.kvb"));
  const Map found = everything(repaired);
  for (const auto& [k, v] : found) {
    EXPECT_TRUE(model.contains(k)) << when << ": " << k << " came back";
  }
  EXPECT_TRUE(found == model) << when << ": " << found.size() << " keys instead of " << model.size();
}

// Removes, and compacts away what says so.
void remove_some_and_compact(Bucket& bucket, int of) {
  for (int i = 0; i < 60; ++i) {
    if (i % of != 0) (void)KVB_MUST(bucket.remove(key(i)));
  }
  EXPECT_TRUE(KVB_MUST(bucket.put("between", "x")));
  (void)KVB_MUST(bucket.compact({.strategy = CompactStrategy::automatic}));
}

// Segments of a value each, and holes between them: small enough that they are not given back to the file system, which
// would wipe whatever lies there.
void fill(Bucket& bucket) {
  for (int i = 0; i < 60; ++i) KVB_MUST(bucket.put(key(i), std::to_string(i) + std::string(40'000, 'v')));
  KVB_MUST(bucket.checkpoint());
  for (int i = 1; i < 60; i += 3) (void)KVB_MUST(bucket.remove(key(i)));
  (void)KVB_MUST(bucket.compact({.strategy = CompactStrategy::automatic}));
}

// The process dies with its n-th call, and nothing that was written before is lost: each n of a compaction.
TEST(StaleSegments, R29_R32_outputs_of_a_compaction_that_died_bring_nothing_back) {
  int died = 0;
  for (std::uint64_t n = 0;; n += 5) {
    os::SimDisk disk({.seed = 81, .recording = false});
    testing::LogChecker checker(disk, kPath);
    auto& first = disk.start_process(5, "first");
    auto bucket = KVB_MUST(create_with(first, kPath));
    fill(bucket);
    const Map before = everything(bucket);
    disk.inject({.skip = n, .sticky = true});
    const bool compacted = bucket.compact({.strategy = CompactStrategy::full}).has_value();
    const bool fired = disk.faults_fired() != 0;
    disk.clear_faults();
    first.kill();
    bucket = KVB_MUST(open_with(disk.start_process(6, "second"), kPath));
    ASSERT_TRUE(everything(bucket) == before);
    remove_some_and_compact(bucket, 4);
    const Map model = everything(bucket);
    for (const bool head_too : {false, true}) expect_repair(disk, model, head_too, "died at " + std::to_string(n));
    // And without another opening in between.
    KVB_MUST(bucket.close());
    bucket = KVB_MUST(open_with(disk.start_process(7, "third"), kPath));
    EXPECT_TRUE(everything(bucket) == model);
    EXPECT_TRUE(KVB_MUST(bucket.verify()).ok());
    for (const bool head_too : {false, true}) expect_repair(disk, model, head_too, "closed after " + std::to_string(n));
    if (compacted && !fired) break;
    ++died;
  }
  EXPECT_GT(died, 8);
}

// A single call fails, and the bucket stays open.
TEST(StaleSegments, R29_R32_outputs_of_a_compaction_that_failed_bring_nothing_back) {
  int failed = 0;
  for (const os::SimCall call : {os::SimCall::write, os::SimCall::allocate, os::SimCall::read, os::SimCall::map,
                                 os::SimCall::punch, os::SimCall::size, os::SimCall::sync}) {
    for (std::uint64_t n = 0;; n += 3) {
      os::SimDisk disk({.seed = 82, .recording = false});
      auto& first = disk.start_process(5, "first");
      auto bucket = KVB_MUST(create_with(first, kPath));
      fill(bucket);
      disk.inject({.call = call, .skip = n, .effect = os::Fault::Effect::partial});
      (void)bucket.compact({.strategy = CompactStrategy::full});
      const bool fired = disk.faults_fired() != 0;
      disk.clear_faults();
      if (bucket.stats().poisoned) {
        (void)bucket.close();
        bucket = KVB_MUST(open_with(disk.start_process(6, "second"), kPath));
      }
      remove_some_and_compact(bucket, 3);
      const Map model = everything(bucket);
      const std::string when = "call " + std::to_string(static_cast<int>(call)) + " failed at " + std::to_string(n);
      for (const bool head_too : {false, true}) expect_repair(disk, model, head_too, when);
      if (!fired) break;
      ++failed;
    }
  }
  EXPECT_GT(failed, 8);
}

// The log goes on in a new segment, and the process dies before the old one's footer names it: what the new one holds
// was never acknowledged, and the next writer does not know of it.
TEST(StaleSegments, R3_R19_log_segments_that_were_never_linked_bring_nothing_back) {
  int died = 0;
  for (std::uint64_t n = 0;; n += 2) {
    os::SimDisk disk({.seed = 83, .recording = false});
    auto& first = disk.start_process(5, "first");
    auto bucket = KVB_MUST(create_with(first, kPath));
    fill(bucket);
    (void)KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
    disk.inject({.skip = n, .effect = os::Fault::Effect::partial, .sticky = true});
    bool written = true;
    for (int i = 0; i < 4 && written; ++i) written = bucket.put(key(i), std::string(20'000, 'n')).has_value();
    const bool fired = disk.faults_fired() != 0;
    disk.clear_faults();
    first.kill();
    bucket = KVB_MUST(open_with(disk.start_process(6, "second"), kPath));
    // As it is, and when the log has gone on.
    Map model = everything(bucket);
    for (const bool head_too : {false, true}) expect_repair(disk, model, head_too, "died at " + std::to_string(n));
    EXPECT_TRUE(KVB_MUST(bucket.put("one more", "x")));
    model = everything(bucket);
    for (const bool head_too : {false, true})
      expect_repair(disk, model, head_too, "went on after " + std::to_string(n));
    remove_some_and_compact(bucket, 5);
    model = everything(bucket);
    for (const bool head_too : {false, true})
      expect_repair(disk, model, head_too, "removed after " + std::to_string(n));
    if (written && !fired) break;
    ++died;
  }
  EXPECT_GT(died, 8);
}

// The newest superblock is destroyed, and the older one counts: what the lost image named is not there any more either.
TEST(StaleSegments, R15_R32_outputs_of_an_image_that_was_lost_bring_nothing_back) {
  for (int round = 0; round < 4; ++round) {
    os::SimDisk disk({.seed = 84, .recording = false});
    auto& first = disk.start_process(5, "first");
    auto bucket = KVB_MUST(create_with(first, kPath));
    fill(bucket);
    // Dies behind the flip that makes the outputs valid.
    std::vector<std::byte> after_flip;
    const std::uint64_t epoch = bucket.stats().epoch;
    disk.observe_syncs([&](const std::string& path) {
      auto bytes = disk.contents(path);
      std::uint64_t newest = 0;
      for (const std::uint64_t at : {format::kSuperblockAOffset, format::kSuperblockBOffset}) {
        if (const auto superblock = format::decode_superblock(page(bytes, at))) {
          newest = std::max(newest, superblock->epoch);
        }
      }
      if (newest == epoch + 1 + static_cast<std::uint64_t>(round) && after_flip.empty()) after_flip = std::move(bytes);
    });
    (void)KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
    disk.observe_syncs({});
    if (after_flip.empty()) break;
    ASSERT_FALSE(after_flip.empty());
    first.kill();
    const auto a = format::decode_superblock(page(after_flip, format::kSuperblockAOffset));
    const auto b = format::decode_superblock(page(after_flip, format::kSuperblockBOffset));
    ASSERT_TRUE(a && b);
    const std::uint64_t newest = a->epoch > b->epoch ? format::kSuperblockAOffset : format::kSuperblockBOffset;
    std::fill_n(after_flip.begin() + static_cast<std::ptrdiff_t>(newest), 4096, std::byte{0});
    os::SimDisk other({.seed = 85, .recording = false, .wall_clock_ns = disk.environment().wall_clock_ns()});
    other.put_file(kPath, after_flip);
    auto again = KVB_MUST(open_with(other.environment(), kPath));
    EXPECT_EQ(everything(again).size(), 40u);
    remove_some_and_compact(again, 3);
    for (const bool head_too : {false, true}) {
      expect_repair(other, everything(again), head_too, "flip " + std::to_string(round));
    }
  }
}

// What a writer that dies leaves, at a place and with a content that a compaction seldom leaves: two whole segments
// side by side in a hole that is too small to be given back to the file system.
class PlantedSegment : public ::testing::Test {
 protected:
  void SetUp() override {
    auto& first = disk_.start_process(5, "first");
    auto bucket = KVB_MUST(create_with(first, kPath));
    fill(bucket);
    for (const auto& entry : KVB_MUST(bucket.scan())) seqnos_[entry.key] = entry.value.seqno;
    first.kill();
    bytes_ = disk_.contents(kPath);
    const auto a = format::decode_superblock(page(bytes_, format::kSuperblockAOffset));
    const auto b = format::decode_superblock(page(bytes_, format::kSuperblockBOffset));
    head_ = a->epoch > b->epoch ? *a : *b;
  }
  // The last `bytes` of the last hole that has no pages of an index.
  std::uint64_t find_hole(std::uint64_t bytes) {
    std::uint64_t end = format::kHeadBytes;
    std::uint64_t found = 0;
    for (std::uint64_t at = format::kHeadBytes; at + 4096 <= bytes_.size(); at += 4096) {
      if (bytes_[at] == std::byte{'K'} && bytes_[at + 3] == std::byte{'P'}) end = at + 4096;
      const auto header = format::decode_segment_header(std::span(bytes_).subspan(at).first<128>());
      if (!header || header->link.paddr != at) continue;
      if (at >= end + bytes) found = at - bytes;
      end = at + header->size_bytes;
      at = end - 4096;
    }
    return found;
  }
  void plant(std::uint64_t paddr, int key_number, format::SegmentKind kind, std::uint64_t seqno_added = 0) {
    const format::SegmentHeader header{.uuid = head_.uuid,
                                       .link = {.id = 500 + paddr / 4096, .paddr = paddr, .salt = 77},
                                       .size_bytes = 8192,
                                       .kind = kind,
                                       .base_seqno = seqnos_.at(key(key_number)) + seqno_added,
                                       .hash_seed = head_.hash_seed};
    auto out = std::span(bytes_).subspan(paddr, 8192);
    format::encode_segment_header(header, out.first<128>());
    const std::uint32_t life = format::life_seed(header.uuid, header.link);
    const std::string k = key(key_number);
    const format::RecordHeader record{.seqno = header.base_seqno,
                                      .hash = format::hash_key(k, head_.hash_seed),
                                      .timestamp_ns = 1,
                                      .key_bytes = static_cast<std::uint32_t>(k.size()),
                                      .value_bytes = 5};
    format::encode_record(record, k, "stale", format::record_seed(life, 128), out.subspan(128, record.record_bytes()));
    const auto footer = format::encode_footer({.end_offset = 128 + record.record_bytes(),
                                               .last_seqno = record.seqno,
                                               .record_count = 1,
                                               .next = {},
                                               .next_base_seqno = record.seqno + 1,
                                               .resync_points = {}},
                                              life, 8192);
    std::ranges::copy(footer, out.last(footer.size()).begin());
  }
  [[nodiscard]] bool is_there(const os::SimDisk& disk, std::uint64_t paddr) {
    const auto bytes = disk.contents(kPath);
    return paddr + 128 <= bytes.size() &&
           format::decode_segment_header(std::span(bytes).subspan(paddr).first<128>()).has_value();
  }

  os::SimDisk disk_{{.seed = 87, .recording = false}};
  std::vector<std::byte> bytes_;
  format::Superblock head_;
  std::map<std::string, std::uint64_t> seqnos_;
};

TEST_F(PlantedSegment, R32_does_not_bring_back_what_is_removed_later) {
  const std::uint64_t first = find_hole(16'384);
  const std::uint64_t second = first + 8'192;
  ASSERT_GT(first, format::kHeadBytes);
  plant(first, 12, format::SegmentKind::relocated);
  plant(second, 14, format::SegmentKind::relocated);
  os::SimDisk disk({.seed = 88, .recording = false, .wall_clock_ns = disk_.environment().wall_clock_ns()});
  disk.put_file(kPath, bytes_);
  auto bucket = KVB_MUST(open_with(disk.environment(), kPath));
  EXPECT_TRUE(is_there(disk, first));
  // Nothing else has a reason to touch the place.
  KVB_MUST(bucket.checkpoint());
  EXPECT_FALSE(is_there(disk, first));
  EXPECT_FALSE(is_there(disk, second));
  for (int i = 10; i < 20; ++i) (void)KVB_MUST(bucket.remove(key(i)));
  (void)KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  for (const bool head_too : {false, true}) expect_repair(disk, everything(bucket), head_too, "planted");
}

// The log may take the place before anything is looked for: what lies inside of it is wiped then.
TEST_F(PlantedSegment, R32_is_gone_when_a_log_segment_takes_its_place) {
  for (std::uint64_t at = format::kHeadBytes; at + 8'192 <= bytes_.size(); at += 8'192) {
    if (std::ranges::all_of(std::span(bytes_).subspan(at, 8'192), [](std::byte b) { return b == std::byte{0}; })) {
      bool inside = false;
      for (std::uint64_t s = format::kHeadBytes; s < at; s += 4096) {
        const auto header = format::decode_segment_header(std::span(bytes_).subspan(s).first<128>());
        inside = inside || (header && header->link.paddr == s && s + header->size_bytes > at);
      }
      if (!inside) plant(at, 12, format::SegmentKind::relocated);
    }
  }
  os::SimDisk disk({.seed = 88, .recording = false, .wall_clock_ns = disk_.environment().wall_clock_ns()});
  disk.put_file(kPath, bytes_);
  auto bucket = KVB_MUST(open_with(disk.environment(), kPath, {.compact_automatically = false}));
  for (int i = 0; i < 60; ++i) {
    if (i % 5 != 0) (void)KVB_MUST(bucket.remove(key(i)));
    KVB_MUST(bucket.put("more", std::string(static_cast<std::size_t>(i) * 300, 'm')));
  }
  (void)KVB_MUST(bucket.compact({.strategy = CompactStrategy::automatic}));
  for (const bool head_too : {false, true}) expect_repair(disk, everything(bucket), head_too, "planted everywhere");
}

// What was found is given back to the file system, and is not looked for again after a clean close.
TEST(StaleSegments, Are_looked_for_once_and_where_there_are_blocks) {
  os::SimDisk disk({.seed = 86, .recording = false});
  auto& first = disk.start_process(5, "first");
  auto bucket = KVB_MUST(create_with(first, kPath));
  for (int i = 0; i < 3'000; ++i) KVB_MUST(bucket.put(key(i), std::string(1'000, 'v')));
  KVB_MUST(bucket.checkpoint());
  KVB_MUST(bucket.close());
  bucket = KVB_MUST(open_with(first, kPath, {.compact_automatically = false}));
  for (int i = 0; i < 3'000; i += 2) (void)KVB_MUST(bucket.remove(key(i)));
  (void)KVB_MUST(bucket.compact({.strategy = CompactStrategy::automatic}));
  KVB_MUST(bucket.close());
  bucket = KVB_MUST(open_with(first, kPath));
  const auto reads = disk.calls(os::SimCall::read);
  KVB_MUST(bucket.checkpoint());
  EXPECT_LE(disk.calls(os::SimCall::read), reads + 20);
}

}  // namespace
}  // namespace kvb
