// .wflcfg: the nearest one above a program's directory, on top of the machine's global file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "wfl/stdlib/settings.h"

namespace wfl::driver {

// What `wfl --lint` asks of a program's text.
struct LintRules {
  std::uint32_t max_line_length = 100;
  std::uint32_t max_nesting = 5;
  std::uint32_t indent = 4;
  bool snake_case = true;
  bool allow_trailing_whitespace = false;
  bool keyword_case = true;
};

struct Config {
  stdlib::Settings settings;
  LintRules lint;
  std::vector<std::string> warnings;         // "file.wflcfg:3: …", one a line that could not be used.
  std::vector<std::string> notes;            // Settings that are right, but of something that this build lacks.
  std::vector<std::filesystem::path> files;  // The files it was read from.
};

// Reads `key = value` lines into the config. Unknown keys and unusable values are warnings, never errors.
void read_config_text(std::string_view text, const std::string& name, Config& config);

// The config for programs in this directory.
Config load_config(const std::filesystem::path& directory);

}  // namespace wfl::driver
