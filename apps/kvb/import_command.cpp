// import. The entries are taken in batches, each of which is applied as a whole or not at all; what is wrong with one
// of them is told by the number of its line, or its record in the binary form, and nothing of its batch is applied.

#include <fmt/format.h>

#include <unistd.h>
#include <chrono>
#include <set>

#include "commands.h"
#include "dump.h"
#include "input.h"
#include "progress.h"
#include "source.h"
#include "text.h"

namespace kvb::cli {
namespace {

constexpr std::size_t kBatchEntries = 1000;
constexpr std::size_t kBatchBytes = std::size_t{4} << 20;
constexpr std::int64_t kNanosecondsInSecond = 1'000'000'000;

enum class Existing : std::uint8_t { refuse, replace, keep };

class Importer {
 public:
  Importer(Bucket& bucket, Existing existing, std::string prefix, Source& source, std::string_view noun)
      : bucket_(bucket), existing_(existing), prefix_(std::move(prefix)), source_(source), noun_(noun) {}

  // `number` is what the entry is called by: its line, or its place among the records.
  Expected<void> add(DumpEntry&& entry, std::uint64_t number) {
    if (batch_.empty()) first_of_batch_ = number;
    if (!entry.key.starts_with(prefix_)) return {};
    std::uint32_t ttl_seconds = entry.ttl_seconds;
    if (entry.expires_at_ns != 0) {
      const std::int64_t left_ns = entry.expires_at_ns - now_ns();
      if (left_ns <= 0) {
        ++expired_;
        return {};
      }
      // Never before its time.
      const std::int64_t seconds = (left_ns - 1) / kNanosecondsInSecond + 1;
      if (seconds > UINT32_MAX) return bad(number, "it expires in more than 136 years");
      ttl_seconds = static_cast<std::uint32_t>(seconds);
    }
    if (existing_ != Existing::replace) {
      const auto there = bucket_.contains(entry.key);
      if (!there) return engine_failure(there.error());
      if (*there || in_batch_.contains(entry.key)) {
        if (existing_ == Existing::refuse) return key_exists(number, entry.key, *there);
        ++kept_;
        return {};
      }
      in_batch_.insert(entry.key);
    }
    batch_bytes_ += entry.key.size() + entry.value.size();
    batch_.put(entry.key, entry.value, {.ttl_seconds = ttl_seconds, .kind = entry.kind});
    return {};
  }

  [[nodiscard]] bool batch_is_full() const { return batch_.size() >= kBatchEntries || batch_bytes_ >= kBatchBytes; }

  Expected<void> apply() {
    if (auto written = bucket_.write(batch_); !written) {
      Error error = std::move(written.error());
      return engine_failure(std::move(error), fmt::format("{} had been imported before.", plural(imported_, "entry")));
    }
    imported_ += batch_.size();
    batch_.clear();
    in_batch_.clear();
    batch_bytes_ = 0;
    return {};
  }

  [[nodiscard]] std::unexpected<Failure> bad(std::uint64_t number, std::string_view what) const {
    return stop("input", ExitCode::error,
                fmt::format("{} {} of {} is no entry: {}.", noun_, with_commas(number), source_.name(), what), number);
  }

  // `number` records were whole.
  [[nodiscard]] std::unexpected<Failure> damaged(std::uint64_t number, std::string_view what) const {
    const std::string place = number == 0 ? std::string() : fmt::format(" behind record {}", with_commas(number));
    return stop("input", ExitCode::error,
                fmt::format("{} is damaged or incomplete{}: {}.", source_.name(), place, what), number + 1);
  }

  [[nodiscard]] std::uint64_t imported() const { return imported_; }
  [[nodiscard]] std::uint64_t kept() const { return kept_; }
  [[nodiscard]] std::uint64_t expired() const { return expired_; }

 private:
  static std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  [[nodiscard]] std::unexpected<Failure> key_exists(std::uint64_t number, std::string_view key, bool in_bucket) const {
    return stop("condition_not_met", ExitCode::not_found,
                fmt::format("{} {} of {}: the key {} {}. --replace lets what is read win, --if-missing what is there.",
                            noun_, with_commas(number), source_.name(), shown_key(key),
                            in_bucket ? "is in the bucket already" : "came before"),
                number);
  }

  // What was applied and what was not is a part of each message.
  [[nodiscard]] std::unexpected<Failure> stop(std::string code, ExitCode exit, std::string message,
                                              std::uint64_t number) const {
    if (imported_ == 0) {
      message += " Nothing was imported.";
    } else {
      message += fmt::format(" {} before {} {} {} imported, nothing from there on.", plural(imported_, "entry"),
                             noun_ == "Line" ? "line" : "record",
                             with_commas(batch_.empty() ? number : first_of_batch_), imported_ == 1 ? "was" : "were");
    }
    return std::unexpected(
        Failure{.exit = exit, .code = std::move(code), .message = std::move(message), .engine = std::nullopt});
  }

  Bucket& bucket_;
  Existing existing_;
  std::string prefix_;
  Source& source_;
  std::string_view noun_;
  Batch batch_;
  std::size_t batch_bytes_ = 0;
  std::set<std::string, std::less<>> in_batch_;
  std::uint64_t first_of_batch_ = 0;
  std::uint64_t imported_ = 0;
  std::uint64_t kept_ = 0;
  std::uint64_t expired_ = 0;
};

Expected<void> import_lines(Importer& importer, Source& source, const std::function<void()>& show) {
  for (std::uint64_t number = 1;; ++number) {
    const auto line = source.line();
    if (!line) return std::unexpected(line.error());
    if (!*line) return importer.apply();
    if ((*line)->find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto entry = read_json_line(**line);
    if (!entry) return importer.bad(number, entry.error().what);
    if (auto added = importer.add(std::move(*entry), number); !added) return added;
    if (importer.batch_is_full()) {
      if (auto applied = importer.apply(); !applied) return applied;
      show();
    }
  }
}

Expected<void> import_blocks(Importer& importer, Source& source, const std::function<void()>& show) {
  if (auto magic = source.bytes(kDumpMagic.size()); !magic) return std::unexpected(magic.error());
  std::uint64_t records = 0;
  for (;;) {
    const auto head_bytes = source.bytes(kBlockHeadBytes);
    if (!head_bytes) return std::unexpected(head_bytes.error());
    if (head_bytes->size() < kBlockHeadBytes) return importer.damaged(records, "it ends too early");
    const BlockHead head = read_block_head(*head_bytes);
    const auto payload = source.bytes(head.payload_bytes);
    if (!payload) return std::unexpected(payload.error());
    if (payload->size() < head.payload_bytes) return importer.damaged(records, "it ends too early");
    if (!digest_fits(*head_bytes, *payload)) return importer.damaged(records, "its digest is wrong");
    if (head.payload_bytes == 0) {
      if (head.records != records) return importer.damaged(records, "it should have another number of records");
      const auto more = source.bytes(1);
      if (!more) return std::unexpected(more.error());
      if (!more->empty()) return importer.damaged(records, "there is more behind its end");
      return {};
    }
    auto entries = read_block(head, *payload);
    if (!entries) return importer.damaged(records, entries.error().what);
    for (DumpEntry& entry : *entries) {
      if (auto added = importer.add(std::move(entry), ++records); !added) return added;
    }
    if (auto applied = importer.apply(); !applied) return applied;
    show();
  }
}

}  // namespace

Outcome run(const ImportArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"text", "json"});
  if (!format) return std::unexpected(format.error());
  if (arguments.replace && arguments.if_missing) {
    return usage_failure("--replace and --if-missing exclude each other: give one of them.");
  }
  if (arguments.hex && !arguments.prefix) return usage_failure("--hex is for --prefix here: give that, too.");
  const auto prefix = read_inline_argument("--prefix", arguments.prefix.value_or(""), arguments.hex);
  if (!prefix) return std::unexpected(prefix.error());
  if (!arguments.source && isatty(STDIN_FILENO) == 1) {
    return usage_failure("What is to be imported? Name a file as SOURCE, or give - to type the lines here.");
  }
  auto source = Source::open(arguments.source.value_or("-"));
  if (!source) return std::unexpected(source.error());
  const auto binary = source->begins_with(kDumpMagic);
  if (!binary) return std::unexpected(binary.error());
  auto bucket = open_for_writing(arguments, arguments.writer, arguments.create);
  if (!bucket) return std::unexpected(bucket.error());

  Progress progress;
  const std::string title = fmt::format("Importing into {}", shown_name(arguments.file));
  const auto show = [&] { progress.show_bar(title, source->done_bytes(), source->of_bytes()); };
  const Existing existing = arguments.replace      ? Existing::replace
                            : arguments.if_missing ? Existing::keep
                                                   : Existing::refuse;
  Importer importer(*bucket, existing, *prefix, *source, *binary ? "Record" : "Line");
  const auto imported = *binary ? import_blocks(importer, *source, show) : import_lines(importer, *source, show);
  progress.wipe();
  auto closed = close_bucket(*bucket);
  if (!imported) return std::unexpected(imported.error());
  if (!closed) return closed;

  if (*format == "json") {
    std::string out = "{";
    append_bytes_member(out, "path", arguments.file);
    out += fmt::format(",\"imported\":{},\"kept\":{},\"expired\":{}}}\n", importer.imported(), importer.kept(),
                       importer.expired());
    return tell(output, out);
  }
  std::string text = fmt::format("{}: imported {}", shown_name(arguments.file), plural(importer.imported(), "entry"));
  if (importer.kept() == 1) text += "; 1 was there already and stays";
  if (importer.kept() > 1) text += fmt::format("; {} were there already and stay", with_commas(importer.kept()));
  if (importer.expired() != 0) text += fmt::format("; {} had expired", with_commas(importer.expired()));
  return tell(output, text + ".\n");
}

}  // namespace kvb::cli
