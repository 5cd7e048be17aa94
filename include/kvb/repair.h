#pragma once
// Salvages a damaged bucket into a new one. The damaged file is only read.
//
//   auto report = kvb::repair("damaged.kvb", "salvaged.kvb");
//
// Nothing but the segments is needed: superblocks, links and footers are used where they are whole. Every record whose
// checksums are right and which can have been committed is kept, the newest of each key; what expired or was removed
// stays away. Every loss is reported with its place.

#include <kvb/error.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kvb {

struct RepairOptions {
  bool dry_run = false;  // Only the report; no file is written and `target` is not used.
};

struct RepairLoss {
  std::string message;                      // What was lost, in a sentence.
  std::uint64_t offset_bytes = 0;           // Where in the damaged file.
  std::uint64_t length_bytes = 0;           // How many bytes of it could not be used; 0 if unknown.
  std::optional<std::uint64_t> key_hash{};  // Of a record whose header is right and whose body is not.
};

struct RepairReport {
  std::uint64_t segments = 0;        // That were found and used.
  std::uint64_t records = 0;         // Whole records that were read.
  std::uint64_t keys = 0;            // Live keys that were saved (or would be, in a dry run).
  std::uint64_t value_bytes = 0;     // Of their values.
  std::vector<RepairLoss> losses{};  // In the order of the file.
  [[nodiscard]] bool lossless() const noexcept { return losses.empty(); }
};

// `not_a_bucket` if no part of the file is recognisable, `already_exists` if there is a file at `target`. If writing
// the target fails, what was written of it is removed.
[[nodiscard]] Result<RepairReport> repair(const std::string& path, const std::string& target,
                                          const RepairOptions& options = {});

}  // namespace kvb
