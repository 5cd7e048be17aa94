#include "wfl/tools/options.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "wfl/driver/version.h"

namespace wfl::tools {
namespace {

constexpr auto kRemovedFlags =
    std::to_array<std::string_view>({"--transpile", "--target", "--no-runtime", "--es-modules"});

// What comes behind a mode's flag.
enum class Takes : std::uint8_t { kProgram, kFile, kDirectory, kOutput };

struct ModeFlag {
  std::string_view flag;
  Mode mode;
  Takes takes;
};
constexpr auto kModeFlags = std::to_array<ModeFlag>({
    {"--test", Mode::kTest, Takes::kProgram},
    {"--step", Mode::kStep, Takes::kProgram},
    {"--analyze", Mode::kAnalyze, Takes::kFile},
    {"--lint", Mode::kLint, Takes::kFile},
    {"--lex", Mode::kLex, Takes::kFile},
    {"--parse", Mode::kParse, Takes::kFile},
    {"--ast", Mode::kParse, Takes::kFile},
    {"--edit", Mode::kEdit, Takes::kFile},
    {"--init", Mode::kInit, Takes::kDirectory},
    {"--configCheck", Mode::kConfigCheck, Takes::kDirectory},
    {"--configFix", Mode::kConfigFix, Takes::kDirectory},
    {"--dump-env", Mode::kDumpEnvironment, Takes::kOutput},
});
constexpr ModeFlag kPlainRun{"", Mode::kRun, Takes::kProgram};

std::unexpected<std::string> refuse(std::string message) {
  return std::unexpected(std::move(message));
}

class Reader {
 public:
  explicit Reader(std::span<const std::string_view> arguments) : arguments_(arguments) {}

  std::expected<Options, std::string> read() {
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      const std::string_view argument = arguments_[i];
      if (const auto known = flag(argument)) {
        if (!known->empty()) return refuse(*known);
        continue;
      }
      if (mode_.takes == Takes::kOutput) {
        if (argument != "--output" || i + 1 >= arguments_.size() || has_file_) {
          return refuse("--dump-env takes only --output and a file: wfl --dump-env --output FILE");
        }
        set_file(arguments_[++i]);
        continue;
      }
      if (has_file_) {
        return refuse("'" + std::string(argument) + "' behind '" + options_.file + "' is one argument too many for " +
                      std::string(mode_.flag));
      }
      set_file(argument);
      if (mode_.takes == Takes::kProgram) {
        const auto rest = arguments_.subspan(i + 1);
        options_.script_arguments.assign(rest.begin(), rest.end());
        break;
      }
    }
    return finish();
  }

 private:
  // Takes a flag of ours: an empty text when it is fine, else what is wrong with it. Nothing when it is none.
  std::optional<std::string> flag(std::string_view argument) {
    if (argument == "--time") {
      options_.time = true;
      return "";
    }
    if (argument == "--fix") {
      if (options_.fix == FixMode::kNone) options_.fix = FixMode::kShow;
      fix_ = true;
      return "";
    }
    if (argument == "--in-place" || argument == "--diff") {
      const FixMode wanted = argument == "--diff" ? FixMode::kDiff : FixMode::kInPlace;
      if (options_.fix != FixMode::kNone && options_.fix != FixMode::kShow && options_.fix != wanted) {
        return "--in-place and --diff can't be used together";
      }
      options_.fix = wanted;
      how_ = argument;
      return "";
    }
    if (std::ranges::find(kRemovedFlags, argument) != kRemovedFlags.end()) {
      return std::string(argument) + " was removed from the language: programs are no longer translated to JavaScript";
    }
    const auto found = std::ranges::find(kModeFlags, argument, &ModeFlag::flag);
    if (found == kModeFlags.end()) return std::nullopt;
    if (!mode_.flag.empty() && mode_.mode != found->mode) {
      return std::string(mode_.flag) + " and " + std::string(argument) + " can't be used together";
    }
    mode_ = *found;
    return "";
  }

  void set_file(std::string_view file) {
    options_.file = file;
    has_file_ = true;
  }

  std::expected<Options, std::string> finish() {
    if (!how_.empty() && !fix_) return refuse(std::string(how_) + " belongs to --fix: wfl --lint --fix FILE " + how_);
    if (fix_ && mode_.flag.empty()) mode_ = *std::ranges::find(kModeFlags, Mode::kLint, &ModeFlag::mode);
    if (fix_ && mode_.mode != Mode::kLint) {
      return refuse(std::string(mode_.flag) + " and --fix can't be used together");
    }
    const std::string name(mode_.flag);
    if (options_.time && mode_.takes != Takes::kProgram) return refuse(name + " and --time can't be used together");
    options_.mode = mode_.mode;
    const bool needs_file = mode_.takes == Takes::kProgram || mode_.takes == Takes::kFile;
    if (has_file_ || !needs_file) return options_;
    if (!name.empty()) return refuse(name + " needs a file: wfl " + name + " FILE");
    if (options_.time) return refuse("--time needs a file: wfl --time FILE");
    options_.mode = Mode::kRepl;
    return options_;
  }

  std::span<const std::string_view> arguments_;
  Options options_;
  ModeFlag mode_ = kPlainRun;
  bool has_file_ = false;
  bool fix_ = false;
  std::string how_;
};

}  // namespace

std::expected<Options, std::string> parse_options(std::span<const std::string_view> arguments) {
  if (!arguments.empty()) {
    const std::string_view first = arguments.front();
    Options options;
    if (first == "-h" || first == "--help") {
      options.mode = Mode::kHelp;
      return options;
    }
    if (first == "-v" || first == "-V" || first == "--version") {
      options.mode = Mode::kVersion;
      return options;
    }
    // A program that is really called so can still be run.
    std::error_code ignored;
    if (first == "explain" && !std::filesystem::exists("explain", ignored)) {
      if (arguments.size() > 2) return refuse("explain takes one code: wfl explain WFL-P001");
      options.mode = Mode::kExplain;
      if (arguments.size() == 2) options.file = arguments[1];
      return options;
    }
  }
  return Reader(arguments).read();
}

std::string version_text() {
  return "WebFirst Language (WFL) version " + std::string(driver::kVersion);
}

std::string_view help_text() {
  return R"(Usage: wfl                              start the interactive mode
       wfl [FLAGS] FILE [ARGUMENTS…]    run a program
       wfl explain [CODE]               say what the code of a message means

Runs a program written in WFL. Everything after FILE belongs to the program, which finds it in the
list `args`. With - as FILE the program is read from standard input.

Running:
  --test FILE           run the program's tests (describe, test, expect) and report the results
  --time FILE           say at the end how long the run took
  --step FILE           show each statement and ask before it runs

Looking at a program without running it:
  --analyze FILE        check it; exit code 1 if there is anything to say
  --lint FILE           check its style; exit code 1 if there is anything to say
  --lint --fix FILE     show the program with its style mended
              --diff       show only what would change
              --in-place   change the file
  --lex FILE            show it as a list of words; also kept in target/reports/dumps
  --parse, --ast FILE   show it as a tree; also kept there
  --edit FILE           open it in your editor (VISUAL, EDITOR)

Settings (.wflcfg):
  --init [DIRECTORY]          write a .wflcfg with every setting; on a terminal it asks for some of them
  --configCheck [DIRECTORY]   check the config files a program in the directory would use
  --configFix [DIRECTORY]     mend the directory's .wflcfg
  --dump-env [--output FILE]  report what this wfl is and what it finds around it

  -v, --version         show the version
  -h, --help            show this text

Exit codes:
  0  success
  1  an error while the program ran, a failed test, findings, or a file that can't be read
  2  the command line or the program's text could not be understood
  3  the program was refused by the analyzer

Examples:
  wfl hello.wfl
  wfl report.wfl --year 2026 input.txt
  wfl --test calculator_test.wfl
  wfl --lint --fix report.wfl --diff
  wfl explain WFL-S002
)";
}

}  // namespace wfl::tools
