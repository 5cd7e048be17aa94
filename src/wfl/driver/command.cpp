#include "wfl/driver/command.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "wfl/driver/options.h"
#include "wfl/driver/session.h"
#include "wfl/stdlib/files.h"
#include "wfl/syntax/ast_dump.h"
#include "wfl/syntax/lexer.h"
#include "wfl/syntax/parser.h"

namespace wfl::driver {
namespace {

namespace fs = std::filesystem;
using language::ExitCode;

constexpr int kInterruptedExit = 130;  // What shells expect of a program that Ctrl-C ended.

std::atomic<std::atomic<bool>*> running_cancel_flag{nullptr};

// The first Ctrl-C asks the program to stop at its next safe point, a second one does not wait for it.
void on_interrupt(int) {
  std::atomic<bool>* flag = running_cancel_flag.load();
  if (flag == nullptr || flag->exchange(true)) _exit(kInterruptedExit);
}

void install_signal_handlers() {
  struct sigaction action{};
  action.sa_handler = on_interrupt;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  // A reader that goes away (`wfl … | head`) is an error of write(), not the death of the process: open keystores are
  // still closed properly.
  signal(SIGPIPE, SIG_IGN);
}

class StandardOutput {
 public:
  void write(std::string_view bytes) {
    if (failed_) return;
    if (!stdlib::write_all(STDOUT_FILENO, bytes, "standard output")) {
      error_ = errno;
      failed_ = true;
      // Nobody reads what the program says: it ends at its next safe point, as if Ctrl-C had been pressed.
      if (auto* flag = running_cancel_flag.load()) flag->store(true);
    }
  }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool reader_gone() const { return failed_ && error_ == EPIPE; }
  [[nodiscard]] std::string reason() const { return std::strerror(error_); }

 private:
  bool failed_ = false;
  int error_ = 0;
};

void write_message(std::string_view text) {
  (void)stdlib::write_all(STDERR_FILENO, text, "standard error");
}

bool wants_color() {
  return isatty(STDERR_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
}

std::string duration_words(std::chrono::steady_clock::duration elapsed) {
  const double microseconds = std::chrono::duration<double, std::micro>(elapsed).count();
  std::array<char, 64> text{};
  if (microseconds >= 1e6) {
    std::snprintf(text.data(), text.size(), "%.2fs", microseconds / 1e6);
  } else if (microseconds >= 1e3) {
    std::snprintf(text.data(), text.size(), "%.2fms", microseconds / 1e3);
  } else {
    std::snprintf(text.data(), text.size(), "%.2f\u00b5s", microseconds);
  }
  return text.data();
}

ExitCode dump(Mode mode, Session& session, const Options& options, const fs::path& path, std::string text,
              StandardOutput& output) {
  const auto source = session.sources().add(options.file, path, std::move(text));
  if (mode == Mode::kLex) {
    syntax::Arena arena;
    std::vector<syntax::Diagnostic> diagnostics;
    const auto tokens = syntax::lex(*source, arena, diagnostics);
    output.write(syntax::dump_tokens(*source, tokens));
    session.show("", diagnostics);
    return ExitCode::kSuccess;
  }
  const auto parsed = syntax::parse(source);
  if (!parsed.ok()) {
    session.show("Parse errors:", parsed.diagnostics);
    return ExitCode::kUsage;
  }
  output.write(syntax::dump(parsed.program));
  return ExitCode::kSuccess;
}

}  // namespace

int run_command(std::span<const std::string_view> arguments) {
  install_signal_handlers();
  StandardOutput output;
  const auto code = [](ExitCode exit_code) { return static_cast<int>(exit_code); };
  const auto options = parse_options(arguments);
  if (!options) {
    write_message("Error: " + options.error() + "\nTry 'wfl --help'.\n");
    return code(ExitCode::kUsage);
  }
  switch (options->mode) {
    case Mode::kHelp:
      output.write(help_text());
      return code(ExitCode::kSuccess);
    case Mode::kVersion:
      output.write(version_text() + "\n");
      return code(ExitCode::kSuccess);
    case Mode::kRepl:
      write_message("Error: the interactive mode is not available in this build; name a program: wfl FILE\n");
      return code(ExitCode::kUsage);
    default:
      break;
  }

  const bool from_input = options->file == "-";
  const fs::path path = from_input ? fs::path{} : fs::path(options->file);
  SessionOptions session_options;
  session_options.config = load_config(path.parent_path());
  auto text = read_source(from_input ? fs::path("/dev/stdin") : path, session_options.config.settings.max_source_bytes);
  if (!text) {
    write_message("Error: " + text.error().message + "\n");
    return code(text.error().too_large ? ExitCode::kUsage : ExitCode::kFailure);
  }
  session_options.channels = {.output = [&output](std::string_view bytes) { output.write(bytes); },
                              .messages = write_message,
                              .color = wants_color()};
  session_options.script_arguments = options->script_arguments;
  session_options.test_mode = options->mode == Mode::kTest;
  Session session(std::move(session_options));
  running_cancel_flag = &session.machine().cancel_flag();

  const std::string name = from_input ? "standard input" : options->file;
  int result = 0;
  if (options->mode == Mode::kLex || options->mode == Mode::kParse) {
    result = code(dump(options->mode, session, *options, path, std::move(*text), output));
  } else if (options->mode == Mode::kAnalyze) {
    result = code(session.analyze(name, path, std::move(*text)));
    if (result == 0) output.write("No static analysis warnings found.\n");
  } else {
    const auto start = std::chrono::steady_clock::now();
    result = code(session.run(name, path, std::move(*text)));
    if (options->time) {
      output.write("\nExecution time: " + duration_words(std::chrono::steady_clock::now() - start) + "\n");
    }
    const bool interrupted = session.error() && session.error()->kind == vm::ErrorKind::kCancelled;
    if (interrupted && !output.failed()) result = kInterruptedExit;
  }
  running_cancel_flag = nullptr;
  if (output.failed()) {
    if (!output.reader_gone()) write_message("Error: could not write the program's output: " + output.reason() + "\n");
    if (result == 0) result = code(ExitCode::kFailure);
  }
  return result;
}

}  // namespace wfl::driver
