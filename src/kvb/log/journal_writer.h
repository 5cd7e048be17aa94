#pragma once
// Appends to the journal. The writer stages records in private memory, bound to the places they will have; commit
// groups of them are then written with one pwrite each and made durable with one fdatasync (store/commit.cpp).
//
// The protocol, and why it is right:
//
//  1. A segment is made before it is used: its space is allocated, its header written, and both synced (fsync),
//     before the first record is staged for it. So a record in a life exists only if the header of that life is
//     durable (R7), and appending never has to grow the file.
//  2. Records are staged for consecutive places; each byte of the record area is staged at most once in a life
//     (R1). A batch lies in one segment: room for all of it is reserved (prepare) before its first byte is staged.
//  3. When the segment is full, the next one is made (1.), the old one's footer is staged, which names it, and
//     records go on there. Footer and records travel in the same group, so whatever is acknowledged behind the
//     footer was synced together with it. A crash that keeps the records but loses the footer leaves them
//     unreachable, and unacknowledged.
//  4. When a write fails, everything staged since the last commit has failed with it (the callers get errors).
//     Those bytes and seqnos are burned: the segment is cut behind the last committed record by a footer whose
//     `next` is only a promise (a place and a salt; the segment is made when there is room again), synced before
//     the errors are returned. The promised place is kept free for it; if a batch needs more room than is there, the
//     promised segment is made small, and ended at once by a footer that names another. So nothing that failed comes
//     back after a crash, although its bytes may be whole on disk. Before that sync no caller has an answer, and either
//     outcome is right.
//  5. The tail that a dead writer left is not continued, because it may hold torn bytes: it is cut in the same way,
//     with a jump of the seqnos by at least 2^32, more than anyone can have used. Only a tail that does not exist
//     (the file ends exactly behind the last record, and that record is the last that was synced: what `close`
//     leaves) is continued.

#include <kvb/error.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "kvb/format/superblock.h"
#include "kvb/log/journal_reader.h"
#include "kvb/log/segment_table.h"
#include "kvb/space/free_space.h"
#include "kvb/space/reserve.h"

namespace kvb::log {

// Memory that is not cleared before it is used.
template <typename T>
struct UnclearedAllocator : std::allocator<T> {
  template <typename U>
  struct rebind {
    using other = UnclearedAllocator<U>;
  };
  template <typename U, typename... Arguments>
  void construct(U* at, Arguments&&... arguments) {
    if constexpr (sizeof...(Arguments) == 0) {
      ::new (static_cast<void*>(at)) U;
    } else {
      ::new (static_cast<void*>(at)) U(std::forward<Arguments>(arguments)...);
    }
  }
};
using ByteBuffer = std::vector<std::byte, UnclearedAllocator<std::byte>>;

// Bytes that wait to be written to one place of the file.
struct Chunk {
  std::uint64_t offset = 0;  // In the file.
  ByteBuffer owned;
  format::Bytes borrowed;  // Instead of `owned`: memory of a caller who waits for the commit.

  [[nodiscard]] format::Bytes bytes() const noexcept { return borrowed.empty() ? format::Bytes(owned) : borrowed; }
};

// What a segment's footer says of its records.
struct TailStatistics {
  std::uint64_t record_count = 0;
  std::int64_t earliest_expiry_ns = 0;
  std::int64_t latest_expiry_ns = 0;
  std::vector<format::ResyncPoint> resync_points;

  void add(const format::RecordHeader& header, std::uint64_t offset);
};

// Reads the headers of a segment's records from its start to `end_offset`, all of which were found valid before.
[[nodiscard]] Result<TailStatistics> collect_statistics(SegmentTable& segments, Segment& segment,
                                                        std::uint64_t end_offset, const std::string& path);

struct StagedRecord {
  std::uint64_t paddr = 0;
  std::uint64_t seqno = 0;
};

// The bytes of the file range if one owned chunk holds all of it, else null.
[[nodiscard]] const std::byte* find_in(std::span<const Chunk> chunks, std::uint64_t paddr,
                                       std::uint64_t bytes) noexcept;

// Syncs the file, together with whoever else does.
using SyncFile = std::function<Result<void>(os::SyncKind)>;
// What must be kept for a full disk, as things stand.
using ReserveNeed = std::function<space::Reserve::Need()>;

class JournalWriter {
 public:
  struct Identity {
    format::Uuid uuid{};
    std::uint64_t hash_seed = 0;
    std::int64_t pid = 0;
  };

  // Starts behind `end`. `continue_tail`: see 5.; otherwise the tail, if its segment exists, is cut before the first
  // append. `highest_known_seqno`: the highest seqno that is known to have been given out. `next_segment_id`: higher
  // than any that was used. `free_space` knows of all that is in use but a promised segment at `end`. The tables must
  // outlive the writer, which is the only one to change `segments`.
  JournalWriter(os::Environment& environment, os::File& file, SegmentTable& segments, space::FreeSpace& free_space,
                space::Reserve& reserve, ReserveNeed need, SyncFile sync, const Identity& identity, const Position& end,
                bool continue_tail, std::uint64_t highest_known_seqno, std::uint64_t next_segment_id);

  // Makes room for one batch of so many record bytes, in one segment. Everything that can fail for want of space fails
  // here, before a byte is staged. May write and sync (a new segment), and may stage the old segment's footer.
  // `from_reserve`: on a full disk it may use the part of the reserve that is there for removing. Everything else gets
  // `full` before it would touch what is to be kept.
  [[nodiscard]] Result<void> prepare(std::uint64_t batch_bytes, bool from_reserve = false);

  // Stages one record at the tail; prepare() made the room. `header.seqno` is filled in. A value longer than
  // `borrow_from_bytes` is not copied: its memory must stay until the group is written.
  StagedRecord stage(format::RecordHeader header, std::string_view key, std::string_view value,
                     std::uint64_t borrow_from_bytes);

  // Takes what is staged, for writing; the writer goes on staging behind it.
  [[nodiscard]] std::vector<Chunk> take_staged() noexcept;
  // Takes chunks back that have been written: their memory is used again.
  void recycle(std::vector<Chunk>&& chunks) noexcept;
  // A record that is staged and not taken yet, as contiguous bytes; null if it is not here or its value is borrowed.
  [[nodiscard]] const std::byte* staged_record(std::uint64_t paddr, std::uint64_t bytes) const noexcept {
    return find_in(chunks_, paddr, bytes);
  }
  [[nodiscard]] bool has_staged() const noexcept { return !chunks_.empty(); }
  // Some of it lies in the memory of its writer, who has to wait until it is in the file.
  [[nodiscard]] bool has_borrowed() const noexcept { return has_borrowed_; }
  [[nodiscard]] std::uint64_t staged_bytes() const noexcept { return staged_bytes_; }

  [[nodiscard]] const Position& tail() const noexcept { return tail_; }
  // Everything before `end`, a former tail(), has been committed: the place to fall back to (4.).
  void committed(const Position& end);

  // Forgets everything staged or written since the last committed() and cuts the segment there, durably.
  [[nodiscard]] Result<void> burn();

  [[nodiscard]] std::uint64_t next_seqno() const noexcept { return tail_.next_seqno; }
  // The segment that holds the tail; null if it is only a promise so far, or has not been opened for appending.
  [[nodiscard]] const Segment* tail_segment() const noexcept { return segment_; }
  // Ends the tail's segment, if there is one, by a footer that promises the next: the footer is staged. If nothing has
  // been written since the file was opened, the segment is first opened for appending, or cut: that may fail.
  [[nodiscard]] Result<void> seal();
  // First byte behind everything that is used; the place of a segment that was not made is not.
  [[nodiscard]] std::uint64_t end_of_use() const {
    const std::uint64_t end = free_space_->end_of_used();
    return promise_.pages != 0 && promise_.end() == end ? promise_.paddr : end;
  }
  // While the tail is only a promise: another place for it, nearer to the file's beginning, if there is one. It is
  // taken, and counts once keep_promise() has been called; before that the superblocks must name it.
  struct Promise {
    format::SegmentLink link;
    space::PageRange range;
  };
  [[nodiscard]] std::optional<Promise> promise_lower_down();
  void keep_promise(const Promise& promise);
  // Before closing: the place of a segment that was not made needs not be kept free.
  void forget_promise() {
    free_space_->give_back(promise_);
    promise_ = {};
  }
  [[nodiscard]] std::uint64_t take_segment_id() noexcept { return next_segment_id_++; }
  [[nodiscard]] std::uint64_t next_segment_id() const noexcept { return next_segment_id_; }
  // A sync failed inside the writer: nothing may be written any more (R9).
  [[nodiscard]] bool sync_failed() const noexcept { return sync_failed_; }
  // While there may be headers of segments that nothing leads to in what is free: each place is searched before it is
  // used (store/stale.cpp).
  void look_for_stale_headers(bool look) noexcept { look_for_stale_headers_ = look; }
  // A segment that is not part of the chain any more may still have its header.
  [[nodiscard]] bool has_left_stale_headers() const noexcept { return left_stale_headers_; }
  [[nodiscard]] std::uint64_t bytes_written() const noexcept { return bytes_written_; }
  [[nodiscard]] std::uint64_t cuts() const noexcept { return cuts_; }

 private:
  // A link to a segment at the place of the range.
  [[nodiscard]] format::SegmentLink new_link(const space::PageRange& range);
  [[nodiscard]] std::uint64_t next_bytes(std::uint64_t batch_bytes) const noexcept;
  [[nodiscard]] Result<void> open_tail(bool from_reserve);  // The first append after opening.
  [[nodiscard]] Result<void> go_on_in(Segment& tail);
  // In `range`, or the part of it that the batch needs if the disk is nearly full; the rest is given back. If it fails,
  // the range stays as it is.
  [[nodiscard]] Result<Segment*> make_segment(const format::SegmentLink& link, space::PageRange& range,
                                              std::uint64_t base_seqno, std::uint64_t batch_bytes, bool from_reserve);
  [[nodiscard]] Result<void> make_promised(std::uint64_t batch_bytes, bool from_reserve);
  [[nodiscard]] Result<Segment*> make_next(const format::SegmentLink& link, space::PageRange& range,
                                           std::uint64_t batch_bytes, bool from_reserve);
  [[nodiscard]] std::unexpected<Error> nearly_full() const;
  [[nodiscard]] Result<void> wipe_inside(const format::SegmentHeader& header);
  void stage_footer(const format::SegmentLink& next);
  // Ends the segment at `end`, which it holds, and makes the rest of the log a promise.
  [[nodiscard]] Result<void> cut(Segment& segment, const Position& end, std::uint64_t next_base_seqno);
  [[nodiscard]] Result<void> write(std::uint64_t offset, format::Bytes bytes);
  [[nodiscard]] Result<void> sync_all();
  void append(std::uint64_t offset, format::Bytes bytes);

  os::Environment* environment_;
  os::File* file_;
  SegmentTable* segments_;
  space::FreeSpace* free_space_;
  space::Reserve* reserve_;
  ReserveNeed need_;
  SyncFile sync_;
  Identity identity_;
  Position tail_;  // Where the next record is staged.
  Segment* segment_ =
      nullptr;  // Holds the tail and is ready for records; null while it has to be made (or cut, or extended) first.
  TailStatistics statistics_;  // Of segment_.
  Position committed_;
  space::PageRange promise_;           // Kept free for the segment of tail_, while it is only a promise.
  std::vector<Segment*> uncommitted_;  // Segments that were made behind committed_, in order.
  std::uint64_t own_bytes_ = 0;        // Of segments that this writer made.
  std::vector<Chunk> chunks_;
  ByteBuffer spare_;  // Memory for the next chunk.
  [[nodiscard]] ByteBuffer take_spare() noexcept {
    ByteBuffer taken = std::move(spare_);
    spare_ = {};
    taken.clear();
    return taken;
  }
  std::uint64_t staged_bytes_ = 0;
  bool has_borrowed_ = false;
  bool opened_ = false;  // open_tail() has been done.
  bool continue_tail_;
  std::uint64_t highest_known_seqno_;
  std::uint64_t next_segment_id_;
  bool sync_failed_ = false;
  bool look_for_stale_headers_ = false;
  bool left_stale_headers_ = false;
  std::uint64_t bytes_written_ = 0;
  std::uint64_t cuts_ = 0;
};

}  // namespace kvb::log
