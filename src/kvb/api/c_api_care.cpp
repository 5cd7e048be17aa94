// The C API: checkpoints, compaction, backups, repair.

#include "kvb/api/c_api_support.h"

#include <kvb/kvb.h>
#include <kvb/repair.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using kvb::CompactStrategy;
using kvb::Result;
using namespace kvb::c_api;

static_assert(static_cast<int>(CompactStrategy::automatic) == KVB_COMPACT_AUTOMATIC);
static_assert(static_cast<int>(CompactStrategy::aggressive) == KVB_COMPACT_AGGRESSIVE);
static_assert(static_cast<int>(CompactStrategy::full) == KVB_COMPACT_FULL);

struct OwnedRepairReport : kvb_repair_report {
  std::vector<kvb::RepairLoss> found;
  std::vector<kvb_repair_loss> loss_structs;
  std::vector<const kvb_repair_loss*> loss_pointers;
};

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

kvb_code kvb_backup(const kvb_bucket* bucket, const char* target, const kvb_backup_options* options,
                    kvb_backup_report** report, kvb_error** error) noexcept {
  if (report != nullptr) *report = nullptr;
  return guarded(error, [&]() -> Result<void> {
    const auto source = bucket_of(bucket);
    if (!source) return std::unexpected(source.error());
    if (target == nullptr) return invalid("The target is a NULL pointer. Pass the name of the file to make.");
    const auto given = read_options(options);
    if (!given) return std::unexpected(given.error());
    if (given->reserved != 0) return invalid("The reserved field of kvb_backup_options must be 0.");
    auto owned = std::make_unique<kvb_backup_report>();
    kvb::BackupOptions wanted;
    if (given->progress != nullptr) {
      wanted.progress = [&given](std::uint64_t keys, std::uint64_t of_keys) {
        given->progress(given->context, keys, of_keys);
      };
    }
    const auto done = (*source)->backup(target, wanted);
    if (!done) return std::unexpected(done.error());
    *owned = {.keys = done->keys, .value_bytes = done->value_bytes, .file_bytes = done->file_bytes};
    if (report != nullptr) *report = owned.release();
    return {};
  });
}

void kvb_backup_report_free(kvb_backup_report* report) noexcept {
  delete report;
}

kvb_code kvb_repair(const char* path, const char* target, const kvb_repair_options* options, kvb_repair_report** report,
                    kvb_error** error) noexcept {
  if (report != nullptr) *report = nullptr;
  return guarded(error, [&]() -> Result<void> {
    if (path == nullptr) return invalid("The path is a NULL pointer. Pass the damaged file's name.");
    const auto given = read_options(options);
    if (!given) return std::unexpected(given.error());
    const bool dry_run = given->dry_run != 0;
    if (dry_run && target != nullptr) return invalid("A dry run writes nothing: the target must be NULL then.");
    if (!dry_run && target == nullptr) return invalid("The target is a NULL pointer. Pass the name of a file to make.");
    auto done = kvb::repair(path, dry_run ? "" : target, {.dry_run = dry_run});
    if (!done) return std::unexpected(done.error());
    if (report == nullptr) return {};
    auto owned = std::make_unique<OwnedRepairReport>();
    owned->found = std::move(done->losses);
    owned->loss_structs.reserve(owned->found.size());  // The pointers need them to stay where they are.
    owned->loss_pointers.reserve(owned->found.size() + 1);
    for (const kvb::RepairLoss& loss : owned->found) {
      owned->loss_structs.push_back({.message = loss.message.c_str(),
                                     .offset_bytes = loss.offset_bytes,
                                     .length_bytes = loss.length_bytes,
                                     .key_hash = loss.key_hash.value_or(0),
                                     .has_key_hash = loss.key_hash.has_value()});
      owned->loss_pointers.push_back(&owned->loss_structs.back());
    }
    owned->loss_pointers.push_back(nullptr);
    static_cast<kvb_repair_report&>(*owned) = {
        .segments = done->segments,
        .records = done->records,
        .keys = done->keys,
        .value_bytes = done->value_bytes,
        .loss_count = owned->found.size(),
        .losses = owned->loss_pointers.data(),
    };
    *report = owned.release();
    return {};
  });
}

void kvb_repair_report_free(kvb_repair_report* report) noexcept {
  delete static_cast<OwnedRepairReport*>(report);
}

}  // extern "C"
