// Segments that nothing leads to, and why none of them ever brings anything back.
//
// Repair, when there is no segment table to be read, takes every segment whose header it finds (salvage.cpp). So the
// header of a segment that does not count may be in the file only as long as all that its records could bring back is
// contradicted by a segment that does count. There are these:
//
//   outputs   of a compaction that failed, or died before its flip. Their records are copies of current ones; they are
//             contradicted by any later record of their keys, removals included.
//   emptied   segments that compaction has retired, before their space may be used again. Likewise.
//   unlinked  log segments that were made, and perhaps written, and never acknowledged: a group failed, or its writer
//             died. The log was cut before them, and the cut says which seqnos are dead (salvage.cpp heeds that).
//
// What contradicts goes away only when a compaction drops it (R32), or a segment with a cut in it. So the rule is:
//
//   No checkpoint drops a removal, an expired record or a segment of the log, before all headers that do not count,
//   but those of retired segments that it knows, have been overwritten. The sync before its flip covers that.
//
// What this process leaves itself it wipes when it gives the space back; if that fails, the space stays taken, and
// removals are kept. What a dead process has left is found by its header: before the first checkpoint after such an
// opening all that is free and has blocks on the device is searched, once. (The log may use space earlier than that: it
// searches what it takes.) And emptied segments that were retired before the bucket was opened are looked up.
//
// Was there a dead process? The note of who writes (format::kHolderOffset) says so. It is on the disk before a segment
// of either kind is made: opening writes it, and both the log and compaction sync once before the first one. It is
// taken back when all is closed and synced, if nothing was left behind. Without the note there is nothing to search
// for, but if a superblock was damaged: then what the lost image named is free space again. If the log has no clean end
// the note is taken for granted.

#include <algorithm>
#include <array>

#include "kvb/format/live_page.h"
#include "kvb/log/stale_headers.h"
#include "kvb/store/relocation.h"
#include "kvb/store/store.h"

namespace kvb::store {

bool Store::was_left_by_a_dead_writer() const {
  std::array<std::byte, format::kHolderBytes> note;
  if (!file_->read(format::kHolderOffset, note)) return true;
  if (std::ranges::any_of(note, [](std::byte byte) { return byte != std::byte{0}; })) return true;
  return !head_.a_valid || !head_.b_valid || next_epoch_ > superblock_.epoch + 1;
}

// For a place that is about to be free. False if it cannot be: then it stays taken.
bool Store::wipe_segment(const space::PageRange& range) {
  auto header = log::header_at(*file_, head_.superblock.uuid, range.paddr);
  if (header && !*header) return true;
  if (header && log::wipe_header(*file_, range.paddr)) {
    // Its blocks go back to the file system; if that fails, nothing is lost but room.
    (void)file_->punch(range.paddr, range.bytes());
    return true;
  }
  return false;
}

// The oldest first: what hides a record is younger than it is, so whatever has been wiped when the process dies, or
// when one of them cannot be wiped, what is left of the log hides what it should. (Segments that compaction has made
// may hold records of all ages. If the power is cut just here, and the segment table is lost as well before the bucket
// is opened again, repair may bring back a key that was removed.)
void Store::give_back_retired(std::vector<space::RetiredRange> free) {
  const auto victim_at = [this](std::uint64_t paddr) {
    return std::ranges::find(victims_, paddr, [](const Victim& victim) { return victim.segment.link.paddr; });
  };
  const auto age = [&](const space::RetiredRange& entry) {
    const auto victim = victim_at(entry.range.paddr);
    return victim == victims_.end() ? 0 : victim->segment.base_seqno;
  };
  std::ranges::sort(free, {}, age);
  bool stuck = false;
  for (const auto& entry : free) {
    stuck = stuck || !wipe_segment(entry.range);
    if (stuck) {
      retired_.push_back(entry);  // For the next time.
      continue;
    }
    if (const auto victim = victim_at(entry.range.paddr); victim != victims_.end()) {
      const std::scoped_lock lock(write_mutex_);
      segments_.remove(entry.range.paddr);
      victims_.erase(victim);
    }
    free_space_.give_back(entry.range);
  }
}

// Nothing leads to the outputs of a compaction that failed.
void Store::give_back_outputs(const Relocation& relocation) {
  const std::scoped_lock lock(write_mutex_);
  for (const auto& output : relocation.outputs) segments_.remove(output.link.paddr);
}

void Store::wipe_stale_segments() {
  if (!retired_are_known_) {
    bool all = true;
    for (const auto& entry : retired_) {
      auto header = log::header_at(*file_, head_.superblock.uuid, entry.range.paddr);
      if (!header) all = false;
      if (!header || !*header) continue;
      victims_.push_back({.segment = {.link = (*header)->link,
                                      .size_bytes = (*header)->size_bytes,
                                      .kind = (*header)->kind,
                                      .base_seqno = (*header)->base_seqno},
                          .epoch = entry.epoch});
    }
    retired_are_known_ = all;
  }
  if (!look_for_stale_segments_) return;
  std::vector<space::PageRange> places = reserve_.pieces();
  const auto free = free_space_.free_ranges();
  places.insert(places.end(), free.begin(), free.end());
  for (const auto& range : places) {
    auto found = log::find_headers(*file_, head_.superblock.uuid, range);
    // It is tried again at the next checkpoint; as long as it fails, all removals are kept.
    if (!found) return;
    for (const std::uint64_t paddr : *found) {
      // The log may have taken the place meanwhile.
      const std::scoped_lock lock(write_mutex_);
      if (segments_.find(paddr) != nullptr) continue;
      if (!log::wipe_header(*file_, paddr)) return;
    }
  }
  const std::scoped_lock lock(write_mutex_);
  look_for_stale_segments_ = false;
  journal_->look_for_stale_headers(false);
}

bool Store::may_have_stale_segments() const {
  const std::scoped_lock lock(write_mutex_);
  return !retired_are_known_ || look_for_stale_segments_ || stale_segments_left_ || journal_->has_left_stale_headers();
}

}  // namespace kvb::store
