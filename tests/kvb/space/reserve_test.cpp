// What is kept for a full disk: when it is taken, and when it is let go.
#include "kvb/space/reserve.h"

#include <gtest/gtest.h>

#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"

namespace kvb::space {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr Reserve::Need kNeed{.image = kMiB, .growth = kMiB / 4, .moving = kMiB, .removing = kMiB / 2};

class ReserveTest : public ::testing::Test {
 protected:
  void start(bool tells_capacity) {
    disk_ = std::make_unique<os::SimDisk>(
        os::SimDisk::Options{.seed = 3, .recording = false, .tells_capacity = tells_capacity});
    file_ = KVB_MUST(disk_->environment().open("a", os::OpenMode::create_new));
    free_ = std::make_unique<FreeSpace>();
    reserve_ = std::make_unique<Reserve>(*file_, *free_);
    KVB_MUST(file_->allocate(0, format::kHeadBytes));
  }
  // So much is left for the file.
  void leave(std::uint64_t bytes) { disk_->set_capacity_bytes(disk_->used_bytes() + bytes); }

  std::unique_ptr<os::SimDisk> disk_;
  std::unique_ptr<os::File> file_;
  std::unique_ptr<FreeSpace> free_;
  std::unique_ptr<Reserve> reserve_;
};

TEST_F(ReserveTest, R11_is_taken_when_the_disk_is_nearly_full_and_let_go_when_there_is_room) {
  start(true);
  leave(1'000 * kMiB);
  EXPECT_TRUE(reserve_->keep(kNeed, kMiB));
  EXPECT_FALSE(reserve_->is_tight());
  EXPECT_EQ(reserve_->held_bytes(), 0u);
  leave(20 * kMiB);
  EXPECT_TRUE(reserve_->keep(kNeed, kMiB));
  EXPECT_TRUE(reserve_->is_tight());
  EXPECT_EQ(reserve_->held_bytes(), kNeed.total());
  leave(1'000 * kMiB);
  EXPECT_TRUE(reserve_->keep(kNeed, kMiB));
  EXPECT_FALSE(reserve_->is_tight());
  EXPECT_EQ(reserve_->held_bytes(), 0u);
}

TEST_F(ReserveTest, R11_leaves_a_refusal_behind_when_more_room_is_told) {
  start(true);
  leave(400 * kMiB);
  // Refused though there was room, by whom ever.
  EXPECT_TRUE(reserve_->keep_after_refusal(kNeed));
  EXPECT_TRUE(reserve_->is_tight());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(reserve_->keep(kNeed, kMiB));
  EXPECT_TRUE(reserve_->is_tight());
  EXPECT_EQ(reserve_->held_bytes(), kNeed.total());
  leave(1'000 * kMiB);
  EXPECT_TRUE(reserve_->keep(kNeed, kMiB));
  EXPECT_FALSE(reserve_->is_tight());
  EXPECT_EQ(reserve_->held_bytes(), 0u);
  EXPECT_LE(disk_->used_bytes(), format::kHeadBytes + kNeed.total());
}

TEST_F(ReserveTest, R11_leaves_a_quota_that_tells_nothing_behind_when_it_is_asked_to_look_again) {
  start(false);
  leave(2 * kMiB);
  EXPECT_FALSE(reserve_->keep_after_refusal(kNeed));
  EXPECT_TRUE(reserve_->is_tight());
  const std::uint64_t held = reserve_->held_bytes();
  EXPECT_GT(held, kMiB);
  reserve_->look_again(kNeed);
  EXPECT_TRUE(reserve_->is_tight());
  EXPECT_EQ(reserve_->held_bytes(), held);
  leave(60 * kMiB);
  reserve_->look_again(kNeed);
  EXPECT_TRUE(reserve_->is_tight()) << "not enough to forget it";
  leave(500 * kMiB);
  reserve_->look_again(kNeed);
  EXPECT_FALSE(reserve_->is_tight());
  EXPECT_EQ(reserve_->held_bytes(), 0u);
  // And the next refusal counts again.
  leave(0);
  EXPECT_TRUE(reserve_->keep(kNeed, kMiB));
  (void)reserve_->keep_after_refusal(kNeed);
  EXPECT_TRUE(reserve_->is_tight());
}

}  // namespace
}  // namespace kvb::space
