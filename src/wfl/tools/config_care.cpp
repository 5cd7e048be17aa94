#include "wfl/tools/config_care.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include "terminal/line_editor.h"
#include "wfl/driver/version.h"
#include "wfl/stdlib/files.h"
#include "wfl/syntax/suggest.h"
#include "wfl/vm/operations.h"

namespace wfl::tools {
namespace {

namespace fs = std::filesystem;
using driver::Config;
using language::ExitCode;

std::string word(bool value) {
  return value ? "true" : "false";
}

std::string shell_mode_word(stdlib::ShellMode mode) {
  switch (mode) {
    case stdlib::ShellMode::kForbidden:
      return "forbidden";
    case stdlib::ShellMode::kAllowlistOnly:
      return "allowlist_only";
    case stdlib::ShellMode::kSanitized:
      return "sanitized";
    case stdlib::ShellMode::kUnrestricted:
      return "unrestricted";
  }
  return "forbidden";
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& item : words) out += (out.empty() ? "" : ", ") + item;
  return out;
}

constexpr auto kKeys = std::to_array<ConfigKey>({
    {"timeout_seconds", "60", "How long a program may run, 1 to 300 seconds. A main loop is not counted.",
     [](const Config& c) { return vm::format_number(c.settings.timeout_seconds); }},
    {"max_operations", "0", "How many loop rounds and calls a program may make; 0 means as many as it likes.",
     [](const Config& c) { return std::to_string(c.settings.max_operations); }},
    {"max_call_depth", "1000", "How deep actions may call each other.",
     [](const Config& c) { return std::to_string(c.settings.max_call_depth); }},
    {"max_import_depth", "64", "How deep included files and modules may be nested.",
     [](const Config& c) { return std::to_string(c.settings.max_import_depth); }},
    {"max_execute_file_depth", "4", "How deep `execute file` may be nested.",
     [](const Config& c) { return std::to_string(c.settings.max_execute_file_depth); }},
    {"max_pattern_steps", "5000000", "How many steps the search for a pattern may take.",
     [](const Config& c) { return std::to_string(c.settings.max_pattern_steps); }},
    {"max_pattern_states", "10000", "How large a pattern may be.",
     [](const Config& c) { return std::to_string(c.settings.max_pattern_states); }},
    {"max_source_size", "67108864", "The largest program in bytes.",
     [](const Config& c) { return std::to_string(c.settings.max_source_bytes); }},
    {"max_file_read_size", "52428800", "The largest file in bytes that a program may read at once.",
     [](const Config& c) { return std::to_string(c.settings.max_file_read_bytes); }},
    {"debug_report_enabled", "true", "Whether a program that fails leaves a report beside it.",
     [](const Config& c) { return word(c.settings.debug_report); }},
    {"allow_shell_execution", "false", "Whether programs may start other programs at all.",
     [](const Config& c) { return word(c.settings.shell_mode != stdlib::ShellMode::kForbidden); }},
    {"shell_execution_mode", "forbidden", "forbidden, allowlist_only, sanitized or unrestricted.",
     [](const Config& c) { return shell_mode_word(c.settings.shell_mode); }},
    {"allowed_shell_commands", "", "With allowlist_only: the commands, with commas between them.",
     [](const Config& c) { return joined(c.settings.allowed_commands); }},
    {"warn_on_shell_execution", "true", "Whether starting a program is told.",
     [](const Config& c) { return word(c.settings.warn_on_shell); }},
    {"max_concurrent_processes", "100", "How many programs may run at once.",
     [](const Config& c) { return std::to_string(c.settings.max_processes); }},
    {"max_buffer_size_bytes", "10485760", "How much output of a started program is kept.",
     [](const Config& c) { return std::to_string(c.settings.max_process_buffer_bytes); }},
    {"kill_on_shutdown", "false", "Whether started programs are ended with this one.",
     [](const Config& c) { return word(c.settings.kill_processes_at_end); }},
    {"max_line_length", "100", "Lint: the most characters a line should have.",
     [](const Config& c) { return std::to_string(c.lint.max_line_length); }},
    {"max_nesting_depth", "5", "Lint: how deep blocks should be nested at most.",
     [](const Config& c) { return std::to_string(c.lint.max_nesting); }},
    {"indent_size", "4", "Lint: how many blanks a block is moved to the right.",
     [](const Config& c) { return std::to_string(c.lint.indent); }},
    {"snake_case_variables", "true", "Lint: whether names are to be written in snake_case.",
     [](const Config& c) { return word(c.lint.snake_case); }},
    {"trailing_whitespace", "false", "Lint: whether blanks at line ends are fine.",
     [](const Config& c) { return word(c.lint.allow_trailing_whitespace); }},
    {"consistent_keyword_case", "true", "Lint: whether keywords with capital letters are told.",
     [](const Config& c) { return word(c.lint.keyword_case); }},
});

std::optional<std::string> read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// The directory that was named, or the current one. Nothing, and a message, when it is none.
std::optional<fs::path> directory_of(const Options& options) {
  const fs::path directory = options.file.empty() ? fs::path(".") : fs::path(options.file);
  std::error_code ignored;
  if (fs::is_directory(directory, ignored)) return directory;
  write_message("Error: '" + directory.string() + "' is not a directory\n");
  return std::nullopt;
}

// Whether one line of a config is fine by itself.
bool is_fine(std::string_view line) {
  Config config;
  driver::read_config_text(line, "", config);
  return config.warnings.empty();
}

// A line that was not fine, mended: the key that was probably meant, a value in lower case, or the line as a comment.
std::string mended_line(const std::string& line) {
  const std::size_t equals = line.find('=');
  if (equals != std::string::npos) {
    const auto trim = [](std::string_view text) {
      const std::size_t first = text.find_first_not_of(" \t\r");
      return first == std::string_view::npos ? std::string_view{}
                                             : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
    };
    std::string key(trim(std::string_view(line).substr(0, equals)));
    std::string value(trim(std::string_view(line).substr(equals + 1)));
    for (std::string* text : {&key, &value}) {
      for (char& c : *text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    std::vector<std::string_view> keys;
    for (const ConfigKey& known : kKeys) keys.push_back(known.key);
    if (const auto near = syntax::closest(key, keys)) key = *near;
    const std::string better = key + " = " + value;
    if (is_fine(better)) return better;
  }
  return "# not understood: " + line;
}

bool replace_text(const fs::path& path, const std::string& text) {
  const auto written = stdlib::write_file(path.string(), text);
  if (!written) write_message("Error: " + written.error().message + "\n");
  return written.has_value();
}

// What the wizard asks for. A question with `only_if` is asked only if that one was answered with `true`.
struct Question {
  std::string_view key;
  std::string_view text;
  std::string_view only_if;
};
constexpr auto kQuestions = std::to_array<Question>({
    {"timeout_seconds", "How many seconds may a program run (1 to 300)?", ""},
    {"allow_shell_execution", "May programs start other programs (true or false)?", ""},
    {"shell_execution_mode", "Which ones: allowlist_only, sanitized or unrestricted?", "allow_shell_execution"},
    {"allowed_shell_commands", "For allowlist_only, which commands, with commas between them?",
     "allow_shell_execution"},
    {"debug_report_enabled", "Shall a program that fails leave a report beside it (true or false)?", ""},
    {"max_line_length", "How long should lines be at most?", ""},
    {"indent_size", "How many blanks is a block moved to the right?", ""},
});

// False when the answers ended too early.
bool ask_choices(StandardOutput& output, Choices& choices) {
  output.write("A few questions; Enter keeps what stands in brackets.\n");
  const auto answers = terminal::make_plain_reader();
  for (const Question& question : kQuestions) {
    if (!question.only_if.empty() && choices[std::string(question.only_if)] != "true") continue;
    const auto key = std::ranges::find(kKeys, question.key, &ConfigKey::key);
    while (true) {
      output.write(std::string(question.text) + " [" + std::string(key->standard) + "] ");
      std::string answer;
      if (answers->read("", answer) != terminal::ReadOutcome::kLine) return false;
      if (answer.empty() || answer == key->standard) break;
      Config config;
      driver::read_config_text(std::string(question.key) + " = " + answer, "answer", config);
      if (config.warnings.empty()) {
        choices[std::string(question.key)] = answer;
        break;
      }
      const std::string& problem = config.warnings.front();
      output.write(problem.substr(problem.find(": ") + 2) + "\n");
    }
  }
  std::erase_if(choices, [](const auto& choice) { return choice.second.empty(); });
  return true;
}

}  // namespace

std::span<const ConfigKey> config_keys() {
  return kKeys;
}

std::string config_template(const Choices& choices) {
  std::string out =
      "# Settings for the WFL programs in this directory and below. A line that begins with # does nothing.\n";
  for (const ConfigKey& key : kKeys) {
    const auto chosen = choices.find(key.key);
    const std::string value = chosen == choices.end() ? std::string(key.standard) : chosen->second;
    out +=
        "\n# " + std::string(key.doc) + "\n" + std::string(key.key) + " =" + (value.empty() ? "" : " ") + value + "\n";
  }
  return out;
}

ExitCode run_init(const Options& options, StandardOutput& output) {
  const auto directory = directory_of(options);
  if (!directory) return ExitCode::kUsage;
  const fs::path path = *directory / ".wflcfg";
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(path, ignored))) {
    write_message("Error: " + path.string() + " is there already; nothing was changed\n");
    return ExitCode::kFailure;
  }
  Choices choices;
  if (isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && !ask_choices(output, choices)) {
    output.write("\nNothing was written.\n");
    return ExitCode::kFailure;
  }
  if (!replace_text(path, config_template(choices))) return ExitCode::kUsage;
  output.write("Created " + path.string() + " with every setting" +
               (choices.empty() ? " and its default.\n"
                                : "; " + std::to_string(choices.size()) + (choices.size() == 1 ? " is" : " are") +
                                      " not the default.\n"));
  return ExitCode::kSuccess;
}

ExitCode run_config_check(const Options& options, StandardOutput& output) {
  const auto directory = directory_of(options);
  if (!directory) return ExitCode::kUsage;
  const Config config = driver::load_config(*directory);
  for (const fs::path& file : config.files) output.write("Checked " + file.string() + "\n");
  if (config.files.empty()) output.write("There is no config file here; the defaults hold.\n");
  for (const std::string& warning : config.warnings) write_message("warning: " + warning + "\n");
  for (const std::string& note : config.notes) output.write("note: " + note + "\n");
  if (config.warnings.empty()) {
    output.write("No configuration issues found.\n");
    return ExitCode::kSuccess;
  }
  output.write(std::to_string(config.warnings.size()) + " configuration issue" +
               (config.warnings.size() == 1 ? "" : "s") + " found; wfl --configFix mends what it can.\n");
  return ExitCode::kFailure;
}

ExitCode run_config_fix(const Options& options, StandardOutput& output) {
  const auto directory = directory_of(options);
  if (!directory) return ExitCode::kUsage;
  const fs::path path = *directory / ".wflcfg";
  const auto text = read_text(path);
  if (!text) {
    write_message("Error: " + path.string() + " could not be read; wfl --init writes one\n");
    return ExitCode::kUsage;
  }
  std::string mended;
  std::size_t changes = 0;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find('\n', at), text->size());
    const std::string line = text->substr(at, end - at);
    at = end + 1;
    if (is_fine(line)) {
      mended += line;
    } else {
      const std::string better = mended_line(line);
      output.write("- " + line + "\n+ " + better + "\n");
      mended += better;
      ++changes;
    }
    if (end < text->size()) mended += '\n';
  }
  if (changes > 0 && !replace_text(path, mended)) return ExitCode::kUsage;
  output.write(changes == 0 ? "No configuration issues found.\n"
                            : "Mended " + std::to_string(changes) + (changes == 1 ? " line" : " lines") + " of " +
                                  path.string() + ".\n");
  return ExitCode::kSuccess;
}

ExitCode run_dump_environment(const Options& options, StandardOutput& output) {
  const Config config = driver::load_config({});
  std::error_code ignored;
  std::string report = version_text() + "\n\n";
  struct utsname system{};
  if (uname(&system) == 0) {
    report +=
        "System:            " + std::string(system.sysname) + " " + system.release + " (" + system.machine + ")\n";
  }
  report += "Program:           " + fs::read_symlink("/proc/self/exe", ignored).string() + "\n";
  report += "Current directory: " + fs::current_path(ignored).string() + "\n";
  report += "\nEnvironment:\n";
  // Only what this program looks at: an environment may hold secrets.
  for (const char* name : {"WFL_GLOBAL_CONFIG_PATH", "HOME", "XDG_STATE_HOME", "LANG", "LC_ALL", "TERM", "NO_COLOR",
                           "VISUAL", "EDITOR", "TZ"}) {
    const char* value = std::getenv(name);
    report += "  " + std::string(name) + (value == nullptr ? " is not set\n" : " = " + std::string(value) + "\n");
  }
  report += "\nConfig files:\n";
  for (const fs::path& file : config.files) report += "  " + file.string() + "\n";
  if (config.files.empty()) report += "  none\n";
  for (const std::string& warning : config.warnings) report += "  warning: " + warning + "\n";
  report += "\nSettings in force:\n";
  for (const ConfigKey& key : kKeys) report += "  " + std::string(key.key) + " = " + key.value(config) + "\n";
  if (options.file.empty()) {
    output.write(report);
    return ExitCode::kSuccess;
  }
  if (!replace_text(options.file, report)) return ExitCode::kFailure;
  output.write("The report was written to " + options.file + "\n");
  return ExitCode::kSuccess;
}

}  // namespace wfl::tools
