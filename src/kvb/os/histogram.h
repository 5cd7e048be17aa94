#pragma once
// How long operations took: a histogram with buckets that grow with what they hold, so that every duration is known to
// within an eighth, from nanoseconds to minutes, in 2 KiB. Any number of threads add to it; nobody waits.
//
// A duration of 2^e to 2^(e+1) − 1 ns falls into one of 8 buckets of equal width; below 16 ns each has its own. Reading
// adds the buckets up while others count: what is read is a state between the begin and the end of reading.

#include <kvb/activity.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace kvb::os {

class Histogram {
 public:
  void add(std::uint64_t nanoseconds) noexcept;
  [[nodiscard]] Latency read() const noexcept;

  // The bucket of a duration, and the largest duration of a bucket. Public for the tests.
  [[nodiscard]] static std::size_t bucket_of(std::uint64_t nanoseconds) noexcept;
  [[nodiscard]] static std::uint64_t most_of(std::size_t bucket) noexcept;

  static constexpr std::size_t kSteps = 8;            // Of a power of two.
  static constexpr std::size_t kLinear = 2 * kSteps;  // Durations with a bucket of their own.
  static constexpr std::size_t kPowers = 36;          // From 2^4 ns on: to 18 minutes.
  static constexpr std::size_t kBuckets = kLinear + kPowers * kSteps;

 private:
  std::array<std::atomic<std::uint64_t>, kBuckets> buckets_{};
  std::atomic<std::uint64_t> total_ns_{0};
  std::atomic<std::uint64_t> max_ns_{0};
};

// Nanoseconds since some moment. Not the environment's clock, which a simulation stops: it decides nothing here.
[[nodiscard]] inline std::uint64_t stopwatch_ns() noexcept {
  return static_cast<std::uint64_t>(
      std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
}

// Measures from its making to its end. With a null histogram it does not look at the clock.
class Stopwatch {
 public:
  explicit Stopwatch(Histogram* histogram) noexcept
      : histogram_(histogram), begin_ns_(histogram != nullptr ? stopwatch_ns() : 0) {}
  ~Stopwatch() {
    if (histogram_ != nullptr) histogram_->add(stopwatch_ns() - begin_ns_);
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  Histogram* histogram_;
  std::uint64_t begin_ns_;
};

}  // namespace kvb::os
