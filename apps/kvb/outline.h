#pragma once
// What commands there are and what they take, as data: read off the command line parser, for everything that is made of
// it (the shell's completion, completions for bash, zsh and fish, the manual).

#include <string>
#include <vector>

namespace kvb::cli {

struct OptionOutline {
  std::string name;         // "--format", or of an argument "FILE".
  std::string description;  // One line.
  std::string value;        // What its value is called; empty: it takes none. Of an argument always empty.
  bool required = false;
  bool several = false;              // Of an argument: it may be repeated.
  std::vector<std::string> choices;  // If only these words are possible.
};

struct CommandOutline {
  std::string name;
  std::string summary;
  std::string details;
  std::vector<OptionOutline> arguments;
  std::vector<OptionOutline> options;
};

struct Outline {
  std::string version;
  std::string summary;
  std::string details;
  std::vector<OptionOutline> options{};  // Of the program itself.
  std::vector<CommandOutline> commands{};
};

[[nodiscard]] const Outline& outline();

[[nodiscard]] const CommandOutline* find_command(const std::string& name);

}  // namespace kvb::cli
