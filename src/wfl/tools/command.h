// `wfl` as a command: from its arguments to its exit code.
#pragma once

#include <span>
#include <string_view>

namespace wfl::tools {

int run_command(std::span<const std::string_view> arguments);

}  // namespace wfl::tools
