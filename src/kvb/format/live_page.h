#pragma once
// The live page: words that change with every commit, and who writes. Nothing in it is needed to open a bucket.
//
// Each word is one aligned 64-bit store, so another process reads either the old or the new value. Its complement lies
// beside it: after a crash a word is believed only if both fit, because the two stores may have reached the disk
// separately.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kvb/format/layout.h"

namespace kvb::format {

// Byte offsets in the file.
inline constexpr std::uint64_t kPublishedWord = kLivePageOffset + 0;    // Newest seqno that readers may see.
inline constexpr std::uint64_t kSyncedWord = kLivePageOffset + 16;      // Newest seqno known to survive power loss.
inline constexpr std::uint64_t kEpochWord = kLivePageOffset + 32;       // Epoch of the newest durable superblock.
inline constexpr std::uint64_t kExpiredWord = kLivePageOffset + 48;     // Pins on lower epochs do not count any more.
inline constexpr std::uint64_t kComplementDistance = 8;                 // The complement follows its word.
inline constexpr std::uint64_t kHolderOffset = kLivePageOffset + 1024;  // Who writes: in a sector of its own.
inline constexpr std::size_t kHolderBytes = 512;
inline constexpr std::uint64_t kFlipTimesOffset = kLivePageOffset + 2048;  // Since when images are outdated.
inline constexpr std::size_t kFlipTimesBytes = 512;
inline constexpr std::size_t kMostFlipTimes = 31;

// Who holds (or last held) the writer's lock. Informative: the lock itself is what counts.
struct Holder {
  std::int64_t pid = 0;
  std::int64_t since_ns = 0;  // Wall clock.
  std::string program;        // Cut to 63 bytes.
  std::string host;           // Cut to 63 bytes.
};

void encode_holder(const Holder& holder, std::span<std::byte, kHolderBytes> block) noexcept;
[[nodiscard]] std::optional<Holder> decode_holder(std::span<const std::byte, kHolderBytes> block);

// When an image became the newest, so that the next writer knows how long a reader has been behind.
struct FlipTime {
  std::uint64_t epoch = 0;
  std::int64_t at_ns = 0;  // Monotonic clock. It begins anew with the system, but so do the readers.
  friend bool operator==(const FlipTime&, const FlipTime&) = default;
};

// At most kMostFlipTimes, in rising order of both.
void encode_flip_times(std::span<const FlipTime> times, std::span<std::byte, kFlipTimesBytes> block) noexcept;
// Nothing if they were never stored, or not whole.
[[nodiscard]] std::vector<FlipTime> decode_flip_times(std::span<const std::byte, kFlipTimesBytes> block);

// Stores a word and its complement, or reads them: nothing if they do not fit.
[[nodiscard]] Result<void> store_checked_word(os::File& file, std::uint64_t offset, std::uint64_t value);
[[nodiscard]] Result<std::optional<std::uint64_t>> load_checked_word(const os::File& file, std::uint64_t offset);

}  // namespace kvb::format
