#pragma once

#include <string>

#include "wfl/syntax/ast.h"

namespace wfl::syntax {

// The tree as text, for `wfl --parse` and for tests: one line a statement, `kind part=value …`, bodies indented by two
// blanks. Names stand in angle brackets, expressions are written `(operator operand …)`.
std::string dump(const Program& program);
std::string dump(const Stmt& statement);
std::string dump(const Expr& expr);

}  // namespace wfl::syntax
