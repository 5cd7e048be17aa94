#pragma once
// The simulated disk: a peer of the real one, for tests. Files live in memory; clock and randomness are the test's; and
// it remembers, for each file, what is certainly on the disk and what was only handed to it since the last sync. From
// that, crash_images.h rebuilds the states in which a power cut may leave the file.
//
// What may be lost (the model; deliberately harsher than any one file system):
//  - each write, in pieces of 512-byte sectors, and each stored word, in any subset, whatever the order they came in;
//  - each change of size, allocation, punch and truncation, likewise;
//  - sync(data) makes the bytes written so far durable, with what is needed to find them again (their blocks, a file
//    size that covers them), and no other change of metadata; sync(all) makes everything durable;
//  - a new file's name, until sync_directory_of.
// A failed sync leaves unsynced bytes in the cache, readable, while on the disk any part of them may be missing for
// ever, whatever later syncs say (Fault::Effect::lost).
//
// Everything here may be used from several threads; runs are reproducible with one.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kvb/os/file.h"
#include "kvb/os/sim/sim_memory.h"

namespace kvb::os {

// What can be made to fail, and is counted.
enum class SimCall : std::uint8_t {
  open,
  read,
  write,
  sync,
  allocate,
  punch,
  truncate,
  size,
  map,
  store_word,
  load_word,
  lock,
  sync_directory,
  remove,
  rename,
  any,  // In a Fault: whichever comes.
};
inline constexpr std::size_t kSimCalls = static_cast<std::size_t>(SimCall::any);

struct Fault {
  enum class Effect : std::uint8_t {
    none,     // The call does nothing but fail.
    partial,  // write: about half of the bytes are written first.
    lost,     // sync: a random part of what was unsynced will never reach the disk, although it can still be read.
  };
  SimCall call = SimCall::any;
  std::uint64_t skip = 0;  // So many calls of that kind succeed first.
  int error_number = 5;    // EIO.
  Effect effect = Effect::none;
  bool sticky = false;  // All later calls of that kind fail too.
};

// One change of a file that may or may not have reached the disk.
struct SimChange {
  enum class Kind : std::uint8_t { write, word, allocate, punch, truncate };
  Kind kind{};
  std::uint64_t offset = 0;
  std::uint64_t length = 0;       // For truncate: the new size is `offset`.
  std::uint64_t size_before = 0;  // Of the file.
  std::vector<std::byte> bytes;   // For write and word.
};

inline constexpr std::uint64_t kSectorBytes = 512;

// What the disk certainly holds of a file.
struct SimDurable {
  std::vector<std::byte> bytes;
  std::vector<std::uint8_t> written;  // A flag for each sector: written since it was allocated or punched.
  std::vector<std::byte> earlier;     // What was in the file's places before they were punched or cut off.

  void apply(const SimChange& change);
  void resize(std::uint64_t size);
};

class SimDisk;
class SimFile;
class SimProcess;

// A file's contents and who has locked what in it.
class SimInode {
 public:
  SimMemory memory;  // What the operating system shows: all changes so far.
  std::uint64_t size = 0;
  std::vector<bool> pages;  // Has blocks, a flag for each 4 KiB.
  bool entry_durable = false;
  bool removed = false;
  SimDurable durable;              // Kept only while the disk records.
  std::deque<SimChange> unsynced;  // Changes since, oldest first.
  struct Lock {
    const SimFile* file = nullptr;
    const SimProcess* process = nullptr;
    LockMode mode{};
  };
  std::map<std::uint64_t, std::vector<Lock>> locks;  // By byte.
};

class SimDisk {
 public:
  struct Options {
    std::uint64_t seed = 1;
    bool recording = true;                      // Without, no crash images can be made, and it is quicker.
    std::uint64_t capacity_bytes = UINT64_MAX;  // Of all files together.
    bool tells_capacity = true;                 // False: as with a quota that cannot be asked for.
    std::int64_t wall_clock_ns = std::int64_t{1'800'000'000} * 1'000'000'000;
  };

  SimDisk() : SimDisk(Options{}) {}
  explicit SimDisk(const Options& options);
  ~SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  // The process that runs the test.
  [[nodiscard]] SimProcess& environment() noexcept { return *processes_.front(); }
  // Another process on the same machine.
  SimProcess& start_process(std::int64_t pid, const std::string& program = "other");

  // Files, for the test: a durable one from bytes; the bytes the operating system shows; cutting and damaging from
  // outside.
  void put_file(const std::string& path, Bytes bytes);
  [[nodiscard]] std::vector<std::byte> contents(const std::string& path) const;
  [[nodiscard]] bool exists(const std::string& path) const;
  // Null if there is none. For crash_images.h.
  [[nodiscard]] std::shared_ptr<const SimInode> inode(const std::string& path) const;

  // Clocks.
  void set_wall_clock_ns(std::int64_t now);
  void advance(std::chrono::nanoseconds duration);  // Both clocks.
  void jump_wall_clock(std::chrono::nanoseconds duration);

  // Space.
  void set_capacity_bytes(std::uint64_t bytes);
  [[nodiscard]] std::uint64_t used_bytes() const;

  // Faults. Several may be set; each fires when its turn comes.
  void inject(const Fault& fault);
  void clear_faults();
  [[nodiscard]] std::uint64_t faults_fired() const;
  [[nodiscard]] std::uint64_t calls(SimCall call) const;  // So far; `any`: of all kinds.

  // Of all files. May be asked from an observer.
  [[nodiscard]] std::uint64_t successful_syncs() const noexcept { return successful_syncs_.load(); }

  // Called before each write, with what is going to be written where, and what the file has there (less, if it ends
  // before). For format-aware checkers; must not use the disk.
  using WriteObserver = std::function<void(const std::string& path, std::uint64_t offset, Bytes bytes, Bytes before)>;
  void observe_writes(WriteObserver observer);
  // Called before each sync, when most is unsynced: the moment for crash images. May use the disk, but not change it.
  void observe_syncs(std::function<void(const std::string& path)> observer);

  // Bytes of the range may be written once (a write that changes nothing counts too): a second write ends the program
  // with a report, because nothing after it could be trusted. forget_write_once starts over for a range.
  void declare_write_once(const std::string& path, std::uint64_t offset, std::uint64_t length);
  void forget_write_once(const std::string& path, std::uint64_t offset, std::uint64_t length);

  // Ranges that were read or mapped since the last call, if tracing is on.
  struct Access {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    bool mapped = false;
  };
  void trace_reads(bool on);
  [[nodiscard]] std::vector<Access> take_reads();

 private:
  friend class SimProcess;
  friend class SimFile;

  struct ArmedFault {
    Fault fault;
    std::uint64_t seen = 0;
    bool spent = false;
  };
  struct Fired {
    int error_number = 0;
    Fault::Effect effect = Fault::Effect::none;
  };
  struct WriteOnce {
    std::map<std::uint64_t, std::uint64_t> declared;  // Begin → end.
    std::map<std::uint64_t, std::uint64_t> written;   // Begin → end; never overlapping or touching.
  };

  // All of these are called with mutex_ held.
  [[nodiscard]] std::optional<Fired> count(SimCall call);
  [[nodiscard]] std::uint64_t random();
  [[nodiscard]] bool take_space(SimInode& inode, std::uint64_t offset, std::uint64_t length);
  void release_space(SimInode& inode, std::uint64_t offset, std::uint64_t length);
  void observe_write(const SimInode& inode, const std::string& path, std::uint64_t offset, Bytes bytes);
  void check_write_once(const std::string& path, std::uint64_t offset, std::uint64_t length);
  void apply_write(SimInode& inode, std::uint64_t offset, Bytes bytes, SimChange::Kind kind);
  void lose_unsynced(SimInode& inode);
  void make_durable(SimInode& inode, SyncKind kind);

  mutable std::mutex mutex_;
  Options options_;
  std::array<std::uint64_t, 4> random_state_{};
  std::map<std::string, std::shared_ptr<SimInode>> files_;
  std::vector<std::unique_ptr<SimProcess>> processes_;
  std::atomic<std::int64_t> wall_ns_;
  std::atomic<std::int64_t> monotonic_ns_{1'000'000'000};
  std::uint64_t used_pages_ = 0;
  std::vector<ArmedFault> faults_;
  std::uint64_t faults_fired_ = 0;
  std::atomic<std::uint64_t> successful_syncs_{0};
  std::array<std::uint64_t, kSimCalls + 1> calls_{};
  WriteObserver write_observer_;
  std::function<void(const std::string&)> sync_observer_;
  std::map<std::string, WriteOnce> write_once_;
  bool trace_reads_ = false;
  std::vector<Access> reads_;
};

// A process on the simulated machine.
class SimProcess final : public Environment {
 public:
  SimProcess(SimDisk& disk, std::int64_t pid, std::string program)
      : disk_(disk), pid_(pid), program_(std::move(program)) {}

  // As kill -9: its locks end, and every later call through its files fails and changes nothing.
  void kill();
  [[nodiscard]] bool killed() const noexcept { return killed_.load(); }

  [[nodiscard]] Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  [[nodiscard]] Result<void> sync_directory_of(const std::string& path) override;
  [[nodiscard]] Result<void> remove(const std::string& path) override;
  [[nodiscard]] Result<void> rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] std::int64_t wall_clock_ns() const override { return disk_.wall_ns_.load(); }
  [[nodiscard]] std::int64_t monotonic_ns() const override { return disk_.monotonic_ns_.load(); }
  void sleep(std::chrono::nanoseconds duration) override { disk_.advance(duration); }
  void fill_random(MutableBytes out) override;
  [[nodiscard]] ProcessInfo process() const override;
  [[nodiscard]] bool has_background_threads() const override { return false; }

 private:
  friend class SimFile;
  SimDisk& disk_;
  std::int64_t pid_;
  std::string program_;
  std::atomic<bool> killed_{false};
};

}  // namespace kvb::os
