// One run of one program: its VM, its libraries, its sources, and what it says to the outside.
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wfl/check/analyzer.h"
#include "wfl/driver/config.h"
#include "wfl/driver/sources.h"
#include "wfl/language/builtins.h"
#include "wfl/stdlib/runtime.h"
#include "wfl/syntax/ast.h"
#include "wfl/vm/vm.h"

namespace wfl::driver {

class Loader;

// Where text goes. `output` is the program's own output; everything for people goes to `messages`.
struct Channels {
  std::function<void(std::string_view)> output;
  std::function<void(std::string_view)> messages;
  bool color = false;       // For messages.
  bool show_lines = false;  // Output goes to a terminal: every line at once.
};

struct SessionOptions {
  Config config;
  Channels channels;
  std::vector<std::string> script_arguments;
  bool test_mode = false;
  std::uint32_t execute_depth = 0;                     // How many `execute file` lie between this run and the first.
  std::optional<std::chrono::milliseconds> time_left;  // Of the run that started this one.
};

class Session {
 public:
  explicit Session(SessionOptions options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Runs a program's text from the first to the last step and gives the exit code. `path` is empty for a text that
  // comes from no file.
  language::ExitCode run(const std::string& name, const std::filesystem::path& path, std::string text);

  // Checks without running. Says what there is to say; kFailure when there is anything.
  language::ExitCode analyze(const std::string& name, const std::filesystem::path& path, std::string text);

  // --- Piece by piece: the interactive mode, and stepping through a program ---

  struct Piece {
    enum class State : std::uint8_t { kDone, kFailed, kInterrupted, kExit } state = State::kDone;
    std::string value;  // How the value of its last statement is displayed; empty when it has none.
  };
  // Defines what every program starts with. To be called once, before the first piece.
  void begin();
  // Runs a piece of text in what the pieces before it have left behind. It may define again what is defined.
  Piece run_piece(const std::string& name, std::string text);
  // Closes what is left open. False when something that was written could not be made safe.
  bool end() { return finish(); }

  // Runs a program like run(), but asks before each statement, those in actions, blocks and included files too. The
  // file and the offset are where the statement begins.
  enum class Step : std::uint8_t { kGoOn, kGoOnToTheEnd, kStop };  // To the end: without asking again.
  using Ask = std::function<Step(const syntax::SourceFile&, std::uint32_t)>;
  language::ExitCode run_stepwise(const std::string& name, const std::filesystem::path& path, std::string text,
                                  const Ask& ask);

  // Why the run failed, when a run-time error ended it.
  [[nodiscard]] const std::optional<vm::RuntimeError>& error() const { return error_; }
  [[nodiscard]] std::uint32_t line_of(const vm::CodeSpan& span) const;

  // Whether files that are loaded are to be stepped through.
  [[nodiscard]] bool stepwise() const { return ask_ != nullptr; }

  // Variables the program finds beside the usual ones (the fields of a request).
  void set_variable(std::string_view name, vm::Value value);

  vm::Vm& machine() { return vm_; }
  Sources& sources() { return sources_; }
  [[nodiscard]] const SessionOptions& options() const { return options_; }
  stdlib::Runtime& runtime() { return runtime_; }

  // Shows diagnostics under a head, if there are any.
  void show(std::string_view head, const std::vector<syntax::Diagnostic>& diagnostics);
  void say(std::string_view line) const { options_.channels.messages(std::string(line) + "\n"); }

 private:
  struct Checked {
    language::ExitCode code;
    std::optional<syntax::Program> program;
  };
  // What a check read beside the text itself.
  struct Includes {
    std::vector<check::IncludedText> files;  // Their names are where they really are.
    std::vector<std::string> bound_names;    // By the text itself.
    bool complete = true;                    // All of them could be read.
  };
  Checked check(const std::string& name, const std::filesystem::path& path, std::string text,
                Includes* included = nullptr);
  bool analyze_included(const Includes& included);
  void define_globals(const std::filesystem::path& path);
  language::ExitCode execute(const syntax::Program& program);
  language::ExitCode run_checked(const std::string& name, const std::filesystem::path& path, std::string text);
  static vm::Value step(vm::NativeCall& call);
  // Compiles and runs a program's main function. Nothing when it could not be compiled, which has been told then.
  std::optional<std::expected<vm::Value, vm::RuntimeError>> run_main(const syntax::Program& program, bool piecewise);
  void report_error(const vm::RuntimeError& error);
  bool finish();

  SessionOptions options_;
  Sources sources_;
  stdlib::Runtime runtime_;  // Outlives the VM, whose natives point to it.
  vm::Vm vm_;
  std::unique_ptr<Loader> loader_;
  std::vector<std::string> extra_names_;
  std::filesystem::path script_path_;
  std::optional<vm::RuntimeError> error_;
  const Ask* ask_ = nullptr;  // While a program is stepped through.
  Step answer_ = Step::kGoOn;
};

}  // namespace wfl::driver
