#pragma once
// The states in which a power cut at this moment may leave a simulated file (sim_disk.h says what may be lost).
//
// The changes since the last sync are cut into pieces: each sector of each write, each word, each change of size or
// allocation. A state is a choice of the pieces that reached the disk. If there are few pieces, all choices are made.
// Otherwise: nothing, everything, every prefix and every single omission (of changes, and of pieces), every change and
// piece alone, and random choices up to the limit.
//
// Space that was never written (allocated, or grown over) reads as zeros, or as what was there before the place was
// given back, or as a copy of another part of the file, or as noise: the state says which.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kvb/os/sim/sim_disk.h"

namespace kvb::os {

enum class StaleSpace : std::uint8_t { zeros, earlier, another_place, noise };

struct CrashImage {
  bool exists = true;            // False: the file's name was not durable and is gone.
  std::vector<std::byte> bytes;  // Reused by the next image.
  StaleSpace stale = StaleSpace::zeros;
  std::vector<std::uint8_t> kept;  // A flag for each piece.
  [[nodiscard]] std::string describe() const;
};

class CrashPoint {
 public:
  struct Limits {
    std::size_t images = 64;
    std::uint64_t seed = 1;
    bool stale_space = true;  // Without, unwritten space is always zeros.
  };

  // Copies what it needs: the disk may go on meanwhile, and be destroyed before this. There must be such a file.
  CrashPoint(const SimDisk& disk, const std::string& path);

  [[nodiscard]] std::size_t pieces() const noexcept { return pieces_.size(); }

  // Makes up to `limits.images` images, different choices, though not always of different bytes. Stops when `visit`
  // returns false. Returns how many it made.
  std::size_t for_each(const Limits& limits, const std::function<bool(const CrashImage&)>& visit) const;

  // One image again, from a description of `kept` and `stale` that an earlier run printed.
  [[nodiscard]] CrashImage image(const std::vector<std::uint8_t>& kept, StaleSpace stale) const;

 private:
  struct Piece {
    SimChange::Kind kind;
    std::size_t change;  // Index of the change it is a piece of.
    std::uint64_t offset;
    std::uint64_t length;
    const std::byte* bytes;  // In changes_; null for changes of size and allocation.
  };

  void build(CrashImage& image) const;
  void make_stale(CrashImage& image, std::uint64_t from, std::uint64_t to) const;

  SimDurable durable_;
  std::deque<SimChange> changes_;
  std::vector<Piece> pieces_;
  std::vector<std::size_t> first_piece_;  // Of each change, and one more at the end.
  bool entry_durable_ = true;
};

}  // namespace kvb::os
