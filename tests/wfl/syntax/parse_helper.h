#pragma once

#include <string>

#include "wfl/syntax/ast_dump.h"
#include "wfl/syntax/parser.h"

namespace wfl::syntax {

inline ParseResult parse_text(std::string text) {
  return parse(std::make_shared<SourceFile>(0, "test.wfl", std::move(text)));
}

// The dump of a program that must parse; else its errors.
inline std::string parsed(std::string text) {
  const ParseResult result = parse_text(std::move(text));
  if (result.ok()) {
    return dump(result.program);
  }
  std::string out;
  for (const Diagnostic& diagnostic : result.diagnostics) {
    out += render(diagnostic, *result.program.source);
  }
  return out;
}

// The same for one statement, without the line end.
inline std::string statement(std::string text) {
  std::string out = parsed(std::move(text));
  while (!out.empty() && out.back() == '\n') {
    out.pop_back();
  }
  return out;
}

// The value of `store x as …`.
inline std::string value(const std::string& text) {
  const std::string out = statement("store x as " + text);
  const std::string head = "store <x> value=";
  return out.starts_with(head) ? out.substr(head.size()) : out;
}

// Everything that is reported, rendered.
inline std::string errors(std::string text) {
  const ParseResult result = parse_text(std::move(text));
  std::string out;
  for (const Diagnostic& diagnostic : result.diagnostics) {
    out += render(diagnostic, *result.program.source);
  }
  return out;
}

// "line:column message" of each error, one a line.
inline std::string error_lines(std::string text) {
  const ParseResult result = parse_text(std::move(text));
  std::string out;
  for (const Diagnostic& diagnostic : result.diagnostics) {
    const LineColumn at = result.program.source->position_of(diagnostic.span.begin);
    out += std::to_string(at.line) + ":" + std::to_string(at.column) + " " + diagnostic.message + "\n";
  }
  return out;
}

}  // namespace wfl::syntax
