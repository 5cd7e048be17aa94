#include "kvb/log/segment_table.h"

#include <algorithm>
#include <iterator>

#include "kvb/format/endian.h"
#include "kvb/os/mapped_read.h"

namespace kvb::log {
namespace {

constexpr std::uint32_t kCounted = 1;
constexpr std::uint32_t kHasRemoves = 2;
constexpr unsigned kDictionariesShift = 8;
constexpr std::size_t kPerPage = format::kPagePayloadBytes / kSegmentEntryBytes;

}  // namespace

Result<void> write_segments(space::PageRunWriter& run, const std::vector<SegmentState>& segments) {
  std::vector<std::byte> payload;
  for (std::size_t first = 0; first < segments.size(); first += kPerPage) {
    const std::size_t count = std::min(kPerPage, segments.size() - first);
    payload.assign(count * kSegmentEntryBytes, std::byte{0});
    for (std::size_t i = 0; i < count; ++i) {
      const SegmentState& segment = segments[first + i];
      std::byte* const out = payload.data() + i * kSegmentEntryBytes;
      format::store_le(out, segment.link.id);
      format::store_le(out + 8, segment.link.paddr);
      format::store_le(out + 16, segment.link.salt);
      format::store_le(out + 24, segment.size_bytes);
      format::store_le(out + 32, static_cast<std::uint32_t>(segment.kind));
      format::store_le(out + 36, (segment.counted ? kCounted : 0u) | (segment.has_removes ? kHasRemoves : 0u) |
                                     (static_cast<std::uint32_t>(segment.dictionaries) << kDictionariesShift));
      format::store_le(out + 40, segment.base_seqno);
      format::store_le(out + 48, segment.end_offset);
      format::store_le(out + 56, segment.live_bytes);
      format::store_le(out + 64, segment.records);
      format::store_le(out + 72, static_cast<std::uint64_t>(segment.last_expiry_ns));
      format::store_le(out + 80, static_cast<std::uint64_t>(segment.first_expiry_ns));
      format::store_le(out + 88, segment.expiring_bytes);
    }
    auto added = run.add(format::PageType::segment_table, static_cast<std::uint32_t>(count), 0, payload);
    if (!added) return std::unexpected(added.error());
  }
  return {};
}

Result<std::vector<SegmentState>> read_segments(const space::PageRun& run) {
  std::vector<SegmentState> segments;
  for (std::uint64_t number = 0; number < run.pages(); ++number) {
    auto page = run.page(number, format::PageType::segment_table);
    if (!page) return std::unexpected(page.error());
    const std::size_t before = segments.size();
    bool possible = true;
    auto read = os::guarded(run.path(), 0, *page, format::kPageBytes, [&] {
      segments.resize(before);
      possible = true;
      const std::size_t count = std::min<std::size_t>(format::load_le<std::uint32_t>(*page + 48), kPerPage);
      for (std::size_t i = 0; i < count; ++i) {
        const std::byte* const at = *page + format::kPageHeaderBytes + i * kSegmentEntryBytes;
        const auto u64 = [&](std::size_t offset) { return format::load_le<std::uint64_t>(at + offset); };
        const auto flags = format::load_le<std::uint32_t>(at + 36);
        const SegmentState segment{.link = {.id = u64(0), .paddr = u64(8), .salt = u64(16)},
                                   .size_bytes = u64(24),
                                   .kind = static_cast<format::SegmentKind>(format::load_le<std::uint32_t>(at + 32)),
                                   .base_seqno = u64(40),
                                   .end_offset = u64(48),
                                   .live_bytes = u64(56),
                                   .records = u64(64),
                                   .last_expiry_ns = static_cast<std::int64_t>(u64(72)),
                                   .counted = (flags & kCounted) != 0,
                                   .has_removes = (flags & kHasRemoves) != 0,
                                   .first_expiry_ns = static_cast<std::int64_t>(u64(80)),
                                   .expiring_bytes = u64(88),
                                   .dictionaries = static_cast<std::uint8_t>(flags >> kDictionariesShift)};
        possible = possible && segment.link.paddr % format::kPageBytes == 0 &&
                   segment.size_bytes % format::kPageBytes == 0 && segment.size_bytes != 0 &&
                   segment.size_bytes < format::kPinLockBase && segment.link.paddr < format::kPinLockBase &&
                   segment.end_offset <= segment.size_bytes;
        segments.push_back(segment);
      }
    });
    if (!read) return std::unexpected(read.error());
    if (!possible) {
      return std::unexpected(
          Error{.code = ErrorCode::damaged,
                .message = "The segment table names an impossible segment. `kvb repair` builds the bucket anew from "
                           "its records.",
                .path = run.path()});
    }
  }
  return segments;
}

void SegmentTable::publish() {
  auto list = std::make_unique<List>();
  list->segments.reserve(segments_.size());
  list->places.reserve(segments_.size());
  std::uint64_t bytes = 0;
  for (const auto& [paddr, segment] : segments_) {
    list->segments.push_back(segment.get());
    list->places.push_back(paddr);
    bytes += segment->header.size_bytes;
  }
  bytes_.store(bytes, std::memory_order_relaxed);
  list_.store(list.get(), std::memory_order_release);
  lists_.push_back(std::move(list));
}

SegmentTable::Garbage SegmentTable::take_garbage() {
  Garbage garbage;
  garbage.segments.swap(removed_);
  garbage.lists.assign(std::make_move_iterator(lists_.begin()), std::make_move_iterator(lists_.end() - 1));
  lists_.erase(lists_.begin(), lists_.end() - 1);
  return garbage;
}

Result<Segment*> SegmentTable::add(const format::SegmentHeader& header) {
  auto found = segments_.find(header.link.paddr);
  if (found != segments_.end() && found->second->header.link == header.link) return found->second.get();
  auto segment = std::make_unique<Segment>();
  segment->header = header;
  segment->life = format::life_seed(header.uuid, header.link);
  if (auto mapped = ensure_mapped(*segment, format::kSegmentHeaderBytes); !mapped) {
    return std::unexpected(mapped.error());
  }
  Segment* const added = segment.get();
  if (newer_replaces_) remove_overlapped(header);
  found = segments_.find(header.link.paddr);
  if (found != segments_.end()) removed_.push_back(std::move(found->second));
  segments_.insert_or_assign(header.link.paddr, std::move(segment));
  publish();
  return added;
}

void SegmentTable::remove_overlapped(const format::SegmentHeader& header) {
  const std::uint64_t end = header.link.paddr + header.size_bytes;
  auto at = segments_.lower_bound(header.link.paddr);
  if (at != segments_.begin() && std::prev(at)->second->end_paddr() > header.link.paddr) --at;
  while (at != segments_.end() && at->first < end) {
    removed_.push_back(std::move(at->second));
    at = segments_.erase(at);
  }
}

void SegmentTable::remove(std::uint64_t paddr) {
  auto found = segments_.find(paddr);
  if (found == segments_.end()) return;
  removed_.push_back(std::move(found->second));
  segments_.erase(found);
  publish();
}

Result<bool> SegmentTable::ensure_mapped(Segment& segment, std::uint64_t bytes) {
  if (bytes <= segment.mapped_bytes.load(std::memory_order_relaxed)) return true;
  auto file_bytes = file_->size();
  if (!file_bytes) return std::unexpected(file_bytes.error());
  if (*file_bytes <= segment.paddr()) return false;
  const std::uint64_t available = std::min(segment.header.size_bytes, *file_bytes - segment.paddr());
  if (available > segment.mapped_bytes.load(std::memory_order_relaxed)) {
    auto data = file_->map(segment.paddr(), available);
    if (!data) return std::unexpected(data.error());
    segment.data.store(*data, std::memory_order_release);
    segment.mapped_bytes.store(available, std::memory_order_release);
  }
  return bytes <= segment.mapped_bytes.load(std::memory_order_relaxed);
}

const Segment* SegmentTable::find(std::uint64_t paddr) const noexcept {
  const List& list = *list_.load(std::memory_order_acquire);
  // The last one that begins at or before the place; without branches, because no processor can foresee them here.
  const std::uint64_t* first = list.places.data();
  std::size_t count = list.places.size();
  if (count == 0) return nullptr;
  while (count > 1) {
    const std::size_t half = count / 2;
    first += first[half] <= paddr ? half : 0;
    count -= half;
  }
  if (*first > paddr) return nullptr;
  const Segment* const segment = list.segments[static_cast<std::size_t>(first - list.places.data())];
  return paddr < segment->end_paddr() ? segment : nullptr;
}

}  // namespace kvb::log
