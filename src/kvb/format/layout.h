#pragma once
// Where things lie in a bucket file, and the small types that name places in it. docs/FORMAT.md is the normative text;
// the numbers here are its tables.

#include <array>
#include <cstddef>
#include <cstdint>

#include "kvb/os/file.h"

namespace kvb::format {

using os::Bytes;
using os::MutableBytes;

inline constexpr std::uint32_t kPageBytes = 4096;
inline constexpr std::uint64_t kHeadBytes = 64 * 1024;

// The head's pages.
inline constexpr std::uint64_t kSuperblockAOffset = 0x0000;
inline constexpr std::uint64_t kLivePageOffset = 0x1000;
inline constexpr std::uint64_t kIdentityOffset = 0x2000;
inline constexpr std::uint64_t kActivityOffset = 0x4000;
inline constexpr std::uint64_t kSuperblockBOffset = 0xF000;

inline constexpr std::uint16_t kVersionMajor = 1;
inline constexpr std::uint16_t kVersionMinor = 0;

// Segments.
inline constexpr std::uint64_t kMinSegmentBytes = 16 * 1024;
inline constexpr std::uint64_t kMaxSegmentBytes =
    64 * 1024 * 1024;                                           // A larger batch or value gets a segment of its own.
inline constexpr std::uint64_t kLargeValueBytes = 1024 * 1024;  // A larger value gets a segment of its own.

// Lock bytes lie far behind any file's end (2^62 and above), so that they can never cover data.
inline constexpr std::uint64_t kPinLockBase = std::uint64_t{1} << 62;  // + epoch: a reader's pin.
// + epoch: beside a pin, by a reader that must be waited for whatever its age.
inline constexpr std::uint64_t kPatientLockBase = kPinLockBase + (std::uint64_t{1} << 60);
inline constexpr std::uint64_t kWriterLockByte = kPinLockBase + (std::uint64_t{1} << 61);
// Taken by the writer once it has published what it found, before it appends anything.
inline constexpr std::uint64_t kAppendLockByte = kWriterLockByte + 1;

using Uuid = std::array<std::byte, 16>;

// Names one life of a segment: a segment header counts only if it equals the link that led to it.
struct SegmentLink {
  std::uint64_t id = 0;
  std::uint64_t paddr = 0;  // Byte offset of the segment's header in the file; a multiple of the page size.
  std::uint64_t salt = 0;   // Random, fresh for every life.

  friend bool operator==(const SegmentLink&, const SegmentLink&) = default;
};

[[nodiscard]] constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) noexcept {
  return (value + unit - 1) / unit * unit;
}

}  // namespace kvb::format
