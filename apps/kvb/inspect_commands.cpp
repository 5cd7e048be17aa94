// verify, repair.

#include <fmt/format.h>
#include <kvb/repair.h>

#include "commands.h"
#include "progress.h"
#include "text.h"

namespace kvb::cli {
namespace {

std::string report_as_json(const std::string& file, const VerifyReport& report) {
  std::string out = fmt::format("{{\"ok\":{},", report.ok());
  append_bytes_member(out, "path", file);
  out += fmt::format(",\"records\":{},\"segments\":{},\"keys\":{},\"bytes\":{},\"problems\":[", report.records,
                     report.segments, report.keys, report.bytes);
  for (std::size_t i = 0; i < report.problems.size(); ++i) {
    const VerifyProblem& problem = report.problems[i];
    out += i == 0 ? "{" : ",{";
    append_bytes_member(out, "message", problem.message);
    out += fmt::format(",\"offset_bytes\":{}", problem.offset_bytes);
    if (problem.key_hash) out += fmt::format(",\"key_hash\":\"{:016x}\"", *problem.key_hash);
    out += '}';
  }
  return out + "]}\n";
}

std::string report_as_text(const std::string& file, const VerifyReport& report, bool colour) {
  std::string name;
  append_escaped(name, file);
  std::string out;
  for (const VerifyProblem& problem : report.problems) {
    std::string message;
    append_escaped(message, problem.message);
    out += fmt::format("{}: at byte {}", name, problem.offset_bytes);
    if (problem.key_hash) out += fmt::format(", key hash {:016x}", *problem.key_hash);
    out += fmt::format(": {}\n", message);
  }
  const std::string verdict = report.ok() ? "ok" : plural(report.problems.size(), "problem");
  out += colour ? fmt::format("{}: \x1b[1;{}m{}\x1b[0m", name, report.ok() ? 32 : 31, verdict)
                : fmt::format("{}: {}", name, verdict);
  out += fmt::format(". Checked {}, {} and {} in {}.\n", plural(report.keys, "key"), plural(report.records, "record"),
                     readable_bytes(report.bytes), plural(report.segments, "segment"));
  return out;
}

std::string report_as_json(const RepairArguments& arguments, const RepairReport& report) {
  std::string out = fmt::format("{{\"lossless\":{},", report.lossless());
  append_bytes_member(out, "path", arguments.file);
  if (arguments.target) {
    out += ',';
    append_bytes_member(out, "target", *arguments.target);
  }
  out += fmt::format(",\"keys\":{},\"value_bytes\":{},\"records\":{},\"segments\":{},\"losses\":[", report.keys,
                     report.value_bytes, report.records, report.segments);
  for (std::size_t i = 0; i < report.losses.size(); ++i) {
    const RepairLoss& loss = report.losses[i];
    out += i == 0 ? "{" : ",{";
    append_bytes_member(out, "message", loss.message);
    out += fmt::format(",\"offset_bytes\":{},\"length_bytes\":{}", loss.offset_bytes, loss.length_bytes);
    if (loss.key_hash) out += fmt::format(",\"key_hash\":\"{:016x}\"", *loss.key_hash);
    out += '}';
  }
  return out + "]}\n";
}

std::string report_as_text(const RepairArguments& arguments, const RepairReport& report, bool colour) {
  std::string name;
  append_escaped(name, arguments.file);
  std::string out;
  for (const RepairLoss& loss : report.losses) {
    std::string message;
    append_escaped(message, loss.message);
    out += fmt::format("{}: at byte {}", name, loss.offset_bytes);
    if (loss.length_bytes != 0) out += fmt::format(", {}", plural(loss.length_bytes, "byte"));
    if (loss.key_hash) out += fmt::format(", key hash {:016x}", *loss.key_hash);
    out += fmt::format(": {}\n", message);
  }
  const std::string verdict = report.lossless()           ? "nothing is lost"
                              : report.losses.size() == 1 ? "1 loss"
                                                          : with_commas(report.losses.size()) + " losses";
  out += colour ? fmt::format("{}: \x1b[1;{}m{}\x1b[0m", name, report.lossless() ? 32 : 31, verdict)
                : fmt::format("{}: {}", name, verdict);
  out += fmt::format(". {} {} ({} of values)", arguments.dry_run ? "Would save" : "Saved", plural(report.keys, "key"),
                     report.value_bytes == 1 ? "1 byte" : readable_bytes(report.value_bytes));
  if (arguments.target) {
    out += " in ";
    append_escaped(out, *arguments.target);
  }
  return out + ".\n";
}

}  // namespace

Outcome run(const VerifyArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"text", "json"});
  if (!format) return std::unexpected(format.error());
  const auto bucket = open_for_reading(arguments);
  if (!bucket) return std::unexpected(bucket.error());
  auto report = [&] {
    const Waiting waiting(fmt::format("Verifying {}", shown_name(arguments.file)));
    return bucket->verify();
  }();
  if (!report) return engine_failure(std::move(report.error()));
  const auto written =
      output.write(*format == "json" ? report_as_json(arguments.file, *report)
                                     : report_as_text(arguments.file, *report, wants_colour(output.descriptor())));
  if (!written) return std::unexpected(written.error());
  return report->ok() ? ExitCode::ok : ExitCode::error;
}

Outcome run(const RepairArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"text", "json"});
  if (!format) return std::unexpected(format.error());
  if (arguments.dry_run == arguments.target.has_value()) {
    return usage_failure(arguments.dry_run
                             ? "With --dry-run nothing is written: leave NEW or --dry-run out."
                             : "NEW is required: the name of the bucket to save into. --dry-run only looks.");
  }
  auto report = [&] {
    const Waiting waiting(fmt::format("Reading {}", shown_name(arguments.file)));
    return repair(arguments.file, arguments.target.value_or(""), {.dry_run = arguments.dry_run});
  }();
  if (!report) return engine_failure(std::move(report.error()));
  const auto written =
      output.write(*format == "json" ? report_as_json(arguments, *report)
                                     : report_as_text(arguments, *report, wants_colour(output.descriptor())));
  if (!written) return std::unexpected(written.error());
  return report->lossless() ? ExitCode::ok : ExitCode::error;
}

}  // namespace kvb::cli
