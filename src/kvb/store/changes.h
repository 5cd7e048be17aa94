#pragma once
// What a frozen delta changes of the base, found out before anything is written: which of the base's slots each of its
// keys takes the place of, and what is alive in each segment after that.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "kvb/index/base.h"
#include "kvb/index/delta.h"
#include "kvb/os/large_memory.h"

namespace kvb::store {

// One key of the delta.
struct Change {
  std::uint64_t hash = 0;
  const index::KeyNode* node = nullptr;
  const index::Version* version = nullptr;  // The newest one.
  std::uint64_t replaced = 0;               // Place of the record whose slot goes; 0: the key had none.
  std::uint64_t replaced_bytes : 48 = 0;
  std::uint64_t named : 1 = 1;                // Its key can be believed.
  std::uint64_t replaced_is_unnamed : 1 = 0;  // The slot that goes is one of a key that cannot.

  // The key has a slot afterwards. (Of a damaged record nobody knows what it was: it keeps one.)
  [[nodiscard]] bool stays() const noexcept { return !version->is_delete() || version->is_damaged(); }
  [[nodiscard]] bool comes_into_key_table() const noexcept {
    return stays() && named != 0 && (replaced == 0 || replaced_is_unnamed != 0);
  }
  [[nodiscard]] bool leaves_key_table() const noexcept { return !stays() && replaced != 0; }
};

struct Changes {
  os::LargeVector<Change> list;  // In the order of the hashes.
  // As they are after the changes:
  std::int64_t keys = 0;
  std::int64_t unnamed = 0;
  std::int64_t live_bytes = 0;
  std::vector<log::SegmentState> segments;  // By place; their live bytes are exact.
  bool nothing_expires = false;             // No record that a slot leads to has a time to live.
  std::uint64_t replaced_keys = 0;          // How many of the list had a slot before.
};

// Calls `visit` with each slot that base and changes leave, in the order of the hashes. The same every time.
template <typename Visit>
[[nodiscard]] Result<void> for_each_slot(const index::Base& base, std::span<const Change> changes, Visit&& visit) {
  std::vector<std::uint64_t> gone;
  std::size_t next = 0;
  // All slots and all changes of one hash.
  const auto group = [&](std::span<const index::Slot> slots, std::uint64_t hash) -> Result<void> {
    const std::size_t first = next;
    while (next < changes.size() && changes[next].hash == hash) ++next;
    const auto changed = changes.subspan(first, next - first);
    gone.clear();
    for (const Change& change : changed) gone.push_back(change.replaced);
    if (gone.size() > 4) std::ranges::sort(gone);
    for (const index::Slot& slot : slots) {
      const bool is_gone = gone.size() > 4 ? std::ranges::binary_search(gone, slot.paddr)
                                           : std::ranges::find(gone, slot.paddr) != gone.end();
      if (is_gone) continue;
      if (auto visited = visit(slot); !visited) return visited;
    }
    for (const Change& change : changed) {
      if (!change.stays()) continue;
      if (auto visited = visit(index::Slot{.hash = hash, .paddr = change.version->paddr}); !visited) return visited;
    }
    return {};
  };
  const std::uint64_t pages = base.empty() ? 0 : base.hashes().pages();
  for (std::uint64_t page = 0; page < pages; ++page) {
    auto slots = base.hashes().slots_of_page(page);
    if (!slots) return std::unexpected(slots.error());
    for (std::size_t i = 0; i < slots->size();) {
      const std::uint64_t hash = (*slots)[i].hash;
      while (next < changes.size() && changes[next].hash < hash) {
        if (auto done = group({}, changes[next].hash); !done) return done;
      }
      if (next == changes.size() || changes[next].hash > hash) {
        if (auto visited = visit((*slots)[i]); !visited) return visited;
        ++i;
        continue;
      }
      std::size_t end = i + 1;
      while (end < slots->size() && (*slots)[end].hash == hash) ++end;
      if (auto done = group(std::span(*slots).subspan(i, end - i), hash); !done) return done;
      i = end;
    }
  }
  while (next < changes.size()) {
    if (auto done = group({}, changes[next].hash); !done) return done;
  }
  return {};
}

}  // namespace kvb::store
