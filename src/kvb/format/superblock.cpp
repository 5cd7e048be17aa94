#include "kvb/format/superblock.h"

#include <algorithm>
#include <cstring>

#include "kvb/format/crc32c.h"
#include "kvb/format/endian.h"

namespace kvb::format {
namespace {

constexpr std::array<std::byte, 4> kMagic{std::byte{'K'}, std::byte{'V'}, std::byte{'B'}, std::byte{'K'}};

// Byte offsets in the page (docs/FORMAT.md, "Superblock").
enum Offset : std::size_t {
  kMagicAt = 0,
  kVersionMajorAt = 4,
  kVersionMinorAt = 6,
  kPageSizeAt = 8,
  kUuidAt = 16,
  kCreatedAt = 32,
  kFlagsAt = 40,
  kHeadBytesAt = 48,
  kFileBytesAt = 56,
  kCommitSeqnoAt = 64,
  kCommitPaddrAt = 72,
  kEpochAt = 80,
  kCompatibleAt = 88,
  kReadOnlyCompatibleAt = 96,
  kIncompatibleAt = 104,
  kHashSeedAt = 112,
  kHashDirectoryAt = 120,
  kKeyTableAt = 144,
  kSegmentTableAt = 168,
  kFreeMapAt = 192,
  kJournalAt = 216,
  kCountersAt = 256,
  kNewestWallAt = 288,
  kKeyBlockAt = 296,
  kCompressionAt = 552,
  kCompressionLevelAt = 556,
  kDictionariesAt = 560,
  kRetiredAt = 584,
  kDictionariesCopyAt = 608,
  kHashPagesAt = 632,
  kUnnamedSlotsAt = 640,
  kNothingExpiresInAt = 648,
  kReservedAt = 656,
  kCrcAt = 4092,
};

void store_root(std::byte* at, const Root& root) noexcept {
  store_le(at, root.paddr);
  store_le(at + 8, root.bytes);
  store_le(at + 16, root.crc);
  store_le(at + 20, root.levels);
}

Root load_root(const std::byte* at) noexcept {
  return {.paddr = load_le<std::uint64_t>(at),
          .bytes = load_le<std::uint64_t>(at + 8),
          .crc = load_le<std::uint32_t>(at + 16),
          .levels = load_le<std::uint32_t>(at + 20)};
}

}  // namespace

void encode_superblock(const Superblock& s, std::span<std::byte, kPageBytes> page) noexcept {
  std::ranges::fill(page, std::byte{0});
  std::byte* p = page.data();
  std::ranges::copy(kMagic, p + kMagicAt);
  store_le(p + kVersionMajorAt, s.version_major);
  store_le(p + kVersionMinorAt, s.version_minor);
  store_le(p + kPageSizeAt, s.page_size);
  std::ranges::copy(s.uuid, p + kUuidAt);
  store_le(p + kCreatedAt, s.created_ns);
  store_le(p + kFlagsAt, s.flags);
  store_le(p + kHeadBytesAt, s.head_bytes);
  store_le(p + kFileBytesAt, s.file_bytes);
  store_le(p + kCommitSeqnoAt, s.commit_seqno);
  store_le(p + kCommitPaddrAt, s.commit_paddr);
  store_le(p + kEpochAt, s.epoch);
  store_le(p + kCompatibleAt, s.features_compatible);
  store_le(p + kReadOnlyCompatibleAt, s.features_read_only_compatible);
  store_le(p + kIncompatibleAt, s.features_incompatible);
  store_le(p + kHashSeedAt, s.hash_seed);
  store_root(p + kHashDirectoryAt, s.hash_directory);
  store_root(p + kKeyTableAt, s.key_table);
  store_root(p + kSegmentTableAt, s.segment_table);
  store_root(p + kFreeMapAt, s.free_map);
  store_le(p + kJournalAt, s.journal.segment.id);
  store_le(p + kJournalAt + 8, s.journal.segment.paddr);
  store_le(p + kJournalAt + 16, s.journal.segment.salt);
  store_le(p + kJournalAt + 24, s.journal.offset);
  store_le(p + kJournalAt + 32, s.journal.seqno);
  store_le(p + kCountersAt, s.counters.keys);
  store_le(p + kCountersAt + 8, s.counters.live_bytes);
  store_le(p + kCountersAt + 16, s.counters.segments);
  store_le(p + kCountersAt + 24, s.counters.next_segment_id);
  store_le(p + kNewestWallAt, s.newest_wall_ns);
  std::ranges::copy(s.key_block, p + kKeyBlockAt);
  store_le(p + kCompressionAt, s.compression);
  store_le(p + kCompressionLevelAt, s.compression_level);
  store_root(p + kDictionariesAt, s.dictionaries);
  store_root(p + kRetiredAt, s.retired);
  store_root(p + kDictionariesCopyAt, s.dictionaries_copy);
  store_le(p + kHashPagesAt, s.hash_pages);
  store_le(p + kUnnamedSlotsAt, s.unnamed_slots);
  store_le(p + kNothingExpiresInAt, s.nothing_expires_in);
  store_le(p + kCrcAt, crc32c_extend(0, page.first(kCrcAt)));
}

std::expected<Superblock, SuperblockFault> decode_superblock(std::span<const std::byte, kPageBytes> page) noexcept {
  const std::byte* p = page.data();
  if (!std::ranges::equal(kMagic, page.first(kMagic.size()))) return std::unexpected(SuperblockFault::no_magic);
  if (load_le<std::uint32_t>(p + kCrcAt) != crc32c_extend(0, page.first(kCrcAt))) {
    return std::unexpected(SuperblockFault::bad_crc);
  }
  Superblock s;
  s.version_major = load_le<std::uint16_t>(p + kVersionMajorAt);
  s.version_minor = load_le<std::uint16_t>(p + kVersionMinorAt);
  // Every major version keeps the magic, the version and the checksum where they are; nothing else is read of a newer
  // one.
  if (s.version_major > kVersionMajor) return std::unexpected(SuperblockFault::new_version);
  s.page_size = load_le<std::uint32_t>(p + kPageSizeAt);
  std::copy_n(p + kUuidAt, s.uuid.size(), s.uuid.begin());
  s.created_ns = load_le<std::int64_t>(p + kCreatedAt);
  s.flags = load_le<std::uint64_t>(p + kFlagsAt);
  s.head_bytes = load_le<std::uint64_t>(p + kHeadBytesAt);
  s.file_bytes = load_le<std::uint64_t>(p + kFileBytesAt);
  s.commit_seqno = load_le<std::uint64_t>(p + kCommitSeqnoAt);
  s.commit_paddr = load_le<std::uint64_t>(p + kCommitPaddrAt);
  s.epoch = load_le<std::uint64_t>(p + kEpochAt);
  s.features_compatible = load_le<std::uint64_t>(p + kCompatibleAt);
  s.features_read_only_compatible = load_le<std::uint64_t>(p + kReadOnlyCompatibleAt);
  s.features_incompatible = load_le<std::uint64_t>(p + kIncompatibleAt);
  s.hash_seed = load_le<std::uint64_t>(p + kHashSeedAt);
  s.hash_directory = load_root(p + kHashDirectoryAt);
  s.key_table = load_root(p + kKeyTableAt);
  s.segment_table = load_root(p + kSegmentTableAt);
  s.free_map = load_root(p + kFreeMapAt);
  s.journal.segment = {.id = load_le<std::uint64_t>(p + kJournalAt),
                       .paddr = load_le<std::uint64_t>(p + kJournalAt + 8),
                       .salt = load_le<std::uint64_t>(p + kJournalAt + 16)};
  s.journal.offset = load_le<std::uint64_t>(p + kJournalAt + 24);
  s.journal.seqno = load_le<std::uint64_t>(p + kJournalAt + 32);
  s.counters = {.keys = load_le<std::uint64_t>(p + kCountersAt),
                .live_bytes = load_le<std::uint64_t>(p + kCountersAt + 8),
                .segments = load_le<std::uint64_t>(p + kCountersAt + 16),
                .next_segment_id = load_le<std::uint64_t>(p + kCountersAt + 24)};
  s.newest_wall_ns = load_le<std::int64_t>(p + kNewestWallAt);
  std::copy_n(p + kKeyBlockAt, s.key_block.size(), s.key_block.begin());
  s.compression = load_le<std::uint32_t>(p + kCompressionAt);
  s.compression_level = load_le<std::int32_t>(p + kCompressionLevelAt);
  s.dictionaries = load_root(p + kDictionariesAt);
  s.retired = load_root(p + kRetiredAt);
  s.dictionaries_copy = load_root(p + kDictionariesCopyAt);
  s.hash_pages = load_le<std::uint64_t>(p + kHashPagesAt);
  s.unnamed_slots = load_le<std::uint64_t>(p + kUnnamedSlotsAt);
  s.nothing_expires_in = load_le<std::uint64_t>(p + kNothingExpiresInAt);

  const bool sane = s.version_major == kVersionMajor && s.page_size == kPageBytes && s.head_bytes == kHeadBytes &&
                    s.journal.segment.paddr >= kHeadBytes && s.journal.segment.paddr % kPageBytes == 0 &&
                    s.journal.segment.id != 0 && s.journal.seqno != 0;
  if (!sane) return std::unexpected(SuperblockFault::bad_field);
  return s;
}

}  // namespace kvb::format
