// The analyzer's working state; one object analyzes one text. Split over analyze_statement.cpp (statements and scopes),
// analyze_expression.cpp (names and calls), analyze_keystore.cpp (keystore statements) and analyze_action.cpp (actions,
// containers, overloads).
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
#include "wfl/check/symbols.h"
#include "wfl/check/types.h"

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
  void try_statement(const syntax::TryStmt& stmt);
  void store_statement(const syntax::StoreStmt& stmt);
  void change_target(const syntax::Name& name);
  void collection_target(const syntax::Name& name);
  void pattern(const syntax::Pattern& node);

  // --- keystores ---
  void key_range(const syntax::KeyRange* range);
  void two_readings(const syntax::OtherReading& other, const std::function<void()>& keystore_reading);
  void bind_result(const syntax::Name& name);

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

  // --- names ---
  void define(const syntax::Name& name, Symbol symbol = {});
  void define_or_replace(const syntax::Name& name, Symbol symbol = {});
  void unknown_name(std::string message, std::string_view name, syntax::SourceSpan span, bool callable);
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
  std::uint32_t try_depth_ = 0;
  std::set<std::string, std::less<>> parameter_words_;  // Words of the parameters of top-level actions: never reported.
  std::vector<std::string_view> count_variables_;       // Of the count loops around.
  std::unordered_map<std::string_view, const syntax::DefineContainerStmt*> containers_;
  const syntax::DefineContainerStmt* container_ = nullptr;
  std::set<const syntax::DefineActionStmt*> registered_;
  TypeChecker types_;
};

}  // namespace wfl::check
