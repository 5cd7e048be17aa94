#include "kvb/format/activity_block.h"

#include <algorithm>
#include <array>

#include "kvb/format/crc32c.h"
#include "kvb/format/endian.h"

namespace kvb::format {
namespace {

constexpr std::uint32_t kMagic = 0x4142'564B;  // "KVBA".
enum Offset : std::size_t { kMagicAt = 0, kCrcAt = 4, kCountersAt = 8, kGaugesAt = 10, kLatenciesAt = 12 };
enum : std::size_t { kOpenedAt = 16, kAsOfAt = 24, kPidAt = 32, kNumbersAt = 40 };

constexpr std::array kCounters = {
#define KVB_COUNTER(member, meaning) &Activity::member,
#include <kvb/activity.def>
#undef KVB_COUNTER
};
constexpr std::array kGauges = {
#define KVB_GAUGE(member, meaning) &Activity::member,
#include <kvb/activity.def>
#undef KVB_GAUGE
};
constexpr std::array kLatencies = {
#define KVB_LATENCY(member, one_in, meaning) &Activity::Latencies::member,
#include <kvb/activity.def>
#undef KVB_LATENCY
};
// `count` is the sum of the buckets and not written.
constexpr std::array kLatencyNumbers = {&Latency::total_ns, &Latency::max_ns, &Latency::p50_ns,
                                        &Latency::p90_ns,   &Latency::p99_ns, &Latency::p999_ns};
constexpr std::size_t kLatencyBytes = 8 * (Latency::kBuckets + kLatencyNumbers.size());
static_assert(kNumbersAt + 8 * (kCounters.size() + kGauges.size()) + kLatencies.size() * kLatencyBytes <=
              kActivityBytes);

}  // namespace

void encode_activity(const Activity& activity, std::span<std::byte, kActivityBytes> block) noexcept {
  std::ranges::fill(block, std::byte{0});
  std::byte* const p = block.data();
  store_le(p + kMagicAt, kMagic);
  store_le(p + kCountersAt, static_cast<std::uint16_t>(kCounters.size()));
  store_le(p + kGaugesAt, static_cast<std::uint16_t>(kGauges.size()));
  store_le(p + kLatenciesAt, static_cast<std::uint16_t>(kLatencies.size()));
  store_le(p + kOpenedAt, activity.opened_at_ns);
  store_le(p + kAsOfAt, activity.as_of_ns);
  store_le(p + kPidAt, activity.pid);
  std::byte* at = p + kNumbersAt;
  const auto store = [&at](std::uint64_t number) {
    store_le(at, number);
    at += 8;
  };
  for (const auto member : kCounters) store(activity.*member);
  for (const auto member : kGauges) store(activity.*member);
  for (const auto member : kLatencies) {
    const Latency& latency = activity.latency.*member;
    for (const std::uint64_t count : latency.buckets) store(count);
    for (const auto number : kLatencyNumbers) store(latency.*number);
  }
  store_le(p + kCrcAt, crc32c_extend(0, block.subspan(kCountersAt)));
}

std::optional<Activity> decode_activity(std::span<const std::byte, kActivityBytes> block) noexcept {
  const std::byte* const p = block.data();
  if (load_le<std::uint32_t>(p + kMagicAt) != kMagic) return std::nullopt;
  if (load_le<std::uint32_t>(p + kCrcAt) != crc32c_extend(0, block.subspan(kCountersAt))) return std::nullopt;
  const std::size_t counters = load_le<std::uint16_t>(p + kCountersAt);
  const std::size_t gauges = load_le<std::uint16_t>(p + kGaugesAt);
  const std::size_t latencies = load_le<std::uint16_t>(p + kLatenciesAt);
  if (kNumbersAt + 8 * (counters + gauges) + latencies * kLatencyBytes > kActivityBytes) return std::nullopt;
  Activity activity{.opened_at_ns = load_le<std::int64_t>(p + kOpenedAt),
                    .as_of_ns = load_le<std::int64_t>(p + kAsOfAt),
                    .pid = load_le<std::int64_t>(p + kPidAt)};
  const std::byte* at = p + kNumbersAt;
  for (std::size_t i = 0; i < std::min(counters, kCounters.size()); ++i) {
    activity.*kCounters[i] = load_le<std::uint64_t>(at + 8 * i);
  }
  at += 8 * counters;
  for (std::size_t i = 0; i < std::min(gauges, kGauges.size()); ++i) {
    activity.*kGauges[i] = load_le<std::uint64_t>(at + 8 * i);
  }
  at += 8 * gauges;
  for (std::size_t i = 0; i < std::min(latencies, kLatencies.size()); ++i, at += kLatencyBytes) {
    Latency& latency = activity.latency.*kLatencies[i];
    for (std::size_t k = 0; k < Latency::kBuckets; ++k) {
      latency.buckets[k] = load_le<std::uint64_t>(at + 8 * k);
      latency.count += latency.buckets[k];
    }
    for (std::size_t k = 0; k < kLatencyNumbers.size(); ++k) {
      latency.*kLatencyNumbers[k] = load_le<std::uint64_t>(at + 8 * (Latency::kBuckets + k));
    }
  }
  return activity;
}

}  // namespace kvb::format
