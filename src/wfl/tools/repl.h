// The interactive mode: reads statements, runs them, shows what they give, and keeps what they leave behind.
#pragma once

#include "wfl/tools/console.h"

namespace wfl::tools {

// Runs until `.exit`, `exit program` or the end of the input, and gives the exit code. Errors are shown and end
// nothing.
int run_repl(StandardOutput& output);

}  // namespace wfl::tools
