// What is counted, shown to other processes, and told in words.
//
// The writer's counters reach other processes through a page of the head (format/activity_block.h). The thread
// that makes checkpoints writes it twice a second, if anything has changed, so no call of anybody's waits for it; a
// process that has died leaves its last one behind, and readers believe the block only while somebody holds the
// writer's lock. Closing wipes it.

#include <array>

#include "kvb/format/activity_block.h"
#include "kvb/store/store.h"

namespace kvb::store {

Activity Store::activity() {
  Activity now{
      .opened_at_ns = opened_wall_ns_, .as_of_ns = environment_->wall_clock_ns(), .pid = environment_->process().pid};
  {
    const std::scoped_lock lock(write_mutex_);
    if (journal_) now.bytes_written = journal_->bytes_written();
    if (active_) now.memory_bytes = active_->memory_bytes();
  }
  now.puts = counters_.puts.load(std::memory_order_relaxed);
  now.gets = read_counters_.sum(kGets);
  now.hits = read_counters_.sum(kHits);
  now.deletes = counters_.deletes.load(std::memory_order_relaxed);
  now.batches = counters_.batches.load(std::memory_order_relaxed);
  now.syncs = counters_.syncs.load(std::memory_order_relaxed);
  now.bytes_moved = counters_.bytes_moved.load(std::memory_order_relaxed);
  now.index_bytes_written = counters_.index_bytes_written.load(std::memory_order_relaxed);
  now.checkpoints = checkpoints_.load(std::memory_order_relaxed);
  now.failed_checkpoints = counters_.failed_checkpoints.load(std::memory_order_relaxed);
  now.write_pauses = counters_.pauses.load(std::memory_order_relaxed);
  now.write_pause_ns = counters_.paused_ns.load(std::memory_order_relaxed);
  now.longest_write_pause_ns = counters_.longest_pause_ns.load(std::memory_order_relaxed);
  now.expired_pins = expired_pins_.load(std::memory_order_relaxed);
  now.dead_bytes = image_dead_.load(std::memory_order_relaxed);
  now.retired_bytes = retired_bytes_.load(std::memory_order_relaxed);
  now.poisoned = poisoned_.load(std::memory_order_relaxed) ? 1 : 0;
  {
    const std::scoped_lock lock(snapshots_mutex_);
    now.snapshots = snapshots_.size();
  }
  if (!options_.read_only && check_usable()) {
    Stats pins;
    fill_pin_stats(pins);
    now.oldest_pin_age_ms = static_cast<std::uint64_t>(pins.oldest_pin_age_ms);
  }
  now.latency = {.get = latencies_.get.read(),
                 .write = latencies_.write.read(),
                 .sync = latencies_.sync.read(),
                 .checkpoint = latencies_.checkpoint.read(),
                 .compaction = latencies_.compaction.read()};
  now.compactions = now.latency.compaction.count;
  return now;
}

os::Histogram* Store::measure_write() const noexcept {
  // What waits for a sync takes so long that the clock costs nothing.
  if (options_.durability == Durability::sync) return &latencies_.write;
  const std::uint64_t writes = counters_.puts.load(std::memory_order_relaxed) +
                               counters_.deletes.load(std::memory_order_relaxed) +
                               counters_.batches.load(std::memory_order_relaxed);
  return writes % MeasuredOneIn::write == 0 ? &latencies_.write : nullptr;
}

void Store::publish_activity() {
  const std::uint64_t gets = read_counters_.sum(kGets);
  const std::uint64_t writes =
      published_.load(std::memory_order_relaxed) + checkpoints_.load(std::memory_order_relaxed);
  const bool same = shown_activity_ && shown_gets_ == gets && shown_writes_ == writes;
  if (same) return;
  shown_activity_ = true;
  shown_gets_ = gets;
  shown_writes_ = writes;
  std::array<std::byte, format::kActivityBytes> block;
  format::encode_activity(activity(), block);
  (void)file_->write(format::kActivityOffset, block);  // Nothing depends on it.
}

// After the thread that publishes has ended.
void Store::withdraw_activity() {
  if (!shown_activity_) return;
  const std::array<std::byte, format::kActivityBytes> nothing{};
  (void)file_->write(format::kActivityOffset, nothing);
}

Result<std::optional<Activity>> Store::writer_activity() {
  if (auto usable = check_usable(); !usable) return std::unexpected(usable.error());
  if (!options_.read_only) return std::optional(activity());
  auto writer = file_->first_locked(format::kWriterLockByte, format::kWriterLockByte);
  if (!writer) return std::unexpected(writer.error());
  if (!*writer) return std::optional<Activity>{};
  // It may be met while it is being written.
  constexpr int kTries = 20;
  for (int tries = 0; tries < kTries; ++tries) {
    std::array<std::byte, format::kActivityBytes> block;
    if (auto read = file_->read(format::kActivityOffset, block); !read) return std::unexpected(read.error());
    if (auto activity = format::decode_activity(block)) return activity;
    environment_->sleep(std::chrono::milliseconds(1));
  }
  return std::optional<Activity>{};
}

void Store::tell(LogLevel level, std::string_view message) const {
  if (options_.log) options_.log(level, message);
}

void Store::tell_failed_checkpoint(const Error& error) {
  counters_.failed_checkpoints.fetch_add(1, std::memory_order_relaxed);
  if (!options_.log) return;
  tell(poisoned_ ? LogLevel::error : LogLevel::warning,
       "A checkpoint could not be made; nothing is lost, and it is tried again later. " + error.to_string());
}

void Store::tell_poisoned(const Error& cause) const {
  if (!options_.log) return;
  tell(LogLevel::error, "Writing has ended until the bucket is opened again: " + cause.to_string());
}

// What opening has found.
void Store::tell_of_opening() const {
  if (!options_.log) return;
  const std::string who = options_.read_only ? "Opened for reading" : "Opened for writing";
  tell(LogLevel::info, path_ + ": " + who + "; " + std::to_string(replayed_records_) + " records were replayed.");
  const std::uint64_t cuts = journal_ ? journal_->cuts() : reader_ ? reader_->cuts() : 0;
  if (cuts != 0) {
    tell(LogLevel::info, path_ + ": The log notes " + std::to_string(cuts) +
                             " ends that were not clean, of programs that died while they wrote. Nothing that was "
                             "acknowledged is lost by them.");
  }
  if (lost_records_ != 0) {
    tell(LogLevel::error, path_ + ": " + std::to_string(lost_records_) +
                              " records that were on the disk are gone: the file has been cut short from outside. "
                              "Restore a backup if they matter.");
  }
  if (const std::int64_t ahead = jump_ns_.load(std::memory_order_relaxed); ahead != 0) {
    tell(LogLevel::warning, path_ + ": The system's clock is " + std::to_string(ahead / 3'600'000'000'000) +
                                " hours ahead of the newest time in the bucket, so for an hour nothing written before "
                                "expires. Check the clock.");
  }
}

}  // namespace kvb::store
