// Questions about a program's statements that are answered before code is made: which names a statement binds, which
// words the bodies of actions mention, and which blocks a statement has.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "wfl/syntax/ast.h"

namespace wfl::compile {

// How a block relates to the scope around it.
enum class BlockScope : std::uint8_t {
  kSame,   // Runs in the surrounding scope, perhaps not at all (check, route, repeat until, batch).
  kInner,  // Has its own scope (loops, try, describe, test).
};

// Calls visit for each block of a statement; not for the bodies of actions and containers.
void for_each_block(const syntax::Stmt& stmt, const std::function<void(const syntax::StmtList&, BlockScope)>& visit);

// Calls visit for each name the statement itself binds in its scope: not for those of its blocks, loop variables,
// parameters.
void for_each_bound_name(const syntax::Stmt& stmt, const std::function<void(std::string_view)>& visit);

struct Binding {
  std::string name;
  bool conditional;  // Bound in a block that may not run.
};
// The names bound in one scope: by its statements and by those of blocks that run in the same scope.
std::vector<Binding> bindings_of(const syntax::StmtList& statements);

// Whether a statement in these blocks may give the name a new value.
bool may_write(const syntax::StmtList& statements, std::string_view name);

// The words of a text: a superset of the words of all names in it. A name can only be mentioned where all its words
// are.
class WordSet {
 public:
  void add_text(std::string_view text);
  [[nodiscard]] bool may_mention(std::string_view name) const;
  [[nodiscard]] bool empty() const { return words_.empty(); }
  [[nodiscard]] bool has_word(std::string_view word) const { return words_.contains(std::string(word)); }

 private:
  std::unordered_set<std::string> words_;
};

// What there is to know about a whole file.
struct FileFacts {
  WordSet function_words;  // Mentioned in an action or container.
  std::unordered_set<std::string> action_names;
  std::unordered_set<std::string> bound_names;   // Bound by other statements, anywhere.
  std::unordered_set<std::string> global_names;  // Bound at the top level.
  std::unordered_map<std::string, const syntax::DefineContainerStmt*> containers;
  bool open_world = false;  // Other files may read or write this one's variables.
};
FileFacts facts_of(const syntax::Program& program);

// Adds the texts of all actions that are defined in these statements, at any depth of blocks.
// With `skip_same_scope` not of those that belong to the outermost scope itself.
void add_inner_function_words(const syntax::StmtList& statements, std::string_view source, WordSet& words,
                              bool skip_same_scope = false);

}  // namespace wfl::compile
