#pragma once
// What the help says beyond the list of options. Every example is run by the tests, in the order in which it stands.

#include <string>
#include <string_view>
#include <vector>

namespace kvb::cli {

// For `kvb --help`.
[[nodiscard]] std::string_view general_help() noexcept;

// For `kvb COMMAND --help`: what stands above the options, and what stands below.
struct CommandHelp {
  std::string_view name;
  std::string_view summary;  // One line, also in the list of commands.
  std::string_view details;  // Below the options: rules, then "Examples:".
};

// Null if there is no such command.
[[nodiscard]] const CommandHelp* command_help(std::string_view name) noexcept;

// " Did you mean …?" for a word that is no command; empty if nothing is near.
[[nodiscard]] std::string suggestion(std::string_view word);

// The same for an option of a command, such as " Did you mean --ttl?".
[[nodiscard]] std::string suggestion(std::string_view option, const std::vector<std::string>& options);

// What is wrong with an argument that no command takes, without a full stop.
[[nodiscard]] std::string too_much(std::string_view argument);

// The same for an option with too few or too many values, given the parser's message, "--OPTION: …".
[[nodiscard]] std::string wrong_count(std::string_view message);

}  // namespace kvb::cli
