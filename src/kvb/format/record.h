#pragma once
// Records: one PUT or DELETE each, packed one behind the other without gaps.
//
//   offset size
//        0    4  header_crc   CRC32C of bytes 4..43, starting from the record's seed
//        4    8  seqno
//       12    8  hash64       of the key
//       20    8  timestamp_ns wall clock of the write
//       28    1  type         0 PUT, 1 DELETE
//       29    1  encoding     of the value: 0 raw; 1, 2 compressed (value_codec.h)
//       30    2  flags        bit 1: more records of this batch follow; bits 4–7: value kind
//       32    4  key_len
//       36    4  val_len      bytes of the value as it is stored
//       40    4  ttl_secs     0: never expires
//       44       key, then value
//        …    4  record_crc   CRC32C of key and value, continuing from header_crc
//
// The seed of a record is CRC32C over (life of the segment, offset of the record in it). So a record is valid at one
// place of one life only: not copied elsewhere, not left over from an earlier life, not as bytes inside a value.
// record_crc continues from header_crc, which binds the body to its header.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "kvb/format/crc32c.h"
#include "kvb/format/endian.h"
#include "kvb/format/layout.h"

namespace kvb::format {

inline constexpr std::size_t kRecordHeaderBytes = 44;
// For those who look at a header before they check it.
inline constexpr std::size_t kRecordHashOffset = 12;
inline constexpr std::size_t kRecordKeyLengthOffset = 32;
inline constexpr std::size_t kRecordValueLengthOffset = 36;
inline constexpr std::size_t kRecordTrailerBytes = 4;
inline constexpr std::size_t kRecordOverheadBytes = kRecordHeaderBytes + kRecordTrailerBytes;

enum class RecordType : std::uint8_t { put = 0, remove = 1 };
enum class Encoding : std::uint8_t { raw = 0, frame = 1, block = 2 };

inline constexpr std::uint16_t kFlagMoreOfBatch = 1u << 1;
inline constexpr std::uint32_t kMaxKeyBytesOnDisk = 65535;
inline constexpr unsigned kFlagKindShift = 4;
inline constexpr std::uint16_t kFlagKindMask = 0xFu << kFlagKindShift;
inline constexpr std::uint16_t kKnownFlags = kFlagMoreOfBatch | kFlagKindMask;

struct RecordHeader {
  std::uint64_t seqno = 0;
  std::uint64_t hash = 0;
  std::int64_t timestamp_ns = 0;
  RecordType type = RecordType::put;
  Encoding encoding = Encoding::raw;
  std::uint16_t flags = 0;
  std::uint32_t key_bytes = 0;
  std::uint32_t value_bytes = 0;
  std::uint32_t ttl_seconds = 0;

  [[nodiscard]] std::uint64_t record_bytes() const noexcept {
    return std::uint64_t{key_bytes} + value_bytes + kRecordOverheadBytes;
  }
  [[nodiscard]] bool more_of_batch() const noexcept { return (flags & kFlagMoreOfBatch) != 0; }
  [[nodiscard]] std::uint8_t kind() const noexcept {
    return static_cast<std::uint8_t>((flags & kFlagKindMask) >> kFlagKindShift);
  }
  // Wall clock time at which it expires; INT64_MAX if never.
  [[nodiscard]] std::int64_t expires_at_ns() const noexcept {
    if (ttl_seconds == 0) return INT64_MAX;
    const std::int64_t ttl_ns = std::int64_t{ttl_seconds} * 1'000'000'000;
    return timestamp_ns > INT64_MAX - ttl_ns ? INT64_MAX : timestamp_ns + ttl_ns;
  }
};

[[nodiscard]] inline std::uint32_t record_seed(std::uint32_t life, std::uint64_t offset) noexcept {
  std::byte place[8];
  store_le(place, offset);
  return crc32c_extend(life, place);
}

// Writes the header with its checksum and gives the checksum, from which record_crc continues.
std::uint32_t encode_record_header(const RecordHeader& header, std::uint32_t seed,
                                   std::span<std::byte, kRecordHeaderBytes> out) noexcept;

// Nothing unless the checksum fits the place and every field is possible.
[[nodiscard]] std::optional<RecordHeader> decode_record_header(std::span<const std::byte, kRecordHeaderBytes> in,
                                                               std::uint32_t seed) noexcept;

// A whole record into `out`, which is header.record_bytes() long. key and value have the lengths that the header
// states.
void encode_record(const RecordHeader& header, std::string_view key, std::string_view value, std::uint32_t seed,
                   MutableBytes out) noexcept;

// Is the checksum behind key and value right? `record` is the whole record, its header decoded before.
[[nodiscard]] bool check_record_body(Bytes record) noexcept;

[[nodiscard]] inline std::string_view record_key(const std::byte* record, const RecordHeader& header) noexcept {
  return {reinterpret_cast<const char*>(record) + kRecordHeaderBytes, header.key_bytes};
}
[[nodiscard]] inline std::string_view record_value(const std::byte* record, const RecordHeader& header) noexcept {
  return {reinterpret_cast<const char*>(record) + kRecordHeaderBytes + header.key_bytes, header.value_bytes};
}

}  // namespace kvb::format
