#pragma once
// What readers look things up in. A ReadState never changes; when something takes the place of another part (a fresh
// delta, a new base), a new ReadState does. Lookups go from the newest to the oldest: active delta, frozen delta (while
// a checkpoint merges it), base.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "kvb/index/base.h"
#include "kvb/index/delta.h"
#include "kvb/index/key_order.h"

namespace kvb::store {

// What the log says between two cuts.
struct Layer {
  explicit Layer(std::size_t expected_keys, index::KeyOrder::KeyOf key_of, index::KeyOrder::Prefetch prefetch = {})
      : delta(expected_keys), order(std::move(key_of), std::move(prefetch)) {}

  index::Delta delta;
  index::KeyOrder order;
  // Their keys cannot be believed, so they are in no order. Filled by replay only.
  std::mutex damaged_mutex;
  std::vector<const index::KeyNode*> damaged;

  [[nodiscard]] std::size_t memory_bytes() const { return delta.memory_bytes() + order.memory_bytes(); }
};

struct ReadState {
  std::shared_ptr<Layer> active;
  std::shared_ptr<Layer> frozen;  // Null if no checkpoint is under way (or waits to be tried again).
  std::shared_ptr<const index::Base> base;
};

// A state that stays, for scans and snapshots: everything committed up to a seqno.
struct Snapshot {
  std::shared_ptr<const ReadState> state;
  std::uint64_t limit = 0;    // Versions with a higher seqno are not part of it.
  std::int64_t as_of_ns = 0;  // What had expired by then is not part of it. 0: by the time of reading.
};

}  // namespace kvb::store
