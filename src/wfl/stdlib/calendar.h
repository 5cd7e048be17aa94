// Dates and times of day without any time zone, as the values Date, Time and DateTime hold them.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace wfl::stdlib {

struct CivilDate {
  std::int32_t year;
  std::uint32_t month;  // 1 … 12
  std::uint32_t day;    // 1 … 31
};

inline constexpr std::int32_t kMinYear = -32767;
inline constexpr std::int32_t kMaxYear = 32767;
inline constexpr std::int64_t kSecondsPerDay = 86'400;

CivilDate civil_from_days(std::int32_t days);
// Nothing when there is no such day.
std::optional<std::int32_t> days_from_civil(std::int64_t year, std::uint32_t month, std::uint32_t day);
// Whether the calendar has this day number (years kMinYear to kMaxYear).
bool is_known_day(std::int64_t days);
bool is_leap_year(std::int64_t year);
std::uint32_t days_in_month(std::int64_t year, std::uint32_t month);
std::uint32_t weekday(std::int32_t days);      // 0 is Sunday.
std::uint32_t day_of_year(std::int32_t days);  // 1 is the first of January.
std::uint32_t iso_week(std::int32_t days);

struct ClockReading {
  std::int64_t seconds;  // Since 1970-01-01 00:00:00 on the clock that was read.
  std::uint32_t nanoseconds;
};
ClockReading local_clock();
ClockReading utc_clock();

// strftime, and %f for the fraction of the second (%3f, %.6f: with so many digits).
std::string format_moment(std::int64_t seconds, std::uint32_t nanoseconds, const std::string& format);

struct ParsedMoment {
  std::optional<std::int32_t> days;
  std::uint32_t second_of_day = 0;
};
enum class ParseWanted : std::uint8_t { kDate, kTime };
// strptime over the whole text; the error says what does not fit.
std::expected<ParsedMoment, std::string> parse_moment(const std::string& text, const std::string& format,
                                                      ParseWanted wanted);

}  // namespace wfl::stdlib
