#pragma once

#include <string>
#include <vector>

#include "wfl/syntax/arena.h"
#include "wfl/syntax/diagnostic.h"
#include "wfl/syntax/source.h"
#include "wfl/syntax/token.h"

namespace wfl::syntax {

// Cuts a source text into tokens (reference chapter 1). Adjacent identifier words on one line become one token;
// everything else ends the run. The list ends with one EndOfFile token. Texts of tokens are views into the source, or
// into the arena where they differ from it (escapes, words that are not exactly one blank apart).
//
// A character that fits no token is dropped with a warning. A text that is not closed, an unknown escape and a number
// that is too large are errors; such a literal still yields a token, so that one mistake is one message.
std::vector<Token> lex(const SourceFile& source, Arena& arena, std::vector<Diagnostic>& diagnostics);

// One line a token: `line:column  kind  text`.
std::string dump_tokens(const SourceFile& source, const std::vector<Token>& tokens);

}  // namespace wfl::syntax
