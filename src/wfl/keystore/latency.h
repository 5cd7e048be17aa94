// How long operations took, in few bytes: a histogram whose columns are an eighth of a power of two wide, so that what
// it tells is at most an eighth too long.
//
// Only some of the operations are timed. Looking at the clock twice costs a good part of what a read costs, and every
// eighth tells as much.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace wfl::keystore {

class Latency {
 public:
  static constexpr std::uint64_t kEvery = 8;

  void add(std::uint64_t nanoseconds);

  [[nodiscard]] std::uint64_t measured() const { return measured_; }
  [[nodiscard]] std::uint64_t slowest_ns() const { return slowest_ns_; }
  // So long or shorter took this part of the operations, from 0 to 1. 0 when nothing was measured.
  [[nodiscard]] std::uint64_t quantile_ns(double part) const;

  // Times what happens during its life, if it is its operation's turn.
  class Timer {
   public:
    explicit Timer(Latency& latency) : latency_(latency), timed_(latency.operations_++ % kEvery == 0) {
      if (timed_) start_ = std::chrono::steady_clock::now();
    }
    ~Timer() {
      if (timed_) latency_.add(static_cast<std::uint64_t>((std::chrono::steady_clock::now() - start_).count()));
    }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

   private:
    Latency& latency_;
    bool timed_;
    std::chrono::steady_clock::time_point start_{};
  };

 private:
  static constexpr std::size_t kParts = 8;  // Of a power of two.
  static constexpr std::size_t kColumns = kParts * 48;

  [[nodiscard]] static std::size_t column_of(std::uint64_t nanoseconds);
  [[nodiscard]] static std::uint64_t most_of(std::size_t column);

  std::array<std::uint32_t, kColumns> columns_{};
  std::uint64_t operations_ = 0;
  std::uint64_t measured_ = 0;
  std::uint64_t slowest_ns_ = 0;
};

}  // namespace wfl::keystore
