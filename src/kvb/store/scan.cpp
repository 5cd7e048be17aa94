// Scans. A scan reads at one seqno from its first key to its last: it registers that seqno, so that the delta keeps the
// versions it needs, and collects entries in portions under the shared index lock, so that no caller's code runs under
// a lock and no writer waits for a long scan.

#include <algorithm>
#include <deque>

#include "kvb/os/mapped_read.h"
#include "kvb/os/system_error.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

constexpr std::size_t kPortionEntries = 256;
constexpr std::size_t kPortionBytes = 1024 * 1024;

// The ordered view compares keys in mappings anywhere in the file.
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
  std::uint64_t limit_seqno;
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
};

Result<void> Store::settle_order() {
  {
    const std::shared_lock shared(index_mutex_);
    if (order_.settled()) return {};
  }
  const std::unique_lock lock(index_mutex_);
  const os::MappedGuard guard(nullptr, kEverywhere);
  order_.settle();
  if (guard.verdict() == os::MappedGuard::Verdict::good) return {};
  // Keys could not be read, so what was sorted is worth nothing: begin again the next time.
  order_.clear();
  delta_.for_each([this](index::KeyNode& node) {
    if (node.ordered) order_.add(&node);
  });
  return unreadable_keys(path_);
}

Result<bool> Store::collect(ScanState& state, std::vector<Entry>& entries) {
  const ScanOptions& options = *state.options;
  // Where to begin: behind the last key that was given, or at the bound that comes first.
  std::optional<std::string> start;
  bool exclusive = false;
  if (state.last_key) {
    start = state.last_key;
    exclusive = true;
  } else if (!options.reverse) {
    start = options.from && *options.from > options.prefix ? *options.from : options.prefix;
  } else {
    start = behind_prefix(options.prefix);
    exclusive = true;
    if (options.to && (!start || *options.to < *start)) {
      start = options.to;
      exclusive = false;
    }
  }
  index::KeyOrder::Cursor cursor(order_, start ? std::optional<std::string_view>(*start) : std::nullopt, exclusive,
                                 options.reverse);
  std::size_t bytes = 0;
  while (state.remaining > entries.size() && entries.size() < kPortionEntries && bytes < kPortionBytes) {
    index::KeyNode* node = cursor.next();
    if (node == nullptr) return false;
    const index::Version* version = node->visible(state.limit_seqno);
    if (version == nullptr) continue;
    auto place = place_of(*version);
    if (!place) return std::unexpected(place.error());
    auto header = read_header(*place, version->paddr);
    Result<Entry> entry = header ? read_entry(*version, *place, options.keys_only || version->is_delete())
                                 : Result<Entry>(std::unexpected(header.error()));
    if (!entry) {
      if (entry.error().code != ErrorCode::damaged) return std::unexpected(entry.error());
      if (!state.damage) state.damage = entry.error();
      continue;
    }
    if (state.is_behind(entry->key)) return false;
    state.last_key = entry->key;
    if (version->is_delete() || !state.contains(entry->key)) continue;
    if (version->expires() && header->expires_at_ns() <= now_ns()) continue;
    bytes += entry->key.size() + entry->value.bytes.size();
    entries.push_back(std::move(*entry));
  }
  return state.remaining > entries.size();
}

Result<bool> Store::scan_some(ScanState& state, std::vector<Entry>& entries) {
  const std::shared_lock lock(index_mutex_);
  const auto last_key = state.last_key;
  for (int tries = 0; tries < os::kMappedReadTries; ++tries) {
    const os::MappedGuard guard(nullptr, kEverywhere);
    entries.clear();
    state.last_key = last_key;
    auto more = collect(state, entries);
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

Result<void> Store::scan(const ScanOptions& options, const std::function<bool(Entry&&)>& visit) {
  if (auto ready = before_reading(); !ready) return ready;
  if (options.limit == 0) return {};
  ScanState state{.options = &options, .limit_seqno = 0, .remaining = options.limit, .last_key = {}, .damage = {}};
  std::multiset<std::uint64_t>::iterator snapshot;
  {
    // Under the index lock, so that no version at this seqno is dropped in between.
    const std::shared_lock lock(index_mutex_);
    state.limit_seqno = published_.load(std::memory_order_acquire);
    const std::lock_guard registering(snapshots_mutex_);
    snapshot = snapshots_.insert(state.limit_seqno);
    for (const index::KeyNode* node : damaged_nodes_) {
      const index::Version* version = node->visible(state.limit_seqno);
      if (version != nullptr && version->is_damaged()) {
        state.damage = damaged_record(*version, node->hash).error();
        break;
      }
    }
  }
  const auto unregister = [&] {
    const std::lock_guard lock(snapshots_mutex_);
    snapshots_.erase(snapshot);
  };
  Result<void> result = settle_order();
  std::vector<Entry> entries;
  bool stopped = false;
  for (bool more = result.has_value(); more && !stopped;) {
    auto got = scan_some(state, entries);
    if (!got) {
      result = std::unexpected(got.error());
      break;
    }
    more = *got;
    state.remaining -= entries.size();
    for (Entry& entry : entries) {
      if (!visit(std::move(entry))) {
        stopped = true;
        break;
      }
    }
  }
  unregister();
  if (result && !stopped && state.damage) return std::unexpected(*state.damage);
  return result;
}

}  // namespace kvb::store
