// Repair: everything that can have been committed comes back, nothing else does, and every loss is told.

#include <gtest/gtest.h>
#include <kvb/repair.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "kvb/api/bucket_access.h"
#include "kvb/format/page.h"
#include "kvb/format/segment.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"

namespace kvb {
namespace {

using Map = std::map<std::string, std::string>;
using Bytes = std::vector<std::byte>;

struct Repaired {
  RepairReport report;
  Map contents;
};

Map everything(const Bucket& bucket) {
  Map found;
  for (const auto& entry : KVB_MUST(bucket.scan())) found[entry.key] = entry.value.bytes;
  return found;
}

Repaired repaired(const Bytes& bytes) {
  os::SimDisk disk;
  disk.put_file("damaged.kvb", bytes);
  Repaired result{.report = KVB_MUST(repair_with(disk.environment(), "damaged.kvb", "new.kvb")), .contents = {}};
  EXPECT_TRUE(disk.contents("damaged.kvb") == bytes) << "the damaged file must not change";
  auto bucket = KVB_MUST(open_with(disk.environment(), "new.kvb"));
  EXPECT_TRUE(KVB_MUST(bucket.verify()).ok());
  result.contents = everything(bucket);
  EXPECT_EQ(result.report.keys, result.contents.size());
  return result;
}

struct Sample {
  Bytes bytes;
  Map contents;
  std::map<std::string, std::uint64_t> places;  // Of each key's newest record.
};

// 900 writes over 300 keys, removals, batches; several segments. With checkpoints most of it lies before the journal.
Sample sample(bool with_checkpoints = false) {
  os::SimDisk disk({.seed = 3});
  auto bucket = KVB_MUST(create_with(disk.environment(), "a.kvb"));
  Sample made;
  std::mt19937 random(5);
  for (int i = 0; i < 900; ++i) {
    const std::string key = "key " + std::to_string(random() % 300);
    if (with_checkpoints && i % 250 == 249) KVB_MUST(bucket.checkpoint());
    const std::string value = std::to_string(i) + std::string(random() % 200, 'v');
    if (i % 10 == 0) {
      (void)KVB_MUST(bucket.remove(key));
      made.contents.erase(key);
    } else if (i % 7 == 0) {
      Batch batch;
      batch.put(key, value);
      batch.put(key + "/twin", value);
      KVB_MUST(bucket.write(batch));
      made.contents[key] = made.contents[key + "/twin"] = value;
    } else {
      EXPECT_TRUE(KVB_MUST(bucket.put(key, value)));
      made.contents[key] = value;
    }
  }
  EXPECT_GT(bucket.stats().segments, 3u);
  KVB_MUST(bucket.close());
  made.bytes = disk.contents("a.kvb");
  return made;
}

void destroy(Bytes& bytes, std::uint64_t offset, std::uint64_t length) {
  for (std::uint64_t i = offset; i < offset + length && i < bytes.size(); ++i) bytes[i] ^= std::byte{0x5A};
}

// All pages of one kind.
void destroy_page(Bytes& bytes, format::PageType type) {
  for (std::uint64_t at = format::kHeadBytes; at + format::kPageBytes <= bytes.size(); at += format::kPageBytes) {
    const auto header = format::decode_page_header(
        std::span<const std::byte, format::kPageHeaderBytes>(bytes.data() + at, format::kPageHeaderBytes));
    if (header && header->type == type) destroy(bytes, at + 200, 1);
  }
}

// The places of all segment headers in a file, in the order in which the segments were made.
std::vector<std::pair<std::uint64_t, format::SegmentHeader>> segments_of(const Bytes& bytes) {
  std::vector<std::pair<std::uint64_t, format::SegmentHeader>> found;
  for (std::uint64_t at = format::kHeadBytes; at + format::kSegmentHeaderBytes <= bytes.size();
       at += format::kPageBytes) {
    const auto header = format::decode_segment_header(
        std::span<const std::byte, format::kSegmentHeaderBytes>(bytes.data() + at, format::kSegmentHeaderBytes));
    if (header) found.emplace_back(at, *header);
  }
  std::ranges::sort(found, {}, [](const auto& one) { return one.second.link.id; });
  return found;
}

std::uint64_t find(const Bytes& bytes, const std::string& text, bool last = true) {
  const auto wanted = std::as_bytes(std::span(text));
  const auto found = last ? std::ranges::find_end(bytes, wanted) : std::ranges::search(bytes, wanted);
  EXPECT_FALSE(found.empty()) << text;
  return static_cast<std::uint64_t>(found.begin() - bytes.begin());
}

// Whether there were checkpoints.
class RepairOf : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Samples, RepairOf, ::testing::Bool(),
                         [](const auto& of) { return of.param ? "checkpoints" : "journal"; });

TEST_P(RepairOf, an_undamaged_bucket_comes_back_whole) {
  const Sample original = sample(GetParam());
  const auto result = repaired(original.bytes);
  EXPECT_EQ(result.contents, original.contents);
  EXPECT_TRUE(result.report.lossless()) << result.report.losses.front().message;
}

TEST_P(RepairOf, a_dry_run_writes_nothing) {
  const Sample original = sample(GetParam());
  os::SimDisk disk;
  disk.put_file("a.kvb", original.bytes);
  const auto report = KVB_MUST(repair_with(disk.environment(), "a.kvb", "new.kvb", {.dry_run = true}));
  EXPECT_EQ(report.keys, original.contents.size());
  EXPECT_FALSE(disk.exists("new.kvb"));
}

TEST_P(RepairOf, ten_damaged_places_cost_only_the_records_they_hit) {
  const Sample original = sample(GetParam());
  Bytes bytes = original.bytes;
  Map expected = original.contents;
  std::mt19937 random(6);
  std::size_t hit = 0;
  std::set<std::uint64_t> places;
  while (hit < 10) {
    // The newest record of a key, hit in its value: the key is gone, or an older value of it comes back.
    auto it = original.contents.begin();
    std::advance(it, random() % original.contents.size());
    if (it->second.size() < 12 || it->first.ends_with("/twin") || original.contents.contains(it->first + "/twin"))
      continue;
    const std::uint64_t at = find(bytes, it->first + it->second) + it->first.size() + 3;
    if (!places.insert(at).second) continue;
    destroy(bytes, at, 1);
    expected.erase(it->first);
    ++hit;
  }
  const auto result = repaired(bytes);
  EXPECT_EQ(result.report.losses.size(), 10u);
  for (const auto& loss : result.report.losses) {
    EXPECT_TRUE(loss.key_hash.has_value()) << loss.message;
    EXPECT_TRUE(std::ranges::any_of(
        places,
        [&](std::uint64_t at) { return at >= loss.offset_bytes && at < loss.offset_bytes + loss.length_bytes; }))
        << "the loss at " << loss.offset_bytes << " is not where the damage is";
  }
  for (const auto& [key, value] : expected) {
    ASSERT_TRUE(result.contents.contains(key)) << key;
    EXPECT_EQ(result.contents.at(key), value);
  }
}

TEST_P(RepairOf, damaged_headers_and_long_stretches_are_skipped) {
  const Sample original = sample(GetParam());
  Bytes bytes = original.bytes;
  const auto segments = segments_of(bytes);
  destroy(bytes, segments[1].first + 2000, 700);
  const auto result = repaired(bytes);
  ASSERT_EQ(result.report.losses.size(), 1u) << result.report.losses.back().message;
  EXPECT_LE(result.report.losses[0].offset_bytes, segments[1].first + 2000);
  EXPECT_GE(result.report.losses[0].offset_bytes + result.report.losses[0].length_bytes, segments[1].first + 2700);
  std::size_t different = 0;
  for (const auto& [key, value] : original.contents) {
    different += !result.contents.contains(key) || result.contents.at(key) != value ? 1 : 0;
  }
  EXPECT_LE(different, 12u) << "700 bytes hold no more records than that";
}

TEST_P(RepairOf, R5_works_without_head) {
  const Sample original = sample(GetParam());
  Bytes bytes = original.bytes;
  std::fill_n(bytes.begin(), format::kHeadBytes, std::byte{0});
  const auto result = repaired(bytes);
  EXPECT_EQ(result.contents, original.contents);
  EXPECT_FALSE(result.report.lossless());
}

TEST_P(RepairOf, a_damaged_segment_header_costs_nothing_as_long_as_a_link_names_it) {
  const Sample original = sample(GetParam());
  const auto segments = segments_of(original.bytes);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    Bytes bytes = original.bytes;
    destroy(bytes, segments[i].first + 40, 1);
    const auto result = repaired(bytes);
    EXPECT_EQ(result.report.losses.size(), 1u) << "segment " << i;
    EXPECT_EQ(result.report.losses.front().offset_bytes, segments[i].first);
    EXPECT_EQ(result.contents, original.contents) << "segment " << i;
  }
}

TEST_P(RepairOf, a_segment_without_header_and_link_costs_itself_only) {
  const Sample original = sample(GetParam());
  const auto segments = segments_of(original.bytes);
  ASSERT_GT(segments.size(), 3u);
  Bytes bytes = original.bytes;
  destroy(bytes, segments[1].first + 40, 1);
  // The footer of segment 0, which names it.
  destroy(bytes, segments[0].first + segments[0].second.size_bytes - 100, 1);
  // And the segment table.
  if (GetParam()) destroy_page(bytes, format::PageType::segment_table);
  const auto result = repaired(bytes);
  EXPECT_FALSE(result.report.lossless());
  EXPECT_EQ(result.report.segments, segments.size() - 1);
  EXPECT_GT(result.contents.size(), original.contents.size() / 2);
}

TEST_P(RepairOf, a_damaged_footer_costs_nothing) {
  const Sample original = sample(GetParam());
  const auto segments = segments_of(original.bytes);
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    Bytes bytes = original.bytes;
    destroy(bytes, segments[i].first + segments[i].second.size_bytes - 100, 1);
    const auto result = repaired(bytes);
    EXPECT_EQ(result.contents, original.contents) << "footer " << i;
    ASSERT_EQ(result.report.losses.size(), 1u);
  }
}

TEST(Repair, R19_what_lies_behind_a_cut_stays_dead) {
  // A batch whose write fails half way leaves whole records in the file. They failed: they must not come back.
  os::SimDisk disk({.seed = 4});
  auto bucket = KVB_MUST(create_with(disk.environment(), "a.kvb"));
  EXPECT_TRUE(KVB_MUST(bucket.put("good", "1")));
  disk.inject({.call = os::SimCall::write, .effect = os::Fault::Effect::partial});
  Batch failing;
  for (int i = 0; i < 20; ++i) failing.put("failed " + std::to_string(i), "x");
  EXPECT_FALSE(bucket.write(failing).has_value());
  disk.clear_faults();
  EXPECT_TRUE(KVB_MUST(bucket.put("later", "2")));
  KVB_MUST(bucket.close());
  const auto result = repaired(disk.contents("a.kvb"));
  EXPECT_EQ(result.contents, (Map{{"good", "1"}, {"later", "2"}}));
  EXPECT_TRUE(result.report.lossless()) << result.report.losses.front().message;
}

TEST(Repair, removed_and_expired_keys_stay_away_and_expiries_are_kept) {
  os::SimDisk disk({.seed = 4});
  auto bucket = KVB_MUST(create_with(disk.environment(), "a.kvb"));
  EXPECT_TRUE(KVB_MUST(bucket.put("removed", "1")));
  EXPECT_TRUE(KVB_MUST(bucket.remove("removed")));
  EXPECT_TRUE(KVB_MUST(bucket.put("expired", "old")));
  EXPECT_TRUE(KVB_MUST(bucket.put("expired", "new", {.ttl_seconds = 5})));
  EXPECT_TRUE(KVB_MUST(bucket.put("lives", "1", {.ttl_seconds = 100, .kind = ValueKind::text})));
  KVB_MUST(bucket.close());
  disk.advance(std::chrono::seconds(10));
  const auto report = KVB_MUST(repair_with(disk.environment(), "a.kvb", "b.kvb"));
  EXPECT_EQ(report.keys, 1u);
  auto fixed = KVB_MUST(open_with(disk.environment(), "b.kvb"));
  EXPECT_EQ(everything(fixed), (Map{{"lives", "1"}}));
  EXPECT_EQ(KVB_MUST(fixed.get("lives"))->kind, ValueKind::text);
  disk.advance(std::chrono::seconds(89));
  EXPECT_TRUE(KVB_MUST(fixed.contains("lives")));
  disk.advance(std::chrono::seconds(1));
  EXPECT_FALSE(KVB_MUST(fixed.contains("lives")));
}

TEST(Repair, needs_no_page_of_the_index) {
  const Sample original = sample(true);
  for (const auto type : {format::PageType::root, format::PageType::checksums, format::PageType::hash_slots,
                          format::PageType::key_leaf, format::PageType::segment_table}) {
    Bytes bytes = original.bytes;
    destroy_page(bytes, type);
    const auto result = repaired(bytes);
    EXPECT_EQ(result.contents, original.contents) << "pages of type " << static_cast<int>(type);
  }
}

TEST(Repair, says_clearly_what_it_cannot_do) {
  os::SimDisk disk;
  const std::string text = "Just some text, and not a bucket.";
  disk.put_file("text", std::as_bytes(std::span(text)));
  EXPECT_CODE(repair_with(disk.environment(), "text", "new.kvb"), not_a_bucket);
  EXPECT_FALSE(disk.exists("new.kvb"));
  EXPECT_CODE(repair_with(disk.environment(), "missing", "new.kvb"), not_found);
  disk.put_file("a.kvb", sample().bytes);
  disk.put_file("there", std::as_bytes(std::span(text)));
  EXPECT_CODE(repair_with(disk.environment(), "a.kvb", "there"), already_exists);
  auto writer = KVB_MUST(open_with(disk.environment(), "a.kvb"));
  EXPECT_CODE(repair_with(disk.environment(), "a.kvb", "new.kvb"), busy);
}

TEST(Repair, no_changed_byte_makes_it_invent_anything) {
  // Every value that a key ever had is right; anything else would be invented.
  os::SimDisk disk({.seed = 12});
  auto bucket = KVB_MUST(create_with(disk.environment(), "a.kvb"));
  std::map<std::string, std::set<std::string>> ever;
  for (int i = 0; i < 12; ++i) {
    const std::string key = "k" + std::to_string(i % 5);
    const std::string value = "value " + std::to_string(i);
    EXPECT_TRUE(KVB_MUST(bucket.put(key, value)));
    ever[key].insert(value);
  }
  KVB_MUST(bucket.close());
  const Bytes bytes = disk.contents("a.kvb");
  std::size_t damages = 0;
  for (std::uint64_t at = 0; at < bytes.size(); at += at < format::kHeadBytes ? 97 : 1) {
    Bytes damaged = bytes;
    damaged[at] ^= std::byte{0xFF};
    const auto result = repaired(damaged);
    ++damages;
    for (const auto& [key, value] : result.contents) {
      ASSERT_TRUE(ever.contains(key) && ever[key].contains(value))
          << "byte " << at << " gave " << key << " = " << value;
    }
    EXPECT_GE(result.contents.size() + result.report.losses.size(), 5u) << "byte " << at;
  }
  EXPECT_GT(damages, 1000u);
}

}  // namespace
}  // namespace kvb
