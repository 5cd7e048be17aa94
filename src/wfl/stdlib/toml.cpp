// TOML: reading with toml++, writing here, because the form is fixed by the language (keys sorted, plain values before
// tables, lists of maps as [[tables]]).
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "wfl/stdlib/convert.h"
#include "wfl/stdlib/json.h"
#include "wfl/stdlib/registry.h"
#include "wfl/vm/heap.h"

namespace wfl::stdlib {
namespace {

using vm::NativeCall;
using vm::Value;

constexpr std::size_t kMaxDepth = 200;

Value from_toml(vm::Heap& heap, const toml::node& node);

Value from_table(vm::Heap& heap, const toml::table& table) {
  vm::Map* map = heap.map();
  for (const auto& [key, value] : table) heap.map_set(map, key.str(), from_toml(heap, value));
  return Value::object(map);
}

// toml++ limits the nesting of what it reads, so this recursion is bounded.
Value from_toml(vm::Heap& heap, const toml::node& node) {
  if (const auto* table = node.as_table()) return from_table(heap, *table);
  if (const auto* array = node.as_array()) {
    vm::List* list = heap.list();
    for (const auto& item : *array) list->items.push_back(from_toml(heap, item));
    return Value::object(list);
  }
  if (const auto* text = node.as_string()) return Value::object(heap.text(text->get()));
  if (const auto* integer = node.as_integer()) return Value::number(static_cast<double>(integer->get()));
  if (const auto* number = node.as_floating_point()) return Value::number(number->get());
  if (const auto* boolean = node.as_boolean()) return Value::boolean(boolean->get());
  // A date or time of any form becomes the text that was written.
  std::ostringstream out;
  if (const auto* date = node.as_date()) out << date->get();
  if (const auto* time = node.as_time()) out << time->get();
  if (const auto* moment = node.as_date_time()) out << moment->get();
  return Value::object(heap.text(out.str()));
}

Value parse(NativeCall& call) {
  const std::string_view text = call.text(0);
  if (call.failed()) return Value::null();
  try {
    return from_table(call.heap, toml::parse(text));
  } catch (const toml::parse_error& problem) {
    return call.fail("Failed to parse TOML: " + std::string(problem.description()) + " (line " +
                     std::to_string(problem.source().begin.line) + ", column " +
                     std::to_string(problem.source().begin.column) + ")");
  }
}

class TomlWriter {
 public:
  explicit TomlWriter(bool pretty) : pretty_(pretty) {}
  std::string out;
  std::string error;

  // A table's plain values, then its tables and lists of tables, each under its full name.
  bool write_table(const vm::Map& map, const std::string& prefix, std::size_t depth) {
    if (depth > kMaxDepth) return fail("Cannot convert a value to TOML that is nested too deeply or holds itself");
    const auto entries = sorted(map);
    for (const auto* entry : entries) {
      if (entry->value.is_null() || is_section(entry->value)) continue;
      out += key(entry->key->view()) + " = ";
      if (!write_value(entry->value, depth + 1)) return false;
      out.push_back('\n');
    }
    for (const auto* entry : entries) {
      if (!is_section(entry->value)) continue;
      const std::string name = prefix + key(entry->key->view());
      if (const auto* table = entry->value.try_as<vm::Map>()) {
        if (needs_head(*table)) {
          begin_section();
          out += "[" + name + "]\n";
        }
        if (!write_table(*table, name + ".", depth + 1)) return false;
        continue;
      }
      for (const Value item : entry->value.as<vm::List>()->items) {
        begin_section();
        out += "[[" + name + "]]\n";
        if (!write_table(*item.as<vm::Map>(), name + ".", depth + 1)) return false;
      }
    }
    return true;
  }

 private:
  bool fail(std::string message) {
    error = std::move(message);
    return false;
  }

  static std::vector<const vm::Map::Entry*> sorted(const vm::Map& map) {
    std::vector<const vm::Map::Entry*> entries;
    for (const auto& entry : map.entries()) {
      if (entry.key != nullptr) entries.push_back(&entry);
    }
    std::ranges::sort(entries, [](const auto* a, const auto* b) { return a->key->view() < b->key->view(); });
    return entries;
  }

  static bool is_section(Value value) {
    if (value.is_map()) return true;
    if (!value.is_list()) return false;
    const auto& items = value.as<vm::List>()->items;
    return !items.empty() && std::ranges::all_of(items, [](Value item) { return item.is_map(); });
  }

  // A table that holds nothing but tables needs no head of its own.
  static bool needs_head(const vm::Map& table) {
    bool has_section = false;
    for (const auto& entry : table.entries()) {
      if (entry.key == nullptr || entry.value.is_null()) continue;
      if (!is_section(entry.value)) return true;
      has_section = true;
    }
    return !has_section;
  }

  void begin_section() {
    if (!out.empty()) out.push_back('\n');
  }

  static std::string key(std::string_view name) {
    const bool bare = !name.empty() && std::ranges::all_of(name, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    return bare ? std::string(name) : quoted(name);
  }

  static std::string quoted(std::string_view text) {
    std::string result;
    append_json_text(result, text);
    return result;
  }

  bool write_value(Value value, std::size_t depth) {
    if (depth > kMaxDepth) return fail("Cannot convert a value to TOML that is nested too deeply or holds itself");
    if (value.is_boolean()) {
      out += value.as_boolean() ? "true" : "false";
    } else if (value.is_number()) {
      return write_number(value.as_number());
    } else if (value.is_text()) {
      out += quoted(value.as_text());
    } else if (const auto* list = value.try_as<vm::List>()) {
      return write_list(*list, depth);
    } else if (const auto* map = value.try_as<vm::Map>()) {
      return write_inline(*map, depth);
    } else {
      return fail("Cannot convert " + std::string(vm::type_name(value)) + " to TOML");
    }
    return true;
  }

  bool write_number(double number) {
    if (!std::isfinite(number)) {
      return fail("Cannot convert number " + vm::format_number(number) + " to TOML: TOML has no infinity or NaN");
    }
    if (number == std::trunc(number) && std::fabs(number) < 9.2e18) {
      out += std::to_string(static_cast<std::int64_t>(number));
    } else {
      out += json_number(number);
    }
    return true;
  }

  bool write_list(const vm::List& list, std::size_t depth) {
    const bool lines = pretty_ && list.items.size() > 1;
    out.push_back('[');
    bool first = true;
    for (const Value item : list.items) {
      if (item.is_null()) {
        return fail(
            "Cannot convert list to TOML: TOML arrays cannot contain nothing. Remove the empty entry, or use a table "
            "where the key can be omitted.");
      }
      if (lines) {
        out += "\n    ";
      } else if (!first) {
        out += ", ";
      }
      first = false;
      if (!write_value(item, depth + 1)) return false;
      if (lines) out.push_back(',');
    }
    if (lines) out.push_back('\n');
    out.push_back(']');
    return true;
  }

  bool write_inline(const vm::Map& map, std::size_t depth) {
    out += "{";
    bool first = true;
    for (const auto* entry : sorted(map)) {
      if (entry->value.is_null()) continue;
      out += first ? " " : ", ";
      first = false;
      out += key(entry->key->view()) + " = ";
      if (!write_value(entry->value, depth + 1)) return false;
    }
    out += first ? "}" : " }";
    return true;
  }

  bool pretty_;
};

Value stringify_with(NativeCall& call, bool pretty) {
  const auto* map = call[0].try_as<vm::Map>();
  if (map == nullptr) {
    return call.fail("Cannot convert " + std::string(vm::type_name(call[0])) +
                     " to a TOML document: a TOML document is always a table, so the top level must be an object with "
                     "named keys");
  }
  TomlWriter writer(pretty);
  if (!writer.write_table(*map, "", 0)) return call.fail(std::move(writer.error));
  return call.make_text(writer.out);
}

Value stringify(NativeCall& call) {
  return stringify_with(call, false);
}
Value stringify_pretty(NativeCall& call) {
  return stringify_with(call, true);
}

constexpr auto kFunctions = std::to_array<BuiltinFunction>({
    {"parse_toml", parse},
    {"stringify_toml", stringify},
    {"stringify_toml_pretty", stringify_pretty},
});

}  // namespace

std::span<const BuiltinFunction> toml_functions() {
  return kFunctions;
}

}  // namespace wfl::stdlib
