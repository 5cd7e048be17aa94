// The little Unicode the text functions need. All texts are valid UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wfl::stdlib {

// The code point that begins at `offset`; moves the offset behind it. A broken sequence counts as U+FFFD, one byte
// long.
char32_t next_code_point(std::string_view text, std::size_t& offset);
void append_code_point(std::string& out, char32_t code_point);
std::u32string decode_utf8(std::string_view text);

bool is_valid_utf8(std::string_view text);
// The text with every broken byte replaced by U+FFFD.
std::string repair_utf8(std::string_view text);

bool is_white_space(char32_t c);  // The Unicode property White_Space.
bool is_alphabetic(char32_t c);
bool is_numeric(char32_t c);
bool is_upper(char32_t c);
bool is_lower(char32_t c);

// Full mappings: ß becomes SS; a final Σ becomes ς.
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
void append_upper(std::string& out, char32_t c);

std::string_view trim(std::string_view text);

}  // namespace wfl::stdlib
