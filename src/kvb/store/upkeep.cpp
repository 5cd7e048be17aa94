#include "kvb/store/upkeep.h"

namespace kvb::store {

std::uint64_t alive_bytes(const log::SegmentState& segment, std::int64_t now_ns) noexcept {
  const std::uint64_t all =
      segment.end_offset - std::min(segment.end_offset, std::uint64_t{format::kSegmentHeaderBytes});
  if (!segment.counted || segment.expiring_bytes == 0 || all == 0 || now_ns < segment.first_expiry_ns) {
    return segment.live_bytes;
  }
  // Of those that expire as many are alive as of the others.
  const double expiring = std::min(1.0, static_cast<double>(segment.expiring_bytes) / static_cast<double>(all));
  const auto range = static_cast<double>(segment.last_expiry_ns - segment.first_expiry_ns) + 1.0;
  const double gone = std::min(1.0, (static_cast<double>(now_ns - segment.first_expiry_ns) + 1.0) / range);
  return static_cast<std::uint64_t>(static_cast<double>(segment.live_bytes) * (1.0 - expiring * gone));
}

std::uint64_t dead_bytes(const log::SegmentState& segment, bool is_tail, std::int64_t now_ns) noexcept {
  const std::uint64_t used = is_tail ? segment.end_offset : segment.size_bytes;
  return used - std::min(used, alive_bytes(segment, now_ns));
}

std::vector<log::SegmentState> choose_deadest(std::vector<log::SegmentState> candidates, std::uint64_t all_dead,
                                              const RoundLimits& limits) {
  std::ranges::sort(candidates, {}, [](const log::SegmentState& s) {
    return static_cast<double>(s.live_bytes) / static_cast<double>(s.size_bytes);
  });
  std::uint64_t live = 0;
  std::size_t taken = 0;
  for (; taken < candidates.size() && all_dead > limits.left_dead && live < limits.most_live_bytes; ++taken) {
    const log::SegmentState& next = candidates[taken];
    if (next.live_bytes * 100 > next.size_bytes * limits.most_alive) break;
    live += next.live_bytes;
    all_dead -= std::min(all_dead, next.size_bytes - std::min(next.size_bytes, next.live_bytes));
  }
  candidates.resize(taken);
  std::ranges::sort(candidates, {}, [](const log::SegmentState& s) { return s.link.paddr; });
  return candidates;
}

}  // namespace kvb::store
