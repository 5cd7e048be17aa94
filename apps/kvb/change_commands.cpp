// incr, expire: what changes a key without replacing it.

#include <fmt/format.h>

#include <charconv>

#include "commands.h"
#include "input.h"

namespace kvb::cli {

Outcome run(const IncrArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"text", "json"});
  if (!format) return std::unexpected(format.error());
  std::int64_t by = 1;
  if (arguments.by) {
    std::string_view digits = *arguments.by;
    if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') digits.remove_prefix(1);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), by);
    if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) {
      return usage_failure(
          fmt::format("BY takes a whole number such as 5 or -1, not '{}'; it has at most 64 bits.", *arguments.by));
    }
  }
  const auto key = read_key(arguments.key, arguments.style);
  if (!key) return std::unexpected(key.error());
  auto bucket = open_for_writing(arguments, arguments.writer, arguments.create);
  if (!bucket) return std::unexpected(bucket.error());
  auto sum = bucket->increment(*key, by);
  if (!sum) return engine_failure(std::move(sum.error()));
  if (auto closed = close_bucket(*bucket); !closed) return closed;
  return tell(output, *format == "json" ? fmt::format("{{\"value\":{}}}\n", *sum) : fmt::format("{}\n", *sum));
}

Outcome run(const ExpireArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"text", "json"});
  if (!format) return std::unexpected(format.error());
  std::uint32_t ttl_seconds = 0;
  if (arguments.time != "never") {
    const auto ttl = read_ttl_seconds("TIME", arguments.time);
    if (!ttl) return std::unexpected(ttl.error());
    ttl_seconds = *ttl;
  }
  const auto key = read_key(arguments.key, arguments.style);
  if (!key) return std::unexpected(key.error());
  auto bucket = open_for_writing(arguments, arguments.writer, false);
  if (!bucket) return std::unexpected(bucket.error());
  auto found = bucket->set_expiry(*key, ttl_seconds);
  if (!found) return engine_failure(std::move(found.error()));
  if (auto closed = close_bucket(*bucket); !closed) return closed;
  if (!*found) return not_found_failure("key_not_found", no_such_keys(arguments.file, {*key}) + '.');
  return tell(output, *format == "json" ? fmt::format("{{\"ttl_seconds\":{}}}\n", ttl_seconds) : std::string());
}

}  // namespace kvb::cli
