#include "wfl/driver/options.h"

#include <algorithm>
#include <array>
#include <optional>

#include "wfl/driver/version.h"

namespace wfl::driver {
namespace {

// Flags of the language's command line whose tools are not part of this build.
constexpr auto kMissingFlags = std::to_array<std::string_view>({
    "--lint",
    "--fix",
    "--in-place",
    "--diff",
    "--step",
    "--edit",
    "--configCheck",
    "--configFix",
    "--init",
    "--dump-env",
});
constexpr auto kRemovedFlags =
    std::to_array<std::string_view>({"--transpile", "--target", "--no-runtime", "--es-modules"});

struct ModeFlag {
  std::string_view flag;
  Mode mode;
};
constexpr auto kModeFlags = std::to_array<ModeFlag>({
    {"--test", Mode::kTest},
    {"--analyze", Mode::kAnalyze},
    {"--lex", Mode::kLex},
    {"--parse", Mode::kParse},
    {"--ast", Mode::kParse},
});

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& flags, std::string_view argument) {
  return std::ranges::find(flags, argument) != flags.end();
}

}  // namespace

std::expected<Options, std::string> parse_options(std::span<const std::string_view> arguments) {
  Options options;
  std::optional<std::string_view> mode_flag;
  if (!arguments.empty()) {
    const std::string_view first = arguments.front();
    if (first == "-h" || first == "--help") {
      options.mode = Mode::kHelp;
      return options;
    }
    if (first == "-v" || first == "-V" || first == "--version") {
      options.mode = Mode::kVersion;
      return options;
    }
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--time") {
      options.time = true;
      continue;
    }
    if (const auto found = std::ranges::find(kModeFlags, argument, &ModeFlag::flag); found != kModeFlags.end()) {
      if (mode_flag && *mode_flag != argument) {
        return std::unexpected(std::string(*mode_flag) + " and " + std::string(argument) + " can't be used together");
      }
      mode_flag = argument;
      options.mode = found->mode;
      continue;
    }
    if (is_one_of(kMissingFlags, argument)) {
      return std::unexpected(std::string(argument) + " is not available in this build");
    }
    if (is_one_of(kRemovedFlags, argument)) {
      return std::unexpected(std::string(argument) +
                             " was removed from the language: programs are no longer translated to JavaScript");
    }
    options.file = argument;
    options.script_arguments.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
    return options;
  }
  if (mode_flag)
    return std::unexpected(std::string(*mode_flag) + " needs a file: wfl " + std::string(*mode_flag) + " FILE");
  if (options.time) return std::unexpected("--time needs a file: wfl --time FILE");
  options.mode = Mode::kRepl;
  return options;
}

std::string version_text() {
  return "WebFirst Language (WFL) version " + std::string(kVersion);
}

std::string_view help_text() {
  return R"(Usage: wfl [FLAGS] FILE [ARGUMENTS…]

Runs a program written in WFL. Everything after FILE belongs to the program, which finds it in the
list `args`. With - as FILE the program is read from standard input.

Flags:
  --test             run the program's tests (describe, test, expect) and report the results
  --analyze          check the program without running it; exit code 1 if there is anything to say
  --time             say at the end how long the run took
  --lex              show the program as a list of words, and don't run it
  --parse, --ast     show the program as a tree, and don't run it
  -v, --version      show the version
  -h, --help         show this text

Exit codes:
  0  success
  1  an error while the program ran, a failed test, or a file that can't be read
  2  the command line or the program's text could not be understood
  3  the program was refused by the analyzer

Examples:
  wfl hello.wfl
  wfl report.wfl --year 2026 input.txt
  wfl --test calculator_test.wfl
)";
}

}  // namespace wfl::driver
