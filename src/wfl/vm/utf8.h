// Counting and stepping in UTF-8 texts that are known to be valid.
#pragma once

#include <cstdint>
#include <string_view>

namespace wfl::vm {

[[nodiscard]] std::size_t count_code_points(std::string_view text);
// The byte offset of a code point position, at most text.size().
[[nodiscard]] std::size_t offset_of_code_point(std::string_view text, std::size_t position);
[[nodiscard]] bool is_valid_utf8(std::string_view bytes);

}  // namespace wfl::vm
