// The binary form.

#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <utility>

#include "dump.h"
#include "text.h"

namespace kvb::cli {
namespace {

constexpr std::size_t kNumbersBytes = 16;  // Of a block's head; the digest is behind them.
constexpr std::size_t kDigestBytes = 16;
constexpr std::size_t kRecordHeadBytes = 24;
constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
constexpr std::uint64_t kBlockRecords = 1000;
static_assert(kNumbersBytes + kDigestBytes == kBlockHeadBytes);

template <typename Number>
void append_number(std::string& out, Number number) {
  for (std::size_t i = 0; i < sizeof number; ++i) out += static_cast<char>(number >> (8 * i) & 0xFF);
}

template <typename Number>
Number number_at(std::string_view bytes, std::size_t offset) noexcept {
  Number number = 0;
  for (std::size_t i = sizeof number; i-- > 0;) {
    number = static_cast<Number>(number << 8 | static_cast<unsigned char>(bytes[offset + i]));
  }
  return number;
}

// BLAKE2b with 16 bytes, which every language has.
std::string digest_of(std::string_view numbers, std::string_view payload) {
  std::array<unsigned char, kDigestBytes> digest{};
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, digest.size());
  for (const std::string_view part : {numbers, payload}) {
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(part.data()), part.size());
  }
  crypto_generichash_final(&state, digest.data(), digest.size());
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string head_of(std::uint64_t records, std::string_view payload) {
  std::string head;
  append_number(head, std::uint64_t{payload.size()});
  append_number(head, records);
  return head + digest_of(head, payload);
}

std::unexpected<DumpProblem> problem(std::string what) {
  return std::unexpected(DumpProblem{std::move(what)});
}

}  // namespace

void BlockWriter::add(const DumpEntry& entry) {
  append_number(payload_, static_cast<std::uint32_t>(entry.kind));
  append_number(payload_, static_cast<std::uint32_t>(entry.key.size()));
  append_number(payload_, std::uint64_t{entry.value.size()});
  append_number(payload_, static_cast<std::uint64_t>(entry.expires_at_ns));
  payload_ += entry.key;
  payload_ += entry.value;
  ++records_;
}

bool BlockWriter::is_full() const noexcept {
  return records_ >= kBlockRecords || payload_.size() >= kBlockBytes;
}

std::string BlockWriter::take() {
  std::string block = head_of(records_, payload_);
  block += payload_;
  payload_.clear();
  records_ = 0;
  return block;
}

std::string BlockWriter::end(std::uint64_t all_records) {
  return head_of(all_records, {});
}

BlockHead read_block_head(std::string_view head) noexcept {
  return {.payload_bytes = number_at<std::uint64_t>(head, 0),
          .records = number_at<std::uint64_t>(head, 8),
          .digest = head.substr(kNumbersBytes, kDigestBytes)};
}

bool digest_fits(std::string_view head, std::string_view payload) {
  return digest_of(head.substr(0, kNumbersBytes), payload) == head.substr(kNumbersBytes, kDigestBytes);
}

DumpResult<std::vector<DumpEntry>> read_block(const BlockHead& head, std::string_view payload) {
  std::vector<DumpEntry> entries;
  for (std::uint64_t i = 0; i < head.records; ++i) {
    if (payload.size() < kRecordHeadBytes) return problem("it has fewer records than it says");
    const auto kind = number_at<std::uint32_t>(payload, 0);
    const auto key_bytes = number_at<std::uint32_t>(payload, 4);
    const auto value_bytes = number_at<std::uint64_t>(payload, 8);
    const auto expires_at_ns = static_cast<std::int64_t>(number_at<std::uint64_t>(payload, 16));
    payload.remove_prefix(kRecordHeadBytes);
    if (kind > static_cast<std::uint32_t>(ValueKind::json)) return problem(fmt::format("kind {} is unknown", kind));
    if (key_bytes == 0 || key_bytes > kMaxKeyBytes) return problem(fmt::format("a key of {} bytes", key_bytes));
    if (value_bytes > kMaxValueBytes || payload.size() < key_bytes + value_bytes) {
      return problem("a value is longer than its block");
    }
    entries.push_back({.key = std::string(payload.substr(0, key_bytes)),
                       .value = std::string(payload.substr(key_bytes, value_bytes)),
                       .kind = static_cast<ValueKind>(kind),
                       .expires_at_ns = expires_at_ns});
    payload.remove_prefix(key_bytes + value_bytes);
  }
  if (!payload.empty()) return problem("it has more bytes than records");
  return entries;
}

}  // namespace kvb::cli
