// The clock that expiry goes by.
//
// Backward: the newest time that was ever seen counts (newest_wall_ns_), so a clock that was set back revives nothing.
//
// Forward: a machine that boots with a wrong clock, in the year 2099 say, must not lose everything that expires some
// day. So if the clock is more than a day ahead of the newest time that the bucket knows when it is opened, the jump
// counts only after the bucket has been open for an hour: for older records the clock is taken back by it until then.
// Records that are written meanwhile have the clock's own time and expire by it, so they live as long as they should
// whichever clock is right. The ratchet does not move by such a jump before it counts, neither in the superblock nor by
// the times of records when the log is replayed; but if records were written more than an hour ago, by the clock, on
// the far side of the jump, it has lasted long enough.

#include <algorithm>

#include "kvb/store/store.h"

namespace kvb::store {
namespace {

constexpr std::int64_t kHourNs = std::int64_t{3600} * 1'000'000'000;
constexpr std::int64_t kDayNs = 24 * kHourNs;

}  // namespace

std::int64_t Store::now_ns() const {
  if (jump_ns_.load(std::memory_order_relaxed) != 0 &&
      environment_->monotonic_ns() - opened_at_ns_.load(std::memory_order_relaxed) >= kHourNs) {
    jump_ns_.store(0, std::memory_order_relaxed);
  }
  return ratchet(environment_->wall_clock_ns());
}

std::int64_t Store::about_now_ns() const {
  return ratchet(environment_->coarse_wall_clock_ns());
}

std::int64_t Store::ratchet(std::int64_t wall) const {
  std::int64_t newest = newest_wall_ns_.load(std::memory_order_relaxed);
  while (wall > newest && !newest_wall_ns_.compare_exchange_weak(newest, wall, std::memory_order_relaxed)) {
  }
  return std::max(wall, newest);
}

bool Store::is_over(std::int64_t written_at_ns, std::int64_t expires_at_ns, std::int64_t as_of_ns) const {
  if (expires_at_ns == INT64_MAX) return false;
  const std::int64_t now = as_of_ns != 0 ? as_of_ns : now_ns();
  const std::int64_t jump = jump_ns_.load(std::memory_order_relaxed);
  const bool before_the_jump = jump != 0 && written_at_ns < jumped_from_ns_.load(std::memory_order_relaxed);
  return expires_at_ns <= (before_the_jump ? now - jump : now);
}

std::int64_t Store::believed_newest_wall_ns() const {
  (void)now_ns();  // Perhaps the hour is over.
  return newest_wall_ns_.load(std::memory_order_relaxed) - jump_ns_.load(std::memory_order_relaxed);
}

// A record with this time is in the log.
void Store::note_replayed_time(std::int64_t timestamp_ns) {
  const std::int64_t newest = newest_wall_ns_.load(std::memory_order_relaxed);
  if (timestamp_ns <= newest) return;
  if (newest == 0 || timestamp_ns - newest <= kDayNs) {
    newest_wall_ns_.store(timestamp_ns, std::memory_order_relaxed);
    return;
  }
  if (first_beyond_jump_ns_ == 0) first_beyond_jump_ns_ = timestamp_ns;
  newest_beyond_jump_ns_ = std::max(newest_beyond_jump_ns_, timestamp_ns);
}

// To be called when the log has been replayed.
void Store::judge_clock() {
  const std::int64_t wall = environment_->wall_clock_ns();
  if (first_beyond_jump_ns_ != 0 && wall - first_beyond_jump_ns_ >= kHourNs) {
    newest_wall_ns_ = std::max(newest_wall_ns_.load(), newest_beyond_jump_ns_);
  }
  const std::int64_t newest = newest_wall_ns_;
  if (newest == 0 || wall - newest <= kDayNs) return;
  opened_at_ns_ = environment_->monotonic_ns();
  jumped_from_ns_ = newest + kDayNs;
  jump_ns_ = wall - newest;
}

}  // namespace kvb::store
