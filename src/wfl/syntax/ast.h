#pragma once

// The syntax tree of a WFL program. Everything is owned by the program's arena: nodes are plain structs that point to
// each other with `const T*` and spans, and stay valid as long as the Program. Each node starts with its kind; walk it
// like this:
//
//   switch (expr.kind) {
//     case ExprKind::Binary: {
//       const auto& binary = as<BinaryExpr>(expr);
//       …
//
// Pointers that may be null say so; all others are set.

#include <memory>

#include "wfl/syntax/arena.h"
#include "wfl/syntax/ast_expression.h"
#include "wfl/syntax/ast_keystore.h"
#include "wfl/syntax/ast_node.h"
#include "wfl/syntax/ast_pattern.h"
#include "wfl/syntax/ast_statement.h"
#include "wfl/syntax/ast_web.h"
#include "wfl/syntax/source.h"

namespace wfl::syntax {

// A parsed source file. Texts and names in the tree point into `source` or `arena`.
struct Program {
  std::shared_ptr<const SourceFile> source;
  std::unique_ptr<Arena> arena;
  StmtList statements;
};

}  // namespace wfl::syntax
