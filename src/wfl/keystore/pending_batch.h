// The writes of a batch that has not been applied yet, and how reads look through them.
//
// A batch is kept in memory as the last state of every key it touched, so a statement inside sees what the statements
// before it did, and leaving the batch early costs nothing: it is dropped. This is right because a bucket has one
// writer and a program runs one statement at a time: nobody can change a key between the moment a statement of the
// batch looked at it and the moment the batch is applied.
#pragma once

#include <kvb/bucket.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wfl::keystore {

// A stored value as the statements see it, wherever it comes from.
struct Stored {
  std::string bytes;
  kvb::ValueKind kind = kvb::ValueKind::bytes;
  std::optional<std::int64_t> expires_at_ns;  // Wall clock; nothing when it never expires.
};

[[nodiscard]] inline Stored to_stored(kvb::Value&& value) {
  const auto expires_at_ns = value.expires_at_ns();
  return {.bytes = std::move(value.bytes), .kind = value.kind, .expires_at_ns = expires_at_ns};
}

struct StoredEntry {
  std::string key;
  Stored value;
};

class PendingBatch {
 public:
  // Sets the state the key will have; nothing means removed.
  void set(std::string_view key, std::optional<Stored> state) {
    states_.insert_or_assign(std::string(key), std::move(state));
  }

  // The state of the key, or nullptr when the batch has not touched it. A value that has expired counts as removed.
  [[nodiscard]] const std::optional<Stored>* find(std::string_view key, std::int64_t now_ns) const;

  [[nodiscard]] std::size_t size() const { return states_.size(); }

  // Lays the batch over the entries of a scan that was made with the same options, except that its limit must have been
  // raised by size(): each key of the batch can hide at most one entry.
  [[nodiscard]] std::vector<StoredEntry> merge(std::vector<StoredEntry> below, const kvb::ScanOptions& options,
                                               std::int64_t now_ns) const;

  // The writes for the engine. Lengths of time count from now.
  [[nodiscard]] kvb::Batch operations(std::int64_t now_ns) const;

 private:
  std::map<std::string, std::optional<Stored>, std::less<>> states_;
};

// Nanoseconds since the Unix epoch on the wall clock.
[[nodiscard]] std::int64_t wall_clock_ns();

// Whole seconds until then, rounded up; 0 when it has passed.
[[nodiscard]] std::uint32_t seconds_until(std::int64_t moment_ns, std::int64_t now_ns);

}  // namespace wfl::keystore
