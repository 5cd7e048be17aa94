// verify: reads every structure and every record of the file afresh, sharing nothing with the open store but the file.

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include "kvb/format/hash.h"
#include "kvb/format/identity.h"
#include "kvb/format/live_page.h"
#include "kvb/os/mapped_read.h"
#include "kvb/os/system_error.h"
#include "kvb/store/store.h"

namespace kvb::store {

namespace {

using Problem = std::function<void(std::string, std::uint64_t, std::optional<std::uint64_t>)>;

// Why the value of a record that is whole cannot be read; empty if it can.
std::string decoding_fault(const format::RecordHeader& header, std::string_view payload,
                           const format::DictionaryShelf& shelf) {
  if (header.encoding == format::Encoding::raw) return {};
  std::string value;
  switch (format::decode_value(header.encoding, payload, shelf, value)) {
    case format::DecodeFault::none:
      return {};
    case format::DecodeFault::unknown_dictionary:
      return "Record " + std::to_string(header.seqno) + ": the dictionary that its value was compressed with, " +
             std::to_string(format::dictionary_of(header.encoding, payload)) + ", is not there.";
    case format::DecodeFault::bad_payload:
      break;
  }
  return "Record " + std::to_string(header.seqno) + ": its value cannot be decompressed, though its checksum is right.";
}

// Checks an image against the segments that it names.
class ImageCheck {
 public:
  ImageCheck(os::File& file, const format::Superblock& superblock, log::SegmentTable& segments,
             format::DictionaryShelf& shelf, VerifyReport& report, Problem problem)
      : file_(file),
        superblock_(superblock),
        segments_(segments),
        shelf_(shelf),
        report_(report),
        problem_(std::move(problem)) {}

  Result<void> run() {
    auto base = index::Base::open(file_, superblock_);
    if (!base) return note(base.error());
    for (const auto& one : (*base)->dictionaries()) shelf_.add(one.id, one.bytes);
    for (const std::uint64_t place : (*base)->damaged_dictionary_copies()) {
      problem_(
          "A copy of the dictionaries, which compressed values need, is damaged. The next checkpoint writes it anew "
          "from the other, if that is whole.",
          place, {});
    }
    for (const auto& range : (*base)->ranges().dictionaries) report_.bytes += range.bytes();
    auto pages = (*base)->check_all_pages();
    if (!pages) return note(pages.error());
    report_.bytes += *pages;
    for (const auto& state : (*base)->segments()) {
      if (auto done = check_segment(state); !done) return done;
    }
    if (auto done = check_slots(**base); !done) return done;
    if (auto done = check_keys(**base); !done) return done;
    return check_space(**base);
  }

 private:
  // A problem of the file is reported; what keeps us from looking is an error.
  Result<void> note(const Error& error) {
    if (error.code != ErrorCode::damaged && error.code != ErrorCode::io_error) return std::unexpected(error);
    problem_(error.message, error.offset_bytes.value_or(0), error.key_hash);
    return {};
  }

  // Every record before the cut, live or not.
  Result<void> check_segment(const log::SegmentState& state) {
    std::array<std::byte, format::kSegmentHeaderBytes> bytes;
    if (auto read = file_.read(state.link.paddr, bytes); !read) return note(read.error());
    const auto header = format::decode_segment_header(bytes);
    if (!header || header->uuid != superblock_.uuid || !(header->link == state.link) ||
        header->size_bytes != state.size_bytes || header->kind != state.kind) {
      problem_("The header of log segment " + std::to_string(state.link.id) +
                   " is not what the segment table says. Its records can be read all the same.",
               state.link.paddr, {});
    }
    auto segment = segments_.add({.uuid = superblock_.uuid,
                                  .link = state.link,
                                  .size_bytes = state.size_bytes,
                                  .kind = state.kind,
                                  .base_seqno = state.base_seqno});
    if (!segment) return note(segment.error());
    auto mapped = segments_.ensure_mapped(**segment, state.end_offset);
    if (!mapped) return note(mapped.error());
    if (!*mapped) {
      problem_("The file ends inside log segment " + std::to_string(state.link.id) + ".", state.link.paddr, {});
      return {};
    }
    report_.bytes += format::kSegmentHeaderBytes;
    for (std::uint64_t offset = format::kSegmentHeaderBytes; offset < state.end_offset;) {
      auto record = read(**segment, offset, true);
      if (!record) return note(record.error());
      const std::uint64_t paddr = state.link.paddr + offset;
      if (!record->header || record->header->record_bytes() > state.end_offset - offset) {
        problem_("The header of a record is damaged; the records behind it in this segment were not looked at.", paddr,
                 {});
        return {};
      }
      ++report_.records;
      report_.bytes += record->header->record_bytes();
      if (!record->whole) {
        problem_("Record " + std::to_string(record->header->seqno) + ": the checksum of its key and value is wrong.",
                 paddr, record->header->hash);
      } else if (const std::string fault = decoding_fault(*record->header, record->payload, shelf_); !fault.empty()) {
        problem_(fault, paddr, record->header->hash);
      }
      offset += record->header->record_bytes();
    }
    return {};
  }

  struct Record {
    std::optional<format::RecordHeader> header;
    std::string key;
    std::string payload;  // Of a compressed value.
    bool whole = false;
  };
  Result<Record> read(const log::Segment& segment, std::uint64_t offset, bool body) const {
    Record record;
    const std::uint64_t paddr = segment.paddr() + offset;
    const std::byte* at = segment.at(offset, format::kRecordHeaderBytes);
    if (at == nullptr) return record;
    auto done = os::guarded(file_.path(), paddr, at, format::kRecordHeaderBytes, [&] {
      record.header = format::decode_record_header(
          std::span<const std::byte, format::kRecordHeaderBytes>(at, format::kRecordHeaderBytes),
          format::record_seed(segment.life, offset));
    });
    if (!done) return std::unexpected(done.error());
    if (!record.header) return record;
    const std::uint64_t bytes = record.header->record_bytes();
    at = segment.at(offset, bytes);
    if (at == nullptr) {
      record.header.reset();
      return record;
    }
    record.key.resize(record.header->key_bytes);
    done = os::guarded(file_.path(), paddr, at, bytes, [&] {
      std::memcpy(record.key.data(), at + format::kRecordHeaderBytes, record.key.size());
      if (!body) return;
      if (record.header->encoding != format::Encoding::raw) record.payload = format::record_value(at, *record.header);
      record.whole = format::check_record_body({at, bytes});
    });
    if (!done) return std::unexpected(done.error());
    return record;
  }
  Result<Record> read_at(std::uint64_t paddr) const {
    const log::Segment* segment = segments_.find(paddr);
    if (segment == nullptr) return Record{};
    return read(*segment, paddr - segment->paddr(), false);
  }

  Result<void> check_slots(const index::Base& base) {
    std::map<std::uint64_t, std::uint64_t> live;  // By segment.
    std::uint64_t slots = 0;
    std::uint64_t last_hash = 0;
    auto walked = base.hashes().for_each([&](const index::Slot& slot) -> Result<void> {
      ++slots;
      if (slot.hash < last_hash) problem_("The slots of the hash index are not in order.", slot.paddr, slot.hash);
      last_hash = slot.hash;
      auto record = read_at(slot.paddr);
      if (!record) return note(record.error());
      if (!record->header || record->header->hash != slot.hash || record->header->seqno > superblock_.commit_seqno) {
        problem_("A slot of the index points at a place where no record of its key is.", slot.paddr, slot.hash);
        return {};
      }
      live[segments_.find(slot.paddr)->paddr()] += record->header->record_bytes();
      return {};
    });
    if (!walked) return note(walked.error());
    if (slots != superblock_.counters.keys) {
      problem_("The hash index has " + std::to_string(slots) + " slots, and the superblock counts " +
                   std::to_string(superblock_.counters.keys) + " keys.",
               superblock_.hash_directory.paddr, {});
    }
    for (const auto& state : base.segments()) {
      const auto found = live.find(state.link.paddr);
      const std::uint64_t bytes = found != live.end() ? found->second : 0;
      if (bytes != state.live_bytes && report_.problems.empty()) {
        problem_("The segment table says that segment " + std::to_string(state.link.id) + " has " +
                     std::to_string(state.live_bytes) + " live bytes, and it has " + std::to_string(bytes) + ".",
                 state.link.paddr, {});
      }
    }
    return {};
  }

  Result<void> check_keys(const index::Base& base) {
    index::KeyTable::Cursor cursor(base.keys());
    std::uint64_t keys = 0;
    std::string last;
    auto moved = cursor.seek_first();
    for (; moved && !cursor.at_end(); moved = cursor.next()) {
      const std::string key(cursor.key());
      if (keys++ != 0 && key <= last) {
        problem_("The keys of the key table are not in order.", superblock_.key_table.paddr, {});
      }
      last = key;
      const std::uint64_t hash = format::hash_key(key, superblock_.hash_seed);
      bool there = false;
      Result<void> failed;
      auto found = base.hashes().find(hash, [&](std::uint64_t paddr) {
        auto record = read_at(paddr);
        if (!record) failed = std::unexpected(record.error());
        there = record && record->header && record->key == key;
        return !there;
      });
      if (!found) return note(found.error());
      if (!failed) return note(failed.error());
      // With a damaged record in between the key may have been there; that is reported already.
      if (!there && report_.problems.empty()) {
        problem_("The key table has a key that the hash index does not have.", superblock_.key_table.paddr, hash);
      }
    }
    if (!moved) return note(moved.error());
    if (keys != superblock_.counters.keys - superblock_.unnamed_slots) {
      problem_("The key table has " + std::to_string(keys) + " keys, and the superblock counts " +
                   std::to_string(superblock_.counters.keys) + ".",
               superblock_.key_table.paddr, {});
    }
    if (superblock_.unnamed_slots != 0) {
      problem_(std::to_string(superblock_.unnamed_slots) + " damaged records have keys that cannot be read.",
               superblock_.hash_directory.paddr, {});
    }
    return {};
  }

  // No place is used twice.
  Result<void> check_space(const index::Base& base) {
    space::FreeSpace free;
    const auto use = [&](space::PageRange range) {
      if (!free.reserve(range)) problem_("Two structures claim the same place in the file.", range.paddr, {});
    };
    for (const auto& state : base.segments()) use(space::range_of(state.link.paddr, state.size_bytes));
    const auto ranges = base.ranges();
    for (const auto* part : {&ranges.hashes, &ranges.keys, &ranges.tables, &ranges.dictionaries}) {
      for (const auto& range : *part) use(range);
    }
    return {};
  }

  os::File& file_;
  const format::Superblock& superblock_;
  log::SegmentTable& segments_;
  format::DictionaryShelf& shelf_;
  VerifyReport& report_;
  Problem problem_;
};

}  // namespace

Result<VerifyReport> Store::verify() {
  if (auto ready = before_reading(); !ready) return std::unexpected(ready.error());
  // Held to the end: the image that is looked at stays as long.
  const Snapshot now = snapshot();
  auto report = verify(now);
  if (pin_expired(now.state->base->epoch())) return expired_snapshot();
  return report;
}

Result<VerifyReport> Store::verify(const Snapshot& now) const {
  VerifyReport report;
  const Problem problem = [&](std::string message, std::uint64_t offset, std::optional<std::uint64_t> hash) {
    report.problems.push_back({.message = std::move(message), .offset_bytes = offset, .key_hash = hash});
  };
  std::uint64_t up_to = 0;
  std::uint64_t trusted = 0;
  const format::Superblock& superblock = now.state->base->superblock();
  {
    up_to = now.limit;
    auto sums = totals(*now.state, up_to);
    report.keys = sums ? static_cast<std::uint64_t>(std::max<std::int64_t>(sums->keys, 0)) : 0;
    auto word = format::load_checked_word(*file_, format::kSyncedWord);
    if (word && *word) {
      trusted = **word;
    } else if (options_.read_only) {
      // A writer beside us may be between the two stores of the word.
    } else {
      problem("The word of the newest synced record does not fit its complement.", format::kSyncedWord, {});
    }
  }
  // What this opener counts as committed is expected to be whole, whatever the words say.
  trusted = std::max(trusted, up_to);

  auto head = load_head(*file_);
  // A writer beside us may just be writing one of the copies.
  for (int tries = 0; options_.read_only && tries < 10 && head && !(head->a_valid && head->b_valid); ++tries) {
    environment_->sleep(std::chrono::milliseconds(2));
    head = load_head(*file_);
  }
  if (!head) {
    problem(head.error().message, format::kSuperblockAOffset, {});
  } else {
    if (!head->a_valid)
      problem("Superblock A is damaged. The next opening for writing restores it from B.", format::kSuperblockAOffset,
              {});
    if (!head->b_valid)
      problem("Superblock B is damaged. The next opening for writing restores it from A.", format::kSuperblockBOffset,
              {});
    if (!head->identity_valid)
      problem("The identity block is damaged. The next opening for writing restores it.", format::kIdentityOffset, {});
  }
  report.bytes += 2 * format::kPageBytes + format::kIdentityBytes;

  log::SegmentTable segments(*file_);
  format::DictionaryShelf shelf;
  if (superblock.segment_table.paddr != 0 || superblock.dictionaries.paddr != 0) {
    ImageCheck check(*file_, superblock, segments, shelf, report, problem);
    if (auto done = check.run(); !done) return std::unexpected(done.error());
  }
  // Compaction may have moved the place where the journal begins, and written the superblock again with the same image.
  format::JournalStart journal = superblock.journal;
  if (head && head->superblock.commit_seqno == superblock.commit_seqno &&
      head->superblock.segment_table == superblock.segment_table) {
    journal = head->superblock.journal;
  }
  log::JournalReader reader(*file_, segments, superblock.uuid, journal, trusted);
  std::vector<log::JournalRecord> batch;
  for (;;) {
    auto more = reader.next_batch(batch, trusted);
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    for (const auto& record : batch) {
      ++report.records;
      report.bytes += record.header.record_bytes();
      if (record.damaged) {
        problem("Record " + std::to_string(record.header.seqno) + ": the checksum of its key and value is wrong.",
                record.paddr, record.header.hash);
      } else if (record.header.encoding != format::Encoding::raw) {
        std::string payload;
        auto copied = os::guarded(path_, record.paddr, record.bytes, record.header.record_bytes(),
                                  [&] { payload = format::record_value(record.bytes, record.header); });
        if (!copied) return std::unexpected(copied.error());
        const std::string fault = decoding_fault(record.header, payload, shelf);
        if (!fault.empty()) problem(fault, record.paddr, record.header.hash);
      }
    }
  }
  if (lost_records_ != 0 && reader.stop().kind == log::Stop::Kind::end) {
    problem("The file had been cut short when it was opened: " + std::to_string(lost_records_) +
                " records that were once complete are gone.",
            reader.stop().paddr, {});
  }
  report.segments = segments.size();
  report.bytes += segments.size() * format::kSegmentHeaderBytes;
  const auto& stop = reader.stop();
  if (stop.kind != log::Stop::Kind::end) {
    problem("The log cannot be read further: " + stop.message + ".", stop.paddr, {});
  } else if (reader.last_seqno() < up_to) {
    problem("The log ends before record " + std::to_string(up_to) + ", which was committed.", stop.paddr, {});
  }
  return report;
}

}  // namespace kvb::store
