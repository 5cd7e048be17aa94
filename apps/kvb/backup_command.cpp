// backup.

#include <fmt/format.h>

#include <chrono>

#include "commands.h"
#include "progress.h"
#include "text.h"

namespace kvb::cli {

Outcome run(const BackupArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"text", "json"});
  if (!format) return std::unexpected(format.error());
  const auto bucket = open_for_reading(arguments);
  if (!bucket) return std::unexpected(bucket.error());
  const auto start = std::chrono::steady_clock::now();
  Progress progress;
  const std::string title = fmt::format("Backing up {}", shown_name(arguments.file));
  progress.show_bar(title, 0, 1);
  auto report = bucket->backup(arguments.target, {.progress = [&](std::uint64_t keys, std::uint64_t of_keys) {
                                 progress.show_bar(title, keys, of_keys);
                               }});
  progress.wipe();
  if (!report) return engine_failure(std::move(report.error()));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (*format == "text") {
    return tell(output, fmt::format("{}: copied {} ({} of values) to {}, which takes {}.\n", shown_name(arguments.file),
                                    plural(report->keys, "key"),
                                    report->value_bytes == 1 ? "1 byte" : readable_bytes(report->value_bytes),
                                    shown_name(arguments.target), readable_bytes(report->file_bytes)));
  }
  std::string out = "{";
  append_bytes_member(out, "path", arguments.file);
  out += ',';
  append_bytes_member(out, "target", arguments.target);
  out += fmt::format(",\"keys\":{},\"value_bytes\":{},\"file_bytes\":{},\"seconds\":{:.3f}}}\n", report->keys,
                     report->value_bytes, report->file_bytes, took.count());
  return tell(output, out);
}

}  // namespace kvb::cli
