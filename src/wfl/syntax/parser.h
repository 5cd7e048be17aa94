#pragma once

#include <memory>
#include <vector>

#include "wfl/syntax/ast.h"
#include "wfl/syntax/diagnostic.h"

namespace wfl::syntax {

struct ParseResult {
  Program program;
  std::vector<Diagnostic> diagnostics;  // In the order found: errors, and warnings such as deprecated forms.
  // The first error was met at the end of the text: more lines could complete the program (for the REPL).
  bool incomplete = false;

  bool ok() const;  // No errors; warnings are fine. Only then may `program` be run.
};

// Parses a whole source file. All errors are found in one go: after a failed statement parsing goes on with the next
// line. Never fails on input of any shape: nesting that is too deep is an ordinary error.
ParseResult parse(std::shared_ptr<const SourceFile> source);

}  // namespace wfl::syntax
