// What instructions do when their operands are not the ordinary case, with the messages of the language.
#include <algorithm>
#include <cmath>
#include <exception>

#include "wfl/vm/interpreter.h"
#include "wfl/vm/operations.h"

namespace wfl::vm {

namespace {
std::string type_of(Value value) {
  return std::string(type_name(value));
}

std::string_view comparison_sign(Op op) {
  switch (op) {
    case Op::kLess:
      return "<";
    case Op::kLessEqual:
      return "<=";
    case Op::kGreater:
      return ">";
    default:
      return ">=";
  }
}

// A text of all parts; empty when it would be too long.
bool too_long(std::size_t size) {
  return size > Text::kMaxBytes;
}
}  // namespace

bool Interpreter::arithmetic(Vm& vm, Op op, Value left, Value right, Value* out) {
  const bool numbers = left.is_number() && right.is_number();
  switch (op) {
    case Op::kAdd: {
      if (left.is_text() || right.is_text()) {
        const Value parts[] = {left, right};
        return concat(vm, parts, 2, out);
      }
      return fail(vm, "Cannot add " + type_of(left) + " and " + type_of(right));
    }
    case Op::kSubtract:
      return fail(vm, "Cannot subtract " + type_of(right) + " from " + type_of(left));
    case Op::kMultiply:
      return fail(vm, "Cannot multiply " + type_of(left) + " and " + type_of(right));
    case Op::kDivide: {
      if (!numbers) return fail(vm, "Cannot divide " + type_of(left) + " by " + type_of(right));
      if (right.as_number() == 0) return fail(vm, "Division by zero");
      const double quotient = left.as_number() / right.as_number();
      if (!std::isfinite(quotient)) {
        return fail(vm, "Division resulted in invalid number: " + format_number(quotient));
      }
      *out = Value(quotient);
      return true;
    }
    default:
      if (!numbers) return fail(vm, "Cannot take " + type_of(left) + " modulo " + type_of(right));
      return fail(vm, "Modulo by zero");
  }
}

bool Interpreter::order(Vm& vm, Op op, Value left, Value right, bool* out) {
  const auto result = compare(left, right);
  if (!result.has_value()) {
    return fail(
        vm, "Cannot compare " + type_of(left) + " and " + type_of(right) + " with " + std::string(comparison_sign(op)));
  }
  switch (op) {
    case Op::kLess:
      *out = *result < 0;
      break;
    case Op::kLessEqual:
      *out = *result <= 0;
      break;
    case Op::kGreater:
      *out = *result > 0;
      break;
    default:
      *out = *result >= 0;
      break;
  }
  return true;
}

bool Interpreter::negate(Vm& vm, Value value, Value*) {
  return fail(vm, "Cannot negate " + type_of(value));
}

bool Interpreter::contains(Vm& vm, Value collection, Value item, Value* out) {
  if (const auto* list = collection.try_as<List>()) {
    *out = Value::boolean(
        std::any_of(list->items.begin(), list->items.end(), [item](Value v) { return equals(v, item); }));
    return true;
  }
  if (collection.is_map() && item.is_text()) {
    *out = Value::boolean(collection.as<Map>()->find(item.as<Text>()) != nullptr);
    return true;
  }
  if (collection.is_text() && item.is_text()) {
    *out = Value::boolean(collection.as_text().find(item.as_text()) != std::string_view::npos);
    return true;
  }
  if (auto* host = collection.try_as<HostObject>()) {
    NativeCall call(vm, vm.heap_, nullptr, 0, "contains");
    const Value result = host->contains(call, item);
    if (call.failed()) {
      Error error = call.take_error();
      return fail(vm, error.kind, std::move(error.message));
    }
    *out = result;
    return true;
  }
  return fail(vm, "Cannot check if " + type_of(collection) + " contains " + type_of(item));
}

bool Interpreter::affix(Vm& vm, Op op, Value text, Value part, Value* out) {
  if (!text.is_text() || !part.is_text()) {
    return fail(vm, "Expected text, got " + type_of(text.is_text() ? part : text));
  }
  *out = Value::boolean(op == Op::kStartsWith ? text.as_text().starts_with(part.as_text())
                                              : text.as_text().ends_with(part.as_text()));
  return true;
}

bool Interpreter::concat(Vm& vm, const Value* parts, std::uint32_t count, Value* out) {
  // The common case first: a text with something short added to it, which grows in place when it can.
  if (parts[0].is_text()) {
    Text* left = parts[0].as<Text>();
    std::string rest;
    std::string_view tail;
    if (count == 2 && parts[1].is_text()) {
      tail = parts[1].as_text();
    } else {
      for (std::uint32_t i = 1; i < count; ++i) append_display(rest, parts[i]);
      tail = rest;
    }
    if (too_long(left->size + tail.size())) return fail(vm, ErrorKind::kResourceLimit, "The text would be too long");
    *out = Value(vm.heap_.concat(left, tail));
    return true;
  }
  std::string text;
  for (std::uint32_t i = 0; i < count; ++i) append_display(text, parts[i]);
  if (too_long(text.size())) return fail(vm, ErrorKind::kResourceLimit, "The text would be too long");
  *out = Value(vm.heap_.text(text));
  return true;
}

bool Interpreter::index(Vm& vm, Value collection, Value at, Value* out) {
  if (collection.is_list() && at.is_number()) {
    const auto& items = collection.as<List>()->items;
    const double n = at.as_number();
    // Truncated, negative and NaN become 0, too large stays out of bounds.
    const std::size_t position = !(n > 0) ? 0 : n >= 1.8e19 ? std::size_t(-1) : static_cast<std::size_t>(n);
    if (position < items.size()) {
      *out = items[position];
      return true;
    }
    return fail(
        vm, "Index " + std::to_string(position) + " out of bounds for list of length " + std::to_string(items.size()));
  }
  if (collection.is_map() && at.is_text()) {
    const Value* found = static_cast<const Map*>(collection.as<Map>())->find(at.as<Text>());
    if (found == nullptr) return fail(vm, "Object has no key '" + std::string(at.as_text()) + "'");
    *out = *found;
    return true;
  }
  if (const auto* host = collection.try_as<HostObject>()) {
    const std::string hint = host->access_hint(HostAccess::kIndex);
    if (!hint.empty()) return fail(vm, hint);
  }
  return fail(vm, "Cannot index " + type_of(collection) + " with " + type_of(at));
}

bool Interpreter::get_property(Vm& vm, Value object, Text* name, Value* out) {
  const std::string shown(name->view());
  if (auto* map = object.try_as<Map>()) {
    const Value* found = static_cast<const Map*>(map)->find(name);
    if (found == nullptr) return fail(vm, "Object has no property '" + shown + "'");
    *out = *found;
    return true;
  }
  if (const auto* instance = object.try_as<Instance>()) {
    const Value* found = static_cast<const Map*>(instance->fields)->find(name);
    if (found == nullptr) return fail(vm, "Property '" + shown + "' not found");
    *out = *found;
    return true;
  }
  if (const auto* container = object.try_as<Container>()) {
    for (const Container* c = container; c != nullptr; c = c->parent) {
      if (const Value* found = static_cast<const Map*>(c->statics)->find(name)) {
        *out = *found;
        return true;
      }
      if (const Value* method = static_cast<const Map*>(c->static_methods)->find(name)) {
        *out = *method;
        return true;
      }
    }
    return fail(vm, "Static member '" + shown + "' not found in container '" + container->name + "'");
  }
  if (const auto* host = object.try_as<HostObject>()) {
    const std::string hint = host->access_hint(HostAccess::kField);
    if (!hint.empty()) return fail(vm, hint);
  }
  return fail(vm, "Cannot access property '" + shown + "' on non-container value");
}

bool Interpreter::set_property(Vm& vm, Value object, Text* name, Value value) {
  if (const auto* instance = object.try_as<Instance>()) {
    instance->fields->set(name, value);
  } else if (const auto* container = object.try_as<Container>()) {
    container->statics->set(name, value);
  } else {
    return fail(vm, "Cannot set property '" + std::string(name->view()) + "' of " + type_of(object));
  }
  vm.heap_.account(sizeof(Map::Entry));
  return true;
}

bool Interpreter::add_to(Vm& vm, Value* target, Value value) {
  if (target->is_number()) return fail(vm, "Cannot add non-numeric value to number");
  if (auto* list = target->try_as<List>()) {
    list->items.push_back(value);
    vm.heap_.account(sizeof(Value));
    return true;
  }
  return fail(vm, "Cannot add to non-list value: " + debug_form(*target));
}

bool Interpreter::count_prepare(Vm& vm, Value* counter, bool* enter) {
  // counter[0]: from, counter[1]: to, counter[2]: step; counter[3] says whether it counts down.
  static constexpr const char* kWhat[] = {"start", "end", "step"};
  for (int i = 0; i < 3; ++i) {
    if (!counter[i].is_number()) {
      return fail(vm, std::string("Count loop ") + kWhat[i] + " must be a number, got " + type_of(counter[i]));
    }
  }
  const double from = counter[0].as_number();
  const double to = counter[1].as_number();
  const double step = counter[2].as_number();
  *enter = counter[3].as_boolean() ? from >= to : from <= to;
  if (*enter && !(step > 0 && std::isfinite(step))) {
    return fail(vm, "Count loop step must be a positive number, got " + format_number(step) +
                        ". Use 'count from … down to …' to count downwards");
  }
  return true;
}

bool Interpreter::iterate_prepare(Vm& vm, Value* iteration, std::uint32_t flags) {
  const Value source = *iteration;
  const bool reversed = (flags & 1) != 0;
  auto* snapshot = vm.heap_.make<List>();
  if (const auto* list = source.try_as<List>()) {
    snapshot->items = list->items;
  } else if (const auto* map = source.try_as<Map>()) {
    snapshot->items.reserve(map->size());
    for (const Map::Entry& entry : map->entries()) {
      if (entry.key != nullptr) snapshot->items.push_back(entry.value);
    }
  } else if (auto* host = source.try_as<HostObject>()) {
    if (dynamic_cast<HostIterator*>(host) != nullptr) return true;  // Already an iteration: a range was given.
    NativeCall call(vm, vm.heap_, iteration, 1, "for each");
    const Value result = host->iterate(call, reversed);
    if (call.failed()) {
      Error error = call.take_error();
      return fail(vm, error.kind, std::move(error.message));
    }
    *iteration = result;
    return true;
  } else {
    return fail(vm, "Cannot iterate over " + type_of(source));
  }
  if (reversed) std::reverse(snapshot->items.begin(), snapshot->items.end());
  vm.heap_.account(snapshot->items.size() * sizeof(Value));
  iteration[0] = Value(snapshot);
  iteration[1] = Value(0.0);
  return true;
}

bool Interpreter::iterate_next(Vm& vm, Value* iteration, bool* more) {
  auto* iterator = dynamic_cast<HostIterator*>(iteration->as<HostObject>());
  NativeCall call(vm, vm.heap_, iteration, 1, "for each");
  const Value next = iterator == nullptr ? Value::undefined() : iterator->next(call);
  if (call.failed()) {
    Error error = call.take_error();
    return fail(vm, error.kind, std::move(error.message));
  }
  *more = !next.is_undefined();
  if (*more) {
    iteration[2] = next;
  } else {
    close_iteration(vm, *iteration);
  }
  return true;
}

Value Interpreter::read_global(Vm& vm, Module& module, std::uint32_t slot) {
  const std::string& name = module.names[slot];
  for (Module* outer = module.parent; outer != nullptr; outer = outer->parent) {
    const Value value = outer->get(name);
    if (!value.is_undefined()) return deep_copy(vm.heap_, value);
  }
  return Value::undefined();
}

bool Interpreter::set_global(Vm& vm, Module& module, std::uint32_t slot, Value value, bool must_exist) {
  const std::string& name = module.names[slot];
  if (module.constant[slot] != 0) return fail(vm, "Cannot modify constant '" + name + "'");
  if (module.values[slot].is_undefined()) {
    for (Module* outer = module.parent; outer != nullptr; outer = outer->parent) {
      const std::uint32_t* found = outer->find(name);
      if (found == nullptr || outer->values[*found].is_undefined()) continue;
      if (outer->values[*found].is(ObjectKind::kNative)) break;  // A built-in name may be used for a variable.
      if (outer->constant[*found] != 0) return fail(vm, "Cannot modify constant '" + name + "'");
      return fail(vm, "Cannot modify parent variable '" + name +
                          "' from module scope. Modules have read-only access to parent variables.");
    }
    if (must_exist) return undefined_variable(vm, name);
  }
  module.values[slot] = value;
  return true;
}

bool Interpreter::define_constant(Vm& vm, Module& module, std::uint32_t slot, Value value) {
  const Value old = module.values[slot];
  if (!old.is_undefined() && !old.is(ObjectKind::kNative)) {
    return fail(vm, "Constant '" + module.names[slot] + "' has already been defined; a constant keeps its first value");
  }
  module.values[slot] = value;
  module.constant[slot] = 1;
  return true;
}

void Interpreter::show(Vm& vm, const Value* parts, std::uint32_t count) {
  if (count == 1 && parts[0].is_text()) {
    vm.output_ += parts[0].as_text();
  } else {
    const std::size_t before = vm.output_.size();
    try {
      for (std::uint32_t i = 0; i < count; ++i) append_display(vm.output_, parts[i]);
    } catch (const std::exception&) {
      vm.output_.resize(before);  // Half a line helps nobody.
      throw;
    }
  }
  vm.output_ += '\n';
  if (vm.output_.size() >= vm.output_buffer_bytes_) vm.flush_output();
}

}  // namespace wfl::vm
