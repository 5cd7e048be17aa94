#pragma once
// The ordered view of the delta's keys, for scans. New keys are only noted; they are sorted when a scan asks, into runs
// that are merged when they are of like size, so n keys cost O(n log n) whatever the mix of writes and scans, and a
// write costs nothing here. Overwrites and deletes of a key that is known do not touch it.
//
// Keys are in the records, far apart in memory, and keys of one bucket often begin alike. So a run notes how many bytes
// all its keys share, and each entry carries the next eight bytes as a number: most comparisons inside a run need no
// record.
//
// Runs never change. A scan takes a view, which is a list of runs, and walks it without a lock, while keys are added
// and sorted for others. Thread-safe: adding waits for nobody who sorts.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kvb/index/delta.h"
#include "kvb/os/large_memory.h"

namespace kvb::index {

class KeyOrder {
 public:
  // Gives the key of a node, as bytes that stay where they are.
  using KeyOf = std::function<std::string_view(const KeyNode&)>;

  // Asks the processor for the record of a node, which will be needed soon.
  using Prefetch = std::function<void(const KeyNode&)>;

  explicit KeyOrder(KeyOf key_of, Prefetch prefetch = {})
      : key_of_(std::move(key_of)), prefetch_(std::move(prefetch)) {}

  void add(std::span<KeyNode* const> nodes) {
    if (nodes.empty()) return;
    const std::scoped_lock lock(adding_);
    pending_.insert(pending_.end(), nodes.begin(), nodes.end());
  }
  void add(KeyNode* node) { add(std::span(&node, 1)); }

  struct Entry {
    std::uint64_t digits;  // The eight bytes behind the shared ones, see key_digits.
    KeyNode* node;
  };
  struct Run {
    std::string shared;              // What all its keys begin with.
    os::LargeVector<Entry> entries;  // Sorted.
  };

  using View = std::vector<std::shared_ptr<const Run>>;

  // All keys that have been added so far, in order. The order, and the records of the keys, must outlive it.
  [[nodiscard]] View view();
  // What has been sorted is worth nothing, because keys could not be read: sorts everything anew the next time.
  void distrust();
  [[nodiscard]] std::size_t memory_bytes() const;

  // Walks the keys in order, forward from the first key ≥ `from` (> if exclusive) or backward from the last key ≤
  // `from` (< if exclusive); from the end of the order if there is no `from`. The view must outlive it.
  class Cursor {
   public:
    Cursor(const KeyOrder& order, const View& view, std::optional<std::string_view> from, bool exclusive, bool reverse);
    // The node it stands at, or null at the end. Each key comes once.
    [[nodiscard]] KeyNode* node() const noexcept { return best_ == kNone ? nullptr : sources_[best_].node(reverse_); }
    [[nodiscard]] std::string_view key() const noexcept { return sources_[best_].key; }
    void next();

   private:
    static constexpr std::size_t kNone = SIZE_MAX;
    struct Source {
      const Run* run;
      std::size_t at;        // Forward: index of its entry. Backward: one more than it.
      std::string_view key;  // Of that entry.
      [[nodiscard]] KeyNode* node(bool reverse) const noexcept { return run->entries[reverse ? at - 1 : at].node; }
    };
    void load(Source& source) const;
    void choose() noexcept;
    [[nodiscard]] bool exhausted(const Source& source) const noexcept {
      return reverse_ ? source.at == 0 : source.at == source.run->entries.size();
    }
    const KeyOrder* order_;
    bool reverse_;
    std::size_t best_ = kNone;
    std::vector<Source> sources_;
  };

 private:
  [[nodiscard]] Run sorted(const os::LargeVector<KeyNode*>& nodes) const;
  [[nodiscard]] Run merge(const Run& a, const Run& b) const;
  // Asks for what a walk that stands at `at` will need in a while.
  void prefetch_from(const Run& run, std::size_t at, bool reverse) const;

  KeyOf key_of_;
  Prefetch prefetch_;
  mutable std::mutex sorting_;  // Guards runs_; taken before adding_.
  View runs_;                   // Every node is in one of them, or pending.
  mutable std::mutex adding_;
  os::LargeVector<KeyNode*> pending_;
};

// Eight bytes of a key from `skip` on, as a number that compares as the bytes do; what a short key does not have counts
// as zero.
[[nodiscard]] std::uint64_t key_digits(std::string_view key, std::size_t skip) noexcept;

}  // namespace kvb::index
