#include "kvb/index/key_order.h"

#include <cstring>

namespace kvb::index {
namespace {

// Nodes, and the records that have the keys, lie anywhere in memory: they are asked for so many keys before they are
// needed.
constexpr std::size_t kNodesAhead = 32;
constexpr std::size_t kRecordsAhead = 16;

void prefetch_node(const KeyNode& node) noexcept {
  __builtin_prefetch(&node);
  __builtin_prefetch(&node + 1);  // Its first version.
}

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
  if (key.size() >= skip + 8) {
    std::memcpy(&digits, key.data() + skip, 8);
    return __builtin_bswap64(digits);
  }
  for (std::size_t i = skip; i < skip + 8; ++i) {
    digits = (digits << 8) | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0u);
  }
  return digits;
}

namespace {

// The digits behind the first `skip` bytes of a key that begins with `shared` and goes on with `digits`.
std::uint64_t rebase_digits(std::uint64_t digits, std::string_view shared, std::size_t skip) noexcept {
  std::string_view tail = shared.substr(skip);
  if (tail.size() > 8) tail = tail.substr(0, 8);
  if (tail.empty()) return digits;
  const std::uint64_t head = key_digits(tail, 0);
  return tail.size() == 8 ? head : head | (digits >> (8 * tail.size()));
}

}  // namespace

KeyOrder::Run KeyOrder::sorted(const os::LargeVector<KeyNode*>& nodes) const {
  os::LargeVector<SortItem> items;
  items.reserve(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (i + kNodesAhead < nodes.size()) prefetch_node(*nodes[i + kNodesAhead]);
    if (prefetch_ && i + kRecordsAhead < nodes.size()) prefetch_(*nodes[i + kRecordsAhead]);
    items.push_back({0, key_of_(*nodes[i]), nodes[i]});
  }
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
  os::LargeVector<KeyNode*> fresh;
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

// No record is needed for it, but where eight bytes do not decide.
KeyOrder::Run KeyOrder::merge(const Run& a, const Run& b) const {
  Run merged{.shared = a.shared.substr(0, shared_bytes(a.shared, b.shared)), .entries = {}};
  merged.entries.reserve(a.entries.size() + b.entries.size());
  const std::size_t shared = merged.shared.size();
  const auto rebased = [shared](const Run& run, const Entry& entry) {
    return Entry{rebase_digits(entry.digits, run.shared, shared), entry.node};
  };
  std::size_t at_a = 0;
  std::size_t at_b = 0;
  while (at_a < a.entries.size() && at_b < b.entries.size()) {
    const Entry of_a = rebased(a, a.entries[at_a]);
    const Entry of_b = rebased(b, b.entries[at_b]);
    const bool a_first =
        of_a.digits != of_b.digits ? of_a.digits < of_b.digits : key_of_(*of_a.node) < key_of_(*of_b.node);
    merged.entries.push_back(a_first ? of_a : of_b);
    ++(a_first ? at_a : at_b);
  }
  for (; at_a < a.entries.size(); ++at_a) merged.entries.push_back(rebased(a, a.entries[at_a]));
  for (; at_b < b.entries.size(); ++at_b) merged.entries.push_back(rebased(b, b.entries[at_b]));
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

void KeyOrder::prefetch_from(const Run& run, std::size_t at, bool reverse) const {
  if (!prefetch_) return;
  const auto ahead = [&](std::size_t distance) -> const KeyNode* {
    if (reverse) return at > distance ? run.entries[at - 1 - distance].node : nullptr;
    return at + distance < run.entries.size() ? run.entries[at + distance].node : nullptr;
  };
  if (const KeyNode* const node = ahead(kNodesAhead)) prefetch_node(*node);
  if (const KeyNode* const node = ahead(kRecordsAhead)) prefetch_(*node);
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
  order_->prefetch_from(*source.run, source.at, reverse_);
  if (reverse_) {
    --source.at;
  } else {
    ++source.at;
  }
  if (!exhausted(source)) load(source);
  choose();
}

}  // namespace kvb::index
