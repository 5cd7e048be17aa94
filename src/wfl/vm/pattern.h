// The description of a pattern (`create pattern NAME: … end pattern`) as a tree, free of syntax: the compiler makes it,
// the pattern library turns it into a program.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace wfl::vm {

enum class PatternKind : std::uint8_t {
  kLiteral,     // text
  kLetter,      // Unicode alphabetic
  kDigit,       // ASCII 0-9
  kWhitespace,  // Unicode white space
  kAnyCharacter,
  kUnicodeLetter,
  kUnicodeDigit,
  kUnicodeCategory,  // text: the name
  kUnicodeScript,    // text
  kUnicodeProperty,  // text
  kSequence,         // children
  kAlternatives,     // children
  kRepeat,           // children[0], min, max
  kCapture,          // children[0], text: the name
  kBackReference,    // text: the capture's name
  kStartOfText,
  kEndOfText,
  kLookAhead,      // children[0], negated
  kLookBehind,     // children[0], negated
  kListReference,  // text: the variable's name; reference: its place in the list of lists given to pattern.compile
};

struct PatternNode {
  static constexpr std::uint32_t kUnlimited = 0xffffffff;
  PatternKind kind = PatternKind::kSequence;
  std::string text;
  std::uint32_t min = 0;
  std::uint32_t max = kUnlimited;
  bool negated = false;
  bool greedy = true;  // As written; chapter 9 of the language decides what it means.
  std::uint32_t reference = 0;
  std::vector<std::unique_ptr<PatternNode>> children;
};

}  // namespace wfl::vm
