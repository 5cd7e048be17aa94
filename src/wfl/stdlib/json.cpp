#include "wfl/stdlib/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "wfl/stdlib/convert.h"
#include "wfl/stdlib/registry.h"
#include "wfl/vm/heap.h"

namespace wfl::stdlib {
namespace {

using vm::NativeCall;
using vm::Value;

constexpr std::size_t kMaxDepth = 500;

// Builds values straight from the parser's events. The collector never runs inside a native, so the half-built
// containers on the stack are safe.
class ValueBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit ValueBuilder(vm::Heap& heap) : heap_(heap) {}

  bool null() override { return add(Value::nothing()); }
  bool boolean(bool b) override { return add(Value::boolean(b)); }
  bool number_integer(number_integer_t n) override { return add(Value::number(static_cast<double>(n))); }
  bool number_unsigned(number_unsigned_t n) override { return add(Value::number(static_cast<double>(n))); }
  bool number_float(number_float_t n, const string_t&) override { return add(Value::number(n)); }
  bool string(string_t& s) override { return add(Value::object(heap_.text(s))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Value::object(heap_.map())); }
  bool key(string_t& k) override {
    open_.back().key = heap_.intern(k);
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Value::object(heap_.list())); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& problem) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error …": what follows the bracket.
    const std::string_view what = problem.what();
    const std::size_t bracket = what.find("] ");
    error = std::string(bracket == std::string_view::npos ? what : what.substr(bracket + 2));
    if (error.empty()) error = "syntax error at byte " + std::to_string(position);
    return false;
  }

  Value result = Value::nothing();
  std::string error;

 private:
  struct Open {
    Value container;
    vm::Text* key = nullptr;
  };

  bool add(Value value) {
    if (open_.empty()) {
      result = value;
    } else if (Open& top = open_.back(); top.container.is_list()) {
      top.container.as<vm::List>()->items.push_back(value);
      heap_.account(sizeof(Value));
    } else {
      top.container.as<vm::Map>()->set(top.key, value);
    }
    return true;
  }
  bool open(Value container) {
    if (open_.size() >= kMaxDepth) {
      error = "it is nested deeper than " + std::to_string(kMaxDepth) + " levels";
      return false;
    }
    add(container);
    open_.push_back({container});
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  vm::Heap& heap_;
  std::vector<Open> open_;
};

class Writer {
 public:
  explicit Writer(int indent) : indent_(indent) {}
  std::string out;
  std::string error;

  bool write(Value value, std::size_t depth) {
    if (depth > kMaxDepth)
      return fail("Cannot convert a value to JSON that is nested deeper than 500 levels or holds itself");
    if (out.size() > vm::kMaxWrittenBytes) throw vm::TooLarge("The value is too large to be written as JSON");
    if (value.is_null()) {
      out += "null";
    } else if (value.is_boolean()) {
      out += value.as_boolean() ? "true" : "false";
    } else if (value.is_number()) {
      if (!std::isfinite(value.as_number())) {
        return fail("Cannot convert number " + vm::format_number(value.as_number()) + " to JSON");
      }
      out += json_number(value.as_number());
    } else if (value.is_text()) {
      append_json_text(out, value.as_text());
    } else if (value.is_list()) {
      return write_list(*value.as<vm::List>(), depth);
    } else if (value.is_map()) {
      return write_map(*value.as<vm::Map>(), depth);
    } else {
      return fail("Cannot convert " + std::string(vm::type_name(value)) + " to JSON");
    }
    return true;
  }

 private:
  bool fail(std::string message) {
    error = std::move(message);
    return false;
  }

  void line(std::size_t depth) {
    if (indent_ < 0) return;
    out.push_back('\n');
    out.append(depth * static_cast<std::size_t>(indent_), ' ');
  }

  bool write_list(const vm::List& list, std::size_t depth) {
    if (list.items.empty()) {
      out += "[]";
      return true;
    }
    out.push_back('[');
    bool first = true;
    for (const Value item : list.items) {
      if (!first) out.push_back(',');
      first = false;
      line(depth + 1);
      if (!write(item, depth + 1)) return false;
    }
    line(depth);
    out.push_back(']');
    return true;
  }

  bool write_map(const vm::Map& map, std::size_t depth) {
    std::vector<const vm::Map::Entry*> entries;
    for (const auto& entry : map.entries()) {
      if (entry.key != nullptr) entries.push_back(&entry);
    }
    if (entries.empty()) {
      out += "{}";
      return true;
    }
    std::ranges::sort(entries, [](const auto* a, const auto* b) { return a->key->view() < b->key->view(); });
    out.push_back('{');
    bool first = true;
    for (const auto* entry : entries) {
      if (!first) out.push_back(',');
      first = false;
      line(depth + 1);
      append_json_text(out, entry->key->view());
      out += indent_ < 0 ? ":" : ": ";
      if (!write(entry->value, depth + 1)) return false;
    }
    line(depth);
    out.push_back('}');
    return true;
  }

  int indent_;
};

Value parse(NativeCall& call) {
  const std::string_view text = call.text(0);
  if (call.failed()) return Value::null();
  auto value = parse_json(call.heap, text);
  if (!value) return call.fail("Failed to parse JSON: " + value.error());
  return *value;
}

Value stringify_with(NativeCall& call, int indent) {
  auto text = stringify_json(call[0], indent);
  if (!text) return call.fail(std::move(text.error()));
  return call.make_text(*text);
}

Value stringify(NativeCall& call) {
  return stringify_with(call, -1);
}
Value stringify_pretty(NativeCall& call) {
  return stringify_with(call, 2);
}

constexpr auto kFunctions = std::to_array<BuiltinFunction>({
    {"parse_json", parse},
    {"stringify_json", stringify},
    {"stringify_json_pretty", stringify_pretty},
});

}  // namespace

std::expected<Value, std::string> parse_json(vm::Heap& heap, std::string_view text) {
  ValueBuilder builder(heap);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
    return std::unexpected(builder.error.empty() ? "the text is not valid JSON" : builder.error);
  }
  return builder.result;
}

std::expected<std::string, std::string> stringify_json(Value value, int indent) {
  Writer writer(indent);
  if (!writer.write(value, 0)) return std::unexpected(std::move(writer.error));
  return std::move(writer.out);
}

std::string json_number(double number) {
  if (number == 0) return std::signbit(number) ? "-0.0" : "0.0";
  // The shortest digits that read back as the same number, and where the point is.
  std::array<char, 40> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific).ptr;
  std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  std::string out;
  if (text.front() == '-') {
    out.push_back('-');
    text.remove_prefix(1);
  }
  const std::size_t e = text.find('e');
  const int exponent = std::atoi(std::string(text.substr(e + 1)).c_str());
  std::string digits;
  for (const char c : text.substr(0, e)) {
    if (c != '.') digits.push_back(c);
  }
  const int point = exponent + 1;  // The point stands behind so many digits.
  const int count = static_cast<int>(digits.size());
  if (count <= point && point <= 16) {
    out.append(digits).append(static_cast<std::size_t>(point - count), '0').append(".0");
  } else if (point > 0 && point <= 16) {
    out.append(digits, 0, static_cast<std::size_t>(point)).append(".").append(digits, static_cast<std::size_t>(point));
  } else if (point > -5 && point <= 0) {
    out.append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
  } else {
    out.push_back(digits.front());
    if (count > 1) out.append(".").append(digits, 1);
    out.append("e").append(std::to_string(exponent));
  }
  return out;
}

void append_json_text(std::string& out, std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out.push_back(kHex[static_cast<unsigned char>(c) >> 4U]);
          out.push_back(kHex[static_cast<unsigned char>(c) & 0x0FU]);
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

std::span<const BuiltinFunction> json_functions() {
  return kFunctions;
}

}  // namespace wfl::stdlib
