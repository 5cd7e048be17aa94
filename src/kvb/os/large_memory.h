#pragma once
// Memory for large things that live for a while: pages of their own, which go back to the system with them. What comes
// from the heap would stay with the process after a checkpoint, for the next one, which may be hours away.

#include <sys/mman.h>

#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace kvb::os {

// Less than that is the heap's business.
inline constexpr std::size_t kLargeBytes = std::size_t{128} * 1024;

// Whether the pages are all asked for together, which is much cheaper, or each when it is first used.
enum class Pages : bool { at_once, when_used };

// All zero if it is large. Throws std::bad_alloc.
[[nodiscard]] inline void* allocate_large(std::size_t bytes, Pages pages = Pages::at_once) {
  if (bytes < kLargeBytes) return ::operator new(bytes);
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | (pages == Pages::at_once ? MAP_POPULATE : 0);
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return memory;
}

inline void free_large(void* memory, std::size_t bytes) noexcept {
  if (bytes < kLargeBytes) {
    ::operator delete(memory);
  } else {
    (void)::munmap(memory, bytes);
  }
}

template <typename T>
struct LargeAllocator {
  static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
  using value_type = T;
  LargeAllocator() = default;
  template <typename Other>
  LargeAllocator(const LargeAllocator<Other>&) noexcept {}
  [[nodiscard]] T* allocate(std::size_t count) { return static_cast<T*>(allocate_large(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t count) noexcept { free_large(memory, count * sizeof(T)); }
  friend bool operator==(const LargeAllocator&, const LargeAllocator&) { return true; }
};

// For a list that may have as many entries as a checkpoint has changes.
template <typename T>
using LargeVector = std::vector<T, LargeAllocator<T>>;

// Bytes as they come: for whoever writes before he reads.
class LargeBlock {
 public:
  explicit LargeBlock(std::size_t bytes, Pages pages = Pages::at_once)
      : memory_(static_cast<std::byte*>(allocate_large(bytes, pages))), bytes_(bytes) {}
  LargeBlock(LargeBlock&& other) noexcept
      : memory_(std::exchange(other.memory_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  LargeBlock& operator=(LargeBlock&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~LargeBlock() {
    if (memory_ != nullptr) free_large(memory_, bytes_);
  }
  [[nodiscard]] std::byte* data() const noexcept { return memory_; }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_; }

 private:
  std::byte* memory_;
  std::size_t bytes_;
};

}  // namespace kvb::os
