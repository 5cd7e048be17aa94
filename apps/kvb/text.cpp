#include "text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

namespace kvb::cli {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr std::string_view kBase64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char32_t decode(std::string_view sequence) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
  switch (sequence.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1Fu) << 6 | (byte(1) & 0x3Fu);
    case 3:
      return (byte(0) & 0x0Fu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu);
    default:
      return (byte(0) & 0x07u) << 18 | (byte(1) & 0x3Fu) << 12 | (byte(2) & 0x3Fu) << 6 | (byte(3) & 0x3Fu);
  }
}

// Control characters, line and paragraph separators, and the marks that change the direction of text.
bool is_unprintable(char32_t c) noexcept {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

}  // namespace

std::size_t utf8_length(std::string_view bytes) noexcept {
  if (bytes.empty()) return 0;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < bytes.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;   // Below: an overlong form.
    const unsigned high = first == 0xED ? 0x9F : 0xBF;  // Above: a surrogate.
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;  // Above: beyond U+10FFFF.
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

bool is_utf8(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

bool is_json(std::string_view bytes) {
  // The parser would skip a byte order mark, which RFC 8259 doesn't allow in what is passed on.
  return !bytes.starts_with("\xEF\xBB\xBF") && nlohmann::json::accept(bytes.begin(), bytes.end());
}

std::string to_hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 15];
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view digits) {
  std::string out;
  out.reserve(digits.size() / 2);
  int high = -1;
  for (const char c : digits) {
    if (c == ' ' || (c >= '\t' && c <= '\r')) continue;
    const int digit = hex_digit(c);
    if (digit < 0) return std::nullopt;
    if (high < 0) {
      high = digit;
    } else {
      out += static_cast<char>(high * 16 + digit);
      high = -1;
    }
  }
  if (high >= 0) return std::nullopt;
  return out;
}

void append_escaped(std::string& out, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    const std::string_view piece = bytes.substr(0, std::max<std::size_t>(length, 1));
    bytes.remove_prefix(piece.size());
    if (piece == "\\") {
      out += "\\\\";
    } else if (piece == "\t") {
      out += "\\t";
    } else if (piece == "\n") {
      out += "\\n";
    } else if (piece == "\r") {
      out += "\\r";
    } else if (length != 0 && !is_unprintable(decode(piece))) {
      out += piece;
    } else {
      for (const unsigned char byte : piece) {
        out += "\\x";
        out += kHexDigits[byte >> 4];
        out += kHexDigits[byte & 15];
      }
    }
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default: {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) {
          out += "\\u00";
          out += kHexDigits[byte >> 4];
          out += kHexDigits[byte & 15];
        } else {
          out += c;
        }
      }
    }
  }
  out += '"';
}

void append_base64(std::string& out, std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += k <= count ? kBase64Digits[group >> (18 - 6 * k) & 63] : '=';
  }
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const std::size_t digits = i + 4 == text.size() ? 4 - padding : 4;
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const std::size_t digit = k < digits ? kBase64Digits.find(text[i + k]) : 0;
      if (digit == std::string_view::npos) return std::nullopt;
      group = group << 6 | static_cast<std::uint32_t>(digit);
    }
    // Bits that stand for nothing must be 0, so that each text has one meaning and each meaning one text.
    if ((digits == 2 && (group & 0xFFFF) != 0) || (digits == 3 && (group & 0xFF) != 0)) return std::nullopt;
    for (std::size_t k = 0; k + 1 < digits; ++k) out += static_cast<char>(group >> (16 - 8 * k) & 0xFF);
  }
  return out;
}

void append_json_on_one_line(std::string& out, std::string_view json) {
  bool in_string = false;
  bool escaped = false;
  for (const char c : json) {
    if (in_string) {
      if (escaped) {
        escaped = false;
      } else if (c == '\\') {
        escaped = true;
      } else if (c == '"') {
        in_string = false;
      }
      out += c;
    } else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
      in_string = c == '"';
      out += c;
    }
  }
}

std::string rfc3339(std::int64_t unix_ns) {
  std::int64_t seconds = unix_ns / 1'000'000'000;
  std::int64_t fraction = unix_ns % 1'000'000'000;
  if (fraction < 0) {
    fraction += 1'000'000'000;
    --seconds;
  }
  const auto time = static_cast<std::time_t>(seconds);
  std::tm utc{};
  if (gmtime_r(&time, &utc) == nullptr) return "unknown";
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                                utc.tm_hour, utc.tm_min, utc.tm_sec);
  if (fraction != 0) {
    out += fmt::format(".{:09}", fraction);
    while (out.back() == '0') out.pop_back();
  }
  return out + 'Z';
}

std::optional<std::int64_t> from_rfc3339(std::string_view text) {
  // Takes so many digits off the front.
  const auto number = [&text](std::size_t digits) -> std::optional<int> {
    if (text.size() < digits) return std::nullopt;
    int value = 0;
    for (const char c : text.substr(0, digits)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    text.remove_prefix(digits);
    return value;
  };
  const auto letter = [&text](std::string_view any_of) {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
  };
  const auto in = [](const std::optional<int>& value, int low, int high) {
    return value && *value >= low && *value <= high;
  };
  const auto year = number(4);
  if (!in(year, 1678, 2261) || !letter("-")) return std::nullopt;  // What nanoseconds in 64 bits can hold.
  const auto month = number(2);
  if (!in(month, 1, 12) || !letter("-")) return std::nullopt;
  const auto day = number(2);
  if (!in(day, 1, 31) || !letter("Tt ")) return std::nullopt;
  const auto hour = number(2);
  if (!in(hour, 0, 23) || !letter(":")) return std::nullopt;
  const auto minute = number(2);
  if (!in(minute, 0, 59) || !letter(":")) return std::nullopt;
  const auto second = number(2);
  if (!in(second, 0, 60)) return std::nullopt;
  std::int64_t fraction_ns = 0;
  if (letter(".")) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0) return std::nullopt;
    for (std::size_t i = 0; i < 9; ++i) fraction_ns = fraction_ns * 10 + (i < digits ? text[i] - '0' : 0);
    text.remove_prefix(digits);
  }
  std::int64_t offset_seconds = 0;
  if (text == "Z" || text == "z") {
    text = {};
  } else {
    const bool behind = text.starts_with('-');
    if (!letter("+-")) return std::nullopt;
    const auto hours = number(2);
    if (!in(hours, 0, 23) || !letter(":")) return std::nullopt;
    const auto minutes = number(2);
    if (!in(minutes, 0, 59)) return std::nullopt;
    offset_seconds = (*hours * 60 + *minutes) * (behind ? -60 : 60);
  }
  if (!text.empty()) return std::nullopt;
  std::tm utc{};
  utc.tm_year = *year - 1900;
  utc.tm_mon = *month - 1;
  utc.tm_mday = *day;
  utc.tm_hour = *hour;
  utc.tm_min = *minute;
  utc.tm_sec = *second;
  const std::time_t seconds = timegm(&utc);
  if (utc.tm_mday != *day) return std::nullopt;  // Such as the 31st of June.
  return (static_cast<std::int64_t>(seconds) - offset_seconds) * 1'000'000'000 + fraction_ns;
}

std::string readable_time(std::int64_t unix_ns) {
  std::string out = rfc3339(unix_ns - unix_ns % 1'000'000'000);
  if (const std::size_t t = out.find('T'); t != std::string::npos) out[t] = ' ';
  if (out.ends_with('Z')) out.replace(out.size() - 1, 1, " UTC");
  return out;
}

std::string with_commas(std::uint64_t number) {
  std::string out = std::to_string(number);
  for (auto place = static_cast<std::ptrdiff_t>(out.size()) - 3; place > 0; place -= 3) {
    out.insert(static_cast<std::size_t>(place), 1, ',');
  }
  return out;
}

std::string readable_bytes(std::uint64_t bytes) {
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return with_commas(bytes) + " bytes";
  double size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (size >= 1023.95 && unit + 1 < kUnits.size()) {
    size /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {} ({})", size, kUnits[unit], with_commas(bytes));
}

void append_bytes_member(std::string& out, std::string_view name, std::string_view bytes) {
  out += fmt::format("\"{}", name);
  if (is_utf8(bytes)) {
    out += "\":";
    append_json_string(out, bytes);
  } else {
    out += "_base64\":\"";
    append_base64(out, bytes);
    out += '"';
  }
}

}  // namespace kvb::cli
