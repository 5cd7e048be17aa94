// get, exists.

#include <fmt/format.h>

#include "commands.h"
#include "text.h"

namespace kvb::cli {
namespace {

std::string value_as_json(const std::string& key, const Value& value) {
  std::string line = "{";
  append_entry_members(line, key, value, true);
  line += fmt::format(",\"seqno\":{},\"written_at\":\"{}\"", value.seqno, rfc3339(value.written_at_ns));
  if (value.ttl_seconds != 0) line += fmt::format(",\"ttl_seconds\":{}", value.ttl_seconds);
  return line + "}\n";
}

Outcome write_value(const GetArguments& arguments, const std::string& format, const std::string& key,
                    const Value& value, Output& output) {
  if (format == "json") return tell(output, value_as_json(key, value));
  if (format == "hex") return tell(output, to_hex(value.bytes) + '\n');
  if (arguments.keys.size() > 1) {  // As `scan` writes them.
    std::string line;
    append_escaped(line, key);
    line += '\t';
    append_escaped(line, value.bytes);
    return tell(output, line + '\n');
  }
  if (auto told = tell(output, value.bytes); !told) return told;
  // The bytes alone, but for people the prompt begins on a line of its own.
  return tell(output, output.is_terminal() && !value.bytes.ends_with('\n') ? "\n" : "");
}

}  // namespace

Outcome run(const GetArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"raw", "hex", "json"});
  if (!format) return std::unexpected(format.error());
  if (arguments.keys.size() > 1 && arguments.format && *format != "json") {
    return usage_failure(fmt::format(
        "--format {} is for one key. Several are written as lines of KEY, a TAB and VALUE, or with --format json.",
        *format));
  }
  auto keys = read_keys(arguments.keys, arguments.style);
  if (!keys) return std::unexpected(keys.error());
  auto bucket = open_for_reading(arguments);
  if (!bucket) return std::unexpected(bucket.error());
  const std::vector<std::string_view> views(keys->begin(), keys->end());
  auto found = bucket->get_many(views);
  if (!found) return engine_failure(std::move(found.error()));
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < keys->size(); ++i) {
    if (!(*found)[i]) {
      missing.push_back((*keys)[i]);
      continue;
    }
    if (auto written = write_value(arguments, *format, (*keys)[i], *(*found)[i], output); !written) return written;
  }
  if (missing.empty()) return ExitCode::ok;
  return not_found_failure("key_not_found", no_such_keys(arguments.file, missing) + '.');
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
