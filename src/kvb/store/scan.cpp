// Scans. A scan reads one snapshot from its first key to its last: the state that was current when it began, and the
// seqno that was published then. Nothing of it changes or goes away as long as the scan holds it, so a scan takes no
// lock and keeps nobody waiting, however long it is. Entries are collected in portions, so that no caller's code runs
// inside a guard.

#include <algorithm>

#include "kvb/format/hash.h"
#include "kvb/os/mapped_read.h"
#include "kvb/os/system_error.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

constexpr std::size_t kPortionEntries = 256;
constexpr std::size_t kPortionBytes = 1024 * 1024;

// Keys are compared in mappings anywhere in the file.
constexpr std::size_t kEverywhere = SIZE_MAX;

// The first byte string behind all that begin with `prefix`; nothing if there is none.
std::optional<std::string> behind_prefix(std::string_view prefix) {
  std::string next(prefix);
  while (!next.empty() && static_cast<unsigned char>(next.back()) == 0xFF) next.pop_back();
  if (next.empty()) return std::nullopt;
  next.back() = static_cast<char>(static_cast<unsigned char>(next.back()) + 1);
  return next;
}

// A fault somewhere in the mappings: which record it was is not known here, so the error names no place.
std::unexpected<Error> unreadable_keys(const std::string& path) {
  auto failure = os::mapped_read_failure(path, 0);
  failure.error().offset_bytes.reset();
  return failure;
}

}  // namespace

struct Store::ScanState {
  const ScanOptions* options;
  Snapshot snapshot;
  index::KeyOrder::View active_view;
  index::KeyOrder::View frozen_view;
  std::uint64_t remaining;
  std::optional<std::string> last_key;  // Of the entry before.
  std::optional<Error> damage;          // The first that was met; told behind the last entry.

  [[nodiscard]] bool is_behind(std::string_view key) const {
    if (options->reverse) {
      return (options->from && key < *options->from) || (key < options->prefix && !key.starts_with(options->prefix));
    }
    return (options->to && key > *options->to) || (key > options->prefix && !key.starts_with(options->prefix));
  }
  [[nodiscard]] bool contains(std::string_view key) const {
    return key.starts_with(options->prefix) && (!options->from || key >= *options->from) &&
           (!options->to || key <= *options->to);
  }
  // Where to begin: behind the last key that was given, or at the bound that comes first.
  struct Start {
    std::optional<std::string> key;
    bool exclusive = false;
  };
  [[nodiscard]] Start start() const {
    if (last_key) return {last_key, true};
    const ScanOptions& o = *options;
    if (!o.reverse) return {o.from && *o.from > o.prefix ? *o.from : o.prefix, false};
    auto behind = behind_prefix(o.prefix);
    if (o.to && (!behind || *o.to < *behind)) return {o.to, false};
    return {std::move(behind), true};
  }
};

Snapshot Store::snapshot() const {
  Snapshot snapshot;
  do {
    {
      const std::scoped_lock lock(state_mutex_);
      snapshot.state = current_;
    }
    // After the state: its base holds nothing that is not published by now. If the state is another one by then, what
    // was published since may be in its active delta alone.
    snapshot.limit = published_.load(std::memory_order_acquire);
  } while (state_.load(std::memory_order_acquire) != snapshot.state.get());
  return snapshot;
}

Result<Snapshot> Store::take_snapshot() {
  if (auto ready = before_reading(); !ready) return std::unexpected(ready.error());
  Snapshot taken = snapshot();
  taken.as_of_ns = now_ns();
  const std::scoped_lock lock(snapshots_mutex_);
  snapshots_.insert(taken.limit);
  return taken;
}

void Store::let_go(const Snapshot& snapshot) {
  const std::scoped_lock lock(snapshots_mutex_);
  if (const auto found = snapshots_.find(snapshot.limit); found != snapshots_.end()) snapshots_.erase(found);
}

// The next keys in order, from the deltas and the base together, each once.
class Store::KeyMerge {
 public:
  static Result<KeyMerge> at(const ScanState& scan) {
    const auto start = scan.start();
    const bool reverse = scan.options->reverse;
    const auto from = start.key ? std::optional<std::string_view>(*start.key) : std::nullopt;
    const ReadState& state = *scan.snapshot.state;
    KeyMerge merge(reverse, state.base->keys());
    merge.deltas_[0].emplace(state.active->order, scan.active_view, from, start.exclusive, reverse);
    if (state.frozen) merge.deltas_[1].emplace(state.frozen->order, scan.frozen_view, from, start.exclusive, reverse);
    Result<void> found;
    if (!from) {
      found = reverse ? merge.base_.seek_last() : merge.base_.seek_first();
    } else {
      found = reverse ? merge.base_.seek_back(*from, start.exclusive) : merge.base_.seek(*from, start.exclusive);
    }
    if (!found) return std::unexpected(found.error());
    return merge;
  }

  struct Key {
    std::string_view key;              // Valid until next().
    const index::KeyNode* nodes[2]{};  // In the active and in the frozen delta, if it is there.
    bool in_base = false;
  };
  // Nothing at the end.
  [[nodiscard]] std::optional<Key> current() const {
    std::optional<Key> best;
    const auto before = [this](std::string_view a, std::string_view b) { return reverse_ ? b < a : a < b; };
    for (int i = 0; i < 2; ++i) {
      if (!deltas_[i] || deltas_[i]->node() == nullptr) continue;
      if (!best || before(deltas_[i]->key(), best->key)) best = Key{.key = deltas_[i]->key()};
      if (deltas_[i]->key() == best->key) best->nodes[i] = deltas_[i]->node();
    }
    if (!base_.at_end()) {
      if (!best || before(base_.key(), best->key)) best = Key{.key = base_.key()};
      best->in_base = base_.key() == best->key;
    }
    return best;
  }
  [[nodiscard]] Result<void> next(const Key& passed) {
    for (int i = 0; i < 2; ++i) {
      if (passed.nodes[i] != nullptr) deltas_[i]->next();
    }
    if (!passed.in_base) return {};
    return reverse_ ? base_.previous() : base_.next();
  }

 private:
  KeyMerge(bool reverse, const index::KeyTable& keys) : reverse_(reverse), base_(keys) {}

  bool reverse_;
  std::optional<index::KeyOrder::Cursor> deltas_[2];
  index::KeyTable::Cursor base_;
};

Result<bool> Store::collect_entries(ScanState& scan, std::vector<Entry>& entries) {
  const ReadState& state = *scan.snapshot.state;
  auto merge = KeyMerge::at(scan);
  if (!merge) return std::unexpected(merge.error());
  std::size_t bytes = 0;
  while (scan.remaining > entries.size() && entries.size() < kPortionEntries && bytes < kPortionBytes) {
    const auto key = merge->current();
    if (!key || scan.is_behind(key->key)) return false;
    scan.last_key = key->key;
    if (scan.contains(key->key)) {
      std::optional<index::Version> version;
      for (const auto* node : key->nodes) {
        if (version || node == nullptr) continue;
        if (const auto* visible = node->visible(scan.snapshot.limit)) version = *visible;
      }
      Result<void> read;
      if (!version && key->in_base) {
        auto found = find_in(*state.base, format::hash_key(key->key, head_.superblock.hash_seed), key->key);
        if (found) {
          version = *found;
        } else {
          read = std::unexpected(found.error());
        }
      }
      if (read && version && (!version->is_delete() || version->is_damaged())) {
        auto entry = read_live_entry(*version, scan.options->keys_only, scan.snapshot.as_of_ns);
        if (!entry) {
          read = std::unexpected(entry.error());
        } else if (*entry) {
          bytes += (*entry)->key.size() + (*entry)->value.bytes.size();
          entries.push_back(std::move(**entry));
        }
      }
      if (!read) {
        if (read.error().code != ErrorCode::damaged) return std::unexpected(read.error());
        if (!scan.damage) scan.damage = read.error();
      }
    }
    if (auto moved = merge->next(*key); !moved) return std::unexpected(moved.error());
  }
  return scan.remaining > entries.size();
}

// Nothing if it has expired.
Result<std::optional<Entry>> Store::read_live_entry(const index::Version& version, bool keys_only,
                                                    std::int64_t as_of_ns) const {
  auto place = place_of(version);
  if (!place) return std::unexpected(place.error());
  if (version.expires()) {
    auto header = read_header(*place, version.paddr);
    if (!header) return std::unexpected(header.error());
    if (header->expires_at_ns() <= (as_of_ns != 0 ? as_of_ns : now_ns())) return std::optional<Entry>{};
  }
  auto entry = read_entry(version, *place, keys_only);
  if (!entry) return std::unexpected(entry.error());
  return std::optional(std::move(*entry));
}

Result<bool> Store::scan_some(ScanState& scan, std::vector<Entry>& entries) {
  const os::ReadSections::Section section(readers_);
  const auto last_key = scan.last_key;
  for (int tries = 0; tries < os::kMappedReadTries; ++tries) {
    const os::MappedGuard guard(nullptr, kEverywhere);
    entries.clear();
    scan.last_key = last_key;
    auto more = collect_entries(scan, entries);
    switch (guard.verdict()) {
      case os::MappedGuard::Verdict::good:
        return more;
      case os::MappedGuard::Verdict::fault:
        return unreadable_keys(path_);
      case os::MappedGuard::Verdict::doubtful:
        os::mapped_read_pause(tries);
        break;
    }
  }
  return unreadable_keys(path_);
}

// The sorted keys of a delta.
Result<index::KeyOrder::View> Store::view_of(Layer& layer) const {
  const os::ReadSections::Section section(readers_);
  for (int tries = 0; tries < os::kMappedReadTries; ++tries) {
    const os::MappedGuard guard(nullptr, kEverywhere);
    auto view = layer.order.view();
    if (guard.verdict() == os::MappedGuard::Verdict::good) return view;
    // Keys could not be read, so what was sorted is worth nothing.
    layer.order.distrust();
    if (guard.verdict() == os::MappedGuard::Verdict::fault) break;
    os::mapped_read_pause(tries);
  }
  return unreadable_keys(path_);
}

Result<void> Store::scan(const ScanOptions& options, const std::function<bool(Entry&&)>& visit) {
  if (auto ready = before_reading(); !ready) return ready;
  return scan(snapshot(), options, visit);
}

Result<void> Store::scan(const Snapshot& snapshot, const ScanOptions& options,
                         const std::function<bool(Entry&&)>& visit) {
  if (auto usable = check_usable(); !usable) return usable;
  if (options.limit == 0) return {};
  ScanState scan{.options = &options,
                 .snapshot = snapshot,
                 .active_view = {},
                 .frozen_view = {},
                 .remaining = options.limit,
                 .last_key = {},
                 .damage = {}};
  for (Layer* layer : {snapshot.state->active.get(), snapshot.state->frozen.get()}) {
    if (layer == nullptr) continue;
    auto view = view_of(*layer);
    if (!view) return std::unexpected(view.error());
    (layer == snapshot.state->active.get() ? scan.active_view : scan.frozen_view) = std::move(*view);
    const std::scoped_lock lock(layer->damaged_mutex);
    for (const index::KeyNode* node : layer->damaged) {
      const index::Version* version = node->visible(snapshot.limit);
      if (version != nullptr && version->is_damaged() && !scan.damage) {
        scan.damage = damaged_record(*version, node->hash).error();
      }
    }
  }
  if (const auto unnamed = snapshot.state->base->superblock().unnamed_slots; unnamed != 0 && !scan.damage) {
    scan.damage = Error{.code = ErrorCode::damaged,
                        .message = "The keys of " + std::to_string(unnamed) +
                                   " damaged records cannot be read, so they are missing here. `kvb verify` names "
                                   "their places.",
                        .path = path_};
  }
  std::vector<Entry> entries;
  for (bool more = true; more;) {
    auto got = scan_some(scan, entries);
    if (!got) return std::unexpected(got.error());
    more = *got;
    scan.remaining -= entries.size();
    for (Entry& entry : entries) {
      if (!visit(std::move(entry))) return {};
    }
  }
  if (scan.damage) return std::unexpected(*scan.damage);
  return {};
}

}  // namespace kvb::store
