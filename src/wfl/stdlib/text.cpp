// Functions on texts, and those that take a text or a list. Positions and lengths count characters (code points); texts
// of plain ASCII know that a character is a byte.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>

#include "wfl/stdlib/convert.h"
#include "wfl/stdlib/registry.h"
#include "wfl/stdlib/unicode.h"
#include "wfl/stdlib/url.h"
#include "wfl/vm/heap.h"

namespace wfl::stdlib {
namespace {

using vm::List;
using vm::NativeCall;
using vm::Text;
using vm::Value;

constexpr std::uint64_t kMaxPadWidth = 1024;
constexpr double kMaxDecimalPlaces = 17;

// How many characters the first `bytes` bytes of the text are.
std::size_t characters_before(const Text& text, std::size_t bytes) {
  if (text.ascii()) return bytes;
  return static_cast<std::size_t>(std::ranges::count_if(
      text.view().substr(0, bytes), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

Value length(NativeCall& call) {
  const Value v = call[0];
  if (v.is_text()) return number_value(std::size_t{v.as<Text>()->length()});
  if (v.is_list()) return number_value(v.as<List>()->items.size());
  if (const auto* binary = v.try_as<vm::Binary>()) return number_value(binary->bytes.size());
  if (const auto* host = v.try_as<vm::HostObject>();
      host != nullptr && !host->access_hint(vm::HostAccess::kLength).empty()) {
    return call.fail("length expects a list, text, or binary, got " + std::string(host->type_name()) + ". " +
                     host->access_hint(vm::HostAccess::kLength));
  }
  return call.fail("length expects a list, text, or binary, got " + std::string(vm::type_name(v)));
}

Value to_upper_case(NativeCall& call) {
  return call.make_text(to_upper(call.text(0)));
}
Value to_lower_case(NativeCall& call) {
  return call.make_text(to_lower(call.text(0)));
}

Value capitalize(NativeCall& call) {
  const std::string_view text = call.text(0);
  if (text.empty()) return call.make_text(text);
  std::string out;
  std::size_t rest = 0;
  append_upper(out, next_code_point(text, rest));
  out.append(text.substr(rest));
  return call.make_text(out);
}

Value trim_text(NativeCall& call) {
  const std::string_view text = call.text(0);
  if (call.failed()) return Value::null();
  const std::string_view trimmed = trim(text);
  return trimmed.size() == text.size() ? call[0] : call.make_text(trimmed);
}

Value reverse(NativeCall& call) {
  const std::string_view text = call.text(0);
  std::string out;
  out.reserve(text.size());
  std::size_t end = text.size();
  while (end > 0) {
    std::size_t start = end - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U) --start;
    out.append(text.substr(start, end - start));
    end = start;
  }
  return call.make_text(out);
}

Value contains(NativeCall& call) {
  const Value where = call[0];
  if (const auto* list = where.try_as<List>()) {
    return Value::boolean(std::ranges::any_of(list->items, [&](Value v) { return vm::equals(v, call[1]); }));
  }
  if (where.is_text()) {
    if (!call[1].is_text()) return wrong_type(call, "a text argument", call[1]);
    return Value::boolean(where.as_text().find(call[1].as_text()) != std::string_view::npos);
  }
  if (auto* host = where.try_as<vm::HostObject>()) return host->contains(call, call[1]);
  return wrong_type(call, "a list or text", where);
}

Value substring(NativeCall& call) {
  const Text* text = call.text_object(0);
  const std::uint64_t start = to_unsigned(call.number(1));
  const std::uint64_t wanted = to_unsigned(call.number(2));
  if (call.failed()) return Value::null();
  const std::uint64_t size = text->length();
  if (start >= size || wanted == 0) return call.make_text("");
  const std::uint64_t end = wanted >= size - start ? size : start + wanted;
  if (start == 0 && end == size) return call[0];
  const std::uint32_t from = text->byte_offset(static_cast<std::uint32_t>(start));
  const std::uint32_t to = text->byte_offset(static_cast<std::uint32_t>(end));
  return call.make_text(text->view().substr(from, to - from));
}

Value index_of(NativeCall& call) {
  const Value where = call[0];
  if (const auto* list = where.try_as<List>()) {
    for (std::size_t i = 0; i < list->items.size(); ++i) {
      if (vm::equals(list->items[i], call[1])) return number_value(i);
    }
    return Value::number(-1);
  }
  if (!where.is_text()) return wrong_type(call, "a list or text", where);
  if (!call[1].is_text()) return wrong_type(call, "a text argument", call[1]);
  const std::size_t at = where.as_text().find(call[1].as_text());
  if (at == std::string_view::npos) return Value::number(-1);
  return number_value(characters_before(*where.as<Text>(), at));
}

Value last_index_of(NativeCall& call) {
  const Text* text = call.text_object(0);
  const std::string_view part = call.text(1);
  if (call.failed()) return Value::null();
  const std::size_t at = text->view().rfind(part);
  if (at == std::string_view::npos) return Value::number(-1);
  return number_value(characters_before(*text, at));
}

Value replace(NativeCall& call) {
  const std::string_view text = call.text(0);
  const std::string_view old = call.text(1);
  const std::string_view replacement = call.text(2);
  if (call.failed()) return Value::null();
  if (old.empty()) {
    if (text.size() * replacement.size() > vm::Text::kMaxBytes) throw vm::TooLarge("The text would be too long");
    std::string out;
    // An empty text is found before each character and at the end.
    for (std::size_t i = 0; i < text.size();) {
      out.append(replacement);
      const std::size_t begin = i;
      next_code_point(text, i);
      out.append(text.substr(begin, i - begin));
    }
    out.append(replacement);
    return call.make_text(out);
  }
  return call.make_text(vm::replace_all(text, old, replacement));
}

Value split(NativeCall& call) {
  const std::string_view text = call.text(0);
  const std::string_view delimiter = call.text(1);
  if (call.failed()) return Value::null();
  if (delimiter.empty()) return call.fail("Empty delimiter not allowed in string split");
  std::vector<Value> parts;
  std::size_t at = 0;
  while (true) {
    const std::size_t found = text.find(delimiter, at);
    if (found == std::string_view::npos) break;
    parts.push_back(call.make_text(text.substr(at, found - at)));
    at = found + delimiter.size();
  }
  parts.push_back(call.make_text(text.substr(at)));
  return Value::object(call.heap.list(std::move(parts)));
}

Value join(NativeCall& call) {
  const List* list = call.list(0);
  const std::string_view delimiter = call.text(1);
  if (call.failed()) return Value::null();
  std::string out;
  bool first = true;
  for (const Value item : list->items) {
    if (!first) out.append(delimiter);
    first = false;
    vm::append_display(out, item);
  }
  return call.make_text(out);
}

Value starts_with(NativeCall& call) {
  const std::string_view text = call.text(0);
  return Value::boolean(text.starts_with(call.text(1)));
}

Value ends_with(NativeCall& call) {
  const std::string_view text = call.text(0);
  return Value::boolean(text.ends_with(call.text(1)));
}

Value pad(NativeCall& call, bool left) {
  const Text* text = call.text_object(0);
  const double raw = call.number(1);
  if (call.failed()) return Value::null();
  if (!std::isfinite(raw) || raw < 0) {
    return call.fail("pad width must be a finite non-negative number, got " + vm::format_number(raw));
  }
  const std::uint64_t width = std::min(to_unsigned(raw), kMaxPadWidth);
  if (text->length() >= width) return call[0];
  const std::string blanks(width - text->length(), ' ');
  return call.make_text(left ? blanks + std::string(text->view()) : std::string(text->view()) + blanks);
}

Value pad_left(NativeCall& call) {
  return pad(call, true);
}
Value pad_right(NativeCall& call) {
  return pad(call, false);
}

Value format_number(NativeCall& call) {
  const double number = call.number(0);
  const double places = call.number(1);
  if (call.failed()) return Value::null();
  if (!std::isfinite(number)) return call.fail("format_number expects a finite number");
  if (!(places >= 0 && places <= kMaxDecimalPlaces) || places != std::floor(places)) {
    return call.fail("format_number expects a whole-number precision between 0 and 17, got " +
                     vm::format_number(places));
  }
  std::string out(400, '\0');  // The largest double has 309 digits before the point.
  const int size = std::snprintf(out.data(), out.size(), "%.*f", static_cast<int>(places), number);
  out.resize(static_cast<std::size_t>(size));
  return call.make_text(out);
}

Value fields_to_map(NativeCall& call, const std::vector<UrlField>& fields) {
  vm::Map* map = call.heap.map();
  for (const UrlField& field : fields) call.heap.map_set(map, field.name, call.make_text(field.value));
  return Value::object(map);
}

Value parse_query_string(NativeCall& call) {
  std::string_view query = call.text(0);
  while (query.starts_with('?')) query.remove_prefix(1);
  return fields_to_map(call, parse_url_fields(query));
}

Value parse_form(NativeCall& call) {
  return fields_to_map(call, parse_url_fields(call.text(0)));
}
Value parse_cookies(NativeCall& call) {
  return fields_to_map(call, parse_cookie_fields(call.text(0)));
}

constexpr auto kFunctions = std::to_array<BuiltinFunction>({
    {"length", length},
    {"touppercase", to_upper_case},
    {"tolowercase", to_lower_case},
    {"capitalize", capitalize},
    {"trim", trim_text},
    {"reverse", reverse},
    {"contains", contains},
    {"substring", substring},
    {"indexof", index_of},
    {"last_index_of", last_index_of},
    {"replace", replace},
    {"split", split},
    {"join", join},
    {"starts_with", starts_with},
    {"ends_with", ends_with},
    {"padleft", pad_left},
    {"padright", pad_right},
    {"format_number", format_number},
    {"parse_query_string", parse_query_string},
    {"parse_form_urlencoded", parse_form},
    {"parse_cookies", parse_cookies},
});

}  // namespace

std::span<const BuiltinFunction> text_functions() {
  return kFunctions;
}

}  // namespace wfl::stdlib
