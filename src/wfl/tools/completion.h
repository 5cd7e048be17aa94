// What can be written next: names, built-in functions and the forms of statements.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "terminal/line_editor.h"

namespace wfl::tools {

using terminal::Completion;

// `line` is the text up to the cursor; `names` are the variables and actions in scope. Because names may have several
// words, the longest end of the line that anything begins with is completed.
[[nodiscard]] Completion complete(std::string_view line, std::span<const std::string> names);

}  // namespace wfl::tools
