// Names and scopes as the analyzer sees them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "wfl/check/types.h"
#include "wfl/syntax/ast.h"

namespace wfl::check {

enum class SymbolKind : std::uint8_t { kVariable, kAction, kContainer, kOther };

struct Symbol {
  SymbolKind kind = SymbolKind::kVariable;
  syntax::SourceSpan span = {};
  bool known_place = true;      // False for names that come from outside of the text.
  bool changeable = true;       // `change` may set it: not so for constants, parameters, loop variables.
  bool constant = false;        // Declared as a constant: nothing may change it.
  bool replaceable = false;     // A binder may define it again (names from outside).
  bool maybe_callable = false;  // Its value may be an action.
  bool used = false;
  ValueType type = ValueType::kUnknown;                        // What it is bound to, where that is certain.
  std::vector<const syntax::DefineActionStmt*> versions = {};  // Of an action.
};

// One static scope. Scopes form a stack; a block's scope ends with the block.
using Scope = std::unordered_map<std::string_view, Symbol>;

class ScopeStack {
 public:
  ScopeStack() { scopes_.emplace_back(); }

  void push() { scopes_.emplace_back(); }
  // Takes the innermost scope away and gives it back, for blocks whose names live on.
  Scope pop() {
    Scope top = std::move(scopes_.back());
    scopes_.pop_back();
    return top;
  }
  Scope& current() { return scopes_.back(); }
  [[nodiscard]] std::size_t depth() const { return scopes_.size(); }

  Symbol* find(std::string_view name) {
    for (auto it = scopes_.rbegin(); it != scopes_.rend(); ++it) {
      if (const auto found = it->find(name); found != it->end()) return &found->second;
    }
    return nullptr;
  }
  Symbol* find_here(std::string_view name) {
    const auto found = scopes_.back().find(name);
    return found == scopes_.back().end() ? nullptr : &found->second;
  }
  void set(std::string_view name, Symbol symbol) { scopes_.back().insert_or_assign(name, std::move(symbol)); }

  [[nodiscard]] std::vector<std::string_view> names() const {
    std::vector<std::string_view> all;
    for (const Scope& scope : scopes_) {
      for (const auto& [name, symbol] : scope) all.push_back(name);
    }
    return all;
  }

 private:
  std::vector<Scope> scopes_;
};

}  // namespace wfl::check
