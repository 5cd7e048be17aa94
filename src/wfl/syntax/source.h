#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wfl::syntax {

// A place in a source file, as byte offsets. Lines and columns are derived from it only when somebody wants to read
// them.
struct SourceSpan {
  std::uint32_t file = 0;   // Id of the file in its SourceManager or program.
  std::uint32_t begin = 0;  // First byte.
  std::uint32_t end = 0;    // One past the last byte.

  friend bool operator==(const SourceSpan&, const SourceSpan&) = default;
};

// The smallest span that covers both; both are in the same file.
constexpr SourceSpan join(SourceSpan a, SourceSpan b) {
  return {a.file, a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
}

// A line and a column for people: both count from 1, the column counts characters (code points), not bytes.
struct LineColumn {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

// One source text with its name. It never changes after it was made, so views into `text()` stay valid for its
// lifetime.
class SourceFile {
 public:
  SourceFile(std::uint32_t id, std::string name, std::string text);
  SourceFile(const SourceFile&) = delete;
  SourceFile& operator=(const SourceFile&) = delete;

  std::uint32_t id() const { return id_; }
  // The name as it is shown in messages, usually the path as the user wrote it.
  std::string_view name() const { return name_; }
  std::string_view text() const { return text_; }

  // `\n`, `\r\n` and a lone `\r` all end a line.
  std::uint32_t line_count() const { return static_cast<std::uint32_t>(line_starts_.size()); }
  LineColumn position_of(std::uint32_t offset) const;
  std::uint32_t line_of(std::uint32_t offset) const;
  // The text of a line (counted from 1) without its line end.
  std::string_view line_text(std::uint32_t line) const;
  std::uint32_t line_start(std::uint32_t line) const;

 private:
  std::uint32_t id_;
  std::string name_;
  std::string text_;
  std::vector<std::uint32_t> line_starts_;
};

}  // namespace wfl::syntax
