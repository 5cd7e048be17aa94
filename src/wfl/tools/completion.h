// What can be written next: names, built-in functions and the forms of statements.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wfl::tools {

// Where a completion begins in the line, and what may stand there instead of the rest of it. Sorted, no two alike.
struct Completion {
  std::size_t begin = 0;
  std::vector<std::string> choices;

  // What all choices begin with.
  [[nodiscard]] std::string common() const;
};

// `line` is the text up to the cursor; `names` are the variables and actions in scope. Because names may have several
// words, the longest end of the line that anything begins with is completed.
[[nodiscard]] Completion complete(std::string_view line, std::span<const std::string> names);

}  // namespace wfl::tools
