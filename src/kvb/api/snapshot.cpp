// kvb::Snapshot over store::Snapshot.

#include "kvb/api/bucket_state.h"

namespace kvb {

// The store is kept as long as the snapshot: what it shows belongs to it, also when its file is closed already.
struct Snapshot::State {
  std::shared_ptr<store::Store> store;
  store::Snapshot seen;

  State(std::shared_ptr<store::Store> of, store::Snapshot taken) : store(std::move(of)), seen(std::move(taken)) {}
  ~State() { store->let_go(seen); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Snapshot::Snapshot(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Snapshot::Snapshot(Snapshot&&) noexcept = default;
Snapshot& Snapshot::operator=(Snapshot&&) noexcept = default;
Snapshot::~Snapshot() = default;

namespace {

std::unexpected<Error> moved_from() {
  return os::failure(ErrorCode::closed, "This Snapshot was moved from. Use the one it was moved to.", {});
}

}  // namespace

Result<Snapshot> Bucket::snapshot() const {
  if (!state_) return os::failure(ErrorCode::closed, "This Bucket was moved from. Use the one it was moved to.", {});
  return without_exceptions(state_->path, [&]() -> Result<Snapshot> {
    auto taken = state_->store->take_snapshot();
    if (!taken) return std::unexpected(taken.error());
    return Snapshot(std::make_unique<Snapshot::State>(state_->store, std::move(*taken)));
  });
}

Result<std::optional<Value>> Snapshot::get(std::string_view key) const {
  if (!state_) return moved_from();
  return without_exceptions(state_->store->path(), [&] { return state_->store->get(state_->seen, key); });
}
Result<std::vector<std::optional<Value>>> Snapshot::get_many(std::span<const std::string_view> keys) const {
  if (!state_) return moved_from();
  return without_exceptions(state_->store->path(), [&] { return state_->store->get_many(state_->seen, keys); });
}
Result<bool> Snapshot::contains(std::string_view key) const {
  if (!state_) return moved_from();
  return without_exceptions(state_->store->path(), [&] { return state_->store->contains(state_->seen, key); });
}
Result<void> Snapshot::scan(const ScanOptions& options, const std::function<bool(Entry&&)>& visit) const {
  if (!state_) return moved_from();
  return without_exceptions(state_->store->path(), [&] { return state_->store->scan(state_->seen, options, visit); });
}

Result<std::vector<Entry>> Snapshot::scan(const ScanOptions& options) const {
  return entries_of(*this, options);
}

Result<std::uint64_t> Snapshot::count(const ScanOptions& options) const {
  return count_of(*this, options);
}

std::uint64_t Snapshot::seqno() const noexcept {
  return state_ ? state_->seen.limit : 0;
}

}  // namespace kvb
