// init, put, del.

#include <fmt/format.h>

#include <algorithm>

#include "commands.h"
#include "input.h"
#include "text.h"

namespace kvb::cli {
namespace {

// The value's kind, as told by the options or by its bytes.
Expected<ValueKind> choose_kind(const PutArguments& arguments, std::string_view value) {
  if (arguments.text + arguments.json + arguments.bytes > 1) {
    return usage_failure("--text, --json and --bytes exclude each other: give one of them.");
  }
  if (arguments.bytes) return ValueKind::bytes;
  if (arguments.json) {
    if (is_json(value)) return ValueKind::json;
    return usage_failure("The value is not valid JSON. Mind the quotes: a JSON text is '\"…\"' in a shell.");
  }
  if (is_utf8(value)) return ValueKind::text;
  if (arguments.text) return usage_failure("The value is not valid UTF-8, so it is no text. Leave --text out.");
  return ValueKind::bytes;
}

}  // namespace

Outcome run(const InitArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"text", "json"});
  if (!format) return std::unexpected(format.error());
  const auto durability = read_durability(arguments.durability);
  if (!durability) return std::unexpected(durability.error());
  const auto compression = read_compression(arguments.compression);
  if (!compression) return std::unexpected(compression.error());
  auto bucket = Bucket::create(arguments.file, {.durability = *durability, .compression = *compression});
  if (!bucket) return engine_failure(std::move(bucket.error()));
  const std::string uuid = bucket->stats().uuid;
  if (auto closed = close_bucket(*bucket); !closed) return closed;
  if (*format == "json") {
    std::string line = "{\"created\":true,";
    append_bytes_member(line, "path", arguments.file);
    line += fmt::format(",\"uuid\":\"{}\"}}\n", uuid);
    if (auto written = output.write(line); !written) return std::unexpected(written.error());
  }
  return ExitCode::ok;
}

Outcome run(const PutArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"text", "json"});
  if (!format) return std::unexpected(format.error());
  PutOptions options;
  if (arguments.if_missing + arguments.if_present + arguments.if_value.has_value() > 1) {
    return usage_failure("--if-missing, --if-present and --if-value exclude each other: give one of them.");
  }
  if (arguments.if_missing) options.condition = PutIf::missing;
  if (arguments.if_present) options.condition = PutIf::present;
  if (arguments.ttl) {
    const auto ttl = read_ttl_seconds("--ttl", *arguments.ttl);
    if (!ttl) return std::unexpected(ttl.error());
    options.ttl_seconds = *ttl;
  }
  const ArgumentStyle value_style{.literal = arguments.style.raw, .hex = arguments.style.hex || arguments.hex_value};
  const int from_standard_input = reads_standard_input(arguments.key, {.literal = arguments.style.raw}) +
                                  reads_standard_input(arguments.value, value_style) +
                                  (arguments.if_value && reads_standard_input(*arguments.if_value, value_style));
  if (from_standard_input > 1) {
    return usage_failure("Only one of KEY, VALUE and OLD can be '-', that is, read from standard input.");
  }
  const auto key = read_key(arguments.key, arguments.style);
  if (!key) return std::unexpected(key.error());
  const auto value = read_argument("value", arguments.value, value_style, kMaxValueBytes);
  if (!value) return std::unexpected(value.error());
  const auto kind = choose_kind(arguments, *value);
  if (!kind) return std::unexpected(kind.error());
  options.kind = *kind;
  std::string expected;
  if (arguments.if_value) {
    auto old = read_argument("old value", *arguments.if_value, value_style, kMaxValueBytes);
    if (!old) return std::unexpected(old.error());
    expected = std::move(*old);
    options.condition = PutIf::equals;
    options.expected = expected;
  }

  auto bucket = open_for_writing(arguments, arguments.writer, arguments.create);
  if (!bucket) return std::unexpected(bucket.error());
  auto written = bucket->put(*key, *value, options);
  if (!written) return engine_failure(std::move(written.error()));
  if (auto closed = close_bucket(*bucket); !closed) return closed;
  if (!*written) {
    const std::string shown = shown_key(*key);
    return not_found_failure(
        "condition_not_met",
        arguments.if_missing   ? fmt::format("The key {} is there already, so nothing was changed.", shown)
        : arguments.if_present ? fmt::format("There is no key {}, so nothing was changed.", shown)
                               : fmt::format("The key {} does not have this value, so nothing was changed.", shown));
  }
  if (*format == "json") {
    if (auto told = output.write("{\"written\":true}\n"); !told) return std::unexpected(told.error());
  }
  return ExitCode::ok;
}

namespace {

// With --prefix: all that begin so, however many there are.
Outcome remove_prefix(const DelArguments& arguments, bool json, Output& output) {
  if (!arguments.keys.empty()) return usage_failure("Give either keys or --prefix: which keys are to be removed?");
  if (arguments.style.raw) return usage_failure("--raw is for KEY. With --prefix leave it out: P is taken literally.");
  const auto prefix = read_inline_argument("--prefix", *arguments.prefix, arguments.style.hex);
  if (!prefix) return std::unexpected(prefix.error());
  auto bucket = open_for_writing(arguments, arguments.writer, false);
  if (!bucket) return std::unexpected(bucket.error());
  auto removed = bucket->remove_prefix(*prefix);
  if (!removed) return engine_failure(std::move(removed.error()));
  if (auto closed = close_bucket(*bucket); !closed) return closed;
  return tell(output, json ? fmt::format("{{\"removed\":{}}}\n", *removed)
                           : fmt::format("Removed {}.\n", plural(*removed, "key")));
}

}  // namespace

Outcome run(const DelArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"text", "json"});
  if (!format) return std::unexpected(format.error());
  if (arguments.prefix) return remove_prefix(arguments, *format == "json", output);
  if (arguments.keys.empty()) {
    return usage_failure("KEY is required: which keys are to be removed? --prefix P removes all that begin with P.");
  }
  const auto given = read_keys(arguments.keys, arguments.style);
  if (!given) return std::unexpected(given.error());
  std::vector<std::string> keys;
  for (const std::string& key : *given) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  }

  auto bucket = open_for_writing(arguments, arguments.writer, false);
  if (!bucket) return std::unexpected(bucket.error());
  // All at once: after a crash or an error either every key is gone or none. No other process writes meanwhile.
  Batch batch;
  std::vector<std::string> missing;
  for (const std::string& key : keys) {
    const auto found = bucket->contains(key);
    // A key whose record is damaged can be removed; the error is about its value.
    if (!found && found.error().code != ErrorCode::damaged) return engine_failure(found.error());
    if (found && !*found) {
      missing.push_back(key);
    } else {
      batch.remove(key);
    }
  }
  if (auto removed = bucket->write(batch); !removed) return engine_failure(std::move(removed.error()));
  if (auto closed = close_bucket(*bucket); !closed) return closed;
  if (*format == "json") {
    const auto told =
        output.write(fmt::format("{{\"removed\":{},\"missing\":{}}}\n", keys.size() - missing.size(), missing.size()));
    if (!told) return std::unexpected(told.error());
    return missing.empty() ? ExitCode::ok : ExitCode::not_found;
  }
  if (missing.empty()) return ExitCode::ok;
  std::string message = no_such_keys(arguments.file, missing);
  message += missing.size() < keys.size() ? "; the others were removed." : ".";
  return not_found_failure("key_not_found", std::move(message));
}

}  // namespace kvb::cli
