#pragma once
// Reading a mapped file without dying of it. When a page of a mapping cannot be had (a bad sector, a file cut short
// from outside, a full device under a store), the kernel raises SIGBUS in the reading thread. Inside a MappedGuard that
// becomes an error; see mapped_read.cpp for how.
//
//   auto done = guarded(file.path(), offset, bytes, length, [&] { std::memcpy(out, bytes, length); });
//
// The function reads only from [bytes, bytes + length), writes only to its own variables, does not throw, and gives the
// same when called again: what it read is believed only if `guarded` succeeds, and it may be called several times.

#include <kvb/error.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace kvb::os {

namespace detail {

// Faults that were papered over with zeros and not yet put right, and how many there ever were. While the first is not
// zero, or if the second has changed, a reader cannot know whether it has read the file or the zeros.
extern std::atomic<std::uint64_t> faults_open;
extern std::atomic<std::uint64_t> faults_ever;

}  // namespace detail

// The range that this thread may now read (or store words to) through a mapping. Guards nest. A range that is larger
// than any mapping stands for "wherever": faults in it are then handled page by page.
class MappedGuard {
 public:
  MappedGuard(const std::byte* begin, std::size_t length) noexcept;
  ~MappedGuard();
  MappedGuard(const MappedGuard&) = delete;
  MappedGuard& operator=(const MappedGuard&) = delete;

  enum class Verdict : std::uint8_t {
    good,      // What was read so far is what the file holds.
    doubtful,  // Another thread met a fault at the same time: read again.
    fault,     // This thread met one.
  };
  [[nodiscard]] Verdict verdict() const noexcept;

  // How far from `begin` the first fault was, after Verdict::fault.
  [[nodiscard]] std::size_t fault_distance() const noexcept;

 private:
  friend struct MappedGuardAccess;
  std::uintptr_t begin_;
  std::uintptr_t end_;
  // What was replaced by zeros lies in [fault_, fault_end_); 0 if nothing was.
  std::atomic<std::uintptr_t> fault_{0};
  std::atomic<std::uintptr_t> fault_end_{0};
  std::uint64_t faults_ever_at_begin_;
  MappedGuard* outer_;
};

// As a length: wherever a mapping is.
inline constexpr std::size_t kAnywhere = SIZE_MAX;

inline constexpr int kMappedReadTries = 64;

// Waits a moment before the next try.
void mapped_read_pause(int tries_so_far) noexcept;

[[nodiscard]] std::unexpected<Error> mapped_read_failure(const std::string& path, std::uint64_t offset_bytes);

template <typename Function>
[[nodiscard]] Result<void> guarded(const std::string& path, std::uint64_t offset_bytes, const std::byte* begin,
                                   std::size_t length, Function&& read) {
  for (int tries = 0; tries < kMappedReadTries; ++tries) {
    const MappedGuard guard(begin, length);
    read();
    switch (guard.verdict()) {
      case MappedGuard::Verdict::good:
        return {};
      case MappedGuard::Verdict::fault:
        return mapped_read_failure(path, offset_bytes + guard.fault_distance());
      case MappedGuard::Verdict::doubtful:
        mapped_read_pause(tries);
        break;
    }
  }
  return mapped_read_failure(path, offset_bytes);
}

// Tells the guard where mappings come from, so that the zeros can be replaced by the file again. Installs the handler
// at the first call. The descriptor must stay open until unregister_mapping.
void register_mapping(const std::byte* base, std::size_t length, int fd, std::uint64_t file_offset, bool writable);
void unregister_mapping(const std::byte* base) noexcept;

}  // namespace kvb::os
