#include "kvb/os/sim/sim_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "kvb/os/system_error.h"

namespace kvb::os {
namespace {

constexpr std::uint64_t kMaxOffset = std::numeric_limits<std::int64_t>::max();

std::unexpected<Error> behind_the_end(std::uint64_t size, const std::string& path, std::uint64_t offset) {
  return failure(ErrorCode::damaged, "The file ends at byte " + std::to_string(size) + ", before what should be here.",
                 path, offset);
}

}  // namespace

SimFile::~SimFile() {
  const std::scoped_lock lock(disk_.mutex_);
  for (auto& [byte, holders] : inode_->locks) {
    std::erase_if(holders, [this](const SimInode::Lock& held) { return held.file == this; });
  }
  std::erase_if(inode_->locks, [](const auto& entry) { return entry.second.empty(); });
}

Result<void> SimFile::begin(SimCall call, std::string_view what, std::uint64_t offset, Fault::Effect* effect) const {
  if (process_.killed()) return failure(ErrorCode::io_error, "This simulated process has been killed.", path_);
  if (const auto fired = disk_.count(call)) {
    if (effect != nullptr) *effect = fired->effect;
    return std::unexpected(system_error(fired->error_number, what, path_, offset));
  }
  return {};
}

Result<void> SimFile::begin_change(SimCall call, std::string_view what, std::uint64_t offset, std::uint64_t length,
                                   Fault::Effect* effect) {
  if (auto fine = begin(call, what, offset, effect); !fine) return fine;
  if (!writable_) return failure(ErrorCode::io_error, "The file is open for reading only (EBADF).", path_, offset);
  if (offset > kMaxOffset || length > kMaxOffset - offset) {
    return failure(ErrorCode::invalid_argument, "No file can be as long as this place demands.", path_, offset);
  }
  return {};
}

Result<void> SimFile::read(std::uint64_t offset, MutableBytes out) const {
  const std::scoped_lock lock(disk_.mutex_);
  if (auto fine = begin(SimCall::read, "read", offset); !fine) return fine;
  if (offset > inode_->size || out.size() > inode_->size - offset) return behind_the_end(inode_->size, path_, offset);
  if (disk_.trace_reads_) disk_.reads_.push_back({.offset = offset, .length = out.size(), .mapped = false});
  if (!out.empty()) std::memcpy(out.data(), inode_->memory.data() + offset, out.size());
  return {};
}

Result<void> SimFile::write(std::uint64_t offset, Bytes data) {
  const std::scoped_lock lock(disk_.mutex_);
  auto effect = Fault::Effect::none;
  if (auto fine = begin_change(SimCall::write, "write", offset, data.size(), &effect); !fine) {
    if (effect == Fault::Effect::partial && data.size() > 1) {
      const auto part =
          data.first(data.size() > kSectorBytes ? data.size() / 2 / kSectorBytes * kSectorBytes + 1 : data.size() / 2);
      disk_.observe_write(*inode_, path_, offset, part);
      disk_.check_write_once(path_, offset, part.size());
      if (disk_.take_space(*inode_, offset, part.size())) {
        disk_.apply_write(*inode_, offset, part, SimChange::Kind::write);
      }
    }
    return fine;
  }
  if (data.empty()) return {};
  disk_.observe_write(*inode_, path_, offset, data);
  disk_.check_write_once(path_, offset, data.size());
  if (!disk_.take_space(*inode_, offset, data.size())) {
    // As pwrite does: what fits is written, page by page.
    std::uint64_t fits = 0;
    while (fits < data.size()) {
      const std::uint64_t step = std::min<std::uint64_t>(4096 - (offset + fits) % 4096, data.size() - fits);
      if (!disk_.take_space(*inode_, offset + fits, step)) break;
      fits += step;
    }
    if (fits != 0) disk_.apply_write(*inode_, offset, data.first(fits), SimChange::Kind::write);
    return std::unexpected(system_error(ENOSPC, "write " + std::to_string(data.size()) + " bytes", path_, offset));
  }
  disk_.apply_write(*inode_, offset, data, SimChange::Kind::write);
  return {};
}

Result<void> SimFile::sync(SyncKind kind) {
  std::unique_lock lock(disk_.mutex_);
  if (disk_.sync_observer_ && !process_.killed()) {
    const auto observer = disk_.sync_observer_;
    lock.unlock();
    observer(path_);
    lock.lock();
  }
  auto effect = Fault::Effect::none;
  if (auto fine = begin(SimCall::sync, "make the file's newest bytes durable", 0, &effect); !fine) {
    if (effect == Fault::Effect::lost) disk_.lose_unsynced(*inode_);
    if (fine.error().code == ErrorCode::full) fine.error().code = ErrorCode::io_error;  // As the real file does.
    return fine;
  }
  disk_.make_durable(*inode_, kind);
  disk_.successful_syncs_.fetch_add(1);
  return {};
}

Result<void> SimFile::allocate(std::uint64_t offset, std::uint64_t length) {
  const std::scoped_lock lock(disk_.mutex_);
  if (auto fine = begin_change(SimCall::allocate, "reserve space", offset, length); !fine) return fine;
  if (length == 0) return {};
  if (!disk_.take_space(*inode_, offset, length)) {
    return std::unexpected(system_error(ENOSPC, "reserve " + std::to_string(length) + " bytes", path_, offset));
  }
  if (disk_.options_.recording) {
    inode_->unsynced.push_back({.kind = SimChange::Kind::allocate,
                                .offset = offset,
                                .length = length,
                                .size_before = inode_->size,
                                .bytes = {}});
  }
  inode_->size = std::max(inode_->size, offset + length);
  return {};
}

Result<void> SimFile::punch(std::uint64_t offset, std::uint64_t length) {
  const std::scoped_lock lock(disk_.mutex_);
  if (auto fine = begin_change(SimCall::punch, "give back space", offset, length); !fine) return fine;
  const std::uint64_t end = std::min(offset + length, inode_->size);
  if (offset >= end) return {};
  if (disk_.options_.recording) {
    inode_->unsynced.push_back({.kind = SimChange::Kind::punch,
                                .offset = offset,
                                .length = end - offset,
                                .size_before = inode_->size,
                                .bytes = {}});
  }
  std::memset(inode_->memory.data() + offset, 0, end - offset);
  disk_.release_space(*inode_, offset, end - offset);
  return {};
}

Result<void> SimFile::truncate(std::uint64_t size) {
  const std::scoped_lock lock(disk_.mutex_);
  if (auto fine = begin_change(SimCall::truncate, "set the file's length", size, 0); !fine) return fine;
  if (size > SimMemory::kCapacity) return std::unexpected(system_error(EFBIG, "set the file's length", path_, size));
  if (disk_.options_.recording) {
    inode_->unsynced.push_back(
        {.kind = SimChange::Kind::truncate, .offset = size, .length = 0, .size_before = inode_->size, .bytes = {}});
  }
  if (size < inode_->size) {
    std::memset(inode_->memory.data() + size, 0, inode_->size - size);
    const std::uint64_t first_free = (size + 4095) / 4096 * 4096;
    if (first_free < inode_->size) disk_.release_space(*inode_, first_free, inode_->size - first_free + 4095);
  }
  inode_->size = size;
  return {};
}

Result<std::uint64_t> SimFile::size() const {
  const std::scoped_lock lock(disk_.mutex_);
  if (auto fine = begin(SimCall::size, "examine the file", 0); !fine) return std::unexpected(fine.error());
  return inode_->size;
}

Result<std::uint64_t> SimFile::next_data(std::uint64_t offset) const {
  const std::scoped_lock lock(disk_.mutex_);
  if (auto fine = begin(SimCall::size, "examine the file", offset); !fine) return std::unexpected(fine.error());
  constexpr std::uint64_t kPage = 4096;
  for (std::uint64_t page = offset / kPage; page * kPage < inode_->size; ++page) {
    if (page < inode_->pages.size() && inode_->pages[page]) return std::max(offset, page * kPage);
  }
  return std::max(offset, inode_->size);
}

Result<std::uint64_t> SimFile::allocated_bytes() const {
  const std::scoped_lock lock(disk_.mutex_);
  if (auto fine = begin(SimCall::size, "examine the file", 0); !fine) return std::unexpected(fine.error());
  return static_cast<std::uint64_t>(std::ranges::count(inode_->pages, true)) * 4096;
}

Result<std::uint64_t> SimFile::available_bytes() const {
  const std::scoped_lock lock(disk_.mutex_);
  if (auto fine = begin(SimCall::size, "ask for the room that is left", 0); !fine) return std::unexpected(fine.error());
  if (!disk_.options_.tells_capacity) return UINT64_MAX;
  const std::uint64_t pages = disk_.options_.capacity_bytes / 4096;
  return pages > disk_.used_pages_ ? (pages - disk_.used_pages_) * 4096 : 0;
}

Result<const std::byte*> SimFile::map(std::uint64_t offset, std::uint64_t length) const {
  const std::scoped_lock lock(disk_.mutex_);
  if (auto fine = begin(SimCall::map, "map the file into memory", offset); !fine) return std::unexpected(fine.error());
  if (offset > inode_->size || length > inode_->size - offset) return behind_the_end(inode_->size, path_, offset);
  if (disk_.trace_reads_) disk_.reads_.push_back({.offset = offset, .length = length, .mapped = true});
  return inode_->memory.data() + offset;
}

Result<void> SimFile::store_word(std::uint64_t offset, std::uint64_t value) {
  const std::scoped_lock lock(disk_.mutex_);
  if (auto fine = begin_change(SimCall::store_word, "store a word", offset, 8); !fine) return fine;
  if (offset % 8 != 0) return failure(ErrorCode::invalid_argument, "A word must lie at a multiple of 8 bytes.", path_);
  if (offset + 8 > inode_->size) return behind_the_end(inode_->size, path_, offset);
  if (!disk_.take_space(*inode_, offset, 8)) {
    return std::unexpected(system_error(ENOSPC, "store a word", path_, offset));
  }
  disk_.check_write_once(path_, offset, 8);
  disk_.apply_write(*inode_, offset, std::as_bytes(std::span(&value, 1)), SimChange::Kind::word);
  return {};
}

Result<std::uint64_t> SimFile::load_word(std::uint64_t offset) const {
  const std::scoped_lock lock(disk_.mutex_);
  if (auto fine = begin(SimCall::load_word, "load a word", offset); !fine) return std::unexpected(fine.error());
  if (offset % 8 != 0) return failure(ErrorCode::invalid_argument, "A word must lie at a multiple of 8 bytes.", path_);
  if (offset > inode_->size || inode_->size - offset < 8) return behind_the_end(inode_->size, path_, offset);
  return __atomic_load_n(reinterpret_cast<const std::uint64_t*>(inode_->memory.data() + offset), __ATOMIC_ACQUIRE);
}

Result<bool> SimFile::try_lock(std::uint64_t byte, LockMode mode) {
  const std::scoped_lock lock(disk_.mutex_);
  if (auto fine = begin(SimCall::lock, "lock the file", byte); !fine) return std::unexpected(fine.error());
  if (mode == LockMode::exclusive && !writable_) {
    return failure(ErrorCode::io_error, "The file is open for reading only (EBADF).", path_);
  }
  auto& holders = inode_->locks[byte];
  for (const auto& held : holders) {
    if (held.file != this && (mode == LockMode::exclusive || held.mode == LockMode::exclusive)) return false;
  }
  std::erase_if(holders, [this](const SimInode::Lock& held) { return held.file == this; });
  holders.push_back({.file = this, .process = &process_, .mode = mode});
  return true;
}

Result<void> SimFile::unlock(std::uint64_t byte) {
  const std::scoped_lock lock(disk_.mutex_);
  if (auto fine = begin(SimCall::lock, "unlock the file", byte); !fine) return fine;
  const auto found = inode_->locks.find(byte);
  if (found == inode_->locks.end()) return {};
  std::erase_if(found->second, [this](const SimInode::Lock& held) { return held.file == this; });
  if (found->second.empty()) inode_->locks.erase(found);
  return {};
}

Result<std::optional<std::uint64_t>> SimFile::first_locked(std::uint64_t first, std::uint64_t last) const {
  const std::scoped_lock lock(disk_.mutex_);
  if (auto fine = begin(SimCall::lock, "ask for locks", first); !fine) return std::unexpected(fine.error());
  for (auto at = inode_->locks.lower_bound(first); at != inode_->locks.end() && at->first <= last; ++at) {
    for (const auto& held : at->second) {
      if (held.file != this) return at->first;
    }
  }
  return std::nullopt;
}

}  // namespace kvb::os
