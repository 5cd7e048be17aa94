// The C API: checkpoints and compaction.

#include "kvb/api/c_api_support.h"

#include <kvb/kvb.h>

#include <memory>

namespace {

using kvb::CompactStrategy;
using kvb::Result;
using namespace kvb::c_api;

static_assert(static_cast<int>(CompactStrategy::automatic) == KVB_COMPACT_AUTOMATIC);
static_assert(static_cast<int>(CompactStrategy::aggressive) == KVB_COMPACT_AGGRESSIVE);
static_assert(static_cast<int>(CompactStrategy::full) == KVB_COMPACT_FULL);

}  // namespace

extern "C" {

kvb_code kvb_checkpoint(kvb_bucket* bucket, kvb_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    const auto target = bucket_of(bucket);
    if (!target) return std::unexpected(target.error());
    return (*target)->checkpoint();
  });
}

kvb_code kvb_compact(kvb_bucket* bucket, int strategy, kvb_compact_report** report, kvb_error** error) noexcept {
  if (report != nullptr) *report = nullptr;
  return guarded(error, [&]() -> Result<void> {
    const auto target = bucket_of(bucket);
    if (!target) return std::unexpected(target.error());
    const auto chosen = enumerator(strategy, CompactStrategy::full);
    if (!chosen) return invalid("There is no such strategy. Pass one of kvb_compact_strategy.");
    // Before the work, so that no memory is needed after it.
    auto owned = std::make_unique<kvb_compact_report>();
    const auto done = (*target)->compact({.strategy = *chosen});
    if (!done) return std::unexpected(done.error());
    *owned = {
        .file_bytes_before = done->file_bytes_before,
        .file_bytes_after = done->file_bytes_after,
        .allocated_bytes_before = done->allocated_bytes_before,
        .allocated_bytes_after = done->allocated_bytes_after,
        .segments_freed = done->segments_freed,
        .records_moved = done->records_moved,
        .bytes_moved = done->bytes_moved,
    };
    if (report != nullptr) *report = owned.release();
    return {};
  });
}

void kvb_compact_report_free(kvb_compact_report* report) noexcept {
  delete report;
}

}  // extern "C"
