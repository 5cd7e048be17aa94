// Names and calls inside expressions.
#include <algorithm>

#include "wfl/check/analyzer_impl.h"
#include "wfl/language/builtins.h"

namespace wfl::check {

using namespace syntax;  // NOLINT: the tree's node types are this file's vocabulary.

bool Analyzer::is_known(std::string_view name) {
  return name == "count" || name == "loopcounter" || name == "y" || name == "loop" || name.starts_with("flag_") ||
         parameter_words_.contains(name) || language::find_builtin(name) != nullptr ||
         language::is_reserved_builtin(name) || scopes_.find(name) != nullptr || is_container_property(name);
}

void Analyzer::mark_used(std::string_view name) {
  if (Symbol* symbol = scopes_.find(name)) symbol->used = true;
}

void Analyzer::read_name(std::string_view name, SourceSpan span) {
  mark_used(name);
  if (is_known(name)) return;
  unknown_name("Variable '" + std::string(name) + "' is not defined", name, span, false);
}

void Analyzer::expressions(ExprList list) {
  for (const Expr* expr : list) expression(expr);
}

void Analyzer::call_expression(const CallExpr& call) {
  for (const Argument& argument : call.arguments) expression(argument.value);
  if (!call.name) {
    expression(call.callee);
    return;
  }
  const std::string_view name = call.name.text;
  const std::string quoted = "'" + std::string(name) + "'";
  mark_used(name);
  const Symbol* symbol = scopes_.find(name);
  if (call.form == CallForm::With) return;  // Only built-ins are called so; the parser has looked.
  const bool builtin = language::find_builtin(name) != nullptr;
  if (symbol == nullptr || !symbol->known_place) {
    if (builtin || language::is_reserved_builtin(name) || symbol != nullptr || is_known(name)) return;
    if (call.form == CallForm::Call) {
      if (has_includes_) return;
      error("Undefined action " + quoted, call.name.span, "WFL-S003").hints = suggestion(name, true);
      return;
    }
    // The fields of a keystore's entries are read like this without any variable of that name.
    if ((name == "key" || name == "value") && call.arguments.size() == 1) return;
    unknown_name("Variable " + quoted + " is not defined", name, call.name.span, true);
    return;
  }
  if (symbol->kind == SymbolKind::kAction) {
    check_call(call, *symbol);
    return;
  }
  if (builtin || symbol->maybe_callable || parameter_words_.contains(name)) return;
  if ((name == "key" || name == "value") && call.arguments.size() == 1 && call.form == CallForm::Of) return;
  error(quoted + (call.form == CallForm::Of ? " is not a function" : " is not an action"), call.name.span, "WFL-S004");
}

void Analyzer::expression(const Expr* expr) {
  if (expr == nullptr) return;
  types_.check(*expr);
  switch (expr->kind) {
    case ExprKind::Number:
    case ExprKind::Text:
    case ExprKind::Boolean:
    case ExprKind::Nothing:
    case ExprKind::PatternText:
    case ExprKind::CurrentMilliseconds:
    case ExprKind::CurrentFormatted:
      return;
    case ExprKind::List:
      return expressions(as<ListExpr>(*expr).items);
    case ExprKind::Variable:
      return read_name(as<VariableExpr>(*expr).name, expr->span);
    case ExprKind::Unary:
      return expression(as<UnaryExpr>(*expr).operand);
    case ExprKind::Binary:
      expression(as<BinaryExpr>(*expr).left);
      return expression(as<BinaryExpr>(*expr).right);
    case ExprKind::Between:
      expression(as<BetweenExpr>(*expr).subject);
      expression(as<BetweenExpr>(*expr).low);
      return expression(as<BetweenExpr>(*expr).high);
    case ExprKind::Concat:
      return expressions(as<ConcatExpr>(*expr).parts);
    case ExprKind::Call:
      return call_expression(as<CallExpr>(*expr));
    case ExprKind::Index:
      expression(as<IndexExpr>(*expr).collection);
      return expression(as<IndexExpr>(*expr).index);
    case ExprKind::Property: {
      // `Name.member` may be a static member of a container that an included file or a later line defines.
      const auto& property = as<PropertyExpr>(*expr);
      return expression(property.object);
    }
    case ExprKind::MethodCall: {
      const auto& call = as<MethodCallExpr>(*expr);
      expression(call.object);
      return expressions(call.arguments);
    }
    case ExprKind::PatternMatch:
      expression(as<PatternMatchExpr>(*expr).text);
      return expression(as<PatternMatchExpr>(*expr).pattern);
    case ExprKind::Find:
      expression(as<FindExpr>(*expr).text);
      return expression(as<FindExpr>(*expr).pattern);
    case ExprKind::Replace:
      expression(as<ReplaceExpr>(*expr).text);
      expression(as<ReplaceExpr>(*expr).pattern);
      return expression(as<ReplaceExpr>(*expr).replacement);
    case ExprKind::Split:
      expression(as<SplitExpr>(*expr).text);
      return expression(as<SplitExpr>(*expr).separator);
    case ExprKind::FileExists:
      return expression(as<FileExistsExpr>(*expr).path);
    case ExprKind::DirectoryExists:
      return expression(as<DirectoryExistsExpr>(*expr).path);
    case ExprKind::FileSize:
      return expression(as<FileSizeExpr>(*expr).file);
    case ExprKind::ListFiles:
      expression(as<ListFilesExpr>(*expr).path);
      return expressions(as<ListFilesExpr>(*expr).extensions);
    case ExprKind::ReadContent:
      return expression(as<ReadContentExpr>(*expr).file);
    case ExprKind::ReadBinary:
      expression(as<ReadBinaryExpr>(*expr).file);
      return expression(as<ReadBinaryExpr>(*expr).count);
    case ExprKind::ProcessRunning:
      return expression(as<ProcessRunningExpr>(*expr).process);
    case ExprKind::Header:
      return expression(as<HeaderExpr>(*expr).request);
    case ExprKind::DatabaseQuery: {
      const auto& query = as<DatabaseQueryExpr>(*expr);
      expression(query.database);
      expression(query.sql);
      return expression(query.parameters);
    }
    case ExprKind::KeystoreContains: {
      const auto& test = as<KeystoreContainsExpr>(*expr);
      expression(test.container);
      if (test.today_item == nullptr) {
        types_.check_key(test.key);
        return expression(test.key);
      }
      // Two readings: a name is reported only when it is unknown in both.
      const std::size_t errors = errors_.size();
      const std::size_t warnings = warnings_.size();
      expression(test.today_item);
      if (errors_.size() == errors && warnings_.size() == warnings) return;
      errors_.resize(errors);
      warnings_.resize(warnings);
      return expression(test.key);
    }
  }
}

}  // namespace wfl::check
