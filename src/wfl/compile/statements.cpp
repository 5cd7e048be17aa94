// Statements of the core: variables, collections, output, expressions.
#include "wfl/compile/compiler_impl.h"

namespace wfl::compile {

using namespace syntax;  // The code names nearly every statement node.
using vm::IntrinsicId;

void Compiler::statements(const StmtList& list, bool tail) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (error_) return;
    statement(*list[i], tail && i + 1 == list.size());
  }
}

// `tail`: the value of this statement, if it is an expression, is the result of the action.
void Compiler::statement(const Stmt& stmt, bool tail) {
  const vm::CodeSpan place = at(stmt.head);
  if (options_.stepwise) {
    const std::uint32_t before = mark();
    HostCall(*this, "debug.step").number(stmt.head.file).number(stmt.head.begin).run();
    release_to(before);
  }
  statement_body(stmt, tail);
  // Temporaries are gone; variables declared by the statement stay.
  if (f_->next_register > f_->scopes.back().reserved) release_to(f_->scopes.back().reserved);
  at(place);
}

void Compiler::statement_body(const Stmt& stmt, bool tail) {
  if (core_statement(stmt, tail) || flow_statement(stmt, tail) || definition_statement(stmt) || host_statement(stmt) ||
      web_statement(stmt) || keystore_statement(stmt)) {
    return;
  }
  raise("This statement is not available in this build");
}

void Compiler::define_result(const Name& name, Register value) {
  if (!name.empty()) define_name(name.text, value);
}

void Compiler::store_result(const Name& name, Register value) {
  if (!name.empty()) store_name(name.text, value);
}

// change NAME to NAME op value
void Compiler::arithmetic(const Stmt& place, Op op, std::string_view name, const Expr& value) {
  const int direct = direct_register(name);
  const Register target = direct >= 0 ? static_cast<Register>(direct) : take();
  if (direct < 0) read_name(name, target);
  const auto number = literal_number(value);
  const std::uint32_t index = number ? constant(vm::Value(*number)) : 0x10000;
  const bool use_constant = index <= 0xffff && op != Op::kAddTo;
  const Register operand = use_constant ? static_cast<Register>(index) : expression(value);
  at(place.head);
  switch (op) {
    case Op::kAddTo:
      emit(Op::kAddTo, target, operand);
      break;
    case Op::kSubtract:
      emit(use_constant ? Op::kSubtractK : op, target, target, operand);
      break;
    case Op::kMultiply:
      emit(use_constant ? Op::kMultiplyK : op, target, target, operand);
      break;
    default:
      emit(use_constant ? Op::kDivideK : op, target, target, operand);
      break;
  }
  if (direct >= 0) return;
  // A list has grown in place; only a number has to be put back.
  const Position grown = op == Op::kAddTo ? emit_wide(Op::kJumpIfList, target, 0) : 0;
  change_name(name, target);
  if (op == Op::kAddTo) patch(grown);
}

bool Compiler::core_statement(const Stmt& stmt, bool tail) {
  switch (stmt.kind) {
    case StmtKind::Store: {
      const auto& node = as<StoreStmt>(stmt);
      if (node.value->kind == ExprKind::DatabaseQuery) {
        define_result(node.name, expression(*node.value));
        return true;
      }
      if (!node.is_constant) {
        store_expression(node.name.text, *node.value, false);
        return true;
      }
      const Register value = expression(*node.value);
      Variable* variable = own(node.name.text);
      if (variable->place == Variable::Place::kGlobal) {
        emit(Op::kDefineConstant, value, variable->global);
      } else {
        variable->constant = false;
        define_name(node.name.text, value);
        variable->constant = true;
      }
      return true;
    }
    case StmtKind::Change: {
      const auto& node = as<ChangeStmt>(stmt);
      store_expression(node.name.text, *node.value, true);
      return true;
    }
    case StmtKind::Arithmetic: {
      const auto& node = as<ArithmeticStmt>(stmt);
      const Op op = node.op == ArithmeticOp::Subtract   ? Op::kSubtract
                    : node.op == ArithmeticOp::Multiply ? Op::kMultiply
                                                        : Op::kDivide;
      arithmetic(stmt, op, node.name.text, *node.value);
      return true;
    }
    case StmtKind::AddTo: {
      const auto& node = as<AddToStmt>(stmt);
      arithmetic(stmt, Op::kAddTo, node.name.text, *node.value);
      return true;
    }
    case StmtKind::CreateList: {
      const auto& node = as<CreateListStmt>(stmt);
      define_result(node.name, list(node.items, -1));
      return true;
    }
    case StmtKind::CreateMap: {
      const auto& node = as<CreateMapStmt>(stmt);
      const Register map = take();
      emit(Op::kNewMap, map);
      for (const MapEntry& entry : node.entries) {
        const Register value = expression(*entry.value);
        emit(Op::kMapSet, map, short_constant(text_constant(entry.key)), value);
        release_to(map + 1U);
      }
      define_result(node.name, map);
      return true;
    }
    case StmtKind::Push: {
      const auto& node = as<PushStmt>(stmt);
      const Register first = take();
      expression(*node.list, first);
      expression(*node.value, take());
      at(stmt.head);
      intrinsic(IntrinsicId::kPush, first, 2);
      return true;
    }
    case StmtKind::RemoveFrom: {
      const auto& node = as<RemoveFromStmt>(stmt);
      const Register first = take();
      read_name(node.name.text, first);
      expression(*node.value, take());
      at(stmt.head);
      intrinsic(IntrinsicId::kRemove, first, 2);
      return true;
    }
    case StmtKind::Clear: {
      const Register first = take();
      read_name(as<ClearStmt>(stmt).name.text, first);
      intrinsic(IntrinsicId::kClear, first, 1);
      return true;
    }
    case StmtKind::Display: {
      const auto& node = as<DisplayStmt>(stmt);
      if (node.values.size() == 1) {
        emit(Op::kDisplay, expression(*node.values[0]), 1);
        return true;
      }
      const auto first = static_cast<Register>(mark());
      for (const Expr* value : node.values) expression(*value, take());
      emit(Op::kDisplay, first, static_cast<std::uint32_t>(node.values.size()));
      return true;
    }
    case StmtKind::Expression: {
      const Register value = expression(*as<ExpressionStmt>(stmt).value);
      if (tail && f_->result_register >= 0) emit(Op::kMove, static_cast<Register>(f_->result_register), value);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace wfl::compile
