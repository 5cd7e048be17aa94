// Each decoder of the format, on any bytes: records, segment headers, footers, superblocks, identity, live page, pages,
// compressed values.
// What a decoder accepts has only possible fields, and encoded again it is accepted again.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kvb/format/identity.h"
#include "kvb/format/live_page.h"
#include "kvb/format/page.h"
#include "kvb/format/record.h"
#include "kvb/format/segment.h"
#include "kvb/format/superblock.h"
#include "kvb/format/value_codec.h"

namespace {

using namespace kvb::format;

// The input, with zeros behind it.
template <std::size_t Size>
std::array<std::byte, Size> take(std::span<const std::byte> data) {
  std::array<std::byte, Size> taken{};
  std::copy_n(data.begin(), std::min(Size, data.size()), taken.begin());
  return taken;
}

void expect(bool condition) {
  if (!condition) std::abort();
}

template <std::size_t Size>
void set_crc(std::array<std::byte, Size>& block, std::size_t at, std::uint32_t seed = 0) {
  store_le(block.data() + at, crc32c_extend(seed, std::span(block).first(at)));
}

void superblock(std::span<const std::byte> data) {
  auto page = take<kPageBytes>(data);
  static_cast<void>(decode_superblock(page));
  set_crc(page, kPageBytes - 4);
  const auto decoded = decode_superblock(page);
  if (!decoded) return;
  expect(decoded->journal.segment.paddr >= kHeadBytes && decoded->journal.seqno != 0);
  std::array<std::byte, kPageBytes> again;
  encode_superblock(*decoded, again);
  expect(decode_superblock(again) == decoded);
}

void identity(std::span<const std::byte> data) {
  auto block = take<kIdentityBytes>(data);
  set_crc(block, kIdentityBytes - 4);
  const auto decoded = decode_identity(block);
  if (!decoded) return;
  std::array<std::byte, kIdentityBytes> again;
  encode_identity(*decoded, again);
  expect(decode_identity(again) == decoded);
}

void segment_header(std::span<const std::byte> data) {
  auto block = take<kSegmentHeaderBytes>(data);
  set_crc(block, kSegmentHeaderBytes - 4);
  const auto decoded = decode_segment_header(block);
  if (!decoded) return;
  expect(decoded->size_bytes >= kPageBytes && decoded->link.paddr % kPageBytes == 0);
  expect(record_limit(decoded->size_bytes) < decoded->size_bytes);
  std::array<std::byte, kSegmentHeaderBytes> again;
  encode_segment_header(*decoded, again);
  expect(decode_segment_header(again) == decoded);
}

void footer(std::span<const std::byte> data) {
  if (data.size() < kFooterBytes) return;
  constexpr std::uint64_t kSegmentBytes = 256 * 1024;
  std::vector<std::byte> bytes(data.begin(), data.end());
  const auto points = footer_points_bytes(std::span(bytes).last<kFooterBytes>(), kSegmentBytes);
  if (!points || *points + kFooterBytes > bytes.size()) return;
  bytes.erase(bytes.begin(), bytes.end() - static_cast<std::ptrdiff_t>(*points + kFooterBytes));
  std::array<std::byte, 8> place;
  store_le(place.data(), kSegmentBytes - kFooterBytes);
  store_le(bytes.data() + bytes.size() - 4,
           crc32c_extend(crc32c_extend(7, place), std::span(bytes).first(bytes.size() - 4)));
  const auto decoded = decode_footer(bytes, 7, kSegmentBytes);
  if (!decoded) return;
  expect(decoded->end_offset >= kSegmentHeaderBytes && decoded->end_offset <= record_limit(kSegmentBytes));
  expect(decode_footer(encode_footer(*decoded, 7, kSegmentBytes), 7, kSegmentBytes) == decoded);
}

void record(std::span<const std::byte> data) {
  auto block = take<kRecordHeaderBytes>(data);
  static_cast<void>(decode_record_header(block, 3));
  store_le(block.data(), crc32c_extend(3, std::span(block).subspan(4)));
  const auto decoded = decode_record_header(block, 3);
  if (!decoded) return;
  expect(decoded->key_bytes != 0 && decoded->key_bytes <= kMaxKeyBytesOnDisk);
  expect((decoded->flags & ~kKnownFlags) == 0);
  static_cast<void>(decoded->expires_at_ns());
  std::array<std::byte, kRecordHeaderBytes> again;
  encode_record_header(*decoded, 3, again);
  expect(again == block);
  // A whole record, if the input is long enough for it.
  const std::uint64_t body = std::uint64_t{decoded->key_bytes} + decoded->value_bytes;
  if (body > data.size() - std::min(data.size(), kRecordHeaderBytes)) return;
  std::vector<std::byte> whole(decoded->record_bytes());
  const auto* const text = reinterpret_cast<const char*>(data.data()) + kRecordHeaderBytes;
  encode_record(*decoded, {text, decoded->key_bytes}, {text + decoded->key_bytes, decoded->value_bytes}, 3, whole);
  expect(check_record_body(whole));
  expect(record_key(whole.data(), *decoded) == std::string_view(text, decoded->key_bytes));
  whole[kRecordHeaderBytes + body / 2] ^= std::byte{1};
  expect(!check_record_body(whole));
}

void page(std::span<const std::byte> data) {
  const auto block = take<kPageHeaderBytes>(data);
  const auto decoded = decode_page_header(block);
  if (!decoded) return;
  std::array<std::byte, kPageHeaderBytes> again;
  encode_page_header(*decoded, again);
  expect(decode_page_header(again) == decoded);
}

void holder(std::span<const std::byte> data) {
  const auto decoded = decode_holder(take<kHolderBytes>(data));
  if (!decoded) return;
  expect(decoded->program.size() <= 64 && decoded->host.size() <= 64);
}

// A payload of a value. The first byte says of which encoding, and whether there is a dictionary; that is made of the
// input's first bytes, so it is hardly ever a right one.
void value(std::span<const std::byte> data) {
  if (data.size() < 2) return;
  constexpr std::uint16_t kId = 0x4141;
  const auto choice = std::to_integer<unsigned>(data[0]);
  const auto encoding = static_cast<Encoding>(choice % 3);
  const std::string_view payload(reinterpret_cast<const char*>(data.data()) + 1, data.size() - 1);
  DictionaryShelf shelf;
  if ((choice & 0x80) != 0) shelf.add(kId, data.first(std::min<std::size_t>(data.size(), 64)));
  const auto stated = decoded_bytes(encoding, payload);
  std::string decoded;
  const DecodeFault fault = decode_value(encoding, payload, shelf, decoded);
  expect(fault != DecodeFault::none || stated == decoded.size());
  expect(fault == DecodeFault::none || decoded.empty());
  if (stated) expect(*stated <= (payload.size() / 4 + 1) * (std::uint64_t{128} << 10));
  // What is encoded comes back.
  std::string room;
  const EncodedValue encoded = encode_value(payload, {.level = 1 + static_cast<int>(choice % 4)}, room);
  const std::string stored(encoded.payload);
  expect(decode_value(encoded.encoding, stored, shelf, decoded) == DecodeFault::none && decoded == payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 1) return 0;
  const auto data = std::as_bytes(std::span(bytes + 1, size - 1));
  static constexpr std::array kDecoders{superblock, identity, segment_header, footer, record, page, holder, value};
  kDecoders[bytes[0] % kDecoders.size()](data);
  return 0;
}
