// Reading one key. What is returned has been checked: the record's checksum is computed over the very bytes that go
// out, with the key that was asked for, so a wrong answer would need a checksum collision. A record of equal hash and
// another key is either a real collision, or a damaged key; the checksum decides which (never a silent miss).

#include <array>
#include <cstring>

#include "kvb/format/hash.h"
#include "kvb/os/mapped_read.h"
#include "kvb/os/system_error.h"
#include "kvb/store/read_bytes.h"
#include "kvb/store/store.h"

namespace kvb::store {

using format::kRecordHeaderBytes;

std::unexpected<Error> Store::damaged_record(const index::Version& version, std::uint64_t hash) const {
  Error error{.code = ErrorCode::damaged,
              .message = "The record of this key is damaged: its checksum is wrong (record " +
                         std::to_string(version.seqno) +
                         "). The other keys are not concerned. Restore it from a copy, or store the key anew.",
              .path = path_,
              .offset_bytes = version.paddr,
              .key_hash = hash};
  return std::unexpected(std::move(error));
}

Result<Store::RecordPlace> Store::place_of(const index::Version& version) const {
  const log::Segment* segment = segments_.find(version.paddr);
  const std::uint64_t offset = segment != nullptr ? version.paddr - segment->paddr() : 0;
  const std::byte* const bytes = segment != nullptr ? segment->at(offset, version.record_bytes) : nullptr;
  if (bytes == nullptr) {
    return os::failure(ErrorCode::damaged, "A record lies outside the log. The file was changed while it was open.",
                       path_, version.paddr);
  }
  return RecordPlace{.bytes = bytes, .offset = offset, .life = segment->life, .mapped = true};
}

void Store::prefetch_record(std::uint64_t paddr) const noexcept {
  RecordPlace place;
  if (mapped_record(paddr, kRecordHeaderBytes, place) == nullptr) return;
  __builtin_prefetch(place.bytes);
  __builtin_prefetch(place.bytes + 64);
  __builtin_prefetch(place.bytes + 128);
}

void Store::prefetch_record(const index::KeyNode& node) const noexcept {
  if (const auto* const newest = node.newest.load(std::memory_order_acquire)) prefetch_record(newest->paddr);
}

std::string_view Store::key_of(const index::KeyNode& node) const noexcept {
  // Every version of a node has the same key, and a node comes into an order when its oldest version has been written.
  const index::Version* version = node.visible(published_.load(std::memory_order_relaxed));
  if (version == nullptr) {
    // Its group is just being published: it is in the file, its oldest version first.
    version = node.newest.load(std::memory_order_acquire);
    while (version != nullptr && version->older != nullptr) version = version->older;
  }
  const log::Segment* segment = version != nullptr ? segments_.find(version->paddr) : nullptr;
  const std::byte* const record =
      segment != nullptr ? segment->at(version->paddr - segment->paddr(), version->record_bytes) : nullptr;
  if (record == nullptr) return {};
  const auto key_bytes = format::load_le<std::uint32_t>(record + 32);
  return {reinterpret_cast<const char*>(record) + kRecordHeaderBytes,
          std::min<std::uint64_t>(key_bytes, version->record_bytes - format::kRecordOverheadBytes)};
}

Result<index::Version> Store::version_at(std::uint64_t paddr, std::uint64_t hash) const {
  const auto damaged = [&] { return damaged_record({.paddr = paddr}, hash); };
  const log::Segment* segment = segments_.find(paddr);
  if (segment == nullptr) return damaged();
  const std::uint64_t offset = paddr - segment->paddr();
  const std::byte* const bytes = segment->at(offset, kRecordHeaderBytes);
  if (bytes == nullptr) return damaged();
  auto header = read_header({.bytes = bytes, .offset = offset, .life = segment->life, .mapped = true}, paddr);
  if (!header) {
    if (header.error().code == ErrorCode::damaged) return damaged();
    return std::unexpected(header.error());
  }
  if (header->hash != hash) return damaged();
  // A slot never names a delete, but one that was damaged when it was replayed: what it deleted is not known.
  const bool is_delete = header->type == format::RecordType::remove;
  return index::Version{.paddr = paddr,
                        .seqno = header->seqno,
                        .record_bytes = header->record_bytes(),
                        .flags = (is_delete ? index::Version::kDelete | index::Version::kDamaged : 0u) |
                                 (header->ttl_seconds != 0 ? index::Version::kExpires : 0u)};
}

Result<format::RecordHeader> Store::read_header(const RecordPlace& place, std::uint64_t paddr) const {
  std::optional<format::RecordHeader> header;
  auto read = read_bytes(place, paddr, kRecordHeaderBytes, [&] {
    header =
        format::decode_record_header(std::span<const std::byte, kRecordHeaderBytes>(place.bytes, kRecordHeaderBytes),
                                     format::record_seed(place.life, place.offset));
  });
  if (!read) return std::unexpected(read.error());
  if (!header) {
    return os::failure(ErrorCode::damaged,
                       "The header of a record is damaged. Restore the bucket from a copy, or store the key anew.",
                       path_, paddr);
  }
  return *header;
}

Result<bool> Store::is_whole(const index::Version& version, const RecordPlace& place) const {
  bool whole = false;
  auto read = read_bytes(place, version.paddr, version.record_bytes, [&] {
    const format::Bytes record(place.bytes, version.record_bytes);
    const auto header =
        format::decode_record_header(record.first<kRecordHeaderBytes>(), format::record_seed(place.life, place.offset));
    whole = header && header->record_bytes() == version.record_bytes && header->seqno == version.seqno &&
            format::check_record_body(record);
  });
  if (!read) return std::unexpected(read.error());
  return whole;
}

Result<bool> Store::holds_key(const index::Version& version, std::string_view key, const RecordPlace& place) const {
  if (key.size() + format::kRecordOverheadBytes <= version.record_bytes) {
    bool same = false;
    auto read = read_bytes(place, version.paddr, kRecordHeaderBytes + key.size(), [&] {
      same = format::load_le<std::uint32_t>(place.bytes + 32) == key.size() &&
             std::memcmp(place.bytes + kRecordHeaderBytes, key.data(), key.size()) == 0;
    });
    if (!read) return std::unexpected(read.error());
    if (same) return true;
  }
  auto whole = is_whole(version, place);
  if (!whole) return std::unexpected(whole.error());
  if (!*whole) return damaged_record(version, format::hash_key(key, head_.superblock.hash_seed));
  return false;
}

Result<bool> Store::has_expired(const index::Version& version, const RecordPlace& place, std::int64_t as_of_ns) const {
  if (!version.expires()) return false;
  auto header = read_header(place, version.paddr);
  if (!header) return std::unexpected(header.error());
  return is_over(header->timestamp_ns, header->expires_at_ns(), as_of_ns);
}

Result<Value> Store::read_value(const index::Version& version, std::string_view key, const RecordPlace& place,
                                bool with_bytes) const {
  const std::uint64_t hash = format::hash_key(key, head_.superblock.hash_seed);
  if (version.is_damaged()) return damaged_record(version, hash);
  std::array<std::byte, kRecordHeaderBytes> header_bytes;
  auto read = read_bytes(place, version.paddr, kRecordHeaderBytes,
                         [&] { std::memcpy(header_bytes.data(), place.bytes, kRecordHeaderBytes); });
  if (!read) return std::unexpected(read.error());
  const auto header = format::decode_record_header(header_bytes, format::record_seed(place.life, place.offset));
  if (!header || header->seqno != version.seqno || header->record_bytes() != version.record_bytes ||
      header->key_bytes != key.size()) {
    return damaged_record(version, hash);
  }
  Value value{.bytes = {},
              .kind = static_cast<ValueKind>(header->kind()),
              .seqno = header->seqno,
              .written_at_ns = header->timestamp_ns,
              .ttl_seconds = header->ttl_seconds};
  std::uint32_t stored_crc = 0;
  std::string payload;
  const bool encoded = header->encoding != format::Encoding::raw;
  std::string& stored = encoded ? payload : value.bytes;
  const std::byte* body = place.bytes + kRecordHeaderBytes + key.size();
  // The length is not taken from the call: libstdc++ 12 passes what it has allocated, which may be more.
  const std::size_t value_bytes = header->value_bytes;
  stored.resize_and_overwrite(value_bytes, [value_bytes](char*, std::size_t) { return value_bytes; });
  read = read_bytes(place, version.paddr, version.record_bytes, [&] {
    if (header->value_bytes != 0) std::memcpy(stored.data(), body, header->value_bytes);
    stored_crc = format::load_le<std::uint32_t>(body + header->value_bytes);
  });
  if (!read) return std::unexpected(read.error());
  std::uint32_t crc = format::load_le<std::uint32_t>(header_bytes.data());
  crc = format::crc32c_extend(crc, key);
  crc = format::crc32c_extend(crc, std::string_view(stored));
  if (crc != stored_crc) return damaged_record(version, hash);
  if (!with_bytes) {
    value.bytes.clear();
  } else if (encoded) {
    auto decoded = decode(header->encoding, payload, value.bytes, version.paddr, hash);
    if (!decoded) return std::unexpected(decoded.error());
  }
  return value;
}

Result<std::optional<index::Version>> Store::find_in(const Layer& layer, std::uint64_t hash, std::string_view key,
                                                     std::uint64_t limit) const {
  std::optional<Error> error;
  std::optional<index::Version> found;
  (void)layer.delta.find(hash, [&](const index::KeyNode& node) {
    const index::Version* version = node.visible(limit);
    if (version == nullptr || error) return false;
    if (!version->is_damaged()) {
      auto place = place_of(*version);
      if (!place) {
        error = place.error();
        return false;
      }
      auto same = holds_key(*version, key, *place);
      if (!same) error = same.error();
      if (!same || !*same) return false;
    }
    found = *version;
    return true;
  });
  if (!found && error) return std::unexpected(*error);
  return found;
}

Result<std::optional<index::Version>> Store::find_in(const index::Base& base, std::uint64_t hash,
                                                     std::string_view key) const {
  std::optional<index::Version> found;
  std::optional<Error> error;
  auto searched = base.hashes().find(hash, [&](std::uint64_t paddr) {
    auto version = version_at(paddr, hash);
    if (!version) {
      error = version.error();
      return true;
    }
    if (!version->is_damaged()) {
      auto place = place_of(*version);
      auto same = place ? holds_key(*version, key, *place) : Result<bool>(std::unexpected(place.error()));
      if (!same) error = same.error();
      if (!same || !*same) return true;
    }
    found = *version;
    return false;
  });
  if (!searched) {
    if (searched.error().path.empty()) searched.error().path = path_;
    searched.error().key_hash = hash;
    return std::unexpected(searched.error());
  }
  if (!found && error) return std::unexpected(*error);
  return found;
}

Result<std::optional<index::Version>> Store::find_visible(const ReadState& state, std::uint64_t hash,
                                                          std::string_view key, std::uint64_t limit) const {
  for (const Layer* layer : {state.active.get(), state.frozen.get()}) {
    if (layer == nullptr) continue;
    auto found = find_in(*layer, hash, key, limit);
    if (!found || *found) return found;
  }
  if (state.base->empty()) return std::optional<index::Version>{};
  return find_in(*state.base, hash, key);
}

Result<std::optional<Value>> Store::value_of(const std::optional<index::Version>& version, std::uint64_t hash,
                                             std::string_view key, std::int64_t as_of_ns) const {
  if (!version || version->is_delete()) {
    if (version && version->is_damaged()) return damaged_record(*version, hash);
    return std::optional<Value>{};
  }
  auto place = place_of(*version);
  if (!place) return std::unexpected(place.error());
  auto value = read_value(*version, key, *place);
  if (!value) return std::unexpected(value.error());
  if (const auto expiry = value->expires_at_ns(); expiry && is_over(value->written_at_ns, *expiry, as_of_ns)) {
    return std::optional<Value>{};
  }
  read_counters_.add(kHits);
  return std::optional<Value>(std::move(*value));
}

Result<std::optional<Value>> Store::get_from(const ReadState& state, std::string_view key, std::uint64_t limit,
                                             std::int64_t as_of_ns) const {
  read_counters_.add(kGets);
  if (key.empty() || key.size() > kMaxKeyBytes) return std::optional<Value>{};
  const std::uint64_t hash = format::hash_key(key, head_.superblock.hash_seed);
  if (auto quick = get_quickly(state, hash, key, limit, as_of_ns)) return std::move(*quick);
  auto version = find_visible(state, hash, key, limit);
  if (!version) return std::unexpected(version.error());
  return value_of(*version, hash, key, as_of_ns);
}

Result<std::optional<Value>> Store::get(std::string_view key) {
  const os::Stopwatch stopwatch(read_counters_.own(kGets) % MeasuredOneIn::get == 0 ? &latencies_.get : nullptr);
  return read_newest([&](const ReadState& now, std::uint64_t limit) { return get_from(now, key, limit, 0); }, key);
}

Result<std::optional<Value>> Store::get(const Snapshot& snapshot, std::string_view key) {
  if (auto usable = check_usable(); !usable) return std::unexpected(usable.error());
  const os::ReadSections::Section section(readers_);
  auto value = get_from(*snapshot.state, key, snapshot.limit, snapshot.as_of_ns);
  if (pin_expired(snapshot.state->base->epoch())) return expired_snapshot();
  return value;
}

Result<bool> Store::contains_in(const ReadState& state, std::string_view key, std::uint64_t limit,
                                std::int64_t as_of_ns) const {
  if (key.empty() || key.size() > kMaxKeyBytes) return false;
  const std::uint64_t hash = format::hash_key(key, head_.superblock.hash_seed);
  auto version = find_visible(state, hash, key, limit);
  if (!version) return std::unexpected(version.error());
  if (!*version) return false;
  if ((*version)->is_damaged()) return damaged_record(**version, hash);
  if ((*version)->is_delete()) return false;
  auto place = place_of(**version);
  if (!place) return std::unexpected(place.error());
  auto expired = has_expired(**version, *place, as_of_ns);
  if (!expired) return std::unexpected(expired.error());
  return !*expired;
}

Result<bool> Store::contains(std::string_view key) {
  return read_newest([&](const ReadState& now, std::uint64_t limit) { return contains_in(now, key, limit, 0); }, key);
}

Result<bool> Store::contains(const Snapshot& snapshot, std::string_view key) {
  if (auto usable = check_usable(); !usable) return std::unexpected(usable.error());
  const os::ReadSections::Section section(readers_);
  auto found = contains_in(*snapshot.state, key, snapshot.limit, snapshot.as_of_ns);
  if (pin_expired(snapshot.state->base->epoch())) return expired_snapshot();
  return found;
}

Result<Entry> Store::read_entry(const index::Version& version, const RecordPlace& place, bool key_only) const {
  auto header = read_header(place, version.paddr);
  if (!header) return std::unexpected(header.error());
  Entry entry;
  entry.key.resize(header->key_bytes);
  auto read = read_bytes(place, version.paddr, kRecordHeaderBytes + header->key_bytes,
                         [&] { std::memcpy(entry.key.data(), place.bytes + kRecordHeaderBytes, header->key_bytes); });
  if (!read) return std::unexpected(read.error());
  // Without the value the key is checked all the same, as long as the value is small; every record was checked when it
  // was written or replayed.
  constexpr std::uint64_t kAlwaysCheckedBytes = 16 * 1024;
  if (key_only && version.record_bytes > kAlwaysCheckedBytes) {
    entry.value = {.bytes = {},
                   .kind = static_cast<ValueKind>(header->kind()),
                   .seqno = header->seqno,
                   .written_at_ns = header->timestamp_ns,
                   .ttl_seconds = header->ttl_seconds};
    return entry;
  }
  auto value = read_value(version, entry.key, place, !key_only);
  if (!value) return std::unexpected(value.error());
  entry.value = std::move(*value);
  return entry;
}

}  // namespace kvb::store
