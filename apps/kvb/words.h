#pragma once
// A line of `kvb shell` as words, with the quotes and backslashes of a POSIX shell.

#include <string>
#include <string_view>
#include <vector>

#include "failure.h"

namespace kvb::cli {

// Blanks separate words. '…' is literal; in "…" a backslash stands before " and \ to take them literally; elsewhere it
// takes the next character literally. What begins with # is a comment. A usage failure if a quote is not closed.
[[nodiscard]] Expected<std::vector<std::string>> split_words(std::string_view line);

// A word that split_words reads as this text, quoted only if it has to be.
[[nodiscard]] std::string quoted_word(std::string_view text);

}  // namespace kvb::cli
