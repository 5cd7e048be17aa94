// train.

#include <fmt/format.h>

#include "commands.h"
#include "text.h"

namespace kvb::cli {
namespace {

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 100.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string report_as_text(const std::string& file, const TrainReport& report) {
  if (!report.adopted) return fmt::format("{}: no new dictionary. {}\n", shown_name(file), report.reason);
  return fmt::format(
      "{}: dictionary {} of {}, trained from {}. Other values take {:.1f} % of their length with it, {:.1f} % without. "
      "New values use it; `kvb compact --full` stores the others anew.\n",
      shown_name(file), report.dictionary_id, readable_bytes(report.dictionary_bytes), plural(report.samples, "value"),
      percent(report.bytes_after, report.sample_bytes), percent(report.bytes_before, report.sample_bytes));
}

std::string report_as_json(const std::string& file, const TrainReport& report) {
  std::string out = "{";
  append_bytes_member(out, "path", file);
  out += fmt::format(",\"adopted\":{},", report.adopted);
  append_bytes_member(out, "reason", report.reason);
  out += fmt::format(
      ",\"dictionary_id\":{},\"dictionary_bytes\":{},\"samples\":{},\"sample_bytes\":{},\"bytes_before\":{},"
      "\"bytes_after\":{}}}\n",
      report.dictionary_id, report.dictionary_bytes, report.samples, report.sample_bytes, report.bytes_before,
      report.bytes_after);
  return out;
}

}  // namespace

Outcome run(const TrainArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"text", "json"});
  if (!format) return std::unexpected(format.error());
  const auto compression = read_compression(arguments.compression);
  if (!compression) return std::unexpected(compression.error());
  auto bucket = open_for_writing(arguments, arguments.writer, false);
  if (!bucket) return std::unexpected(bucket.error());
  if (arguments.compression) {
    if (auto set = bucket->set_compression(*compression); !set) return engine_failure(std::move(set.error()));
  }
  TrainReport report;
  if (arguments.compression && compression->method == Compression::Method::none) {
    report.reason = "Values are not compressed from now on.";
  } else {
    auto trained = bucket->train_dictionary();
    if (!trained && trained.error().code == ErrorCode::invalid_argument) {
      return usage_failure(
          "This bucket is not compressed, so it has no use for a dictionary. Give --compression zstd.");
    }
    if (!trained) return engine_failure(std::move(trained.error()));
    report = std::move(*trained);
  }
  if (auto closed = close_bucket(*bucket); !closed) return closed;
  return tell(output,
              *format == "json" ? report_as_json(arguments.file, report) : report_as_text(arguments.file, report));
}

}  // namespace kvb::cli
