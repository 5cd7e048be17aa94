#pragma once
// Children for tests with several processes.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <functional>
#include <new>
#include <optional>

namespace kvb::testing {

// Runs `work` in a child that ends with its return value, without any of this process's cleaning up.
inline pid_t start_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  EXPECT_GT(child, 0);
  return child;
}

// How the child ended: its exit status, or minus the signal.
inline int end_of(pid_t child) {
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(ends_.data()), 0); }
  ~Pipe() {
    close_reading();
    close_writing();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_reading() { close(0); }
  void close_writing() { close(1); }
  bool put(std::uint64_t number) { return ::write(ends_[1], &number, sizeof number) == sizeof number; }
  std::optional<std::uint64_t> take() {
    std::uint64_t number = 0;
    return ::read(ends_[0], &number, sizeof number) == sizeof number ? std::optional(number) : std::nullopt;
  }

 private:
  void close(std::size_t end) {
    if (ends_[end] >= 0) ::close(ends_[end]);
    ends_[end] = -1;
  }
  std::array<int, 2> ends_{-1, -1};
};

// An object that this process and the children it starts later have in common. Its members are atomics.
template <typename T>
class SharedMemory {
 public:
  SharedMemory() {
    void* const place = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(place, MAP_FAILED);
    object_ = new (place) T;
  }
  ~SharedMemory() { ::munmap(object_, sizeof(T)); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  [[nodiscard]] T* operator->() const noexcept { return object_; }

 private:
  T* object_;
};

}  // namespace kvb::testing
