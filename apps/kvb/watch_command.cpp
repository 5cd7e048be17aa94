// watch: the bucket's changes as they are committed, until somebody ends it.

#include <fmt/format.h>

#include "commands.h"
#include "input.h"
#include "text.h"

namespace kvb::cli {
namespace {

void append_line(std::string& out, const Change& change, bool as_json, bool keys_only) {
  const bool put = change.type == Change::Type::put;
  if (as_json) {
    out += fmt::format(R"({{"type":"{}","seqno":{},"written_at":"{}",)", put ? "put" : "remove", change.value.seqno,
                       rfc3339(change.value.written_at_ns));
    append_entry_members(out, change.key, change.value, put && !keys_only);
    out += "}\n";
    return;
  }
  out += put ? "put\t" : "remove\t";
  append_escaped(out, change.key);
  if (put && !keys_only) {
    out += '\t';
    append_escaped(out, change.value.bytes);
  }
  out += '\n';
}

}  // namespace

Outcome run(const WatchArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"text", "json"});
  if (!format) return std::unexpected(format.error());
  WatchOptions options{.keys_only = arguments.keys};
  if (arguments.prefix) {
    auto prefix = read_inline_argument("--prefix", *arguments.prefix, arguments.hex);
    if (!prefix) return std::unexpected(prefix.error());
    options.prefix = std::move(*prefix);
  }
  if (arguments.from) {
    const auto from = read_number("--from", *arguments.from, UINT64_MAX);
    if (!from) return std::unexpected(from.error());
    options.from_seqno = *from;
  }
  std::uint64_t left = UINT64_MAX;
  if (arguments.limit) {
    const auto limit = read_number("--limit", *arguments.limit, UINT64_MAX);
    if (!limit) return std::unexpected(limit.error());
    left = *limit;
  }
  // Each round looks whether the reader of the output has left.
  constexpr std::chrono::milliseconds kRound{1'000};
  std::optional<std::chrono::milliseconds> timeout;
  if (arguments.timeout) {
    const auto read = read_wait("--timeout", *arguments.timeout);
    if (!read) return std::unexpected(read.error());
    timeout = *read;
  }

  auto bucket = open_for_reading(arguments);
  if (!bucket) return std::unexpected(bucket.error());
  auto watch = bucket->watch(options);
  if (!watch) return engine_failure(std::move(watch.error()));
  auto quiet_since = std::chrono::steady_clock::now();
  std::string lines;
  while (left > 0 && !output.reader_left()) {
    std::chrono::milliseconds wait = kRound;
    if (timeout) {
      const auto quiet = std::chrono::steady_clock::now() - quiet_since;
      wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(*timeout - quiet));
      wait = std::max(wait, std::chrono::milliseconds{0});
    }
    auto changes = watch->next(wait);
    if (!changes) return engine_failure(std::move(changes.error()));
    if (changes->empty()) {
      if (timeout && std::chrono::steady_clock::now() - quiet_since >= *timeout) break;
      continue;
    }
    lines.clear();
    for (const Change& change : *changes) {
      if (left == 0) break;
      --left;
      append_line(lines, change, *format == "json", arguments.keys);
    }
    // Whoever reads them wants them now.
    if (auto written = output.write(lines); !written) return std::unexpected(written.error());
    if (auto flushed = output.flush(); !flushed) return std::unexpected(flushed.error());
    quiet_since = std::chrono::steady_clock::now();
  }
  return ExitCode::ok;
}

}  // namespace kvb::cli
