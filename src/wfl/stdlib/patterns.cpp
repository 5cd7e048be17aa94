// Pattern built-ins and the host functions of pattern statements and expressions.
#include <array>
#include <string>

#include "wfl/stdlib/convert.h"
#include "wfl/stdlib/pattern_program.h"
#include "wfl/stdlib/registry.h"
#include "wfl/stdlib/unicode.h"
#include "wfl/vm/heap.h"

namespace wfl::stdlib {
namespace {

using vm::NativeCall;
using vm::Pattern;
using vm::Value;

PatternLimits limits_of(NativeCall& call) {
  const Settings& settings = runtime_of(call).settings;
  return {settings.max_pattern_steps, settings.max_pattern_states};
}

// The text and the pattern an operation works on. A plain text as the pattern matches itself.
struct Operands {
  std::u32string text;
  const CompiledPattern* pattern = nullptr;
  std::unique_ptr<CompiledPattern> own;
};

std::string_view ordinal(std::uint32_t i) {
  return i == 0 ? "First" : i == 1 ? "Second" : "Third";
}

bool read_operands(NativeCall& call, Operands& operands) {
  if (!call[0].is_text()) {
    call.fail(std::string(ordinal(0)) + " argument to " + std::string(call.name) + " must be text, got " +
              std::string(vm::type_name(call[0])));
    return false;
  }
  if (call[1].is_text()) {
    operands.own = CompiledPattern::literal(call[1].as_text());
    operands.pattern = operands.own.get();
  } else if (const auto* pattern = call[1].try_as<Pattern>(); pattern != nullptr && pattern->program != nullptr) {
    operands.pattern = static_cast<const CompiledPattern*>(pattern->program.get());
  } else {
    call.fail(std::string(ordinal(1)) + " argument to " + std::string(call.name) + " must be a compiled pattern, got " +
              std::string(vm::type_name(call[1])));
    return false;
  }
  operands.text = decode_utf8(call[0].as_text());
  return true;
}

std::string encode(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) append_code_point(out, c);
  return out;
}

Value match_map(NativeCall& call, const std::u32string& text, const PatternMatch& match) {
  const auto part = [&](std::size_t from, std::size_t to) {
    return call.make_text(encode(std::u32string_view(text).substr(from, to - from)));
  };
  vm::Map* map = call.heap.map();
  call.heap.map_set(map, "matched_text", part(match.start, match.end));
  call.heap.map_set(map, "start", number_value(match.start));
  call.heap.map_set(map, "end", number_value(match.end));
  if (!match.captures.empty()) {
    vm::Map* captures = call.heap.map();
    for (const auto& capture : match.captures)
      call.heap.map_set(captures, capture.name, part(capture.start, capture.end));
    call.heap.map_set(map, "captures", Value::object(captures));
  }
  return Value::object(map);
}

Value matches(NativeCall& call) {
  Operands operands;
  if (!read_operands(call, operands)) return Value::null();
  auto match = PatternMatcher(*operands.pattern, operands.text, limits_of(call)).find(0);
  if (!match) return fail_with(call, std::move(match.error()));
  return Value::boolean(match->has_value());
}

Value find(NativeCall& call) {
  Operands operands;
  if (!read_operands(call, operands)) return Value::null();
  auto match = PatternMatcher(*operands.pattern, operands.text, limits_of(call)).find(0);
  if (!match) return fail_with(call, std::move(match.error()));
  return match->has_value() ? match_map(call, operands.text, **match) : Value::null();
}

Value find_all(NativeCall& call) {
  Operands operands;
  if (!read_operands(call, operands)) return Value::null();
  auto found = PatternMatcher(*operands.pattern, operands.text, limits_of(call)).find_all();
  if (!found) return fail_with(call, std::move(found.error()));
  std::vector<Value> items;
  for (const PatternMatch& match : *found) items.push_back(match_map(call, operands.text, match));
  return Value::object(call.heap.list(std::move(items)));
}

Value replace(NativeCall& call) {
  if (!call[2].is_text()) {
    return call.fail("The replacement must be text, got " + std::string(vm::type_name(call[2])));
  }
  Operands operands;
  if (!read_operands(call, operands)) return Value::null();
  auto found = PatternMatcher(*operands.pattern, operands.text, limits_of(call)).find_all();
  if (!found) return fail_with(call, std::move(found.error()));
  if (found->empty()) return call[0];
  std::string out;
  std::size_t at = 0;
  const std::u32string_view text = operands.text;
  for (const PatternMatch& match : *found) {
    out += encode(text.substr(at, match.start - at));
    out += call[2].as_text();
    at = match.end;
  }
  out += encode(text.substr(at));
  return call.make_text(out);
}

Value split(NativeCall& call) {
  Operands operands;
  if (!read_operands(call, operands)) return Value::null();
  auto found = PatternMatcher(*operands.pattern, operands.text, limits_of(call)).find_all();
  if (!found) return fail_with(call, std::move(found.error()));
  std::vector<Value> parts;
  std::size_t at = 0;
  const std::u32string_view text = operands.text;
  for (const PatternMatch& match : *found) {
    parts.push_back(call.make_text(encode(text.substr(at, match.start - at))));
    at = match.end;
  }
  parts.push_back(call.make_text(encode(text.substr(at))));
  return Value::object(call.heap.list(std::move(parts)));
}

constexpr auto kFunctions = std::to_array<BuiltinFunction>({
    {"pattern_matches", matches},
    {"pattern_find", find},
    {"pattern_find_all", find_all},
});

// ---- host functions ----

Value compile(NativeCall& call) {
  auto* pattern = call[0].try_as<Pattern>();
  if (pattern == nullptr || pattern->description == nullptr) return call.fail("Expected a pattern to compile");
  std::span<const Value> lists;
  if (const auto* list = call[1].try_as<vm::List>()) lists = list->items;
  auto program = CompiledPattern::compile(*pattern->description, lists);
  if (!program) {
    return call.fail("Failed to compile pattern '" + pattern->name + "': Pattern compile error: " + program.error());
  }
  pattern->program = std::move(*program);
  return call[0];
}

Value literal(NativeCall& call) {
  const std::string_view text = call.text(0);
  if (call.failed()) return Value::null();
  auto* pattern = call.heap.make<Pattern>();
  pattern->program = CompiledPattern::literal(text);
  return Value::object(pattern);
}

// `find P in T`: in a list it finds an element, the built-in `find`, which has no other spelling because its name is a
// keyword.
Value find_statement(NativeCall& call) {
  if (call[0].is(vm::ObjectKind::kList)) return find_function("find")(call);
  return find(call);
}

// `replace P with R in T`: a text P means all its occurrences.
Value replace_statement(NativeCall& call) {
  if (!call[1].is_text()) return replace(call);
  NativeCall inner = call;
  inner.name = "replace";
  const Value result = find_function("replace")(inner);
  return inner.failed() ? fail_with(call, inner.take_error()) : result;
}

Value split_text(NativeCall& call) {
  if (call[1].is(vm::ObjectKind::kPattern)) return split(call);
  return find_function("split")(call);
}

}  // namespace

std::span<const BuiltinFunction> pattern_functions() {
  return kFunctions;
}

void register_pattern_statements(vm::HostTable& table, Runtime& runtime) {
  table.add("pattern.compile", compile, &runtime);
  table.add("pattern.literal", literal, &runtime);
  table.add("pattern.matches", matches, &runtime);
  table.add("pattern.find", find_statement, &runtime);
  table.add("pattern.find_all", find_all, &runtime);
  table.add("pattern.replace", replace_statement, &runtime);
  table.add("pattern.split", split, &runtime);
  table.add("text.split", split_text, &runtime);
}

}  // namespace wfl::stdlib
