#include "wfl/language/keywords.h"

#include <array>
#include <cstddef>

namespace wfl::language {

namespace {

constexpr KeywordInfo kKeywords[] = {
#define WFL_KEYWORD(name, spelling, structural, contextual, starts) \
  {Keyword::name, spelling, structural, contextual, starts},
#include "wfl/language/keywords.def"
#undef WFL_KEYWORD
};

constexpr std::size_t kTableSize = 1024;  // A power of two, several times the number of keywords.
constexpr std::uint8_t kFree = 0xFF;
static_assert(std::size(kKeywords) < kFree);

constexpr std::size_t hash_of(std::string_view word) {
  std::uint32_t hash = 2166136261U;
  for (const char c : word) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  }
  return (hash ^ (hash >> 15)) & (kTableSize - 1);
}

// Open addressing, filled while compiling.
constexpr std::array<std::uint8_t, kTableSize> make_table() {
  std::array<std::uint8_t, kTableSize> table{};
  table.fill(kFree);
  for (std::size_t i = 0; i < std::size(kKeywords); ++i) {
    std::size_t slot = hash_of(kKeywords[i].spelling);
    while (table[slot] != kFree) {
      slot = (slot + 1) & (kTableSize - 1);
    }
    table[slot] = static_cast<std::uint8_t>(i);
  }
  return table;
}

constexpr auto kTable = make_table();

}  // namespace

std::span<const KeywordInfo> keywords() {
  return kKeywords;
}

const KeywordInfo& info(Keyword keyword) {
  return kKeywords[static_cast<std::size_t>(keyword)];
}

std::optional<Keyword> find_keyword(std::string_view word) {
  for (std::size_t slot = hash_of(word); kTable[slot] != kFree; slot = (slot + 1) & (kTableSize - 1)) {
    if (kKeywords[kTable[slot]].spelling == word) {
      return kKeywords[kTable[slot]].keyword;
    }
  }
  return std::nullopt;
}

}  // namespace wfl::language
