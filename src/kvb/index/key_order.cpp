#include "kvb/index/key_order.h"

namespace kvb::index {

std::uint64_t key_prefix(std::string_view key) noexcept {
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    prefix = (prefix << 8) | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0u);
  }
  return prefix;
}

void KeyOrder::settle() {
  if (pending_.empty()) return;
  std::vector<Entry> run;
  run.reserve(pending_.size());
  for (KeyNode* node : pending_) run.push_back({key_prefix(key_of_(*node)), node});
  pending_.clear();
  const auto compare = [this](const Entry& a, const Entry& b) { return less(a, b); };
  std::ranges::sort(run, compare);
  // Runs shrink geometrically from the first to the last, so there are O(log n) of them.
  while (!runs_.empty() && runs_.back().size() <= run.size() * 2) {
    std::vector<Entry> merged;
    merged.reserve(runs_.back().size() + run.size());
    std::ranges::merge(runs_.back(), run, std::back_inserter(merged), compare);
    runs_.pop_back();
    run = std::move(merged);
  }
  runs_.push_back(std::move(run));
}

std::size_t KeyOrder::memory_bytes() const noexcept {
  std::size_t bytes = pending_.capacity() * sizeof(KeyNode*);
  for (const auto& run : runs_) bytes += run.capacity() * sizeof(Entry);
  return bytes;
}

KeyOrder::Cursor::Cursor(const KeyOrder& order, std::optional<std::string_view> from, bool exclusive, bool reverse)
    : order_(&order), reverse_(reverse) {
  const std::uint64_t prefix = from ? key_prefix(*from) : 0;
  // Is the entry before `from` in the order?
  const auto before = [&](const Entry& entry) {
    if (entry.prefix != prefix) return entry.prefix < prefix;
    return order.key_of_(*entry.node) < *from;
  };
  const auto not_after = [&](const Entry& entry) {
    if (entry.prefix != prefix) return entry.prefix < prefix;
    return order.key_of_(*entry.node) <= *from;
  };
  for (const auto& run : order.runs_) {
    const Entry* begin = run.data();
    const Entry* end = begin + run.size();
    const Entry* place = reverse ? end : begin;
    if (from) {
      // Forward and exclusive, or backward and inclusive: behind `from`; otherwise before it.
      place =
          exclusive != reverse ? std::partition_point(begin, end, not_after) : std::partition_point(begin, end, before);
    }
    sources_.push_back({&run, static_cast<std::size_t>(place - begin)});
  }
}

KeyNode* KeyOrder::Cursor::next() {
  Source* best = nullptr;
  for (auto& source : sources_) {
    if (exhausted(source)) continue;
    if (best == nullptr ||
        (reverse_ ? order_->less(entry(*best), entry(source)) : order_->less(entry(source), entry(*best)))) {
      best = &source;
    }
  }
  if (best == nullptr) return nullptr;
  KeyNode* node = entry(*best).node;
  best->at += reverse_ ? std::size_t(-1) : 1;
  return node;
}

}  // namespace kvb::index
