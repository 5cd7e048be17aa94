// Conditions in batches, compare and set, counters, expiry alone, removing by prefix, many keys at once.
#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include <atomic>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "kvb/api/bucket_access.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"
#include "kvb/support/temp_folder.h"

namespace kvb::testing {
namespace {

using Keys = std::vector<std::string>;

// On the simulated disk, whose clock the tests move.
class OperationsTest : public ::testing::Test {
 protected:
  os::SimDisk disk_{{.recording = false}};
  Bucket bucket_ = KVB_MUST(create_with(disk_.environment(), "test.kvb"));

  std::optional<std::string> value(const std::string& key) {
    const auto found = KVB_MUST(bucket_.get(key));
    return found ? std::optional(found->bytes) : std::nullopt;
  }
  Keys keys(const ScanOptions& options = {}) {
    Keys all;
    for (const auto& entry : KVB_MUST(bucket_.scan(options))) all.push_back(entry.key);
    return all;
  }
};

TEST_F(OperationsTest, Put_if_the_value_equals) {
  const auto set_if = [&](const char* expected, const char* next) {
    return KVB_MUST(bucket_.put("a", next, {.condition = PutIf::equals, .expected = expected}));
  };
  EXPECT_FALSE(set_if("", "1"));  // A missing key has no value.
  EXPECT_EQ(value("a"), std::nullopt);
  KVB_MUST(bucket_.put("a", "1", {.kind = ValueKind::text}));
  EXPECT_FALSE(set_if("2", "3"));
  EXPECT_FALSE(set_if("", "3"));
  EXPECT_FALSE(set_if("11", "3"));
  EXPECT_EQ(value("a"), "1");
  EXPECT_TRUE(set_if("1", "2"));
  EXPECT_EQ(value("a"), "2");
  KVB_MUST(bucket_.put("a", std::string("x\0y", 3), {.ttl_seconds = 5}));
  EXPECT_TRUE(KVB_MUST(bucket_.put("a", "z", {.ttl_seconds = 5, .condition = PutIf::equals, .expected = {"x\0y", 3}})));
  disk_.advance(std::chrono::seconds(6));
  EXPECT_FALSE(set_if("z", "late"));  // Expired: it has no value.
}

TEST_F(OperationsTest, One_thread_wins_each_compare_and_set) {
  TempFolder folder;
  Bucket bucket = KVB_MUST(Bucket::create(folder / "race.kvb", {.durability = Durability::relaxed}));
  KVB_MUST(bucket.put("n", "0"));
  ASSERT_FINE(bucket.flush());  // So that the other threads see it.
  constexpr int kThreads = 4;
  constexpr int kRounds = 200;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&bucket] {
      for (int done = 0; done < kRounds;) {
        const std::string seen = KVB_MUST(bucket.get("n"))->bytes;
        const std::string next = std::to_string(std::stoi(seen) + 1);
        if (KVB_MUST(bucket.put("n", next, {.condition = PutIf::equals, .expected = seen}))) ++done;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_FINE(bucket.flush());
  EXPECT_EQ(KVB_MUST(bucket.get("n"))->bytes, std::to_string(kThreads * kRounds));
}

TEST_F(OperationsTest, A_batch_whose_condition_fails_writes_nothing) {
  KVB_MUST(bucket_.put("a", "1"));
  Batch batch;
  batch.put("b", "new");
  batch.put("a", "2", {.condition = PutIf::missing});
  batch.remove("a");
  const auto before = bucket_.stats();
  EXPECT_FALSE(KVB_MUST(bucket_.write(batch)));
  EXPECT_EQ(keys(), (Keys{"a"}));
  EXPECT_EQ(value("a"), "1");
  EXPECT_EQ(bucket_.stats().committed_seqno, before.committed_seqno);
  EXPECT_EQ(bucket_.stats().batches, before.batches);

  Batch moves;  // Compare and set of two keys together.
  moves.put("a", "0", {.condition = PutIf::equals, .expected = "1"});
  moves.put("b", "1", {.condition = PutIf::missing});
  EXPECT_TRUE(KVB_MUST(bucket_.write(moves)));
  EXPECT_EQ(value("a"), "0");
  EXPECT_EQ(value("b"), "1");
  EXPECT_FALSE(KVB_MUST(bucket_.write(moves)));
}

TEST_F(OperationsTest, Conditions_see_what_the_batch_has_done_before_them) {
  KVB_MUST(bucket_.put("gone", "x"));
  Batch batch;
  batch.put("a", "1", {.condition = PutIf::missing});
  batch.put("a", "2", {.condition = PutIf::equals, .expected = "1"});
  batch.remove("gone");
  batch.put("gone", "back", {.condition = PutIf::missing});
  batch.put("gone", "again", {.condition = PutIf::present});
  batch.remove("a");
  batch.check("a", PutIf::missing);
  batch.put("a", "3");
  batch.check("a", PutIf::equals, "3");
  EXPECT_TRUE(KVB_MUST(bucket_.write(batch)));
  EXPECT_EQ(value("a"), "3");
  EXPECT_EQ(value("gone"), "again");

  Batch removed_first;
  removed_first.remove("a");
  removed_first.put("a", "4", {.condition = PutIf::present});
  EXPECT_FALSE(KVB_MUST(bucket_.write(removed_first)));
  EXPECT_EQ(value("a"), "3");
}

TEST_F(OperationsTest, A_check_writes_nothing_itself) {
  KVB_MUST(bucket_.put("version", "7"));
  Batch batch;
  batch.check("version", PutIf::equals, "7");
  batch.put("data", "new");
  const auto before = bucket_.stats().committed_seqno;
  EXPECT_TRUE(KVB_MUST(bucket_.write(batch)));
  EXPECT_EQ(bucket_.stats().committed_seqno, before + 1);
  KVB_MUST(bucket_.put("version", "8"));
  EXPECT_FALSE(KVB_MUST(bucket_.write(batch)));
  Batch only_checks;
  only_checks.check("version", PutIf::present);
  only_checks.check("nothing", PutIf::missing);
  EXPECT_TRUE(KVB_MUST(bucket_.write(only_checks)));
  only_checks.check("nothing", PutIf::present);
  EXPECT_FALSE(KVB_MUST(bucket_.write(only_checks)));
  Batch wrong;
  wrong.check("", PutIf::present);
  EXPECT_CODE(bucket_.write(wrong), invalid_argument);
}

TEST_F(OperationsTest, Conditions_know_what_a_checkpoint_has_written_out_and_what_has_expired) {
  KVB_MUST(bucket_.put("old", "1"));
  KVB_MUST(bucket_.put("short", "1", {.ttl_seconds = 2}));
  ASSERT_FINE(bucket_.checkpoint());
  Batch batch;
  batch.put("old", "2", {.condition = PutIf::equals, .expected = "1"});
  batch.put("short", "2", {.condition = PutIf::present});
  disk_.advance(std::chrono::seconds(1));
  EXPECT_TRUE(KVB_MUST(bucket_.write(batch)));
  KVB_MUST(bucket_.put("short", "1", {.ttl_seconds = 2}));
  disk_.advance(std::chrono::seconds(3));
  Batch late;
  late.put("short", "3", {.condition = PutIf::present});
  EXPECT_FALSE(KVB_MUST(bucket_.write(late)));
  Batch fresh;
  fresh.put("short", "3", {.condition = PutIf::missing});
  EXPECT_TRUE(KVB_MUST(bucket_.write(fresh)));
}

TEST_F(OperationsTest, Increment_counts) {
  EXPECT_EQ(KVB_MUST(bucket_.increment("n")), 1);
  EXPECT_EQ(KVB_MUST(bucket_.increment("n", 41)), 42);
  EXPECT_EQ(KVB_MUST(bucket_.increment("n", -50)), -8);
  EXPECT_EQ(KVB_MUST(bucket_.increment("n", 0)), -8);
  const auto found = KVB_MUST(bucket_.get("n"));
  EXPECT_EQ(found->bytes, "-8");
  EXPECT_EQ(found->kind, ValueKind::json);  // As a WFL program keeps a number.
  KVB_MUST(bucket_.put("text", "9", {.kind = ValueKind::text}));
  EXPECT_EQ(KVB_MUST(bucket_.increment("text")), 10);
  EXPECT_EQ(KVB_MUST(bucket_.get("text"))->kind, ValueKind::text);
}

TEST_F(OperationsTest, Increment_refuses_what_is_no_number_or_does_not_fit) {
  for (const char* wrong : {"", "x", "1.5", "1e3", " 1", "1 ", "+1", "--1", "-", "9223372036854775808", "0x10"}) {
    KVB_MUST(bucket_.put("k", wrong));
    EXPECT_CODE(bucket_.increment("k"), invalid_argument);
    EXPECT_EQ(value("k"), wrong);
  }
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(KVB_MUST(bucket_.increment("most", kMost)), kMost);
  EXPECT_CODE(bucket_.increment("most"), invalid_argument);
  EXPECT_EQ(KVB_MUST(bucket_.increment("most", kLeast)), -1);
  EXPECT_EQ(KVB_MUST(bucket_.increment("least", kLeast)), kLeast);
  EXPECT_CODE(bucket_.increment("least", -1), invalid_argument);
  EXPECT_EQ(value("least"), std::to_string(kLeast));
  EXPECT_CODE(bucket_.increment(""), invalid_argument);
}

TEST_F(OperationsTest, Increment_keeps_the_expiry) {
  KVB_MUST(bucket_.put("n", "5", {.ttl_seconds = 10}));
  const auto expiry = KVB_MUST(bucket_.get("n"))->expires_at_ns();
  disk_.advance(std::chrono::milliseconds(3'500));
  EXPECT_EQ(KVB_MUST(bucket_.increment("n")), 6);
  EXPECT_EQ(KVB_MUST(bucket_.get("n"))->expires_at_ns(), expiry);
  disk_.advance(std::chrono::seconds(7));
  EXPECT_EQ(KVB_MUST(bucket_.increment("n")), 1);
  EXPECT_EQ(KVB_MUST(bucket_.get("n"))->expires_at_ns(), std::nullopt);
}

TEST_F(OperationsTest, Set_expiry_keeps_the_value) {
  EXPECT_FALSE(KVB_MUST(bucket_.set_expiry("a", 5)));
  KVB_MUST(bucket_.put("a", "v", {.kind = ValueKind::text}));
  EXPECT_TRUE(KVB_MUST(bucket_.set_expiry("a", 5)));
  const auto found = KVB_MUST(bucket_.get("a"));
  EXPECT_EQ(found->bytes, "v");
  EXPECT_EQ(found->kind, ValueKind::text);
  EXPECT_EQ(found->ttl_seconds, 5u);
  disk_.advance(std::chrono::seconds(3));
  EXPECT_TRUE(KVB_MUST(bucket_.set_expiry("a", 0)));
  disk_.advance(std::chrono::seconds(100));
  EXPECT_EQ(value("a"), "v");
  EXPECT_TRUE(KVB_MUST(bucket_.set_expiry("a", 1)));
  disk_.advance(std::chrono::seconds(1));
  EXPECT_EQ(value("a"), std::nullopt);
  EXPECT_FALSE(KVB_MUST(bucket_.set_expiry("a", 0)));
}

TEST_F(OperationsTest, Remove_prefix_removes_those_keys_and_no_others) {
  Batch batch;
  for (int i = 0; i < 3'000; ++i) batch.put("user:" + std::to_string(i), "v");
  for (const char* other : {"user", "user;", "usez:", "a"}) batch.put(other, "v");
  batch.put("user:expired", "v", {.ttl_seconds = 1});
  KVB_MUST(bucket_.write(batch));
  disk_.advance(std::chrono::seconds(2));
  EXPECT_EQ(KVB_MUST(bucket_.remove_prefix("user:")), 3'000u);
  EXPECT_EQ(keys(), (Keys{"a", "user", "user;", "usez:"}));
  EXPECT_EQ(KVB_MUST(bucket_.remove_prefix("user:")), 0u);
  EXPECT_EQ(KVB_MUST(bucket_.remove_prefix("")), 4u);
  EXPECT_EQ(keys(), Keys{});
}

TEST_F(OperationsTest, R11_remove_prefix_works_on_a_full_disk) {
  os::SimDisk small({.recording = false, .capacity_bytes = 8u << 20});
  Bucket bucket = KVB_MUST(create_with(small.environment(), "full.kvb"));
  std::uint64_t written = 0;
  for (;; ++written) {
    const auto put = bucket.put("k" + std::to_string(written), std::string(1'000, 'v'));
    if (put) continue;
    EXPECT_EQ(put.error().code, ErrorCode::full);
    break;
  }
  std::uint64_t expected = 0;
  for (std::uint64_t i = 0; i < written; ++i) expected += std::to_string(i).starts_with("10") ? 1 : 0;
  EXPECT_GT(expected, 100u);
  EXPECT_EQ(KVB_MUST(bucket.remove_prefix("k10")), expected);
}

TEST_F(OperationsTest, Get_many_gives_each_key_its_value_in_order) {
  KVB_MUST(bucket_.put("base", "1"));
  KVB_MUST(bucket_.put("overwritten", "old"));
  KVB_MUST(bucket_.put("removed", "x"));
  KVB_MUST(bucket_.put("expired", "x", {.ttl_seconds = 1}));
  ASSERT_FINE(bucket_.checkpoint());
  KVB_MUST(bucket_.put("delta", "2", {.kind = ValueKind::json}));
  KVB_MUST(bucket_.put("overwritten", "new"));
  KVB_MUST(bucket_.remove("removed"));
  disk_.advance(std::chrono::seconds(2));
  const std::string too_long(70'000, 'k');
  const std::vector<std::string_view> keys = {"delta",   "base", "missing", "overwritten", "removed",
                                              "expired", "base", "",        too_long};
  const auto found = KVB_MUST(bucket_.get_many(keys));
  ASSERT_EQ(found.size(), keys.size());
  EXPECT_EQ(found[0]->bytes, "2");
  EXPECT_EQ(found[0]->kind, ValueKind::json);
  EXPECT_EQ(found[1]->bytes, "1");
  EXPECT_FALSE(found[2]);
  EXPECT_EQ(found[3]->bytes, "new");
  EXPECT_FALSE(found[4]);
  EXPECT_FALSE(found[5]);
  EXPECT_EQ(found[6]->bytes, "1");
  EXPECT_FALSE(found[7]);
  EXPECT_FALSE(found[8]);
  EXPECT_TRUE(KVB_MUST(bucket_.get_many({})).empty());
}

TEST_F(OperationsTest, Get_many_agrees_with_get) {
  for (int i = 0; i < 3'000; ++i) {
    const std::string key = "key" + std::to_string(i * 7 % 3'000);
    if (i % 5 == 4) {
      KVB_MUST(bucket_.remove(key));
    } else {
      KVB_MUST(bucket_.put(key, std::string(static_cast<std::size_t>(i % 300), 'v') + key));
    }
    if (i == 1'500) {
      ASSERT_FINE(bucket_.checkpoint());
    }
  }
  std::vector<std::string> names;
  for (int i = 0; i < 3'300; ++i) names.push_back("key" + std::to_string(i));
  const std::vector<std::string_view> keys(names.begin(), names.end());
  const auto before = bucket_.stats();
  const auto found = KVB_MUST(bucket_.get_many(keys));
  EXPECT_EQ(bucket_.stats().gets, before.gets + keys.size());
  std::uint64_t hits = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto one = KVB_MUST(bucket_.get(keys[i]));
    ASSERT_EQ(found[i].has_value(), one.has_value()) << keys[i];
    if (!one) continue;
    ++hits;
    ASSERT_EQ(found[i]->bytes, one->bytes);
    ASSERT_EQ(found[i]->seqno, one->seqno);
  }
  EXPECT_EQ(bucket_.stats().hits, before.hits + 2 * hits);
}

TEST_F(OperationsTest, Get_many_sees_whole_batches_only) {
  TempFolder folder;
  Bucket bucket = KVB_MUST(Bucket::create(folder / "whole.kvb", {.durability = Durability::relaxed}));
  std::vector<std::string> names;
  for (int i = 0; i < 50; ++i) names.push_back("key" + std::to_string(i));
  const std::vector<std::string_view> keys(names.begin(), names.end());
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int round = 0; !stop; ++round) {
      Batch batch;
      for (const auto& name : names) batch.put(name, std::to_string(round));
      KVB_MUST(bucket.write(batch));
    }
  });
  for (int i = 0; i < 2'000; ++i) {
    const auto found = KVB_MUST(bucket.get_many(keys));
    for (const auto& value : found) {
      ASSERT_EQ(value.has_value(), found[0].has_value());
      if (value) {
        ASSERT_EQ(value->bytes, found[0]->bytes);
      }
    }
  }
  stop = true;
  writer.join();
}

TEST_F(OperationsTest, A_bucket_open_for_reading_refuses_them) {
  KVB_MUST(bucket_.put("n", "1"));
  Bucket reader = KVB_MUST(open_with(disk_.environment(), "test.kvb", {.read_only = true}));
  EXPECT_CODE(reader.increment("n"), read_only);
  EXPECT_CODE(reader.set_expiry("n", 1), read_only);
  EXPECT_CODE(reader.remove_prefix("n"), read_only);
  const std::vector<std::string_view> keys = {"n"};
  EXPECT_EQ(KVB_MUST(reader.get_many(keys))[0]->bytes, "1");
  ASSERT_FINE(bucket_.close());
  EXPECT_CODE(bucket_.increment("n"), closed);
  EXPECT_CODE(bucket_.set_expiry("n", 1), closed);
  EXPECT_CODE(bucket_.remove_prefix("n"), closed);
  EXPECT_CODE(bucket_.get_many(keys), closed);
}

}  // namespace
}  // namespace kvb::testing
