#include "wfl/tools/console.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "wfl/stdlib/files.h"

namespace wfl::tools {
namespace {

std::atomic<std::atomic<bool>*> running_cancel_flag{nullptr};

void on_interrupt(int) {
  std::atomic<bool>* flag = running_cancel_flag.load();
  if (flag == nullptr || flag->exchange(true)) _exit(kInterruptedExit);
}

}  // namespace

void StandardOutput::write(std::string_view bytes) {
  if (failed_) return;
  if (!stdlib::write_all(STDOUT_FILENO, bytes, "standard output")) {
    error_ = errno;
    failed_ = true;
    if (auto* flag = running_cancel_flag.load()) flag->store(true);
  }
}

bool StandardOutput::reader_gone() const {
  return failed_ && error_ == EPIPE;
}

std::string StandardOutput::reason() const {
  return std::strerror(error_);
}

void write_message(std::string_view text) {
  (void)stdlib::write_all(STDERR_FILENO, text, "standard error");
}

bool wants_color() {
  return isatty(STDERR_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
}

void install_signal_handlers() {
  struct sigaction action{};
  action.sa_handler = on_interrupt;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

WatchInterrupts::WatchInterrupts(vm::Vm& machine) {
  running_cancel_flag = &machine.cancel_flag();
}

WatchInterrupts::~WatchInterrupts() {
  running_cancel_flag = nullptr;
}

}  // namespace wfl::tools
