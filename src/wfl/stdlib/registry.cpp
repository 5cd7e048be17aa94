#include "wfl/stdlib/registry.h"

#include <sodium.h>

#include <array>
#include <random>
#include <unordered_map>

#include "wfl/language/builtins.h"
#include "wfl/stdlib/files.h"
#include "wfl/stdlib/process.h"
#include "wfl/vm/vm.h"

namespace wfl::stdlib {

Runtime::Runtime() : files(std::make_unique<FileTable>()), processes(std::make_unique<ProcessTable>()) {
  // libsodium is asked for randomness and hashes from here on. It can only fail when the system has no randomness at
  // all.
  if (sodium_init() < 0) std::abort();
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
  random.seed(seed);
}

Runtime::~Runtime() {
  if (settings.kill_processes_at_end) processes->kill_all();
}

std::optional<vm::Error> interruption(vm::Vm& machine) {
  if (machine.cancel_flag().load(std::memory_order_relaxed)) {
    return vm::Error{vm::ErrorKind::kCancelled, "Execution was cancelled"};
  }
  if (const auto left = machine.time_left(); left && left->count() <= 0) {
    return vm::Error{vm::ErrorKind::kTimeout, "Execution exceeded timeout (" + machine.limits().run_time_words + ")"};
  }
  return std::nullopt;
}

vm::NativeFunction find_function(std::string_view name) {
  static const auto* const kByName = [] {
    auto* map = new std::unordered_map<std::string_view, vm::NativeFunction>;
    const std::array chapters = {core_functions(),    math_functions(), text_functions(),    list_functions(),
                                 random_functions(),  time_functions(), json_functions(),    toml_functions(),
                                 path_functions(),    web_functions(),  pattern_functions(), hash_functions(),
                                 password_functions()};
    for (const auto chapter : chapters) {
      for (const BuiltinFunction& entry : chapter) map->emplace(entry.name, entry.function);
    }
    return map;
  }();
  const auto it = kByName->find(name);
  return it == kByName->end() ? nullptr : it->second;
}

void register_builtins(vm::Vm& machine, Runtime& runtime) {
  for (const language::Builtin& builtin : language::kBuiltins) {
    const vm::NativeFunction function = find_function(builtin.name);
    const std::uint32_t most = builtin.max_arguments == language::kVariadic ? vm::kAnyCount : builtin.max_arguments;
    language::for_each_name(builtin, [&](std::string_view name) {
      machine.define_native(name, function, builtin.min_arguments, most, &runtime);
    });
  }
}

void register_host_functions(vm::HostTable& table, Runtime& runtime) {
  register_file_statements(table, runtime);
  register_time_statements(table, runtime);
  register_pattern_statements(table, runtime);
  register_process_statements(table, runtime);
}

}  // namespace wfl::stdlib
