#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wfl::syntax {

// A line that could not be read, but looks like a statement of another language or one with a word too few: the form
// WFL has for it. Nothing when the line looks like nothing known.
std::optional<std::string> habit_hint(std::string_view line);

}  // namespace wfl::syntax
