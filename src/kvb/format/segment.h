#pragma once
// Segments: runs of pages that records are appended to.
//
//   +--------+---------+---------+-- … --+ unused +---------------------+---------+
//   | header | record  | record  |       |        | resync points       | footer  |
//   +--------+---------+---------+-- … --+ ------ +---------------------+---------+
//   0        128                         end      size − 128 − 16·n      size − 128
//
// The header is written and synced before the first record, and never changes. The footer lies at a fixed place, at the
// segment's very end, in space that no record ever uses. It is written when the segment ends, for either of two
// reasons:
//
//   sealed: it is full; the next record lies in the segment that `next` names.
//   cut: its writer died, or an append failed. Bytes between `end` and the footer may hold anything, a torn record
//           or half a batch. They are dead for ever, for replay, verify and repair. `next_base_seqno` jumps, so no
//           seqno that was perhaps used there is used again.
//
// Why a cut may be a footer, and needs no room in the superblocks: the footer does not overlap the torn tail, so
// writing it cannot tear a record, and it lies in one 512-byte sector together with its checksum (the points before it
// are covered by the same checksum), so it is there or not. If it is lost, the next recovery finds the same end again,
// because replay is a pure function of the file, and writes another one; nothing was acknowledged in between, because
// records behind it are acknowledged only after an fdatasync that covers the footer too.
//
// All checksums of a segment (records, footer) start from its life: uuid, id and salt. What an earlier life, another
// place or another bucket left behind is never valid.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kvb/format/layout.h"

namespace kvb::format {

inline constexpr std::size_t kSegmentHeaderBytes = 128;
inline constexpr std::size_t kFooterBytes = 128;
inline constexpr std::size_t kResyncPointBytes = 16;
inline constexpr std::uint64_t kResyncDistanceBytes =
    64 * 1024;  // A point for the first record behind each such distance.

enum class SegmentKind : std::uint32_t { log = 0, relocated = 1 };

struct SegmentHeader {
  Uuid uuid{};
  SegmentLink link;  // Its id, its own place, and the salt of this life.
  std::uint64_t size_bytes = 0;
  SegmentKind kind = SegmentKind::log;
  std::uint32_t flags = 0;
  std::uint64_t base_seqno = 0;  // Of the first record.
  std::int64_t start_ns = 0;     // Wall clock.
  std::int64_t pid = 0;
  std::uint32_t page_size = kPageBytes;
  std::uint32_t features_incompatible = 0;
  std::uint64_t hash_seed = 0;
  std::uint64_t key_block_hash = 0;  // Of the superblock's key block; 0 without encryption.

  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};

// Where a reader that lost its way may find a record's first byte.
struct ResyncPoint {
  std::uint64_t offset = 0;  // From the segment's first byte.
  std::uint64_t seqno = 0;

  friend bool operator==(const ResyncPoint&, const ResyncPoint&) = default;
};

struct Footer {
  static constexpr std::uint32_t kCut = 1;

  std::uint32_t flags = 0;
  std::uint64_t end_offset = 0;  // First byte behind the last record, from the segment's first byte.
  std::uint64_t last_seqno = 0;  // Of the last record; base_seqno − 1 if there is none.
  std::uint64_t record_count = 0;
  std::uint64_t live_bytes = 0;         // At the time of writing.
  std::int64_t earliest_expiry_ns = 0;  // Of its PUTs that expire; 0 if none does.
  std::int64_t latest_expiry_ns = 0;
  SegmentLink next;
  std::uint64_t next_base_seqno = 0;  // last_seqno + 1, or with kCut any larger number.
  std::vector<ResyncPoint> resync_points;

  [[nodiscard]] bool is_cut() const noexcept { return (flags & kCut) != 0; }
  friend bool operator==(const Footer&, const Footer&) = default;
};

// The start value of every checksum in a segment's life.
[[nodiscard]] std::uint32_t life_seed(const Uuid& uuid, const SegmentLink& link) noexcept;

// Bytes at the end of a segment that are kept free for the points and the footer.
[[nodiscard]] constexpr std::uint64_t footer_reserve(std::uint64_t segment_bytes) noexcept {
  return kFooterBytes + kResyncPointBytes * (segment_bytes / kResyncDistanceBytes);
}

// Offset behind which no record may reach.
[[nodiscard]] constexpr std::uint64_t record_limit(std::uint64_t segment_bytes) noexcept {
  return segment_bytes - footer_reserve(segment_bytes);
}

// The smallest segment, in whole pages, that holds so many bytes of records.
[[nodiscard]] std::uint64_t segment_bytes_for(std::uint64_t record_bytes) noexcept;

void encode_segment_header(const SegmentHeader& header, std::span<std::byte, kSegmentHeaderBytes> out) noexcept;
// Nothing unless magic, checksum and sizes are right. The caller compares uuid and link with what led here.
[[nodiscard]] std::optional<SegmentHeader> decode_segment_header(
    std::span<const std::byte, kSegmentHeaderBytes> in) noexcept;

// The bytes of points and footer, to be written so that they end at the segment's last byte. At most
// footer_reserve(size) long.
[[nodiscard]] std::vector<std::byte> encode_footer(const Footer& footer, std::uint32_t life,
                                                   std::uint64_t segment_bytes);
// How many bytes before the footer belong to its points, from the footer's own bytes; nothing if this is no footer. To
// be believed only after decode_footer.
[[nodiscard]] std::optional<std::uint64_t> footer_points_bytes(std::span<const std::byte, kFooterBytes> footer,
                                                               std::uint64_t segment_bytes) noexcept;
// `bytes` are the points and the footer. Nothing unless all of it is valid for this life.
[[nodiscard]] std::optional<Footer> decode_footer(Bytes bytes, std::uint32_t life, std::uint64_t segment_bytes);

}  // namespace kvb::format
