#include "wfl/tools/lint_command.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <optional>

#include "wfl/driver/config.h"
#include "wfl/driver/sources.h"
#include "wfl/stdlib/files.h"
#include "wfl/syntax/parser.h"
#include "wfl/tools/diff.h"
#include "wfl/tools/lint.h"

namespace wfl::tools {
namespace {

namespace fs = std::filesystem;
using language::ExitCode;

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

void show(const std::vector<syntax::Diagnostic>& diagnostics, const syntax::SourceFile& source) {
  for (const syntax::Diagnostic& diagnostic : diagnostics) {
    write_message(syntax::render(diagnostic, source, {.color = wants_color()}));
  }
}

// Puts the new text in the place of the old one in one step: whoever reads the file sees the one or the other, and a
// full disk costs nothing. Gives what went wrong, or nothing.
std::optional<std::string> replace_file(const fs::path& path, const std::string& text) {
  std::error_code code;
  const fs::path real = fs::canonical(path, code);  // A link stays a link.
  struct stat before{};
  if (code || stat(real.c_str(), &before) != 0) return code.message();
  std::string temporary = real.string() + ".XXXXXX";
  const int fd = mkstemp(temporary.data());
  if (fd < 0) return std::strerror(errno);
  const auto written = stdlib::write_all(fd, text, temporary);
  const bool fine = written.has_value() && fchmod(fd, before.st_mode & 07777) == 0 && fsync(fd) == 0;
  const int reason = errno;
  if (close(fd) == 0 && fine && rename(temporary.c_str(), real.c_str()) == 0) return std::nullopt;
  const int last = fine ? errno : reason;
  unlink(temporary.c_str());
  return std::strerror(last);
}

}  // namespace

ExitCode run_lint(const Options& options, StandardOutput& output) {
  const bool from_input = options.file == "-";
  if (from_input && options.fix == FixMode::kInPlace) {
    write_message("Error: --in-place needs a file; standard input can't be changed\n");
    return ExitCode::kUsage;
  }
  const fs::path path = from_input ? fs::path("/dev/stdin") : fs::path(options.file);
  const driver::Config config = driver::load_config(from_input ? fs::path{} : path.parent_path());
  for (const std::string& warning : config.warnings) write_message("warning: " + warning + "\n");
  auto text = driver::read_source(path, config.settings.max_source_bytes);
  if (!text) {
    write_message("Error: " + text.error().message + "\n");
    return text.error().too_large ? ExitCode::kUsage : ExitCode::kFailure;
  }
  driver::Sources sources;
  const auto source = sources.add(from_input ? "standard input" : options.file, path, std::move(*text));

  if (options.fix == FixMode::kNone) {
    const auto parsed = syntax::parse(source);
    if (!parsed.ok()) {
      write_message("Parse errors:\n");
      show(parsed.diagnostics, *source);
      show(lint_unreadable(*source, config.lint).findings, *source);
      return ExitCode::kUsage;
    }
    LintReport report = lint(parsed.program, config.lint);
    if (!is_sound(parsed))
      std::ranges::move(lint_unreadable(*source, config.lint).findings, std::back_inserter(report.findings));
    show(report.findings, *source);
    output.write(report.findings.empty() ? "No lint warnings found.\n"
                                         : counted(report.findings.size(), "lint warning") + " found.\n");
    return report.findings.empty() ? ExitCode::kSuccess : ExitCode::kFailure;
  }

  const Mended mended = mend(*source, config.lint);
  if (!mended.readable) {
    write_message("Parse errors:\n");
    show(syntax::parse(source).diagnostics, *source);
    write_message("Nothing was changed: a program must be readable before its style can be mended.\n");
    return ExitCode::kUsage;
  }
  if (options.fix == FixMode::kDiff) {
    output.write(unified_diff(source->name(), source->text(), mended.text));
  } else if (options.fix == FixMode::kShow) {
    output.write("Fixed code:\n" + mended.text);
  } else {
    if (mended.text != source->text()) {
      if (const auto problem = replace_file(path, mended.text)) {
        write_message("Error: '" + options.file + "' could not be changed: " + *problem + "\n");
        return ExitCode::kFailure;
      }
    }
    output.write("✔ Auto-fixed " + counted(mended.mended, "issue") + " in place.\n");
  }
  if (mended.left.empty()) return ExitCode::kSuccess;
  show(mended.left, *mended.file);
  write_message(counted(mended.left.size(), "lint warning") + " must be mended by hand.\n");
  return ExitCode::kFailure;
}

}  // namespace wfl::tools
