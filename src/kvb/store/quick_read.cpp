// The usual read, in as few steps as it takes: a key that is there, undamaged, whose hash nobody shares; or one that is
// not there. It looks at nothing twice and gives up at whatever is not as usual: a second slot of the same hash, a page
// that was not checked yet, a checksum that is wrong, a fault in the mapping, a removed key. Then the ordinary lookup
// in read.cpp does all of it again, and judges. So nothing is decided here that could be wrong: what it returns has
// passed every check that read.cpp makes, and an absence is one that the index pages, checked before, say.

#include <array>
#include <cstring>

#include "kvb/format/hash.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

// A compressed value, as long as it is being decoded.
thread_local std::string payload_room;
constexpr std::size_t kMostKeptBytes = std::size_t{1} << 20;

}  // namespace

using format::kRecordHeaderBytes;

Store::QuickPlace Store::find_quickly(const ReadState& state, std::uint64_t hash, std::uint64_t limit) const noexcept {
  for (const Layer* const layer : {state.active.get(), state.frozen.get()}) {
    if (layer == nullptr) continue;
    const index::KeyNode* const node = layer->delta.find(hash, [](const index::KeyNode&) { return true; });
    if (node == nullptr) continue;
    const index::Version* const version = node->visible(limit);
    // If it cannot be seen yet: another key, or a layer below, may have the hash.
    if (version == nullptr || version->is_delete() || version->is_damaged()) return {.kind = QuickPlace::Kind::unsure};
    return {.kind = QuickPlace::Kind::at, .paddr = version->paddr, .seqno = version->seqno};
  }
  return find_quickly(*state.base, hash);
}

Store::QuickPlace Store::find_quickly(const index::Base& base, std::uint64_t hash) const noexcept {
  if (base.empty()) return {.kind = QuickPlace::Kind::nothing};
  std::uint64_t paddr = 0;
  switch (base.hashes().find_quickly(hash, paddr)) {
    case index::HashIndex::Quick::none:
      return {.kind = QuickPlace::Kind::nothing};
    case index::HashIndex::Quick::one:
      return {.kind = QuickPlace::Kind::at, .paddr = paddr};
    case index::HashIndex::Quick::unsure:
      break;
  }
  return {.kind = QuickPlace::Kind::unsure};
}

const std::byte* Store::mapped_record(std::uint64_t paddr, std::uint64_t bytes, RecordPlace& place) const noexcept {
  const log::Segment* const segment = segments_.find(paddr);
  if (segment == nullptr) return nullptr;
  const std::uint64_t offset = paddr - segment->paddr();
  place = {.bytes = segment->at(offset, bytes), .offset = offset, .life = segment->life, .mapped = true};
  return place.bytes;
}

bool Store::read_quickly(const QuickPlace& found, std::uint64_t hash, std::string_view key, bool with_bytes,
                         Value& value) const {
  RecordPlace place;
  if (mapped_record(found.paddr, format::kRecordOverheadBytes + key.size(), place) == nullptr) return false;
  __builtin_prefetch(place.bytes + 64);
  __builtin_prefetch(place.bytes + 128);
  // Everything is copied out before it is checked, so what was checked is what goes out.
  std::array<std::byte, kRecordHeaderBytes> header_bytes;
  std::memcpy(header_bytes.data(), place.bytes, kRecordHeaderBytes);
  const auto header = format::decode_record_header(header_bytes, format::record_seed(place.life, place.offset));
  const bool expected = header && header->hash == hash && header->key_bytes == key.size() &&
                        header->type == format::RecordType::put && (found.seqno == 0 || header->seqno == found.seqno);
  if (!expected || mapped_record(found.paddr, header->record_bytes(), place) == nullptr) return false;
  const std::byte* const key_at = place.bytes + kRecordHeaderBytes;
  if (std::memcmp(key_at, key.data(), key.size()) != 0) return false;
  value.kind = static_cast<ValueKind>(header->kind());
  value.seqno = header->seqno;
  value.written_at_ns = header->timestamp_ns;
  value.ttl_seconds = header->ttl_seconds;
  if (!with_bytes) {
    value.bytes.clear();
    return true;
  }
  const std::byte* const value_at = key_at + key.size();
  const std::size_t value_bytes = header->value_bytes;
  // The length is not taken from the call: libstdc++ 12 passes what it has allocated, which may be more.
  const bool encoded = header->encoding != format::Encoding::raw;
  if (encoded && value_bytes > kMostKeptBytes) return false;
  std::string& stored = encoded ? payload_room : value.bytes;
  stored.resize_and_overwrite(value_bytes, [value_bytes](char*, std::size_t) { return value_bytes; });
  if (value_bytes != 0) std::memcpy(stored.data(), value_at, value_bytes);
  std::uint32_t crc = format::load_le<std::uint32_t>(header_bytes.data());
  crc = format::crc32c_extend(crc, key);
  crc = format::crc32c_extend(crc, std::string_view(stored));
  if (crc != format::load_le<std::uint32_t>(value_at + value_bytes)) return false;
  return !encoded || format::decode_value(header->encoding, stored, shelf_, value.bytes) == format::DecodeFault::none;
}

std::optional<std::optional<Value>> Store::get_quickly(const ReadState& state, std::uint64_t hash, std::string_view key,
                                                       std::uint64_t limit, std::int64_t as_of_ns) const {
  const os::MappedGuard guard(nullptr, os::kAnywhere);
  return get_quickly(find_quickly(state, hash, limit), hash, key, as_of_ns, guard);
}

std::optional<std::optional<Value>> Store::get_quickly(const QuickPlace& found, std::uint64_t hash,
                                                       std::string_view key, std::int64_t as_of_ns,
                                                       const os::MappedGuard& guard) const {
  std::optional<std::optional<Value>> answer;
  switch (found.kind) {
    case QuickPlace::Kind::unsure:
      return answer;
    case QuickPlace::Kind::nothing:
      if (guard.verdict() == os::MappedGuard::Verdict::good) answer.emplace();
      return answer;
    case QuickPlace::Kind::at:
      break;
  }
  Value& value = answer.emplace().emplace();
  if (!read_quickly(found, hash, key, true, value) || guard.verdict() != os::MappedGuard::Verdict::good) {
    answer.reset();
    return answer;
  }
  if (const auto expiry = value.expires_at_ns(); expiry && is_over(value.written_at_ns, *expiry, as_of_ns)) {
    answer->reset();
  } else {
    read_counters_.add(kHits);
  }
  return answer;
}

}  // namespace kvb::store
