#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wfl::syntax {

// A line that could not be read, but looks like a keystore statement in other words (`put "x" in cache with key "k"`):
// the hint that shows the right form. Nothing when the line looks like something else, or uses the right words already.
std::optional<std::string> keystore_hint(std::string_view line);

}  // namespace wfl::syntax
