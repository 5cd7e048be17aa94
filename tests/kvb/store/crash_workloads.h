#pragma once
// The workloads that the power is cut in.

#include <ostream>
#include <span>
#include <string>

#include "kvb/support/crash_harness.h"

namespace kvb::testing {

struct Workload {
  const char* name;
  std::size_t minimum_images;  // Different ones.
  void (*run)(CrashHarness&);
  std::size_t images_per_point = 100;
  Durability durability = Durability::sync;
  std::uint64_t capacity_bytes = UINT64_MAX;
  std::uint64_t checkpoint_bytes = OpenOptions{}.checkpoint_bytes;
  Compression compression{};
};

inline void PrintTo(const Workload& workload, std::ostream* out) {
  *out << workload.name;
}

std::span<const Workload> log_workloads();          // The log alone.
std::span<const Workload> checkpoint_workloads();   // With images of the index.
std::span<const Workload> compression_workloads();  // With values that are compressed, and dictionaries.
std::span<const Workload> compact_workloads();      // With records that move, and space that is given back.
std::span<const Workload> close_workloads();        // With buckets that are closed when little or nothing is in them.

// Short keys and values that differ, and can be told apart when they are shown.
inline std::string key(int number) {
  return "key/" + std::to_string(number);
}
inline std::string value(int number, std::size_t bytes) {
  std::string text = "value " + std::to_string(number) + " ";
  while (text.size() < bytes) {
    text += static_cast<char>('a' + (text.size() * 7 + static_cast<std::size_t>(number)) % 26);
  }
  text.resize(bytes);
  return text;
}

}  // namespace kvb::testing
