// The new image: base and frozen delta, merged into new pages.
//
// Both are read in the order of the hashes, page by page, so memory does not grow with the bucket. For each key of the
// delta the base's slots of its hash are compared by key (different keys may share a hash), which also tells whether
// the key is new, replaced or gone, and by how much the segments' live bytes change. The key table is written anew only
// if keys came or went.
//
// Records whose header is right and whose key or value is not (they were found damaged when the log was replayed) keep
// their slot, so that a lookup of that hash answers `damaged` and never misses silently. If even the key is not to be
// believed it cannot be in the key table: such slots are counted (unnamed_slots).

#include <algorithm>

#include "kvb/format/hash.h"
#include "kvb/os/mapped_read.h"
#include "kvb/os/system_error.h"
#include "kvb/store/relocation.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

constexpr std::size_t kEverywhere = SIZE_MAX;

struct Change {
  std::uint64_t hash;
  const index::KeyNode* node;
};

}  // namespace

struct Store::Merge {
  Store& store;
  const ReadState& state;
  std::vector<space::PageRange>& taken;
  std::uint64_t epoch;
  const Relocation& relocation;

  std::int64_t keys = 0;
  std::int64_t unnamed = 0;
  std::int64_t live_bytes = 0;
  std::vector<const index::KeyNode*> inserted, removed;  // Keys that come into the key table, and that leave it.
  std::vector<log::SegmentState> segments;               // By place.

  [[nodiscard]] space::PageRunWriter new_run() {
    return space::PageRunWriter(
        *store.file_, store.head_.superblock.uuid, epoch,
        [this](std::uint64_t pages) -> Result<std::uint64_t> {
          taken.push_back(store.free_space_.take(pages * format::kPageBytes));
          return taken.back().paddr;
        },
        // R10: little unsubmitted data, so that no durable write waits long behind ours.
        [this] { return store.sync_file(os::SyncKind::data); });
  }

  void add_live(std::uint64_t paddr, std::int64_t bytes) {
    live_bytes += bytes;
    auto found = std::ranges::upper_bound(segments, paddr, {}, [](const auto& s) { return s.link.paddr; });
    if (found == segments.begin()) return;
    --found;
    if (paddr >= found->link.paddr + found->size_bytes) return;
    const auto live = static_cast<std::int64_t>(found->live_bytes) + bytes;
    found->live_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(live, 0));
  }

  // Writes a slot, at the place where its record is now.
  Result<void> emit(index::HashIndexWriter& writer, index::Slot slot) {
    if (relocation.is_victim(slot.paddr)) {
      const auto* const move = relocation.find(slot.paddr);
      if (move == nullptr) {
        return os::failure(ErrorCode::damaged, "A record that is in use was not moved. Everything is as it was.",
                           store.path_, slot.paddr);
      }
      const auto old = store.version_at(slot.paddr, slot.hash);
      if (!old) return std::unexpected(old.error());
      add_live(slot.paddr, -static_cast<std::int64_t>(old->record_bytes));
      if (move->to == Relocation::kDropped) {
        --keys;
        return {};
      }
      slot.paddr = move->to;
      add_live(slot.paddr, static_cast<std::int64_t>(old->record_bytes));
    }
    return writer.add(slot);
  }

  Result<void> merge_hashes(format::Superblock& superblock);
  Result<void> merge_group(std::span<const index::Slot> slots, std::span<const Change> changes,
                           index::HashIndexWriter& writer);
  Result<void> merge_keys(format::Superblock& superblock, bool& rewritten);
};

// All slots and all changed keys of one hash.
Result<void> Store::Merge::merge_group(std::span<const index::Slot> slots, std::span<const Change> changes,
                                       index::HashIndexWriter& writer) {
  std::vector<bool> gone(slots.size());
  for (const Change& change : changes) {
    const index::Version& version = *change.node->newest.load(std::memory_order_acquire);
    const std::string_view key = store.key_of(*change.node);
    const bool named = !version.is_damaged() || store.is_key_right(key, version, change.hash);
    std::uint64_t replaced_bytes = 0;
    bool replaced = false;
    bool replaced_is_unnamed = false;
    for (std::size_t i = 0; i < slots.size() && !replaced; ++i) {
      if (gone[i]) continue;
      auto old = store.version_at(slots[i].paddr, change.hash);
      Result<bool> same = false;
      if (!named) {
        same = true;  // A damaged record is taken for the one of its hash.
      } else if (old) {
        auto place = store.place_of(*old);
        same = place ? store.holds_key(*old, key, *place) : Result<bool>(std::unexpected(place.error()));
      } else {
        same = std::unexpected(old.error());
      }
      if (!same) {
        if (same.error().code != ErrorCode::damaged) return std::unexpected(same.error());
        same = true;  // What cannot be compared any more has been replaced by this one, as far as can be told.
        replaced_is_unnamed = true;
      }
      if (!*same) continue;
      gone[i] = true;
      replaced = true;
      if (old) replaced_bytes = old->record_bytes;
      add_live(slots[i].paddr, -static_cast<std::int64_t>(replaced_bytes));
    }
    change.node->below.store(replaced ? std::max<std::uint64_t>(replaced_bytes, 1) : 0, std::memory_order_relaxed);
    keys -= replaced ? 1 : 0;
    if (replaced_is_unnamed && unnamed > 0) --unnamed;
    const bool stays = !version.is_delete() || version.is_damaged();
    if (stays) {
      ++keys;
      add_live(version.paddr, static_cast<std::int64_t>(version.record_bytes));
      if (!named) ++unnamed;
      if (named && (!replaced || replaced_is_unnamed)) inserted.push_back(change.node);
    } else if (replaced) {
      removed.push_back(change.node);
    }
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (gone[i]) continue;
    if (auto added = emit(writer, slots[i]); !added) return added;
  }
  for (const Change& change : changes) {
    const index::Version& version = *change.node->newest.load(std::memory_order_acquire);
    if (version.is_delete() && !version.is_damaged()) continue;
    if (auto added = emit(writer, {.hash = change.hash, .paddr = version.paddr}); !added) return added;
  }
  return {};
}

Result<void> Store::Merge::merge_hashes(format::Superblock& superblock) {
  std::vector<Change> changes;
  changes.reserve(state.frozen->delta.nodes());
  state.frozen->delta.for_each([&](const index::KeyNode& node) { changes.push_back({node.hash, &node}); });
  std::ranges::sort(changes, {}, &Change::hash);

  auto run = new_run();
  const index::Base& base = *state.base;
  index::HashIndexWriter writer(run, base.superblock().counters.keys + changes.size());
  std::size_t next = 0;
  const auto changes_of = [&](std::uint64_t hash) {
    const std::size_t first = next;
    while (next < changes.size() && changes[next].hash == hash) ++next;
    return std::span(changes).subspan(first, next - first);
  };
  const auto changes_before = [&](std::uint64_t hash) -> Result<void> {
    while (next < changes.size() && changes[next].hash < hash) {
      if (auto done = merge_group({}, changes_of(changes[next].hash), writer); !done) return done;
    }
    return {};
  };
  const std::uint64_t base_pages = base.empty() ? 0 : base.hashes().pages();
  for (std::uint64_t page = 0; page < base_pages; ++page) {
    auto slots = base.hashes().slots_of_page(page);
    if (!slots) return std::unexpected(slots.error());
    for (std::size_t i = 0; i < slots->size();) {
      const std::uint64_t hash = (*slots)[i].hash;
      std::size_t end = i + 1;
      while (end < slots->size() && (*slots)[end].hash == hash) ++end;
      if (auto done = changes_before(hash); !done) return done;
      if (next < changes.size() && changes[next].hash == hash) {
        auto done = merge_group(std::span(*slots).subspan(i, end - i), changes_of(hash), writer);
        if (!done) return done;
      } else {
        for (std::size_t k = i; k < end; ++k) {
          if (auto added = emit(writer, (*slots)[k]); !added) return added;
        }
      }
      i = end;
    }
  }
  while (next < changes.size()) {
    if (auto done = merge_group({}, changes_of(changes[next].hash), writer); !done) return done;
  }
  superblock.hash_directory = {};
  superblock.hash_pages = 0;
  if (writer.slots() == 0) return {};
  if (auto finished = writer.finish(); !finished) return finished;
  auto root = run.finish();
  if (!root) return std::unexpected(root.error());
  superblock.hash_directory = *root;
  superblock.hash_pages = writer.pages();
  return {};
}

Result<void> Store::Merge::merge_keys(format::Superblock& superblock, bool& rewritten) {
  rewritten = !inserted.empty() || !removed.empty() || !relocation.dropped_keys.empty() || relocation.rewrite_keys;
  if (!rewritten) return {};
  const auto key_of = [this](const index::KeyNode& node) { return store.key_of(node); };
  index::KeyOrder coming(key_of);
  index::KeyOrder going(key_of);
  for (const auto* node : inserted) coming.add(const_cast<index::KeyNode*>(node));
  for (const auto* node : removed) going.add(const_cast<index::KeyNode*>(node));

  // Keys are read in mappings anywhere in the file.
  const os::MappedGuard guard(nullptr, kEverywhere);
  const auto coming_view = coming.view();
  const auto going_view = going.view();
  index::KeyOrder::Cursor add(coming, coming_view, {}, false, false);
  index::KeyOrder::Cursor drop(going, going_view, {}, false, false);
  index::KeyTable::Cursor old(state.base->keys());
  if (auto found = old.seek_first(); !found) return found;
  auto run = new_run();
  index::KeyTableWriter writer(run);
  std::string last;
  while (!old.at_end() || add.node() != nullptr) {
    const bool take_old = !old.at_end() && (add.node() == nullptr || old.key() <= add.key());
    const bool take_new = add.node() != nullptr && (old.at_end() || add.key() <= old.key());
    const std::string_view key = take_old ? old.key() : add.key();
    while (drop.node() != nullptr && drop.key() < key) drop.next();
    const bool dropped = (take_old && !take_new && drop.node() != nullptr && drop.key() == key) ||
                         std::ranges::binary_search(relocation.dropped_keys, key);
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

Result<void> Store::write_image(const ReadState& state, format::Superblock& superblock, const Relocation& relocation,
                                std::vector<space::PageRange>& taken, std::vector<space::RetiredRange>& retired) {
  const auto& before = state.base->superblock();
  Merge merge{.store = *this,
              .state = state,
              .taken = taken,
              .epoch = superblock.epoch,
              .relocation = relocation,
              .keys = static_cast<std::int64_t>(before.counters.keys),
              .unnamed = static_cast<std::int64_t>(before.unnamed_slots),
              .live_bytes = static_cast<std::int64_t>(before.counters.live_bytes),
              .inserted = {},
              .removed = {},
              .segments = cut_segments_};
  merge.segments.insert(merge.segments.end(), relocation.outputs.begin(), relocation.outputs.end());
  std::ranges::sort(merge.segments, {}, [](const auto& s) { return s.link.paddr; });
  if (auto done = merge.merge_hashes(superblock); !done) return done;
  bool keys_rewritten = false;
  if (auto done = merge.merge_keys(superblock, keys_rewritten); !done) return done;

  std::erase_if(merge.segments, [&](const auto& s) { return relocation.is_victim(s.link.paddr); });
  for (const auto& victim : relocation.victims) {
    retired.push_back({.range = space::range_of(victim.link.paddr, victim.size_bytes), .epoch = superblock.epoch});
  }
  auto segment_run = merge.new_run();
  if (auto done = log::write_segments(segment_run, merge.segments); !done) return done;
  auto segment_root = segment_run.finish();
  if (!segment_root) return std::unexpected(segment_root.error());

  // What only the image before this one used.
  const auto ranges = state.base->ranges();
  const auto retire = [&](const std::vector<space::PageRange>& part) {
    for (const auto& range : part) retired.push_back({.range = range, .epoch = superblock.epoch});
  };
  retire(ranges.hashes);
  if (keys_rewritten) retire(ranges.keys);
  retire(ranges.tables);
  auto retired_run = merge.new_run();
  if (auto done = space::write_retired(retired_run, retired); !done) return done;
  auto retired_root = retired_run.finish();
  if (!retired_root) return std::unexpected(retired_root.error());

  auto file_bytes = file_->size();
  superblock.segment_table = *segment_root;
  superblock.retiring = {*retired_root, format::Root{}};
  superblock.flags &= ~format::kFlagJournalMoved;
  superblock.features_incompatible |= format::kFeatureImage;
  superblock.file_bytes = file_bytes ? *file_bytes : 0;
  superblock.commit_seqno = cut_.next_seqno - 1;
  superblock.commit_paddr = cut_.segment.paddr + cut_.offset;
  superblock.journal = {.segment = cut_.segment, .offset = cut_.offset, .seqno = cut_.next_seqno};
  superblock.counters = {.keys = static_cast<std::uint64_t>(std::max<std::int64_t>(merge.keys, 0)),
                         .live_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(merge.live_bytes, 0)),
                         .segments = merge.segments.size(),
                         .next_segment_id = cut_next_segment_id_};
  superblock.unnamed_slots = static_cast<std::uint64_t>(std::max<std::int64_t>(merge.unnamed, 0));
  superblock.newest_wall_ns = newest_wall_ns_.load(std::memory_order_relaxed);
  return {};
}

}  // namespace kvb::store
