// print, typeof, isnothing.
#include <array>
#include <string>

#include "wfl/stdlib/convert.h"
#include "wfl/stdlib/registry.h"

namespace wfl::stdlib {
namespace {

using vm::NativeCall;
using vm::Value;

Value print(NativeCall& call) {
  std::string line;
  for (std::uint32_t i = 0; i < call.count; ++i) {
    if (i > 0) line.push_back(' ');
    vm::append_display(line, call[i]);
  }
  line.push_back('\n');
  call.vm.write_output(line);
  return Value::null();
}

Value type_of(NativeCall& call) {
  return call.make_text(vm::type_name(call[0]));
}
Value is_nothing(NativeCall& call) {
  return Value::boolean(call[0].is_null());
}

constexpr auto kFunctions = std::to_array<BuiltinFunction>({
    {"print", print},
    {"typeof", type_of},
    {"isnothing", is_nothing},
});

}  // namespace

std::span<const BuiltinFunction> core_functions() {
  return kFunctions;
}

}  // namespace wfl::stdlib
