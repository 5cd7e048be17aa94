#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wfl/language/keywords.h"

namespace wfl::syntax {

using language::Keyword;

enum class TokenKind : std::uint8_t {
  EndOfFile,
  EndOfLine,
  Identifier,  // `text`: the words joined by one blank.
  Keyword,     // `keyword`, and `text` its spelling.
  Text,        // `text`: the value, escapes replaced.
  Integer,     // `number`
  Float,       // `number`
  Boolean,     // `number`: 1 or 0.
  Nothing,
  Colon,
  Comma,
  Dot,
  Plus,
  Minus,
  Slash,
  Percent,
  Equals,
  LeftParen,
  RightParen,
  LeftBracket,
  RightBracket,
  LeftBrace,
  RightBrace,
};

struct Token {
  TokenKind kind = TokenKind::EndOfFile;
  Keyword keyword = Keyword::Store;  // Only if kind is Keyword.
  std::uint32_t begin = 0;           // Byte offsets in the source.
  std::uint32_t end = 0;
  std::uint32_t next = 0;  // Index of the token behind this one. The parser splits merged names by relinking.
  std::string_view text;
  double number = 0;

  bool is(TokenKind k) const { return kind == k; }
  bool is(Keyword k) const { return kind == TokenKind::Keyword && keyword == k; }
  bool is_name(std::string_view words) const { return kind == TokenKind::Identifier && text == words; }
  // A merged name whose first words are these (`key` for `key` and `key user id`, not for `keys`).
  bool starts_with_words(std::string_view words) const {
    return kind == TokenKind::Identifier && text.starts_with(words) &&
           (text.size() == words.size() || text[words.size()] == ' ');
  }
  bool ends_with_word(std::string_view word) const {
    return kind == TokenKind::Identifier && text.ends_with(word) &&
           (text.size() == word.size() || text[text.size() - word.size() - 1] == ' ');
  }
};

// A token as a message shows it: its own words in back quotes, or what it is.
std::string describe(const Token& token);

// The name of the kind, for dumps.
std::string_view kind_name(TokenKind kind);

}  // namespace wfl::syntax
