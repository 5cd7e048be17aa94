#include "wfl/check/analyzer.h"

#include <algorithm>
#include <array>

#include "wfl/check/analyzer_impl.h"
#include "wfl/check/flow.h"
#include "wfl/language/builtins.h"
#include "wfl/language/keywords.h"
#include "wfl/syntax/keystore_hints.h"
#include "wfl/syntax/suggest.h"

namespace wfl::check {

using syntax::Diagnostic;
using syntax::Severity;
using syntax::SourceSpan;
using syntax::StmtKind;

bool Analysis::ok() const {
  return std::ranges::none_of(diagnostics, [](const Diagnostic& d) { return d.severity == Severity::Error; });
}

Analysis analyze(const syntax::Program& program, const AnalyzerOptions& options) {
  return Analyzer(options).run(program);
}

Analyzer::Analyzer(const AnalyzerOptions& options) : options_(options) {
  for (const language::PredefinedGlobal& global : language::kPredefinedGlobals) {
    scopes_.set(global.name, {.known_place = false, .changeable = false, .used = true});
  }
  // What an including program has defined, and what the command line adds, may be defined again here.
  for (const std::string& name : options.outer_names) {
    types_.note_binding(name, ValueType::kUnknown);
    if (language::find_builtin(name) != nullptr) continue;
    scopes_.set(name, {.known_place = false, .replaceable = true, .maybe_callable = true, .used = true});
  }
}

Analysis Analyzer::run(const syntax::Program& program) {
  source_ = program.source.get();
  read_includes(program.statements, {}, 0);
  for (const syntax::Stmt* stmt : program.statements) {
    if (const auto* action = syntax::try_as<syntax::DefineActionStmt>(stmt)) register_action(*action);
  }
  collect(program.statements);
  list_of_statements(program.statements);
  check_inheritance();
  if (!random_seeds_.empty() && keeps_secrets_) {
    for (const SourceSpan span : random_seeds_) {
      error("random_seed must not be used in authentication, session, or cryptographic code", span, "WFL-S016")
          .hints.push_back(
              "A seed makes chance foreseeable. Remove it; `secure_random_bytes` is the chance for secrets.");
    }
  }
  // What other files bind and read is not known well enough to follow variables.
  if (!options_.is_imported && includes_known_) types_.follow_variables();
  for (const auto& check : later_) check();
  if (errors_.empty()) {
    if (includes_known_ && !options_.is_imported) warn_unused();
    std::ranges::move(check_flow(program,
                                 [this](std::string_view name) {
                                   const Symbol* symbol = scopes_.find(name);
                                   return symbol == nullptr || symbol->maybe_callable;
                                 }),
                      std::back_inserter(warnings_));
  }

  Analysis analysis;
  analysis.diagnostics = std::move(errors_);
  std::ranges::move(warnings_, std::back_inserter(analysis.diagnostics));
  std::ranges::stable_sort(analysis.diagnostics, {}, [](const Diagnostic& d) { return d.span.begin; });
  analysis.type_findings = std::move(types_.findings);
  analysis.bound_names.assign(bound_names_.begin(), bound_names_.end());
  return analysis;
}

void Analyzer::warn_unused() {
  for (const auto& [name, span] : declarations_) {
    if (used_names_.contains(name)) continue;
    Diagnostic& diagnostic = warning("Unused variable '" + std::string(name) + "'", span, "WFL-S101");
    diagnostic.label = "nothing reads it";
    diagnostic.hints.push_back("Remove it, or use it.");
    used_names_.insert(name);  // Once is enough.
  }
}

std::uint32_t Analyzer::line_of(SourceSpan span) const {
  return source_ == nullptr ? 0 : source_->line_of(span.begin);
}

namespace {

Diagnostic make(Severity severity, std::string message, SourceSpan span, const char* code) {
  Diagnostic diagnostic;
  diagnostic.severity = severity;
  diagnostic.code = code;
  diagnostic.message = std::move(message);
  diagnostic.span = span;
  return diagnostic;
}

}  // namespace

Diagnostic& Analyzer::error(std::string message, SourceSpan span, const char* code) {
  errors_.push_back(make(Severity::Error, std::move(message), span, code));
  return errors_.back();
}

Diagnostic& Analyzer::warning(std::string message, SourceSpan span, const char* code) {
  warnings_.push_back(make(Severity::Warning, std::move(message), span, code));
  warnings_.back().label = "This may fail when it runs";
  return warnings_.back();
}

// Errors found by `body` become warnings.
void Analyzer::softened(const std::function<void()>& body) {
  const std::size_t before = errors_.size();
  body();
  for (std::size_t i = before; i < errors_.size(); ++i) {
    Diagnostic& diagnostic = errors_[i];
    // A `store` in a loop body runs many times by design: that is nothing to tell.
    if (diagnostic.code == "WFL-S001") continue;
    diagnostic.severity = Severity::Warning;
    diagnostic.label = "This may fail when it runs";
    warnings_.push_back(std::move(diagnostic));
  }
  errors_.resize(before);
}

void Analyzer::note_binding(std::string_view name, ValueType type) {
  bound_names_.insert(name);
  types_.note_binding(name, type);
  keystores_.forget(name);
}

void Analyzer::define(const syntax::Name& name, Symbol symbol) {
  if (name.empty()) return;
  note_binding(name.text, symbol.type);
  symbol.span = name.span;
  const auto refuse = [&](const std::string& where) {
    error("Variable '" + std::string(name.text) + "' has already been defined " + where + ". Use 'change " +
              std::string(name.text) + " to <value>' to modify it.",
          name.span, "WFL-S001");
  };
  if (const Symbol* here = scopes_.find_here(name.text); here != nullptr && !here->replaceable) {
    refuse("at line " + std::to_string(here->known_place ? line_of(here->span) : 0));
    return;
  }
  if (const Symbol* outer = scopes_.find(name.text); outer != nullptr && !outer->replaceable) {
    refuse("in an outer scope");
    return;
  }
  scopes_.set(name.text, std::move(symbol));
}

void Analyzer::define_or_replace(const syntax::Name& name, Symbol symbol) {
  if (name.empty()) return;
  note_binding(name.text, symbol.type);
  symbol.span = name.span;
  scopes_.set(name.text, std::move(symbol));
}

// The name that was probably meant, as a hint.
std::vector<std::string> Analyzer::suggestion(std::string_view name, bool callable) {
  std::vector<std::string_view> candidates = scopes_.names();
  if (callable) {
    for (const language::Builtin& builtin : language::kBuiltins) {
      language::for_each_name(builtin, [&](std::string_view spelling) { candidates.push_back(spelling); });
    }
  }
  if (container_ != nullptr) {
    for (const auto& property : container_->properties) candidates.push_back(property.name.text);
  }
  std::ranges::sort(candidates);
  std::vector<std::string> hints;
  // A name of several words may be stored with a word of the language in front, but that word is read by itself.
  for (const std::string_view candidate : candidates) {
    const std::size_t blank = candidate.find(' ');
    if (blank == std::string_view::npos) continue;
    const std::string_view word = candidate.substr(0, blank);
    if ((name == word || name == candidate.substr(blank + 1)) && language::find_keyword(word)) {
      const std::string stored(candidate);
      return {"'" + stored + "' can be stored, but not read: '" + std::string(word) +
              "' is a word of WFL. Begin the name with another word, such as 'my_" + stored + "'."};
    }
  }
  if (const auto near = syntax::closest(name, candidates))
    hints.push_back("Did you mean '" + std::string(*near) + "'?");
  // Adjacent words make one name, so a forgotten operator shows as a long unknown name.
  if (hints.empty() && name.find(' ') != std::string_view::npos) {
    std::string_view known;
    for (const std::string_view candidate : candidates) {
      if (name.starts_with(candidate) && name.size() > candidate.size() && name[candidate.size()] == ' ' &&
          candidate.size() > known.size()) {
        known = candidate;
      }
    }
    if (!known.empty()) {
      hints.push_back("Words that stand side by side are one name. If '" + std::string(known) +
                      "' was meant, put it in parentheses.");
    }
  }
  return hints;
}

// Reports a name that is defined nowhere, or says it softly where the language does not stop the program for it.
void Analyzer::unknown_name(std::string message, std::string_view name, SourceSpan span, bool callable,
                            const char* code) {
  if (include_broken_) return;
  // An included file may define it in a way that can't be seen from here.
  const bool soft = try_depth_ > 0 || has_includes_;
  Diagnostic& diagnostic = soft ? warning(std::move(message), span, code) : error(std::move(message), span, code);
  diagnostic.hints = suggestion(name, callable);
  const bool vague = diagnostic.hints.empty() || diagnostic.hints.front().starts_with("Words that");
  if (vague && has_keystores_) {
    if (auto form = syntax::keystore_hint(source_->line_text(line_of(span)))) diagnostic.hints = {std::move(*form)};
  }
  if (has_modules_ && diagnostic.hints.empty()) {
    diagnostic.hints.push_back(
        "A file that is loaded with `load module` keeps its names to itself; `include from` shares them.");
  }
}

}  // namespace wfl::check
