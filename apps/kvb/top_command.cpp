// top: what happens to a bucket now. What its writer does is read from the block that the writer shows twice a second;
// what the file is, from the file. Nothing is taken from the writer but the time to look at a page of its.

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>

#include "commands.h"
#include "input.h"
#include "stats.h"
#include "text.h"

namespace kvb::cli {
namespace {

using Clock = std::chrono::steady_clock;

volatile std::sig_atomic_t ended = 0;

// One look, and what came since the one before.
struct Look {
  Stats stats;
  std::optional<Activity> writer;
  Clock::time_point at;
};

struct Rates {
  double writes = 0;  // A second; seen by their numbers, whoever made them.
  double gets = 0;
  double batches = 0;
  double syncs = 0;
  double bytes = 0;
  double hit_rate = -1;  // Of the gets in between; below 0: there were none.
};

Rates rates_between(const Look& before, const Look& now) {
  const double elapsed = std::max(std::chrono::duration<double>(now.at - before.at).count(), 1e-3);
  Rates rates{.writes = static_cast<double>(now.stats.committed_seqno -
                                            std::min(before.stats.committed_seqno, now.stats.committed_seqno)) /
                        elapsed};
  const bool same_writer = now.writer && before.writer && now.writer->pid == before.writer->pid &&
                           now.writer->opened_at_ns == before.writer->opened_at_ns;
  if (!same_writer) return rates;
  // The writer's numbers are as of its own moments. If it had nothing to say for long, what it says now came lately.
  constexpr double kBetweenItsLooks = 0.5;
  const double apart = static_cast<double>(now.writer->as_of_ns - before.writer->as_of_ns) / 1e9;
  const double over = std::clamp(apart, 1e-3, elapsed + kBetweenItsLooks);
  const auto rate = [&](std::uint64_t Activity::* field) {
    return static_cast<double>((*now.writer).*field - (*before.writer).*field) / over;
  };
  rates.gets = rate(&Activity::gets);
  rates.batches = rate(&Activity::batches);
  rates.syncs = rate(&Activity::syncs);
  rates.bytes = rate(&Activity::bytes_written) + rate(&Activity::bytes_moved) + rate(&Activity::index_bytes_written);
  const std::uint64_t gets = now.writer->gets - before.writer->gets;
  if (gets != 0)
    rates.hit_rate = static_cast<double>(now.writer->hits - before.writer->hits) / static_cast<double>(gets);
  return rates;
}

std::string short_size(double bytes) {
  std::string text = readable_bytes(static_cast<std::uint64_t>(bytes));
  return text.substr(0, text.find(" ("));
}

std::string as_json(const Look& now, const Rates& rates) {
  std::string out = fmt::format(
      "{{\"committed_seqno\":{},\"keys\":{},\"live_bytes\":{},\"allocated_bytes\":{},\"journal_bytes\":{},"
      "\"pinned_epochs\":{},\"oldest_pin_lag\":{},\"writes_per_second\":{:.1f},\"gets_per_second\":{:.1f},"
      "\"bytes_per_second\":{:.0f},\"syncs_per_second\":{:.1f},\"writer\":",
      now.stats.committed_seqno, now.stats.keys, now.stats.live_bytes, now.stats.allocated_bytes,
      now.stats.journal_bytes, now.stats.pinned_epochs, now.stats.oldest_pin_lag, rates.writes, rates.gets, rates.bytes,
      rates.syncs);
  return out + (now.writer ? activity_as_json(*now.writer) : "null") + "}\n";
}

std::string as_text(const std::string& file, const Look& now, const Rates& rates) {
  const Stats& stats = now.stats;
  std::string out;
  if (now.writer) {
    out += fmt::format("{}  process {} writes since {}\n", shown_name(file), now.writer->pid,
                       readable_time(now.writer->opened_at_ns));
  } else {
    out += fmt::format("{}  nobody has it open for writing: these are the numbers of the file\n", shown_name(file));
  }
  const auto whole = [](double number) { return with_commas(static_cast<std::uint64_t>(number + 0.5)); };
  out += fmt::format("\n  {:<10}{:>12}/s", "Writes", whole(rates.writes));
  if (now.writer) {
    out += fmt::format("   batches {}/s   syncs {}/s   to the file {}/s", whole(rates.batches), whole(rates.syncs),
                       short_size(rates.bytes));
    out += fmt::format("\n  {:<10}{:>12}/s", "Gets", whole(rates.gets));
    if (rates.hit_rate >= 0) out += fmt::format("   {:.1f} % found something", 100 * rates.hit_rate);
  }
  out += fmt::format("\n\n  {:<10}{:>12}     live {}   on disk {}   reclaimable about {}\n", "Keys",
                     with_commas(stats.keys), short_size(static_cast<double>(stats.live_bytes)),
                     short_size(static_cast<double>(stats.allocated_bytes)),
                     short_size(static_cast<double>(now.writer ? now.writer->dead_bytes : stats.dead_bytes)));
  out += fmt::format("  {:<10}{:>12}     epoch {}   segments {}\n", "Journal",
                     short_size(static_cast<double>(stats.journal_bytes)), stats.epoch, stats.segments);
  out += fmt::format("  {:<10}{:>12}     the oldest is {} behind, {} wait to be free\n", "Readers hold",
                     fmt::format("{} states", stats.pinned_epochs), stats.oldest_pin_lag,
                     short_size(static_cast<double>(now.writer ? now.writer->retired_bytes : stats.retired_bytes)));
  if (!now.writer) return out;
  const Activity& writer = *now.writer;
  out += fmt::format("  {:<10}{:>12}     {} of them compacting, {} failed, write amplification {:.2f}\n", "Checkpoints",
                     with_commas(writer.checkpoints), writer.compactions, writer.failed_checkpoints,
                     writer.write_amplification());
  if (writer.poisoned != 0) out += "  Writing has ended, because a sync failed. Look at the disk.\n";
  out += fmt::format("\n  {:<12}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "since opening", "half in", "90 % in", "99 % in",
                     "99.9 % in", "longest");
  for (const LatencyRow& row : latency_rows()) {
    const Latency& latency = writer.latency.*row.field;
    if (latency.count == 0) continue;
    out += fmt::format("  {:<12} {:>10}{:>10}{:>10}{:>10}{:>10}\n", row.name, readable_duration(latency.p50_ns),
                       readable_duration(latency.p90_ns), readable_duration(latency.p99_ns),
                       readable_duration(latency.p999_ns), readable_duration(latency.max_ns));
  }
  return out;
}

// The terminal for a program that draws: keys come at once and unseen, and what stood there comes back at the end.
class Screen {
 public:
  explicit Screen(Output& output) : output_(output) {
    const bool both = output.is_terminal() && isatty(STDIN_FILENO) == 1;
    if (!both || tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0) return;
    drawing_ = true;
    show("\x1b[?1049h\x1b[?25l");
  }
  ~Screen() {
    if (!drawing_) return;
    show("\x1b[?25h\x1b[?1049l");
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  [[nodiscard]] bool is_drawing() const noexcept { return drawing_; }

  // As much of it as the window has room for.
  void draw(std::string_view text) {
    winsize size{};
    if (ioctl(output_.descriptor(), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
      size.ws_row = 24;
      size.ws_col = 80;
    }
    std::string out = "\x1b[H";
    std::size_t rows = 0;
    while (!text.empty() && rows + 1 < size.ws_row) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      for (std::size_t columns = 0; !line.empty() && columns < size.ws_col; ++columns) {
        const std::size_t bytes = std::max<std::size_t>(utf8_length(line), 1);
        out += line.substr(0, bytes);
        line.remove_prefix(std::min(bytes, line.size()));
      }
      out += "\x1b[K\r\n";
      ++rows;
    }
    show(out + "\x1b[J\x1b[2mq ends\x1b[0m");
  }

 private:
  void show(std::string_view text) {
    (void)output_.write(text);
    (void)output_.flush();
  }

  Output& output_;
  termios before_{};
  bool drawing_ = false;
};

// Waits so long. True if it is to end: by q, Ctrl-C, or because nobody reads any more.
bool wait_for_end(std::chrono::milliseconds interval, bool reads_keys) {
  const auto until = Clock::now() + interval;
  while (ended == 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) return false;
    pollfd input{.fd = reads_keys ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0};
    if (poll(&input, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000))) <= 0) continue;
    char key = 0;
    if (read(STDIN_FILENO, &key, 1) != 1) return true;
    if (key == 'q' || key == 'Q') return true;
  }
  return true;
}

}  // namespace

Outcome run(const TopArguments& arguments, Output& output) {
  const auto format = choose_format(arguments, {"text", "json"});
  if (!format) return std::unexpected(format.error());
  std::chrono::milliseconds interval{1'000};
  if (arguments.interval) {
    const auto read = read_wait("--interval", *arguments.interval);
    if (!read) return std::unexpected(read.error());
    interval = std::max(*read, std::chrono::milliseconds{10});
  }
  std::uint64_t left = UINT64_MAX;
  if (arguments.count) {
    const auto read = read_number("--count", *arguments.count, UINT64_MAX);
    if (!read) return std::unexpected(read.error());
    left = *read;
  }
  const auto bucket = open_for_reading(arguments);
  if (!bucket) return std::unexpected(bucket.error());
  const auto look = [&]() -> Expected<Look> {
    auto writer = bucket->writer_activity();
    if (!writer) return engine_failure(std::move(writer.error()));
    return Look{.stats = bucket->stats(), .writer = *writer, .at = Clock::now()};
  };

  std::signal(SIGINT, [](int) { ended = 1; });
  std::signal(SIGTERM, [](int) { ended = 1; });
  auto before = look();
  if (!before) return std::unexpected(before.error());
  const bool json = *format == "json";
  std::optional<Screen> screen;
  if (!json) screen.emplace(output);
  const bool drawing = screen && screen->is_drawing();
  if (drawing) screen->draw(as_text(arguments.file, *before, {}));
  while (left > 0 && !wait_for_end(interval, drawing) && !output.reader_left()) {
    auto now = look();
    if (!now) return std::unexpected(now.error());
    const Rates rates = rates_between(*before, *now);
    if (drawing) {
      screen->draw(as_text(arguments.file, *now, rates));
    } else {
      const std::string text = json ? as_json(*now, rates) : as_text(arguments.file, *now, rates) + '\n';
      if (auto written = output.write(text); !written) return std::unexpected(written.error());
      if (auto flushed = output.flush(); !flushed) return std::unexpected(flushed.error());
    }
    before = std::move(now);
    --left;
  }
  return ExitCode::ok;
}

}  // namespace kvb::cli
