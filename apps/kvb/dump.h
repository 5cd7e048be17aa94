#pragma once
// The two forms in which `export` writes entries and `import` reads them: JSON lines and binary. docs/kvb.md describes
// both for other programs. Whatever an entry is, its bytes, its kind and the moment of its expiry come back as they
// were.

#include <kvb/bucket.h>

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace kvb::cli {

struct DumpEntry {
  std::string key;
  std::string value;
  ValueKind kind = ValueKind::bytes;
  std::int64_t expires_at_ns = 0;  // Nanoseconds since the Unix epoch; 0: never.
  std::uint32_t ttl_seconds = 0;   // Instead of that: so long after the import. 0: not given.
};

// What is wrong with a line or a block: a part of a sentence without a full stop.
struct DumpProblem {
  std::string what;
};

template <typename T>
using DumpResult = std::expected<T, DumpProblem>;

// Appends the entry as a JSON object and a newline.
void append_json_line(std::string& out, const DumpEntry& entry);

// Reads such a line (without the newline), and what `scan` and `get` write with --format json.
[[nodiscard]] DumpResult<DumpEntry> read_json_line(std::string_view line);

// The binary form is a magic, then blocks of records, each with a digest of its own, then a block without records that
// counts them. So a reader can believe a block before it reads the next one, and knows whether it has all of them.
// Numbers are little endian.
inline constexpr std::string_view kDumpMagic = "KVBDUMP\x01";
inline constexpr std::size_t kBlockHeadBytes = 32;

struct BlockHead {
  std::uint64_t payload_bytes = 0;  // 0: the end.
  std::uint64_t records = 0;        // In the block; at the end: in all blocks.
  std::string_view digest;          // Of the two numbers and the payload; 16 bytes.
};

// Collects records and gives them out as a block.
class BlockWriter {
 public:
  void add(const DumpEntry& entry);
  [[nodiscard]] bool is_full() const noexcept;
  [[nodiscard]] bool empty() const noexcept { return records_ == 0; }
  // The block, as bytes; it begins anew.
  [[nodiscard]] std::string take();
  // The block at the end.
  [[nodiscard]] static std::string end(std::uint64_t all_records);

 private:
  std::string payload_;
  std::uint64_t records_ = 0;
};

[[nodiscard]] BlockHead read_block_head(std::string_view head) noexcept;  // kBlockHeadBytes bytes.
[[nodiscard]] bool digest_fits(std::string_view head, std::string_view payload);
[[nodiscard]] DumpResult<std::vector<DumpEntry>> read_block(const BlockHead& head, std::string_view payload);

}  // namespace kvb::cli
