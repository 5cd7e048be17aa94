// Every method of Bucket, seen from outside, on the real disk.
#include <gtest/gtest.h>
#include <kvb/bucket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "kvb/support/expect.h"
#include "kvb/support/temp_folder.h"

namespace kvb::testing {
namespace {

class BucketTest : public ::testing::Test {
 protected:
  TempFolder folder_;
  std::string path_ = folder_ / "test.kvb";
  Bucket bucket_ = KVB_MUST(Bucket::create(path_));

  std::optional<std::string> value(const std::string& key) {
    const auto found = KVB_MUST(bucket_.get(key));
    return found ? std::optional(found->bytes) : std::nullopt;
  }
  std::vector<std::string> keys(const ScanOptions& options = {}) {
    std::vector<std::string> all;
    for (const auto& entry : KVB_MUST(bucket_.scan(options))) all.push_back(entry.key);
    return all;
  }
  using Keys = std::vector<std::string>;
};

TEST_F(BucketTest, Put_get_remove) {
  EXPECT_EQ(value("a"), std::nullopt);
  EXPECT_TRUE(KVB_MUST(bucket_.put("a", "1")));
  EXPECT_EQ(value("a"), "1");
  EXPECT_TRUE(KVB_MUST(bucket_.put("a", "2", {.kind = ValueKind::json})));
  const auto found = KVB_MUST(bucket_.get("a"));
  EXPECT_EQ(found->bytes, "2");
  EXPECT_EQ(found->kind, ValueKind::json);
  EXPECT_EQ(found->ttl_seconds, 0u);
  EXPECT_EQ(found->expires_at_ns(), std::nullopt);
  EXPECT_TRUE(KVB_MUST(bucket_.contains("a")));
  EXPECT_TRUE(KVB_MUST(bucket_.remove("a")));
  EXPECT_FALSE(KVB_MUST(bucket_.remove("a")));
  EXPECT_FALSE(KVB_MUST(bucket_.contains("a")));
  EXPECT_EQ(value("a"), std::nullopt);
}

TEST_F(BucketTest, Everything_is_there_after_opening_again) {
  KVB_MUST(bucket_.put("a", "1", {.kind = ValueKind::text}));
  KVB_MUST(bucket_.put("b", ""));
  KVB_MUST(bucket_.put("gone", "x"));
  KVB_MUST(bucket_.remove("gone"));
  const auto before = KVB_MUST(bucket_.get("a"));
  ASSERT_FINE(bucket_.close());
  bucket_ = KVB_MUST(Bucket::open(path_));
  EXPECT_EQ(keys(), (Keys{"a", "b"}));
  const auto after = KVB_MUST(bucket_.get("a"));
  EXPECT_EQ(after->bytes, "1");
  EXPECT_EQ(after->kind, ValueKind::text);
  EXPECT_EQ(after->seqno, before->seqno);
  EXPECT_EQ(after->written_at_ns, before->written_at_ns);
  EXPECT_EQ(value("b"), "");
}

TEST_F(BucketTest, Limits_of_keys) {
  for (const std::size_t length : {1u, 2u, 65'534u, 65'535u}) {
    EXPECT_FINE(bucket_.put(std::string(length, 'k'), "v"));
    EXPECT_TRUE(KVB_MUST(bucket_.contains(std::string(length, 'k'))));
  }
  for (const std::size_t length : {0u, 65'536u, 70'000u}) {
    const std::string key(length, 'k');
    const auto put = bucket_.put(key, "v");
    EXPECT_CODE(put, invalid_argument);
    EXPECT_NE(put.error().message.find("65535"), std::string::npos) << put.error().message;
    EXPECT_CODE(bucket_.remove(key), invalid_argument);
    Batch batch;
    batch.put("fine", "v");
    batch.put(key, "v");
    EXPECT_CODE(bucket_.write(batch), invalid_argument);
  }
  EXPECT_FALSE(KVB_MUST(bucket_.contains("fine"))) << "part of a refused batch was written";
  EXPECT_EQ(KVB_MUST(bucket_.count()), 4u);
}

TEST_F(BucketTest, Values_of_many_sizes) {
  for (const std::size_t length :
       {0u, 1u, 15u, 16u, 29u, 30u, 4'095u, 4'096u, 65'536u, 1'048'575u, 1'048'576u, 1'048'577u, 9'000'000u}) {
    std::string bytes(length, '\0');
    for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<char>(i * 31 + length);
    const std::string key = std::to_string(length);
    ASSERT_FINE(bucket_.put(key, bytes));
    ASSERT_EQ(value(key), bytes) << length;
  }
  ASSERT_FINE(bucket_.close());
  bucket_ = KVB_MUST(Bucket::open(path_));
  EXPECT_EQ(value("9000000")->size(), 9'000'000u);
  EXPECT_EQ(value("1048577")->size(), 1'048'577u);
  const auto report = KVB_MUST(bucket_.verify());
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.keys, 13u);
}

TEST_F(BucketTest, Keys_are_any_bytes_in_byte_order) {
  const Keys all{std::string("\0", 1),
                 std::string("\0\0", 2),
                 "A",
                 "a",
                 "a\xFF",
                 "ab",
                 "b",
                 "\x7F",
                 "\x80",
                 "\xC3\xA4",
                 "\xFF",
                 "\xFF\xFF"};
  Keys sorted = all;
  std::ranges::sort(sorted, [](const std::string& x, const std::string& y) {
    return std::ranges::lexicographical_compare(
        x, y, [](char c, char d) { return static_cast<unsigned char>(c) < static_cast<unsigned char>(d); });
  });
  for (const auto& key : all) KVB_MUST(bucket_.put(key, key));
  EXPECT_EQ(keys(), sorted);
  std::ranges::reverse(sorted);
  EXPECT_EQ(keys({.reverse = true}), sorted);
}

TEST_F(BucketTest, Scans_by_prefix_range_limit_and_direction) {
  for (const char* const key : {"a", "b/1", "b/2", "b/3", "b\xFF", "c"}) KVB_MUST(bucket_.put(key, key));
  EXPECT_EQ(keys({.prefix = "b/"}), (Keys{"b/1", "b/2", "b/3"}));
  EXPECT_EQ(keys({.prefix = "b/", .reverse = true, .limit = 2}), (Keys{"b/3", "b/2"}));
  EXPECT_EQ(keys({.prefix = "b\xFF"}), (Keys{"b\xFF"}));
  EXPECT_EQ(keys({.prefix = "nothing"}), Keys{});
  EXPECT_EQ(keys({.from = "b/2", .to = "c"}), (Keys{"b/2", "b/3", "b\xFF", "c"}));
  EXPECT_EQ(keys({.from = "b/2", .to = "b/2"}), (Keys{"b/2"}));
  EXPECT_EQ(keys({.from = "c", .to = "a"}), Keys{});
  EXPECT_EQ(keys({.prefix = "b", .from = "b/3"}), (Keys{"b/3", "b\xFF"}));
  EXPECT_EQ(keys({.limit = 0}), Keys{});
  EXPECT_EQ(KVB_MUST(bucket_.count({.prefix = "b/"})), 3u);
  EXPECT_EQ(KVB_MUST(bucket_.count({.limit = 2})), 2u);
  const auto only_keys = KVB_MUST(bucket_.scan({.prefix = "c", .keys_only = true}));
  ASSERT_EQ(only_keys.size(), 1u);
  EXPECT_EQ(only_keys[0].value.bytes, "");
  EXPECT_EQ(only_keys[0].value.seqno, 0u) << "nothing of the values";
}

TEST_F(BucketTest, A_scan_shows_one_state_while_others_write) {
  for (int i = 0; i < 100; ++i) KVB_MUST(bucket_.put("k" + std::to_string(1'000 + i), "old"));
  std::uint64_t seen = 0;
  ASSERT_FINE(bucket_.scan({}, [&](Entry&& entry) {
    EXPECT_EQ(entry.value.bytes, "old");
    if (seen == 0) {
      for (int i = 0; i < 100; ++i) KVB_MUST(bucket_.put("k" + std::to_string(1'000 + i), "new"));
      KVB_MUST(bucket_.put("k0", "new"));
      KVB_MUST(bucket_.put("k9", "new"));
      KVB_MUST(bucket_.remove("k1050"));
    }
    ++seen;
    return true;
  }));
  EXPECT_EQ(seen, 100u);
  EXPECT_EQ(KVB_MUST(bucket_.count()), 101u);
}

TEST_F(BucketTest, Conditions) {
  EXPECT_FALSE(KVB_MUST(bucket_.put("a", "1", {.condition = PutIf::present})));
  EXPECT_TRUE(KVB_MUST(bucket_.put("a", "1", {.condition = PutIf::missing})));
  EXPECT_FALSE(KVB_MUST(bucket_.put("a", "2", {.condition = PutIf::missing})));
  EXPECT_EQ(value("a"), "1");
  EXPECT_TRUE(KVB_MUST(bucket_.put("a", "3", {.condition = PutIf::present})));
  EXPECT_EQ(value("a"), "3");
}

TEST_F(BucketTest, Batches_are_applied_in_order_and_whole) {
  Batch batch;
  EXPECT_TRUE(batch.empty());
  ASSERT_FINE(bucket_.write(batch));
  batch.put("a", "1");
  batch.put("b", "2", {.kind = ValueKind::text});
  batch.remove("a");
  batch.put("c", "3");
  batch.put("c", "4");
  batch.remove("never there");
  EXPECT_EQ(batch.size(), 6u);
  ASSERT_FINE(bucket_.write(batch));
  EXPECT_EQ(keys(), (Keys{"b", "c"}));
  EXPECT_EQ(value("c"), "4");
  batch.clear();
  EXPECT_TRUE(batch.empty());
  Batch again;
  again.remove("b");
  again.put("b", "back");
  ASSERT_FINE(bucket_.write(again));
  EXPECT_EQ(value("b"), "back");
}

TEST_F(BucketTest, Update_reads_and_writes_in_one) {
  const auto increase = [](const std::optional<Value>& current) -> Result<Update> {
    return Update{.action = Update::Action::put, .value = std::to_string(current ? std::stoi(current->bytes) + 1 : 1)};
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) KVB_MUST(bucket_.update("counter", increase));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(value("counter"), "200");
  const auto refused = bucket_.update("counter", [](const std::optional<Value>&) -> Result<Update> {
    return std::unexpected(Error{.code = ErrorCode::invalid_argument, .message = "not today", .path = {}});
  });
  EXPECT_CODE(refused, invalid_argument);
  EXPECT_EQ(refused.error().message, "not today");
  EXPECT_EQ(value("counter"), "200");
  ASSERT_FINE(bucket_.update("counter", [](const auto&) -> Result<Update> { return Update{}; }));
  ASSERT_FINE(bucket_.update("counter",
                             [](const auto&) -> Result<Update> { return Update{.action = Update::Action::remove}; }));
  EXPECT_EQ(value("counter"), std::nullopt);
}

TEST_F(BucketTest, Closed_and_moved_from_buckets_say_so) {
  KVB_MUST(bucket_.put("a", "1"));
  EXPECT_TRUE(bucket_.is_open());
  EXPECT_EQ(bucket_.path(), path_);
  Bucket moved = std::move(bucket_);
  EXPECT_TRUE(moved.is_open());
  // NOLINTNEXTLINE(bugprone-use-after-move): that is what is tested.
  EXPECT_FALSE(bucket_.is_open());
  EXPECT_CODE(bucket_.get("a"), closed);
  EXPECT_CODE(bucket_.put("a", "1"), closed);
  ASSERT_FINE(moved.close());
  ASSERT_FINE(moved.close());
  EXPECT_FALSE(moved.is_open());
  EXPECT_CODE(moved.get("a"), closed);
  EXPECT_CODE(moved.contains("a"), closed);
  EXPECT_CODE(moved.put("a", "1"), closed);
  EXPECT_CODE(moved.remove("a"), closed);
  EXPECT_CODE(moved.write({}), closed);
  EXPECT_CODE(moved.scan(), closed);
  EXPECT_CODE(moved.count(), closed);
  EXPECT_CODE(moved.flush(), closed);
  EXPECT_CODE(moved.verify(), closed);
  static_cast<void>(moved.stats());
  bucket_ = KVB_MUST(Bucket::open(path_));
  EXPECT_EQ(value("a"), "1");
}

TEST_F(BucketTest, A_second_writer_is_told_who_writes) {
  const auto start = std::chrono::steady_clock::now();
  const auto second = Bucket::open(path_);
  EXPECT_CODE(second, busy);
  EXPECT_EQ(second.error().holder_pid, ::getpid());
  EXPECT_GT(second.error().holder_since_seconds, 1'700'000'000);
  EXPECT_NE(second.error().message.find("This program"), std::string::npos) << second.error().message;
  // It is this very process: waiting would be for ever, so it is told at once.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  EXPECT_CODE(Bucket::open_or_create(path_), busy);
  EXPECT_CODE(Bucket::create(path_), already_exists);
  ASSERT_FINE(bucket_.close());
  EXPECT_FINE(Bucket::open(path_));
}

TEST_F(BucketTest, R8_readers_see_what_is_committed_and_write_nothing) {
  KVB_MUST(bucket_.put("a", "1"));
  const Bucket reader = KVB_MUST(Bucket::open(path_, {.read_only = true}));
  Bucket writing_reader = KVB_MUST(Bucket::open(path_, {.read_only = true}));
  EXPECT_EQ(KVB_MUST(reader.get("a"))->bytes, "1");
  KVB_MUST(bucket_.put("a", "2"));
  KVB_MUST(bucket_.put("b", "new"));
  EXPECT_EQ(KVB_MUST(reader.get("a"))->bytes, "2");
  EXPECT_EQ(KVB_MUST(reader.count()), 2u);
  for (int i = 0; i < 300; ++i) KVB_MUST(bucket_.put("many/" + std::to_string(i), std::string(200, 'x')));
  EXPECT_EQ(KVB_MUST(reader.count()), 302u);
  KVB_MUST(bucket_.remove("a"));
  EXPECT_FALSE(KVB_MUST(reader.contains("a")));
  EXPECT_CODE(writing_reader.put("x", "1"), read_only);
  EXPECT_CODE(writing_reader.remove("b"), read_only);
  EXPECT_CODE(writing_reader.write([] {
    Batch batch;
    batch.put("x", "1");
    return batch;
  }()),
              read_only);
  EXPECT_TRUE(reader.stats().read_only);
  EXPECT_CODE(Bucket::open(folder_ / "missing", {.read_only = true}), not_found);
  EXPECT_CODE(Bucket::open_or_create(folder_ / "missing", {.read_only = true}), not_found);
}

TEST_F(BucketTest, Readers_never_see_part_of_a_batch) {
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; i < 400; ++i) {
      Batch batch;
      batch.put("left", std::to_string(i));
      batch.put("right", std::to_string(i));
      KVB_MUST(bucket_.write(batch));
    }
    stop = true;
  });
  const Bucket other_handle = KVB_MUST(Bucket::open(path_, {.read_only = true}));
  std::uint64_t looked = 0;
  while (!stop) {
    for (const Bucket* reader : {const_cast<const Bucket*>(&bucket_), &other_handle}) {
      const auto both = KVB_MUST(reader->scan());
      if (both.empty()) continue;
      ASSERT_EQ(both.size(), 2u);
      ASSERT_EQ(both[0].value.bytes, both[1].value.bytes);
      ++looked;
    }
  }
  writer.join();
  EXPECT_GT(looked, 0u);
}

TEST_F(BucketTest, Stats_count) {
  KVB_MUST(bucket_.put("a", std::string(1'000, 'x')));
  KVB_MUST(bucket_.put("b", "2"));
  KVB_MUST(bucket_.remove("b"));
  KVB_MUST(bucket_.get("a"));
  KVB_MUST(bucket_.get("missing"));
  const Stats stats = bucket_.stats();
  EXPECT_EQ(stats.keys, 1u);
  EXPECT_EQ(stats.puts, 2u);
  EXPECT_EQ(stats.deletes, 1u);
  EXPECT_EQ(stats.gets, 2u);
  EXPECT_EQ(stats.hits, 1u);
  EXPECT_GE(stats.live_bytes, 1'000u);
  EXPECT_LT(stats.live_bytes, 1'200u);
  EXPECT_EQ(stats.file_bytes, std::filesystem::file_size(path_));
  EXPECT_GE(stats.committed_seqno, 3u);
  EXPECT_EQ(stats.synced_seqno, stats.committed_seqno);
  EXPECT_GE(stats.syncs, 3u);
  EXPECT_GE(stats.segments, 1u);
  EXPECT_EQ(stats.uuid.size(), 32u);
  EXPECT_FALSE(stats.poisoned);
  ASSERT_FINE(bucket_.close());
  bucket_ = KVB_MUST(Bucket::open(path_));
  EXPECT_EQ(bucket_.stats().uuid, stats.uuid);
  EXPECT_EQ(bucket_.stats().replayed_records, 3u);
  EXPECT_EQ(bucket_.stats().keys, 1u);
}

TEST_F(BucketTest, An_empty_closed_bucket_is_64_KiB) {
  ASSERT_FINE(bucket_.close());
  EXPECT_EQ(std::filesystem::file_size(path_), 65'536u);
  for (int i = 0; i < 3; ++i) ASSERT_FINE(KVB_MUST(Bucket::open(path_)).close());
  EXPECT_EQ(std::filesystem::file_size(path_), 65'536u);
}

TEST(BucketOpen, Each_wrong_path_has_its_own_error) {
  TempFolder folder;
  write_whole_file(folder / "text", "this is no bucket");
  for (const bool read_only : {true, false}) {
    EXPECT_CODE(Bucket::open(folder / "missing", {.read_only = read_only}), not_found);
    EXPECT_CODE(Bucket::open(folder / "no/such/folder", {.read_only = read_only}), not_found);
    EXPECT_CODE(Bucket::open(folder.path(), {.read_only = read_only}), invalid_argument);
    EXPECT_CODE(Bucket::open("/dev/null", {.read_only = read_only}), invalid_argument);
    EXPECT_CODE(Bucket::open(folder / "text", {.read_only = read_only}), not_a_bucket);
  }
  EXPECT_CODE(Bucket::create(folder / "text"), already_exists);
  EXPECT_EQ(read_whole_file(folder / "text"), "this is no bucket");
  EXPECT_CODE(Bucket::create(folder / "no/such"), not_found);
  Bucket made = KVB_MUST(Bucket::open_or_create(folder / "new.kvb"));
  KVB_MUST(made.put("a", "1"));
  ASSERT_FINE(made.close());
  EXPECT_TRUE(KVB_MUST(KVB_MUST(Bucket::open_or_create(folder / "new.kvb")).contains("a")));
}

TEST(BucketRelaxed, Own_writes_are_seen_at_once_and_flush_makes_them_safe) {
  TempFolder folder;
  const std::string path = folder / "relaxed.kvb";
  Bucket bucket = KVB_MUST(Bucket::create(path, {.durability = Durability::relaxed}));
  for (int i = 0; i < 1'000; ++i) {
    const std::string key = "k" + std::to_string(i);
    KVB_MUST(bucket.put(key, key));
    ASSERT_EQ(KVB_MUST(bucket.get(key))->bytes, key);
  }
  ASSERT_FINE(bucket.flush());
  EXPECT_EQ(bucket.stats().synced_seqno, bucket.stats().committed_seqno);
  EXPECT_EQ(bucket.stats().durability, Durability::relaxed);
  KVB_MUST(bucket.put("later", "1"));
  const Bucket reader = KVB_MUST(Bucket::open(path, {.read_only = true}));
  // Another opener sees it within the tick (4 ms; here: well within a second).
  bool seen = false;
  for (int i = 0; i < 1'000 && !seen; ++i) {
    seen = KVB_MUST(reader.contains("later"));
    if (!seen) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(seen);
}

TEST_F(BucketTest, The_journal_to_replay_is_what_was_written_not_what_was_allocated) {
  EXPECT_EQ(bucket_.stats().journal_bytes, 0u);
  EXPECT_TRUE(KVB_MUST(bucket_.put("key", "value")));
  // A segment's header of 128 bytes, and one record: 48 bytes around key and value.
  EXPECT_EQ(bucket_.stats().journal_bytes, 128u + 48 + 3 + 5);
  const Bucket reader = KVB_MUST(Bucket::open(path_, {.read_only = true}));
  EXPECT_EQ(reader.stats().journal_bytes, 128u + 48 + 3 + 5);
}

}  // namespace
}  // namespace kvb::testing
