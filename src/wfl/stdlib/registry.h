// Where the library's functions meet the VM: the chapters' tables of built-ins, and the host functions of statements.
#pragma once

#include <span>
#include <string_view>

#include "wfl/stdlib/runtime.h"
#include "wfl/vm/native.h"

namespace wfl::vm {
class Vm;
}

namespace wfl::stdlib {

struct BuiltinFunction {
  std::string_view name;  // As in language/builtins.def, not an alias.
  vm::NativeFunction function;
};

// One table a chapter; arity, aliases and documentation are in language/builtins.def.
std::span<const BuiltinFunction> core_functions();
std::span<const BuiltinFunction> math_functions();
std::span<const BuiltinFunction> text_functions();
std::span<const BuiltinFunction> list_functions();
std::span<const BuiltinFunction> random_functions();
std::span<const BuiltinFunction> time_functions();
std::span<const BuiltinFunction> json_functions();
std::span<const BuiltinFunction> toml_functions();
std::span<const BuiltinFunction> path_functions();
std::span<const BuiltinFunction> pattern_functions();
std::span<const BuiltinFunction> hash_functions();
std::span<const BuiltinFunction> password_functions();
std::span<const BuiltinFunction> web_functions();

// The C++ function of a row of the table; null when there is none (a test proves that this never happens).
vm::NativeFunction find_function(std::string_view name);

// Binds every built-in, under its name and its aliases, in the VM.
void register_builtins(vm::Vm& machine, Runtime& runtime);

// The host functions of the chapters on files, waiting, dates, patterns and subprocesses.
void register_host_functions(vm::HostTable& table, Runtime& runtime);
void register_file_statements(vm::HostTable& table, Runtime& runtime);
void register_time_statements(vm::HostTable& table, Runtime& runtime);
void register_pattern_statements(vm::HostTable& table, Runtime& runtime);
void register_process_statements(vm::HostTable& table, Runtime& runtime);

}  // namespace wfl::stdlib
