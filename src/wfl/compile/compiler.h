// From the syntax tree to bytecode.
//
// Names become registers, cells or globals here; nothing is looked up by name while the program runs. Where the
// language leaves open until run time which variable a name means (a `store` may or may not meet an outer variable),
// the code tries the possible places in order, and the undefined marker tells whether a variable exists there yet.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "wfl/syntax/ast.h"
#include "wfl/vm/vm.h"

namespace wfl::compile {

struct Options {
  // All top-level variables stay reachable by name after the run: for a REPL, for `include`, for whoever reads globals.
  // Without it, a variable that no action uses lives in a register.
  bool keep_globals = false;
  // The text is an included file or a module: leaving a loop that isn't there is an error.
  bool imported = false;
  // The main function returns the value of the last statement if it is an expression (for a REPL).
  bool result_wanted = false;
  // In front of each statement, wherever it stands, the host function debug.step is called with its place.
  bool stepwise = false;
};

struct CompileError {
  std::string message;
  syntax::SourceSpan span;
};

// Compiles a whole program into the module. Fails only if the program is too large for the instruction format.
[[nodiscard]] std::expected<std::unique_ptr<vm::FunctionProto>, CompileError> compile(const syntax::Program& program,
                                                                                      vm::Vm& vm, vm::Module& module,
                                                                                      const Options& options = {});

}  // namespace wfl::compile
