// What a program may do and how much: the part of .wflcfg the libraries obey.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace wfl::stdlib {

enum class ShellMode : std::uint8_t { kForbidden, kAllowlistOnly, kSanitized, kUnrestricted };

struct Settings {
  double timeout_seconds = 60;
  std::uint32_t max_call_depth = 1000;
  std::uint32_t max_import_depth = 64;
  std::uint32_t max_execute_file_depth = 4;
  std::uint64_t max_operations = 0;  // 0: no limit.
  std::uint64_t max_pattern_steps = 5'000'000;
  std::uint64_t max_pattern_states = 10'000;
  std::size_t max_source_bytes = 64U << 20U;
  std::size_t max_file_read_bytes = 50U << 20U;

  bool debug_report = true;

  ShellMode shell_mode = ShellMode::kForbidden;
  std::vector<std::string> allowed_commands;
  bool warn_on_shell = true;
  std::size_t max_processes = 100;
  std::size_t max_process_buffer_bytes = 10U << 20U;
  bool kill_processes_at_end = false;
};

}  // namespace wfl::stdlib
