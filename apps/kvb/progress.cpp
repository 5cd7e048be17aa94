#include "progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>

#include "text.h"

namespace kvb::cli {
namespace {

// A longer line would wrap, and then a carriage return does not lead back to where it began.
std::size_t columns_of_terminal() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 79;
  return std::max<std::size_t>(size.ws_col, 2) - 1;
}

}  // namespace

Progress::Progress() noexcept : visible_(isatty(STDERR_FILENO) == 1) {}

void Progress::show(std::string_view text) {
  if (!visible_) return;
  const std::size_t limit = columns_of_terminal();
  std::string line = shown_columns_ == 0 ? "" : "\r";
  std::size_t columns = 0;
  while (!text.empty() && columns < limit) {
    const std::size_t bytes = std::max<std::size_t>(utf8_length(text), 1);
    line += text.substr(0, bytes);
    text.remove_prefix(std::min(bytes, text.size()));
    ++columns;
  }
  if (shown_columns_ > columns) line.append(std::min(shown_columns_, limit) - std::min(columns, limit), ' ');
  shown_columns_ = columns;
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
  (void)std::fflush(stderr);
}

void Progress::show_bar(std::string_view title, std::uint64_t done, std::uint64_t of) {
  if (!visible_) return;
  if (of == 0) return show(fmt::format("{} …", title));
  constexpr std::size_t kWidth = 30;
  const double part = static_cast<double>(std::min(done, of)) / static_cast<double>(of);
  const auto full = static_cast<std::size_t>(part * kWidth);
  std::string bar;
  for (std::size_t i = 0; i < kWidth; ++i) bar += i < full ? "#" : "·";
  show(fmt::format("{} [{}] {} %", title, bar, static_cast<int>(part * 100)));
}

Waiting::Waiting(std::string title) {
  if (isatty(STDERR_FILENO) != 1) return;
  thread_ = std::jthread([this, title = std::move(title)](const std::stop_token& stop) {
    const auto begin = std::chrono::steady_clock::now();
    std::mutex mutex;
    std::condition_variable_any wakes;
    std::unique_lock lock(mutex);
    do {
      const std::chrono::duration<double> so_far = std::chrono::steady_clock::now() - begin;
      progress_.show(so_far.count() < 1 ? fmt::format("{} …", title)
                                        : fmt::format("{} … {:.0f} s", title, so_far.count()));
    } while (!wakes.wait_for(lock, stop, std::chrono::milliseconds(200), [] { return false; }) &&
             !stop.stop_requested());
  });
}

void Progress::wipe() {
  if (!visible_ || shown_columns_ == 0) return;
  const std::string line = '\r' + std::string(shown_columns_, ' ') + '\r';
  shown_columns_ = 0;
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
  (void)std::fflush(stderr);
}

}  // namespace kvb::cli
