// Bucket::backup: a snapshot, written into a new bucket. That has another name until all of it is on disk, so whoever
// finds a file of the name that was asked for has found a whole copy.

#include "kvb/api/bucket_state.h"
#include "kvb/os/file.h"
#include "kvb/store/salvage.h"

namespace kvb {
namespace {

constexpr std::size_t kBatchRecords = 1000;
constexpr std::uint64_t kBatchBytes = 4 * 1024 * 1024;

Result<void> refuse_existing(os::Environment& environment, const std::string& target) {
  if (target.empty()) {
    return os::failure(ErrorCode::invalid_argument, "The backup has no name. Give the path of a file to make.", target);
  }
  auto there = environment.open(target, os::OpenMode::read_only);
  if (there) {
    return os::failure(ErrorCode::already_exists,
                       "There is a file of this name already, and it was left alone. Choose another name for the "
                       "backup.",
                       target);
  }
  if (there.error().code != ErrorCode::not_found) return std::unexpected(there.error());
  return {};
}

}  // namespace

Result<BackupReport> Bucket::State::backup(const std::string& target, const BackupOptions& options) const {
  os::Environment& environment = store->environment();
  auto seen = store->take_snapshot();
  if (!seen) return std::unexpected(seen.error());
  struct LetGo {
    store::Store* store;
    const store::Snapshot* snapshot;
    ~LetGo() { store->let_go(*snapshot); }
  } const let_go{store.get(), &*seen};
  const store::Store::Patience patience(*store, *seen);
  if (auto refused = refuse_existing(environment, target); !refused) return std::unexpected(refused.error());

  const std::string partial = target + ".partial";
  if (auto refused = refuse_existing(environment, partial); !refused) {
    if (refused.error().code == ErrorCode::already_exists) {
      refused.error().message =
          "There is a file of this name, perhaps what an interrupted backup has left. Remove it if nobody is writing "
          "to "
          "it, then try again.";
    }
    return std::unexpected(refused.error());
  }
  auto created = store::Store::create(environment, partial,
                                      {.durability = Durability::relaxed, .compression = store->compression()});
  if (!created) {
    // Not if somebody else has made it in between.
    if (created.error().code != ErrorCode::already_exists) (void)environment.remove(partial);
    return std::unexpected(created.error());
  }
  const std::shared_ptr<store::Store> copy = std::move(*created);

  BackupReport report;
  const std::uint64_t of_keys = options.progress ? store->stats().keys : 0;
  std::vector<store::SalvagedRecord> batch;
  std::uint64_t batch_bytes = 0;
  Result<void> written;
  const auto write_batch = [&] {
    written = copy->restore(batch);
    batch.clear();
    batch_bytes = 0;
    if (written && options.progress) options.progress(report.keys, of_keys);
    return written.has_value();
  };
  const auto take = [&](Entry&& entry) {
    ++report.keys;
    report.value_bytes += entry.value.bytes.size();
    batch_bytes += entry.key.size() + entry.value.bytes.size();
    format::RecordHeader header;
    header.timestamp_ns = entry.value.written_at_ns;
    header.ttl_seconds = entry.value.ttl_seconds;
    header.flags = static_cast<std::uint16_t>(static_cast<unsigned>(entry.value.kind) << format::kFlagKindShift);
    batch.push_back({.header = header, .key = std::move(entry.key), .value = std::move(entry.value.bytes)});
    return (batch.size() < kBatchRecords && batch_bytes < kBatchBytes) || write_batch();
  };
  // Whatever ends it early must not leave the file behind, memory that runs out included.
  auto done = without_exceptions(target, [&]() -> Result<void> {
    // The copy's values are compressed as well as these.
    if (auto used = copy->use_dictionary(store->newest_dictionary()); !used) return used;
    auto scanned = store->scan(*seen, {}, take);
    if (scanned && written && !batch.empty()) write_batch();
    return scanned ? written : scanned;
  });
  auto closed = copy->close();
  if (done) done = closed;
  if (done) done = environment.rename(partial, target);
  if (!done) {
    (void)environment.remove(partial);
    return std::unexpected(done.error());
  }
  if (auto synced = environment.sync_directory_of(target); !synced) {
    (void)environment.remove(target);
    return std::unexpected(synced.error());
  }
  if (auto file = environment.open(target, os::OpenMode::read_only)) {
    if (auto bytes = (*file)->size()) report.file_bytes = *bytes;
  }
  return report;
}

Result<BackupReport> Bucket::backup(const std::string& target, const BackupOptions& options) const {
  if (!state_) return os::failure(ErrorCode::closed, "This Bucket was moved from. Use the one it was moved to.", {});
  return without_exceptions(target, [&] { return state_->backup(target, options); });
}

}  // namespace kvb
