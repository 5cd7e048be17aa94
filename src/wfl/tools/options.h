// The command line of `wfl`.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wfl::tools {

enum class Mode : std::uint8_t {
  kRun,
  kTest,
  kStep,
  kAnalyze,
  kLint,
  kLex,
  kParse,
  kEdit,
  kExplain,
  kInit,
  kConfigCheck,
  kConfigFix,
  kDumpEnvironment,
  kVersion,
  kHelp,
  kRepl,
};

// What `--lint` does about what it finds.
enum class FixMode : std::uint8_t { kNone, kShow, kInPlace, kDiff };

struct Options {
  Mode mode = Mode::kRun;
  bool time = false;
  FixMode fix = FixMode::kNone;
  // The program; "-" reads it from standard input. The directory of --init and the config checks, the code of explain,
  // the output of --dump-env; empty where that was not given.
  std::string file;
  std::vector<std::string> script_arguments;  // All after the file.
};

// The arguments without the command's own name, or a sentence that says what is wrong with them.
std::expected<Options, std::string> parse_options(std::span<const std::string_view> arguments);

std::string_view help_text();
std::string version_text();

}  // namespace wfl::tools
