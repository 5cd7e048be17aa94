// Numbers of a program as positions and counts of C++: truncated, kept in range, never undefined behaviour.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "wfl/vm/native.h"
#include "wfl/vm/operations.h"

namespace wfl::stdlib {

// Toward zero; below zero and NaN give 0, beyond the range the largest number.
constexpr std::uint64_t to_unsigned(double number) {
  if (!(number > 0)) return 0;
  if (number >= 18446744073709551615.0) return std::numeric_limits<std::uint64_t>::max();
  return static_cast<std::uint64_t>(number);
}

constexpr std::int64_t to_signed(double number) {
  if (number != number) return 0;
  if (number <= -9223372036854775808.0) return std::numeric_limits<std::int64_t>::min();
  if (number >= 9223372036854775807.0) return std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(number);
}

// "length expects a list, text, or binary, got Number"
inline vm::Value wrong_type(vm::NativeCall& call, std::string_view wanted, vm::Value got) {
  return call.fail(std::string(call.name) + " expects " + std::string(wanted) + ", got " +
                   std::string(vm::type_name(got)));
}

inline vm::Value number_value(double number) {
  return vm::Value::number(number);
}
inline vm::Value number_value(std::size_t number) {
  return vm::Value::number(static_cast<double>(number));
}

}  // namespace wfl::stdlib
