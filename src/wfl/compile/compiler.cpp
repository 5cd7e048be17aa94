#include "wfl/compile/compiler.h"

#include "wfl/compile/compiler_impl.h"

namespace wfl::compile {

std::unique_ptr<vm::FunctionProto> Compiler::run() {
  facts_ = facts_of(program_);
  FunctionState state;
  state.is_main = true;
  state.proto->span = {program_.source->id(), 0, 0};
  state.span = state.proto->span;
  // Actions of the top level reach its variables as globals; only those inside a loop or the like share registers.
  add_inner_function_words(program_.statements, program_.source->text(), state.inner_words, true);
  state.has_inner = !state.inner_words.empty();
  begin_function(state);
  push_scope(&program_.statements);
  state.result_register = take();
  state.scopes.back().reserved = mark();
  load(static_cast<Register>(state.result_register), kNull);
  for (std::size_t i = 0; i < program_.statements.size() && !error_; ++i) {
    // A `break` outside of all loops leaves the statement it is in; the program goes on with the next one.
    const std::size_t definite = branch_mark();
    statement(*program_.statements[i], options_.result_wanted && i + 1 == program_.statements.size());
    if (state.strays.empty()) continue;
    patch_all(state.strays);
    state.strays.clear();
    forget_dead_registers();
    take_back(definite);
  }
  emit(Op::kReturn, static_cast<std::uint32_t>(state.result_register));
  return end_function();
}

std::expected<std::unique_ptr<vm::FunctionProto>, CompileError> compile(const syntax::Program& program, vm::Vm& vm,
                                                                        vm::Module& module, const Options& options) {
  Compiler first(program, vm, module, options, false);
  std::unique_ptr<vm::FunctionProto> function = first.run();
  if (first.error()) return std::unexpected(*first.error());
  if (!first.needs_long_jumps()) return function;
  Compiler second(program, vm, module, options, true);
  function = second.run();
  if (second.error()) return std::unexpected(*second.error());
  return function;
}

}  // namespace wfl::compile
