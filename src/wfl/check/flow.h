// Where a program's flow can't go: code behind a statement that never goes on, branches whose condition is settled,
// actions that give back a value on some of their ways only. Looks at the shape of the tree alone; all its findings are
// warnings.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "wfl/syntax/ast.h"
#include "wfl/syntax/diagnostic.h"

namespace wfl::check {

// `may_run_code` says of a variable's name whether reading it may call an action, which may answer differently each
// time.
[[nodiscard]] std::vector<syntax::Diagnostic> check_flow(const syntax::Program& program,
                                                         const std::function<bool(std::string_view)>& may_run_code);

}  // namespace wfl::check
