#pragma once
// Reads the journal: the chain of log segments behind the checkpoint, one batch after another. Recovery, reader
// processes that follow a writer, and verify all use this one reader.
//
// Rules it keeps:
//   R3 One chain. The superblock names the first segment, footers name the others; a segment header counts only if
//       it equals the link that led to it.
//   R6 Seqnos rise by exactly one. A jump is legal only where a cut (a footer with that flag) declares it.
//   R17 What it delivers is a pure function of the file: it stops before the first position that is not the valid
//       next record, then goes back to the end of the last whole batch, and never skips.
//   R18 What is missing is told apart: at or below `trusted` (the seqno that is known to have been synced) a bad
//       record is damage; otherwise it is the torn end of a log whose writer died. A footer proves nothing of the
//       records before it: both may have been on their way to the disk at once.
//
// It reads nothing but the log (R16): segment headers, records and footers of the chain.

#include <kvb/error.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kvb/format/superblock.h"
#include "kvb/log/segment_table.h"

namespace kvb::log {

// A place in the journal between two records.
struct Position {
  format::SegmentLink segment;  // May name a segment that does not exist yet.
  std::uint64_t offset = 0;     // From the segment's first byte.
  std::uint64_t next_seqno = 0;

  friend bool operator==(const Position&, const Position&) = default;
};

struct JournalRecord {
  format::RecordHeader header;
  std::uint64_t paddr = 0;
  const std::byte* bytes = nullptr;  // The mapped record, header.record_bytes() long.
  bool damaged = false;              // The header is right, key or value are not (R18).

  [[nodiscard]] std::string_view key() const noexcept { return format::record_key(bytes, header); }
};

struct Stop {
  enum class Kind : std::uint8_t {
    end,      // The end of the log, clean or torn.
    damaged,  // Something is wrong where records are known to have been; nothing behind it can be found.
    cut_off,  // The file is too short: records that were once synced are gone with its end.
  };
  Kind kind = Kind::end;
  std::uint64_t paddr = 0;
  std::string message;  // For damaged and cut_off: a sentence.
};

class JournalReader {
 public:
  // `trusted`: seqno up to which records are known to have been synced; 0 if unknown. `table` gains the segments that
  // are met; both must outlive the reader.
  JournalReader(os::File& file, SegmentTable& table, const format::Uuid& uuid, const format::JournalStart& start,
                std::uint64_t trusted) noexcept;

  // The next whole batch into `batch` (emptied first); false at a stop. Records with a seqno above `up_to` are left
  // alone.
  [[nodiscard]] Result<bool> next_batch(std::vector<JournalRecord>& batch, std::uint64_t up_to = UINT64_MAX);

  // To be called by a reader that follows a living writer, after it has read how far to go and before next_batch: the
  // segment it stands in may have been sealed or cut since. (A writer whose append failed cuts the segment durably
  // before it publishes anything behind the cut, so whoever sees the later number finds the footer here and never takes
  // the failed append's bytes, which may look whole, for records.)
  [[nodiscard]] Result<void> refresh();

  // Behind the last batch that was delivered.
  [[nodiscard]] const Position& position() const noexcept { return position_; }
  [[nodiscard]] const Stop& stop() const noexcept { return stop_; }
  [[nodiscard]] std::uint64_t last_seqno() const noexcept { return last_seqno_; }
  // Is the segment of position() there (its header valid), or still a promise?
  [[nodiscard]] bool segment_exists() const noexcept { return segment_ != nullptr; }
  void set_trusted(std::uint64_t trusted) noexcept { trusted_ = trusted; }
  [[nodiscard]] std::uint64_t damaged_records() const noexcept { return damaged_records_; }
  // Cuts that were passed: unclean ends of former writers, and failed appends.
  [[nodiscard]] std::uint64_t cuts() const noexcept { return cuts_; }

 private:
  [[nodiscard]] Result<bool> enter_segment();  // False: the promised segment is not there.
  [[nodiscard]] Result<std::optional<JournalRecord>> read_record(std::uint64_t offset, std::uint64_t seqno);
  void stop_at(Stop::Kind kind, std::uint64_t paddr, std::string message = {});

  os::File* file_;
  SegmentTable* table_;
  format::Uuid uuid_;
  std::uint64_t trusted_;
  Position position_;
  std::uint64_t last_seqno_;
  Segment* segment_ = nullptr;            // Of position_, once its header has been found.
  std::optional<format::Footer> footer_;  // Of segment_, once it is there.
  Stop stop_;
  std::uint64_t damaged_records_ = 0;
  std::uint64_t cuts_ = 0;
};

// Reads the footer of a segment, if it is there and valid.
[[nodiscard]] Result<std::optional<format::Footer>> read_footer(const os::File& file, SegmentTable& table,
                                                                Segment& segment);

}  // namespace kvb::log
