#pragma once
// Pages of the on-disk image (hash index, key table, segment table, free map): what every one of them begins with.
//
// A page is written once, when its image is made, and never changed (R13). It is accepted only if its header says that
// it is this page of this bucket at this place, not newer than the superblock that led to it, and if its checksum is
// what its parent says (R4). So a page that was freed and used again, or a page of a file that was copied while it was
// written, is noticed and never taken for the right one.

#include <cstdint>
#include <optional>
#include <span>

#include "kvb/format/layout.h"

namespace kvb::format {

inline constexpr std::size_t kPageHeaderBytes = 64;
inline constexpr std::size_t kPagePayloadBytes = kPageBytes - kPageHeaderBytes;

enum class PageType : std::uint32_t {
  any = 0,        // Never written; for readers that take what comes.
  root = 1,       // Entries of extents; named by the superblock.
  checksums = 2,  // The first page of an extent: the checksums of its other pages.
  hash_slots = 3,
  key_leaf = 4,
  key_branch = 5,
  key_overflow = 6,
  segment_table = 7,
  free_map = 8,
  dictionary = 9,
};

struct PageHeader {
  PageType type{};
  Uuid uuid{};
  std::uint64_t logical_id = 0;  // Its number in its structure; of an extent: the number of its first page.
  std::uint64_t epoch = 0;       // Of the checkpoint that wrote it.
  std::uint64_t paddr = 0;
  std::uint32_t count = 0;  // Of the entries in it; what an entry is depends on the type.
  std::uint32_t link = 0;   // Depends on the type: the number of a page that continues this one, or 0.

  friend bool operator==(const PageHeader&, const PageHeader&) = default;
};

void encode_page_header(const PageHeader& header, std::span<std::byte, kPageHeaderBytes> out) noexcept;
// Nothing unless the magic is right. The caller compares the rest with what led here.
[[nodiscard]] std::optional<PageHeader> decode_page_header(std::span<const std::byte, kPageHeaderBytes> in) noexcept;

}  // namespace kvb::format
