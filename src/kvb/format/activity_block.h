#pragma once
// The activity page: what the writer has done since it opened the bucket, for whoever looks from another
// process. Nothing depends on it; it is written at leisure, and all zero when nobody writes.

#include <kvb/activity.h>

#include <cstdint>
#include <optional>
#include <span>

#include "kvb/format/layout.h"

namespace kvb::format {

inline constexpr std::size_t kActivityBytes = kPageBytes;

void encode_activity(const Activity& activity, std::span<std::byte, kActivityBytes> block) noexcept;

// Nothing if it is not whole, for instance because it is being written. What an older program did not write is 0, what
// a newer one wrote beyond what is known here is left out.
[[nodiscard]] std::optional<Activity> decode_activity(std::span<const std::byte, kActivityBytes> block) noexcept;

}  // namespace kvb::format
