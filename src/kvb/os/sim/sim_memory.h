#pragma once
// Memory of a simulated file: a range of addresses that is reserved once, so that pointers into it stay good while the
// file grows. Ranges are kept for reuse, because tests make thousands of small files a second.

#include <cstddef>
#include <cstdint>

namespace kvb::os {

class SimMemory {
 public:
  static constexpr std::uint64_t kCapacity = std::uint64_t{1} << 30;

  SimMemory();
  ~SimMemory();
  SimMemory(const SimMemory&) = delete;
  SimMemory& operator=(const SimMemory&) = delete;

  [[nodiscard]] std::byte* data() noexcept { return base_; }
  [[nodiscard]] const std::byte* data() const noexcept { return base_; }
  // Says that bytes before `end` may have been changed: they are cleared when the range is used again.
  void touch(std::uint64_t end) noexcept {
    if (end > touched_) touched_ = end;
  }

 private:
  std::byte* base_;
  std::uint64_t touched_ = 0;
};

}  // namespace kvb::os
