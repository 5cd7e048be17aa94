#include "kvb/os/sim/sim_memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

namespace kvb::os {
namespace {

constexpr std::size_t kKept = 64;
constexpr std::uint64_t kClearByHand = std::uint64_t{4} << 20;  // More is given back to the system instead.

struct Pool {
  std::mutex mutex;
  std::vector<std::byte*> free;
};

Pool& pool() {
  static auto* const instance = new Pool;
  return *instance;
}

}  // namespace

SimMemory::SimMemory() {
  {
    const std::scoped_lock lock(pool().mutex);
    if (!pool().free.empty()) {
      base_ = pool().free.back();
      pool().free.pop_back();
      return;
    }
  }
  void* const made =
      ::mmap(nullptr, kCapacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (made == MAP_FAILED) std::abort();  // A test machine without a gigabyte of addresses.
  base_ = static_cast<std::byte*>(made);
}

SimMemory::~SimMemory() {
  if (touched_ > kClearByHand) {
    ::madvise(base_, touched_, MADV_DONTNEED);
  } else {
    std::memset(base_, 0, touched_);
  }
  const std::scoped_lock lock(pool().mutex);
  if (pool().free.size() < kKept) {
    pool().free.push_back(base_);
  } else {
    ::munmap(base_, kCapacity);
  }
}

}  // namespace kvb::os
