#pragma once
// Where new segments go. For now space is never given back while a bucket is open, so the next segment lies behind the
// last one that the chain names; the free-space map takes its place together with checkpoints. What lies there already,
// if anything, is the remains of a segment that no footer names (its writer died between making it and linking to it):
// overwriting it is safe because the new life's salt makes everything of the old one invalid.

#include <algorithm>
#include <bit>
#include <cstdint>

#include "kvb/format/segment.h"

namespace kvb::space {

// The size of the next segment: sizes grow with the bucket, so that a small bucket stays small and a large one has few
// segments.
[[nodiscard]] inline std::uint64_t next_segment_bytes(std::uint64_t log_bytes,
                                                      std::uint64_t needed_record_bytes) noexcept {
  const std::uint64_t grown = std::clamp(std::bit_floor(std::max<std::uint64_t>(log_bytes, 1)),
                                         format::kMinSegmentBytes, format::kMaxSegmentBytes);
  return std::max(grown, format::segment_bytes_for(needed_record_bytes));
}

// The place of the next segment, given the end of the last one.
[[nodiscard]] inline std::uint64_t next_segment_paddr(std::uint64_t end_of_segments) noexcept {
  return format::round_up(std::max(end_of_segments, format::kHeadBytes), format::kPageBytes);
}

}  // namespace kvb::space
