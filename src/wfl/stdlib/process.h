// Subprocesses a program has started with `spawn command`. Handles are texts (`proc0`, `proc1`, …).
//
// A thread per process moves its output into a bounded buffer, so that a chatty process never blocks on a full pipe;
// the buffer keeps the newest bytes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "wfl/stdlib/files.h"
#include "wfl/stdlib/settings.h"
#include "wfl/vm/native.h"

namespace wfl::stdlib {

// What to run, after the policy of .wflcfg has agreed.
struct Command {
  std::vector<std::string> arguments;  // The program first.
  std::optional<std::string> warning;  // To be shown before it runs.
};

// Decides how a command text is run (directly or by the shell) and whether the settings allow it.
std::expected<Command, vm::Error> prepare_command(const Settings& settings, const std::string& command,
                                                  const std::optional<std::vector<std::string>>& arguments, bool shell);

// Splits a command as a shell would: blanks separate, quotes and backslashes hold together.
std::expected<std::vector<std::string>, std::string> split_command(std::string_view command);
bool has_shell_characters(std::string_view command);

class Process {
 public:
  static std::expected<std::unique_ptr<Process>, vm::Error> start(const Command& command, std::size_t buffer_bytes);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // The standard output collected since the last call.
  std::string take_output();
  std::string take_errors();
  [[nodiscard]] bool running();
  // The exit code once it has ended; -1 when a signal ended it.
  std::optional<int> exit_code();
  // Waits until its output has been read to the end; only after it ended.
  void finish_reading();
  bool kill();

 private:
  struct Stream {
    Descriptor pipe;
    std::string bytes;
  };
  Process() = default;
  void collect();

  pid_t pid_ = -1;
  std::optional<int> exit_code_;
  std::size_t buffer_bytes_ = 0;
  std::mutex mutex_;
  Stream output_;
  Stream errors_;
  Descriptor stop_reading_;  // Closing it ends the thread even when a grandchild keeps the pipes open.
  Descriptor stop_signal_;
  std::thread reader_;
};

class ProcessTable {
 public:
  std::string add(std::unique_ptr<Process> process);
  Process* find(std::string_view handle);
  void remove(std::string_view handle);
  std::size_t running_count();
  void kill_all();

 private:
  std::uint64_t next_ = 0;
  std::map<std::string, std::unique_ptr<Process>, std::less<>> processes_;
};

}  // namespace wfl::stdlib
