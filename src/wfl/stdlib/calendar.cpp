#include "wfl/stdlib/calendar.h"

#include <array>
#include <chrono>
#include <ctime>

namespace wfl::stdlib {
namespace {

namespace chrono = std::chrono;

chrono::year_month_day ymd_of(std::int32_t days) {
  return chrono::year_month_day(chrono::sys_days(chrono::days(days)));
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - ((a % b != 0 && (a % b < 0) != (b < 0)) ? 1 : 0);
}

std::tm broken_down(std::int64_t seconds) {
  const auto days = static_cast<std::int32_t>(floor_div(seconds, kSecondsPerDay));
  const auto rest = static_cast<int>(seconds - std::int64_t{days} * kSecondsPerDay);
  const CivilDate date = civil_from_days(days);
  std::tm tm{};
  tm.tm_year = date.year - 1900;
  tm.tm_mon = static_cast<int>(date.month) - 1;
  tm.tm_mday = static_cast<int>(date.day);
  tm.tm_hour = rest / 3600;
  tm.tm_min = rest / 60 % 60;
  tm.tm_sec = rest % 60;
  tm.tm_wday = static_cast<int>(weekday(days));
  tm.tm_yday = static_cast<int>(day_of_year(days)) - 1;
  return tm;
}

std::string fraction(std::uint32_t nanoseconds, std::size_t digits) {
  std::string all = std::to_string(nanoseconds);
  all.insert(0, 9 - all.size(), '0');
  return all.substr(0, digits);
}

// Replaces the fraction fields, which strftime doesn't know.
std::string expand_fractions(const std::string& format, std::uint32_t nanoseconds) {
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 >= format.size()) {
      out.push_back(format[i]);
      continue;
    }
    std::size_t at = i + 1;
    const bool dot = format[at] == '.';
    if (dot) ++at;
    std::size_t digits = 9;
    if (at < format.size() && (format[at] == '3' || format[at] == '6' || format[at] == '9')) {
      digits = static_cast<std::size_t>(format[at] - '0');
      ++at;
    }
    if (at < format.size() && format[at] == 'f') {
      if (dot) out.push_back('.');
      out += fraction(nanoseconds, digits);
      i = at;
    } else {
      out.push_back('%');
      out.push_back(format[++i]);  // Keeps %% together.
    }
  }
  return out;
}

}  // namespace

CivilDate civil_from_days(std::int32_t days) {
  const auto ymd = ymd_of(days);
  return {static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day())};
}

std::optional<std::int32_t> days_from_civil(std::int64_t year, std::uint32_t month, std::uint32_t day) {
  if (year < kMinYear || year > kMaxYear || month < 1 || month > 12 || day < 1 || day > 31) return std::nullopt;
  const chrono::year_month_day ymd(chrono::year(static_cast<int>(year)), chrono::month(month), chrono::day(day));
  if (!ymd.ok()) return std::nullopt;
  return static_cast<std::int32_t>(chrono::sys_days(ymd).time_since_epoch().count());
}

bool is_known_day(std::int64_t days) {
  static const std::int64_t kFirst = *days_from_civil(kMinYear, 1, 1);
  static const std::int64_t kLast = *days_from_civil(kMaxYear, 12, 31);
  return days >= kFirst && days <= kLast;
}

bool is_leap_year(std::int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

std::uint32_t days_in_month(std::int64_t year, std::uint32_t month) {
  static constexpr std::array<std::uint32_t, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap_year(year) ? 29 : kDays[month - 1];
}

std::uint32_t weekday(std::int32_t days) {
  return chrono::weekday(chrono::sys_days(chrono::days(days))).c_encoding();
}

std::uint32_t day_of_year(std::int32_t days) {
  const CivilDate date = civil_from_days(days);
  std::uint32_t count = date.day;
  for (std::uint32_t month = 1; month < date.month; ++month) count += days_in_month(date.year, month);
  return count;
}

std::uint32_t iso_week(std::int32_t days) {
  // The week belongs to the year its Thursday is in.
  const std::uint32_t from_monday = (weekday(days) + 6) % 7;
  const std::int32_t thursday = days - static_cast<std::int32_t>(from_monday) + 3;
  return (day_of_year(thursday) - 1) / 7 + 1;
}

ClockReading utc_clock() {
  const auto now = chrono::system_clock::now().time_since_epoch();
  const auto seconds = chrono::floor<chrono::seconds>(now);
  return {seconds.count(), static_cast<std::uint32_t>(chrono::nanoseconds(now - seconds).count())};
}

ClockReading local_clock() {
  ClockReading clock = utc_clock();
  const auto moment = static_cast<std::time_t>(clock.seconds);
  std::tm tm{};
  localtime_r(&moment, &tm);
  clock.seconds += tm.tm_gmtoff;
  return clock;
}

std::string format_moment(std::int64_t seconds, std::uint32_t nanoseconds, const std::string& format) {
  if (format.empty()) return {};
  const std::tm tm = broken_down(seconds);
  // A field can be empty, and strftime says 0 both for an empty result and for a buffer that is too small: the extra
  // character keeps the result from being empty.
  const std::string pattern = expand_fractions(format, nanoseconds) + "x";
  std::string out(pattern.size() * 2 + 64, '\0');
  while (true) {
    const std::size_t size = std::strftime(out.data(), out.size(), pattern.c_str(), &tm);
    if (size > 0) {
      out.resize(size - 1);
      return out;
    }
    out.resize(out.size() * 2);
  }
}

std::expected<ParsedMoment, std::string> parse_moment(const std::string& text, const std::string& format,
                                                      ParseWanted wanted) {
  std::tm tm{};
  tm.tm_mday = -1;
  tm.tm_mon = -1;
  tm.tm_year = -100'000;
  tm.tm_yday = -1;
  const char* rest = strptime(text.c_str(), format.c_str(), &tm);
  if (rest == nullptr) return std::unexpected("'" + text + "' does not fit the format '" + format + "'");
  if (*rest != '\0') return std::unexpected("'" + text + "' goes on after what the format '" + format + "' describes");
  ParsedMoment result;
  result.second_of_day =
      static_cast<std::uint32_t>(tm.tm_hour * 3600 + tm.tm_min * 60 + (tm.tm_sec > 59 ? 59 : tm.tm_sec));
  if (tm.tm_year != -100'000 && tm.tm_mon >= 0 && tm.tm_mday >= 1) {
    result.days = days_from_civil(std::int64_t{tm.tm_year} + 1900, static_cast<std::uint32_t>(tm.tm_mon) + 1,
                                  static_cast<std::uint32_t>(tm.tm_mday));
    if (!result.days) return std::unexpected("'" + text + "' names a day the calendar does not have");
  } else if (wanted == ParseWanted::kDate) {
    return std::unexpected("the format '" + format + "' does not give year, month and day");
  }
  return result;
}

}  // namespace wfl::stdlib
