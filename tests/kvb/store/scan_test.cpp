// Scans over records that lie in the order of their keys, where the index is not asked for each of them.
#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include <algorithm>
#include <map>
#include <random>
#include <ranges>

#include "kvb/api/bucket_access.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"
#include "kvb/support/temp_folder.h"

namespace kvb {
namespace {

using Map = std::map<std::string, std::string>;

std::string key(int i) {
  return "key " + std::to_string(100'000 + i);
}

void expect_scans_to_give(const Bucket& bucket, const Map& expected) {
  std::vector<std::string> keys;
  for (const bool reverse : {false, true}) {
    Map found;
    keys.clear();
    for (auto& entry : KVB_MUST(bucket.scan({.reverse = reverse}))) {
      keys.push_back(entry.key);
      found[entry.key] = std::move(entry.value.bytes);
    }
    EXPECT_EQ(found, expected);
    EXPECT_EQ(keys.size(), expected.size());
    if (reverse) {
      EXPECT_TRUE(std::ranges::is_sorted(keys, std::ranges::greater{}));
    } else {
      EXPECT_TRUE(std::ranges::is_sorted(keys));
    }
  }
  keys.clear();
  for (auto& entry : KVB_MUST(bucket.scan({.keys_only = true}))) {
    EXPECT_TRUE(entry.value.bytes.empty());
    keys.push_back(entry.key);
  }
  EXPECT_TRUE(std::ranges::equal(keys, expected | std::views::keys));
}

// Records of like and of unlike length; written anew, removed, added, in a delta and in the base; in one segment and in
// several.
TEST(ClusteredScan, gives_the_newest_values_whatever_lies_beside_them) {
  for (const bool equal_lengths : {true, false}) {
    const testing::TempFolder folder;
    auto bucket = KVB_MUST(Bucket::open_or_create(folder / "a.kvb", {.durability = Durability::relaxed}));
    Map expected;
    std::mt19937 random(7);
    const auto put = [&](int i, const std::string& value) {
      EXPECT_TRUE(KVB_MUST(bucket.put(key(i), value)));
      expected[key(i)] = value;
    };
    const auto value = [&] {
      return std::string(equal_lengths ? 50 : random() % 200, static_cast<char>('a' + random() % 26));
    };
    for (int i = 0; i < 5'000; ++i) put(i, value());
    EXPECT_FINE(bucket.compact({.strategy = CompactStrategy::full}));
    expect_scans_to_give(bucket, expected);
    // In the delta only, then in the base beside the clustered ones.
    for (int round = 0; round < 4; ++round) {
      for (int n = 0; n < 300; ++n) put(static_cast<int>(random() % 6'000), value());
      for (int n = 0; n < 100; ++n) {
        const int i = static_cast<int>(random() % 6'000);
        EXPECT_FINE(bucket.remove(key(i)));
        expected.erase(key(i));
      }
      expect_scans_to_give(bucket, expected);
      EXPECT_FINE(bucket.checkpoint());
      expect_scans_to_give(bucket, expected);
      if (round == 2) EXPECT_FINE(bucket.compact({.strategy = CompactStrategy::aggressive}));
      expect_scans_to_give(bucket, expected);
    }
    EXPECT_FINE(bucket.close());
    bucket = KVB_MUST(Bucket::open(folder / "a.kvb", {.read_only = true}));
    expect_scans_to_give(bucket, expected);
    EXPECT_TRUE(KVB_MUST(bucket.verify()).ok());
  }
}

TEST(ClusteredScan, R18_names_a_damaged_record_and_gives_its_neighbours) {
  const testing::TempFolder folder;
  const std::string path = folder / "a.kvb";
  auto bucket = KVB_MUST(Bucket::create(path));
  for (int i = 0; i < 500; ++i) {
    EXPECT_TRUE(KVB_MUST(bucket.put(key(i), "value " + std::to_string(100'000 + i) + " of it")));
  }
  EXPECT_FINE(bucket.compact({.strategy = CompactStrategy::full}));
  EXPECT_FINE(bucket.close());
  std::string bytes = testing::read_whole_file(path);
  for (std::size_t at = bytes.find("value 100250"); at != std::string::npos; at = bytes.find("value 100250", at + 1)) {
    bytes[at + 7] = '9';
  }
  testing::write_whole_file(path, bytes);
  bucket = KVB_MUST(Bucket::open(path, {.read_only = true}));
  std::size_t seen = 0;
  const auto scanned = bucket.scan({}, [&](Entry&& entry) {
    EXPECT_NE(entry.key, key(250));
    ++seen;
    return true;
  });
  ASSERT_FALSE(scanned.has_value());
  EXPECT_EQ(scanned.error().code, ErrorCode::damaged);
  EXPECT_EQ(seen, 499u);
}

// Of a base in which something may expire the records are looked at, and of none in which nothing can.
TEST(ScanKeys, R10_keys_alone_never_show_what_has_expired) {
  os::SimDisk disk({.seed = 5, .recording = false});
  auto bucket = KVB_MUST(create_with(disk.environment(), "a.kvb"));
  const auto keys = [&] {
    std::vector<std::string> found;
    for (auto& entry : KVB_MUST(bucket.scan({.keys_only = true}))) found.push_back(std::move(entry.key));
    return found;
  };
  for (int i = 0; i < 500; ++i) KVB_MUST(bucket.put("k" + std::to_string(1'000 + i), std::string(50, 'v')));
  KVB_MUST(bucket.checkpoint());
  EXPECT_EQ(keys().size(), 500u);
  // In the delta, then in the base.
  KVB_MUST(bucket.put("k1005", "soon", {.ttl_seconds = 10}));
  EXPECT_EQ(keys().size(), 500u);
  disk.advance(std::chrono::seconds(5));
  KVB_MUST(bucket.checkpoint());
  EXPECT_EQ(keys().size(), 500u);
  disk.advance(std::chrono::seconds(6));
  EXPECT_EQ(keys().size(), 499u);
  EXPECT_EQ(KVB_MUST(bucket.count()), 499u);
  // And after everything was moved.
  KVB_MUST(bucket.put("k1006", "later", {.ttl_seconds = 100}));
  for (int i = 0; i < 3; ++i) {
    KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
    EXPECT_EQ(keys().size(), 499u);
  }
  disk.advance(std::chrono::seconds(101));
  EXPECT_EQ(keys().size(), 498u);
  for (int i = 0; i < 3; ++i) KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  KVB_MUST(bucket.put("k1007", "x", {.ttl_seconds = 1}));
  KVB_MUST(bucket.close());
  disk.advance(std::chrono::seconds(2));
  bucket = KVB_MUST(open_with(disk.environment(), "a.kvb"));
  EXPECT_EQ(keys().size(), 497u);
}

}  // namespace
}  // namespace kvb
