// Any bytes are a program, and its includes find the program itself and its second half: parser, analyzer, type checker
// and linter must come to an end with findings inside of the text. What the linter mends must be fine for it then, and
// mean the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wfl/check/analyzer.h"
#include "wfl/driver/config.h"
#include "wfl/syntax/parser.h"
#include "wfl/tools/lint.h"

namespace {

using namespace wfl;

void look_at(const std::vector<syntax::Diagnostic>& findings, const syntax::SourceFile& source) {
  for (const syntax::Diagnostic& finding : findings) {
    if (finding.code.empty() || finding.message.empty()) std::abort();
    if (finding.span.begin > finding.span.end || finding.span.end > source.text().size()) std::abort();
    syntax::render(finding, source);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto source = std::make_shared<syntax::SourceFile>(0, "fuzz.wfl", text);
  const syntax::ParseResult parsed = syntax::parse(source);
  look_at(parsed.diagnostics, *source);
  if (!parsed.ok()) return 0;
  for (const bool with_includes : {false, true}) {
    check::AnalyzerOptions options;
    options.outer_names = {"args", "outside"};
    options.is_imported = !with_includes && size % 2 == 1;
    if (with_includes) {
      options.read_include = [&](std::string_view path, std::string_view) -> std::optional<check::IncludedText> {
        if (path.size() % 3 == 0) return std::nullopt;
        return check::IncludedText{.name = std::string(path),
                                   .text = path.size() % 3 == 1 ? text : text.substr(text.size() / 2)};
      };
    }
    const check::Analysis analysis = check::analyze(parsed.program, options);
    look_at(analysis.diagnostics, *source);
    look_at(analysis.type_findings, *source);
  }
  if (size > 4096) return 0;
  const driver::LintRules rules;
  const tools::Mended once = tools::mend(*source, rules);
  if (!once.readable) return 0;
  const tools::Mended twice = tools::mend(*once.file, rules);
  if (!twice.readable || twice.text != once.text) std::abort();
  return 0;
}
