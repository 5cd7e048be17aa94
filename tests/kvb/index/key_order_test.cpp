#include "kvb/index/key_order.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <set>
#include <unordered_map>

namespace kvb::index {
namespace {

class KeyOrderTest : public ::testing::Test {
 protected:
  void add(const std::string& key) {
    nodes_.emplace_back();
    keys_[&nodes_.back()] = key;
    order_.add(&nodes_.back());
    model_.insert(key);
  }

  std::vector<std::string> walk(std::optional<std::string> from, bool exclusive, bool reverse) {
    const auto view = order_.view();
    KeyOrder::Cursor cursor(order_, view, from ? std::optional<std::string_view>(*from) : std::nullopt, exclusive,
                            reverse);
    std::vector<std::string> found;
    for (; cursor.node() != nullptr; cursor.next()) {
      EXPECT_EQ(cursor.key(), keys_[cursor.node()]);
      found.push_back(keys_[cursor.node()]);
    }
    return found;
  }

  std::vector<std::string> expected(const std::optional<std::string>& from, bool exclusive, bool reverse) const {
    std::vector<std::string> wanted;
    for (const auto& key : model_) {
      const bool behind = !from || (reverse ? key < *from : key > *from) || (!exclusive && key == *from);
      if (behind) wanted.push_back(key);
    }
    if (reverse) std::ranges::reverse(wanted);
    return wanted;
  }

  void check_from(const std::optional<std::string>& from) {
    for (const bool exclusive : {false, true}) {
      for (const bool reverse : {false, true}) {
        EXPECT_EQ(walk(from, exclusive, reverse), expected(from, exclusive, reverse))
            << "from " << from.value_or("(end)") << " exclusive " << exclusive << " reverse " << reverse;
      }
    }
  }

  std::deque<KeyNode> nodes_;
  std::unordered_map<const KeyNode*, std::string> keys_;
  std::set<std::string> model_;
  KeyOrder order_{[this](const KeyNode& node) -> std::string_view { return keys_.at(&node); }};
};

TEST_F(KeyOrderTest, is_empty_at_first) {
  EXPECT_TRUE(walk(std::nullopt, false, false).empty());
  EXPECT_TRUE(walk("x", false, true).empty());
}

TEST_F(KeyOrderTest, bytes_compare_unsigned_and_prefixes_come_first) {
  for (const std::string& key : {std::string("a"), std::string("a\0", 2), std::string("a\0\0", 3), std::string("ab"),
                                 std::string("\xFF"), std::string("\x7F"), std::string("\x80"), std::string("\0", 1)}) {
    add(key);
  }
  for (const auto& key : model_) check_from(key);
  check_from(std::nullopt);
  check_from(std::string("a\0\0\0", 4));
}

TEST_F(KeyOrderTest, agrees_with_a_set_whatever_the_mix_of_adding_and_walking) {
  std::mt19937_64 random(815);
  const auto random_key = [&] {
    // Keys that share much, little or nothing, of many lengths, with bytes at both ends of the range.
    std::string key = random() % 2 == 0 ? "a rather long common beginning/" : "";
    const std::size_t length = 1 + random() % 12;
    for (std::size_t i = 0; i < length; ++i)
      key += static_cast<char>(
          "\0\x01"
          "ab\xFE\xFF"[random() % 6]);
    return key;
  };
  for (int round = 0; round < 60; ++round) {
    for (std::size_t n = random() % 40; n > 0; --n) {
      const std::string key = random_key();
      if (!model_.contains(key)) add(key);
    }
    check_from(std::nullopt);
    for (int i = 0; i < 5; ++i) check_from(random_key());
  }
  EXPECT_GT(model_.size(), 500u);
}

}  // namespace
}  // namespace kvb::index
