// Display and debug forms, type names, and the text form of numbers and dates.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <vector>

#include "wfl/vm/operations.h"

namespace wfl::vm {

namespace {

constexpr std::size_t kMaxDepth = 64;

class Writer {
 public:
  Writer(std::string& out, bool debug) : out_(out), limit_(out.size() + kMaxWrittenBytes), debug_(debug) {}

  void write(Value value) {
    if (value.is_number()) {
      append_number(out_, value.as_number());
    } else if (value.is_boolean()) {
      out_ += debug_ ? (value.as_boolean() ? "true" : "false") : (value.as_boolean() ? "yes" : "no");
    } else if (value.is_object()) {
      write_object(value.as_object());
    } else {
      out_ += debug_ && !value.is_nothing() ? "null" : "nothing";
    }
  }

 private:
  void write_object(Object* object) {
    switch (object->kind) {
      case ObjectKind::kText:
        if (debug_) out_ += '"';
        out_ += static_cast<Text*>(object)->view();
        if (debug_) out_ += '"';
        return;
      case ObjectKind::kList:
        nested(object, [this, object] {
          out_ += '[';
          bool first = true;
          for (const Value item : static_cast<List*>(object)->items) {
            if (!first) out_ += ", ";
            first = false;
            write(item);
          }
          out_ += ']';
        });
        return;
      case ObjectKind::kMap:
        nested(object, [this, object] { write_map(*static_cast<Map*>(object)); });
        return;
      case ObjectKind::kDate:
        if (debug_) out_ += "Date(";
        out_ += format_date(static_cast<Date*>(object)->days);
        if (debug_) out_ += ')';
        return;
      case ObjectKind::kTime:
        if (debug_) out_ += "Time(";
        out_ += format_time(static_cast<Time*>(object)->seconds);
        if (debug_) out_ += ')';
        return;
      case ObjectKind::kDateTime: {
        const auto* moment = static_cast<DateTime*>(object);
        const std::int64_t day = moment->seconds >= 0 ? moment->seconds / 86400 : (moment->seconds - 86399) / 86400;
        if (debug_) out_ += "DateTime(";
        out_ += format_date(static_cast<std::int32_t>(day));
        out_ += ' ';
        out_ += format_time(static_cast<std::uint32_t>(moment->seconds - day * 86400));
        if (debug_) out_ += ')';
        return;
      }
      case ObjectKind::kBinary:
        out_ += "[Binary: " + std::to_string(static_cast<Binary*>(object)->bytes.size()) + " bytes]";
        return;
      case ObjectKind::kPattern:
        out_ += "[Pattern]";
        return;
      case ObjectKind::kAction: {
        const auto* action = static_cast<Action*>(object);
        out_ += "action " + action->name;
        if (action->versions.size() > 1) out_ += " (" + std::to_string(action->versions.size()) + " overloads)";
        return;
      }
      case ObjectKind::kNative:
        out_ += "native " + static_cast<Native*>(object)->name;
        return;
      case ObjectKind::kContainer:
        out_ += "container " + static_cast<Container*>(object)->name;
        return;
      case ObjectKind::kInstance:
        out_ += static_cast<Instance*>(object)->container->name + " instance";
        return;
      case ObjectKind::kInterface:
        out_ += "interface " + static_cast<Interface*>(object)->name;
        return;
      case ObjectKind::kHost:
        out_ += static_cast<HostObject*>(object)->display();
        return;
      case ObjectKind::kCell:
        write(static_cast<Cell*>(object)->value);
        return;
    }
  }

  void write_map(const Map& map) {
    if (!debug_ && map.size() == 0) {
      out_ += "[Object]";
      return;
    }
    const bool only_value = !debug_ && map.size() == 1;
    if (!only_value) out_ += '{';
    bool first = true;
    for (const Map::Entry& entry : map.entries()) {
      if (entry.key == nullptr) continue;
      if (!only_value) {
        if (!first) out_ += ", ";
        out_ += entry.key->view();
        out_ += ": ";
      }
      first = false;
      write(entry.value);
    }
    if (!only_value) out_ += '}';
  }

  template <class Body>
  void nested(const Object* object, Body body) {
    if (open_.size() >= kMaxDepth) {
      out_ += "<max-depth>";
      return;
    }
    if (std::find(open_.begin(), open_.end(), object) != open_.end()) {
      out_ += "<cycle>";
      return;
    }
    if (out_.size() > limit_) throw TooLarge("The value is too large to be shown as a text");
    open_.push_back(object);
    body();
    open_.pop_back();
  }

  std::string& out_;
  std::size_t limit_;
  bool debug_;
  std::vector<const Object*> open_;
};

}  // namespace

std::string_view type_name(Value value) {
  if (value.is_number()) return "Number";
  if (value.is_boolean()) return "Boolean";
  if (value.is_nothing()) return "Nothing";
  if (!value.is_object()) return "Null";
  switch (value.as_object()->kind) {
    case ObjectKind::kText:
      return "Text";
    case ObjectKind::kList:
      return "List";
    case ObjectKind::kMap:
      return "Object";
    case ObjectKind::kDate:
      return "Date";
    case ObjectKind::kTime:
      return "Time";
    case ObjectKind::kDateTime:
      return "DateTime";
    case ObjectKind::kBinary:
      return "Binary";
    case ObjectKind::kPattern:
      return "Pattern";
    case ObjectKind::kAction:
      return "Function";
    case ObjectKind::kNative:
      return "NativeFunction";
    case ObjectKind::kContainer:
      return "Container";
    case ObjectKind::kInstance:
      return "ContainerInstance";
    case ObjectKind::kInterface:
      return "Interface";
    case ObjectKind::kHost:
      return value.as<HostObject>()->type_name();
    case ObjectKind::kCell:
      return "Cell";
  }
  return "Null";
}

std::string display(Value value) {
  std::string out;
  append_display(out, value);
  return out;
}

void append_display(std::string& out, Value value) {
  Writer(out, false).write(value);
}

std::string debug_form(Value value) {
  std::string out;
  Writer(out, true).write(value);
  return out;
}

std::string format_number(double number) {
  std::string out;
  append_number(out, number);
  return out;
}

void append_number(std::string& out, double number) {
  char buffer[40];
  if (number == std::trunc(number) && std::fabs(number) < 9e15) {
    if (number == 0 && std::signbit(number)) {
      out += "-0";
      return;
    }
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, static_cast<std::int64_t>(number));
    out.append(buffer, end.ptr);
    return;
  }
  if (std::isnan(number)) {
    out += "NaN";
    return;
  }
  if (std::isinf(number)) {
    out += number < 0 ? "-inf" : "inf";
    return;
  }
  // The shortest digits that read back, then the point put where it belongs: d.ddde±x becomes plain decimal.
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific);
  std::string_view text(buffer, static_cast<std::size_t>(end.ptr - buffer));
  if (text.front() == '-') {
    out += '-';
    text.remove_prefix(1);
  }
  const std::size_t e = text.find('e');
  int exponent = 0;
  const char* first = text.data() + e + 1;
  if (*first == '+') ++first;
  std::from_chars(first, text.data() + text.size(), exponent);
  std::string digits(text.substr(0, 1));
  if (e > 2) digits += text.substr(2, e - 2);
  const int point = exponent + 1;  // Digits before the point.
  if (point <= 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-point), '0');
    out += digits;
  } else if (static_cast<std::size_t>(point) >= digits.size()) {
    out += digits;
    out.append(static_cast<std::size_t>(point) - digits.size(), '0');
  } else {
    out += digits.substr(0, static_cast<std::size_t>(point)) + "." + digits.substr(static_cast<std::size_t>(point));
  }
}

std::string format_date(std::int32_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return buffer;
}

std::string format_time(std::uint32_t seconds) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%02u:%02u:%02u", seconds / 3600, seconds / 60 % 60, seconds % 60);
  return buffer;
}

}  // namespace wfl::vm
