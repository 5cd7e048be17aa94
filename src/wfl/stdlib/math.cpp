#include <array>
#include <cmath>

#include "wfl/stdlib/convert.h"
#include "wfl/stdlib/registry.h"

namespace wfl::stdlib {
namespace {

using vm::NativeCall;
using vm::Value;

template <double (*Function)(double)>
Value unary(NativeCall& call) {
  return Value::number(Function(call.number(0)));
}

Value square_root(NativeCall& call) {
  const double x = call.number(0);
  if (x < 0) return call.fail("sqrt of negative number: " + vm::format_number(x));
  return Value::number(std::sqrt(x));
}

Value minimum(NativeCall& call) {
  return Value::number(std::fmin(call.number(0), call.number(1)));
}
Value maximum(NativeCall& call) {
  return Value::number(std::fmax(call.number(0), call.number(1)));
}
Value power(NativeCall& call) {
  return Value::number(std::pow(call.number(0), call.number(1)));
}

Value clamp(NativeCall& call) {
  const double value = call.number(0);
  const double low = call.number(1);
  const double high = call.number(2);
  if (!call.failed() && low > high) {
    return call.fail("clamp min (" + vm::format_number(low) + ") must be less than or equal to max (" +
                     vm::format_number(high) + ")");
  }
  return Value::number(std::fmax(low, std::fmin(value, high)));
}

constexpr auto kFunctions = std::to_array<BuiltinFunction>({
    {"abs", unary<std::fabs>},
    {"round", unary<std::round>},
    {"floor", unary<std::floor>},
    {"ceil", unary<std::ceil>},
    {"sqrt", square_root},
    {"sin", unary<std::sin>},
    {"cos", unary<std::cos>},
    {"tan", unary<std::tan>},
    {"min", minimum},
    {"max", maximum},
    {"power", power},
    {"clamp", clamp},
});

}  // namespace

std::span<const BuiltinFunction> math_functions() {
  return kFunctions;
}

}  // namespace wfl::stdlib
