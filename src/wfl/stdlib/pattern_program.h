// Patterns as small programs for an automaton, and the automaton.
//
// Why not a regular-expression library. The language defines which match is found: all ways of matching are tried side
// by side, and the one with the fewest decisions wins (a decision is one turn of a repetition or one choice between
// alternatives), the earlier written on a tie. Repetition is therefore never greedier than what follows it demands. No
// backtracking engine gives that order. The automaton has a second advantage: two ways that reach the same place in
// pattern and text count once, so the work is bounded by pattern size times text length (except for patterns that refer
// back to a capture, where the captured text is part of the state). A step limit bounds those too.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wfl/vm/native.h"
#include "wfl/vm/pattern.h"
#include "wfl/vm/value.h"

namespace wfl::stdlib {

enum class CharacterClass : std::uint8_t {
  kNone,  // An unknown category, script or property: matches nothing.
  kDigit,
  kLetter,
  kWhitespace,
  kAny,
  kNumber,
  kSymbol,
  kPunctuation,
  kMark,
  kUppercase,
  kLowercase,
  kAlphanumeric,
  kControl,
  kLatin,
  kGreek,
  kCyrillic,
  kArabic,
  kHebrew,
  kDevanagari,
  kHan,
  kHiragana,
  kKatakana,
  kHangul,
};

bool in_class(CharacterClass which, char32_t c);

struct PatternInstruction {
  enum class Op : std::uint8_t {
    kCharacter,     // argument: the code point
    kLiteral,       // argument: index into literals
    kClass,         // argument: a CharacterClass
    kSplit,         // argument: the first way, second: the other
    kJump,          // argument
    kBeginCapture,  // argument: the capture's number
    kEndCapture,
    kBackReference,
    kStartOfText,
    kEndOfText,
    kAhead,  // argument: first instruction of the inner pattern, second: 1 when negated
    kBehind,
    kMatch,
  };
  Op op;
  std::uint32_t argument = 0;
  std::uint32_t second = 0;
};

struct PatternLimits {
  std::uint64_t steps = 5'000'000;
  std::uint64_t states = 10'000;
};

class CompiledPattern : public vm::PatternProgram {
 public:
  static constexpr std::size_t kMaxInstructions = 100'000;

  // `lists` holds the lists the pattern names, in the order of PatternNode::reference.
  static std::expected<std::unique_ptr<CompiledPattern>, std::string> compile(const vm::PatternNode& root,
                                                                              std::span<const vm::Value> lists);
  static std::unique_ptr<CompiledPattern> literal(std::string_view text);

  std::vector<PatternInstruction> code;  // The pattern itself starts at 0.
  std::vector<std::u32string> literals;
  std::vector<std::string> capture_names;
  bool has_back_references = false;
};

struct PatternMatch {
  std::size_t start = 0;  // Code points.
  std::size_t end = 0;
  struct Capture {
    std::string name;
    std::size_t start;
    std::size_t end;
  };
  std::vector<Capture> captures;  // Those that took part.
};

// One operation on one text; the step limit counts over all of it.
class PatternMatcher {
 public:
  PatternMatcher(const CompiledPattern& pattern, std::u32string_view text, const PatternLimits& limits)
      : pattern_(pattern), text_(text), limits_(limits) {}

  // The first match that starts at `from` or behind it.
  std::expected<std::optional<PatternMatch>, vm::Error> find(std::size_t from);
  std::expected<std::vector<PatternMatch>, vm::Error> find_all();

 private:
  struct State {
    std::uint32_t pc;
    std::size_t position;
    std::vector<std::int64_t> captures;  // Start and end of each, -1 when it did not take part.
  };
  enum class StepResult : std::uint8_t { kFailed, kSplit, kMatched };

  bool match_at(std::uint32_t pc, std::size_t start, std::optional<std::size_t> end,
                const std::vector<std::int64_t>& captures, State& result);
  StepResult step(State& state, std::optional<std::size_t> end);
  bool look_behind(std::uint32_t pc, const State& state);
  bool charge_step();

  const CompiledPattern& pattern_;
  std::u32string_view text_;
  PatternLimits limits_;
  std::uint64_t steps_ = 0;
  std::optional<vm::Error> error_;
};

}  // namespace wfl::stdlib
