#include "input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>

#include "text.h"

namespace kvb::cli {
namespace {

std::unexpected<Failure> too_long(std::string_view name, std::uint64_t limit) {
  return usage_failure(
      fmt::format("The {} is longer than {} bytes, the most that a bucket takes.", name, with_commas(limit)));
}

// Reads a descriptor to its end, up to one byte more than the limit, so that endless input is refused and not kept.
Expected<std::string> read_all(int descriptor, std::string_view source, std::string_view name, std::uint64_t limit) {
  std::string content;
  std::size_t filled = 0;
  struct stat status{};
  std::size_t room = 64 * 1024;
  if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
    // One more byte, so that the end is seen without growing.
    room = static_cast<std::size_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(status.st_size), limit)) + 1;
  }
  for (;;) {
    int failed = 0;
    bool at_end = false;
    // Grows without filling with zeros first, which would touch every page of a large value twice.
    content.resize_and_overwrite(room, [&](char* data, std::size_t size) {
      while (filled < size) {
        const ssize_t got = read(descriptor, data + filled, size - filled);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) failed = errno;
        at_end = got == 0;
        if (got <= 0) break;
        filled += static_cast<std::size_t>(got);
      }
      return filled;
    });
    if (failed != 0) {
      return input_failure(fmt::format("Reading {} from {} failed: {}.", name, source, std::strerror(failed)), failed);
    }
    if (filled > limit) return too_long(name, limit);
    if (at_end) return content;
    room = static_cast<std::size_t>(std::min<std::uint64_t>(std::uint64_t{filled} * 2, limit + 1));
  }
}

Expected<std::string> read_file(const std::string& path, std::string_view name, std::uint64_t limit) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const int failed = errno;
    return input_failure(
        fmt::format("The {} is to be read from the file '{}', but that cannot be opened: {}. If the {} itself begins "
                    "with @, give --raw.",
                    name, path, std::strerror(failed), name),
        failed);
  }
  auto content = read_all(descriptor, "the file '" + path + "'", fmt::format("the {}", name), limit);
  close(descriptor);
  return content;
}

// "15m" as its number and its unit.
struct Quantity {
  std::string_view digits;
  std::string_view unit;
};

Quantity split_unit(std::string_view text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  return {.digits = text.substr(0, end), .unit = text.substr(end)};
}

// Whether the whole text is a number that the type can hold.
template <typename Number>
bool parse(std::string_view text, Number& number) {
  const char* begin = std::to_address(text.begin());
  const char* end = begin + text.size();
  const auto parsed = std::from_chars(begin, end, number);
  return !text.empty() && parsed.ec == std::errc() && parsed.ptr == end;
}

}  // namespace

bool reads_standard_input(std::string_view argument, ArgumentStyle style) noexcept {
  return !style.literal && argument == "-";
}

Expected<std::string> read_argument(std::string_view name, const std::string& argument, ArgumentStyle style,
                                    std::uint64_t limit) {
  Expected<std::string> content = argument;
  // Digits and the white space between them take more room than what they stand for.
  const std::uint64_t read_limit = style.hex ? limit * 4 : limit;
  if (reads_standard_input(argument, style)) {
    content = read_all(STDIN_FILENO, "standard input", fmt::format("the {}", name), read_limit);
  } else if (!style.literal && argument.starts_with('@')) {
    content = read_file(argument.substr(1), name, read_limit);
  }
  if (!content) return content;
  if (style.hex) {
    auto bytes = from_hex(*content);
    if (!bytes) {
      return usage_failure(
          fmt::format("The {} is to be hexadecimal digits, two for each byte, but it is not. With --hex both KEY and "
                      "VALUE are; for "
                      "one of them give --hex-key or --hex-value.",
                      name));
    }
    content = std::move(*bytes);
  }
  if (content->size() > limit) return too_long(name, limit);
  return content;
}

Expected<std::string> read_inline_argument(std::string_view name, const std::string& argument, bool hex) {
  if (!hex) return argument;
  auto bytes = from_hex(argument);
  if (!bytes) return usage_failure(fmt::format("With --hex, {} takes hexadecimal digits, two for each byte.", name));
  return std::move(*bytes);
}

Expected<std::uint64_t> read_number(std::string_view name, std::string_view text, std::uint64_t limit) {
  std::uint64_t number = 0;
  if (!parse(text, number) || number > limit) {
    return usage_failure(limit == UINT64_MAX ? fmt::format("{} takes a whole number, 0 or more, not '{}'.", name, text)
                                             : fmt::format("{} takes a whole number from 0 to {}, not '{}'.", name,
                                                           with_commas(limit), text));
  }
  return number;
}

Expected<std::uint32_t> read_ttl_seconds(std::string_view name, std::string_view text) {
  struct Unit {
    std::string_view name;
    std::uint64_t seconds;
  };
  constexpr std::array kUnits = {Unit{"", 1},        Unit{"s", 1},         Unit{"m", 60},
                                 Unit{"h", 60 * 60}, Unit{"d", 24 * 3600}, Unit{"w", 7 * 24 * 3600}};
  const Quantity quantity = split_unit(text);
  const auto* unit =
      std::find_if(kUnits.begin(), kUnits.end(), [&quantity](const Unit& u) { return u.name == quantity.unit; });
  std::uint64_t number = 0;
  if (unit == kUnits.end() || !parse(quantity.digits, number) || number > UINT32_MAX / unit->seconds) {
    return usage_failure(
        fmt::format("{} takes whole seconds, or a number with s, m, h, d or w such as 30m, up to {} seconds (136 "
                    "years); '{}' is none. 0 means never.",
                    name, with_commas(UINT32_MAX), text));
  }
  return static_cast<std::uint32_t>(number * unit->seconds);
}

Expected<std::chrono::milliseconds> read_wait(std::string_view name, std::string_view text) {
  constexpr double kLongest = 1e9 * 1000;
  const Quantity quantity = split_unit(text);
  const std::string_view unit = quantity.unit;
  const double scale = unit == "ms" ? 1 : unit.empty() || unit == "s" ? 1000 : unit == "m" ? 60'000 : 0;
  double number = 0;
  if (scale == 0 || !parse(quantity.digits, number) || number * scale > kLongest) {
    return usage_failure(fmt::format(
        "{} takes a number of seconds, or one with ms, s or m, such as 0, 0.5 or 500ms; '{}' is none.", name, text));
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(number * scale)));
}

}  // namespace kvb::cli
