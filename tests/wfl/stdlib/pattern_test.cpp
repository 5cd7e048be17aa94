// The automaton of patterns, on trees as the compiler makes them.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "wfl/stdlib/pattern_program.h"
#include "wfl/stdlib/unicode.h"

namespace wfl::stdlib {
namespace {

using vm::PatternKind;
using vm::PatternNode;
using Node = std::unique_ptr<PatternNode>;

Node node(PatternKind kind, std::string text = "") {
  auto result = std::make_unique<PatternNode>();
  result->kind = kind;
  result->text = std::move(text);
  return result;
}

template <class... Children>
Node group(PatternKind kind, Children... children) {
  Node result = node(kind);
  (result->children.push_back(std::move(children)), ...);
  return result;
}

Node repeat(std::uint32_t min, std::uint32_t max, Node inner) {
  Node result = group(PatternKind::kRepeat, std::move(inner));
  result->min = min;
  result->max = max;
  return result;
}

Node capture(std::string name, Node inner) {
  Node result = group(PatternKind::kCapture, std::move(inner));
  result->text = std::move(name);
  return result;
}

Node literal(std::string text) {
  return node(PatternKind::kLiteral, std::move(text));
}
Node digit() {
  return node(PatternKind::kDigit);
}

constexpr auto kMany = PatternNode::kUnlimited;

// The first match, or "none", or the error.
std::string first(const Node& root, std::string_view text, const PatternLimits& limits = {}) {
  const auto program = CompiledPattern::compile(*root, {});
  if (!program) return "compile: " + program.error();
  const std::u32string decoded = decode_utf8(text);
  const auto match = PatternMatcher(**program, decoded, limits).find(0);
  if (!match) return "error: " + match.error().message;
  if (!*match) return "none";
  std::string out;
  for (std::size_t i = (*match)->start; i < (*match)->end; ++i) append_code_point(out, decoded[i]);
  for (const auto& part : (*match)->captures) {
    out += " " + part.name + "=";
    for (std::size_t i = part.start; i < part.end; ++i) append_code_point(out, decoded[i]);
  }
  return out;
}

TEST(Patterns, RepetitionTakesNoMoreThanItMust) {
  EXPECT_EQ(first(repeat(1, kMany, digit()), "ab123"), "1");
  EXPECT_EQ(first(group(PatternKind::kSequence, repeat(1, kMany, digit()), literal("!")), "ab123!"), "123!");
  // One more digit or none is one decision either way: on a tie the one more comes first.
  EXPECT_EQ(first(repeat(2, 3, digit()), "1234"), "123");
}

TEST(Patterns, FewestDecisionsWinAndTheEarlierOnATie) {
  EXPECT_EQ(first(group(PatternKind::kAlternatives, literal("ab"), literal("a")), "ab"), "ab");
  EXPECT_EQ(first(group(PatternKind::kAlternatives, repeat(2, kMany, digit()), literal("1")), "123"), "1");
}

TEST(Patterns, CapturesAndBackReferences) {
  const auto twice = [] {
    return group(PatternKind::kSequence, capture("word", repeat(1, kMany, node(PatternKind::kLetter))), literal(" "),
                 node(PatternKind::kBackReference, "word"));
  };
  EXPECT_EQ(first(twice(), "the the"), "the the word=the");
  EXPECT_EQ(first(twice(), "one two"), "none");
  EXPECT_EQ(first(node(PatternKind::kBackReference, "x"), "a"),
            "compile: Backreference to undefined capture group: 'x'");
}

TEST(Patterns, LookingAheadAndBehindTakesNothing) {
  const auto look = [](PatternKind kind, bool negated, Node inner) {
    Node result = group(kind, std::move(inner));
    result->negated = negated;
    return result;
  };
  EXPECT_EQ(first(group(PatternKind::kSequence, digit(), look(PatternKind::kLookAhead, false, literal("%"))), "1 2%"),
            "2");
  EXPECT_EQ(first(group(PatternKind::kSequence, digit(), look(PatternKind::kLookAhead, true, literal("%"))), "2% 1"),
            "1");
  EXPECT_EQ(first(group(PatternKind::kSequence, look(PatternKind::kLookBehind, false, literal("€")), digit()), "1 €2"),
            "2");
  EXPECT_EQ(first(group(PatternKind::kSequence, look(PatternKind::kLookBehind, true, literal("€")), digit()), "€2 1"),
            "1");
}

TEST(Patterns, AnchorsKnowTheTextsEnds) {
  EXPECT_EQ(first(group(PatternKind::kSequence, node(PatternKind::kStartOfText), literal("b")), "ab"), "none");
  EXPECT_EQ(first(group(PatternKind::kSequence, literal("b"), node(PatternKind::kEndOfText)), "bab"), "b");
}

TEST(Patterns, ClassesAreUnicode) {
  EXPECT_EQ(first(node(PatternKind::kLetter), "12é"), "é");
  EXPECT_EQ(first(node(PatternKind::kUnicodeScript, "Greek"), "aλ"), "λ");
  EXPECT_EQ(first(node(PatternKind::kUnicodeScript, "Klingon"), "aλ"), "none");
  EXPECT_EQ(first(node(PatternKind::kUnicodeCategory, "P"), "a!"), "!");
}

TEST(Patterns, NestedRepetitionEndsQuickly) {
  // (a+)+b on many a: every way of cutting the text leads to the same places, which count once.
  const auto bomb = [] {
    return group(PatternKind::kSequence, repeat(1, kMany, repeat(1, kMany, literal("a"))), literal("b"));
  };
  EXPECT_EQ(first(bomb(), std::string(300, 'a')), "none");
  EXPECT_EQ(first(repeat(0, kMany, repeat(0, kMany, literal(""))), "x"), "");
}

TEST(Patterns, LimitsAreErrorsThatCanBeCaught) {
  const Node pattern = group(PatternKind::kSequence, repeat(0, kMany, node(PatternKind::kAnyCharacter)), literal("!"));
  EXPECT_EQ(first(pattern, std::string(2000, 'x'), {.steps = 1000, .states = 10'000}),
            "error: Pattern matching exceeded the step limit of 1000 (max_pattern_steps)");
  EXPECT_EQ(first(repeat(60'000, 120'000, digit()), "1").substr(0, 8), "compile:");
  EXPECT_EQ(first(repeat(3, 2, digit()), "1"),
            "compile: Pattern quantifier lower bound (3) cannot exceed upper bound (2)");
}

}  // namespace
}  // namespace wfl::stdlib
