// A walk in steps must show what one scan shows, for every range, direction and limit, and whatever happens meanwhile.
#include "wfl/keystore/range_walk.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace wfl::keystore {
namespace {

class RangeWalkTest : public ::testing::Test {
 protected:
  RangeWalkTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "wfl-walk-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    bucket_.emplace(*kvb::Bucket::create(folder_ + "/a.kvb", {.durability = kvb::Durability::relaxed}));
  }
  ~RangeWalkTest() override {
    bucket_.reset();
    std::filesystem::remove_all(folder_);
  }

  // Keys of all sorts: some are the beginning of the next, some hold zeros and the highest byte.
  void fill(int count, std::size_t value_bytes) {
    kvb::Batch batch;
    for (int i = 0; i < count; ++i) {
      const std::string number = std::to_string(100000 + i);
      batch.put("k" + number, std::string(value_bytes, 'a'));
      if (i % 7 == 0) batch.put("k" + number + '\0', "zero", {.kind = kvb::ValueKind::text});
      if (i % 11 == 0) batch.put("k" + number + "\xFF\xFF", "high", {.ttl_seconds = 3600});
    }
    ASSERT_TRUE(bucket_->write(batch).value_or(false));
  }

  std::shared_ptr<const kvb::Snapshot> snapshot() {
    return std::make_shared<const kvb::Snapshot>(std::move(*bucket_->snapshot()));
  }

  static std::vector<std::string> keys_of(RangeWalk& walk) {
    std::vector<std::string> keys;
    for (;;) {
      auto entry = walk.next();
      EXPECT_TRUE(entry.has_value()) << entry.error().message;
      if (!entry || !*entry) return keys;
      keys.push_back((*entry)->key + "=" + (*entry)->value.bytes.substr(0, 4));
    }
  }

  std::vector<std::string> keys_of_scan(const kvb::ScanOptions& options) {
    std::vector<std::string> keys;
    const auto found = bucket_->scan(options);
    EXPECT_TRUE(found.has_value());
    for (const kvb::Entry& entry : *found) {
      keys.push_back(entry.key + "=" + entry.value.bytes.substr(0, 4));
    }
    return keys;
  }

  std::string folder_;
  std::optional<kvb::Bucket> bucket_;
};

TEST_F(RangeWalkTest, ShowsWhatAScanShows) {
  fill(3000, 20);
  std::vector<kvb::ScanOptions> ranges(6);
  ranges[1].prefix = "k1005";
  ranges[2].from = "k100100";
  ranges[3].to = "k102900";
  ranges[4].from = "k100100";
  ranges[4].to = "k100117";
  ranges[5].prefix = "nothing";
  for (kvb::ScanOptions& range : ranges) {
    for (const bool reverse : {false, true}) {
      range.reverse = reverse;
      for (const std::uint64_t limit : {UINT64_MAX, std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{16},
                                        std::uint64_t{17}, std::uint64_t{48}, std::uint64_t{1500}}) {
        range.limit = limit;
        RangeWalk walk(snapshot(), range);
        EXPECT_EQ(keys_of(walk), keys_of_scan(range)) << range.prefix << " reverse " << reverse << " limit " << limit;
        EXPECT_EQ(keys_of(walk), std::vector<std::string>());  // And at its end it stays.
      }
    }
  }
}

TEST_F(RangeWalkTest, KeepsLittleAtATime) {
  fill(200, 100'000);
  RangeWalk walk(snapshot(), {});
  std::size_t most = 0;
  std::size_t seen = 0;
  for (auto entry = walk.next(); entry && *entry; entry = walk.next(), ++seen) most = std::max(most, walk.bytes());
  EXPECT_GE(seen, 200U);
  EXPECT_LE(most, 1'300'000U);
  EXPECT_GE(most, 100'000U);
  EXPECT_EQ(walk.bytes(), 0U);
}

TEST_F(RangeWalkTest, SeesOneStateWhateverIsWritten) {
  fill(3000, 20);
  for (const bool reverse : {false, true}) {
    const kvb::ScanOptions options{.reverse = reverse};
    const std::vector<std::string> expected = keys_of_scan(options);
    RangeWalk walk(snapshot(), options);
    std::vector<std::string> seen;
    for (int i = 0;; ++i) {
      auto entry = walk.next();
      ASSERT_TRUE(entry.has_value()) << entry.error().message;
      if (!*entry) break;
      seen.push_back((*entry)->key + "=" + (*entry)->value.bytes.substr(0, 4));
      // Of all keys, those before it and those behind it.
      ASSERT_TRUE(bucket_->put("k" + std::to_string(100000 + (i * 37) % 3000), "changed").has_value());
      ASSERT_TRUE(bucket_->put("k" + std::to_string(100000 + (i * 41) % 3000) + "new", "new").has_value());
      if (i % 500 == 0) {
        ASSERT_TRUE(bucket_->checkpoint().has_value());
      }
    }
    EXPECT_EQ(seen, expected);
  }
}

TEST_F(RangeWalkTest, IsReadToTheEndBeforeItsBucketIsClosed) {
  fill(3000, 20);
  for (const std::uint64_t limit : {UINT64_MAX, std::uint64_t{2000}}) {
    const kvb::ScanOptions options{.reverse = true, .limit = limit};
    const std::vector<std::string> expected = keys_of_scan(options);
    RangeWalk walk(snapshot(), options);
    std::vector<std::string> seen;
    for (int i = 0; i < 50; ++i) {
      const auto entry = walk.next();
      ASSERT_TRUE(entry && *entry);
      seen.push_back((*entry)->key + "=" + (*entry)->value.bytes.substr(0, 4));
    }
    walk.read_to_the_end();
    walk.read_to_the_end();  // Nothing is left to read.
    if (limit != UINT64_MAX) {
      ASSERT_TRUE(bucket_->close().has_value());
    }
    for (std::string& key : keys_of(walk)) seen.push_back(std::move(key));
    EXPECT_EQ(seen, expected);
  }
}

TEST_F(RangeWalkTest, TellsAFailureWhereItIsAndNotBefore) {
  fill(100, 20);
  RangeWalk walk(snapshot(), {});
  for (int i = 0; i < 5; ++i) {
    const auto entry = walk.next();
    ASSERT_TRUE(entry && *entry);
  }
  ASSERT_TRUE(bucket_->close().has_value());
  walk.read_to_the_end();  // Too late.
  for (int i = 5; i < 16; ++i) {
    const auto entry = walk.next();
    ASSERT_TRUE(entry && *entry) << i;
  }
  for (int i = 0; i < 2; ++i) {
    const auto entry = walk.next();
    ASSERT_FALSE(entry.has_value());
    EXPECT_EQ(entry.error().code, kvb::ErrorCode::closed);
  }
  walk.stop();
  const auto entry = walk.next();
  EXPECT_TRUE(entry && !*entry);
}

}  // namespace
}  // namespace wfl::keystore
