// The batch's overlay against a plain model: whatever was set and removed, a scan through it must equal a scan of the
// final state, for every range, direction and limit.
#include "wfl/keystore/pending_batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace wfl::keystore {
namespace {

constexpr std::int64_t kNow = 1'000'000'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;

Stored stored(std::string bytes, std::optional<std::int64_t> expires_at_ns = std::nullopt) {
  return {.bytes = std::move(bytes), .kind = kvb::ValueKind::text, .expires_at_ns = expires_at_ns};
}

// What the engine would answer over `state`.
std::vector<StoredEntry> scan(const std::map<std::string, std::string>& state, const kvb::ScanOptions& options) {
  std::vector<StoredEntry> found;
  for (const auto& [key, value] : state) {
    if (!key.starts_with(options.prefix) || (options.from && key < *options.from) ||
        (options.to && key > *options.to)) {
      continue;
    }
    found.push_back({.key = key, .value = stored(value)});
  }
  if (options.reverse) std::ranges::reverse(found);
  if (found.size() > options.limit) found.resize(options.limit);
  return found;
}

std::string shown(const std::vector<StoredEntry>& entries) {
  std::string text;
  for (const StoredEntry& entry : entries) text += entry.key + "=" + entry.value.bytes + " ";
  return text;
}

TEST(PendingBatchTest, ScansEqualTheFinalState) {
  std::mt19937 random(42);
  const auto pick = [&random](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
  const auto random_key = [&pick] {
    std::string key;
    for (int length = 1 + pick(3); length > 0; --length) key += static_cast<char>(pick(4) == 0 ? 0xc3 : 'a' + pick(3));
    return key;
  };
  for (int round = 0; round < 2'000; ++round) {
    std::map<std::string, std::string> below;
    for (int i = pick(12); i > 0; --i) below[random_key()] = "old";
    std::map<std::string, std::string> after = below;
    PendingBatch batch;
    for (int i = pick(12); i > 0; --i) {
      const std::string key = random_key();
      if (pick(2) == 0) {
        batch.set(key, std::nullopt);
        after.erase(key);
      } else {
        const std::string value = "new" + std::to_string(i);
        batch.set(key, stored(value));
        after[key] = value;
      }
    }
    kvb::ScanOptions options;
    if (pick(3) == 0) options.prefix = random_key().substr(0, 1);
    if (pick(3) == 0) options.from = random_key();
    if (pick(3) == 0) options.to = random_key();
    options.reverse = pick(2) == 0;
    if (pick(2) == 0) options.limit = static_cast<std::uint64_t>(pick(6));
    kvb::ScanOptions raised = options;
    if (options.limit != UINT64_MAX) raised.limit += batch.size();
    ASSERT_EQ(shown(batch.merge(scan(below, raised), options, kNow)), shown(scan(after, options))) << "round " << round;
    for (const auto& [key, value] : after) {
      const auto* pending = batch.find(key, kNow);
      ASSERT_EQ(pending == nullptr ? below.at(key) : pending->value().bytes, value);
    }
  }
}

TEST(PendingBatchTest, ExpiredValuesAreGone) {
  PendingBatch batch;
  batch.set("soon", stored("x", kNow + kSecond));
  batch.set("gone", stored("x", kNow));
  ASSERT_NE(batch.find("gone", kNow), nullptr);
  EXPECT_FALSE(batch.find("gone", kNow)->has_value());
  EXPECT_TRUE(batch.find("soon", kNow)->has_value());
  EXPECT_FALSE(batch.find("soon", kNow + kSecond)->has_value());
  EXPECT_EQ(batch.find("never touched", kNow), nullptr);
  EXPECT_EQ(shown(batch.merge({{.key = "gone", .value = stored("old")}}, {}, kNow)), "soon=x ");
}

TEST(PendingBatchTest, OperationsForTheEngine) {
  PendingBatch batch;
  batch.set("a", stored("1"));
  batch.set("b", std::nullopt);
  batch.set("c", stored("2", kNow + 90 * kSecond - 1));
  batch.set("d", stored("3", kNow - 1));
  batch.set("a", stored("4"));
  const kvb::Batch operations = batch.operations(kNow);
  ASSERT_EQ(operations.size(), 4U);
  using Type = kvb::Batch::Operation::Type;
  EXPECT_EQ(operations.operations()[0].key, "a");
  EXPECT_EQ(operations.operations()[0].value, "4");
  EXPECT_EQ(operations.operations()[0].ttl_seconds, 0U);
  EXPECT_EQ(operations.operations()[1].type, Type::remove);
  EXPECT_EQ(operations.operations()[2].ttl_seconds, 90U);
  EXPECT_EQ(operations.operations()[3].type, Type::remove);
}

TEST(PendingBatchTest, SecondsAreRoundedUp) {
  EXPECT_EQ(seconds_until(kNow, kNow), 0U);
  EXPECT_EQ(seconds_until(kNow - 5, kNow), 0U);
  EXPECT_EQ(seconds_until(kNow + 1, kNow), 1U);
  EXPECT_EQ(seconds_until(kNow + kSecond, kNow), 1U);
  EXPECT_EQ(seconds_until(kNow + kSecond + 1, kNow), 2U);
}

}  // namespace
}  // namespace wfl::keystore
