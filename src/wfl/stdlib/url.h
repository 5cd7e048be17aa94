// Reading the encoded fields of web addresses, forms and cookies.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wfl::stdlib {

struct UrlField {
  std::string name;
  std::string value;
};

// %XX becomes the byte; with plus_is_blank `+` becomes a blank. What is no valid UTF-8 afterwards is repaired.
std::string percent_decode(std::string_view text, bool plus_is_blank = true);

// name=value pairs separated by `&`, decoded. A name without `=` has an empty value.
std::vector<UrlField> parse_url_fields(std::string_view text);

// name=value pairs separated by `;`, trimmed and decoded. What has no `=` is left out.
std::vector<UrlField> parse_cookie_fields(std::string_view text);

}  // namespace wfl::stdlib
