// The statements on subprocesses: host functions "process.…".
#include <chrono>
#include <string>
#include <thread>

#include "wfl/stdlib/convert.h"
#include "wfl/stdlib/process.h"
#include "wfl/stdlib/registry.h"
#include "wfl/stdlib/unicode.h"
#include "wfl/vm/heap.h"

namespace wfl::stdlib {
namespace {

using vm::ErrorKind;
using vm::NativeCall;
using vm::Value;

constexpr auto kPollInterval = std::chrono::milliseconds(2);

// Reads command, arguments and the shell flag, asks the policy, and starts the process.
std::expected<std::unique_ptr<Process>, vm::Error> start(NativeCall& call) {
  if (!call[0].is_text()) {
    return std::unexpected(
        vm::Error{ErrorKind::kGeneral, "Expected string for command, got " + vm::debug_form(call[0])});
  }
  std::optional<std::vector<std::string>> arguments;
  if (const auto* list = call[1].try_as<vm::List>()) {
    arguments.emplace();
    for (const Value item : list->items) arguments->push_back(vm::display(item));
  } else if (!call[1].is_null()) {
    arguments = {vm::display(call[1])};
  }
  Runtime& runtime = runtime_of(call);
  auto command = prepare_command(runtime.settings, std::string(call[0].as_text()), arguments,
                                 call[2].is_boolean() && call[2].as_boolean());
  if (!command) return std::unexpected(std::move(command.error()));
  call.vm.flush_output();
  if (command->warning && runtime.write_warning) runtime.write_warning(*command->warning);
  return Process::start(*command, runtime.settings.max_process_buffer_bytes);
}

// Waits for the end of the process; nothing when the program itself has to stop.
std::optional<vm::Error> wait_until_ended(NativeCall& call, Process& process) {
  while (process.running()) {
    if (auto stop = interruption(call.vm)) return stop;
    std::this_thread::sleep_for(kPollInterval);
  }
  process.finish_reading();
  return std::nullopt;
}

Value execute(NativeCall& call) {
  auto process = start(call);
  if (!process) return fail_with(call, std::move(process.error()));
  if (auto stop = wait_until_ended(call, **process)) {
    (*process)->kill();
    return fail_with(call, std::move(*stop));
  }
  const int code = (*process)->exit_code().value_or(-1);
  vm::Map* result = call.heap.map();
  call.heap.map_set(result, "output", call.make_text(repair_utf8((*process)->take_output())));
  call.heap.map_set(result, "error", call.make_text(repair_utf8((*process)->take_errors())));
  call.heap.map_set(result, "exit_code", Value::number(code));
  call.heap.map_set(result, "success", Value::boolean(code == 0));
  return Value::object(result);
}

Value spawn(NativeCall& call) {
  Runtime& runtime = runtime_of(call);
  if (runtime.processes->running_count() >= runtime.settings.max_processes) {
    return call.fail(ErrorKind::kResourceLimit, "Too many processes are running (max_concurrent_processes = " +
                                                    std::to_string(runtime.settings.max_processes) +
                                                    "). Wait for some of them first");
  }
  auto process = start(call);
  if (!process) return fail_with(call, std::move(process.error()));
  return call.make_text(runtime.processes->add(std::move(*process)));
}

Process* find(NativeCall& call) {
  if (!call[0].is_text()) {
    call.fail("Expected string for process ID, got " + vm::debug_form(call[0]));
    return nullptr;
  }
  Process* process = runtime_of(call).processes->find(call[0].as_text());
  if (process == nullptr) {
    call.fail(ErrorKind::kProcessNotFound, "Invalid process ID: " + std::string(call[0].as_text()));
  }
  return process;
}

Value read_output(NativeCall& call) {
  Process* process = find(call);
  if (process == nullptr) return Value::null();
  if (!process->running()) process->finish_reading();
  return call.make_text(repair_utf8(process->take_output()));
}

Value kill(NativeCall& call) {
  Process* process = find(call);
  if (process == nullptr) return Value::null();
  if (!process->kill()) {
    return call.fail(ErrorKind::kProcessKillFailed, "Failed to kill process " + std::string(call[0].as_text()));
  }
  return Value::null();
}

Value wait(NativeCall& call) {
  Process* process = find(call);
  if (process == nullptr) return Value::null();
  call.vm.flush_output();
  if (auto stop = wait_until_ended(call, *process)) return fail_with(call, std::move(*stop));
  const int code = process->exit_code().value_or(-1);
  runtime_of(call).processes->remove(call[0].as_text());
  return Value::number(code);
}

Value is_running(NativeCall& call) {
  if (!call[0].is_text()) return call.fail("Expected string for process ID, got " + vm::debug_form(call[0]));
  Process* process = runtime_of(call).processes->find(call[0].as_text());
  return Value::boolean(process != nullptr && process->running());
}

}  // namespace

void register_process_statements(vm::HostTable& table, Runtime& runtime) {
  table.add("process.execute", execute, &runtime);
  table.add("process.spawn", spawn, &runtime);
  table.add("process.read_output", read_output, &runtime);
  table.add("process.kill", kill, &runtime);
  table.add("process.wait", wait, &runtime);
  table.add("process.is_running", is_running, &runtime);
}

}  // namespace wfl::stdlib
