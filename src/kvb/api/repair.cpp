// kvb::repair: salvage from the damaged file, written into a new bucket.

#include <kvb/repair.h>

#include <new>

#include "kvb/api/bucket_access.h"
#include "kvb/os/system_error.h"
#include "kvb/store/salvage.h"
#include "kvb/store/store.h"
#include "kvb/store/writer_lock.h"

namespace kvb {
namespace {

constexpr std::size_t kBatchRecords = 1000;
constexpr std::uint64_t kBatchBytes = 4 * 1024 * 1024;

Result<RepairReport> repair_into(os::Environment& environment, const std::string& path, const std::string& target,
                                 const RepairOptions& options) {
  auto source = environment.open(path, os::OpenMode::read_only);
  if (!source) return std::unexpected(source.error());
  if (auto writer = (*source)->first_locked(format::kWriterLockByte, format::kWriterLockByte); writer && *writer) {
    return os::failure(ErrorCode::busy,
                       "The bucket is being written. Wait until its writer has finished, then repair it.", path);
  }
  RepairReport report;
  const std::int64_t now_ns = environment.wall_clock_ns();
  store::SalvagedCompression compression;
  if (options.dry_run) {
    auto done = store::salvage(**source, now_ns, report, compression,
                               [](store::SalvagedRecord&&) -> Result<void> { return {}; });
    if (!done) return std::unexpected(done.error());
    return report;
  }

  std::shared_ptr<store::Store> bucket;
  std::vector<store::SalvagedRecord> batch;
  std::uint64_t batch_bytes = 0;
  const auto write_batch = [&]() -> Result<void> {
    auto written = bucket->restore(batch);
    batch.clear();
    batch_bytes = 0;
    return written;
  };
  const auto open_target = [&]() -> Result<void> {
    if (bucket) return {};
    auto created = store::Store::create(environment, target,
                                        {.durability = Durability::relaxed, .compression = compression.compression});
    if (!created) return std::unexpected(created.error());
    bucket = std::move(*created);
    return bucket->use_dictionary(compression.dictionary);
  };
  auto done =
      store::salvage(**source, now_ns, report, compression, [&](store::SalvagedRecord&& record) -> Result<void> {
        // Made only now: a file that is no bucket at all must not leave an empty one beside it.
        if (auto opened = open_target(); !opened) return opened;
        batch_bytes += record.key.size() + record.value.size();
        batch.push_back(std::move(record));
        return batch.size() < kBatchRecords && batch_bytes < kBatchBytes ? Result<void>() : write_batch();
      });
  if (done) done = open_target();
  if (done) done = write_batch();
  if (done) done = bucket->close();
  if (!done) {
    if (bucket) {
      (void)bucket->close();
      (void)environment.remove(target);
    }
    return std::unexpected(done.error());
  }
  return report;
}

}  // namespace

Result<RepairReport> repair_with(os::Environment& environment, const std::string& path, const std::string& target,
                                 const RepairOptions& options) {
  try {
    return repair_into(environment, path, target, options);
  } catch (const std::bad_alloc&) {
    return os::failure(ErrorCode::out_of_memory, "Memory ran out during the repair. The damaged file is as it was.",
                       path);
  }
}

Result<RepairReport> repair(const std::string& path, const std::string& target, const RepairOptions& options) {
  return repair_with(os::real_environment(), path, target, options);
}

}  // namespace kvb
