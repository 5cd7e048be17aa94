// Names and calls inside expressions.
#include <algorithm>
#include <array>
#include <utility>

#include "wfl/check/analyzer_impl.h"
#include "wfl/language/builtins.h"
#include "wfl/syntax/keystore_hints.h"
#include "wfl/syntax/suggest.h"

namespace wfl::check {

using namespace syntax;  // NOLINT: the tree's node types are this file's vocabulary.

bool Analyzer::is_known(std::string_view name) {
  return name == "count" || name == "loopcounter" || name == "y" || name == "loop" || name.starts_with("flag_") ||
         parameter_words_.contains(name) || language::find_builtin(name) != nullptr ||
         language::is_reserved_builtin(name) || scopes_.find(name) != nullptr || is_container_property(name);
}

void Analyzer::mark_used(std::string_view name) {
  used_names_.insert(name);
  if (Symbol* symbol = scopes_.find(name)) symbol->used = true;
}

void Analyzer::read_name(std::string_view name, SourceSpan span) {
  mark_used(name);
  if (scopes_.find(name) == nullptr) note_security(name, span);
  if (is_known(name)) return;
  unknown_name("Variable '" + std::string(name) + "' is not defined", name, span, false);
}

void Analyzer::expressions(ExprList list) {
  for (const Expr* expr : list) expression(expr);
}

// Remembers what must not meet in one program: chance with a seed, and secrets.
void Analyzer::note_security(std::string_view function, SourceSpan span) {
  static constexpr auto kSecrets = std::to_array<std::string_view>(
      {"hash_password", "verify_password", "argon2_hash", "argon2_verify", "bcrypt_hash", "bcrypt_verify",
       "scrypt_hash", "scrypt_verify", "pbkdf2_hash", "pbkdf2_verify", "pbkdf2_hmac_sha256", "constant_time_equals",
       "secure_random_bytes", "generate_csrf_token", "hmac_sha256", "wflmac256", "seal", "unseal"});
  if (function == "random_seed") random_seeds_.push_back(span);
  keeps_secrets_ = keeps_secrets_ || std::ranges::find(kSecrets, function) != kSecrets.end();
}

// Whether the name differs from an action's or a built-in function's by a slip of the fingers.
bool Analyzer::is_nearly_callable(std::string_view name) {
  std::vector<std::string_view> candidates;
  for (const language::Builtin& builtin : language::kBuiltins) {
    language::for_each_name(builtin, [&](std::string_view spelling) { candidates.push_back(spelling); });
  }
  for (const std::string_view known : scopes_.names()) {
    if (scopes_.find(known)->kind == SymbolKind::kAction) candidates.push_back(known);
  }
  return closest(name, candidates).has_value();
}

// A call that can only mean a built-in function, although a variable has taken its name.
void Analyzer::hidden_builtin(const CallExpr& call, const Symbol& symbol) {
  if (symbol.kind != SymbolKind::kVariable || !symbol.known_place || call.name.text == "count") return;
  if (call.form == CallForm::With && call.arguments.size() == 1) return;  // Joins the variable's text to another.
  later([this, &call, place = symbol.span] {
    VariableExpr variable(call.name.span);
    variable.name = call.name.text;
    if (types_.type_of(variable) == ValueType::kUnknown) return;  // It may be an action.
    const std::string name(call.name.text);
    Diagnostic& diagnostic = warning("'" + name + "' is a variable here, and can't be called as the built-in function",
                                     call.name.span, "WFL-S104");
    const std::string other = "give the variable of line " + std::to_string(line_of(place)) + " another name.";
    diagnostic.hints.push_back(call.form == CallForm::With
                                   ? "Write `(" + name + ") with …` to join its text to another, or " + other
                                   : "To call the function, " + other);
  });
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
  const bool builtin = language::find_builtin(name) != nullptr;
  if (builtin && symbol == nullptr) note_security(name, call.name.span);
  if (builtin && symbol != nullptr) hidden_builtin(call, *symbol);
  if (call.form == CallForm::With) {  // The parser has looked whether the name can be called.
    if (!builtin && symbol != nullptr && symbol->kind == SymbolKind::kAction) check_call(call, *symbol);
    return;
  }
  if (symbol == nullptr || !symbol->known_place) {
    if (builtin || language::is_reserved_builtin(name) || symbol != nullptr || is_known(name)) return;
    if (call.form == CallForm::Call) {
      // The reference keeps this an error inside `try`.
      const std::uint32_t depth = std::exchange(try_depth_, 0);
      unknown_name("Undefined action " + quoted, name, call.name.span, true, "WFL-S003");
      try_depth_ = depth;
      return;
    }
    // The fields of a keystore's entries are read like this without any variable of that name.
    if ((name == "key" || name == "value") && call.arguments.size() == 1) return;
    const Expr* only = call.arguments.size() == 1 ? call.arguments.front().value : nullptr;
    const auto* of = try_as<VariableExpr>(only);
    const Symbol* whole = of == nullptr ? nullptr : scopes_.find(of->name);
    const std::size_t reported = errors_.size() + warnings_.size();
    // `NAME of X` reads a field if X is a map, and any name may be one. A name that nearly is that of an action is not
    // taken for a field.
    ValueType type = only == nullptr ? ValueType::kNothing : certain_type(*only);
    if (whole != nullptr) type = whole->type == ValueType::kNothing ? ValueType::kUnknown : whole->type;
    const bool may_be_field = type == ValueType::kMap || (type == ValueType::kUnknown && !is_nearly_callable(name));
    if (may_be_field) return;
    unknown_name("Variable " + quoted + " is not defined", name, call.name.span, true);
    if (whole != nullptr && whole->type == ValueType::kKeystore && errors_.size() + warnings_.size() > reported) {
      Diagnostic& diagnostic = try_depth_ > 0 || has_includes_ ? warnings_.back() : errors_.back();
      const auto form = syntax::keystore_hint(source_->line_text(line_of(call.name.span)));
      const std::string keystore(of->name);
      diagnostic.hints = {form ? *form
                               : "'" + keystore + "' is a keystore. Write `get value from " + keystore +
                                     " with key \"" + std::string(name) + "\" as NAME`."};
    }
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
  later([this, expr] { types_.check(*expr); });
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
      use_keystore(test.container);
      if (test.today_item == nullptr) {
        later([this, &test] { types_.check_key(test.key); });
        return expression(test.key);
      }
      // Two readings: a name is reported only when it is unknown in both.
      const Findings before = findings();
      expression(test.today_item);
      const bool fits = nothing_since(before);
      drop_since(before);
      expression(test.key);
      if (fits) drop_since(before);
      return;
    }
  }
}

}  // namespace wfl::check
