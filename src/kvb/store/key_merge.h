#pragma once
// The keys of a state in order: those of both deltas and of the base's key table, merged.

#include <optional>
#include <string_view>

#include "kvb/store/read_state.h"

namespace kvb::store {

// The next keys in order, from the deltas and the base together, each once.
class KeyMerge {
 public:
  struct Views {
    index::KeyOrder::View active;
    index::KeyOrder::View frozen;
  };
  // From the first key behind `from` on, or at it; from the end of the order if there is no `from`. The views must
  // outlive it.
  static Result<KeyMerge> at(const ReadState& state, const Views& views, std::optional<std::string_view> from,
                             bool exclusive, bool reverse) {
    KeyMerge merge(reverse, state.base->keys());
    if (!views.active.empty()) merge.add_delta(0, state.active->order, views.active, from, exclusive);
    if (!views.frozen.empty()) merge.add_delta(1, state.frozen->order, views.frozen, from, exclusive);
    Result<void> found;
    if (!from) {
      found = reverse ? merge.base_.seek_last() : merge.base_.seek_first();
    } else {
      found = reverse ? merge.base_.seek_back(*from, exclusive) : merge.base_.seek(*from, exclusive);
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
    if (!has_delta_) {
      if (!base_.at_end()) best = Key{.key = base_.key(), .in_base = true};
      return best;
    }
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

  void add_delta(int at, const index::KeyOrder& order, const index::KeyOrder::View& view,
                 std::optional<std::string_view> from, bool exclusive) {
    deltas_[at].emplace(order, view, from, exclusive, reverse_);
    has_delta_ = true;
  }

  bool reverse_;
  bool has_delta_ = false;
  std::optional<index::KeyOrder::Cursor> deltas_[2];
  index::KeyTable::Cursor base_;
};

}  // namespace kvb::store
