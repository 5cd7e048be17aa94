#include "kvb/os/sim/crash_images.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <utility>

namespace kvb::os {
namespace {

// So many sectors of each unwritten run are filled with something other than zeros: enough to be read as a record or a
// header, and quick for runs of megabytes.
constexpr std::uint64_t kStaleSectors = 16;

std::uint64_t mix(std::uint64_t value) {
  value = (value ^ value >> 31) * 0x7FB5D329728EA185u;
  value = (value ^ value >> 27) * 0x81DADEF4BC2DD44Du;
  return value ^ value >> 33;
}

}  // namespace

std::string CrashImage::describe() const {
  if (!exists) return "the file's name was lost";
  static constexpr const char* kNames[] = {"zeros", "earlier contents", "copies of another place", "noise"};
  std::string text = "kept ";
  for (const auto flag : kept) text += flag != 0 ? '1' : '0';
  return text + ", unwritten space: " + kNames[static_cast<std::size_t>(stale)];
}

CrashPoint::CrashPoint(const SimDisk& disk, const std::string& path) {
  const auto inode = disk.inode(path);
  if (!inode) return;
  durable_ = inode->durable;
  changes_ = inode->unsynced;
  entry_durable_ = inode->entry_durable;
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    const SimChange& change = changes_[i];
    first_piece_.push_back(pieces_.size());
    const std::uint64_t end = change.offset + change.length;
    if (change.kind != SimChange::Kind::write) {
      pieces_.push_back({.kind = change.kind,
                         .change = i,
                         .offset = change.offset,
                         .length = change.length,
                         .bytes = change.kind == SimChange::Kind::word ? change.bytes.data() : nullptr});
      continue;
    }
    // The new size may reach the disk without the bytes.
    if (end > change.size_before) {
      pieces_.push_back({.kind = SimChange::Kind::allocate,
                         .change = i,
                         .offset = change.size_before,
                         .length = end - change.size_before,
                         .bytes = nullptr});
    }
    for (std::uint64_t at = change.offset; at < end;) {
      const std::uint64_t stop = std::min((at / kSectorBytes + 1) * kSectorBytes, end);
      pieces_.push_back({.kind = SimChange::Kind::write,
                         .change = i,
                         .offset = at,
                         .length = stop - at,
                         .bytes = change.bytes.data() + (at - change.offset)});
      at = stop;
    }
  }
  first_piece_.push_back(pieces_.size());
}

// Fills the sectors that lie wholly in [from, to), none of which was ever written.
void CrashPoint::make_stale(CrashImage& image, std::uint64_t from, std::uint64_t to) const {
  if (image.stale == StaleSpace::zeros) return;
  std::uint64_t done = 0;
  for (std::uint64_t at = (from + kSectorBytes - 1) / kSectorBytes * kSectorBytes;
       at + kSectorBytes <= to && done < kStaleSectors; at += kSectorBytes, ++done) {
    std::byte* const sector = image.bytes.data() + at;
    switch (image.stale) {
      case StaleSpace::zeros:
        break;
      case StaleSpace::earlier:
        if (at + kSectorBytes <= durable_.earlier.size()) {
          std::memcpy(sector, durable_.earlier.data() + at, kSectorBytes);
        }
        break;
      case StaleSpace::another_place: {
        // Runs of sectors, as they stood: whole old records with their order.
        const std::uint64_t sectors = durable_.bytes.size() / kSectorBytes;
        if (sectors == 0) break;
        const std::uint64_t source = (mix(from + 1) + done) % sectors;
        if (durable_.written[source] != 0) {
          std::memmove(sector, durable_.bytes.data() + source * kSectorBytes, kSectorBytes);
        }
        break;
      }
      case StaleSpace::noise:
        for (std::uint64_t k = 0; k < kSectorBytes; k += 8) {
          const std::uint64_t word = mix(at + k + 1);
          std::memcpy(sector + k, &word, 8);
        }
        break;
    }
  }
}

void CrashPoint::build(CrashImage& image) const {
  image.exists = true;
  auto& bytes = image.bytes;
  bytes.assign(durable_.bytes.begin(), durable_.bytes.end());
  std::vector<std::uint8_t> written = durable_.written;
  const auto grow = [&](std::uint64_t size) {
    const std::uint64_t before = bytes.size();
    if (size <= before) return;
    bytes.resize(size);
    written.resize((size + kSectorBytes - 1) / kSectorBytes);
    make_stale(image, before, size);
  };
  // What is durable but unwritten may show old contents, too: file systems that cannot punch do nothing.
  if (image.stale != StaleSpace::zeros) {
    for (std::size_t sector = 0; sector < written.size();) {
      if (written[sector] != 0) {
        ++sector;
        continue;
      }
      const std::size_t first = sector;
      while (sector < written.size() && written[sector] == 0) ++sector;
      make_stale(image, first * kSectorBytes, std::min<std::uint64_t>(sector * kSectorBytes, bytes.size()));
    }
  }
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    if (image.kept[i] == 0) continue;
    const Piece& piece = pieces_[i];
    const std::uint64_t end = piece.offset + piece.length;
    switch (piece.kind) {
      case SimChange::Kind::write:
      case SimChange::Kind::word: {
        grow(end);
        const std::uint64_t sector = piece.offset / kSectorBytes;
        if (written[sector] == 0) {
          const std::uint64_t start = sector * kSectorBytes;
          std::memset(bytes.data() + start, 0, std::min(kSectorBytes, bytes.size() - start));
          written[sector] = 1;
        }
        std::memcpy(bytes.data() + piece.offset, piece.bytes, piece.length);
        break;
      }
      case SimChange::Kind::allocate:
        grow(end);
        break;
      case SimChange::Kind::punch: {
        if (image.stale == StaleSpace::earlier) break;  // A file system that cannot punch.
        const std::uint64_t stop = std::min<std::uint64_t>(end, bytes.size());
        if (piece.offset < stop) std::memset(bytes.data() + piece.offset, 0, stop - piece.offset);
        break;
      }
      case SimChange::Kind::truncate:
        if (piece.offset > bytes.size()) {
          grow(piece.offset);
        } else {
          bytes.resize(piece.offset);
          written.resize((piece.offset + kSectorBytes - 1) / kSectorBytes);
        }
        break;
    }
  }
}

CrashImage CrashPoint::image(const std::vector<std::uint8_t>& kept, StaleSpace stale) const {
  CrashImage made;
  made.kept = kept;
  made.kept.resize(pieces_.size());
  made.stale = stale;
  build(made);
  return made;
}

std::size_t CrashPoint::for_each(const Limits& limits, const std::function<bool(const CrashImage&)>& visit) const {
  const std::size_t count = pieces_.size();
  const std::size_t changes = changes_.size();
  std::mt19937_64 random(limits.seed);
  std::size_t made = 0;
  CrashImage image;
  image.kept.assign(count, 0);

  // False when enough have been made.
  const auto emit = [&](StaleSpace stale) {
    if (made >= limits.images) return false;
    image.stale = limits.stale_space ? stale : StaleSpace::zeros;
    build(image);
    ++made;
    return visit(image);
  };
  const auto any_stale = [&] { return static_cast<StaleSpace>(random() % 8 < 4 ? 0 : random() % 4); };
  const auto set_all = [&](std::uint8_t flag) { std::ranges::fill(image.kept, flag); };
  const auto set_change = [&](std::size_t change, std::uint8_t flag) {
    for (std::size_t i = first_piece_[change]; i < first_piece_[change + 1]; ++i) image.kept[i] = flag;
  };

  if (!entry_durable_) {
    CrashImage absent;
    absent.exists = false;
    if (made++ >= limits.images || !visit(absent)) return made;
  }
  if (!emit(StaleSpace::zeros)) return made;
  if (limits.stale_space) {
    for (const auto stale : {StaleSpace::another_place, StaleSpace::noise, StaleSpace::earlier}) {
      if (!emit(stale)) return made;
    }
  }
  if (count == 0) return made;
  set_all(1);
  if (!emit(StaleSpace::zeros)) return made;
  if (limits.stale_space) {
    for (const auto stale : {StaleSpace::another_place, StaleSpace::noise, StaleSpace::earlier}) {
      if (!emit(stale)) return made;
    }
  }

  if (count < 20 && (std::size_t{1} << count) + 8 <= limits.images) {
    for (std::size_t choice = 1; choice + 1 < std::size_t{1} << count; ++choice) {
      for (std::size_t i = 0; i < count; ++i) image.kept[i] = static_cast<std::uint8_t>(choice >> i & 1u);
      if (!emit(any_stale())) return made;
    }
    while (limits.stale_space && made < limits.images) {
      for (auto& flag : image.kept) flag = static_cast<std::uint8_t>(random() & 1u);
      if (!emit(static_cast<StaleSpace>(random() % 4)) || made >= 2 * (std::size_t{1} << count)) return made;
    }
    return made;
  }

  // The systematic choices, in a random order, so that a small limit still meets all kinds.
  enum class Shape : std::uint8_t { prefix, omission, alone };
  struct Choice {
    Shape shape;
    bool of_changes;
    std::size_t index;
  };
  std::vector<Choice> choices;
  for (const bool of_changes : {true, false}) {
    for (std::size_t i = 0; i < (of_changes ? changes : count); ++i) {
      for (const auto shape : {Shape::prefix, Shape::omission, Shape::alone}) choices.push_back({shape, of_changes, i});
    }
  }
  std::ranges::shuffle(choices, random);
  // At least a third of the images are random choices.
  if (choices.size() > limits.images * 2 / 3) choices.resize(limits.images * 2 / 3);
  for (const auto& [shape, of_changes, index] : choices) {
    set_all(shape == Shape::omission ? 1 : 0);
    const auto set = [&](std::size_t at, std::uint8_t flag) {
      if (of_changes) {
        set_change(at, flag);
      } else {
        image.kept[at] = flag;
      }
    };
    if (shape == Shape::prefix) {
      for (std::size_t at = 0; at <= index; ++at) set(at, 1);
    } else {
      set(index, shape == Shape::alone ? 1 : 0);
    }
    if (!emit(any_stale())) return made;
  }
  while (made < limits.images) {
    // Keep few, half, or most of the pieces; now and then whole changes up to some point, and pieces behind it.
    const std::uint64_t chance = 1 + random() % 15;
    const std::size_t whole = random() % 3 == 0 ? random() % (changes + 1) : 0;
    for (auto& flag : image.kept) flag = static_cast<std::uint8_t>(random() % 16 < chance);
    for (std::size_t change = 0; change < whole; ++change) set_change(change, 1);
    if (!emit(any_stale())) return made;
  }
  return made;
}

}  // namespace kvb::os
