// Points where POSIX or Linux bites, and what is done here:
//
// - Opening a FIFO would wait for a writer: O_NONBLOCK, which regular files ignore, and a look at the kind of file.
// - Writing behind RLIMIT_FSIZE raises SIGXFSZ, which ends the process: the limit is asked first, and exceeding it is
//   `full`, like a full disk.
// - F_OFD_GETLK names some conflicting lock, not the one at the lowest byte: first_locked asks again below it until
//   nobody conflicts.
// - fdatasync may be interrupted (EINTR) before anything happened; that is not a failure, and is the one case in which
//   it is called again.
// - fallocate is not everywhere; without it, holes are filled with zeros. Those two are the only ways to make space
// here
//   (posix_fallocate would rewrite existing bytes, racing with writers).
#include "kvb/os/posix_file.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <ctime>
#include <limits>
#include <utility>

#include "kvb/os/mapped_read.h"
#include "kvb/os/system_error.h"

namespace kvb::os {
namespace {

constexpr std::uint64_t kMaxOffset = std::numeric_limits<std::int64_t>::max();

std::unexpected<Error> wrong_kind(mode_t mode, const std::string& path) {
  const char* kind = "not a regular file";
  if (S_ISDIR(mode)) kind = "a folder";
  if (S_ISFIFO(mode)) kind = "a pipe";
  if (S_ISCHR(mode) || S_ISBLK(mode)) kind = "a device";
  if (S_ISSOCK(mode)) kind = "a socket";
  return failure(ErrorCode::invalid_argument,
                 std::string("This is ") + kind + ". A bucket is a regular file: name one instead.", path);
}

std::unexpected<Error> open_error(int number, const std::string& path, OpenMode mode) {
  const auto slash = path.find_last_of('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
  struct stat status{};
  switch (number) {
    case ENOENT:
      if (::stat(folder.c_str(), &status) != 0) {
        return failure(ErrorCode::not_found, "The folder '" + folder + "' does not exist. Make it first.", path);
      }
      return failure(ErrorCode::not_found, "There is no file of this name.", path);
    case EEXIST:
      return failure(ErrorCode::already_exists,
                     "There is a file of this name already, and it was left alone. Open it, or choose another name.",
                     path);
    case EISDIR:
      return wrong_kind(S_IFDIR, path);
    case ENXIO:
      return wrong_kind(::stat(path.c_str(), &status) == 0 ? status.st_mode : mode_t{S_IFSOCK}, path);
    default:
      return std::unexpected(system_error(number,
                                          mode == OpenMode::create_new  ? "make the file"
                                          : mode == OpenMode::read_only ? "open the file for reading"
                                                                        : "open the file for reading and writing",
                                          path));
  }
}

std::string bytes_text(std::uint64_t count) {
  return count == 1 ? "1 byte" : std::to_string(count) + " bytes";
}

struct flock lock_of(std::uint64_t first, std::uint64_t last, short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(first);
  lock.l_len = static_cast<off_t>(last - first + 1);
  return lock;
}

std::unexpected<Error> lock_error(int number, const std::string& path) {
  if (number == ENOLCK || number == ENOSYS || number == EOPNOTSUPP || number == EINVAL) {
    Error error = system_error(number, "lock the file", path);
    error.code = ErrorCode::io_error;
    error.message =
        "The file system cannot lock files, so the bucket cannot be protected from a second writer. Keep it on a file "
        "system of this machine.";
    return std::unexpected(std::move(error));
  }
  return std::unexpected(system_error(number, "lock the file", path));
}

}  // namespace

Result<std::unique_ptr<File>> PosixFile::open(const std::string& path, OpenMode mode) {
  if (path.empty()) return failure(ErrorCode::invalid_argument, "The path is empty. Name a file.", path);
  if (path.find('\0') != std::string::npos) {
    return failure(ErrorCode::invalid_argument, "The path contains a zero byte, which no file name can have.", path);
  }
  int flags = O_NONBLOCK | O_NOCTTY;
  switch (mode) {
    case OpenMode::read_only:
      flags |= O_RDONLY;
      break;
    case OpenMode::read_write:
      flags |= O_RDWR;
      break;
    case OpenMode::create_new:
      flags |= O_RDWR | O_CREAT | O_EXCL;
      break;
  }
  Descriptor descriptor = Descriptor::open(path.c_str(), flags, 0666);
  if (descriptor.get() < 0) return open_error(errno, path, mode);
  struct stat status{};
  if (::fstat(descriptor.get(), &status) != 0) return std::unexpected(system_error(errno, "examine the file", path));
  if (!S_ISREG(status.st_mode)) return wrong_kind(status.st_mode, path);
  return std::unique_ptr<File>(new PosixFile(std::move(descriptor), path, mode != OpenMode::read_only,
                                             static_cast<std::uint64_t>(status.st_size)));
}

PosixFile::PosixFile(Descriptor descriptor, std::string path, bool writable, std::uint64_t size)
    : descriptor_(std::move(descriptor)),
      path_(std::move(path)),
      writable_(writable),
      size_limited_(false),
      known_size_(size),
      map_(descriptor_.get(), path_) {
  struct rlimit limit{};
  size_limited_ = ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

// What every call asks first: does the handle belong to this process, and can the range exist?
Result<void> PosixFile::check(std::uint64_t offset, std::uint64_t length) const {
  if (descriptor_.inherited()) {
    return failure(ErrorCode::forked,
                   "This file was opened before fork() and belongs to the parent process. Open it again here.", path_);
  }
  if (offset > kMaxOffset || length > kMaxOffset - offset) {
    return failure(ErrorCode::invalid_argument, "No file can be as long as this place demands.", path_, offset);
  }
  return {};
}

Result<void> PosixFile::check_limit(std::uint64_t end) const {
  if (!size_limited_ && end <= known_size_.load(std::memory_order_relaxed)) return {};
  struct rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && end > limit.rlim_cur) {
    return std::unexpected(system_error(EFBIG, "let the file grow to " + bytes_text(end), path_));
  }
  return {};
}

Result<void> PosixFile::read(std::uint64_t offset, MutableBytes out) const {
  if (auto fine = check(offset, out.size()); !fine) return fine;
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got =
        ::pread(descriptor_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(system_error(errno, "read " + bytes_text(out.size()), path_, offset));
    }
    if (got == 0) {
      return failure(ErrorCode::damaged,
                     "The file ends at byte " + std::to_string(offset + done) + ", but " + bytes_text(out.size()) +
                         " should be here. It was cut short: put it back from a backup.",
                     path_, offset);
    }
    done += static_cast<std::size_t>(got);
  }
  return {};
}

Result<void> PosixFile::write(std::uint64_t offset, Bytes data) {
  const std::uint64_t end = offset + data.size();
  if (auto fine = check(offset, data.size()); !fine) return fine;
  if (auto fine = check_limit(end); !fine) return fine;
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t put =
        ::pwrite(descriptor_.get(), data.data() + done, data.size() - done, static_cast<off_t>(offset + done));
    if (put < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(system_error(errno, "write " + bytes_text(data.size()), path_, offset));
    }
    // A regular file never takes 0 bytes; should one, the next round would not end.
    if (put == 0) return std::unexpected(system_error(ENOSPC, "write " + bytes_text(data.size()), path_, offset));
    done += static_cast<std::size_t>(put);
  }
  return {};
}

Result<void> PosixFile::sync(SyncKind kind) {
  if (auto fine = check(0, 0); !fine) return fine;
  int result = 0;
  do {
    result = kind == SyncKind::data ? ::fdatasync(descriptor_.get()) : ::fsync(descriptor_.get());
  } while (result != 0 && errno == EINTR);
  if (result == 0) return {};
  Error error = system_error(errno, "make the file's newest bytes durable", path_);
  // Not `full`, even for ENOSPC: there is nothing the caller could free to make these bytes safe.
  error.code = ErrorCode::io_error;
  return std::unexpected(std::move(error));
}

// Without a flag to wait, this neither waits for the device nor takes an error away from the next fsync.
void PosixFile::begin_write_back(std::uint64_t offset, std::uint64_t length) {
  (void)::sync_file_range(descriptor_.get(), static_cast<off_t>(offset), static_cast<off_t>(length),
                          SYNC_FILE_RANGE_WRITE);
}

Result<void> PosixFile::allocate(std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return {};
  if (auto fine = check(offset, length); !fine) return fine;
  if (auto fine = check_limit(offset + length); !fine) return fine;
  int result = 0;
  do {
    result = ::fallocate(descriptor_.get(), 0, static_cast<off_t>(offset), static_cast<off_t>(length));
  } while (result != 0 && errno == EINTR);
  if (result == 0) return {};
  if (errno == EOPNOTSUPP || errno == ENOSYS) return fill_with_zeros(offset, length);
  return std::unexpected(system_error(errno, "reserve " + bytes_text(length), path_, offset));
}

// Writes zeros where the range has no blocks yet; what is there stays untouched.
Result<void> PosixFile::fill_with_zeros(std::uint64_t offset, std::uint64_t length) {
  static constexpr std::array<std::byte, 65536> kZeros{};
  const std::uint64_t end = offset + length;
  std::uint64_t at = offset;
  while (at < end) {
    const off_t hole = ::lseek(descriptor_.get(), static_cast<off_t>(at), SEEK_HOLE);
    if (hole < 0 && errno != ENXIO) break;  // Holes are not reported here: only the part behind the end is filled.
    at = hole < 0 ? at : static_cast<std::uint64_t>(hole);  // ENXIO: the file ends before `at`.
    if (at >= end) return {};
    const off_t data = ::lseek(descriptor_.get(), static_cast<off_t>(at), SEEK_DATA);
    const std::uint64_t stop = data < 0 ? end : std::min(end, static_cast<std::uint64_t>(data));
    for (; at < stop; at += std::min<std::uint64_t>(kZeros.size(), stop - at)) {
      const auto part = Bytes(kZeros).first(std::min<std::uint64_t>(kZeros.size(), stop - at));
      if (auto done = write(at, part); !done) return done;
    }
  }
  const auto now = size();
  if (!now) return std::unexpected(now.error());
  for (at = std::max(at, *now); at < end; at += std::min<std::uint64_t>(kZeros.size(), end - at)) {
    const auto part = Bytes(kZeros).first(std::min<std::uint64_t>(kZeros.size(), end - at));
    if (auto done = write(at, part); !done) return done;
  }
  return {};
}

Result<void> PosixFile::punch(std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return {};
  if (auto fine = check(offset, length); !fine) return fine;
  int result = 0;
  do {
    result = ::fallocate(descriptor_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                         static_cast<off_t>(length));
  } while (result != 0 && errno == EINTR);
  if (result == 0 || errno == EOPNOTSUPP || errno == ENOSYS) return {};
  return std::unexpected(system_error(errno, "give back " + bytes_text(length), path_, offset));
}

Result<void> PosixFile::truncate(std::uint64_t size) {
  if (auto fine = check(size, 0); !fine) return fine;
  if (auto fine = check_limit(size); !fine) return fine;
  // Lowered before and not raised after: the next one to need the end asks for it.
  std::uint64_t known = known_size_.load(std::memory_order_relaxed);
  while (known > size && !known_size_.compare_exchange_weak(known, size, std::memory_order_relaxed)) {
  }
  int result = 0;
  do {
    result = ::ftruncate(descriptor_.get(), static_cast<off_t>(size));
  } while (result != 0 && errno == EINTR);
  if (result == 0) return {};
  return std::unexpected(system_error(errno, "set the file's length to " + bytes_text(size), path_));
}

Result<std::uint64_t> PosixFile::size() const {
  if (auto fine = check(0, 0); !fine) return std::unexpected(fine.error());
  struct stat status{};
  if (::fstat(descriptor_.get(), &status) != 0) return std::unexpected(system_error(errno, "examine the file", path_));
  const auto size = static_cast<std::uint64_t>(status.st_size);
  known_size_.store(size, std::memory_order_relaxed);
  return size;
}

Result<std::uint64_t> PosixFile::next_data(std::uint64_t offset) const {
  if (auto fine = check(offset, 0); !fine) return std::unexpected(fine.error());
  const off_t found = ::lseek(descriptor_.get(), static_cast<off_t>(offset), SEEK_DATA);
  if (found >= 0) return static_cast<std::uint64_t>(found);
  if (errno == ENXIO) {
    auto bytes = size();
    return bytes ? std::max(offset, *bytes) : bytes;
  }
  return offset;  // A file system that does not know.
}

Result<std::uint64_t> PosixFile::allocated_bytes() const {
  if (auto fine = check(0, 0); !fine) return std::unexpected(fine.error());
  struct stat status{};
  if (::fstat(descriptor_.get(), &status) != 0) return std::unexpected(system_error(errno, "examine the file", path_));
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

Result<std::uint64_t> PosixFile::available_bytes() const {
  if (auto fine = check(0, 0); !fine) return std::unexpected(fine.error());
  struct statvfs device{};
  if (::fstatvfs(descriptor_.get(), &device) != 0) {
    return std::unexpected(system_error(errno, "ask for the room that is left on the device", path_));
  }
  std::uint64_t available = std::uint64_t{device.f_bavail} * device.f_frsize;
  struct rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    const auto bytes = size();
    if (!bytes) return bytes;
    available = std::min<std::uint64_t>(available, limit.rlim_cur > *bytes ? limit.rlim_cur - *bytes : 0);
  }
  return available;
}

Result<void> PosixFile::covers(std::uint64_t offset, std::uint64_t length) const {
  if (auto fine = check(offset, length); !fine) return fine;
  if (offset + length <= known_size_.load(std::memory_order_relaxed)) return {};
  const auto now = size();
  if (!now) return std::unexpected(now.error());
  if (offset + length <= *now) return {};
  return failure(ErrorCode::damaged,
                 "The file ends at byte " + std::to_string(*now) + ", but " + bytes_text(length) +
                     " should be here. It was cut short: put it back from a backup.",
                 path_, offset);
}

Result<const std::byte*> PosixFile::map(std::uint64_t offset, std::uint64_t length) const {
  if (auto fine = covers(offset, length); !fine) return std::unexpected(fine.error());
  return map_.range(offset, length);
}

Result<void> PosixFile::store_word(std::uint64_t offset, std::uint64_t value) {
  if (offset % 8 != 0) {
    return failure(ErrorCode::invalid_argument, "A word must lie at a multiple of 8 bytes.", path_, offset);
  }
  if (!writable_) return failure(ErrorCode::read_only, "The file is open for reading only.", path_, offset);
  if (auto fine = covers(offset, 8); !fine) return fine;
  const auto word = map_.writable_word(offset);
  if (!word) return std::unexpected(word.error());
  std::uint64_t* const address = *word;
  return guarded(path_, offset, reinterpret_cast<const std::byte*>(address), sizeof *address,
                 [&] { __atomic_store_n(address, value, __ATOMIC_RELEASE); });
}

Result<std::uint64_t> PosixFile::load_word(std::uint64_t offset) const {
  if (offset % 8 != 0) {
    return failure(ErrorCode::invalid_argument, "A word must lie at a multiple of 8 bytes.", path_, offset);
  }
  const auto bytes = map(offset, 8);
  if (!bytes) return std::unexpected(bytes.error());
  const auto* const address = reinterpret_cast<const std::uint64_t*>(*bytes);
  std::uint64_t value = 0;
  const auto done =
      guarded(path_, offset, *bytes, sizeof value, [&] { value = __atomic_load_n(address, __ATOMIC_ACQUIRE); });
  if (!done) return std::unexpected(done.error());
  return value;
}

// A futex on the lower half of the word: the kernel knows it by the file's page, so it joins all processes that have
// the file mapped, with whatever rights. What it waits for is only a hint; the word says what is so.
bool PosixFile::wait_for_word(std::uint64_t offset, std::uint64_t seen, std::chrono::nanoseconds timeout) const {
  const auto bytes = map(offset, 8);
  if (!bytes) return false;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  const struct timespec most{.tv_sec = seconds.count(), .tv_nsec = (timeout - seconds).count()};
  static_assert(std::endian::native == std::endian::little);
  const long result = ::syscall(SYS_futex, *bytes, FUTEX_WAIT, static_cast<std::uint32_t>(seen), &most, nullptr, 0);
  return result == 0 || errno == EAGAIN || errno == EINTR || errno == ETIMEDOUT;
}

void PosixFile::wake_waiters(std::uint64_t offset) noexcept {
  if (!writable_ || descriptor_.inherited()) return;
  if (const auto word = map_.writable_word(offset)) {
    (void)::syscall(SYS_futex, *word, FUTEX_WAKE, std::numeric_limits<int>::max(), nullptr, nullptr, 0);
  }
}

Result<bool> PosixFile::try_lock(std::uint64_t byte, LockMode mode) {
  if (auto fine = check(byte, 1); !fine) return std::unexpected(fine.error());
  struct flock lock = lock_of(byte, byte, mode == LockMode::shared ? F_RDLCK : F_WRLCK);
  while (::fcntl(descriptor_.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES) return false;
    if (errno != EINTR) return lock_error(errno, path_);
  }
  return true;
}

Result<void> PosixFile::unlock(std::uint64_t byte) {
  if (auto fine = check(byte, 1); !fine) return fine;
  struct flock lock = lock_of(byte, byte, F_UNLCK);
  while (::fcntl(descriptor_.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno != EINTR) return lock_error(errno, path_);
  }
  return {};
}

Result<std::optional<std::uint64_t>> PosixFile::first_locked(std::uint64_t first, std::uint64_t last) const {
  if (last < first) return std::nullopt;
  if (auto fine = check(first, last - first + 1); !fine) return std::unexpected(fine.error());
  std::optional<std::uint64_t> lowest;
  while (true) {
    struct flock lock = lock_of(first, last, F_WRLCK);
    if (::fcntl(descriptor_.get(), F_OFD_GETLK, &lock) != 0) {
      if (errno == EINTR) continue;
      return lock_error(errno, path_);
    }
    if (lock.l_type == F_UNLCK) return lowest;
    lowest = std::max(first, static_cast<std::uint64_t>(lock.l_start));
    if (*lowest == first) return lowest;
    last = *lowest - 1;
  }
}

}  // namespace kvb::os
