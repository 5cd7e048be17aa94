#include "kvb/os/fork_watch.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <utility>
#include <vector>

namespace kvb::os {

namespace detail {
constinit std::atomic<std::uint64_t> fork_generation{1};
}

namespace {

// Never destroyed: handles may outlive static destruction.
struct Registry {
  std::mutex mutex;
  std::vector<int> descriptors;
};

Registry& registry() {
  static Registry* const instance = [] {
    auto* made = new Registry;
    // The lock is held across fork(), so that the child finds the list whole whatever other threads were doing.
    ::pthread_atfork([] { registry().mutex.lock(); }, [] { registry().mutex.unlock(); },
                     [] {
                       Registry& mine = registry();
                       detail::fork_generation.fetch_add(1, std::memory_order_relaxed);
                       for (const int fd : mine.descriptors) ::close(fd);
                       mine.descriptors.clear();
                       mine.mutex.unlock();
                     });
    return made;
  }();
  return *instance;
}

}  // namespace

Descriptor Descriptor::open(const char* path, int flags, unsigned mode) {
  Descriptor made;
  Registry& all = registry();
  const std::scoped_lock lock(all.mutex);
  all.descriptors.reserve(all.descriptors.size() + 1);  // So that nothing can throw once the file is open.
  do {
    made.fd_ = ::open(path, flags | O_CLOEXEC, mode);
  } while (made.fd_ < 0 && errno == EINTR);
  if (made.fd_ >= 0) all.descriptors.push_back(made.fd_);
  made.generation_ = fork_generation();
  return made;
}

Descriptor::Descriptor(Descriptor&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), generation_(other.generation_) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
    generation_ = other.generation_;
  }
  return *this;
}

Descriptor::~Descriptor() {
  close();
}

void Descriptor::close() noexcept {
  if (fd_ < 0) return;
  Registry& all = registry();
  const std::scoped_lock lock(all.mutex);
  // In a child the number was closed by the handler and may by now be another file's.
  if (!inherited()) {
    std::erase(all.descriptors, fd_);
    ::close(fd_);
  }
  fd_ = -1;
}

}  // namespace kvb::os
