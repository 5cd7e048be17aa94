#include "kvb/format/live_page.h"

#include <algorithm>
#include <cstring>

#include "kvb/format/crc32c.h"
#include "kvb/format/endian.h"

namespace kvb::format {
namespace {

enum Offset : std::size_t { kPidAt = 0, kSinceAt = 8, kProgramAt = 16, kHostAt = 80, kCrcAt = 508 };
constexpr std::size_t kNameBytes = 64;
constexpr std::size_t kFlipTimeBytes = 16;
static_assert(kMostFlipTimes * kFlipTimeBytes <= kCrcAt);

void store_name(std::byte* at, std::string_view name) noexcept {
  const std::size_t length = std::min(name.size(), kNameBytes - 1);
  std::memcpy(at, name.data(), length);
}

std::string load_name(const std::byte* at) {
  const char* text = reinterpret_cast<const char*>(at);
  return {text, strnlen(text, kNameBytes)};
}

}  // namespace

void encode_holder(const Holder& holder, std::span<std::byte, kHolderBytes> block) noexcept {
  std::ranges::fill(block, std::byte{0});
  std::byte* p = block.data();
  store_le(p + kPidAt, holder.pid);
  store_le(p + kSinceAt, holder.since_ns);
  store_name(p + kProgramAt, holder.program);
  store_name(p + kHostAt, holder.host);
  store_le(p + kCrcAt, crc32c_extend(0, block.first(kCrcAt)));
}

std::optional<Holder> decode_holder(std::span<const std::byte, kHolderBytes> block) {
  const std::byte* p = block.data();
  if (load_le<std::uint32_t>(p + kCrcAt) != crc32c_extend(0, block.first(kCrcAt))) return std::nullopt;
  return Holder{.pid = load_le<std::int64_t>(p + kPidAt),
                .since_ns = load_le<std::int64_t>(p + kSinceAt),
                .program = load_name(p + kProgramAt),
                .host = load_name(p + kHostAt)};
}

void encode_flip_times(std::span<const FlipTime> times, std::span<std::byte, kFlipTimesBytes> block) noexcept {
  std::ranges::fill(block, std::byte{0});
  std::byte* p = block.data();
  for (const FlipTime& time : times.first(std::min(times.size(), kMostFlipTimes))) {
    store_le(p, time.epoch);
    store_le(p + 8, time.at_ns);
    p += kFlipTimeBytes;
  }
  store_le(block.data() + kCrcAt, crc32c_extend(0, block.first(kCrcAt)));
}

std::vector<FlipTime> decode_flip_times(std::span<const std::byte, kFlipTimesBytes> block) {
  const std::byte* p = block.data();
  if (load_le<std::uint32_t>(p + kCrcAt) != crc32c_extend(0, block.first(kCrcAt))) return {};
  std::vector<FlipTime> times;
  for (; times.size() < kMostFlipTimes; p += kFlipTimeBytes) {
    const FlipTime time{.epoch = load_le<std::uint64_t>(p), .at_ns = load_le<std::int64_t>(p + 8)};
    if (time.epoch == 0) break;
    if (!times.empty() && (time.epoch <= times.back().epoch || time.at_ns < times.back().at_ns)) return {};
    times.push_back(time);
  }
  return times;
}

Result<void> store_checked_word(os::File& file, std::uint64_t offset, std::uint64_t value) {
  if (auto stored = file.store_word(offset, value); !stored) return stored;
  return file.store_word(offset + kComplementDistance, ~value);
}

Result<std::optional<std::uint64_t>> load_checked_word(const os::File& file, std::uint64_t offset) {
  auto value = file.load_word(offset);
  if (!value) return std::unexpected(value.error());
  auto complement = file.load_word(offset + kComplementDistance);
  if (!complement) return std::unexpected(complement.error());
  if (*complement != ~*value) return std::optional<std::uint64_t>{};
  return std::optional{*value};
}

}  // namespace kvb::format
