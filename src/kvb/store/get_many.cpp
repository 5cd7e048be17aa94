// Many keys at once. A single lookup waits for memory several times, one after the other: the slot of the delta's
// table, its node, the slot of the base, the record. Here each of these steps is asked for (prefetch) for a group of
// keys before the first of them is needed, so that the group waits about once a step.
//
// The steps are those of the quick read (quick_read.cpp); where that gives up, the ordinary lookup answers.

#include <algorithm>
#include <array>

#include "kvb/format/hash.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

constexpr std::size_t kTogether = 64;

}  // namespace

Result<std::vector<std::optional<Value>>> Store::get_many_from(const ReadState& state,
                                                               std::span<const std::string_view> keys,
                                                               std::uint64_t limit, std::int64_t as_of_ns) const {
  read_counters_.add(kGets, keys.size());
  std::vector<std::optional<Value>> values(keys.size());
  std::array<std::uint64_t, kTogether> hashes;
  std::array<QuickPlace, kTogether> places;
  const std::array<const Layer*, 2> layers = {state.active.get(), state.frozen.get()};
  const bool has_base = !state.base->empty();
  const auto valid = [](std::string_view key) { return !key.empty() && key.size() <= kMaxKeyBytes; };

  for (std::size_t first = 0; first < keys.size(); first += kTogether) {
    const auto group = keys.subspan(first, std::min(kTogether, keys.size() - first));
    for (std::size_t i = 0; i < group.size(); ++i) {
      hashes[i] = format::hash_key(group[i], head_.superblock.hash_seed);
      for (const Layer* layer : layers) {
        if (layer != nullptr) layer->delta.prefetch(hashes[i]);
      }
      if (has_base) state.base->hashes().prefetch(hashes[i]);
    }
    for (std::size_t i = 0; i < group.size(); ++i) {
      for (const Layer* layer : layers) {
        if (layer != nullptr) layer->delta.prefetch_node(hashes[i]);
      }
    }
    const os::MappedGuard guard(nullptr, os::kAnywhere);
    for (std::size_t i = 0; i < group.size(); ++i) {
      places[i] = find_quickly(state, hashes[i], limit);
      if (places[i].kind == QuickPlace::Kind::at) prefetch_record(places[i].paddr);
    }
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (!valid(group[i])) continue;
      std::optional<Value>& value = values[first + i];
      if (auto quick = get_quickly(places[i], hashes[i], group[i], as_of_ns, guard)) {
        value = std::move(*quick);
        continue;
      }
      auto version = find_visible(state, hashes[i], group[i], limit);
      if (!version) return std::unexpected(version.error());
      auto read = value_of(*version, hashes[i], group[i], as_of_ns);
      if (!read) return std::unexpected(read.error());
      value = std::move(*read);
    }
  }
  return values;
}

Result<std::vector<std::optional<Value>>> Store::get_many(std::span<const std::string_view> keys) {
  return read_newest([&](const ReadState& now, std::uint64_t limit) { return get_many_from(now, keys, limit, 0); });
}

Result<std::vector<std::optional<Value>>> Store::get_many(const Snapshot& snapshot,
                                                          std::span<const std::string_view> keys) {
  if (auto usable = check_usable(); !usable) return std::unexpected(usable.error());
  const os::ReadSections::Section section(readers_);
  auto values = get_many_from(*snapshot.state, keys, snapshot.limit, snapshot.as_of_ns);
  if (pin_expired(snapshot.state->base->epoch())) return expired_snapshot();
  return values;
}

}  // namespace kvb::store
