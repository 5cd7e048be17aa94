#include <fmt/format.h>

#include <algorithm>
#include <charconv>

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
  const std::string others = fmt::format("{}", fmt::join(known.begin(), known.end() - 1, ", "));
  return usage_failure(fmt::format("--format takes {} or {} here, not '{}'.", others, known.back(), *arguments.format));
}

Expected<Durability> read_durability(const std::optional<std::string>& text) {
  if (!text || *text == "sync") return Durability::sync;
  if (*text == "relaxed") return Durability::relaxed;
  return usage_failure(fmt::format("--durability takes sync or relaxed, not '{}'.", *text));
}

Expected<Compression> read_compression(const std::optional<std::string>& text) {
  if (!text || *text == "none") return Compression{};
  if (*text == "zstd") return Compression::zstd();
  constexpr std::string_view kZstd = "zstd:";
  if (text->starts_with(kZstd)) {
    int level = 0;
    const char* const end = text->data() + text->size();
    const auto read = std::from_chars(text->data() + kZstd.size(), end, level);
    if (read.ec == std::errc{} && read.ptr == end && level >= 1 && level <= 19) return Compression::zstd(level);
  }
  return usage_failure(
      fmt::format("--compression takes none, zstd or zstd:LEVEL with a level from 1 to 19, not '{}'.", *text));
}

Expected<std::string> read_key(const std::string& argument, const KeyStyle& style) {
  auto key = read_argument("key", argument, {.literal = style.raw, .hex = style.hex || style.hex_key}, kMaxKeyBytes);
  if (key && key->empty()) return usage_failure("The key is empty. A key has at least one byte.");
  return key;
}

Expected<std::vector<std::string>> read_keys(const std::vector<std::string>& arguments, const KeyStyle& style) {
  std::vector<std::string> keys;
  bool used_standard_input = false;
  for (const std::string& argument : arguments) {
    if (reads_standard_input(argument, {.literal = style.raw})) {
      if (used_standard_input) return usage_failure("Only one KEY can be '-', that is, read from standard input.");
      used_standard_input = true;
    }
    auto key = read_key(argument, style);
    if (!key) return std::unexpected(key.error());
    keys.push_back(std::move(*key));
  }
  return keys;
}

std::string no_such_keys(const std::string& file, const std::vector<std::string>& keys) {
  std::string text = fmt::format("{} has no key {}", file, shown_key(keys[0]));
  if (keys.size() > 1) text += fmt::format(" and {} more of these", keys.size() - 1);
  return text;
}

Expected<ScanOptions> read_range(const RangeArguments& arguments) {
  ScanOptions options;
  if (arguments.prefix) {
    auto prefix = read_inline_argument("--prefix", *arguments.prefix, arguments.hex);
    if (!prefix) return std::unexpected(prefix.error());
    options.prefix = std::move(*prefix);
  }
  if (arguments.from) {
    auto from = read_inline_argument("--from", *arguments.from, arguments.hex);
    if (!from) return std::unexpected(from.error());
    options.from = std::move(*from);
  }
  if (arguments.to) {
    auto to = read_inline_argument("--to", *arguments.to, arguments.hex);
    if (!to) return std::unexpected(to.error());
    options.to = std::move(*to);
  }
  return options;
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

Outcome tell(Output& output, std::string_view text) {
  if (auto written = output.write(text); !written) return std::unexpected(written.error());
  return ExitCode::ok;
}

std::string shown_name(std::string_view name) {
  std::string shown;
  append_escaped(shown, name);
  return shown;
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
  if (number != 1 && noun.ends_with("ry")) {
    return fmt::format("{} {}ies", with_commas(number), noun.substr(0, noun.size() - 1));
  }
  return fmt::format("{} {}{}", with_commas(number), noun, number == 1 ? "" : "s");
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
