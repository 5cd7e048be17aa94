// The compiler's class, shared between its files: emission and registers (emit.cpp), names (names.cpp), expressions
// (expressions.cpp), statements (statements.cpp), loops, errors and leaving blocks (flow.cpp), actions, containers and
// tests (definitions.cpp), and the statements that call host functions (host_statements.cpp, keystore_statements.cpp).
#pragma once

#include <initializer_list>
#include <optional>

#include "wfl/compile/compiler.h"
#include "wfl/compile/function_state.h"
#include "wfl/vm/interpreter.h"

namespace wfl::compile {

class Compiler {
 public:
  Compiler(const syntax::Program& program, vm::Vm& vm, vm::Module& module, const Options& options, bool long_jumps)
      : program_(program), vm_(vm), module_(module), options_(options), long_jumps_(long_jumps) {}

  std::unique_ptr<vm::FunctionProto> run();
  [[nodiscard]] bool needs_long_jumps() const { return needs_long_jumps_; }
  [[nodiscard]] const std::optional<CompileError>& error() const { return error_; }

 private:
  using Op = vm::Op;
  enum Singleton : std::uint16_t { kUndefined = 0, kNull = 2, kNothing = 3, kNo = 4, kYes = 5 };

  // --- emit.cpp
  Position emit(Op op, std::uint32_t a = 0, std::uint32_t b = 0, std::uint32_t c = 0);
  Position emit_wide(Op op, std::uint32_t a, std::int32_t value);
  Position here() const { return static_cast<Position>(f_->proto->code.size()); }
  void patch(Position jump) { patch_to(jump, here()); }
  void patch_to(Position jump, Position target);
  void patch_all(const std::vector<Position>& jumps) {
    for (const Position jump : jumps) patch(jump);
  }
  void emit_loop(Position target);
  Register take(std::uint32_t count = 1);
  void release_to(std::uint32_t mark) { f_->next_register = mark; }
  std::uint32_t mark() const { return f_->next_register; }
  void forget_dead_registers();
  std::uint32_t constant(vm::Value value);
  std::uint32_t text_constant(std::string_view text);
  std::uint16_t short_constant(std::uint32_t index);
  void load_text(Register target, std::string_view text);
  void load_number(Register target, double number);
  void load(Register target, Singleton value) { emit(Op::kLoadSingleton, target, value); }
  void raise(const std::string& message);
  void intrinsic(vm::IntrinsicId id, Register first, std::uint32_t count);
  std::uint16_t host_index(std::string_view name);
  void too_large(std::string what);
  void protect(vm::Protection::Kind kind, Position begin, Position end, std::uint32_t target, Register reg);
  vm::CodeSpan at(syntax::SourceSpan span);  // Sets the place of what follows; returns the old one.
  void at(vm::CodeSpan span) { f_->span = span; }

  // --- names.cpp
  struct Candidate {
    enum class Kind : std::uint8_t { kVariable, kCell, kField, kGlobal } kind;
    Variable* variable = nullptr;  // kVariable, kCell
    std::uint32_t index = 0;       // Cell, global slot
    bool definite = false;
    bool constant = false;
    bool isolated = false;
    bool own = false;  // In the innermost scope.
  };
  std::vector<Candidate> resolve(std::string_view name);
  void resolve_in(FunctionState& function, std::string_view name, bool isolated, std::vector<Candidate>& out);
  std::uint16_t capture(FunctionState& user, FunctionState& owner, Variable* variable);
  bool may_be_field(const FunctionState& function, std::string_view name) const;
  bool may_be_global(std::string_view name) const;
  bool is_visible(std::string_view name);
  bool is_native(std::string_view name) const;
  // Whether an action defined inside this one may use the name.
  bool is_shared(std::string_view name) const { return f_->has_inner && f_->inner_words.may_mention(name); }
  bool may_be_action(std::string_view name) const;
  void load_candidate(const Candidate& candidate, std::string_view name, Register target, bool checked);
  void store_candidate(const Candidate& candidate, std::string_view name, Register value);
  // Reads a variable. Without a target the register may be the variable's own.
  Register read_name(std::string_view name, int target);
  // As above, but undefined instead of an error.
  void read_raw(std::string_view name, Register target);
  void store_name(std::string_view name, Register value);   // `store X as`
  void change_name(std::string_view name, Register value);  // `change X to`
  Variable* declare(std::string_view name, bool predeclared = false);
  Variable* bind_register(std::string_view name, Register value);
  Variable* own(std::string_view name);
  void define_name(std::string_view name, Register value);  // In the innermost scope, whatever is outside.
  void make_definite(Variable* variable);
  void push_scope(const syntax::StmtList* statements, bool all_conditional = false, bool isolated = false);
  void pop_scope();
  std::size_t branch_mark() const { return f_->became_definite.size(); }
  std::vector<Variable*> take_back(std::size_t mark);
  // If a store of this name now surely goes to a plain register, that register, else -1.
  int direct_register(std::string_view name);
  void store_expression(std::string_view name, const syntax::Expr& value, bool change);

  // --- expressions.cpp
  Register expression(const syntax::Expr& expr, int target = -1);
  Register expression_in(const syntax::Expr& expr) { return expression(expr, take()); }
  Register binary(const syntax::BinaryExpr& expr, int target);
  Register call(const syntax::CallExpr& expr, int target);
  Register length_of_sum(const syntax::CallExpr& expr, const syntax::Expr& first, int target);
  Register list(std::span<const syntax::Expr* const> items, int target);
  Register keystore_contains(const syntax::KeystoreContainsExpr& expr, int target);
  Register finish(Register result, int target);
  void condition(const syntax::Expr& expr, bool jump_when, std::vector<Position>& jumps);
  std::optional<double> literal_number(const syntax::Expr& expr) const;
  Position host_check(Register value, std::string_view type_name);  // Returns the jump taken when it is another type.

  // A call of a host function: arguments in order, then run.
  class HostCall {
   public:
    HostCall(Compiler& compiler, std::string_view name)
        : c_(compiler), name_(name), base_(static_cast<Register>(compiler.mark())) {}
    HostCall& value(const syntax::Expr& expr) {
      c_.expression(expr, c_.take());
      return *this;
    }
    HostCall& optional(const syntax::Expr* expr, Singleton absent);
    HostCall& reg(Register r) {
      c_.emit(Op::kMove, c_.take(), r);
      return *this;
    }
    HostCall& flag(bool yes) {
      c_.load(c_.take(), yes ? kYes : kNo);
      return *this;
    }
    HostCall& absent(Singleton what) {
      c_.load(c_.take(), what);
      return *this;
    }
    HostCall& text(std::string_view t) {
      c_.load_text(c_.take(), t);
      return *this;
    }
    HostCall& number(double n) {
      c_.load_number(c_.take(), n);
      return *this;
    }
    Register run();  // The result's register: the first of the arguments, still taken.
   private:
    Compiler& c_;
    std::string_view name_;
    Register base_;
  };

  // --- statements.cpp
  void statements(const syntax::StmtList& list, bool tail);
  void statement(const syntax::Stmt& stmt, bool tail);
  void statement_body(const syntax::Stmt& stmt, bool tail);
  bool core_statement(const syntax::Stmt& stmt, bool tail);
  bool flow_statement(const syntax::Stmt& stmt, bool tail);
  bool definition_statement(const syntax::Stmt& stmt);
  bool host_statement(const syntax::Stmt& stmt);
  bool web_statement(const syntax::Stmt& stmt);
  bool keystore_statement(const syntax::Stmt& stmt);
  void arithmetic(const syntax::Stmt& place, Op op, std::string_view name, const syntax::Expr& value);
  void define_result(const syntax::Name& name, Register value);
  void store_result(const syntax::Name& name, Register value);

  // --- flow.cpp
  void if_statement(const syntax::IfStmt& stmt, bool tail);
  void route(const syntax::RouteStmt& stmt, bool tail);
  void for_each(const syntax::ForEachStmt& stmt);
  void count(const syntax::CountStmt& stmt);
  void repeat_while(const syntax::RepeatWhileStmt& stmt);
  void repeat_until(const syntax::RepeatUntilStmt& stmt);
  void forever(const syntax::Block& body, bool main_loop);
  void try_statement(const syntax::TryStmt& stmt, bool tail);
  void guarded(const syntax::Expr& subject, const syntax::Block& body, std::string_view family, bool keystore,
               bool tail);
  void leave(LeavePath path, int value);
  void leave_no_loop(std::string_view word);
  void branch_ends(const std::vector<std::vector<Variable*>>& branches, bool exhaustive);

  // --- definitions.cpp
  std::uint32_t function(std::string_view name, std::span<const syntax::Parameter> parameters,
                         const syntax::StmtList& body, syntax::SourceSpan span,
                         const syntax::DefineContainerStmt* container);
  void define_action(const syntax::DefineActionStmt& stmt);
  void define_container(const syntax::DefineContainerStmt& stmt);
  void define_interface(const syntax::DefineInterfaceStmt& stmt);
  void create_instance(const syntax::CreateInstanceStmt& stmt);
  void define_pattern(const syntax::DefinePatternStmt& stmt);
  void describe(const syntax::DescribeStmt& stmt);
  void test(const syntax::TestStmt& stmt);
  void expect(const syntax::ExpectStmt& stmt);
  void begin_function(FunctionState& state);
  std::unique_ptr<vm::FunctionProto> end_function();

  // --- keystore_statements.cpp
  void range(HostCall& host, const syntax::KeyRange* range, bool reversed = false);
  void lifetime(HostCall& host, const syntax::Lifetime* lifetime);
  void keystore_operand(HostCall& host, const syntax::Expr* keystore);
  bool today_by_name(const syntax::OtherReading& other, bool tail);

  const syntax::Program& program_;
  vm::Vm& vm_;
  vm::Module& module_;
  Options options_;
  bool long_jumps_;
  bool needs_long_jumps_ = false;
  std::optional<CompileError> error_;
  FileFacts facts_;
  FunctionState* f_ = nullptr;
  // An expression whose value is in a register already, while what is around it is compiled.
  const syntax::Expr* given_expression_ = nullptr;
  Register given_register_ = 0;
};

}  // namespace wfl::compile
