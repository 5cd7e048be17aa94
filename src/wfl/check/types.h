// The type checker: looks at what an expression's type certainly is and says where an operation can't work with it. It
// follows no variables, so that what it says is nearly always right; its findings never stop a program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wfl/syntax/ast.h"
#include "wfl/syntax/diagnostic.h"

namespace wfl::check {

enum class ValueType : std::uint8_t {
  kUnknown,
  kNumber,
  kText,
  kBoolean,
  kList,
  kMap,
  kNothing,
  kDate,
  kTime,
  kDateTime,
  kBinary,
  kPattern,
};

[[nodiscard]] std::string_view type_word(ValueType type);  // As `typeof` says it.

// The type the expression's value has whenever it has one; kUnknown when that can't be told.
[[nodiscard]] ValueType certain_type(const syntax::Expr& expr);
// The type a declaration asks for; kUnknown for those that accept anything or whose values can't be told apart here.
[[nodiscard]] ValueType declared_type(const syntax::TypeRef* type);

class TypeChecker {
 public:
  // Looks at one expression, not at the expressions inside it.
  void check(const syntax::Expr& expr);
  // A key of a keystore: a text or a number.
  void check_key(const syntax::Expr* expr, bool may_be_empty = false);
  // The keystore operand of a statement.
  void check_keystore(const syntax::Expr* expr, std::string_view statement);

  std::vector<syntax::Diagnostic> findings;

 private:
  void report(std::string message, syntax::SourceSpan span, const char* code);
  void check_builtin(const syntax::CallExpr& call);
};

}  // namespace wfl::check
