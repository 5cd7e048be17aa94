#include "wfl/syntax/ast_dump.h"

#include <charconv>

#include "wfl/syntax/ast_dump_text.h"

namespace wfl::syntax {

namespace dumping {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\0':
        out += "\\0";
        break;
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      default:
        out += c;
    }
  }
  return out + "\"";
}

std::string named(std::string_view name) {
  return "<" + std::string(name) + ">";
}
std::string named(const Name& name) {
  return named(name.text);
}

std::string number(double value) {
  char buffer[400];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end.ptr};
}

std::string_view operator_name(BinaryOp op) {
  switch (op) {
    case BinaryOp::Plus:
      return "plus";
    case BinaryOp::Minus:
      return "minus";
    case BinaryOp::Times:
      return "times";
    case BinaryOp::Divide:
      return "divide";
    case BinaryOp::Modulo:
      return "modulo";
    case BinaryOp::Equal:
      return "equal";
    case BinaryOp::NotEqual:
      return "not-equal";
    case BinaryOp::Greater:
      return "greater";
    case BinaryOp::Less:
      return "less";
    case BinaryOp::GreaterEqual:
      return "greater-equal";
    case BinaryOp::LessEqual:
      return "less-equal";
    case BinaryOp::And:
      return "and";
    case BinaryOp::Or:
      return "or";
    case BinaryOp::Contains:
      return "contains";
    case BinaryOp::StartsWith:
      return "starts-with";
    case BinaryOp::EndsWith:
      return "ends-with";
  }
  return "";
}

std::string unit_name(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::Milliseconds:
      return "milliseconds";
    case TimeUnit::Seconds:
      return "seconds";
    case TimeUnit::Minutes:
      return "minutes";
    case TimeUnit::Hours:
      return "hours";
    case TimeUnit::Days:
      return "days";
  }
  return "";
}

// ---- Expressions ----

std::string form(std::string_view head, std::initializer_list<const Expr*> operands) {
  std::string out = "(" + std::string(head);
  for (const Expr* operand : operands) {
    if (operand != nullptr) {
      out += " " + text_of(operand);
    }
  }
  return out + ")";
}

std::string list_of(ExprList items, std::string_view separator) {
  std::string out;
  for (const Expr* item : items) {
    out += out.empty() ? "" : separator;
    out += text_of(item);
  }
  return out;
}

std::string arguments_of(std::span<const Argument> arguments) {
  std::string out;
  for (const Argument& argument : arguments) {
    out += " ";
    if (argument.label) {
      out += std::string(argument.label.text) + ": ";
    }
    out += text_of(argument.value);
  }
  return out;
}

std::string text_of(const Expr* expr) {
  if (expr == nullptr) {
    return "?";
  }
  switch (expr->kind) {
    case ExprKind::Number:
      return number(as<NumberExpr>(*expr).value);
    case ExprKind::Text:
      return quoted(as<TextExpr>(*expr).value);
    case ExprKind::Boolean:
      return as<BooleanExpr>(*expr).value ? "yes" : "no";
    case ExprKind::Nothing:
      return "nothing";
    case ExprKind::List:
      return "[" + list_of(as<ListExpr>(*expr).items, ", ") + "]";
    case ExprKind::PatternText:
      return "(pattern " + quoted(as<PatternTextExpr>(*expr).text) + ")";
    case ExprKind::Variable:
      return named(as<VariableExpr>(*expr).name);
    case ExprKind::Unary: {
      const auto& node = as<UnaryExpr>(*expr);
      return form(node.op == UnaryOp::Not ? "not" : "negate", {node.operand});
    }
    case ExprKind::Binary: {
      const auto& node = as<BinaryExpr>(*expr);
      return form(operator_name(node.op), {node.left, node.right});
    }
    case ExprKind::Between: {
      const auto& node = as<BetweenExpr>(*expr);
      return form("between", {node.subject, node.low, node.high});
    }
    case ExprKind::Concat:
      return "(concat " + list_of(as<ConcatExpr>(*expr).parts) + ")";
    case ExprKind::Call: {
      const auto& node = as<CallExpr>(*expr);
      const std::string_view head = node.form == CallForm::Of ? "of" : node.form == CallForm::Call ? "call" : "with";
      return "(" + std::string(head) + " " + (node.name ? named(node.name) : text_of(node.callee)) +
             arguments_of(node.arguments) + ")";
    }
    case ExprKind::Index: {
      const auto& node = as<IndexExpr>(*expr);
      return form("index", {node.collection, node.index});
    }
    case ExprKind::Property: {
      const auto& node = as<PropertyExpr>(*expr);
      return "(property " + text_of(node.object) + " " + named(node.name) + ")";
    }
    case ExprKind::MethodCall: {
      const auto& node = as<MethodCallExpr>(*expr);
      return "(method " + text_of(node.object) + " " + named(node.name) +
             (node.arguments.empty() ? "" : " " + list_of(node.arguments)) + ")";
    }
    case ExprKind::PatternMatch: {
      const auto& node = as<PatternMatchExpr>(*expr);
      return form("matches", {node.text, node.pattern});
    }
    case ExprKind::Find: {
      const auto& node = as<FindExpr>(*expr);
      return form("find", {node.text, node.pattern});
    }
    case ExprKind::Replace: {
      const auto& node = as<ReplaceExpr>(*expr);
      return form("replace", {node.text, node.pattern, node.replacement});
    }
    case ExprKind::Split: {
      const auto& node = as<SplitExpr>(*expr);
      return form(node.on_pattern ? "split-on" : "split-by", {node.text, node.separator});
    }
    case ExprKind::FileExists:
      return form("file-exists", {as<FileExistsExpr>(*expr).path});
    case ExprKind::DirectoryExists:
      return form("directory-exists", {as<DirectoryExistsExpr>(*expr).path});
    case ExprKind::FileSize:
      return form("file-size", {as<FileSizeExpr>(*expr).file});
    case ExprKind::ListFiles: {
      const auto& node = as<ListFilesExpr>(*expr);
      return "(list-files" + std::string(node.recursive ? "-recursively " : " ") + text_of(node.path) +
             (node.filtered ? " with [" + list_of(node.extensions, ", ") + "]" : "") + ")";
    }
    case ExprKind::ReadContent:
      return form("read-content", {as<ReadContentExpr>(*expr).file});
    case ExprKind::ReadBinary: {
      const auto& node = as<ReadBinaryExpr>(*expr);
      return form("read-binary", {node.file, node.count});
    }
    case ExprKind::ProcessRunning:
      return form("process-running", {as<ProcessRunningExpr>(*expr).process});
    case ExprKind::Header: {
      const auto& node = as<HeaderExpr>(*expr);
      return form("header " + quoted(node.header), {node.request});
    }
    case ExprKind::CurrentMilliseconds:
      return "(current-milliseconds)";
    case ExprKind::CurrentFormatted:
      return "(current-time " + quoted(as<CurrentFormattedExpr>(*expr).format) + ")";
    case ExprKind::DatabaseQuery: {
      const auto& node = as<DatabaseQueryExpr>(*expr);
      return form(node.returns_rows ? "query" : "execute", {node.database, node.sql, node.parameters});
    }
    case ExprKind::KeystoreContains: {
      const auto& node = as<KeystoreContainsExpr>(*expr);
      return "(contains-key " + text_of(node.container) + " " + text_of(node.key) +
             (node.today_item != nullptr ? " today=" + text_of(node.today_item) : "") + ")";
    }
  }
  return "?";
}

// ---- Patterns and types ----

std::string text_of(const Pattern& pattern) {
  std::string children;
  for (const Pattern* child : pattern.children) {
    children += " " + text_of(*child);
  }
  switch (pattern.kind) {
    case PatternKind::Literal:
      return quoted(pattern.text);
    case PatternKind::Letter:
      return "letter";
    case PatternKind::Digit:
      return "digit";
    case PatternKind::Whitespace:
      return "whitespace";
    case PatternKind::AnyCharacter:
      return "any";
    case PatternKind::UnicodeCategory:
      return "(category " + quoted(pattern.text) + ")";
    case PatternKind::UnicodeScript:
      return "(script " + quoted(pattern.text) + ")";
    case PatternKind::UnicodeProperty:
      return "(property " + quoted(pattern.text) + ")";
    case PatternKind::Sequence:
      return "(sequence" + children + ")";
    case PatternKind::Alternative:
      return "(or" + children + ")";
    case PatternKind::Repeat:
      return "(repeat " + std::to_string(pattern.min) + ".." +
             (pattern.max == kNoMaximum ? "" : std::to_string(pattern.max)) + children + ")";
    case PatternKind::Capture:
      return "(capture " + named(pattern.text) + children + ")";
    case PatternKind::SameAsCaptured:
      return "(same-as " + quoted(pattern.text) + ")";
    case PatternKind::StartOfText:
      return "start";
    case PatternKind::Ahead:
      return std::string("(") + (pattern.negated ? "not-ahead" : "ahead") + children + ")";
    case PatternKind::Behind:
      return std::string("(") + (pattern.negated ? "not-behind" : "behind") + children + ")";
    case PatternKind::ListName:
      return named(pattern.text);
  }
  return "?";
}

std::string text_of(const TypeRef& type) {
  switch (type.kind) {
    case TypeKind::Text:
      return "text";
    case TypeKind::Number:
      return "number";
    case TypeKind::Boolean:
      return "boolean";
    case TypeKind::Nothing:
      return "nothing";
    case TypeKind::Pattern:
      return "pattern";
    case TypeKind::Date:
      return "date";
    case TypeKind::Time:
      return "time";
    case TypeKind::DateTime:
      return "datetime";
    case TypeKind::Binary:
      return "binary";
    case TypeKind::Any:
      return "any";
    case TypeKind::List:
      return "list(" + (type.inner != nullptr ? text_of(*type.inner) : "") + ")";
    case TypeKind::Map:
      return "map(" + text_of(*type.inner) + "," + text_of(*type.second) + ")";
    case TypeKind::Optional:
      return "optional(" + text_of(*type.inner) + ")";
    case TypeKind::Named:
      return named(type.name);
  }
  return "?";
}

std::string parameters_of(std::span<const Parameter> parameters) {
  std::string out = "(";
  for (const Parameter& parameter : parameters) {
    out += out.size() > 1 ? ", " : "";
    out += named(parameter.name);
    out += parameter.type != nullptr ? ":" + text_of(*parameter.type) : "";
    out += parameter.default_value != nullptr ? "=" + text_of(parameter.default_value) : "";
  }
  return out + ")";
}

std::string text_of(const KeyRange& range) {
  std::string out = range.kind == RangeKind::All      ? "all"
                    : range.kind == RangeKind::Prefix ? "prefix=" + text_of(range.prefix)
                                                      : "from=" + text_of(range.from);
  if (range.kind == RangeKind::FromTo && range.to != nullptr) {
    out += " to=" + text_of(range.to);
  }
  out += range.reversed ? " reversed" : "";
  out += range.limit != nullptr ? " limit=" + text_of(range.limit) : "";
  return out;
}

}  // namespace dumping

std::string dump(const Expr& expr) {
  return dumping::text_of(&expr);
}

}  // namespace wfl::syntax
