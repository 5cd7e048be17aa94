// Pure helpers for programs that answer web requests.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wfl/stdlib/convert.h"
#include "wfl/stdlib/registry.h"
#include "wfl/stdlib/unicode.h"
#include "wfl/stdlib/url.h"
#include "wfl/vm/heap.h"

namespace wfl::stdlib {
namespace {

using vm::NativeCall;
using vm::Value;

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (!part.empty()) parts.push_back(part);
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  }
  return parts;
}

using Captures = std::vector<std::pair<std::string, std::string>>;

// `/users/:id/files/*rest`: a :name takes one part of the path, a *name at the end all that is left (at least one
// part).
std::optional<Captures> match_template(std::string_view path, std::string_view pattern) {
  const std::vector<std::string_view> parts = segments(path.substr(0, path.find_first_of("?#")));
  const std::vector<std::string_view> wanted = segments(pattern);
  Captures captures;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].starts_with('*')) {
      if (i + 1 != wanted.size() || i >= parts.size()) return std::nullopt;
      std::string rest;
      for (std::size_t j = i; j < parts.size(); ++j) {
        if (j > i) rest.push_back('/');
        rest += percent_decode(parts[j]);
      }
      captures.emplace_back(wanted[i].substr(1), std::move(rest));
      return captures;
    }
    if (i >= parts.size()) return std::nullopt;
    if (wanted[i].starts_with(':')) {
      captures.emplace_back(wanted[i].substr(1), percent_decode(parts[i]));
    } else if (wanted[i] != parts[i]) {
      return std::nullopt;
    }
  }
  if (parts.size() != wanted.size()) return std::nullopt;
  return captures;
}

Value path_params(NativeCall& call) {
  const std::string_view path = call.text(0);
  const std::string_view pattern = call.text(1);
  if (call.failed()) return Value::null();
  const auto captures = match_template(path, pattern);
  if (!captures) return Value::null();
  vm::Map* map = call.heap.map();
  for (const auto& [name, value] : *captures) call.heap.map_set(map, name, call.make_text(value));
  return Value::object(map);
}

Value path_matches(NativeCall& call) {
  const std::string_view path = call.text(0);
  const std::string_view pattern = call.text(1);
  return Value::boolean(!call.failed() && match_template(path, pattern).has_value());
}

constexpr auto kMediaTypes = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"bmp", "image/bmp"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"htm", "text/html; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/x-icon"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"md", "text/markdown; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"svg", "image/svg+xml"},
    {"text", "text/plain; charset=utf-8"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xml", "application/xml"},
    {"zip", "application/zip"},
});

Value mime_type(NativeCall& call) {
  const std::string_view name = call.text(0);
  if (call.failed()) return Value::null();
  const std::size_t dot = name.rfind('.');
  const std::string extension = dot == std::string_view::npos ? std::string{} : to_lower(name.substr(dot + 1));
  for (const auto& [ending, type] : kMediaTypes) {
    if (ending == extension) return call.make_text(type);
  }
  return call.make_text("application/octet-stream");
}

// The value of `name` in a header such as `form-data; name="file"; filename="a.txt"`.
std::optional<std::string> header_parameter(std::string_view header, std::string_view name) {
  std::size_t at = header.find(';');
  while (at != std::string_view::npos) {
    header.remove_prefix(at + 1);
    header = trim(header);
    const std::size_t equals = header.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const bool found = to_lower(trim(header.substr(0, equals))) == name;
    header.remove_prefix(equals + 1);
    std::string value;
    if (header.starts_with('"')) {
      std::size_t i = 1;
      for (; i < header.size() && header[i] != '"'; ++i) {
        if (header[i] == '\\' && i + 1 < header.size()) ++i;
        value.push_back(header[i]);
      }
      header.remove_prefix(std::min(i + 1, header.size()));
    } else {
      value = trim(header.substr(0, header.find(';')));
    }
    if (found) return value;
    at = header.find(';');
  }
  return std::nullopt;
}

struct Part {
  std::optional<std::string> name;
  std::optional<std::string> filename;
  std::string content_type;
  std::string_view content;
};

Part read_part(std::string_view bytes) {
  Part part;
  std::size_t end = bytes.find("\r\n\r\n");
  std::size_t gap = 4;
  if (end == std::string_view::npos) {
    end = bytes.find("\n\n");
    gap = 2;
  }
  std::string_view headers = bytes.substr(0, end);
  part.content = end == std::string_view::npos ? std::string_view{} : bytes.substr(end + gap);
  while (!headers.empty()) {
    const std::size_t line_end = headers.find('\n');
    const std::string_view line = trim(headers.substr(0, line_end));
    headers = line_end == std::string_view::npos ? std::string_view{} : headers.substr(line_end + 1);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string name = to_lower(trim(line.substr(0, colon)));
    const std::string_view value = trim(line.substr(colon + 1));
    if (name == "content-disposition") {
      part.name = header_parameter(value, "name");
      part.filename = header_parameter(value, "filename");
    } else if (name == "content-type") {
      part.content_type = value;
    }
  }
  return part;
}

Value parse_multipart(NativeCall& call) {
  std::string_view body;
  if (const auto* binary = call[0].try_as<vm::Binary>()) {
    body = binary->bytes;
  } else {
    body = call.text(0);
  }
  const std::string_view content_type = call.text(1);
  if (call.failed()) return Value::null();
  const auto boundary = header_parameter(content_type, "boundary");
  if (!boundary || boundary->empty()) return call.fail("parse_multipart: the content type has no boundary");
  const std::string delimiter = "--" + *boundary;
  std::vector<Value> parts;
  std::size_t at = body.find(delimiter);
  while (at != std::string_view::npos) {
    at += delimiter.size();
    if (body.substr(at).starts_with("--")) break;
    const std::size_t line = body.find('\n', at);
    if (line == std::string_view::npos) break;
    const std::size_t next = body.find("\n" + delimiter, line);
    if (next == std::string_view::npos) break;
    std::string_view bytes = body.substr(line + 1, next > line ? next - line - 1 : 0);
    if (bytes.ends_with('\r')) bytes.remove_suffix(1);
    const Part part = read_part(bytes);
    const auto optional_text = [&](const std::optional<std::string>& text) {
      return text ? call.make_text(repair_utf8(*text)) : Value::null();
    };
    vm::Map* map = call.heap.map();
    call.heap.map_set(map, "name", optional_text(part.name));
    call.heap.map_set(map, "filename", optional_text(part.filename));
    call.heap.map_set(map, "content_type",
                      part.content_type.empty() ? Value::null() : call.make_text(repair_utf8(part.content_type)));
    call.heap.map_set(map, "content", call.make_text(repair_utf8(part.content)));
    call.heap.map_set(map, "content_bytes", Value::object(call.heap.binary(std::string(part.content))));
    parts.push_back(Value::object(map));
    at = next + 1;
  }
  return Value::object(call.heap.list(std::move(parts)));
}

constexpr auto kFunctions = std::to_array<BuiltinFunction>({
    {"path_params", path_params},
    {"path_matches", path_matches},
    {"mime_type", mime_type},
    {"parse_multipart", parse_multipart},
});

}  // namespace

std::span<const BuiltinFunction> web_functions() {
  return kFunctions;
}

}  // namespace wfl::stdlib
