#pragma once
// The superblock: one page that names everything else. There are two, A at 0 and B at 0xF000, each alone in its page;
// the valid one with the larger epoch wins. One CRC32C covers all of it, so a torn write is never half old and half
// new. Fields of structures that a bucket does not have are zero.

#include <array>
#include <cstdint>
#include <expected>
#include <span>

#include "kvb/format/layout.h"

namespace kvb::format {

// A structure that is found through the superblock: where it starts, how long it is, and the checksum of its first
// page.
struct Root {
  std::uint64_t paddr = 0;  // 0: the bucket has no such structure.
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;
  std::uint32_t levels = 0;

  friend bool operator==(const Root&, const Root&) = default;
};

// Where replay begins: the first record behind the checkpoint's cut. The segment it names need not exist yet: a link is
// a promise, and nothing that lay at its place before can answer it, because the salt is new.
struct JournalStart {
  SegmentLink segment;
  std::uint64_t offset = 0;  // Of the first record to replay, from the segment's first byte.
  std::uint64_t seqno = 0;   // Of that record.

  friend bool operator==(const JournalStart&, const JournalStart&) = default;
};

struct Counters {
  std::uint64_t keys = 0;
  std::uint64_t live_bytes = 0;
  std::uint64_t segments = 0;
  std::uint64_t next_segment_id = 0;

  friend bool operator==(const Counters&, const Counters&) = default;
};

inline constexpr std::size_t kKeyBlockBytes =
    256;  // KDF parameters and the wrapped data key; all zero without encryption.
using KeyBlock = std::array<std::byte, kKeyBlockBytes>;

struct Superblock {
  std::uint16_t version_major = kVersionMajor;
  std::uint16_t version_minor = kVersionMinor;
  std::uint32_t page_size = kPageBytes;
  Uuid uuid{};
  std::int64_t created_ns = 0;
  std::uint64_t flags = 0;  // kFlagJournalMoved.
  std::uint64_t head_bytes = kHeadBytes;
  std::uint64_t file_bytes = 0;    // Length of the file when this was written; informative.
  std::uint64_t commit_seqno = 0;  // The cut C: the image on disk describes exactly the records up to here.
  std::uint64_t commit_paddr = 0;  // Place of the first record behind the cut.
  std::uint64_t epoch = 0;
  std::uint64_t features_compatible = 0;            // Unknown bits: ignored.
  std::uint64_t features_read_only_compatible = 0;  // Unknown bits: the bucket opens for reading only.
  std::uint64_t features_incompatible = 0;          // Unknown bits: refused.
  std::uint64_t hash_seed = 0;
  Root hash_directory;
  Root key_table;
  Root segment_table;
  Root free_map;
  JournalStart journal;
  Counters counters;
  std::int64_t newest_wall_ns = 0;
  KeyBlock key_block{};
  std::uint32_t compression = 0;  // 0 none, 1 zstd.
  std::int32_t compression_level = 0;
  Root dictionaries;  // space/dictionary_run.h
  Root retired;
  Root dictionaries_copy;           // The same dictionaries once more.
  std::uint64_t hash_pages = 0;     // Pages of the hash index that hashes are spread over; its overflow pages follow.
  std::uint64_t unnamed_slots = 0;  // Slots of damaged records whose key is unknown; the key table lacks them.
  // Place of the hash index if none of its records has a time to live: then scans of keys alone need not look at them.
  std::uint64_t nothing_expires_in = 0;

  friend bool operator==(const Superblock&, const Superblock&) = default;
};

// Of `flags`: the journal begins at another place than the superblock before said, though nothing was written in
// between: the place for its next segment was moved. Before anything is appended, both superblocks must say so.
inline constexpr std::uint64_t kFlagJournalMoved = 1;

// Feature bits that this version knows.
inline constexpr std::uint64_t kKnownReadOnlyCompatible = 0;
inline constexpr std::uint64_t kFeatureImage = 1;        // Incompatible: not all keys are in the journal.
inline constexpr std::uint64_t kFeatureCompression = 2;  // Incompatible: values may be compressed.
inline constexpr std::uint64_t kKnownIncompatible = kFeatureImage | kFeatureCompression;

enum class SuperblockFault : std::uint8_t {
  no_magic,     // Not a superblock at all.
  bad_crc,      // The magic is there, the checksum is wrong: torn or damaged.
  new_version,  // Valid, but of a newer major version.
  bad_field,    // Valid checksum, impossible content.
};

// `page` is kPageBytes long.
void encode_superblock(const Superblock& superblock, std::span<std::byte, kPageBytes> page) noexcept;
[[nodiscard]] std::expected<Superblock, SuperblockFault> decode_superblock(
    std::span<const std::byte, kPageBytes> page) noexcept;

}  // namespace kvb::format
