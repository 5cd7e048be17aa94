#include <fmt/format.h>

#include <algorithm>

#include "commands.h"
#include "input.h"
#include "text.h"

namespace kvb::cli {
namespace {

// For a bucket that could not be opened.
std::unexpected<Failure> open_failure(Error error, bool could_create) {
  std::string_view advice;
  if (error.code == ErrorCode::not_found && !could_create) advice = "Check the name, or make it with `kvb init`.";
  if (error.code == ErrorCode::busy) advice = "--lock-timeout says how long to wait.";
  return engine_failure(std::move(error), advice);
}

}  // namespace

Expected<std::string> choose_format(const CommonArguments& arguments, const std::vector<std::string>& known) {
  if (!arguments.format) return known.front();
  if (std::find(known.begin(), known.end(), *arguments.format) != known.end()) return *arguments.format;
  return usage_failure(fmt::format("--format takes {} here, not '{}'.", fmt::join(known, " or "), *arguments.format));
}

Expected<Durability> read_durability(const std::optional<std::string>& text) {
  if (!text || *text == "sync") return Durability::sync;
  if (*text == "relaxed") return Durability::relaxed;
  return usage_failure(fmt::format("--durability takes sync or relaxed, not '{}'.", *text));
}

Expected<std::string> read_key(const std::string& argument, const KeyStyle& style) {
  auto key = read_argument("key", argument, {.literal = style.raw, .hex = style.hex || style.hex_key}, kMaxKeyBytes);
  if (key && key->empty()) return usage_failure("The key is empty. A key has at least one byte.");
  return key;
}

Expected<Bucket> open_for_writing(const CommonArguments& arguments, const WriterArguments& writer, bool create) {
  OpenOptions options;
  const auto durability = read_durability(writer.durability);
  if (!durability) return std::unexpected(durability.error());
  options.durability = *durability;
  if (writer.lock_timeout) {
    const auto wait = read_wait("--lock-timeout", *writer.lock_timeout);
    if (!wait) return std::unexpected(wait.error());
    options.lock_deadline = *wait;
  }
  auto bucket = create ? Bucket::open_or_create(arguments.file, options) : Bucket::open(arguments.file, options);
  if (!bucket) return open_failure(std::move(bucket.error()), create);
  return std::move(*bucket);
}

Expected<Bucket> open_for_reading(const CommonArguments& arguments) {
  auto bucket = Bucket::open(arguments.file, {.read_only = true});
  if (!bucket) return open_failure(std::move(bucket.error()), false);
  return std::move(*bucket);
}

Outcome close_bucket(Bucket& bucket) {
  if (auto closed = bucket.close(); !closed) return engine_failure(std::move(closed.error()));
  return ExitCode::ok;
}

std::string shown_key(std::string_view key) {
  constexpr std::size_t kLongest = 60;
  std::string_view part = key;
  if (key.size() > kLongest) {
    part = key.substr(0, kLongest);
    // Not through the middle of a character.
    while (!part.empty() && is_utf8(key) && !is_utf8(part)) part.remove_suffix(1);
  }
  std::string out = "'";
  append_escaped(out, part);
  out += "'";
  if (part.size() < key.size()) out += fmt::format("… ({} bytes)", with_commas(key.size()));
  return out;
}

std::string plural(std::uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", with_commas(number), noun, number == 1 ? "" : "s");
}

void append_bytes_member(std::string& out, std::string_view name, std::string_view bytes) {
  out += fmt::format("\"{}", name);
  if (is_utf8(bytes)) {
    out += "\":";
    append_json_string(out, bytes);
  } else {
    out += "_base64\":\"";
    append_base64(out, bytes);
    out += '"';
  }
}

void append_entry_members(std::string& out, std::string_view key, const Value& value, bool with_value) {
  append_bytes_member(out, "key", key);
  if (!with_value) return;
  out += ',';
  switch (value.kind) {
    case ValueKind::json:
      if (is_json(value.bytes)) {
        out += "\"value\":";
        append_json_on_one_line(out, value.bytes);
      } else {  // As a string it would look like a JSON string.
        out += "\"value_base64\":\"";
        append_base64(out, value.bytes);
        out += '"';
      }
      out += ",\"kind\":\"json\"";
      break;
    case ValueKind::text:
      append_bytes_member(out, "value", value.bytes);
      out += ",\"kind\":\"text\"";
      break;
    case ValueKind::bytes:
      append_bytes_member(out, "value", value.bytes);
      out += ",\"kind\":\"bytes\"";
      break;
  }
  if (const auto expires = value.expires_at_ns()) out += fmt::format(",\"expires_at\":\"{}\"", rfc3339(*expires));
}

}  // namespace kvb::cli
