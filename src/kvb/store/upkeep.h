#pragma once
// How much of a bucket may be dead, and what is done about it without being asked.
//
// A round of compaction costs the live bytes that it moves and a new index. So it is worth more the more is dead; but
// the file must not grow beyond about twice the live data. A round is due when three tenths of what is alive are dead
// as well; it takes the deadest segments first and stops when a tenth is left. When nobody writes, more is given back
// than that, because nothing has to wait for it.
//
// What is dead is known exactly when an image is made. In between it is estimated: a put does not look whether it
// replaces something in the base. A key that is written twice within one delta is seen; of the others a few are looked
// up.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kvb/log/segment_table.h"

namespace kvb::store {

struct Upkeep {
  std::uint64_t live_bytes = 0;
  std::uint64_t index_bytes = 0;
  std::uint64_t worth_bytes = 0;  // Less than this is not worth a round, however small the bucket is.

  // From so much on a round is due.
  [[nodiscard]] std::uint64_t most_dead() const noexcept { return std::max(worth_bytes, live_bytes / 100 * 30); }
  // What a round leaves, or, when nobody writes, a more thorough one.
  [[nodiscard]] std::uint64_t aimed_dead(bool idle) const noexcept { return idle ? live_bytes / 16 : live_bytes / 10; }
  // When nobody writes, less is worth it.
  [[nodiscard]] std::uint64_t least_dead(bool idle) const noexcept {
    constexpr std::uint64_t kWhenIdle = 256 * 1024;
    return idle ? std::min(worth_bytes, kWhenIdle) : worth_bytes;
  }
  // No checkpoint for the sake of compaction before the journal has this length: each of them writes the index anew.
  [[nodiscard]] std::uint64_t least_journal() const noexcept { return std::max(worth_bytes, index_bytes / 2); }
};

// Bytes of a segment's records that are alive. Those that have expired by `now_ns` are taken off by what is known of
// the segment's expiries, as if they were spread evenly between the first and the last.
[[nodiscard]] std::uint64_t alive_bytes(const log::SegmentState& segment, std::int64_t now_ns) noexcept;

// The others: records that were replaced, removed or have expired, and space that was never used in a segment that has
// ended.
[[nodiscard]] std::uint64_t dead_bytes(const log::SegmentState& segment, bool is_tail, std::int64_t now_ns) noexcept;

// Segments to be emptied in one round (their live bytes are those of alive_bytes), the deadest first, until `left_dead`
// of `all_dead` bytes are left. None with more than `most_alive` (of 100) alive, and not more than `most_live_bytes` to
// be moved in all.
struct RoundLimits {
  std::uint64_t left_dead = 0;
  std::uint64_t most_alive = 100;
  std::uint64_t most_live_bytes = UINT64_MAX;
};
[[nodiscard]] std::vector<log::SegmentState> choose_deadest(std::vector<log::SegmentState> candidates,
                                                            std::uint64_t all_dead, const RoundLimits& limits);

}  // namespace kvb::store
