// Keys: a non-empty text of at most 65,535 bytes of UTF-8, or a number in its display form. Everything else is refused
// with a sentence that says what to do instead.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "wfl/vm/value.h"

namespace wfl::keystore {

// The bytes of a key, or the sentence that says why this value cannot be one.
[[nodiscard]] std::expected<std::string, std::string> encode_key(vm::Value value);

// An end of a range: like a key, but it may be empty and as long as it likes. `what` names it in the sentence, for
// example "The beginning of the keys".
[[nodiscard]] std::expected<std::string, std::string> encode_bound(vm::Value value, std::string_view what);

// A key as messages show it: in quotes, control characters escaped, shortened when it is long.
[[nodiscard]] std::string quote_key(std::string_view key);

}  // namespace wfl::keystore
