#include "kvb/os/histogram.h"

#include <algorithm>
#include <bit>

namespace kvb::os {
namespace {

constexpr std::size_t kLinearPower = 4;  // 2^4 = kLinear.
constexpr std::size_t kStepBits = 3;     // 2^3 = kSteps.
static_assert(Histogram::kLinear == std::size_t{1} << kLinearPower);
static_assert(Histogram::kSteps == std::size_t{1} << kStepBits);

}  // namespace

std::size_t Histogram::bucket_of(std::uint64_t nanoseconds) noexcept {
  if (nanoseconds < kLinear) return static_cast<std::size_t>(nanoseconds);
  const auto power = static_cast<std::size_t>(std::bit_width(nanoseconds) - 1);
  const auto step = static_cast<std::size_t>(nanoseconds >> (power - kStepBits)) % kSteps;
  return std::min(kLinear + (power - kLinearPower) * kSteps + step, kBuckets - 1);
}

std::uint64_t Histogram::most_of(std::size_t bucket) noexcept {
  if (bucket < kLinear) return bucket;
  const std::size_t power = kLinearPower + (bucket - kLinear) / kSteps;
  const std::uint64_t step = (bucket - kLinear) % kSteps;
  const std::uint64_t width = std::uint64_t{1} << (power - kStepBits);
  return (std::uint64_t{1} << power) + (step + 1) * width - 1;
}

void Histogram::add(std::uint64_t nanoseconds) noexcept {
  buckets_[bucket_of(nanoseconds)].fetch_add(1, std::memory_order_relaxed);
  total_ns_.fetch_add(nanoseconds, std::memory_order_relaxed);
  std::uint64_t most = max_ns_.load(std::memory_order_relaxed);
  while (nanoseconds > most && !max_ns_.compare_exchange_weak(most, nanoseconds, std::memory_order_relaxed)) {
  }
}

Latency Histogram::read() const noexcept {
  Latency latency;
  std::array<std::uint64_t, kBuckets> counts;
  std::size_t wide = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    counts[i] = buckets_[i].load(std::memory_order_relaxed);
    latency.count += counts[i];
    // The limits of the wide buckets are powers of two, so each of these lies within one of them.
    while (most_of(i) >= Latency::bucket_limit_ns(wide)) ++wide;
    latency.buckets[wide] += counts[i];
  }
  latency.total_ns = total_ns_.load(std::memory_order_relaxed);
  latency.max_ns = max_ns_.load(std::memory_order_relaxed);
  // The middle of the bucket in which the one lies that so many of 1000 do not exceed.
  const auto quantile = [&](std::uint64_t of_1000) -> std::uint64_t {
    if (latency.count == 0) return 0;
    const std::uint64_t rank = std::max<std::uint64_t>((latency.count * of_1000 + 999) / 1000, 1);
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      before += counts[i];
      if (before < rank) continue;
      const std::uint64_t least = i == 0 ? 0 : most_of(i - 1) + 1;
      return std::min(least + (most_of(i) - least) / 2, latency.max_ns);
    }
    return latency.max_ns;
  };
  latency.p50_ns = quantile(500);
  latency.p90_ns = quantile(900);
  latency.p99_ns = quantile(990);
  latency.p999_ns = quantile(999);
  return latency;
}

}  // namespace kvb::os
