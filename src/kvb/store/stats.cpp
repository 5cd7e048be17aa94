// What a bucket tells of itself. The number of keys is not kept while writing: a put does not look at the base, so it
// does not know whether it adds a key. It is counted when somebody asks, from the base's counters and the deltas, and
// what was found out about a key of a delta is remembered.

#include <algorithm>

#include "kvb/store/read_bytes.h"
#include "kvb/store/store.h"

namespace kvb::store {

Result<std::uint64_t> Store::bytes_below(const ReadState& state, const Layer& layer, const index::KeyNode& node) const {
  const std::uint64_t known = node.below.load(std::memory_order_relaxed);
  if (known != index::KeyNode::kBelowUnknown) return known;
  std::optional<index::Version> below;
  if (&layer == state.active.get() && state.frozen) {
    const std::string key(key_of(node));
    auto found = find_in(*state.frozen, node.hash, key, UINT64_MAX);
    if (!found && found.error().code != ErrorCode::damaged) return std::unexpected(found.error());
    if (found) below = *found;
  }
  if (!below && !state.base->empty()) {
    const std::string key(key_of(node));
    auto found = find_in(*state.base, node.hash, key);
    if (!found && found.error().code != ErrorCode::damaged) return std::unexpected(found.error());
    if (found) below = *found;
  }
  const std::uint64_t bytes = below && (!below->is_delete() || below->is_damaged()) ? below->record_bytes : 0;
  node.below.store(bytes, std::memory_order_relaxed);
  return bytes;
}

Result<Store::Totals> Store::totals(const ReadState& state, std::uint64_t limit) const {
  const auto& counters = state.base->superblock().counters;
  Totals sums{.keys = static_cast<std::int64_t>(counters.keys),
              .live_bytes = static_cast<std::int64_t>(counters.live_bytes)};
  std::optional<Error> error;
  for (const Layer* layer : {state.active.get(), state.frozen.get()}) {
    if (layer == nullptr) continue;
    layer->delta.for_each([&](const index::KeyNode& node) {
      const index::Version* const version = node.visible(limit);
      if (version == nullptr || error) return;
      auto below = bytes_below(state, *layer, node);
      if (!below) {
        error = below.error();
        return;
      }
      if (*below != 0) {
        --sums.keys;
        sums.live_bytes -= static_cast<std::int64_t>(*below);
      }
      if (!version->is_delete()) {
        ++sums.keys;
        sums.live_bytes += static_cast<std::int64_t>(version->record_bytes);
      }
    });
  }
  if (error) return std::unexpected(*error);
  return sums;
}

// What lies between the two: of the first and the last segment only what is behind the one and before the other.
std::uint64_t Store::journal_bytes_between(const format::JournalStart& start, const log::Position& end) const {
  std::uint64_t bytes = 0;
  for (const log::Segment* segment : segments_.all()) {
    const auto& header = segment->header;
    if (header.kind != format::SegmentKind::log || header.link.id < start.segment.id) continue;
    std::uint64_t used = header.link == end.segment ? end.offset : segment->end_offset.load(std::memory_order_relaxed);
    if (header.link == start.segment && start.offset > format::kSegmentHeaderBytes) {
      used -= std::min(used, start.offset);
    }
    bytes += used;
  }
  return bytes;
}

Stats Store::stats() {
  Stats stats;
  if (check_usable()) {
    if (options_.read_only) (void)follow();
    if (auto bytes = file_->size()) stats.file_bytes = *bytes;
    if (auto bytes = file_->allocated_bytes()) stats.allocated_bytes = *bytes;
  }
  log::Position end;
  {
    const std::lock_guard lock(write_mutex_);
    if (journal_) {
      stats.bytes_written = journal_->bytes_written();
      stats.recovery_cuts = journal_->cuts();
      end = journal_->tail();
    } else if (reader_) {
      end = reader_->position();
    }
  }
  stats.checkpoints = checkpoints_.load(std::memory_order_relaxed);
  {
    const os::ReadSections::Section section(readers_);
    if (const ReadState* const now = state_.load(std::memory_order_acquire)) {
      if (auto sums = totals(*now, published_.load(std::memory_order_acquire))) {
        stats.keys = static_cast<std::uint64_t>(std::max<std::int64_t>(sums->keys, 0));
        stats.live_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(sums->live_bytes, 0));
      }
      stats.segments = segments_.size();
      stats.journal_bytes = journal_bytes_between(now->base->superblock().journal, end);
      stats.memory_bytes = now->active->memory_bytes() + (now->frozen ? now->frozen->memory_bytes() : 0);
      stats.index_bytes = now->base->bytes();
      stats.epoch = now->base->epoch();
      fill_compression_stats(*now, stats);
      // What the writer had retired when it made this image; it knows better itself.
      for (const auto& entry : now->base->retired()) stats.retired_bytes += entry.range.bytes();
    }
  }
  stats.committed_seqno = published_.load(std::memory_order_acquire);
  {
    const std::scoped_lock lock(snapshots_mutex_);
    stats.snapshots = snapshots_.size();
    if (!snapshots_.empty()) {
      stats.oldest_snapshot_age = stats.committed_seqno - std::min(stats.committed_seqno, *snapshots_.begin());
    }
  }
  if (check_usable()) fill_pin_stats(stats);
  stats.synced_seqno = synced_.load(std::memory_order_acquire);
  stats.replayed_records = replayed_records_;
  if (reader_) stats.recovery_cuts += reader_->cuts();
  stats.lost_records = lost_records_;
  stats.puts = counters_.puts.load(std::memory_order_relaxed);
  stats.gets = read_counters_.sum(kGets);
  stats.hits = read_counters_.sum(kHits);
  stats.deletes = counters_.deletes.load(std::memory_order_relaxed);
  stats.batches = counters_.batches.load(std::memory_order_relaxed);
  stats.syncs += counters_.syncs.load(std::memory_order_relaxed);
  stats.bytes_moved = counters_.bytes_moved.load(std::memory_order_relaxed);
  stats.index_bytes_written = counters_.index_bytes_written.load(std::memory_order_relaxed);
  stats.dead_bytes = image_dead_.load(std::memory_order_relaxed);
  stats.write_pauses = counters_.pauses.load(std::memory_order_relaxed);
  stats.write_pause_ns = counters_.paused_ns.load(std::memory_order_relaxed);
  stats.longest_write_pause_ns = counters_.longest_pause_ns.load(std::memory_order_relaxed);
  (void)now_ns();
  stats.clock_ahead_ns = jump_ns_.load(std::memory_order_relaxed);
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
