#pragma once
// The identity block: a third copy of what repair cannot do without. It is 512 bytes, one disk sector, so that it is
// written whole or not at all; together with the file's length it tells an unfinished creation from a damaged bucket.

#include <optional>
#include <span>

#include "kvb/format/superblock.h"

namespace kvb::format {

inline constexpr std::size_t kIdentityBytes = 512;

struct Identity {
  std::uint16_t version_major = kVersionMajor;
  std::uint32_t page_size = kPageBytes;
  Uuid uuid{};
  std::int64_t created_ns = 0;
  std::uint64_t hash_seed = 0;
  std::uint64_t features_incompatible = 0;
  KeyBlock key_block{};

  friend bool operator==(const Identity&, const Identity&) = default;
};

[[nodiscard]] Identity identity_of(const Superblock& superblock) noexcept;

void encode_identity(const Identity& identity, std::span<std::byte, kIdentityBytes> block) noexcept;
[[nodiscard]] std::optional<Identity> decode_identity(std::span<const std::byte, kIdentityBytes> block) noexcept;

}  // namespace kvb::format
