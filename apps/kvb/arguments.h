#pragma once
// What happens to the words of the command line before they are parsed.

#include <string>
#include <string_view>
#include <vector>

#include "failure.h"

namespace kvb::cli {

// Whether errors, too, are wanted as JSON. Asked before anything is parsed, since parsing may fail.
[[nodiscard]] bool asks_for_json(const std::vector<std::string>& words) noexcept;

// The words with `help COMMAND` turned into `COMMAND --help`. A usage failure if they name no command.
[[nodiscard]] Expected<std::vector<std::string>> name_command(const std::vector<std::string>& words);

// Keys and values pass through the command line parser unread. The parser gives a meaning of its own to some words
// ("[a,b]", "++", an empty one, the name of a command), but a key may be any of these. So every word that is not an
// option is replaced by a token before parsing and put back afterwards.
class HiddenWords {
 public:
  // Takes the words behind the program's name. Those after the command that are no options are hidden, also the value
  // of
  // `--option=VALUE`. A word like "-abc", which is neither an option of ours nor a number, is a usage failure.
  [[nodiscard]] static Expected<HiddenWords> hide(const std::vector<std::string>& words);

  // What to give to the parser.
  [[nodiscard]] const std::vector<std::string>& tokens() const noexcept { return tokens_; }

  // The word that a token stands for; anything else stands for itself.
  [[nodiscard]] std::string reveal(const std::string& token) const;

  // A text of the parser's with the words in place of tokens.
  [[nodiscard]] std::string reveal_all(std::string text) const;

 private:
  void push_hidden(std::string word);

  std::vector<std::string> tokens_;
  std::vector<std::string> words_;
};

}  // namespace kvb::cli
