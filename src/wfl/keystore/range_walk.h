// The entries of a range, one at a time, as they were when the walk began.
//
// A walk holds a snapshot and reads it in steps, so a loop over a large keystore needs little memory, and one that is
// left early has read little. When the keystore is closed while a loop is under way, its walks first read what they
// have not read yet: a loop sees one state to its end, whatever its body does.
#pragma once

#include <kvb/bucket.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wfl/keystore/pending_batch.h"

namespace wfl::keystore {

class RangeWalk {
 public:
  RangeWalk(std::shared_ptr<const kvb::Snapshot> snapshot, kvb::ScanOptions options)
      : snapshot_(std::move(snapshot)), options_(std::move(options)) {}
  // Over entries that have been read already.
  explicit RangeWalk(std::vector<StoredEntry> entries) : entries_(std::move(entries)) {}

  // The next entry, or nothing at the end.
  [[nodiscard]] kvb::Result<std::optional<StoredEntry>> next();

  // Reads all that is left and lets go of the snapshot. A failure is told by `next`, when it gets there.
  void read_to_the_end();

  // Frees what it holds; it is at its end.
  void stop();

  // What the entries that are kept take.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  // Adds at most so many entries to those that are kept. At the end of the range it lets go of the snapshot.
  [[nodiscard]] kvb::Result<void> read(std::size_t most_entries, std::size_t most_bytes);

  std::shared_ptr<const kvb::Snapshot> snapshot_;  // Null when everything has been read.
  kvb::ScanOptions options_;                       // Of what is still to be read.
  std::string last_;                               // The key that was read last; empty before the first.
  std::size_t step_entries_ = 16;
  std::vector<StoredEntry> entries_;
  std::size_t next_ = 0;  // Of entries_.
  std::size_t bytes_ = 0;
  std::optional<kvb::Error> failed_;
};

}  // namespace wfl::keystore
