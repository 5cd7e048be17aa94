#include "wfl/driver/loader.h"

#include <algorithm>

#include "wfl/check/analyzer.h"
#include "wfl/compile/compiler.h"
#include "wfl/driver/session.h"
#include "wfl/syntax/parser.h"

namespace wfl::driver {
namespace {

namespace fs = std::filesystem;

std::string kind_word(vm::LoadKind kind) {
  return kind == vm::LoadKind::kModule ? "module" : "included file";
}

std::unexpected<vm::Error> refuse(std::string message, vm::ErrorKind kind = vm::ErrorKind::kGeneral) {
  return std::unexpected(vm::Error{kind, std::move(message)});
}

}  // namespace

void Loader::set_main(const fs::path& path) {
  running_.clear();
  std::error_code ignored;
  if (!path.empty()) running_.push_back(fs::weakly_canonical(path, ignored));
}

std::string Loader::chain() const {
  std::string text;
  for (const fs::path& path : running_) text += (text.empty() ? "" : " \u2192 ") + path.string();
  return text;
}

std::expected<std::unique_ptr<vm::FunctionProto>, vm::Error> Loader::load(vm::LoadKind kind, std::string_view path,
                                                                          vm::Module& module, vm::CodeSpan from) {
  const stdlib::Settings& settings = session_.options().config.settings;
  const fs::path base = session_.sources().path_of(from.file).parent_path();
  const fs::path wanted = base / fs::path(path);
  std::error_code code;
  const fs::path file = fs::canonical(wanted, code);
  if (code) {
    return refuse("Cannot resolve module path '" + std::string(path) + "': " + code.message() + " (looked for " +
                      wanted.lexically_normal().string() + ")",
                  vm::ErrorKind::kFileNotFound);
  }
  if (std::ranges::find(running_, file) != running_.end()) {
    return refuse("Circular dependency detected: " + chain() + " \u2192 " + file.string());
  }
  if (running_.size() > settings.max_import_depth) {
    return refuse("Modules are nested deeper than " + std::to_string(settings.max_import_depth) +
                      " levels (max_import_depth): " + chain(),
                  vm::ErrorKind::kResourceLimit);
  }
  auto text = read_source(file, settings.max_source_bytes);
  if (!text) return refuse("Cannot read module '" + std::string(path) + "': " + text.error().message);

  const auto source = session_.sources().add(wanted.lexically_normal().string(), file, std::move(*text));
  auto parsed = syntax::parse(source);
  const auto first_error = [&](const std::vector<syntax::Diagnostic>& diagnostics) {
    const auto it = std::ranges::find(diagnostics, syntax::Severity::Error, &syntax::Diagnostic::severity);
    const auto place = source->position_of(it->span.begin);
    return it->message + " (line " + std::to_string(place.line) + ", column " + std::to_string(place.column) + ")";
  };
  if (!parsed.ok()) {
    return refuse("Parse error in " + kind_word(kind) + " '" + std::string(path) +
                  "': " + first_error(parsed.diagnostics));
  }
  check::AnalyzerOptions options;
  for (const vm::Module* outer = &module; outer != nullptr; outer = outer->parent) {
    for (const std::string& name : outer->names) {
      if (!outer->get(name).is_undefined()) options.outer_names.push_back(name);
    }
  }
  options.is_imported = true;
  const check::Analysis analysis = check::analyze(parsed.program, options);
  if (!analysis.ok()) {
    return refuse("Semantic error in " + kind_word(kind) + " '" + std::string(path) +
                  "': " + first_error(analysis.diagnostics));
  }
  if (kind == vm::LoadKind::kModule && !analysis.type_findings.empty()) {
    const auto& finding = analysis.type_findings.front();
    const auto place = source->position_of(finding.span.begin);
    return refuse("Type error in module '" + std::string(path) + "': " + finding.message + " (line " +
                  std::to_string(place.line) + ", column " + std::to_string(place.column) + ")");
  }
  // A module's names stay its own; an included file's become the including program's.
  vm::Module& target = kind == vm::LoadKind::kModule ? session_.machine().new_module(module, file.string()) : module;
  auto compiled = compile::compile(parsed.program, session_.machine(), target,
                                   {.keep_globals = true, .imported = true, .stepwise = session_.stepwise()});
  if (!compiled)
    return refuse("Cannot compile " + kind_word(kind) + " '" + std::string(path) + "': " + compiled.error().message);
  running_.push_back(file);
  return std::move(*compiled);
}

void Loader::finished(vm::LoadKind kind, vm::Error* error) {
  if (running_.empty()) return;
  if (error != nullptr && error->kind != vm::ErrorKind::kExitProgram && !error->message.starts_with("Error in ")) {
    error->message = std::string("Error in ") + (kind == vm::LoadKind::kModule ? "module" : "include") + " chain " +
                     chain() + ": " + error->message;
  }
  running_.pop_back();
}

}  // namespace wfl::driver
