// The analyzer's working state; one object analyzes one text. Split over analyze_statement.cpp (statements and scopes),
// analyze_expression.cpp (names and calls), analyze_keystore.cpp (keystore statements), analyze_action.cpp (actions,
// containers, overloads) and analyze_include.cpp (included files); flow.cpp looks at the shape alone.
//
// Findings that need the whole text are made at its end: unused variables, types (later()), closed keystores.
//
// Errors and softening. What the language calls fatal is added with error(); a body that softens errors (repeat loops)
// turns those added inside it into warnings. Names that are not known go through unknown_name(), which knows the
// further softening rules.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "wfl/check/analyzer.h"
#include "wfl/check/keystore_states.h"
#include "wfl/check/symbols.h"
#include "wfl/check/types.h"
#include "wfl/syntax/parser.h"

namespace wfl::check {

class Analyzer {
 public:
  explicit Analyzer(const AnalyzerOptions& options);
  Analysis run(const syntax::Program& program);

 private:
  // --- statements (analyze_statement.cpp, analyze_io.cpp, analyze_keystore.cpp) ---
  void statement(const syntax::Stmt& stmt);
  void variable_statement(const syntax::Stmt& stmt);
  void control_statement(const syntax::Stmt& stmt);
  void definition_statement(const syntax::Stmt& stmt);
  void test_statement(const syntax::Stmt& stmt);
  bool io_statement(const syntax::Stmt& stmt);
  bool web_statement(const syntax::Stmt& stmt);
  bool keystore_statement(const syntax::Stmt& stmt);
  void statements(const syntax::Block& block);
  void scoped_block(const syntax::Block& block);
  void softened(const std::function<void()>& body);
  void branches(const std::vector<std::function<void()>>& bodies, bool exhaustive);
  void loop_body(const std::function<void()>& body);
  void warn_unused();
  void list_of_statements(const syntax::StmtList& list);
  void idle_expression(const syntax::Expr& value, const syntax::Stmt& next);
  void first_word(const syntax::Expr& value);
  void try_statement(const syntax::TryStmt& stmt);
  void store_statement(const syntax::StoreStmt& stmt);
  void change_target(const syntax::Name& name);
  void collection_target(const syntax::Name& name);
  void pattern(const syntax::Pattern& node);

  // --- keystores ---
  void key_range(const syntax::KeyRange* range);
  void two_readings(const syntax::OtherReading& other, const std::function<void()>& keystore_reading);
  void bind_result(const syntax::Name& name, ValueType type = ValueType::kUnknown);
  void use_keystore(const syntax::Expr* keystore);
  void change_keystore(const syntax::Expr* keystore);
  void close_keystore(const syntax::Expr* keystore, const syntax::Stmt& stmt);
  void misspelt_option(const syntax::OpenKeystoreStmt& open);

  // --- included files (analyze_include.cpp) ---
  void read_includes(const syntax::StmtList& list, std::string_view from, std::uint32_t depth);
  void include_file(const syntax::IncludeStmt& include, std::string_view from, std::uint32_t depth);

  // --- actions and containers (analyze_action.cpp) ---
  void register_action(const syntax::DefineActionStmt& action);
  void action_body(const syntax::DefineActionStmt& action);
  void container(const syntax::DefineContainerStmt& definition);
  void collect(const syntax::StmtList& list);
  bool is_container_property(std::string_view name) const;
  void check_call(const syntax::CallExpr& call, const Symbol& symbol);
  void check_arguments(const syntax::CallExpr& call, const syntax::DefineActionStmt& action);
  void check_inheritance();

  // --- expressions (analyze_expression.cpp) ---
  void expression(const syntax::Expr* expr);
  void expressions(syntax::ExprList list);
  void read_name(std::string_view name, syntax::SourceSpan span);
  void call_expression(const syntax::CallExpr& call);
  [[nodiscard]] bool is_known(std::string_view name);
  void mark_used(std::string_view name);
  [[nodiscard]] bool is_nearly_callable(std::string_view name);
  void hidden_builtin(const syntax::CallExpr& call, const Symbol& symbol);
  void note_security(std::string_view function, syntax::SourceSpan span);

  // --- names ---
  void note_binding(std::string_view name, ValueType type);
  void define(const syntax::Name& name, Symbol symbol = {});
  void define_or_replace(const syntax::Name& name, Symbol symbol = {});
  // What was found so far, so that a reading that does not count can be taken back.
  struct Findings {
    std::size_t errors;
    std::size_t warnings;
    std::size_t later;
  };
  [[nodiscard]] Findings findings() const { return {errors_.size(), warnings_.size(), later_.size()}; }
  [[nodiscard]] bool nothing_since(const Findings& before) const {
    return errors_.size() == before.errors && warnings_.size() == before.warnings;
  }
  void drop_since(const Findings& before) {
    errors_.resize(before.errors);
    warnings_.resize(before.warnings);
    later_.resize(before.later);
  }
  // Runs when the whole text has been read.
  void later(std::function<void()> check) { later_.push_back(std::move(check)); }
  void unknown_name(std::string message, std::string_view name, syntax::SourceSpan span, bool callable,
                    const char* code = "WFL-S002");
  [[nodiscard]] std::vector<std::string> suggestion(std::string_view name, bool callable);
  syntax::Diagnostic& error(std::string message, syntax::SourceSpan span, const char* code);
  syntax::Diagnostic& warning(std::string message, syntax::SourceSpan span, const char* code);
  [[nodiscard]] std::uint32_t line_of(syntax::SourceSpan span) const;

  const AnalyzerOptions& options_;
  const syntax::SourceFile* source_ = nullptr;
  ScopeStack scopes_;
  std::vector<syntax::Diagnostic> errors_;
  std::vector<syntax::Diagnostic> warnings_;
  bool has_includes_ = false;
  bool has_keystores_ = false;  // Some statement has opened one.
  bool has_modules_ = false;
  bool includes_known_ = true;  // All included files could be read.
  bool include_broken_ =
      false;  // One of them has mistakes of its own: it is what has to be mended, not the names here.
  std::vector<syntax::ParseResult> included_;
  std::set<std::string, std::less<>> included_names_;
  std::uint32_t try_depth_ = 0;
  std::set<std::string, std::less<>> parameter_words_;  // Words of the parameters of top-level actions: never reported.
  std::vector<std::string_view> count_variables_;       // Of the count loops around.
  std::unordered_map<std::string_view, const syntax::DefineContainerStmt*> containers_;
  const syntax::DefineContainerStmt* container_ = nullptr;
  std::set<const syntax::DefineActionStmt*> registered_;
  TypeChecker types_;
  std::vector<std::function<void()>> later_;
  std::set<std::string_view> bound_names_;                                     // Bound anywhere in the text.
  std::set<std::string_view> used_names_;                                      // Read anywhere in the text.
  std::vector<std::pair<std::string_view, syntax::SourceSpan>> declarations_;  // What should be read somewhere.
  std::vector<syntax::SourceSpan> random_seeds_;
  bool keeps_secrets_ = false;  // A function is called that needs chance nobody can foresee.
  KeystoreStates keystores_;
  bool in_action_ = false;
  std::set<std::string_view> set_in_actions_;  // Keystores that an action opens or closes.
};

}  // namespace wfl::check
