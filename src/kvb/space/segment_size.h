#pragma once
// How large the next segment is. Sizes grow with the log, so that a small bucket stays small and a large one has few
// segments, and at most a quarter of it is an unused tail; and they grow anew with every writer, so that one that
// writes little to a large bucket takes little.

#include <algorithm>
#include <bit>
#include <cstdint>

#include "kvb/format/segment.h"

namespace kvb::space {

// `all_segments`: bytes of all segments; `own_segments`: bytes of those that this writer made.
[[nodiscard]] inline std::uint64_t next_segment_bytes(std::uint64_t all_segments, std::uint64_t own_segments,
                                                      std::uint64_t needed_record_bytes) noexcept {
  constexpr std::uint64_t kQuarterUpTo = std::uint64_t{4} << 20;
  const std::uint64_t by_size =
      std::max<std::uint64_t>(std::min(all_segments / 4, std::max(kQuarterUpTo, all_segments / 16)), 1);
  const std::uint64_t by_writer = std::max<std::uint64_t>(own_segments, format::kMinSegmentBytes);
  const std::uint64_t grown =
      std::clamp(std::bit_floor(std::min(by_size, by_writer)), format::kMinSegmentBytes, format::kMaxSegmentBytes);
  return std::max(grown, format::segment_bytes_for(needed_record_bytes));
}

}  // namespace kvb::space
