#pragma once
// The segments of a bucket as they are known to one opener: where each lies, the seed of its checksums, its mapping.
//
// One thread changes the table at a time; any number look places up meanwhile, without a lock: the sorted list that
// they search is never changed but replaced, and replaced lists, and segments that were taken out, are destroyed only
// by collect(), which the owner calls when no reader can be in them.
//
// On disk (as part of an image): a page run of type segment_table, 42 entries of 96 bytes a page:
//   id 8 · paddr 8 · salt 8 · size 8 · kind 4 · flags 4 (bit 0: counted, bit 1: has removes) · base_seqno 8 ·
//   end_offset 8 · live_bytes 8 · records 8 · last_expiry_ns 8 · first_expiry_ns 8 · expiring_bytes 8

#include <kvb/error.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "kvb/format/record.h"
#include "kvb/format/segment.h"
#include "kvb/os/file.h"
#include "kvb/space/page_run.h"

namespace kvb::log {

struct Segment {
  format::SegmentHeader header;
  std::uint32_t life = 0;

  [[nodiscard]] std::uint64_t paddr() const noexcept { return header.link.paddr; }
  [[nodiscard]] std::uint64_t end_paddr() const noexcept { return header.link.paddr + header.size_bytes; }

  // The bytes from `offset` on, or null if the mapping does not reach so far.
  [[nodiscard]] const std::byte* at(std::uint64_t offset, std::uint64_t bytes) const noexcept {
    const std::uint64_t mapped = mapped_bytes.load(std::memory_order_acquire);
    if (offset > mapped || bytes > mapped - offset) return nullptr;
    return data.load(std::memory_order_acquire) + offset;
  }

  std::atomic<const std::byte*> data{nullptr};
  std::atomic<std::uint64_t> mapped_bytes{0};  // Only these may be touched.
  // First byte behind the last record, once that is known: for segments that are complete.
  std::atomic<std::uint64_t> end_offset{0};
};

// What an image knows of a segment.
struct SegmentState {
  format::SegmentLink link;
  std::uint64_t size_bytes = 0;
  format::SegmentKind kind = format::SegmentKind::log;
  std::uint64_t base_seqno = 0;
  std::uint64_t end_offset = 0;  // First byte behind the last record that the image knows of.
  std::uint64_t live_bytes = 0;  // Bytes of its records that the image's slots point at.
  std::uint64_t records = 0;     // Records that the image knows of, dead ones included; 0 if it was not counted.
  std::int64_t last_expiry_ns = 0;
  // The records have been counted: what `records`, the expiries, and the two below say is so.
  bool counted = false;
  bool has_removes = false;
  std::int64_t first_expiry_ns = 0;
  std::uint64_t expiring_bytes = 0;  // Of the PUTs that expire some time.
  std::uint8_t dictionaries = 0;     // Those that its values need: a bit for each slot (space/dictionary_run.h).

  friend bool operator==(const SegmentState&, const SegmentState&) = default;
};

inline constexpr std::size_t kSegmentEntryBytes = 96;

[[nodiscard]] Result<void> write_segments(space::PageRunWriter& run, const std::vector<SegmentState>& segments);
[[nodiscard]] Result<std::vector<SegmentState>> read_segments(const space::PageRun& run);

class SegmentTable {
 public:
  explicit SegmentTable(os::File& file) noexcept : file_(&file) { publish(); }

  // Adds a segment and maps as much of it as the file has. If this very segment is there already, gives it.
  [[nodiscard]] Result<Segment*> add(const format::SegmentHeader& header);

  // For a reader that follows a writer: a segment that is added takes the place of those it overlaps, which the writer
  // must have given up. Without it, one that overlaps others stands beside them, and whoever looks finds the damage.
  void let_newer_replace() noexcept { newer_replaces_ = true; }

  // Maps what the file has gained since. True if `bytes` from the segment's start can be read now.
  [[nodiscard]] Result<bool> ensure_mapped(Segment& segment, std::uint64_t bytes);

  // The segment that holds this place, or null. Any thread.
  [[nodiscard]] const Segment* find(std::uint64_t paddr) const noexcept;
  [[nodiscard]] Segment* find(std::uint64_t paddr) noexcept {
    return const_cast<Segment*>(static_cast<const SegmentTable*>(this)->find(paddr));
  }
  // The segment of this link, or null.
  [[nodiscard]] Segment* find(const format::SegmentLink& link) noexcept {
    Segment* const segment = find(link.paddr);
    return segment != nullptr && segment->header.link == link ? segment : nullptr;
  }

  void remove(std::uint64_t paddr);

  struct List {
    std::vector<Segment*> segments;
    std::vector<std::uint64_t> places;  // Where they begin: what is searched lies side by side.
  };

  // What was replaced or removed so far. To be destroyed when every thread that was in find(), or held a segment, at
  // the time of the call has left.
  struct Garbage {
    std::vector<std::unique_ptr<const List>> lists;
    std::vector<std::unique_ptr<Segment>> segments;
  };
  [[nodiscard]] Garbage take_garbage();

  // Bytes of all segments.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t size() const noexcept { return all().size(); }

  // By place. The list stays valid until it becomes garbage and is destroyed. Any thread.
  [[nodiscard]] const std::vector<Segment*>& all() const noexcept {
    return list_.load(std::memory_order_acquire)->segments;
  }

 private:
  void publish();
  void remove_overlapped(const format::SegmentHeader& header);

  os::File* file_;
  bool newer_replaces_ = false;
  std::map<std::uint64_t, std::unique_ptr<Segment>> segments_;  // By place.
  std::atomic<const List*> list_{nullptr};
  std::vector<std::unique_ptr<const List>> lists_;  // The last one is the valid one.
  std::vector<std::unique_ptr<Segment>> removed_;
  std::atomic<std::uint64_t> bytes_{0};
};

}  // namespace kvb::log
