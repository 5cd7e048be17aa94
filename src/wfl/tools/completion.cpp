#include "wfl/tools/completion.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "wfl/language/builtins.h"
#include "wfl/language/keywords.h"

namespace wfl::tools {
namespace {

// How statements begin, up to the place where the program's own words come. Single keywords are not repeated here.
constexpr auto kForms = std::to_array<std::string_view>({
    "add ",
    "batch operations on ",
    "change ",
    "check if ",
    "close ",
    "count from ",
    "count keys in ",
    "create directory at ",
    "create keystore at ",
    "create list ",
    "create map ",
    "create new ",
    "create pattern ",
    "define action called ",
    "display ",
    "divide ",
    "execute command ",
    "execute file at ",
    "export ",
    "flush ",
    "for each ",
    "get value from ",
    "give back ",
    "increase key ",
    "include from ",
    "list keys in ",
    "load module from ",
    "multiply ",
    "open file at ",
    "open keystore at ",
    "open or create keystore at ",
    "push with ",
    "remove key ",
    "repeat forever:",
    "repeat until ",
    "repeat while ",
    "route ",
    "scan ",
    "store new constant ",
    "store ",
    "subtract ",
    "try:",
    "verify ",
    "wait for ",
    "write content ",
});

bool is_word(char c) {
  return c == '_' || static_cast<unsigned char>(c) >= 0x80 || std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool inside_text(std::string_view line) {
  bool inside = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && inside) {
      ++i;
    } else if (line[i] == '"') {
      inside = !inside;
    }
  }
  return inside;
}

}  // namespace

std::string Completion::common() const {
  if (choices.empty()) return "";
  // The list is sorted: what its first and last entry share is shared by all.
  const std::string& first = choices.front();
  const std::string& last = choices.back();
  const auto differ = std::ranges::mismatch(first, last);
  return {first.begin(), differ.in1};
}

Completion complete(std::string_view line, std::span<const std::string> names) {
  if (inside_text(line)) return {line.size(), {}};
  const std::size_t indent = std::min(line.find_first_not_of(" \t"), line.size());
  for (std::size_t begin = indent; begin < line.size(); ++begin) {
    if (!is_word(line[begin]) || (begin > 0 && is_word(line[begin - 1]))) continue;
    const std::string_view written = line.substr(begin);
    Completion completion{begin, {}};
    const auto offer = [&](std::string_view choice) {
      if (choice.size() > written.size() && choice.starts_with(written)) completion.choices.emplace_back(choice);
    };
    for (const std::string& name : names) offer(name);
    for (const language::Builtin& builtin : language::kBuiltins) language::for_each_name(builtin, offer);
    for (const language::PredefinedGlobal& global : language::kPredefinedGlobals) offer(global.name);
    if (begin == indent) {
      for (const std::string_view form : kForms) offer(form);
    }
    for (const language::KeywordInfo& keyword : language::keywords()) offer(keyword.spelling);
    if (completion.choices.empty()) continue;
    std::ranges::sort(completion.choices);
    completion.choices.erase(std::ranges::unique(completion.choices).begin(), completion.choices.end());
    return completion;
  }
  return {line.size(), {}};
}

}  // namespace wfl::tools
