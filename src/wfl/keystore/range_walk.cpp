#include "wfl/keystore/range_walk.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace wfl::keystore {
namespace {

constexpr std::size_t kMostStepEntries = 1024;
constexpr std::size_t kMostStepBytes = std::size_t{1} << 20;

}  // namespace

kvb::Result<std::optional<StoredEntry>> RangeWalk::next() {
  if (next_ == entries_.size()) {
    entries_.clear();
    next_ = 0;
    bytes_ = 0;
    if (snapshot_) {
      if (auto got = read(step_entries_, kMostStepBytes); !got) return std::unexpected(std::move(got.error()));
      step_entries_ = std::min(step_entries_ * 2, kMostStepEntries);
    }
    if (entries_.empty()) {
      if (failed_) return std::unexpected(*failed_);
      return std::nullopt;
    }
  }
  return std::exchange(entries_[next_++], StoredEntry{});
}

void RangeWalk::read_to_the_end() {
  if (!snapshot_) return;
  constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  if (auto got = read(kAll, kAll); !got) failed_ = std::move(got.error());
  snapshot_.reset();
}

void RangeWalk::stop() {
  snapshot_.reset();
  failed_.reset();
  entries_ = {};
  next_ = 0;
  bytes_ = 0;
}

kvb::Result<void> RangeWalk::read(std::size_t most_entries, std::size_t most_bytes) {
  // A step begins at the key that was read last, which is still there, because it is one snapshot.
  kvb::ScanOptions options = options_;
  if (!last_.empty()) {
    (options.reverse ? options.to : options.from) = last_;
    if (options.limit != UINT64_MAX) ++options.limit;
  }
  std::size_t entries = 0;
  std::size_t bytes = 0;
  bool full = options_.limit == 0;
  if (!full) {
    auto scanned = snapshot_->scan(options, [&](kvb::Entry&& entry) {
      if (entry.key == last_) return true;
      bytes += sizeof(StoredEntry) + entry.key.size() + entry.value.bytes.size();
      ++entries;
      entries_.push_back({.key = std::move(entry.key), .value = to_stored(std::move(entry.value))});
      full = entries >= most_entries || bytes >= most_bytes;
      return !full;
    });
    if (!scanned) return scanned;
  }
  bytes_ += bytes;
  if (options_.limit != UINT64_MAX) options_.limit -= entries;
  if (!full || options_.limit == 0) {
    snapshot_.reset();
  } else {
    last_ = entries_.back().key;
  }
  return {};
}

}  // namespace wfl::keystore
