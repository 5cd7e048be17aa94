#include "kvb/os/file_map.h"

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cerrno>

#include "kvb/os/mapped_read.h"
#include "kvb/os/system_error.h"

namespace kvb::os {
namespace {

std::uint64_t page_bytes() {
  static const auto bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

}  // namespace

FileMap::~FileMap() {
  for (const auto& [base, length] : all_) {
    unregister_mapping(base);
    ::munmap(const_cast<std::byte*>(base), length);
  }
}

Result<FileMap::Mapped> FileMap::map(std::uint64_t offset, std::uint64_t length, bool writable) {
  void* const made = ::mmap(nullptr, length, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd_,
                            static_cast<off_t>(offset));
  if (made == MAP_FAILED) {
    return std::unexpected(system_error(errno, "map " + std::to_string(length) + " bytes into memory", path_, offset));
  }
  // A mapping keeps the open file alive, and with it the locks, so a forked child must not have it (see fork_watch.h).
  ::madvise(made, length, MADV_DONTFORK);
  auto* const base = static_cast<std::byte*>(made);
  all_.emplace(base, length);
  register_mapping(base, length, fd_, offset, writable);
  return Mapped{base, length};
}

Result<const std::byte*> FileMap::window(std::uint64_t number) {
  const auto block = static_cast<std::size_t>(std::bit_width(number + 1) - 1);
  const std::uint64_t place = number + 1 - (std::uint64_t{1} << block);
  if (Slot* const slots = blocks_[block].load(std::memory_order_acquire); slots != nullptr) {
    if (const std::byte* const base = slots[place].load(std::memory_order_acquire); base != nullptr) return base;
  }
  const std::scoped_lock lock(mutex_);
  if (!block_owners_[block]) {
    block_owners_[block] = std::make_unique<Slot[]>(std::size_t{1} << block);
    blocks_[block].store(block_owners_[block].get(), std::memory_order_release);
  }
  Slot& slot = block_owners_[block][place];
  if (const std::byte* const base = slot.load(std::memory_order_acquire); base != nullptr) return base;
  const auto made = map(number * kStride, kWindow, false);
  if (!made) return std::unexpected(made.error());
  slot.store(made->base, std::memory_order_release);
  return made->base;
}

Result<const std::byte*> FileMap::range(std::uint64_t offset, std::uint64_t length) {
  if (length <= kStride) {
    // Prefer windows with even numbers, which cover the file once; the odd ones are for what crosses their borders.
    std::uint64_t number = offset / kWindow * 2;
    if (offset % kWindow + length > kWindow) number = offset / kStride;
    const auto base = window(number);
    if (!base) return base;
    return *base + (offset - number * kStride);
  }
  const std::uint64_t first = offset / page_bytes() * page_bytes();
  const std::uint64_t bytes = offset + length - first;
  const std::scoped_lock lock(mutex_);
  if (const auto found = long_ranges_.find(first); found != long_ranges_.end() && found->second.length >= bytes) {
    return found->second.base + (offset - first);
  }
  const auto made = map(first, bytes, false);
  if (!made) return std::unexpected(made.error());
  long_ranges_.insert_or_assign(first, *made);  // A shorter one from before stays mapped: pointers into it are out.
  return made->base + (offset - first);
}

Result<std::uint64_t*> FileMap::writable_word(std::uint64_t offset) {
  const std::uint64_t page = offset / page_bytes() * page_bytes();
  const auto word_in = [&](const Mapped& mapped) {
    return reinterpret_cast<std::uint64_t*>(mapped.base + (offset - page));
  };
  const auto* const last = last_word_page_.load(std::memory_order_acquire);
  if (last != nullptr && last->first == page) return word_in(last->second);
  const std::scoped_lock lock(mutex_);
  auto found = word_pages_.find(page);
  if (found == word_pages_.end()) {
    const auto made = map(page, page_bytes(), true);
    if (!made) return std::unexpected(made.error());
    found = word_pages_.emplace(page, *made).first;
  }
  last_word_page_.store(&*found, std::memory_order_release);
  return word_in(found->second);
}

}  // namespace kvb::os
