#include "words.h"

namespace kvb::cli {

Expected<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool blank = c == ' ' || c == '\t';
    if (quote == 0 && blank) {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
      continue;
    }
    if (quote == 0 && c == '#' && !in_word) break;
    in_word = true;
    if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == '\\' && quote != '\'') {
      if (i + 1 == line.size()) return usage_failure("The line ends with a backslash. Write \\\\ for a backslash.");
      const char next = line[i + 1];
      if (quote == 0 || next == '"' || next == '\\') {
        word += next;
        ++i;
      } else {
        word += c;
      }
    } else {
      word += c;
    }
  }
  if (quote != 0) return usage_failure(std::string("A ") + quote + " is open at the end of the line. Close it.");
  if (in_word) words.push_back(std::move(word));
  return words;
}

std::string quoted_word(std::string_view text) {
  constexpr std::string_view kSpecial = " \t\\'\"#";
  if (!text.empty() && text.find_first_of(kSpecial) == std::string_view::npos) return std::string(text);
  if (text.find('\'') == std::string_view::npos) return '\'' + std::string(text) + '\'';
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace kvb::cli
