#include "kvb/format/segment.h"

#include <algorithm>
#include <array>

#include "kvb/format/crc32c.h"
#include "kvb/format/endian.h"

namespace kvb::format {
namespace {

constexpr std::array<std::byte, 4> kHeaderMagic{std::byte{'K'}, std::byte{'V'}, std::byte{'B'}, std::byte{'S'}};
constexpr std::array<std::byte, 4> kFooterMagic{std::byte{'K'}, std::byte{'V'}, std::byte{'B'}, std::byte{'F'}};

enum HeaderOffset : std::size_t {
  kHeaderBytesAt = 4,
  kUuidAt = 8,
  kIdAt = 24,
  kPaddrAt = 32,
  kSaltAt = 40,
  kSizeAt = 48,
  kKindAt = 56,
  kFlagsAt = 60,
  kBaseSeqnoAt = 64,
  kStartAt = 72,
  kPidAt = 80,
  kPageSizeAt = 88,
  kIncompatibleAt = 92,
  kHashSeedAt = 96,
  kKeyBlockHashAt = 104,
  kHeaderCrcAt = 124,
};

enum FooterOffset : std::size_t {
  kPointCountAt = 4,
  kEndAt = 8,
  kLastSeqnoAt = 16,
  kRecordCountAt = 24,
  kLiveBytesAt = 32,
  kEarliestExpiryAt = 40,
  kLatestExpiryAt = 48,
  kNextIdAt = 56,
  kNextPaddrAt = 64,
  kNextSaltAt = 72,
  kNextBaseSeqnoAt = 80,
  kFooterFlagsAt = 88,
  kFooterCrcAt = 124,
};

// A footer's checksum is bound to its place like a record's.
std::uint32_t footer_seed(std::uint32_t life, std::uint64_t segment_bytes) noexcept {
  std::array<std::byte, 8> place;
  store_le(place.data(), segment_bytes - kFooterBytes);
  return crc32c_extend(life, place);
}

}  // namespace

std::uint32_t life_seed(const Uuid& uuid, const SegmentLink& link) noexcept {
  std::array<std::byte, 32> life;
  std::ranges::copy(uuid, life.begin());
  store_le(life.data() + 16, link.id);
  store_le(life.data() + 24, link.salt);
  return crc32c_extend(0, life);
}

std::uint64_t segment_bytes_for(std::uint64_t record_bytes) noexcept {
  std::uint64_t size = round_up(kSegmentHeaderBytes + record_bytes + kFooterBytes, kPageBytes);
  while (record_limit(size) < kSegmentHeaderBytes + record_bytes) size += kPageBytes;
  return size;
}

void encode_segment_header(const SegmentHeader& header, std::span<std::byte, kSegmentHeaderBytes> out) noexcept {
  std::ranges::fill(out, std::byte{0});
  std::byte* p = out.data();
  std::ranges::copy(kHeaderMagic, p);
  store_le(p + kHeaderBytesAt, static_cast<std::uint32_t>(kSegmentHeaderBytes));
  std::ranges::copy(header.uuid, p + kUuidAt);
  store_le(p + kIdAt, header.link.id);
  store_le(p + kPaddrAt, header.link.paddr);
  store_le(p + kSaltAt, header.link.salt);
  store_le(p + kSizeAt, header.size_bytes);
  store_le(p + kKindAt, static_cast<std::uint32_t>(header.kind));
  store_le(p + kFlagsAt, header.flags);
  store_le(p + kBaseSeqnoAt, header.base_seqno);
  store_le(p + kStartAt, header.start_ns);
  store_le(p + kPidAt, header.pid);
  store_le(p + kPageSizeAt, header.page_size);
  store_le(p + kIncompatibleAt, header.features_incompatible);
  store_le(p + kHashSeedAt, header.hash_seed);
  store_le(p + kKeyBlockHashAt, header.key_block_hash);
  store_le(p + kHeaderCrcAt, crc32c_extend(0, out.first(kHeaderCrcAt)));
}

std::optional<SegmentHeader> decode_segment_header(std::span<const std::byte, kSegmentHeaderBytes> in) noexcept {
  const std::byte* p = in.data();
  if (!std::ranges::equal(kHeaderMagic, in.first(kHeaderMagic.size()))) return std::nullopt;
  if (load_le<std::uint32_t>(p + kHeaderBytesAt) != kSegmentHeaderBytes) return std::nullopt;
  if (load_le<std::uint32_t>(p + kHeaderCrcAt) != crc32c_extend(0, in.first(kHeaderCrcAt))) return std::nullopt;
  SegmentHeader header;
  std::copy_n(p + kUuidAt, header.uuid.size(), header.uuid.begin());
  header.link = {.id = load_le<std::uint64_t>(p + kIdAt),
                 .paddr = load_le<std::uint64_t>(p + kPaddrAt),
                 .salt = load_le<std::uint64_t>(p + kSaltAt)};
  header.size_bytes = load_le<std::uint64_t>(p + kSizeAt);
  const auto kind = load_le<std::uint32_t>(p + kKindAt);
  if (kind > static_cast<std::uint32_t>(SegmentKind::relocated)) return std::nullopt;
  header.kind = static_cast<SegmentKind>(kind);
  header.flags = load_le<std::uint32_t>(p + kFlagsAt);
  header.base_seqno = load_le<std::uint64_t>(p + kBaseSeqnoAt);
  header.start_ns = load_le<std::int64_t>(p + kStartAt);
  header.pid = load_le<std::int64_t>(p + kPidAt);
  header.page_size = load_le<std::uint32_t>(p + kPageSizeAt);
  header.features_incompatible = load_le<std::uint32_t>(p + kIncompatibleAt);
  header.hash_seed = load_le<std::uint64_t>(p + kHashSeedAt);
  header.key_block_hash = load_le<std::uint64_t>(p + kKeyBlockHashAt);
  const bool sane =
      header.size_bytes >= kPageBytes && header.size_bytes % kPageBytes == 0 && header.link.paddr % kPageBytes == 0 &&
      header.link.paddr <= static_cast<std::uint64_t>(INT64_MAX) - header.size_bytes && header.base_seqno != 0;
  if (!sane) return std::nullopt;
  return header;
}

std::vector<std::byte> encode_footer(const Footer& footer, std::uint32_t life, std::uint64_t segment_bytes) {
  const std::size_t points_bytes = footer.resync_points.size() * kResyncPointBytes;
  std::vector<std::byte> out(points_bytes + kFooterBytes);
  for (std::size_t i = 0; i < footer.resync_points.size(); ++i) {
    store_le(out.data() + i * kResyncPointBytes, footer.resync_points[i].offset);
    store_le(out.data() + i * kResyncPointBytes + 8, footer.resync_points[i].seqno);
  }
  std::byte* p = out.data() + points_bytes;
  std::ranges::copy(kFooterMagic, p);
  store_le(p + kPointCountAt, static_cast<std::uint32_t>(footer.resync_points.size()));
  store_le(p + kEndAt, footer.end_offset);
  store_le(p + kLastSeqnoAt, footer.last_seqno);
  store_le(p + kRecordCountAt, footer.record_count);
  store_le(p + kLiveBytesAt, footer.live_bytes);
  store_le(p + kEarliestExpiryAt, footer.earliest_expiry_ns);
  store_le(p + kLatestExpiryAt, footer.latest_expiry_ns);
  store_le(p + kNextIdAt, footer.next.id);
  store_le(p + kNextPaddrAt, footer.next.paddr);
  store_le(p + kNextSaltAt, footer.next.salt);
  store_le(p + kNextBaseSeqnoAt, footer.next_base_seqno);
  store_le(p + kFooterFlagsAt, footer.flags);
  const std::uint32_t crc =
      crc32c_extend(footer_seed(life, segment_bytes), std::span(out).first(points_bytes + kFooterCrcAt));
  store_le(p + kFooterCrcAt, crc);
  return out;
}

std::optional<std::uint64_t> footer_points_bytes(std::span<const std::byte, kFooterBytes> footer,
                                                 std::uint64_t segment_bytes) noexcept {
  if (!std::ranges::equal(kFooterMagic, footer.first(kFooterMagic.size()))) return std::nullopt;
  const std::uint64_t bytes = std::uint64_t{load_le<std::uint32_t>(footer.data() + kPointCountAt)} * kResyncPointBytes;
  if (bytes + kFooterBytes > footer_reserve(segment_bytes)) return std::nullopt;
  return bytes;
}

std::optional<Footer> decode_footer(Bytes bytes, std::uint32_t life, std::uint64_t segment_bytes) {
  if (bytes.size() < kFooterBytes) return std::nullopt;
  const auto tail = bytes.last<kFooterBytes>();
  const auto points_bytes = footer_points_bytes(tail, segment_bytes);
  if (!points_bytes || *points_bytes + kFooterBytes != bytes.size()) return std::nullopt;
  const std::byte* p = tail.data();
  const std::uint32_t crc = crc32c_extend(footer_seed(life, segment_bytes), bytes.first(*points_bytes + kFooterCrcAt));
  if (load_le<std::uint32_t>(p + kFooterCrcAt) != crc) return std::nullopt;
  Footer footer;
  footer.flags = load_le<std::uint32_t>(p + kFooterFlagsAt);
  footer.end_offset = load_le<std::uint64_t>(p + kEndAt);
  footer.last_seqno = load_le<std::uint64_t>(p + kLastSeqnoAt);
  footer.record_count = load_le<std::uint64_t>(p + kRecordCountAt);
  footer.live_bytes = load_le<std::uint64_t>(p + kLiveBytesAt);
  footer.earliest_expiry_ns = load_le<std::int64_t>(p + kEarliestExpiryAt);
  footer.latest_expiry_ns = load_le<std::int64_t>(p + kLatestExpiryAt);
  footer.next = {.id = load_le<std::uint64_t>(p + kNextIdAt),
                 .paddr = load_le<std::uint64_t>(p + kNextPaddrAt),
                 .salt = load_le<std::uint64_t>(p + kNextSaltAt)};
  footer.next_base_seqno = load_le<std::uint64_t>(p + kNextBaseSeqnoAt);
  footer.resync_points.resize(*points_bytes / kResyncPointBytes);
  for (std::size_t i = 0; i < footer.resync_points.size(); ++i) {
    footer.resync_points[i] = {.offset = load_le<std::uint64_t>(bytes.data() + i * kResyncPointBytes),
                               .seqno = load_le<std::uint64_t>(bytes.data() + i * kResyncPointBytes + 8)};
  }
  const bool sane = footer.end_offset >= kSegmentHeaderBytes && footer.end_offset <= record_limit(segment_bytes) &&
                    footer.next.paddr % kPageBytes == 0 && footer.next_base_seqno > footer.last_seqno &&
                    (footer.is_cut() || footer.next_base_seqno == footer.last_seqno + 1);
  if (!sane) return std::nullopt;
  return footer;
}

}  // namespace kvb::format
