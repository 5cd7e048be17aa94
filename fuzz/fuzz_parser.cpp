// Any bytes are a program: the parser must answer with a tree or with errors, and both must be printable. A tree that
// parsed has spans inside of the text and is no deeper than promised.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "wfl/syntax/ast_dump.h"
#include "wfl/syntax/parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wfl::syntax;
  const ParseResult result =
      parse(std::make_shared<SourceFile>(0, "fuzz.wfl", std::string(reinterpret_cast<const char*>(data), size)));
  dump(result.program);
  for (const Diagnostic& diagnostic : result.diagnostics) {
    if (diagnostic.span.begin > diagnostic.span.end || diagnostic.span.end > size) {
      std::abort();
    }
    render(diagnostic, *result.program.source);
  }
  for (const Stmt* statement : result.program.statements) {
    if (statement->span.begin > statement->span.end || statement->span.end > size) {
      std::abort();
    }
  }
  return 0;
}
