#include "wfl/driver/debug_report.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "wfl/driver/session.h"
#include "wfl/driver/version.h"
#include "wfl/language/builtins.h"
#include "wfl/stdlib/files.h"
#include "wfl/vm/operations.h"

namespace wfl::driver {
namespace {

std::string now_words() {
  const std::time_t now = std::time(nullptr);
  std::tm tm{};
  localtime_r(&now, &tm);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &tm);
  return std::string(text.data(), size);
}

bool is_predefined(std::string_view name) {
  return std::ranges::any_of(language::kPredefinedGlobals, [&](const auto& global) { return global.name == name; });
}

// The value in one short line.
std::string short_form(vm::Value value) {
  constexpr std::size_t kMaxBytes = 200;
  std::string text = vm::debug_form(value);
  std::ranges::replace(text, '\n', ' ');
  if (text.size() > kMaxBytes) {
    std::size_t cut = kMaxBytes;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;
    text.resize(cut);
    text += "…";
  }
  return text;
}

}  // namespace

std::optional<std::filesystem::path> write_debug_report(const std::filesystem::path& script,
                                                        const syntax::Diagnostic& diagnostic, Session& session,
                                                        const vm::RuntimeError& error) {
  std::string out = "WFL debug report\n================\n\n";
  out += "Program: " + script.string() + "\nWritten: " + now_words() + "\nRuntime: " + std::string(kVersion) + "\n\n";
  out += session.sources().render(diagnostic, false) + "\n";
  out += "Calls, innermost first\n----------------------\n";
  for (const auto& [name, span] : error.trace) {
    if (name.empty()) continue;
    out += "action " + name + ", called at line " + std::to_string(session.line_of(span)) + "\n";
  }
  out += "the program, line " +
         std::to_string(session.line_of(error.trace.empty() ? error.span : error.trace.back().second)) + "\n\n";
  out += "Variables\n---------\n";
  const vm::Module& globals = session.machine().globals();
  for (const std::string& name : globals.names) {
    const vm::Value value = globals.get(name);
    if (value.is_undefined() || value.is(vm::ObjectKind::kNative) || is_predefined(name)) continue;
    out += name + " (" + std::string(vm::type_name(value)) + ") = " + short_form(value) + "\n";
  }
  const std::filesystem::path path = script.parent_path() / (script.stem().string() + "_debug.txt");
  if (!stdlib::write_file(path.string(), out)) return std::nullopt;
  return path;
}

}  // namespace wfl::driver
