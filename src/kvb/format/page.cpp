#include "kvb/format/page.h"

#include <algorithm>

#include "kvb/format/endian.h"

namespace kvb::format {
namespace {

constexpr std::array<std::byte, 4> kMagic{std::byte{'K'}, std::byte{'V'}, std::byte{'B'}, std::byte{'P'}};

enum Offset : std::size_t {
  kTypeAt = 4,
  kUuidAt = 8,
  kLogicalIdAt = 24,
  kEpochAt = 32,
  kPaddrAt = 40,
  kCountAt = 48,
  kLinkAt = 52,
};

}  // namespace

void encode_page_header(const PageHeader& header, std::span<std::byte, kPageHeaderBytes> out) noexcept {
  std::ranges::fill(out, std::byte{0});
  std::byte* p = out.data();
  std::ranges::copy(kMagic, p);
  store_le(p + kTypeAt, static_cast<std::uint32_t>(header.type));
  std::ranges::copy(header.uuid, p + kUuidAt);
  store_le(p + kLogicalIdAt, header.logical_id);
  store_le(p + kEpochAt, header.epoch);
  store_le(p + kPaddrAt, header.paddr);
  store_le(p + kCountAt, header.count);
  store_le(p + kLinkAt, header.link);
}

std::optional<PageHeader> decode_page_header(std::span<const std::byte, kPageHeaderBytes> in) noexcept {
  const std::byte* p = in.data();
  if (!std::ranges::equal(kMagic, in.first(kMagic.size()))) return std::nullopt;
  PageHeader header;
  header.type = static_cast<PageType>(load_le<std::uint32_t>(p + kTypeAt));
  std::copy_n(p + kUuidAt, header.uuid.size(), header.uuid.begin());
  header.logical_id = load_le<std::uint64_t>(p + kLogicalIdAt);
  header.epoch = load_le<std::uint64_t>(p + kEpochAt);
  header.paddr = load_le<std::uint64_t>(p + kPaddrAt);
  header.count = load_le<std::uint32_t>(p + kCountAt);
  header.link = load_le<std::uint32_t>(p + kLinkAt);
  return header;
}

}  // namespace kvb::format
