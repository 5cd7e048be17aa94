// bench: what this machine and this disk do, in some seconds. No comparison with anything (make bench has that), but
// for one: what a write and a sync of the disk cost without any store, because a durable put cannot be quicker than
// that.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <thread>

#include "commands.h"
#include "input.h"
#include "progress.h"
#include "stats.h"
#include "text.h"

namespace kvb::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Part {
  std::string name;
  std::string label;
  std::uint64_t operations = 0;
  double seconds = 0;
  std::vector<std::uint64_t> took_ns{};  // Each operation; empty if they were not measured one by one.

  [[nodiscard]] double rate() const { return seconds > 0 ? static_cast<double>(operations) / seconds : 0; }
  [[nodiscard]] std::uint64_t quantile(double of) const {
    if (took_ns.empty()) return 0;
    const auto place = static_cast<std::size_t>(of * static_cast<double>(took_ns.size()));
    return took_ns[std::min(place, took_ns.size() - 1)];
  }
};

struct Setting {
  std::uint64_t keys = 100'000;
  std::uint64_t value_bytes = 100;
  std::chrono::seconds limit{3};
};

std::uint64_t ns_since(Clock::time_point begin) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(Clock::now() - begin).count());
}

// Calls `operation` so often, or until the time is over, and measures each call.
template <typename Operation>
Expected<Part> measure(std::string name, std::string label, std::uint64_t times, std::chrono::seconds limit,
                       Operation&& operation) {
  Part part{.name = std::move(name), .label = std::move(label)};
  part.took_ns.reserve(std::min<std::uint64_t>(times, 1 << 22));
  const auto begin = Clock::now();
  for (std::uint64_t i = 0; i < times; ++i) {
    const auto start = Clock::now();
    if (auto done = operation(i); !done) return engine_failure(std::move(done.error()));
    part.took_ns.push_back(ns_since(start));
    if (Clock::now() - begin >= limit) break;
  }
  part.operations = part.took_ns.size();
  part.seconds = static_cast<double>(ns_since(begin)) / 1e9;
  std::ranges::sort(part.took_ns);
  return part;
}

std::string key_of(std::uint64_t number) {
  return fmt::format("key:{:012}", number);
}

// The disk alone: a small append and a sync, again and again.
Expected<Part> measure_disk(const std::string& path, const Setting& setting) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0)
    return input_failure(fmt::format("{} cannot be made: {}.", shown_name(path), std::strerror(errno)), errno);
  const std::string bytes(setting.value_bytes + 64, 'x');
  auto part =
      measure("disk", "Disk alone: write and sync", UINT64_MAX, setting.limit, [&](std::uint64_t) -> Result<void> {
        if (write(file, bytes.data(), bytes.size()) < 0 || fdatasync(file) != 0) {
          return std::unexpected(
              Error{.code = ErrorCode::io_error, .message = std::strerror(errno), .path = path, .system_errno = errno});
        }
        return {};
      });
  close(file);
  std::filesystem::remove(path);
  return part;
}

Expected<std::vector<Part>> measure_all(const std::string& path, const Setting& setting) {
  std::vector<Part> parts;
  std::mt19937_64 random(1);
  std::string value(setting.value_bytes, '\0');
  for (char& c : value) c = static_cast<char>('a' + random() % 26);
  Progress progress;
  const auto keep = [&](Expected<Part> part) -> Expected<void> {
    if (!part) return std::unexpected(std::move(part.error()));
    parts.push_back(std::move(*part));
    return {};
  };
  constexpr std::size_t kParts = 6;
  const auto show = [&](std::string_view label) { progress.show_bar(label, parts.size(), kParts); };

  show("Disk alone");
  if (auto done = keep(measure_disk(path + ".disk", setting)); !done) return std::unexpected(done.error());
  {
    show("Durable puts");
    auto bucket = Bucket::create(path);
    if (!bucket) return engine_failure(std::move(bucket.error()));
    auto done = keep(measure("put_sync", "Put, on disk when it returns", setting.keys, setting.limit,
                             [&](std::uint64_t i) { return bucket->put("sync:" + key_of(i), value); }));
    if (!done) return std::unexpected(done.error());
  }
  auto bucket = Bucket::open(path, {.durability = Durability::relaxed});
  if (!bucket) return engine_failure(std::move(bucket.error()));
  show("Relaxed puts");
  if (auto done = keep(measure("put_relaxed", "Put, relaxed", setting.keys, setting.limit,
                               [&](std::uint64_t i) { return bucket->put(key_of(i), value); }));
      !done) {
    return std::unexpected(done.error());
  }
  const std::uint64_t there = parts.back().operations;
  if (auto made = bucket->checkpoint(); !made) return engine_failure(std::move(made.error()));
  show("Gets");
  if (auto done = keep(measure("get", "Get, at random", 10 * setting.keys, setting.limit,
                               [&](std::uint64_t) { return bucket->get(key_of(random() % there)); }));
      !done) {
    return std::unexpected(done.error());
  }
  show("Missing keys");
  if (auto done = keep(measure("get_missing", "Get of a missing key", 10 * setting.keys, setting.limit,
                               [&](std::uint64_t i) { return bucket->get("no " + key_of(i)); }));
      !done) {
    return std::unexpected(done.error());
  }
  show("Scan");
  Part scan{.name = "scan", .label = "Scan, keys and values in order", .took_ns = {}};
  const auto begin = Clock::now();
  while (Clock::now() - begin < setting.limit && scan.operations < 10 * setting.keys) {
    auto scanned = bucket->scan({.prefix = "key:"}, [&](Entry&&) {
      ++scan.operations;
      return true;
    });
    if (!scanned) return engine_failure(std::move(scanned.error()));
  }
  scan.seconds = static_cast<double>(ns_since(begin)) / 1e9;
  parts.push_back(std::move(scan));
  if (auto closed = bucket->close(); !closed) return engine_failure(std::move(closed.error()));
  return parts;
}

std::string as_text(const std::vector<Part>& parts, const Setting& setting, const std::string& where) {
  std::string out = fmt::format("{} keys at most, values of {}, one thread of {}, {}\n\n", with_commas(setting.keys),
                                plural(setting.value_bytes, "byte"), std::thread::hardware_concurrency(), where);
  out += fmt::format("{:<34}{:>12}{:>10}{:>10}{:>10}{:>10}\n", "", "a second", "half in", "99 % in", "99.9 % in",
                     "longest");
  for (const Part& part : parts) {
    out += fmt::format("{:<34}{:>12}", part.label, with_commas(static_cast<std::uint64_t>(part.rate())));
    if (!part.took_ns.empty()) {
      for (const double of : {0.5, 0.99, 0.999, 1.0})
        out += fmt::format("{:>10}", readable_duration(part.quantile(of)));
    }
    out += '\n';
  }
  return out;
}

std::string as_json(const std::vector<Part>& parts, const Setting& setting) {
  std::string out = fmt::format("{{\"keys\":{},\"value_bytes\":{},\"processors\":{},\"parts\":{{", setting.keys,
                                setting.value_bytes, std::thread::hardware_concurrency());
  for (const Part& part : parts) {
    out += fmt::format("{}\"{}\":{{\"operations\":{},\"per_second\":{:.0f}", &part == &parts.front() ? "" : ",",
                       part.name, part.operations, part.rate());
    if (!part.took_ns.empty()) {
      out += fmt::format(",\"p50_ns\":{},\"p99_ns\":{},\"p999_ns\":{},\"max_ns\":{}", part.quantile(0.5),
                         part.quantile(0.99), part.quantile(0.999), part.quantile(1.0));
    }
    out += '}';
  }
  return out + "}}\n";
}

Expected<std::uint64_t> read_amount(std::string_view name, const std::optional<std::string>& text,
                                    std::uint64_t otherwise, std::uint64_t most) {
  if (!text) return otherwise;
  auto number = read_number(name, *text, most);
  if (number && *number == 0) return usage_failure(fmt::format("{} takes at least 1.", name));
  return number;
}

}  // namespace

Outcome run(const BenchArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"text", "json"});
  if (!format) return std::unexpected(format.error());
  if (arguments.memory != arguments.file.empty()) {
    return usage_failure(
        "Give either FILE, a bucket to make where you want to know how quick the disk is, or --memory.");
  }
  Setting setting;
  const auto keys = read_amount("--keys", arguments.keys, setting.keys, 1'000'000'000);
  if (!keys) return std::unexpected(keys.error());
  const auto value_bytes = read_amount("--value-bytes", arguments.value_bytes, setting.value_bytes, 16 << 20);
  if (!value_bytes) return std::unexpected(value_bytes.error());
  const auto seconds = read_amount("--seconds", arguments.seconds, 3, 3'600);
  if (!seconds) return std::unexpected(seconds.error());
  setting = {.keys = *keys, .value_bytes = *value_bytes, .limit = std::chrono::seconds(*seconds)};

  std::string path = arguments.file;
  std::string folder;
  if (arguments.memory) {
    folder = "/dev/shm/kvb-bench-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) {
      return input_failure(fmt::format("There is no memory file system at /dev/shm that can be written to: {}. Give "
                                       "FILE instead.",
                                       std::strerror(errno)),
                           errno);
    }
    path = folder + "/bench.kvb";
  } else if (std::filesystem::exists(path)) {
    return input_failure(
        fmt::format("{} is there already. Give a name that is free: it is removed at the end.", shown_name(path)));
  }
  auto parts = measure_all(path, setting);
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  if (!folder.empty()) std::filesystem::remove_all(folder, ignored);
  if (!parts) return std::unexpected(std::move(parts.error()));
  const std::string where = arguments.memory ? "in memory" : "at " + shown_name(path);
  return tell(output, *format == "json" ? as_json(*parts, setting) : as_text(*parts, setting, where));
}

}  // namespace kvb::cli
