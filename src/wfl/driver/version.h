#pragma once

#include <string_view>

namespace wfl::driver {

// The version of this runtime; programs read it as `wfl_version`.
inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace wfl::driver
