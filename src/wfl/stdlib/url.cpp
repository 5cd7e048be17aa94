#include "wfl/stdlib/url.h"

#include "wfl/stdlib/unicode.h"

namespace wfl::stdlib {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::vector<UrlField> parse_fields(std::string_view text, char separator, bool cookies) {
  std::vector<UrlField> fields;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    std::string_view pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (cookies) pair = trim(pair);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) {
      if (!cookies) fields.push_back({percent_decode(pair), ""});
      continue;
    }
    std::string_view name = pair.substr(0, equals);
    std::string_view value = pair.substr(equals + 1);
    if (cookies) {
      name = trim(name);
      value = trim(value);
    }
    fields.push_back({percent_decode(name), percent_decode(value)});
  }
  return fields;
}

}  // namespace

std::string percent_decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '+' && plus_is_blank) {
      out.push_back(' ');
    } else if (c == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(c);
    }
  }
  return is_valid_utf8(out) ? out : repair_utf8(out);
}

std::vector<UrlField> parse_url_fields(std::string_view text) {
  return parse_fields(text, '&', false);
}
std::vector<UrlField> parse_cookie_fields(std::string_view text) {
  return parse_fields(text, ';', true);
}

}  // namespace wfl::stdlib
