#pragma once
// The free-space map: which parts of the file nobody uses. It is not stored. When a bucket is opened for writing it is
// the complement of everything that is known to be in use (head, segments, the image's pages, what is retired), so no
// place can be in use and free at once, and none is lost (R34): one truth, not two.
//
// Space is given out from the lowest place where it fits, so that the file's end can be cut. Behind the last used byte
// there is no limit but the disk's. In memory only: what is taken is not yet allocated on the disk.

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "kvb/format/layout.h"

namespace kvb::space {

// A stretch of the file, in whole pages.
struct PageRange {
  std::uint64_t paddr = 0;
  std::uint64_t pages = 0;

  [[nodiscard]] std::uint64_t bytes() const noexcept { return pages * format::kPageBytes; }
  [[nodiscard]] std::uint64_t end() const noexcept { return paddr + bytes(); }
  friend bool operator==(const PageRange&, const PageRange&) = default;
};

[[nodiscard]] inline PageRange range_of(std::uint64_t paddr, std::uint64_t bytes) noexcept {
  return {paddr, format::round_up(bytes, format::kPageBytes) / format::kPageBytes};
}

// Thread-safe.
class FreeSpace {
 public:
  // All behind the head is free.
  FreeSpace();

  // Marks a part as used. False if some of it is used already: then nothing changes.
  [[nodiscard]] bool reserve(PageRange range);

  // The lowest place with so many bytes (rounded up to pages). Never fails: the file has no end here.
  [[nodiscard]] PageRange take(std::uint64_t bytes);

  // Takes from `paddr` on what is free there, at most `most` bytes; nothing if that place is used.
  [[nodiscard]] std::optional<PageRange> take_at(std::uint64_t paddr, std::uint64_t most);

  void give_back(PageRange range);

  // First byte behind everything that is used.
  [[nodiscard]] std::uint64_t end_of_used() const;
  // Free bytes before that.
  [[nodiscard]] std::uint64_t free_bytes() const;
  [[nodiscard]] std::vector<PageRange> free_ranges() const;

 private:
  static constexpr std::uint64_t kEnd = std::uint64_t{1} << 62;  // Lock bytes lie behind.
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::uint64_t>
      free_;  // Begin → end, bytes; neighbours are joined. The last one ends at kEnd.
};

}  // namespace kvb::space
