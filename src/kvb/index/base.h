#pragma once
// The base: the index on disk as of one checkpoint (its image): hash index for lookups, key table for order, and where
// its pages lie. Immutable. Opening reads the superblock's roots and the segment table, nothing else: no pass over the
// keys.

#include <kvb/error.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "kvb/format/superblock.h"
#include "kvb/index/hash_index.h"
#include "kvb/index/key_table.h"
#include "kvb/log/segment_table.h"
#include "kvb/space/dictionary_run.h"
#include "kvb/space/retired.h"

namespace kvb::index {

class Base {
 public:
  // Opens the image that a superblock names. `damaged` if its roots are not what they should be. The file must outlive
  // it.
  [[nodiscard]] static Result<std::unique_ptr<Base>> open(const os::File& file, const format::Superblock& superblock);

  [[nodiscard]] const format::Superblock& superblock() const noexcept { return superblock_; }
  [[nodiscard]] std::uint64_t epoch() const noexcept { return superblock_.epoch; }
  // None of its records has a time to live; if not, some may have.
  [[nodiscard]] bool nothing_expires() const noexcept {
    return empty() || superblock_.nothing_expires_in == superblock_.hash_directory.paddr;
  }
  [[nodiscard]] bool empty() const noexcept { return superblock_.hash_directory.paddr == 0; }
  [[nodiscard]] const HashIndex& hashes() const noexcept { return *hashes_; }
  [[nodiscard]] const KeyTable& keys() const noexcept { return *keys_; }
  [[nodiscard]] const std::vector<log::SegmentState>& segments() const noexcept { return segments_; }
  [[nodiscard]] const std::vector<space::RetiredRange>& retired() const noexcept { return retired_; }

  // The newest last. A copy of them that is damaged is no reason not to open the image, nor are both.
  [[nodiscard]] const std::vector<space::StoredDictionary>& dictionaries() const noexcept { return dictionaries_; }
  [[nodiscard]] const std::vector<std::uint64_t>& damaged_dictionary_copies() const noexcept {
    return damaged_dictionary_copies_;  // Their places.
  }

  // The runs it consists of, and the space of each.
  struct Ranges {
    std::vector<space::PageRange> hashes, keys, tables, dictionaries;
  };
  [[nodiscard]] Ranges ranges() const;
  [[nodiscard]] std::vector<space::PageRange> retired_run_ranges() const { return retired_run_->ranges(); }
  // Bytes of all its pages.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  // Reads and checks every page of it.
  [[nodiscard]] Result<std::uint64_t> check_all_pages() const;

 private:
  Base() = default;

  format::Superblock superblock_;
  std::unique_ptr<HashIndex> hashes_;
  std::unique_ptr<KeyTable> keys_;
  std::unique_ptr<space::PageRun> segment_run_;
  std::unique_ptr<space::PageRun> retired_run_;
  std::vector<log::SegmentState> segments_;
  std::vector<space::RetiredRange> retired_;
  std::vector<space::StoredDictionary> dictionaries_;
  std::vector<std::uint64_t> damaged_dictionary_copies_;
  std::vector<space::PageRange> dictionary_ranges_;
  std::uint64_t bytes_ = 0;
};

}  // namespace kvb::index
