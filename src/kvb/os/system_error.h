#pragma once
// From errno to an Error: one place that decides which code a failed system call gets and says it in English.

#include <kvb/error.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kvb::os {

// `what` completes "Could not …": "write 4096 bytes". The advice that fits the errno is added.
[[nodiscard]] Error system_error(int error_number, std::string_view what, const std::string& path,
                                 std::optional<std::uint64_t> offset_bytes = std::nullopt);

[[nodiscard]] std::unexpected<Error> failure(ErrorCode code, std::string message, const std::string& path,
                                             std::optional<std::uint64_t> offset_bytes = std::nullopt);

}  // namespace kvb::os
