// Many keys at once. A single lookup waits for memory several times, one after the other: the slot of the delta's
// table, its node, the slot of the base, the record. Here each of these steps is asked for (prefetch) for a group of
// keys before the first of them is needed, so that the group waits about once a step.
//
// The steps only guess where a key's record is, from its hash. The guess is then checked as any lookup checks it, by
// the key in the record; where it is wrong (another key with this hash), the ordinary lookup answers.

#include <algorithm>
#include <array>

#include "kvb/format/hash.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

constexpr std::size_t kTogether = 64;
constexpr std::size_t kLineBytes = 64;
constexpr std::size_t kMostPrefetchedBytes = 256;

void prefetch_bytes(const std::byte* bytes, std::size_t count) noexcept {
  for (std::size_t at = 0; at < std::min(count, kMostPrefetchedBytes); at += kLineBytes) {
    __builtin_prefetch(bytes + at);
  }
}

struct Guess {
  std::uint64_t hash = 0;
  std::optional<index::Version> version;  // In a delta,
  std::uint64_t paddr = 0;                // or else in the base,
  bool unknown = false;                   // or else it could not be found out.
};

}  // namespace

Result<std::vector<std::optional<Value>>> Store::get_many_from(const ReadState& state,
                                                               std::span<const std::string_view> keys,
                                                               std::uint64_t limit, std::int64_t as_of_ns) const {
  counters_.gets.fetch_add(keys.size(), std::memory_order_relaxed);
  std::vector<std::optional<Value>> values(keys.size());
  std::array<Guess, kTogether> guesses;
  const std::array<const Layer*, 2> layers = {state.active.get(), state.frozen.get()};
  const bool has_base = !state.base->empty();
  const auto valid = [](std::string_view key) { return !key.empty() && key.size() <= kMaxKeyBytes; };

  for (std::size_t first = 0; first < keys.size(); first += kTogether) {
    const auto group = keys.subspan(first, std::min(kTogether, keys.size() - first));
    for (std::size_t i = 0; i < group.size(); ++i) {
      guesses[i] = {.hash = format::hash_key(group[i], head_.superblock.hash_seed), .version = {}};
      for (const Layer* layer : layers) {
        if (layer != nullptr) layer->delta.prefetch(guesses[i].hash);
      }
      if (has_base) state.base->hashes().prefetch(guesses[i].hash);
    }
    for (std::size_t i = 0; i < group.size(); ++i) {
      for (const Layer* layer : layers) {
        if (layer != nullptr) layer->delta.prefetch_node(guesses[i].hash);
      }
    }
    for (std::size_t i = 0; i < group.size(); ++i) {
      Guess& guess = guesses[i];
      for (const Layer* layer : layers) {
        if (layer == nullptr || guess.version) continue;
        (void)layer->delta.find(guess.hash, [&](const index::KeyNode& node) {
          const index::Version* const version = node.visible(limit);
          if (version != nullptr) guess.version = *version;
          return version != nullptr;
        });
      }
      if (!guess.version && has_base) {
        auto found = state.base->hashes().find(guess.hash, [&](std::uint64_t paddr) {
          guess.paddr = paddr;
          return false;
        });
        guess.unknown = !found;
      }
      const std::uint64_t paddr = guess.version ? guess.version->paddr : guess.paddr;
      const log::Segment* const segment = paddr != 0 ? segments_.find(paddr) : nullptr;
      if (segment == nullptr) continue;
      const std::uint64_t bytes = guess.version ? guess.version->record_bytes : kMostPrefetchedBytes;
      const std::byte* const record = segment->at(paddr - segment->paddr(), format::kRecordHeaderBytes);
      if (record != nullptr) prefetch_bytes(record, bytes);
    }
    for (std::size_t i = 0; i < group.size(); ++i) {
      Guess& guess = guesses[i];
      if (!valid(group[i]) || (!guess.version && guess.paddr == 0 && !guess.unknown)) continue;
      std::optional<index::Version> version = guess.version;
      if (!version && guess.paddr != 0) {
        if (auto at = version_at(guess.paddr, guess.hash)) version = *at;
      }
      bool right = false;
      if (version && !version->is_damaged()) {
        if (auto place = place_of(*version)) {
          auto same = holds_key(*version, group[i], *place);
          right = same && *same;
        }
      }
      if (!right) {
        auto found = find_visible(state, guess.hash, group[i], limit);
        if (!found) return std::unexpected(found.error());
        version = *found;
      }
      auto value = value_of(version, guess.hash, group[i], as_of_ns);
      if (!value) return std::unexpected(value.error());
      values[first + i] = std::move(*value);
    }
  }
  return values;
}

Result<std::vector<std::optional<Value>>> Store::get_many(std::span<const std::string_view> keys) {
  if (auto ready = before_reading(); !ready) return std::unexpected(ready.error());
  const os::ReadSections::Section section(readers_);
  const ReadState& now = state();
  return get_many_from(now, keys, published_.load(std::memory_order_acquire), 0);
}

Result<std::vector<std::optional<Value>>> Store::get_many(const Snapshot& snapshot,
                                                          std::span<const std::string_view> keys) {
  if (auto usable = check_usable(); !usable) return std::unexpected(usable.error());
  const os::ReadSections::Section section(readers_);
  return get_many_from(*snapshot.state, keys, snapshot.limit, snapshot.as_of_ns);
}

}  // namespace kvb::store
