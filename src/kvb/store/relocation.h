#pragma once
// Where compaction has copied records to: asked by the merge that writes the slots.

#include <kvb/bucket.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kvb/log/segment_table.h"
#include "kvb/os/large_memory.h"
#include "kvb/space/dictionary_run.h"
#include "kvb/space/free_space.h"
#include "kvb/store/older_records.h"

namespace kvb::store {

struct Relocation {
  static constexpr std::uint64_t kDropped = 0;  // The record has expired: its slot goes.

  struct Move {
    std::uint64_t from;
    std::uint64_t to = kDropped;  // The new place.
  };

  std::vector<log::SegmentState> victims;  // By place. The image names them no more.
  std::vector<log::SegmentState> outputs;  // The segments that took the records.
  os::LargeVector<Move> moves;             // One for each slot that points into a victim, in the order of the slots.
  std::vector<std::string> dropped_keys;   // Of the expired records, sorted.
  std::uint64_t dropped_bytes = 0;
  std::shared_ptr<const OlderRecords> older;  // If somebody has looked for them.
  bool rewrite_keys = false;  // The key table too is to be written anew, nearer to the file's beginning.
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;

  // Of compression (compression.cpp): moved values are compressed anew if that makes them shorter.
  enum class Train : std::uint8_t { no, if_it_pays, if_it_is_better } train = Train::no;
  bool only_with_dictionary = false;  // Nothing is moved if none was trained.
  TrainReport trained;
  std::vector<space::StoredDictionary> dictionaries;  // As the new image will name them, the newest last.
  std::uint64_t saved_live_bytes = 0;                 // How much shorter moved records are that slots point at.

  // The bit of a dictionary in a segment's entry.
  [[nodiscard]] std::uint8_t dictionary_bit(std::uint16_t id) const noexcept {
    const auto found = std::ranges::find(dictionaries, id, &space::StoredDictionary::id);
    return found != dictionaries.end() ? found->bit() : std::uint8_t{0};
  }

  [[nodiscard]] bool is_victim(std::uint64_t paddr) const noexcept {
    auto found = std::ranges::upper_bound(victims, paddr, {}, [](const auto& s) { return s.link.paddr; });
    return found != victims.begin() && paddr < std::prev(found)->link.paddr + std::prev(found)->size_bytes;
  }
};

}  // namespace kvb::store
