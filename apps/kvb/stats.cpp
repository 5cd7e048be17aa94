#include "stats.h"

#include <fmt/format.h>

#include <array>

#include "text.h"

namespace kvb::cli {
namespace {

constexpr StatsRow kStatsRows[] = {
    {"keys", "Keys", &Stats::keys, false, "Keys with a value"},
    {"live_bytes", "Live data", &Stats::live_bytes, true, "Bytes of the newest records of these keys"},
    {"file_bytes", "File length", &Stats::file_bytes, true, "Length of the file"},
    {"allocated_bytes", "Space on disk", &Stats::allocated_bytes, true, "Space that the file takes on the disk"},
    {"dead_bytes", "Reclaimable, about", &Stats::dead_bytes, true, "What compaction could give back, nearly"},
    {"segments", "Segments", &Stats::segments, false, "Pieces of the log"},
    {"journal_bytes", "Journal to replay", &Stats::journal_bytes, true, "Log that the next opening reads"},
    {"replayed_records", "Records replayed now", &Stats::replayed_records, false,
     "Records of it that this look at the bucket has read"},
    {"memory_bytes", "Index in memory", &Stats::memory_bytes, true, "Memory that they take"},
    {"index_bytes", "Index in the file", &Stats::index_bytes, true, "The index that the last checkpoint wrote"},
    {"epoch", "Checkpoint epoch", &Stats::epoch, false, "Number of the last checkpoint"},
    {"committed_seqno", "Last write", &Stats::committed_seqno, false, "Number of the last write"},
    {"synced_seqno", "Last write on disk", &Stats::synced_seqno, false, "Number of the last write that is on the disk"},
    {"recovery_cuts", "Unclean ends noted", &Stats::recovery_cuts, false, "Unclean ends that the log notes"},
    {"lost_records", "Records cut off", &Stats::lost_records, false,
     "Records that were on the disk and are gone with the file's end"},
    {"pinned_epochs", "States readers hold", &Stats::pinned_epochs, false, "Checkpoints that readers hold"},
    {"oldest_pin_lag", "Checkpoints behind", &Stats::oldest_pin_lag, false,
     "How many checkpoints the oldest of them is behind"},
    {"retired_bytes", "Space not free yet", &Stats::retired_bytes, true,
     "Space that waits for readers or for the next checkpoint"},
    {"dictionary_bytes", "Dictionary", &Stats::dictionary_bytes, true,
     "Length of the dictionary that values are compressed with"},
    {"dictionaries", "Dictionaries kept", &Stats::dictionaries, false,
     "Dictionaries that values need, old ones included"},
    {"sampled_value_bytes", "Of sampled values", &Stats::sampled_value_bytes, true,
     "Length of some hundred values, if values are compressed"},
    {"sampled_stored_bytes", "they take", &Stats::sampled_stored_bytes, true, "What these values take in the file"},
};

constexpr LatencyRow kLatencyRows[] = {
#define KVB_LATENCY(member, one_in, meaning) {#member, &Activity::Latencies::member, one_in, meaning},
#include <kvb/activity.def>
#undef KVB_LATENCY
};

struct Number {
  std::string_view name;
  std::uint64_t Activity::* field;
  std::string_view meaning;
  bool counts;
};
constexpr Number kNumbers[] = {
#define KVB_COUNTER(member, meaning) {#member, &Activity::member, meaning, true},
#define KVB_GAUGE(member, meaning) {#member, &Activity::member, meaning, false},
#include <kvb/activity.def>
#undef KVB_COUNTER
#undef KVB_GAUGE
};

// A label's value: backslash, quote and newline are escaped, and what is no UTF-8 becomes \xHH.
std::string label_value(std::string_view text) {
  std::string out;
  for (const char c : is_utf8(text) ? std::string(text) : [&] {
         std::string escaped;
         append_escaped(escaped, text);
         return escaped;
       }()) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

double seconds(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e9;
}

class Metrics {
 public:
  explicit Metrics(std::string_view file) : labels_(fmt::format("bucket=\"{}\"", label_value(file))) {}

  void add(std::string_view name, std::string_view type, std::string_view help, const std::string& value) {
    begin(name, type, help);
    out_ += fmt::format("{}{{{}}} {}\n", name, labels_, value);
  }

  void add(std::string_view name, std::string_view help, const Latency& latency) {
    begin(name, "histogram", help);
    std::uint64_t below = 0;
    for (std::size_t i = 0; i + 1 < Latency::kBuckets; ++i) {
      below += latency.buckets[i];
      out_ += fmt::format("{}_bucket{{{},le=\"{}\"}} {}\n", name, labels_, seconds(Latency::bucket_limit_ns(i)), below);
    }
    out_ += fmt::format("{}_bucket{{{},le=\"+Inf\"}} {}\n", name, labels_, latency.count);
    out_ += fmt::format("{}_sum{{{}}} {}\n", name, labels_, seconds(latency.total_ns));
    out_ += fmt::format("{}_count{{{}}} {}\n", name, labels_, latency.count);
  }

  [[nodiscard]] std::string text() && { return std::move(out_); }

 private:
  void begin(std::string_view name, std::string_view type, std::string_view help) {
    out_ += fmt::format("# HELP {} {}.\n# TYPE {} {}\n", name, help, name, type);
  }

  std::string labels_;
  std::string out_;
};

double part(std::uint64_t some, std::uint64_t of) {
  return of == 0 ? 0.0 : static_cast<double>(some) / static_cast<double>(of);
}

}  // namespace

std::span<const StatsRow> stats_rows() noexcept {
  return kStatsRows;
}

std::span<const LatencyRow> latency_rows() noexcept {
  return kLatencyRows;
}

std::vector<ActivityLine> activity_lines(const Activity& activity) {
  std::vector<ActivityLine> lines;
  const auto count = [&](std::string_view label, std::uint64_t number) {
    lines.push_back({label, with_commas(number)});
  };
  count("Values set", activity.puts);
  count("Keys removed", activity.deletes);
  count("Batches", activity.batches);
  std::string gets = with_commas(activity.gets);
  if (activity.gets != 0) gets += fmt::format(", {:.1f} % found something", 100 * part(activity.hits, activity.gets));
  lines.push_back({"Values looked up", gets});
  count("Syncs", activity.syncs);
  lines.push_back({"Log written", readable_bytes(activity.bytes_written)});
  if (activity.bytes_written != 0) {
    lines.push_back({"Write amplification", fmt::format("{:.2f}", activity.write_amplification())});
  }
  std::string checkpoints = with_commas(activity.checkpoints);
  if (activity.failed_checkpoints != 0) checkpoints += fmt::format(", and {} failed", activity.failed_checkpoints);
  lines.push_back({"Checkpoints", checkpoints});
  lines.push_back({"Of these, compacting", fmt::format("{}, in {:.1f} s", activity.compactions,
                                                       seconds(activity.latency.compaction.total_ns))});
  lines.push_back({"Reclaimable, about", readable_bytes(activity.dead_bytes)});
  lines.push_back({"Space not free yet", readable_bytes(activity.retired_bytes)});
  lines.push_back({"Index in memory", readable_bytes(activity.memory_bytes)});
  if (activity.write_pauses != 0) {
    lines.push_back(
        {"Writers slowed",
         fmt::format("{} times, {} in all, {} at most", with_commas(activity.write_pauses),
                     readable_duration(activity.write_pause_ns), readable_duration(activity.longest_write_pause_ns))});
  }
  count("Snapshots open", activity.snapshots);
  if (activity.oldest_pin_age_ms != 0) {
    lines.push_back({"Oldest reader behind", "for " + readable_duration(activity.oldest_pin_age_ms * 1'000'000)});
  }
  if (activity.expired_pins != 0) count("Readers given up", activity.expired_pins);
  if (activity.poisoned != 0) lines.push_back({"Writing", "has ended, because a sync failed"});
  return lines;
}

std::string activity_as_json(const Activity& activity) {
  std::string out = fmt::format("{{\"pid\":{},\"opened_at\":\"{}\",\"as_of\":\"{}\"", activity.pid,
                                rfc3339(activity.opened_at_ns), rfc3339(activity.as_of_ns));
  for (const Number& number : kNumbers) out += fmt::format(",\"{}\":{}", number.name, activity.*number.field);
  out += fmt::format(",\"hit_rate\":{:.4f},\"write_amplification\":{:.4f},\"latency\":{{",
                     part(activity.hits, activity.gets), activity.write_amplification());
  bool first = true;
  for (const LatencyRow& row : kLatencyRows) {
    const Latency& latency = activity.latency.*row.field;
    out += fmt::format(
        "{}\"{}\":{{\"count\":{},\"total_ns\":{},\"p50_ns\":{},\"p90_ns\":{},\"p99_ns\":{},\"p999_ns\":{},\"max_ns\":{}"
        "}}",
        first ? "" : ",", row.name, latency.count, latency.total_ns, latency.p50_ns, latency.p90_ns, latency.p99_ns,
        latency.p999_ns, latency.max_ns);
    first = false;
  }
  return out + "}}";
}

std::string stats_for_prometheus(const std::string& file, const Stats& stats, const std::optional<Activity>& writer) {
  Metrics metrics(file);
  for (const StatsRow& row : kStatsRows) {
    metrics.add(fmt::format("kvb_{}", row.name), "gauge", row.meaning, fmt::format("{}", stats.*row.field));
  }
  metrics.add("kvb_garbage_ratio", "gauge", "Part of the space on the disk that is neither live data nor their index",
              fmt::format("{:.6f}", 1 - std::min(1.0, part(stats.live_bytes + stats.index_bytes,
                                                           std::max<std::uint64_t>(stats.allocated_bytes, 1)))));
  metrics.add("kvb_writer_up", "gauge", "1 if a process has the bucket open for writing", writer ? "1" : "0");
  if (!writer) return std::move(metrics).text();
  metrics.add("kvb_writer_opened_seconds", "gauge", "Since when, in seconds since the Unix epoch",
              fmt::format("{:.3f}", static_cast<double>(writer->opened_at_ns) / 1e9));
  for (const Number& number : kNumbers) {
    // The units of Prometheus are seconds.
    std::string name(number.name);
    std::string help(number.meaning);
    std::string value = fmt::format("{}", (*writer).*number.field);
    for (const auto& [unit, scale] : {std::pair{"_ns", 1e9}, std::pair{"_ms", 1e3}}) {
      if (!name.ends_with(unit)) continue;
      name.replace(name.size() - 3, 3, "_seconds");
      value = fmt::format("{}", static_cast<double>((*writer).*number.field) / scale);
      help.replace(0, help.find(' '), "Seconds");
    }
    metrics.add(fmt::format("kvb_writer_{}{}", name, number.counts ? "_total" : ""),
                number.counts ? "counter" : "gauge", help, value);
  }
  for (const LatencyRow& row : kLatencyRows) {
    std::string help = fmt::format("{}, in seconds", row.meaning);
    if (row.measured_one_in > 1) help += fmt::format("; at least one in {} is measured", row.measured_one_in);
    metrics.add(fmt::format("kvb_writer_{}_seconds", row.name), help, writer->latency.*row.field);
  }
  return std::move(metrics).text();
}

std::string readable_duration(std::uint64_t nanoseconds) {
  if (nanoseconds < 1'000) return fmt::format("{} ns", nanoseconds);
  double amount = static_cast<double>(nanoseconds) / 1e3;
  for (const char* const unit : {"us", "ms"}) {
    if (amount < 999.95) return fmt::format("{:.{}f} {}", amount, amount < 99.95 ? 1 : 0, unit);
    amount /= 1'000;
  }
  return fmt::format("{:.{}f} s", amount, amount < 99.95 ? 1 : 0);
}

}  // namespace kvb::cli
