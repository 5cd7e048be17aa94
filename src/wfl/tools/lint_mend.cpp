// Mending: blanks and the case of words first, then one name after the other. After each step the tree is compared.
#include <algorithm>
#include <optional>

#include "wfl/check/analyzer.h"
#include "wfl/language/builtins.h"
#include "wfl/language/keywords.h"
#include "wfl/syntax/ast_dump.h"
#include "wfl/syntax/lexer.h"
#include "wfl/syntax/parser.h"
#include "wfl/tools/lint.h"

namespace wfl::tools {
namespace {

using driver::LintRules;
using syntax::SourceFile;
using syntax::Token;
using syntax::TokenKind;

std::shared_ptr<const SourceFile> with_text(const SourceFile& source, std::string text) {
  return std::make_shared<const SourceFile>(source.id(), std::string(source.name()), std::move(text));
}

// Whether other files may know the names of this one.
bool is_shared(const syntax::StmtList& statements) {
  return std::ranges::any_of(statements, [](const syntax::Stmt* statement) {
    if (const auto* wait = syntax::try_as<syntax::WaitStatementStmt>(statement)) statement = wait->inner;
    using enum syntax::StmtKind;
    return statement->kind == Include || statement->kind == LoadModule || statement->kind == Export;
  });
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// The text with the name replaced wherever it stands, or nothing when that would change the program.
std::optional<std::string> rename(const SourceFile& source, const std::string& tree, const BadName& bad) {
  if (language::find_builtin(bad.better) != nullptr || language::is_reserved_builtin(bad.better) ||
      language::find_keyword(bad.better)) {
    return std::nullopt;
  }
  syntax::Arena arena;
  std::vector<syntax::Diagnostic> ignored;
  const std::vector<Token> tokens = syntax::lex(source, arena, ignored);
  std::vector<Edit> edits;
  for (const Token& token : tokens) {
    if (!token.is(TokenKind::Identifier)) continue;
    if (token.text == bad.better || token.ends_with_word(bad.better)) return std::nullopt;  // The name is taken.
    // A word of a statement may stand before the name in the same run of words (`with key user id`).
    if (!token.ends_with_word(bad.name) || token.end - token.begin != token.text.size()) continue;
    edits.push_back({token.end - static_cast<std::uint32_t>(bad.name.size()), token.end, bad.better});
  }
  std::string text = tools::apply(source.text(), edits);
  const auto parsed = syntax::parse(with_text(source, text));
  if (!parsed.ok()) return std::nullopt;
  const std::string wanted = replace_all(tree, "<" + bad.name + ">", "<" + bad.better + ">");
  if (syntax::dump(parsed.program) != wanted) return std::nullopt;
  return text;
}

}  // namespace

// Capital letters often leave a text readable: `STORE total AS 5` is a name and a number. Only the names that nobody
// knows then show that something else was meant.
bool is_sound(const syntax::ParseResult& parsed) {
  return parsed.ok() && check::analyze(parsed.program).ok();
}

Mended mend(const SourceFile& source, const LintRules& rules) {
  Mended result;
  auto file = with_text(source, std::string(source.text()));
  auto parsed = syntax::parse(file);
  std::size_t before = 0;
  if (!is_sound(parsed)) {
    const LintReport report = lint_unreadable(*file, rules);
    const auto original = file;
    file = with_text(source, tools::apply(file->text(), report.edits));
    auto lowered = syntax::parse(file);
    if (is_sound(lowered)) {
      parsed = std::move(lowered);
      before = report.findings.size();
    } else if (parsed.ok()) {
      file = original;
    } else {
      result.readable = false;
      return result;
    }
  }
  std::string tree = syntax::dump(parsed.program);
  LintReport report = lint(parsed.program, rules);
  before += report.findings.size();

  // Blanks inside a run of words are part of no name, so these edits can't change the tree; the comparison is the
  // proof.
  auto changed = with_text(source, tools::apply(file->text(), report.edits));
  if (auto again = syntax::parse(changed); again.ok() && syntax::dump(again.program) == tree) file = changed;

  if (!is_shared(parsed.program.statements)) {
    for (const BadName& name : report.names) {
      auto text = rename(*file, tree, name);
      if (!text) continue;
      tree = replace_all(tree, "<" + name.name + ">", "<" + name.better + ">");
      file = with_text(source, std::move(*text));
    }
  }
  const auto last = syntax::parse(file);
  result.left = lint(last.program, rules).findings;
  result.mended = before - std::min(before, result.left.size());
  result.text = file->text();
  result.file = std::move(file);
  return result;
}

}  // namespace wfl::tools
