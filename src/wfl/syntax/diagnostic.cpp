#include "wfl/syntax/diagnostic.h"

#include <algorithm>
#include <utility>

namespace wfl::syntax {

namespace {

struct Style {
  std::string_view error;
  std::string_view warning;
  std::string_view frame;
  std::string_view bold;
  std::string_view reset;
};

constexpr Style kPlain{"", "", "", "", ""};
constexpr Style kColor{"\x1b[1;31m", "\x1b[1;33m", "\x1b[34m", "\x1b[1m", "\x1b[0m"};

// One character of the shown line: its bytes and how many terminal cells it takes.
struct Cell {
  std::string_view bytes;
  std::uint32_t width = 1;
  std::uint32_t offset = 0;  // In the line.
};

std::uint32_t decode(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes.front());
  std::uint32_t point = bytes.size() == 1 ? first : first & (0x7FU >> bytes.size());
  for (std::size_t i = 1; i < bytes.size(); ++i) {
    point = (point << 6U) | (static_cast<unsigned char>(bytes[i]) & 0x3FU);
  }
  return point;
}

// The cells a terminal uses for a character: none for combining marks, two for East Asian and emoji. This covers what
// source code holds; being off by one only moves an underline.
std::uint32_t cell_width(std::uint32_t point) {
  constexpr std::pair<std::uint32_t, std::uint32_t> kNone[] = {
      {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x064B, 0x065F}, {0x1AB0, 0x1AFF},
      {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};
  constexpr std::pair<std::uint32_t, std::uint32_t> kTwo[] = {
      {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xAC00, 0xD7A3},
      {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
      {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
  const auto inside = [point](const auto& range) { return point >= range.first && point <= range.second; };
  if (std::ranges::any_of(kNone, inside)) {
    return 0;
  }
  return std::ranges::any_of(kTwo, inside) ? 2 : 1;
}

std::vector<Cell> cells_of(std::string_view line, const RenderOptions& options) {
  std::vector<Cell> cells;
  std::uint32_t column = 0;
  for (std::size_t i = 0; i < line.size();) {
    std::size_t length = 1;
    while (i + length < line.size() && length < 4 && (static_cast<unsigned char>(line[i + length]) & 0xC0U) == 0x80U) {
      ++length;
    }
    Cell cell{line.substr(i, length), 1, static_cast<std::uint32_t>(i)};
    if (line[i] == '\t') {
      cell.width = options.tab_width - column % options.tab_width;
    } else if (static_cast<unsigned char>(line[i]) < 0x20) {
      cell.bytes = "?";  // A control character must not reach the terminal.
    } else {
      cell.width = cell_width(decode(cell.bytes));
    }
    column += cell.width;
    cells.push_back(cell);
    i += length;
  }
  return cells;
}

// The part of a long line that is shown: about `max_columns` bytes with the span's start in it.
std::pair<std::size_t, std::size_t> window(std::string_view line, std::size_t focus, std::uint32_t max_columns) {
  if (line.size() <= max_columns) {
    return {0, line.size()};
  }
  std::size_t begin = focus > max_columns / 2 ? focus - max_columns / 2 : 0;
  std::size_t end = std::min(line.size(), begin + max_columns);
  const auto continues = [line](std::size_t at) {
    return at < line.size() && (static_cast<unsigned char>(line[at]) & 0xC0U) == 0x80U;
  };
  while (begin > 0 && continues(begin)) {
    --begin;
  }
  while (continues(end)) {
    ++end;
  }
  return {begin, end};
}

void append_head(std::string& out, const Diagnostic& diagnostic, const Style& style) {
  const bool is_error = diagnostic.severity == Severity::Error;
  out += is_error ? style.error : style.warning;
  out += is_error ? "error[" : "warning[";
  out += diagnostic.code;
  out += "]";
  out += style.reset;
  out += style.bold;
  out += ": ";
  out += diagnostic.message;
  out += style.reset;
  out += "\n";
}

void append_remarks(std::string& out, const Diagnostic& diagnostic, std::size_t indent, const Style& style) {
  const auto append = [&](std::string_view kind, std::string_view text) {
    out.append(indent, ' ');
    out += style.frame;
    out += "=";
    out += style.reset;
    out += " ";
    out += kind;
    out += ": ";
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      if (begin != 0) {
        out.append(indent + kind.size() + 4, ' ');
      }
      out += text.substr(begin, end - begin);
      out += "\n";
      begin = end + 1;
    }
  };
  for (const std::string& note : diagnostic.notes) {
    append("note", note);
  }
  for (const std::string& hint : diagnostic.hints) {
    append("hint", hint);
  }
}

}  // namespace

std::string render(const Diagnostic& diagnostic, const SourceFile& source, const RenderOptions& options) {
  const Style& style = options.color ? kColor : kPlain;
  const bool is_error = diagnostic.severity == Severity::Error;
  const LineColumn at = source.position_of(diagnostic.span.begin);
  const std::string number = std::to_string(at.line);
  const std::size_t indent = number.size() + 1;
  const std::string_view line = source.line_text(at.line);
  const std::size_t begin = std::min<std::size_t>(diagnostic.span.begin - source.line_start(at.line), line.size());
  // A span over several lines is underlined to the end of its first line.
  const std::size_t end = std::clamp<std::size_t>(
      std::max(diagnostic.span.end, diagnostic.span.begin) - source.line_start(at.line), begin, line.size());

  std::string out;
  append_head(out, diagnostic, style);
  const auto gutter = [&](std::string_view text, std::string_view bar) {
    out += style.frame;
    out += text;
    out.append(indent - text.size(), ' ');
    out += bar;
    out += style.reset;
  };
  gutter("", "┌─ ");
  out += source.name();
  out += ":" + number + ":" + std::to_string(at.column) + "\n";
  gutter("", "│\n");
  gutter(number, "│ ");

  const auto [from, to] = window(line, begin, options.max_columns);
  std::uint32_t before = 0;
  std::uint32_t under = 0;
  if (from > 0) {
    out += "…";
    before += 1;
  }
  for (const Cell& cell : cells_of(line.substr(from, to - from), options)) {
    if (cell.bytes == "\t") {
      out.append(cell.width, ' ');
    } else {
      out += cell.bytes;
    }
    const std::size_t offset = from + cell.offset;
    if (offset < begin) {
      before += cell.width;
    } else if (offset < end) {
      under += cell.width;
    }
  }
  out += to < line.size() ? "…\n" : "\n";
  gutter("", "│ ");
  out.append(before, ' ');
  out += is_error ? style.error : style.warning;
  out.append(std::max<std::uint32_t>(under, 1), '^');
  out += " ";
  out += diagnostic.label.empty() ? (is_error ? "Error occurred here" : "Warning here") : diagnostic.label;
  out += style.reset;
  out += "\n";
  if (!diagnostic.notes.empty() || !diagnostic.hints.empty()) {
    gutter("", "│\n");
    append_remarks(out, diagnostic, indent, style);
  }
  return out;
}

std::string render(const Diagnostic& diagnostic, const RenderOptions& options) {
  const Style& style = options.color ? kColor : kPlain;
  std::string out;
  append_head(out, diagnostic, style);
  append_remarks(out, diagnostic, 2, style);
  return out;
}

}  // namespace wfl::syntax
