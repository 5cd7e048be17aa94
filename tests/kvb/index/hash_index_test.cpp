#include "kvb/index/hash_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"

namespace kvb::index {
namespace {

class HashIndexTest : public ::testing::Test {
 protected:
  void SetUp() override { file_ = KVB_MUST(disk_.environment().open("index", os::OpenMode::create_new)); }

  std::unique_ptr<HashIndex> build(std::vector<Slot> slots, std::uint64_t at_most) {
    std::ranges::sort(slots, {}, &Slot::hash);
    space::PageRunWriter run(*file_, format::Uuid{}, 1, [this](std::uint64_t count) -> Result<std::uint64_t> {
      const std::uint64_t at = end_;
      end_ += count * format::kPageBytes;
      if (auto done = file_->allocate(at, count * format::kPageBytes); !done) return std::unexpected(done.error());
      return at;
    });
    HashIndexWriter writer(run, at_most);
    for (const Slot& slot : slots) KVB_MUST(writer.add(slot));
    KVB_MUST(writer.finish());
    EXPECT_EQ(writer.slots(), slots.size());
    const auto root = KVB_MUST(run.finish());
    return std::make_unique<HashIndex>(KVB_MUST(space::PageRun::open(*file_, format::Uuid{}, root, 1)), writer.pages());
  }

  static std::vector<std::uint64_t> find(const HashIndex& index, std::uint64_t hash) {
    std::vector<std::uint64_t> found;
    KVB_MUST(index.find(hash, [&](std::uint64_t paddr) {
      found.push_back(paddr);
      return true;
    }));
    return found;
  }

  os::SimDisk disk_{{.seed = 1, .recording = false}};
  std::unique_ptr<os::File> file_;
  std::uint64_t end_ = format::kPageBytes;
};

TEST_F(HashIndexTest, an_empty_index_finds_nothing) {
  const auto index = build({}, 0);
  EXPECT_TRUE(find(*index, 0).empty());
  EXPECT_TRUE(find(*index, UINT64_MAX).empty());
}

TEST_F(HashIndexTest, finds_every_hash_and_no_other) {
  std::mt19937_64 random(1);
  for (const std::size_t count : {1u, 2u, 201u, 252u, 5'000u, 100'000u}) {
    std::vector<Slot> slots;
    for (std::size_t i = 0; i < count; ++i) slots.push_back({random(), i + 1});
    slots.push_back({0, 1'000'001});
    slots.push_back({UINT64_MAX, 1'000'002});
    const auto index = build(slots, slots.size());
    for (const Slot& slot : slots) EXPECT_EQ(find(*index, slot.hash), std::vector<std::uint64_t>{slot.paddr});
    for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(find(*index, random()).empty());
  }
}

TEST_F(HashIndexTest, load_is_between_three_quarters_and_nine_tenths) {
  std::mt19937_64 random(2);
  std::vector<Slot> slots(200'000);
  for (auto& slot : slots) slot = {random(), 1};
  const auto index = build(slots, slots.size());
  const double load = static_cast<double>(slots.size()) / static_cast<double>(index->pages() * kSlotsPerPage);
  EXPECT_GE(load, 0.75);
  EXPECT_LE(load, 0.9);
  EXPECT_LE(index->run().pages(), index->pages() + index->pages() / 100 + 1) << "overflow pages are rare";
}

TEST_F(HashIndexTest, equal_hashes_have_room_however_many) {
  std::vector<Slot> slots;
  for (std::uint64_t i = 0; i < 3'000; ++i) slots.push_back({i % 4 == 0 ? 77u : (i % 4 << 62) + 5, i});
  const auto index = build(slots, slots.size());
  for (const std::uint64_t hash : {std::uint64_t{77}, (std::uint64_t{1} << 62) + 5, (std::uint64_t{3} << 62) + 5}) {
    auto found = find(*index, hash);
    std::ranges::sort(found);
    std::vector<std::uint64_t> wanted;
    for (const Slot& slot : slots) {
      if (slot.hash == hash) wanted.push_back(slot.paddr);
    }
    EXPECT_EQ(found, wanted);
  }
  EXPECT_TRUE(find(*index, 78).empty());
  EXPECT_TRUE(find(*index, 76).empty());
}

TEST_F(HashIndexTest, an_eight_bit_hash_works) {
  // All hashes fall on the first page: everything is overflow.
  std::vector<Slot> slots;
  for (std::uint64_t i = 0; i < 20'000; ++i) slots.push_back({i % 256, i});
  const auto index = build(slots, slots.size());
  for (std::uint64_t hash = 0; hash < 256; ++hash) {
    const auto found = find(*index, hash);
    EXPECT_EQ(found.size(), 20'000 / 256 + (hash < 20'000 % 256 ? 1u : 0u));
    for (const std::uint64_t paddr : found) EXPECT_EQ(paddr % 256, hash);
  }
  EXPECT_TRUE(find(*index, 256).empty());
}

TEST_F(HashIndexTest, walks_all_slots_in_order) {
  std::mt19937_64 random(3);
  std::vector<Slot> slots(30'000);
  for (auto& slot : slots) slot = {random(), random()};
  const auto index = build(slots, slots.size() * 2);
  std::ranges::sort(slots, {}, &Slot::hash);
  std::size_t at = 0;
  KVB_MUST(index->for_each([&](const Slot& slot) -> Result<void> {
    EXPECT_EQ(slot, slots[at++]);
    return {};
  }));
  EXPECT_EQ(at, slots.size());
}

TEST_F(HashIndexTest, stops_when_told) {
  const auto index = build({{5, 1}, {5, 2}, {5, 3}}, 3);
  int visits = 0;
  KVB_MUST(index->find(5, [&](std::uint64_t) { return ++visits < 2; }));
  EXPECT_EQ(visits, 2);
}

// The quick lookup answers only what the careful one would.
TEST_F(HashIndexTest, the_quick_lookup_agrees_with_the_careful_one_or_gives_up) {
  std::mt19937_64 random(11);
  std::vector<Slot> slots;
  for (std::uint64_t i = 1; i <= 3'000; ++i) slots.push_back({.hash = random(), .paddr = i});
  for (std::uint64_t i = 0; i < 300; ++i) slots.push_back({.hash = slots[500].hash, .paddr = 10'000 + i});
  slots.push_back({.hash = slots[7].hash, .paddr = 20'000});
  const auto index = build(slots, slots.size());
  std::uint64_t paddr = 0;
  EXPECT_EQ(index->find_quickly(slots[0].hash, paddr), HashIndex::Quick::unsure) << "the page was not read before";
  std::size_t sure = 0;
  const auto check = [&](std::uint64_t hash) {
    const auto found = find(*index, hash);
    switch (index->find_quickly(hash, paddr)) {
      case HashIndex::Quick::one:
        EXPECT_EQ(found, std::vector{paddr});
        ++sure;
        break;
      case HashIndex::Quick::none:
        EXPECT_TRUE(found.empty());
        ++sure;
        break;
      case HashIndex::Quick::unsure:
        break;
    }
  };
  for (const Slot& slot : slots) check(slot.hash);
  for (int i = 0; i < 3'000; ++i) check(random());
  EXPECT_GT(sure, 5'000u);
  EXPECT_EQ(index->find_quickly(slots[7].hash, paddr), HashIndex::Quick::unsure) << "two slots have this hash";
}

// Only a file that somebody has tampered with has an index without pages.
TEST_F(HashIndexTest, an_index_without_pages_is_no_place_to_look_quickly) {
  const HashIndex index(KVB_MUST(space::PageRun::open(*file_, format::Uuid{}, {}, 1)), 0);
  std::uint64_t paddr = 0;
  EXPECT_EQ(index.find_quickly(1, paddr), HashIndex::Quick::unsure);
  index.prefetch(1);
  EXPECT_TRUE(find(index, 1).empty());
}

}  // namespace
}  // namespace kvb::index
