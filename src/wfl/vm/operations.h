// What values mean: display and debug forms, type names, truth, equality, order, and deep copies. Used by the
// interpreter and by every library. None of these functions ever fails on a cyclic or deeply nested value; those that
// write text throw TooLarge for a value whose parts share so much that its text would fill the memory.
#pragma once

#include <compare>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "wfl/vm/value.h"

namespace wfl::vm {

// Something a program makes that would pass a limit of the runtime. Thrown where there is no way to report an error;
// the interpreter turns it into an error of the kind "resource limit".
class TooLarge : public std::length_error {
 public:
  using std::length_error::length_error;
};

// The longest text that a list or a map is written as. Fifty lists, each holding the one before twice, have a text of
// 2^50 bytes.
inline constexpr std::size_t kMaxWrittenBytes = std::size_t{256} << 20;

// What `typeof` says.
[[nodiscard]] std::string_view type_name(Value value);
// What `display` shows. Cycles print <cycle>, nesting deeper than 64 prints <max-depth>.
[[nodiscard]] std::string display(Value value);
void append_display(std::string& out, Value value);
// What error messages show: texts quoted, true/false, null.
[[nodiscard]] std::string debug_form(Value value);
// Shortest decimal form that reads back as the same number, never with an exponent.
[[nodiscard]] std::string format_number(double number);
void append_number(std::string& out, double number);

// Every occurrence of `what`, which is not empty, from left to right.
[[nodiscard]] std::string replace_all(std::string_view text, std::string_view what, std::string_view replacement);

[[nodiscard]] bool truthy(Value value);
[[nodiscard]] bool equals(Value a, Value b);
// The order of two numbers, texts, dates, times or date-times; nothing when the two can't be compared. Two numbers of
// which one is NaN are std::partial_ordering::unordered.
[[nodiscard]] std::optional<std::partial_ordering> compare(Value a, Value b);
// Lists, maps and instances are copied with all they hold, sharing and cycles kept; other values are returned as they
// are.
[[nodiscard]] Value deep_copy(Heap& heap, Value value);

// ISO forms used by display: YYYY-MM-DD, HH:MM:SS.
[[nodiscard]] std::string format_date(std::int32_t days);
[[nodiscard]] std::string format_time(std::uint32_t seconds);

}  // namespace wfl::vm
