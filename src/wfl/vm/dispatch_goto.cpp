// The dispatch loop with computed goto: each instruction jumps to the next one's code by itself.
#include <cmath>

#include "wfl/vm/interpreter.h"
#include "wfl/vm/operations.h"

#define WFL_COMPUTED_GOTO 1
#define WFL_RUN_NAME run_computed_goto

namespace wfl::vm {
#include "wfl/vm/run_loop.inc"
}  // namespace wfl::vm
