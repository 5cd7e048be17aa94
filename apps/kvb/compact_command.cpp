// compact.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "commands.h"
#include "progress.h"
#include "text.h"

namespace kvb::cli {
namespace {

std::string_view strategy_name(CompactStrategy strategy) {
  switch (strategy) {
    case CompactStrategy::automatic:
      return "auto";
    case CompactStrategy::aggressive:
      return "aggressive";
    case CompactStrategy::full:
      return "full";
  }
  return "auto";
}

// What the file is before and after; taken from statistics, because closing the bucket may change it once more.
struct Sizes {
  std::uint64_t file_bytes;
  std::uint64_t allocated_bytes;
  std::uint64_t segments;

  static Sizes of(const Stats& stats) { return {stats.file_bytes, stats.allocated_bytes, stats.segments}; }
};

// What of the space on the disk holds neither live records nor the index of them. No strategy gives back more; the
// file's head and the room for the next writes stay, and which segments are worth emptying is known to the engine only.
std::uint64_t gain_bytes(const Stats& stats) {
  const std::uint64_t needed = stats.live_bytes + stats.index_bytes;
  return stats.allocated_bytes - std::min(stats.allocated_bytes, needed);
}

// "1.5 MiB".
std::string short_bytes(std::uint64_t bytes) {
  std::string text = readable_bytes(bytes);
  return text.substr(0, text.find(" ("));
}

std::string estimate_as_text(const std::string& file, CompactStrategy strategy, const Stats& stats) {
  return fmt::format(
      "{}: compacting ({}) would give back at most {} of the {} that the file takes on the disk. {} are live data, {} "
      "their index. Nothing was changed.\n",
      shown_name(file), strategy_name(strategy), readable_bytes(gain_bytes(stats)),
      readable_bytes(stats.allocated_bytes), readable_bytes(stats.live_bytes), readable_bytes(stats.index_bytes));
}

std::string estimate_as_json(const std::string& file, CompactStrategy strategy, const Stats& stats) {
  std::string out = "{";
  append_bytes_member(out, "path", file);
  out += fmt::format(
      ",\"strategy\":\"{}\",\"dry_run\":true,\"file_bytes\":{},\"allocated_bytes\":{},\"live_bytes\":{},"
      "\"index_bytes\":{},\"gain_bytes\":{}}}\n",
      strategy_name(strategy), stats.file_bytes, stats.allocated_bytes, stats.live_bytes, stats.index_bytes,
      gain_bytes(stats));
  return out;
}

std::string report_as_text(const std::string& file, CompactStrategy strategy, const CompactReport& report,
                           const Sizes& before, const Sizes& after, double seconds) {
  std::string out = fmt::format("{}: compacted ({}), {} moved in {:.1f} seconds.\n", shown_name(file),
                                strategy_name(strategy), plural(report.records_moved, "record"), seconds);
  const auto line = [&](std::string_view label, const std::string& from, const std::string& to) {
    out += fmt::format("  {:<16}{:>24}  ->{:>24}\n", label, from, to);
  };
  line("File length", readable_bytes(before.file_bytes), readable_bytes(after.file_bytes));
  line("Space on disk", readable_bytes(before.allocated_bytes), readable_bytes(after.allocated_bytes));
  line("Segments", with_commas(before.segments), with_commas(after.segments));
  return out;
}

std::string report_as_json(const std::string& file, CompactStrategy strategy, const CompactReport& report,
                           const Sizes& before, const Sizes& after, double seconds) {
  std::string out = "{";
  append_bytes_member(out, "path", file);
  out += fmt::format(
      ",\"strategy\":\"{}\",\"file_bytes_before\":{},\"file_bytes_after\":{},\"allocated_bytes_before\":{},"
      "\"allocated_bytes_after\":{},\"segments_before\":{},\"segments_after\":{},\"segments_freed\":{},"
      "\"records_moved\":{},\"bytes_moved\":{},\"seconds\":{:.3f}}}\n",
      strategy_name(strategy), before.file_bytes, after.file_bytes, before.allocated_bytes, after.allocated_bytes,
      before.segments, after.segments, report.segments_freed, report.records_moved, report.bytes_moved, seconds);
  return out;
}

}  // namespace

Outcome run(const CompactArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"text", "json"});
  if (!format) return std::unexpected(format.error());
  if (arguments.aggressive && arguments.full) {
    return usage_failure("--aggressive and --full are two ways to compact: choose one of them.");
  }
  const CompactStrategy strategy = arguments.full         ? CompactStrategy::full
                                   : arguments.aggressive ? CompactStrategy::aggressive
                                                          : CompactStrategy::automatic;
  const bool json = *format == "json";
  if (arguments.dry_run) {
    if (arguments.writer.lock_timeout) {
      return usage_failure("With --dry-run nothing is written or waited for: leave --lock-timeout or --dry-run out.");
    }
    const auto bucket = open_for_reading(arguments);
    if (!bucket) return std::unexpected(bucket.error());
    const Stats stats = bucket->stats();
    return tell(output, json ? estimate_as_json(arguments.file, strategy, stats)
                             : estimate_as_text(arguments.file, strategy, stats));
  }

  auto bucket = open_for_writing(arguments, arguments.writer, false);
  if (!bucket) return std::unexpected(bucket.error());
  const Sizes before = Sizes::of(bucket->stats());
  const auto start = std::chrono::steady_clock::now();
  Progress progress;
  const std::string title = fmt::format("Compacting {}", shown_name(arguments.file));
  progress.show(fmt::format("{} …", title));
  const auto show = [&](const CompactReport& so_far) {
    progress.show(fmt::format("{}: {} moved, the file takes {} of {}", title, plural(so_far.records_moved, "record"),
                              short_bytes(so_far.allocated_bytes_after), short_bytes(before.allocated_bytes)));
  };
  auto report = bucket->compact({.strategy = strategy, .progress = show});
  progress.wipe();
  if (!report) return engine_failure(std::move(report.error()));
  if (auto closed = close_bucket(*bucket); !closed) return closed;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;

  // Closing may have changed the file once more, so what is told is read from it.
  const auto closed_bucket = open_for_reading(arguments);
  if (!closed_bucket) return std::unexpected(closed_bucket.error());
  const Sizes after = Sizes::of(closed_bucket->stats());
  return tell(output, json ? report_as_json(arguments.file, strategy, *report, before, after, took.count())
                           : report_as_text(arguments.file, strategy, *report, before, after, took.count()));
}

}  // namespace kvb::cli
