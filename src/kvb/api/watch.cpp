// kvb::Watch over the store's cursor in its log.

#include "kvb/api/bucket_state.h"

namespace kvb {

// The store is kept as long as the watch, as by a snapshot.
struct Watch::State {
  std::shared_ptr<store::Store> store;
  store::Store::ChangeCursor cursor;
};

Watch::Watch(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Watch::Watch(Watch&&) noexcept = default;
Watch& Watch::operator=(Watch&&) noexcept = default;
Watch::~Watch() = default;

std::uint64_t Watch::seqno() const noexcept {
  return state_ ? state_->cursor.seqno : 0;
}

Result<std::vector<Change>> Watch::next(std::chrono::milliseconds timeout) {
  if (!state_) return os::failure(ErrorCode::closed, "This Watch was moved from. Use the one it was moved to.", {});
  store::Store& store = *state_->store;
  return without_exceptions(store.path(), [&]() -> Result<std::vector<Change>> {
    // Longer than any program runs, and its nanoseconds can be counted.
    constexpr std::chrono::milliseconds kLongest = std::chrono::hours{24 * 365 * 100};
    const std::int64_t begin_ns = store.environment().monotonic_ns();
    const std::chrono::nanoseconds most = std::min(timeout, kLongest);
    for (;;) {
      auto changes = store.read_changes(state_->cursor);
      if (!changes || !changes->empty()) return changes;
      // What came may all have had other prefixes: then it waits for the rest of the time.
      const std::chrono::nanoseconds left =
          most - std::chrono::nanoseconds(store.environment().monotonic_ns() - begin_ns);
      if (left.count() <= 0) return changes;
      if (auto waited = store.wait_for_commit(state_->cursor.seqno, left); !waited) {
        return std::unexpected(waited.error());
      }
    }
  });
}

Result<Watch> Bucket::watch(const WatchOptions& options) const {
  if (!state_) return os::failure(ErrorCode::closed, "This Bucket was moved from. Use the one it was moved to.", {});
  return without_exceptions(state_->path, [&]() -> Result<Watch> {
    auto cursor = state_->store->begin_changes(options);
    if (!cursor) return std::unexpected(cursor.error());
    return Watch(std::make_unique<Watch::State>(Watch::State{state_->store, std::move(*cursor)}));
  });
}

Result<std::uint64_t> Bucket::changes(const WatchOptions& options, const std::function<bool(Change&&)>& visit) const {
  WatchOptions from = options;
  from.from_seqno = options.from_seqno.value_or(0);
  auto watching = watch(from);
  if (!watching) return std::unexpected(watching.error());
  auto now = snapshot();
  if (!now) return std::unexpected(now.error());
  while (watching->seqno() < now->seqno()) {
    auto some = watching->next();
    if (!some) return std::unexpected(some.error());
    if (some->empty()) break;
    for (Change& change : *some) {
      const std::uint64_t seqno = change.value.seqno;
      if (!visit(std::move(change))) return seqno;
    }
  }
  return watching->seqno();
}

}  // namespace kvb
