// The configuration file.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "wfl/driver/config.h"

namespace wfl::driver {
namespace {

TEST(Config, ReadsKeysAndSaysWhatItCouldNotUse) {
  Config config;
  read_config_text(
      "# a comment\ntimeout_seconds = 5\nmax_call_depth = 20\nallow_shell_execution = true\n"
      "shell_execution_mode = allowlist_only\nallowed_shell_commands = echo, ls\nmax_operations = many\n"
      "no_such_key = 1\nindent_size = 4\n",
      "test.wflcfg", config);
  EXPECT_EQ(config.settings.timeout_seconds, 5);
  EXPECT_EQ(config.settings.max_call_depth, 20U);
  EXPECT_EQ(config.settings.shell_mode, stdlib::ShellMode::kAllowlistOnly);
  EXPECT_EQ(config.settings.allowed_commands, (std::vector<std::string>{"echo", "ls"}));
  EXPECT_EQ(config.settings.max_operations, 0U);
  EXPECT_EQ(config.warnings, (std::vector<std::string>{
                                 "test.wflcfg:7: max_operations takes a number from 0 on, but is 'many'; it stays 0",
                                 "test.wflcfg:8: there is no setting 'no_such_key'; wfl --init shows all of them"}));
}

TEST(Config, TheShellNeedsBothKeys) {
  Config config;
  read_config_text("shell_execution_mode = unrestricted\n", "test.wflcfg", config);
  EXPECT_EQ(config.settings.shell_mode, stdlib::ShellMode::kForbidden);
}

}  // namespace
}  // namespace wfl::driver
