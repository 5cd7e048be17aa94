#include "wfl/driver/session.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <new>
#include <stdexcept>

#include "wfl/check/analyzer.h"
#include "wfl/compile/compiler.h"
#include "wfl/compile/scan.h"
#include "wfl/driver/debug_report.h"
#include "wfl/driver/execute_file.h"
#include "wfl/driver/loader.h"
#include "wfl/driver/test_report.h"
#include "wfl/driver/version.h"
#include "wfl/keystore/keystore_library.h"
#include "wfl/language/error_kinds.h"
#include "wfl/stdlib/files.h"
#include "wfl/stdlib/process.h"
#include "wfl/stdlib/registry.h"
#include "wfl/syntax/parser.h"
#include "wfl/vm/heap.h"
#include "wfl/vm/operations.h"

namespace wfl::driver {
namespace {

namespace fs = std::filesystem;
using language::ErrorKind;
using language::ExitCode;
using syntax::Diagnostic;
using vm::Value;

// "60s", as the timeout's message says it.
std::string seconds_words(double seconds) {
  return vm::format_number(seconds) + "s";
}

// The flags and the other arguments of a script: `--name value`, `-n value` and `--name` alone.
struct ScriptArguments {
  std::vector<std::pair<std::string, std::optional<std::string>>> flags;
  std::vector<std::string> positional;
};

ScriptArguments split_arguments(const std::vector<std::string>& arguments) {
  ScriptArguments result;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (!argument.starts_with('-') || argument == "-") {
      result.positional.push_back(argument);
      continue;
    }
    std::string name = argument.substr(
        argument.find_first_not_of('-') == std::string::npos ? argument.size() : argument.find_first_not_of('-'));
    const bool has_value = i + 1 < arguments.size() && !arguments[i + 1].starts_with('-');
    result.flags.emplace_back(std::move(name), has_value ? std::optional(arguments[i + 1]) : std::nullopt);
    if (has_value) ++i;
  }
  return result;
}

bool has_include(syntax::StmtList statements) {
  return std::ranges::any_of(statements, [](const syntax::Stmt* statement) {
    if (const auto* wait = syntax::try_as<syntax::WaitStatementStmt>(statement)) statement = wait->inner;
    return statement->kind == syntax::StmtKind::Include || statement->kind == syntax::StmtKind::LoadModule;
  });
}

// The machine's memory, or the part of it that this process may use; 0 when nobody knows. Past it the system would end
// the process without a word.
std::size_t usable_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page = ::sysconf(_SC_PAGESIZE);
  std::size_t bytes = pages > 0 && page > 0 ? static_cast<std::size_t>(pages) * static_cast<std::size_t>(page) : 0;
  for (const char* const file : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::size_t limit = 0;
    if (std::ifstream(file) >> limit && limit > 0 && (bytes == 0 || limit < bytes)) bytes = limit;
  }
  return bytes;
}

}  // namespace

Session::Session(SessionOptions options) : options_(std::move(options)), loader_(std::make_unique<Loader>(*this)) {
  const stdlib::Settings& settings = options_.config.settings;
  runtime_.settings = settings;
  runtime_.write_warning = [this](std::string_view line) { say(line); };
  vm_.limits().call_depth = settings.max_call_depth;
  vm_.limits().operations = settings.max_operations;
  vm_.limits().run_time = options_.time_left.value_or(
      std::chrono::milliseconds(static_cast<std::int64_t>(settings.timeout_seconds * 1000)));
  vm_.limits().run_time_words = seconds_words(settings.timeout_seconds);
  vm_.heap().set_limit(usable_memory() / 2);  // A list that grows needs its old place and its new one.
  vm_.set_output(options_.channels.output);
  if (options_.channels.show_lines) vm_.set_output_buffer(0);
  vm_.set_loader(loader_.get());
  vm_.set_test_mode(options_.test_mode);
  stdlib::register_builtins(vm_, runtime_);
  stdlib::register_host_functions(vm_.hosts(), runtime_);
  keystore::register_keystore_statements(vm_);
  register_execute_file(vm_.hosts(), *this);
}

Session::~Session() = default;

std::uint32_t Session::line_of(const vm::CodeSpan& span) const {
  const syntax::SourceFile* source = sources_.find(span.file);
  return source == nullptr ? 0 : source->line_of(span.begin);
}

void Session::set_variable(std::string_view name, Value value) {
  vm_.set_global(name, value);
  extra_names_.emplace_back(name);
}

void Session::show(std::string_view head, const std::vector<Diagnostic>& diagnostics) {
  if (diagnostics.empty()) return;
  std::string text;
  if (!head.empty()) text += std::string(head) + "\n";
  for (const Diagnostic& diagnostic : diagnostics) {
    text += sources_.render(diagnostic, options_.channels.color);
    if (!text.ends_with('\n')) text.push_back('\n');
  }
  options_.channels.messages(text);
}

namespace {

// Reads what `include from PATH` names. A path is relative to the including file: the program itself, or `from`.
std::optional<check::IncludedText> read_included(const fs::path& program, std::string_view wanted,
                                                 std::string_view from, std::size_t limit) {
  const fs::path base = from.empty() ? program : fs::path(from);
  std::error_code missing;
  const fs::path file = fs::canonical(base.parent_path() / fs::path(wanted), missing);
  if (missing) return std::nullopt;
  auto content = read_source(file, limit);
  if (!content) return std::nullopt;
  return check::IncludedText{.name = file.string(), .text = std::move(*content)};
}

}  // namespace

Session::Checked Session::check(const std::string& name, const fs::path& path, std::string text, Includes* included) {
  const auto source = sources_.add(name, path, std::move(text));
  syntax::ParseResult parsed = syntax::parse(source);
  if (!parsed.ok()) {
    show("Parse errors:", parsed.diagnostics);
    return {ExitCode::kUsage, std::nullopt};
  }
  show("", parsed.diagnostics);
  check::AnalyzerOptions analyzer_options;
  analyzer_options.outer_names = extra_names_;
  analyzer_options.read_include = [&](std::string_view wanted, std::string_view from) {
    auto file = read_included(path, wanted, from, options_.config.settings.max_source_bytes);
    if (included != nullptr && !file) included->complete = false;
    if (included != nullptr && file) {
      const bool known =
          std::ranges::any_of(included->files, [&](const auto& other) { return other.name == file->name; });
      if (!known) included->files.push_back(*file);
    }
    return file;
  };
  check::Analysis analysis = check::analyze(parsed.program, analyzer_options);
  show("", analysis.diagnostics);
  if (included != nullptr) included->bound_names = std::move(analysis.bound_names);
  if (!analysis.ok()) return {ExitCode::kSemantic, std::nullopt};
  show("Type checking warnings:", analysis.type_findings);
  const bool silent = parsed.diagnostics.empty() && analysis.diagnostics.empty() && analysis.type_findings.empty();
  return {silent ? ExitCode::kSuccess : ExitCode::kFailure, std::move(parsed.program)};
}

ExitCode Session::analyze(const std::string& name, const fs::path& path, std::string text) {
  define_globals(path);
  Includes included;
  const ExitCode code = check(name, path, std::move(text), &included).code;
  const bool silent = analyze_included(included);
  return code == ExitCode::kSuccess && !silent ? ExitCode::kFailure : code;
}

// Says what there is to say about files that were included. Each sees the names of the program and of the others, as it
// may when it runs. True if there is nothing.
bool Session::analyze_included(const Includes& included) {
  struct File {
    fs::path path;
    syntax::ParseResult parsed;
    std::vector<std::string> bound_names;
  };
  std::vector<File> files;
  bool silent = true;
  for (const check::IncludedText& text : included.files) {
    const auto source = sources_.add(fs::proximate(text.name).string(), text.name, text.text);
    File& file = files.emplace_back(File{.path = text.name, .parsed = syntax::parse(source), .bound_names = {}});
    silent = silent && file.parsed.diagnostics.empty();
    show(file.parsed.ok() ? "" : "Parse errors:", file.parsed.diagnostics);
    if (file.parsed.ok()) {
      file.bound_names = check::analyze(file.parsed.program, {.outer_names = {}, .is_imported = true}).bound_names;
    }
  }
  for (const File& file : files) {
    if (!file.parsed.ok()) continue;
    check::AnalyzerOptions options{.outer_names = extra_names_, .is_imported = true};
    std::ranges::copy(included.bound_names, std::back_inserter(options.outer_names));
    for (const File& other : files) {
      if (&other != &file) std::ranges::copy(other.bound_names, std::back_inserter(options.outer_names));
    }
    options.read_include = [&](std::string_view wanted, std::string_view from) {
      return read_included(file.path, wanted, from, options_.config.settings.max_source_bytes);
    };
    check::Analysis analysis = check::analyze(file.parsed.program, options);
    // A name may come from a file that could not be read.
    const bool complete = included.complete && std::ranges::all_of(files, [](const File& f) { return f.parsed.ok(); });
    if (!complete) std::erase_if(analysis.diagnostics, [](const Diagnostic& d) { return d.code == "WFL-S002"; });
    show("", analysis.diagnostics);
    show("Type checking warnings:", analysis.type_findings);
    silent = silent && analysis.diagnostics.empty() && analysis.type_findings.empty();
  }
  return silent;
}

void Session::define_globals(const fs::path& path) {
  vm::Heap& heap = vm_.heap();
  const auto text = [&](std::string_view bytes) { return Value::object(heap.text(bytes)); };
  const auto text_list = [&](const std::vector<std::string>& items) {
    std::vector<Value> values;
    for (const std::string& item : items) values.push_back(text(item));
    return Value::object(heap.list(std::move(values)));
  };
  const ScriptArguments arguments = split_arguments(options_.script_arguments);
  std::error_code ignored;
  vm_.set_global("args", text_list(options_.script_arguments));
  vm_.set_global("positional_args", text_list(arguments.positional));
  vm_.set_global("arg_count", Value::number(static_cast<double>(options_.script_arguments.size())));
  vm_.set_global("program_name", text(options_.script_arguments.empty()
                                          ? "wfl"
                                          : fs::path(options_.script_arguments.front()).filename().string()));
  vm_.set_global("current_directory", text(fs::current_path(ignored).string()));
  const fs::path absolute = path.empty() ? fs::path{} : fs::absolute(path, ignored);
  vm_.set_global("script_path", text(absolute.string()));
  vm_.set_global("script_directory", text(absolute.parent_path().string()));
  vm_.set_global("newline", text("\n"));
  vm_.set_global("tab", text("\t"));
  vm_.set_global("wfl_version", text(kVersion));
  for (const auto& [flag, value] : arguments.flags) {
    // `--dry-run` is read as flag_dry_run: a name of the language has no hyphens.
    std::string name = "flag_" + flag;
    std::ranges::replace(name, '-', '_');
    set_variable(name, value ? text(*value) : Value::boolean(true));
  }
}

ExitCode Session::run(const std::string& name, const fs::path& path, std::string text) {
  try {
    return run_checked(name, path, std::move(text));
  } catch (const std::bad_alloc&) {
    say("error: There is not enough memory for this program");
  } catch (const std::length_error&) {
    say("error: This program is too large");
  }
  return ExitCode::kFailure;
}

ExitCode Session::run_stepwise(const std::string& name, const fs::path& path, std::string text, const Ask& ask) {
  ask_ = &ask;
  answer_ = Step::kGoOn;
  vm_.hosts().add("debug.step", step, this);
  const ExitCode code = run(name, path, std::move(text));
  ask_ = nullptr;
  return code;
}

// debug.step: source, begin
Value Session::step(vm::NativeCall& call) {
  auto& session = *static_cast<Session*>(call.data);
  if (session.answer_ == Step::kGoOn) {
    const auto* source = session.sources_.find(static_cast<std::uint32_t>(call[0].as_number()));
    if (source == nullptr) return Value::null();
    session.vm_.flush_output();
    session.answer_ = (*session.ask_)(*source, static_cast<std::uint32_t>(call[1].as_number()));
    session.vm_.start_clock();  // Thinking about the answer does not count.
  }
  // Blocks that are left on the way out (`finally`) are asked for no more.
  if (session.answer_ == Step::kStop) return call.fail(ErrorKind::kExitProgram, "exit program");
  return Value::null();
}

ExitCode Session::run_checked(const std::string& name, const fs::path& path, std::string text) {
  script_path_ = path;
  define_globals(path);
  for (const std::string& warning : options_.config.warnings) {
    if (options_.execute_depth == 0) say("warning: " + warning);
  }
  Checked checked = check(name, path, std::move(text));
  if (!checked.program) return checked.code;
  vm_.globals().file = path.string();
  loader_->set_main(path);
  ExitCode code = execute(*checked.program);
  if (!finish() && code == ExitCode::kSuccess) code = ExitCode::kFailure;
  if (options_.test_mode && !error_) {
    options_.channels.output(
        render_test_report(vm_.test_results(), [this](const vm::CodeSpan& span) { return line_of(span); }));
    if (vm_.test_results().failed > 0) code = ExitCode::kFailure;
  }
  return code;
}

std::optional<std::expected<Value, vm::RuntimeError>> Session::run_main(const syntax::Program& program,
                                                                        bool piecewise) {
  const compile::Options options{
      .keep_globals = piecewise || has_include(program.statements), .result_wanted = piecewise, .stepwise = stepwise()};
  auto compiled = compile::compile(program, vm_, vm_.globals(), options);
  if (!compiled) {
    Diagnostic diagnostic;
    diagnostic.severity = syntax::Severity::Error;
    diagnostic.code = "WFL-S900";
    diagnostic.message = compiled.error().message;
    diagnostic.span = compiled.error().span;
    show("", {diagnostic});
    return std::nullopt;
  }
  const vm::FunctionProto* function = vm_.adopt(std::move(*compiled));
  return vm_.run(function);
}

ExitCode Session::execute(const syntax::Program& program) {
  vm_.start_clock();
  auto ran = run_main(program, false);
  if (!ran) return ExitCode::kSemantic;
  std::expected<Value, vm::RuntimeError> result = std::move(*ran);
  if (result) {
    // An action without parameters that is called main is the program's last step.
    const Value main_action = vm_.get_global("main");
    if (const auto* action = main_action.try_as<vm::Action>();
        action != nullptr && std::ranges::any_of(action->versions, [](const vm::Closure& version) {
          return version.proto->parameters.empty();
        })) {
      result = vm_.call(main_action, {});
    }
  }
  vm_.flush_output();
  if (result || result.error().kind == ErrorKind::kExitProgram) return ExitCode::kSuccess;
  error_ = std::move(result.error());
  if (options_.execute_depth == 0) report_error(*error_);
  return ExitCode::kFailure;
}

void Session::begin() {
  define_globals({});
  for (const std::string& warning : options_.config.warnings) say("warning: " + warning);
}

Session::Piece Session::run_piece(const std::string& name, std::string text) {
  error_.reset();
  const auto source = sources_.add(name, {}, std::move(text));
  const syntax::ParseResult parsed = syntax::parse(source);
  show("", parsed.diagnostics);
  if (!parsed.ok()) return {Piece::State::kFailed, {}};

  check::AnalyzerOptions analyzer_options;
  analyzer_options.outer_names = extra_names_;
  for (const std::string& known : vm_.globals().names) {
    if (!vm_.globals().get(known).is_undefined()) analyzer_options.outer_names.push_back(known);
  }
  check::Analysis analysis = check::analyze(parsed.program, analyzer_options);
  // Somebody who tries things out defines a name as often as they like, reads it in a later line, and asks `if yes`.
  std::erase_if(analysis.diagnostics, [](const Diagnostic& diagnostic) {
    return diagnostic.code == "WFL-S001" || diagnostic.code == "WFL-S101" || diagnostic.code == "WFL-S103";
  });
  show("", analysis.diagnostics);
  if (!analysis.ok()) return {Piece::State::kFailed, {}};
  show("", analysis.type_findings);

  vm_.start_clock();
  auto result = run_main(parsed.program, true);
  if (!result) return {Piece::State::kFailed, {}};
  vm_.flush_output();
  if (*result) {
    const Value value = **result;
    return {Piece::State::kDone, value.is_null() || value.is_undefined() ? "" : vm::display(value)};
  }
  error_ = std::move(result->error());
  switch (error_->kind) {
    case ErrorKind::kExitProgram:
      return {Piece::State::kExit, {}};
    case ErrorKind::kCancelled:
      return {Piece::State::kInterrupted, {}};
    default:
      report_error(*error_);
      return {Piece::State::kFailed, {}};
  }
}

void Session::report_error(const vm::RuntimeError& error) {
  if (error.kind == ErrorKind::kCancelled) return;  // Whoever pressed Ctrl-C knows why it ended.
  const std::string_view prefix = language::error_prefix(error.kind);
  Diagnostic diagnostic;
  diagnostic.severity = syntax::Severity::Error;
  char code[16];
  std::snprintf(code, sizeof code, "WFL-R%03d", static_cast<int>(error.kind) + 1);
  diagnostic.code = code;
  diagnostic.message = prefix.empty() ? error.message : "[" + std::string(prefix) + "] " + error.message;
  diagnostic.span = {error.span.file, error.span.begin, error.span.end};
  diagnostic.label = "Runtime error occurred here";
  constexpr std::size_t kShownCalls = 8;
  for (std::size_t i = 0; i < std::min(error.trace.size(), kShownCalls); ++i) {
    if (error.trace[i].first.empty()) continue;  // The program itself.
    diagnostic.notes.push_back("in action '" + error.trace[i].first + "', called at line " +
                               std::to_string(line_of(error.trace[i].second)));
  }
  if (error.trace.size() > kShownCalls) {
    diagnostic.notes.push_back("… and " + std::to_string(error.trace.size() - kShownCalls) + " more calls");
  }
  show("Runtime errors:", {diagnostic});
  if (runtime_.settings.debug_report && !script_path_.empty()) {
    if (const auto written = write_debug_report(script_path_, diagnostic, *this, error)) {
      say("A report was written to " + written->string());
    }
  }
}

// Closes what the program left open. False when something it wrote could not be made safe.
bool Session::finish() {
  bool fine = true;
  for (const std::string& problem : keystore::close_keystores(vm_)) {
    say("error: " + problem);
    fine = false;
  }
  runtime_.files->close_all();
  if (const std::size_t running = runtime_.processes->running_count();
      running > 0 && !runtime_.settings.kill_processes_at_end) {
    say("Warning: " + std::to_string(running) + (running == 1 ? " process is" : " processes are") +
        " still running at the end of the program");
  }
  return fine;
}

}  // namespace wfl::driver
