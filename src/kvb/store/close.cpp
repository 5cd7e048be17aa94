// What closing leaves: everything synced, at most kCloseJournalBytes to replay, and a log that the next writer can
// continue without a cut. Either its last segment ends with the file, exactly behind the last record, or it is sealed.
//
// And a file that fits what is in it. If nothing is alive any more it is the head alone; if little is, compared with
// the file, all of it moves down. That is a compaction of everything (compact.cpp) and no more than a few megabytes are
// moved. What decides whether it is tried is an estimate; what is kept is decided record by record, as always.
//
// The last image of such a compaction has pages of its own: the list of what it has retired. When all of that is free,
// a list that names nothing is as true as the one that names it, and leaves no page: both superblocks are written
// without it, together with the lowest place for the log to go on at (move_promise_down). Nobody has the image pinned
// when that is decided; a reader who comes just then, and finds the file cut where the list was, sees that there is a
// newer superblock and takes that one (read_from_newest_head). If he came early enough to be seen, the file stays long.

#include <algorithm>

#include "kvb/store/changes.h"
#include "kvb/store/relocation.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

// What opening may replay after a clean close: so much takes less than a millisecond.
constexpr std::uint64_t kCloseJournalBytes = 512 * 1024;
constexpr std::uint64_t kMostToMove = std::uint64_t{16} << 20;
constexpr std::uint64_t kMostKeysToLookAt = 64 * 1024;
constexpr std::uint64_t kWorthShortening = std::uint64_t{1} << 20;

// Is a file with so many bytes behind its head much too long for what is alive in it?
bool is_much_too_long(std::uint64_t used, std::uint64_t live) noexcept {
  constexpr std::uint64_t kNotWorthIt = 256 * 1024;
  if (live == 0) return used != 0;
  return live <= kMostToMove && used > 3 * live + kNotWorthIt;
}

}  // namespace

// About so many bytes of records are alive; 0 only if none is, or nearly surely so. UINT64_MAX if it is much, or
// finding out is not worth it.
std::uint64_t Store::live_bytes_at_close() {
  constexpr std::uint64_t kMuch = UINT64_MAX;
  const Snapshot now = snapshot();
  const index::Base& base = *now.state->base;
  const auto& counters = base.superblock().counters;
  const std::int64_t time = believed_newest_wall_ns();
  std::uint64_t alive = 0;
  for (const log::SegmentState& segment : base.segments()) alive += alive_bytes(segment, time);
  std::uint64_t nodes = 0;
  std::uint64_t removed = 0;
  bool some_stay = false;
  for (const Layer* layer : {now.state->active.get(), now.state->frozen.get()}) {
    if (layer == nullptr) continue;
    layer->delta.for_each([&](const index::KeyNode& node) {
      const index::Version* const newest = node.newest.load(std::memory_order_acquire);
      ++nodes;
      if (newest->is_delete()) ++removed;
      if (newest->is_damaged() || !(newest->is_delete() || newest->expires())) some_stay = true;
    });
  }
  if (nodes > kMostKeysToLookAt || (alive > kMostToMove && removed < counters.keys / 2)) return kMuch;
  auto sums = totals(*now.state, now.limit);
  if (!sums) return kMuch;
  const auto expired = static_cast<std::int64_t>(counters.live_bytes - std::min(counters.live_bytes, alive));
  const auto live = static_cast<std::uint64_t>(std::max<std::int64_t>(sums->live_bytes - expired, 0));
  if (some_stay) return std::max<std::uint64_t>(live, 1);
  if (live != 0 && counters.keys + nodes > kMostKeysToLookAt) return live;
  bool found = false;
  auto looked = scan({.limit = 1, .keys_only = true}, [&](Entry&&) { return !(found = true); });
  // What cannot be read is not known to be dead.
  if (!looked || found) return std::max<std::uint64_t>(live, 1);
  return 0;
}

bool Store::is_read_elsewhere() {
  auto pinned = oldest_pin();
  return !pinned || *pinned != UINT64_MAX;
}

Result<void> Store::shrink_to_close() {
  if (!options_.compact_automatically || poisoned_) return {};
  const auto used = [this] {
    const std::scoped_lock lock(write_mutex_);
    return journal_->end_of_use() - format::kHeadBytes;
  };
  std::uint64_t before = used();
  if (before == 0) return {};
  const std::uint64_t live = live_bytes_at_close();
  if (!is_much_too_long(before, live)) return {};
  if (is_read_elsewhere()) return {};
  if (live == 0) {
    // Nothing is stored any more, so no dictionary is in use.
    level_ = 0;
    dictionary_ = nullptr;
  }
  constexpr int kMostRounds = 3;
  for (int round = 0; round < kMostRounds; ++round) {
    auto done = checkpoint_and_move(true,
                                    [&](const Changes& changes, Relocation& relocation) {
                                      std::uint64_t moving = 0;
                                      for (const auto& segment : changes.segments) {
                                        if (!can_be_emptied(segment) || moving > kMostToMove) continue;
                                        moving += segment.live_bytes;
                                        relocation.victims.push_back(segment);
                                      }
                                      relocation.rewrite_keys = true;
                                    },
                                    {});
    if (!done) return done;
    if (auto freed = free_retired(); !freed) return freed;
    if (superblock_.counters.keys == 0) break;
    // The log's next place must not keep room that the next round needs.
    if (auto moved = move_promise_down(false); !moved) return moved;
    // What lies behind what it replaced comes down in the next round; when hardly anything is free below, it is down.
    const std::uint64_t after = used();
    if (free_space_.free_bytes() * 4 < after || (round > 0 && after + before / 8 > before)) break;
    before = after;
  }
  return move_promise_down(retired_.empty() && !is_read_elsewhere());
}

Result<void> Store::close_file() {
  const std::scoped_lock one_at_a_time(checkpoint_mutex_);
  {
    std::unique_lock lock(write_mutex_);
    if (auto settled = settle_all(lock, true); !settled) return settled;
    if (poisoned_) return {};
  }
  const auto tail_is_last = [&] {
    const log::Segment* const tail = journal_->tail_segment();
    return tail != nullptr && tail->end_paddr() == free_space_.end_of_used();
  };
  const bool much_to_replay = frozen_bytes_ + journal_bytes_ > kCloseJournalBytes;
  bool seal = journal_->tail_segment() != nullptr && !tail_is_last();
  if (much_to_replay && journal_->tail_segment() != nullptr) seal = true;
  if (seal) {
    const log::Segment& tail = *journal_->tail_segment();
    const std::uint64_t used = tail.paddr() + journal_->tail().offset;
    std::unique_lock lock(write_mutex_);
    if (auto sealed = journal_->seal(); !sealed) return sealed;
    if (auto settled = settle_all(lock, true); !settled) return settled;
    // The unused middle goes back to the file system.
    const std::uint64_t from = format::round_up(used, format::kPageBytes);
    const std::uint64_t to =
        (tail.end_paddr() - format::footer_reserve(tail.header.size_bytes)) / format::kPageBytes * format::kPageBytes;
    if (from < to) {
      if (auto punched = file_->punch(from, to - from); !punched) return punched;
    }
  }
  if (much_to_replay) {
    // Without room for it the log is replayed, as after a crash.
    bool done = true;
    for (int round = 0; round < 2 && done && (frozen_ || journal_bytes_ != 0); ++round) {
      auto made = checkpoint_holding();
      if (!made && poisoned_) return made;
      done = made.has_value();
    }
  }
  reserve_.let_go();
  if (!poisoned_) {
    if (auto freed = free_retired(); !freed && poisoned_) return freed;
  }
  // How far time has come, if nothing else says so: or else it would look like a jump to who opens the bucket next.
  constexpr std::int64_t kDayNs = std::int64_t{24 * 3600} * 1'000'000'000;
  if (!poisoned_ && believed_newest_wall_ns() - superblock_.newest_wall_ns > kDayNs) {
    format::Superblock again = superblock_;
    again.epoch = next_epoch_++;
    again.newest_wall_ns = believed_newest_wall_ns();
    if (auto flipped = flip(again); flipped) {
      superblock_ = again;
    } else if (poisoned_) {
      return flipped;
    }
  }
  // A file that is much longer than what is in it is not left like that, as long as it costs little.
  if (much_to_replay && options_.compact_automatically && !poisoned_) {
    constexpr std::uint64_t kMostDown = std::uint64_t{16} << 20;
    auto shortened =
        shorten_file({.rounds = 2, .free_share = 8, .most_live_bytes = kMostDown, .least_free = kWorthShortening}, {});
    if (!shortened && poisoned_) return shortened;
  }
  const bool had_list = superblock_.retired.paddr != 0;
  if (auto shrunk = shrink_to_close(); !shrunk && poisoned_) return shrunk;
  const bool forgot_list = had_list && superblock_.retired.paddr == 0;
  wipe_stale_segments();
  // Everything behind what is used goes. If the last segment is the last thing in the file, the next writer finds a
  // file that ends exactly behind the last record, and goes on there; what the length hides has never been written.
  const log::Segment* const tail = journal_->tail_segment();
  std::uint64_t end = free_space_.end_of_used();
  journal_->forget_promise();
  if (tail != nullptr && tail_is_last()) {
    end = tail->paddr() + journal_->tail().offset;
  } else {
    end = std::min(end, free_space_.end_of_used());
  }
  auto bytes = file_->size();
  if (!bytes) return std::unexpected(bytes.error());
  if (end < *bytes && !(forgot_list && is_read_elsewhere()) && !expired_readers_are_left()) {
    if (auto cut = file_->truncate(end); !cut) return cut;
  }
  return sync_file(os::SyncKind::all);
}

}  // namespace kvb::store
