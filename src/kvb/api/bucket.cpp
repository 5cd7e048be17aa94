// kvb::Bucket over store::Store. Here the promise ends that nothing throws: the only exception that can arise below,
// memory running out, becomes an Error.

#include <kvb/bucket.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "kvb/api/bucket_access.h"
#include "kvb/api/bucket_state.h"
#include "kvb/os/system_error.h"

namespace kvb {

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

Batch::Operation& Batch::add(Operation::Type type, std::string_view key) {
  if (size_ == operations_.size()) operations_.emplace_back();
  Operation& operation = operations_[size_++];
  operation.type = type;
  operation.key = key;
  operation.value.clear();
  operation.ttl_seconds = 0;
  operation.kind = ValueKind::bytes;
  operation.condition = PutIf::always;
  operation.expected.clear();
  return operation;
}

void Batch::put(std::string_view key, std::string_view value, const PutOptions& options) {
  Operation& operation = add(Operation::Type::put, key);
  operation.value = value;
  operation.ttl_seconds = options.ttl_seconds;
  operation.kind = options.kind;
  operation.condition = options.condition;
  operation.expected = options.expected;
}

void Batch::remove(std::string_view key) {
  add(Operation::Type::remove, key);
}

void Batch::check(std::string_view key, PutIf condition, std::string_view expected) {
  Operation& operation = add(Operation::Type::check, key);
  operation.condition = condition;
  operation.expected = expected;
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
Result<std::vector<std::optional<Value>>> Bucket::get_many(std::span<const std::string_view> keys) const {
  if (!state_) return moved_from();
  return without_exceptions(state_->path, [&] { return state_->store->get_many(keys); });
}
Result<bool> Bucket::write(const Batch& batch) {
  if (!state_) return moved_from();
  return without_exceptions(state_->path, [&] { return state_->store->write(batch); });
}
Result<std::uint64_t> Bucket::remove_prefix(std::string_view prefix) {
  if (!state_) return moved_from();
  return without_exceptions(state_->path, [&] { return state_->store->remove_prefix(prefix); });
}

Result<std::int64_t> Bucket::increment(std::string_view key, std::int64_t delta) {
  std::int64_t sum = 0;
  auto updated = update(key, [&](const std::optional<Value>& current) -> Result<Update> {
    std::int64_t number = 0;
    if (current) {
      const char* const end = current->bytes.data() + current->bytes.size();
      const auto read = std::from_chars(current->bytes.data(), end, number);
      if (read.ec != std::errc{} || read.ptr != end) {
        return os::failure(ErrorCode::invalid_argument,
                           "The value of this key is not a whole number between -9223372036854775808 and "
                           "9223372036854775807, so nothing can be added to it. It was left as it is.",
                           path());
      }
    }
    if (__builtin_add_overflow(number, delta, &sum)) {
      return os::failure(ErrorCode::invalid_argument,
                         "The sum of " + std::to_string(number) + " and " + std::to_string(delta) +
                             " does not fit into 64 bits. The value was left as it is.",
                         path());
    }
    return Update{
        .action = Update::Action::put, .value = std::to_string(sum), .kind = current ? current->kind : ValueKind::json};
  });
  if (!updated) return std::unexpected(updated.error());
  return sum;
}

Result<bool> Bucket::set_expiry(std::string_view key, std::uint32_t ttl_seconds) {
  bool there = false;
  auto updated = update(key, [&](const std::optional<Value>& current) -> Result<Update> {
    there = current.has_value();
    if (!there) return Update{};
    return Update{.action = Update::Action::put,
                  .value = current->bytes,
                  .kind = current->kind,
                  .keep_expiry = false,
                  .ttl_seconds = ttl_seconds};
  });
  if (!updated) return std::unexpected(updated.error());
  return there;
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
  return entries_of(*this, options);
}

Result<std::uint64_t> Bucket::count(const ScanOptions& options) const {
  return count_of(*this, options);
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
Result<void> Bucket::set_compression(const Compression& compression) {
  if (!state_) return moved_from();
  return without_exceptions(state_->path, [&] { return state_->store->set_compression(compression); });
}
Result<TrainReport> Bucket::train_dictionary() {
  if (!state_) return moved_from();
  return without_exceptions(state_->path, [&] { return state_->store->train_dictionary(); });
}
Stats Bucket::stats() const {
  return state_ ? state_->store->stats() : Stats{};
}
Activity Bucket::activity() const {
  return state_ ? state_->store->activity() : Activity{};
}
Result<std::optional<Activity>> Bucket::writer_activity() const {
  if (!state_) return moved_from();
  return without_exceptions(state_->path, [&] { return state_->store->writer_activity(); });
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
