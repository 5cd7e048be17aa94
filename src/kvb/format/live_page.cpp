#include "kvb/format/live_page.h"

#include <algorithm>
#include <cstring>

#include "kvb/format/crc32c.h"
#include "kvb/format/endian.h"

namespace kvb::format {
namespace {

enum Offset : std::size_t { kPidAt = 0, kSinceAt = 8, kProgramAt = 16, kHostAt = 80, kCrcAt = 508 };
constexpr std::size_t kNameBytes = 64;

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
