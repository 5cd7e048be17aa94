#include "kvb/format/record.h"

#include <cstring>

namespace kvb::format {
namespace {

enum Offset : std::size_t {
  kSeqnoAt = 4,
  kHashAt = 12,
  kTimestampAt = 20,
  kTypeAt = 28,
  kEncodingAt = 29,
  kFlagsAt = 30,
  kKeyLengthAt = 32,
  kValueLengthAt = 36,
  kTtlAt = 40,
};

}  // namespace

std::uint32_t encode_record_header(const RecordHeader& header, std::uint32_t seed,
                                   std::span<std::byte, kRecordHeaderBytes> out) noexcept {
  std::byte* p = out.data();
  store_le(p + kSeqnoAt, header.seqno);
  store_le(p + kHashAt, header.hash);
  store_le(p + kTimestampAt, header.timestamp_ns);
  store_le(p + kTypeAt, static_cast<std::uint8_t>(header.type));
  store_le(p + kEncodingAt, static_cast<std::uint8_t>(header.encoding));
  store_le(p + kFlagsAt, header.flags);
  store_le(p + kKeyLengthAt, header.key_bytes);
  store_le(p + kValueLengthAt, header.value_bytes);
  store_le(p + kTtlAt, header.ttl_seconds);
  const std::uint32_t crc = crc32c_extend(seed, out.subspan<kSeqnoAt>());
  store_le(p, crc);
  return crc;
}

std::optional<RecordHeader> decode_record_header(std::span<const std::byte, kRecordHeaderBytes> in,
                                                 std::uint32_t seed) noexcept {
  const std::byte* p = in.data();
  if (load_le<std::uint32_t>(p) != crc32c_extend(seed, in.subspan<kSeqnoAt>())) return std::nullopt;
  RecordHeader header;
  header.seqno = load_le<std::uint64_t>(p + kSeqnoAt);
  header.hash = load_le<std::uint64_t>(p + kHashAt);
  header.timestamp_ns = load_le<std::int64_t>(p + kTimestampAt);
  const auto type = load_le<std::uint8_t>(p + kTypeAt);
  const auto encoding = load_le<std::uint8_t>(p + kEncodingAt);
  header.flags = load_le<std::uint16_t>(p + kFlagsAt);
  header.key_bytes = load_le<std::uint32_t>(p + kKeyLengthAt);
  header.value_bytes = load_le<std::uint32_t>(p + kValueLengthAt);
  header.ttl_seconds = load_le<std::uint32_t>(p + kTtlAt);
  const bool sane =
      type <= static_cast<std::uint8_t>(RecordType::remove) &&
      encoding <= (type == static_cast<std::uint8_t>(RecordType::put) ? static_cast<std::uint8_t>(Encoding::block)
                                                                      : static_cast<std::uint8_t>(Encoding::raw)) &&
      (header.flags & ~kKnownFlags) == 0 && header.key_bytes >= 1 && header.key_bytes <= kMaxKeyBytesOnDisk;
  if (!sane) return std::nullopt;
  header.type = static_cast<RecordType>(type);
  header.encoding = static_cast<Encoding>(encoding);
  return header;
}

void encode_record(const RecordHeader& header, std::string_view key, std::string_view value, std::uint32_t seed,
                   MutableBytes out) noexcept {
  std::uint32_t crc = encode_record_header(header, seed, out.first<kRecordHeaderBytes>());
  std::byte* body = out.data() + kRecordHeaderBytes;
  std::memcpy(body, key.data(), key.size());
  if (!value.empty()) std::memcpy(body + key.size(), value.data(), value.size());
  const std::size_t body_bytes = key.size() + value.size();
  crc = crc32c_extend(crc, Bytes(body, body_bytes));
  store_le(body + body_bytes, crc);
}

bool check_record_body(Bytes record) noexcept {
  const auto header_crc = load_le<std::uint32_t>(record.data());
  const Bytes body = record.subspan(kRecordHeaderBytes, record.size() - kRecordOverheadBytes);
  return load_le<std::uint32_t>(record.data() + record.size() - kRecordTrailerBytes) == crc32c_extend(header_crc, body);
}

}  // namespace kvb::format
