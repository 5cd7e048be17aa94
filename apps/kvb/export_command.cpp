// export.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "commands.h"
#include "dump.h"
#include "progress.h"
#include "text.h"

namespace kvb::cli {
namespace {

std::string words_of(int system_errno) {
  return std::strerror(system_errno);
}

// The file that is exported to. What is not complete and on disk is removed again.
class TargetFile {
 public:
  static Expected<TargetFile> create(const std::string& path) {
    const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0) return TargetFile(path, descriptor);
    const int failed = errno;
    if (failed == EEXIST) {
      return std::unexpected(
          Failure{.exit = ExitCode::error,
                  .code = std::string(error_name(ErrorCode::already_exists)),
                  .message = fmt::format("{}: There is a file of this name already, and it was left alone. Choose "
                                         "another name, or remove it first.",
                                         path),
                  .engine = std::nullopt});
    }
    return input_failure(fmt::format("{}: The file cannot be made: {}.", path, words_of(failed)), failed);
  }
  TargetFile(TargetFile&& other) noexcept
      : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
  TargetFile& operator=(TargetFile&&) = delete;
  ~TargetFile() {
    if (descriptor_ < 0) return;
    close(descriptor_);
    unlink(path_.c_str());
  }

  [[nodiscard]] int descriptor() const { return descriptor_; }

  Expected<void> finish() {
    if (fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS) {
      const int failed = errno;
      return input_failure(fmt::format("{}: Writing failed: {}.", path_, words_of(failed)), failed);
    }
    close(std::exchange(descriptor_, -1));
    return {};
  }

 private:
  TargetFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  std::string path_;
  int descriptor_;
};

DumpEntry dump_of(Entry&& entry) {
  const std::int64_t expires_at_ns = entry.value.expires_at_ns().value_or(0);
  return {.key = std::move(entry.key),
          .value = std::move(entry.value.bytes),
          .kind = entry.value.kind,
          .expires_at_ns = expires_at_ns};
}

// Writes the entries of the range, all of one state of the bucket. How many there were.
Expected<std::uint64_t> export_to(Output& output, const Bucket& bucket, const ScanOptions& range, bool binary,
                                  const std::string& file) {
  Progress progress;
  const std::string title = fmt::format("Exporting {}", shown_name(file));
  const std::uint64_t of_keys = bucket.stats().keys;
  std::uint64_t entries = 0;
  BlockWriter block;
  std::string line;
  Expected<void> written;
  if (binary) written = output.write(kDumpMagic);
  if (!written) return std::unexpected(written.error());
  auto scanned = bucket.scan(range, [&](Entry&& entry) {
    ++entries;
    if (binary) {
      block.add(dump_of(std::move(entry)));
      if (block.is_full()) written = output.write(block.take());
    } else {
      line.clear();
      append_json_line(line, dump_of(std::move(entry)));
      written = output.write(line);
    }
    if (entries % 10'000 == 0) progress.show_bar(title, entries, of_keys);
    return written.has_value() && !output.reader_left();
  });
  if (!scanned) return engine_failure(std::move(scanned.error()));
  if (written && binary && !block.empty()) written = output.write(block.take());
  if (written && binary) written = output.write(BlockWriter::end(entries));
  if (written) written = output.flush();
  if (!written) return std::unexpected(written.error());
  return entries;
}

}  // namespace

Outcome run(const ExportArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"json", "binary"});
  if (!format) return std::unexpected(format.error());
  const bool binary = *format == "binary";
  const auto range = read_range(arguments);
  if (!range) return std::unexpected(range.error());
  if (binary && !arguments.target && output.is_terminal()) {
    return usage_failure("The binary format is not for a terminal. Name a file as TARGET, or redirect the output.");
  }
  const auto bucket = open_for_reading(arguments);
  if (!bucket) return std::unexpected(bucket.error());
  if (!arguments.target) {
    const auto entries = export_to(output, *bucket, *range, binary, arguments.file);
    if (!entries) return std::unexpected(entries.error());
    return ExitCode::ok;
  }
  auto target = TargetFile::create(*arguments.target);
  if (!target) return std::unexpected(target.error());
  Output file(target->descriptor());
  const auto entries = export_to(file, *bucket, *range, binary, arguments.file);
  if (!entries) return std::unexpected(entries.error());
  if (auto finished = target->finish(); !finished) return std::unexpected(finished.error());
  return ExitCode::ok;
}

}  // namespace kvb::cli
