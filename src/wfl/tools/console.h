// The process's own ends: standard output, messages for people on standard error, and Ctrl-C.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "wfl/vm/vm.h"

namespace wfl::tools {

inline constexpr int kInterruptedExit = 130;  // What shells expect of a program that Ctrl-C ended.

// Standard output, whose reader may go away at any time. The first failed write is remembered, and a program that runs
// is then asked to stop: nobody reads what it says.
class StandardOutput {
 public:
  void write(std::string_view bytes);
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool reader_gone() const;
  [[nodiscard]] std::string reason() const;

 private:
  bool failed_ = false;
  int error_ = 0;
};

void write_message(std::string_view text);
[[nodiscard]] bool wants_color();

// Ctrl-C sets the flag of the VM that is watched, which asks its program to stop at its next safe point. If the flag is
// still set then, or no VM is watched, Ctrl-C ends the process at once. Also makes a vanished reader an error of
// write() instead of the death of the process: open keystores are still closed properly.
void install_signal_handlers();

class WatchInterrupts {
 public:
  explicit WatchInterrupts(vm::Vm& machine);
  ~WatchInterrupts();
  WatchInterrupts(const WatchInterrupts&) = delete;
  WatchInterrupts& operator=(const WatchInterrupts&) = delete;
};

}  // namespace wfl::tools
