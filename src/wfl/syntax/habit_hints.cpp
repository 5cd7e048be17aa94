#include "wfl/syntax/habit_hints.h"

#include <algorithm>
#include <array>

namespace wfl::syntax {

namespace {

constexpr std::string_view kBlanks = " \t\r\n\f";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

struct Habit {
  std::string_view words;   // First words that bring it, separated by blanks.
  std::string_view unless;  // What the rest of the line begins with where it is right already; with bars between.
  std::string_view hint;
};

constexpr std::string_view kAction =
    "Write `define action called NAME with A and B:`, and `end action` behind its lines.";
constexpr std::string_view kCheck = "Write `check if CONDITION:`, and `end check` behind its lines.";
constexpr std::string_view kVariable = "A variable is made with `store NAME as VALUE`.";

constexpr auto kHabits = std::to_array<Habit>({
    {"let var const dim int string float", "", kVariable},
    {"check", "if ", kCheck},
    {"if", "", kCheck},
    {"elif elseif elsif", "", "Another question is `otherwise check if CONDITION:`."},
    {"else", "", "The other branch is `otherwise:`."},
    {"for foreach", "", "Write `for each NAME in LIST:`, and `end for` behind its lines."},
    {"while", "", "Write `repeat while CONDITION:`, and `end repeat` behind its lines."},
    {"count", "from |keys ", "Write `count from 1 to 10:`, and `end count` behind its lines."},
    {"function func fn def sub procedure method", "", kAction},
    {"define", "action called ", kAction},
    {"class struct", "", "Write `create container NAME:`, and `end` behind its lines."},
    {"switch match case", "", "Write `route VALUE:` with `when A:` for each case, and `end route` behind its lines."},
    {"print echo say puts println printf", "of ", "Text is shown with `display VALUE`."},
    {"import require use", "", "Write `include from \"PATH\"`."},
    {"include", "from ", "Write `include from \"PATH\"`."},
    {"open", "file at |keystore |or |url |database ", "Write `open file at PATH for reading as NAME`."},
    {"wait", "for ", "Write `wait for 5 seconds`."},
    {"end", "",
     "Blocks end with `end check`, `end for`, `end count`, `end repeat`, `end action`, `end try` and the like."},
});

bool is_one_of(std::string_view word, std::string_view words) {
  while (!words.empty()) {
    const std::size_t blank = words.find(' ');
    if (words.substr(0, blank) == word) return true;
    words = blank == std::string_view::npos ? std::string_view{} : words.substr(blank + 1);
  }
  return false;
}

// `store NAME = VALUE`, `let NAME = VALUE`, `create NAME to VALUE`.
std::optional<std::string> assignment(std::string_view verb, std::string_view rest) {
  if (!is_one_of(verb, "store create let var const set")) return std::nullopt;
  for (const std::string_view sign : {" = ", " to ", " := ", "="}) {
    const std::size_t at = rest.find(sign);
    const std::size_t as = rest.find(" as ");
    if (at == std::string_view::npos || as < at) continue;
    const std::string_view name = trim(rest.substr(0, at));
    const std::string_view value = trim(rest.substr(at + sign.size()));
    const bool is_name = !name.empty() && name.find_first_of("\"[](){}.,:=") == std::string_view::npos;
    if (!is_name || value.empty()) return std::nullopt;
    return "Write `store " + std::string(name) + " as " + std::string(value) + "`.";
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> habit_hint(std::string_view line) {
  line = trim(line);
  const std::size_t end = std::min(line.find_first_of(" \t:("), line.size());
  const std::string_view verb = line.substr(0, end);
  const std::string_view rest = trim(line.substr(end));
  if (auto hint = assignment(verb, rest)) return hint;
  if (verb == "else" && rest.starts_with("if ")) return "Another question is `otherwise check if CONDITION:`.";
  for (const Habit& habit : kHabits) {
    if (!is_one_of(verb, habit.words)) continue;
    std::string_view unless = habit.unless;
    while (!unless.empty()) {
      const std::size_t bar = unless.find('|');
      if (rest.starts_with(unless.substr(0, bar))) return std::nullopt;
      unless = bar == std::string_view::npos ? std::string_view{} : unless.substr(bar + 1);
    }
    return std::string(habit.hint);
  }
  return std::nullopt;
}

}  // namespace wfl::syntax
