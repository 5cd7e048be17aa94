// Functions on lists. Those that also take texts (length, contains, indexof) are in text.cpp.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <unordered_set>

#include "wfl/stdlib/convert.h"
#include "wfl/stdlib/registry.h"
#include "wfl/vm/heap.h"

namespace wfl::stdlib {
namespace {

using vm::List;
using vm::NativeCall;
using vm::Value;

Value push(NativeCall& call) {
  List* list = call.list(0);
  if (call.failed()) return Value::null();
  list->items.push_back(call[1]);
  call.heap.account(sizeof(Value));
  return Value::null();
}

Value pop(NativeCall& call) {
  List* list = call.list(0);
  if (call.failed()) return Value::null();
  if (list->items.empty()) return call.fail("Cannot pop from an empty list");
  const Value last = list->items.back();
  list->items.pop_back();
  return last;
}

Value shift(NativeCall& call) {
  List* list = call.list(0);
  if (call.failed()) return Value::null();
  if (list->items.empty()) return call.fail("Cannot shift from an empty list");
  const Value first = list->items.front();
  list->items.erase(list->items.begin());
  return first;
}

Value unshift(NativeCall& call) {
  List* list = call.list(0);
  if (call.failed()) return Value::null();
  list->items.insert(list->items.begin(), call[1]);
  call.heap.account(sizeof(Value));
  return Value::null();
}

Value insert_at(NativeCall& call) {
  List* list = call.list(0);
  const std::int64_t index = to_signed(call.number(1));
  if (call.failed()) return Value::null();
  if (index < 0 || static_cast<std::uint64_t>(index) > list->items.size()) {
    return call.fail("Index " + std::to_string(index) + " out of bounds for insert into list of length " +
                     std::to_string(list->items.size()));
  }
  list->items.insert(list->items.begin() + index, call[2]);
  call.heap.account(sizeof(Value));
  return Value::null();
}

Value remove_at(NativeCall& call) {
  List* list = call.list(0);
  const std::int64_t index = to_signed(call.number(1));
  if (call.failed()) return Value::null();
  if (index < 0 || static_cast<std::uint64_t>(index) >= list->items.size()) {
    return call.fail("Index " + std::to_string(index) + " out of bounds for list of length " +
                     std::to_string(list->items.size()));
  }
  const Value removed = list->items[static_cast<std::size_t>(index)];
  list->items.erase(list->items.begin() + index);
  return removed;
}

Value clear(NativeCall& call) {
  List* list = call.list(0);
  if (!call.failed()) list->items.clear();
  return Value::null();
}

int sort_rank(Value v) {
  if (v.is_number()) return 0;
  if (v.is_text()) return 1;
  if (v.is_boolean()) return 2;
  if (v.is_null()) return 3;
  return 4;
}

// A strict weak order over all values, so that std::stable_sort is safe whatever the list holds: NaN comes after all
// other numbers; values without an order of their own are all equal.
bool sorts_before(Value a, Value b) {
  const int rank_a = sort_rank(a);
  const int rank_b = sort_rank(b);
  if (rank_a != rank_b) return rank_a < rank_b;
  switch (rank_a) {
    case 0: {
      const double x = a.as_number();
      const double y = b.as_number();
      if (std::isnan(x) || std::isnan(y)) return !std::isnan(x) && std::isnan(y);
      return x < y;
    }
    case 1:
      return a.as_text() < b.as_text();
    case 2:
      return !a.as_boolean() && b.as_boolean();
    default:
      return false;
  }
}

Value sort(NativeCall& call) {
  List* list = call.list(0);
  if (!call.failed()) std::ranges::stable_sort(list->items, sorts_before);
  return Value::null();
}

Value reverse_list(NativeCall& call) {
  List* list = call.list(0);
  if (!call.failed()) std::ranges::reverse(list->items);
  return Value::null();
}

Value fill(NativeCall& call) {
  List* list = call.list(0);
  if (!call.failed()) std::ranges::fill(list->items, call[1]);
  return Value::null();
}

Value slice(NativeCall& call) {
  List* list = call.list(0);
  const auto size = static_cast<std::int64_t>(list == nullptr ? 0 : list->items.size());
  const std::int64_t from = std::clamp(to_signed(call.number(1)), std::int64_t{0}, size);
  const std::int64_t to = std::clamp(to_signed(call.number(2)), std::int64_t{0}, size);
  if (call.failed()) return Value::null();
  std::vector<Value> part;
  if (from < to) part.assign(list->items.begin() + from, list->items.begin() + to);
  return Value::object(call.heap.list(std::move(part)));
}

Value concat(NativeCall& call) {
  List* a = call.list(0);
  List* b = call.list(1);
  if (call.failed()) return Value::null();
  std::vector<Value> all;
  all.reserve(a->items.size() + b->items.size());
  all.insert(all.end(), a->items.begin(), a->items.end());
  all.insert(all.end(), b->items.begin(), b->items.end());
  return Value::object(call.heap.list(std::move(all)));
}

Value unique(NativeCall& call) {
  List* list = call.list(0);
  if (call.failed()) return Value::null();
  // Two values count as the same when they have the same type and the same display form.
  std::unordered_set<std::string> seen;
  std::vector<Value> kept;
  for (const Value item : list->items) {
    std::string key(vm::type_name(item));
    key.push_back(':');
    vm::append_display(key, item);
    if (seen.insert(std::move(key)).second) kept.push_back(item);
  }
  return Value::object(call.heap.list(std::move(kept)));
}

Value count(NativeCall& call) {
  List* list = call.list(0);
  if (call.failed()) return Value::null();
  return number_value(static_cast<std::size_t>(
      std::ranges::count_if(list->items, [&](Value item) { return vm::equals(item, call[1]); })));
}

Value find(NativeCall& call) {
  List* list = call.list(0);
  if (call.failed()) return Value::null();
  for (const Value item : list->items) {
    if (vm::equals(item, call[1])) return item;
  }
  return Value::nothing();
}

Value every(NativeCall& call) {
  List* list = call.list(0);
  if (call.failed()) return Value::null();
  return Value::boolean(std::ranges::all_of(list->items, [&](Value item) { return vm::equals(item, call[1]); }));
}

Value some(NativeCall& call) {
  List* list = call.list(0);
  if (call.failed()) return Value::null();
  return Value::boolean(std::ranges::any_of(list->items, [&](Value item) { return vm::equals(item, call[1]); }));
}

constexpr auto kFunctions = std::to_array<BuiltinFunction>({
    {"push", push},
    {"pop", pop},
    {"shift", shift},
    {"unshift", unshift},
    {"insert_at", insert_at},
    {"remove_at", remove_at},
    {"clear", clear},
    {"sort", sort},
    {"reverse_list", reverse_list},
    {"fill", fill},
    {"slice", slice},
    {"concat", concat},
    {"unique", unique},
    {"count", count},
    {"find", find},
    {"every", every},
    {"some", some},
});

}  // namespace

std::span<const BuiltinFunction> list_functions() {
  return kFunctions;
}

}  // namespace wfl::stdlib
