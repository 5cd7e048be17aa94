// The log as a list of changes: what kvb::Watch gives.
//
// The log is a chain of segments with every write in the order of the seqnos, so whoever reads it misses nothing and
// needs no table of its own. Before the cut of the newest image its segments are still there, one behind the other, as
// long as compaction has not emptied one; the image's segment table says which. So the changes behind S are found like
// this:
//
//   S behind the cut    The journal has them. It begins with the last segment whose first seqno is not above S + 1.
//   S before the cut    The same, among the log segments of the table; and the chain from there must go through
//                       segments of the table up to the cut. A gap in it means that the log does not reach back so far:
//                       an error, never a silent jump.
//
// A cursor then stands at a position in the chain and holds the state that it read last: its pin keeps the image and
// the whole journal behind it, also what later checkpoints have retired. So from its position it can always go on along
// the chain, whatever is compacted meanwhile. When it has reached what is published it takes the newest state instead.
// From then on its position may be in a segment that is given up, whose records it has all read; if that one's place is
// used for something else (its header does not fit the link any more, because of the salt), it looks for S again, as
// above, where S is not before the cut. So one that exists loses its place only with its pin.

#include <algorithm>

#include "kvb/format/live_page.h"
#include "kvb/os/system_error.h"
#include "kvb/store/read_bytes.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

constexpr std::size_t kMostChanges = 1024;
constexpr std::size_t kMostBytes = std::size_t{1} << 20;

// Where files cannot wake a sleeper, and for a writer that cannot be heard.
constexpr std::chrono::nanoseconds kLookAgain = std::chrono::milliseconds(5);
constexpr std::chrono::nanoseconds kLongestSleep = std::chrono::milliseconds(500);

}  // namespace

Result<log::Position> Store::find_in_log(const Snapshot& now, std::uint64_t seqno) const {
  const format::Superblock& superblock = now.state->base->superblock();
  const auto too_far_back = [&] {
    return os::failure(ErrorCode::snapshot_expired,
                       "The log does not reach back to write " + std::to_string(seqno) +
                           " any more: compaction has given that space back. Read everything anew, from a snapshot, "
                           "and watch from its seqno.",
                       path_);
  };
  if (seqno >= superblock.commit_seqno) {
    const os::ReadSections::Section section(readers_);
    const auto& start = superblock.journal;
    // Of the segments that begin behind the cut, all of which are in the chain: the last one that is not too far, and
    // the first one.
    const format::SegmentHeader* best = nullptr;
    const format::SegmentHeader* first = nullptr;
    bool start_exists = false;
    for (const log::Segment* segment : segments_.all()) {
      const auto& header = segment->header;
      start_exists = start_exists || header.link == start.segment;
      if (header.kind != format::SegmentKind::log || header.base_seqno <= superblock.commit_seqno) continue;
      if (first == nullptr || header.base_seqno < first->base_seqno) first = &header;
      if (header.base_seqno > seqno + 1) continue;
      if (best == nullptr || header.base_seqno > best->base_seqno) best = &header;
    }
    // The journal's begin may have been moved since the superblock was read, as long as nothing had been written there.
    if (best == nullptr && !start_exists) best = first;
    if (best == nullptr) {
      return log::Position{.segment = start.segment, .offset = start.offset, .next_seqno = start.seqno};
    }
    return log::Position{.segment = best->link, .offset = format::kSegmentHeaderBytes, .next_seqno = best->base_seqno};
  }

  const auto& known = now.state->base->segments();
  const log::SegmentState* best = nullptr;
  for (const log::SegmentState& state : known) {
    if (state.kind != format::SegmentKind::log || state.end_offset == 0 || state.base_seqno > seqno + 1) continue;
    if (best == nullptr || state.base_seqno > best->base_seqno) best = &state;
  }
  if (best == nullptr) return too_far_back();
  const log::Position found{
      .segment = best->link, .offset = format::kSegmentHeaderBytes, .next_seqno = best->base_seqno};
  log::SegmentTable table(*file_);
  // Each step leads to a higher seqno, so it ends.
  while (best->link != superblock.journal.segment) {
    auto segment = table.add({.uuid = superblock.uuid,
                              .link = best->link,
                              .size_bytes = best->size_bytes,
                              .kind = best->kind,
                              .base_seqno = best->base_seqno,
                              .hash_seed = superblock.hash_seed});
    if (!segment) return std::unexpected(segment.error());
    auto footer = log::read_footer(*file_, table, **segment);
    if (!footer) return std::unexpected(footer.error());
    if (!*footer) return too_far_back();
    if ((*footer)->next_base_seqno > superblock.commit_seqno) break;
    const auto next = std::ranges::find(known, (*footer)->next, &log::SegmentState::link);
    if (next == known.end() || next->base_seqno <= best->base_seqno) return too_far_back();
    best = &*next;
  }
  return found;
}

Result<Store::ChangeCursor> Store::begin_changes(const WatchOptions& options) {
  if (auto ready = before_reading(); !ready) return std::unexpected(ready.error());
  ChangeCursor cursor{.prefix = options.prefix, .keys_only = options.keys_only, .pin = {}, .position = {}};
  {
    const std::scoped_lock lock(write_mutex_);
    cursor.pin = snapshot();
    cursor.seqno = options.from_seqno.value_or(cursor.pin.limit);
    if (cursor.seqno == cursor.pin.limit) {
      // The end of the log, if it is known; else it is looked for like any other place.
      if (options_.read_only && reader_->last_seqno() == cursor.seqno) cursor.position = reader_->position();
      const bool quiet = journal_ && !journal_->has_staged() && !leader_active_;
      if (quiet && journal_->next_seqno() == cursor.seqno + 1) cursor.position = journal_->tail();
    }
  }
  if (cursor.seqno > cursor.pin.limit) {
    return os::failure(ErrorCode::invalid_argument,
                       "There is no write " + std::to_string(cursor.seqno) + " yet: the newest one is " +
                           std::to_string(cursor.pin.limit) + ". Is the number from another bucket?",
                       path_);
  }
  if (!cursor.position) {
    auto found = find_in_log(cursor.pin, cursor.seqno);
    if (!found) return std::unexpected(found.error());
    cursor.position = *found;
  }
  return cursor;
}

// Goes along the chain from the cursor's position. False if that has gone.
Result<bool> Store::read_log(ChangeCursor& cursor, std::uint64_t up_to, std::vector<kvb::Change>& changes) const {
  auto word = format::load_checked_word(*file_, format::kSyncedWord);
  const std::uint64_t trusted = std::max(up_to, word && *word ? **word : 0);
  log::SegmentTable segments(*file_);
  const log::Position& from = *cursor.position;
  log::JournalReader reader(*file_, segments, head_.superblock.uuid,
                            {.segment = from.segment, .offset = from.offset, .seqno = from.next_seqno}, trusted);
  std::vector<log::JournalRecord> batch;
  std::size_t bytes = 0;
  while (changes.size() < kMostChanges && bytes < kMostBytes) {
    auto more = reader.next_batch(batch, up_to);
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    std::vector<std::string> values(batch.size());
    auto damaged = std::ranges::find_if(batch, &log::JournalRecord::damaged);
    std::optional<Error> reason;
    for (std::size_t i = 0; i < batch.size() && damaged == batch.end() && !cursor.keys_only; ++i) {
      const log::JournalRecord& record = batch[i];
      if (reader.last_seqno() <= cursor.seqno || record.header.encoding == format::Encoding::raw) continue;
      std::string payload;
      auto copied = os::guarded(path_, record.paddr, record.bytes, record.header.record_bytes(),
                                [&] { payload = format::record_value(record.bytes, record.header); });
      if (!copied) return std::unexpected(copied.error());
      auto decoded = decode(record.header.encoding, payload, values[i], record.paddr, record.header.hash);
      if (decoded) continue;
      reason = decoded.error();
      damaged = batch.begin() + static_cast<std::ptrdiff_t>(i);
    }
    if (damaged != batch.end() && reader.last_seqno() > cursor.seqno) {
      if (!changes.empty()) return true;  // The next call comes to it.
      cursor.position = reader.position();
      cursor.seqno = reader.last_seqno();
      if (reason) return std::unexpected(*reason);
      return damaged_record({.paddr = damaged->paddr, .seqno = damaged->header.seqno}, damaged->header.hash);
    }
    if (reader.last_seqno() > cursor.seqno) {
      for (std::size_t i = 0; i < batch.size(); ++i) {
        const log::JournalRecord& record = batch[i];
        const format::RecordHeader& header = record.header;
        if (header.key_bytes < cursor.prefix.size() || header.seqno <= cursor.seqno) continue;
        kvb::Change change;
        bool wanted = false;
        auto read = os::guarded(path_, record.paddr, record.bytes, header.record_bytes(), [&] {
          const std::string_view key = record.key();
          wanted = key.starts_with(cursor.prefix);
          if (!wanted) return;
          change.key = key;
          if (cursor.keys_only) return;
          if (header.encoding == format::Encoding::raw) {
            change.value.bytes = format::record_value(record.bytes, header);
          } else {
            change.value.bytes = std::move(values[i]);
          }
        });
        if (!read) return std::unexpected(read.error());
        if (!wanted) continue;
        change.type = header.type == format::RecordType::remove ? kvb::Change::Type::remove : kvb::Change::Type::put;
        change.value.kind = static_cast<ValueKind>(header.kind());
        change.value.seqno = header.seqno;
        change.value.written_at_ns = header.timestamp_ns;
        change.value.ttl_seconds = header.ttl_seconds;
        bytes += header.record_bytes();
        changes.push_back(std::move(change));
      }
      cursor.seqno = reader.last_seqno();
    }
    cursor.position = reader.position();
  }
  if (reader.last_seqno() >= up_to || !changes.empty() || bytes >= kMostBytes) return true;
  if (!reader.segment_exists()) return false;
  return os::failure(ErrorCode::damaged,
                     "The log cannot be read behind write " + std::to_string(cursor.seqno) + ": " +
                         reader.stop().message + ". `kvb verify` says more.",
                     path_, reader.stop().paddr);
}

Result<std::vector<kvb::Change>> Store::read_changes(ChangeCursor& cursor) {
  if (auto ready = before_reading(); !ready) return std::unexpected(ready.error());
  std::vector<kvb::Change> changes;
  // Its position, then the place where its own state has it, then where the newest state has it.
  for (int tries = 0;; ++tries) {
    Snapshot now = snapshot();
    if (now.limit <= cursor.seqno) {
      // Everything was given; what was held for it can go.
      cursor.pin = std::move(now);
      if (!options_.read_only) return changes;
      const std::scoped_lock lock(write_mutex_);
      if (reader_->stop().kind != log::Stop::Kind::damaged) return changes;
      // This reader cannot follow any further, and waiting would not help.
      return os::failure(ErrorCode::damaged,
                         "The log cannot be read behind write " + std::to_string(cursor.seqno) + ": " +
                             reader_->stop().message + ". `kvb verify` says more.",
                         path_, reader_->stop().paddr);
    }
    const ChangeCursor before = cursor;
    auto read = read_log(cursor, now.limit, changes);
    const bool lost = pin_expired(cursor.pin.state->base->epoch());
    if (!lost && !read) return std::unexpected(read.error());
    if (!lost && *read) {
      // Only now, when nothing between the old position and the new state is needed any more.
      if (cursor.seqno >= now.limit) cursor.pin = std::move(now);
      if (!changes.empty() || cursor.seqno >= now.limit) return changes;
      tries = -1;  // A portion without a change that is wanted.
      continue;
    }
    cursor = before;
    changes.clear();
    if (tries == 2) {
      return os::failure(ErrorCode::damaged,
                         "The log ends before write " + std::to_string(now.limit) + ". `kvb verify` says more.", path_);
    }
    if (tries == 1 || lost) cursor.pin = std::move(now);
    auto found = find_in_log(cursor.pin, cursor.seqno);
    if (!found) return std::unexpected(found.error());
    cursor.position = *found;
  }
}

Result<void> Store::wait_for_commit(std::uint64_t seqno, std::chrono::nanoseconds timeout) {
  const std::int64_t begin_ns = environment_->monotonic_ns();
  for (;;) {
    if (auto usable = check_usable(); !usable) return usable;
    // In the writer what is published here comes before the word, so the word is what there is to wait for.
    auto word = file_->load_word(format::kPublishedWord);
    if (!word) return std::unexpected(word.error());
    if (published_.load(std::memory_order_acquire) > seqno || *word > seqno) return {};
    const std::chrono::nanoseconds left = timeout - std::chrono::nanoseconds(environment_->monotonic_ns() - begin_ns);
    if (left.count() <= 0) return {};
    if (!file_->wait_for_word(format::kPublishedWord, *word, std::min(left, kLongestSleep))) {
      environment_->sleep(std::min(left, kLookAgain));
    }
  }
}

}  // namespace kvb::store
