// Salvage reads segments, whatever is left of the structures that name them.
//
// 1. Identity (uuid): from a superblock, the identity block, or else the uuid that most segment headers have.
// 2. Segments: every page that holds a valid header of this bucket and of its own place. A place has one header, so
//    one life.
// 3. Which of them count? Those that the segment table of the image names (all before its cut), and those of the chain
//    behind it: what the superblock or a valid footer of a chain segment names is certain. Without a readable table the
//    chain is followed from its first segment; if compaction has taken segments out of it, all that are found count.
//    Where the chain breaks (a damaged header or footer), it goes on with the
//    segment of the next higher id; if several could follow, with the last made of those that nobody names: an earlier
//    one was left by a crash before it was linked, and what it holds was never acknowledged.
// 4. Records of a segment: one behind the other. Behind a damaged place, the next byte offset at which a record of
//    this life begins with a right header and a right body. A record is bound to its offset and its life by its
//    checksums, so nothing else can be taken for one. Behind a footer's end nothing is taken: it is dead (R19).
// 5. Dictionaries, which compressed values need: those that the superblock names, and all whose pages are found. One
//    that a crash kept from being used may have left pages, too; if two claim the same id, and the superblock names
//    neither, values that need it count as lost, rather than to be guessed.
// 6. A batch whose last record is missing at the chain's very end was never committed and is left out. A batch that
//    damage has torn keeps its whole records: they were committed, and losing them too would help nobody.

#include "kvb/store/salvage.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "kvb/format/identity.h"
#include "kvb/format/live_page.h"
#include "kvb/format/segment.h"
#include "kvb/format/superblock.h"
#include "kvb/format/value_codec.h"
#include "kvb/log/segment_table.h"
#include "kvb/os/system_error.h"
#include "kvb/space/dictionary_run.h"

namespace kvb::store {
namespace {

using format::kPageBytes;
using format::kRecordHeaderBytes;
using format::kSegmentHeaderBytes;

struct FoundSegment {
  format::SegmentHeader header;
  std::uint32_t life = 0;
  std::uint64_t available = 0;  // Bytes of it that the file has.
  std::optional<format::Footer> footer;
};

struct KeyState {
  format::RecordHeader header;
  std::uint64_t paddr = 0;
};

class Salvager {
 public:
  Salvager(os::File& file, RepairReport& report, SalvagedCompression& compression)
      : file_(file), report_(report), compression_(compression) {}

  Result<void> run(std::int64_t now_ns, const std::function<Result<void>(SalvagedRecord&&)>& take);

 private:
  Result<void> find_identity();
  Result<void> find_segments();
  Result<void> find_dictionaries();
  Result<void> find_footer(FoundSegment& segment) const;
  // The segments that the newest readable image names, in the order of their ids; none if there is no image.
  Result<void> take_image_segments();
  Result<void> order_chain();
  // The segment that a link names, though its header is damaged: null if no record of that life is there.
  // `known_size`: 0 if it is not known.
  Result<const FoundSegment*> adopt(const format::SegmentLink& link, std::uint64_t base_seqno,
                                    std::uint64_t known_size = 0);
  Result<void> read_segment(const FoundSegment& segment, const FoundSegment* next);
  Result<std::optional<os::Bytes>> read_record(const FoundSegment& segment, std::uint64_t offset, std::uint64_t limit,
                                               format::RecordHeader& header, bool& body_right);
  // `readable`: the dictionary that its value needs is there.
  void keep(const format::RecordHeader& header, std::uint64_t paddr, std::string_view key, bool readable);
  [[nodiscard]] bool is_readable(const format::RecordHeader& header, std::string_view payload) const;
  Result<void> read_or_zero(std::uint64_t offset, os::MutableBytes out) const;
  // The same, from a window that is read ahead: looking for a record byte by byte asks for every offset.
  Result<os::Bytes> view(std::uint64_t offset, std::uint64_t length);
  void lose(std::string message, std::uint64_t offset, std::uint64_t length, std::optional<std::uint64_t> hash = {}) {
    report_.losses.push_back(
        {.message = std::move(message), .offset_bytes = offset, .length_bytes = length, .key_hash = hash});
  }

  os::File& file_;
  RepairReport& report_;
  SalvagedCompression& compression_;
  format::DictionaryShelf shelf_;
  std::set<std::uint16_t> ambiguous_;  // Ids of dictionaries.
  std::uint64_t file_bytes_ = 0;
  std::optional<format::Uuid> uuid_;
  std::optional<format::JournalStart> start_;
  std::optional<format::Superblock> superblock_;
  bool table_read_ = false;   // The image's segment table.
  std::uint64_t synced_ = 0;  // Newest seqno that is known to have been synced; 0 if the word cannot be believed.
  static constexpr std::uint64_t kWindowBytes = 1024 * 1024;
  std::vector<std::byte> window_;
  std::uint64_t window_at_ = 0;
  std::map<std::uint64_t, FoundSegment> segments_;  // By place.
  std::vector<const FoundSegment*> chain_;
  std::map<std::string, KeyState, std::less<>> keys_;
};

// Bytes that the device cannot read, or that the file does not have, count as zeros: the checksums notice.
Result<void> Salvager::read_or_zero(std::uint64_t offset, os::MutableBytes out) const {
  std::ranges::fill(out, std::byte{0});
  if (offset >= file_bytes_) return {};
  const std::uint64_t there = std::min<std::uint64_t>(out.size(), file_bytes_ - offset);
  auto read = file_.read(offset, out.first(there));
  if (read || read.error().code != ErrorCode::io_error) return read;
  for (std::uint64_t at = 0; at < there; at += kPageBytes) {
    const auto page = out.subspan(at, std::min<std::uint64_t>(kPageBytes, there - at));
    if (auto one = file_.read(offset + at, page); !one) std::ranges::fill(page, std::byte{0});
  }
  return {};
}

Result<os::Bytes> Salvager::view(std::uint64_t offset, std::uint64_t length) {
  if (offset < window_at_ || offset + length > window_at_ + window_.size()) {
    window_.resize(std::max<std::uint64_t>(length, kWindowBytes));
    window_at_ = offset;
    if (auto read = read_or_zero(offset, window_); !read) {
      window_.clear();
      return std::unexpected(read.error());
    }
  }
  return os::Bytes(window_).subspan(offset - window_at_, length);
}

Result<void> Salvager::find_identity() {
  std::array<std::byte, kPageBytes> page;
  std::optional<format::Superblock> best;
  for (const std::uint64_t at : {format::kSuperblockAOffset, format::kSuperblockBOffset}) {
    if (auto read = read_or_zero(at, page); !read) return read;
    auto superblock = format::decode_superblock(page);
    if (!superblock) {
      if (superblock.error() == format::SuperblockFault::new_version) {
        return os::failure(
            ErrorCode::unsupported,
            "This bucket was written by a newer version of the format. Use a newer program to repair it.",
            file_.path());
      }
      lose("A superblock is damaged; it held nothing that the segments do not tell.", at, kPageBytes);
      continue;
    }
    if (!best || superblock->epoch > best->epoch) best = *superblock;
  }
  if (best) {
    if ((best->features_incompatible & ~format::kKnownIncompatible) != 0) {
      return os::failure(
          ErrorCode::unsupported,
          "This bucket uses a feature that this program does not know. Use a newer program to repair it.",
          file_.path());
    }
    uuid_ = best->uuid;
    start_ = best->journal;
    superblock_ = *best;
  }
  std::array<std::byte, 16> word;
  if (auto read = read_or_zero(format::kSyncedWord, word); !read) return read;
  const auto synced = format::load_le<std::uint64_t>(word.data());
  if (format::load_le<std::uint64_t>(word.data() + format::kComplementDistance) == ~synced) synced_ = synced;
  if (auto read = read_or_zero(format::kIdentityOffset, page); !read) return read;
  if (const auto identity = format::decode_identity(std::span(page).first<format::kIdentityBytes>())) {
    if (!uuid_) uuid_ = identity->uuid;
  } else {
    lose("The identity block is damaged; it held nothing that the segments do not tell.", format::kIdentityOffset,
         format::kIdentityBytes);
  }
  return {};
}

Result<void> Salvager::find_segments() {
  std::map<format::Uuid, std::uint64_t> votes;
  std::vector<format::SegmentHeader> headers;
  std::array<std::byte, kSegmentHeaderBytes> bytes;
  for (std::uint64_t at = format::kHeadBytes; at < file_bytes_; at += kPageBytes) {
    if (auto read = read_or_zero(at, bytes); !read) return read;
    const auto header = format::decode_segment_header(bytes);
    if (!header || header->link.paddr != at) continue;
    headers.push_back(*header);
    ++votes[header->uuid];
  }
  if (!uuid_) {
    if (votes.empty()) {
      return os::failure(ErrorCode::not_a_bucket,
                         "Nothing of a bucket can be recognised in this file: no superblock, no identity block, no log "
                         "segment. Check the path.",
                         file_.path());
    }
    uuid_ = std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; })->first;
  }
  for (const auto& header : headers) {
    if (header.uuid != *uuid_) continue;
    FoundSegment segment;
    segment.header = header;
    segment.life = format::life_seed(header.uuid, header.link);
    segment.available = std::min(header.size_bytes, file_bytes_ - header.link.paddr);
    if (auto done = find_footer(segment); !done) return done;
    segments_.emplace(header.link.paddr, std::move(segment));
  }
  return {};
}

Result<void> Salvager::find_footer(FoundSegment& segment) const {
  const std::uint64_t size = segment.header.size_bytes;
  const std::uint64_t reserve = format::footer_reserve(size);
  if (segment.available != size || size < kSegmentHeaderBytes + reserve) return {};
  std::vector<std::byte> area(reserve);
  if (auto read = read_or_zero(segment.header.link.paddr + size - reserve, area); !read) return read;
  const auto points = format::footer_points_bytes(std::span(area).last<format::kFooterBytes>(), size);
  if (points) {
    segment.footer = format::decode_footer(std::span(area).last(*points + format::kFooterBytes), segment.life, size);
  }
  return {};
}

Result<void> Salvager::take_image_segments() {
  if (!superblock_ || superblock_->segment_table.paddr == 0) return {};
  const auto unreadable = [&](const Error& error) -> Result<void> {
    if (error.code != ErrorCode::damaged && error.code != ErrorCode::io_error) return std::unexpected(error);
    lose("The segment table is damaged; the segments were found by their headers.", error.offset_bytes.value_or(0), 0);
    start_.reset();  // The chain is followed from the first segment that there is.
    return {};
  };
  auto run = space::PageRun::open(file_, *uuid_, superblock_->segment_table, superblock_->epoch);
  if (!run) return unreadable(run.error());
  auto states = log::read_segments(**run);
  if (!states) return unreadable(states.error());
  table_read_ = true;
  std::ranges::sort(*states, {}, [](const log::SegmentState& state) { return state.link.id; });
  for (const log::SegmentState& state : *states) {
    const FoundSegment* segment = nullptr;
    const auto found = segments_.find(state.link.paddr);
    if (found != segments_.end() && found->second.header.link == state.link) {
      segment = &found->second;
    } else {
      auto adopted = adopt(state.link, state.base_seqno, state.size_bytes);
      if (!adopted) return std::unexpected(adopted.error());
      segment = *adopted;
    }
    // The one that the cut lies in comes with the chain.
    if (start_ && state.link == start_->segment) continue;
    if (segment != nullptr) {
      chain_.push_back(segment);
    } else {
      lose("A log segment is damaged: neither its header nor a record of it is left.", state.link.paddr,
           state.size_bytes);
    }
  }
  return {};
}

Result<void> Salvager::order_chain() {
  if (auto taken = take_image_segments(); !taken) return taken;
  std::map<std::uint64_t, const FoundSegment*> by_id;
  std::set<std::uint64_t> named;  // Ids that a footer names, and their links fit.
  const auto target_of = [&](const format::SegmentLink& link) -> const FoundSegment* {
    const auto it = segments_.find(link.paddr);
    return it != segments_.end() && it->second.header.link == link ? &it->second : nullptr;
  };
  for (const auto& [paddr, segment] : segments_) {
    if (segment.header.kind == format::SegmentKind::relocated) {
      // Outside of the chain. Without the table all of them count: what compaction emptied was wiped.
      if (!table_read_) chain_.push_back(&segment);
      continue;
    }
    by_id.emplace(segment.header.link.id, &segment);
    if (segment.footer && target_of(segment.footer->next) != nullptr) named.insert(segment.footer->next.id);
  }
  // A cut says which seqnos are dead, so a segment of the log that begins with one of them is: its writer died, or
  // failed, before it was linked.
  for (const auto& [paddr, segment] : segments_) {
    if (!segment.footer || (segment.footer->flags & format::Footer::kCut) == 0) continue;
    std::erase_if(by_id, [&](const auto& entry) {
      const std::uint64_t first = entry.second->header.base_seqno;
      return first > segment.footer->last_seqno && first < segment.footer->next_base_seqno;
    });
  }
  // The first segment behind `id` that some footer names, or else the last made of those before it that nobody names.
  const auto guess_after = [&](std::uint64_t id) -> const FoundSegment* {
    const FoundSegment* unnamed = nullptr;
    for (auto it = by_id.upper_bound(id); it != by_id.end(); ++it) {
      if (!named.contains(it->first)) {
        unnamed = it->second;
        continue;
      }
      break;
    }
    if (unnamed != nullptr) return unnamed;
    const auto it = by_id.upper_bound(id);
    return it != by_id.end() ? it->second : nullptr;
  };

  // What the link names; or, if its header is damaged, what can be found there all the same; or else the next that is
  // there.
  const auto follow = [&](const format::SegmentLink& link, std::uint64_t base_seqno) -> Result<const FoundSegment*> {
    if (const FoundSegment* found = target_of(link)) return found;
    auto adopted = adopt(link, base_seqno);
    if (!adopted || *adopted != nullptr) return adopted;
    const FoundSegment* later = guess_after(link.id);
    if (later != nullptr)
      lose("A log segment is damaged: neither its header nor a record of it is left.", link.paddr, 0);
    return later;
  };

  // Compaction has taken segments out of the chain, so without the table nobody can say which of the others a footer
  // once named: all count. (One that was never linked holds nothing that was acknowledged, but nothing wrong either.)
  if (!table_read_ && !chain_.empty()) {
    for (const auto& [id, one] : by_id) chain_.push_back(one);
    return {};
  }

  // The first segment of all was named by the first superblock.
  const FoundSegment* segment = by_id.empty() ? nullptr : by_id.begin()->second;
  if (start_) {
    auto first = follow(start_->segment, start_->seqno);
    if (!first) return std::unexpected(first.error());
    segment = *first;
  }
  std::set<const FoundSegment*> used(chain_.begin(), chain_.end());
  while (segment != nullptr && used.insert(segment).second) {
    chain_.push_back(segment);
    const FoundSegment* next = nullptr;
    if (segment->footer) {
      auto named_next = follow(segment->footer->next, segment->footer->next_base_seqno);
      if (!named_next) return std::unexpected(named_next.error());
      next = *named_next;
    } else {
      // Without a footer it is the last one, or its footer is damaged. In the latter case somebody made the next
      // segment after it, and either wrote on from there (that one's numbers go on, and it is linked or filled itself)
      // or died before linking it (it is empty, or never acknowledged).
      next = guess_after(segment->header.link.id);
      if (next != nullptr && synced_ != 0 && next->header.base_seqno > synced_) next = nullptr;
    }
    segment = next;
  }
  return {};
}

Result<const FoundSegment*> Salvager::adopt(const format::SegmentLink& link, std::uint64_t base_seqno,
                                            std::uint64_t known_size) {
  if (segments_.contains(link.paddr) || link.paddr < format::kHeadBytes || link.paddr >= file_bytes_) return nullptr;
  // At most it reaches to the next segment, or to the file's end.
  const auto next = segments_.upper_bound(link.paddr);
  const std::uint64_t most = (next != segments_.end() ? next->first : file_bytes_) - link.paddr;
  FoundSegment segment;
  segment.header.uuid = *uuid_;
  segment.header.link = link;
  segment.header.base_seqno = base_seqno;
  segment.life = format::life_seed(*uuid_, link);
  if (known_size != 0) {
    segment.header.size_bytes = known_size;
    segment.available = std::min(known_size, most);
    if (auto done = find_footer(segment); !done) return std::unexpected(done.error());
  } else {
    // A footer of this life, which can only be its own, says where it ends.
    for (std::uint64_t end = kPageBytes; end <= most && !segment.footer; end += kPageBytes) {
      segment.header.size_bytes = segment.available = end;
      if (auto done = find_footer(segment); !done) return std::unexpected(done.error());
    }
    if (!segment.footer) {
      segment.header.size_bytes = format::round_up(most, kPageBytes);
      segment.available = most;
    }
  }
  const std::uint64_t size = segment.available;
  for (std::uint64_t offset = kSegmentHeaderBytes; offset + format::kRecordOverheadBytes <= size; ++offset) {
    format::RecordHeader header;
    bool body_right = false;
    auto record = read_record(segment, offset, size, header, body_right);
    if (!record) return std::unexpected(record.error());
    if (!*record || !body_right) continue;
    lose("The header of a log segment is damaged; its records can be read without it.", link.paddr,
         kSegmentHeaderBytes);
    return &segments_.emplace(link.paddr, std::move(segment)).first->second;
  }
  return nullptr;
}

// The record at this offset, if it has a right header; `body_right` says whether the rest is right too.
Result<std::optional<os::Bytes>> Salvager::read_record(const FoundSegment& segment, std::uint64_t offset,
                                                       std::uint64_t limit, format::RecordHeader& header,
                                                       bool& body_right) {
  if (limit - offset < format::kRecordOverheadBytes) return std::optional<os::Bytes>{};
  const std::uint64_t at = segment.header.link.paddr + offset;
  auto bytes = view(at, kRecordHeaderBytes);
  if (!bytes) return std::unexpected(bytes.error());
  const auto decoded =
      format::decode_record_header(bytes->first<kRecordHeaderBytes>(), format::record_seed(segment.life, offset));
  if (!decoded || decoded->record_bytes() > limit - offset || decoded->seqno < segment.header.base_seqno) {
    return std::optional<os::Bytes>{};
  }
  header = *decoded;
  bytes = view(at, header.record_bytes());
  if (!bytes) return std::unexpected(bytes.error());
  body_right = format::check_record_body(*bytes);
  return std::optional(*bytes);
}

Result<void> Salvager::find_dictionaries() {
  std::vector<space::StoredDictionary> named;
  if (superblock_) {
    for (const format::Root* root : {&superblock_->dictionaries, &superblock_->dictionaries_copy}) {
      if (root->paddr == 0) continue;
      auto run = space::PageRun::open(file_, *uuid_, *root, superblock_->epoch);
      if (!run || !space::read_dictionaries(**run, *uuid_, named)) {
        lose("A copy of the dictionaries, which compressed values need, is damaged.", root->paddr, root->bytes);
      }
    }
    if (superblock_->compression == 1) compression_.compression = Compression::zstd(superblock_->compression_level);
  }
  for (const auto& one : named) shelf_.add(one.id, one.bytes);
  std::optional<std::uint64_t> newest_epoch;
  for (std::uint64_t at = format::kHeadBytes; at + kPageBytes <= file_bytes_; at += kPageBytes) {
    auto bytes = view(at, kPageBytes);
    if (!bytes) return std::unexpected(bytes.error());
    const auto header = format::decode_page_header(bytes->first<format::kPageHeaderBytes>());
    if (!header || header->type != format::PageType::dictionary || header->uuid != *uuid_ || header->link != 0)
      continue;
    bytes = view(at, std::min(space::kMostDictionaryPages * kPageBytes, file_bytes_ - at));
    if (!bytes) return std::unexpected(bytes.error());
    const auto found = space::parse_dictionary(*bytes, *uuid_, at);
    if (!found) continue;
    const bool is_named = std::ranges::find(named, found->id, &space::StoredDictionary::id) != named.end();
    const format::Dictionary* const known = shelf_.find(found->id);
    if (known != nullptr && !std::ranges::equal(known->bytes(), found->bytes)) {
      if (!is_named) ambiguous_.insert(found->id);
      continue;
    }
    shelf_.add(found->id, found->bytes);
    // Without the superblock: in each run the newest is the last.
    if (!superblock_) compression_.compression = Compression::zstd();
    if (named.empty() && (!newest_epoch || header->epoch >= *newest_epoch)) {
      newest_epoch = header->epoch;
      compression_.dictionary = found->bytes;
    }
  }
  if (!named.empty()) compression_.dictionary = named.back().bytes;
  return {};
}

bool Salvager::is_readable(const format::RecordHeader& header, std::string_view payload) const {
  const std::uint16_t id = format::dictionary_of(header.encoding, payload);
  return id == 0 || (shelf_.find(id) != nullptr && !ambiguous_.contains(id));
}

void Salvager::keep(const format::RecordHeader& header, std::uint64_t paddr, std::string_view key, bool readable) {
  const auto known = keys_.find(key);
  if (known == keys_.end()) {
    keys_.emplace(std::string(key), KeyState{header, paddr});
  } else if (header.seqno > known->second.header.seqno || (header.seqno == known->second.header.seqno && readable)) {
    known->second = {header, paddr};
  }
}

Result<void> Salvager::read_segment(const FoundSegment& segment, const FoundSegment* next) {
  ++report_.segments;
  // What compaction has moved lies in the order of the keys.
  const bool in_order = segment.header.kind == format::SegmentKind::log;
  const std::uint64_t paddr = segment.header.link.paddr;
  const std::uint64_t limit = std::min(
      segment.footer ? segment.footer->end_offset : format::record_limit(segment.header.size_bytes), segment.available);
  format::RecordHeader header;
  struct Pending {
    format::RecordHeader header;
    std::uint64_t paddr;
    std::string key;
    bool readable;
  };
  std::vector<Pending> batch;  // Records of a batch whose end has not been seen.
  const auto keep_batch = [&] {
    for (const auto& one : batch) keep(one.header, one.paddr, one.key, one.readable);
    batch.clear();
  };
  std::uint64_t offset = kSegmentHeaderBytes;
  std::optional<std::uint64_t> bad_from;
  std::uint64_t expected = segment.header.base_seqno;
  while (offset < limit) {
    bool body_right = false;
    auto record = read_record(segment, offset, limit, header, body_right);
    if (!record) return std::unexpected(record.error());
    // In a damaged stretch only a whole record counts as the way back.
    if (!*record || (bad_from && (!body_right || (in_order && header.seqno < expected)))) {
      if (!bad_from) bad_from = offset;
      ++offset;
      continue;
    }
    if (bad_from) {
      // Behind the torn end of a writer that died, whole records prove nothing: they were never acknowledged.
      if (!segment.footer && next == nullptr && synced_ != 0 && expected > synced_) break;
      lose(in_order ? "Records " + std::to_string(expected) + " to " + std::to_string(header.seqno - 1) +
                          " are damaged beyond recognition."
                    : "Records that compaction has moved are damaged beyond recognition.",
           paddr + *bad_from, offset - *bad_from);
      bad_from.reset();
      keep_batch();
    }
    if (body_right) {
      ++report_.records;
      batch.push_back({header, paddr + offset, std::string(format::record_key((*record)->data(), header)),
                       is_readable(header, format::record_value((*record)->data(), header))});
    } else {
      // A wrong body at the very end may be a torn one, which was never acknowledged.
      const bool torn = !segment.footer && next == nullptr && synced_ != 0 && header.seqno > synced_;
      if (torn) break;
      lose("The key or value of record " + std::to_string(header.seqno) + " is damaged.", paddr + offset,
           header.record_bytes(), header.hash);
    }
    if (!in_order || !header.more_of_batch()) keep_batch();
    expected = header.seqno + 1;
    offset += header.record_bytes();
  }
  if (!in_order) {
    if (bad_from) {
      lose("Records that compaction has moved are damaged beyond recognition.", paddr + *bad_from,
           limit - std::min(*bad_from, limit));
    }
    if (!segment.footer) {
      lose("The footer of a segment is damaged.", paddr + segment.header.size_bytes - format::kFooterBytes,
           format::kFooterBytes);
    }
    return {};
  }
  // The seqno up to which records are known to have been here.
  std::uint64_t known = synced_;
  if (segment.footer) {
    known = segment.footer->last_seqno;
  } else if (next != nullptr) {
    // The footer is gone. Either it was a seal, and the next segment goes on with the next number, or a cut, with a
    // jump.
    constexpr std::uint64_t kJump = std::uint64_t{1} << 32;
    known = next->header.base_seqno - expected < kJump / 2 ? next->header.base_seqno - 1 : expected - 1;
    lose("The footer of a log segment is damaged.", paddr + segment.header.size_bytes - format::kFooterBytes,
         format::kFooterBytes);
  }
  if (expected <= known) {
    const std::uint64_t from = bad_from.value_or(offset);
    lose("Records " + std::to_string(expected) + " to " + std::to_string(known) +
             " are damaged beyond recognition, or gone with the file's end.",
         paddr + from, segment.footer ? limit - std::min(from, limit) : 0);
  }
  // In the last segment what follows the last whole batch was never committed, unless it is known to have been synced.
  if (segment.footer || next != nullptr || (!batch.empty() && batch.back().header.seqno <= synced_)) keep_batch();
  return {};
}

Result<void> Salvager::run(std::int64_t now_ns, const std::function<Result<void>(SalvagedRecord&&)>& take) {
  auto size = file_.size();
  if (!size) return std::unexpected(size.error());
  file_bytes_ = *size;
  if (auto done = find_identity(); !done) return done;
  if (auto done = find_segments(); !done) return done;
  if (auto done = find_dictionaries(); !done) return done;
  if (auto done = order_chain(); !done) return done;
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    if (auto done = read_segment(*chain_[i], i + 1 < chain_.size() ? chain_[i + 1] : nullptr); !done) return done;
  }
  std::ranges::sort(report_.losses, {}, &RepairLoss::offset_bytes);
  for (const auto& [key, state] : keys_) {
    const auto& header = state.header;
    if (header.type == format::RecordType::remove || header.expires_at_ns() <= now_ns) continue;
    SalvagedRecord record{.header = header, .key = key, .value = std::string(header.value_bytes, '\0')};
    auto read = read_or_zero(state.paddr + kRecordHeaderBytes + header.key_bytes,
                             std::as_writable_bytes(std::span(record.value)));
    if (!read) return read;
    if (header.encoding != format::Encoding::raw) {
      const std::string payload = std::move(record.value);
      const bool readable = is_readable(header, payload);
      if (!readable ||
          format::decode_value(header.encoding, payload, shelf_, record.value) != format::DecodeFault::none) {
        lose("The value of record " + std::to_string(header.seqno) +
                 (readable ? " cannot be decompressed." : " needs a dictionary that is damaged."),
             state.paddr, header.record_bytes(), header.hash);
        continue;
      }
    }
    ++report_.keys;
    report_.value_bytes += record.value.size();
    if (auto taken = take(std::move(record)); !taken) return taken;
  }
  return {};
}

}  // namespace

Result<void> salvage(os::File& file, std::int64_t now_ns, RepairReport& report, SalvagedCompression& compression,
                     const std::function<Result<void>(SalvagedRecord&&)>& take) {
  return Salvager(file, report, compression).run(now_ns, take);
}

}  // namespace kvb::store
