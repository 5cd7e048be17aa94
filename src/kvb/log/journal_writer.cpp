#include "kvb/log/journal_writer.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <mutex>
#include <utility>

#include "kvb/os/mapped_read.h"
#include "kvb/space/allocator.h"

namespace kvb::log {
namespace {

using format::kFooterBytes;
using format::kRecordHeaderBytes;
using format::kSegmentHeaderBytes;

// After an unclean end nobody knows which seqnos were used behind the last valid record. Nobody can have used 2^32 of
// them.
std::uint64_t seqno_after_unclean_end(std::uint64_t highest_known) noexcept {
  constexpr std::uint64_t kJump = std::uint64_t{1} << 32;
  return format::round_up(highest_known + kJump, kJump);
}

}  // namespace

void TailStatistics::add(const format::RecordHeader& header, std::uint64_t offset) {
  ++record_count;
  if (header.type == format::RecordType::put && header.ttl_seconds != 0) {
    const std::int64_t expiry = header.expires_at_ns();
    earliest_expiry_ns = earliest_expiry_ns == 0 ? expiry : std::min(earliest_expiry_ns, expiry);
    latest_expiry_ns = std::max(latest_expiry_ns, expiry);
  }
  // One point for the first record behind each multiple of the distance, however long the record before it was.
  const std::uint64_t last_point = resync_points.empty() ? 0 : resync_points.back().offset;
  if (offset / format::kResyncDistanceBytes > last_point / format::kResyncDistanceBytes) {
    resync_points.push_back({.offset = offset, .seqno = header.seqno});
  }
}

Result<TailStatistics> collect_statistics(SegmentTable& segments, Segment& segment, std::uint64_t end_offset,
                                          const std::string& path) {
  TailStatistics statistics;
  auto mapped = segments.ensure_mapped(segment, end_offset);
  if (!mapped) return std::unexpected(mapped.error());
  if (!*mapped) {
    return std::unexpected(Error{.code = ErrorCode::damaged,
                                 .message = "the file ends inside a log segment; it was cut short while it was open",
                                 .path = path,
                                 .offset_bytes = segment.paddr()});
  }
  for (std::uint64_t offset = kSegmentHeaderBytes; offset < end_offset;) {
    const std::byte* at = segment.data + offset;
    std::optional<format::RecordHeader> header;
    auto read = os::guarded(path, segment.paddr() + offset, at, kRecordHeaderBytes, [&] {
      header = format::decode_record_header(std::span<const std::byte, kRecordHeaderBytes>(at, kRecordHeaderBytes),
                                            format::record_seed(segment.life, offset));
    });
    if (!read) return std::unexpected(read.error());
    if (!header) {
      return std::unexpected(Error{.code = ErrorCode::damaged,
                                   .message = "the header of a record that was valid before is damaged now",
                                   .path = path,
                                   .offset_bytes = segment.paddr() + offset});
    }
    statistics.add(*header, offset);
    offset += header->record_bytes();
  }
  return statistics;
}

JournalWriter::JournalWriter(os::Environment& environment, os::File& file, SegmentTable& segments,
                             os::WriterFirstMutex& segments_mutex, const Identity& identity, const Position& end,
                             bool continue_tail, std::uint64_t highest_known_seqno)
    : environment_(&environment),
      file_(&file),
      segments_(&segments),
      segments_mutex_(&segments_mutex),
      identity_(identity),
      tail_(end),
      committed_(end),
      continue_tail_(continue_tail),
      highest_known_seqno_(std::max(highest_known_seqno, end.next_seqno - 1)),
      next_segment_id_(end.segment.id + 1) {}

Result<void> JournalWriter::write(std::uint64_t offset, format::Bytes bytes) {
  bytes_written_ += bytes.size();
  return file_->write(offset, bytes);
}

Result<void> JournalWriter::sync_all() {
  ++syncs_;
  auto synced = file_->sync(os::SyncKind::all);
  if (!synced) sync_failed_ = true;
  return synced;
}

Segment* JournalWriter::segment_of(const Position& position) noexcept {
  Segment* segment = segments_->find(position.segment.paddr);
  return segment != nullptr && segment->header.link == position.segment ? segment : nullptr;
}

format::SegmentLink JournalWriter::new_link() {
  std::array<std::byte, 8> salt;
  environment_->fill_random(salt);
  return {.id = next_segment_id_++,
          .paddr = space::next_segment_paddr(segments_->end_paddr()),
          .salt = format::load_le<std::uint64_t>(salt.data())};
}

Result<Segment*> JournalWriter::make_segment(const format::SegmentLink& link, std::uint64_t base_seqno,
                                             std::uint64_t batch_bytes) {
  const std::uint64_t log_bytes = segments_->end_paddr() - format::kHeadBytes;
  format::SegmentHeader header{.uuid = identity_.uuid,
                               .link = link,
                               .size_bytes = space::next_segment_bytes(log_bytes, batch_bytes),
                               .base_seqno = base_seqno,
                               .start_ns = environment_->wall_clock_ns(),
                               .pid = identity_.pid,
                               .hash_seed = identity_.hash_seed};
  auto allocated = file_->allocate(link.paddr, header.size_bytes);
  if (!allocated && allocated.error().code == ErrorCode::full &&
      header.size_bytes > format::segment_bytes_for(batch_bytes)) {
    // A nearly full disk: take just what this batch needs.
    header.size_bytes = format::segment_bytes_for(batch_bytes);
    allocated = file_->allocate(link.paddr, header.size_bytes);
  }
  if (!allocated) return std::unexpected(allocated.error());
  std::array<std::byte, kSegmentHeaderBytes> bytes;
  format::encode_segment_header(header, bytes);
  if (auto written = write(link.paddr, bytes); !written) return std::unexpected(written.error());
  if (auto synced = sync_all(); !synced) return std::unexpected(synced.error());
  const std::unique_lock lock(*segments_mutex_);
  return segments_->add(header);
}

Result<void> JournalWriter::cut(Segment& segment, const Position& end, std::uint64_t next_base_seqno) {
  auto statistics = collect_statistics(*segments_, segment, end.offset, file_->path());
  if (!statistics) return std::unexpected(statistics.error());
  // The file may end before the footer's place (it was cut from outside).
  auto file_bytes = file_->size();
  if (!file_bytes) return std::unexpected(file_bytes.error());
  if (*file_bytes < segment.end_paddr()) {
    if (auto allocated = file_->allocate(segment.paddr(), segment.header.size_bytes); !allocated) return allocated;
  }
  const format::Footer footer{.flags = format::Footer::kCut,
                              .end_offset = end.offset,
                              .last_seqno = end.next_seqno - 1,
                              .record_count = statistics->record_count,
                              .live_bytes = live_bytes_,
                              .earliest_expiry_ns = statistics->earliest_expiry_ns,
                              .latest_expiry_ns = statistics->latest_expiry_ns,
                              .next = new_link(),
                              .next_base_seqno = next_base_seqno,
                              .resync_points = std::move(statistics->resync_points)};
  const auto bytes = format::encode_footer(footer, segment.life, segment.header.size_bytes);
  if (auto written = write(segment.end_paddr() - bytes.size(), bytes); !written) return written;
  if (auto synced = sync_all(); !synced) return synced;
  ++cuts_;
  tail_ = {.segment = footer.next, .offset = kSegmentHeaderBytes, .next_seqno = next_base_seqno};
  committed_ = tail_;
  segment_ = nullptr;
  return {};
}

Result<void> JournalWriter::open_tail() {
  Segment* existing = segment_of(tail_);
  if (existing == nullptr) {
    // The promised segment was never made, so nothing can have been written into its life: it can be made now. But if
    // it is known that seqnos were given out behind it (the file was cut short from outside), they must not be used
    // again: make it, and cut it at once.
    if (highest_known_seqno_ >= tail_.next_seqno) {
      auto made = make_segment(tail_.segment, tail_.next_seqno, 0);
      if (!made) return std::unexpected(made.error());
      auto done = cut(**made, tail_, seqno_after_unclean_end(highest_known_seqno_));
      if (!done) return done;
    }
  } else if (continue_tail_) {
    auto allocated = file_->allocate(existing->paddr(), existing->header.size_bytes);
    if (!allocated) return allocated;
    if (auto synced = sync_all(); !synced) return synced;
    {
      const std::unique_lock lock(*segments_mutex_);
      auto mapped = segments_->ensure_mapped(*existing, existing->header.size_bytes);
      if (!mapped) return std::unexpected(mapped.error());
    }
    auto statistics = collect_statistics(*segments_, *existing, tail_.offset, file_->path());
    if (!statistics) return std::unexpected(statistics.error());
    statistics_ = std::move(*statistics);
    segment_ = existing;
  } else {
    auto done = cut(*existing, tail_, seqno_after_unclean_end(highest_known_seqno_));
    if (!done) return done;
  }
  opened_ = true;
  return {};
}

Result<void> JournalWriter::prepare(std::uint64_t batch_bytes) {
  if (!opened_) {
    if (auto done = open_tail(); !done) return done;
  }
  if (segment_ == nullptr) {
    auto made = make_segment(tail_.segment, tail_.next_seqno, batch_bytes);
    if (!made) return std::unexpected(made.error());
    segment_ = *made;
    statistics_ = {};
    return {};
  }
  const std::uint64_t limit = format::record_limit(segment_->header.size_bytes);
  if (batch_bytes <= limit - tail_.offset) return {};

  const format::SegmentLink next = new_link();
  auto made = make_segment(next, tail_.next_seqno, batch_bytes);
  if (!made) return std::unexpected(made.error());  // The old segment stays open for smaller batches.
  const format::Footer footer{.end_offset = tail_.offset,
                              .last_seqno = tail_.next_seqno - 1,
                              .record_count = statistics_.record_count,
                              .live_bytes = live_bytes_,
                              .earliest_expiry_ns = statistics_.earliest_expiry_ns,
                              .latest_expiry_ns = statistics_.latest_expiry_ns,
                              .next = next,
                              .next_base_seqno = tail_.next_seqno,
                              .resync_points = std::move(statistics_.resync_points)};
  const auto bytes = format::encode_footer(footer, segment_->life, segment_->header.size_bytes);
  append(segment_->end_paddr() - bytes.size(), bytes);
  segment_ = *made;
  statistics_ = {};
  tail_ = {.segment = next, .offset = kSegmentHeaderBytes, .next_seqno = tail_.next_seqno};
  return {};
}

void JournalWriter::append(std::uint64_t offset, format::Bytes bytes) {
  const bool continues = !chunks_.empty() && chunks_.back().borrowed.empty() &&
                         chunks_.back().offset + chunks_.back().owned.size() == offset;
  if (!continues) chunks_.push_back({.offset = offset, .owned = {}, .borrowed = {}});
  auto& owned = chunks_.back().owned;
  owned.insert(owned.end(), bytes.begin(), bytes.end());
  staged_bytes_ += bytes.size();
}

StagedRecord JournalWriter::stage(format::RecordHeader header, std::string_view key, std::string_view value,
                                  std::uint64_t borrow_from_bytes) {
  header.seqno = tail_.next_seqno;
  header.key_bytes = static_cast<std::uint32_t>(key.size());
  header.value_bytes = static_cast<std::uint32_t>(value.size());
  const std::uint64_t bytes = header.record_bytes();
  assert(segment_ != nullptr && bytes <= format::record_limit(segment_->header.size_bytes) - tail_.offset);
  const std::uint64_t paddr = segment_->paddr() + tail_.offset;
  const std::uint32_t seed = format::record_seed(segment_->life, tail_.offset);
  if (value.size() < borrow_from_bytes) {
    const bool continues = !chunks_.empty() && chunks_.back().borrowed.empty() &&
                           chunks_.back().offset + chunks_.back().owned.size() == paddr;
    if (!continues) chunks_.push_back({.offset = paddr, .owned = {}, .borrowed = {}});
    auto& owned = chunks_.back().owned;
    const std::size_t at = owned.size();
    owned.resize(at + bytes);
    format::encode_record(header, key, value, seed, format::MutableBytes(owned).subspan(at));
    staged_bytes_ += bytes;
  } else {
    std::vector<std::byte> front(kRecordHeaderBytes + key.size());
    std::uint32_t crc = format::encode_record_header(
        header, seed, std::span<std::byte, kRecordHeaderBytes>(front.data(), kRecordHeaderBytes));
    std::ranges::copy(std::as_bytes(std::span(key)), front.begin() + kRecordHeaderBytes);
    const auto body = std::as_bytes(std::span(value));
    crc = format::crc32c_extend(crc, format::Bytes(front).subspan(kRecordHeaderBytes));
    crc = format::crc32c_extend(crc, body);
    std::array<std::byte, format::kRecordTrailerBytes> trailer;
    format::store_le(trailer.data(), crc);
    append(paddr, front);
    chunks_.push_back({.offset = paddr + front.size(), .owned = {}, .borrowed = body});
    staged_bytes_ += body.size();
    append(paddr + front.size() + body.size(), trailer);
  }
  statistics_.add(header, tail_.offset);
  tail_.offset += bytes;
  ++tail_.next_seqno;
  return {.paddr = paddr, .seqno = header.seqno};
}

const std::byte* find_in(std::span<const Chunk> chunks, std::uint64_t paddr, std::uint64_t bytes) noexcept {
  for (const auto& chunk : chunks) {
    if (paddr >= chunk.offset && paddr + bytes <= chunk.offset + chunk.owned.size()) {
      return chunk.owned.data() + (paddr - chunk.offset);
    }
  }
  return nullptr;
}

std::vector<Chunk> JournalWriter::take_staged() noexcept {
  staged_bytes_ = 0;
  for (const auto& chunk : chunks_) bytes_written_ += chunk.bytes().size();
  return std::exchange(chunks_, {});
}

Result<void> JournalWriter::burn() {
  chunks_.clear();
  staged_bytes_ = 0;
  Segment* segment = segment_of(committed_);
  const std::uint64_t first_unused = tail_.next_seqno;
  if (segment == nullptr) {
    // Nothing was ever written behind the promise.
    tail_ = committed_;
    segment_ = nullptr;
    return {};
  }
  {
    // Segments that were made behind the cut are no longer part of the chain.
    const std::unique_lock lock(*segments_mutex_);
    while (segments_->end_paddr() > segment->end_paddr()) segments_->remove(segments_->all().rbegin()->first);
  }
  return cut(*segment, committed_, first_unused);
}

std::optional<std::uint64_t> JournalWriter::file_bytes_in_use() const noexcept {
  if (segment_ == nullptr || !(committed_ == tail_)) return std::nullopt;
  return segment_->paddr() + tail_.offset;
}

}  // namespace kvb::log
