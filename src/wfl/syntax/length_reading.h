// `length of names minus 1`.
//
// `of` takes the whole sum behind it, so by the grammar this is the length of `names minus 1`. That fails for
// everything that has a length, and what people mean is `(length of names) minus 1`. So the sum keeps the reading of
// the grammar only if its first operand turns out to be something one can calculate with; if it is a list, a text or
// bytes, its length is taken first.
#pragma once

#include "wfl/syntax/ast.h"

namespace wfl::syntax {

// If the call is one whose first operand decides how it is read: the innermost operation, whose left side is that
// operand. Else null. `TEXT plus X` makes a text, so `plus` counts only in front of a number.
const BinaryExpr* length_of_sum(const CallExpr& call);

}  // namespace wfl::syntax
