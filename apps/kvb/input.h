#pragma once
// From what stands on the command line to bytes, numbers and times.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "failure.h"

namespace kvb::cli {

// How a KEY or VALUE argument is to be read. By default `-` is standard input and `@PATH` the content of a file; what
// comes out of that, or the argument itself, may be hexadecimal digits.
struct ArgumentStyle {
  bool literal = false;  // `-` and `@…` mean themselves.
  bool hex = false;
};

// Whether the argument will read standard input, which only one of them can.
[[nodiscard]] bool reads_standard_input(std::string_view argument, ArgumentStyle style) noexcept;

// The bytes that an argument stands for. `name` is what the help calls it, `limit` the most bytes that it may have.
[[nodiscard]] Expected<std::string> read_argument(std::string_view name, const std::string& argument,
                                                  ArgumentStyle style, std::uint64_t limit);

// The bytes of an argument that is never read from anywhere, such as --prefix.
[[nodiscard]] Expected<std::string> read_inline_argument(std::string_view name, const std::string& argument, bool hex);

// A whole number from 0 to `limit`, in decimal digits.
[[nodiscard]] Expected<std::uint64_t> read_number(std::string_view name, std::string_view text, std::uint64_t limit);

// 90, 90s, 15m, 12h, 7d, 2w: whole seconds that a put's ttl can hold.
[[nodiscard]] Expected<std::uint32_t> read_ttl_seconds(std::string_view name, std::string_view text);

// 5, 0.5, 500ms, 2m: a time to wait.
[[nodiscard]] Expected<std::chrono::milliseconds> read_wait(std::string_view name, std::string_view text);

}  // namespace kvb::cli
