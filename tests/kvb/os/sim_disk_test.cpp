#include "kvb/os/sim/sim_disk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <string>
#include <string_view>

#include "kvb/os/sim/crash_images.h"
#include "kvb/support/expect.h"

namespace kvb::os {
namespace {

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::string repeat(char c, std::size_t count) {
  return std::string(count, c);
}

std::set<std::string> images_of(const SimDisk& disk, const std::string& path, bool stale_space = false,
                                std::size_t limit = 4'000) {
  std::set<std::string> all;
  CrashPoint(disk, path)
      .for_each({.images = limit, .seed = 7, .stale_space = stale_space}, [&](const CrashImage& image) {
        all.insert(image.exists ? text_of(image.bytes) : "(absent)");
        return true;
      });
  return all;
}

class SimDiskTest : public ::testing::Test {
 protected:
  SimDisk disk_;
  std::unique_ptr<File> file_ = KVB_MUST(disk_.environment().open("a", OpenMode::create_new));

  void settle() {
    KVB_MUST(file_->sync(SyncKind::all));
    KVB_MUST(disk_.environment().sync_directory_of("a"));
  }
};

TEST_F(SimDiskTest, Is_a_file_like_the_real_one) {
  ASSERT_FINE(file_->write(0, bytes_of("hello")));
  ASSERT_FINE(file_->write(10'000, bytes_of("far")));
  EXPECT_EQ(KVB_MUST(file_->size()), 10'003u);
  std::string out(5, '?');
  ASSERT_FINE(file_->read(9'998, std::as_writable_bytes(std::span(out.data(), out.size()))));
  EXPECT_EQ(out, std::string("\0\0far", 5));
  EXPECT_CODE(file_->read(9'999, std::as_writable_bytes(std::span(out.data(), out.size()))), damaged);
  const std::byte* const start = KVB_MUST(file_->map(0, 5));
  ASSERT_FINE(file_->truncate(5'000'000));
  EXPECT_EQ(KVB_MUST(file_->map(0, 5)), start);
  EXPECT_EQ(std::memcmp(start, "hello", 5), 0);
  ASSERT_FINE(file_->truncate(3));
  ASSERT_FINE(file_->truncate(5));
  EXPECT_EQ(text_of(disk_.contents("a")), std::string("hel\0\0", 5));
  ASSERT_FINE(file_->truncate(16));
  ASSERT_FINE(file_->store_word(8, 77));
  EXPECT_EQ(KVB_MUST(file_->load_word(8)), 77u);
  EXPECT_CODE(file_->load_word(16), damaged);
  EXPECT_CODE(disk_.environment().open("a", OpenMode::create_new), already_exists);
  EXPECT_CODE(disk_.environment().open("b", OpenMode::read_write), not_found);
  EXPECT_EQ(disk_.environment().process().pid, 4'242);
}

TEST_F(SimDiskTest, Locks_exclude_and_end_with_handle_or_process) {
  auto& other_process = disk_.start_process(7);
  auto other = KVB_MUST(other_process.open("a", OpenMode::read_write));
  EXPECT_TRUE(KVB_MUST(other->try_lock(5, LockMode::exclusive)));
  EXPECT_FALSE(KVB_MUST(file_->try_lock(5, LockMode::shared)));
  EXPECT_EQ(KVB_MUST(file_->first_locked(0, 10)), 5u);
  EXPECT_EQ(KVB_MUST(other->first_locked(0, 10)), std::nullopt);
  other_process.kill();
  EXPECT_TRUE(KVB_MUST(file_->try_lock(5, LockMode::shared)));
  EXPECT_CODE(other->write(0, bytes_of("ghost")), io_error);
  EXPECT_EQ(disk_.contents("a").size(), 0u);
  auto third = KVB_MUST(disk_.environment().open("a", OpenMode::read_only));
  EXPECT_TRUE(KVB_MUST(third->try_lock(5, LockMode::shared)));
  EXPECT_FALSE(KVB_MUST(file_->try_lock(5, LockMode::exclusive)));
  third.reset();
  EXPECT_TRUE(KVB_MUST(file_->try_lock(5, LockMode::exclusive)));
}

TEST_F(SimDiskTest, Synced_bytes_are_in_every_image_and_unsynced_ones_in_some) {
  ASSERT_FINE(file_->write(0, bytes_of("old!")));
  settle();
  EXPECT_EQ(images_of(disk_, "a"), std::set<std::string>{"old!"});
  ASSERT_FINE(file_->write(0, bytes_of("new!")));
  EXPECT_EQ(images_of(disk_, "a"), (std::set<std::string>{"old!", "new!"}));
  ASSERT_FINE(file_->sync(SyncKind::data));
  EXPECT_EQ(images_of(disk_, "a"), std::set<std::string>{"new!"});
}

TEST_F(SimDiskTest, Writes_tear_at_sectors_in_any_subset) {
  ASSERT_FINE(file_->write(0, bytes_of(repeat('o', 1'536))));
  settle();
  ASSERT_FINE(file_->write(256, bytes_of(repeat('n', 1'024))));
  const auto images = images_of(disk_, "a");
  EXPECT_EQ(images.size(), 8u);  // Three sectors are touched.
  EXPECT_TRUE(images.contains(repeat('o', 512) + repeat('n', 512) + repeat('o', 512)));
  EXPECT_TRUE(
      images.contains(repeat('o', 256) + repeat('n', 256) + repeat('o', 512) + repeat('n', 256) + repeat('o', 256)));
}

TEST_F(SimDiskTest, Words_are_lost_one_by_one) {
  ASSERT_FINE(file_->write(0, bytes_of(repeat('\0', 16))));
  settle();
  ASSERT_FINE(file_->store_word(0, 1));
  ASSERT_FINE(file_->store_word(8, 2));
  ASSERT_FINE(file_->store_word(0, 3));
  EXPECT_EQ(images_of(disk_, "a").size(), 6u);  // First word 0, 1 or 3; second 0 or 2.
}

TEST_F(SimDiskTest, Size_and_bytes_reach_the_disk_separately) {
  settle();
  ASSERT_FINE(file_->write(0, bytes_of(repeat('x', 600))));
  const auto images = images_of(disk_, "a");
  EXPECT_TRUE(images.contains(""));
  EXPECT_TRUE(images.contains(repeat('\0', 600)));
  EXPECT_TRUE(images.contains(repeat('x', 600)));
  EXPECT_TRUE(images.contains(repeat('x', 512)));
  EXPECT_TRUE(images.contains(repeat('\0', 512) + repeat('x', 88)));
}

TEST_F(SimDiskTest, Data_sync_keeps_no_metadata_that_no_byte_needs) {
  settle();
  ASSERT_FINE(file_->allocate(0, 1'000));
  ASSERT_FINE(file_->write(0, bytes_of("x")));
  ASSERT_FINE(file_->sync(SyncKind::data));
  EXPECT_EQ(images_of(disk_, "a"), (std::set<std::string>{"x", "x" + repeat('\0', 999)}));
  ASSERT_FINE(file_->sync(SyncKind::all));
  EXPECT_EQ(images_of(disk_, "a"), (std::set<std::string>{"x" + repeat('\0', 999)}));
  ASSERT_FINE(file_->truncate(0));
  ASSERT_FINE(file_->sync(SyncKind::data));
  EXPECT_EQ(images_of(disk_, "a").size(), 2u);
}

TEST_F(SimDiskTest, A_punch_is_not_redone_over_bytes_synced_later) {
  ASSERT_FINE(file_->write(0, bytes_of(repeat('o', 4'096))));
  settle();
  ASSERT_FINE(file_->punch(0, 4'096));
  EXPECT_EQ(text_of(disk_.contents("a")), repeat('\0', 4'096));
  ASSERT_FINE(file_->write(0, bytes_of("new")));
  ASSERT_FINE(file_->sync(SyncKind::data));
  EXPECT_EQ(images_of(disk_, "a"), (std::set<std::string>{"new" + repeat('\0', 4'093)}));
}

TEST_F(SimDiskTest, Unwritten_space_may_show_what_was_there_or_anything) {
  ASSERT_FINE(file_->write(0, bytes_of(repeat('o', 4'096))));
  settle();
  ASSERT_FINE(file_->truncate(1'024));
  settle();
  ASSERT_FINE(file_->allocate(1'024, 1'024));
  const auto images = images_of(disk_, "a", true);
  EXPECT_TRUE(images.contains(repeat('o', 1'024)));
  EXPECT_TRUE(images.contains(repeat('o', 1'024) + repeat('\0', 1'024)));
  EXPECT_TRUE(images.contains(repeat('o', 2'048)));
  EXPECT_GE(images.size(), 4u);
}

TEST_F(SimDiskTest, The_name_of_a_new_file_may_be_lost) {
  ASSERT_FINE(file_->write(0, bytes_of("x")));
  ASSERT_FINE(file_->sync(SyncKind::all));
  EXPECT_EQ(images_of(disk_, "a"), (std::set<std::string>{"(absent)", "x"}));
  ASSERT_FINE(disk_.environment().sync_directory_of("a"));
  EXPECT_EQ(images_of(disk_, "a"), (std::set<std::string>{"x"}));
}

TEST_F(SimDiskTest, Many_pieces_give_many_different_images) {
  ASSERT_FINE(file_->write(0, bytes_of(repeat('o', 100 * 512))));
  settle();
  for (int i = 0; i < 10; ++i) {
    ASSERT_FINE(file_->write(static_cast<std::uint64_t>(i) * 10 * 512, bytes_of(repeat('n', 10 * 512))));
  }
  EXPECT_GE(images_of(disk_, "a", false, 1'000).size(), 600u);
  EXPECT_GE(images_of(disk_, "a", false, 50).size(), 40u);
}

TEST_F(SimDiskTest, An_image_can_be_made_again_from_its_description) {
  settle();
  ASSERT_FINE(file_->write(0, bytes_of(repeat('x', 5'000))));
  ASSERT_FINE(file_->allocate(0, 9'000));
  const CrashPoint point(disk_, "a");
  std::size_t images = 0;
  point.for_each({.images = 100, .seed = 3}, [&](const CrashImage& image) {
    EXPECT_EQ(point.image(image.kept, image.stale).bytes, image.bytes) << image.describe();
    ++images;
    return true;
  });
  EXPECT_EQ(images, 100u);
}

TEST_F(SimDiskTest, Faults_come_when_asked_for_once_or_for_ever) {
  disk_.inject({.call = SimCall::write, .skip = 1, .error_number = EIO});
  EXPECT_FINE(file_->write(0, bytes_of("a")));
  EXPECT_CODE(file_->write(0, bytes_of("b")), io_error);
  EXPECT_FINE(file_->write(0, bytes_of("c")));
  EXPECT_EQ(disk_.faults_fired(), 1u);
  EXPECT_EQ(disk_.calls(SimCall::write), 3u);
  disk_.inject({.call = SimCall::any, .error_number = ENOSPC, .sticky = true});
  EXPECT_CODE(file_->write(0, bytes_of("d")), full);
  EXPECT_CODE(file_->allocate(0, 10), full);
  EXPECT_CODE(file_->sync(SyncKind::data), io_error);
  disk_.clear_faults();
  EXPECT_FINE(file_->sync(SyncKind::data));
  EXPECT_EQ(text_of(disk_.contents("a")), "c");
}

TEST_F(SimDiskTest, A_short_write_leaves_part_of_the_bytes) {
  disk_.inject({.call = SimCall::write, .error_number = ENOSPC, .effect = Fault::Effect::partial});
  EXPECT_CODE(file_->write(0, bytes_of(repeat('x', 10'000))), full);
  EXPECT_GT(disk_.contents("a").size(), 1'000u);
  EXPECT_LT(disk_.contents("a").size(), 9'000u);
}

TEST_F(SimDiskTest, Bytes_of_a_failed_sync_can_be_read_but_never_become_durable) {
  ASSERT_FINE(file_->write(0, bytes_of(repeat('o', 64 * 512))));
  settle();
  ASSERT_FINE(file_->write(0, bytes_of(repeat('n', 64 * 512))));
  disk_.inject({.call = SimCall::sync, .effect = Fault::Effect::lost});
  EXPECT_CODE(file_->sync(SyncKind::data), io_error);
  EXPECT_FINE(file_->sync(SyncKind::data));
  EXPECT_EQ(text_of(disk_.contents("a")), repeat('n', 64 * 512));
  const auto images = images_of(disk_, "a");
  ASSERT_EQ(images.size(), 1u);
  EXPECT_NE(*images.begin(), repeat('n', 64 * 512));
}

TEST_F(SimDiskTest, A_full_disk_is_full_until_space_comes_back) {
  disk_.set_capacity_bytes(16'384);
  ASSERT_FINE(file_->write(0, bytes_of(repeat('x', 8'192))));
  EXPECT_CODE(file_->allocate(8'192, 16'384), full);
  EXPECT_EQ(KVB_MUST(file_->size()), 8'192u);
  EXPECT_CODE(file_->write(8'192, bytes_of(repeat('y', 20'000))), full);
  EXPECT_EQ(KVB_MUST(file_->size()), 16'384u);  // As much as fitted.
  EXPECT_FINE(file_->write(0, bytes_of("over")));
  ASSERT_FINE(file_->punch(0, 4'096));
  EXPECT_EQ(disk_.used_bytes(), 12'288u);
  EXPECT_FINE(file_->write(16'384, bytes_of("z")));
  EXPECT_CODE(file_->write(0, bytes_of("no")), full);
}

TEST_F(SimDiskTest, R1_a_second_write_to_a_write_once_byte_ends_the_test) {
  disk_.declare_write_once("a", 100, 1'000);
  ASSERT_FINE(file_->write(0, bytes_of(repeat('x', 150))));
  ASSERT_FINE(file_->write(0, bytes_of(repeat('y', 100))));
  ASSERT_FINE(file_->write(150, bytes_of(repeat('z', 10))));
  EXPECT_DEATH(static_cast<void>(file_->write(159, bytes_of("w"))), "R1 is broken: byte 159");
  disk_.forget_write_once("a", 150, 10);
  EXPECT_FINE(file_->write(155, bytes_of("w")));
  EXPECT_DEATH(static_cast<void>(file_->write(90, bytes_of(repeat('x', 11)))), "R1 is broken: byte 100");
}

TEST(SimDisk, Is_the_same_again_for_the_same_seed) {
  std::array<std::array<std::byte, 20>, 3> random{};
  for (std::size_t i = 0; i < 3; ++i) {
    SimDisk disk({.seed = i == 2 ? 6u : 5u});
    disk.environment().fill_random(random[i]);
  }
  EXPECT_EQ(random[0], random[1]);
  EXPECT_NE(random[0], random[2]);
}

TEST(SimDisk, Clocks_move_only_when_told) {
  SimDisk disk({.wall_clock_ns = 1'000});
  auto& environment = disk.environment();
  const auto monotonic = environment.monotonic_ns();
  environment.sleep(std::chrono::nanoseconds(50));
  EXPECT_EQ(environment.wall_clock_ns(), 1'050);
  EXPECT_EQ(environment.monotonic_ns(), monotonic + 50);
  disk.jump_wall_clock(std::chrono::nanoseconds(-1'000));
  EXPECT_EQ(environment.wall_clock_ns(), 50);
  EXPECT_EQ(environment.monotonic_ns(), monotonic + 50);
}

TEST(SimDisk, Memory_of_an_earlier_file_is_never_seen_again) {
  for (int round = 0; round < 3; ++round) {
    SimDisk disk;
    auto file = KVB_MUST(disk.environment().open("a", OpenMode::create_new));
    ASSERT_FINE(file->truncate(100'000));
    EXPECT_EQ(text_of(disk.contents("a")), repeat('\0', 100'000));
    ASSERT_FINE(file->write(0, bytes_of(repeat('x', 100'000))));
  }
}

}  // namespace
}  // namespace kvb::os
