#include "kvb/store/older_records.h"

#include <algorithm>
#include <unordered_set>

#include "kvb/format/record.h"
#include "kvb/os/mapped_read.h"

namespace kvb::store {
namespace {

// False if a record's header is damaged, or cannot be read.
template <typename Visit>
bool for_each_header(const OlderRecords::Where& where, Visit&& visit) {
  if (where.segment == nullptr) return false;
  const log::Segment& segment = *where.segment;
  for (std::uint64_t offset = format::kSegmentHeaderBytes; offset < where.end_offset;) {
    const std::byte* const at = segment.at(offset, format::kRecordHeaderBytes);
    if (at == nullptr) return false;
    const auto header = format::decode_record_header(
        std::span<const std::byte, format::kRecordHeaderBytes>(at, format::kRecordHeaderBytes),
        format::record_seed(segment.life, offset));
    if (!header || header->record_bytes() > where.end_offset - offset) return false;
    visit(*header);
    offset += header->record_bytes();
  }
  return true;
}

}  // namespace

OlderRecords OlderRecords::find(const std::vector<Where>& segments, std::int64_t now_ns) {
  OlderRecords found;
  const auto hides = [&](const format::RecordHeader& header) {
    return header.type == format::RecordType::remove || header.expires_at_ns() <= now_ns;
  };
  std::unordered_set<std::uint64_t> hiding;
  // Mappings anywhere in the file; a fault shows as zeros, which are no header.
  const os::MappedGuard guard(nullptr, SIZE_MAX);
  for (const Where& where : segments) {
    (void)for_each_header(where, [&](const format::RecordHeader& header) {
      if (hides(header)) hiding.insert(header.hash);
    });
  }
  for (const Where& where : segments) {
    const std::uint64_t paddr = where.paddr;
    const bool whole = for_each_header(where, [&](const format::RecordHeader& header) {
      if (!hiding.contains(header.hash)) return;
      found.entries_.push_back({header.hash, header.seqno, paddr, header.record_bytes()});
      if (hides(header)) found.hiding_.push_back(found.entries_.back());
    });
    if (!whole) found.unreadable_.push_back({0, where.base_seqno, paddr, 0});
  }
  std::ranges::sort(found.entries_, {}, &Entry::hash);
  std::ranges::sort(found.hiding_, {}, &Entry::segment_paddr);
  return found;
}

bool OlderRecords::any(std::uint64_t hash, std::uint64_t seqno,
                       const std::function<bool(std::uint64_t segment_paddr)>& stays) const {
  const auto is_older = [&](const Entry& entry) { return entry.seqno < seqno && stays(entry.segment_paddr); };
  return std::ranges::any_of(std::ranges::equal_range(entries_, hash, {}, &Entry::hash), is_older) ||
         std::ranges::any_of(unreadable_, is_older);
}

std::uint64_t OlderRecords::bytes_to_keep(std::uint64_t segment_paddr,
                                          const std::function<bool(std::uint64_t segment_paddr)>& stays) const {
  std::uint64_t bytes = 0;
  for (const Entry& entry : std::ranges::equal_range(hiding_, segment_paddr, {}, &Entry::segment_paddr)) {
    if (any(entry.hash, entry.seqno, stays)) bytes += entry.bytes;
  }
  return bytes;
}

}  // namespace kvb::store
