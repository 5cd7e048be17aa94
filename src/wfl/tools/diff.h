// The difference of two texts, as `diff -u` shows it.
#pragma once

#include <string>
#include <string_view>

namespace wfl::tools {

// Both texts have the same number of lines: what the linter mends never adds or removes one. Empty when they are equal.
[[nodiscard]] std::string unified_diff(std::string_view name, std::string_view before, std::string_view after);

}  // namespace wfl::tools
