// Compressed values, seen from outside: everything that reads values gives what was written, and the file is shorter.
#include <gtest/gtest.h>
#include <kvb/bucket.h>
#include <kvb/repair.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "kvb/api/bucket_access.h"
#include "kvb/format/superblock.h"
#include "kvb/format/value_codec.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"

namespace kvb::testing {
namespace {

constexpr const char* kPath = "a.kvb";
using FileBytes = std::vector<std::byte>;
using Map = std::map<std::string, std::string>;

std::string record(int i) {
  return R"({"id":)" + std::to_string(i) + R"(,"name":"customer )" + std::to_string(std::int64_t{i} * 7919 % 10'007) +
         R"(","email":"someone)" + std::to_string(i % 97) + R"(@example.com","active":)" +
         (i % 3 == 0 ? "true" : "false") + R"(,"country":"Austria","tags":["news","shop"],"balance":)" +
         std::to_string(i * 31 % 1'000) + "}";
}
std::string key_of(int i) {
  return "customer/" + std::to_string(i);
}

Map everything(const Bucket& bucket) {
  Map found;
  for (const auto& entry : KVB_MUST(bucket.scan())) found[entry.key] = entry.value.bytes;
  return found;
}

class CompressionTest : public ::testing::Test {
 protected:
  os::SimDisk disk_{{.recording = false}};
  Map expected_;

  Bucket create(const Compression& compression = Compression::zstd(), const char* path = kPath) {
    return KVB_MUST(create_with(disk_.environment(), path, {.compression = compression}));
  }
  Bucket open(const OpenOptions& options = {}, const char* path = kPath) {
    return KVB_MUST(open_with(disk_.environment(), path, options));
  }
  void fill(Bucket& bucket, int from, int to) {
    Batch batch;
    for (int i = from; i < to; ++i) {
      batch.put(key_of(i), record(i), {.kind = ValueKind::json});
      expected_[key_of(i)] = record(i);
      if (batch.size() < 200 && i + 1 < to) continue;
      KVB_MUST(bucket.write(batch));
      batch.clear();
    }
  }
  std::uint64_t file_bytes(const char* path = kPath) { return disk_.contents(path).size(); }
  void expect_fine(Bucket& bucket) {
    EXPECT_EQ(everything(bucket), expected_);
    const auto report = KVB_MUST(bucket.verify());
    for (const auto& problem : report.problems) ADD_FAILURE() << problem.message;
  }
};

TEST_F(CompressionTest, Every_way_of_reading_gives_what_was_written) {
  auto bucket = create();
  fill(bucket, 0, 1'000);
  const std::string long_text(100'000, 'x');
  KVB_MUST(bucket.put("long", long_text, {.kind = ValueKind::text}));
  expected_["long"] = long_text;
  ASSERT_TRUE(KVB_MUST(bucket.train_dictionary()).adopted);
  fill(bucket, 500, 1'200);
  for (int round = 0; round < 3; ++round) {
    expect_fine(bucket);
    for (const auto& [key, value] : expected_) {
      const auto found = KVB_MUST(bucket.get(key));
      ASSERT_TRUE(found) << key;
      EXPECT_EQ(found->bytes, value);
      EXPECT_EQ(found->kind, key == "long" ? ValueKind::text : ValueKind::json);
    }
    const auto snapshot = KVB_MUST(bucket.snapshot());
    EXPECT_EQ(KVB_MUST(snapshot.get("customer/7"))->bytes, record(7));
    const std::vector<std::string_view> keys{"customer/1", "long", "missing", "customer/1100"};
    const auto many = KVB_MUST(bucket.get_many(keys));
    EXPECT_EQ(many[0]->bytes, record(1));
    EXPECT_EQ(many[1]->bytes, long_text);
    EXPECT_FALSE(many[2]);
    EXPECT_EQ(many[3]->bytes, record(1'100));
    const auto reader = open({.read_only = true});
    EXPECT_EQ(everything(reader), expected_);
    EXPECT_EQ(KVB_MUST(bucket.scan({.prefix = "long", .keys_only = true}))[0].value.bytes, "");
    if (round == 0) KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
    if (round == 1) {
      ASSERT_FINE(bucket.close());
      bucket = open();
    }
  }
}

TEST_F(CompressionTest, A_dictionary_is_used_at_once) {
  auto bucket = create();
  fill(bucket, 0, 300);
  ASSERT_TRUE(KVB_MUST(bucket.train_dictionary()).adopted);
  const std::string small = R"({"id":77,"country":"Austria","active":true})";
  ASSERT_LT(small.size(), format::kLeastBytesAlone);
  for (const std::string key : {"first", "after opening"}) {
    const std::uint64_t before = bucket.stats().live_bytes;
    KVB_MUST(bucket.put(key, small));
    EXPECT_LT(bucket.stats().live_bytes, before + format::kRecordOverheadBytes + key.size() + small.size() * 2 / 3);
    EXPECT_EQ(KVB_MUST(bucket.get(key))->bytes, small);
    ASSERT_FINE(bucket.close());
    bucket = open();
  }
}

TEST_F(CompressionTest, Conditions_and_updates_see_the_value_itself) {
  auto bucket = create();
  const std::string text = record(1) + record(2) + record(3);
  KVB_MUST(bucket.put("a", text));
  EXPECT_FALSE(KVB_MUST(bucket.put("a", "b", {.condition = PutIf::equals, .expected = record(1)})));
  EXPECT_TRUE(KVB_MUST(bucket.put("a", text + "2", {.condition = PutIf::equals, .expected = text})));
  ASSERT_FINE(bucket.update("a", [&](const std::optional<Value>& now) -> Result<Update> {
    EXPECT_EQ(now->bytes, text + "2");
    return Update{.action = Update::Action::put, .value = now->bytes + "3"};
  }));
  EXPECT_EQ(KVB_MUST(bucket.get("a"))->bytes, text + "23");
  EXPECT_EQ(KVB_MUST(bucket.increment("n", 5)), 5);
  EXPECT_EQ(KVB_MUST(bucket.increment("n", -7)), -2);
  Batch batch;
  batch.check("a", PutIf::equals, text + "23");
  batch.put("a", text);
  batch.check("a", PutIf::equals, text);
  EXPECT_TRUE(KVB_MUST(bucket.write(batch)));
  EXPECT_EQ(KVB_MUST(bucket.get("a"))->bytes, text);
}

TEST_F(CompressionTest, A_watch_gives_values_of_every_dictionary) {
  auto bucket = create();
  fill(bucket, 0, 300);
  ASSERT_TRUE(KVB_MUST(bucket.train_dictionary()).adopted);
  fill(bucket, 300, 400);
  Map seen;
  const auto end = KVB_MUST(bucket.changes({.from_seqno = 0}, [&](Change&& change) {
    seen[change.key] = change.value.bytes;
    return true;
  }));
  EXPECT_EQ(end, 400u);
  EXPECT_EQ(seen, expected_);
}

// A reader that was there before the dictionary was.
TEST_F(CompressionTest, A_reader_meets_a_dictionary_that_came_after_it) {
  auto bucket = create();
  fill(bucket, 0, 300);
  const auto reader = open({.read_only = true});
  EXPECT_EQ(everything(reader), expected_);
  ASSERT_TRUE(KVB_MUST(bucket.train_dictionary()).adopted);
  fill(bucket, 200, 500);
  EXPECT_EQ(everything(reader), expected_);
  EXPECT_EQ(reader.stats().dictionary_id, bucket.stats().dictionary_id);
}

// Values of 100 to 300 bytes, as programs write them.
std::string profile(int i) {
  std::mt19937 random(static_cast<unsigned>(i));
  static const char* const kCities[] = {"Vienna", "Graz", "Linz", "Salzburg", "Innsbruck", "Klagenfurt", "Bregenz"};
  static const char* const kPlans[] = {"free", "standard", "premium"};
  const std::string number = std::to_string(i);
  std::string text = R"({"id":)" + number + R"(,"name":"customer )" + number + R"(","email":"customer)" + number +
                     R"(@example.com","city":")" + kCities[random() % 7] + R"(","country":"Austria","plan":")" +
                     kPlans[random() % 3] + R"(","active":)" + (random() % 8 != 0 ? "true" : "false") +
                     R"(,"visits":)" + std::to_string(random() % 1'000);
  if (random() % 2 == 0) text += R"(,"newsletter":true,"language":"de","currency":"EUR")";
  if (random() % 4 == 0) text += R"(,"last_seen":"2026-11-)" + std::to_string(10 + random() % 20) + R"(T12:00:00Z")";
  return text + "}";
}

// Issue 7: of 100,000 JSON values of 100 to 300 bytes the compressed file is at most 45 % of the other one.
TEST_F(CompressionTest, Hundred_thousand_json_values_take_less_than_half) {
  for (const bool compressed : {false, true}) {
    auto bucket = create(compressed ? Compression::zstd() : Compression{}, compressed ? kPath : "plain.kvb");
    Batch batch;
    for (int i = 0; i < 100'000; ++i) {
      const std::string value = profile(i);
      ASSERT_GE(value.size(), 100u);
      ASSERT_LE(value.size(), 300u);
      batch.put(key_of(i), value, {.kind = ValueKind::json});
      if (batch.size() < 500) continue;
      KVB_MUST(bucket.write(batch));
      batch.clear();
    }
    // Trained by itself.
    EXPECT_EQ(bucket.stats().dictionary_id != 0, compressed);
    // Once more from all of them: which values there were the first time depends on the machine's speed.
    if (compressed) KVB_MUST(bucket.train_dictionary());
    KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
    const Stats stats = bucket.stats();
    if (compressed) {
      EXPECT_LT(stats.sampled_stored_bytes * 4, stats.sampled_value_bytes);
      EXPECT_TRUE(KVB_MUST(bucket.verify()).ok());
      for (int i = 0; i < 100'000; i += 97) EXPECT_EQ(KVB_MUST(bucket.get(key_of(i)))->bytes, profile(i));
    }
    ASSERT_FINE(bucket.close());
  }
  EXPECT_LT(file_bytes() * 100, file_bytes("plain.kvb") * 45);
  std::cout << file_bytes() << " bytes of " << file_bytes("plain.kvb") << "\n";
}

TEST_F(CompressionTest, What_there_was_before_is_compressed_by_compaction) {
  auto bucket = create({});
  fill(bucket, 0, 3'000);
  KVB_MUST(bucket.put("expires", record(1), {.ttl_seconds = 1'000}));
  expected_["expires"] = record(1);
  const auto before = KVB_MUST(bucket.get("expires"));
  KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  const std::uint64_t live_before = bucket.stats().live_bytes;
  EXPECT_EQ(bucket.stats().sampled_value_bytes, 0u);
  ASSERT_FINE(bucket.set_compression(Compression::zstd(5)));
  KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  EXPECT_NE(bucket.stats().dictionary_id, 0);
  EXPECT_LT(bucket.stats().live_bytes * 10, live_before * 6);
  const auto after = KVB_MUST(bucket.get("expires"));
  EXPECT_EQ(after->seqno, before->seqno);
  EXPECT_EQ(after->written_at_ns, before->written_at_ns);
  EXPECT_EQ(after->ttl_seconds, before->ttl_seconds);
  expect_fine(bucket);
  // Off again: what is compressed stays so, what comes does not become so.
  ASSERT_FINE(bucket.set_compression({}));
  fill(bucket, 3'000, 3'100);
  KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  expect_fine(bucket);
  ASSERT_FINE(bucket.close());
  bucket = open();
  EXPECT_EQ(bucket.stats().compression, Compression{});
  expect_fine(bucket);
}

TEST_F(CompressionTest, The_setting_stays_and_can_be_given_when_opening) {
  {
    auto bucket = create(Compression::zstd(7));
  }
  {
    const auto bucket = open();
    EXPECT_EQ(bucket.stats().compression, Compression::zstd(7));
  }
  {
    const auto bucket = open({.compression = Compression::zstd(2)});
    EXPECT_EQ(bucket.stats().compression, Compression::zstd(2));
  }
  EXPECT_EQ(open({.read_only = true}).stats().compression, Compression::zstd(2));
  for (const int level : {0, -1, 20}) {
    EXPECT_CODE(create_with(disk_.environment(), "b.kvb", {.compression = Compression::zstd(level)}), invalid_argument);
  }
  EXPECT_CODE(open_with(disk_.environment(), "b.kvb"), not_found);
  auto bucket = open();
  EXPECT_CODE(bucket.set_compression(Compression::zstd(20)), invalid_argument);
  auto plain = create({}, "plain.kvb");
  EXPECT_CODE(plain.train_dictionary(), invalid_argument);
}

TEST_F(CompressionTest, A_program_that_does_not_know_it_refuses_the_bucket) {
  create().put("a", record(1)).value();
  const auto bytes = disk_.contents(kPath);
  for (const std::uint64_t at : {format::kSuperblockAOffset, format::kSuperblockBOffset}) {
    const auto superblock = format::decode_superblock(std::span(bytes).subspan(at).first<format::kPageBytes>());
    ASSERT_TRUE(superblock);
    EXPECT_NE(superblock->features_incompatible & format::kFeatureCompression, 0u);
  }
  // Whichever counts, also when it was switched on later.
  create({}, "b.kvb").set_compression(Compression::zstd()).value();
  const auto later = disk_.contents("b.kvb");
  for (const std::uint64_t at : {format::kSuperblockAOffset, format::kSuperblockBOffset}) {
    const auto superblock = format::decode_superblock(std::span(later).subspan(at).first<format::kPageBytes>());
    ASSERT_TRUE(superblock);
    EXPECT_NE(superblock->features_incompatible & format::kFeatureCompression, 0u);
  }
}

TEST_F(CompressionTest, A_dictionary_that_is_not_needed_goes_and_one_that_is_stays) {
  auto bucket = create();
  fill(bucket, 0, 400);
  ASSERT_TRUE(KVB_MUST(bucket.train_dictionary()).adopted);
  fill(bucket, 400, 600);
  const auto first = bucket.stats().dictionary_id;
  const auto snapshot = KVB_MUST(bucket.snapshot());
  const Map then = expected_;
  for (int i = 0; i < 600; ++i) {
    expected_[key_of(i)] = "<person number='" + std::to_string(i) + "' city='Wien' district='" +
                           std::to_string(i % 23) + "'><order state='sent'/><order state='" + std::to_string(i % 7) +
                           "'/></person>";
    KVB_MUST(bucket.put(key_of(i), expected_[key_of(i)]));
  }
  ASSERT_TRUE(KVB_MUST(bucket.train_dictionary()).adopted);
  EXPECT_NE(bucket.stats().dictionary_id, first);
  EXPECT_EQ(bucket.stats().dictionaries, 2u);
  expect_fine(bucket);
  KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  EXPECT_EQ(bucket.stats().dictionaries, 1u);
  expect_fine(bucket);
  for (const auto& [key, value] : then) EXPECT_EQ(KVB_MUST(snapshot.get(key))->bytes, value);
  ASSERT_FINE(bucket.close());
  bucket = open();
  expect_fine(bucket);
}

TEST_F(CompressionTest, Too_few_values_give_no_dictionary_and_a_reason) {
  auto bucket = create();
  fill(bucket, 0, 10);
  const auto report = KVB_MUST(bucket.train_dictionary());
  EXPECT_FALSE(report.adopted);
  EXPECT_FALSE(report.reason.empty());
  EXPECT_EQ(bucket.stats().dictionary_id, 0);
}

TEST_F(CompressionTest, A_backup_is_compressed_as_well) {
  auto bucket = create(Compression::zstd(4));
  fill(bucket, 0, 2'000);
  ASSERT_TRUE(KVB_MUST(bucket.train_dictionary()).adopted);
  KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  KVB_MUST(bucket.backup("copy.kvb"));
  auto copy = open({}, "copy.kvb");
  EXPECT_EQ(copy.stats().compression, Compression::zstd(4));
  EXPECT_EQ(copy.stats().dictionary_id, bucket.stats().dictionary_id);
  expect_fine(copy);
  EXPECT_LT(copy.stats().live_bytes * 100, bucket.stats().live_bytes * 102);
}

TEST_F(CompressionTest, A_bucket_in_which_nothing_is_left_forgets_its_dictionary) {
  {
    auto bucket = create();
    fill(bucket, 0, 1'000);
    ASSERT_TRUE(KVB_MUST(bucket.train_dictionary()).adopted);
    fill(bucket, 500, 1'500);
    KVB_MUST(bucket.remove_prefix(""));
    ASSERT_FINE(bucket.close());
  }
  EXPECT_EQ(file_bytes(), format::kHeadBytes);
  expected_.clear();
  auto bucket = open();
  EXPECT_EQ(bucket.stats().compression, Compression::zstd());
  EXPECT_EQ(bucket.stats().dictionaries, 0u);
  fill(bucket, 0, 300);
  ASSERT_TRUE(KVB_MUST(bucket.train_dictionary()).adopted);
  fill(bucket, 300, 400);
  ASSERT_FINE(bucket.set_compression({}));
  ASSERT_FINE(bucket.set_compression(Compression::zstd(2)));
  fill(bucket, 400, 500);
  EXPECT_NE(bucket.stats().dictionary_id, 0u);
  expect_fine(bucket);
}

// What damage leaves, and repair finds.

class CompressionDamageTest : public CompressionTest {
 protected:
  FileBytes bytes_;
  format::Superblock superblock_;

  void SetUp() override {
    {
      auto bucket = create();
      fill(bucket, 0, 600);
      ASSERT_TRUE(KVB_MUST(bucket.train_dictionary()).adopted);
      fill(bucket, 300, 900);
      KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
      fill(bucket, 900, 950);
    }
    const auto contents = disk_.contents(kPath);
    bytes_.assign(contents.begin(), contents.end());
    for (const std::uint64_t at : {format::kSuperblockAOffset, format::kSuperblockBOffset}) {
      const auto one = format::decode_superblock(std::span(bytes_).subspan(at).first<format::kPageBytes>());
      ASSERT_TRUE(one);
      if (one->epoch > superblock_.epoch) superblock_ = *one;
    }
    ASSERT_NE(superblock_.dictionaries.paddr, 0u);
    ASSERT_NE(superblock_.dictionaries_copy.paddr, 0u);
  }
  // A run's pages lie before its root page; the last of them ends there.
  void spoil(const format::Root& root, std::uint64_t pages_before) {
    const std::uint64_t at = root.paddr - pages_before * format::kPageBytes + 80;
    bytes_[at] ^= std::byte{0x40};
  }
  void destroy_superblocks() {
    for (const std::uint64_t at : {format::kSuperblockAOffset, format::kSuperblockBOffset}) {
      std::fill_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at), format::kPageBytes, std::byte{0});
    }
  }
  RepairReport repair(Map& contents) {
    os::SimDisk disk;
    disk.put_file("damaged.kvb", bytes_);
    auto report = KVB_MUST(repair_with(disk.environment(), "damaged.kvb", "new.kvb"));
    auto bucket = KVB_MUST(open_with(disk.environment(), "new.kvb"));
    EXPECT_TRUE(KVB_MUST(bucket.verify()).ok());
    contents = everything(bucket);
    EXPECT_EQ(bucket.stats().compression.method, Compression::Method::zstd);
    return report;
  }
};

TEST_F(CompressionDamageTest, One_copy_of_the_dictionaries_is_enough_and_the_other_is_made_anew) {
  for (const bool first : {true, false}) {
    const FileBytes whole = bytes_;
    for (const std::uint64_t pages : {0, 1}) {
      bytes_ = whole;
      spoil(first ? superblock_.dictionaries : superblock_.dictionaries_copy, pages);
      disk_.put_file("b.kvb", bytes_);
      auto bucket = open({}, "b.kvb");
      EXPECT_EQ(everything(bucket), expected_);
      EXPECT_FALSE(KVB_MUST(bucket.verify()).ok());
      ASSERT_FINE(bucket.checkpoint());
      ASSERT_FINE(bucket.close());
      bucket = open({}, "b.kvb");
      expect_fine(bucket);
      ASSERT_FINE(bucket.close());
    }
    bytes_ = whole;
  }
}

TEST_F(CompressionDamageTest, Without_both_copies_values_are_damaged_and_never_wrong) {
  spoil(superblock_.dictionaries, 1);
  spoil(superblock_.dictionaries_copy, 1);
  disk_.put_file("b.kvb", bytes_);
  auto bucket = open({}, "b.kvb");
  std::size_t damaged = 0;
  for (const auto& [key, value] : expected_) {
    const auto found = bucket.get(key);
    if (found) {
      EXPECT_EQ((*found)->bytes, value);
      continue;
    }
    EXPECT_CODE(found, damaged);
    ++damaged;
  }
  EXPECT_GT(damaged, 800u);
  EXPECT_FALSE(KVB_MUST(bucket.verify()).ok());
  // New values can be stored, and what is lost can be stored anew.
  KVB_MUST(bucket.put(key_of(1), record(1)));
  EXPECT_EQ(KVB_MUST(bucket.get(key_of(1)))->bytes, record(1));
  KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  EXPECT_EQ(KVB_MUST(bucket.get(key_of(1)))->bytes, record(1));
  Map contents;
  EXPECT_FALSE(repair(contents).losses.empty());
  for (const auto& [key, value] : contents) EXPECT_EQ(value, expected_[key]);
}

TEST_F(CompressionDamageTest, Repair_finds_the_dictionaries_without_superblocks) {
  destroy_superblocks();
  Map contents;
  const auto report = repair(contents);
  EXPECT_EQ(contents, expected_);
  EXPECT_EQ(report.keys, expected_.size());
  // And by either copy.
  const FileBytes whole = bytes_;
  spoil(superblock_.dictionaries, 1);
  repair(contents);
  EXPECT_EQ(contents, expected_);
  bytes_ = whole;
  spoil(superblock_.dictionaries_copy, 1);
  repair(contents);
  EXPECT_EQ(contents, expected_);
}

TEST_F(CompressionDamageTest, Repair_tells_of_values_whose_dictionary_is_lost) {
  spoil(superblock_.dictionaries, 1);
  spoil(superblock_.dictionaries_copy, 1);
  for (const bool with_superblocks : {true, false}) {
    if (!with_superblocks) destroy_superblocks();
    os::SimDisk disk;
    disk.put_file("damaged.kvb", bytes_);
    const auto report = KVB_MUST(repair_with(disk.environment(), "damaged.kvb", "new.kvb"));
    EXPECT_LT(report.keys, 100u);
    EXPECT_GT(report.losses.size(), 800u);
    auto bucket = KVB_MUST(open_with(disk.environment(), "new.kvb"));
    for (const auto& [key, value] : everything(bucket)) EXPECT_EQ(value, expected_[key]);
  }
}

}  // namespace
}  // namespace kvb::testing
