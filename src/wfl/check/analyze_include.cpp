// Included files: what they define is known in the whole text, as it may be when the program runs. What can't be read
// is told, and then any unknown name may come from there.
#include <algorithm>
#include <memory>
#include <string>

#include "wfl/check/analyzer_impl.h"

namespace wfl::check {

using namespace syntax;  // NOLINT: the tree's node types are this file's vocabulary.

namespace {
constexpr std::uint32_t kMaxIncludeDepth = 64;  // As the run has it by default.
}

void Analyzer::read_includes(const StmtList& list, std::string_view from, std::uint32_t depth) {
  for (const Stmt* stmt : list) {
    if (const auto* wait = try_as<WaitStatementStmt>(stmt)) stmt = wait->inner;
    if (stmt->kind == StmtKind::LoadModule) has_modules_ = true;
    const auto* include = try_as<IncludeStmt>(stmt);
    if (include == nullptr) continue;
    has_includes_ = true;
    include_file(*include, from, depth);
  }
}

void Analyzer::include_file(const IncludeStmt& include, std::string_view from, std::uint32_t depth) {
  const auto* path = try_as<TextExpr>(include.path);
  if (path == nullptr || !options_.read_include || depth > kMaxIncludeDepth) {
    includes_known_ = false;
    return;
  }
  // Only the text itself has places to point to; what is wrong inside an included file is told when it is included.
  const auto tell = [&](const std::string& what) {
    includes_known_ = false;
    if (what == "understood") include_broken_ = true;
    if (!from.empty()) return;
    Diagnostic& diagnostic = warning("The included file '" + std::string(path->value) + "' can't be " + what,
                                     include.path->span, "WFL-S017");
    diagnostic.notes.push_back(include_broken_
                                   ? "Names that nothing here defines may come from it, so they are not told."
                                   : "Names that nothing here defines may come from it, so they are warnings only.");
  };
  auto text = options_.read_include(path->value, from);
  if (!text) return tell("found");
  if (!included_names_.insert(text->name).second) return;
  const std::string name = text->name;
  auto parsed = parse(std::make_shared<const SourceFile>(0, name, std::move(text->text)));
  if (!parsed.ok()) return tell("understood");
  included_.push_back(std::move(parsed));  // Names of its tree are used from here on.
  const std::size_t at = included_.size() - 1;
  read_includes(included_[at].program.statements, name, depth + 1);

  // A walk of its own finds what the file binds and reads.
  AnalyzerOptions options;
  options.is_imported = true;
  Analyzer inner(options);
  inner.run(included_[at].program);
  for (const std::string_view bound : inner.bound_names_) {
    if (scopes_.find_here(bound) != nullptr) continue;
    scopes_.set(bound, {.known_place = false, .replaceable = true, .maybe_callable = true, .used = true});
    types_.note_binding(bound, ValueType::kUnknown);
  }
  used_names_.insert(inner.used_names_.begin(), inner.used_names_.end());
}

}  // namespace wfl::check
