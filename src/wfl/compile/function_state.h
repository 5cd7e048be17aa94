// One function being compiled: its code, constants and registers, and the scopes its names live in.
//
// Registers are handed out like a stack. A variable takes the next free one when its statement begins; temporaries come
// above all variables and are gone at the end of the statement. So everything above a call's arguments is free for the
// callee's frame.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "wfl/compile/scan.h"
#include "wfl/vm/vm.h"

namespace wfl::compile {

using Register = std::uint16_t;
using Position = std::uint32_t;  // Of an instruction.

// A variable the compiler knows. It exists at run time once its place is not undefined; `definite` says that at the
// point now being compiled it surely does.
struct Variable {
  enum class Place : std::uint8_t { kRegister, kBox, kGlobal } place;
  Register reg = 0;          // kRegister: the value; kBox: its cell.
  std::uint32_t global = 0;  // kGlobal
  bool definite = false;
  bool constant = false;
  std::string name;
};

struct Scope {
  std::unordered_map<std::string, Variable*> names;
  Register first_register = 0;
  std::uint32_t reserved = 0;  // Registers below are in use for as long as the scope is open.
  bool isolated = false;       // A test: what is outside is read as copies and can't be changed.
};

// What must happen when control leaves a block early.
struct LeavePath {
  enum class Kind : std::uint8_t { kBreak, kContinue, kReturn, kStatement };
  Kind kind;
  std::size_t loop;  // Index of the loop for kBreak and kContinue. kStatement leaves a statement of the top level.
};

struct Cleanup {
  enum class Kind : std::uint8_t { kIterator, kHostCall, kMainLoop, kFinally } kind;
  Register reg = 0;        // Iterator, argument of the host call, or state of the finally block (value is reg + 1).
  std::uint16_t host = 0;  // kHostCall
  std::vector<LeavePath> exits;  // kFinally: where to go on; number i is state i + 1.
  std::vector<Position> jumps;   // kFinally: to its start.
};

struct Loop {
  std::size_t cleanups;  // How many were open outside.
  std::vector<Position> breaks;
  std::vector<Position> continues;
  bool owns_cleanup = false;  // The last of `cleanups` is the loop's own: a break runs it, a continue does not.
};

struct FunctionState {
  std::unique_ptr<vm::FunctionProto> proto = std::make_unique<vm::FunctionProto>();
  FunctionState* outer = nullptr;
  const syntax::DefineContainerStmt* container = nullptr;  // When this is an action of one.
  WordSet inner_words;                                     // Mentioned by actions defined inside.
  bool has_inner = false;
  std::deque<Variable> variables;
  std::vector<Scope> scopes;
  std::vector<Variable*> became_definite;  // In order, so that a branch can take it back.
  std::vector<Loop> loops;
  std::vector<Cleanup> cleanups;
  std::vector<Position> strays;                       // Jumps to the end of the top level's present statement.
  std::vector<Register> batches;                      // Keystores of the open batch blocks.
  std::map<const Variable*, std::uint16_t> captured;  // Cells of the closure.
  std::map<std::uint64_t, std::uint32_t> value_constants;
  std::unordered_map<std::string, std::uint32_t> text_constants;
  std::unordered_map<std::string, std::uint16_t> host_indexes;
  std::uint32_t next_register = 0;
  vm::CodeSpan span;
  bool is_main = false;
  int result_register = -1;  // Where an action's last expression statement leaves its value.
};

}  // namespace wfl::compile
