#pragma once
// Space that was part of an earlier image or was given up by compaction, and that somebody may still need: a reader
// process that has pinned that image, or the next opener, if the newest superblock is lost and the one before counts.
//
// A range that checkpoint e retires (the image of e no longer names it, the one of e − 1 did) is free again when
// superblock e + 1 is durable and nobody holds a pin on an epoch below e (R15). Until then it stays on this list, which
// every image saves, so that another writer after a crash is no more generous.
//
// On disk: a page run of type free_map; entries {paddr u64, pages u64, epoch u64}, 168 a page.

#include <kvb/error.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "kvb/space/free_space.h"
#include "kvb/space/page_run.h"

namespace kvb::space {

struct RetiredRange {
  PageRange range;
  std::uint64_t epoch = 0;  // Of the checkpoint that retired it.

  friend bool operator==(const RetiredRange&, const RetiredRange&) = default;
};

inline constexpr std::size_t kRetiredEntryBytes = 24;

[[nodiscard]] Result<void> write_retired(PageRunWriter& run, const std::vector<RetiredRange>& retired);
[[nodiscard]] Result<std::vector<RetiredRange>> read_retired(const PageRun& run);

}  // namespace kvb::space
