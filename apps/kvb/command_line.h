#pragma once
// What the command line looks like: the commands and their options. commands.h is what is behind it.

#include "arguments.h"
#include "failure.h"
#include "output.h"

namespace kvb::cli {

// Parses the words and runs the command that they ask for. Help and version count as commands.
[[nodiscard]] Outcome run_command(const HiddenWords& words, Output& output);

}  // namespace kvb::cli
