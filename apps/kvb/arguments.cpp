#include "arguments.h"

#include <fmt/format.h>

#include <charconv>

#include "help.h"

namespace kvb::cli {
namespace {

// Bytes that no option's name contains.
constexpr char kOpen = '\x01';
constexpr char kClose = '\x02';

bool is_number_like(std::string_view word) {
  return word.size() > 1 && word[0] == '-' && ((word[1] >= '0' && word[1] <= '9') || word[1] == '.');
}

}  // namespace

bool asks_for_json(const std::vector<std::string>& words) noexcept {
  for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    if (words[i] == "--format=json" || (words[i] == "json" && i > 0 && words[i - 1] == "--format")) return true;
  }
  return false;
}

Expected<std::vector<std::string>> name_command(const std::vector<std::string>& words) {
  if (words.empty()) return usage_failure("Which command? `kvb --help` lists them: init, put, get, scan and others.");
  std::vector<std::string> named = words;
  if (words[0] == "help") {
    named = words.size() == 1 ? std::vector<std::string>{"--help"} : std::vector<std::string>{words[1], "--help"};
  }
  if (named[0].starts_with('-') && named[0] != "-h" && named[0] != "--help" && named[0] != "--version") {
    return usage_failure(fmt::format("{}. `kvb --help` shows what there is.", too_much(named[0])));
  }
  if (named[0].starts_with('-') || command_help(named[0]) != nullptr) return named;
  if (words.size() > 1 && command_help(words[1]) != nullptr) {
    return usage_failure(
        fmt::format("The command comes first: kvb {} {} …, not kvb {} {} ….", words[1], words[0], words[0], words[1]));
  }
  return usage_failure(
      fmt::format("There is no command '{}'.{} `kvb --help` lists them.", named[0], suggestion(named[0])));
}

void HiddenWords::push_hidden(std::string word) {
  tokens_.push_back(fmt::format("{}{}{}", kOpen, words_.size(), kClose));
  words_.push_back(std::move(word));
}

Expected<HiddenWords> HiddenWords::hide(const std::vector<std::string>& words) {
  HiddenWords hidden;
  bool options_ended = false;
  if (!words.empty()) hidden.tokens_.push_back(words.front());  // The command, or an option of the program.
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    const std::size_t equals = word.find('=');
    if (options_ended || !word.starts_with('-') || word == "-" || is_number_like(word)) {
      hidden.push_hidden(word);
    } else if (word == "--") {
      options_ended = true;
      hidden.tokens_.push_back(word);
    } else if (word.starts_with("--") && equals != std::string::npos) {
      hidden.tokens_.push_back(word.substr(0, equals));
      hidden.push_hidden(word.substr(equals + 1));
    } else if (!word.starts_with("--") && word != "-h") {
      return usage_failure(fmt::format(
          "There is no option {}. If it is a KEY or VALUE, put -- before it; if it is the value of an option, "
          "write --option={}.",
          word, word));
    } else {
      hidden.tokens_.push_back(word);
    }
  }
  return hidden;
}

std::string HiddenWords::reveal(const std::string& token) const {
  if (token.size() < 3 || token.front() != kOpen || token.back() != kClose) return token;
  std::size_t index = 0;
  std::from_chars(token.data() + 1, token.data() + token.size() - 1, index);
  return index < words_.size() ? words_[index] : token;
}

std::string HiddenWords::reveal_all(std::string text) const {
  for (std::size_t open = text.find(kOpen); open != std::string::npos; open = text.find(kOpen, open + 1)) {
    const std::size_t close = text.find(kClose, open);
    if (close == std::string::npos) break;
    const std::string word = reveal(text.substr(open, close - open + 1));
    text.replace(open, close - open + 1, word);
    open += word.size();
    if (open >= text.size()) break;
    --open;
  }
  return text;
}

}  // namespace kvb::cli
