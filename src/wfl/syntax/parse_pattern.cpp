#include <algorithm>
#include <array>

#include "wfl/syntax/parser_impl.h"

// The body of `create pattern` (reference chapter 9). Line ends inside mean nothing.

namespace wfl::syntax {

namespace {

// Words that can't name a pattern though the lexer gives them as names; keywords are refused by the table below.
constexpr auto kFreeKeywords = std::to_array<Keyword>(
    {Keyword::Call,    Keyword::Output,     Keyword::Process, Keyword::Command,   Keyword::Port,   Keyword::Server,
     Keyword::Request, Keyword::Response,   Keyword::Status,  Keyword::Header,    Keyword::Signal, Keyword::Handler,
     Keyword::Timeout, Keyword::Current,    Keyword::Running, Keyword::Arguments, Keyword::Shell,  Keyword::Bytes,
     Keyword::Binary,  Keyword::Parameters, Keyword::Execute, Keyword::Spawn,     Keyword::Kill,   Keyword::Listen});

}  // namespace

const Stmt* Parser::parse_create_pattern() {
  const std::uint32_t begin = peek().begin;
  auto* node = make_statement<DefinePatternStmt>(begin);
  header([&] {
    take();
    take();
    const Token name = peek();
    if (name.is(TokenKind::Keyword) && std::ranges::find(kFreeKeywords, name.keyword) == kFreeKeywords.end()) {
      fail_here("'" + std::string(name.text) + "' is a predefined pattern in WFL. Please choose a different name.", {},
                "WFL-P003");
    }
    node->name = parse_name("for the pattern");
    expect(TokenKind::Colon, ":", "after the name of the pattern");
  });
  const SourceSpan head = span_from(begin);
  const BlockScope block(*this, "pattern", head);
  try {
    node->pattern = parse_pattern_alternatives();
    skip_lines();
    if (!closes("pattern") && !at(TokenKind::EndOfFile)) {
      fail_expected("another part of the pattern, or `end pattern`");
    }
  } catch (const ParseFailure&) {
    while (!at(TokenKind::EndOfFile) && !closes("pattern")) {
      take();
    }
  }
  close_block();
  return close_statement(node, head);
}

Pattern* Parser::make_pattern(PatternKind kind, std::uint32_t begin) {
  Pattern pattern;
  pattern.kind = kind;
  pattern.span = span_from(begin);
  return arena_.make<Pattern>(pattern);
}

const Pattern* Parser::parse_pattern_alternatives() {
  const NestingScope nesting(*this);
  skip_lines();
  const std::uint32_t begin = peek().begin;
  std::vector<const Pattern*> alternatives{parse_pattern_sequence()};
  for (skip_lines(); at(Keyword::Or); skip_lines()) {
    take();
    alternatives.push_back(parse_pattern_sequence());
  }
  if (alternatives.size() == 1) {
    return alternatives.front();
  }
  Pattern* node = make_pattern(PatternKind::Alternative, begin);
  node->children = arena_.copy(alternatives);
  return node;
}

const Pattern* Parser::parse_pattern_sequence() {
  skip_lines();
  const std::uint32_t begin = peek().begin;
  std::vector<const Pattern*> elements;
  for (;; skip_lines()) {
    if (at(Keyword::Or) || at(Keyword::End) || at(TokenKind::EndOfFile) || at(TokenKind::RightBrace) ||
        at(TokenKind::RightParen)) {
      break;
    }
    if (at(TokenKind::EndOfLine) || eat(Keyword::Then)) {
      continue;
    }
    if (at_name("followed") && next_is(Keyword::By)) {
      take();
      take();
      continue;
    }
    elements.push_back(parse_pattern_element());
  }
  if (elements.empty()) {
    fail_expected("a part of a pattern", {"For example: a text, `digit`, `one or more letter`, `any character`."});
  }
  if (elements.size() == 1) {
    return elements.front();
  }
  Pattern* node = make_pattern(PatternKind::Sequence, begin);
  node->children = arena_.copy(elements);
  return node;
}

// An element with what may stand behind it: `exactly N`, `between A and B`.
const Pattern* Parser::parse_pattern_element() {
  const NestingScope nesting(*this);
  const std::uint32_t begin = peek().begin;
  const Pattern* base = parse_pattern_base();
  std::uint32_t min = 0;
  std::uint32_t max = 0;
  if (at(Keyword::Exactly) && peek(1).is(TokenKind::Integer)) {
    take();
    min = max = parse_pattern_count();
  } else if (at(Keyword::Between) && peek(1).is(TokenKind::Integer) && peek(2).is(Keyword::And) &&
             peek(3).is(TokenKind::Integer)) {
    const Token word = take();
    min = parse_pattern_count();
    take();
    max = parse_pattern_count();
    if (min > max) {
      fail(span_from(word.begin),
           "The smaller number comes first: `between " + std::to_string(max) + " and " + std::to_string(min) + "`");
    }
  } else {
    return base;
  }
  Pattern* node = make_pattern(PatternKind::Repeat, begin);
  node->min = min;
  node->max = max;
  node->children = arena_.copy(std::vector<const Pattern*>{base});
  return node;
}

std::uint32_t Parser::parse_pattern_count() {
  if (!at(TokenKind::Integer)) {
    fail_expected("a whole number");
  }
  if (peek().number >= static_cast<double>(kNoMaximum)) {
    fail_here("This number of repetitions is too large");
  }
  return static_cast<std::uint32_t>(take().number);
}

// `… [of] ELEMENT`, the element repeated.
const Pattern* Parser::parse_pattern_repeat(std::uint32_t begin, std::uint32_t min, std::uint32_t max) {
  eat(Keyword::Of);
  const Pattern* element = parse_pattern_element();
  Pattern* node = make_pattern(PatternKind::Repeat, begin);
  node->min = min;
  node->max = max;
  node->children = arena_.copy(std::vector<const Pattern*>{element});
  return node;
}

const Pattern* Parser::merge_classes(std::vector<const Pattern*> classes, std::uint32_t begin) {
  if (classes.size() == 1) {
    return classes.front();
  }
  Pattern* node = make_pattern(PatternKind::Alternative, begin);
  node->children = arena_.copy(classes);
  return node;
}

const Pattern* Parser::parse_pattern_group(TokenKind open, TokenKind close, std::string_view what) {
  const Token bracket = peek();
  if (!eat(open)) {
    fail_expected("`" + std::string(open == TokenKind::LeftBrace ? "{" : "(") + "` " + std::string(what));
  }
  const Pattern* inner = parse_pattern_alternatives();
  skip_lines();
  if (!eat(close)) {
    fail(join(span_of(bracket), span_of(peek())), "This group is never closed: I expected `" +
                                                      std::string(close == TokenKind::RightBrace ? "}" : ")") +
                                                      "`, but found " + describe(peek()));
  }
  return inner;
}

const Pattern* Parser::parse_pattern_base() {
  const Token token = peek();
  const std::uint32_t begin = token.begin;
  const auto class_of = [](const Token& word) {
    return word.is(Keyword::Letter)  ? PatternKind::Letter
           : word.is(Keyword::Digit) ? PatternKind::Digit
                                     : PatternKind::Whitespace;
  };
  const auto is_class = [](const Token& word) {
    return word.is(Keyword::Letter) || word.is(Keyword::Digit) || word.is(Keyword::Whitespace);
  };
  const auto literal = [&](std::string_view text) {
    Pattern* node = make_pattern(PatternKind::Literal, begin);
    node->text = text;
    return node;
  };
  if (token.is(TokenKind::Text)) {
    take();
    return literal(token.text);
  }
  if (token.is(TokenKind::Integer)) {
    if (!next_is(Keyword::To)) {
      take();
      return literal(token.text);
    }
    const std::uint32_t min = parse_pattern_count();
    take();
    const std::uint32_t max = parse_pattern_count();
    if (min > max) {
      fail(span_from(begin),
           "The smaller number comes first: `" + std::to_string(max) + " to " + std::to_string(min) + "`");
    }
    return parse_pattern_repeat(begin, min, max);
  }
  if (token.is(TokenKind::LeftParen)) {
    return parse_pattern_group(TokenKind::LeftParen, TokenKind::RightParen, "");
  }
  if (token.is(TokenKind::Identifier)) {
    take();
    if (token.text == "letters") {
      return make_pattern(PatternKind::Letter, begin);
    }
    if (token.text == "digits") {
      return make_pattern(PatternKind::Digit, begin);
    }
    Pattern* node = make_pattern(PatternKind::ListName, begin);
    node->text = token.text;
    return node;
  }
  if (is_class(token)) {
    std::vector<const Pattern*> classes;
    take();
    classes.push_back(make_pattern(class_of(token), begin));
    while (at(Keyword::Or) && is_class(peek(1))) {
      take();
      const Token word = take();
      classes.push_back(make_pattern(class_of(word), word.begin));
    }
    return merge_classes(std::move(classes), begin);
  }
  if (token.is(TokenKind::Keyword)) {
    switch (token.keyword) {
      case Keyword::Any: {
        take();
        const Token word = peek();
        if (!is_class(word) && !word.is(Keyword::Character)) {
          fail_expected("`letter`, `digit`, `whitespace` or `character` after `any`");
        }
        take();
        return make_pattern(word.is(Keyword::Character) ? PatternKind::AnyCharacter : class_of(word), begin);
      }
      case Keyword::One:
      case Keyword::Zero: {
        const std::string word(take().text);
        if (!at(Keyword::Or) || !next_is(Keyword::More)) {
          fail_expected("`or more` after `" + word + "`");
        }
        take();
        take();
        return parse_pattern_repeat(begin, token.is(Keyword::One) ? 1 : 0, kNoMaximum);
      }
      case Keyword::Optional:
        take();
        return parse_pattern_repeat(begin, 0, 1);
      case Keyword::Exactly: {
        take();
        const std::uint32_t count = parse_pattern_count();
        return parse_pattern_repeat(begin, count, count);
      }
      case Keyword::At: {
        take();
        const bool least = at(Keyword::Least);
        if (!least && !at(Keyword::Most)) {
          fail_expected("`least` or `most` after `at`");
        }
        take();
        const std::uint32_t count = parse_pattern_count();
        return least ? parse_pattern_repeat(begin, count, kNoMaximum) : parse_pattern_repeat(begin, 0, count);
      }
      case Keyword::Unicode:
        return parse_pattern_unicode();
      case Keyword::Start:
        take();
        expect(Keyword::Of, "after `start`");
        expect(Keyword::Text, "after `start of`");
        return make_pattern(PatternKind::StartOfText, begin);
      case Keyword::Capture: {
        take();
        const Pattern* inner = parse_pattern_group(TokenKind::LeftBrace, TokenKind::RightBrace, "after `capture`");
        expect(Keyword::As, "after the captured part");
        const Name name = parse_name("for the capture");
        Pattern* node = make_pattern(PatternKind::Capture, begin);
        node->text = name.text;
        node->children = arena_.copy(std::vector<const Pattern*>{inner});
        return node;
      }
      case Keyword::Same: {
        take();
        expect(Keyword::As, "after `same`");
        expect(Keyword::Captured, "after `same as`");
        if (!at(TokenKind::Text)) {
          fail_expected("the name of the capture as a text");
        }
        const std::string_view name = take().text;
        Pattern* node = make_pattern(PatternKind::SameAsCaptured, begin);
        node->text = name;
        return node;
      }
      case Keyword::Check:
        return parse_pattern_look_around();
      case Keyword::By:
        fail_here("`by` alone means nothing in a pattern", {"Did you mean `followed by`?"});
      default:
        break;
    }
  }
  fail_here(
      "A pattern can't have " + describe(token) + " in it",
      {"Parts of patterns are texts, `letter`, `digit`, `whitespace`, `any character`, `one or more …`, `optional …`,\n"
       "`exactly N …`, `capture { … } as name`, groups in parentheses, and names of lists of texts."});
}

const Pattern* Parser::parse_pattern_unicode() {
  const Token first = take();
  const auto property = [&](std::string_view text, std::uint32_t begin) {
    Pattern* node = make_pattern(PatternKind::UnicodeProperty, begin);
    node->text = text;
    return node;
  };
  if (at(Keyword::Letter) || at(Keyword::Digit)) {
    std::vector<const Pattern*> classes{property(take().is(Keyword::Letter) ? "Alphabetic" : "Numeric", first.begin)};
    while (at(Keyword::Or) && next_is(Keyword::Unicode) &&
           (peek(2).is(Keyword::Letter) || peek(2).is(Keyword::Digit))) {
      take();
      const std::uint32_t begin = take().begin;
      classes.push_back(property(take().is(Keyword::Letter) ? "Alphabetic" : "Numeric", begin));
    }
    return merge_classes(std::move(classes), first.begin);
  }
  PatternKind kind = PatternKind::UnicodeProperty;
  if (at(Keyword::Category)) {
    kind = PatternKind::UnicodeCategory;
  } else if (at(Keyword::Script)) {
    kind = PatternKind::UnicodeScript;
  } else if (!at_name("property")) {
    fail_expected("`letter`, `digit`, `category`, `script` or `property` after `unicode`");
  }
  const std::string word(take().text);
  if (!at(TokenKind::Text)) {
    fail_expected("a text after `unicode " + word + "`");
  }
  const std::string_view text = take().text;
  Pattern* node = make_pattern(kind, first.begin);
  node->text = text;
  return node;
}

// `check [not] ahead|behind for { … }`
const Pattern* Parser::parse_pattern_look_around() {
  const Token word = take();
  const bool negated = eat(Keyword::Not);
  const bool ahead = at(Keyword::Ahead);
  if (!ahead && !at(Keyword::Behind)) {
    fail_expected("`ahead` or `behind` after `check`");
  }
  take();
  expect(Keyword::For, "in the pattern");
  const Pattern* inner = parse_pattern_group(TokenKind::LeftBrace, TokenKind::RightBrace, "after `for`");
  Pattern* node = make_pattern(ahead ? PatternKind::Ahead : PatternKind::Behind, word.begin);
  node->negated = negated;
  node->children = arena_.copy(std::vector<const Pattern*>{inner});
  return node;
}

}  // namespace wfl::syntax
