// The names that mark values JSON has no form for. They are stored in files: never change one.
#pragma once

#include <string_view>

namespace wfl::keystore {

inline constexpr std::string_view kTagPrefix = "$wfl:";
inline constexpr std::string_view kDateTag = "$wfl:date";
inline constexpr std::string_view kTimeTag = "$wfl:time";
inline constexpr std::string_view kDateTimeTag = "$wfl:datetime";
inline constexpr std::string_view kBinaryTag = "$wfl:binary";
inline constexpr std::string_view kMapTag = "$wfl:map";  // What is inside is an ordinary map.

}  // namespace wfl::keystore
