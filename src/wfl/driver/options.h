// The command line of `wfl`.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wfl::driver {

enum class Mode : std::uint8_t { kRun, kTest, kAnalyze, kLex, kParse, kVersion, kHelp, kRepl };

struct Options {
  Mode mode = Mode::kRun;
  bool time = false;
  std::string file;                           // "-" reads the program from standard input.
  std::vector<std::string> script_arguments;  // All after the file.
};

// The arguments without the command's own name, or a sentence that says what is wrong with them.
std::expected<Options, std::string> parse_options(std::span<const std::string_view> arguments);

std::string_view help_text();
std::string version_text();

}  // namespace wfl::driver
