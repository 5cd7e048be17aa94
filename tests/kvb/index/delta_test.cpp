#include "kvb/index/delta.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>

namespace kvb::index {
namespace {

std::size_t versions_of(const KeyNode& node) {
  std::size_t count = 0;
  for (const Version* version = node.newest; version != nullptr; version = version->older) ++count;
  return count;
}

// In these tests a key is a number, and its records have that number as paddr.
KeyNode* find(const Delta& delta, std::uint64_t hash, std::uint64_t key) {
  return delta.find(hash, [&](const KeyNode& node) { return node.newest.load()->paddr == key; });
}

TEST(Delta, different_keys_of_one_hash_are_kept_apart) {
  Delta delta;
  for (std::uint64_t key = 1; key <= 300; ++key) {
    delta.push(nullptr, 7, {.paddr = key, .seqno = key, .record_bytes = 1});
  }
  EXPECT_EQ(delta.nodes(), 300u);
  for (std::uint64_t key = 1; key <= 300; ++key) {
    ASSERT_NE(find(delta, 7, key), nullptr);
    EXPECT_EQ(find(delta, 7, key)->newest.load()->seqno, key);
  }
  EXPECT_EQ(find(delta, 7, 301), nullptr);
  EXPECT_EQ(find(delta, 8, 1), nullptr);
}

TEST(Delta, R8_R28_a_reader_sees_its_version_however_many_come_after_it) {
  Delta delta;
  KeyNode* node = delta.push(nullptr, 1, {.paddr = 9, .seqno = 10});
  delta.push(node, 1, {.paddr = 9, .seqno = 20});
  delta.push(node, 1, {.paddr = 9, .seqno = 30});
  EXPECT_EQ(node->visible(9), nullptr);
  EXPECT_EQ(node->visible(10)->seqno, 10u);
  EXPECT_EQ(node->visible(19)->seqno, 10u);
  EXPECT_EQ(node->visible(25)->seqno, 20u);
  EXPECT_EQ(node->visible(UINT64_MAX)->seqno, 30u);
  EXPECT_EQ(versions_of(*node), 3u);
  delta.push(node, 1, {.paddr = 9, .seqno = 40});
  EXPECT_EQ(node->visible(25)->seqno, 20u);
  EXPECT_EQ(node->visible(39)->seqno, 30u);
}

TEST(Delta, a_failed_write_leaves_no_trace) {
  Delta delta;
  KeyNode* kept = delta.push(nullptr, 5, {.paddr = 1, .seqno = 1});
  delta.push(kept, 5, {.paddr = 1, .seqno = 2});
  KeyNode* added = delta.push(nullptr, 5, {.paddr = 2, .seqno = 3});
  delta.pop(added);
  delta.pop(kept);
  EXPECT_EQ(delta.nodes(), 1u);
  EXPECT_EQ(find(delta, 5, 2), nullptr);
  ASSERT_NE(find(delta, 5, 1), nullptr);
  EXPECT_EQ(find(delta, 5, 1)->newest.load()->seqno, 1u);
}

TEST(Delta, agrees_with_a_map) {
  std::mt19937_64 random(4711);
  Delta delta;
  std::map<std::uint64_t, std::uint64_t> model;  // Key to seqno.
  for (std::uint64_t seqno = 1; seqno <= 100'000; ++seqno) {
    const std::uint64_t key = random() % 20'000;
    const std::uint64_t hash = key * 0x9E3779B97F4A7C15ull >> 50;  // Many keys share one.
    delta.push(find(delta, hash, key), hash, {.paddr = key, .seqno = seqno});
    model[key] = seqno;
  }
  EXPECT_EQ(delta.nodes(), model.size());
  for (const auto& [key, seqno] : model) {
    const KeyNode* node = find(delta, key * 0x9E3779B97F4A7C15ull >> 50, key);
    ASSERT_NE(node, nullptr);
    EXPECT_EQ(node->newest.load()->seqno, seqno);
  }
}

// Readers walk the table while one thread adds keys and versions; what they find must always be complete.
TEST(Delta, is_read_without_a_lock_while_it_grows) {
  Delta delta;
  std::atomic<std::uint64_t> published{0};
  constexpr std::uint64_t kKeys = 3'000;
  constexpr std::uint64_t kWrites = 60'000;
  std::vector<std::thread> readers;
  std::atomic<std::uint64_t> lookups{0};
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&, r] {
      std::mt19937_64 random(static_cast<std::uint64_t>(r));
      while (published < kWrites) {
        const std::uint64_t limit = published;
        const std::uint64_t key = random() % kKeys;
        // Write number s is of key s % kKeys, so what a reader at `limit` must see is known.
        const std::uint64_t expected = limit < key || limit == 0 ? 0 : limit - (limit - key) % kKeys;
        const KeyNode* node =
            delta.find(key % 512, [&](const KeyNode& candidate) { return candidate.newest.load()->paddr == key; });
        const Version* version = node != nullptr ? node->visible(limit) : nullptr;
        const std::uint64_t seen = version != nullptr ? version->seqno : 0;
        if (seen != expected) {
          ADD_FAILURE() << "key " << key << " at " << limit << ": " << seen << ", not " << expected;
          return;
        }
        ++lookups;
      }
    });
  }
  for (std::uint64_t seqno = 1; seqno <= kWrites; ++seqno) {
    const std::uint64_t key = seqno % kKeys;
    delta.push(find(delta, key % 512, key), key % 512, {.paddr = key, .seqno = seqno});
    published.store(seqno);
    // Not over before anybody has looked.
    while (seqno == kWrites / 2 && lookups < 1'000 && !::testing::Test::HasFailure()) std::this_thread::yield();
  }
  for (auto& reader : readers) reader.join();
  EXPECT_GT(lookups, 0u);
}

}  // namespace
}  // namespace kvb::index
