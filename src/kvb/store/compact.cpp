// Compaction: gives the space of dead records back. It is a checkpoint that moves records.
//
//   1. The cut C is made as for a checkpoint; for `full` the log's last segment is ended first.
//   2. Victims are chosen among the segments that lie wholly before C, by the share of dead bytes.
//   3. Their live records (those that base and frozen delta name as current) are copied in the order of their keys into
//      output segments: kind `relocated`, outside the chain, that nothing leads to yet (R29). Nothing of a record
//      changes, seqno, timestamp and time to live included (R30); only the checksums are new, because they are bound to
//      the place.
//   4. The merge writes slots with the new places. What was written after C is in the active delta and wins.
//   5. The flip makes outputs and slots valid, and retires the victims, at once. After a crash before it the outputs
//      are free space; after it the victims are, by the rules for retired space (R15): two epochs, pins, and scans here
//      that still read the image before. So the last flip is made twice, and the space can be given back at once.
//
// Deletes and expired records hide older records of their keys from `repair`, which looks at segments alone. Such a
// record is left behind only if no segment that stays can hold an older one (R32): no other segment begins with a lower
// seqno. Otherwise it is copied like a live one, though no slot points at it.
//
// A segment that is given back gets its header wiped, so that repair never takes it for one that counts.

#include <algorithm>
#include <set>

#include "kvb/os/system_error.h"
#include "kvb/store/changes.h"
#include "kvb/store/relocation.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

constexpr std::uint64_t kBytesARound = std::uint64_t{64} << 20;  // Live data; bounds the memory of a round.
constexpr int kMostRounds = 1'000;
constexpr int kMostRoundsDown = 6;

}  // namespace

// R31: the segment in which the journal begins stays, and so does everything that is not complete.
bool Store::can_be_emptied(const log::SegmentState& state) const {
  return !(state.link == cut_.segment) && state.end_offset != 0 && !stuck_segments_.contains(state.link.id);
}

// Which segments to empty in one round.
std::vector<log::SegmentState> Store::choose_victims(const Changes& changes, CompactStrategy strategy) const {
  std::vector<log::SegmentState> candidates = changes.segments;
  std::erase_if(candidates, [this](const auto& state) { return !can_be_emptied(state); });
  const std::int64_t now = believed_newest_wall_ns();
  for (auto& state : candidates) state.live_bytes = alive_bytes(state, now);
  const std::uint64_t most_alive = strategy == CompactStrategy::full        ? 100
                                   : strategy == CompactStrategy::automatic ? 50
                                                                            : 90;
  return choose_deadest(std::move(candidates), UINT64_MAX, {.most_alive = most_alive, .most_live_bytes = kBytesARound});
}

// The same for a round that nobody has asked for.
std::vector<log::SegmentState> Store::choose_for_upkeep(const Changes& changes, bool idle) const {
  const Upkeep upkeep =
      upkeep_of(static_cast<std::uint64_t>(std::max<std::int64_t>(changes.live_bytes, 0)), idle_index_bytes_);
  const std::int64_t now = believed_newest_wall_ns();
  std::uint64_t dead = 0;
  std::vector<log::SegmentState> candidates;
  for (const log::SegmentState& state : changes.segments) {
    dead += dead_bytes(state, state.link == cut_.segment, now);
    if (!can_be_emptied(state)) continue;
    candidates.push_back(state);
    candidates.back().live_bytes = alive_bytes(state, now);
  }
  if (dead < upkeep.least_dead(idle)) return {};
  // If not much is dead, only what is cheap.
  const bool much = idle || dead >= upkeep.most_dead() / 4 * 3;
  const RoundLimits limits{.left_dead = upkeep.aimed_dead(idle),
                           .most_alive = much ? std::uint64_t{85} : std::uint64_t{50},
                           .most_live_bytes = std::max<std::uint64_t>(kBytesARound, checkpoint_trigger_ / 4)};
  return choose_deadest(std::move(candidates), dead, limits);
}

Result<CompactReport> Store::compact(const CompactOptions& options) {
  if (auto usable = check_usable(); !usable) return std::unexpected(usable.error());
  if (options_.read_only) return std::unexpected(check_writable().error());
  const std::scoped_lock one_at_a_time(checkpoint_mutex_);
  {
    const std::scoped_lock lock(write_mutex_);
    reserve_.look_again(reserve_need());
  }
  CompactReport report;
  const auto sizes = [&](std::uint64_t& file_bytes, std::uint64_t& allocated) {
    if (auto bytes = file_->size()) file_bytes = *bytes;
    if (auto bytes = file_->allocated_bytes()) allocated = *bytes;
  };
  sizes(report.file_bytes_before, report.allocated_bytes_before);
  std::set<std::uint64_t> outputs;  // Made here; not emptied again.
  bool first_round = true;
  const auto round = [&](bool seal) -> Result<std::size_t> {
    std::size_t victims = 0;
    auto done = checkpoint_and_move(
        seal,
        [&](const Changes& changes, Relocation& relocation) {
          if (reserve_.is_tight()) {
            choose_what_fits(changes, relocation);
          } else {
            relocation.victims = choose_victims(changes, options.strategy);
          }
          if (std::exchange(first_round, false) && training_may_pay(changes, kGrown)) {
            relocation.train = Relocation::Train::if_it_pays;
          }
          std::erase_if(relocation.victims, [&](const auto& s) { return outputs.contains(s.link.id); });
          victims = relocation.victims.size();
        },
        [&](const Relocation& relocation) {
          report.records_moved += relocation.records;
          report.bytes_moved += relocation.bytes;
          report.segments_freed += relocation.victims.size();
          for (const auto& output : relocation.outputs) outputs.insert(output.link.id);
        });
    if (!done) return std::unexpected(done.error());
    if (auto given = give_back_space(); !given) return std::unexpected(given.error());
    sizes(report.file_bytes_after, report.allocated_bytes_after);
    if (options.progress) options.progress(report);
    return victims;
  };
  for (int i = 0; i < kMostRounds; ++i) {
    auto emptied = round(options.strategy == CompactStrategy::full && i == 0);
    if (!emptied) return std::unexpected(emptied.error());
    if (*emptied == 0) break;
  }
  // What lies behind free space moves down, so that the file's end can be cut (R33).
  if (reserve_.is_tight()) {
    reserve_.let_go();
    if (auto given = give_back_space(); !given) return std::unexpected(given.error());
    sizes(report.file_bytes_after, report.allocated_bytes_after);
  }
  const std::uint64_t share = options.strategy == CompactStrategy::full ? 8 : 2;
  auto shortened = shorten_file({.rounds = kMostRoundsDown,
                                 .free_share = share,
                                 .not_above = report.file_bytes_before,
                                 .most_live_bytes = kBytesARound},
                                [&](const Relocation& relocation) {
                                  report.records_moved += relocation.records;
                                  report.bytes_moved += relocation.bytes;
                                  sizes(report.file_bytes_after, report.allocated_bytes_after);
                                  if (options.progress) options.progress(report);
                                });
  if (!shortened) return std::unexpected(shortened.error());
  sizes(report.file_bytes_after, report.allocated_bytes_after);
  return report;
}

// Moves what lies behind free space down and cuts the file's end, as long as the free share of the file is at least
// 1 / free_share, or the file longer than `not_above`, and as long as it gets shorter.
Result<void> Store::shorten_file(const Shortening& how, const std::function<void(const Relocation&)>& moved) {
  for (int i = 0; i < how.rounds; ++i) {
    auto before = file_->size();
    if (!before) return std::unexpected(before.error());
    const std::uint64_t free = free_space_.free_bytes();
    const bool worth_it = free * how.free_share >= *before && free >= how.least_free;
    if (!worth_it && *before <= how.not_above) break;
    const std::uint64_t used = free_space_.end_of_used() - free;
    bool seal = false;
    {
      // The log's last segment stays where it is as long as something is written there.
      const std::scoped_lock lock(write_mutex_);
      const log::Segment* const tail = segments_.find(journal_->tail().segment);
      seal = !reserve_.is_tight() && tail != nullptr && tail->end_paddr() > used &&
             tail->end_paddr() - used > how.least_free;
    }
    auto done = checkpoint_and_move(
        seal,
        [&](const Changes&, Relocation& relocation) {
          relocation.victims = segments_far_out(how.most_live_bytes);
          if (reserve_.is_tight()) find_older_records(relocation);
          relocation.rewrite_keys = true;
        },
        moved);
    // Without room for it the file stays as long as it is.
    if (!done && done.error().code == ErrorCode::full) return {};
    if (!done) return done;
    if (auto given = give_back_space(); !given) return given;
    auto after = file_->size();
    if (!after) return std::unexpected(after.error());
    const bool shorter = *after + *before / 64 < *before;
    if (!shorter && i > 0 && *after <= how.not_above) break;
  }
  return {};
}

// The segments that lie where no byte would have to be if there were no holes.
std::vector<log::SegmentState> Store::segments_far_out(std::uint64_t most_live_bytes) const {
  std::uint64_t used = free_space_.end_of_used() - free_space_.free_bytes();
  std::vector<log::SegmentState> far;
  const std::uint64_t most = reserve_.is_tight() ? reserve_.moving_bytes() : most_live_bytes;
  std::uint64_t live = 0;
  for (const log::SegmentState& state : cut_segments_) {
    if (!can_be_emptied(state)) continue;
    if (state.link.paddr + state.size_bytes <= used || live > most) continue;
    live += state.live_bytes;
    far.push_back(state);
  }
  return far;
}

// The same image once more, under the next epoch: then nobody falls back to the one before, and what it alone used can
// be given back, to the file system where it is worth it.
Result<void> Store::give_back_space() {
  if (auto freed = free_retired(); !freed) return freed;
  if (auto moved = move_promise_down(false); !moved) return moved;
  std::uint64_t end = 0;
  {
    // No writer may take space behind the end while it is cut.
    const std::scoped_lock lock(write_mutex_);
    end = journal_->end_of_use();
    auto bytes = file_->size();
    if (!bytes) return std::unexpected(bytes.error());
    // Somebody who does not know yet that the space was taken from him may not find the file shorter (R27).
    if (expired_readers_are_left()) end = *bytes;
    if (end < *bytes) {
      if (auto cut = file_->truncate(end); !cut) return cut;
    }
  }
  constexpr std::uint64_t kWorthPunching = 256 * 1024;
  for (const auto& range : free_space_.free_ranges()) {
    // Taken while it is punched: a writer might use it otherwise.
    if (range.end() > end || range.bytes() < kWorthPunching || !free_space_.reserve(range)) continue;
    auto punched = file_->punch(range.paddr, range.bytes());
    free_space_.give_back(range);
    if (!punched) return punched;
  }
  return {};
}

// The place that is kept free for the next log segment may be what keeps the file long. As long as nothing was written
// there, another place can take its place: both superblocks are made to name it, while writers wait. (One alone would
// not do: whoever fell back to the other would look for the log at the old place.)
//
// `forget_retired`: nothing is retired any more, nobody reads the image, and no checkpoint comes after this: then both
// superblocks are also made to forget the list of what was retired, whose pages are free afterwards. (For the same
// reason in both, before anything is written to them.)
Result<void> Store::move_promise_down(bool forget_retired) {
  std::unique_lock lock(write_mutex_);
  if (leader_active_ || journal_->has_staged() || !(journal_->tail().segment == superblock_.journal.segment)) return {};
  // A watch elsewhere may stand at the old place. Of the chain that goes on from the new one it would learn from the
  // next image only, which need not know all of it any more.
  if (is_read_elsewhere()) return {};
  std::vector<space::PageRange> forgotten;
  if (forget_retired) {
    const std::scoped_lock state_lock(state_mutex_);
    forgotten = current_->base->retired_run_ranges();
  }
  for (const auto& range : forgotten) free_space_.give_back(range);
  const auto moved = journal_->promise_lower_down();
  if (!moved && forgotten.empty()) return {};
  format::Superblock again = superblock_;
  again.flags |= format::kFlagJournalMoved;
  if (forget_retired) again.retired = {};
  if (moved) {
    again.journal.segment = moved->link;
    again.commit_paddr = moved->link.paddr + again.journal.offset;
  }
  for (int copy = 0; copy < 2; ++copy) {
    again.epoch = next_epoch_++;
    if (auto flipped = flip(again); !flipped) {
      // Whichever superblock counts now, writing must not go on at either place.
      return poison(flipped.error());
    }
  }
  superblock_ = again;
  if (moved) journal_->keep_promise(*moved);
  return {};
}

}  // namespace kvb::store
