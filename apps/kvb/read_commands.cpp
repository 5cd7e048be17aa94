// get, exists.

#include <fmt/format.h>

#include "commands.h"
#include "text.h"

namespace kvb::cli {
namespace {

std::unexpected<Failure> no_such_key(const GetArguments& arguments, std::string_view key) {
  return not_found_failure("key_not_found", fmt::format("{} has no key {}.", arguments.file, shown_key(key)));
}

}  // namespace

Outcome run(const GetArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"raw", "hex", "json"});
  if (!format) return std::unexpected(format.error());
  const auto key = read_key(arguments.key, arguments.style);
  if (!key) return std::unexpected(key.error());
  auto bucket = open_for_reading(arguments);
  if (!bucket) return std::unexpected(bucket.error());
  auto found = bucket->get(*key);
  if (!found) return engine_failure(std::move(found.error()));
  if (!*found) return no_such_key(arguments, *key);
  const Value& value = **found;

  if (*format == "json") {
    std::string line = "{";
    append_entry_members(line, *key, value, true);
    line += fmt::format(",\"seqno\":{},\"written_at\":\"{}\"", value.seqno, rfc3339(value.written_at_ns));
    if (value.ttl_seconds != 0) line += fmt::format(",\"ttl_seconds\":{}", value.ttl_seconds);
    line += "}\n";
    if (auto written = output.write(line); !written) return std::unexpected(written.error());
    return ExitCode::ok;
  }
  if (*format == "hex") {
    if (auto written = output.write(to_hex(value.bytes) + '\n'); !written) return std::unexpected(written.error());
    return ExitCode::ok;
  }
  if (auto written = output.write(value.bytes); !written) return std::unexpected(written.error());
  // The bytes alone, but for people the prompt begins on a line of its own.
  if (output.is_terminal() && !value.bytes.ends_with('\n')) {
    if (auto written = output.write("\n"); !written) return std::unexpected(written.error());
  }
  return ExitCode::ok;
}

Outcome run(const ExistsArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"text", "json"});
  if (!format) return std::unexpected(format.error());
  const auto key = read_key(arguments.key, arguments.style);
  if (!key) return std::unexpected(key.error());
  auto bucket = open_for_reading(arguments);
  if (!bucket) return std::unexpected(bucket.error());
  auto found = bucket->contains(*key);
  if (!found) return engine_failure(std::move(found.error()));
  std::string answer;
  if (*format == "json") {
    answer = *found ? "{\"exists\":true}\n" : "{\"exists\":false}\n";
  } else if (output.is_terminal()) {  // Scripts have the exit code; people want to see something.
    answer = *found ? "yes\n" : "no\n";
  }
  if (auto written = output.write(answer); !written) return std::unexpected(written.error());
  return *found ? ExitCode::ok : ExitCode::not_found;
}

}  // namespace kvb::cli
