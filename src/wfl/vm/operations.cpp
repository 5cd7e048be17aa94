// Truth, equality, order and deep copies. The walks over nested values keep their own work lists instead of recursing,
// so neither depth nor cycles can hurt them.
#include "wfl/vm/operations.h"

#include <cmath>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "wfl/vm/heap.h"

namespace wfl::vm {

std::string replace_all(std::string_view text, std::string_view what, std::string_view replacement) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) ++count;
  if (count != 0 && replacement.size() > Text::kMaxBytes / count) throw TooLarge("The text would be too long");
  std::string out;
  out.reserve(text.size() - count * what.size() + count * replacement.size());
  std::size_t from = 0;
  for (; count > 0; --count) {
    const std::size_t at = text.find(what, from);
    out.append(text.substr(from, at - from)).append(replacement);
    from = at + what.size();
  }
  out.append(text.substr(from));
  return out;
}

bool truthy(Value value) {
  if (value.is_boolean()) return value.as_boolean();
  if (value.is_number()) return value.as_number() != 0;  // NaN is true.
  if (!value.is_object()) return false;
  switch (value.as_object()->kind) {
    case ObjectKind::kText:
      return value.as<Text>()->size != 0;
    case ObjectKind::kList:
      return !value.as<List>()->items.empty();
    case ObjectKind::kMap:
      return value.as<Map>()->size() != 0;
    case ObjectKind::kBinary:
      return !value.as<Binary>()->bytes.empty();
    case ObjectKind::kHost:
      return value.as<HostObject>()->truthy();
    default:
      return true;
  }
}

namespace {

constexpr double kEpsilon = 2.220446049250313e-16;

using Pair = std::pair<const Object*, const Object*>;
using Work = std::vector<std::pair<Value, Value>>;

bool equal_maps(const Map& a, const Map& b, Work& work) {
  if (a.size() != b.size()) return false;
  for (const Map::Entry& entry : a.entries()) {
    if (entry.key == nullptr) continue;
    const Value* other = b.find(entry.key);
    if (other == nullptr) return false;
    work.emplace_back(entry.value, *other);
  }
  return true;
}

// Compares two values except for what is inside lists, maps and instances, which goes onto the work list.
bool shallow_equal(Value a, Value b, Work& work, std::set<Pair>& seen) {
  if (a.is_number() && b.is_number()) {
    return a.as_number() == b.as_number() || std::fabs(a.as_number() - b.as_number()) < kEpsilon;
  }
  if (a == b) return true;
  if (a.is_null() && b.is_null()) return true;
  if (!a.is_object() || !b.is_object() || a.as_object()->kind != b.as_object()->kind) return false;
  switch (a.as_object()->kind) {
    case ObjectKind::kText:
      return a.as_text() == b.as_text();
    case ObjectKind::kDate:
      return a.as<Date>()->days == b.as<Date>()->days;
    case ObjectKind::kTime:
      return a.as<Time>()->seconds == b.as<Time>()->seconds && a.as<Time>()->nanoseconds == b.as<Time>()->nanoseconds;
    case ObjectKind::kDateTime:
      return a.as<DateTime>()->seconds == b.as<DateTime>()->seconds &&
             a.as<DateTime>()->nanoseconds == b.as<DateTime>()->nanoseconds;
    case ObjectKind::kBinary:
      return a.as<Binary>()->bytes == b.as<Binary>()->bytes;
    case ObjectKind::kNative:
      return a.as<Native>()->function == b.as<Native>()->function;
    case ObjectKind::kContainer:
      return a.as<Container>()->name == b.as<Container>()->name;
    case ObjectKind::kInterface:
      return a.as<Interface>()->name == b.as<Interface>()->name;
    case ObjectKind::kList: {
      const auto& x = a.as<List>()->items;
      const auto& y = b.as<List>()->items;
      if (x.size() != y.size()) return false;
      if (!seen.insert({a.as_object(), b.as_object()}).second) return true;
      for (std::size_t i = 0; i < x.size(); ++i) work.emplace_back(x[i], y[i]);
      return true;
    }
    case ObjectKind::kMap:
      if (!seen.insert({a.as_object(), b.as_object()}).second) return true;
      return equal_maps(*a.as<Map>(), *b.as<Map>(), work);
    case ObjectKind::kInstance:
      if (a.as<Instance>()->container->name != b.as<Instance>()->container->name) return false;
      if (!seen.insert({a.as_object(), b.as_object()}).second) return true;
      return equal_maps(*a.as<Instance>()->fields, *b.as<Instance>()->fields, work);
    default:
      return false;  // Identity, which was tested above.
  }
}

}  // namespace

bool equals(Value a, Value b) {
  Work work;
  std::set<Pair> seen;
  if (!shallow_equal(a, b, work, seen)) return false;
  while (!work.empty()) {
    const auto [x, y] = work.back();
    work.pop_back();
    if (!shallow_equal(x, y, work, seen)) return false;
  }
  return true;
}

std::optional<std::partial_ordering> compare(Value a, Value b) {
  if (a.is_number() && b.is_number()) return a.as_number() <=> b.as_number();
  if (!a.is_object() || !b.is_object() || a.as_object()->kind != b.as_object()->kind) return std::nullopt;
  switch (a.as_object()->kind) {
    case ObjectKind::kText:
      return a.as_text() <=> b.as_text();
    case ObjectKind::kDate:
      return a.as<Date>()->days <=> b.as<Date>()->days;
    case ObjectKind::kTime:
      return std::pair(a.as<Time>()->seconds, a.as<Time>()->nanoseconds) <=>
             std::pair(b.as<Time>()->seconds, b.as<Time>()->nanoseconds);
    case ObjectKind::kDateTime:
      return std::pair(a.as<DateTime>()->seconds, a.as<DateTime>()->nanoseconds) <=>
             std::pair(b.as<DateTime>()->seconds, b.as<DateTime>()->nanoseconds);
    default:
      return std::nullopt;
  }
}

Value deep_copy(Heap& heap, Value value) {
  std::unordered_map<const Object*, Object*> copies;
  std::vector<std::pair<const Object*, Object*>> unfilled;
  const auto copy_of = [&](Value old) -> Value {
    if (!old.is_object()) return old;
    Object* object = old.as_object();
    if (object->kind != ObjectKind::kList && object->kind != ObjectKind::kMap &&
        object->kind != ObjectKind::kInstance) {
      return old;
    }
    const auto it = copies.find(object);
    if (it != copies.end()) return Value(it->second);
    Object* made = nullptr;
    if (object->kind == ObjectKind::kList) {
      made = heap.list();
    } else if (object->kind == ObjectKind::kMap) {
      made = heap.map();
    } else {
      auto* instance = heap.make<Instance>();
      instance->container = static_cast<Instance*>(object)->container;
      instance->fields = heap.map();
      made = instance;
    }
    copies.emplace(object, made);
    unfilled.emplace_back(object, made);
    return Value(made);
  };
  const auto copy_map = [&](const Map& from, Map& to) {
    for (const Map::Entry& entry : from.entries()) {
      if (entry.key != nullptr) to.set(entry.key, copy_of(entry.value));
    }
  };
  const Value result = copy_of(value);
  while (!unfilled.empty()) {
    const auto [from, to] = unfilled.back();
    unfilled.pop_back();
    if (from->kind == ObjectKind::kList) {
      const auto& items = static_cast<const List*>(from)->items;
      auto& target = static_cast<List*>(to)->items;
      target.reserve(items.size());
      heap.account(items.size() * sizeof(Value));
      for (const Value item : items) target.push_back(copy_of(item));
    } else if (from->kind == ObjectKind::kMap) {
      copy_map(*static_cast<const Map*>(from), *static_cast<Map*>(to));
    } else {
      copy_map(*static_cast<const Instance*>(from)->fields, *static_cast<Instance*>(to)->fields);
    }
  }
  return result;
}

}  // namespace wfl::vm
