#include "wfl/keystore/pending_batch.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace wfl::keystore {
namespace {

constexpr std::int64_t kNanosecondsInSecond = 1'000'000'000;

bool expired(const Stored& value, std::int64_t now_ns) {
  return value.expires_at_ns && *value.expires_at_ns <= now_ns;
}

bool in_range(std::string_view key, const kvb::ScanOptions& options) {
  return key.starts_with(options.prefix) && (!options.from || key >= *options.from) &&
         (!options.to || key <= *options.to);
}

}  // namespace

std::int64_t wall_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::uint32_t seconds_until(std::int64_t moment_ns, std::int64_t now_ns) {
  if (moment_ns <= now_ns) return 0;
  const std::int64_t seconds = (moment_ns - now_ns + kNanosecondsInSecond - 1) / kNanosecondsInSecond;
  return static_cast<std::uint32_t>(std::min<std::int64_t>(seconds, std::numeric_limits<std::uint32_t>::max()));
}

const std::optional<Stored>* PendingBatch::find(std::string_view key, std::int64_t now_ns) const {
  static constexpr std::optional<Stored> kRemoved;
  const auto found = states_.find(key);
  if (found == states_.end()) return nullptr;
  if (found->second && expired(*found->second, now_ns)) return &kRemoved;
  return &found->second;
}

std::vector<StoredEntry> PendingBatch::merge(std::vector<StoredEntry> below, const kvb::ScanOptions& options,
                                             std::int64_t now_ns) const {
  std::vector<StoredEntry> own;
  for (const auto& [key, state] : states_) {
    if (!in_range(key, options)) continue;
    if (state && !expired(*state, now_ns)) own.push_back({.key = key, .value = *state});
  }
  std::erase_if(below, [this](const StoredEntry& entry) { return states_.contains(entry.key); });
  if (options.reverse) std::ranges::reverse(own);

  std::vector<StoredEntry> merged;
  merged.reserve(below.size() + own.size());
  const auto before = [&options](const StoredEntry& a, const StoredEntry& b) {
    return options.reverse ? b.key < a.key : a.key < b.key;
  };
  std::merge(std::make_move_iterator(below.begin()), std::make_move_iterator(below.end()),
             std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()), std::back_inserter(merged),
             before);
  if (merged.size() > options.limit)
    merged.erase(merged.begin() + static_cast<std::ptrdiff_t>(options.limit), merged.end());
  return merged;
}

kvb::Batch PendingBatch::operations(std::int64_t now_ns) const {
  kvb::Batch batch;
  for (const auto& [key, state] : states_) {
    if (!state || expired(*state, now_ns)) {
      batch.remove(key);
      continue;
    }
    const std::uint32_t ttl_seconds = state->expires_at_ns ? seconds_until(*state->expires_at_ns, now_ns) : 0;
    batch.put(key, state->bytes, {.ttl_seconds = ttl_seconds, .kind = state->kind});
  }
  return batch;
}

}  // namespace wfl::keystore
