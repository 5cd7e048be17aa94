// Scans. A scan reads one snapshot from its first key to its last: the state that was current when it began, and the
// seqno that was published then. Nothing of it changes or goes away as long as the scan holds it, so a scan takes no
// lock and keeps nobody waiting, however long it is. Entries are collected in portions, so that no caller's code runs
// inside a guard.
//
// The records of neighbouring keys lie anywhere in the log, so reading them one after the other would wait for memory
// at each. A portion therefore goes in three passes: gather its keys and ask for their slots; find their records and
// ask for those; read. So the waits of a portion overlap. The last two passes are those of the quick read
// (quick_read.cpp); where that gives up, the ordinary lookup answers.

#include <algorithm>

#include "kvb/format/hash.h"
#include "kvb/os/mapped_read.h"
#include "kvb/os/system_error.h"
#include "kvb/store/clustered_reader.h"
#include "kvb/store/key_merge.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

constexpr std::size_t kPortionEntries = 128;
// The first one is small: it tells whether the records lie one behind the other, and many scans want no more.
constexpr std::size_t kFirstPortionEntries = 12;
constexpr std::size_t kPortionBytes = 1024 * 1024;

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

struct Store::ScanCandidate {
  std::uint64_t hash;
  std::optional<index::Version> version;  // In a delta.
  QuickPlace place;
};

struct Store::ScanState {
  const ScanOptions* options;
  Snapshot snapshot;
  KeyMerge::Views views;
  std::uint64_t remaining;
  std::optional<std::string> last_key;  // That was gathered before.
  std::optional<Error> damage;          // The first that was met; told behind the last entry.
  // A portion. The entries are used again and again, so that their memory is; `count` of them are valid.
  std::vector<Entry> entries;
  std::size_t count = 0;
  std::vector<ScanCandidate> candidates;  // candidates[i] is that of entries[i], until it is read.
  std::optional<KeyMerge> merge;          // Stands behind last_key.
  // Keys alone are wanted, and none of those in the base can have expired: their records are not looked at. (Its pages
  // have checksums.)
  bool base_keys_suffice = false;
  ClusteredReader neighbours;

  [[nodiscard]] Entry& entry(std::size_t i) {
    if (i == entries.size()) entries.emplace_back();
    return entries[i];
  }

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

// Gathers the keys of the next portion, and asks for what leads to their records. False behind the last key.
Result<bool> Store::gather_keys(ScanState& scan) const {
  const ReadState& state = *scan.snapshot.state;
  if (!scan.merge) {
    const auto start = scan.start();
    const auto from = start.key ? std::optional<std::string_view>(*start.key) : std::nullopt;
    auto merge = KeyMerge::at(state, scan.views, from, start.exclusive, scan.options->reverse);
    if (!merge) return std::unexpected(merge.error());
    scan.merge = std::move(*merge);
  }
  scan.candidates.clear();
  const std::size_t most =
      std::min<std::uint64_t>(scan.remaining, scan.last_key ? kPortionEntries : kFirstPortionEntries);
  while (const auto key = scan.merge->current()) {
    if (scan.is_behind(key->key)) return false;
    ScanCandidate candidate{.hash = 0, .version = {}, .place = {.kind = QuickPlace::Kind::unsure}};
    for (const auto* node : key->nodes) {
      if (candidate.version || node == nullptr) continue;
      if (const auto* visible = node->visible(scan.snapshot.limit)) {
        candidate.version = *visible;
        candidate.hash = node->hash;
      }
    }
    const auto& version = candidate.version;
    const bool is_gone = version ? version->is_delete() && !version->is_damaged() : !key->in_base;
    if (!is_gone && scan.contains(key->key)) {
      if (!version && !scan.base_keys_suffice) {
        candidate.hash = format::hash_key(key->key, head_.superblock.hash_seed);
        if (!scan.neighbours.is_likely()) state.base->hashes().prefetch(candidate.hash);
      }
      scan.entry(scan.candidates.size()).key = key->key;
      scan.candidates.push_back(candidate);
    }
    const bool full = scan.candidates.size() == most;
    if (full) scan.last_key = key->key;
    if (auto moved = scan.merge->next(*key); !moved) return std::unexpected(moved.error());
    if (full) return true;
  }
  return false;
}

// True if the entry is one of the scan, with all that belongs to it.
Result<bool> Store::read_candidate(const ScanState& scan, const ScanCandidate& candidate, Entry& entry) const {
  const bool keys_only = scan.options->keys_only;
  if (!candidate.version && scan.base_keys_suffice) {
    entry.value = {};
    return true;
  }
  // A key of the base comes from a page with a checksum; one of a delta is checked by its whole record, unless that is
  // long.
  constexpr std::uint64_t kAlwaysCheckedBytes = 16 * 1024;
  const bool with_bytes = !keys_only || (candidate.version && candidate.version->record_bytes <= kAlwaysCheckedBytes);
  if (candidate.place.kind == QuickPlace::Kind::at &&
      read_quickly(candidate.place, candidate.hash, entry.key, with_bytes, entry.value)) {
    const auto expiry = entry.value.expires_at_ns();
    if (expiry && is_over(entry.value.written_at_ns, *expiry, scan.snapshot.as_of_ns)) return false;
    if (keys_only) entry.value = {};
    return true;
  }
  std::optional<index::Version> version = candidate.version;
  if (!version) {
    auto found = find_in(*scan.snapshot.state->base, candidate.hash, entry.key);
    if (!found) return std::unexpected(found.error());
    version = *found;
  }
  if (!version || (version->is_delete() && !version->is_damaged())) return false;
  auto read = read_live_entry(*version, keys_only, scan.snapshot.as_of_ns);
  if (!read) return std::unexpected(read.error());
  if (!*read) return false;
  entry = std::move(**read);
  if (keys_only) entry.value = {};
  return true;
}

Result<bool> Store::collect_entries(ScanState& scan) const {
  const ReadState& state = *scan.snapshot.state;
  scan.count = 0;
  auto more = gather_keys(scan);
  if (!more) return more;
  scan.neighbours.reset_misses();
  for (ScanCandidate& candidate : scan.candidates) {
    if (!candidate.version && scan.base_keys_suffice) continue;
    if (!candidate.version) {
      if (const std::uint64_t paddr = scan.neighbours.take(candidate.hash); paddr != 0) {
        candidate.place = {.kind = QuickPlace::Kind::at, .paddr = paddr};
        continue;  // What lies one behind the other needs no asking for.
      }
      candidate.place = find_quickly(*state.base, candidate.hash);
      if (candidate.place.kind == QuickPlace::Kind::at) scan.neighbours.found(candidate.place.paddr);
    } else if (!candidate.version->is_damaged()) {
      candidate.place = {
          .kind = QuickPlace::Kind::at, .paddr = candidate.version->paddr, .seqno = candidate.version->seqno};
    }
    if (candidate.place.kind == QuickPlace::Kind::at) prefetch_record(candidate.place.paddr);
  }
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < scan.candidates.size(); ++i) {
    auto read = read_candidate(scan, scan.candidates[i], scan.entries[i]);
    if (!read) {
      if (read.error().code != ErrorCode::damaged) return std::unexpected(read.error());
      if (!scan.damage) scan.damage = read.error();
      continue;
    }
    if (!*read) continue;
    bytes += scan.entries[i].key.size() + scan.entries[i].value.bytes.size();
    if (scan.count != i) std::swap(scan.entries[scan.count], scan.entries[i]);
    ++scan.count;
    if (bytes >= kPortionBytes && i + 1 < scan.candidates.size()) {
      // Large values: the next portion begins behind this one.
      scan.last_key = scan.entries[scan.count - 1].key;
      scan.merge.reset();
      return true;
    }
  }
  return more;
}

// Nothing if it has expired.
Result<std::optional<Entry>> Store::read_live_entry(const index::Version& version, bool keys_only,
                                                    std::int64_t as_of_ns) const {
  auto place = place_of(version);
  if (!place) return std::unexpected(place.error());
  if (version.expires()) {
    auto header = read_header(*place, version.paddr);
    if (!header) return std::unexpected(header.error());
    if (is_over(header->timestamp_ns, header->expires_at_ns(), as_of_ns)) return std::optional<Entry>{};
  }
  auto entry = read_entry(version, *place, keys_only);
  if (!entry) return std::unexpected(entry.error());
  return std::optional(std::move(*entry));
}

Result<bool> Store::scan_some(ScanState& scan) const {
  const os::ReadSections::Section section(readers_);
  const auto last_key = scan.last_key;
  const auto damage = scan.damage;
  for (int tries = 0; tries < os::kMappedReadTries; ++tries) {
    const os::MappedGuard guard(nullptr, os::kAnywhere);
    auto more = collect_entries(scan);
    switch (guard.verdict()) {
      case os::MappedGuard::Verdict::good:
        return more;
      case os::MappedGuard::Verdict::fault:
        return unreadable_keys(path_);
      case os::MappedGuard::Verdict::doubtful:
        os::mapped_read_pause(tries);
        break;
    }
    // What looked damaged may have been the zeros of another thread's fault.
    scan.last_key = last_key;
    scan.damage = damage;
    scan.merge.reset();
  }
  return unreadable_keys(path_);
}

// The sorted keys of a delta.
Result<index::KeyOrder::View> Store::view_of(Layer& layer) const {
  const os::ReadSections::Section section(readers_);
  for (int tries = 0; tries < os::kMappedReadTries; ++tries) {
    const os::MappedGuard guard(nullptr, os::kAnywhere);
    auto view = layer.order.view();
    if (guard.verdict() == os::MappedGuard::Verdict::good) return view;
    // Keys could not be read, so what was sorted is worth nothing.
    layer.order.distrust();
    if (guard.verdict() == os::MappedGuard::Verdict::fault) break;
    os::mapped_read_pause(tries);
  }
  return unreadable_keys(path_);
}

namespace {

// Entries that scans of this thread have used, with their memory.
thread_local std::vector<Entry> spare_entries;
constexpr std::size_t kMostSpareBytes = 128 * 1024;

// What a scan takes from there, and gives back unless it is much. A scan inside another one finds nothing there.
class SpareEntries {
 public:
  explicit SpareEntries(std::vector<Entry>& entries) : entries_(&entries) { entries.swap(spare_entries); }
  ~SpareEntries() {
    std::size_t bytes = 0;
    for (const Entry& entry : *entries_) bytes += entry.key.capacity() + entry.value.bytes.capacity() + sizeof(Entry);
    if (bytes <= kMostSpareBytes) entries_->swap(spare_entries);
  }
  SpareEntries(const SpareEntries&) = delete;
  SpareEntries& operator=(const SpareEntries&) = delete;

 private:
  std::vector<Entry>* entries_;
};

}  // namespace

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
                 .views = {},
                 .remaining = options.limit,
                 .last_key = {},
                 .damage = {},
                 .entries = {},
                 .count = 0,
                 .candidates = {},
                 .merge = {},
                 .base_keys_suffice = options.keys_only && snapshot.state->base->nothing_expires(),
                 .neighbours = {*snapshot.state->base, segments_, options.reverse}};
  for (Layer* layer : {snapshot.state->active.get(), snapshot.state->frozen.get()}) {
    if (layer == nullptr) continue;
    auto view = view_of(*layer);
    if (!view && pin_expired(snapshot.state->base->epoch())) return expired_snapshot();
    if (!view) return std::unexpected(view.error());
    (layer == snapshot.state->active.get() ? scan.views.active : scan.views.frozen) = std::move(*view);
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
  const SpareEntries spare(scan.entries);
  for (bool more = true; more && scan.remaining != 0;) {
    auto got = scan_some(scan);
    if (pin_expired(snapshot.state->base->epoch())) return expired_snapshot();
    if (!got) return std::unexpected(got.error());
    more = *got;
    scan.remaining -= scan.count;
    for (std::size_t i = 0; i < scan.count; ++i) {
      if (!visit(std::move(scan.entries[i]))) return {};
    }
  }
  if (scan.damage) return std::unexpected(*scan.damage);
  return {};
}

}  // namespace kvb::store
