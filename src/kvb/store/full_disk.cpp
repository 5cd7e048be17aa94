// A full disk can be emptied: what the reserve (space/reserve.h) is used for.
//
// When the disk is nearly full, room is kept for the next image, for one output of compaction and for some removals.
// A removal that finds the log full takes from its part. When that is used up, a round is made: a checkpoint that
// empties segments whose records that stay fit into the reserve, then the same superblock once more under the next
// epoch, which frees the image before and the emptied segments (R15); from them the reserve is filled again, and the
// removal is tried once more. The round gains space because what it copies is less than the segments hold; segments of
// which that is not so (all live, or full of removals that must be kept) are left alone.
//
// Checkpoints that come by themselves are made in the same way then, and closing needs no more.

#include <algorithm>

#include "kvb/store/changes.h"
#include "kvb/store/relocation.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

constexpr std::uint64_t kMostMovingBytes = format::kMaxSegmentBytes;
constexpr std::uint64_t kLeastRemovingBytes = 32 * 1024;
constexpr std::uint64_t kMostRemovingBytes = std::uint64_t{16} << 20;
constexpr std::uint64_t kSlotsAPage = 201;  // A page of the hash index, as full as the writer makes it at most.

// All pages of a run of so many data pages: a page of checksums for each extent, and root pages.
std::uint64_t run_bytes(std::uint64_t data_pages) {
  const std::uint64_t extents = data_pages / space::kExtentDataPages + 1;
  return (data_pages + extents + extents / space::kExtentsPerRootPage + 1) * format::kPageBytes;
}

}  // namespace

space::Reserve::Need Store::reserve_need() const {
  const std::uint64_t new_keys = std::min<std::uint64_t>(new_keys_.puts, active_->delta.nodes()) + frozen_keys_.puts;
  const std::uint64_t hash_pages = (base_keys_ + new_keys) / kSlotsAPage + 2;
  // A leaf holds each key with four bytes, and what is left at its end is less than the next key: an eighth for that
  // and for the branches, and for long keys.
  const std::uint64_t new_key_bytes = new_keys_.key_bytes + frozen_keys_.key_bytes + new_keys * 6;
  const std::uint64_t key_pages = (base_key_bytes_ + new_key_bytes + new_key_bytes / 8) / format::kPageBytes + 2;
  const std::uint64_t index = run_bytes(hash_pages) + run_bytes(key_pages);
  const std::uint64_t segments = segments_.size() + 16;
  const std::uint64_t retired = 2 * segments + 2 * (index / (space::kExtentDataPages * format::kPageBytes)) + 64;
  const std::uint64_t per_page = format::kPagePayloadBytes;
  std::uint64_t largest = format::kMinSegmentBytes;
  for (const log::Segment* segment : segments_.all()) largest = std::max(largest, segment->header.size_bytes);
  space::Reserve::Need need;
  need.image = index + run_bytes(segments * log::kSegmentEntryBytes / per_page + 1) +
               run_bytes(retired * space::kRetiredEntryBytes / per_page + 1);
  need.growth = need.image - std::min<std::uint64_t>(base_bytes_, need.image);
  need.moving = std::min(largest, kMostMovingBytes);
  need.removing = std::clamp(segments_.bytes() / 32, kLeastRemovingBytes, kMostRemovingBytes);
  return need;
}

Result<void> Store::free_retired() {
  if (retired_.empty()) return {};
  format::Superblock again = superblock_;
  again.epoch = next_epoch_++;
  if (auto flipped = flip(again); !flipped) return flipped;
  superblock_ = again;
  reclaim();
  return {};
}

void Store::refill_reserve() {
  const std::scoped_lock lock(write_mutex_);
  reserve_.look_again(reserve_need());
  if (!reserve_.is_tight()) return;
  // Whether it is whole again shows at the next write.
  (void)reserve_.keep(reserve_need(), 0);
}

void Store::find_older_records(Relocation& relocation) {
  std::vector<OlderRecords::Where> everywhere;
  const auto add = [&](const log::SegmentState& segment) {
    everywhere.push_back({.segment = segments_.find(segment.link),
                          .paddr = segment.link.paddr,
                          .base_seqno = segment.base_seqno,
                          .end_offset = segment.end_offset});
  };
  for (const log::SegmentState& segment : cut_segments_) add(segment);
  for (const Victim& victim : victims_) add(victim.segment);
  relocation.older = std::make_shared<OlderRecords>(OlderRecords::find(everywhere, now_ns()));
}

void Store::choose_what_fits(const Changes& changes, Relocation& relocation) {
  find_older_records(relocation);
  std::vector<log::SegmentState> candidates;
  for (const log::SegmentState& segment : changes.segments) {
    if (can_be_emptied(segment)) candidates.push_back(segment);
  }
  std::ranges::sort(candidates, {}, [](const auto& segment) {
    return static_cast<double>(segment.live_bytes) / static_cast<double>(segment.size_bytes);
  });
  std::set<std::uint64_t> victims;
  std::uint64_t room = reserve_.moving_bytes();
  for (const log::SegmentState& candidate : candidates) {
    const std::uint64_t place = candidate.link.paddr;
    const std::uint64_t kept =
        candidate.live_bytes + relocation.older->bytes_to_keep(place, [&](std::uint64_t segment) {
          return segment != place && !victims.contains(segment);
        });
    const std::uint64_t copy = kept == 0 ? 0 : format::segment_bytes_for(kept);
    if (copy > room || copy >= candidate.size_bytes) continue;
    room -= copy;
    victims.insert(place);
    relocation.victims.push_back(candidate);
  }
  std::ranges::sort(relocation.victims, {}, [](const auto& segment) { return segment.link.paddr; });
}

Result<std::size_t> Store::checkpoint_when_tight(bool for_room) {
  {
    const std::scoped_lock lock(write_mutex_);
    (void)reserve_.keep(reserve_need(), 0);
  }
  std::size_t emptied = 0;
  auto made = checkpoint_and_move(false,
                                  [&](const Changes& changes, Relocation& relocation) {
                                    std::uint64_t live = 0;
                                    std::uint64_t all = 0;
                                    for (const auto& segment : changes.segments) {
                                      live += segment.live_bytes;
                                      all += segment.size_bytes;
                                    }
                                    // Choosing reads the whole log, so it must be worth it.
                                    if (!for_room && live * 3 > all * 2) return;
                                    choose_what_fits(changes, relocation);
                                    emptied = relocation.victims.size();
                                  },
                                  {});
  if (!made) return std::unexpected(made.error());
  if (auto freed = free_retired(); !freed) return std::unexpected(freed.error());
  refill_reserve();
  return emptied;
}

bool Store::make_room_for_removing() {
  const std::scoped_lock one_at_a_time(checkpoint_mutex_);
  if (!reserve_.is_tight() || check_writable().has_value() == false) return false;
  constexpr int kMostRounds = 16;
  for (int round = 0; round < kMostRounds; ++round) {
    auto emptied = checkpoint_when_tight(true);
    if (!emptied) return false;
    if (reserve_.can_remove()) return true;
    if (*emptied == 0) return false;
  }
  return false;
}

}  // namespace kvb::store
