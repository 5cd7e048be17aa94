#pragma once
// A line on standard error that says how far a long command is. Only a person at a terminal sees it: it is never part
// of what a program reads, and it is gone when the command ends, so that results and errors stand alone.

#include <cstddef>
#include <string_view>

namespace kvb::cli {

class Progress {
 public:
  Progress() noexcept;  // Finds out whether anybody would see it.
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { wipe(); }

  // Replaces the line. The text must be printable, without a newline.
  void show(std::string_view text);
  void wipe();

 private:
  bool visible_;
  std::size_t shown_columns_ = 0;
};

}  // namespace kvb::cli
