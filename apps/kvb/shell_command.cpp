// shell: one command a line on one bucket. Each runs in a process of its own, made by fork() before anything is opened:
// so no error can end the shell, Ctrl-C ends what runs and nothing else, and between two commands the bucket is open to
// everybody.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "commands.h"
#include "help.h"
#include "outline.h"
#include "program.h"
#include "terminal/line_editor.h"
#include "words.h"

namespace kvb::cli {
namespace {

std::atomic<bool> interrupted{false};

void note_interrupt(int) {
  interrupted.store(true, std::memory_order_relaxed);
}

// Without SA_RESTART, so that the read that waits for a key ends.
void watch_for_interrupts() {
  struct sigaction action{};
  action.sa_handler = note_interrupt;
  sigemptyset(&action.sa_mask);
  (void)sigaction(SIGINT, &action, nullptr);
}

// Makes no sense in here.
constexpr std::string_view kNotHere[] = {"shell", "completions", "manual", "init", "bench"};

bool is_offered(std::string_view command) {
  return std::ranges::find(kNotHere, command) == std::end(kNotHere);
}

bool names_keys(const CommandOutline& command) {
  return std::ranges::any_of(command.arguments, [](const auto& argument) { return argument.name == "KEY"; });
}

// What may stand at the end of the line: commands, options, the words that an option takes, or keys of the bucket.
terminal::Completion complete(const std::string& file, std::string_view line) {
  const std::size_t last_blank = line.find_last_of(" \t");
  terminal::Completion found;
  found.begin = last_blank == std::string_view::npos ? 0 : last_blank + 1;
  const std::string word(line.substr(found.begin));
  const auto before = split_words(line.substr(0, found.begin));
  if (!before) return {};
  const auto offer = [&](const std::string& choice) {
    if (choice.starts_with(word)) found.choices.push_back(choice + ' ');
  };
  if (before->empty()) {
    for (const CommandOutline& command : outline().commands) {
      if (is_offered(command.name)) offer(command.name);
    }
    for (const char* own : {"help", "exit"}) offer(own);
  } else if (before->size() == 1 && before->front() == "help") {
    for (const CommandOutline& command : outline().commands) offer(command.name);
  } else if (const CommandOutline* const command = find_command(before->front())) {
    const auto option = std::ranges::find(command->options, before->back(), &OptionOutline::name);
    if (option != command->options.end() && !option->value.empty()) {
      for (const std::string& choice : option->choices) offer(choice);
    } else if (word.starts_with("--")) {
      for (const OptionOutline& one : command->options) offer(one.name);
    } else if (names_keys(*command)) {
      constexpr std::uint64_t kMostKeys = 100;
      const auto bucket = Bucket::open(file, {.read_only = true});
      if (!bucket) return {};
      const auto keys = bucket->scan({.prefix = word, .limit = kMostKeys, .keys_only = true});
      if (!keys) return {};
      for (const Entry& entry : *keys) {
        if (quoted_word(entry.key) == entry.key) offer(entry.key);
      }
    }
  }
  std::ranges::sort(found.choices);
  return found;
}

constexpr std::string_view kHelp = R"(One command a line, as behind `kvb` but without the name of the bucket:

  put greeting "Hello, world"
  get greeting
  scan --prefix g

TAB completes commands, options and keys, the arrows lead through what was typed before, Ctrl-C ends a command that
runs, and exit, or Ctrl-D on an empty line, ends the shell. `help COMMAND` says more about each of these:

)";

std::string list_of_commands() {
  std::string text(kHelp);
  for (const CommandOutline& command : outline().commands) {
    if (is_offered(command.name)) text += fmt::format("  {:<10}{}\n", command.name, command.summary);
  }
  return text;
}

class Shell {
 public:
  Shell(const ShellArguments& arguments, Output& output)
      : file_(arguments.file), output_(output), interactive_(isatty(STDIN_FILENO) == 1 && output.is_terminal()) {}

  Outcome run() {
    if (interactive_) {
      watch_for_interrupts();
      editor_ = terminal::make_terminal_editor(
          "kvb", [this](std::string_view line) { return complete(file_, line); },
          [] { return interrupted.exchange(false, std::memory_order_relaxed); });
      if (auto told = say("`help` lists the commands, `exit` ends.\n"); !told) return told;
    }
    if (editor_ == nullptr) editor_ = terminal::make_plain_reader();
    const std::string prompt = std::filesystem::path(file_).filename().string() + "> ";
    std::string line;
    for (bool more = true; more && !output_.reader_left();) {
      switch (editor_->read(prompt, line)) {
        case terminal::ReadOutcome::kLine:
          more = handle(line);
          break;
        case terminal::ReadOutcome::kInterrupted:
          break;
        case terminal::ReadOutcome::kEnd:
          if (interactive_) (void)say("\n");
          more = false;
          break;
      }
    }
    return interactive_ ? ExitCode::ok : last_failure_;
  }

 private:
  Outcome say(std::string_view text) {
    if (auto written = output_.write(text); !written) return std::unexpected(written.error());
    if (auto flushed = output_.flush(); !flushed) return std::unexpected(flushed.error());
    return ExitCode::ok;
  }

  void fail(const std::unexpected<Failure>& failure) {
    report(failure.error(), false);
    last_failure_ = failure.error().exit;
  }

  // False if the shell is to end.
  bool handle(const std::string& line) {
    auto words = split_words(line);
    if (!words) {
      fail(std::unexpected(words.error()));
      return true;
    }
    if (words->empty()) return true;
    if (words->front() == "kvb" && words->size() > 1) words->erase(words->begin());
    const std::string command = words->front();
    if ((command == "exit" || command == "quit") && words->size() == 1) return false;
    if (command == "help" && words->size() == 1) {
      (void)say(list_of_commands());
      return true;
    }
    if (command == "help" || find_command(command) == nullptr) {
      // Words of the program; what is no command gets its answer there.
    } else if (!is_offered(command)) {
      fail(usage_failure(
          fmt::format("`{}` is not for the shell. Leave it with `exit` and run `kvb {}`.", command, command)));
      return true;
    } else {
      words->insert(words->begin() + 1, file_);
    }
    run_in_child(*words);
    return true;
  }

  void run_in_child(const std::vector<std::string>& words) {
    (void)std::fflush(nullptr);
    const pid_t child = fork();
    if (child < 0) {
      fail(input_failure(fmt::format("No process could be started: {}. Close other programs.", std::strerror(errno)),
                         errno));
      return;
    }
    if (child == 0) {
      std::signal(SIGINT, SIG_DFL);
      if (!interactive_) {
        // Standard input holds the commands: a command that reads it as well gets an error, not half of a script.
        const int nothing = open("/dev/null", O_WRONLY);
        if (nothing >= 0) (void)dup2(nothing, STDIN_FILENO);
      }
      const int code = run_words(words);
      (void)std::fflush(nullptr);
      _exit(code);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    interrupted.store(false, std::memory_order_relaxed);
    if (WIFSIGNALED(status)) {
      if (interactive_) (void)say("\n");
      if (WTERMSIG(status) != SIGINT) {
        fail(input_failure(fmt::format("The command was ended by signal {}.", WTERMSIG(status))));
      } else {
        last_failure_ = ExitCode::error;
      }
    } else if (WEXITSTATUS(status) != 0) {
      last_failure_ = static_cast<ExitCode>(WEXITSTATUS(status));
    }
  }

  const std::string& file_;
  Output& output_;
  bool interactive_;
  std::unique_ptr<terminal::LineEditor> editor_;
  ExitCode last_failure_ = ExitCode::ok;
};

}  // namespace

Outcome run(const ShellArguments& arguments, Output& output) {
  if (arguments.create) {
    auto made = open_for_writing(arguments, {}, true);
    if (!made) return std::unexpected(made.error());
    if (auto closed = close_bucket(*made); !closed) return closed;
  } else {
    // Said now rather than at the first command.
    const auto there = open_for_reading(arguments);
    if (!there && there.error().code == "not_found") return std::unexpected(there.error());
  }
  return Shell(arguments, output).run();
}

}  // namespace kvb::cli
