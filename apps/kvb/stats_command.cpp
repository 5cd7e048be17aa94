// stats: what the file tells of a bucket, and what its writer tells, if there is one.

#include <fmt/format.h>

#include <array>
#include <optional>

#include "commands.h"
#include "stats.h"
#include "text.h"

namespace kvb::cli {
namespace {

std::string as_json(const std::string& file, const Stats& stats, const std::optional<Activity>& writer) {
  std::string out = "{";
  append_bytes_member(out, "path", file);
  out += fmt::format(",\"uuid\":\"{}\",\"created_at\":\"{}\"", stats.uuid, rfc3339(stats.created_at_ns));
  for (const StatsRow& row : stats_rows()) out += fmt::format(",\"{}\":{}", row.name, stats.*row.field);
  out += ",\"writer\":";
  out += writer ? activity_as_json(*writer) : "null";
  return out + "}\n";
}

std::string as_table(const std::string& file, const Stats& stats, const std::optional<Activity>& writer, bool colour) {
  const auto title = [colour](std::string_view text) {
    return colour ? fmt::format("\x1b[1m{}\x1b[0m\n", text) : fmt::format("{}\n", text);
  };
  std::string out = title(shown_name(file));
  const auto line = [&](std::string_view label, std::string_view text) {
    out += fmt::format("  {:<22}{}\n", label, text);
  };
  line("Identity", stats.uuid);
  line("Created", readable_time(stats.created_at_ns));
  for (const StatsRow& row : stats_rows()) {
    const std::uint64_t number = stats.*row.field;
    line(row.label, row.is_size ? readable_bytes(number) : with_commas(number));
  }
  if (!writer) {
    line("Writer", "nobody has it open for writing");
    return out;
  }
  out += title(
      fmt::format("Process {}, which has been writing since {}", writer->pid, readable_time(writer->opened_at_ns)));
  for (const ActivityLine& said : activity_lines(*writer)) line(said.label, said.text);
  out += fmt::format("  {:<12}{:>12}{:>11}{:>11}{:>11}{:>11}{:>11}\n", "Time for", "measured", "half in", "90 % in",
                     "99 % in", "99.9 % in", "longest");
  for (const LatencyRow& row : latency_rows()) {
    const Latency& latency = writer->latency.*row.field;
    if (latency.count == 0) continue;
    out += fmt::format("  {:<12}{:>12}{:>11}{:>11}{:>11}{:>11}{:>11}\n", row.name, with_commas(latency.count),
                       readable_duration(latency.p50_ns), readable_duration(latency.p90_ns),
                       readable_duration(latency.p99_ns), readable_duration(latency.p999_ns),
                       readable_duration(latency.max_ns));
  }
  return out;
}

}  // namespace

Outcome run(const StatsArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"table", "json", "prometheus"});
  if (!format) return std::unexpected(format.error());
  const auto bucket = open_for_reading(arguments);
  if (!bucket) return std::unexpected(bucket.error());
  const Stats stats = bucket->stats();
  auto writer = bucket->writer_activity();
  if (!writer) return engine_failure(std::move(writer.error()));
  if (*format == "prometheus") return tell(output, stats_for_prometheus(arguments.file, stats, *writer));
  return tell(output, *format == "json" ? as_json(arguments.file, stats, *writer)
                                        : as_table(arguments.file, stats, *writer, wants_colour(output.descriptor())));
}

}  // namespace kvb::cli
