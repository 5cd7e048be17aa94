#pragma once
// How bytes, times and sizes are shown and read: UTF-8, hexadecimal, base64, escapes, JSON strings, RFC 3339.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kvb::cli {

// Whether the bytes are UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view bytes) noexcept;

// Length of the UTF-8 sequence at the front of the bytes, or 0 if there is none.
[[nodiscard]] std::size_t utf8_length(std::string_view bytes) noexcept;

// Whether the bytes are one JSON value (RFC 8259), without a byte order mark.
[[nodiscard]] bool is_json(std::string_view bytes);

[[nodiscard]] std::string to_hex(std::string_view bytes);

// The bytes that hexadecimal digits stand for; white space between them is skipped. Nothing if it is anything else.
[[nodiscard]] std::optional<std::string> from_hex(std::string_view digits);

// Appends the bytes so that they fit on one line of a terminal or a TAB-separated file and can be read back: printable
// UTF-8 as it is; \\ \t \n \r; every other byte as \xHH. What could drive a terminal or reorder its text is not
// printable.
void append_escaped(std::string& out, std::string_view bytes);

// Appends a JSON string literal. The text must be UTF-8.
void append_json_string(std::string& out, std::string_view text);

void append_base64(std::string& out, std::string_view bytes);

// The bytes that base64 stands for, with its padding. Nothing if it is anything else.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

// Appends a JSON value without the white space between its tokens, which stay exactly as they are written.
void append_json_on_one_line(std::string& out, std::string_view json);

// 2026-11-22T20:15:03.123456789Z; without a fraction if it is 0.
[[nodiscard]] std::string rfc3339(std::int64_t unix_ns);

// What rfc3339 wrote, and the same with another fraction or an offset such as +01:00. Nothing if it is no such time.
[[nodiscard]] std::optional<std::int64_t> from_rfc3339(std::string_view text);

// 2026-11-22 20:15:03 UTC.
[[nodiscard]] std::string readable_time(std::int64_t unix_ns);

// 1234567 as 1,234,567.
[[nodiscard]] std::string with_commas(std::uint64_t number);

// 1536 as "1.5 KiB (1,536)".
[[nodiscard]] std::string readable_bytes(std::uint64_t bytes);
// Appends `"NAME":"…"` if the bytes are UTF-8, else `"NAME_base64":"…"`.
void append_bytes_member(std::string& out, std::string_view name, std::string_view bytes);

}  // namespace kvb::cli
