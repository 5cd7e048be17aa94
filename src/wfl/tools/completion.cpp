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
    "append content ",
    "back up ",
    "batch operations on ",
    "change ",
    "change encryption key of ",
    "check if ",
    "close ",
    "close file ",
    "close keystore ",
    "compact ",
    "count from ",
    "count keys in ",
    "create container ",
    "create directory at ",
    "create file at ",
    "create interface ",
    "create keystore at ",
    "create list ",
    "create map ",
    "create new ",
    "create pattern ",
    "decrease key ",
    "define action called ",
    "delete directory at ",
    "delete file at ",
    "describe \"",
    "display ",
    "divide ",
    "execute command ",
    "execute file at ",
    "expect ",
    "export ",
    "finally:",
    "flush ",
    "for each ",
    "get detailed statistics from ",
    "get statistics from ",
    "get time left from ",
    "get value from ",
    "give back ",
    "include from ",
    "increase key ",
    "keep key ",
    "kill process ",
    "list keys in ",
    "load module from ",
    "main loop:",
    "multiply ",
    "open file at ",
    "open keystore at ",
    "open or create keystore at ",
    "otherwise check if ",
    "otherwise:",
    "push with ",
    "read output from process ",
    "remove all keys from ",
    "remove key ",
    "remove keys starting with ",
    "repeat forever:",
    "repeat until ",
    "repeat while ",
    "route ",
    "scan ",
    "spawn command ",
    "store ",
    "store new constant ",
    "subtract ",
    "take snapshot of ",
    "test \"",
    "try:",
    "verify ",
    "wait for ",
    "when error:",
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
