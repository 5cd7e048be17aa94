// The C API: statistics and verification.

#include "kvb/api/c_api_support.h"

#include <kvb/kvb.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using kvb::Result;
using namespace kvb::c_api;

struct OwnedStats : kvb_stats {
  std::string uuid_text;
};

struct OwnedReport : kvb_verify_report {
  std::vector<std::string> messages;
  std::vector<kvb_verify_problem> problem_structs;
  std::vector<const kvb_verify_problem*> problem_pointers;
};
}  // namespace

extern "C" {

kvb_code kvb_get_stats(const kvb_bucket* bucket, kvb_stats** stats, kvb_error** error) noexcept {
  if (stats != nullptr) *stats = nullptr;
  return guarded(error, [&]() -> Result<void> {
    const auto target = bucket_of(bucket);
    if (!target) return std::unexpected(target.error());
    if (stats == nullptr) return invalid("There is no place for the statistics: `stats` is a NULL pointer.");
    const kvb::Stats now = (*target)->stats();
    auto owned = std::make_unique<OwnedStats>();
    owned->uuid_text = now.uuid;
    static_cast<kvb_stats&>(*owned) = {
        .keys = now.keys,
        .live_bytes = now.live_bytes,
        .file_bytes = now.file_bytes,
        .allocated_bytes = now.allocated_bytes,
        .segments = now.segments,
        .journal_bytes = now.journal_bytes,
        .memory_bytes = now.memory_bytes,
        .epoch = now.epoch,
        .committed_seqno = now.committed_seqno,
        .synced_seqno = now.synced_seqno,
        .replayed_records = now.replayed_records,
        .recovery_cuts = now.recovery_cuts,
        .puts = now.puts,
        .gets = now.gets,
        .hits = now.hits,
        .deletes = now.deletes,
        .batches = now.batches,
        .syncs = now.syncs,
        .bytes_written = now.bytes_written,
        .created_at_ns = now.created_at_ns,
        .durability = static_cast<kvb_durability>(now.durability),
        .read_only = now.read_only,
        .poisoned = now.poisoned,
        .uuid = owned->uuid_text.c_str(),
        .lost_records = now.lost_records,
        .index_bytes = now.index_bytes,
        .checkpoints = now.checkpoints,
        .snapshots = now.snapshots,
        .oldest_snapshot_age = now.oldest_snapshot_age,
    };
    *stats = owned.release();
    return {};
  });
}

void kvb_stats_free(kvb_stats* stats) noexcept {
  delete static_cast<OwnedStats*>(stats);
}

kvb_code kvb_verify(const kvb_bucket* bucket, kvb_verify_report** report, kvb_error** error) noexcept {
  if (report != nullptr) *report = nullptr;
  return guarded(error, [&]() -> Result<void> {
    const auto target = bucket_of(bucket);
    if (!target) return std::unexpected(target.error());
    if (report == nullptr) return invalid("There is no place for the report: `report` is a NULL pointer.");
    auto found = (*target)->verify();
    if (!found) return std::unexpected(found.error());
    auto owned = std::make_unique<OwnedReport>();
    const std::size_t count = found->problems.size();
    owned->messages.reserve(count);  // The pointers below need the strings and structs to stay where they are.
    owned->problem_structs.reserve(count);
    owned->problem_pointers.reserve(count + 1);
    for (kvb::VerifyProblem& problem : found->problems) {
      owned->messages.push_back(std::move(problem.message));
      owned->problem_structs.push_back({.message = owned->messages.back().c_str(),
                                        .offset_bytes = problem.offset_bytes,
                                        .key_hash = problem.key_hash.value_or(0),
                                        .has_key_hash = problem.key_hash.has_value()});
      owned->problem_pointers.push_back(&owned->problem_structs.back());
    }
    owned->problem_pointers.push_back(nullptr);
    static_cast<kvb_verify_report&>(*owned) = {
        .records = found->records,
        .segments = found->segments,
        .keys = found->keys,
        .bytes = found->bytes,
        .problem_count = count,
        .problems = owned->problem_pointers.data(),
    };
    *report = owned.release();
    return {};
  });
}

void kvb_verify_report_free(kvb_verify_report* report) noexcept {
  delete static_cast<OwnedReport*>(report);
}

}  // extern "C"
