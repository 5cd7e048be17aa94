#pragma once

#include "wfl/syntax/ast_node.h"

namespace wfl::syntax {

enum class ExprKind : std::uint8_t {
  Number,
  Text,
  Boolean,
  Nothing,
  List,
  PatternText,
  Variable,
  Unary,
  Binary,
  Between,
  Concat,
  Call,
  Index,
  Property,
  MethodCall,
  PatternMatch,
  Find,
  Replace,
  Split,
  FileExists,
  DirectoryExists,
  FileSize,
  ListFiles,
  ReadContent,
  ReadBinary,
  ProcessRunning,
  Header,
  CurrentMilliseconds,
  CurrentFormatted,
  DatabaseQuery,
  KeystoreContains,
};

// `42`, `2.5`. There is one number type; `is_integer` only says how it was written.
struct NumberExpr : ExprNode<ExprKind::Number> {
  using ExprNode::ExprNode;
  double value = 0;
  bool is_integer = false;
};

// `"…"`, escapes already replaced; UTF-8.
struct TextExpr : ExprNode<ExprKind::Text> {
  using ExprNode::ExprNode;
  std::string_view value;
};

struct BooleanExpr : ExprNode<ExprKind::Boolean> {
  using ExprNode::ExprNode;
  bool value = false;
};

// `nothing`, `missing`, `undefined`.
struct NothingExpr : ExprNode<ExprKind::Nothing> {
  using ExprNode::ExprNode;
};

// `[a, b and c]`, and `create list` as an expression (empty).
struct ListExpr : ExprNode<ExprKind::List> {
  using ExprNode::ExprNode;
  ExprList items;
};

// `pattern "…"`: a pattern that matches this text literally.
struct PatternTextExpr : ExprNode<ExprKind::PatternText> {
  using ExprNode::ExprNode;
  std::string_view text;
};

// A name that is read. A bare name of an action without parameters, or of a built-in without parameters, calls it
// (3.2). Contextual keywords (`count`, `list`, …) and `store` (where an operand must start) come as variables of that
// name too.
struct VariableExpr : ExprNode<ExprKind::Variable> {
  using ExprNode::ExprNode;
  std::string_view name;
};

enum class UnaryOp : std::uint8_t { Not, Minus };

struct UnaryExpr : ExprNode<ExprKind::Unary> {
  using ExprNode::ExprNode;
  UnaryOp op = UnaryOp::Not;
  const Expr* operand = nullptr;
};

enum class BinaryOp : std::uint8_t {
  Plus,
  Minus,
  Times,
  Divide,
  Modulo,
  Equal,
  NotEqual,
  Greater,
  Less,
  GreaterEqual,
  LessEqual,
  And,  // No short circuit: both sides are always evaluated.
  Or,
  Contains,    // `A contains B`, also written `contains B in A`.
  StartsWith,  // `A starts with B`
  EndsWith,
};

struct BinaryExpr : ExprNode<ExprKind::Binary> {
  using ExprNode::ExprNode;
  BinaryOp op = BinaryOp::Plus;
  SourceSpan op_span;
  const Expr* left = nullptr;
  const Expr* right = nullptr;
};

// `A is between LOW and HIGH`, both ends included.
struct BetweenExpr : ExprNode<ExprKind::Between> {
  using ExprNode::ExprNode;
  const Expr* subject = nullptr;
  const Expr* low = nullptr;
  const Expr* high = nullptr;
};

// `A with B with C`: the display texts of the parts, in order. At least two parts; none of them is itself a Concat that
// came without parentheses.
struct ConcatExpr : ExprNode<ExprKind::Concat> {
  using ExprNode::ExprNode;
  ExprList parts;
};

enum class CallForm : std::uint8_t {
  Of,    // `NAME of a and b`: a call, or a field of a map (3.3).
  Call,  // `call NAME with a and b`
  With,  // `NAME with a and b`; the parser knows the names of built-ins, and the file's actions that need values.
};

struct Argument {
  Name label;  // `name: value`; empty in most calls. Has no effect at run time (positional binding).
  const Expr* value = nullptr;
};

struct CallExpr : ExprNode<ExprKind::Call> {
  using ExprNode::ExprNode;
  CallForm form = CallForm::Of;
  Name name;                     // Set if the callee is a plain name …
  const Expr* callee = nullptr;  // … else this (only with Of: `handlers at 0 of x`).
  std::span<const Argument> arguments;
};

enum class IndexForm : std::uint8_t { Bracket, At, Direct };

// `items[i]`, `items at i`, `items 0`.
struct IndexExpr : ExprNode<ExprKind::Index> {
  using ExprNode::ExprNode;
  IndexForm form = IndexForm::Bracket;
  const Expr* collection = nullptr;
  const Expr* index = nullptr;
};

// `object.name`; the object may also be the name of a container (static property).
struct PropertyExpr : ExprNode<ExprKind::Property> {
  using ExprNode::ExprNode;
  const Expr* object = nullptr;
  Name name;
};

// `object.name(a, b)`; the object may also be the name of a container (static action).
struct MethodCallExpr : ExprNode<ExprKind::MethodCall> {
  using ExprNode::ExprNode;
  const Expr* object = nullptr;
  Name name;
  ExprList arguments;
};

// `T matches [pattern] P`, `T contains pattern P`.
struct PatternMatchExpr : ExprNode<ExprKind::PatternMatch> {
  using ExprNode::ExprNode;
  const Expr* text = nullptr;
  const Expr* pattern = nullptr;
};

// `find P in T`, `T find [pattern] P`.
struct FindExpr : ExprNode<ExprKind::Find> {
  using ExprNode::ExprNode;
  const Expr* text = nullptr;
  const Expr* pattern = nullptr;
};

// `replace P with R in T`, `T replace [pattern] P with R`.
struct ReplaceExpr : ExprNode<ExprKind::Replace> {
  using ExprNode::ExprNode;
  const Expr* text = nullptr;
  const Expr* pattern = nullptr;
  const Expr* replacement = nullptr;
};

// `split T by D` (text), `split T on pattern P`, `T split … on P`.
struct SplitExpr : ExprNode<ExprKind::Split> {
  using ExprNode::ExprNode;
  bool on_pattern = false;
  const Expr* text = nullptr;
  const Expr* separator = nullptr;
};

// `file exists at P`
struct FileExistsExpr : ExprNode<ExprKind::FileExists> {
  using ExprNode::ExprNode;
  const Expr* path = nullptr;
};

// `directory exists at P`
struct DirectoryExistsExpr : ExprNode<ExprKind::DirectoryExists> {
  using ExprNode::ExprNode;
  const Expr* path = nullptr;
};

// `file size of F`: F is a handle or a path.
struct FileSizeExpr : ExprNode<ExprKind::FileSize> {
  using ExprNode::ExprNode;
  const Expr* file = nullptr;
};

// `list files [recursively] in P [with extension(s)/pattern …]`
struct ListFilesExpr : ExprNode<ExprKind::ListFiles> {
  using ExprNode::ExprNode;
  const Expr* path = nullptr;
  bool recursive = false;
  bool filtered = false;  // A `with` clause was written; `extensions` holds its texts or lists of texts.
  ExprList extensions;
};

// `read content from F`
struct ReadContentExpr : ExprNode<ExprKind::ReadContent> {
  using ExprNode::ExprNode;
  const Expr* file = nullptr;
};

// `read binary from F` (count is null) or `read N bytes from F`.
struct ReadBinaryExpr : ExprNode<ExprKind::ReadBinary> {
  using ExprNode::ExprNode;
  const Expr* file = nullptr;
  const Expr* count = nullptr;
};

// `process P is running`
struct ProcessRunningExpr : ExprNode<ExprKind::ProcessRunning> {
  using ExprNode::ExprNode;
  const Expr* process = nullptr;
};

// `header "Name" of R`
struct HeaderExpr : ExprNode<ExprKind::Header> {
  using ExprNode::ExprNode;
  std::string_view header;
  const Expr* request = nullptr;
};

// `current time in milliseconds`
struct CurrentMillisecondsExpr : ExprNode<ExprKind::CurrentMilliseconds> {
  using ExprNode::ExprNode;
};

// `current time formatted as "…"`
struct CurrentFormattedExpr : ExprNode<ExprKind::CurrentFormatted> {
  using ExprNode::ExprNode;
  std::string_view format;
};

// `query DB with SQL [and parameters L]` (rows) or `execute DB with SQL …` (changes). Only as the value of `store …
// as`, `create … as`, `give back` and `return`.
struct DatabaseQueryExpr : ExprNode<ExprKind::DatabaseQuery> {
  using ExprNode::ExprNode;
  bool returns_rows = true;
  const Expr* database = nullptr;
  const Expr* sql = nullptr;
  const Expr* parameters = nullptr;  // May be null.
};

// `S contains key K`. When `today_item` is set, the words could also be read as before keystores came (`S contains
// NAME` with the variable `key k1`): if S is a keystore at run time this asks for the key `key`, else it is `S contains
// today_item`. When `today_item` is null, only the keystore's reading exists.
struct KeystoreContainsExpr : ExprNode<ExprKind::KeystoreContains> {
  using ExprNode::ExprNode;
  const Expr* container = nullptr;
  const Expr* key = nullptr;
  const Expr* today_item = nullptr;
};

}  // namespace wfl::syntax
