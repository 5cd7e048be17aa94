// Staging writes: conditions are evaluated on the newest state, staged writes included, under the writer's lock; then
// the record gets its seqno and its place, and the delta gets its version, which readers see once the group is
// published.

#include <algorithm>
#include <unordered_map>

#include "kvb/format/hash.h"
#include "kvb/os/system_error.h"
#include "kvb/store/read_bytes.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

constexpr std::uint64_t kBatchMaxBytes = std::uint64_t{1} << 40;

std::uint64_t record_bytes(std::string_view key, std::string_view value) noexcept {
  return key.size() + value.size() + format::kRecordOverheadBytes;
}

// Payloads of a thread's values on their way into the log, to be used again. What one call has put there is needed
// until its commit has returned.
thread_local std::string payload_room;

// Memory for large values is not kept.
void trim(std::string& room) {
  constexpr std::size_t kMostKept = std::size_t{4} << 20;
  if (room.capacity() > kMostKept) std::string().swap(room);
}

// Asks for what the lookups of the next operations will need first.
void prefetch_ahead(const Layer& active, std::span<const std::uint64_t> hashes, std::size_t at) noexcept {
  constexpr std::size_t kSlots = 16;
  constexpr std::size_t kNodes = 8;
  if (at + kSlots < hashes.size()) active.delta.prefetch(hashes[at + kSlots]);
  if (at + kNodes < hashes.size()) active.delta.prefetch_node(hashes[at + kNodes]);
}

}  // namespace

Result<void> Store::check_writable() const {
  if (auto usable = check_usable(); !usable) return usable;
  if (options_.read_only) {
    return os::failure(ErrorCode::read_only, "This bucket is open for reading only. Open it for writing to change it.",
                       path_);
  }
  if (poisoned_.load(std::memory_order_acquire)) {
    return os::failure(ErrorCode::poisoned,
                       "An earlier sync to disk failed, so nothing more is written. What was acknowledged before can "
                       "still be read. Check the "
                       "disk, then open the bucket again.",
                       path_);
  }
  return {};
}

Result<void> Store::begin_writing(std::unique_lock<std::mutex>& lock) {
  if (auto writable = check_writable(); !writable) return writable;
  while (freezing_) committed_.wait(lock);
  return check_writable();
}

Result<void> Store::check_limits(std::string_view key, std::uint64_t value_bytes, ValueKind kind) const {
  if (key.empty())
    return os::failure(ErrorCode::invalid_argument, "The key is empty. A key has 1 to 65535 bytes.", path_);
  if (key.size() > kMaxKeyBytes) {
    return os::failure(ErrorCode::invalid_argument,
                       "The key has " + std::to_string(key.size()) + " bytes. A key has 1 to 65535 bytes.", path_);
  }
  if (value_bytes > kMaxValueBytes) {
    return os::failure(
        ErrorCode::invalid_argument,
        "The value has " + std::to_string(value_bytes) + " bytes. A value has at most 4294967295 bytes (4 GiB - 1).",
        path_);
  }
  if (kind > ValueKind::json) {
    return os::failure(ErrorCode::invalid_argument,
                       "The value kind " + std::to_string(static_cast<int>(kind)) +
                           " does not exist. Kinds are bytes (0), text (1) and JSON (2).",
                       path_);
  }
  return {};
}

Result<std::optional<Store::RecordPlace>> Store::place_of_newest(const index::Version& version) const {
  if (version.seqno <= published_.load(std::memory_order_acquire)) {
    auto place = place_of(version);
    if (!place) return std::unexpected(place.error());
    return std::optional(*place);
  }
  const std::byte* bytes = journal_->staged_record(version.paddr, version.record_bytes);
  if (bytes == nullptr && in_flight_) bytes = log::find_in(in_flight_->chunks, version.paddr, version.record_bytes);
  if (bytes == nullptr) return std::optional<RecordPlace>{};
  const log::Segment* segment = segments_.find(version.paddr);
  return std::optional(
      RecordPlace{.bytes = bytes, .offset = version.paddr - segment->paddr(), .life = segment->life, .mapped = false});
}

Result<index::KeyNode*> Store::find_active(std::unique_lock<std::mutex>& lock, std::uint64_t hash,
                                           std::string_view key) {
  for (;;) {
    std::optional<Error> error;
    bool borrowed = false;
    index::KeyNode* node = active_->delta.find(hash, [&](const index::KeyNode& candidate) {
      if (error || borrowed) return false;
      const index::Version* const newest = candidate.newest.load(std::memory_order_relaxed);
      if (newest == nullptr) return false;
      if (newest->is_damaged()) return true;
      auto place = place_of_newest(*newest);
      if (!place) {
        error = place.error();
        return false;
      }
      if (!*place) {
        borrowed = true;
        return false;
      }
      auto same = holds_key(*newest, key, **place);
      if (!same) error = same.error();
      return same && *same;
    });
    if (error) return std::unexpected(*error);
    if (!borrowed) return node;
    // A large value on its way to the disk, in its writer's memory: wait until it is there.
    if (auto settled = settle_all(lock, options_.durability == Durability::sync); !settled) {
      return std::unexpected(settled.error());
    }
    if (auto writable = begin_writing(lock); !writable) return std::unexpected(writable.error());
  }
}

Result<Store::Newest> Store::find_newest(std::unique_lock<std::mutex>& lock, std::uint64_t hash, std::string_view key) {
  auto node = find_active(lock, hash, key);
  if (!node) return std::unexpected(node.error());
  Newest newest{.node = *node, .version = {}};
  if (*node != nullptr) {
    newest.version = *(*node)->newest.load(std::memory_order_relaxed);
    return newest;
  }
  // Below the active delta everything has been published.
  const os::ReadSections::Section section(readers_);
  const ReadState& now = state();
  if (now.frozen) {
    auto found = find_in(*now.frozen, hash, key, UINT64_MAX);
    if (!found) return std::unexpected(found.error());
    newest.version = *found;
  }
  if (!newest.version && !now.base->empty()) {
    auto found = find_in(*now.base, hash, key);
    if (!found) return std::unexpected(found.error());
    newest.version = *found;
  }
  return newest;
}

Result<bool> Store::is_live(const Newest& newest) const {
  if (!newest.has_value()) return false;
  const index::Version& version = *newest.version;
  if (version.is_damaged() || !version.expires()) return true;
  const os::ReadSections::Section section(readers_);
  auto place = place_of_newest(version);
  if (!place) return std::unexpected(place.error());
  if (!*place) return true;  // Borrowed memory: find_active does not leave such a node.
  auto expired = has_expired(version, **place);
  if (!expired) return std::unexpected(expired.error());
  return !*expired;
}

Result<bool> Store::holds(const Newest& newest, std::string_view key, PutIf condition,
                          std::string_view expected) const {
  if (condition == PutIf::always) return true;
  auto live = is_live(newest);
  if (!live || condition == PutIf::present) return live;
  if (condition == PutIf::missing) return !*live;
  if (!*live) return false;
  const os::ReadSections::Section section(readers_);
  auto place = place_of_newest(*newest.version);
  if (!place) return std::unexpected(place.error());
  auto value = read_value(*newest.version, key, **place);
  if (!value) return std::unexpected(value.error());
  return value->bytes == expected;
}

index::KeyNode* Store::stage(const NewRecord& record, std::uint64_t hash, index::KeyNode* node) {
  format::RecordHeader header{
      .hash = hash,
      // Only what expires needs the exact time.
      .timestamp_ns = record.timestamp_ns != 0  ? record.timestamp_ns
                      : record.ttl_seconds != 0 ? now_ns()
                                                : about_now_ns(),
      .type = record.type,
      .encoding = record.encoding,
      .flags = static_cast<std::uint16_t>((record.more_of_batch ? format::kFlagMoreOfBatch : 0u) |
                                          (static_cast<unsigned>(record.kind) << format::kFlagKindShift)),
      .ttl_seconds = record.ttl_seconds};
  // From so much on another write of the file costs less than a copy. In sync mode the caller waits for the commit
  // anyway; in relaxed mode commit() does not return before what is borrowed is in the file.
  constexpr std::uint64_t kBorrowFromBytes = 32 * 1024;
  const auto staged = journal_->stage(header, record.key, record.value, kBorrowFromBytes);
  const bool is_put = record.type == format::RecordType::put;
  const index::Version version{
      .paddr = staged.paddr,
      .seqno = staged.seqno,
      .record_bytes = record_bytes(record.key, record.value),
      .flags = (is_put ? 0u : index::Version::kDelete) | (record.ttl_seconds != 0 ? index::Version::kExpires : 0u)};
  if (node != nullptr) {
    const index::Version* const before = node->newest.load(std::memory_order_relaxed);
    if (before != nullptr) delta_dead_bytes_.fetch_add(before->record_bytes, std::memory_order_relaxed);
  } else {
    sample(hash);
  }
  node = active_->delta.push(node, hash, version);
  open_group_->staged.push_back(node);
  journal_bytes_.fetch_add(version.record_bytes, std::memory_order_relaxed);
  if (is_put) new_keys_.add(record.key.size());
  delta_memory_.store(active_->delta.memory_bytes(), std::memory_order_relaxed);
  return node;
}

// Does this key, which is new to the active delta, take the place of another record? A put need not know that; how many
// do says when compaction will be due (upkeep.h), and for that some are enough, told by their hashes.
void Store::sample(std::uint64_t hash) {
  constexpr std::uint64_t kOneOf = 64;
  if (++new_in_delta_ % kOneOf != 0) return;
  bool found = false;
  {
    const os::ReadSections::Section section(readers_);
    const ReadState& now = state();
    if (now.frozen) found = now.frozen->delta.find(hash, [](const index::KeyNode&) { return true; }) != nullptr;
    if (!found && !now.base->empty()) {
      // A page that cannot be read is the affair of those who need it.
      (void)now.base->hashes().find(hash, [&](std::uint64_t) {
        found = true;
        return false;
      });
    }
  }
  samples_.fetch_add(1, std::memory_order_relaxed);
  if (found) sampled_replaced_.fetch_add(1, std::memory_order_relaxed);
}

Result<void> Store::prepare(std::uint64_t bytes, bool only_removes) {
  auto prepared = journal_->prepare(bytes, only_removes);
  if (!prepared && journal_->sync_failed()) poisoned_ = true;
  return prepared;
}

Result<void> Store::write_one(std::unique_lock<std::mutex>& lock, const NewRecord& record, std::uint64_t hash,
                              index::KeyNode* node) {
  const bool removes = record.type == format::RecordType::remove;
  if (auto prepared = prepare(record_bytes(record.key, record.value), removes); !prepared) return prepared;
  stage(record, hash, node);
  return commit(lock);
}

Result<bool> Store::put(std::string_view key, std::string_view value, const PutOptions& options) {
  const os::Stopwatch stopwatch(measure_write());
  if (auto limits = check_limits(key, value.size(), options.kind); !limits) return std::unexpected(limits.error());
  const std::uint64_t hash = format::hash_key(key, head_.superblock.hash_seed);
  std::string room = std::move(payload_room);
  format::EncodedValue encoded = encode(value, room);
  std::unique_lock lock(write_mutex_);
  if (auto writable = begin_writing(lock); !writable) return std::unexpected(writable.error());
  index::KeyNode* node = nullptr;
  if (options.condition == PutIf::always) {
    auto found = find_active(lock, hash, key);
    if (!found) return std::unexpected(found.error());
    node = *found;
  } else {
    auto newest = find_newest(lock, hash, key);
    if (!newest) return std::unexpected(newest.error());
    auto held = holds(*newest, key, options.condition, options.expected);
    if (!held || !*held) return held;
    node = newest->node;
  }
  encode_anew_if_stale(value, encoded, room);
  auto written = write_one(lock,
                           {.key = key,
                            .value = encoded.payload,
                            .ttl_seconds = options.ttl_seconds,
                            .kind = options.kind,
                            .encoding = encoded.encoding},
                           hash, node);
  if (!written) return std::unexpected(written.error());
  lock.unlock();
  trim(room);
  payload_room = std::move(room);
  counters_.puts.fetch_add(1, std::memory_order_relaxed);
  after_write();
  return true;
}

Result<bool> Store::remove(std::string_view key) {
  return with_room_for_removing([&] { return remove_now(key); });
}

Result<bool> Store::remove_now(std::string_view key) {
  const os::Stopwatch stopwatch(measure_write());
  if (auto limits = check_limits(key, 0, ValueKind::bytes); !limits) return std::unexpected(limits.error());
  const std::uint64_t hash = format::hash_key(key, head_.superblock.hash_seed);
  std::unique_lock lock(write_mutex_);
  if (auto writable = begin_writing(lock); !writable) return std::unexpected(writable.error());
  auto newest = find_newest(lock, hash, key);
  if (!newest) return std::unexpected(newest.error());
  if (!newest->has_value()) return false;
  auto live = is_live(*newest);
  if (!live) return std::unexpected(live.error());
  // An expired value is removed too, so that its space can be given back, but it was not there.
  auto written = write_one(lock, {.type = format::RecordType::remove, .key = key, .value = {}}, hash, newest->node);
  if (!written) return std::unexpected(written.error());
  lock.unlock();
  if (*live) counters_.deletes.fetch_add(1, std::memory_order_relaxed);
  after_write();
  return *live;
}

Result<bool> Store::write(const Batch& batch, std::uint64_t* removed) {
  const bool puts = std::ranges::any_of(
      batch.operations(), [](const auto& operation) { return operation.type == Batch::Operation::Type::put; });
  if (puts) return write_now(batch, removed);
  return with_room_for_removing([&] { return write_now(batch, removed); });
}

void Store::encode_batch(const Batch& batch, std::vector<Payload>& payloads, std::string& room) const {
  payloads.assign(batch.size(), {});
  std::size_t used = 0;
  std::string one;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Batch::Operation& operation = batch.operations()[i];
    if (operation.type != Batch::Operation::Type::put) continue;
    const format::EncodedValue encoded = encode(operation.value, one);
    if (encoded.encoding == format::Encoding::raw) continue;
    payloads[i] = {
        .encoding = encoded.encoding, .dictionary = encoded.dictionary, .at = used, .bytes = encoded.payload.size()};
    if (room.size() < used + encoded.payload.size()) {
      room.resize(std::max<std::size_t>(2 * room.size(), used + encoded.payload.size()));
    }
    std::ranges::copy(encoded.payload, room.begin() + static_cast<std::ptrdiff_t>(used));
    used += encoded.payload.size();
  }
}

Result<bool> Store::write_now(const Batch& batch, std::uint64_t* removed) {
  const os::Stopwatch stopwatch(measure_write());
  using Operation = Batch::Operation;
  std::uint64_t bytes = 0;
  for (const Operation& operation : batch.operations()) {
    if (auto limits = check_limits(operation.key, operation.value.size(), operation.kind); !limits) {
      return std::unexpected(limits.error());
    }
    bytes += record_bytes(operation.key, operation.value);
  }
  if (bytes > kBatchMaxBytes) {
    return os::failure(ErrorCode::invalid_argument, "The batch is larger than 1 TiB. Write it in smaller parts.",
                       path_);
  }
  // All payloads side by side, before the lock is taken.
  std::vector<Payload> payloads;
  std::string room = std::move(payload_room);
  if (level_.load(std::memory_order_relaxed) != 0) encode_batch(batch, payloads, room);
  std::unique_lock lock(write_mutex_);
  if (auto writable = begin_writing(lock); !writable) return std::unexpected(writable.error());

  // First every key is looked up, which may wait; then everything is staged in one go, which may not.
  struct Key {
    Newest before;                    // Of a key that is put without a condition only the node is looked up.
    const Operation* last = nullptr;  // What the batch has done with it so far.
    [[nodiscard]] bool has_value() const {
      return last != nullptr ? last->type == Operation::Type::put : before.has_value();
    }
  };
  std::vector<std::uint64_t> hash_of;  // Of each operation's key.
  hash_of.reserve(batch.size());
  for (const Operation& operation : batch.operations()) {
    hash_of.push_back(format::hash_key(operation.key, head_.superblock.hash_seed));
  }
  // Only if two keys may be the same, operations look for those before them that had it.
  std::vector<std::uint64_t> sorted = hash_of;
  std::ranges::sort(sorted);
  const bool may_repeat = std::ranges::adjacent_find(sorted) != sorted.end();
  std::vector<Key> keys;                                    // Of the operations; one for all of the same key.
  std::unordered_map<std::string_view, std::size_t> known;  // Where in `keys`.
  struct Staged {
    const Operation* operation;
    std::uint64_t hash;
    std::size_t key;
    std::size_t number;  // Of the operation in the batch.
  };
  std::vector<Staged> staged;
  keys.reserve(batch.size());
  staged.reserve(batch.size());
  std::uint64_t found_and_removed = 0;
  for (bool again = true; again;) {
    again = false;
    keys.clear();
    known.clear();
    staged.clear();
    found_and_removed = 0;
    const std::uint64_t seqno_before = journal_->next_seqno();
    const std::shared_ptr<Layer> active_before = active_;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const Operation& operation = batch.operations()[i];
      const std::uint64_t hash = hash_of[i];
      prefetch_ahead(*active_, hash_of, i);
      const bool is_put = operation.type == Operation::Type::put;
      std::size_t place = keys.size();
      if (may_repeat) place = known.try_emplace(operation.key, place).first->second;
      if (place == keys.size()) {
        Key key;
        if (is_put && operation.condition == PutIf::always) {
          auto node = find_active(lock, hash, operation.key);
          if (!node) return std::unexpected(node.error());
          key.before.node = *node;
        } else {
          auto newest = find_newest(lock, hash, operation.key);
          if (!newest) return std::unexpected(newest.error());
          key.before = *newest;
        }
        if (journal_->next_seqno() != seqno_before || active_ != active_before) {
          again = true;  // The lock was let go for a moment, and somebody wrote, or a checkpoint began.
          break;
        }
        keys.push_back(key);
      }
      Key& key = keys[place];
      if (operation.condition != PutIf::always) {
        Result<bool> held = false;
        if (key.last == nullptr) {
          held = holds(key.before, operation.key, operation.condition, operation.expected);
        } else if (operation.condition == PutIf::equals) {
          held = key.has_value() && key.last->value == operation.expected;
        } else {
          held = key.has_value() == (operation.condition == PutIf::present);
        }
        if (!held || !*held) return held;
      }
      if (operation.type == Operation::Type::check) continue;
      // Removing what isn't there writes nothing.
      if (is_put || key.has_value()) {
        staged.push_back({.operation = &operation, .hash = hash, .key = place, .number = i});
      }
      if (removed != nullptr && !is_put && key.last == nullptr) {
        auto live = is_live(key.before);
        if (!live) return std::unexpected(live.error());
        found_and_removed += *live ? 1 : 0;
      }
      key.last = &operation;
    }
  }
  if (removed != nullptr) *removed = found_and_removed;
  if (staged.empty()) return true;

  bytes = 0;
  bool only_removes = true;
  const format::Dictionary* const dictionary = dictionary_.load(std::memory_order_acquire);
  const std::uint16_t dictionary_id = dictionary != nullptr ? dictionary->id() : 0;
  if (std::ranges::any_of(payloads,
                          [&](const Payload& one) { return one.dictionary != 0 && one.dictionary != dictionary_id; })) {
    encode_batch(batch, payloads, room);
  }
  const auto stored_value = [&](const Staged& one) -> std::string_view {
    if (one.operation->type == Operation::Type::remove) return {};
    if (payloads.empty() || payloads[one.number].encoding == format::Encoding::raw) return one.operation->value;
    return std::string_view(room).substr(payloads[one.number].at, payloads[one.number].bytes);
  };
  for (const Staged& one : staged) {
    bytes += record_bytes(one.operation->key, stored_value(one));
    only_removes = only_removes && one.operation->type == Operation::Type::remove;
  }
  if (auto prepared = prepare(bytes, only_removes); !prepared) return std::unexpected(prepared.error());
  std::uint64_t puts = 0;
  for (std::size_t i = 0; i < staged.size(); ++i) {
    const Operation& operation = *staged[i].operation;
    const bool is_put = operation.type == Operation::Type::put;
    puts += is_put ? 1 : 0;
    Newest& key = keys[staged[i].key].before;
    key.node =
        stage({.type = is_put ? format::RecordType::put : format::RecordType::remove,
               .key = operation.key,
               .value = stored_value(staged[i]),
               .ttl_seconds = is_put ? operation.ttl_seconds : 0,
               .kind = is_put ? operation.kind : ValueKind::bytes,
               .encoding = is_put && !payloads.empty() ? payloads[staged[i].number].encoding : format::Encoding::raw,
               .more_of_batch = i + 1 < staged.size()},
              staged[i].hash, key.node);
  }
  if (auto committed = commit(lock); !committed) return std::unexpected(committed.error());
  lock.unlock();
  trim(room);
  payload_room = std::move(room);
  counters_.batches.fetch_add(1, std::memory_order_relaxed);
  counters_.puts.fetch_add(puts, std::memory_order_relaxed);
  counters_.deletes.fetch_add(staged.size() - puts, std::memory_order_relaxed);
  after_write();
  return true;
}

Result<std::uint64_t> Store::remove_prefix(std::string_view prefix) {
  // So small that the space that is kept for removing on a full disk is enough for several of them.
  constexpr std::size_t kBatchKeys = 256;
  constexpr std::size_t kBatchKeyBytes = 16 * 1024;
  if (auto writable = check_writable(); !writable) return std::unexpected(writable.error());
  if (auto ready = before_reading(); !ready) return std::unexpected(ready.error());
  std::uint64_t removed = 0;
  Batch batch;
  std::size_t key_bytes = 0;
  std::optional<Error> error;
  const auto write_batch = [&] {
    std::uint64_t found = 0;
    if (auto written = write_now(batch, &found); !written) error = written.error();
    if (!error) removed += found;
    batch.clear();
    key_bytes = 0;
    return !error;
  };
  const ScanOptions keys{.prefix = std::string(prefix), .keys_only = true};
  std::optional<std::uint64_t> removed_before;  // When room was made the last time.
  for (;;) {
    auto scanned = scan(snapshot(), keys, [&](Entry&& entry) {
      key_bytes += entry.key.size();
      batch.remove(entry.key);
      return (batch.size() < kBatchKeys && key_bytes < kBatchKeyBytes) || write_batch();
    });
    if (!error) write_batch();
    if (error && error->code == ErrorCode::full) {
      // What this scan holds could not be given back while it lasts. What has been removed a new one does not meet.
      batch.clear();
      key_bytes = 0;
      if (removed_before == removed || !make_room_for_removing()) return std::unexpected(*error);
      removed_before = removed;
      error.reset();
      continue;
    }
    if (error) return std::unexpected(*error);
    if (!scanned) return std::unexpected(scanned.error());
    return removed;
  }
}

Result<void> Store::restore(std::span<const SalvagedRecord> records) {
  if (records.empty()) return {};
  std::vector<std::string> payloads(records.size());
  std::vector<format::EncodedValue> encoded(records.size());
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    encoded[i] = encode(records[i].value, payloads[i]);
    if (encoded[i].encoding == format::Encoding::raw) std::string().swap(payloads[i]);
    bytes += record_bytes(records[i].key, encoded[i].payload);
  }
  std::unique_lock lock(write_mutex_);
  if (auto writable = begin_writing(lock); !writable) return writable;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::size_t before = encoded[i].payload.size();
    encode_anew_if_stale(records[i].value, encoded[i], payloads[i]);
    bytes += encoded[i].payload.size() - before;
  }
  if (auto prepared = prepare(bytes); !prepared) return prepared;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const SalvagedRecord& record = records[i];
    // Every key comes once and the bucket is new, so no key has a node yet.
    stage({.key = record.key,
           .value = encoded[i].payload,
           .ttl_seconds = record.header.ttl_seconds,
           .timestamp_ns = record.header.timestamp_ns,
           .kind = static_cast<ValueKind>(record.header.kind()),
           .encoding = encoded[i].encoding,
           .more_of_batch = &record != &records.back()},
          format::hash_key(record.key, head_.superblock.hash_seed), nullptr);
  }
  auto committed = commit(lock);
  lock.unlock();
  after_write();
  return committed;
}

Result<void> Store::update(std::string_view key,
                           const std::function<Result<Update>(const std::optional<Value>&)>& decide) {
  const os::Stopwatch stopwatch(measure_write());
  if (auto limits = check_limits(key, 0, ValueKind::bytes); !limits) return limits;
  const std::uint64_t hash = format::hash_key(key, head_.superblock.hash_seed);
  std::unique_lock lock(write_mutex_);
  if (auto writable = begin_writing(lock); !writable) return writable;
  auto newest = find_newest(lock, hash, key);
  if (!newest) return std::unexpected(newest.error());
  auto live = is_live(*newest);
  if (!live) return std::unexpected(live.error());
  std::optional<Value> current;
  if (*live) {
    const os::ReadSections::Section section(readers_);
    auto place = place_of_newest(*newest->version);
    if (!place) return std::unexpected(place.error());
    auto value = read_value(*newest->version, key, **place);
    if (!value) return std::unexpected(value.error());
    current = std::move(*value);
  }
  auto decision = decide(current);
  if (!decision) return std::unexpected(decision.error());
  switch (decision->action) {
    case Update::Action::keep:
      return {};
    case Update::Action::remove: {
      if (!newest->has_value()) return {};
      auto written = write_one(lock, {.type = format::RecordType::remove, .key = key, .value = {}}, hash, newest->node);
      lock.unlock();
      if (written && *live) counters_.deletes.fetch_add(1, std::memory_order_relaxed);
      after_write();
      return written;
    }
    case Update::Action::put: {
      if (auto limits = check_limits(key, decision->value.size(), decision->kind); !limits) return limits;
      std::uint32_t ttl_seconds = decision->ttl_seconds;
      std::int64_t timestamp_ns = 0;
      if (decision->keep_expiry) {
        ttl_seconds = 0;
        if (current && current->ttl_seconds != 0) {
          // A record expires whole seconds after its timestamp. So that the moment stays the same to the nanosecond,
          // however often the value is updated, the timestamp is dated back by less than a second.
          const std::int64_t expiry_ns = *current->expires_at_ns();
          const std::int64_t left_ns = std::max<std::int64_t>(expiry_ns - now_ns(), 1);
          ttl_seconds = static_cast<std::uint32_t>((left_ns + 999'999'999) / 1'000'000'000);
          timestamp_ns = expiry_ns - std::int64_t{ttl_seconds} * 1'000'000'000;
        }
      }
      // Under the lock: nobody knew the value before.
      std::string room = std::move(payload_room);
      const format::EncodedValue encoded = encode(decision->value, room);
      auto written = write_one(lock,
                               {.key = key,
                                .value = encoded.payload,
                                .ttl_seconds = ttl_seconds,
                                .timestamp_ns = timestamp_ns,
                                .kind = decision->kind,
                                .encoding = encoded.encoding},
                               hash, newest->node);
      lock.unlock();
      trim(room);
      payload_room = std::move(room);
      if (written) counters_.puts.fetch_add(1, std::memory_order_relaxed);
      after_write();
      return written;
    }
  }
  return {};
}

}  // namespace kvb::store
