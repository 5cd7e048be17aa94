#pragma once
// The dictionaries that a bucket's values need, on disk: a page run, twice. The superblock names both; whatever damages
// one page leaves the other copy, since a lost dictionary would take all values with it that were compressed with it.
//
// Each dictionary begins with a page of its own: id u32, bytes u32, slot u32, crc u32, trained_from u64, reserved u64,
// then its bytes, which go on in the pages behind. `link` of a page is its number within its dictionary, `count` how
// many bytes of the payload are used. The crc is that of the bucket's uuid, the fields before and behind it, and the
// dictionary's bytes. So a dictionary is recognised without the superblock or the run, by its pages alone: that is how
// repair finds it. They are in the order of their age; the newest, which is the last, is the one that values are
// compressed with.
//
// `slot` (0 to 7) is its bit in what the segment table says of a segment: which dictionaries its records need.

#include <kvb/error.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kvb/format/dictionary.h"
#include "kvb/space/page_run.h"

namespace kvb::space {

inline constexpr unsigned kDictionarySlots = 8;

struct StoredDictionary {
  std::uint16_t id = 0;
  std::uint8_t slot = 0;
  std::uint64_t trained_from = 0;  // Live bytes of the bucket when it was trained.
  std::vector<std::byte> bytes;

  [[nodiscard]] std::uint8_t bit() const noexcept { return static_cast<std::uint8_t>(1u << slot); }
  friend bool operator==(const StoredDictionary&, const StoredDictionary&) = default;
};

[[nodiscard]] Result<void> write_dictionaries(PageRunWriter& run, const format::Uuid& uuid,
                                              std::span<const StoredDictionary> dictionaries);

// Adds those of a run that can be read to `dictionaries`, unless they are there. False if something of it is damaged.
[[nodiscard]] bool read_dictionaries(const PageRun& run, const format::Uuid& uuid,
                                     std::vector<StoredDictionary>& dictionaries);

// The dictionary that begins with the page at `paddr`; `pages` is what the file has from there on. Nothing if none
// does.
[[nodiscard]] std::optional<StoredDictionary> parse_dictionary(std::span<const std::byte> pages,
                                                               const format::Uuid& uuid, std::uint64_t paddr);
// The most that parse_dictionary looks at.
inline constexpr std::uint64_t kMostDictionaryPages = format::kMostDictionaryBytes / format::kPagePayloadBytes + 2;

}  // namespace kvb::space
