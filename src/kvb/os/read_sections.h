#pragma once
// Reading without a lock: readers mark that they are inside a section, and whoever replaced what they may be looking at
// waits until all of them have left before it destroys the old (sleepable read-copy-update; McKenney, "Sleepable RCU",
// 2006).
//
//   reader:  const ReadSections::Section section(sections);  const State* state = current.load(…);  … use *state …
//   writer:  old = current.exchange(fresh);  sections.wait_for_readers();  delete old;
//
// There are two counts for each group of threads, and `phase_` says which one readers use. A reader counts itself in,
// then looks at the phase again: if it is still the same, whoever flips the phase later will find the count. So
// wait_for_readers flips it and waits until every count of the former phase is zero; readers that come meanwhile use
// the other count and do not keep it waiting. All those operations are sequentially consistent: of "count in, then look
// at the phase" and "flip the phase, then look at the count", at least one sees the other.
//
// Counts lie in cache lines of their own and threads spread over them, so readers do not slow each other down.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>

namespace kvb::os {

class ReadSections {
 public:
  ReadSections() = default;
  ReadSections(const ReadSections&) = delete;
  ReadSections& operator=(const ReadSections&) = delete;

  // As long as it lives its thread is inside. Cheap; may be nested. Must not outlive the ReadSections.
  class Section {
   public:
    explicit Section(const ReadSections& sections) noexcept {
      Group& group = sections.groups_[own_group()];
      for (;;) {
        const std::uint32_t phase = sections.phase_.load();
        count_ = &group.counts[phase];
        count_->fetch_add(1);
        if (sections.phase_.load() == phase) return;
        count_->fetch_sub(1);
      }
    }
    ~Section() { count_->fetch_sub(1, std::memory_order_release); }
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;

   private:
    std::atomic<std::uint32_t>* count_;
  };

  // Returns when every section that was entered before the call has ended. Not to be called from inside one.
  void wait_for_readers() {
    const std::scoped_lock one_at_a_time(mutex_);
    const std::uint32_t former = phase_.load();
    phase_.store(1 - former);
    for (auto& group : groups_) {
      for (int spins = 0; group.counts[former].load() != 0; ++spins) {
        if (spins < 100) {
          std::this_thread::yield();
        } else {
          std::this_thread::sleep_for(std::chrono::microseconds(100));
        }
      }
    }
  }

 private:
  static constexpr std::size_t kGroups = 32;
  struct alignas(64) Group {
    std::array<std::atomic<std::uint32_t>, 2> counts{};
  };
  [[nodiscard]] static std::size_t own_group() noexcept {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed) % kGroups;
    return mine;
  }

  mutable std::array<Group, kGroups> groups_{};
  std::atomic<std::uint32_t> phase_{0};
  std::mutex mutex_;
};

}  // namespace kvb::os
