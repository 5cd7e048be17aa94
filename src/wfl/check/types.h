// The type checker: looks at what an expression's type certainly is and says where an operation can't work with it. Its
// findings never stop a program.
//
// Of variables it knows only those that have one type wherever the whole text binds them. So it can look at an
// expression only when the whole text has been read: the analyzer notes all bindings first (note_binding) and lets the
// checks run at its end.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
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
  kKeystore,
};

[[nodiscard]] std::string_view type_word(ValueType type);  // As `typeof` says it.

// The type the expression's value has whenever it has one; kUnknown when that can't be told.
[[nodiscard]] ValueType certain_type(const syntax::Expr& expr);
// The type a declaration asks for; kUnknown for those that accept anything or whose values can't be told apart here.
[[nodiscard]] ValueType declared_type(const syntax::TypeRef* type);

class TypeChecker {
 public:
  // A name is bound to a value of this type, somewhere in the text.
  void note_binding(std::string_view name, ValueType type);
  // From here on variables are looked at too.
  void follow_variables() { follows_variables_ = true; }
  [[nodiscard]] ValueType type_of(const syntax::Expr& expr) const;

  // Looks at one expression, not at the expressions inside it.
  void check(const syntax::Expr& expr);
  // What `for each` goes through.
  void check_iterable(const syntax::Expr& expr);
  // A place that takes a number; `message` is a whole sentence.
  void check_number(const syntax::Expr* expr, std::string_view message);
  // What `add`, `remove` and `clear` work on.
  enum class Change : std::uint8_t { kAdd, kRemove, kClear };
  void check_changed(const syntax::Name& name, Change change, const syntax::Expr* value);
  // What is to be kept in a keystore.
  void check_kept(const syntax::Expr& expr);
  // A key of a keystore: a text or a number.
  void check_key(const syntax::Expr* expr, bool may_be_empty = false);
  // The keystore operand of a statement.
  void check_keystore(const syntax::Expr* expr, std::string_view statement);

  std::vector<syntax::Diagnostic> findings;

 private:
  syntax::Diagnostic& report(std::string message, syntax::SourceSpan span, const char* code);
  void check_builtin(const syntax::CallExpr& call);
  void check_binary(const syntax::BinaryExpr& binary);
  void check_index(const syntax::IndexExpr& index);
  [[nodiscard]] std::string keystore_name(const syntax::Expr& expr) const;

  std::unordered_map<std::string_view, ValueType> bindings_;
  bool follows_variables_ = false;
  std::unordered_set<const syntax::BinaryExpr*> measured_sums_;  // See length_reading.h.
};

}  // namespace wfl::check
