// The dispatch loop as one switch statement, for compilers without computed goto and to test the other one against.
#include <cmath>

#include "wfl/vm/interpreter.h"
#include "wfl/vm/operations.h"

#define WFL_COMPUTED_GOTO 0
#define WFL_RUN_NAME run_switch

namespace wfl::vm {
#include "wfl/vm/run_loop.inc"
}  // namespace wfl::vm
