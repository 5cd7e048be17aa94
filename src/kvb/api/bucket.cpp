// kvb::Bucket over store::Store. Here the promise ends that nothing throws: the only exception that can arise below,
// memory running out, becomes an Error.

#include <kvb/bucket.h>

#include <new>

#include "kvb/api/bucket_access.h"
#include "kvb/os/system_error.h"
#include "kvb/store/store.h"

namespace kvb {
namespace {

std::unexpected<Error> out_of_memory(const std::string& path) {
  Error error{.code = ErrorCode::out_of_memory, .message = {}, .path = path};
  error.message = "Memory ran out. Nothing was changed.";
  return std::unexpected(std::move(error));
}

template <typename Function>
auto without_exceptions(const std::string& path, Function&& function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return out_of_memory(path);
  }
}

}  // namespace

struct Bucket::State {
  std::shared_ptr<store::Store> store;
  std::string path;
};

struct Bucket::Access {
  static Result<Bucket> wrap(Result<std::shared_ptr<store::Store>> opened, const std::string& path) {
    if (!opened) return std::unexpected(opened.error());
    return Bucket(std::make_shared<State>(State{std::move(*opened), path}));
  }
};

Result<Bucket> create_with(os::Environment& environment, const std::string& path, const CreateOptions& options) {
  return without_exceptions(
      path, [&] { return Bucket::Access::wrap(store::Store::create(environment, path, options), path); });
}

Result<Bucket> open_with(os::Environment& environment, const std::string& path, const OpenOptions& options) {
  return without_exceptions(path,
                            [&] { return Bucket::Access::wrap(store::Store::open(environment, path, options), path); });
}

Result<Bucket> open_or_create_with(os::Environment& environment, const std::string& path, const OpenOptions& options) {
  return without_exceptions(
      path, [&] { return Bucket::Access::wrap(store::Store::open_or_create(environment, path, options), path); });
}

void Batch::put(std::string_view key, std::string_view value, const PutOptions& options) {
  operations_.push_back({.type = Operation::Type::put,
                         .key = std::string(key),
                         .value = std::string(value),
                         .ttl_seconds = options.ttl_seconds,
                         .kind = options.kind,
                         .condition = options.condition});
}

void Batch::remove(std::string_view key) {
  operations_.push_back({.type = Operation::Type::remove, .key = std::string(key), .value = {}});
}

Bucket::Bucket(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
Bucket::Bucket(Bucket&&) noexcept = default;
Bucket& Bucket::operator=(Bucket&& other) noexcept {
  if (this != &other) {
    if (state_) (void)close();
    state_ = std::move(other.state_);
  }
  return *this;
}
Bucket::~Bucket() {
  if (state_) (void)close();
}

Result<Bucket> Bucket::create(const std::string& path, const CreateOptions& options) {
  return create_with(os::real_environment(), path, options);
}
Result<Bucket> Bucket::open(const std::string& path, const OpenOptions& options) {
  return open_with(os::real_environment(), path, options);
}
Result<Bucket> Bucket::open_or_create(const std::string& path, const OpenOptions& options) {
  return open_or_create_with(os::real_environment(), path, options);
}

namespace {

std::unexpected<Error> moved_from() {
  return os::failure(ErrorCode::closed, "This Bucket was moved from. Use the one it was moved to.", {});
}

}  // namespace

Result<bool> Bucket::put(std::string_view key, std::string_view value, const PutOptions& options) {
  if (!state_) return moved_from();
  return without_exceptions(state_->path, [&] { return state_->store->put(key, value, options); });
}
Result<std::optional<Value>> Bucket::get(std::string_view key) const {
  if (!state_) return moved_from();
  return without_exceptions(state_->path, [&] { return state_->store->get(key); });
}
Result<bool> Bucket::contains(std::string_view key) const {
  if (!state_) return moved_from();
  return without_exceptions(state_->path, [&] { return state_->store->contains(key); });
}
Result<bool> Bucket::remove(std::string_view key) {
  if (!state_) return moved_from();
  return without_exceptions(state_->path, [&] { return state_->store->remove(key); });
}
Result<void> Bucket::write(const Batch& batch) {
  if (!state_) return moved_from();
  return without_exceptions(state_->path, [&] { return state_->store->write(batch); });
}
Result<void> Bucket::update(std::string_view key,
                            const std::function<Result<Update>(const std::optional<Value>&)>& decide) {
  if (!state_) return moved_from();
  return without_exceptions(state_->path, [&] { return state_->store->update(key, decide); });
}
Result<void> Bucket::scan(const ScanOptions& options, const std::function<bool(Entry&&)>& visit) const {
  if (!state_) return moved_from();
  return without_exceptions(state_->path, [&] { return state_->store->scan(options, visit); });
}

Result<std::vector<Entry>> Bucket::scan(const ScanOptions& options) const {
  std::vector<Entry> entries;
  auto done = scan(options, [&](Entry&& entry) {
    entries.push_back(std::move(entry));
    return true;
  });
  if (!done) return std::unexpected(done.error());
  return entries;
}

Result<std::uint64_t> Bucket::count(const ScanOptions& options) const {
  ScanOptions keys = options;
  keys.keys_only = true;
  std::uint64_t count = 0;
  auto done = scan(keys, [&](Entry&&) {
    ++count;
    return true;
  });
  if (!done) return std::unexpected(done.error());
  return count;
}

Result<void> Bucket::flush() {
  if (!state_) return moved_from();
  return without_exceptions(state_->path, [&] { return state_->store->flush(); });
}

Result<CompactReport> Bucket::compact(const CompactOptions& options) {
  if (!state_) return moved_from();
  return without_exceptions(state_->path, [&] { return state_->store->compact(options); });
}

Result<void> Bucket::checkpoint() {
  if (!state_) return moved_from();
  return without_exceptions(state_->path, [&] { return state_->store->checkpoint(); });
}
Stats Bucket::stats() const {
  return state_ ? state_->store->stats() : Stats{};
}
Result<VerifyReport> Bucket::verify() const {
  if (!state_) return moved_from();
  return without_exceptions(state_->path, [&] { return state_->store->verify(); });
}
Result<void> Bucket::close() {
  if (!state_) return {};
  return without_exceptions(state_->path, [&] { return state_->store->close(); });
}
bool Bucket::is_open() const noexcept {
  return state_ && state_->store->is_open();
}
const std::string& Bucket::path() const noexcept {
  static const std::string none;
  return state_ ? state_->path : none;
}

}  // namespace kvb
