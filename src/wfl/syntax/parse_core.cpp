#include <algorithm>
#include <array>

#include "wfl/syntax/habit_hints.h"
#include "wfl/syntax/keystore_hints.h"
#include "wfl/syntax/parser.h"
#include "wfl/syntax/parser_impl.h"
#include "wfl/syntax/suggest.h"

namespace wfl::syntax {

namespace {

// How deep parsing functions may be in each other. Real programs stay below 50; the C++ stack bears several thousand.
constexpr unsigned kMaxNesting = 1000;

// First words of statements, for "did you mean".
constexpr auto kStatementWords = std::to_array<std::string_view>(
    {"store",    "create", "display",  "change",    "check",   "count",   "for",     "repeat",   "define", "call",
     "return",   "give",   "open",     "close",     "write",   "wait",    "try",     "push",     "add",    "subtract",
     "multiply", "divide", "remove",   "clear",     "delete",  "execute", "spawn",   "include",  "load",   "export",
     "describe", "test",   "expect",   "listen",    "respond", "route",   "break",   "continue", "exit",   "scan",
     "list",     "get",    "increase", "decrease",  "keep",    "batch",   "compact", "flush",    "verify", "back",
     "take",     "skip",   "end",      "otherwise", "if"});

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

bool ParseResult::ok() const {
  return std::ranges::none_of(diagnostics, [](const Diagnostic& d) { return d.severity == Severity::Error; });
}

ParseResult parse(std::shared_ptr<const SourceFile> source) {
  ParseResult result;
  result.program.source = std::move(source);
  result.program.arena = std::make_unique<Arena>();
  Parser parser(*result.program.source, *result.program.arena, result.diagnostics);
  result.program.statements = parser.parse_program();
  result.incomplete = parser.incomplete();
  return result;
}

// ---- Tokens ----

const Token& Parser::peek(unsigned n) const {
  std::uint32_t index = at_;
  for (; n > 0; --n) {
    index = tokens_[index].next;
  }
  return tokens_[index];
}

Token Parser::take() {
  const Token token = tokens_[at_];
  if (!token.is(TokenKind::EndOfLine)) {
    last_end_ = token.end;
  }
  at_ = token.next;
  return token;
}

bool Parser::eat(Keyword keyword) {
  if (!at(keyword)) {
    return false;
  }
  take();
  return true;
}

bool Parser::eat(TokenKind kind) {
  if (!at(kind)) {
    return false;
  }
  take();
  return true;
}

bool Parser::eat_name(std::string_view words) {
  if (!at_name(words)) {
    return false;
  }
  take();
  return true;
}

void Parser::expect(Keyword keyword, std::string_view where) {
  if (!eat(keyword)) {
    fail_expected("`" + std::string(language::spelling(keyword)) + "` " + std::string(where));
  }
}

void Parser::expect(TokenKind kind, std::string_view sign, std::string_view where) {
  if (!eat(kind)) {
    fail_expected("`" + std::string(sign) + "` " + std::string(where));
  }
}

void Parser::skip_lines() {
  while (at(TokenKind::EndOfLine)) {
    take();
  }
}

unsigned Parser::count_words(std::string_view text) {
  return static_cast<unsigned>(std::ranges::count(text, ' ')) + 1;
}

void Parser::split(std::uint32_t index, unsigned words) {
  Token first = tokens_[index];
  Token rest = first;
  std::size_t cut = 0;
  std::uint32_t offset = first.begin;
  const std::string_view source = source_.text();
  for (unsigned i = 0; i < words; ++i) {
    cut = first.text.find(' ', cut + 1);
    while (is_word_character(source[offset])) {
      ++offset;
    }
    first.end = offset;
    while (!is_word_character(source[offset])) {
      ++offset;
    }
  }
  splits_.emplace_back(index, tokens_[index]);
  first.text = rest.text.substr(0, cut);
  rest.text = rest.text.substr(cut + 1);
  rest.begin = offset;
  first.next = static_cast<std::uint32_t>(tokens_.size());
  tokens_[index] = first;
  tokens_.push_back(rest);
}

Parser::Checkpoint Parser::checkpoint() const {
  return {at_, last_end_, diagnostics_.size(), splits_.size(), tokens_.size(), errors_, incomplete_};
}

bool Parser::line_ends_with_colon() const {
  const std::string_view line = source_.line_text(source_.line_of(peek().begin));
  const std::size_t last = line.find_last_not_of(" \t\r\n");
  return last != std::string_view::npos && line[last] == ':';
}

bool Parser::is_ended_by(Keyword word) const {
  for (std::size_t i = at_; i + 1 < tokens_.size(); ++i) {
    if (tokens_[i].is(Keyword::End) && tokens_[i + 1].is(word)) return true;
  }
  return false;
}

void Parser::rewind(const Checkpoint& to) {
  while (splits_.size() > to.splits) {
    tokens_[splits_.back().first] = splits_.back().second;
    splits_.pop_back();
  }
  tokens_.resize(to.tokens);
  diagnostics_.resize(to.diagnostics);
  at_ = to.at;
  last_end_ = to.last_end;
  errors_ = to.errors;
  incomplete_ = to.incomplete;
}

SourceSpan Parser::span_from(std::uint32_t begin) const {
  return {source_.id(), begin, std::max(begin, last_end_)};
}

// ---- Errors ----

Diagnostic& Parser::report(SourceSpan span, std::string message, std::initializer_list<std::string> hints,
                           std::string_view code) {
  if (errors_++ == 0 && span.begin >= source_.text().size()) {
    incomplete_ = true;
  }
  Diagnostic& diagnostic = diagnostics_.emplace_back();
  diagnostic.code = code;
  diagnostic.message = std::move(message);
  diagnostic.span = span;
  diagnostic.hints = hints;
  // An error that shows the right form itself needs no guess.
  const std::string_view line = source_.line_text(source_.line_of(span.begin));
  const bool shows_form =
      std::ranges::any_of(hints, [](const std::string& hint) { return hint.starts_with("Write `"); });
  const std::optional<std::string> form = shows_form ? std::nullopt : keystore_hint(line);
  if (bare_name_ && span.begin >= bare_name_.span.end &&
      source_.line_of(span.begin) == source_.line_of(bare_name_.span.begin)) {
    const std::string_view word = bare_name_.text.substr(0, bare_name_.text.find(' '));
    const bool is_known = std::ranges::find(kStatementWords, word) != kStatementWords.end();
    if (const auto meant = closest(word, kStatementWords); meant && !is_known && !form) {
      diagnostic.hints.push_back("Did you mean `" + std::string(*meant) + "` instead of `" + std::string(word) + "`?");
    }
    bare_name_ = {};
  }
  if (form) diagnostic.hints.push_back(*form);
  if (diagnostic.hints.empty()) {
    const std::string_view text = source_.text();
    if (span.begin > 0 && text.substr(span.begin - 1, 2) == "==") {
      diagnostic.hints.emplace_back("Equality is written `is`, or with one `=`.");
    } else if (auto habit = habit_hint(line)) {
      diagnostic.hints.push_back(std::move(*habit));
    }
  }
  return diagnostic;
}

void Parser::fail(SourceSpan span, std::string message, std::initializer_list<std::string> hints,
                  std::string_view code) {
  report(span, std::move(message), hints, code);
  throw ParseFailure{};
}

void Parser::fail_here(std::string message, std::initializer_list<std::string> hints, std::string_view code) {
  fail(span_of(peek()), std::move(message), hints, code);
}

void Parser::fail_expected(std::string_view what, std::initializer_list<std::string> hints) {
  fail_here("I expected " + std::string(what) + ", but found " + describe(peek()), hints);
}

Parser::NestingScope::NestingScope(Parser& parser) : parser_(parser) {
  if (++parser.nesting_ > kMaxNesting) {
    --parser.nesting_;
    parser.fail_here("This is nested too deeply to be read",
                     {"Store parts of it in variables, or move them into actions."}, "WFL-P005");
  }
}

void Parser::deepen(Expr* node, const Expr* child) {
  if (child == nullptr) {
    return;
  }
  node->depth = std::max(node->depth, child->depth + 1);
  if (node->depth > kMaxTreeDepth) {
    fail(node->span, "This expression has too many parts", {"Store parts of it in variables."}, "WFL-P005");
  }
}

// ---- Blocks and recovery ----

bool Parser::at_stop(unsigned stops) const {
  const Token& token = peek();
  if (token.is(TokenKind::EndOfFile) || token.is(Keyword::End)) {
    return true;
  }
  return ((stops & kOtherwise) != 0 && token.is(Keyword::Otherwise)) ||
         ((stops & kWhen) != 0 && token.is(Keyword::When)) || ((stops & kCatch) != 0 && token.is(Keyword::Catch)) ||
         ((stops & kFinally) != 0 && token.is(Keyword::Finally)) || ((stops & kUntil) != 0 && token.is(Keyword::Until));
}

Block Parser::parse_body(unsigned stops) {
  const NestingScope nesting(*this);
  std::vector<const Stmt*> statements;
  skip_lines();
  const std::uint32_t begin = peek().begin;
  while (!at_stop(stops)) {
    const std::uint32_t start = at_;
    const Mode mode = mode_;
    try {
      statements.push_back(parse_statement());
    } catch (const ParseFailure&) {
      mode_ = mode;
      if (at_ == start && !at_end_of_line()) {
        take();
      }
      recover();
    }
    skip_lines();
  }
  return {arena_.copy(statements), span_from(begin)};
}

void Parser::skip_line() {
  while (!at_end_of_line()) {
    take();
  }
}

// After a failed statement: the rest of its line is not looked at, unless a block closes on it.
void Parser::recover() {
  bare_name_ = {};
  while (!at_end_of_line() && !(at(Keyword::End) && !open_blocks_.empty() && closes(open_blocks_.back().word))) {
    take();
  }
}

bool Parser::closes(std::string_view word) const {
  if (!at(Keyword::End)) {
    return false;
  }
  const Token& behind = peek(1);
  if (word.empty()) {
    return behind.is(TokenKind::EndOfLine) || behind.is(TokenKind::EndOfFile);
  }
  return (behind.is(TokenKind::Keyword) || behind.is(TokenKind::Identifier)) && behind.text == word;
}

void Parser::close_block() {
  const OpenBlock& block = open_blocks_.back();
  const std::string closer = block.word.empty() ? "end" : "end " + std::string(block.word);
  if (block.word.empty() && at(Keyword::End)) {
    take();
    return;
  }
  if (closes(block.word)) {
    take();
    take();
    return;
  }
  const auto opened_at = [&] {
    return "The block that is still open starts in line " + std::to_string(source_.line_of(block.head.begin)) + ": `" +
           std::string(
               source_.text().substr(block.head.begin, std::min<std::size_t>(block.head.end - block.head.begin, 60))) +
           "`.";
  };
  if (at(TokenKind::EndOfFile)) {
    if (!reported_end_of_file_) {
      reported_end_of_file_ = true;
      Diagnostic& diagnostic =
          report(span_of(peek()), "The program ends, but `" + closer + "` is missing", {}, "WFL-P002");
      diagnostic.notes.push_back(opened_at());
    }
    return;
  }
  if (!at(Keyword::End)) {
    Diagnostic& diagnostic =
        report(span_of(peek()), "I expected `" + closer + "`, but found " + describe(peek()), {}, "WFL-P002");
    diagnostic.notes.push_back(opened_at());
    skip_line();
    return;
  }
  // Another `end`. If it closes a block further out, this one lacks its own.
  const Token& behind = peek(1);
  const std::string found = behind.is(TokenKind::EndOfLine) || behind.is(TokenKind::EndOfFile)
                                ? "`end`"
                                : "`end " + std::string(behind.text) + "`";
  Diagnostic& diagnostic = report(join(span_of(peek()), span_of(behind.is(TokenKind::EndOfLine) ? peek() : behind)),
                                  "I expected `" + closer + "`, but found " + found, {}, "WFL-P002");
  diagnostic.notes.push_back(opened_at());
  const bool belongs_outside = std::any_of(open_blocks_.begin(), open_blocks_.end() - 1,
                                           [this](const OpenBlock& outer) { return closes(outer.word); });
  if (!belongs_outside) {
    take();
    if (!at_end_of_line()) {
      take();
    }
  }
}

void Parser::optional_colon() {
  eat(TokenKind::Colon);
}

// Looks ahead for `define action called NAME with parameters a and b`, since an action may be called above its
// definition. An action that can do without values is left out: before `with` its name stands for its result.
void Parser::collect_actions() {
  std::set<std::string_view> without_values;
  for (std::size_t i = 0; i + 4 < tokens_.size(); ++i) {
    if (!tokens_[i].is(Keyword::Define) || !tokens_[i + 1].is(Keyword::Action) || !tokens_[i + 2].is(Keyword::Called) ||
        !tokens_[i + 3].is(TokenKind::Identifier)) {
      continue;
    }
    const std::string_view name = tokens_[i + 3].text;
    i += 4;
    if (!tokens_[i].is(Keyword::Needs) && !tokens_[i].is(Keyword::With)) {
      without_values.insert(name);
      continue;
    }
    std::size_t values = 1;
    for (; !tokens_[i].is(TokenKind::Colon) && !tokens_[i].is(TokenKind::EndOfLine) &&
           !tokens_[i].is(TokenKind::EndOfFile);
         ++i) {
      if (tokens_[i].is(Keyword::And)) ++values;
    }
    actions_with_values_.emplace(name, values);
  }
  std::erase_if(actions_with_values_, [&](const auto& action) { return without_values.contains(action.first); });
}

StmtList Parser::parse_program() {
  // Closers that stand alone at the top level have always been passed over.
  constexpr auto kLoose = std::to_array<Keyword>({Keyword::Action, Keyword::Check, Keyword::For, Keyword::Count,
                                                  Keyword::Repeat, Keyword::Try, Keyword::Loop, Keyword::While,
                                                  Keyword::Map, Keyword::Pattern, Keyword::List, Keyword::Container});
  std::vector<const Stmt*> statements;
  while (true) {
    Block part;
    try {
      part = parse_body(kEnd);
    } catch (const ParseFailure&) {
      recover();
    }
    statements.insert(statements.end(), part.statements.begin(), part.statements.end());
    if (at(TokenKind::EndOfFile)) {
      break;
    }
    const Token end = take();  // `end`
    if (at_end_of_line()) {
      continue;
    }
    if (std::ranges::any_of(kLoose, [this](Keyword keyword) { return at(keyword); })) {
      take();
      continue;
    }
    const std::string found = "end " + std::string(peek().text);
    Diagnostic& diagnostic =
        report(join(span_of(end), span_of(peek())), "This `" + found + "` closes nothing", {}, "WFL-P002");
    if (at_name("batch")) {
      diagnostic.hints = {"A batch starts with `batch operations on S:`."};
    }
    skip_line();
  }
  return arena_.copy(statements);
}

// ---- Small nodes ----

const VariableExpr* Parser::make_variable(std::string_view name, SourceSpan span) {
  auto* node = arena_.make<VariableExpr>(span);
  node->name = name;
  return node;
}

const Stmt* Parser::make_expression_statement(const Expr* value) {
  auto* node = arena_.make<ExpressionStmt>(value->span);
  node->value = value;
  return node;
}

}  // namespace wfl::syntax
