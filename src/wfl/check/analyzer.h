// The analyzer: reads a whole program before it runs and finds what is certainly wrong (errors; the program is refused)
// and what is probably wrong (warnings; the run decides).
#pragma once

#include <string>
#include <vector>

#include "wfl/syntax/ast.h"
#include "wfl/syntax/diagnostic.h"

namespace wfl::check {

struct AnalyzerOptions {
  std::vector<std::string>
      outer_names;           // Visible from outside of the text: what an including program has defined, flags.
  bool is_imported = false;  // The text is an included file or a module: what it stores over is its business.
};

struct Analysis {
  std::vector<syntax::Diagnostic> diagnostics;    // Errors and warnings, in the order of the text.
  std::vector<syntax::Diagnostic> type_findings;  // Warnings about types.

  [[nodiscard]] bool ok() const;  // No errors.
};

[[nodiscard]] Analysis analyze(const syntax::Program& program, const AnalyzerOptions& options = {});

}  // namespace wfl::check
