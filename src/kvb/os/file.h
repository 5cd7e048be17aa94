#pragma once
// The disk as the engine sees it. Everything that changes a bucket goes through File, so that a simulated disk
// (sim_disk.h), a peer of the real one (posix_file.h), can record it and rebuild every state that a crash may leave.
//
// Nothing above this layer may assume that bytes or metadata written between two syncs reach the disk in order, or
// whole. A File's methods may be called from any thread.

#include <kvb/error.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace kvb::os {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

// data: enough that the bytes written so far can be read back after power loss (fdatasync).
// all: the file's metadata too; after allocate, punch and truncate (fsync).
enum class SyncKind : std::uint8_t { data, all };

enum class LockMode : std::uint8_t { shared, exclusive };

class File {
 public:
  virtual ~File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Fills `out` from `offset`. `damaged` if the file ends before: the engine never reads behind what it knows to be
  // there.
  [[nodiscard]] virtual Result<void> read(std::uint64_t offset, MutableBytes out) const = 0;

  // Writes all of `data`. `full` when the device has no space (EDQUOT and EFBIG included); some of the bytes may then
  // be in the file.
  [[nodiscard]] virtual Result<void> write(std::uint64_t offset, Bytes data) = 0;

  // After an error nothing may be assumed about what is on disk, and calling again proves nothing (the kernel forgets
  // the error).
  [[nodiscard]] virtual Result<void> sync(SyncKind kind) = 0;

  // Begins to write the range out to the device, and does not wait for it: so that a later sync finds little to do. It
  // proves nothing, and what goes wrong is told by the sync.
  virtual void begin_write_back(std::uint64_t offset, std::uint64_t length) {
    static_cast<void>(offset);
    static_cast<void>(length);
  }

  // Reserves blocks for the range and extends the file to cover it. Reads of the new part give zeros. On file systems
  // that cannot reserve, writes zeros.
  [[nodiscard]] virtual Result<void> allocate(std::uint64_t offset, std::uint64_t length) = 0;

  // Gives the blocks of the range back; it reads as zeros afterwards. Where the file system cannot, does nothing.
  [[nodiscard]] virtual Result<void> punch(std::uint64_t offset, std::uint64_t length) = 0;

  // Sets the file's length.
  [[nodiscard]] virtual Result<void> truncate(std::uint64_t size) = 0;

  [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;

  // The first byte from `offset` on that has a block on the device, as far as the file system can tell: all between
  // reads as zero. The file's length if there is none.
  [[nodiscard]] virtual Result<std::uint64_t> next_data(std::uint64_t offset) const = 0;

  // Blocks in use on the device, in bytes.
  [[nodiscard]] virtual Result<std::uint64_t> allocated_bytes() const = 0;

  // What the file may still grow by before the device, a quota of its file system or the process's limit for file sizes
  // refuses: a guess, since other programs write too, and not every quota can be asked for.
  [[nodiscard]] virtual Result<std::uint64_t> available_bytes() const = 0;

  // A read-only view of the range, which must lie inside the file. It stays valid, at the same address, until the File
  // is destroyed; later writes through this or another File of the same file show in it. Bytes that were written and
  // not changed since may be read without a lock. Reading it must be done between guard_begin/guard_end of
  // mapped_read.h, which turns a SIGBUS (bad sector, file cut from outside) into an error.
  [[nodiscard]] virtual Result<const std::byte*> map(std::uint64_t offset, std::uint64_t length) const = 0;

  // 8-byte words that are shared with other processes while they change: an aligned atomic store or load
  // (release/acquire) of a mapped page. The page must exist. A store reaches the disk at some time, or with the next
  // sync; it tears at no less than 8 bytes.
  [[nodiscard]] virtual Result<void> store_word(std::uint64_t offset, std::uint64_t value) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> load_word(std::uint64_t offset) const = 0;

  // Sleeps until wake_waiters() is called for the word, by any process, or it no longer holds `seen`, at most so long;
  // may return early. False where files cannot do that: the caller must wait by looking again.
  [[nodiscard]] virtual bool wait_for_word(std::uint64_t /*offset*/, std::uint64_t /*seen*/,
                                           std::chrono::nanoseconds /*timeout*/) const {
    return false;
  }
  // To be called after a store that others may wait for. Cheap when nobody does.
  virtual void wake_waiters(std::uint64_t /*offset*/) noexcept {}

  // Locks on single bytes far behind the file's end (≥ 2^62), owned by this File (open file description locks): they
  // end when the File is destroyed or its process dies, and two Files of one process exclude each other as two
  // processes do. try_lock: false if someone else holds it. Locking again changes the mode.
  [[nodiscard]] virtual Result<bool> try_lock(std::uint64_t byte, LockMode mode) = 0;
  [[nodiscard]] virtual Result<void> unlock(std::uint64_t byte) = 0;
  // Would an exclusive lock on any byte of [first, last] by this File be refused now, and for which byte? Takes no
  // lock.
  [[nodiscard]] virtual Result<std::optional<std::uint64_t>> first_locked(std::uint64_t first,
                                                                          std::uint64_t last) const = 0;

  [[nodiscard]] virtual const std::string& path() const noexcept = 0;

 protected:
  File() = default;
};

enum class OpenMode : std::uint8_t {
  read_only,
  read_write,
  create_new,  // read_write; `already_exists` if there is a file of that name.
};

struct ProcessInfo {
  std::int64_t pid = 0;
  std::string program;  // Short name of the running program.
  std::string host;
};

// Where files, time and randomness come from. One real one for the process (real_environment()); tests make simulated
// ones.
class Environment {
 public:
  virtual ~Environment() = default;

  // `not_found`, `permission_denied`, `already_exists`, `invalid_argument` (a directory, a device), `io_error`: each
  // with a sentence that names the path.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;

  // Makes the directory entry of a new file durable.
  [[nodiscard]] virtual Result<void> sync_directory_of(const std::string& path) = 0;
  [[nodiscard]] virtual Result<void> remove(const std::string& path) = 0;
  // Gives a file another name in the same folder; `already_exists` if there is a file of that name, which is left
  // alone.
  [[nodiscard]] virtual Result<void> rename(const std::string& from, const std::string& to) = 0;

  [[nodiscard]] virtual std::int64_t wall_clock_ns() const = 0;  // Since the Unix epoch; may jump.
  // The same, up to some milliseconds behind, and much cheaper.
  [[nodiscard]] virtual std::int64_t coarse_wall_clock_ns() const { return wall_clock_ns(); }
  [[nodiscard]] virtual std::int64_t monotonic_ns() const = 0;  // Never goes back.
  virtual void sleep(std::chrono::nanoseconds duration) = 0;    // Waits (simulated ones move their clocks).
  virtual void fill_random(MutableBytes out) = 0;               // From the operating system's generator.
  [[nodiscard]] virtual ProcessInfo process() const = 0;

  // False where timers and background threads would make runs irreproducible (simulation): the engine then does their
  // work on request only.
  [[nodiscard]] virtual bool has_background_threads() const = 0;
};

Environment& real_environment();

}  // namespace kvb::os
