#include "kvb/store/writer_lock.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "kvb/format/live_page.h"

namespace kvb::store {
namespace {

std::optional<format::Holder> read_holder(const os::File& file) {
  std::array<std::byte, format::kHolderBytes> block;
  if (auto read = file.read(format::kHolderOffset, block); !read) return std::nullopt;
  return format::decode_holder(block);
}

std::string local_time(std::int64_t wall_ns) {
  const std::time_t seconds = static_cast<std::time_t>(wall_ns / 1'000'000'000);
  std::tm parts{};
  if (localtime_r(&seconds, &parts) == nullptr) return "an unknown time";
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return {text, length};
}

Error busy_error(os::Environment& environment, const os::File& file, bool ours) {
  Error error{.code = ErrorCode::busy, .message = {}, .path = file.path()};
  const auto holder = read_holder(file);
  if (ours) {
    error.message =
        "This program has the bucket open for writing already. Close it first, use the one that is open, or open it "
        "for reading only.";
    error.holder_pid = environment.process().pid;
  } else if (holder && holder->pid != 0) {
    error.message = "The bucket is being written by process " + std::to_string(holder->pid);
    if (!holder->program.empty()) error.message += " (" + holder->program + ")";
    if (!holder->host.empty() && holder->host != environment.process().host) error.message += " on " + holder->host;
    error.message +=
        " since " + local_time(holder->since_ns) + ". Wait until it has finished, or open the bucket for reading only.";
    error.holder_pid = holder->pid;
  } else {
    error.message =
        "The bucket is being written by another process. Wait until it has finished, or open the bucket for reading "
        "only.";
  }
  if (holder) error.holder_since_seconds = holder->since_ns / 1'000'000'000;
  return error;
}

}  // namespace

Result<void> take_writer_lock(os::Environment& environment, os::File& file, std::chrono::milliseconds deadline) {
  const std::int64_t give_up_ns =
      environment.monotonic_ns() + std::chrono::duration_cast<std::chrono::nanoseconds>(deadline).count();
  std::chrono::nanoseconds pause = std::chrono::milliseconds(1);
  bool was_ours = false;
  for (;;) {
    auto locked = file.try_lock(format::kWriterLockByte, os::LockMode::exclusive);
    if (!locked) return std::unexpected(locked.error());
    if (*locked) return {};
    const auto me = environment.process();
    const auto holder = read_holder(file);
    const bool ours = holder && holder->pid == me.pid && holder->host == me.host;
    const std::int64_t now_ns = environment.monotonic_ns();
    // Twice in a row: another process may have taken the lock a moment ago and not announced itself yet, over a note
    // that a former process of our number left behind.
    if ((ours && was_ours) || now_ns >= give_up_ns) return std::unexpected(busy_error(environment, file, ours));
    was_ours = ours;
    environment.sleep(std::min(pause, std::chrono::nanoseconds(give_up_ns - now_ns)));
    pause = std::min<std::chrono::nanoseconds>(pause * 2, std::chrono::milliseconds(10));
  }
}

Result<void> announce_holder(os::Environment& environment, os::File& file) {
  const auto me = environment.process();
  std::array<std::byte, format::kHolderBytes> block;
  format::encode_holder(
      {.pid = me.pid, .since_ns = environment.wall_clock_ns(), .program = me.program, .host = me.host}, block);
  return file.write(format::kHolderOffset, block);
}

void withdraw_holder(os::File& file) {
  const std::array<std::byte, format::kHolderBytes> nobody{};
  // Only a note for people: without it the message to a waiting process would be less exact, nothing else.
  (void)file.write(format::kHolderOffset, nobody);
}

}  // namespace kvb::store
