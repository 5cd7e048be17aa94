// JSON as WFL programs see it (language reference, chapter on data): also used for values kept in keystores' callers
// and for reports.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "wfl/vm/native.h"

namespace wfl::stdlib {

// null becomes Nothing, objects become maps with the last of equal keys. The error says what is wrong and where.
std::expected<vm::Value, std::string> parse_json(vm::Heap& heap, std::string_view text);

// Keys sorted; numbers always with a fraction or an exponent (30 is written 30.0). indent < 0: one line without blanks.
std::expected<std::string, std::string> stringify_json(vm::Value value, int indent);

// A number as the functions above write it.
std::string json_number(double number);

void append_json_text(std::string& out, std::string_view text);

}  // namespace wfl::stdlib
