#pragma once
// What the heavy tests share: their amount of work and their seeds come from the environment, and each says what it has
// done in a line that scripts/run_tests.py adds up over all programs and holds against the minimums:
//
//   proof: <name> <count>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace kvb::testing {

inline std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr || *text == '\0' ? otherwise : std::strtoull(text, nullptr, 10);
}

// Scales the number of crash images: KVB_CRASH_SCALE=10 tries ten times as many at each point.
inline double crash_scale() {
  const char* const text = std::getenv("KVB_CRASH_SCALE");
  return text == nullptr ? 1.0 : std::max(0.01, std::atof(text));
}

// Added to the seeds of the crash tests; `make soak` gives each round another.
inline std::uint64_t crash_seed() {
  return number_from_environment("KVB_CRASH_SEED", 0);
}

inline void report_proof(std::string_view name, std::uint64_t count) {
  std::cout << "proof: " << name << " " << count << std::endl;
}

}  // namespace kvb::testing
