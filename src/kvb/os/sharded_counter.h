#pragma once
// A counter that many threads raise all the time. Each group of threads has a cache line of its own, so that counting
// does not slow readers on several processors down; adding the parts up is for whoever wants to know.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace kvb::os {

template <std::size_t Counters>
class ShardedCounters {
 public:
  // Any thread.
  void add(std::size_t counter, std::uint64_t count = 1) noexcept {
    shards_[own_shard()].counts[counter].fetch_add(count, std::memory_order_relaxed);
  }
  // How far this thread's part of a counter is: for doing something every so many times.
  [[nodiscard]] std::uint64_t own(std::size_t counter) const noexcept {
    return shards_[own_shard()].counts[counter].load(std::memory_order_relaxed);
  }
  // What was added up to about now. Any thread.
  [[nodiscard]] std::uint64_t sum(std::size_t counter) const noexcept {
    std::uint64_t total = 0;
    for (const Shard& shard : shards_) total += shard.counts[counter].load(std::memory_order_relaxed);
    return total;
  }

 private:
  static constexpr std::size_t kShards = 32;
  struct alignas(64) Shard {
    std::array<std::atomic<std::uint64_t>, Counters> counts{};
  };
  [[nodiscard]] static std::size_t own_shard() noexcept {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed) % kShards;
    return mine;
  }

  std::array<Shard, kShards> shards_{};
};

}  // namespace kvb::os
