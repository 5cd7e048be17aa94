// Calls: frames, choosing the version of an overloaded action, natives, host functions, actions of containers.
#include <algorithm>
#include <cmath>
#include <new>
#include <set>
#include <stdexcept>

#include "wfl/vm/interpreter.h"
#include "wfl/vm/operations.h"

namespace wfl::vm {

// Memory that runs out, and a limit that was passed where no error could be returned, become errors of the program: it
// can catch them, and what it holds is freed then. Every instruction that can allocate saves its place first, so the
// frames are as they must be for unwinding.
bool Interpreter::run(Vm& vm) {
  Frame* const entry = vm.frame_;
  const std::uint32_t natives = vm.native_depth_;
  bool raise = false;
  while (true) {
    bool unwinding = false;
    try {
      if (raise) {
        unwinding = true;
        if (!unwind(vm)) return false;
        unwinding = false;
      }
      return vm.dispatch_ == Vm::Dispatch::kSwitch ? run_switch(vm) : run_computed_goto(vm);
    } catch (const TooLarge& problem) {
      fail(vm, ErrorKind::kResourceLimit, problem.what());
    } catch (const std::length_error&) {
      fail(vm, ErrorKind::kResourceLimit, "A value would be too large");
    } catch (const std::bad_alloc&) {
      fail(vm, ErrorKind::kResourceLimit, "There is not enough memory");
    }
    vm.native_depth_ = natives;
    raise = true;
    if (unwinding) {
      // Not even the handler could be reached: the call as a whole has failed.
      vm.frame_ = entry - 1;
      return false;
    }
  }
}

bool Interpreter::grow_stack(Vm& vm, const Value* top) {
  if (top <= vm.high_water_) return true;
  if (top > vm.stack_end_) {
    return fail(vm, ErrorKind::kResourceLimit,
                "The program needs more room for its variables than there is - possible infinite recursion");
  }
  constexpr std::ptrdiff_t kStep = 1 << 14;
  Value* const new_mark = const_cast<Value*>(top) + std::min(kStep, vm.stack_end_ - top);
  std::fill(vm.high_water_, new_mark, Value::undefined());
  vm.high_water_ = new_mark;
  return true;
}

bool Interpreter::push_frame(Vm& vm, const Closure& closure, Value* base, std::uint32_t count, Frame::Return returns) {
  const FunctionProto& proto = *closure.proto;
  if (count != proto.parameters.size()) {
    return fail(vm,
                "Expected " + std::to_string(proto.parameters.size()) + " arguments but got " + std::to_string(count));
  }
  if (vm.frame_ + 1 >= vm.frame_limit_) {
    return fail(
        vm, ErrorKind::kResourceLimit,
        "Maximum call depth (" + std::to_string(vm.limits_.call_depth) + ") exceeded - possible infinite recursion");
  }
  if (!grow_stack(vm, base + proto.registers)) return false;
  *++vm.frame_ = Frame{&proto, proto.code.data(), base, &closure, returns};
  return true;
}

namespace {

bool accepts(const ParameterInfo& parameter, Value value) {
  if (value.is_null()) return true;
  switch (parameter.type) {
    case ParameterType::kAny:
      return true;
    case ParameterType::kText:
      return value.is_text();
    case ParameterType::kNumber:
      return value.is_number();
    case ParameterType::kBoolean:
      return value.is_boolean();
    case ParameterType::kNothing:
      return false;
    case ParameterType::kPattern:
      return value.is(ObjectKind::kPattern);
    case ParameterType::kDate:
      return value.is(ObjectKind::kDate);
    case ParameterType::kTime:
      return value.is(ObjectKind::kTime);
    case ParameterType::kDateTime:
      return value.is(ObjectKind::kDateTime);
    case ParameterType::kBinary:
      return value.is(ObjectKind::kBinary);
    case ParameterType::kList:
      return value.is_list();
    case ParameterType::kMap:
      return value.is_map();
    case ParameterType::kContainer: {
      const auto* instance = value.try_as<Instance>();
      if (instance == nullptr) return false;
      for (const Container* c = instance->container; c != nullptr; c = c->parent) {
        if (c->name == parameter.type_name) return true;
        if (std::find(c->interfaces.begin(), c->interfaces.end(), parameter.type_name) != c->interfaces.end())
          return true;
      }
      return false;
    }
  }
  return false;
}

std::string signature(const FunctionProto& proto, std::string_view name) {
  std::string out(name);
  for (std::size_t i = 0; i < proto.parameters.size(); ++i) {
    out += i == 0 ? " needs " : " and ";
    out += proto.parameters[i].name;
    if (!proto.parameters[i].type_name.empty()) out += " as " + proto.parameters[i].type_name;
  }
  return out;
}

}  // namespace

const Closure* Interpreter::select_version(Vm& vm, const Action& action, const Value* args, std::uint32_t count) {
  if (action.versions.size() == 1) return &action.versions.front();
  std::set<std::size_t> counts;
  const Closure* best = nullptr;
  int best_score = -1;
  for (const Closure& version : action.versions) {
    const auto& parameters = version.proto->parameters;
    counts.insert(parameters.size());
    if (parameters.size() != count) continue;
    int score = 0;
    bool fits = true;
    for (std::size_t i = 0; i < parameters.size() && fits; ++i) {
      fits = accepts(parameters[i], args[i]);
      if (parameters[i].type != ParameterType::kAny && !args[i].is_null()) ++score;
    }
    if (fits && score > best_score) {
      best = &version;
      best_score = score;
    }
  }
  if (best != nullptr) return best;
  if (!counts.contains(count)) {
    std::string list;
    std::size_t n = 0;
    for (const std::size_t c : counts) {
      if (n != 0) list += n + 1 == counts.size() ? " or " : ", ";
      list += std::to_string(c);
      ++n;
    }
    fail(vm, "No version of '" + action.name + "' takes " + std::to_string(count) +
                 " argument(s). It is defined with " + list + " parameter(s).");
    return nullptr;
  }
  std::string message = "No version of '" + action.name + "' matches this call.\nYou provided (";
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i != 0) message += ", ";
    message += type_name(args[i]);
  }
  message += "), but '" + action.name + "' accepts:";
  for (const Closure& version : action.versions) {
    if (version.proto->parameters.size() == count) message += "\n  " + signature(*version.proto, action.name);
  }
  fail(vm, std::move(message));
  return nullptr;
}

bool Interpreter::call_value(Vm& vm, Value* callee, std::uint32_t count, CallStyle style) {
  if (callee->is_object()) {
    switch (callee->as_object()->kind) {
      case ObjectKind::kAction: {
        const Closure* version = select_version(vm, *callee->as<Action>(), callee + 1, count);
        return version != nullptr && push_frame(vm, *version, callee + 1, count, Frame::Return::kToFrame);
      }
      case ObjectKind::kNative:
        return call_native(vm, *callee->as<Native>(), callee, count, style);
      case ObjectKind::kHost: {
        const std::string hint = callee->as<HostObject>()->access_hint(HostAccess::kCall);
        if (!hint.empty()) return fail(vm, hint);
        break;
      }
      default:
        break;
    }
  }
  if (style == CallStyle::kWith && count == 1) return concat(vm, callee, 2, callee);
  return fail(vm, "Cannot call " + std::string(type_name(*callee)));
}

bool Interpreter::call_native(Vm& vm, const Native& native, Value* callee, std::uint32_t count, CallStyle style) {
  Error error;
  if (count < native.min_arguments || count > native.max_arguments) {
    const std::uint32_t expected = count < native.min_arguments ? native.min_arguments : native.max_arguments;
    error.message = native.name + " expects " + std::to_string(expected) +
                    (expected == 1 ? " argument" : " arguments") + ", got " + std::to_string(count);
  } else {
    NativeCall call(vm, vm.heap_, callee + 1, count, native.name, native.data);
    ++vm.native_depth_;
    const Value result = native.function(call);
    --vm.native_depth_;
    if (!call.failed()) {
      *callee = result;
      return true;
    }
    error = call.take_error();
  }
  if (style == CallStyle::kOf) {
    // The wording that programs written for the first WFL look for.
    const std::string_view prefix = language::error_prefix(error.kind);
    error.message = "Error in native function: Runtime error at line 0, column 0: " +
                    (prefix.empty() ? "" : "[" + std::string(prefix) + "] ") + error.message;
  }
  return fail(vm, error.kind, std::move(error.message));
}

bool Interpreter::call_host(Vm& vm, const FunctionProto& proto, std::uint32_t index, Value* args, std::uint32_t count) {
  const HostFunction* host = proto.hosts[index];
  if (host == nullptr) {
    return fail(vm, ErrorKind::kNotAvailable,
                "This statement is not available in this build (it needs '" + proto.host_names[index] + "')");
  }
  NativeCall call(vm, vm.heap_, args, count, proto.host_names[index], host->data);
  ++vm.native_depth_;
  const Value result = host->function(call);
  --vm.native_depth_;
  if (call.failed()) {
    Error error = call.take_error();
    return fail(vm, error.kind, std::move(error.message));
  }
  args[0] = result;
  return true;
}

bool Interpreter::call_bare(Vm& vm, Value* callee) {
  if (const auto* native = callee->try_as<Native>()) {
    if (native->max_arguments != 0) return true;
    const std::string name = native->name;
    if (call_native(vm, *native, callee, 0, CallStyle::kCall)) return true;
    vm.error_.message =
        "Error in native function '" + name + "': Runtime error at line 0, column 0: " + vm.error_.message;
    return false;
  }
  const auto* action = callee->as<Action>();
  for (const Closure& version : action->versions) {
    if (version.proto->parameters.empty()) return push_frame(vm, version, callee + 1, 0, Frame::Return::kToFrame);
  }
  return true;
}

bool Interpreter::call_member(Vm& vm, Value* object, std::uint32_t count, std::string_view name) {
  if (const auto* instance = object->try_as<Instance>()) {
    for (const Container* c = instance->container; c != nullptr; c = c->parent) {
      if (const Value* method = c->methods->find(name)) {
        const Closure* version = select_version(vm, *method->as<Action>(), object + 1, count);
        return version != nullptr && push_frame(vm, *version, object + 1, count, Frame::Return::kToFrame);
      }
    }
    return fail(vm, "Method '" + std::string(name) + "' not found in container '" + instance->container->name + "'");
  }
  if (const auto* container = object->try_as<Container>()) {
    for (const Container* c = container; c != nullptr; c = c->parent) {
      if (const Value* method = c->static_methods->find(name)) {
        const Closure* version = select_version(vm, *method->as<Action>(), object + 1, count);
        return version != nullptr && push_frame(vm, *version, object + 1, count, Frame::Return::kToFrame);
      }
    }
    return fail(vm, "Static method '" + std::string(name) + "' not found in container '" + container->name + "'");
  }
  if (const auto* host = object->try_as<HostObject>()) {
    const std::string hint = host->access_hint(HostAccess::kCall);
    if (!hint.empty()) return fail(vm, hint);
  }
  return fail(vm, "Cannot call method '" + std::string(name) + "' on non-container value");
}

bool Interpreter::call_parent(Vm& vm, Value self, Value* target, std::uint32_t count, std::string_view name) {
  const auto* instance = self.try_as<Instance>();
  if (instance == nullptr) return fail(vm, "Cannot call parent method: no parent container");
  const Container* owner = instance->container;
  while (owner != nullptr && owner->name != vm.frame_->proto->container) owner = owner->parent;
  if (owner == nullptr || owner->parent == nullptr) return fail(vm, "Cannot call parent method: no parent container");
  for (const Container* c = owner->parent; c != nullptr; c = c->parent) {
    if (const Value* method = c->methods->find(name)) {
      const Closure* version = select_version(vm, *method->as<Action>(), target + 1, count);
      target[0] = self;
      return version != nullptr && push_frame(vm, *version, target + 1, count, Frame::Return::kToFrame);
    }
  }
  return fail(vm, "Method '" + std::string(name) + "' not found in parent container '" + owner->parent->name + "'");
}

bool Interpreter::make_closure(Vm& vm, const Frame& frame, std::uint32_t function, Value* out) {
  const FunctionProto* proto = frame.proto->functions[function].get();
  auto* action = vm.heap_.make<Action>();
  action->name = proto->name;
  Closure closure{proto, {}};
  closure.cells.reserve(proto->cells.size());
  for (const CellSource& source : proto->cells) {
    closure.cells.push_back(source.from_register ? frame.base[source.index].as<Cell>()
                                                 : frame.closure->cells[source.index]);
  }
  action->versions.push_back(std::move(closure));
  *out = Value(action);
  return true;
}

namespace {
bool same_parameters(const FunctionProto& a, const FunctionProto& b) {
  return std::equal(a.parameters.begin(), a.parameters.end(), b.parameters.begin(), b.parameters.end(),
                    [](const ParameterInfo& x, const ParameterInfo& y) {
                      return x.type == y.type && (x.type != ParameterType::kContainer || x.type_name == y.type_name);
                    });
}
}  // namespace

// The versions are never changed in place: one of them may be running, and its frame points into them.
bool Interpreter::merge_action(Vm& vm, Value* into, Value from) {
  const auto* old = into->as<Action>();
  const Closure& added = from.as<Action>()->versions.front();
  auto* merged = vm.heap_.make<Action>();
  merged->name = old->name;
  merged->versions = old->versions;
  const auto same = std::find_if(merged->versions.begin(), merged->versions.end(), [&](const Closure& version) {
    return version.proto == added.proto || same_parameters(*version.proto, *added.proto);
  });
  if (same != merged->versions.end()) {
    *same = added;
  } else {
    merged->versions.push_back(added);
  }
  *into = Value(merged);
  return true;
}

bool Interpreter::define_action(Vm& vm, Module& module, std::uint32_t slot, Value action) {
  Value& target = module.values[slot];
  if (module.constant[slot] != 0) return fail(vm, "Cannot modify constant '" + module.names[slot] + "'");
  if (target.is(ObjectKind::kAction)) return merge_action(vm, &target, action);
  target = action;
  return true;
}

}  // namespace wfl::vm
