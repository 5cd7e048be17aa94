// Superblock, identity block, segment header, footer: what was written is read, and no other byte string is.

#include <gtest/gtest.h>

#include "kvb/format/identity.h"
#include "kvb/format/live_page.h"
#include "kvb/format/segment.h"
#include "kvb/format/superblock.h"

namespace kvb::format {
namespace {

Uuid some_uuid() {
  Uuid uuid;
  for (std::size_t i = 0; i < uuid.size(); ++i) uuid[i] = static_cast<std::byte>(0x10 + i);
  return uuid;
}

Superblock some_superblock() {
  Superblock s;
  s.uuid = some_uuid();
  s.created_ns = 1'800'000'000'123'456'789;
  s.flags = 0x0102030405060708;
  s.file_bytes = 1 << 20;
  s.commit_seqno = 77;
  s.commit_paddr = 0x10080;
  s.epoch = 9;
  s.features_compatible = 1;
  s.features_read_only_compatible = 2;
  s.features_incompatible = 4;
  s.hash_seed = 0xABCDEF;
  s.hash_directory = {.paddr = 1, .bytes = 2, .crc = 3, .levels = 4};
  s.key_table = {.paddr = 5, .bytes = 6, .crc = 7, .levels = 8};
  s.segment_table = {.paddr = 9, .bytes = 10, .crc = 11, .levels = 12};
  s.free_map = {.paddr = 13, .bytes = 14, .crc = 15, .levels = 16};
  s.journal = {.segment = {.id = 3, .paddr = 0x20000, .salt = 0x55}, .offset = 128, .seqno = 78};
  s.counters = {.keys = 1, .live_bytes = 2, .segments = 3, .next_segment_id = 4};
  s.newest_wall_ns = -5;
  s.key_block[0] = std::byte{1};
  s.key_block[255] = std::byte{2};
  s.compression = 1;
  s.compression_level = -3;
  s.dictionaries = {.paddr = 17, .bytes = 18, .crc = 19, .levels = 20};
  s.retired = Root{.paddr = 21, .bytes = 22, .crc = 23, .levels = 24};
  s.dictionaries_copy = Root{.paddr = 25};
  return s;
}

TEST(Superblock, every_field_comes_back) {
  std::array<std::byte, kPageBytes> page;
  encode_superblock(some_superblock(), page);
  const auto decoded = decode_superblock(page);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, some_superblock());
}

TEST(Superblock, R14_one_checksum_covers_every_byte) {
  std::array<std::byte, kPageBytes> page;
  encode_superblock(some_superblock(), page);
  for (std::size_t i = 0; i < page.size(); ++i) {
    for (const unsigned bit : {0u, 7u}) {
      page[i] ^= static_cast<std::byte>(1u << bit);
      EXPECT_FALSE(decode_superblock(page).has_value()) << "byte " << i << " bit " << bit;
      page[i] ^= static_cast<std::byte>(1u << bit);
    }
  }
  EXPECT_TRUE(decode_superblock(page).has_value());
}

TEST(Superblock, a_newer_major_version_is_told_from_damage) {
  std::array<std::byte, kPageBytes> page;
  Superblock newer = some_superblock();
  newer.version_major = 2;
  encode_superblock(newer, page);
  const auto decoded = decode_superblock(page);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error(), SuperblockFault::new_version);
  page[100] ^= std::byte{1};
  EXPECT_EQ(decode_superblock(page).error(), SuperblockFault::bad_crc);
  page.fill(std::byte{0});
  EXPECT_EQ(decode_superblock(page).error(), SuperblockFault::no_magic);
}

TEST(Superblock, a_newer_minor_version_is_readable) {
  std::array<std::byte, kPageBytes> page;
  Superblock newer = some_superblock();
  newer.version_minor = 9;
  encode_superblock(newer, page);
  EXPECT_TRUE(decode_superblock(page).has_value());
}

TEST(Superblock, impossible_fields_are_refused) {
  std::array<std::byte, kPageBytes> page;
  const auto refused = [&](auto change) {
    Superblock s = some_superblock();
    change(s);
    encode_superblock(s, page);
    return decode_superblock(page) == std::unexpected(SuperblockFault::bad_field);
  };
  EXPECT_TRUE(refused([](Superblock& s) { s.page_size = 65536; }));
  EXPECT_TRUE(refused([](Superblock& s) { s.head_bytes = 4096; }));
  EXPECT_TRUE(refused([](Superblock& s) { s.journal.segment.paddr = 0x8000; }));
  EXPECT_TRUE(refused([](Superblock& s) { s.journal.segment.paddr += 1; }));
  EXPECT_TRUE(refused([](Superblock& s) { s.journal.segment.id = 0; }));
  EXPECT_TRUE(refused([](Superblock& s) { s.journal.seqno = 0; }));
}

TEST(IdentityBlock, every_field_comes_back_and_every_byte_counts) {
  std::array<std::byte, kIdentityBytes> block;
  const Identity identity = identity_of(some_superblock());
  encode_identity(identity, block);
  ASSERT_TRUE(decode_identity(block).has_value());
  EXPECT_EQ(*decode_identity(block), identity);
  for (auto& byte : block) {
    byte ^= std::byte{0x20};
    EXPECT_FALSE(decode_identity(block).has_value());
    byte ^= std::byte{0x20};
  }
}

TEST(LivePage, holder_comes_back_and_long_names_are_cut) {
  std::array<std::byte, kHolderBytes> block;
  encode_holder({.pid = 4121, .since_ns = 17, .program = std::string(200, 'p'), .host = "here"}, block);
  const auto holder = decode_holder(block);
  ASSERT_TRUE(holder.has_value());
  EXPECT_EQ(holder->pid, 4121);
  EXPECT_EQ(holder->since_ns, 17);
  EXPECT_EQ(holder->program, std::string(63, 'p'));
  EXPECT_EQ(holder->host, "here");
  block[3] ^= std::byte{1};
  EXPECT_FALSE(decode_holder(block).has_value());
}

SegmentHeader some_segment() {
  return {.uuid = some_uuid(),
          .link = {.id = 5, .paddr = 0x14000, .salt = 0x1122334455667788},
          .size_bytes = 256 * 1024,
          .kind = SegmentKind::log,
          .flags = 3,
          .base_seqno = 100,
          .start_ns = 42,
          .pid = 7,
          .features_incompatible = 1,
          .hash_seed = 99,
          .key_block_hash = 98};
}

TEST(SegmentHeader, every_field_comes_back_and_every_byte_counts) {
  std::array<std::byte, kSegmentHeaderBytes> bytes;
  encode_segment_header(some_segment(), bytes);
  ASSERT_TRUE(decode_segment_header(bytes).has_value());
  EXPECT_EQ(*decode_segment_header(bytes), some_segment());
  for (auto& byte : bytes) {
    byte ^= std::byte{1};
    EXPECT_FALSE(decode_segment_header(bytes).has_value());
    byte ^= std::byte{1};
  }
}

Footer some_footer(bool cut) {
  return {.flags = cut ? Footer::kCut : 0u,
          .end_offset = 200'000,
          .last_seqno = 400,
          .record_count = 301,
          .live_bytes = 12'345,
          .earliest_expiry_ns = 5,
          .latest_expiry_ns = 6,
          .next = {.id = 6, .paddr = 0x54000, .salt = 9},
          .next_base_seqno = cut ? std::uint64_t{1} << 33 : 401u,
          .resync_points = {{.offset = 65'700, .seqno = 150}, {.offset = 131'100, .seqno = 260}}};
}

TEST(Footer, every_field_comes_back_and_every_byte_counts) {
  const SegmentHeader segment = some_segment();
  const std::uint32_t life = life_seed(segment.uuid, segment.link);
  for (const bool cut : {false, true}) {
    auto bytes = encode_footer(some_footer(cut), life, segment.size_bytes);
    EXPECT_LE(bytes.size(), footer_reserve(segment.size_bytes));
    ASSERT_TRUE(decode_footer(bytes, life, segment.size_bytes).has_value());
    EXPECT_EQ(*decode_footer(bytes, life, segment.size_bytes), some_footer(cut));
    for (auto& byte : bytes) {
      byte ^= std::byte{0x80};
      EXPECT_FALSE(decode_footer(bytes, life, segment.size_bytes).has_value());
      byte ^= std::byte{0x80};
    }
  }
}

TEST(Footer, R2_is_bound_to_its_life) {
  const SegmentHeader segment = some_segment();
  const auto bytes = encode_footer(some_footer(false), life_seed(segment.uuid, segment.link), segment.size_bytes);
  SegmentLink other = segment.link;
  ++other.salt;
  EXPECT_FALSE(decode_footer(bytes, life_seed(segment.uuid, other), segment.size_bytes).has_value());
  other = segment.link;
  ++other.id;
  EXPECT_FALSE(decode_footer(bytes, life_seed(segment.uuid, other), segment.size_bytes).has_value());
  Uuid uuid = segment.uuid;
  uuid[0] ^= std::byte{1};
  EXPECT_FALSE(decode_footer(bytes, life_seed(uuid, segment.link), segment.size_bytes).has_value());
}

TEST(Footer, R6_only_a_cut_may_declare_a_jump) {
  const SegmentHeader segment = some_segment();
  const std::uint32_t life = life_seed(segment.uuid, segment.link);
  Footer footer = some_footer(false);
  footer.next_base_seqno = 402;
  EXPECT_FALSE(decode_footer(encode_footer(footer, life, segment.size_bytes), life, segment.size_bytes).has_value());
  footer.flags = Footer::kCut;
  EXPECT_TRUE(decode_footer(encode_footer(footer, life, segment.size_bytes), life, segment.size_bytes).has_value());
  footer.next_base_seqno = 400;
  EXPECT_FALSE(decode_footer(encode_footer(footer, life, segment.size_bytes), life, segment.size_bytes).has_value());
}

TEST(Footer, the_reserve_holds_a_point_for_every_distance) {
  for (const std::uint64_t size : {kMinSegmentBytes, std::uint64_t{65'536}, std::uint64_t{1} << 20, kMaxSegmentBytes}) {
    EXPECT_EQ(footer_reserve(size), kFooterBytes + kResyncPointBytes * (size / kResyncDistanceBytes));
    EXPECT_GT(record_limit(size), kSegmentHeaderBytes);
  }
  for (const std::uint64_t bytes :
       {std::uint64_t{1}, std::uint64_t{3'840}, std::uint64_t{3'841}, std::uint64_t{1} << 26}) {
    const std::uint64_t size = segment_bytes_for(bytes);
    EXPECT_GE(record_limit(size), kSegmentHeaderBytes + bytes);
    EXPECT_EQ(size % kPageBytes, 0u);
    EXPECT_LE(size, bytes + bytes / 1000 + 3 * kPageBytes) << "not more than it takes";
  }
}

}  // namespace
}  // namespace kvb::format
