#include "kvb/index/key_order.h"

namespace kvb::index {
namespace {

struct SortItem {
  std::uint64_t digits;
  std::string_view key;
  KeyNode* node;
};

std::size_t shared_bytes(std::string_view a, std::string_view b) noexcept {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t n = 0;
  while (n < most && a[n] == b[n]) ++n;
  return n;
}

}  // namespace

std::uint64_t key_digits(std::string_view key, std::size_t skip) noexcept {
  std::uint64_t digits = 0;
  for (std::size_t i = skip; i < skip + 8; ++i) {
    digits = (digits << 8) | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0u);
  }
  return digits;
}

KeyOrder::Run KeyOrder::sorted(const std::vector<KeyNode*>& nodes) const {
  std::vector<SortItem> items;
  items.reserve(nodes.size());
  for (KeyNode* node : nodes) items.push_back({0, key_of_(*node), node});
  std::size_t shared = items.front().key.size();
  for (const auto& item : items) shared = std::min(shared, shared_bytes(item.key, items.front().key));
  for (auto& item : items) item.digits = key_digits(item.key, shared);
  std::ranges::sort(items, [](const SortItem& a, const SortItem& b) {
    return a.digits != b.digits ? a.digits < b.digits : a.key < b.key;
  });
  Run run{.shared = std::string(items.front().key.substr(0, shared)), .entries = {}};
  run.entries.reserve(items.size());
  for (const auto& item : items) run.entries.push_back({item.digits, item.node});
  return run;
}

KeyOrder::View KeyOrder::view() {
  const std::scoped_lock one_sorter(sorting_);
  std::vector<KeyNode*> fresh;
  {
    const std::scoped_lock lock(adding_);
    fresh.swap(pending_);
  }
  if (!fresh.empty()) {
    auto run = std::make_shared<const Run>(sorted(fresh));
    // Runs shrink geometrically from the first to the last, so there are O(log n) of them.
    while (!runs_.empty() && runs_.back()->entries.size() <= run->entries.size() * 2) {
      run = std::make_shared<const Run>(merge(*runs_.back(), *run));
      runs_.pop_back();
    }
    runs_.push_back(std::move(run));
  }
  return runs_;
}

void KeyOrder::distrust() {
  const std::scoped_lock lock(sorting_, adding_);
  for (const auto& run : runs_) {
    for (const Entry& entry : run->entries) pending_.push_back(entry.node);
  }
  runs_.clear();
}

KeyOrder::Run KeyOrder::merge(const Run& a, const Run& b) const {
  Run merged{.shared = a.shared.substr(0, shared_bytes(a.shared, b.shared)), .entries = {}};
  merged.entries.reserve(a.entries.size() + b.entries.size());
  const auto take = [&](const Entry& entry, std::string_view key) {
    merged.entries.push_back({key_digits(key, merged.shared.size()), entry.node});
  };
  auto at_a = a.entries.begin();
  auto at_b = b.entries.begin();
  std::string_view key_a = key_of_(*at_a->node);
  std::string_view key_b = key_of_(*at_b->node);
  while (at_a != a.entries.end() && at_b != b.entries.end()) {
    if (key_a < key_b) {
      take(*at_a, key_a);
      if (++at_a != a.entries.end()) key_a = key_of_(*at_a->node);
    } else {
      take(*at_b, key_b);
      if (++at_b != b.entries.end()) key_b = key_of_(*at_b->node);
    }
  }
  for (; at_a != a.entries.end(); ++at_a) take(*at_a, key_of_(*at_a->node));
  for (; at_b != b.entries.end(); ++at_b) take(*at_b, key_of_(*at_b->node));
  return merged;
}

std::size_t KeyOrder::memory_bytes() const {
  const std::scoped_lock lock(sorting_, adding_);
  std::size_t bytes = pending_.capacity() * sizeof(KeyNode*);
  for (const auto& run : runs_) bytes += run->entries.capacity() * sizeof(Entry);
  return bytes;
}

KeyOrder::Cursor::Cursor(const KeyOrder& order, const View& view, std::optional<std::string_view> from, bool exclusive,
                         bool reverse)
    : order_(&order), reverse_(reverse) {
  for (const auto& shared_run : view) {
    const Run& run = *shared_run;
    const auto& entries = run.entries;
    std::size_t place = reverse ? entries.size() : 0;
    if (from) {
      // How does an entry's key compare with `from`?
      const std::string_view head = from->substr(0, run.shared.size());
      const std::uint64_t digits = key_digits(*from, run.shared.size());
      const auto compare = [&](const Entry& entry) {
        if (const int order_of_heads = std::string_view(run.shared).compare(head); order_of_heads != 0) {
          return order_of_heads;
        }
        if (entry.digits != digits) return entry.digits < digits ? -1 : 1;
        return order.key_of_(*entry.node).compare(*from);
      };
      // Forward and exclusive, or backward and inclusive: behind `from`; otherwise before it.
      const bool behind = exclusive != reverse;
      const auto found = std::ranges::partition_point(entries, [&](const Entry& entry) {
        const int result = compare(entry);
        return behind ? result <= 0 : result < 0;
      });
      place = static_cast<std::size_t>(found - entries.begin());
    }
    Source source{.run = &run, .at = place, .key = {}};
    if (exhausted(source)) continue;
    load(source);
    sources_.push_back(source);
  }
  choose();
}

void KeyOrder::Cursor::load(Source& source) const {
  source.key = order_->key_of_(*source.node(reverse_));
}

void KeyOrder::Cursor::choose() noexcept {
  best_ = kNone;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (exhausted(sources_[i])) continue;
    if (best_ == kNone || (reverse_ ? sources_[best_].key < sources_[i].key : sources_[i].key < sources_[best_].key)) {
      best_ = i;
    }
  }
}

void KeyOrder::Cursor::next() {
  if (best_ == kNone) return;
  Source& source = sources_[best_];
  if (reverse_) {
    --source.at;
  } else {
    ++source.at;
  }
  if (!exhausted(source)) load(source);
  choose();
}

}  // namespace kvb::index
