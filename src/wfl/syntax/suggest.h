#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace wfl::syntax {

// How many single changes (insert, delete, replace a character, swap two neighbours) lead from one word to the other.
// Stops counting above `limit` and then returns limit + 1.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

// The candidate that `word` was probably meant to be: the nearest one, at most a third of the word away (a difference
// in case alone always counts). Nothing when no candidate is near.
std::optional<std::string_view> closest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace wfl::syntax
