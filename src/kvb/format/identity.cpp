#include "kvb/format/identity.h"

#include <algorithm>

#include "kvb/format/crc32c.h"
#include "kvb/format/endian.h"

namespace kvb::format {
namespace {

constexpr std::array<std::byte, 4> kMagic{std::byte{'K'}, std::byte{'V'}, std::byte{'B'}, std::byte{'I'}};

enum Offset : std::size_t {
  kVersionAt = 4,
  kPageSizeAt = 8,
  kUuidAt = 16,
  kCreatedAt = 32,
  kHashSeedAt = 40,
  kIncompatibleAt = 48,
  kKeyBlockAt = 56,
  kCrcAt = 508,
};

}  // namespace

Identity identity_of(const Superblock& s) noexcept {
  return {.version_major = s.version_major,
          .page_size = s.page_size,
          .uuid = s.uuid,
          .created_ns = s.created_ns,
          .hash_seed = s.hash_seed,
          .features_incompatible = s.features_incompatible,
          .key_block = s.key_block};
}

void encode_identity(const Identity& identity, std::span<std::byte, kIdentityBytes> block) noexcept {
  std::ranges::fill(block, std::byte{0});
  std::byte* p = block.data();
  std::ranges::copy(kMagic, p);
  store_le(p + kVersionAt, identity.version_major);
  store_le(p + kPageSizeAt, identity.page_size);
  std::ranges::copy(identity.uuid, p + kUuidAt);
  store_le(p + kCreatedAt, identity.created_ns);
  store_le(p + kHashSeedAt, identity.hash_seed);
  store_le(p + kIncompatibleAt, identity.features_incompatible);
  std::ranges::copy(identity.key_block, p + kKeyBlockAt);
  store_le(p + kCrcAt, crc32c_extend(0, block.first(kCrcAt)));
}

std::optional<Identity> decode_identity(std::span<const std::byte, kIdentityBytes> block) noexcept {
  const std::byte* p = block.data();
  if (!std::ranges::equal(kMagic, block.first(kMagic.size()))) return std::nullopt;
  if (load_le<std::uint32_t>(p + kCrcAt) != crc32c_extend(0, block.first(kCrcAt))) return std::nullopt;
  Identity identity;
  identity.version_major = load_le<std::uint16_t>(p + kVersionAt);
  identity.page_size = load_le<std::uint32_t>(p + kPageSizeAt);
  std::copy_n(p + kUuidAt, identity.uuid.size(), identity.uuid.begin());
  identity.created_ns = load_le<std::int64_t>(p + kCreatedAt);
  identity.hash_seed = load_le<std::uint64_t>(p + kHashSeedAt);
  identity.features_incompatible = load_le<std::uint64_t>(p + kIncompatibleAt);
  std::copy_n(p + kKeyBlockAt, identity.key_block.size(), identity.key_block.begin());
  return identity;
}

}  // namespace kvb::format
