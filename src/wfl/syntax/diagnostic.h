#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wfl/syntax/source.h"

namespace wfl::syntax {

enum class Severity : std::uint8_t { Error, Warning };

// Something to tell about a place in a program. `code` is stable and starts with the layer that speaks: WFL-P (parser),
// WFL-S (analyzer), WFL-T (type checker), WFL-R (run time).
struct Diagnostic {
  Severity severity = Severity::Error;
  std::string code;
  std::string message;
  SourceSpan span;
  std::string label;               // Written behind the underline; empty: "Error occurred here".
  std::vector<std::string> notes;  // Facts: what was read, what the rule is.
  std::vector<std::string> hints;  // What would work.
};

struct RenderOptions {
  bool color = false;
  std::uint32_t tab_width = 4;
  std::uint32_t max_columns = 120;  // Longer source lines are shown as a window around the span.
};

// The diagnostic as text for a terminal: head, source frame with the span underlined, notes and hints.
//
//   error[WFL-P001]: I expected `as` here
//     ┌─ program.wfl:3:9
//     │
//   3 │ store x 5
//     │         ^ Error occurred here
//     │
//     = note: …
//     = hint: …
std::string render(const Diagnostic& diagnostic, const SourceFile& source, const RenderOptions& options = {});

// For a diagnostic whose source is not at hand: head and notes only.
std::string render(const Diagnostic& diagnostic, const RenderOptions& options = {});

}  // namespace wfl::syntax
