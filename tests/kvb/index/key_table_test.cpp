#include "kvb/index/key_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"

namespace kvb::index {
namespace {

using Keys = std::set<std::string>;

class KeyTableTest : public ::testing::Test {
 protected:
  void SetUp() override { file_ = KVB_MUST(disk_.environment().open("table", os::OpenMode::create_new)); }

  std::unique_ptr<KeyTable> build(const Keys& keys) {
    space::PageRunWriter run(*file_, format::Uuid{}, 1, [this](std::uint64_t count) -> Result<std::uint64_t> {
      const std::uint64_t at = end_;
      end_ += count * format::kPageBytes;
      if (auto done = file_->allocate(at, count * format::kPageBytes); !done) return std::unexpected(done.error());
      return at;
    });
    KeyTableWriter writer(run);
    for (const auto& key : keys) KVB_MUST(writer.add(key));
    KVB_MUST(writer.finish());
    EXPECT_EQ(writer.keys(), keys.size());
    root_ = KVB_MUST(run.finish());
    taken_ = run.taken();
    return std::make_unique<KeyTable>(KVB_MUST(space::PageRun::open(*file_, format::Uuid{}, root_, 1)));
  }

  static void expect_walks(const KeyTable& table, const Keys& keys) {
    KeyTable::Cursor cursor(table);
    KVB_MUST(cursor.seek_first());
    for (const auto& key : keys) {
      ASSERT_FALSE(cursor.at_end());
      ASSERT_EQ(cursor.key(), key);
      KVB_MUST(cursor.next());
    }
    EXPECT_TRUE(cursor.at_end());
    KVB_MUST(cursor.seek_last());
    for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
      ASSERT_FALSE(cursor.at_end());
      ASSERT_EQ(cursor.key(), *key);
      KVB_MUST(cursor.previous());
    }
    EXPECT_TRUE(cursor.at_end());
  }

  static void expect_seeks(const KeyTable& table, const Keys& keys, const std::string& from) {
    KeyTable::Cursor cursor(table);
    const auto expect_at = [&](Keys::const_iterator wanted, const char* how) {
      if (wanted == keys.end()) {
        EXPECT_TRUE(cursor.at_end()) << how;
      } else {
        ASSERT_FALSE(cursor.at_end()) << how;
        EXPECT_EQ(cursor.key(), *wanted) << how;
      }
    };
    const auto before = [&](Keys::const_iterator it) { return it == keys.begin() ? keys.end() : std::prev(it); };
    KVB_MUST(cursor.seek(from, false));
    expect_at(keys.lower_bound(from), "first at or behind");
    KVB_MUST(cursor.seek(from, true));
    expect_at(keys.upper_bound(from), "first behind");
    KVB_MUST(cursor.seek_back(from, false));
    expect_at(before(keys.upper_bound(from)), "last at or before");
    KVB_MUST(cursor.seek_back(from, true));
    expect_at(before(keys.lower_bound(from)), "last before");
  }

  os::SimDisk disk_{{.seed = 1, .recording = false}};
  std::unique_ptr<os::File> file_;
  std::uint64_t end_ = format::kPageBytes;
  format::Root root_;
  std::vector<space::PageRange> taken_;
};

TEST_F(KeyTableTest, an_empty_table_has_no_keys) {
  const auto table = build({});
  expect_walks(*table, {});
  expect_seeks(*table, {}, "x");
}

TEST_F(KeyTableTest, one_key) {
  const Keys keys{"only"};
  const auto table = build(keys);
  expect_walks(*table, keys);
  for (const char* from : {"a", "only", "z", "onl", "onlyx"}) expect_seeks(*table, keys, from);
}

TEST_F(KeyTableTest, many_keys_that_begin_alike) {
  Keys keys;
  for (int i = 0; i < 50'000; ++i) keys.insert("user:" + std::to_string(i * 7919 % 1'000'003) + ":name");
  const auto table = build(keys);
  expect_walks(*table, keys);
  std::mt19937 random(1);
  for (int i = 0; i < 2'000; ++i) {
    const std::string key = "user:" + std::to_string(random() % 1'000'003) + (i % 2 == 0 ? ":name" : "");
    expect_seeks(*table, keys, key);
  }
  std::size_t bytes = 0;
  for (const auto& range : taken_) bytes += range.pages * format::kPageBytes;
  EXPECT_LT(bytes, keys.size() * 13) << "front coding must pay";
}

TEST_F(KeyTableTest, any_bytes_of_any_length_up_to_the_limit) {
  std::mt19937 random(2);
  Keys keys;
  for (int i = 0; i < 1'500; ++i) {
    // Long common beginnings around the length where keys are cut, long keys, short ones, bytes at both ends.
    std::string key(random() % 3 == 0 ? 990 + random() % 30 : random() % 5, 'p');
    const std::size_t length = 1 + (random() % 50 == 0 ? random() % 60'000 : random() % 40);
    for (std::size_t n = 0; n < length; ++n) key += static_cast<char>("\0\x01p\xFE\xFF"[random() % 5]);
    keys.insert(key.substr(0, 65'535));
  }
  keys.insert(std::string(65'535, 'p'));
  keys.insert(std::string(65'534, 'p'));
  keys.insert(std::string(1000, 'p'));
  keys.insert(std::string(1001, 'p'));
  const auto table = build(keys);
  expect_walks(*table, keys);
  for (const auto& key : keys) expect_seeks(*table, keys, key);
  for (int i = 0; i < 500; ++i) {
    auto it = keys.begin();
    std::advance(it, random() % keys.size());
    std::string near = *it;
    near[random() % near.size()] = static_cast<char>(random());
    expect_seeks(*table, keys, near);
    expect_seeks(*table, keys, it->substr(0, random() % (it->size() + 1)));
  }
}

TEST_F(KeyTableTest, long_keys_that_differ_only_far_behind) {
  Keys keys;
  for (int i = 0; i < 300; ++i) keys.insert(std::string(5'000, 'x') + std::to_string(i) + std::string(3'000, 'y'));
  const auto table = build(keys);
  expect_walks(*table, keys);
  for (const auto& key : keys) expect_seeks(*table, keys, key);
  expect_seeks(*table, keys, std::string(5'000, 'x'));
  expect_seeks(*table, keys, std::string(6'000, 'x'));
}

TEST_F(KeyTableTest, R4_a_damaged_page_is_an_error_and_never_another_key) {
  Keys keys;
  for (int i = 0; i < 5'000; ++i) keys.insert("key " + std::to_string(i) + std::string(i % 700 == 0 ? 3'000 : 0, 'l'));
  (void)build(keys);
  const auto bytes = disk_.contents("table");
  std::mt19937 random(4);
  for (int i = 0; i < 300; ++i) {
    const auto& range = taken_[random() % taken_.size()];
    const std::uint64_t at = range.paddr + random() % (range.pages * format::kPageBytes);
    const std::byte wrong = bytes[at] ^ static_cast<std::byte>(1u << random() % 8);
    KVB_MUST(file_->write(at, {&wrong, 1}));
    auto run = space::PageRun::open(*file_, format::Uuid{}, root_, 1);
    bool noticed = !run.has_value();
    if (run) {
      const KeyTable table(std::move(*run));
      KeyTable::Cursor cursor(table);
      auto moved = cursor.seek_first();
      while (moved && !cursor.at_end()) {
        ASSERT_TRUE(keys.contains(std::string(cursor.key())));
        moved = cursor.next();
      }
      noticed = !moved.has_value();
    }
    // The checksum page may be hit in a place that belongs to no page.
    const bool unused = at >= taken_[0].paddr && at < taken_[0].paddr + format::kPageBytes;
    EXPECT_TRUE(noticed || unused) << "byte " << at;
    KVB_MUST(file_->write(at, {&bytes[at], 1}));
  }
}

}  // namespace
}  // namespace kvb::index
