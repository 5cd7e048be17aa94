#pragma once
// One command from its words to its exit code; the program is one, and each line of `kvb shell`.

#include <string>
#include <vector>

namespace kvb::cli {

// Writes to standard output and, if it fails, to standard error.
[[nodiscard]] int run_words(const std::vector<std::string>& words);

}  // namespace kvb::cli
