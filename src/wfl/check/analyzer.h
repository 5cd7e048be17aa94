// The analyzer: reads a whole program before it runs and finds what is certainly wrong (errors; the program is refused)
// and what is probably wrong (warnings; the run decides).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wfl/syntax/ast.h"
#include "wfl/syntax/diagnostic.h"

namespace wfl::check {

// A file that is included: its text, and a name by which its own includes are found.
struct IncludedText {
  std::string name;
  std::string text;
};

struct AnalyzerOptions {
  std::vector<std::string>
      outer_names;           // Visible from outside of the text: what an including program has defined, flags.
  bool is_imported = false;  // The text is an included file or a module: what it stores over is its business.
  // Finds what `include from PATH` names. The second text is the name of the including file, empty for the program
  // itself. Without it included files may define anything.
  std::function<std::optional<IncludedText>(std::string_view path, std::string_view from)> read_include = {};
};

struct Analysis {
  std::vector<syntax::Diagnostic> diagnostics;    // Errors and warnings, in the order of the text.
  std::vector<syntax::Diagnostic> type_findings;  // Warnings about types.
  std::vector<std::string> bound_names;           // Names that the text binds, wherever it does.

  [[nodiscard]] bool ok() const;  // No errors.
};

[[nodiscard]] Analysis analyze(const syntax::Program& program, const AnalyzerOptions& options = {});

}  // namespace wfl::check
