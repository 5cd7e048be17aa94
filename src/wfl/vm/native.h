// Functions written in C++ that WFL programs call.
//
// A native is a plain function `Value f(NativeCall&)`. It reads its arguments from the call, returns a Value, and fails
// by `return call.fail(kind, message)`: errors are values, no C++ exception may pass through the VM. The number of
// arguments has been checked against the limits it was registered with. The collector never runs during a native.
//
// There are two registries:
//   * Vm::define_native (vm.h): built-in functions, global bindings that programs call by name;
//   * HostTable: host functions, which statements compile to (names and arguments: language/host_functions.def).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "wfl/language/error_kinds.h"
#include "wfl/vm/value.h"

namespace wfl::vm {

class Vm;
class Heap;
using language::ErrorKind;

// What went wrong, without the place: the VM knows which statement was running.
struct Error {
  ErrorKind kind = ErrorKind::kGeneral;
  std::string message;
};

struct NativeCall {
  Vm& vm;
  Heap& heap;
  const Value* arguments;
  std::uint32_t count;
  std::string_view name;  // The function's name as registered, for messages.
  void* data;             // What it was registered with.

  NativeCall(Vm& machine, Heap& memory, const Value* values, std::uint32_t n, std::string_view function_name,
             void* registered = nullptr)
      : vm(machine), heap(memory), arguments(values), count(n), name(function_name), data(registered) {}

  [[nodiscard]] Value operator[](std::uint32_t i) const { return arguments[i]; }

  // Raises an error: `return call.fail("Cannot pop from an empty list");`. The returned Value is a dummy.
  Value fail(ErrorKind kind, std::string message);
  Value fail(std::string message) { return fail(ErrorKind::kGeneral, std::move(message)); }
  [[nodiscard]] bool failed() const { return failed_; }
  Error take_error() {
    failed_ = false;
    return std::move(error_);
  }

  // Checked access to an argument. On a wrong type they fail the call ("Expected a number, got Text") and return
  // a neutral value: 0, an empty text, nullptr. Check failed() once after the last of them.
  double number(std::uint32_t i);
  std::string_view text(std::uint32_t i);
  Text* text_object(std::uint32_t i);
  List* list(std::uint32_t i);
  Map* map(std::uint32_t i);

  // Makes a value; shorthand for the heap's functions.
  Value make_text(std::string_view bytes);

 private:
  bool failed_ = false;
  Error error_;
};

struct HostFunction {
  NativeFunction function = nullptr;
  void* data = nullptr;
};

// Host functions by name. Filled by the libraries before a program is linked.
class HostTable {
 public:
  void add(std::string_view name, NativeFunction function, void* data = nullptr) {
    functions_[std::string(name)] = HostFunction{function, data};
  }
  // nullptr when this build does not have the function.
  [[nodiscard]] const HostFunction* find(std::string_view name) const {
    const auto it = functions_.find(std::string(name));
    return it == functions_.end() ? nullptr : &it->second;
  }

 private:
  std::unordered_map<std::string, HostFunction> functions_;
};

}  // namespace wfl::vm
