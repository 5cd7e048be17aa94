#pragma once
// What fork() would break. A child shares the parent's open file descriptions, so a lock that the parent took would
// live on in the child after the parent's death (the bucket "busy" with a dead holder). Therefore every descriptor of
// this layer is registered here, and a handler closes them all in the child before fork() returns there. What the child
// inherited is then told from what it made itself by the generation: a number that rises in each child.

#include <atomic>
#include <cstdint>

namespace kvb::os {

namespace detail {
extern std::atomic<std::uint64_t> fork_generation;
}

// Remember it where a handle is made; if it differs later, this process is a child made by fork() since, and the handle
// belongs to the parent. As cheap as reading a variable.
[[nodiscard]] inline std::uint64_t fork_generation() noexcept {
  return detail::fork_generation.load(std::memory_order_relaxed);
}

// A descriptor that is closed by the destructor, and in every forked child.
class Descriptor {
 public:
  Descriptor() noexcept = default;
  // open(2) with O_CLOEXEC; get() is negative and errno set if it fails. No fork() can come between opening and
  // registering.
  [[nodiscard]] static Descriptor open(const char* path, int flags, unsigned mode = 0);
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool inherited() const noexcept { return generation_ != fork_generation(); }

 private:
  void close() noexcept;

  int fd_ = -1;
  std::uint64_t generation_ = 0;
};

}  // namespace kvb::os
