// Which variable a name means. See the head comment of compiler.h for the idea.
//
// resolve() lists the places a name may stand for, innermost first, up to the first that surely exists. The last resort
// is always the global of that name: reading it raises "Undefined variable" if it does not exist either.
#include <algorithm>

#include "wfl/compile/compiler_impl.h"

namespace wfl::compile {

bool Compiler::is_native(std::string_view name) const {
  for (const vm::Module* module = &module_; module != nullptr; module = module->parent) {
    const vm::Value value = module->get(name);
    if (!value.is_undefined()) return value.is(vm::ObjectKind::kNative);
  }
  return false;
}

bool Compiler::may_be_global(std::string_view name) const {
  if (facts_.open_world || facts_.global_names.contains(std::string(name))) return true;
  for (const vm::Module* module = &module_; module != nullptr; module = module->parent) {
    const vm::Value value = module->get(name);
    if (!value.is_undefined() && !value.is(vm::ObjectKind::kNative)) return true;
  }
  return false;
}

bool Compiler::may_be_action(std::string_view name) const {
  const std::string key(name);
  if (facts_.action_names.contains(key)) return true;
  if (facts_.bound_names.contains(key) && !facts_.open_world) return false;
  for (const vm::Module* module = &module_; module != nullptr; module = module->parent) {
    const vm::Value value = module->get(name);
    if (!value.is_undefined()) return value.is(vm::ObjectKind::kAction) || value.is(vm::ObjectKind::kNative);
  }
  return facts_.open_world && !facts_.bound_names.contains(key);
}

bool Compiler::is_visible(std::string_view name) {
  for (FunctionState* function = f_; function != nullptr; function = function->outer) {
    for (const Scope& scope : function->scopes) {
      if (scope.names.contains(std::string(name))) return true;
    }
  }
  return may_be_global(name) || is_native(name) || facts_.action_names.contains(std::string(name));
}

// Whether an action of a container may read this name as a property: yes if the container or a parent has it, and also
// if a parent is defined in another file.
bool Compiler::may_be_field(const FunctionState& function, std::string_view name) const {
  const syntax::DefineContainerStmt* container = function.container;
  std::size_t steps = 0;
  while (container != nullptr) {
    for (const syntax::PropertyDefinition& property : container->properties) {
      if (property.name.text == name) return true;
    }
    if (container->parent.empty()) return false;
    const auto parent = facts_.containers.find(std::string(container->parent.text));
    if (parent == facts_.containers.end() || ++steps > facts_.containers.size()) return true;
    container = parent->second;
  }
  return false;
}

std::uint16_t Compiler::capture(FunctionState& user, FunctionState& owner, Variable* variable) {
  const auto known = user.captured.find(variable);
  if (known != user.captured.end()) return known->second;
  vm::CellSource source{};
  if (user.outer == &owner) {
    source = {true, variable->reg};
  } else {
    source = {false, capture(*user.outer, owner, variable)};
  }
  const auto index = static_cast<std::uint16_t>(user.proto->cells.size());
  user.proto->cells.push_back(source);
  user.captured.emplace(variable, index);
  return index;
}

void Compiler::resolve_in(FunctionState& function, std::string_view name, bool isolated, std::vector<Candidate>& out) {
  const std::string key(name);
  for (std::size_t i = function.scopes.size(); i-- > 0;) {
    const Scope& scope = function.scopes[i];
    const auto found = scope.names.find(key);
    if (found != scope.names.end()) {
      Variable* variable = found->second;
      Candidate candidate;
      candidate.definite = variable->definite;
      candidate.constant = variable->constant;
      candidate.isolated = isolated;
      candidate.own = &function == f_ && i + 1 == function.scopes.size();
      candidate.variable = variable;
      if (variable->place == Variable::Place::kGlobal) {
        candidate.kind = Candidate::Kind::kGlobal;
        candidate.index = variable->global;
      } else if (&function == f_) {
        candidate.kind = Candidate::Kind::kVariable;
      } else if (variable->place == Variable::Place::kBox) {
        candidate.kind = Candidate::Kind::kCell;
        candidate.index = capture(*f_, function, variable);
      } else {
        continue;  // Not captured: only a name that no inner action mentions lives in a plain register.
      }
      out.push_back(candidate);
      if (candidate.definite) return;
    }
    if (scope.isolated) isolated = true;
  }
  if (may_be_field(function, name) && &function == f_) {
    out.push_back({Candidate::Kind::kField, nullptr, 0, false, false, isolated, false});
  }
  if (function.outer != nullptr) {
    resolve_in(*function.outer, name, isolated, out);
    return;
  }
  const bool listed =
      std::any_of(out.begin(), out.end(), [](const Candidate& c) { return c.kind == Candidate::Kind::kGlobal; });
  if (!listed) {
    const std::uint32_t slot = module_.slot(name);
    if (slot >= vm::Module::kMaxGlobals) too_large("It has more global names than fit into one program");
    out.push_back({Candidate::Kind::kGlobal, nullptr, slot, false, false, isolated, false});
  }
}

std::vector<Compiler::Candidate> Compiler::resolve(std::string_view name) {
  std::vector<Candidate> out;
  resolve_in(*f_, name, false, out);
  return out;
}

void Compiler::load_candidate(const Candidate& candidate, std::string_view name, Register target, bool checked) {
  switch (candidate.kind) {
    case Candidate::Kind::kVariable:
      if (candidate.variable->place == Variable::Place::kBox) {
        emit(Op::kGetBox, target, candidate.variable->reg);
      } else if (candidate.variable->reg != target) {
        emit(Op::kMove, target, candidate.variable->reg);
      }
      break;
    case Candidate::Kind::kCell:
      emit(Op::kGetCell, target, candidate.index);
      break;
    case Candidate::Kind::kField:
      emit(Op::kGetField, target, short_constant(text_constant(name)));
      break;
    case Candidate::Kind::kGlobal:
      emit(checked ? Op::kGetGlobal : Op::kReadGlobal, target, candidate.index);
      break;
  }
  if (candidate.isolated) emit(Op::kDeepCopy, target);
}

Register Compiler::read_name(std::string_view name, int target) {
  const std::vector<Candidate> candidates = resolve(name);
  const Candidate& first = candidates.front();
  if (target < 0 && first.definite && first.kind == Candidate::Kind::kVariable && !first.isolated &&
      first.variable->place == Variable::Place::kRegister) {
    return first.variable->reg;
  }
  const Register to = target < 0 ? take() : static_cast<Register>(target);
  std::vector<Position> done;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const bool last = i + 1 == candidates.size();
    load_candidate(candidates[i], name, to, last);
    if (!last) done.push_back(emit_wide(Op::kJumpIfDefined, to, 0));
  }
  patch_all(done);
  return to;
}

void Compiler::read_raw(std::string_view name, Register target) {
  const std::vector<Candidate> candidates = resolve(name);
  std::vector<Position> done;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    load_candidate(candidates[i], name, target, false);
    if (i + 1 != candidates.size()) done.push_back(emit_wide(Op::kJumpIfDefined, target, 0));
  }
  patch_all(done);
}

void Compiler::store_candidate(const Candidate& candidate, std::string_view name, Register value) {
  if (candidate.constant) {
    raise("Cannot modify constant '" + std::string(name) + "'");
    return;
  }
  if (candidate.isolated) {
    raise("Cannot modify parent variable '" + std::string(name) +
          "' from module scope. Modules have read-only access to parent variables.");
    return;
  }
  switch (candidate.kind) {
    case Candidate::Kind::kVariable:
      if (candidate.variable->place == Variable::Place::kBox) {
        emit(Op::kSetBox, candidate.variable->reg, value);
      } else if (candidate.variable->reg != value) {
        emit(Op::kMove, candidate.variable->reg, value);
      }
      break;
    case Candidate::Kind::kCell:
      emit(Op::kSetCell, value, candidate.index);
      break;
    case Candidate::Kind::kField:
      emit(Op::kSetField, value, short_constant(text_constant(name)));
      break;
    case Candidate::Kind::kGlobal:
      emit(Op::kSetGlobal, value, candidate.index);
      break;
  }
}

// `store X as V`: the first place where X exists takes the value; if there is none, X is made in this scope.
void Compiler::store_name(std::string_view name, Register value) {
  if (f_->is_main && f_->scopes.size() == 1) {
    define_name(name, value);  // Nothing is outside.
    return;
  }
  std::vector<Candidate> candidates = resolve(name);
  // Names that nobody can have put into the globals need no look there; built-in names may be used for variables.
  if (candidates.back().kind == Candidate::Kind::kGlobal && candidates.back().variable == nullptr &&
      !may_be_global(name)) {
    candidates.pop_back();
  }
  const bool only_own = candidates.empty() || (candidates.size() == 1 && candidates[0].own);
  if (only_own) {
    define_name(name, value);
    return;
  }
  const bool sure = std::any_of(candidates.begin(), candidates.end(), [](const Candidate& c) { return c.definite; });
  if (!sure && !f_->scopes.back().names.contains(std::string(name))) declare(name, true);
  std::vector<Position> done;
  bool reached_end = true;
  const std::uint32_t saved = mark();
  for (const Candidate& candidate : candidates) {
    if (candidate.definite) {
      store_candidate(candidate, name, value);
      reached_end = false;
      break;
    }
    const Register probe = take();
    Candidate look = candidate;
    look.isolated = false;
    load_candidate(look, name, probe, false);
    release_to(saved);
    const Position skip = emit_wide(Op::kJumpIfUndefined, probe, 0);
    store_candidate(candidate, name, value);
    done.push_back(emit_wide(Op::kJump, 0, 0));
    patch(skip);
  }
  if (reached_end) {
    // Whichever place took it, the name exists now; but which one is decided at run time, so none becomes definite.
    Variable* variable = own(name);
    Candidate here_candidate{Candidate::Kind::kVariable, variable, variable->global, false, false, false, true};
    if (variable->place == Variable::Place::kGlobal) here_candidate.kind = Candidate::Kind::kGlobal;
    store_candidate(here_candidate, name, value);
  }
  patch_all(done);
}

void Compiler::change_name(std::string_view name, Register value) {
  const std::vector<Candidate> candidates = resolve(name);
  std::vector<Position> done;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    if (candidate.definite) {
      store_candidate(candidate, name, value);
      break;
    }
    if (i + 1 == candidates.size() && candidate.kind == Candidate::Kind::kGlobal && !candidate.isolated) {
      emit(Op::kChangeGlobal, value, candidate.index);
      break;
    }
    const std::uint32_t saved = mark();
    const Register probe = take();
    Candidate look = candidate;
    look.isolated = false;
    load_candidate(look, name, probe, false);
    release_to(saved);
    const Position skip = emit_wide(Op::kJumpIfUndefined, probe, 0);
    store_candidate(candidate, name, value);
    done.push_back(emit_wide(Op::kJump, 0, 0));
    patch(skip);
    if (i + 1 == candidates.size()) raise("Undefined variable '" + std::string(name) + "'");
  }
  patch_all(done);
}

Variable* Compiler::declare(std::string_view name, bool predeclared) {
  Variable& variable = f_->variables.emplace_back();
  variable.name = std::string(name);
  const bool root = f_->is_main && f_->scopes.size() == 1;
  const bool global = root && (options_.keep_globals || facts_.open_world || facts_.function_words.may_mention(name) ||
                               facts_.action_names.contains(variable.name) || !module_.get(name).is_undefined() ||
                               f_->next_register > 20'000);
  if (global) {
    variable.place = Variable::Place::kGlobal;
    variable.global = module_.slot(name);
    if (variable.global >= vm::Module::kMaxGlobals) too_large("It has more global names than fit into one program");
  } else {
    variable.reg = take();
    if (is_shared(name)) {
      variable.place = Variable::Place::kBox;
      emit(Op::kNewBox, variable.reg);
    } else {
      variable.place = Variable::Place::kRegister;
      if (predeclared) emit(Op::kUndefine, variable.reg, 1);
    }
    f_->scopes.back().reserved = std::max<std::uint32_t>(f_->scopes.back().reserved, variable.reg + 1U);
  }
  f_->scopes.back().names[variable.name] = &variable;
  return &variable;
}

// A variable that surely exists and is hidden from everything outside: a parameter, an item, a counter, an error.
Variable* Compiler::bind_register(std::string_view name, Register value) {
  Variable& variable = f_->variables.emplace_back();
  variable.name = std::string(name);
  variable.place = Variable::Place::kRegister;
  variable.reg = value;
  if (is_shared(name)) {
    variable.place = Variable::Place::kBox;
    variable.reg = take();
    emit(Op::kNewBox, variable.reg);
    emit(Op::kSetBox, variable.reg, value);
  }
  Scope& scope = f_->scopes.back();
  scope.reserved = std::max<std::uint32_t>(scope.reserved, mark());
  scope.names[variable.name] = &variable;
  variable.definite = true;  // For as long as its scope lasts.
  return &variable;
}

Variable* Compiler::own(std::string_view name) {
  const auto& names = f_->scopes.back().names;
  const auto found = names.find(std::string(name));
  return found != names.end() ? found->second : declare(name);
}

void Compiler::make_definite(Variable* variable) {
  if (variable->definite || variable->place == Variable::Place::kGlobal) return;
  variable->definite = true;
  f_->became_definite.push_back(variable);
}

void Compiler::define_name(std::string_view name, Register value) {
  Variable* variable = own(name);
  if (variable->constant) {
    raise("Cannot modify constant '" + std::string(name) + "'");
    return;
  }
  switch (variable->place) {
    case Variable::Place::kRegister:
      if (variable->reg != value) emit(Op::kMove, variable->reg, value);
      break;
    case Variable::Place::kBox:
      emit(Op::kSetBox, variable->reg, value);
      break;
    case Variable::Place::kGlobal:
      emit(Op::kSetGlobal, value, variable->global);
      break;
  }
  make_definite(variable);
}

std::vector<Variable*> Compiler::take_back(std::size_t mark_before) {
  mark_before = std::min(mark_before, f_->became_definite.size());
  std::vector<Variable*> taken(f_->became_definite.begin() + static_cast<std::ptrdiff_t>(mark_before),
                               f_->became_definite.end());
  for (Variable* variable : taken) variable->definite = false;
  f_->became_definite.resize(mark_before);
  return taken;
}

// Opens a scope. Names that may be bound only now and then, and those an inner action shares, get their place at once,
// so that whether they exist can be seen at run time.
void Compiler::push_scope(const syntax::StmtList* list, bool all_conditional, bool isolated) {
  Scope& scope = f_->scopes.emplace_back();
  scope.first_register = static_cast<Register>(f_->next_register);
  scope.reserved = f_->next_register;
  scope.isolated = isolated;
  if (list == nullptr) return;
  for (const Binding& binding : bindings_of(*list)) {
    if (!binding.conditional && !all_conditional && !is_shared(binding.name)) continue;
    if (f_->scopes.back().names.contains(binding.name)) continue;
    const bool root = f_->is_main && f_->scopes.size() == 1;
    if (!root) {
      const std::vector<Candidate> outer = resolve(binding.name);
      if (outer.front().definite) continue;
    }
    declare(binding.name, true);
  }
}

void Compiler::pop_scope() {
  Scope& scope = f_->scopes.back();
  for (const auto& [name, variable] : scope.names) {
    std::erase(f_->became_definite, variable);
  }
  release_to(scope.first_register);
  f_->scopes.pop_back();
}

int Compiler::direct_register(std::string_view name) {
  const std::vector<Candidate> candidates = resolve(name);
  const Candidate& first = candidates.front();
  if (first.definite && !first.constant && !first.isolated && first.kind == Candidate::Kind::kVariable &&
      first.variable->place == Variable::Place::kRegister) {
    return first.variable->reg;
  }
  return -1;
}

// `store X as V` and `change X to V`. The value goes straight into the variable's register where that is known.
void Compiler::store_expression(std::string_view name, const syntax::Expr& value, bool change) {
  const int direct = direct_register(name);
  if (direct >= 0) {
    expression(value, direct);
    return;
  }
  if (!change) {
    // A new variable: its register is taken first, so that the value can be computed in place.
    const std::vector<Candidate> candidates = resolve(name);
    const bool root = f_->is_main && f_->scopes.size() == 1;
    const bool fresh = candidates.size() == 1 && candidates[0].kind == Candidate::Kind::kGlobal &&
                       candidates[0].variable == nullptr && (root || !may_be_global(name)) && !is_shared(name);
    if (fresh) {
      const std::uint32_t before = mark();
      const Register to = take();
      expression(value, to);
      release_to(before);
      define_name(name, to);  // Takes the same register again if it gets one.
      return;
    }
  }
  const std::uint32_t before = mark();
  const Register reg = expression(value);
  if (change) {
    change_name(name, reg);
  } else {
    store_name(name, reg);
  }
  release_to(std::max(before, f_->scopes.back().reserved));
}

}  // namespace wfl::compile
