#pragma once
// A page run: a numbered sequence of immutable pages on disk, the form of every structure of an image. Written in one
// pass, then read by number.
//
//   superblock root ──► root pages: one entry an extent {paddr, pages, checksum of its first page}
//   extent: [ checksums of the data pages | data page | data page | … ]     up to 1008 data pages, 4 MiB
//
// Every extent but the last is full, so a page's place follows from its number without reading anything. The root pages
// lie side by side and the superblock holds one checksum over all of them; they are read when the run is opened (16
// bytes for 4 MiB of pages). The other pages are checked when they are first touched: the extent's checksum page
// against the root, the page against that. What was checked once is remembered; it cannot change under an opener,
// because pages are immutable and their space is reused only when nobody can read the image any more (R15).

#include <kvb/error.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "kvb/format/page.h"
#include "kvb/format/superblock.h"
#include "kvb/os/file.h"
#include "kvb/os/large_memory.h"
#include "kvb/space/free_space.h"

namespace kvb::space {

inline constexpr std::uint64_t kExtentDataPages = format::kPagePayloadBytes / sizeof(std::uint32_t);  // 1008
inline constexpr std::size_t kExtentEntryBytes = 16;
inline constexpr std::uint64_t kExtentsPerRootPage = format::kPagePayloadBytes / kExtentEntryBytes;  // 252

// Gives the place of so many pages side by side.
using AllocatePages = std::function<Result<std::uint64_t>(std::uint64_t pages)>;

class PageRunWriter {
 public:
  // `pace`, if given, is called after each extent: it may sync, so that little unwritten data piles up.
  PageRunWriter(os::File& file, const format::Uuid& uuid, std::uint64_t epoch, AllocatePages allocate,
                std::function<Result<void>()> pace = {});

  // Adds the next page; gives its number. `payload` is at most kPagePayloadBytes long.
  [[nodiscard]] Result<std::uint64_t> add(format::PageType type, std::uint32_t count, std::uint32_t link,
                                          os::Bytes payload);
  [[nodiscard]] std::uint64_t pages() const noexcept { return next_page_; }

  // Writes what is left, and the root. Nothing is synced. A run without pages has no root.
  [[nodiscard]] Result<format::Root> finish();

  // Everything it has taken, root pages included.
  [[nodiscard]] const std::vector<PageRange>& taken() const noexcept { return taken_; }

 private:
  [[nodiscard]] Result<void> write_extent();

  os::File* file_;
  format::Uuid uuid_;
  std::uint64_t epoch_;
  AllocatePages allocate_;
  std::function<Result<void>()> pace_;
  std::uint64_t next_page_ = 0;
  os::LargeVector<std::byte> extent_;  // The extent in the making: its checksum page and its data pages.
  std::uint64_t extent_first_ = 0;
  struct ExtentEntry {
    std::uint64_t paddr;
    std::uint32_t pages;
    std::uint32_t crc;
  };
  std::vector<ExtentEntry> entries_;
  std::vector<PageRange> taken_;
};

class PageRun {
 public:
  // Reads and checks the root pages. `epoch` is the superblock's. A root with paddr 0 is an empty run.
  [[nodiscard]] static Result<std::unique_ptr<PageRun>> open(const os::File& file, const format::Uuid& uuid,
                                                             const format::Root& root, std::uint64_t epoch);

  [[nodiscard]] std::uint64_t pages() const noexcept { return pages_; }

  // The page, header included, kPageBytes long; it stays valid as long as the file. `damaged` if it is not what it
  // should be. May be called by many threads.
  [[nodiscard]] Result<const std::byte*> page(std::uint64_t number, format::PageType type) const;

  // Checks a page whether or not it was checked before.
  [[nodiscard]] Result<void> check_again(std::uint64_t number) const;

  // The page if it was checked before, else null. Touches nothing of it.
  [[nodiscard]] const std::byte* page_if_checked(std::uint64_t number) const noexcept {
    if (number >= pages_) return nullptr;
    const Extent& extent = extents_[number / kExtentDataPages];
    const std::uint64_t index = number % kExtentDataPages + 1;
    if ((extent.seen[index / 64].load(std::memory_order_acquire) >> (index % 64) & 1) == 0) return nullptr;
    return extent.data + index * format::kPageBytes;
  }

  [[nodiscard]] const std::string& path() const noexcept { return file_->path(); }

  // All space of the run, root pages included.
  [[nodiscard]] std::vector<PageRange> ranges() const;

 private:
  struct Extent {
    std::uint64_t paddr;
    std::uint64_t pages;
    std::uint32_t crc;
    const std::byte* data = nullptr;  // Mapped.
    std::unique_ptr<std::atomic<std::uint64_t>[]>
        seen;  // A bit for each page that was checked, the checksum page first.
  };

  PageRun(const os::File& file, const format::Uuid& uuid, std::uint64_t epoch)
      : file_(&file), uuid_(uuid), epoch_(epoch) {}
  [[nodiscard]] Result<void> check(const Extent& extent, std::uint64_t index, format::PageType type,
                                   std::uint64_t logical_id, std::uint32_t crc) const;

  const os::File* file_;
  format::Uuid uuid_;
  std::uint64_t epoch_;
  format::Root root_;
  std::uint64_t pages_ = 0;
  std::vector<Extent> extents_;
};

}  // namespace kvb::space
