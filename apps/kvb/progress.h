#pragma once
// A line on standard error that says how far a long command is. Only a person at a terminal sees it: it is never part
// of what a program reads, and it is gone when the command ends, so that results and errors stand alone.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

namespace kvb::cli {

class Progress {
 public:
  Progress() noexcept;  // Finds out whether anybody would see it.
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { wipe(); }

  // Replaces the line. The text must be printable, without a newline.
  void show(std::string_view text);
  // The same with a bar: "TITLE [######······] 50 %". `of` may be an estimate; 0: unknown, and there is no bar.
  void show_bar(std::string_view title, std::uint64_t done, std::uint64_t of);
  void wipe();

 private:
  bool visible_;
  std::size_t shown_columns_ = 0;
};

// For work that does not say how far it is: the title and how long it has taken, until this ends.
class Waiting {
 public:
  explicit Waiting(std::string title);

 private:
  Progress progress_;
  std::jthread thread_;
};

}  // namespace kvb::cli
