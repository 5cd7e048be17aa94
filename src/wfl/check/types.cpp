#include "wfl/check/types.h"

#include <algorithm>
#include <array>
#include <optional>

#include "wfl/language/builtins.h"

namespace wfl::check {

using namespace syntax;  // NOLINT: the tree's node types are this file's vocabulary.

namespace {

struct TypeSpelling {
  std::string_view table;  // In language/builtins.def.
  ValueType type;
  std::string_view word;
};
constexpr auto kTypes = std::to_array<TypeSpelling>({
    {"number", ValueType::kNumber, "Number"},
    {"text", ValueType::kText, "Text"},
    {"boolean", ValueType::kBoolean, "Boolean"},
    {"list", ValueType::kList, "List"},
    {"map", ValueType::kMap, "Object"},
    {"nothing", ValueType::kNothing, "Nothing"},
    {"date", ValueType::kDate, "Date"},
    {"time", ValueType::kTime, "Time"},
    {"datetime", ValueType::kDateTime, "DateTime"},
    {"binary", ValueType::kBinary, "Binary"},
    {"pattern", ValueType::kPattern, "Pattern"},
});

// One type of the table; unknown for `any` and for a choice of several.
ValueType table_type(std::string_view spelling) {
  const auto it = std::ranges::find(kTypes, spelling, &TypeSpelling::table);
  return it == kTypes.end() ? ValueType::kUnknown : it->type;
}

// Whether a table entry such as "text|list where" takes a value of the type.
bool table_accepts(std::string_view entry, ValueType given) {
  const std::string_view types = entry.substr(0, entry.find(' '));
  std::string_view rest = types;
  while (!rest.empty()) {
    const std::size_t bar = rest.find('|');
    const std::string_view one = rest.substr(0, bar);
    if (one == "any" || table_type(one) == given) return true;
    rest = bar == std::string_view::npos ? std::string_view{} : rest.substr(bar + 1);
  }
  return false;
}

std::string readable_types(std::string_view entry) {
  std::string out;
  std::string_view rest = entry.substr(0, entry.find(' '));
  while (!rest.empty()) {
    const std::size_t bar = rest.find('|');
    if (!out.empty()) out += " or ";
    const auto it = std::ranges::find(kTypes, rest.substr(0, bar), &TypeSpelling::table);
    out += it == kTypes.end() ? rest.substr(0, bar) : it->word;
    rest = bar == std::string_view::npos ? std::string_view{} : rest.substr(bar + 1);
  }
  return out;
}

bool is_arithmetic(BinaryOp op) {
  return op == BinaryOp::Minus || op == BinaryOp::Times || op == BinaryOp::Divide || op == BinaryOp::Modulo;
}

std::string_view operator_words(BinaryOp op) {
  switch (op) {
    case BinaryOp::Minus:
      return "minus";
    case BinaryOp::Times:
      return "times";
    case BinaryOp::Divide:
      return "divided by";
    case BinaryOp::Modulo:
      return "modulo";
    default:
      return "this operator";
  }
}

}  // namespace

std::string_view type_word(ValueType type) {
  const auto it = std::ranges::find(kTypes, type, &TypeSpelling::type);
  return it == kTypes.end() ? "Unknown" : it->word;
}

ValueType certain_type(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::Number:
    case ExprKind::FileSize:
    case ExprKind::CurrentMilliseconds:
      return ValueType::kNumber;
    case ExprKind::Text:
    case ExprKind::Concat:
    case ExprKind::ReadContent:
    case ExprKind::CurrentFormatted:
      return ValueType::kText;
    case ExprKind::Boolean:
    case ExprKind::Between:
    case ExprKind::PatternMatch:
    case ExprKind::FileExists:
    case ExprKind::DirectoryExists:
    case ExprKind::ProcessRunning:
    case ExprKind::KeystoreContains:
      return ValueType::kBoolean;
    case ExprKind::Nothing:
      return ValueType::kNothing;
    case ExprKind::List:
    case ExprKind::Split:
    case ExprKind::ListFiles:
      return ValueType::kList;
    case ExprKind::PatternText:
      return ValueType::kPattern;
    case ExprKind::ReadBinary:
      return ValueType::kBinary;
    case ExprKind::Unary:
      return as<UnaryExpr>(expr).op == UnaryOp::Not ? ValueType::kBoolean : ValueType::kNumber;
    case ExprKind::Binary: {
      const auto& binary = as<BinaryExpr>(expr);
      if (is_arithmetic(binary.op)) return ValueType::kNumber;
      if (binary.op != BinaryOp::Plus) return ValueType::kBoolean;
      const ValueType left = certain_type(*binary.left);
      const ValueType right = certain_type(*binary.right);
      if (left == ValueType::kText || right == ValueType::kText) return ValueType::kText;
      return left == ValueType::kNumber && right == ValueType::kNumber ? ValueType::kNumber : ValueType::kUnknown;
    }
    default:
      return ValueType::kUnknown;  // Names and calls: a program may have bound them to anything.
  }
}

ValueType declared_type(const TypeRef* type) {
  if (type == nullptr) return ValueType::kUnknown;
  switch (type->kind) {
    case TypeKind::Text:
      return ValueType::kText;
    case TypeKind::Number:
      return ValueType::kNumber;
    case TypeKind::Boolean:
      return ValueType::kBoolean;
    case TypeKind::Date:
      return ValueType::kDate;
    case TypeKind::Time:
      return ValueType::kTime;
    case TypeKind::DateTime:
      return ValueType::kDateTime;
    case TypeKind::Pattern:
      return ValueType::kPattern;
    case TypeKind::Binary:
      return ValueType::kBinary;
    case TypeKind::List:
      return ValueType::kList;
    default:
      return ValueType::kUnknown;
  }
}

void TypeChecker::report(std::string message, SourceSpan span, const char* code) {
  Diagnostic finding;
  finding.severity = Severity::Warning;
  finding.code = code;
  finding.message = std::move(message);
  finding.span = span;
  finding.label = "Type error occurred here";
  findings.push_back(std::move(finding));
}

void TypeChecker::check_builtin(const CallExpr& call) {
  const language::Builtin* builtin = call.name ? language::find_builtin(call.name.text) : nullptr;
  if (builtin == nullptr) return;
  const std::size_t given = call.arguments.size();
  // A program may have bound the name to something of its own, so even a wrong count is only a warning.
  if (given < builtin->min_arguments || given > builtin->max_arguments) {
    std::string wanted = std::to_string(builtin->min_arguments);
    if (builtin->max_arguments == language::kVariadic) {
      wanted = "at least " + wanted;
    } else if (builtin->max_arguments != builtin->min_arguments) {
      wanted += " to " + std::to_string(builtin->max_arguments);
    }
    report("'" + std::string(call.name.text) + "' takes " + wanted + " argument(s), but " + std::to_string(given) +
               " were provided",
           call.span, "WFL-T002");
    return;
  }
  std::string_view entries = builtin->parameters;
  for (const Argument& argument : call.arguments) {
    const std::size_t comma = entries.find(", ");
    const std::string_view entry = entries.substr(0, comma);
    const ValueType type = certain_type(*argument.value);
    if (type != ValueType::kUnknown && !table_accepts(entry, type)) {
      report("'" + std::string(call.name.text) + "' can't work with this value - Expected " + readable_types(entry) +
                 " but found " + std::string(type_word(type)),
             argument.value->span, "WFL-T003");
    }
    if (comma == std::string_view::npos) break;
    entries = entries.substr(comma + 2);
  }
}

void TypeChecker::check(const Expr& expr) {
  if (const auto* call = try_as<CallExpr>(&expr)) {
    check_builtin(*call);
    return;
  }
  if (const auto* unary = try_as<UnaryExpr>(&expr); unary != nullptr && unary->op == UnaryOp::Minus) {
    const ValueType type = certain_type(*unary->operand);
    if (type != ValueType::kUnknown && type != ValueType::kNumber) {
      report("Cannot negate this value - Expected Number but found " + std::string(type_word(type)),
             unary->operand->span, "WFL-T001");
    }
    return;
  }
  const auto* binary = try_as<BinaryExpr>(&expr);
  if (binary == nullptr || !is_arithmetic(binary->op)) return;
  for (const Expr* side : {binary->left, binary->right}) {
    const ValueType type = certain_type(*side);
    if (type == ValueType::kUnknown || type == ValueType::kNumber) continue;
    report("Cannot use '" + std::string(operator_words(binary->op)) + "' with this value - Expected Number but found " +
               std::string(type_word(type)),
           side->span, "WFL-T001");
  }
}

void TypeChecker::check_key(const Expr* expr, bool may_be_empty) {
  if (expr == nullptr) return;
  const ValueType type = certain_type(*expr);
  if (type == ValueType::kUnknown || type == ValueType::kText || type == ValueType::kNumber) {
    if (const auto* text = try_as<TextExpr>(expr); text != nullptr && text->value.empty() && !may_be_empty) {
      report("A key of a keystore can't be empty", expr->span, "WFL-T004");
    }
    return;
  }
  report("This can't be a key of a keystore - Expected Text or Number but found " + std::string(type_word(type)),
         expr->span, "WFL-T004");
}

void TypeChecker::check_keystore(const Expr* expr, std::string_view statement) {
  if (expr == nullptr) return;
  const ValueType type = certain_type(*expr);
  if (type == ValueType::kUnknown) return;
  report(
      "'" + std::string(statement) + "' needs a keystore - Expected Keystore but found " + std::string(type_word(type)),
      expr->span, "WFL-T005");
}

}  // namespace wfl::check
