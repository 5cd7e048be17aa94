// Operations of the core language that are too rare for an opcode: collections, modules, patterns.
#include <algorithm>

#include "wfl/vm/interpreter.h"
#include "wfl/vm/operations.h"
#include "wfl/vm/pattern.h"

namespace wfl::vm {

bool Interpreter::intrinsic(Vm& vm, std::uint32_t id, Value* args, std::uint32_t count) {
  using Function = bool (*)(Vm&, Value*, std::uint32_t);
  static constexpr Function kFunctions[] = {
#define WFL_INTRINSIC_POINTER(name, function, doc) &Interpreter::function,
      WFL_INTRINSICS(WFL_INTRINSIC_POINTER)
#undef WFL_INTRINSIC_POINTER
  };
  return kFunctions[id](vm, args, count);
}

bool Interpreter::field_of(Vm& vm, Value* args, std::uint32_t) {
  const Value callee = args[0];
  args[0] = Value::undefined();
  if (callee.is(ObjectKind::kAction) || callee.is(ObjectKind::kNative)) return true;
  Text* name = args[2].as<Text>();
  const Map* fields = nullptr;
  if (const auto* map = args[1].try_as<Map>()) fields = map;
  if (const auto* instance = args[1].try_as<Instance>()) fields = instance->fields;
  if (fields != nullptr) {
    if (const Value* found = fields->find(name)) {
      args[0] = *found;
      return true;
    }
  }
  if (const auto* host = args[1].try_as<HostObject>(); host != nullptr && callee.is_undefined()) {
    const std::string hint = host->access_hint(HostAccess::kField);
    if (!hint.empty()) return fail(vm, hint);
  }
  if (callee.is_undefined()) {
    if (fields != nullptr) {
      return fail(vm, (args[1].is_map() ? "Object has no property '" : "Property '") + std::string(name->view()) +
                          (args[1].is_map() ? "'" : "' not found"));
    }
    return undefined_variable(vm, name->view());
  }
  return fail(vm, "'" + std::string(name->view()) + "' is not callable");
}

bool Interpreter::remove_item(Vm& vm, Value* args, std::uint32_t) {
  auto* list = args[0].try_as<List>();
  if (list == nullptr) {
    if (const auto* host = args[0].try_as<HostObject>()) {
      const std::string hint = host->access_hint(HostAccess::kRemove);
      if (!hint.empty()) return fail(vm, hint);
    }
    return fail(vm, "Cannot remove from non-list value: " + debug_form(args[0]));
  }
  const auto found =
      std::find_if(list->items.begin(), list->items.end(), [item = args[1]](Value v) { return equals(v, item); });
  if (found != list->items.end()) list->items.erase(found);
  args[0] = Value::null();
  return true;
}

bool Interpreter::clear_collection(Vm& vm, Value* args, std::uint32_t) {
  auto* list = args[0].try_as<List>();
  if (list == nullptr) {
    if (const auto* host = args[0].try_as<HostObject>()) {
      const std::string hint = host->access_hint(HostAccess::kClear);
      if (!hint.empty()) return fail(vm, hint);
    }
    return fail(vm, "Cannot clear non-list value: " + debug_form(args[0]));
  }
  list->items.clear();
  args[0] = Value::null();
  return true;
}

bool Interpreter::push_item(Vm& vm, Value* args, std::uint32_t) {
  auto* list = args[0].try_as<List>();
  if (list == nullptr) return fail(vm, "Cannot push to non-list value: " + debug_form(args[0]));
  list->items.push_back(args[1]);
  vm.heap_.account(sizeof(Value));
  args[0] = Value::null();
  return true;
}

bool Interpreter::measure(Vm&, Value* args, std::uint32_t) {
  const Value value = args[0];
  args[0] = Value::undefined();
  if (value.is_text()) args[0] = Value(static_cast<double>(value.as<Text>()->length()));
  if (value.is_list()) args[0] = Value(static_cast<double>(value.as<List>()->items.size()));
  if (const auto* binary = value.try_as<Binary>()) args[0] = Value(static_cast<double>(binary->bytes.size()));
  return true;
}

bool Interpreter::new_pattern(Vm& vm, Value* args, std::uint32_t) {
  auto* pattern = vm.heap_.make<Pattern>();
  pattern->name = std::string(args[1].as_text());
  pattern->description = vm.frame_->proto->patterns[static_cast<std::size_t>(args[0].as_number())];
  args[0] = Value(pattern);
  return true;
}

bool Interpreter::replace_text(Vm& vm, Value* args, std::uint32_t) {
  // args: text, what, replacement; all texts. Every occurrence, left to right.
  const std::string_view text = args[0].as_text();
  const std::string_view what = args[1].as_text();
  if (what.empty()) return true;
  args[0] = Value(vm.heap_.text(replace_all(text, what, display(args[2]))));
  return true;
}

// ---- Modules ----

bool Interpreter::check_export(Vm& vm, Value* args, std::uint32_t) {
  const Module& module = *vm.frame_->proto->module;
  const std::string what(args[0].as_text());
  const std::string name(args[1].as_text());
  const Value value = args[2];
  if (value.is_undefined()) {
    std::string kind = what;
    kind[0] = static_cast<char>(kind[0] - 'a' + 'A');
    return fail(vm, kind + " '" + name + "' not found in current scope");
  }
  if (what == "action" && !value.is(ObjectKind::kAction)) return fail(vm, "'" + name + "' is not an action definition");
  if (what == "container" && !value.is(ObjectKind::kContainer)) {
    return fail(vm, "'" + name + "' is not a container definition");
  }
  if (what == "constant") {
    const std::uint32_t* slot = module.find(name);
    if (!args[3].as_boolean() && (slot == nullptr || module.constant[*slot] == 0)) {
      return fail(vm, "Variable '" + name + "' is not a constant and cannot be exported as one");
    }
  }
  args[0] = Value::null();
  return true;
}

namespace {
bool load(Vm& vm, Value* args, LoadKind kind, ModuleLoader* loader, Module& module, CodeSpan span,
          std::unique_ptr<FunctionProto>* out) {
  if (!args[0].is_text()) {
    return Interpreter::fail(vm, "A module path must be text, got " + std::string(type_name(args[0])));
  }
  if (loader == nullptr) {
    return Interpreter::fail(vm, ErrorKind::kNotAvailable, "Other files cannot be loaded here");
  }
  auto loaded = loader->load(kind, args[0].as_text(), module, span);
  if (!loaded.has_value()) return Interpreter::fail(vm, loaded.error().kind, std::move(loaded.error().message));
  *out = std::move(*loaded);
  return true;
}
}  // namespace

bool Interpreter::include_file(Vm& vm, Value* args, std::uint32_t) {
  std::unique_ptr<FunctionProto> function;
  if (!load(vm, args, LoadKind::kInclude, vm.loader_, *vm.frame_->proto->module, vm.current_span(), &function))
    return false;
  const FunctionProto* proto = vm.adopt(std::move(function));
  args[0] = Value::null();
  if (push_frame(vm, Closure{proto, {}}, args + 1, 0, Frame::Return::kInclude)) {
    vm.frame_->closure = nullptr;
    return true;
  }
  Error error{vm.error_.kind, vm.error_.message};
  vm.loader_->finished(LoadKind::kInclude, &error);
  return false;
}

bool Interpreter::load_module(Vm& vm, Value* args, std::uint32_t) {
  std::unique_ptr<FunctionProto> function;
  if (!load(vm, args, LoadKind::kModule, vm.loader_, *vm.frame_->proto->module, vm.current_span(), &function))
    return false;
  const FunctionProto* proto = vm.adopt(std::move(function));
  args[0] = Value::null();
  if (push_frame(vm, Closure{proto, {}}, args + 1, 0, Frame::Return::kModule)) {
    vm.frame_->closure = nullptr;
    return true;
  }
  Error error{vm.error_.kind, vm.error_.message};
  vm.loader_->finished(LoadKind::kModule, &error);
  return false;
}

}  // namespace wfl::vm
