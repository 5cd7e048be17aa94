// Dates, times and date-times as texts, exactly: 1815-12-10, 16:30:05, 16:30:05.25, 1969-07-16T13:32:07. Years before 0
// and after 9999 are written with their sign or all their digits, so that every value of the language comes back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wfl::keystore {

struct TimeParts {
  std::uint32_t seconds = 0;  // Since midnight.
  std::uint32_t nanoseconds = 0;
};

struct DateTimeParts {
  std::int64_t seconds = 0;  // Since 1970-01-01 00:00:00.
  std::uint32_t nanoseconds = 0;
};

[[nodiscard]] std::string date_to_text(std::int64_t days_since_1970);
[[nodiscard]] std::string time_to_text(std::uint32_t seconds, std::uint32_t nanoseconds);
[[nodiscard]] std::string date_time_to_text(std::int64_t seconds, std::uint32_t nanoseconds);

// Nothing when the text is not exactly of that form, or no such day or time exists.
[[nodiscard]] std::optional<std::int32_t> date_from_text(std::string_view text);
[[nodiscard]] std::optional<TimeParts> time_from_text(std::string_view text);
[[nodiscard]] std::optional<DateTimeParts> date_time_from_text(std::string_view text);

}  // namespace wfl::keystore
