// verify: reads every structure and every record of the file afresh, sharing nothing with the open store but the file;
// and the counters of stats.

#include <algorithm>
#include <array>

#include "kvb/format/identity.h"
#include "kvb/format/live_page.h"
#include "kvb/os/system_error.h"
#include "kvb/store/store.h"

namespace kvb::store {

Result<VerifyReport> Store::verify() {
  if (auto ready = before_reading(); !ready) return std::unexpected(ready.error());
  VerifyReport report;
  const auto problem = [&](std::string message, std::uint64_t offset, std::optional<std::uint64_t> hash = {}) {
    report.problems.push_back({.message = std::move(message), .offset_bytes = offset, .key_hash = hash});
  };
  std::uint64_t up_to = 0;
  std::uint64_t trusted = 0;
  {
    const std::shared_lock lock(index_mutex_);
    up_to = published_.load(std::memory_order_acquire);
    report.keys = static_cast<std::uint64_t>(std::max<std::int64_t>(keys_, 0));
    auto word = format::load_checked_word(*file_, format::kSyncedWord);
    if (word && *word) {
      trusted = **word;
    } else if (options_.read_only) {
      // A writer beside us may be between the two stores of the word.
    } else {
      problem("The word of the newest synced record does not fit its complement.", format::kSyncedWord);
    }
  }
  // What this opener counts as committed is expected to be whole, whatever the words say.
  trusted = std::max(trusted, up_to);

  const Head& opened = head_;
  auto head = load_head(*file_);
  if (!head) {
    problem(head.error().message, format::kSuperblockAOffset);
  } else {
    if (!head->a_valid)
      problem("Superblock A is damaged. The next opening for writing restores it from B.", format::kSuperblockAOffset);
    if (!head->b_valid)
      problem("Superblock B is damaged. The next opening for writing restores it from A.", format::kSuperblockBOffset);
    if (!head->identity_valid)
      problem("The identity block is damaged. The next opening for writing restores it.", format::kIdentityOffset);
  }
  report.bytes += 2 * format::kPageBytes + format::kIdentityBytes;

  log::SegmentTable segments(*file_);
  log::JournalReader reader(*file_, segments, opened.superblock.uuid, opened.superblock.journal, trusted);
  std::vector<log::JournalRecord> batch;
  for (;;) {
    auto more = reader.next_batch(batch, trusted);
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    for (const auto& record : batch) {
      ++report.records;
      report.bytes += record.header.record_bytes();
      if (record.damaged) {
        problem("Record " + std::to_string(record.header.seqno) + ": the checksum of its key and value is wrong.",
                record.paddr, record.header.hash);
      }
    }
  }
  if (lost_records_ != 0 && reader.stop().kind == log::Stop::Kind::end) {
    problem("The file had been cut short when it was opened: " + std::to_string(lost_records_) +
                " records that were once complete are gone.",
            reader.stop().paddr);
  }
  report.segments = segments.size();
  report.bytes += segments.size() * format::kSegmentHeaderBytes;
  const auto& stop = reader.stop();
  if (stop.kind != log::Stop::Kind::end) {
    problem("The log cannot be read further: " + stop.message + ".", stop.paddr);
  } else if (reader.last_seqno() < up_to) {
    problem("The log ends before record " + std::to_string(up_to) + ", which was committed.", stop.paddr);
  }
  return report;
}

Stats Store::stats() {
  Stats stats;
  if (check_usable()) {
    if (options_.read_only) (void)follow();
    if (auto bytes = file_->size()) stats.file_bytes = *bytes;
    if (auto bytes = file_->allocated_bytes()) stats.allocated_bytes = *bytes;
  }
  log::Position end;
  if (journal_) {
    const std::lock_guard lock(write_mutex_);
    stats.bytes_written = journal_->bytes_written();
    stats.syncs = journal_->syncs();
    stats.recovery_cuts = journal_->cuts();
    end = journal_->tail();
  }
  const std::shared_lock lock(index_mutex_);
  stats.keys = static_cast<std::uint64_t>(std::max<std::int64_t>(keys_, 0));
  stats.live_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(live_bytes_, 0));
  stats.segments = segments_.size();
  if (options_.read_only && reader_) end = reader_->position();
  // Whole segments, and of the one that holds the log's end what lies before it.
  for (const auto& [paddr, segment] : segments_.all()) {
    stats.journal_bytes += segment.header.link == end.segment ? end.offset : segment.header.size_bytes;
  }
  stats.memory_bytes = delta_.memory_bytes() + order_.memory_bytes();
  stats.epoch = head_.superblock.epoch;
  stats.committed_seqno = published_.load(std::memory_order_acquire);
  stats.synced_seqno = synced_.load(std::memory_order_acquire);
  stats.replayed_records = replayed_records_;
  if (reader_) stats.recovery_cuts += reader_->cuts();
  stats.lost_records = lost_records_;
  stats.puts = counters_.puts.load(std::memory_order_relaxed);
  stats.gets = counters_.gets.load(std::memory_order_relaxed);
  stats.hits = counters_.hits.load(std::memory_order_relaxed);
  stats.deletes = counters_.deletes.load(std::memory_order_relaxed);
  stats.batches = counters_.batches.load(std::memory_order_relaxed);
  stats.syncs += counters_.syncs.load(std::memory_order_relaxed);
  stats.read_only = options_.read_only;
  stats.poisoned = poisoned_.load(std::memory_order_acquire);
  stats.durability = options_.durability;
  static constexpr char kHex[] = "0123456789abcdef";
  for (const std::byte byte : head_.superblock.uuid) {
    stats.uuid += kHex[std::to_integer<unsigned>(byte) >> 4];
    stats.uuid += kHex[std::to_integer<unsigned>(byte) & 15];
  }
  stats.created_at_ns = head_.superblock.created_ns;
  return stats;
}

}  // namespace kvb::store
