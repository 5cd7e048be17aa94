// The linter: how a program is written, not what it does. All its findings are warnings, and most can be mended.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wfl/driver/config.h"
#include "wfl/syntax/ast.h"
#include "wfl/syntax/diagnostic.h"
#include "wfl/syntax/parser.h"
#include "wfl/syntax/token.h"

namespace wfl::tools {

// A change of a program's text.
struct Edit {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::string text;
};

// A name that is not in snake case, and how it would be.
struct BadName {
  std::string name;
  std::string better;
  syntax::SourceSpan span;
};

struct LintReport {
  std::vector<syntax::Diagnostic> findings;  // In the order of the text.
  std::vector<Edit> edits;                   // What mends blanks and the case of words; in order, not overlapping.
  std::vector<BadName> names;
};

// Looks at a program that was parsed without errors.
[[nodiscard]] LintReport lint(const syntax::Program& program, const driver::LintRules& rules);

// Looks for keywords with capital letters in a text that can't be parsed: they are ordinary words there, and perhaps
// the reason.
[[nodiscard]] LintReport lint_unreadable(const syntax::SourceFile& source, const driver::LintRules& rules);

// Whether a text can be read and the analyzer would let it run.
[[nodiscard]] bool is_sound(const syntax::ParseResult& parsed);

// The text after the edits.
[[nodiscard]] std::string apply(std::string_view text, const std::vector<Edit>& edits);

struct Mended {
  bool readable = true;  // False: the text can't be parsed, not even after mending the case of words.
  std::string text;
  std::size_t mended = 0;                          // How many findings are gone.
  std::vector<syntax::Diagnostic> left;            // What could not be mended; places are in `text`.
  std::shared_ptr<const syntax::SourceFile> file;  // `text` as a source file.
};

// Mends what can be mended without changing what the program does. That is proved, not assumed: the tree of the mended
// text must be the tree of the old one with the names replaced, else the change is dropped.
[[nodiscard]] Mended mend(const syntax::SourceFile& source, const driver::LintRules& rules);

}  // namespace wfl::tools
