#pragma once
// Finds the records of neighbouring keys without the index, where they lie one behind the other.
//
// Compaction writes records in the order of their keys, and so does whoever loads sorted data. Behind the record of one
// key then lies that of the next. But is it the newest one of its key? It is if every record of its segment is: if the
// image's segment table says that the bytes its slots point at are all the bytes that the segment has. That is exact
// (`kvb verify` counts them), and no record leaves or enters such a segment's part of the image, since images do not
// change. A record that starts there, with the right hash, key and checksums, is therefore the one that the index
// names.

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kvb/format/endian.h"
#include "kvb/format/record.h"
#include "kvb/index/base.h"
#include "kvb/log/segment_table.h"

namespace kvb::store {

class ClusteredReader {
 public:
  // Both must outlive it.
  ClusteredReader(const index::Base& base, const log::SegmentTable& segments, bool reverse)
      : segments_(&segments), states_(&base.segments()), reverse_(reverse) {}

  // It pays to look at the next records, rather than at the slot.
  [[nodiscard]] bool is_likely() const noexcept { return used_ != 0 && misses_ < kMostMisses; }

  // The place of the record of this hash, if it is the next one of a segment; else 0. Reads the mapping: to be called
  // under a guard.
  [[nodiscard]] std::uint64_t take(std::uint64_t hash) noexcept {
    for (std::size_t i = 0; i < used_; ++i) {
      Stream& stream = streams_[i];
      if (stream.next_hash != hash) continue;
      // Its lengths are checked by whoever reads it; a wrong one leads to a place where no record begins.
      const std::uint64_t paddr = stream.next;
      const std::uint64_t bytes = unchecked_bytes(stream, paddr);
      if (bytes > stream.end - paddr) continue;
      misses_ = 0;
      advance(stream, paddr, bytes);
      return paddr;
    }
    ++misses_;
    return 0;
  }

  // The index has found a record there.
  void found(std::uint64_t paddr) noexcept {
    if (misses_ > kMostMisses) return;
    Stream* const stream = stream_of(paddr);
    if (stream == nullptr) return;
    if (const auto header = header_at(*stream, paddr)) advance(*stream, paddr, header->record_bytes());
  }

  // Tries again, for a while.
  void reset_misses() noexcept { misses_ = std::min(misses_, kMostMisses - 1); }

 private:
  // Compaction in several rounds leaves several segments that each have a part of neighbouring keys.
  static constexpr std::size_t kMostStreams = 8;
  static constexpr int kMostMisses = 4;

  // A segment whose records are all live.
  struct Stream {
    const log::Segment* segment = nullptr;
    std::uint64_t begin = 0;  // Of its records.
    std::uint64_t end = 0;
    std::uint64_t next = 0;       // Where the next record is expected; `begin` and `end` are kept.
    std::uint64_t next_hash = 0;  // What its header says of its hash, unchecked; 0 if there is none.
  };

  [[nodiscard]] Stream* stream_of(std::uint64_t paddr) noexcept {
    for (std::size_t i = 0; i < used_; ++i) {
      if (paddr >= streams_[i].begin && paddr < streams_[i].end) return &streams_[i];
    }
    const log::Segment* const segment = segments_->find(paddr);
    if (segment == nullptr) return nullptr;
    const auto state = std::ranges::find(*states_, segment->header.link, &log::SegmentState::link);
    if (state == states_->end()) return nullptr;
    const bool all_live = state->end_offset > format::kSegmentHeaderBytes &&
                          state->live_bytes == state->end_offset - format::kSegmentHeaderBytes;
    if (!all_live) return nullptr;
    Stream& stream = used_ < kMostStreams ? streams_[used_++] : streams_[oldest_++ % kMostStreams];
    stream = {.segment = segment,
              .begin = segment->paddr() + format::kSegmentHeaderBytes,
              .end = segment->paddr() + state->end_offset};
    return &stream;
  }

  [[nodiscard]] static std::optional<format::RecordHeader> header_at(const Stream& stream,
                                                                     std::uint64_t paddr) noexcept {
    const std::uint64_t offset = paddr - stream.segment->paddr();
    const std::byte* const at = stream.segment->at(offset, format::kRecordHeaderBytes);
    if (at == nullptr) return std::nullopt;
    return format::decode_record_header(
        std::span<const std::byte, format::kRecordHeaderBytes>(at, format::kRecordHeaderBytes),
        format::record_seed(stream.segment->life, offset));
  }

  [[nodiscard]] static std::uint64_t unchecked_bytes(const Stream& stream, std::uint64_t paddr) noexcept {
    const std::byte* const at = stream.segment->at(paddr - stream.segment->paddr(), format::kRecordHeaderBytes);
    if (at == nullptr) return UINT64_MAX;
    return format::kRecordOverheadBytes +
           std::uint64_t{format::load_le<std::uint32_t>(at + format::kRecordKeyLengthOffset)} +
           format::load_le<std::uint32_t>(at + format::kRecordValueLengthOffset);
  }

  // Past the record there. Backward, the one before is taken for one of the same length.
  void advance(Stream& stream, std::uint64_t paddr, std::uint64_t bytes) noexcept {
    stream.next = reverse_ ? paddr - bytes : paddr + bytes;
    stream.next_hash = 0;
    if (stream.next < stream.begin || stream.next >= stream.end) return;
    const std::byte* const at = stream.segment->at(stream.next - stream.segment->paddr(), format::kRecordHeaderBytes);
    if (at != nullptr) stream.next_hash = format::load_le<std::uint64_t>(at + format::kRecordHashOffset);
  }

  const log::SegmentTable* segments_;
  const std::vector<log::SegmentState>* states_;
  bool reverse_;
  std::array<Stream, kMostStreams> streams_{};
  std::size_t used_ = 0;
  std::size_t oldest_ = 0;
  int misses_ = 0;  // Since it was last right.
};

}  // namespace kvb::store
