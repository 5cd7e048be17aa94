#pragma once

#include <cassert>
#include <cstdint>
#include <span>
#include <string_view>

#include "wfl/syntax/source.h"

namespace wfl::syntax {

// The parser refuses trees that are deeper than this, so every later stage may walk a tree by plain recursion. A
// left-leaning chain such as `1 plus 1 plus 1 …` counts with one level per operator; `with` chains are flat and count
// once.
inline constexpr std::uint32_t kMaxTreeDepth = 2000;

enum class ExprKind : std::uint8_t;
enum class StmtKind : std::uint8_t;

struct Expr {
  ExprKind kind;
  std::uint32_t depth = 1;  // Levels from here down to the deepest leaf; kept by the parser.
  SourceSpan span;

 protected:
  Expr(ExprKind k, SourceSpan s) : kind(k), span(s) {}
};

struct Stmt {
  StmtKind kind;
  SourceSpan span;  // The whole statement, for a block statement through its `end …`.
  SourceSpan head;  // What to underline in a message: the first line's words up to the body, else the same as `span`.

 protected:
  Stmt(StmtKind k, SourceSpan s) : kind(k), span(s), head(s) {}
};

template <ExprKind K>
struct ExprNode : Expr {
  static constexpr ExprKind kKind = K;
  explicit ExprNode(SourceSpan s) : Expr(K, s) {}
};

template <StmtKind K>
struct StmtNode : Stmt {
  static constexpr StmtKind kKind = K;
  explicit StmtNode(SourceSpan s) : Stmt(K, s) {}
};

// Access to the node behind the kind. `as` is for the arm of a switch, `try_as` for a question.
template <typename T, typename Base>
const T& as(const Base& node) {
  assert(node.kind == T::kKind);
  return static_cast<const T&>(node);
}

template <typename T, typename Base>
const T* try_as(const Base* node) {
  return node != nullptr && node->kind == T::kKind ? static_cast<const T*>(node) : nullptr;
}

// A name as the program spells it; several words are joined by one blank. Resolving it to a slot is the compiler's job.
struct Name {
  std::string_view text;
  SourceSpan span;

  bool empty() const { return text.empty(); }
  explicit operator bool() const { return !text.empty(); }
};

using ExprList = std::span<const Expr* const>;
using StmtList = std::span<const Stmt* const>;

struct Block {
  StmtList statements;
  SourceSpan span;
};

// A type as it is written in an action header, a property or an interface.
enum class TypeKind : std::uint8_t {
  Text,
  Number,
  Boolean,
  Nothing,
  Pattern,
  Date,
  Time,
  DateTime,
  Binary,
  Any,
  List,      // `list of T`; `inner` is null for a plain `List`.
  Map,       // `map of K to V`: `inner` is the key's type, `second` the value's.
  Optional,  // `optional of T`
  Named,     // A container or interface.
};

struct TypeRef {
  TypeKind kind = TypeKind::Any;
  Name name;  // The words as written.
  const TypeRef* inner = nullptr;
  const TypeRef* second = nullptr;
};

}  // namespace wfl::syntax
