// `wfl --lint`: from a file to what is said about it, and to its mended text.
#pragma once

#include "wfl/language/builtins.h"
#include "wfl/tools/console.h"
#include "wfl/tools/options.h"

namespace wfl::tools {

language::ExitCode run_lint(const Options& options, StandardOutput& output);

}  // namespace wfl::tools
