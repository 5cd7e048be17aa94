// Compaction: gives the space of dead records back. It is a checkpoint that moves records.
//
//   1. The cut C is made as for a checkpoint; for `full` the log's last segment is ended first.
//   2. Victims are chosen among the segments that lie wholly before C, by the share of dead bytes.
//   3. Their live records (those that base and frozen delta name as current) are copied in the order of their keys into
//      output segments: kind `relocated`, outside the chain, that nothing leads to yet (R29). Nothing of a record
//      changes, seqno, timestamp and time to live included (R30); only the checksums are new, because they are bound to
//      the place.
//   4. The merge writes slots with the new places. What was written after C is in the active delta and wins.
//   5. The flip makes outputs and slots valid, and retires the victims, at once. After a crash before it the outputs
//      are free space; after it the victims are, by the rules for retired space (R15): two epochs, pins, and scans here
//      that still read the image before. So the last flip is made twice, and the space can be given back at once.
//
// Deletes and expired records hide older records of their keys from `repair`, which looks at segments alone. Such a
// record is left behind only if no segment that stays can hold an older one (R32): no other segment begins with a lower
// seqno. Otherwise it is copied like a live one, though no slot points at it.
//
// A segment that is given back gets its header wiped, so that repair never takes it for one that counts.

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "kvb/os/mapped_read.h"
#include "kvb/os/system_error.h"
#include "kvb/store/read_bytes.h"
#include "kvb/store/relocation.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

constexpr std::uint64_t kBytesARound = std::uint64_t{64} << 20;  // Live data; bounds the memory of a round.
constexpr std::uint64_t kWriteBytes = std::uint64_t{1} << 20;
constexpr int kMostRounds = 1'000;
constexpr int kMostRoundsDown = 6;

struct Found {
  std::uint64_t digits;  // Of the key, for sorting.
  std::string_view key;  // In the mapping.
  std::uint64_t paddr;
  std::uint64_t bytes;
  std::uint64_t seqno;
  bool has_slot;
};

}  // namespace

// Reads the victims from end to end and finds what must be kept.
Result<void> Store::find_records_to_keep(const ReadState& state, Relocation& relocation,
                                         const std::function<void(const format::RecordHeader&, std::uint64_t paddr,
                                                                  std::string_view key, bool has_slot)>& keep) {
  // The lowest seqno that another segment may hold.
  std::uint64_t oldest_elsewhere = UINT64_MAX;
  for (const log::SegmentState& other : cut_segments_) {
    if (!relocation.is_victim(other.link.paddr)) oldest_elsewhere = std::min(oldest_elsewhere, other.base_seqno);
  }
  const std::int64_t now = now_ns();
  for (const log::SegmentState& victim : relocation.victims) {
    const log::Segment* segment = segments_.find(victim.link.paddr);
    for (std::uint64_t offset = format::kSegmentHeaderBytes; offset < victim.end_offset;) {
      const std::uint64_t paddr = victim.link.paddr + offset;
      const std::byte* at = segment->at(offset, format::kRecordHeaderBytes);
      if (at == nullptr) return damaged_record({.paddr = paddr}, 0);
      auto header = read_header({.bytes = at, .offset = offset, .life = segment->life, .mapped = true}, paddr);
      if (!header) return std::unexpected(header.error());
      const std::uint64_t bytes = header->record_bytes();
      at = segment->at(offset, bytes);
      if (at == nullptr || bytes > victim.end_offset - offset) return damaged_record({.paddr = paddr}, header->hash);
      const std::string_view key = format::record_key(at, *header);
      auto current = is_current(state, paddr, header->hash, key);
      if (!current) return std::unexpected(current.error());
      const bool expired = header->type == format::RecordType::put && header->expires_at_ns() <= now;
      const bool hides = header->type == format::RecordType::remove || expired;
      if (*current && expired) {
        relocation.moves.push_back({.from = paddr, .to = Relocation::kDropped});
        relocation.dropped_keys.emplace_back(key);
      }
      if (*current && !expired) {
        keep(*header, paddr, key, true);
      } else if (hides && oldest_elsewhere < header->seqno) {
        keep(*header, paddr, key, false);
      }
      offset += bytes;
    }
  }
  std::ranges::sort(relocation.dropped_keys);
  return {};
}

// Do base and frozen delta name this very record as the newest of its key?
Result<bool> Store::is_current(const ReadState& state, std::uint64_t paddr, std::uint64_t hash,
                               std::string_view key) const {
  if (state.frozen) {
    auto found = find_in(*state.frozen, hash, key, UINT64_MAX);
    if (!found) return std::unexpected(found.error());
    if (*found) return (*found)->paddr == paddr;
  }
  bool current = false;
  if (state.base->empty()) return current;
  auto searched = state.base->hashes().find(hash, [&](std::uint64_t slot) {
    current = slot == paddr;
    return !current;
  });
  if (!searched) return std::unexpected(searched.error());
  return current;
}

Result<void> Store::relocate(const ReadState& state, Relocation& relocation, std::vector<space::PageRange>& taken) {
  std::vector<Found> records;
  // Keys are read, and compared, in mappings anywhere in the file.
  const os::MappedGuard guard(nullptr, SIZE_MAX);
  auto found = find_records_to_keep(
      state, relocation,
      [&](const format::RecordHeader& header, std::uint64_t paddr, std::string_view key, bool has_slot) {
        records.push_back({.digits = 0,
                           .key = key,
                           .paddr = paddr,
                           .bytes = header.record_bytes(),
                           .seqno = header.seqno,
                           .has_slot = has_slot});
      });
  if (!found) return found;
  std::size_t shared = records.empty() ? 0 : records.front().key.size();
  for (const Found& one : records) {
    const std::string_view first = records.front().key;
    std::size_t same = 0;
    while (same < shared && same < one.key.size() && one.key[same] == first[same]) ++same;
    shared = same;
  }
  for (Found& one : records) one.digits = index::key_digits(one.key, shared);
  std::ranges::sort(records, [](const Found& a, const Found& b) {
    if (a.digits != b.digits) return a.digits < b.digits;
    const int order = a.key.compare(b.key);
    return order != 0 ? order < 0 : a.seqno < b.seqno;
  });

  std::uint64_t left = 0;
  for (const Found& one : records) left += one.bytes;
  std::vector<std::byte> buffer;
  for (std::size_t next = 0; next < records.size();) {
    // A segment that holds exactly what comes into it. When records move down, one that fits between what is there.
    std::uint64_t most = format::kMaxSegmentBytes / 2;
    if (relocation.rewrite_keys) {
      std::uint64_t largest_hole = 0;
      for (const auto& hole : free_space_.free_ranges()) largest_hole = std::max(largest_hole, hole.bytes());
      most = std::clamp(largest_hole - largest_hole / 8, std::uint64_t{64} << 10, most);
    }
    std::size_t end = next;
    std::uint64_t bytes = 0;
    std::uint64_t lowest_seqno = UINT64_MAX;
    std::uint64_t highest_seqno = 0;
    while (end < records.size() && (end == next || bytes + records[end].bytes <= most)) {
      bytes += records[end].bytes;
      lowest_seqno = std::min(lowest_seqno, records[end].seqno);
      highest_seqno = std::max(highest_seqno, records[end].seqno);
      ++end;
    }
    const space::PageRange range = free_space_.take(format::segment_bytes_for(bytes));
    taken.push_back(range);
    std::array<std::byte, 8> salt;
    environment_->fill_random(salt);
    const format::SegmentHeader header{
        .uuid = head_.superblock.uuid,
        .link = {.id = next_relocated_id(), .paddr = range.paddr, .salt = format::load_le<std::uint64_t>(salt.data())},
        .size_bytes = range.bytes(),
        .kind = format::SegmentKind::relocated,
        .base_seqno = lowest_seqno,
        .start_ns = environment_->wall_clock_ns(),
        .pid = environment_->process().pid,
        .hash_seed = head_.superblock.hash_seed};
    const std::uint32_t life = format::life_seed(header.uuid, header.link);
    if (auto allocated = file_->allocate(range.paddr, range.bytes()); !allocated) return allocated;
    std::array<std::byte, format::kSegmentHeaderBytes> header_bytes;
    format::encode_segment_header(header, header_bytes);
    if (auto written = file_->write(range.paddr, header_bytes); !written) return written;

    log::TailStatistics statistics;
    log::SegmentState output{
        .link = header.link, .size_bytes = header.size_bytes, .kind = header.kind, .base_seqno = header.base_seqno};
    std::uint64_t offset = format::kSegmentHeaderBytes;
    std::uint64_t written_to = offset;
    buffer.clear();
    const auto write_out = [&]() -> Result<void> {
      auto written = file_->write(range.paddr + written_to, buffer);
      written_to = offset;
      buffer.clear();
      // R10: so that no durable write waits long behind ours.
      return written ? sync_file(os::SyncKind::data) : written;
    };
    for (; next < end; ++next) {
      const Found& one = records[next];
      const log::Segment* from = segments_.find(one.paddr);
      const std::byte* const bytes_at = from->at(one.paddr - from->paddr(), one.bytes);
      const auto old = format::decode_record_header(
          std::span<const std::byte, format::kRecordHeaderBytes>(bytes_at, format::kRecordHeaderBytes),
          format::record_seed(from->life, one.paddr - from->paddr()));
      const std::size_t place = buffer.size();
      buffer.resize(place + one.bytes);
      if (!old || old->record_bytes() != one.bytes || !format::check_record_body({bytes_at, one.bytes})) {
        return damaged_record({.paddr = one.paddr}, old ? old->hash : 0);
      }
      format::encode_record(*old, format::record_key(bytes_at, *old), format::record_value(bytes_at, *old),
                            format::record_seed(life, offset), format::MutableBytes(buffer).subspan(place));
      statistics.add(*old, offset);
      if (one.has_slot) relocation.moves.push_back({.from = one.paddr, .to = range.paddr + offset});
      offset += one.bytes;
      if (buffer.size() >= kWriteBytes) {
        if (auto written = write_out(); !written) return written;
      }
    }
    if (!buffer.empty()) {
      if (auto written = write_out(); !written) return written;
    }
    output.end_offset = offset;
    output.records = statistics.record_count;
    output.last_expiry_ns = statistics.latest_expiry_ns;
    const format::Footer footer{.end_offset = offset,
                                .last_seqno = highest_seqno,
                                .record_count = statistics.record_count,
                                .earliest_expiry_ns = statistics.earliest_expiry_ns,
                                .latest_expiry_ns = statistics.latest_expiry_ns,
                                .next = {},
                                .next_base_seqno = highest_seqno + 1,
                                .resync_points = std::move(statistics.resync_points)};
    const auto footer_bytes = format::encode_footer(footer, life, header.size_bytes);
    if (auto written = file_->write(range.end() - footer_bytes.size(), footer_bytes); !written) return written;
    const std::scoped_lock table_lock(write_mutex_);
    auto added = segments_.add(header);
    if (!added) return std::unexpected(added.error());
    (*added)->end_offset.store(offset, std::memory_order_relaxed);
    if (auto mapped = segments_.ensure_mapped(**added, header.size_bytes); !mapped) {
      return std::unexpected(mapped.error());
    }
    relocation.outputs.push_back(output);
  }
  if (guard.verdict() != os::MappedGuard::Verdict::good) {
    return os::failure(ErrorCode::io_error,
                       "Some records could not be read from the disk while they were moved. Everything is as it was; "
                       "nothing is lost.",
                       path_);
  }
  relocation.records = records.size();
  relocation.bytes = left;
  std::ranges::sort(relocation.moves, {}, &Relocation::Move::from);
  return {};
}

// Which segments to empty in one round.
std::vector<log::SegmentState> Store::choose_victims(CompactStrategy strategy) const {
  std::vector<log::SegmentState> victims;
  for (const log::SegmentState& state : estimated_) {
    // R31: the segment in which the journal begins stays, and so does everything that is not complete.
    if (state.link == cut_.segment || state.end_offset == 0) continue;
    const std::uint64_t dead = state.size_bytes - std::min(state.live_bytes, state.size_bytes);
    const bool wanted = strategy == CompactStrategy::full ||
                        dead * (strategy == CompactStrategy::automatic ? 2 : 10) >= state.size_bytes;
    if (wanted) victims.push_back(state);
  }
  // The deadest first.
  std::ranges::sort(
      victims, {}, [](const auto& s) { return static_cast<double>(s.live_bytes) / static_cast<double>(s.size_bytes); });
  std::uint64_t live = 0;
  std::size_t taken = 0;
  for (; taken < victims.size() && live < kBytesARound; ++taken) live += victims[taken].live_bytes;
  victims.resize(taken);
  std::ranges::sort(victims, {}, [](const auto& s) { return s.link.paddr; });
  return victims;
}

Result<CompactReport> Store::compact(const CompactOptions& options) {
  if (auto usable = check_usable(); !usable) return std::unexpected(usable.error());
  if (options_.read_only) return std::unexpected(check_writable().error());
  const std::scoped_lock one_at_a_time(checkpoint_mutex_);
  CompactReport report;
  const auto sizes = [&](std::uint64_t& file_bytes, std::uint64_t& allocated) {
    if (auto bytes = file_->size()) file_bytes = *bytes;
    if (auto bytes = file_->allocated_bytes()) allocated = *bytes;
  };
  sizes(report.file_bytes_before, report.allocated_bytes_before);
  std::set<std::uint64_t> outputs;  // Made here; not emptied again but to move them down.
  const auto round = [&](bool seal, bool down) -> Result<std::size_t> {
    std::size_t victims = 0;
    auto done = checkpoint_and_move(
        seal,
        [&](Relocation& relocation) -> Result<void> {
          estimate_live_bytes();
          relocation.victims = down ? segments_far_out() : choose_victims(options.strategy);
          if (!down) std::erase_if(relocation.victims, [&](const auto& s) { return outputs.contains(s.link.id); });
          relocation.rewrite_keys = down;
          victims = relocation.victims.size();
          return {};
        },
        [&](const Relocation& relocation) {
          report.records_moved += relocation.records;
          report.bytes_moved += relocation.bytes;
          report.segments_freed += down ? 0 : relocation.victims.size();
          for (const auto& output : relocation.outputs) outputs.insert(output.link.id);
        });
    if (!done) return std::unexpected(done.error());
    if (auto given = give_back_space(); !given) return std::unexpected(given.error());
    sizes(report.file_bytes_after, report.allocated_bytes_after);
    if (options.progress) options.progress(report);
    return victims;
  };
  for (int i = 0; i < kMostRounds; ++i) {
    auto emptied = round(options.strategy == CompactStrategy::full && i == 0, false);
    if (!emptied) return std::unexpected(emptied.error());
    if (*emptied == 0) break;
  }
  // What lies behind free space moves down, so that the file's end can be cut (R33).
  {
    const std::scoped_lock lock(write_mutex_);
    journal_->let_reserve_go();
  }
  for (int i = 0; i < kMostRoundsDown; ++i) {
    const std::uint64_t before = report.file_bytes_after;
    const std::uint64_t free = free_space_.free_bytes();
    const bool worth_it = options.strategy == CompactStrategy::full ? free * 8 >= before : free * 2 >= before;
    if (!worth_it && before <= report.file_bytes_before) break;
    if (auto moved = round(false, true); !moved) return std::unexpected(moved.error());
    const bool shorter = report.file_bytes_after + before / 64 < before;
    if (!shorter && i > 0 && report.file_bytes_after <= report.file_bytes_before) break;
  }
  return report;
}

// The segments that lie where no byte would have to be if there were no holes.
std::vector<log::SegmentState> Store::segments_far_out() const {
  std::uint64_t used = free_space_.end_of_used() - free_space_.free_bytes();
  std::vector<log::SegmentState> far;
  std::uint64_t live = 0;
  for (const log::SegmentState& state : cut_segments_) {
    if (state.link == cut_.segment || state.end_offset == 0) continue;
    if (state.link.paddr + state.size_bytes <= used || live > kBytesARound) continue;
    live += state.live_bytes;
    far.push_back(state);
  }
  return far;
}

// The same image once more, under the next epoch: then nobody falls back to the one before, and what it alone used can
// be given back, to the file system where it is worth it.
Result<void> Store::give_back_space() {
  if (!retired_.empty()) {
    format::Superblock again = superblock_;
    again.epoch = next_epoch_++;
    if (auto flipped = flip(again); !flipped) return flipped;
    superblock_ = again;
    reclaim();
  }
  if (auto moved = move_promise_down(); !moved) return moved;
  std::uint64_t end = 0;
  {
    // No writer may take space behind the end while it is cut.
    const std::scoped_lock lock(write_mutex_);
    end = journal_->end_of_use();
    auto bytes = file_->size();
    if (!bytes) return std::unexpected(bytes.error());
    if (end < *bytes) {
      if (auto cut = file_->truncate(end); !cut) return cut;
    }
  }
  constexpr std::uint64_t kWorthPunching = 256 * 1024;
  for (const auto& range : free_space_.free_ranges()) {
    // Taken while it is punched: a writer might use it otherwise.
    if (range.end() > end || range.bytes() < kWorthPunching || !free_space_.reserve(range)) continue;
    auto punched = file_->punch(range.paddr, range.bytes());
    free_space_.give_back(range);
    if (!punched) return punched;
  }
  return {};
}

// The place that is kept free for the next log segment may be what keeps the file long. As long as nothing was written
// there, another place can take its place: both superblocks are made to name it, while writers wait. (One alone would
// not do: whoever fell back to the other would look for the log at the old place.)
Result<void> Store::move_promise_down() {
  std::unique_lock lock(write_mutex_);
  if (leader_active_ || journal_->has_staged() || !(journal_->tail().segment == superblock_.journal.segment)) return {};
  const auto moved = journal_->promise_lower_down();
  if (!moved) return {};
  format::Superblock again = superblock_;
  again.flags |= format::kFlagJournalMoved;
  again.journal.segment = moved->link;
  again.commit_paddr = moved->link.paddr + again.journal.offset;
  for (int copy = 0; copy < 2; ++copy) {
    again.epoch = next_epoch_++;
    if (auto flipped = flip(again); !flipped) {
      // Whichever superblock counts now, writing must not go on at either place.
      return poison(flipped.error());
    }
  }
  superblock_ = again;
  journal_->keep_promise(*moved);
  return {};
}

}  // namespace kvb::store
