#pragma once
// What `stats` and `top` show, as tables: so that the table, the JSON and the metrics cannot differ.

#include <kvb/bucket.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kvb::cli {

// A number that the file itself tells. The counters of the API are left out: they count since this program has opened
// the bucket, which is a moment ago. What its writer counts is in the Activity.
struct StatsRow {
  std::string_view name;   // In JSON, and behind "kvb_" in metrics.
  std::string_view label;  // In the table.
  std::uint64_t Stats::* field;
  bool is_size;
  std::string_view meaning;  // In metrics.
};
[[nodiscard]] std::span<const StatsRow> stats_rows() noexcept;

struct LatencyRow {
  std::string_view name;
  Latency Activity::Latencies::* field;
  std::uint64_t measured_one_in;
  std::string_view meaning;
};
[[nodiscard]] std::span<const LatencyRow> latency_rows() noexcept;

// The counters of an activity, for people.
struct ActivityLine {
  std::string_view label;
  std::string text;
};
[[nodiscard]] std::vector<ActivityLine> activity_lines(const Activity& activity);

// A JSON object.
[[nodiscard]] std::string activity_as_json(const Activity& activity);

// Prometheus' text format, version 0.0.4.
[[nodiscard]] std::string stats_for_prometheus(const std::string& file, const Stats& stats,
                                               const std::optional<Activity>& writer);

// 950 ns, 1.2 ms, 3.4 s: at most 8 columns.
[[nodiscard]] std::string readable_duration(std::uint64_t nanoseconds);

}  // namespace kvb::cli
