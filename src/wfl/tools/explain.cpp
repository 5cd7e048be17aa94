#include "wfl/tools/explain.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "wfl/syntax/suggest.h"

namespace wfl::tools {
namespace {

using language::ExitCode;

struct Explanation {
  std::string_view code;
  std::string_view meaning;
  std::string_view wrong;
  std::string_view right;
};

constexpr auto kExplanations = std::to_array<Explanation>({
#define WFL_CODE(code, meaning, wrong, right) {code, meaning, wrong, right},
#include "wfl/language/diagnostic_codes.def"
#undef WFL_CODE
});

std::string example(std::string_view head, std::string_view program) {
  std::string out = "\n" + std::string(head) + "\n\n";
  while (!program.empty()) {
    const std::size_t end = program.find('\n');
    out += "    " + std::string(program.substr(0, end)) + "\n";
    program.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace

ExitCode run_explain(const Options& options, StandardOutput& output) {
  if (options.file.empty()) {
    std::string list;
    for (const Explanation& row : kExplanations) {
      std::string code(row.code);
      code.resize(std::max<std::size_t>(code.size(), 15), ' ');
      const std::size_t end = row.meaning.find(". ");
      list += code + "  " + std::string(row.meaning.substr(0, end == std::string_view::npos ? end : end + 1)) + "\n";
    }
    output.write(list);
    return ExitCode::kSuccess;
  }
  std::string wanted = options.file;
  std::ranges::transform(wanted, wanted.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  const auto row = std::ranges::find(kExplanations, wanted, &Explanation::code);
  if (row == kExplanations.end()) {
    std::vector<std::string_view> codes;
    for (const Explanation& known : kExplanations) codes.push_back(known.code);
    const auto near = syntax::closest(wanted, codes);
    write_message("Error: no message has the code '" + options.file + "'" +
                  (near ? "; did you mean " + std::string(*near) + "?" : "; wfl explain lists all codes") + "\n");
    return ExitCode::kFailure;
  }
  std::string text = std::string(row->code) + ": " + std::string(row->meaning) + "\n";
  if (!row->wrong.empty()) text += example("This gives it:", row->wrong) + example("This works:", row->right);
  output.write(text);
  return ExitCode::kSuccess;
}

}  // namespace wfl::tools
