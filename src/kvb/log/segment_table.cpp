#include "kvb/log/segment_table.h"

#include <algorithm>

namespace kvb::log {

Result<Segment*> SegmentTable::add(const format::SegmentHeader& header) {
  Segment segment;
  segment.header = header;
  segment.life = format::life_seed(header.uuid, header.link);
  auto [it, inserted] = segments_.insert_or_assign(header.link.paddr, segment);
  if (auto mapped = ensure_mapped(it->second, format::kSegmentHeaderBytes); !mapped) {
    segments_.erase(it);
    return std::unexpected(mapped.error());
  }
  return &it->second;
}

Result<bool> SegmentTable::ensure_mapped(Segment& segment, std::uint64_t bytes) {
  if (bytes <= segment.mapped_bytes) return true;
  auto file_bytes = file_->size();
  if (!file_bytes) return std::unexpected(file_bytes.error());
  if (*file_bytes <= segment.paddr()) return false;
  const std::uint64_t available = std::min(segment.header.size_bytes, *file_bytes - segment.paddr());
  if (available > segment.mapped_bytes) {
    auto data = file_->map(segment.paddr(), available);
    if (!data) return std::unexpected(data.error());
    segment.data = *data;
    segment.mapped_bytes = available;
  }
  return bytes <= segment.mapped_bytes;
}

const Segment* SegmentTable::find(std::uint64_t paddr) const noexcept {
  auto it = segments_.upper_bound(paddr);
  if (it == segments_.begin()) return nullptr;
  --it;
  return paddr < it->second.end_paddr() ? &it->second : nullptr;
}

std::uint64_t SegmentTable::end_paddr() const noexcept {
  return segments_.empty() ? format::kHeadBytes : segments_.rbegin()->second.end_paddr();
}

}  // namespace kvb::log
