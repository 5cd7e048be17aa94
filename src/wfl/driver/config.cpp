#include "wfl/driver/config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>

#include "wfl/syntax/suggest.h"
#include "wfl/vm/operations.h"

namespace wfl::driver {
namespace {

namespace fs = std::filesystem;
using stdlib::Settings;
using stdlib::ShellMode;

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// What the two shell keys say; they are combined when all files are read.
struct ShellWords {
  bool allowed = false;
  ShellMode mode = ShellMode::kForbidden;
};

// For the question whether another one was meant.
constexpr auto kKeys = std::to_array<std::string_view>({
    "timeout_seconds",        "max_operations",          "max_call_depth",           "max_import_depth",
    "max_execute_file_depth", "max_pattern_steps",       "max_pattern_states",       "max_source_size",
    "max_file_read_size",     "debug_report_enabled",    "allow_shell_execution",    "shell_execution_mode",
    "allowed_shell_commands", "warn_on_shell_execution", "max_concurrent_processes", "max_buffer_size_bytes",
    "kill_on_shutdown",       "max_line_length",         "max_nesting_depth",        "indent_size",
    "snake_case_variables",   "trailing_whitespace",     "consistent_keyword_case",
});

class Reader {
 public:
  Reader(Config& config, std::string name) : config_(config), name_(std::move(name)) {}

  void read(std::string_view text) {
    std::size_t number = 0;
    while (!text.empty()) {
      ++number;
      const std::size_t end = text.find('\n');
      line(trim(text.substr(0, end)), number);
      text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    if (saw_shell_) config_.settings.shell_mode = shell_.allowed ? shell_.mode : ShellMode::kForbidden;
  }

 private:
  void warn(std::size_t number, const std::string& message) {
    config_.warnings.push_back(name_ + ":" + std::to_string(number) + ": " + message);
  }

  void line(std::string_view text, std::size_t number) {
    if (text.empty() || text.starts_with('#')) return;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) {
      warn(number, "expected 'KEY = VALUE', but found '" + std::string(text) + "'");
      return;
    }
    const std::string_view key = trim(text.substr(0, equals));
    std::string_view value = trim(text.substr(equals + 1));
    if (const std::size_t comment = value.find(" #"); comment != std::string_view::npos)
      value = trim(value.substr(0, comment));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    const std::string name(key);
    if (belongs_to_other_tools(key)) {
      config_.notes.push_back(name_ + ":" + std::to_string(number) + ": " + name +
                              " is read, but this build does nothing with it");
    } else if (!set(key, value)) {
      warn(number, name + " takes " + takes_ + ", but is '" + std::string(value) + "'; it stays " + stays_);
    } else if (unknown_) {
      const auto near = syntax::closest(key, kKeys);
      warn(number, "there is no setting '" + name + "'; " +
                       (near ? "did you mean " + std::string(*near) + "?" : "wfl --init shows all of them"));
    }
    unknown_ = false;
  }

  template <class Number>
  bool number(std::string_view value, Number low, Number high, Number& out) {
    Number parsed{};
    const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), parsed);
    if (code == std::errc() && end == value.data() + value.size() && parsed >= low && parsed <= high) {
      out = parsed;
      return true;
    }
    const auto words = [](Number n) { return vm::format_number(static_cast<double>(n)); };
    const bool endless = high == std::numeric_limits<Number>::max();
    takes_ = "a number from " + words(low) + (endless ? " on" : " to " + words(high));
    stays_ = words(out);
    return false;
  }

  bool boolean(std::string_view value, bool& out) {
    if (value == "true" || value == "false" || value == "yes" || value == "no") {
      out = value == "true" || value == "yes";
      return true;
    }
    takes_ = "true or false";
    stays_ = out ? "true" : "false";
    return false;
  }

  bool shell_mode(std::string_view value) {
    saw_shell_ = true;
    if (value == "forbidden") {
      shell_.mode = ShellMode::kForbidden;
    } else if (value == "allowlist_only") {
      shell_.mode = ShellMode::kAllowlistOnly;
    } else if (value == "sanitized") {
      shell_.mode = ShellMode::kSanitized;
    } else if (value == "unrestricted") {
      shell_.mode = ShellMode::kUnrestricted;
    } else {
      takes_ = "forbidden, allowlist_only, sanitized or unrestricted";
      stays_ = "forbidden";
      return false;
    }
    return true;
  }

  bool set(std::string_view key, std::string_view value) {
    Settings& s = config_.settings;
    constexpr std::size_t kGigabyte = std::size_t{1} << 30U;
    if (key == "timeout_seconds") return number(value, 1.0, 300.0, s.timeout_seconds);
    if (key == "max_call_depth") return number<std::uint32_t>(value, 1, 1'000'000, s.max_call_depth);
    if (key == "max_import_depth") return number<std::uint32_t>(value, 1, 10'000, s.max_import_depth);
    if (key == "max_execute_file_depth") return number<std::uint32_t>(value, 1, 64, s.max_execute_file_depth);
    if (key == "max_operations") return number<std::uint64_t>(value, 0, UINT64_MAX, s.max_operations);
    if (key == "max_pattern_steps") return number<std::uint64_t>(value, 1, UINT64_MAX, s.max_pattern_steps);
    if (key == "max_pattern_states") return number<std::uint64_t>(value, 1, UINT64_MAX, s.max_pattern_states);
    if (key == "max_source_size") return number<std::size_t>(value, 1, 4 * kGigabyte - 1, s.max_source_bytes);
    if (key == "max_file_read_size") return number<std::size_t>(value, 1, 16 * kGigabyte, s.max_file_read_bytes);
    if (key == "debug_report_enabled") return boolean(value, s.debug_report);
    if (key == "warn_on_shell_execution") return boolean(value, s.warn_on_shell);
    if (key == "kill_on_shutdown") return boolean(value, s.kill_processes_at_end);
    if (key == "max_concurrent_processes") return number<std::size_t>(value, 1, 100'000, s.max_processes);
    if (key == "max_buffer_size_bytes") return number<std::size_t>(value, 1, kGigabyte, s.max_process_buffer_bytes);
    if (key == "allow_shell_execution") {
      saw_shell_ = true;
      return boolean(value, shell_.allowed);
    }
    if (key == "shell_execution_mode") return shell_mode(value);
    if (key == "allowed_shell_commands") {
      s.allowed_commands.clear();
      while (!value.empty()) {
        const std::size_t comma = value.find(',');
        const std::string_view name = trim(value.substr(0, comma));
        if (!name.empty()) s.allowed_commands.emplace_back(name);
        value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
      }
      return true;
    }
    LintRules& l = config_.lint;
    if (key == "max_line_length") return number<std::uint32_t>(value, 1, 100'000, l.max_line_length);
    if (key == "max_nesting_depth") return number<std::uint32_t>(value, 1, 1'000, l.max_nesting);
    if (key == "indent_size") return number<std::uint32_t>(value, 1, 16, l.indent);
    if (key == "snake_case_variables") return boolean(value, l.snake_case);
    if (key == "trailing_whitespace") return boolean(value, l.allow_trailing_whitespace);
    if (key == "consistent_keyword_case") return boolean(value, l.keyword_case);
    unknown_ = true;
    return true;
  }

  // Keys of the logger and the web server: right in a .wflcfg, but nothing that this build does.
  static bool belongs_to_other_tools(std::string_view key) {
    static constexpr auto kOthers = std::to_array<std::string_view>({
        "logging_enabled",
        "log_level",
        "execution_logging",
        "verbose_execution",
        "log_loop_iterations",
        "log_throttle_factor",
        "outbound_stream_max_seconds",
    });
    return std::ranges::find(kOthers, key) != kOthers.end() || key.starts_with("web_server_") ||
           key.starts_with("web_socket_");
  }

  Config& config_;
  std::string name_;
  ShellWords shell_;
  bool saw_shell_ = false;
  bool unknown_ = false;
  std::string takes_;  // What the value that did not fit should have been.
  std::string stays_;
};

std::optional<std::string> read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

void read_file(const fs::path& path, Config& config) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return;
  const auto text = read_text(path);
  if (!text) {
    config.warnings.push_back(path.string() + ": could not be read; the defaults are used");
    return;
  }
  config.files.push_back(path);
  read_config_text(*text, path.string(), config);
}

}  // namespace

void read_config_text(std::string_view text, const std::string& name, Config& config) {
  Reader(config, name).read(text);
}

Config load_config(const fs::path& directory) {
  Config config;
  const char* global = std::getenv("WFL_GLOBAL_CONFIG_PATH");
  read_file(global != nullptr ? fs::path(global) : fs::path("/etc/wfl/wfl.cfg"), config);
  std::error_code ignored;
  fs::path at = fs::weakly_canonical(directory.empty() ? fs::path(".") : directory, ignored);
  while (true) {
    const fs::path candidate = at / ".wflcfg";
    if (fs::exists(candidate, ignored)) {
      read_file(candidate, config);
      break;
    }
    if (!at.has_parent_path() || at == at.parent_path()) break;
    at = at.parent_path();
  }
  return config;
}

}  // namespace wfl::driver
