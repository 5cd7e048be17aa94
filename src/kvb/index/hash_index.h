#pragma once
// The base's hash index on disk: from a key's hash to the place of its newest record, as of one checkpoint. Immutable;
// a checkpoint writes a new one by merging (R13).
//
// Slots are 16 bytes, {hash64, paddr}, in the order of the hash over the whole index. A hash's page is hash × P / 2^64
// (P pages), so the pages follow the same order and an index is written, and merged, as one stream. Inside a page the
// slots are sorted, which is the order that Robin Hood probing with multiply-shift homes settles in: the place of a
// hash is guessed from the fraction of the product and lies a few slots away.
//
// P is chosen so that pages are about four fifths full. A page that gets more than its 252 slots goes on in an overflow
// page behind the P pages (header.link), and so on: however many keys share one hash, they all have room.

#include <kvb/error.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "kvb/space/page_run.h"

namespace kvb::index {

struct Slot {
  std::uint64_t hash = 0;
  std::uint64_t paddr = 0;

  friend bool operator==(const Slot&, const Slot&) = default;
};

inline constexpr std::size_t kSlotBytes = 16;
inline constexpr std::size_t kSlotsPerPage = format::kPagePayloadBytes / kSlotBytes;  // 252

// The number of pages for so many slots.
[[nodiscard]] std::uint64_t hash_pages_for(std::uint64_t slots) noexcept;

__extension__ using Uint128 = unsigned __int128;

// The page of a hash, out of so many.
[[nodiscard]] inline std::uint64_t hash_page(std::uint64_t hash, std::uint64_t pages) noexcept {
  return static_cast<std::uint64_t>((static_cast<Uint128>(hash) * pages) >> 64);
}

class HashIndexWriter {
 public:
  // `slots` is how many will come at most; it decides the number of pages.
  HashIndexWriter(space::PageRunWriter& run, std::uint64_t slots);

  // Slots must come in the order of their hashes.
  [[nodiscard]] Result<void> add(const Slot& slot);
  [[nodiscard]] Result<void> finish();
  [[nodiscard]] std::uint64_t slots() const noexcept { return slots_; }
  // To be kept beside the root: readers need it to find a hash's page.
  [[nodiscard]] std::uint64_t pages() const noexcept { return pages_; }

 private:
  [[nodiscard]] Result<void> write_pages_before(std::uint64_t page);

  space::PageRunWriter* run_;
  std::uint64_t pages_;
  std::uint64_t current_ = 0;  // The page in the making.
  std::vector<Slot> in_page_;
  std::uint64_t slots_ = 0;
  std::uint64_t last_hash_ = 0;
  std::vector<std::vector<Slot>> overflow_;  // Pages that come behind the P pages, in order.
};

class HashIndex {
 public:
  // `pages` as given by the writer.
  HashIndex(std::unique_ptr<space::PageRun> run, std::uint64_t pages)
      : run_(std::move(run)), pages_(pages), counts_(std::make_unique<std::atomic<std::uint16_t>[]>(pages)) {}

  // Calls `visit(paddr)` for each slot of this hash until it returns false. Thread-safe.
  template <typename Visit>
  [[nodiscard]] Result<void> find(std::uint64_t hash, Visit&& visit) const {
    Search search{.hash = hash, .page = hash_page(hash, pages_)};
    do {
      if (auto read = read_some(search); !read) return read;
      for (std::size_t i = 0; i < search.count; ++i) {
        if (!visit(search.found[i])) return {};
      }
    } while (!search.done);
    return {};
  }

  // The only place of this hash, if that can be told from one page that was checked before; else `unsure`. Reads the
  // mapping: to be called, and believed, under a MappedGuard. Thread-safe.
  enum class Quick : std::uint8_t { none, one, unsure };
  [[nodiscard]] Quick find_quickly(std::uint64_t hash, std::uint64_t& paddr) const noexcept;

  // Asks the processor for the slot where `find` would look first. Thread-safe.
  void prefetch(std::uint64_t hash) const noexcept;

  // Calls `visit` for every slot, in the order of the hashes.
  [[nodiscard]] Result<void> for_each(const std::function<Result<void>(const Slot&)>& visit) const;

  // The slots of one of the P pages, its overflow pages included.
  [[nodiscard]] Result<std::vector<Slot>> slots_of_page(std::uint64_t page) const;

  [[nodiscard]] std::uint64_t pages() const noexcept { return pages_; }
  [[nodiscard]] const space::PageRun& run() const noexcept { return *run_; }

 private:
  // A lookup that goes on: a page can hold more slots of one hash than are given at once, and may have overflow pages.
  struct Search {
    std::uint64_t hash;
    std::uint64_t page;
    std::size_t skip = 0;  // Slots of this hash in this page that were given already.
    std::uint64_t steps = 0;
    std::array<std::uint64_t, 8> found{};
    std::size_t count = 0;
    bool done = false;
  };
  [[nodiscard]] Result<void> read_some(Search& search) const;

  // The slots of a page, if it was read before and needs no overflow page; else 0. So that a lookup needs not touch the
  // page's header, which lies in another cache line than the slot.
  [[nodiscard]] std::size_t known_count(std::uint64_t page) const noexcept {
    return counts_[page].load(std::memory_order_acquire);
  }

  std::unique_ptr<space::PageRun> run_;
  std::uint64_t pages_;
  mutable std::unique_ptr<std::atomic<std::uint16_t>[]> counts_;
};

}  // namespace kvb::index
