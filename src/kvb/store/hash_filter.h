#pragma once
// Which hashes a segment's records have: a Bloom filter of two bytes a record. It may say yes of one hash in a thousand
// that is not there, and never no of one that is. For deletes and expired records, which may be dropped only if no
// other segment can hold an older record of their key (R32).

#include <cstdint>

#include "kvb/os/large_memory.h"

namespace kvb::store {

class HashFilter {
 public:
  // For so many records.
  explicit HashFilter(std::uint64_t records) : words_(records / 4 + 1) {}

  void add(std::uint64_t hash) noexcept {
    for (int i = 0; i < kProbes; ++i, hash = next(hash)) words_[place(hash)] |= bit(hash);
  }
  [[nodiscard]] bool may_hold(std::uint64_t hash) const noexcept {
    for (int i = 0; i < kProbes; ++i, hash = next(hash)) {
      if ((words_[place(hash)] & bit(hash)) == 0) return false;
    }
    return true;
  }
  [[nodiscard]] std::uint64_t memory_bytes() const noexcept { return words_.size() * sizeof(std::uint64_t); }

 private:
  static constexpr int kProbes = 6;
  __extension__ using Wide = unsigned __int128;
  [[nodiscard]] std::size_t place(std::uint64_t hash) const noexcept {
    return static_cast<std::size_t>((static_cast<Wide>(hash) * words_.size()) >> 64);
  }
  [[nodiscard]] static std::uint64_t bit(std::uint64_t hash) noexcept { return std::uint64_t{1} << (hash & 63); }
  [[nodiscard]] static std::uint64_t next(std::uint64_t hash) noexcept {
    hash ^= hash >> 32;
    hash *= 0xD6E8'FEB8'6659'FD93ull;
    return hash ^ (hash >> 29);
  }

  os::LargeVector<std::uint64_t> words_;
};

}  // namespace kvb::store
