// Moving records: the third step of compaction (compact.cpp). The slots that point into the victims say which of their
// records are current; these are copied in the order of their keys. The slots come in the order of the hashes, here and
// when the merge writes them, so what becomes of each is kept in that order and nothing has to be looked up.
//
// A victim is read from end to end only if it may hold records that hide older ones (R32); which these are the filters
// of the other segments say (hash_filter.h). A wholly dead segment
// without such records is not read at all.
//
// A victim with a record that cannot be believed stays where it is, with all that is in it, so that the key goes on
// answering `damaged`.

#include <algorithm>
#include <array>
#include <cstring>

#include "kvb/os/mapped_read.h"
#include "kvb/os/system_error.h"
#include "kvb/store/changes.h"
#include "kvb/store/relocation.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

constexpr std::uint64_t kWriteBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kLeastOutputBytes = std::uint64_t{1} << 20;
constexpr std::uint32_t kNoSlot = UINT32_MAX;

// A record that is to be kept.
struct Found {
  std::uint64_t digits = 0;          // Of the key, for sorting.
  const std::byte* bytes = nullptr;  // In the mapping.
  std::uint64_t paddr = 0;
  std::uint64_t seqno = 0;
  std::uint64_t record_bytes : 48 = 0;
  std::uint64_t key_bytes : 16 = 0;
  std::uint32_t move = kNoSlot;  // Which of the moves it is.

  [[nodiscard]] std::string_view key() const noexcept {
    return {reinterpret_cast<const char*>(bytes) + format::kRecordHeaderBytes, key_bytes};
  }
};

std::optional<format::RecordHeader> whole_record(const log::Segment& segment, std::uint64_t offset) {
  const std::byte* const at = segment.at(offset, format::kRecordHeaderBytes);
  if (at == nullptr) return std::nullopt;
  const auto header = format::decode_record_header(
      std::span<const std::byte, format::kRecordHeaderBytes>(at, format::kRecordHeaderBytes),
      format::record_seed(segment.life, offset));
  if (!header || segment.at(offset, header->record_bytes()) == nullptr ||
      !format::check_record_body({at, header->record_bytes()})) {
    return std::nullopt;
  }
  return header;
}

void sort_by_key(os::LargeVector<Found>& records) {
  if (records.empty()) return;
  const std::string_view first = records.front().key();
  std::size_t shared = first.size();
  for (const Found& one : records) {
    const std::string_view key = one.key();
    std::size_t same = 0;
    while (same < shared && same < key.size() && key[same] == first[same]) ++same;
    shared = same;
  }
  for (Found& one : records) one.digits = index::key_digits(one.key(), shared);
  std::ranges::sort(records, [](const Found& a, const Found& b) {
    if (a.digits != b.digits) return a.digits < b.digits;
    const int order = a.key().compare(b.key());
    return order != 0 ? order < 0 : a.seqno < b.seqno;
  });
}

}  // namespace

struct Store::Mover {
  Store& store;
  const ReadState& state;
  const Changes& changes;
  Relocation& relocation;
  std::vector<space::PageRange>& taken;

  os::LargeVector<Found> records;
  std::vector<log::SegmentState> stuck;  // Victims that cannot be moved.
  // Of the output in the making.
  struct Kept {
    format::RecordHeader header;
    std::string_view value{};  // As it is stored: in the mapping, or, if it is new, in `payloads`.
    std::uint16_t dictionary = 0;
    bool is_new = false;
  };
  std::vector<Kept> kept;
  std::string payloads;
  Rooms rooms;

  Result<void> find_slots();
  void find_records();
  Result<void> write_outputs();
  Result<void> encode_output(std::size_t from, std::uint64_t most);
  // The next output: `records` from `next` on, up to `most` bytes. Advances `next`.
  Result<void> write_output(std::size_t& next, std::uint64_t most);
};

Result<void> Store::Mover::find_slots() {
  relocation.moves.clear();
  return for_each_slot(*state.base, changes.list, [&](const index::Slot& slot) -> Result<void> {
    if (relocation.is_victim(slot.paddr)) relocation.moves.push_back({.from = slot.paddr});
    return {};
  });
}

// Finds the records that must be kept; what has expired is dropped.
void Store::Mover::find_records() {
  records.clear();
  relocation.dropped_keys.clear();
  relocation.dropped_bytes = 0;
  const std::int64_t now = store.now_ns();
  os::LargeVector<std::uint32_t> by_place(relocation.moves.size());
  for (std::uint32_t i = 0; i < by_place.size(); ++i) by_place[i] = i;
  std::ranges::sort(by_place, {}, [&](std::uint32_t i) { return relocation.moves[i].from; });
  // Where older records of a key may be: in the other segments, and in those that were emptied and are not wiped yet.
  std::vector<log::SegmentState> elsewhere;
  for (const log::SegmentState& other : changes.segments) {
    if (!relocation.is_victim(other.link.paddr)) elsewhere.push_back(other);
  }
  for (const Victim& emptied : store.victims_) elsewhere.push_back(emptied.segment);
  std::ranges::sort(elsewhere, {}, &log::SegmentState::base_seqno);
  const std::uint64_t oldest_elsewhere = elsewhere.empty() ? UINT64_MAX : elsewhere.front().base_seqno;
  std::vector<const HashFilter*> filters;  // Of as many as were asked for.
  const bool unsure = store.may_have_stale_segments();
  const auto hides_another = [&](const format::RecordHeader& header) {
    if (unsure) return true;
    if (relocation.older) {
      return relocation.older->any(header.hash, header.seqno,
                                   [&](std::uint64_t segment) { return !relocation.is_victim(segment); });
    }
    for (std::size_t i = 0; i < elsewhere.size() && elsewhere[i].base_seqno < header.seqno; ++i) {
      if (i == filters.size()) filters.push_back(store.filter_of(elsewhere[i]));
      if (filters[i] == nullptr || filters[i]->may_hold(header.hash)) return true;
    }
    return false;
  };
  auto next = by_place.begin();
  for (const log::SegmentState& victim : relocation.victims) {
    const log::Segment* const segment = store.segments_.find(victim.link.paddr);
    const auto add = [&](const format::RecordHeader& header, std::uint64_t offset, std::uint32_t move) {
      const std::uint64_t paddr = victim.link.paddr + offset;
      const bool expired =
          header.type == format::RecordType::put && store.is_over(header.timestamp_ns, header.expires_at_ns());
      const bool hides = header.type == format::RecordType::remove || expired;
      if (move != kNoSlot && expired) {
        relocation.dropped_keys.emplace_back(format::record_key(segment->at(offset, 0), header));
        relocation.dropped_bytes += header.record_bytes();
        move = kNoSlot;
      }
      if (move == kNoSlot && !(hides && hides_another(header))) return;
      records.push_back({.bytes = segment->at(offset, 0),
                         .paddr = paddr,
                         .seqno = header.seqno,
                         .record_bytes = header.record_bytes(),
                         .key_bytes = header.key_bytes,
                         .move = move});
    };
    const std::size_t records_before = records.size();
    const std::size_t dropped_before = relocation.dropped_keys.size();
    bool whole = segment != nullptr;
    const bool may_hide =
        !victim.counted || victim.has_removes || (victim.expiring_bytes != 0 && victim.first_expiry_ns <= now);
    if (may_hide && (oldest_elsewhere < UINT64_MAX || unsure)) {
      // A record that hides others may stand anywhere.
      for (std::uint64_t offset = format::kSegmentHeaderBytes; whole && offset < victim.end_offset;) {
        const auto header = whole_record(*segment, offset);
        whole = header && header->record_bytes() <= victim.end_offset - offset;
        if (!whole) break;
        const bool has_slot = next != by_place.end() && relocation.moves[*next].from == victim.link.paddr + offset;
        add(*header, offset, has_slot ? *next : kNoSlot);
        if (has_slot) ++next;
        offset += header->record_bytes();
      }
    }
    for (; whole && next != by_place.end() && relocation.moves[*next].from < victim.link.paddr + victim.size_bytes;
         ++next) {
      const std::uint64_t offset = relocation.moves[*next].from - victim.link.paddr;
      const auto header = whole_record(*segment, offset);
      whole = header.has_value();
      if (whole) add(*header, offset, *next);
    }
    if (!whole) {
      stuck.push_back(victim);
      records.resize(records_before);
      relocation.dropped_keys.resize(dropped_before);
      while (next != by_place.end() && relocation.moves[*next].from < victim.link.paddr + victim.size_bytes) ++next;
    }
  }
  std::ranges::sort(relocation.dropped_keys);
}

Result<void> Store::Mover::write_outputs() {
  // Small enough that one of them can be emptied again without moving much.
  const std::uint64_t most_of_all = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(changes.live_bytes) / 8,
                                                              kLeastOutputBytes, format::kMaxSegmentBytes / 2);
  for (std::size_t next = 0; next < records.size();) {
    std::uint64_t most = most_of_all;
    if (relocation.rewrite_keys) {
      // When records move down, one that fits between what is there.
      std::uint64_t largest_hole = 0;
      for (const auto& hole : store.free_space_.free_ranges()) largest_hole = std::max(largest_hole, hole.bytes());
      most = std::clamp(largest_hole - largest_hole / 8, std::uint64_t{64} << 10, most);
    }
    if (auto written = write_output(next, most); !written) return written;
  }
  return {};
}

// How the records of an output are stored from now on. Found out before the output is made, so that it is made as large
// as it has to be.
Result<void> Store::Mover::encode_output(std::size_t from, std::uint64_t most) {
  kept.clear();
  payloads.clear();
  constexpr std::size_t kAhead = 8;
  std::uint64_t bytes = 0;
  for (std::size_t at = from; at < records.size(); ++at) {
    if (at + kAhead < records.size()) {
      const std::byte* const later = records[at + kAhead].bytes;
      for (std::size_t line = 0; line < 192; line += 64) __builtin_prefetch(later + line);
    }
    const Found& one = records[at];
    const log::Segment* const segment = store.segments_.find(one.paddr);
    const auto old = format::decode_record_header(
        std::span<const std::byte, format::kRecordHeaderBytes>(one.bytes, format::kRecordHeaderBytes),
        format::record_seed(segment->life, one.paddr - segment->paddr()));
    // It was right a moment ago.
    if (!old || old->record_bytes() != one.record_bytes) return store.damaged_record({.paddr = one.paddr}, 0);
    Kept record{.header = *old, .value = format::record_value(one.bytes, *old)};
    if (old->type == format::RecordType::put) {
      const auto encoded = store.encode_moved(old->encoding, record.value, relocation, rooms);
      record.dictionary = encoded.dictionary;
      record.header.encoding = encoded.encoding;
      record.header.value_bytes = static_cast<std::uint32_t>(encoded.payload.size());
      record.is_new = encoded.payload.data() != record.value.data();
      if (record.is_new) record.value = encoded.payload;
    }
    if (!kept.empty() && bytes + record.header.record_bytes() > most) break;
    bytes += record.header.record_bytes();
    if (record.is_new) payloads += record.value;
    kept.push_back(record);
  }
  // The payloads lie still now.
  std::size_t used = 0;
  for (Kept& record : kept) {
    if (!record.is_new) continue;
    record.value = std::string_view(payloads).substr(used, record.header.value_bytes);
    used += record.header.value_bytes;
  }
  return {};
}

Result<void> Store::Mover::write_output(std::size_t& next, std::uint64_t most) {
  if (auto encoded = encode_output(next, most); !encoded) return encoded;
  // A segment that holds exactly what comes into it.
  std::uint64_t bytes = 0;
  std::uint64_t lowest_seqno = UINT64_MAX;
  std::uint64_t highest_seqno = 0;
  for (const Kept& record : kept) {
    bytes += record.header.record_bytes();
    lowest_seqno = std::min(lowest_seqno, record.header.seqno);
    highest_seqno = std::max(highest_seqno, record.header.seqno);
  }
  const auto room = store.reserve_.take(format::segment_bytes_for(bytes), space::Reserve::Use::moving);
  // Not so much side by side: several smaller ones, then.
  if (!room && room.error().code == ErrorCode::full && kept.size() > 1) return write_output(next, bytes / 2);
  if (!room) return std::unexpected(room.error());
  const space::PageRange range = *room;
  taken.push_back(range);
  std::array<std::byte, 8> salt;
  store.environment_->fill_random(salt);
  const format::SegmentHeader header{.uuid = store.head_.superblock.uuid,
                                     .link = {.id = store.next_relocated_id(),
                                              .paddr = range.paddr,
                                              .salt = format::load_le<std::uint64_t>(salt.data())},
                                     .size_bytes = range.bytes(),
                                     .kind = format::SegmentKind::relocated,
                                     .base_seqno = lowest_seqno,
                                     .start_ns = store.environment_->wall_clock_ns(),
                                     .pid = store.environment_->process().pid,
                                     .hash_seed = store.head_.superblock.hash_seed};
  const std::uint32_t life = format::life_seed(header.uuid, header.link);
  os::File& file = *store.file_;
  if (auto allocated = file.allocate(range.paddr, range.bytes()); !allocated) return allocated;
  std::array<std::byte, format::kSegmentHeaderBytes> header_bytes;
  format::encode_segment_header(header, header_bytes);
  if (auto written = file.write(range.paddr, header_bytes); !written) return written;

  log::TailStatistics statistics;
  HashFilter filter(kept.size());
  std::uint64_t expiring_bytes = 0;
  bool has_removes = false;
  log::SegmentState output{
      .link = header.link, .size_bytes = header.size_bytes, .kind = header.kind, .base_seqno = header.base_seqno};
  std::uint64_t offset = format::kSegmentHeaderBytes;
  std::uint64_t written_to = offset;
  std::vector<std::byte> buffer;
  buffer.reserve(std::min(bytes, kWriteBytes + kWriteBytes / 4));
  const auto write_out = [&]() -> Result<void> {
    const std::uint64_t from = range.paddr + written_to;
    auto written = file.write(from, buffer);
    written_to = offset;
    if (written) written = store.pace(from, buffer.size());
    buffer.clear();
    return written;
  };
  for (const Kept& record : kept) {
    const Found& one = records[next++];
    const format::RecordHeader& moved = record.header;
    const std::uint64_t record_bytes = moved.record_bytes();
    const std::size_t place = buffer.size();
    buffer.resize(place + record_bytes);
    format::encode_record(moved, format::record_key(one.bytes, moved), record.value, format::record_seed(life, offset),
                          format::MutableBytes(buffer).subspan(place));
    statistics.add(moved, offset);
    filter.add(moved.hash);
    if (record.dictionary != 0) output.dictionaries |= relocation.dictionary_bit(record.dictionary);
    if (moved.type == format::RecordType::remove) has_removes = true;
    if (moved.type == format::RecordType::put && moved.ttl_seconds != 0) expiring_bytes += record_bytes;
    if (one.move != kNoSlot) {
      relocation.moves[one.move].to = range.paddr + offset;
      output.live_bytes += record_bytes;
      relocation.saved_live_bytes += one.record_bytes - record_bytes;
    }
    offset += record_bytes;
    if (buffer.size() >= kWriteBytes) {
      if (auto written = write_out(); !written) return written;
    }
  }
  if (!buffer.empty()) {
    if (auto written = write_out(); !written) return written;
  }
  relocation.bytes += bytes;
  output.end_offset = offset;
  output.records = statistics.record_count;
  output.last_expiry_ns = statistics.latest_expiry_ns;
  output.first_expiry_ns = statistics.earliest_expiry_ns;
  output.expiring_bytes = expiring_bytes;
  output.has_removes = has_removes;
  output.counted = true;
  store.keep_filter(header.link.id, std::move(filter));
  const format::Footer footer{.end_offset = offset,
                              .last_seqno = highest_seqno,
                              .record_count = statistics.record_count,
                              .earliest_expiry_ns = statistics.earliest_expiry_ns,
                              .latest_expiry_ns = statistics.latest_expiry_ns,
                              .next = {},
                              .next_base_seqno = highest_seqno + 1,
                              .resync_points = std::move(statistics.resync_points)};
  const auto footer_bytes = format::encode_footer(footer, life, header.size_bytes);
  if (auto written = file.write(range.end() - footer_bytes.size(), footer_bytes); !written) return written;
  const std::scoped_lock table_lock(store.write_mutex_);
  auto added = store.segments_.add(header);
  if (!added) return std::unexpected(added.error());
  relocation.outputs.push_back(output);  // From here on it is in the table, and to be taken out if anything fails.
  (*added)->end_offset.store(offset, std::memory_order_relaxed);
  if (auto mapped = store.segments_.ensure_mapped(**added, header.size_bytes); !mapped) {
    return std::unexpected(mapped.error());
  }
  store.counters_.bytes_moved.fetch_add(offset, std::memory_order_relaxed);
  return {};
}

Result<void> Store::relocate(const ReadState& state, const Changes& changes, Relocation& relocation,
                             std::vector<space::PageRange>& taken) {
  if (relocation.victims.empty()) return {};
  // Records are read, and compared, in mappings anywhere in the file.
  const os::MappedGuard guard(nullptr, SIZE_MAX);
  Mover mover{.store = *this,
              .state = state,
              .changes = changes,
              .relocation = relocation,
              .taken = taken,
              .records = {},
              .stuck = {},
              .kept = {},
              .payloads = {},
              .rooms = {}};
  for (;;) {
    if (auto found = mover.find_slots(); !found) return found;
    mover.find_records();
    if (mover.stuck.empty()) break;
    if (guard.verdict() != os::MappedGuard::Verdict::good) break;
    // Without those that hold something damaged, once more.
    for (const auto& stuck : mover.stuck) stuck_segments_.insert(stuck.link.id);
    mover.stuck.clear();
    std::erase_if(relocation.victims, [&](const auto& s) { return stuck_segments_.contains(s.link.id); });
    if (relocation.victims.empty()) {
      relocation.moves.clear();
      return {};
    }
  }
  if (guard.verdict() == os::MappedGuard::Verdict::good) {
    sort_by_key(mover.records);
    if (auto written = mover.write_outputs(); !written) return written;
  }
  if (guard.verdict() != os::MappedGuard::Verdict::good) {
    return os::failure(ErrorCode::io_error,
                       "Some records could not be read from the disk while they were moved. Everything is as it was; "
                       "nothing is lost.",
                       path_);
  }
  relocation.records = mover.records.size();
  return {};
}

}  // namespace kvb::store
