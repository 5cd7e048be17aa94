// Dates and times: built-in functions, and the statements that need the clock or wait.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <ctime>
#include <string>
#include <thread>

#include "wfl/stdlib/calendar.h"
#include "wfl/stdlib/convert.h"
#include "wfl/stdlib/registry.h"
#include "wfl/vm/heap.h"

namespace wfl::stdlib {
namespace {

using vm::NativeCall;
using vm::Value;

std::int64_t floor_days(std::int64_t seconds) {
  return (seconds >= 0 ? seconds : seconds - (kSecondsPerDay - 1)) / kSecondsPerDay;
}

Value date_value(NativeCall& call, std::int64_t days) {
  return Value::object(call.heap.date(static_cast<std::int32_t>(days)));
}

Value time_of(NativeCall& call, const ClockReading& clock) {
  const std::int64_t second = clock.seconds - floor_days(clock.seconds) * kSecondsPerDay;
  return Value::object(call.heap.time(static_cast<std::uint32_t>(second), clock.nanoseconds));
}

Value today(NativeCall& call) {
  return date_value(call, floor_days(local_clock().seconds));
}
Value now(NativeCall& call) {
  return time_of(call, local_clock());
}

Value datetime_now(NativeCall& call) {
  const ClockReading clock = local_clock();
  return Value::object(call.heap.date_time(clock.seconds, clock.nanoseconds));
}

Value utc_now(NativeCall& call) {
  const ClockReading clock = utc_clock();
  return Value::object(call.heap.date_time(clock.seconds, clock.nanoseconds));
}

Value current_date(NativeCall& call) {
  return call.make_text(vm::format_date(static_cast<std::int32_t>(floor_days(local_clock().seconds))));
}

// The value's day, or a failed call.
std::int32_t day_of(NativeCall& call, std::uint32_t i) {
  const Value v = call[i];
  if (const auto* date = v.try_as<vm::Date>()) return date->days;
  if (const auto* moment = v.try_as<vm::DateTime>()) return static_cast<std::int32_t>(floor_days(moment->seconds));
  if (!call.failed()) call.fail("Expected a Date, got " + std::string(vm::type_name(v)));
  return 0;
}

// The value's second of the day, or a failed call.
std::uint32_t second_of(NativeCall& call, std::uint32_t i) {
  const Value v = call[i];
  if (const auto* time = v.try_as<vm::Time>()) return time->seconds;
  if (const auto* moment = v.try_as<vm::DateTime>()) {
    return static_cast<std::uint32_t>(moment->seconds - floor_days(moment->seconds) * kSecondsPerDay);
  }
  if (!call.failed()) call.fail("Expected a Time, got " + std::string(vm::type_name(v)));
  return 0;
}

const vm::DateTime* moment_of(NativeCall& call, std::uint32_t i) {
  const auto* moment = call[i].try_as<vm::DateTime>();
  if (moment == nullptr && !call.failed()) call.fail("Expected a DateTime, got " + std::string(vm::type_name(call[i])));
  return moment;
}

struct TimeParts {
  std::uint64_t hour = 0;
  std::uint64_t minute = 0;
  std::uint64_t second = 0;
};

// Reads hour, minute and second from the arguments that are there and checks their ranges.
TimeParts time_parts(NativeCall& call, std::uint32_t first) {
  TimeParts parts;
  if (call.count > first) parts.hour = to_unsigned(call.number(first));
  if (call.count > first + 1) parts.minute = to_unsigned(call.number(first + 1));
  if (call.count > first + 2) parts.second = to_unsigned(call.number(first + 2));
  if (call.failed()) return parts;
  if (parts.hour >= 24) {
    call.fail("Hours must be between 0 and 23, got " + std::to_string(parts.hour));
  } else if (parts.minute >= 60) {
    call.fail("Minutes must be between 0 and 59, got " + std::to_string(parts.minute));
  } else if (parts.second >= 60) {
    call.fail("Seconds must be between 0 and 59, got " + std::to_string(parts.second));
  }
  return parts;
}

Value create_time(NativeCall& call) {
  const TimeParts parts = time_parts(call, 0);
  if (call.failed()) return Value::null();
  return Value::object(
      call.heap.time(static_cast<std::uint32_t>(parts.hour * 3600 + parts.minute * 60 + parts.second)));
}

std::int32_t created_day(NativeCall& call) {
  const std::int64_t year = to_signed(call.number(0));
  const std::uint64_t month = to_unsigned(call.number(1));
  const std::uint64_t day = to_unsigned(call.number(2));
  if (call.failed()) return 0;
  if (month < 1 || month > 12) {
    call.fail("Month must be between 1 and 12, got " + std::to_string(month));
    return 0;
  }
  if (day < 1 || day > 31) {
    call.fail("Day must be between 1 and 31, got " + std::to_string(day));
    return 0;
  }
  const auto days = days_from_civil(year, static_cast<std::uint32_t>(month), static_cast<std::uint32_t>(day));
  if (!days) {
    call.fail("Failed to create date with year: " + std::to_string(year) + ", month: " + std::to_string(month) +
              ", day: " + std::to_string(day));
    return 0;
  }
  return *days;
}

Value create_date(NativeCall& call) {
  const std::int32_t days = created_day(call);
  return call.failed() ? Value::null() : date_value(call, days);
}

Value create_datetime(NativeCall& call) {
  const std::int32_t days = created_day(call);
  if (call.failed()) return Value::null();
  const TimeParts parts = time_parts(call, 3);
  if (call.failed()) return Value::null();
  return Value::object(call.heap.date_time(
      days * kSecondsPerDay + static_cast<std::int64_t>(parts.hour * 3600 + parts.minute * 60 + parts.second)));
}

Value moved_by(NativeCall& call, bool later) {
  const std::int32_t from = day_of(call, 0);
  const std::int64_t days = to_signed(call.number(1));
  if (call.failed()) return Value::null();
  constexpr std::int64_t kBound = 100'000'000;
  const std::int64_t to = from + (later ? 1 : -1) * std::clamp(days, -kBound, kBound);
  if (!is_known_day(to)) {
    return call.fail(std::string("Failed to ") + (later ? "add " : "subtract ") + std::to_string(days) +
                     (later ? " days to date" : " days from date"));
  }
  if (const auto* moment = call[0].try_as<vm::DateTime>()) {
    return Value::object(call.heap.date_time(moment->seconds + (to - from) * kSecondsPerDay, moment->nanoseconds));
  }
  return date_value(call, to);
}

Value add_days(NativeCall& call) {
  return moved_by(call, true);
}
Value subtract_days(NativeCall& call) {
  return moved_by(call, false);
}

Value days_between(NativeCall& call) {
  const std::int32_t a = day_of(call, 0);
  const std::int32_t b = day_of(call, 1);
  return Value::number(static_cast<double>(std::int64_t{b} - a));
}

Value format_moment_value(NativeCall& call) {
  const std::string format(call.text(1));
  if (call.failed()) return Value::null();
  const Value v = call[0];
  if (const auto* date = v.try_as<vm::Date>())
    return call.make_text(format_moment(date->days * kSecondsPerDay, 0, format));
  if (const auto* time = v.try_as<vm::Time>()) {
    return call.make_text(format_moment(std::int64_t{time->seconds}, time->nanoseconds, format));
  }
  const auto& moment = *v.as<vm::DateTime>();
  return call.make_text(format_moment(moment.seconds, moment.nanoseconds, format));
}

Value format_date(NativeCall& call) {
  day_of(call, 0);
  return call.failed() ? Value::null() : format_moment_value(call);
}

Value format_time(NativeCall& call) {
  second_of(call, 0);
  return call.failed() ? Value::null() : format_moment_value(call);
}

Value format_datetime(NativeCall& call) {
  moment_of(call, 0);
  return call.failed() ? Value::null() : format_moment_value(call);
}

Value parse_date(NativeCall& call) {
  const std::string text(call.text(0));
  const std::string format(call.text(1));
  if (call.failed()) return Value::null();
  const auto parsed = parse_moment(text, format, ParseWanted::kDate);
  if (!parsed) return call.fail("Failed to parse date: " + parsed.error());
  return date_value(call, *parsed->days);
}

Value parse_time(NativeCall& call) {
  const std::string text(call.text(0));
  const std::string format(call.text(1));
  if (call.failed()) return Value::null();
  const auto parsed = parse_moment(text, format, ParseWanted::kTime);
  if (!parsed) return call.fail("Failed to parse time: " + parsed.error());
  return Value::object(call.heap.time(parsed->second_of_day));
}

Value date_part(NativeCall& call) {
  const auto* moment = moment_of(call, 0);
  return moment == nullptr ? Value::null() : date_value(call, floor_days(moment->seconds));
}

Value time_part(NativeCall& call) {
  const auto* moment = moment_of(call, 0);
  return moment == nullptr ? Value::null() : time_of(call, {moment->seconds, moment->nanoseconds});
}

Value year(NativeCall& call) {
  return Value::number(civil_from_days(day_of(call, 0)).year);
}
Value month(NativeCall& call) {
  return Value::number(civil_from_days(day_of(call, 0)).month);
}
Value day(NativeCall& call) {
  return Value::number(civil_from_days(day_of(call, 0)).day);
}
Value weekday_number(NativeCall& call) {
  return Value::number(weekday(day_of(call, 0)));
}
Value day_number(NativeCall& call) {
  return Value::number(day_of_year(day_of(call, 0)));
}
Value week_number(NativeCall& call) {
  return Value::number(iso_week(day_of(call, 0)));
}
Value hour(NativeCall& call) {
  return Value::number(second_of(call, 0) / 3600);
}
Value minute(NativeCall& call) {
  return Value::number(second_of(call, 0) / 60 % 60);
}
Value second(NativeCall& call) {
  return Value::number(second_of(call, 0) % 60);
}

Value leap_year(NativeCall& call) {
  if (call[0].is_number()) return Value::boolean(is_leap_year(to_signed(call[0].as_number())));
  return Value::boolean(is_leap_year(civil_from_days(day_of(call, 0)).year));
}

Value month_length(NativeCall& call) {
  const std::int64_t y = to_signed(call.number(0));
  const std::uint64_t m = to_unsigned(call.number(1));
  if (call.failed()) return Value::null();
  if (m < 1 || m > 12) return call.fail("Month must be between 1 and 12, got " + std::to_string(m));
  return Value::number(days_in_month(y, static_cast<std::uint32_t>(m)));
}

Value timestamp(NativeCall& call) {
  if (call.count == 0) return Value::number(static_cast<double>(utc_clock().seconds));
  if (const auto* moment = call[0].try_as<vm::DateTime>()) return Value::number(static_cast<double>(moment->seconds));
  if (const auto* date = call[0].try_as<vm::Date>()) {
    return Value::number(static_cast<double>(date->days * kSecondsPerDay));
  }
  if (const auto* time = call[0].try_as<vm::Time>()) {
    return Value::number(static_cast<double>(floor_days(utc_clock().seconds) * kSecondsPerDay + time->seconds));
  }
  return wrong_type(call, "a Date, Time, or DateTime", call[0]);
}

Value datetime_from_timestamp(NativeCall& call) {
  const double raw = call.number(0);
  if (call.failed()) return Value::null();
  const std::int64_t seconds = to_signed(raw);
  if (!is_known_day(floor_days(std::clamp<std::int64_t>(seconds, INT64_MIN / 2, INT64_MAX / 2)))) {
    return call.fail("Invalid Unix timestamp: " + vm::format_number(raw));
  }
  return Value::object(call.heap.date_time(seconds));
}

Value time_diff(NativeCall& call) {
  const auto* a = call[0].try_as<vm::DateTime>();
  const auto* b = call[1].try_as<vm::DateTime>();
  if (a != nullptr && b != nullptr) {
    const double seconds = static_cast<double>(b->seconds - a->seconds) * 1000.0;
    const double rest = (static_cast<double>(b->nanoseconds) - static_cast<double>(a->nanoseconds)) / 1e6;
    return Value::number(std::trunc(seconds + rest));
  }
  const double from = second_of(call, 0) * 1000.0;
  const double to = second_of(call, 1) * 1000.0;
  if (call.failed()) return Value::null();
  const auto fraction = [](Value v) {
    if (const auto* time = v.try_as<vm::Time>()) return time->nanoseconds / 1e6;
    return v.as<vm::DateTime>()->nanoseconds / 1e6;
  };
  return Value::number(std::trunc(to + fraction(call[1]) - from - fraction(call[0])));
}

constexpr auto kFunctions = std::to_array<BuiltinFunction>({
    {"today", today},
    {"now", now},
    {"datetime_now", datetime_now},
    {"utc_now", utc_now},
    {"current_date", current_date},
    {"create_date", create_date},
    {"create_time", create_time},
    {"create_datetime", create_datetime},
    {"add_days", add_days},
    {"subtract_days", subtract_days},
    {"days_between", days_between},
    {"format_date", format_date},
    {"format_time", format_time},
    {"format_datetime", format_datetime},
    {"parse_date", parse_date},
    {"parse_time", parse_time},
    {"date_part", date_part},
    {"time_part", time_part},
    {"year", year},
    {"month", month},
    {"day", day},
    {"dayofweek", weekday_number},
    {"dayofyear", day_number},
    {"week_of_year", week_number},
    {"hour", hour},
    {"minute", minute},
    {"second", second},
    {"is_leap_year", leap_year},
    {"days_in_month", month_length},
    {"timestamp", timestamp},
    {"datetime_from_timestamp", datetime_from_timestamp},
    {"time_diff", time_diff},
});

// ---- statements ----

Value now_milliseconds(NativeCall&) {
  const auto now_point = std::chrono::system_clock::now().time_since_epoch();
  return number_value(
      static_cast<std::size_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now_point).count()));
}

// `current time formatted as`: words such as yyyy and mm beside strftime's codes.
Value now_formatted(NativeCall& call) {
  std::string format(call.text(0));
  if (call.failed()) return Value::null();
  const auto replace_all = [&](std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = format.find(from, at)) != std::string::npos; at += to.size()) {
      format.replace(at, from.size(), to);
    }
  };
  replace_all("yyyy", "%Y");
  replace_all("MM", "%m");
  replace_all("dd", "%d");
  replace_all("HH", "%H");
  replace_all("mm", "%M");
  replace_all("ss", "%S");
  const ClockReading clock = local_clock();
  return call.make_text(format_moment(clock.seconds, clock.nanoseconds, format));
}

// Sleeps in short steps, so that the time limit and Ctrl-C are noticed.
Value wait(NativeCall& call) {
  const double amount = call.number(0);
  const double unit = call.number(1);
  if (call.failed()) return Value::null();
  if (!(amount >= 0)) return call.fail("Cannot wait for a negative time, got " + vm::format_number(amount));
  call.vm.flush_output();
  using Clock = std::chrono::steady_clock;
  const double milliseconds = std::min(amount * unit, 1e15);
  const auto end = Clock::now() +
                   std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double, std::milli>(milliseconds));
  while (true) {
    const auto left = end - Clock::now();
    if (left <= Clock::duration::zero()) return Value::null();
    if (auto stop = interruption(call.vm)) return fail_with(call, std::move(*stop));
    std::this_thread::sleep_for(std::min<Clock::duration>(left, std::chrono::milliseconds(20)));
  }
}

// Nothing else runs while a program waits, so a variable that is nothing stays nothing; the wait ends as it does where
// other tasks could have set it.
Value wait_for_value(NativeCall& call) {
  const std::string name(call.text(1));
  call.vm.flush_output();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < end) {
    if (auto stop = interruption(call.vm)) return fail_with(call, std::move(*stop));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return call.fail(vm::ErrorKind::kTimeout, "Timeout waiting for variable '" + name + "'");
}

}  // namespace

std::span<const BuiltinFunction> time_functions() {
  return kFunctions;
}

void register_time_statements(vm::HostTable& table, Runtime& runtime) {
  table.add("time.now_milliseconds", now_milliseconds, &runtime);
  table.add("time.now_formatted", now_formatted, &runtime);
  table.add("time.today", today, &runtime);
  table.add("time.now", now, &runtime);
  table.add("time.wait", wait, &runtime);
  table.add("wait.for_value", wait_for_value, &runtime);
}

}  // namespace wfl::stdlib
