#include "wfl/check/types.h"

#include <algorithm>
#include <array>
#include <optional>

#include "wfl/language/builtins.h"
#include "wfl/syntax/length_reading.h"

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
    {"keystore", ValueType::kKeystore, "Keystore"},
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

void TypeChecker::note_binding(std::string_view name, ValueType type) {
  const auto [it, is_new] = bindings_.try_emplace(name, type);
  if (!is_new && it->second != type) it->second = ValueType::kUnknown;
}

ValueType TypeChecker::type_of(const Expr& expr) const {
  if (!follows_variables_) return certain_type(expr);
  if (const auto* variable = try_as<VariableExpr>(&expr)) {
    const auto known = bindings_.find(variable->name);
    return known == bindings_.end() ? ValueType::kUnknown : known->second;
  }
  if (const auto* call = try_as<CallExpr>(&expr);
      call != nullptr && call->name && !bindings_.contains(call->name.text)) {
    const language::Builtin* builtin = language::find_builtin(call->name.text);
    return builtin == nullptr ? ValueType::kUnknown : table_type(builtin->result);
  }
  if (const auto* binary = try_as<BinaryExpr>(&expr); binary != nullptr && binary->op == BinaryOp::Plus) {
    const ValueType left = type_of(*binary->left);
    const ValueType right = type_of(*binary->right);
    if (left == ValueType::kText || right == ValueType::kText) return ValueType::kText;
    return left == ValueType::kNumber && right == ValueType::kNumber ? ValueType::kNumber : ValueType::kUnknown;
  }
  return certain_type(expr);
}

// The name of a variable that is a keystore; empty for anything else.
std::string TypeChecker::keystore_name(const Expr& expr) const {
  const auto* variable = try_as<VariableExpr>(&expr);
  return variable != nullptr && type_of(expr) == ValueType::kKeystore ? std::string(variable->name) : std::string();
}

Diagnostic& TypeChecker::report(std::string message, SourceSpan span, const char* code) {
  Diagnostic finding;
  finding.severity = Severity::Warning;
  finding.code = code;
  finding.message = std::move(message);
  finding.span = span;
  finding.label = "Type error occurred here";
  findings.push_back(std::move(finding));
  return findings.back();
}

void TypeChecker::check_builtin(const CallExpr& call) {
  const language::Builtin* builtin = call.name ? language::find_builtin(call.name.text) : nullptr;
  if (builtin == nullptr) return;
  if (follows_variables_ && bindings_.contains(call.name.text)) return;  // The program's own thing.
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
  if (const BinaryExpr* sum = length_of_sum(call)) {
    const ValueType first = type_of(*sum->left);
    if (first != ValueType::kUnknown && first != ValueType::kKeystore && table_accepts(builtin->parameters, first)) {
      measured_sums_.insert(sum);  // The length of its first operand, and then the sum.
      return;
    }
    if (first == ValueType::kUnknown) return;
  }
  std::string_view entries = builtin->parameters;
  for (const Argument& argument : call.arguments) {
    const std::size_t comma = entries.find(", ");
    const std::string_view entry = entries.substr(0, comma);
    const ValueType type = type_of(*argument.value);
    if (type == ValueType::kKeystore && !table_accepts(entry, type)) {
      Diagnostic& finding =
          report("'" + std::string(call.name.text) + "' can't work with a keystore", argument.value->span, "WFL-T007");
      if (builtin->name == "length") {
        finding.hints.push_back("Write `count keys in " + keystore_name(*argument.value) + " as n`.");
      }
    } else if (type != ValueType::kUnknown && !table_accepts(entry, type)) {
      report("'" + std::string(call.name.text) + "' can't work with this value - Expected " + readable_types(entry) +
                 " but found " + std::string(type_word(type)),
             argument.value->span, "WFL-T003");
    }
    if (comma == std::string_view::npos) break;
    entries = entries.substr(comma + 2);
  }
}

void TypeChecker::check_binary(const BinaryExpr& binary) {
  const ValueType left = measured_sums_.contains(&binary) ? ValueType::kNumber : type_of(*binary.left);
  const ValueType right = type_of(*binary.right);
  if (is_arithmetic(binary.op)) {
    for (const Expr* side : {binary.left, binary.right}) {
      const ValueType type = side == binary.left ? left : right;
      if (type == ValueType::kUnknown || type == ValueType::kNumber) continue;
      report("Cannot use '" + std::string(operator_words(binary.op)) +
                 "' with this value - Expected Number but found " + std::string(type_word(type)),
             side->span, "WFL-T001");
    }
    return;
  }
  const bool both_known = left != ValueType::kUnknown && right != ValueType::kUnknown;
  switch (binary.op) {
    case BinaryOp::Plus:
      if (!both_known || left == ValueType::kText || right == ValueType::kText) return;
      if (left == ValueType::kNumber && right == ValueType::kNumber) return;
      report("Cannot add these values - Expected two Numbers or a Text but found " + std::string(type_word(left)) +
                 " and " + std::string(type_word(right)),
             binary.span, "WFL-T001");
      return;
    case BinaryOp::Greater:
    case BinaryOp::Less:
    case BinaryOp::GreaterEqual:
    case BinaryOp::LessEqual: {
      const bool has_order = left == ValueType::kNumber || left == ValueType::kText || left == ValueType::kDate ||
                             left == ValueType::kTime || left == ValueType::kDateTime;
      if (!both_known || (left == right && has_order)) return;
      report("Cannot compare these values - " + std::string(type_word(left)) + " and " + std::string(type_word(right)) +
                 " have no order",
             binary.span, "WFL-T001");
      return;
    }
    case BinaryOp::Contains:
      if (left == ValueType::kKeystore) {
        Diagnostic& finding = report("A keystore is asked for a key with the word `key`", binary.span, "WFL-T007");
        const auto* text = try_as<TextExpr>(binary.right);
        finding.hints.push_back("Write `" + keystore_name(*binary.left) + " contains key " +
                                (text == nullptr ? "K" : "\"" + std::string(text->value) + "\"") + "`.");
      } else if (left == ValueType::kNumber || left == ValueType::kBoolean) {
        report("This value can't contain another - Expected Text, List or Object but found " +
                   std::string(type_word(left)),
               binary.left->span, "WFL-T001");
      }
      return;
    default:
      return;
  }
}

void TypeChecker::check_index(const IndexExpr& index) {
  const ValueType type = type_of(*index.collection);
  if (type == ValueType::kKeystore) {
    report("A keystore is not a list or a map", index.span, "WFL-T007")
        .hints.push_back("Write `get value from " + keystore_name(*index.collection) + " with key K as NAME`.");
  } else if (type == ValueType::kText || type == ValueType::kNumber || type == ValueType::kBoolean) {
    Diagnostic& finding =
        report("This value has no parts - Expected List or Object but found " + std::string(type_word(type)),
               index.span, "WFL-T001");
    if (type == ValueType::kText) {
      finding.hints.push_back("A part of a text is `substring of TEXT and START and LENGTH`; counting begins with 0.");
    }
  }
}

void TypeChecker::check(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::Call:
      return check_builtin(as<CallExpr>(expr));
    case ExprKind::Binary:
      return check_binary(as<BinaryExpr>(expr));
    case ExprKind::Index:
      return check_index(as<IndexExpr>(expr));
    case ExprKind::Unary: {
      const auto& unary = as<UnaryExpr>(expr);
      if (unary.op != UnaryOp::Minus) return;
      const ValueType type = type_of(*unary.operand);
      if (type == ValueType::kUnknown || type == ValueType::kNumber) return;
      report("Cannot negate this value - Expected Number but found " + std::string(type_word(type)),
             unary.operand->span, "WFL-T001");
      return;
    }
    default:
      return;
  }
}

void TypeChecker::check_iterable(const Expr& expr) {
  const ValueType type = type_of(expr);
  if (type == ValueType::kUnknown || type == ValueType::kList || type == ValueType::kMap ||
      type == ValueType::kKeystore) {
    return;
  }
  report("Cannot go through this value - Expected List, Object or Keystore but found " + std::string(type_word(type)),
         expr.span, "WFL-T006");
}

void TypeChecker::check_number(const Expr* expr, std::string_view message) {
  if (expr == nullptr) return;
  const ValueType type = type_of(*expr);
  if (type == ValueType::kUnknown || type == ValueType::kNumber) return;
  report(std::string(message) + " - Expected Number but found " + std::string(type_word(type)), expr->span, "WFL-T001");
}

void TypeChecker::check_changed(const Name& name, Change change, const Expr* value) {
  if (!follows_variables_) return;
  const auto known = bindings_.find(name.text);
  if (known == bindings_.end()) return;
  const ValueType type = known->second;
  const std::string quoted(name.text);
  if (type == ValueType::kKeystore) {
    Diagnostic& finding = report("A keystore is not a list", name.span, "WFL-T007");
    if (change == Change::kAdd) {
      finding.hints.push_back("Write `store V in " + quoted + " with key K`.");
    } else if (change == Change::kClear) {
      finding.hints.push_back("Write `remove all keys from " + quoted + "`.");
    } else {
      const auto* text = try_as<TextExpr>(value);
      finding.hints.push_back("Write `remove key " + (text == nullptr ? "K" : "\"" + std::string(text->value) + "\"") +
                              " from " + quoted + "`.");
    }
    return;
  }
  const bool can_add = type == ValueType::kNumber || type == ValueType::kList;
  if (change != Change::kAdd || type == ValueType::kUnknown || can_add) return;
  Diagnostic& finding =
      report("Cannot add to this value - Expected Number or List but found " + std::string(type_word(type)), name.span,
             "WFL-T001");
  if (type == ValueType::kText) {
    finding.hints.push_back("A text is made longer with `change " + quoted + " to " + quoted + " with …`.");
  }
}

void TypeChecker::check_kept(const Expr& expr) {
  if (type_of(expr) == ValueType::kKeystore) {
    report("A keystore can't be kept in a keystore", expr.span, "WFL-T007");
  } else if (type_of(expr) == ValueType::kPattern) {
    report("A pattern can't be kept in a keystore", expr.span, "WFL-T007")
        .hints.push_back("Keep the text the pattern is made from.");
  }
}

void TypeChecker::check_key(const Expr* expr, bool may_be_empty) {
  if (expr == nullptr) return;
  const ValueType type = type_of(*expr);
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
  const ValueType type = type_of(*expr);
  if (type == ValueType::kUnknown || type == ValueType::kKeystore) return;
  report(
      "'" + std::string(statement) + "' needs a keystore - Expected Keystore but found " + std::string(type_word(type)),
      expr->span, "WFL-T005");
}

}  // namespace wfl::check
