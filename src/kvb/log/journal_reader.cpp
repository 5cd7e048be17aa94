#include "kvb/log/journal_reader.h"

#include <array>
#include <cstring>

#include "kvb/os/mapped_read.h"

namespace kvb::log {

using format::kRecordHeaderBytes;
using format::kSegmentHeaderBytes;

JournalReader::JournalReader(os::File& file, SegmentTable& table, const format::Uuid& uuid,
                             const format::JournalStart& start, std::uint64_t trusted) noexcept
    : file_(&file),
      table_(&table),
      uuid_(uuid),
      trusted_(trusted),
      position_{.segment = start.segment, .offset = start.offset, .next_seqno = start.seqno},
      last_seqno_(start.seqno - 1) {}

void JournalReader::stop_at(Stop::Kind kind, std::uint64_t paddr, std::string message) {
  stop_ = {.kind = kind, .paddr = paddr, .message = std::move(message)};
}

Result<bool> JournalReader::enter_segment() {
  const auto& link = position_.segment;
  auto file_bytes = file_->size();
  if (!file_bytes) return std::unexpected(file_bytes.error());
  const bool expected_there = position_.next_seqno <= trusted_;
  if (link.paddr > *file_bytes || *file_bytes - link.paddr < kSegmentHeaderBytes) {
    if (expected_there) {
      stop_at(Stop::Kind::cut_off, link.paddr, "the file ends before a log segment that was once complete");
    } else {
      stop_at(Stop::Kind::end, link.paddr);
    }
    return false;
  }
  std::array<std::byte, kSegmentHeaderBytes> bytes;
  if (auto read = file_->read(link.paddr, bytes); !read) return std::unexpected(read.error());
  const auto header = format::decode_segment_header(bytes);
  const bool matches = header && header->uuid == uuid_ && header->link == link &&
                       header->base_seqno <= position_.next_seqno &&
                       (position_.offset > kSegmentHeaderBytes || header->base_seqno == position_.next_seqno);
  if (!matches) {
    if (expected_there) {
      stop_at(Stop::Kind::damaged, link.paddr, "the header of log segment " + std::to_string(link.id) + " is damaged");
    } else {
      stop_at(Stop::Kind::end, link.paddr);
    }
    return false;
  }
  auto segment = table_->add(*header);
  if (!segment) return std::unexpected(segment.error());
  segment_ = *segment;
  footer_.reset();
  if (auto looked = refresh(); !looked) return std::unexpected(looked.error());
  return true;
}

Result<std::optional<format::Footer>> read_footer(const os::File& file, SegmentTable& table, Segment& segment) {
  const std::uint64_t size = segment.header.size_bytes;
  // Asked anew each time: a writer that closes cuts the unused tail off, footer's place included.
  auto file_bytes = file.size();
  if (!file_bytes) return std::unexpected(file_bytes.error());
  if (*file_bytes < segment.end_paddr()) return std::optional<format::Footer>{};
  auto mapped = table.ensure_mapped(segment, size);
  if (!mapped) return std::unexpected(mapped.error());
  if (!*mapped) return std::optional<format::Footer>{};
  std::optional<format::Footer> footer;
  const std::uint64_t reserve = format::footer_reserve(size);
  const std::byte* begin = segment.at(size - reserve, reserve);
  auto read = os::guarded(file.path(), segment.paddr() + size - reserve, begin, reserve, [&] {
    footer.reset();
    const format::Bytes area(begin, reserve);
    const auto points = format::footer_points_bytes(area.last<format::kFooterBytes>(), size);
    if (points) footer = format::decode_footer(area.last(*points + format::kFooterBytes), segment.life, size);
  });
  // A footer that cannot be read is not there. If records are known to lie behind it, the reader will miss them and say
  // so.
  if (!read) return std::optional<format::Footer>{};
  return footer;
}

Result<void> JournalReader::refresh() {
  if (segment_ == nullptr) return {};
  auto footer = read_footer(*file_, *table_, *segment_);
  if (!footer) return std::unexpected(footer.error());
  footer_ = std::move(*footer);
  return {};
}

// The record at `offset` if it is the valid next one; otherwise nothing, and stop_ says why.
Result<std::optional<JournalRecord>> JournalReader::read_record(std::uint64_t offset, std::uint64_t seqno) {
  const std::uint64_t paddr = segment_->paddr() + offset;
  const std::uint64_t limit = footer_ ? footer_->end_offset : format::record_limit(segment_->header.size_bytes);
  // The footer's word does not count: it reaches the disk together with the last records before it, and may survive a
  // crash that they do not.
  const bool expected_there = seqno <= trusted_;

  const auto missing = [&](const char* what) -> std::optional<JournalRecord> {
    if (!expected_there) {
      stop_at(Stop::Kind::end, paddr);
    } else {
      stop_at(Stop::Kind::damaged, paddr, std::string(what) + " (record " + std::to_string(seqno) + ")");
    }
    return std::nullopt;
  };
  const auto beyond_file = [&]() -> std::optional<JournalRecord> {
    if (!expected_there) {
      stop_at(Stop::Kind::end, paddr);
    } else {
      stop_at(Stop::Kind::cut_off, paddr, "the file ends before records that were once complete");
    }
    return std::nullopt;
  };

  if (offset > limit || limit - offset < format::kRecordOverheadBytes) {
    return missing("a log segment ends before a record that was once complete");
  }
  auto mapped = table_->ensure_mapped(*segment_, offset + kRecordHeaderBytes);
  if (!mapped) return std::unexpected(mapped.error());
  if (!*mapped) return beyond_file();

  const std::uint32_t seed = format::record_seed(segment_->life, offset);
  const std::byte* at = segment_->at(offset, kRecordHeaderBytes);
  std::optional<format::RecordHeader> header;
  auto read = os::guarded(file_->path(), paddr, at, kRecordHeaderBytes, [&] {
    header = format::decode_record_header(std::span<const std::byte, kRecordHeaderBytes>(at, kRecordHeaderBytes), seed);
  });
  if (!read) return std::unexpected(read.error());
  if (!header) return missing("the header of a record is damaged");
  if (header->seqno != seqno) return missing("a record carries the wrong sequence number");
  if (header->record_bytes() > limit - offset) return missing("a record reaches behind the end of its segment");

  mapped = table_->ensure_mapped(*segment_, offset + header->record_bytes());
  if (!mapped) return std::unexpected(mapped.error());
  if (!*mapped) return beyond_file();
  at = segment_->at(offset, header->record_bytes());
  bool whole = false;
  read = os::guarded(file_->path(), paddr, at, header->record_bytes(),
                     [&] { whole = format::check_record_body({at, header->record_bytes()}); });
  if (!read) return std::unexpected(read.error());
  if (!whole && !expected_there) return missing("");
  return JournalRecord{.header = *header, .paddr = paddr, .bytes = at, .damaged = !whole};
}

Result<bool> JournalReader::next_batch(std::vector<JournalRecord>& batch, std::uint64_t up_to) {
  batch.clear();
  std::uint64_t offset = position_.offset;
  std::uint64_t seqno = position_.next_seqno;
  for (;;) {
    if (batch.empty()) {
      // Between batches: maybe into the next segment.
      if (seqno > up_to) {
        stop_at(Stop::Kind::end, position_.segment.paddr + offset);
        return false;
      }
      if (segment_ == nullptr) {
        auto entered = enter_segment();
        if (!entered) return std::unexpected(entered.error());
        if (!*entered) return false;
      }
      if (footer_ && offset == footer_->end_offset) {
        if (seqno != footer_->last_seqno + 1) {
          stop_at(Stop::Kind::damaged, segment_->paddr() + offset,
                  "the footer of a log segment does not fit its records");
          return false;
        }
        cuts_ += footer_->is_cut() ? 1 : 0;
        segment_->end_offset.store(footer_->end_offset, std::memory_order_relaxed);
        position_ = {.segment = footer_->next, .offset = kSegmentHeaderBytes, .next_seqno = footer_->next_base_seqno};
        offset = position_.offset;
        seqno = position_.next_seqno;
        segment_ = nullptr;
        footer_.reset();
        continue;
      }
    }
    auto record = read_record(offset, seqno);
    if (!record) return std::unexpected(record.error());
    if (!*record) {
      batch.clear();  // A batch without its end is not there.
      return false;
    }
    offset += (*record)->header.record_bytes();
    ++seqno;
    const bool more = (*record)->header.more_of_batch();
    batch.push_back(**record);
    if (!more) break;
  }
  for (const auto& record : batch) damaged_records_ += record.damaged ? 1 : 0;
  position_.offset = offset;
  position_.next_seqno = seqno;
  last_seqno_ = seqno - 1;
  return true;
}

}  // namespace kvb::log
