#include "wfl/keystore/keystore_object.h"

#include <fmt/format.h>

#include <limits>

#include "wfl/keystore/errors.h"
#include "wfl/keystore/open_keystores.h"
#include "wfl/keystore/statements.h"
#include "wfl/vm/heap.h"
#include "wfl/vm/native.h"

namespace wfl::keystore {
namespace {

constexpr std::int64_t kNanosecondsInSecond = 1'000'000'000;
// What an open bucket weighs for the collector: descriptors and tables that its own count of objects doesn't show.
constexpr std::size_t kOpenWeightBytes = 64 * 1024;

}  // namespace

Keystore::Keystore(std::string path, kvb::Bucket bucket, bool read_only, std::shared_ptr<OpenKeystores> registry)
    : path_(std::move(path)), bucket_(std::move(bucket)), read_only_(read_only), registry_(std::move(registry)) {
  registry_->add(this, !read_only_);
}

Keystore::Keystore(Keystore& of, std::shared_ptr<const kvb::Snapshot> snapshot)
    : path_(of.path_),
      of_(of.is_snapshot() ? of.of_ : &of),
      snapshot_(std::move(snapshot)),
      read_only_(true),
      registry_(of.registry_) {
  registry_->add(this, false);
}

Keystore::~Keystore() {
  // The collector has found that nobody can reach this keystore, so there is nobody to tell but the end of the program.
  if (const auto closed = close(Loops::are_over); !closed)
    registry_->note_problem(describe(closed.error(), path_).message);
}

Keystore* Keystore::from(vm::Value value) {
  auto* host = value.try_as<vm::HostObject>();
  return dynamic_cast<Keystore*>(host);
}

std::string Keystore::display() const {
  return fmt::format("{}keystore \"{}\"", is_snapshot() ? "snapshot of " : "", path_);
}

void Keystore::trace(vm::Tracer& tracer) {
  if (of_ != nullptr) tracer.mark(of_);
}

std::size_t Keystore::extra_bytes() const {
  return bucket_ ? kOpenWeightBytes : 0;
}

vm::Value Keystore::iterate(vm::NativeCall& call, bool reversed) {
  kvb::ScanOptions all;
  all.reverse = reversed;
  return iterate_range(call, *this, std::move(all));
}

vm::Value Keystore::contains(vm::NativeCall& call, vm::Value value) {
  return call.fail(contains_advice(value));
}

std::string Keystore::access_hint(vm::HostAccess access) const {
  switch (access) {
    case vm::HostAccess::kLength:
      return "The keys of a keystore are counted with: count keys in KEYSTORE as NAME.";
    case vm::HostAccess::kRemove:
      return "A key is removed from a keystore with the word `key`: remove key KEY from KEYSTORE.";
    case vm::HostAccess::kClear:
      return "A keystore is emptied with: remove all keys from KEYSTORE.";
    case vm::HostAccess::kIndex:
    case vm::HostAccess::kField:
    case vm::HostAccess::kCall:
      break;
  }
  return "A keystore is not a list or a map. A value is read with: get value from KEYSTORE with key KEY as NAME.";
}

kvb::Result<void> Keystore::close(Loops loops) {
  batch_.reset();
  if (!bucket_ && !snapshot_) return {};
  for (const std::weak_ptr<RangeWalk>& weak : std::exchange(walks_, {})) {
    const auto walk = weak.lock();
    if (walk && loops == Loops::go_on) walk->read_to_the_end();
  }
  registry_->remove(this);
  snapshot_.reset();
  if (!bucket_) return {};
  kvb::Result<void> closed = bucket_->close();
  bucket_.reset();
  return closed;
}

kvb::Result<std::shared_ptr<const kvb::Snapshot>> Keystore::snapshot() {
  if (snapshot_) return snapshot_;
  auto taken = bucket_->snapshot();
  if (!taken) return std::unexpected(std::move(taken.error()));
  return std::make_shared<const kvb::Snapshot>(std::move(*taken));
}

kvb::Result<std::shared_ptr<RangeWalk>> Keystore::walk(kvb::ScanOptions options) {
  if (batch_) {
    auto entries = scan(std::move(options));
    if (!entries) return std::unexpected(std::move(entries.error()));
    return std::make_shared<RangeWalk>(std::move(*entries));
  }
  auto seen = snapshot();
  if (!seen) return std::unexpected(std::move(seen.error()));
  auto begun = std::make_shared<RangeWalk>(std::move(*seen), std::move(options));
  // A snapshot's loops need its keystore open, so that is what has to know them.
  Keystore& keeper = of_ != nullptr ? *of_ : *this;
  std::erase_if(keeper.walks_, [](const std::weak_ptr<RangeWalk>& other) { return other.expired(); });
  keeper.walks_.push_back(begun);
  return begun;
}

kvb::Result<std::optional<Stored>> Keystore::get_from_file(std::string_view key) {
  const Latency::Timer timer(reads_);
  auto found = snapshot_ ? snapshot_->get(key) : bucket_->get(key);
  if (!found) return std::unexpected(std::move(found.error()));
  if (!*found) return std::nullopt;
  return to_stored(std::move(**found));
}

kvb::Result<std::optional<Stored>> Keystore::get(std::string_view key) {
  if (batch_) {
    if (const auto* pending = batch_->find(key, wall_clock_ns())) return *pending;
  }
  return get_from_file(key);
}

kvb::Result<bool> Keystore::contains_key(std::string_view key) {
  if (batch_) {
    if (const auto* pending = batch_->find(key, wall_clock_ns())) return pending->has_value();
  }
  const Latency::Timer timer(reads_);
  return snapshot_ ? snapshot_->contains(key) : bucket_->contains(key);
}

kvb::Result<bool> Keystore::put(std::string_view key, Change change, kvb::PutIf condition) {
  if (!batch_) {
    const Latency::Timer timer(writes_);
    const std::uint32_t ttl_seconds = change.expiry.kind == Expiry::Kind::after ? change.expiry.seconds : 0;
    return bucket_->put(key, change.bytes, {.ttl_seconds = ttl_seconds, .kind = change.kind, .condition = condition});
  }
  if (condition != kvb::PutIf::always) {
    const auto there = contains_key(key);
    if (!there) return std::unexpected(there.error());
    if (*there != (condition == kvb::PutIf::present)) return false;
  }
  std::optional<std::int64_t> expires_at_ns;
  if (change.expiry.kind == Expiry::Kind::after) {
    expires_at_ns = wall_clock_ns() + change.expiry.seconds * kNanosecondsInSecond;
  }
  batch_->set(key, Stored{std::move(change.bytes), change.kind, expires_at_ns});
  return true;
}

kvb::Result<bool> Keystore::remove(std::string_view key) {
  if (!batch_) {
    const Latency::Timer timer(writes_);
    return bucket_->remove(key);
  }
  auto there = contains_key(key);
  if (there && *there) batch_->set(key, std::nullopt);
  return there;
}

kvb::Result<void> Keystore::change(std::string_view key,
                                   const std::function<Change(const std::optional<Stored>&)>& decide) {
  if (!batch_) {
    const Latency::Timer timer(writes_);
    return bucket_->update(key, [&decide](const std::optional<kvb::Value>& newest) -> kvb::Result<kvb::Update> {
      std::optional<Stored> current;
      if (newest) current = Stored{newest->bytes, newest->kind, newest->expires_at_ns()};
      Change change = decide(current);
      kvb::Update update;
      switch (change.action) {
        case Change::Action::keep:
          break;
        case Change::Action::remove:
          update.action = kvb::Update::Action::remove;
          break;
        case Change::Action::put:
          update = {.action = kvb::Update::Action::put,
                    .value = std::move(change.bytes),
                    .kind = change.kind,
                    .keep_expiry = change.expiry.kind == Expiry::Kind::keep,
                    .ttl_seconds = change.expiry.kind == Expiry::Kind::after ? change.expiry.seconds : 0};
          break;
      }
      return update;
    });
  }

  auto current = get(key);
  if (!current) return std::unexpected(std::move(current.error()));
  Change change = decide(*current);
  if (change.action == Change::Action::remove) batch_->set(key, std::nullopt);
  if (change.action != Change::Action::put) return {};
  std::optional<std::int64_t> expires_at_ns;
  if (change.expiry.kind == Expiry::Kind::after) {
    expires_at_ns = wall_clock_ns() + change.expiry.seconds * kNanosecondsInSecond;
  } else if (change.expiry.kind == Expiry::Kind::keep && *current) {
    expires_at_ns = (*current)->expires_at_ns;
  }
  batch_->set(key, Stored{std::move(change.bytes), change.kind, expires_at_ns});
  return {};
}

kvb::Result<std::vector<StoredEntry>> Keystore::scan(kvb::ScanOptions options) {
  std::vector<StoredEntry> entries;
  const auto collect = [&entries](kvb::Entry&& entry) {
    entries.push_back({.key = std::move(entry.key), .value = to_stored(std::move(entry.value))});
    return true;
  };
  if (!batch_) {
    auto scanned = snapshot_ ? snapshot_->scan(options, collect) : bucket_->scan(options, collect);
    if (!scanned) return std::unexpected(std::move(scanned.error()));
    return entries;
  }
  const std::uint64_t limit = options.limit;
  const std::uint64_t room = std::numeric_limits<std::uint64_t>::max() - limit;
  options.limit = limit + std::min<std::uint64_t>(room, batch_->size());
  if (auto scanned = bucket_->scan(options, collect); !scanned) return std::unexpected(std::move(scanned.error()));
  options.limit = limit;
  return batch_->merge(std::move(entries), options, wall_clock_ns());
}

kvb::Result<std::uint64_t> Keystore::count(const kvb::ScanOptions& options) {
  if (!batch_) return snapshot_ ? snapshot_->count(options) : bucket_->count(options);
  kvb::ScanOptions keys = options;
  keys.keys_only = true;
  auto entries = scan(std::move(keys));
  if (!entries) return std::unexpected(std::move(entries.error()));
  return entries->size();
}

kvb::Result<std::uint64_t> Keystore::remove_all(kvb::ScanOptions options) {
  options.keys_only = true;
  auto entries = scan(std::move(options));
  if (!entries) return std::unexpected(std::move(entries.error()));
  if (batch_) {
    for (const StoredEntry& entry : *entries) batch_->set(entry.key, std::nullopt);
    return entries->size();
  }
  // One batch, so that the keys go together. Nothing can come between the scan and the batch: this program is the only
  // one that writes to the bucket, and it is here.
  kvb::Batch batch;
  for (const StoredEntry& entry : *entries) batch.remove(entry.key);
  if (auto written = bucket_->write(batch); !written) return std::unexpected(std::move(written.error()));
  return entries->size();
}

kvb::Result<void> Keystore::commit_batch() {
  const std::unique_ptr<PendingBatch> batch = std::move(batch_);
  const Latency::Timer timer(batches_);
  auto written = bucket_->write(batch->operations(wall_clock_ns()));
  if (!written) return std::unexpected(std::move(written.error()));
  return {};
}

}  // namespace wfl::keystore
