#include "wfl/vm/front_vector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

namespace wfl::vm {
namespace {

TEST(FrontVector, BehavesLikeADeque) {
  std::mt19937 random(3);
  FrontVector<int> found;
  std::deque<int> wanted;
  for (int i = 0; i < 200'000; ++i) {
    // Long stretches of growing and shrinking at either end.
    const unsigned mood = (static_cast<unsigned>(i) / 5000) % 4;
    const unsigned what = random() % 10;
    const std::size_t at = wanted.empty() ? 0 : random() % wanted.size();
    if (what < 4 || wanted.empty()) {
      if (mood % 2 == 0) {
        found.push_back(i);
        wanted.push_back(i);
      } else {
        found.push_front(i);
        wanted.push_front(i);
      }
    } else if (what < 8) {
      if (mood < 2) {
        found.pop_front();
        wanted.pop_front();
      } else {
        found.pop_back();
        wanted.pop_back();
      }
    } else if (what == 8) {
      found.insert(found.begin() + at, i);
      wanted.insert(wanted.begin() + static_cast<std::ptrdiff_t>(at), i);
    } else {
      found.erase(found.begin() + at);
      wanted.erase(wanted.begin() + static_cast<std::ptrdiff_t>(at));
    }
    ASSERT_EQ(found.size(), wanted.size());
    if (wanted.empty()) continue;
    ASSERT_EQ(found.front(), wanted.front());
    ASSERT_EQ(found.back(), wanted.back());
    if (i % 100 == 0) {
      ASSERT_TRUE(std::equal(found.begin(), found.end(), wanted.begin(), wanted.end()));
    }
  }
}

TEST(FrontVector, KeepsNoMoreRoomInFrontThanItHasElements) {
  FrontVector<int> queue;
  for (int i = 0; i < 1000; ++i) queue.push_back(i);
  for (int i = 0; i < 1'000'000; ++i) {
    queue.push_back(i);
    queue.pop_front();
  }
  EXPECT_EQ(queue.size(), 1000U);
  EXPECT_LT(queue.capacity(), 10'000U);
}

}  // namespace
}  // namespace wfl::vm
