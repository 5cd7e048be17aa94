// Conditions, loops, errors, and leaving blocks early.
//
// Leaving. Blocks that must do something when control leaves them (iterations, batches, `finally`) are on the stack of
// cleanups. leave() walks it from the inside out and emits what each needs. A `finally` block exists once in the code:
// whoever passes through it writes a number into its state register, jumps to it, and the code after it goes on to
// where that number says. State 0 is the ordinary end of the statement, -1 an error that goes on outwards.
#include <algorithm>

#include "wfl/compile/compiler_impl.h"

namespace wfl::compile {

using namespace syntax;  // The code names nearly every statement node.

// After a choice between branches: what became definite in all of them is definite.
void Compiler::branch_ends(const std::vector<std::vector<Variable*>>& branches, bool exhaustive) {
  if (!exhaustive || branches.empty()) return;
  for (Variable* variable : branches.front()) {
    const bool everywhere =
        std::all_of(branches.begin(), branches.end(), [variable](const std::vector<Variable*>& branch) {
          return std::find(branch.begin(), branch.end(), variable) != branch.end();
        });
    if (everywhere) make_definite(variable);
  }
}

void Compiler::if_statement(const IfStmt& stmt, bool tail) {
  std::vector<Position> done;
  std::vector<std::vector<Variable*>> branches;
  for (std::size_t i = 0; i < stmt.branches.size(); ++i) {
    const IfBranch& branch = stmt.branches[i];
    std::vector<Position> next;
    condition(*branch.condition, false, next);
    const std::size_t before = branch_mark();
    statements(branch.body.statements, tail);
    branches.push_back(take_back(before));
    if (i + 1 < stmt.branches.size() || stmt.has_otherwise) done.push_back(emit_wide(Op::kJump, 0, 0));
    patch_all(next);
  }
  if (stmt.has_otherwise) {
    const std::size_t before = branch_mark();
    statements(stmt.otherwise.statements, tail);
    branches.push_back(take_back(before));
  }
  patch_all(done);
  branch_ends(branches, stmt.has_otherwise);
}

void Compiler::route(const RouteStmt& stmt, bool tail) {
  std::vector<Position> done;
  std::vector<std::vector<Variable*>> branches;
  for (const RouteArm& arm : stmt.arms) {
    std::vector<Position> hits;
    for (const Expr* wanted : arm.values) {
      const std::uint32_t before = mark();
      const Register subject = expression(*stmt.subject);
      const Register value = expression(*wanted);
      const Register result = take();
      switch (arm.test) {
        case RouteTest::Equal:
          emit(Op::kEqual, result, subject, value);
          break;
        case RouteTest::Contains:
          emit(Op::kContains, result, subject, value);
          break;
        case RouteTest::OneOf:
          emit(Op::kContains, result, value, subject);
          break;
        case RouteTest::StartsWith:
          emit(Op::kStartsWith, result, subject, value);
          break;
        case RouteTest::EndsWith:
          emit(Op::kEndsWith, result, subject, value);
          break;
      }
      release_to(before);
      hits.push_back(emit_wide(Op::kJumpIfTrue, result, 0));
    }
    const Position next = emit_wide(Op::kJump, 0, 0);
    patch_all(hits);
    const std::size_t before = branch_mark();
    statements(arm.body.statements, tail);
    branches.push_back(take_back(before));
    done.push_back(emit_wide(Op::kJump, 0, 0));
    patch(next);
  }
  if (stmt.has_otherwise) {
    const std::size_t before = branch_mark();
    statements(stmt.otherwise.statements, tail);
    branches.push_back(take_back(before));
  }
  patch_all(done);
  branch_ends(branches, stmt.has_otherwise);
}

void Compiler::for_each(const ForEachStmt& stmt) {
  const std::size_t definite = branch_mark();
  push_scope(nullptr);
  const Register iteration = take(2);
  const bool reversed = stmt.reversed || (stmt.range != nullptr && stmt.range->reversed);
  if (stmt.range == nullptr) {
    expression(*stmt.collection, iteration);
  } else {
    HostCall host(*this, "keystore.iterate");
    host.value(*stmt.collection);
    range(host, stmt.range, stmt.reversed);
    emit(Op::kMove, iteration, host.run());
    release_to(iteration + 2U);
  }
  at(stmt.head);
  emit(Op::kIteratePrepare, iteration, reversed ? 1 : 0);
  const Register raw_item = take();
  f_->scopes.back().reserved = mark();
  f_->loops.push_back({f_->cleanups.size() + 1, {}, {}, true});
  f_->cleanups.push_back({Cleanup::Kind::kIterator, iteration, 0, {}, {}});
  const Position begin = here();
  const Position next = emit_wide(Op::kIterateNext, iteration, 0);
  push_scope(nullptr);
  bind_register(stmt.item.text, raw_item);
  push_scope(&stmt.body.statements);
  f_->scopes.back().reserved = mark();
  statements(stmt.body.statements, false);
  pop_scope();
  pop_scope();
  patch_all(f_->loops.back().continues);
  at(stmt.head);
  emit_loop(begin);
  patch(next);
  const Position end = here();
  protect(vm::Protection::Kind::kCloseIterator, begin, end, 0, iteration);
  patch_all(f_->loops.back().breaks);
  f_->cleanups.pop_back();
  f_->loops.pop_back();
  pop_scope();
  forget_dead_registers();
  take_back(definite);
}

void Compiler::count(const CountStmt& stmt) {
  const std::size_t definite = branch_mark();
  push_scope(nullptr);
  const Register counter = take(4);
  expression(*stmt.from, counter);
  expression(*stmt.to, static_cast<Register>(counter + 1));
  if (stmt.step != nullptr) {
    expression(*stmt.step, static_cast<Register>(counter + 2));
  } else {
    load_number(static_cast<Register>(counter + 2), 1);
  }
  load(static_cast<Register>(counter + 3), stmt.down ? kYes : kNo);
  f_->scopes.back().reserved = mark();
  at(stmt.head);
  const Position prepare = emit_wide(Op::kCountPrepare, counter, 0);
  const Position begin = here();
  push_scope(nullptr);
  // The body may use the counter's register itself unless it could write to it.
  const std::string name(stmt.variable.empty() ? "count" : stmt.variable.text);
  Register visible = counter;
  if (may_write(stmt.body.statements, name) || may_write(stmt.body.statements, "count")) {
    visible = take();
    emit(Op::kMove, visible, counter);
  }
  f_->scopes.back().reserved = mark();
  f_->scopes.back().names["count"] = bind_register(name, visible);
  f_->loops.push_back({f_->cleanups.size(), {}, {}, false});
  push_scope(&stmt.body.statements);
  f_->scopes.back().reserved = mark();
  statements(stmt.body.statements, false);
  pop_scope();
  pop_scope();
  patch_all(f_->loops.back().continues);
  at(stmt.head);
  const Position back = emit_wide(stmt.down ? Op::kCountDown : Op::kCountUp, counter, 0);
  patch_to(back, begin);
  patch(prepare);
  patch_all(f_->loops.back().breaks);
  f_->loops.pop_back();
  pop_scope();
  forget_dead_registers();
  take_back(definite);
}

void Compiler::repeat_while(const RepeatWhileStmt& stmt) {
  const std::size_t definite = branch_mark();
  // One scope for all rounds: what one round stores is there in the next.
  push_scope(&stmt.body.statements, true);
  f_->scopes.back().reserved = mark();
  const Position begin = here();
  std::vector<Position> exits;
  condition(*stmt.condition, false, exits);
  f_->loops.push_back({f_->cleanups.size(), {}, {}, false});
  statements(stmt.body.statements, false);
  patch_all(f_->loops.back().continues);
  at(stmt.head);
  emit_loop(begin);
  patch_all(exits);
  patch_all(f_->loops.back().breaks);
  f_->loops.pop_back();
  pop_scope();
  forget_dead_registers();
  take_back(definite);
}

void Compiler::repeat_until(const RepeatUntilStmt& stmt) {
  const std::size_t definite = branch_mark();
  const Position begin = here();
  f_->loops.push_back({f_->cleanups.size(), {}, {}, false});
  statements(stmt.body.statements, false);
  take_back(definite);
  patch_all(f_->loops.back().continues);
  std::vector<Position> done;
  condition(*stmt.condition, true, done);
  emit_loop(begin);
  patch_all(done);
  patch_all(f_->loops.back().breaks);
  f_->loops.pop_back();
}

void Compiler::forever(const Block& body, bool main_loop) {
  const std::size_t definite = branch_mark();
  if (main_loop) {
    emit(Op::kEnterMainLoop);
    f_->loops.push_back({f_->cleanups.size() + 1, {}, {}, true});
    f_->cleanups.push_back({Cleanup::Kind::kMainLoop, 0, 0, {}, {}});
  } else {
    f_->loops.push_back({f_->cleanups.size(), {}, {}, false});
  }
  const Position begin = here();
  push_scope(&body.statements);
  f_->scopes.back().reserved = mark();
  statements(body.statements, false);
  pop_scope();
  patch_all(f_->loops.back().continues);
  emit_loop(begin);
  if (main_loop) {
    protect(vm::Protection::Kind::kMainLoop, begin, here(), 0, 0);
    f_->cleanups.pop_back();
  }
  patch_all(f_->loops.back().breaks);
  f_->loops.pop_back();
  forget_dead_registers();
  take_back(definite);
}

// Breaks, continues and returns: everything between here and the target is closed first. A break's loop counts its own
// cleanup as inside; `continue` stays inside of it.
void Compiler::leave(LeavePath path, int value) {
  std::size_t depth = f_->cleanups.size();
  std::size_t stop = 0;
  if (path.kind == LeavePath::Kind::kBreak || path.kind == LeavePath::Kind::kContinue) {
    const Loop& loop = f_->loops[path.loop];
    stop = loop.cleanups - (path.kind == LeavePath::Kind::kBreak && loop.owns_cleanup ? 1 : 0);
  }
  while (depth > stop) {
    Cleanup& cleanup = f_->cleanups[--depth];
    switch (cleanup.kind) {
      case Cleanup::Kind::kIterator:
        emit(Op::kIterateClose, cleanup.reg);
        break;
      case Cleanup::Kind::kMainLoop:
        emit(Op::kLeaveMainLoop);
        break;
      case Cleanup::Kind::kHostCall: {
        const std::uint32_t before = mark();
        const Register argument = take();
        emit(Op::kMove, argument, cleanup.reg);
        emit(Op::kHost, argument, cleanup.host, 1);
        release_to(before);
        break;
      }
      case Cleanup::Kind::kFinally: {
        if (value >= 0) emit(Op::kMove, static_cast<Register>(cleanup.reg + 1), static_cast<Register>(value));
        cleanup.exits.push_back(path);
        load_number(cleanup.reg, static_cast<double>(cleanup.exits.size()));
        cleanup.jumps.push_back(emit_wide(Op::kJump, 0, 0));
        return;
      }
    }
  }
  switch (path.kind) {
    case LeavePath::Kind::kBreak:
      f_->loops[path.loop].breaks.push_back(emit_wide(Op::kJump, 0, 0));
      break;
    case LeavePath::Kind::kContinue:
      f_->loops[path.loop].continues.push_back(emit_wide(Op::kJump, 0, 0));
      break;
    case LeavePath::Kind::kStatement:
      f_->strays.push_back(emit_wide(Op::kJump, 0, 0));
      break;
    case LeavePath::Kind::kReturn:
      if (value >= 0) {
        emit(Op::kReturn, static_cast<Register>(value));
      } else {
        emit(Op::kReturnNull);
      }
      break;
  }
}

// `break`, `continue` or `exit` where no loop is: an action ends, the top level goes on with its next statement.
void Compiler::leave_no_loop(std::string_view word) {
  if (!f_->is_main) {
    leave({LeavePath::Kind::kReturn, 0}, -1);
  } else if (options_.imported) {
    raise("Cannot use '" + std::string(word) + "' in " +
          (module_.parent != nullptr ? "module scope" : "included file scope"));
  } else {
    leave({LeavePath::Kind::kStatement, 0}, -1);
  }
}

namespace {
language::ErrorKind kind_of(HandlerKind kind) {
  switch (kind) {
    case HandlerKind::Any:
      return language::ErrorKind::kGeneral;
    case HandlerKind::FileNotFound:
      return language::ErrorKind::kFileNotFound;
    case HandlerKind::PermissionDenied:
      return language::ErrorKind::kPermissionDenied;
    case HandlerKind::ProcessNotFound:
      return language::ErrorKind::kProcessNotFound;
    case HandlerKind::ProcessSpawnFailed:
      return language::ErrorKind::kProcessSpawnFailed;
    case HandlerKind::ProcessKillFailed:
      return language::ErrorKind::kProcessKillFailed;
    case HandlerKind::CommandNotFound:
      return language::ErrorKind::kCommandNotFound;
    case HandlerKind::KeystoreNotFound:
      return language::ErrorKind::kKeystoreNotFound;
    case HandlerKind::KeystoreAlreadyExists:
      return language::ErrorKind::kKeystoreExists;
    case HandlerKind::KeystoreBusy:
      return language::ErrorKind::kKeystoreBusy;
    case HandlerKind::WrongEncryptionKey:
      return language::ErrorKind::kWrongEncryptionKey;
    case HandlerKind::KeystoreDamaged:
      return language::ErrorKind::kKeystoreDamaged;
    case HandlerKind::KeystoreFull:
      return language::ErrorKind::kKeystoreFull;
  }
  return language::ErrorKind::kGeneral;
}
}  // namespace

void Compiler::try_statement(const TryStmt& stmt, bool tail) {
  const std::size_t definite = branch_mark();
  // One scope for the whole statement; what the body binds may or may not exist in the parts that follow.
  std::vector<const Stmt*> all(stmt.body.statements.begin(), stmt.body.statements.end());
  for (const Handler& handler : stmt.handlers) {
    all.insert(all.end(), handler.body.statements.begin(), handler.body.statements.end());
  }
  all.insert(all.end(), stmt.otherwise.statements.begin(), stmt.otherwise.statements.end());
  all.insert(all.end(), stmt.finally.statements.begin(), stmt.finally.statements.end());
  const StmtList whole(all.data(), all.size());
  push_scope(&whole, true);
  const Register error = take();
  const Register state = take(2);  // And the value of a return that passes through.
  const auto value = static_cast<Register>(state + 1);
  f_->scopes.back().reserved = mark();
  if (stmt.has_finally) f_->cleanups.push_back({Cleanup::Kind::kFinally, state, 0, {}, {}});

  std::vector<Position> done;
  const Position begin = here();
  statements(stmt.body.statements, tail);
  take_back(definite);
  const Position end = here();
  done.push_back(emit_wide(Op::kJump, 0, 0));
  if (!stmt.handlers.empty() || stmt.has_otherwise) {
    protect(vm::Protection::Kind::kHandler, begin, end, here(), error);
    for (const Handler& handler : stmt.handlers) {
      const vm::CodeSpan place = at(handler.head);
      emit(Op::kJumpUnlessCaught, error, static_cast<std::uint32_t>(kind_of(handler.kind)), 1);
      emit_wide(Op::kJump, 0, 1);
      const Position next = emit_wide(Op::kJump, 0, 0);
      const Register message = take();
      emit(Op::kErrorMessage, message, error);
      // The two names hide outer ones while the handler runs; what it stores belongs to the scope of the statement.
      auto& names = f_->scopes.back().names;
      const auto hidden = names;
      for (const std::string_view name :
           {std::string_view("error_message"),
            handler.variable.empty() ? std::string_view("error") : handler.variable.text}) {
        bind_register(name, message);
      }
      f_->scopes.back().reserved = mark();
      at(place);
      statements(handler.body.statements, tail);
      take_back(definite);
      for (const std::string_view name :
           {std::string_view("error_message"),
            handler.variable.empty() ? std::string_view("error") : handler.variable.text}) {
        const auto old = hidden.find(std::string(name));
        if (old == hidden.end()) {
          names.erase(std::string(name));
        } else {
          names[old->first] = old->second;
        }
      }
      done.push_back(emit_wide(Op::kJump, 0, 0));
      patch(next);
    }
    if (stmt.has_otherwise) {
      emit(Op::kJumpUnlessCaught, error, static_cast<std::uint32_t>(language::ErrorKind::kGeneral), 1);
      emit_wide(Op::kJump, 0, 1);
      const Position next = emit_wide(Op::kJump, 0, 0);
      statements(stmt.otherwise.statements, tail);
      take_back(definite);
      done.push_back(emit_wide(Op::kJump, 0, 0));
      patch(next);
    }
    emit(Op::kRethrow, error);
  }
  if (!stmt.has_finally) {
    patch_all(done);
    pop_scope();
    return;
  }
  // An error that leaves the body or a handler.
  protect(vm::Protection::Kind::kHandler, begin, here(), here(), error);
  load_number(state, -1);
  const Position to_finally = emit_wide(Op::kJump, 0, 0);
  patch_all(done);
  load_number(state, 0);
  patch(to_finally);
  const Cleanup cleanup = std::move(f_->cleanups.back());
  f_->cleanups.pop_back();
  patch_all(cleanup.jumps);
  statements(stmt.finally.statements, false);
  take_back(definite);
  const auto when_state = [&](double number, const auto& go_on) {
    const std::uint32_t before = mark();
    const Register wanted = take();
    const Register same = take();
    load_number(wanted, number);
    emit(Op::kEqual, same, state, wanted);
    const Position skip = emit_wide(Op::kJumpIfFalse, same, 0);
    release_to(before);
    go_on();
    patch(skip);
  };
  when_state(-1, [&] { emit(Op::kRethrow, error); });
  for (std::size_t i = 0; i < cleanup.exits.size(); ++i) {
    const LeavePath path = cleanup.exits[i];
    when_state(static_cast<double>(i + 1), [&] { leave(path, path.kind == LeavePath::Kind::kReturn ? value : -1); });
  }
  pop_scope();
}

// batch operations on S, in transaction on D: begin, body, commit; rolled back when the block is left in any other way.
void Compiler::guarded(const Expr& subject, const Block& body, std::string_view family, bool keystore, bool tail) {
  const std::size_t definite = branch_mark();
  const std::string prefix(family);
  const Register held = take();
  f_->scopes.back().reserved = mark();
  const std::uint32_t reserved = mark();
  expression(subject, held);
  const auto call_host = [&](const std::string& name) {
    const std::string full_name = prefix + name;
    HostCall host(*this, full_name);
    host.reg(held).run();
    release_to(reserved);
  };
  call_host("begin");
  f_->cleanups.push_back({Cleanup::Kind::kHostCall, held, host_index(prefix + "rollback"), {}, {}});
  if (keystore) f_->batches.push_back(held);
  const Position begin = here();
  statements(body.statements, tail);
  const Position end = here();
  if (keystore) f_->batches.pop_back();
  protect(vm::Protection::Kind::kHostCall, begin, end, f_->cleanups.back().host, held);
  f_->cleanups.pop_back();
  call_host("commit");
  // `held` stays reserved to the end of the scope; what the body made definite is so, as the block runs exactly once.
  (void)definite;
}

bool Compiler::flow_statement(const Stmt& stmt, bool tail) {
  switch (stmt.kind) {
    case StmtKind::If:
      if_statement(as<IfStmt>(stmt), tail);
      return true;
    case StmtKind::Route:
      route(as<RouteStmt>(stmt), tail);
      return true;
    case StmtKind::ForEach:
      for_each(as<ForEachStmt>(stmt));
      return true;
    case StmtKind::Count:
      count(as<CountStmt>(stmt));
      return true;
    case StmtKind::RepeatWhile:
      repeat_while(as<RepeatWhileStmt>(stmt));
      return true;
    case StmtKind::RepeatUntil:
      repeat_until(as<RepeatUntilStmt>(stmt));
      return true;
    case StmtKind::Forever:
      forever(as<ForeverStmt>(stmt).body, false);
      return true;
    case StmtKind::MainLoop:
      forever(as<MainLoopStmt>(stmt).body, true);
      return true;
    case StmtKind::Try:
      try_statement(as<TryStmt>(stmt), tail);
      return true;
    case StmtKind::Transaction: {
      const auto& node = as<TransactionStmt>(stmt);
      guarded(*node.database, node.body, "database.transaction_", false, tail);
      return true;
    }
    case StmtKind::Break:
    case StmtKind::Continue:
      if (f_->loops.empty()) {
        leave_no_loop(stmt.kind == StmtKind::Break ? "break" : "continue");
      } else {
        leave(
            {stmt.kind == StmtKind::Break ? LeavePath::Kind::kBreak : LeavePath::Kind::kContinue, f_->loops.size() - 1},
            -1);
      }
      return true;
    case StmtKind::Exit:
      if (as<ExitStmt>(stmt).whole_program) {
        emit(Op::kExitProgram);
      } else if (f_->loops.empty()) {
        leave_no_loop("exit");
      } else {
        leave({LeavePath::Kind::kBreak, 0}, -1);
      }
      return true;
    case StmtKind::Return: {
      const auto& node = as<ReturnStmt>(stmt);
      if (f_->is_main && module_.parent != nullptr) {
        raise("Cannot use 'return' in module scope");
        return true;
      }
      const int value = node.value == nullptr ? -1 : expression(*node.value);
      leave({LeavePath::Kind::kReturn, 0}, value);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace wfl::compile
