// Indentation. The levels are found from the words at the begin and the end of each line: `:` or `then` at the end of a
// line opens a block, `end` at the begin closes one, `otherwise`, `when` and their like stand between two blocks. Where
// that count does not come out even (a block that is opened and closed in some other layout), nothing at all is said
// about indentation: wrong advice is worse than none.
#include "wfl/tools/lint.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "wfl/compile/scan.h"
#include "wfl/syntax/lexer.h"

namespace wfl::tools {
namespace {

using driver::LintRules;
using language::Keyword;
using syntax::Diagnostic;
using syntax::SourceFile;
using syntax::SourceSpan;
using syntax::Token;
using syntax::TokenKind;

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (is_upper(c)) c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string snake_case(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool new_word = is_upper(c) && i > 0 && name[i - 1] != ' ' && name[i - 1] != '_' &&
                          (!is_upper(name[i - 1]) || (i + 1 < name.size() && name[i + 1] >= 'a' && name[i + 1] <= 'z'));
    if (new_word) out += '_';
    out += c == ' ' ? '_' : c;
  }
  return lower(out);
}

Diagnostic finding(const char* code, std::string message, SourceSpan span, std::string hint) {
  Diagnostic diagnostic;
  diagnostic.severity = syntax::Severity::Warning;
  diagnostic.code = code;
  diagnostic.message = std::move(message);
  diagnostic.span = span;
  if (!hint.empty()) diagnostic.hints.push_back(std::move(hint));
  return diagnostic;
}

// A line of the text with its words.
struct Line {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;  // Without the line end.
  bool begins_in_text = false;
  bool ends_in_text = false;
  std::vector<const Token*> words;
};

std::vector<Line> lines_of(const SourceFile& source, const std::vector<Token>& tokens) {
  std::vector<Line> lines(source.line_count());
  for (std::uint32_t i = 0; i < lines.size(); ++i) {
    lines[i].begin = source.line_start(i + 1);
    lines[i].end = lines[i].begin + static_cast<std::uint32_t>(source.line_text(i + 1).size());
  }
  for (const Token& token : tokens) {
    if (token.is(TokenKind::EndOfLine) || token.is(TokenKind::EndOfFile)) continue;
    const std::uint32_t first = source.line_of(token.begin) - 1;
    const std::uint32_t last = token.end > token.begin ? source.line_of(token.end - 1) - 1 : first;
    lines[first].words.push_back(&token);
    for (std::uint32_t line = first; line < last; ++line) {
      lines[line].ends_in_text = true;
      lines[line + 1].begins_in_text = true;
    }
    if (last != first) lines[last].words.push_back(&token);
  }
  return lines;
}

class Linter {
 public:
  Linter(const SourceFile& source, const LintRules& rules) : source_(source), rules_(rules) {
    std::vector<Diagnostic> ignored;
    tokens_ = syntax::lex(source, arena_, ignored);
    lines_ = lines_of(source, tokens_);
  }

  LintReport run(const syntax::Program& program) {
    lines();
    indentation();
    if (rules_.keyword_case) booleans();
    if (rules_.snake_case) names(program.statements);
    return finish();
  }

  LintReport run_unreadable() {
    if (rules_.keyword_case) capital_keywords();
    return finish();
  }

 private:
  SourceSpan span(std::uint32_t begin, std::uint32_t end) const { return {source_.id(), begin, end}; }
  std::string_view text(std::uint32_t begin, std::uint32_t end) const {
    return source_.text().substr(begin, end - begin);
  }

  LintReport finish() {
    std::ranges::sort(report_.findings, {}, [](const Diagnostic& d) { return std::pair(d.span.begin, d.code); });
    std::ranges::sort(report_.edits, {}, [](const Edit& edit) { return std::pair(edit.begin, edit.end); });
    return std::move(report_);
  }

  void lines() {
    for (const Line& line : lines_) {
      const std::string_view content = text(line.begin, line.end);
      const auto characters =
          std::ranges::count_if(content, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
      if (static_cast<std::uint64_t>(characters) > rules_.max_line_length) {
        report_.findings.push_back(finding("LINT-LENGTH",
                                           "This line has " + std::to_string(characters) + " characters, more than " +
                                               std::to_string(rules_.max_line_length),
                                           span(line.begin, line.end),
                                           "Give a part of it a name of its own on a line before."));
      }
      if (rules_.allow_trailing_whitespace || line.ends_in_text) continue;
      const std::size_t last = content.find_last_not_of(" \t\f");
      const auto end = line.begin + static_cast<std::uint32_t>(last == std::string_view::npos ? 0 : last + 1);
      if (end == line.end || (line.begins_in_text && last == std::string_view::npos)) continue;
      report_.findings.push_back(
          finding("LINT-WHITESPACE", "There are blanks at the end of this line", span(end, line.end), "Remove them."));
      report_.edits.push_back({end, line.end, ""});
    }
  }

  // --- indentation ---

  enum class Block : std::uint8_t { kPlain, kRoute, kArm, kRepeat };

  [[nodiscard]] std::size_t depth() const { return blocks_.size(); }
  [[nodiscard]] std::size_t nesting() const {
    return static_cast<std::size_t>(std::ranges::count_if(blocks_, [](Block block) { return block != Block::kArm; }));
  }

  // The level a line belongs to, and what it does to the levels of those below. Nothing when the count is lost.
  std::optional<std::size_t> level_of(const Line& line) {
    const Token& first = *line.words.front();
    const Token& last = *line.words.back();
    const auto has = [&](Keyword keyword) {
      return std::ranges::any_of(line.words, [&](const Token* token) { return token->is(keyword); });
    };
    if (first.is(Keyword::End)) {
      if (!blocks_.empty() && blocks_.back() == Block::kArm) blocks_.pop_back();
      if (blocks_.empty()) return std::nullopt;
      blocks_.pop_back();
      return depth();
    }
    if (first.is(Keyword::Otherwise) || first.is(Keyword::When) || first.is(Keyword::Catch) ||
        first.is(Keyword::Finally)) {
      if (blocks_.empty()) return std::nullopt;
      if (blocks_.back() == Block::kRoute) {
        blocks_.push_back(Block::kArm);
        return depth() - 1;
      }
      return depth() - 1;
    }
    if (first.is(Keyword::Until) && !blocks_.empty() && blocks_.back() == Block::kRepeat) {
      blocks_.pop_back();
      return depth();
    }
    const std::size_t level = depth();
    const bool opens_if = first.is(Keyword::If) && has(Keyword::Then) && !has(Keyword::End);
    if (last.is(TokenKind::Colon) || opens_if) {
      const bool bare_repeat = first.is(Keyword::Repeat) && line.words.size() == 2;
      blocks_.push_back(first.is(Keyword::Route) ? Block::kRoute : bare_repeat ? Block::kRepeat : Block::kPlain);
      if (nesting() == std::size_t{rules_.max_nesting} + 1) {
        report_.findings.push_back(
            finding("LINT-COMPLEX", "Blocks are nested more than " + std::to_string(rules_.max_nesting) + " deep here",
                    span(first.begin, last.end), "Make the inner blocks an action of their own."));
      }
    }
    return level;
  }

  void indentation() {
    LintReport before = report_;
    std::vector<std::size_t> comments;  // Lines without words that wait for the next line with some.
    bool open_if_at_end = false;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      const Line& line = lines_[i];
      if (line.begins_in_text) continue;
      if (line.words.empty()) {
        if (text(line.begin, line.end).find_first_not_of(" \t\f") != std::string_view::npos) comments.push_back(i);
        continue;
      }
      // A clause of the statement before may stand on a line of its own.
      if (line.words.front()->is(Keyword::And) || line.words.front()->is(Keyword::With)) continue;
      const std::size_t inside = depth();
      const auto level = level_of(line);
      if (!level) {
        report_ = std::move(before);
        return;
      }
      // A comment belongs to the line below it, or to the block that ends there.
      for (const std::size_t comment : comments) check_indent(lines_[comment], std::max(inside, *level), *level);
      comments.clear();
      check_indent(line, *level, *level);
      open_if_at_end = line.words.front()->is(Keyword::If);
    }
    for (const std::size_t comment : comments) check_indent(lines_[comment], depth(), 0);
    if (depth() > (open_if_at_end ? 1U : 0U)) report_ = std::move(before);
  }

  void check_indent(const Line& line, std::size_t level, std::size_t other) {
    const std::string_view content = text(line.begin, line.end);
    const std::size_t blanks = std::min(content.find_first_not_of(" \t\f"), content.size());
    const auto fits = [&](std::size_t wanted) {
      return blanks == wanted * rules_.indent && content.substr(0, blanks).find('\t') == std::string_view::npos;
    };
    if (fits(level) || fits(other)) return;
    const std::size_t wanted = level * rules_.indent;
    report_.findings.push_back(
        finding("LINT-INDENT",
                "This line begins with " + std::to_string(blanks) + (blanks == 1 ? " blank" : " blanks") +
                    (content.substr(0, blanks).find('\t') == std::string_view::npos ? "" : " and tabs") +
                    "; its block asks for " + std::to_string(wanted),
                span(line.begin, line.begin + static_cast<std::uint32_t>(blanks)), ""));
    report_.edits.push_back({line.begin, line.begin + static_cast<std::uint32_t>(blanks), std::string(wanted, ' ')});
  }

  // --- words ---

  void booleans() {
    for (const Token& token : tokens_) {
      if (!token.is(TokenKind::Boolean)) continue;
      bad_case(token.begin, token.end);
    }
  }

  void bad_case(std::uint32_t begin, std::uint32_t end) {
    const std::string_view written = text(begin, end);
    const std::string better = lower(written);
    if (written == better) return;
    report_.findings.push_back(finding("LINT-KEYWORD", "'" + std::string(written) + "' is written with capital letters",
                                       span(begin, end), "Write '" + better + "'."));
    report_.edits.push_back({begin, end, better});
  }

  void capital_keywords() {
    for (const Token& token : tokens_) {
      if (token.is(TokenKind::Boolean)) bad_case(token.begin, token.end);
      if (!token.is(TokenKind::Identifier)) continue;
      for (std::uint32_t at = token.begin; at < token.end;) {
        std::uint32_t end = at;
        while (end < token.end && source_.text()[end] != ' ' && source_.text()[end] != '\t') ++end;
        if (language::find_keyword(lower(text(at, end)))) bad_case(at, end);
        at = end + 1;
      }
    }
  }

  // --- names ---

  void names(const syntax::StmtList& statements) {
    for (const syntax::Stmt* statement : statements) {
      compile::for_each_bound_name(*statement, [&](std::string_view name) { check_name(name, *statement); });
      if (const auto* change = syntax::try_as<syntax::ChangeStmt>(statement)) check_name(change->name.text, *statement);
      if (const auto* action = syntax::try_as<syntax::DefineActionStmt>(statement)) names(action->body.statements);
      if (const auto* container = syntax::try_as<syntax::DefineContainerStmt>(statement)) {
        for (const syntax::DefineActionStmt* action : container->actions) {
          check_name(action->name.text, *action);
          names(action->body.statements);
        }
      }
      compile::for_each_block(*statement, [&](const syntax::StmtList& block, compile::BlockScope) { names(block); });
    }
  }

  void check_name(std::string_view name, const syntax::Stmt& statement) {
    if (std::ranges::none_of(name, [](char c) { return c == ' ' || is_upper(c); })) return;
    if (!told_.emplace(name).second) return;
    SourceSpan place = statement.head;
    for (const Token& token : tokens_) {
      if (token.begin >= statement.span.begin && token.end <= statement.span.end && token.ends_with_word(name)) {
        place =
            span(token.end - static_cast<std::uint32_t>(std::min<std::size_t>(name.size(), token.end - token.begin)),
                 token.end);
        break;
      }
    }
    const std::string better = snake_case(name);
    report_.names.push_back({std::string(name), better, place});
    report_.findings.push_back(finding("LINT-NAME", "The name '" + std::string(name) + "' is not in snake case", place,
                                       "Call it '" + better + "'."));
  }

  const SourceFile& source_;
  const LintRules& rules_;
  syntax::Arena arena_;
  std::vector<Token> tokens_;
  std::vector<Line> lines_;
  std::vector<Block> blocks_;
  std::set<std::string, std::less<>> told_;
  LintReport report_;
};

}  // namespace

LintReport lint(const syntax::Program& program, const LintRules& rules) {
  return Linter(*program.source, rules).run(program);
}

LintReport lint_unreadable(const SourceFile& source, const LintRules& rules) {
  return Linter(source, rules).run_unreadable();
}

std::string apply(std::string_view text, const std::vector<Edit>& edits) {
  std::string out;
  std::size_t at = 0;
  for (const Edit& edit : edits) {
    if (edit.begin < at) continue;
    out += text.substr(at, edit.begin - at);
    out += edit.text;
    at = edit.end;
  }
  out += text.substr(at);
  return out;
}

}  // namespace wfl::tools
