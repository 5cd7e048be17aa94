#pragma once
// Which deletes, and expired records, must still be there because an older record of their key is (R32).
//
// Repair looks at segments alone: whoever drops a delete while an older record of its key lies in some segment brings
// that one back. Without a look, a delete may be dropped only if no segment that stays begins with a lower seqno, which
// after some compactions hardly ever is so. This looks: once for the hashes that deletes and expired records have, and
// once for all records of these hashes. Both are passes over the whole log, so it is for a disk that is full, where
// nothing else gives the space of deletes back.

#include <kvb/error.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "kvb/log/segment_table.h"

namespace kvb::store {

class OlderRecords {
 public:
  struct Where {
    const log::Segment* segment = nullptr;  // Null: what is in it cannot be read.
    std::uint64_t paddr = 0;
    std::uint64_t base_seqno = 0;
    std::uint64_t end_offset = 0;
  };

  // Reads the segments from their first record to where each ends.
  [[nodiscard]] static OlderRecords find(const std::vector<Where>& segments, std::int64_t now_ns);

  // Is there an older record of this hash in a segment for which `stays` says yes, given its place?
  [[nodiscard]] bool any(std::uint64_t hash, std::uint64_t seqno,
                         const std::function<bool(std::uint64_t segment_paddr)>& stays) const;

  // Bytes of the deletes and expired records of a segment that must be kept if those segments stay.
  [[nodiscard]] std::uint64_t bytes_to_keep(std::uint64_t segment_paddr,
                                            const std::function<bool(std::uint64_t segment_paddr)>& stays) const;

 private:
  struct Entry {
    std::uint64_t hash;
    std::uint64_t seqno;
    std::uint64_t segment_paddr;
    std::uint64_t bytes;
  };
  std::vector<Entry> entries_;  // By hash.
  std::vector<Entry> hiding_;   // Those that hide others, by segment.
  // Not all of their records could be found: they may hold anything from that seqno on.
  std::vector<Entry> unreadable_;
};

}  // namespace kvb::store
