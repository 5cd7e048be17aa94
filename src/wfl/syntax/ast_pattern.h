#pragma once

#include "wfl/syntax/ast_node.h"

namespace wfl::syntax {

// The tree of a `create pattern` body (reference chapter 9).
enum class PatternKind : std::uint8_t {
  Literal,  // `text`
  Letter,
  Digit,
  Whitespace,
  AnyCharacter,
  UnicodeCategory,  // `text` is the category …
  UnicodeScript,    // … the script …
  UnicodeProperty,  // … or the property.
  Sequence,         // `children`
  Alternative,      // `children`
  Repeat,           // children[0], `min` to `max` times
  Capture,          // children[0], named `text`
  SameAsCaptured,   // `text` names the capture
  StartOfText,
  Ahead,     // children[0]; `negated`
  Behind,    // children[0]; `negated`
  ListName,  // any of the texts of the list variable `text`
};

inline constexpr std::uint32_t kNoMaximum = 0xFFFFFFFFU;

struct Pattern {
  PatternKind kind = PatternKind::Literal;
  bool negated = false;
  std::uint32_t min = 0;
  std::uint32_t max = kNoMaximum;
  std::string_view text;
  std::span<const Pattern* const> children;
  SourceSpan span;
};

}  // namespace wfl::syntax
