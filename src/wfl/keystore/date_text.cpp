#include "wfl/keystore/date_text.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace wfl::keystore {
namespace {

constexpr std::int64_t kSecondsInDay = 86'400;

struct CivilDate {
  std::int64_t year;
  unsigned month;
  unsigned day;
};

// The proleptic Gregorian calendar in eras of 400 years (146,097 days) that begin on the first of March, so that the
// leap day is the last of its year. std::chrono's calendar ends at the year 32767; dates of the language do not.
CivilDate civil_from_days(std::int64_t days) {
  days += 719'468;  // Days from 0000-03-01 to 1970-01-01.
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146'097);
  const unsigned year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned month_from_march = (5 * day_of_year + 2) / 153;
  const unsigned month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  return {.year = static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0),
          .month = month,
          .day = day_of_year - (153 * month_from_march + 2) / 5 + 1};
}

std::int64_t days_from_civil(const CivilDate& date) {
  const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned month_from_march = date.month > 2 ? date.month - 3 : date.month + 9;
  const unsigned day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + static_cast<std::int64_t>(day_of_era) - 719'468;
}

// Takes exactly `count` digits from the front of the text.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + count, number);
  if (error != std::errc{} || end != text.data() + count) return std::nullopt;
  text.remove_prefix(count);
  return number;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// Takes a date from the front of the text.
std::optional<std::int64_t> take_days(std::string_view& text) {
  const bool negative = take(text, '-');
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  if (digits < 4 || digits > 12) return std::nullopt;
  std::int64_t year = 0;
  std::from_chars(text.data(), text.data() + digits, year);
  text.remove_prefix(digits);
  if (!take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const CivilDate date{.year = negative ? -year : year, .month = *month, .day = *day};
  if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > 31) return std::nullopt;
  const std::int64_t days = days_from_civil(date);
  const CivilDate back = civil_from_days(days);  // 30 February comes back as another day.
  if (back.month != date.month || back.day != date.day) return std::nullopt;
  return days;
}

}  // namespace

std::string date_to_text(std::int64_t days_since_1970) {
  const CivilDate date = civil_from_days(days_since_1970);
  return fmt::format("{}{:04}-{:02}-{:02}", date.year < 0 ? "-" : "", date.year < 0 ? -date.year : date.year,
                     date.month, date.day);
}

std::string time_to_text(std::uint32_t seconds, std::uint32_t nanoseconds) {
  std::string text = fmt::format("{:02}:{:02}:{:02}", seconds / 3'600, seconds / 60 % 60, seconds % 60);
  if (nanoseconds != 0) {
    text += fmt::format(".{:09}", nanoseconds);
    while (text.back() == '0') text.pop_back();
  }
  return text;
}

std::string date_time_to_text(std::int64_t seconds, std::uint32_t nanoseconds) {
  std::int64_t days = seconds / kSecondsInDay;
  std::int64_t rest = seconds % kSecondsInDay;
  if (rest < 0) {
    rest += kSecondsInDay;
    --days;
  }
  return date_to_text(days) + "T" + time_to_text(static_cast<std::uint32_t>(rest), nanoseconds);
}

std::optional<std::int32_t> date_from_text(std::string_view text) {
  const auto days = take_days(text);
  if (!days || !text.empty()) return std::nullopt;
  if (*days < std::numeric_limits<std::int32_t>::min() || *days > std::numeric_limits<std::int32_t>::max()) {
    return std::nullopt;
  }
  return static_cast<std::int32_t>(*days);
}

std::optional<TimeParts> time_from_text(std::string_view text) {
  const auto hours = take_digits(text, 2);
  if (!hours || !take(text, ':')) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || !take(text, ':')) return std::nullopt;
  const auto seconds = take_digits(text, 2);
  if (!seconds || *hours > 23 || *minutes > 59 || *seconds > 59) return std::nullopt;
  TimeParts parts{.seconds = *hours * 3'600 + *minutes * 60 + *seconds};
  if (text.empty()) return parts;
  if (!take(text, '.') || text.empty() || text.size() > 9) return std::nullopt;
  const std::size_t digits = text.size();
  const auto fraction = take_digits(text, digits);
  if (!fraction) return std::nullopt;
  parts.nanoseconds = *fraction;
  for (std::size_t i = digits; i < 9; ++i) parts.nanoseconds *= 10;
  return parts;
}

std::optional<DateTimeParts> date_time_from_text(std::string_view text) {
  const auto days = take_days(text);
  if (!days || !take(text, 'T')) return std::nullopt;
  const auto time = time_from_text(text);
  constexpr std::int64_t kMostDays = std::numeric_limits<std::int64_t>::max() / kSecondsInDay - 1;
  if (!time || *days > kMostDays || *days < -kMostDays) return std::nullopt;
  return DateTimeParts{.seconds = *days * kSecondsInDay + time->seconds, .nanoseconds = time->nanoseconds};
}

}  // namespace wfl::keystore
