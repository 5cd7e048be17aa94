// scan, count.

#include <fmt/format.h>

#include "commands.h"
#include "input.h"
#include "text.h"

namespace kvb::cli {
Outcome run(const ScanArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"text", "json"});
  if (!format) return std::unexpected(format.error());
  auto options = read_range(arguments);
  if (!options) return std::unexpected(options.error());
  options->reverse = arguments.reverse;
  options->keys_only = arguments.keys;
  if (arguments.limit) {
    const auto limit = read_number("--limit", *arguments.limit, UINT64_MAX);
    if (!limit) return std::unexpected(limit.error());
    options->limit = *limit;
  }

  auto bucket = open_for_reading(arguments);
  if (!bucket) return std::unexpected(bucket.error());
  const bool as_json = *format == "json";
  Expected<void> written;
  std::string line;
  auto scanned = bucket->scan(*options, [&](Entry&& entry) {
    line.clear();
    if (as_json) {
      line += '{';
      append_entry_members(line, entry.key, entry.value, !arguments.keys);
      line += '}';
    } else {
      append_escaped(line, entry.key);
      if (!arguments.keys) {
        line += '\t';
        append_escaped(line, entry.value.bytes);
      }
    }
    line += '\n';
    written = output.write(line);
    return written.has_value() && !output.reader_left();
  });
  if (!scanned) return engine_failure(std::move(scanned.error()));
  if (!written) return std::unexpected(written.error());
  return ExitCode::ok;
}

Outcome run(const CountArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"text", "json"});
  if (!format) return std::unexpected(format.error());
  auto options = read_range(arguments);
  if (!options) return std::unexpected(options.error());
  auto bucket = open_for_reading(arguments);
  if (!bucket) return std::unexpected(bucket.error());
  auto count = bucket->count(*options);
  if (!count) return engine_failure(std::move(count.error()));
  const std::string line = *format == "json" ? fmt::format("{{\"count\":{}}}\n", *count) : fmt::format("{}\n", *count);
  if (auto written = output.write(line); !written) return std::unexpected(written.error());
  return ExitCode::ok;
}

}  // namespace kvb::cli
