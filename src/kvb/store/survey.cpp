// Finds out what the frozen delta changes of the base (changes.h).
//
// Keys of equal hash are compared, by their records: those of the delta and those of the base lie anywhere in the file,
// so each comparison would wait for memory twice. The base's pages are therefore walked one page ahead: what will be
// compared is asked for while what was asked for before is compared.
//
// The common case, one key and one slot of a hash, is decided here at once; everything else, records that cannot be
// believed among it, by resolve_group, one careful step after another.

#include <algorithm>
#include <array>
#include <bit>

#include "kvb/os/mapped_read.h"
#include "kvb/os/system_error.h"
#include "kvb/store/changes.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

// Hashes are spread evenly: most of the order comes from one pass that deals them out by their upper bits.
void sort_by_hash(os::LargeVector<Change>& changes) {
  constexpr std::size_t kWorthIt = 256;
  if (changes.size() >= kWorthIt) {
    const int shift = 64 - static_cast<int>(std::bit_width(changes.size()) - 3);
    os::LargeVector<std::uint32_t> begin((std::size_t{1} << (64 - shift)) + 1);
    for (const Change& change : changes) ++begin[(change.hash >> shift) + 1];
    for (std::size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
    os::LargeVector<Change> dealt(changes.size());
    for (const Change& change : changes) dealt[begin[change.hash >> shift]++] = change;
    // Every begin stands at its end now.
    std::uint32_t from = 0;
    for (std::size_t i = 0; i + 1 < begin.size(); ++i) {
      std::ranges::sort(dealt.begin() + from, dealt.begin() + begin[i], {}, &Change::hash);
      from = begin[i];
    }
    changes = std::move(dealt);
  } else {
    std::ranges::sort(changes, {}, &Change::hash);
  }
}

void add_live(std::vector<log::SegmentState>& segments, std::uint64_t paddr, std::int64_t bytes) {
  auto found = std::ranges::upper_bound(segments, paddr, {}, [](const auto& s) { return s.link.paddr; });
  if (found == segments.begin()) return;
  --found;
  if (paddr >= found->link.paddr + found->size_bytes) return;
  const auto live = static_cast<std::int64_t>(found->live_bytes) + bytes;
  found->live_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(live, 0));
}

// The slots of one page of the base, and the changes that belong to it.
struct PageWork {
  std::vector<index::Slot> slots;
  std::size_t first = 0;  // Of the changes.
  std::size_t end = 0;
};

}  // namespace

// All slots and all changed keys of one hash.
Result<void> Store::resolve_group(std::span<const index::Slot> slots, std::span<Change> changes) const {
  std::vector<bool> gone(slots.size());
  for (Change& change : changes) {
    const index::Version& version = *change.version;
    const std::string_view key = key_of(*change.node);
    const bool named = !version.is_damaged() || is_key_right(key, version, change.hash);
    change.named = named ? 1 : 0;
    for (std::size_t i = 0; i < slots.size() && change.replaced == 0; ++i) {
      if (gone[i]) continue;
      auto old = version_at(slots[i].paddr, change.hash);
      Result<bool> same = false;
      if (!named) {
        same = true;  // A damaged record is taken for the one of its hash.
      } else if (old) {
        auto place = place_of(*old);
        same = place ? holds_key(*old, key, *place) : Result<bool>(std::unexpected(place.error()));
      } else {
        same = std::unexpected(old.error());
      }
      if (!same) {
        if (same.error().code != ErrorCode::damaged) return std::unexpected(same.error());
        same = true;  // What cannot be compared any more has been replaced by this one, as far as can be told.
        change.replaced_is_unnamed = 1;
      }
      if (!*same) continue;
      gone[i] = true;
      change.replaced = slots[i].paddr;
      change.replaced_bytes = old ? old->record_bytes : 0;
    }
  }
  return {};
}

Result<Changes> Store::survey(const ReadState& state) {
  const auto& before = state.base->superblock();
  Changes changes{.list = {},
                  .keys = static_cast<std::int64_t>(before.counters.keys),
                  .unnamed = static_cast<std::int64_t>(before.unnamed_slots),
                  .live_bytes = static_cast<std::int64_t>(before.counters.live_bytes),
                  .segments = cut_segments_};
  auto& list = changes.list;
  list.reserve(state.frozen->delta.nodes());
  state.frozen->delta.for_each([&](const index::KeyNode& node) {
    list.push_back({.hash = node.hash, .node = &node, .version = node.newest.load(std::memory_order_acquire)});
  });
  sort_by_hash(list);

  // Keys and records are read in mappings anywhere in the file.
  const os::MappedGuard guard(nullptr, os::kAnywhere);
  const index::Base& base = *state.base;
  const std::uint64_t pages = base.empty() ? 0 : base.hashes().pages();
  std::array<PageWork, 2> works;
  std::size_t begun = 0;
  // Takes the next page that has changes, and asks for what will be compared.
  const auto begin_page = [&](PageWork& work) -> Result<void> {
    work.first = work.end = begun;
    work.slots.clear();
    if (begun == list.size()) return {};
    const std::uint64_t page = pages != 0 ? index::hash_page(list[begun].hash, pages) : 0;
    while (begun < list.size() && (pages == 0 || index::hash_page(list[begun].hash, pages) == page)) ++begun;
    work.end = begun;
    if (pages == 0) return {};
    auto slots = base.hashes().slots_of_page(page);
    if (!slots) return std::unexpected(slots.error());
    work.slots = std::move(*slots);
    std::size_t slot = 0;
    for (std::size_t i = work.first; i < work.end; ++i) {
      while (slot < work.slots.size() && work.slots[slot].hash < list[i].hash) ++slot;
      if (slot == work.slots.size()) break;
      if (work.slots[slot].hash != list[i].hash) continue;
      prefetch_record(work.slots[slot].paddr);
      prefetch_record(list[i].version->paddr);
    }
    return {};
  };
  const auto finish_page = [&](const PageWork& work) -> Result<void> {
    std::size_t slot = 0;
    for (std::size_t i = work.first; i < work.end;) {
      const std::uint64_t hash = list[i].hash;
      std::size_t end = i + 1;
      while (end < work.end && list[end].hash == hash) ++end;
      while (slot < work.slots.size() && work.slots[slot].hash < hash) ++slot;
      std::size_t slots_end = slot;
      while (slots_end < work.slots.size() && work.slots[slots_end].hash == hash) ++slots_end;
      bool done = false;
      if (end == i + 1 && !list[i].version->is_damaged()) {
        if (slots_end == slot) {
          done = true;
        } else if (slots_end == slot + 1) {
          done = is_plain_replacement(work.slots[slot].paddr, list[i]);
        }
      }
      if (!done) {
        auto resolved =
            resolve_group(std::span(work.slots).subspan(slot, slots_end - slot), std::span(list).subspan(i, end - i));
        if (!resolved) return resolved;
      }
      slot = slots_end;
      i = end;
    }
    return {};
  };
  std::size_t turn = 0;
  if (auto done = begin_page(works[turn]); !done) return std::unexpected(done.error());
  while (works[turn].first < works[turn].end) {
    if (auto done = begin_page(works[1 - turn]); !done) return std::unexpected(done.error());
    if (auto done = finish_page(works[turn]); !done) return std::unexpected(done.error());
    turn = 1 - turn;
  }
  if (guard.verdict() != os::MappedGuard::Verdict::good) {
    return os::failure(ErrorCode::io_error,
                       "Some records could not be read from the disk while the index was written anew. The index is as "
                       "it was; nothing is lost.",
                       path_);
  }

  for (const Change& change : list) {
    const bool replaced = change.replaced != 0;
    if (replaced) {
      --changes.keys;
      ++changes.replaced_keys;
      changes.live_bytes -= static_cast<std::int64_t>(change.replaced_bytes);
      add_live(changes.segments, change.replaced, -static_cast<std::int64_t>(change.replaced_bytes));
      if (change.replaced_is_unnamed != 0 && changes.unnamed > 0) --changes.unnamed;
    }
    const std::uint64_t below = replaced ? std::max<std::uint64_t>(change.replaced_bytes, 1) : 0;
    change.node->below.store(below, std::memory_order_relaxed);
    if (!change.stays()) continue;
    ++changes.keys;
    if (change.named == 0) ++changes.unnamed;
    changes.live_bytes += static_cast<std::int64_t>(change.version->record_bytes);
    add_live(changes.segments, change.version->paddr, static_cast<std::int64_t>(change.version->record_bytes));
  }
  count_segments(changes.segments);
  const auto never = [](const Change& change) { return !change.version->expires() && !change.version->is_damaged(); };
  const auto holds_nothing_that_expires = [&](const log::SegmentState& segment) {
    return segment.link == cut_.segment ? segment.end_offset <= format::kSegmentHeaderBytes
                                        : segment.counted && segment.expiring_bytes == 0;
  };
  changes.nothing_expires = (base.nothing_expires() && std::ranges::all_of(list, never)) ||
                            std::ranges::all_of(changes.segments, holds_nothing_that_expires);
  return changes;
}

// Counts what was written since the last checkpoint, and, a part at a time, what nobody has counted before.
void Store::count_segments(std::vector<log::SegmentState>& segments) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;
  std::uint64_t read = 0;
  for (log::SegmentState& state : segments) {
    if (state.counted || state.end_offset == 0 || state.link == cut_.segment || read > kMostBytes) continue;
    read += state.end_offset;
    count_segment(state);
  }
  // What is not a segment any more needs no filter.
  std::erase_if(filters_, [&](const auto& entry) {
    const bool there = std::ranges::any_of(segments, [&](const auto& s) { return s.link.id == entry.first; }) ||
                       std::ranges::any_of(victims_, [&](const auto& v) { return v.segment.link.id == entry.first; });
    if (!there) filters_bytes_ -= entry.second.memory_bytes();
    return !there;
  });
}

// Reads the headers of a segment from the first to the last. If one of them cannot be read, it stays uncounted.
void Store::count_segment(log::SegmentState& state) {
  const log::Segment* const segment = segments_.find(state.link.paddr);
  if (segment == nullptr || !(segment->header.link == state.link)) return;
  log::SegmentState counted = state;
  counted.records = 0;
  counted.has_removes = false;
  counted.first_expiry_ns = counted.last_expiry_ns = 0;
  counted.expiring_bytes = 0;
  counted.dictionaries = 0;
  std::vector<std::uint64_t> hashes;
  // Nothing before the cut needs one that the image does not name.
  std::shared_ptr<const index::Base> base;
  {
    const std::scoped_lock lock(state_mutex_);
    base = current_->base;
  }
  const auto& dictionaries = base->dictionaries();
  const os::MappedGuard guard(nullptr, os::kAnywhere);
  for (std::uint64_t offset = format::kSegmentHeaderBytes; offset < state.end_offset;) {
    const std::byte* const at = segment->at(offset, format::kRecordHeaderBytes);
    if (at == nullptr) return;
    const auto header = format::decode_record_header(
        std::span<const std::byte, format::kRecordHeaderBytes>(at, format::kRecordHeaderBytes),
        format::record_seed(segment->life, offset));
    if (!header || header->record_bytes() > state.end_offset - offset) return;
    ++counted.records;
    hashes.push_back(header->hash);
    if (header->type == format::RecordType::remove) counted.has_removes = true;
    if (header->encoding == format::Encoding::block) {
      if (segment->at(offset, header->record_bytes()) == nullptr) return;
      const std::uint16_t id = format::dictionary_of(header->encoding, format::record_value(at, *header));
      for (const auto& one : dictionaries) counted.dictionaries |= one.id == id ? one.bit() : std::uint8_t{0};
    }
    if (header->type == format::RecordType::put && header->ttl_seconds != 0) {
      const std::int64_t expiry = header->expires_at_ns();
      if (counted.expiring_bytes == 0) counted.first_expiry_ns = expiry;
      counted.first_expiry_ns = std::min(counted.first_expiry_ns, expiry);
      counted.last_expiry_ns = std::max(counted.last_expiry_ns, expiry);
      counted.expiring_bytes += header->record_bytes();
    }
    offset += header->record_bytes();
  }
  if (guard.verdict() != os::MappedGuard::Verdict::good) return;
  counted.counted = true;
  state = counted;
  HashFilter filter(hashes.size());
  for (const std::uint64_t hash : hashes) filter.add(hash);
  keep_filter(state.link.id, std::move(filter));
}

void Store::keep_filter(std::uint64_t segment_id, HashFilter filter) {
  const std::uint64_t most = std::max<std::uint64_t>(std::uint64_t{4} << 20, idle_index_bytes_ / 8);
  if (filters_.contains(segment_id) || filters_bytes_ + filter.memory_bytes() > most) return;
  filters_bytes_ += filter.memory_bytes();
  filters_.emplace(segment_id, std::move(filter));
}

const HashFilter* Store::filter_of(const log::SegmentState& state) {
  auto found = filters_.find(state.link.id);
  if (found == filters_.end() && state.end_offset != 0 && !(state.link == cut_.segment)) {
    log::SegmentState read = state;
    count_segment(read);
    found = filters_.find(state.link.id);
  }
  return found != filters_.end() ? &found->second : nullptr;
}

// True if the record at `paddr` is right, and of the same key: then it is replaced. To be called under a guard.
bool Store::is_plain_replacement(std::uint64_t paddr, Change& change) const noexcept {
  const log::Segment* segment = segments_.find(paddr);
  if (segment == nullptr) return false;
  const std::uint64_t offset = paddr - segment->paddr();
  const std::byte* const bytes = segment->at(offset, format::kRecordHeaderBytes);
  if (bytes == nullptr) return false;
  const auto header = format::decode_record_header(
      std::span<const std::byte, format::kRecordHeaderBytes>(bytes, format::kRecordHeaderBytes),
      format::record_seed(segment->life, offset));
  if (!header || header->hash != change.hash || header->type != format::RecordType::put ||
      segment->at(offset, header->record_bytes()) == nullptr) {
    return false;
  }
  if (format::record_key(bytes, *header) != key_of(*change.node)) return false;
  change.replaced = paddr;
  change.replaced_bytes = header->record_bytes();
  return true;
}

}  // namespace kvb::store
