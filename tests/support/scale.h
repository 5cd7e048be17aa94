#pragma once
// How much work a heavy test does. The numbers in the tests are those of `make test`; the sanitizer run does less,
// `make soak` does much more, both by WFLKS_TEST_SCALE. WFLKS_TEST_SEED gives a random test another course, the same
// one for the same number; `make soak` counts it up.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

namespace wflks::testing {

inline double test_scale() {
  const char* text = std::getenv("WFLKS_TEST_SCALE");
  const double scale = text == nullptr ? 1.0 : std::atof(text);
  return scale > 0.0 ? scale : 1.0;
}

// `count` at scale 1; never less than `least`, so that no scale makes a test empty.
inline std::uint64_t scaled(std::uint64_t count, std::uint64_t least = 1) {
  return std::max(least, static_cast<std::uint64_t>(std::llround(static_cast<double>(count) * test_scale())));
}

// The test's own seed, mixed with the one asked for. Print it when the test fails.
inline std::uint64_t seed_or(std::uint64_t own) {
  const char* text = std::getenv("WFLKS_TEST_SEED");
  return text == nullptr ? own : own ^ std::strtoull(text, nullptr, 0);
}

}  // namespace wflks::testing
