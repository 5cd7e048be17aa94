// JSON lines. Numbers and the order of members must stay as they were written, which no JSON library promises, so a
// JSON value is copied as the text that it is: the library checks the line, and what is left is to find where a member
// ends.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "dump.h"
#include "text.h"

namespace kvb::cli {
namespace {

std::unexpected<DumpProblem> problem(std::string what) {
  return std::unexpected(DumpProblem{std::move(what)});
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The end of the string that begins at `at`.
std::size_t end_of_string(std::string_view json, std::size_t at) {
  for (++at; json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return at + 1;
}

std::size_t end_of_value(std::string_view json, std::size_t at) {
  if (json[at] == '"') return end_of_string(json, at);
  std::size_t depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = end_of_string(json, at);
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}' || is_space(c))) return at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at + 1;
    ++at;
  }
  return at;
}

std::string text_of(std::string_view token) {
  return nlohmann::json::parse(token.begin(), token.end()).get<std::string>();
}

struct Member {
  std::string name;
  std::string_view token;  // Its value as it is written.
};

// Of a text that has been checked to be a JSON object.
std::vector<Member> members_of(std::string_view object) {
  std::vector<Member> members;
  std::size_t at = object.find('{') + 1;
  const auto skip = [&](char c) {
    while (at < object.size() && (is_space(object[at]) || object[at] == c)) ++at;
  };
  for (skip(','); object[at] != '}'; skip(',')) {
    const std::size_t name_end = end_of_string(object, at);
    Member member{.name = text_of(object.substr(at, name_end - at)), .token = {}};
    at = name_end;
    skip(':');
    const std::size_t end = end_of_value(object, at);
    member.token = object.substr(at, end - at);
    at = end;
    members.push_back(std::move(member));
  }
  return members;
}

std::optional<ValueKind> kind_called(std::string_view name) {
  if (name == "bytes") return ValueKind::bytes;
  if (name == "text") return ValueKind::text;
  if (name == "json") return ValueKind::json;
  return std::nullopt;
}

bool is_on_one_line(std::string_view json) {
  std::string shortened;
  append_json_on_one_line(shortened, json);
  return shortened == json;
}

// Collects the members of one line.
class LineReader {
 public:
  DumpResult<DumpEntry> read(std::string_view line) {
    if (!is_json(line)) return problem("it is not valid JSON");
    const std::size_t first = line.find_first_not_of(" \t\r\n");
    if (line[first] != '{') return problem("it is not a JSON object such as {\"key\":\"a\",\"value\":\"b\"}");
    for (const Member& member : members_of(line)) {
      if (auto taken = take(member); !taken) return std::unexpected(taken.error());
    }
    if (!key_) return problem("it has no \"key\"");
    if (!value_ && value_token_.empty()) return problem("it has no \"value\"");
    if (key_->empty()) return problem("its key is empty; a key has at least one byte");
    if (key_->size() > kMaxKeyBytes) return problem("its key is longer than 65,535 bytes");
    DumpEntry entry{.key = std::move(*key_), .value = {}, .expires_at_ns = expires_at_ns_, .ttl_seconds = ttl_seconds_};
    const bool is_string = value_token_.starts_with('"');
    if (value_) {
      entry.kind = kind_.value_or(value_text_ ? ValueKind::json : ValueKind::bytes);
      entry.value = std::move(*value_);
      if (value_text_ && entry.kind != ValueKind::json) return problem("\"value_text\" is for the kind json only");
    } else {
      entry.kind = kind_.value_or(is_string ? ValueKind::text : ValueKind::json);
      if (entry.kind != ValueKind::json && !is_string) {
        return problem(
            fmt::format("a value of kind {} is a JSON string here", entry.kind == ValueKind::text ? "text" : "bytes"));
      }
      entry.value = entry.kind == ValueKind::json ? std::string(value_token_) : text_of(value_token_);
    }
    if (entry.value.size() > kMaxValueBytes) return problem("its value is longer than 4,294,967,295 bytes");
    if (entry.expires_at_ns != 0) entry.ttl_seconds = 0;
    return entry;
  }

 private:
  DumpResult<void> take(const Member& member) {
    const std::string& name = member.name;
    if (std::find(seen_.begin(), seen_.end(), name) != seen_.end()) {
      return problem(fmt::format("it has \"{}\" twice", name));
    }
    seen_.push_back(name);
    if (name == "value") {
      if (value_) return problem("it has its value twice");
      value_token_ = member.token;
      return {};
    }
    if (name == "seqno") return {};  // These two are of the bucket that it came from.
    if (name == "ttl_seconds") return take_ttl(member.token);
    static constexpr std::array<std::string_view, 7> kTexts = {"key",  "key_base64", "value_text", "value_base64",
                                                               "kind", "expires_at", "written_at"};
    if (std::find(kTexts.begin(), kTexts.end(), name) == kTexts.end()) {
      return problem(fmt::format("there is no member \"{}\"", name));
    }
    if (!member.token.starts_with('"')) return problem(fmt::format("\"{}\" must be a string", name));
    std::string text = text_of(member.token);
    if (name == "written_at") return {};
    if (name == "key" || name == "key_base64") {
      if (key_) return problem("it has its key twice");
      return take_bytes(name, std::move(text), name == "key_base64", key_);
    }
    if (name == "value_text" || name == "value_base64") {
      if (value_ || !value_token_.empty()) return problem("it has its value twice");
      value_text_ = name == "value_text";
      return take_bytes(name, std::move(text), name == "value_base64", value_);
    }
    if (name == "kind") {
      kind_ = kind_called(text);
      if (!kind_) return problem(fmt::format("its kind '{}' is none of text, json and bytes", text));
      return {};
    }
    const auto moment = from_rfc3339(text);
    if (!moment || *moment == 0) {
      return problem(fmt::format("\"expires_at\" is no time such as 2026-11-22T20:15:03Z, but '{}'", text));
    }
    expires_at_ns_ = *moment;
    return {};
  }

  static DumpResult<void> take_bytes(const std::string& name, std::string text, bool is_base64,
                                     std::optional<std::string>& target) {
    if (!is_base64) {
      target = std::move(text);
      return {};
    }
    target = from_base64(text);
    if (!target) return problem(fmt::format("\"{}\" is not base64", name));
    return {};
  }

  DumpResult<void> take_ttl(std::string_view token) {
    const auto number = nlohmann::json::parse(token.begin(), token.end());
    if (!number.is_number_unsigned() || number.get<std::uint64_t>() > UINT32_MAX) {
      return problem("\"ttl_seconds\" is not a whole number of seconds up to 4,294,967,295");
    }
    ttl_seconds_ = number.get<std::uint32_t>();
    return {};
  }

  std::vector<std::string> seen_;
  std::optional<std::string> key_;
  std::optional<std::string> value_;  // From value_text or value_base64.
  bool value_text_ = false;
  std::string_view value_token_;  // From value.
  std::optional<ValueKind> kind_;
  std::int64_t expires_at_ns_ = 0;
  std::uint32_t ttl_seconds_ = 0;
};

}  // namespace

void append_json_line(std::string& out, const DumpEntry& entry) {
  out += '{';
  append_bytes_member(out, "key", entry.key);
  out += ',';
  if (entry.kind != ValueKind::json) {
    append_bytes_member(out, "value", entry.value);
  } else if (!is_json(entry.value)) {
    out += "\"value_base64\":\"";
    append_base64(out, entry.value);
    out += '"';
  } else if (is_on_one_line(entry.value)) {
    out += "\"value\":";
    out += entry.value;
  } else {
    out += "\"value_text\":";  // Its white space would be lost otherwise.
    append_json_string(out, entry.value);
  }
  out += fmt::format(",\"kind\":\"{}\"", entry.kind == ValueKind::json   ? "json"
                                         : entry.kind == ValueKind::text ? "text"
                                                                         : "bytes");
  if (entry.expires_at_ns != 0) out += fmt::format(",\"expires_at\":\"{}\"", rfc3339(entry.expires_at_ns));
  out += "}\n";
}

DumpResult<DumpEntry> read_json_line(std::string_view line) {
  return LineReader().read(line);
}

}  // namespace kvb::cli
