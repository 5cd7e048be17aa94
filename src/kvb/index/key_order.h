#pragma once
// The ordered view of the delta's keys, for scans. New keys are only noted; they are sorted when a scan asks, into runs
// that are merged when they are of like size, so n keys cost O(n log n) whatever the mix of writes and scans, and a
// write costs nothing here. Overwrites and deletes of a key that is known do not touch it.
//
// Keys are in the records, far apart in memory, and keys of one bucket often begin alike. So a run notes how many bytes
// all its keys share, and each entry carries the next eight bytes as a number: most comparisons inside a run need no
// record. Not synchronised: the store's index lock guards it.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kvb/index/delta.h"

namespace kvb::index {

class KeyOrder {
 public:
  // Gives the key of a node, as bytes that stay where they are.
  using KeyOf = std::function<std::string_view(const KeyNode&)>;

  explicit KeyOrder(KeyOf key_of) : key_of_(std::move(key_of)) {}

  void add(KeyNode* node) { pending_.push_back(node); }

  // Sorts what has been added since the last time. Must be done before a Cursor is made.
  void settle();
  [[nodiscard]] bool settled() const noexcept { return pending_.empty(); }

  void clear() noexcept {
    pending_.clear();
    runs_.clear();
  }
  [[nodiscard]] std::size_t memory_bytes() const noexcept;

  struct Entry {
    std::uint64_t digits;  // The eight bytes behind the shared ones, see key_digits.
    KeyNode* node;
  };
  struct Run {
    std::string shared;          // What all its keys begin with.
    std::vector<Entry> entries;  // Sorted.
  };

  // Walks the keys in order, forward from the first key ≥ `from` (> if exclusive) or backward from the last key ≤
  // `from` (< if exclusive); from the end of the order if there is no `from`. Valid until the next settle() or clear().
  class Cursor {
   public:
    Cursor(const KeyOrder& order, std::optional<std::string_view> from, bool exclusive, bool reverse);
    // The next node, or null at the end. Each key comes once.
    [[nodiscard]] KeyNode* next();

   private:
    struct Source {
      const Run* run;
      std::size_t at;        // Forward: index of the next entry. Backward: one more than it.
      std::string_view key;  // Of the next entry.
    };
    void load(Source& source) const;
    [[nodiscard]] bool exhausted(const Source& source) const noexcept {
      return reverse_ ? source.at == 0 : source.at == source.run->entries.size();
    }
    const KeyOrder* order_;
    bool reverse_;
    std::vector<Source> sources_;
  };

 private:
  [[nodiscard]] Run merge(const Run& a, const Run& b) const;

  KeyOf key_of_;
  std::vector<KeyNode*> pending_;
  std::vector<Run> runs_;  // Every node is in one of them.
};

// Eight bytes of a key from `skip` on, as a number that compares as the bytes do; what a short key does not have counts
// as zero.
[[nodiscard]] std::uint64_t key_digits(std::string_view key, std::size_t skip) noexcept;

}  // namespace kvb::index
