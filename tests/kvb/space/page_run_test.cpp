#include "kvb/space/page_run.h"

#include <gtest/gtest.h>

#include <random>

#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"

namespace kvb::space {
namespace {

using format::kPageBytes;
using format::PageType;

class PageRunTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (std::size_t i = 0; i < uuid_.size(); ++i) uuid_[i] = static_cast<std::byte>(i);
    file_ = KVB_MUST(disk_.environment().open("run", os::OpenMode::create_new));
  }

  // Pages whose contents follow from their numbers.
  format::Root write(std::uint64_t pages) {
    PageRunWriter writer(*file_, uuid_, 5, [this](std::uint64_t count) { return allocate(count); });
    for (std::uint64_t i = 0; i < pages; ++i) {
      EXPECT_EQ(KVB_MUST(writer.add(PageType::hash_slots, static_cast<std::uint32_t>(i % 7), 3, payload(i))), i);
    }
    const auto root = KVB_MUST(writer.finish());
    taken_ = writer.taken();
    return root;
  }
  Result<std::uint64_t> allocate(std::uint64_t count) {
    const std::uint64_t at = end_;
    end_ += count * kPageBytes;
    if (auto done = file_->allocate(at, count * kPageBytes); !done) return std::unexpected(done.error());
    return at;
  }
  static std::vector<std::byte> payload(std::uint64_t number) {
    std::vector<std::byte> bytes(number % 2 == 0 ? format::kPagePayloadBytes : 10);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(number * 31 + i);
    return bytes;
  }
  Result<std::unique_ptr<PageRun>> open(const format::Root& root, std::uint64_t epoch = 5) {
    return PageRun::open(*file_, uuid_, root, epoch);
  }

  os::SimDisk disk_{{.seed = 1, .recording = false}};
  std::unique_ptr<os::File> file_;
  format::Uuid uuid_;
  std::uint64_t end_ = 8 * kPageBytes;
  std::vector<PageRange> taken_;
};

TEST_F(PageRunTest, an_empty_run_has_no_root_and_no_pages) {
  const auto root = write(0);
  EXPECT_EQ(root, format::Root{});
  auto run = KVB_MUST(open(root));
  EXPECT_EQ(run->pages(), 0u);
  EXPECT_CODE(run->page(0, PageType::hash_slots), damaged);
  EXPECT_TRUE(run->ranges().empty());
}

TEST_F(PageRunTest, every_page_comes_back) {
  for (const std::uint64_t pages :
       {std::uint64_t{1}, kExtentDataPages - 1, kExtentDataPages, kExtentDataPages + 1, 3 * kExtentDataPages + 5}) {
    const auto root = write(pages);
    auto run = KVB_MUST(open(root));
    ASSERT_EQ(run->pages(), pages);
    for (std::uint64_t i = 0; i < pages; ++i) {
      const std::byte* page = KVB_MUST(run->page(i, PageType::hash_slots));
      const auto header = *format::decode_page_header(std::span<const std::byte, 64>(page, 64));
      EXPECT_EQ(header.logical_id, i);
      EXPECT_EQ(header.count, i % 7);
      EXPECT_EQ(header.link, 3u);
      const auto wanted = payload(i);
      EXPECT_TRUE(std::equal(wanted.begin(), wanted.end(), page + 64)) << i;
    }
    EXPECT_CODE(run->page(pages, PageType::hash_slots), damaged);
    auto ranges = run->ranges();
    EXPECT_EQ(ranges, taken_) << "the run knows all the space it takes";
  }
}

TEST_F(PageRunTest, R4_every_damaged_byte_is_noticed_where_it_is_touched) {
  const auto root = write(40);
  const auto bytes = disk_.contents("run");
  std::mt19937 random(3);
  std::size_t noticed = 0;
  for (const auto& range : taken_) {
    for (int i = 0; i < 60; ++i) {
      const std::uint64_t at = range.paddr + random() % (range.pages * kPageBytes);
      const std::byte wrong = bytes[at] ^ std::byte{0x10};
      KVB_MUST(file_->write(at, {&wrong, 1}));
      auto run = open(root);
      bool seen = !run.has_value();
      if (run) {
        for (std::uint64_t p = 0; p < (*run)->pages(); ++p)
          seen = seen || !(*run)->page(p, PageType::hash_slots).has_value();
      }
      EXPECT_TRUE(seen) << "byte " << at;
      noticed += seen ? 1 : 0;
      KVB_MUST(file_->write(at, {&bytes[at], 1}));
    }
  }
  EXPECT_EQ(noticed, taken_.size() * 60);
}

TEST_F(PageRunTest, R4_a_page_is_bound_to_its_bucket_place_epoch_and_type) {
  const auto root = write(3);
  EXPECT_FINE(open(root, 5));
  EXPECT_CODE(open(root, 4), damaged);
  format::Uuid other = uuid_;
  other[0] ^= std::byte{1};
  EXPECT_CODE(PageRun::open(*file_, other, root, 5), damaged);
  auto run = KVB_MUST(open(root));
  EXPECT_CODE(run->page(0, PageType::key_leaf), damaged);

  // A whole valid extent of the same bucket, copied over another one.
  const auto before = disk_.contents("run");
  const auto second = write(3);
  const auto extent = std::span(before).subspan(taken_.front().paddr - taken_.front().pages * kPageBytes - kPageBytes);
  KVB_MUST(file_->write(taken_.front().paddr, extent.first(taken_.front().pages * kPageBytes)));
  auto mixed = KVB_MUST(open(second));
  EXPECT_CODE(mixed->page(0, PageType::hash_slots), damaged);
}

TEST_F(PageRunTest, a_root_that_points_anywhere_is_an_error_and_no_crash) {
  auto root = write(3);
  std::mt19937_64 random(9);
  for (int i = 0; i < 200; ++i) {
    format::Root wild = root;
    switch (i % 3) {
      case 0:
        wild.paddr = random() >> (random() % 64);
        break;
      case 1:
        wild.bytes = random() >> (random() % 64);
        break;
      default:
        wild.crc ^= 1u << (random() % 32);
        break;
    }
    if (wild == root || wild.paddr == 0) continue;
    EXPECT_CODE(open(wild), damaged);
  }
}

}  // namespace
}  // namespace kvb::space
