#include "wfl/tools/command.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "terminal/line_editor.h"
#include "wfl/driver/session.h"
#include "wfl/syntax/ast_dump.h"
#include "wfl/syntax/lexer.h"
#include "wfl/syntax/parser.h"
#include "wfl/tools/config_care.h"
#include "wfl/tools/console.h"
#include "wfl/tools/explain.h"
#include "wfl/tools/lint_command.h"
#include "wfl/tools/options.h"
#include "wfl/tools/repl.h"

namespace wfl::tools {
namespace {

namespace fs = std::filesystem;
using driver::Session;
using driver::SessionOptions;
using language::ExitCode;

int code(ExitCode exit_code) {
  return static_cast<int>(exit_code);
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

// The dump is shown, and kept where other tools look for it: target/reports/dumps, under the program's name.
void show_dump(std::string_view file, std::string_view ending, const std::string& text, StandardOutput& output) {
  output.write(text);
  if (file == "-") return;
  std::string name(file);
  while (name.starts_with("./")) name.erase(0, 2);
  std::ranges::replace_if(name, [](char c) { return c == '/' || c == '\\' || c == ':'; }, '_');
  const fs::path path = fs::path("target/reports/dumps") / (name + std::string(ending));
  std::error_code ignored;
  fs::create_directories(path.parent_path(), ignored);
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  write_message(out ? "The same was written to " + path.string() + "\n"
                    : "Note: " + path.string() + " could not be written\n");
}

ExitCode dump(Mode mode, Session& session, const Options& options, const fs::path& path, std::string text,
              StandardOutput& output) {
  const auto source = session.sources().add(options.file, path, std::move(text));
  if (mode == Mode::kLex) {
    syntax::Arena arena;
    std::vector<syntax::Diagnostic> diagnostics;
    const auto tokens = syntax::lex(*source, arena, diagnostics);
    show_dump(options.file, ".lex.txt", syntax::dump_tokens(*source, tokens), output);
    session.show("", diagnostics);
    return ExitCode::kSuccess;
  }
  const auto parsed = syntax::parse(source);
  if (!parsed.ok()) {
    session.show("Parse errors:", parsed.diagnostics);
    return ExitCode::kUsage;
  }
  show_dump(options.file, ".ast.txt", syntax::dump(parsed.program), output);
  return ExitCode::kSuccess;
}

terminal::LineEditor& step_answers() {
  static const std::unique_ptr<terminal::LineEditor> reader = terminal::make_plain_reader();
  return *reader;
}

// Shows a statement and asks whether to go on. The end of the input is a no. Lines of other files begin with their
// name.
Session::Step ask_for_step(const std::string& program, const syntax::SourceFile& source, std::uint32_t begin) {
  const std::uint32_t line = source.line_of(begin);
  std::string question = source.name() == program ? "" : std::string(source.name()) + ":";
  question += std::to_string(line) + " │ " + std::string(source.line_text(line)) + "\ncontinue (y/n)? ";
  while (true) {
    write_message(question);
    std::string answer;
    if (step_answers().read("", answer) != terminal::ReadOutcome::kLine) return Session::Step::kStop;
    if (answer == "y" || answer == "Y" || answer == "yes" || answer.empty()) return Session::Step::kGoOn;
    if (answer == "n" || answer == "N" || answer == "no") return Session::Step::kStop;
    if (answer == "all") return Session::Step::kGoOnToTheEnd;
    question = "Please answer y or n, or all for no more questions. continue (y/n)? ";
  }
}

// Everything that reads a program: running it, testing it, looking at it.
int work_on_program(const Options& options, StandardOutput& output) {
  const bool from_input = options.file == "-";
  const fs::path path = from_input ? fs::path{} : fs::path(options.file);
  SessionOptions session_options;
  session_options.config = driver::load_config(path.parent_path());
  auto text =
      driver::read_source(from_input ? fs::path("/dev/stdin") : path, session_options.config.settings.max_source_bytes);
  if (!text) {
    write_message("Error: " + text.error().message + "\n");
    return code(text.error().too_large ? ExitCode::kUsage : ExitCode::kFailure);
  }
  session_options.channels = {.output = [&output](std::string_view bytes) { output.write(bytes); },
                              .messages = write_message,
                              .color = wants_color(),
                              .show_lines = isatty(STDOUT_FILENO) == 1};
  session_options.script_arguments = options.script_arguments;
  session_options.test_mode = options.mode == Mode::kTest;
  Session session(std::move(session_options));
  const WatchInterrupts watch(session.machine());

  const std::string name = from_input ? "standard input" : options.file;
  if (options.mode == Mode::kLex || options.mode == Mode::kParse) {
    return code(dump(options.mode, session, options, path, std::move(*text), output));
  }
  if (options.mode == Mode::kAnalyze) {
    const ExitCode result = session.analyze(name, path, std::move(*text));
    if (result == ExitCode::kSuccess) output.write("No static analysis warnings found.\n");
    return code(result == ExitCode::kSemantic ? ExitCode::kFailure : result);  // It was asked for findings, not to run.
  }
  const auto start = std::chrono::steady_clock::now();
  const auto ask = [&name](const syntax::SourceFile& source, std::uint32_t begin) {
    return ask_for_step(name, source, begin);
  };
  int result = code(options.mode == Mode::kStep ? session.run_stepwise(name, path, std::move(*text), ask)
                                                : session.run(name, path, std::move(*text)));
  if (options.time) {
    output.write("\nExecution time: " + duration_words(std::chrono::steady_clock::now() - start) + "\n");
  }
  const bool interrupted = session.error() && session.error()->kind == vm::ErrorKind::kCancelled;
  if (interrupted && !output.failed()) result = kInterruptedExit;
  return result;
}

int edit(const Options& options) {
  const char* editor = std::getenv("VISUAL");
  if (editor == nullptr || *editor == '\0') editor = std::getenv("EDITOR");
  // The variable may hold arguments too, so a shell takes it apart; the file's name is not part of what it reads.
  const std::string command = std::string(editor == nullptr || *editor == '\0' ? "editor" : editor) + " \"$1\"";
  signal(SIGINT, SIG_IGN);  // Ctrl-C belongs to the editor.
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGINT, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    execl("/bin/sh", "sh", "-c", command.c_str(), "sh", options.file.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return code(ExitCode::kSuccess);
  write_message("Error: the editor did not end well; VISUAL or EDITOR says which one is used\n");
  return code(ExitCode::kFailure);
}

int dispatch(const Options& options, StandardOutput& output) {
  switch (options.mode) {
    case Mode::kHelp:
      output.write(help_text());
      return code(ExitCode::kSuccess);
    case Mode::kVersion:
      output.write(version_text() + "\n");
      return code(ExitCode::kSuccess);
    case Mode::kRepl:
      return run_repl(output);
    case Mode::kExplain:
      return code(run_explain(options, output));
    case Mode::kEdit:
      return edit(options);
    case Mode::kInit:
      return code(run_init(options, output));
    case Mode::kConfigCheck:
      return code(run_config_check(options, output));
    case Mode::kConfigFix:
      return code(run_config_fix(options, output));
    case Mode::kDumpEnvironment:
      return code(run_dump_environment(options, output));
    case Mode::kLint:
      return code(run_lint(options, output));
    default:
      return work_on_program(options, output);
  }
}

}  // namespace

int run_command(std::span<const std::string_view> arguments) {
  install_signal_handlers();
  StandardOutput output;
  const auto options = parse_options(arguments);
  if (!options) {
    write_message("Error: " + options.error() + "\nTry 'wfl --help'.\n");
    return code(ExitCode::kUsage);
  }
  int result = dispatch(*options, output);
  if (output.failed()) {
    if (!output.reader_gone()) write_message("Error: could not write the output: " + output.reason() + "\n");
    if (result == 0) result = code(ExitCode::kFailure);
  }
  return result;
}

}  // namespace wfl::tools
