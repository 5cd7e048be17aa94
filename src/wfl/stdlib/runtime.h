// What the library functions of one running program share: settings, open files, subprocesses, the random generator,
// and the way to warn. A native reaches it through NativeCall::data.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "wfl/stdlib/settings.h"
#include "wfl/vm/native.h"
#include "wfl/vm/vm.h"

namespace wfl::stdlib {

class FileTable;
class ProcessTable;

class Runtime {
 public:
  Runtime();
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  Settings settings;
  std::unique_ptr<FileTable> files;
  std::unique_ptr<ProcessTable> processes;
  std::mt19937_64 random;
  std::function<void(std::string_view)> write_warning;  // One line for people, on standard error.
};

// The runtime a native was registered with.
inline Runtime& runtime_of(vm::NativeCall& call) {
  return *static_cast<Runtime*>(call.data);
}

// Whether a library that waits has to stop, because the time is up or somebody pressed Ctrl-C, and with which error.
std::optional<vm::Error> interruption(vm::Vm& machine);

// Fails the call with an error that is already made.
inline vm::Value fail_with(vm::NativeCall& call, vm::Error error) {
  return call.fail(error.kind, std::move(error.message));
}

}  // namespace wfl::stdlib
