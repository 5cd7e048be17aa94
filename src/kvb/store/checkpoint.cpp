// Checkpoints. One makes the index of everything up to a cut C durable, so that opening replays only what came later.
//
//   freeze   Under the writers' lock, when nothing is staged or under way: C is the journal's tail. The active delta
//            becomes the frozen one, and a fresh one takes its place (R12). Writers wait for one group at most.
//   merge    Frozen delta and base are merged into new pages, in space that nobody uses (merge.cpp). No page of the
//            base changes (R13). Writes go on meanwhile.
//   flip     sync → superblock e into the older slot → sync → epoch word (R14). The first sync covers the pages, and
//            every record up to C, because they were written before the freeze. So whoever finds superblock e valid
//            finds its image and C complete; and until then superblock e − 1 counts, whose image nobody touched, and
//            whose journal goes on over C.
//   retire   What only image e − 1 used is retired. It is used again when superblock e + 1 is durable (so that nobody
//            falls back to e − 1), and no process holds a pin below e, and no scan here reads that image (R15).
//
// If the merge fails, for want of space or because something cannot be read, its pages are given back and the frozen
// delta stays: lookups go on as before, and the next try merges the same delta up to the same C.
// If a sync fails, writing ends (R9). If the superblock cannot be written, nobody knows which one counts now: both are
// complete, so the space of both images is kept, and the next try is made with a higher epoch.

#include <algorithm>
#include <chrono>
#include <utility>

#include "kvb/format/live_page.h"
#include "kvb/os/probes.h"
#include "kvb/os/system_error.h"
#include "kvb/store/changes.h"
#include "kvb/store/relocation.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

constexpr std::uint64_t kMostJournalBytes = std::uint64_t{1} << 30;
constexpr std::uint64_t kSmallIndexBytes = std::uint64_t{1} << 20;
// A checkpoint is due at so much, and writers wait for it at so much.
constexpr std::uint64_t kDeltaMemoryBytes = std::uint64_t{12} << 20;
constexpr std::uint64_t kMostDeltaMemoryBytes = std::uint64_t{32} << 20;
constexpr std::uint64_t kWorthCompacting = std::uint64_t{4} << 20;
constexpr std::uint64_t kLeastWorthCompacting = 64 * 1024;
constexpr std::uint64_t kWorthShortening = std::uint64_t{1} << 20;
constexpr std::uint64_t kShareUnit = 1024;  // The share of replaced records is kept in so many parts.

}  // namespace

std::shared_ptr<Layer> Store::new_layer(std::size_t expected_keys) {
  return std::make_shared<Layer>(
      expected_keys, [this](const index::KeyNode& node) { return key_of(node); },
      [this](const index::KeyNode& node) { prefetch_record(node); });
}

void Store::set_state(ReadState state) {
  auto fresh = std::make_shared<const ReadState>(std::move(state));
  const std::scoped_lock lock(state_mutex_);
  state_.store(fresh.get(), std::memory_order_seq_cst);
  if (current_) replaced_.push_back(std::move(current_));
  current_ = std::move(fresh);
}

void Store::collect(log::SegmentTable::Garbage garbage) {
  std::vector<std::shared_ptr<const ReadState>> old;
  {
    const std::scoped_lock lock(state_mutex_);
    old.swap(replaced_);
  }
  readers_.wait_for_readers();
  old.clear();
  garbage = {};
}

Result<void> Store::freeze(std::unique_lock<std::mutex>& lock, bool seal) {
  freezing_ = true;
  const bool sync = options_.durability == Durability::sync;
  Result<void> settled;
  bool sealed = !seal;
  while (settled && !sealed) {
    // Not into a group that is under way, and not before everything staged so far is in the file.
    if (leader_active_ || journal_->has_staged()) {
      settled = settle_all(lock, sync);
      continue;
    }
    settled = journal_->seal();
    if (!settled && journal_->sync_failed()) poisoned_ = true;
    // Without room for that the segment goes on.
    if (!settled && settled.error().code == ErrorCode::full) settled = {};
    sealed = true;
  }
  while (settled && (leader_active_ || journal_->has_staged())) settled = settle_all(lock, sync);
  freezing_ = false;
  committed_.notify_all();
  if (settled) settled = check_writable();
  if (!settled) return settled;

  cut_ = journal_->tail();
  cut_next_segment_id_ = journal_->next_segment_id();
  const std::vector<log::SegmentState>& known = image_segments();
  cut_segments_.clear();
  for (const log::Segment* segment : segments_.all()) {
    // Emptied by compaction, and kept for those who still read an older image.
    const bool emptied =
        std::ranges::any_of(victims_, [&](const Victim& v) { return v.segment.link == segment->header.link; });
    if (emptied) continue;
    log::SegmentState state{.link = segment->header.link,
                            .size_bytes = segment->header.size_bytes,
                            .kind = segment->header.kind,
                            .base_seqno = segment->header.base_seqno,
                            .end_offset = segment->end_offset.load(std::memory_order_relaxed)};
    if (state.link == cut_.segment) state.end_offset = cut_.offset;
    const auto before =
        std::ranges::lower_bound(known, state.link.paddr, {}, [](const log::SegmentState& s) { return s.link.paddr; });
    if (before != known.end() && before->link == state.link) {
      const std::uint64_t end = state.end_offset;
      state = *before;
      if (end != state.end_offset) state.counted = false;  // It was the log's last one then.
      state.end_offset = end;
    }
    cut_segments_.push_back(state);
  }
  const std::shared_ptr<Layer> frozen = std::exchange(active_, new_layer(active_->delta.nodes()));
  std::shared_ptr<const index::Base> base;
  {
    const std::scoped_lock state_lock(state_mutex_);
    base = current_->base;
  }
  set_state({.active = active_, .frozen = frozen, .base = std::move(base)});
  frozen_ = true;
  frozen_bytes_ = journal_bytes_.exchange(0);
  frozen_keys_.puts = std::min<std::uint64_t>(new_keys_.puts.exchange(0), frozen->delta.nodes());
  frozen_keys_.key_bytes = new_keys_.key_bytes.exchange(0);
  delta_memory_ = 0;
  delta_dead_bytes_ = 0;
  samples_ = 0;
  sampled_replaced_ = 0;
  slowed_at_bytes_ = 0;
  return {};
}

const std::vector<log::SegmentState>& Store::image_segments() const {
  const std::scoped_lock lock(state_mutex_);
  return current_->base->segments();  // Stays as long as checkpoint_mutex_ is held.
}

Result<void> Store::checkpoint() {
  if (auto usable = check_usable(); !usable) return usable;
  if (options_.read_only) return check_writable();
  const std::scoped_lock one_at_a_time(checkpoint_mutex_);
  const bool had_frozen = frozen_;
  if (auto done = checkpoint_holding(); !done) return done;
  // That one only finished what had been begun before.
  return had_frozen ? checkpoint_holding() : Result<void>{};
}

Result<void> Store::checkpoint_holding() {
  if (!reserve_.is_tight()) return checkpoint_and_move(false, {}, {});
  auto made = checkpoint_when_tight(false);
  return made ? Result<void>{} : std::unexpected(made.error());
}

Result<void> Store::checkpoint_and_move(bool seal, const std::function<void(const Changes&, Relocation&)>& plan,
                                        const std::function<void(const Relocation&)>& moved) {
  if (!frozen_) {
    std::unique_lock lock(write_mutex_);
    if (auto writable = check_writable(); !writable) return writable;
    if (auto frozen = freeze(lock, seal); !frozen) return frozen;
  } else if (auto writable = check_writable(); !writable) {
    return writable;
  }
  const std::uint64_t begin_ns = os::stopwatch_ns();
  // Before the first output of a compaction is written, the note that somebody writes is on the disk (stale.cpp).
  if (plan && !synced_since_open_) {
    if (auto synced = sync_file(os::SyncKind::all); !synced) return poison(synced.error());
  }
  Snapshot merging = snapshot();
  const std::uint64_t epoch = next_epoch_;
  reclaim();
  wipe_stale_segments();

  format::Superblock next = superblock_;
  next.epoch = epoch;
  std::vector<space::PageRange> taken;
  auto retired = retired_;
  const auto give_back = [&](const Error& error) -> Result<void> {
    for (const auto& range : taken) {
      if (wipe_segment(range)) {
        free_space_.give_back(range);
      } else {
        stale_segments_left_ = true;
      }
    }
    if (error.code == ErrorCode::full) refused_at_bytes_ = frozen_bytes_ + journal_bytes_;
    tell_failed_checkpoint(error);
    return std::unexpected(error);
  };
  auto changes = survey(*merging.state);
  if (!changes) return give_back(changes.error());
  if (!changes->list.empty()) replaced_share_ = changes->replaced_keys * kShareUnit / changes->list.size();
  Relocation relocation;
  relocation.dictionaries = merging.state->base->dictionaries();
  if (plan) {
    plan(*changes, relocation);
    if (relocation.train != Relocation::Train::no) {
      auto trained = train(*merging.state, *changes, relocation, next, taken);
      if (!trained) return give_back(trained.error());
      if (relocation.only_with_dictionary && !relocation.trained.adopted) relocation.victims.clear();
    }
    auto moved_all = relocate(*merging.state, *changes, relocation, taken);
    if (!moved_all) return give_back_outputs(relocation), give_back(moved_all.error());
  }
  if (auto written = write_image(*merging.state, *changes, next, relocation, taken, retired); !written) {
    return give_back_outputs(relocation), give_back(written.error());
  }
  if (auto synced = sync_file(os::SyncKind::all); !synced) return poison(synced.error());
  auto base = index::Base::open(*file_, next);
  if (!base) return give_back_outputs(relocation), give_back(base.error());
  take_dictionaries(**base);
  next_epoch_ = epoch + 1;
  if (auto flipped = flip(next); !flipped) return flipped;

  {
    const std::scoped_lock lock(write_mutex_);
    superblock_ = next;
    set_trigger(**base);
    old_bases_.emplace_back(merging.state->base);
    set_state({.active = active_, .frozen = nullptr, .base = std::move(*base)});
    frozen_ = false;
    frozen_bytes_ = 0;
    frozen_keys_.puts = frozen_keys_.key_bytes = 0;
    if (relocation.saved_live_bytes != 0) {
      // What they have found out about lengths is not so any more.
      active_->delta.for_each([](const index::KeyNode& node) {
        node.below.store(index::KeyNode::kBelowUnknown, std::memory_order_relaxed);
      });
    }
    if (relocation.train != Relocation::Train::no) {
      if (relocation.trained.adopted) {
        train_at_bytes_ = 0;
      } else if (superblock_.dictionaries.paddr == 0) {
        plan_training_at(superblock_.counters.live_bytes);
      }
    }
  }
  retired_ = std::move(retired);
  for (const auto& victim : relocation.victims) victims_.push_back({.segment = victim, .epoch = epoch});
  if (moved) moved(relocation);
  refused_at_bytes_ = 0;
  checkpoints_.fetch_add(1, std::memory_order_relaxed);
  const bool compacted = !relocation.victims.empty();
  const std::uint64_t took_ns = os::stopwatch_ns() - begin_ns;
  (compacted ? latencies_.compaction : latencies_.checkpoint).add(took_ns);
  KVB_PROBE2(checkpoint, epoch, took_ns);
  if (compacted) KVB_PROBE3(compaction, relocation.victims.size(), relocation.bytes, took_ns);
  merging = {};
  log::SegmentTable::Garbage garbage;
  {
    const std::scoped_lock lock(write_mutex_);
    garbage = segments_.take_garbage();
  }
  collect(std::move(garbage));
  if (!relocation.trained.adopted) return {};
  // Named by both superblocks, the dictionary is used (flip).
  format::Superblock again = superblock_;
  again.epoch = next_epoch_++;
  if (auto flipped = flip(again); !flipped) return flipped;
  const std::scoped_lock lock(write_mutex_);
  superblock_ = again;
  return {};
}

Result<void> Store::sync_file(os::SyncKind kind) {
  const std::scoped_lock one_at_a_time(sync_mutex_);
  counters_.syncs.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t begin_ns = os::stopwatch_ns();
  auto synced = file_->sync(kind);
  const std::uint64_t took_ns = os::stopwatch_ns() - begin_ns;
  latencies_.sync.add(took_ns);
  KVB_PROBE2(journal_fsync, took_ns, synced.has_value() ? 1 : 0);
  if (synced) {
    synced_since_open_ = true;
  } else {
    if (!poisoned_.exchange(true)) tell_poisoned(synced.error());
  }
  return synced;
}

// R10: checkpoint and compaction keep little data that is not on its way to the disk, so that no durable write waits
// long behind theirs. Where callers wait for each sync, what is on its way is bounded too.
Result<void> Store::pace(std::uint64_t offset, std::uint64_t bytes) {
  constexpr std::uint64_t kMostOnItsWay = std::uint64_t{4} << 20;
  file_->begin_write_back(offset, bytes);
  if (options_.durability != Durability::sync) return {};
  paced_bytes_ += bytes;
  if (paced_bytes_ < kMostOnItsWay) return {};
  paced_bytes_ = 0;
  return sync_file(os::SyncKind::data);
}

Result<void> Store::poison(Error error) {
  const bool was_poisoned = poisoned_.exchange(true);
  error.code = ErrorCode::poisoned;
  error.message +=
      " Writing has ended; what was acknowledged before can still be read. Check the disk, then open the bucket again.";
  if (!was_poisoned) tell_poisoned(error);
  return std::unexpected(std::move(error));
}

// The pages that `superblock` names have been synced.
Result<void> Store::flip(const format::Superblock& superblock) {
  // The copy that is not overwritten must be durable. After opening it may be in the page cache only (heal_head).
  if (!synced_since_open_) {
    if (auto synced = sync_file(os::SyncKind::all); !synced) return poison(synced.error());
  }
  std::array<std::byte, format::kPageBytes> page;
  format::encode_superblock(superblock, page);
  const std::uint64_t slot = newest_is_a_ ? format::kSuperblockBOffset : format::kSuperblockAOffset;
  if (auto written = file_->write(slot, page); !written) return written;
  if (auto synced = sync_file(os::SyncKind::data); !synced) return poison(synced.error());
  newest_is_a_ = !newest_is_a_;
  note_flip(superblock.epoch);
  if (superblock.dictionaries == superblock_.dictionaries) adopt_dictionary();
  // Readers look at the word to see that there is a new image; what counts is the superblock.
  (void)format::store_checked_word(*file_, format::kEpochWord, superblock.epoch);
  return {};
}

void Store::reclaim() {
  std::erase_if(old_bases_, [](const auto& base) { return base.expired(); });
  std::uint64_t oldest_read_here = UINT64_MAX;
  for (const auto& old : old_bases_) {
    if (const auto base = old.lock()) oldest_read_here = std::min(oldest_read_here, base->epoch());
  }
  std::uint64_t oldest_pinned = UINT64_MAX;
  if (superblock_.epoch > 0) {
    auto pinned = oldest_pin();
    // Where locks do not work, nobody can be told from somebody: nothing is reused while the bucket is open.
    if (!pinned) return;
    oldest_pinned = *pinned;
  }
  const std::uint64_t oldest = std::min(oldest_pinned, oldest_read_here);
  const auto is_free = [&](std::uint64_t epoch) {
    // It was part of images before `epoch`.
    return epoch < superblock_.epoch && oldest >= epoch;
  };
  std::vector<space::RetiredRange> free;
  std::erase_if(retired_, [&](const space::RetiredRange& entry) {
    if (is_free(entry.epoch)) free.push_back(entry);
    return is_free(entry.epoch);
  });
  give_back_retired(std::move(free));
  std::uint64_t waiting = 0;
  for (const auto& entry : retired_) waiting += entry.range.bytes();
  retired_bytes_ = waiting;
}

std::uint64_t Store::next_relocated_id() {
  const std::scoped_lock lock(write_mutex_);
  return journal_->take_segment_id();
}

bool Store::checkpoint_due() const {
  const std::uint64_t bytes = journal_bytes_.load(std::memory_order_relaxed);
  if (bytes == 0) return false;
  const std::uint64_t refused = refused_at_bytes_.load(std::memory_order_relaxed);
  if (refused != 0 && bytes + frozen_bytes_ < refused + refused / 4) return false;
  return bytes >= checkpoint_trigger_ || delta_memory_.load(std::memory_order_relaxed) >= delta_limit_ ||
         (options_.compact_automatically && bytes >= least_journal_ && expected_dead(bytes) >= dead_budget_) ||
         training_due(bytes);
}

// How much of the journal is dead, or has made something dead that the image knows as alive (upkeep.h).
std::uint64_t Store::expected_dead(std::uint64_t journal_bytes) const {
  const std::uint64_t known = std::min(delta_dead_bytes_.load(std::memory_order_relaxed), journal_bytes);
  constexpr std::uint64_t kEnoughSamples = 32;
  const std::uint64_t samples = samples_.load(std::memory_order_relaxed);
  const std::uint64_t share = samples >= kEnoughSamples
                                  ? sampled_replaced_.load(std::memory_order_relaxed) * kShareUnit / samples
                                  : replaced_share_.load(std::memory_order_relaxed);
  return known + (journal_bytes - known) / kShareUnit * share;
}

// A small index may be rewritten often; a large one only when the log behind it is at least twice as long, or when much
// is dead.
void Store::set_trigger(const index::Base& base) {
  const std::uint64_t index_bytes = base.bytes();
  base_bytes_ = index_bytes;
  base_keys_ = base.superblock().counters.keys;
  std::uint64_t key_bytes = 0;
  for (const auto& range : base.ranges().keys) key_bytes += range.bytes();
  base_key_bytes_ = key_bytes;
  const std::uint64_t twice = index_bytes > kSmallIndexBytes ? 2 * index_bytes : 0;
  checkpoint_trigger_ = std::min(std::max(options_.checkpoint_bytes, twice), kMostJournalBytes);
  delta_limit_ = std::max(kDeltaMemoryBytes, index_bytes / 8);
  delta_bound_ = std::max(kMostDeltaMemoryBytes, index_bytes / 4);
  const Upkeep upkeep = upkeep_of(base.superblock().counters.live_bytes, index_bytes);
  idle_live_bytes_ = upkeep.live_bytes;
  idle_index_bytes_ = index_bytes;
  // Not now_ns(): when the bucket is being opened nobody has judged the clock yet.
  image_dead_ = dead_in(base, newest_wall_ns_ - jump_ns_);
  least_journal_ = std::min<std::uint64_t>(upkeep.least_journal(), checkpoint_trigger_);
  const std::uint64_t most = upkeep.most_dead();
  dead_budget_ = std::max(most - std::min<std::uint64_t>(most, image_dead_), most / 4);
}

std::uint64_t Store::dead_in(const index::Base& base, std::int64_t now) const {
  std::uint64_t dead = 0;
  for (const log::SegmentState& segment : base.segments()) {
    dead += dead_bytes(segment, segment.link == base.superblock().journal.segment, now);
  }
  return dead;
}

Upkeep Store::upkeep_of(std::uint64_t live_bytes, std::uint64_t index_bytes) const {
  // Who wants checkpoints of a tiny journal, wants small buckets to be compacted too.
  const std::uint64_t worth = std::clamp(options_.checkpoint_bytes, kLeastWorthCompacting, kWorthCompacting);
  return {.live_bytes = live_bytes, .index_bytes = index_bytes, .worth_bytes = worth};
}

void Store::after_write() {
  if (working_) slow_down();
  if (!checkpoint_due()) return;
  if (!environment_->has_background_threads()) {
    const std::scoped_lock one_at_a_time(checkpoint_mutex_);
    // A failure is not this write's affair: it stands in the log. The next try comes when more has been written.
    if (checkpoint_due() && !automatic_checkpoint(false)) {
      if (refused_at_bytes_ == 0) refused_at_bytes_ = frozen_bytes_ + journal_bytes_;
    }
    return;
  }
  if (!working_) checkpointer_wakes_.notify_one();
}

// How near the writers are to the bounds of what may wait for a checkpoint, in percent; 0 while there is no need to
// hurry.
std::uint64_t Store::pressure() const {
  const auto between = [](std::uint64_t value, std::uint64_t from, std::uint64_t to) -> std::uint64_t {
    return value <= from ? 0 : std::min<std::uint64_t>(1 + (value - from) / ((to - from) / 100 + 1), 100);
  };
  const std::uint64_t journal = journal_bytes_.load(std::memory_order_relaxed);
  std::uint64_t most = between(journal, checkpoint_trigger_, 2 * checkpoint_trigger_);
  most = std::max(most, between(delta_memory_.load(std::memory_order_relaxed), delta_bound_ / 3 * 2, delta_bound_));
  if (options_.compact_automatically && journal >= least_journal_) {
    most = std::max(most, between(expected_dead(journal), dead_budget_ / 2, dead_budget_ / 2 * 3));
  }
  return most;
}

// While a checkpoint is made and more is written meanwhile than it gains on, writers are slowed, never refused (R21):
// a little for each stretch of log, more and more towards the bounds, and there until there is room again. Pauses are
// few rather than short, so that all but a few writes are as quick as ever; none is long.
void Store::slow_down() {
  constexpr std::uint64_t kStretch = 256 * 1024;
  constexpr std::chrono::microseconds kLeast(500);
  constexpr std::chrono::microseconds kForEachPercent(75);
  constexpr std::chrono::milliseconds kAtTheBound(50);
  if (!environment_->has_background_threads() || refused_at_bytes_ != 0 || poisoned_ || closed_) return;
  const std::uint64_t pressed = pressure();
  // The first dictionary is waited for, once in a bucket's life and not for long: what is written meanwhile would be
  // stored without it.
  const bool first_dictionary = training_first_;
  if (pressed == 0 && !first_dictionary) return;
  if (pressed < 100 && !first_dictionary) {
    const std::uint64_t journal = journal_bytes_.load(std::memory_order_relaxed);
    std::uint64_t last = slowed_at_bytes_.load(std::memory_order_relaxed);
    if (journal >= last && journal < last + kStretch) return;
    if (!slowed_at_bytes_.compare_exchange_strong(last, journal, std::memory_order_relaxed)) return;
  }
  const std::int64_t begin = environment_->monotonic_ns();
  {
    std::unique_lock lock(checkpointer_mutex_);
    const bool waits = pressed >= 100 || first_dictionary;
    checkpoint_done_.wait_for(lock, waits ? kAtTheBound : kLeast + pressed * kForEachPercent,
                              [this] { return !working_ || closed_; });
  }
  const auto paused = static_cast<std::uint64_t>(environment_->monotonic_ns() - begin);
  counters_.pauses.fetch_add(1, std::memory_order_relaxed);
  counters_.paused_ns.fetch_add(paused, std::memory_order_relaxed);
  std::uint64_t longest = counters_.longest_pause_ns.load(std::memory_order_relaxed);
  while (paused > longest &&
         !counters_.longest_pause_ns.compare_exchange_weak(longest, paused, std::memory_order_relaxed)) {
  }
}

// A checkpoint, and if much of the file is dead, a round of compaction with it. `idle`: nobody is writing, so it may be
// thorough.
Result<void> Store::automatic_checkpoint(bool idle) {
  if (!options_.compact_automatically || reserve_.is_tight()) {
    if (training_due(journal_bytes_)) plan_training_at(idle_live_bytes_ + journal_bytes_);
    return checkpoint_holding();
  }
  bool moves = false;
  // With the first dictionary everything that was stored without it is moved; that is not much yet.
  const bool train_first = training_due(journal_bytes_);
  training_first_ = train_first;
  auto done = checkpoint_and_move(train_first && !frozen_,
                                  [&](const Changes& changes, Relocation& relocation) {
                                    if (training_may_pay(changes, kGrownMuch)) {
                                      relocation.train = Relocation::Train::if_it_pays;
                                    }
                                    relocation.only_with_dictionary = train_first;
                                    relocation.victims = train_first ? choose_victims(changes, CompactStrategy::full)
                                                                     : choose_for_upkeep(changes, idle);
                                    moves = !relocation.victims.empty();
                                  },
                                  {});
  training_first_ = false;
  if (!done || !(moves || idle || train_first)) return done;
  if (auto given = give_back_space(); !given || !idle) return given;
  constexpr std::uint64_t kMostDown = std::uint64_t{64} << 20;
  return shorten_file({.rounds = 3, .free_share = 5, .most_live_bytes = kMostDown, .least_free = kWorthShortening}, {});
}

// Is there so much to give back that it is worth a checkpoint though nobody writes?
bool Store::idle_work_due() {
  if (!options_.compact_automatically || refused_at_bytes_ != 0 || poisoned_) return false;
  const std::uint64_t journal = journal_bytes_.load(std::memory_order_relaxed);
  const Upkeep upkeep = upkeep_of(idle_live_bytes_, idle_index_bytes_);
  // Time goes on, and things expire.
  image_dead_ = dead_in(*snapshot().state->base, believed_newest_wall_ns());
  const std::uint64_t dead = image_dead_ + expected_dead(journal);
  return dead >= std::max(upkeep.least_dead(true), upkeep.aimed_dead(false)) &&
         environment_->monotonic_ns() >= idle_not_before_ns_;
}

void Store::run_checkpoints(const std::stop_token& stop) {
  constexpr std::chrono::milliseconds kLook(100);
  constexpr int kIdleLooks = 3;
  constexpr std::uint64_t kLooksAPublication = 5;
  constexpr std::uint64_t kFewBytes = 64 * 1024;
  publish_activity();
  std::unique_lock lock(checkpointer_mutex_);
  std::uint64_t bytes_before = 0;
  int idle_looks = 0;
  std::uint64_t looks = 0;
  while (!stop.stop_requested()) {
    // Writers notify without the lock, so a wake-up can be missed: look from time to time.
    (void)checkpointer_wakes_.wait_for(lock, stop, kLook, [this] { return checkpoint_due(); });
    if (stop.stop_requested()) return;
    if (looks++ % kLooksAPublication == 0) {
      lock.unlock();
      publish_activity();
      lock.lock();
    }
    if (poisoned_) continue;
    const std::uint64_t bytes = journal_bytes_;
    const bool quiet = bytes >= bytes_before && bytes < bytes_before + kFewBytes;
    idle_looks = quiet ? idle_looks + 1 : 0;
    bytes_before = bytes;
    const bool idle = idle_looks >= kIdleLooks && idle_work_due();
    if (!checkpoint_due() && !idle) continue;
    lock.unlock();
    {
      const std::scoped_lock one_at_a_time(checkpoint_mutex_);
      if (checkpoint_due() || idle) {
        working_ = true;
        const std::uint64_t dead_before = image_dead_;
        const bool done = automatic_checkpoint(idle).has_value();
        if (!done && refused_at_bytes_ == 0) refused_at_bytes_ = frozen_bytes_ + journal_bytes_;
        if (idle) {
          // What is left cannot be given back now, but perhaps later, when more has expired or a reader has gone:
          // looked at again after a second, and more and more seldom if that does not help.
          constexpr std::int64_t kSecondNs = 1'000'000'000;
          constexpr std::int64_t kSeldomNs = 3'600 * kSecondNs;
          const bool helped = image_dead_ < dead_before / 8 * 7;
          idle_pause_ns_ = helped ? kSecondNs : std::clamp(2 * idle_pause_ns_, kSecondNs, kSeldomNs);
          idle_not_before_ns_ = environment_->monotonic_ns() + idle_pause_ns_;
        }
      }
    }
    bytes_before = journal_bytes_;
    lock.lock();
    working_ = false;
    checkpoint_done_.notify_all();
  }
}

}  // namespace kvb::store
