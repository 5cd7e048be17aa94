#pragma once

// Inside of the dump: parts of the tree as text (ast_dump.cpp), used by the writer of statements
// (ast_dump_statement.cpp).

#include <string>
#include <string_view>

#include "wfl/syntax/ast.h"

namespace wfl::syntax::dumping {

std::string quoted(std::string_view text);
std::string named(std::string_view name);
std::string named(const Name& name);
std::string unit_name(TimeUnit unit);
std::string list_of(ExprList items, std::string_view separator = " ");
std::string text_of(const Expr* expr);  // A null expression (after an error) is `?`.
std::string text_of(const Pattern& pattern);
std::string text_of(const TypeRef& type);
std::string text_of(const KeyRange& range);
std::string parameters_of(std::span<const Parameter> parameters);

}  // namespace wfl::syntax::dumping
