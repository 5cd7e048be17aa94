#include "wfl/tools/diff.h"

#include <algorithm>
#include <vector>

namespace wfl::tools {
namespace {

constexpr std::size_t kContext = 3;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t size = end == std::string_view::npos ? text.size() : end + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

void append(std::string& out, char mark, std::string_view line) {
  out += mark;
  out += line;
  if (!line.ends_with('\n')) out += "\n\\ No newline at end of file\n";
}

}  // namespace

std::string unified_diff(std::string_view name, std::string_view before, std::string_view after) {
  const auto old_lines = lines_of(before);
  const auto new_lines = lines_of(after);
  const std::size_t count = std::min(old_lines.size(), new_lines.size());
  std::vector<std::size_t> changed;
  for (std::size_t i = 0; i < count; ++i) {
    if (old_lines[i] != new_lines[i]) changed.push_back(i);
  }
  if (changed.empty()) return "";
  std::string out = "--- " + std::string(name) + "\n+++ " + std::string(name) + "\n";
  for (std::size_t i = 0; i < changed.size();) {
    std::size_t last = i;
    while (last + 1 < changed.size() && changed[last + 1] - changed[last] <= 2 * kContext) ++last;
    const std::size_t begin = changed[i] - std::min(changed[i], kContext);
    const std::size_t end = std::min(count, changed[last] + kContext + 1);
    const std::string place = std::to_string(begin + 1) + "," + std::to_string(end - begin);
    out += "@@ -" + place + " +" + place + " @@\n";
    for (std::size_t line = begin; line < end;) {
      if (old_lines[line] == new_lines[line]) {
        append(out, ' ', old_lines[line++]);
        continue;
      }
      std::size_t stop = line;
      while (stop < end && old_lines[stop] != new_lines[stop]) ++stop;
      for (std::size_t k = line; k < stop; ++k) append(out, '-', old_lines[k]);
      for (std::size_t k = line; k < stop; ++k) append(out, '+', new_lines[k]);
      line = stop;
    }
    i = last + 1;
  }
  return out;
}

}  // namespace wfl::tools
