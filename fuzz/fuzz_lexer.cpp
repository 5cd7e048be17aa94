// Any bytes are a text: the lexer must give words that stand in the text in order, do not overlap, and are all of it
// but blanks, comments and what it says it skipped.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "wfl/syntax/diagnostic.h"
#include "wfl/syntax/lexer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wfl::syntax;
  const SourceFile source(0, "fuzz.wfl", std::string(reinterpret_cast<const char*>(data), size));
  Arena arena;
  std::vector<Diagnostic> diagnostics;
  const auto tokens = lex(source, arena, diagnostics);
  if (tokens.empty() || !tokens.back().is(TokenKind::EndOfFile)) std::abort();
  std::uint32_t before = 0;
  for (const Token& token : tokens) {
    if (token.begin < before || token.end < token.begin || token.end > size) std::abort();
    before = token.end;
  }
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.span.end > size) std::abort();
    render(diagnostic, source);
  }
  dump_tokens(source, tokens);
  // The same text gives the same words.
  std::vector<Diagnostic> again;
  if (lex(source, arena, again).size() != tokens.size() || again.size() != diagnostics.size()) std::abort();
  return 0;
}
