// Containers, interfaces, instances and events: what their definitions do when they are reached.
#include <algorithm>

#include "wfl/vm/interpreter.h"
#include "wfl/vm/operations.h"

namespace wfl::vm {

namespace {

const Closure* find_method(const Container& container, std::string_view name) {
  for (const Container* c = &container; c != nullptr; c = c->parent) {
    if (const Value* method = static_cast<const Map*>(c->methods)->find(name)) {
      return &method->as<Action>()->versions.front();
    }
  }
  return nullptr;
}

// An empty text when the container has everything the interface asks for, else what is missing.
std::string missing_in(const Container& container, const Interface& interface) {
  for (const Interface::Requirement& required : interface.requirements) {
    const Closure* method = find_method(container, required.action);
    const std::string head = "Container '" + container.name + "' does not satisfy interface '" + interface.name + "': ";
    if (method == nullptr) return head + "missing required action '" + required.action + "'";
    if (method->proto->parameters.size() != required.parameters) {
      return head + "action '" + required.action + "' takes " + std::to_string(method->proto->parameters.size()) +
             " parameter(s) but the interface requires " + std::to_string(required.parameters);
    }
  }
  for (const Interface* parent : interface.parents) {
    std::string missing = missing_in(container, *parent);
    if (!missing.empty()) return missing;
  }
  return {};
}

Value visible_global(Vm& vm, const FunctionProto& proto, std::string_view name) {
  Module& module = *proto.module;
  const std::uint32_t slot = module.slot(name);
  const Value value = module.values[slot];
  return value.is_undefined() ? Interpreter::read_global(vm, module, slot) : value;
}

}  // namespace

Value* Interpreter::find_field(Value self, const Text* name) {
  const Container* container = nullptr;
  if (const auto* instance = self.try_as<Instance>()) {
    if (Value* field = instance->fields->find(name)) return field;
    container = instance->container;
  } else {
    container = self.try_as<Container>();
  }
  for (; container != nullptr; container = container->parent) {
    if (Value* field = container->statics->find(name)) return field;
  }
  return nullptr;
}

bool Interpreter::define_container(Vm& vm, Value* args, std::uint32_t) {
  const FunctionProto& proto = *vm.frame_->proto;
  const ContainerSpec& spec = proto.containers[static_cast<std::size_t>(args[0].as_number())];
  Heap& heap = vm.heap_;
  auto* container = heap.make<Container>();
  container->name = spec.name;
  container->interfaces = spec.interfaces;
  container->methods = heap.map();
  container->static_methods = heap.map();
  container->statics = heap.map();
  container->properties = heap.map();
  container->events = heap.map();
  if (!spec.parent.empty()) {
    const Value parent = visible_global(vm, proto, spec.parent);
    if (!parent.is(ObjectKind::kContainer)) {
      return fail(vm, "Parent container '" + spec.parent + "' not found for container '" + spec.name + "'");
    }
    container->parent = parent.as<Container>();
  }
  for (const ContainerSpec::Property& property : spec.properties) {
    heap.map_set(container->properties, property.name, Value::boolean(property.has_default));
  }
  for (const std::string& event : spec.events) heap.map_set(container->events, event, Value::null());
  for (const ContainerSpec::Method& method : spec.methods) {
    Value action;
    make_closure(vm, *vm.frame_, method.function, &action);
    Map* table = method.is_static ? container->static_methods : container->methods;
    if (Value* old = table->find(heap.intern(method.name))) {
      merge_action(vm, old, action);
    } else {
      heap.map_set(table, method.name, action);
    }
  }
  if (spec.defaults >= 0) {
    Value action;
    make_closure(vm, *vm.frame_, static_cast<std::uint32_t>(spec.defaults), &action);
    container->defaults = action.as<Action>();
  }
  for (const std::string& name : spec.interfaces) {
    const Value interface = visible_global(vm, proto, name);
    if (!interface.is(ObjectKind::kInterface)) {
      return fail(vm, "Interface '" + name + "' not found for container '" + spec.name + "'");
    }
    std::string missing = missing_in(*container, *interface.as<Interface>());
    if (!missing.empty()) return fail(vm, std::move(missing));
  }
  args[0] = Value(container);
  return true;
}

bool Interpreter::define_interface(Vm& vm, Value* args, std::uint32_t) {
  const FunctionProto& proto = *vm.frame_->proto;
  const InterfaceSpec& spec = proto.interfaces[static_cast<std::size_t>(args[0].as_number())];
  auto* interface = vm.heap_.make<Interface>();
  interface->name = spec.name;
  interface->requirements = spec.requirements;
  for (const std::string& name : spec.parents) {
    const Value parent = visible_global(vm, proto, name);
    if (!parent.is(ObjectKind::kInterface)) {
      return fail(vm, "Interface '" + name + "' not found for interface '" + spec.name + "'");
    }
    interface->parents.push_back(parent.as<Interface>());
  }
  args[0] = Value(interface);
  return true;
}

bool Interpreter::new_instance(Vm& vm, Value* args, std::uint32_t) {
  auto* container = args[0].try_as<Container>();
  if (container == nullptr) {
    return fail(vm, "'" + std::string(args[1].as_text()) + "' is not a container");
  }
  auto* instance = vm.heap_.make<Instance>();
  instance->container = container;
  instance->fields = vm.heap_.map();
  args[0] = Value(instance);
  std::vector<const Container*> chain;
  for (const Container* c = container; c != nullptr; c = c->parent) chain.push_back(c);
  for (auto it = chain.rbegin(); it != chain.rend(); ++it) {
    if ((*it)->defaults == nullptr) continue;
    auto done = vm.call_on(args[0], (*it)->defaults->versions.front(), {});
    if (!done.has_value()) {
      vm.error_ = std::move(done.error());
      return false;
    }
  }
  return true;
}

bool Interpreter::on_event(Vm& vm, Value* args, std::uint32_t) {
  const auto* instance = args[0].try_as<Instance>();
  if (instance == nullptr) return fail(vm, "Cannot add event handler to non-container value");
  for (const Container* c = instance->container; c != nullptr; c = c->parent) {
    if (static_cast<const Map*>(c->events)->find(args[1].as_text()) != nullptr) {
      args[0] = Value::null();
      return true;
    }
  }
  return fail(
      vm, "Event '" + std::string(args[1].as_text()) + "' not found in container '" + instance->container->name + "'");
}

}  // namespace wfl::vm
