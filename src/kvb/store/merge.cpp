// The new image: base and frozen delta, merged into new pages.
//
// What the delta changes has been found out before (survey.cpp). Base and changes are read in the order of the hashes,
// page by page, so memory does not grow with the bucket. The key table is written anew only if keys came or went.
//
// Records whose header is right and whose key or value is not (they were found damaged when the log was replayed) keep
// their slot, so that a lookup of that hash answers `damaged` and never misses silently. If even the key is not to be
// believed it cannot be in the key table: such slots are counted (unnamed_slots).

#include <algorithm>

#include "kvb/format/hash.h"
#include "kvb/os/mapped_read.h"
#include "kvb/os/probes.h"
#include "kvb/os/system_error.h"
#include "kvb/store/changes.h"
#include "kvb/store/relocation.h"
#include "kvb/store/store.h"

namespace kvb::store {
struct Store::Merge {
  Store& store;
  const ReadState& state;
  std::vector<space::PageRange>& taken;
  std::uint64_t epoch;
  const Relocation& relocation;

  const Changes& changes;
  std::size_t next_move = 0;

  [[nodiscard]] space::PageRunWriter new_run() { return store.new_page_run(epoch, taken); }

  // Writes a slot, at the place where its record is now.
  Result<void> emit(index::HashIndexWriter& writer, index::Slot slot) {
    if (relocation.is_victim(slot.paddr)) {
      if (next_move == relocation.moves.size() || relocation.moves[next_move].from != slot.paddr) {
        return os::failure(ErrorCode::damaged, "A record that is in use was not moved. Everything is as it was.",
                           store.path_, slot.paddr);
      }
      slot.paddr = relocation.moves[next_move++].to;
      if (slot.paddr == Relocation::kDropped) return {};
    }
    return writer.add(slot);
  }

  Result<void> merge_hashes(format::Superblock& superblock);
  Result<void> merge_keys(format::Superblock& superblock, bool& rewritten);
};

space::PageRunWriter Store::new_page_run(std::uint64_t epoch, std::vector<space::PageRange>& taken) {
  return space::PageRunWriter(
      *file_, head_.superblock.uuid, epoch,
      [this, &taken](std::uint64_t pages) -> Result<std::uint64_t> {
        auto range = reserve_.take(pages * format::kPageBytes, space::Reserve::Use::image);
        if (!range) return std::unexpected(range.error());
        taken.push_back(*range);
        counters_.index_bytes_written.fetch_add(range->bytes(), std::memory_order_relaxed);
        return range->paddr;
      },
      [this, &taken] { return pace(taken.back().paddr, taken.back().bytes()); });
}

Result<void> Store::Merge::merge_hashes(format::Superblock& superblock) {
  auto run = new_run();
  const std::uint64_t slots = static_cast<std::uint64_t>(std::max<std::int64_t>(changes.keys, 0));
  KVB_PROBE1(rehash_start, slots);
  index::HashIndexWriter writer(run, slots);
  auto written = for_each_slot(*state.base, changes.list, [&](const index::Slot& slot) { return emit(writer, slot); });
  if (!written) return written;
  superblock.hash_directory = {};
  superblock.hash_pages = 0;
  if (writer.slots() == 0) return {};
  if (auto finished = writer.finish(); !finished) return finished;
  auto root = run.finish();
  if (!root) return std::unexpected(root.error());
  KVB_PROBE2(rehash_stop, writer.slots(), writer.pages());
  superblock.hash_directory = *root;
  superblock.hash_pages = writer.pages();
  return {};
}

Result<void> Store::Merge::merge_keys(format::Superblock& superblock, bool& rewritten) {
  rewritten = !relocation.dropped_keys.empty() || relocation.rewrite_keys ||
              std::ranges::any_of(changes.list, [](const Change& change) {
                return change.comes_into_key_table() || change.leaves_key_table();
              });
  if (!rewritten) return {};
  const auto key_of = [this](const index::KeyNode& node) { return store.key_of(node); };
  const auto prefetch = [this](const index::KeyNode& node) { store.prefetch_record(node); };
  index::KeyOrder coming(key_of, prefetch);
  index::KeyOrder going(key_of, prefetch);
  for (const Change& change : changes.list) {
    if (change.comes_into_key_table()) coming.add(const_cast<index::KeyNode*>(change.node));
    if (change.leaves_key_table()) going.add(const_cast<index::KeyNode*>(change.node));
  }

  // Keys are read in mappings anywhere in the file.
  const os::MappedGuard guard(nullptr, os::kAnywhere);
  const auto coming_view = coming.view();
  const auto going_view = going.view();
  index::KeyOrder::Cursor add(coming, coming_view, {}, false, false);
  index::KeyOrder::Cursor drop(going, going_view, {}, false, false);
  index::KeyTable::Cursor old(state.base->keys());
  if (auto found = old.seek_first(); !found) return found;
  auto run = new_run();
  index::KeyTableWriter writer(run);
  std::string last;
  auto expired = relocation.dropped_keys.begin();
  while (!old.at_end() || add.node() != nullptr) {
    const bool take_old = !old.at_end() && (add.node() == nullptr || old.key() <= add.key());
    const bool take_new = add.node() != nullptr && (old.at_end() || add.key() <= old.key());
    const std::string_view key = take_old ? old.key() : add.key();
    while (drop.node() != nullptr && drop.key() < key) drop.next();
    while (expired != relocation.dropped_keys.end() && *expired < key) ++expired;
    const bool dropped = (take_old && !take_new && drop.node() != nullptr && drop.key() == key) ||
                         (expired != relocation.dropped_keys.end() && *expired == key);
    // Keys that come twice, or out of order, are those of a file that somebody has tampered with.
    if (!dropped && (writer.keys() == 0 || last < key)) {
      if (auto added = writer.add(key); !added) return added;
      last = key;
    }
    if (take_new) add.next();
    if (take_old) {
      if (auto moved = old.next(); !moved) return moved;
    }
  }
  if (guard.verdict() != os::MappedGuard::Verdict::good) {
    return os::failure(ErrorCode::io_error,
                       "Some keys could not be read from the disk while the index was written anew. The index is as it "
                       "was; nothing is lost.",
                       store.path_);
  }
  superblock.key_table = {};
  if (writer.keys() == 0) return {};
  if (auto finished = writer.finish(); !finished) return finished;
  auto root = run.finish();
  if (!root) return std::unexpected(root.error());
  superblock.key_table = *root;
  return {};
}

bool Store::is_key_right(std::string_view key, const index::Version& version, std::uint64_t hash) const {
  if (key.size() + format::kRecordOverheadBytes > version.record_bytes || key.empty()) return false;
  bool right = false;
  auto read = os::guarded(path_, version.paddr, reinterpret_cast<const std::byte*>(key.data()), key.size(),
                          [&] { right = format::hash_key(key, head_.superblock.hash_seed) == hash; });
  return read && right;
}

Result<void> Store::write_image(const ReadState& state, const Changes& changes, format::Superblock& superblock,
                                const Relocation& relocation, std::vector<space::PageRange>& taken,
                                std::vector<space::RetiredRange>& retired) {
  Merge merge{.store = *this,
              .state = state,
              .taken = taken,
              .epoch = superblock.epoch,
              .relocation = relocation,
              .changes = changes};
  if (auto done = merge.merge_hashes(superblock); !done) return done;
  bool keys_rewritten = false;
  if (auto done = merge.merge_keys(superblock, keys_rewritten); !done) return done;

  std::vector<log::SegmentState> segments = changes.segments;
  std::erase_if(segments, [&](const auto& s) { return relocation.is_victim(s.link.paddr); });
  segments.insert(segments.end(), relocation.outputs.begin(), relocation.outputs.end());
  std::ranges::sort(segments, {}, [](const auto& s) { return s.link.paddr; });
  for (const auto& victim : relocation.victims) {
    retired.push_back({.range = space::range_of(victim.link.paddr, victim.size_bytes), .epoch = superblock.epoch});
  }
  auto segment_run = merge.new_run();
  if (auto done = log::write_segments(segment_run, segments); !done) return done;
  auto segment_root = segment_run.finish();
  if (!segment_root) return std::unexpected(segment_root.error());

  if (!relocation.trained.adopted) {
    auto dropped = drop_dictionaries(*state.base, segments, superblock, taken);
    if (!dropped) return dropped;
  }

  // What only the image before this one used.
  const auto ranges = state.base->ranges();
  const auto retire = [&](const std::vector<space::PageRange>& part) {
    for (const auto& range : part) retired.push_back({.range = range, .epoch = superblock.epoch});
  };
  retire(ranges.hashes);
  if (keys_rewritten) retire(ranges.keys);
  retire(ranges.tables);
  if (superblock.dictionaries != state.base->superblock().dictionaries) retire(ranges.dictionaries);
  auto retired_run = merge.new_run();
  if (auto done = space::write_retired(retired_run, retired); !done) return done;
  auto retired_root = retired_run.finish();
  if (!retired_root) return std::unexpected(retired_root.error());

  auto file_bytes = file_->size();
  superblock.segment_table = *segment_root;
  superblock.retired = *retired_root;
  superblock.flags &= ~format::kFlagJournalMoved;
  superblock.features_incompatible |= format::kFeatureImage;
  superblock.file_bytes = file_bytes ? *file_bytes : 0;
  superblock.commit_seqno = cut_.next_seqno - 1;
  superblock.commit_paddr = cut_.segment.paddr + cut_.offset;
  superblock.journal = {.segment = cut_.segment, .offset = cut_.offset, .seqno = cut_.next_seqno};
  const auto not_negative = [](std::int64_t number) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(number, 0));
  };
  const auto dropped = static_cast<std::int64_t>(relocation.dropped_keys.size());
  superblock.counters = {
      .keys = not_negative(changes.keys - dropped),
      .live_bytes = not_negative(changes.live_bytes -
                                 static_cast<std::int64_t>(relocation.dropped_bytes + relocation.saved_live_bytes)),
      .segments = segments.size(),
      .next_segment_id = cut_next_segment_id_};
  superblock.unnamed_slots = not_negative(changes.unnamed);
  superblock.nothing_expires_in = changes.nothing_expires ? superblock.hash_directory.paddr : 0;
  superblock.newest_wall_ns = believed_newest_wall_ns();
  return {};
}

}  // namespace kvb::store
