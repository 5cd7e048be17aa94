#pragma once
// What has been done with a bucket since somebody opened it: counters, and how long operations took.

#include <array>
#include <cstddef>
#include <cstdint>

namespace kvb {

// How long one kind of operation took. The quantiles are right to within an eighth of their value.
struct Latency {
  static constexpr std::size_t kBuckets = 28;

  // How many took less than bucket_limit_ns(i) and at least the limit before; the last one has no limit.
  std::array<std::uint64_t, kBuckets> buckets{};
  std::uint64_t count = 0;  // That were measured; of what is quick only one in some is (activity.def).
  std::uint64_t total_ns = 0;
  std::uint64_t max_ns = 0;
  std::uint64_t p50_ns = 0;  // Half of them were quicker than this,
  std::uint64_t p90_ns = 0;  // 90 of 100 than this,
  std::uint64_t p99_ns = 0;
  std::uint64_t p999_ns = 0;

  [[nodiscard]] static constexpr std::uint64_t bucket_limit_ns(std::size_t bucket) noexcept {
    return bucket + 1 < kBuckets ? std::uint64_t{256} << bucket : UINT64_MAX;
  }
};

// Members are those of <kvb/activity.def>, where their meanings stand; what it says of latencies is in `latency`.
struct Activity {
  std::int64_t opened_at_ns = 0;  // Wall clock, nanoseconds since the Unix epoch: when it was opened,
  std::int64_t as_of_ns = 0;      // and until when the numbers count.
  std::int64_t pid = 0;           // The process.
#define KVB_COUNTER(member, meaning) std::uint64_t member = 0;
#define KVB_GAUGE(member, meaning) std::uint64_t member = 0;
#include <kvb/activity.def>
#undef KVB_COUNTER
#undef KVB_GAUGE
  struct Latencies {
#define KVB_LATENCY(member, one_in, meaning) Latency member;
#include <kvb/activity.def>
#undef KVB_LATENCY
  } latency{};

  // What was handed to the file for each byte of log: 1 until the first checkpoint; 0 if nothing was written.
  [[nodiscard]] double write_amplification() const noexcept {
    if (bytes_written == 0) return 0;
    return static_cast<double>(bytes_written + bytes_moved + index_bytes_written) / static_cast<double>(bytes_written);
  }
};

}  // namespace kvb
