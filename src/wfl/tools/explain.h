// `wfl explain CODE`: what the code of a message means, with an example that gives it and the same one mended.
#pragma once

#include "wfl/language/builtins.h"
#include "wfl/tools/console.h"
#include "wfl/tools/options.h"

namespace wfl::tools {

language::ExitCode run_explain(const Options& options, StandardOutput& output);

}  // namespace wfl::tools
