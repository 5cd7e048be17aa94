#include "wfl/stdlib/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

extern char** environ;

namespace wfl::stdlib {
namespace {

struct Pipe {
  Descriptor read;
  Descriptor write;
};

std::optional<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

vm::Error blocked(const std::string& reason) {
  return {
      vm::ErrorKind::kGeneral,
      "Command blocked by security policy: " + reason +
          "\nTo allow it, set allow_shell_execution and shell_execution_mode in the .wflcfg file beside the program."};
}

bool is_allowlisted(const Settings& settings, const std::string& program) {
  return std::ranges::any_of(settings.allowed_commands, [&](const std::string& allowed) {
    // A bare name in the list allows that name only; a path given by the program must be in the list as it is.
    return allowed == program;
  });
}

}  // namespace

std::expected<std::vector<std::string>, std::string> split_command(std::string_view command) {
  std::vector<std::string> parts;
  std::string current;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (quote == '\'') {
      if (c == quote) {
        quote = '\0';
      } else {
        current.push_back(c);
      }
    } else if (c == '\\') {
      if (i + 1 == command.size()) return std::unexpected("Trailing escape character");
      const char next = command[++i];
      in_word = true;
      if (quote == '"' && next != '"' && next != '\\') {
        static constexpr std::string_view kNames = "ntr0";
        static constexpr std::string_view kMeanings{"\n\t\r\0", 4};
        if (const std::size_t at = kNames.find(next); at != std::string_view::npos) {
          current.push_back(kMeanings[at]);
          continue;
        }
        current.push_back('\\');
      }
      current.push_back(next);
    } else if (quote == '"') {
      if (c == quote) {
        quote = '\0';
      } else {
        current.push_back(c);
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (in_word) parts.push_back(std::move(current));
      current.clear();
      in_word = false;
    } else {
      current.push_back(c);
      in_word = true;
    }
  }
  if (quote != '\0') return std::unexpected(quote == '"' ? "Unclosed double quote" : "Unclosed single quote");
  if (in_word) parts.push_back(std::move(current));
  if (parts.empty()) return std::unexpected("Empty command");
  return parts;
}

bool has_shell_characters(std::string_view command) {
  return command.find_first_of(";|&<>$`(){}[]*?~!\\\n\r") != std::string_view::npos;
}

// What the shell will do beside starting a program, for the warning of the sanitized mode.
static std::string shell_features(std::string_view command) {
  constexpr std::pair<std::string_view, std::string_view> kFeatures[] = {
      {";", "several commands"}, {"&", "several commands"},   {"|", "a pipe"},
      {">", "redirection"},      {"<", "redirection"},        {"$", "substitution"},
      {"`", "substitution"},     {"*", "file name patterns"}, {"?", "file name patterns"}};
  std::string words;
  for (const auto& [sign, name] : kFeatures) {
    if (command.find(sign) == std::string_view::npos || words.find(name) != std::string::npos) continue;
    words += (words.empty() ? "" : ", ") + std::string(name);
  }
  return words;
}

std::expected<Command, vm::Error> prepare_command(const Settings& settings, const std::string& command,
                                                  const std::optional<std::vector<std::string>>& arguments,
                                                  bool shell) {
  const bool needs_shell = shell || (!arguments && has_shell_characters(command));
  Command result;
  std::string program;
  if (needs_shell) {
    std::string line = command;
    // Arguments reach the shell as parameters, never as text it would interpret.
    if (arguments) line += " \"$@\"";
    result.arguments = {"sh", "-c", line};
    if (arguments) {
      result.arguments.push_back("sh");
      result.arguments.insert(result.arguments.end(), arguments->begin(), arguments->end());
    }
    program = "sh";
  } else if (arguments) {
    result.arguments = {command};
    result.arguments.insert(result.arguments.end(), arguments->begin(), arguments->end());
    program = command;
  } else {
    auto parts = split_command(command);
    if (!parts) return std::unexpected(vm::Error{vm::ErrorKind::kGeneral, "Invalid command: " + parts.error()});
    result.arguments = std::move(*parts);
    program = result.arguments.front();
  }
  switch (settings.shell_mode) {
    case ShellMode::kForbidden:
      return std::unexpected(blocked("Subprocess execution is disabled (allow_shell_execution = false)"));
    case ShellMode::kAllowlistOnly:
      if (needs_shell) {
        return std::unexpected(
            blocked("Shell features are not permitted in allowlist_only mode; give the arguments as a list instead"));
      }
      if (!is_allowlisted(settings, program)) {
        return std::unexpected(blocked("Program '" + program + "' is not in the allowlist (allowed_shell_commands)"));
      }
      break;
    case ShellMode::kSanitized:
      if (needs_shell && settings.warn_on_shell) {
        const std::string features = shell_features(command);
        result.warning = "Warning: running a command through the shell" +
                         (features.empty() ? "" : " (it uses " + features + ")") + ": " + command;
      }
      break;
    case ShellMode::kUnrestricted:
      if (needs_shell && settings.warn_on_shell) {
        result.warning = "Warning: running a command through the shell: " + command;
      }
      break;
  }
  return result;
}

std::expected<std::unique_ptr<Process>, vm::Error> Process::start(const Command& command, std::size_t buffer_bytes) {
  const std::string& program = command.arguments.front();
  const auto spawn_failed = [&](int error_number) {
    const bool missing = error_number == ENOENT;
    vm::ErrorKind kind = missing ? vm::ErrorKind::kCommandNotFound : vm::ErrorKind::kProcessSpawnFailed;
    if (error_number == EACCES || error_number == EPERM) kind = vm::ErrorKind::kPermissionDenied;
    return std::unexpected(
        vm::Error{kind, missing ? "Command not found: " + program
                                : "Failed to start command '" + program + "': " + std::strerror(error_number)});
  };
  auto output = make_pipe();
  auto errors = make_pipe();
  auto stop = make_pipe();
  if (!output || !errors || !stop) return spawn_failed(errno);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output->write.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, errors->write.get(), 2);
  // The program may have been started with signals ignored or blocked; its children start with the usual ones.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  sigset_t usual;
  sigemptyset(&usual);
  sigaddset(&usual, SIGPIPE);
  sigaddset(&usual, SIGINT);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> arguments;
  for (const std::string& argument : command.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);

  std::unique_ptr<Process> process(new Process);
  const int result = posix_spawnp(&process->pid_, program.c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (result != 0) {
    process->pid_ = -1;
    return spawn_failed(result);
  }
  process->buffer_bytes_ = buffer_bytes;
  process->output_.pipe = std::move(output->read);
  process->errors_.pipe = std::move(errors->read);
  process->stop_reading_ = std::move(stop->write);
  process->stop_signal_ = std::move(stop->read);
  process->reader_ = std::thread([raw = process.get()] { raw->collect(); });
  return process;
}

Process::~Process() {
  stop_reading_.reset();
  if (reader_.joinable()) reader_.join();
  exit_code();  // Reaps it if it has ended.
}

void Process::collect() {
  std::array<char, 65536> buffer{};
  while (output_.pipe.is_open() || errors_.pipe.is_open()) {
    std::array<pollfd, 3> polls = {pollfd{output_.pipe.get(), POLLIN, 0}, pollfd{errors_.pipe.get(), POLLIN, 0},
                                   pollfd{stop_signal_.get(), POLLIN, 0}};
    if (::poll(polls.data(), polls.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return;
    }
    if (polls[2].revents != 0 && polls[0].revents == 0 && polls[1].revents == 0) return;
    const std::array<Stream*, 2> streams = {&output_, &errors_};
    for (std::size_t i = 0; i < streams.size(); ++i) {
      if (polls[i].revents == 0) continue;
      const ssize_t got = ::read(streams[i]->pipe.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      const std::lock_guard lock(mutex_);
      if (got <= 0) {
        streams[i]->pipe.reset();
        continue;
      }
      std::string& bytes = streams[i]->bytes;
      bytes.append(buffer.data(), static_cast<std::size_t>(got));
      if (bytes.size() > buffer_bytes_) bytes.erase(0, bytes.size() - buffer_bytes_);
    }
  }
}

std::string Process::take_output() {
  const std::lock_guard lock(mutex_);
  return std::exchange(output_.bytes, {});
}

std::string Process::take_errors() {
  const std::lock_guard lock(mutex_);
  return std::exchange(errors_.bytes, {});
}

std::optional<int> Process::exit_code() {
  if (exit_code_ || pid_ < 0) return exit_code_;
  int status = 0;
  pid_t got = 0;
  do {
    got = ::waitpid(pid_, &status, WNOHANG);
  } while (got < 0 && errno == EINTR);
  if (got == pid_) exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (got < 0) exit_code_ = -1;
  return exit_code_;
}

bool Process::running() {
  return !exit_code().has_value();
}

void Process::finish_reading() {
  // What the process wrote is in the pipes already; the thread reads it before it sees the stop.
  stop_reading_.reset();
  if (reader_.joinable()) reader_.join();
}

bool Process::kill() {
  if (!running()) return true;
  if (::kill(pid_, SIGKILL) != 0) return false;
  // The signal ends it for certain, but not at once; whoever asks next should find it gone.
  constexpr int kRounds = 1000;
  for (int i = 0; i < kRounds && running(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return true;
}

std::string ProcessTable::add(std::unique_ptr<Process> process) {
  std::string handle = "proc" + std::to_string(next_++);
  processes_.emplace(handle, std::move(process));
  return handle;
}

Process* ProcessTable::find(std::string_view handle) {
  const auto it = processes_.find(handle);
  return it == processes_.end() ? nullptr : it->second.get();
}

void ProcessTable::remove(std::string_view handle) {
  if (const auto it = processes_.find(handle); it != processes_.end()) processes_.erase(it);
}

std::size_t ProcessTable::running_count() {
  return static_cast<std::size_t>(
      std::ranges::count_if(processes_, [](const auto& entry) { return entry.second->running(); }));
}

void ProcessTable::kill_all() {
  for (const auto& [handle, process] : processes_) process->kill();
}

}  // namespace wfl::stdlib
