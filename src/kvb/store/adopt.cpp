// What recovery adopts, it writes again: the same bytes to the same places, before the sync that makes them durable
// (R20).
//
// Why: if a sync of the last writer failed, the kernel has marked the pages that it could not write as clean. They can
// still be read, so replay takes their records for good, and a sync now would succeed without writing any of them: the
// kernel reports an error once. After a power cut they would be gone, and with them whatever was acknowledged behind
// them. Writing them again makes the pages dirty, so that the sync covers them. It cannot tear anything: each sector
// holds either these very bytes, or lost ones, before and after.
//
// Written again is everything behind the last record that is known to have been synced, and the header and footer of
// the segment that holds it, because a sync may have failed that was to cover those alone.

#include <vector>

#include "kvb/os/mapped_read.h"
#include "kvb/store/store.h"

namespace kvb::store {

Result<void> Store::rewrite_unsynced(const log::Position& from) {
  constexpr std::uint64_t kStep = std::uint64_t{1} << 20;
  std::vector<std::byte> copy;
  const auto rewrite = [&](log::Segment& segment, std::uint64_t begin, std::uint64_t end) -> Result<void> {
    for (std::uint64_t at = begin; at < end; at += kStep) {
      copy.resize(std::min(kStep, end - at));
      const std::uint64_t paddr = segment.paddr() + at;
      if (auto read = file_->read(paddr, copy); !read) return read;
      auto written = file_->write(paddr, copy);
      // A file system that needs new space even for this is full: then it is as good as it was before.
      if (!written && written.error().code != ErrorCode::full) return written;
    }
    return {};
  };

  log::SegmentTable& table = segments_;
  const log::Position end = reader_->position();
  format::SegmentLink link = from.segment;
  std::uint64_t offset = from.offset;
  for (;;) {
    log::Segment* const segment = table.find(link.paddr);
    if (segment == nullptr || !(segment->header.link == link)) return {};  // Only a promise so far.
    if (auto done = rewrite(*segment, 0, format::kSegmentHeaderBytes); !done) return done;
    auto footer = log::read_footer(*file_, table, *segment);
    if (!footer) return std::unexpected(footer.error());
    const bool is_last = end.segment == link;
    const std::uint64_t stop = *footer ? (*footer)->end_offset : is_last ? end.offset : offset;
    if (auto done = rewrite(*segment, offset, stop); !done) return done;
    if (is_last || !*footer) return {};
    const std::uint64_t size = segment->header.size_bytes;
    const std::uint64_t footer_bytes =
        format::kFooterBytes + format::kResyncPointBytes * (*footer)->resync_points.size();
    if (auto done = rewrite(*segment, size - footer_bytes, size); !done) return done;
    link = (*footer)->next;
    offset = format::kSegmentHeaderBytes;
  }
}

}  // namespace kvb::store
