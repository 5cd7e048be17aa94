#include "kvb/log/journal_writer.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "kvb/log/stale_headers.h"
#include "kvb/os/mapped_read.h"
#include "kvb/os/probes.h"
#include "kvb/space/segment_size.h"

namespace kvb::log {
namespace {

using format::kFooterBytes;
using format::kRecordHeaderBytes;
using format::kSegmentHeaderBytes;

// Of the reserve, for the next removals.
constexpr std::uint64_t kRemovalSegmentBytes = format::kMinSegmentBytes;

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
    const std::byte* at = segment.at(offset, kRecordHeaderBytes);
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
                             space::FreeSpace& free_space, space::Reserve& reserve, ReserveNeed need, SyncFile sync,
                             const Identity& identity, const Position& end, bool continue_tail,
                             std::uint64_t highest_known_seqno, std::uint64_t next_segment_id)
    : environment_(&environment),
      file_(&file),
      segments_(&segments),
      free_space_(&free_space),
      reserve_(&reserve),
      need_(std::move(need)),
      sync_(std::move(sync)),
      identity_(identity),
      tail_(end),
      committed_(end),
      continue_tail_(continue_tail),
      highest_known_seqno_(std::max(highest_known_seqno, end.next_seqno - 1)),
      next_segment_id_(std::max(next_segment_id, end.segment.id + 1)) {
  if (segments_->find(end.segment) == nullptr) {
    promise_ = free_space_->take_at(end.segment.paddr, next_bytes(0)).value_or(space::PageRange{});
  }
}

Result<void> JournalWriter::write(std::uint64_t offset, format::Bytes bytes) {
  bytes_written_ += bytes.size();
  return file_->write(offset, bytes);
}

Result<void> JournalWriter::sync_all() {
  auto synced = sync_(os::SyncKind::all);
  if (!synced) sync_failed_ = true;
  return synced;
}

std::uint64_t JournalWriter::next_bytes(std::uint64_t batch_bytes) const noexcept {
  return space::next_segment_bytes(segments_->bytes(), own_bytes_, batch_bytes);
}

format::SegmentLink JournalWriter::new_link(const space::PageRange& range) {
  std::array<std::byte, 8> salt;
  environment_->fill_random(salt);
  return {.id = next_segment_id_++, .paddr = range.paddr, .salt = format::load_le<std::uint64_t>(salt.data())};
}

// What lies inside of a segment and is not written yet may be anything, but no header that repair could take for one.
Result<void> JournalWriter::wipe_inside(const format::SegmentHeader& header) {
  if (!look_for_stale_headers_) return {};
  auto found = find_headers(*file_, identity_.uuid, space::range_of(header.link.paddr, header.size_bytes));
  if (!found) return std::unexpected(found.error());
  const std::array<std::byte, kSegmentHeaderBytes> zeros{};
  for (const std::uint64_t paddr : *found) {
    if (paddr == header.link.paddr) continue;
    if (auto wiped = write(paddr, zeros); !wiped) return wiped;
  }
  return {};
}

Result<Segment*> JournalWriter::make_segment(const format::SegmentLink& link, space::PageRange& range,
                                             std::uint64_t base_seqno, std::uint64_t batch_bytes, bool from_reserve) {
  format::SegmentHeader header{.uuid = identity_.uuid,
                               .link = link,
                               .size_bytes = range.bytes(),
                               .base_seqno = base_seqno,
                               .start_ns = environment_->wall_clock_ns(),
                               .pid = identity_.pid,
                               .hash_seed = identity_.hash_seed};
  auto allocated = file_->allocate(link.paddr, header.size_bytes);
  const std::uint64_t least = format::segment_bytes_for(batch_bytes);
  const auto is_full = [&] { return !allocated && allocated.error().code == ErrorCode::full; };
  // A nearly full disk: less, of what need not be kept; in the end just what this batch needs.
  if (is_full() && !from_reserve && !reserve_->keep_after_refusal(need_())) return nearly_full();
  while (is_full() && header.size_bytes > least) {
    header.size_bytes = std::max(header.size_bytes / 2 / format::kPageBytes * format::kPageBytes, least);
    allocated = file_->allocate(link.paddr, header.size_bytes);
  }
  if (!allocated) return std::unexpected(allocated.error());
  if (auto wiped = wipe_inside(header); !wiped) return std::unexpected(wiped.error());
  std::array<std::byte, kSegmentHeaderBytes> bytes;
  format::encode_segment_header(header, bytes);
  if (auto written = write(link.paddr, bytes); !written) {
    // All of it may be there. At a place that was promised it is written again; elsewhere nobody will know of it.
    if (!wipe_header(*file_, link.paddr)) left_stale_headers_ = true;
    return std::unexpected(written.error());
  }
  if (auto synced = sync_all(); !synced) return std::unexpected(synced.error());
  auto added = segments_->add(header);
  if (!added) return added;
  free_space_->give_back({link.paddr + header.size_bytes, (range.bytes() - header.size_bytes) / format::kPageBytes});
  range = {};
  own_bytes_ += header.size_bytes;
  uncommitted_.push_back(*added);
  return added;
}

std::unexpected<Error> JournalWriter::nearly_full() const {
  return std::unexpected(Error{
      .code = ErrorCode::full,
      .message = "The disk is nearly full. What it has left is kept so that keys can be removed and their space be "
                 "given back. Remove keys and compact the bucket, or make room on the device, then try again.",
      .path = file_->path()});
}

Result<Segment*> JournalWriter::make_next(const format::SegmentLink& link, space::PageRange& range,
                                          std::uint64_t batch_bytes, bool from_reserve) {
  // Removals too leave alone what is to be kept, as long as there is anything else.
  if (!reserve_->keep(need_(), range.bytes()) && !from_reserve) return nearly_full();
  return make_segment(link, range, tail_.next_seqno, batch_bytes, from_reserve);
}

// Makes the segment that tail_ promises, large enough for the batch if there is room at its place.
Result<void> JournalWriter::make_promised(std::uint64_t batch_bytes, bool from_reserve) {
  if (promise_.pages == 0) {
    return std::unexpected(
        Error{.code = ErrorCode::damaged,
              .message = "The place where the log should go on is used by something else. Open the bucket for reading "
                         "only, and let `kvb repair` build it anew from its records",
              .path = file_->path(),
              .offset_bytes = tail_.segment.paddr});
  }
  const std::uint64_t wanted = next_bytes(batch_bytes);
  if (promise_.bytes() < wanted) {
    const auto more = free_space_->take_at(promise_.end(), wanted - promise_.bytes());
    if (more) promise_.pages += more->pages;
  }
  const std::uint64_t fits = promise_.bytes() >= format::segment_bytes_for(batch_bytes) ? batch_bytes : 0;
  auto made = make_next(tail_.segment, promise_, fits, from_reserve);
  if (!made && made.error().code == ErrorCode::full && from_reserve &&
      reserve_->free_blocks_for_removing(std::max(format::segment_bytes_for(fits), kRemovalSegmentBytes))) {
    // Its place is fixed already, so what the reserve gives up must come back there.
    made = make_next(tail_.segment, promise_, fits, from_reserve);
  }
  if (!made) return std::unexpected(made.error());
  segment_ = *made;
  statistics_ = {};
  return {};
}

Result<void> JournalWriter::cut(Segment& segment, const Position& end, std::uint64_t next_base_seqno) {
  auto statistics = collect_statistics(*segments_, segment, end.offset, file_->path());
  if (!statistics) return std::unexpected(statistics.error());
  // The file may end before the footer's place (it was cut from outside).
  auto file_bytes = file_->size();
  if (!file_bytes) return std::unexpected(file_bytes.error());
  if (*file_bytes < segment.end_paddr()) {
    auto allocated = file_->allocate(segment.paddr(), segment.header.size_bytes);
    // On a full disk the footer alone is written: nothing else of what is missing is ever used.
    if (!allocated && allocated.error().code != ErrorCode::full) return allocated;
  }
  const space::PageRange range = free_space_->take(next_bytes(0));
  const format::Footer footer{.flags = format::Footer::kCut,
                              .end_offset = end.offset,
                              .last_seqno = end.next_seqno - 1,
                              .record_count = statistics->record_count,
                              .earliest_expiry_ns = statistics->earliest_expiry_ns,
                              .latest_expiry_ns = statistics->latest_expiry_ns,
                              .next = new_link(range),
                              .next_base_seqno = next_base_seqno,
                              .resync_points = std::move(statistics->resync_points)};
  const auto bytes = format::encode_footer(footer, segment.life, segment.header.size_bytes);
  auto done = write(segment.end_paddr() - bytes.size(), bytes);
  if (done) done = sync_all();
  if (!done) {
    free_space_->give_back(range);
    return done;
  }
  ++cuts_;
  segment.end_offset.store(end.offset, std::memory_order_relaxed);
  free_space_->give_back(promise_);
  promise_ = range;
  uncommitted_.clear();
  tail_ = {.segment = footer.next, .offset = kSegmentHeaderBytes, .next_seqno = next_base_seqno};
  committed_ = tail_;
  segment_ = nullptr;
  return {};
}

Result<void> JournalWriter::go_on_in(Segment& tail) {
  auto allocated = file_->allocate(tail.paddr(), tail.header.size_bytes);
  if (!allocated) return allocated;
  if (auto synced = sync_all(); !synced) return synced;
  auto mapped = segments_->ensure_mapped(tail, tail.header.size_bytes);
  if (!mapped) return std::unexpected(mapped.error());
  auto statistics = collect_statistics(*segments_, tail, tail_.offset, file_->path());
  if (!statistics) return std::unexpected(statistics.error());
  statistics_ = std::move(*statistics);
  segment_ = &tail;
  return {};
}

Result<void> JournalWriter::open_tail(bool from_reserve) {
  // What recovery has written again (store/adopt.cpp) must be durable before anything new is written: a footer that
  // survived a crash which its segment's header did not would end the life that is made anew under that header.
  if (auto synced = sync_all(); !synced) return synced;
  Segment* existing = segments_->find(tail_.segment);
  if (existing == nullptr) {
    // The promised segment was never made, so nothing can have been written into its life: it can be made now. But if
    // it is known that seqnos were given out behind it (the file was cut short from outside), they must not be used
    // again: make it, and cut it at once.
    if (highest_known_seqno_ >= tail_.next_seqno) {
      if (auto made = make_promised(0, from_reserve); !made) return made;
      Segment& segment = *std::exchange(segment_, nullptr);
      auto done = cut(segment, tail_, seqno_after_unclean_end(highest_known_seqno_));
      if (!done) return done;
    }
  } else if (continue_tail_) {
    auto file_bytes = file_->size();
    if (!file_bytes) return std::unexpected(file_bytes.error());
    const std::uint64_t missing = existing->end_paddr() - std::min(*file_bytes, existing->end_paddr());
    auto done = reserve_->keep(need_(), missing) ? go_on_in(*existing) : Result<void>(nearly_full());
    // Without room for the rest of it, it ends where it is, and a smaller one may fit.
    if (!done && done.error().code == ErrorCode::full) done = cut(*existing, tail_, tail_.next_seqno);
    if (!done) return done;
  } else {
    auto done = cut(*existing, tail_, seqno_after_unclean_end(highest_known_seqno_));
    if (!done) return done;
  }
  opened_ = true;
  return {};
}

void JournalWriter::stage_footer(const format::SegmentLink& next) {
  const format::Footer footer{.end_offset = tail_.offset,
                              .last_seqno = tail_.next_seqno - 1,
                              .record_count = statistics_.record_count,
                              .earliest_expiry_ns = statistics_.earliest_expiry_ns,
                              .latest_expiry_ns = statistics_.latest_expiry_ns,
                              .next = next,
                              .next_base_seqno = tail_.next_seqno,
                              .resync_points = std::move(statistics_.resync_points)};
  const auto bytes = format::encode_footer(footer, segment_->life, segment_->header.size_bytes);
  // A write of its own, even if the records reach up to it.
  chunks_.push_back({.offset = segment_->end_paddr() - bytes.size(),
                     .owned = ByteBuffer(bytes.begin(), bytes.end()),
                     .borrowed = {}});
  staged_bytes_ += bytes.size();
  segment_->end_offset.store(tail_.offset, std::memory_order_relaxed);
  KVB_PROBE2(segment_seal, segment_->header.link.id, tail_.offset);
  segment_ = nullptr;
  statistics_ = {};
  tail_ = {.segment = next, .offset = kSegmentHeaderBytes, .next_seqno = tail_.next_seqno};
}

Result<void> JournalWriter::prepare(std::uint64_t batch_bytes, bool from_reserve) {
  if (!opened_) {
    if (auto done = open_tail(from_reserve); !done) return done;
  }
  if (segment_ == nullptr) {
    if (auto made = make_promised(batch_bytes, from_reserve); !made) return made;
  }
  const std::uint64_t limit = format::record_limit(segment_->header.size_bytes);
  if (batch_bytes <= limit - tail_.offset) return {};

  space::PageRange range = free_space_->take(next_bytes(batch_bytes));
  format::SegmentLink next = new_link(range);
  auto made = make_next(next, range, batch_bytes, from_reserve);
  if (!made) free_space_->give_back(range);
  if (!made && made.error().code == ErrorCode::full && from_reserve) {
    const std::uint64_t bytes = format::segment_bytes_for(batch_bytes);
    range = reserve_->take_for_removing(std::max(bytes, kRemovalSegmentBytes));
    if (range.pages == 0) range = reserve_->take_for_removing(bytes);
    if (range.pages != 0) {
      next = new_link(range);
      made = make_next(next, range, batch_bytes, from_reserve);
      if (!made) free_space_->give_back(range);
    }
  }
  if (!made) return std::unexpected(made.error());  // The old segment stays open for smaller batches.
  stage_footer(next);
  segment_ = *made;
  return {};
}

Result<void> JournalWriter::seal() {
  if (!opened_ && segments_->find(tail_.segment) != nullptr) {
    if (auto done = open_tail(false); !done) return done;
  }
  if (segment_ == nullptr) return {};
  promise_ = free_space_->take(next_bytes(0));
  stage_footer(new_link(promise_));
  return {};
}

std::optional<JournalWriter::Promise> JournalWriter::promise_lower_down() {
  if (segment_ != nullptr || promise_.pages == 0 || tail_.offset != kSegmentHeaderBytes || !(committed_ == tail_)) {
    return std::nullopt;
  }
  // Small: it can grow where it is, or be ended at once.
  const space::PageRange range = free_space_->take(format::kMinSegmentBytes);
  if (range.paddr > promise_.paddr) {
    free_space_->give_back(range);
    return std::nullopt;
  }
  return Promise{.link = new_link(range), .range = range};
}

void JournalWriter::keep_promise(const Promise& promise) {
  free_space_->give_back(promise_);
  promise_ = promise.range;
  tail_.segment = promise.link;
  committed_ = tail_;
  opened_ = true;
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
    if (!continues) chunks_.push_back({.offset = paddr, .owned = take_spare(), .borrowed = {}});
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
    has_borrowed_ = true;
    append(paddr + front.size() + body.size(), trailer);
  }
  statistics_.add(header, tail_.offset);
  tail_.offset += bytes;
  ++tail_.next_seqno;
  return {.paddr = paddr, .seqno = header.seqno};
}

void JournalWriter::recycle(std::vector<Chunk>&& chunks) noexcept {
  constexpr std::size_t kMostSpareBytes = 1024 * 1024;
  for (Chunk& chunk : chunks) {
    if (chunk.owned.capacity() > spare_.capacity() && chunk.owned.capacity() <= kMostSpareBytes) {
      spare_ = std::move(chunk.owned);
    }
  }
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
  has_borrowed_ = false;
  for (const auto& chunk : chunks_) bytes_written_ += chunk.bytes().size();
  return std::exchange(chunks_, {});
}

void JournalWriter::committed(const Position& end) {
  committed_ = end;
  const auto passed =
      std::ranges::find_if(uncommitted_, [&](const Segment* s) { return s->header.link == end.segment; });
  if (passed != uncommitted_.end()) uncommitted_.erase(uncommitted_.begin(), passed + 1);
}

Result<void> JournalWriter::burn() {
  chunks_.clear();
  staged_bytes_ = 0;
  has_borrowed_ = false;
  Segment* segment = segments_->find(committed_.segment);
  const std::uint64_t first_unused = tail_.next_seqno;
  // Segments that were made behind the cut are no longer part of the chain.
  std::vector<space::PageRange> burned;
  for (const Segment* made : uncommitted_) {
    if (made == segment) continue;
    burned.push_back(space::range_of(made->paddr(), made->header.size_bytes));
    segments_->remove(made->paddr());
  }
  uncommitted_.clear();
  if (segment == nullptr) {
    // Nothing was ever written behind the promise.
    tail_ = committed_;
    segment_ = nullptr;
    return {};
  }
  if (auto done = cut(*segment, committed_, first_unused); !done) return done;
  // The footer that named them, if it got to the disk, has been replaced: their space is free.
  for (const auto& range : burned) {
    if (wipe_header(*file_, range.paddr)) {
      free_space_->give_back(range);
    } else {
      left_stale_headers_ = true;  // Not used again before the bucket is opened the next time.
    }
  }
  return {};
}

}  // namespace kvb::log
