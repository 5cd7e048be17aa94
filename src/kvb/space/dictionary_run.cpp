#include "kvb/space/dictionary_run.h"

#include <algorithm>

#include "kvb/format/crc32c.h"
#include "kvb/format/endian.h"
#include "kvb/os/mapped_read.h"

namespace kvb::space {
namespace {

using format::kPageBytes;
using format::kPageHeaderBytes;
using format::kPagePayloadBytes;

constexpr std::size_t kEntryHeaderBytes = 32;
constexpr std::size_t kCrcAt = 12;

std::uint32_t entry_crc(const format::Uuid& uuid, format::Bytes header, format::Bytes bytes) {
  std::uint32_t crc = format::crc32c_extend(0, uuid);
  crc = format::crc32c_extend(crc, header.first(kCrcAt));
  crc = format::crc32c_extend(crc, header.subspan(kCrcAt + 4, kEntryHeaderBytes - kCrcAt - 4));
  return format::crc32c_extend(crc, bytes);
}

// Of the pages, one behind the other, that are those of one dictionary as their headers have it.
std::optional<StoredDictionary> parse(std::span<const std::byte* const> pages, const format::Uuid& uuid) {
  const std::byte* const first = pages[0] + kPageHeaderBytes;
  const auto bytes = format::load_le<std::uint32_t>(first + 4);
  const auto slot = format::load_le<std::uint32_t>(first + 8);
  const std::size_t all = kEntryHeaderBytes + std::size_t{bytes};
  const bool possible = bytes <= format::kMostDictionaryBytes && slot < kDictionarySlots &&
                        (all + kPagePayloadBytes - 1) / kPagePayloadBytes <= pages.size();
  if (!possible) return std::nullopt;
  std::vector<std::byte> entry;
  entry.reserve(pages.size() * kPagePayloadBytes);
  for (const std::byte* page : pages) {
    if (entry.size() >= all) break;
    entry.insert(entry.end(), page + kPageHeaderBytes, page + kPageBytes);
  }
  entry.resize(all);
  const format::Bytes header = format::Bytes(entry).first(kEntryHeaderBytes);
  const format::Bytes content = format::Bytes(entry).subspan(kEntryHeaderBytes);
  const auto id = format::dictionary_id(content);
  if (!id || *id != format::load_le<std::uint32_t>(header.data()) ||
      format::load_le<std::uint32_t>(header.data() + kCrcAt) != entry_crc(uuid, header, content)) {
    return std::nullopt;
  }
  return StoredDictionary{.id = *id,
                          .slot = static_cast<std::uint8_t>(slot),
                          .trained_from = format::load_le<std::uint64_t>(header.data() + 16),
                          .bytes = {content.begin(), content.end()}};
}

std::size_t pages_of(const std::byte* first_page) noexcept {
  const std::size_t bytes = format::load_le<std::uint32_t>(first_page + kPageHeaderBytes + 4);
  return (kEntryHeaderBytes + bytes + kPagePayloadBytes - 1) / kPagePayloadBytes;
}

}  // namespace

Result<void> write_dictionaries(PageRunWriter& run, const format::Uuid& uuid,
                                std::span<const StoredDictionary> dictionaries) {
  for (const StoredDictionary& one : dictionaries) {
    std::vector<std::byte> entry(kEntryHeaderBytes);
    format::store_le(entry.data(), std::uint32_t{one.id});
    format::store_le(entry.data() + 4, static_cast<std::uint32_t>(one.bytes.size()));
    format::store_le(entry.data() + 8, std::uint32_t{one.slot});
    format::store_le(entry.data() + 16, one.trained_from);
    format::store_le(entry.data() + kCrcAt, entry_crc(uuid, entry, one.bytes));
    entry.insert(entry.end(), one.bytes.begin(), one.bytes.end());
    std::uint32_t number = 0;
    for (std::size_t at = 0; at < entry.size(); at += kPagePayloadBytes) {
      const auto payload = format::Bytes(entry).subspan(at, std::min(kPagePayloadBytes, entry.size() - at));
      auto added = run.add(format::PageType::dictionary, static_cast<std::uint32_t>(payload.size()), number++, payload);
      if (!added) return std::unexpected(added.error());
    }
  }
  return {};
}

bool read_dictionaries(const PageRun& run, const format::Uuid& uuid, std::vector<StoredDictionary>& dictionaries) {
  // What was read in spite of a fault does not fit its checksum.
  const os::MappedGuard guard(nullptr, os::kAnywhere);
  bool whole = true;
  for (std::uint64_t number = 0; number < run.pages();) {
    std::vector<const std::byte*> pages;
    std::optional<StoredDictionary> found;
    if (auto first = run.page(number, format::PageType::dictionary)) {
      pages.push_back(*first);
      const std::size_t count = pages_of(*first);
      for (std::uint64_t next = number + 1; pages.size() < count && next < run.pages(); ++next) {
        auto page = run.page(next, format::PageType::dictionary);
        if (!page) break;
        pages.push_back(*page);
      }
      found = parse(pages, uuid);
    }
    if (!found) {
      // The next one is looked for.
      whole = false;
      ++number;
      continue;
    }
    number += pages.size();
    const bool known = std::ranges::any_of(dictionaries, [&](const auto& one) { return one.id == found->id; });
    if (!known) dictionaries.push_back(std::move(*found));
  }
  return whole;
}

std::optional<StoredDictionary> parse_dictionary(std::span<const std::byte> pages, const format::Uuid& uuid,
                                                 std::uint64_t paddr) {
  std::vector<const std::byte*> of_it;
  for (std::uint64_t number = 0; (number + 1) * kPageBytes <= pages.size(); ++number) {
    const std::byte* const page = pages.data() + number * kPageBytes;
    const auto header =
        format::decode_page_header(std::span<const std::byte, kPageHeaderBytes>(page, kPageHeaderBytes));
    if (!header || header->type != format::PageType::dictionary || header->uuid != uuid || header->link != number ||
        header->paddr != paddr + number * kPageBytes) {
      break;
    }
    of_it.push_back(page);
    if (of_it.size() == pages_of(of_it.front())) return parse(of_it, uuid);
  }
  return std::nullopt;
}

}  // namespace kvb::space
