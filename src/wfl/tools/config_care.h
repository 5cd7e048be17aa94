// .wflcfg: writing one, checking those a program would use, mending one.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "wfl/driver/config.h"
#include "wfl/language/builtins.h"
#include "wfl/tools/console.h"
#include "wfl/tools/options.h"

namespace wfl::tools {

// A setting that this build obeys.
struct ConfigKey {
  std::string_view key;
  std::string_view standard;  // Its default, as it is written.
  std::string_view doc;
  std::string (*value)(const driver::Config& config);  // As it is in force.
};

[[nodiscard]] std::span<const ConfigKey> config_keys();

// A .wflcfg with every setting: the chosen values, and the defaults of all others.
using Choices = std::map<std::string, std::string, std::less<>>;
[[nodiscard]] std::string config_template(const Choices& choices = {});

// On a terminal it asks for what is most often changed; Enter keeps the default.
language::ExitCode run_init(const Options& options, StandardOutput& output);
language::ExitCode run_config_check(const Options& options, StandardOutput& output);
language::ExitCode run_config_fix(const Options& options, StandardOutput& output);
language::ExitCode run_dump_environment(const Options& options, StandardOutput& output);

}  // namespace wfl::tools
