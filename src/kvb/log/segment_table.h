#pragma once
// The segments of the journal chain as they are known to one opener of the bucket: where each lies, the seed of its
// checksums, and its mapping.

#include <kvb/error.h>

#include <cstdint>
#include <map>

#include "kvb/format/record.h"
#include "kvb/format/segment.h"
#include "kvb/os/file.h"

namespace kvb::log {

struct Segment {
  format::SegmentHeader header;
  std::uint32_t life = 0;
  const std::byte* data = nullptr;  // The mapped segment; only the first mapped_bytes may be touched.
  std::uint64_t mapped_bytes = 0;

  [[nodiscard]] std::uint64_t paddr() const noexcept { return header.link.paddr; }
  [[nodiscard]] std::uint64_t end_paddr() const noexcept { return header.link.paddr + header.size_bytes; }
};

// Not synchronised: the owner's lock guards it. A Segment's address stays until it is removed.
class SegmentTable {
 public:
  explicit SegmentTable(os::File& file) noexcept : file_(&file) {}

  // Adds a segment and maps as much of it as the file has.
  [[nodiscard]] Result<Segment*> add(const format::SegmentHeader& header);

  // Maps what the file has gained since. True if `bytes` from the segment's start can be read now.
  [[nodiscard]] Result<bool> ensure_mapped(Segment& segment, std::uint64_t bytes);

  // The segment that holds this place, or null.
  [[nodiscard]] const Segment* find(std::uint64_t paddr) const noexcept;
  [[nodiscard]] Segment* find(std::uint64_t paddr) noexcept {
    return const_cast<Segment*>(static_cast<const SegmentTable*>(this)->find(paddr));
  }

  void remove(std::uint64_t paddr) { segments_.erase(paddr); }
  void clear() noexcept { segments_.clear(); }

  [[nodiscard]] std::size_t size() const noexcept { return segments_.size(); }
  // First byte behind all of them; the head's end if there are none.
  [[nodiscard]] std::uint64_t end_paddr() const noexcept;
  [[nodiscard]] const std::map<std::uint64_t, Segment>& all() const noexcept { return segments_; }

 private:
  os::File* file_;
  std::map<std::uint64_t, Segment> segments_;  // By place.
};

}  // namespace kvb::log
