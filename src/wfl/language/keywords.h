#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace wfl::language {

enum class Keyword : std::uint8_t {
#define WFL_KEYWORD(name, spelling, structural, contextual, starts) name,
#include "wfl/language/keywords.def"
#undef WFL_KEYWORD
};

struct KeywordInfo {
  Keyword keyword;
  std::string_view spelling;
  bool structural;        // Can never name a variable.
  bool contextual;        // Names a variable where the grammar does not want the word itself.
  bool starts_statement;  // Ends an expression in front of it.
};

// All keywords in the order of the table.
std::span<const KeywordInfo> keywords();

const KeywordInfo& info(Keyword keyword);

inline std::string_view spelling(Keyword keyword) {
  return info(keyword).spelling;
}

// The keyword with exactly this spelling (case matters), if there is one.
std::optional<Keyword> find_keyword(std::string_view word);

}  // namespace wfl::language
