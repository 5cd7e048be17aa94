#pragma once
// Watches what is written to a bucket on the simulated disk and knows its format: ends the program when a rule of the
// log is broken, whatever the test was about.
//
//   R1  each byte of a segment is written at most once in a life; a header write begins a new life.
//   R4  a page of an image says where it lies and to which bucket it belongs.
//   R6  seqnos rise by exactly 1 inside a life.
//   and: no seqno is ever given to two different records, also not by two descendants of one crash. For that, the
//   checker of the disk that lives on after a crash is given the one of the disk that crashed.
//
// The one exception to R1 is a footer that is not yet synced, or perhaps was lost in a crash: it may be written again,
// because it lies in one sector with its checksum, and nothing behind it was acknowledged (format/segment.h).

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>

#include <xxhash.h>

#include "kvb/format/page.h"
#include "kvb/format/record.h"
#include "kvb/format/segment.h"
#include "kvb/os/sim/sim_disk.h"

namespace kvb::testing {

class LogChecker {
 public:
  // `parent`: of the disk whose crash image this one began with; must outlive this.
  LogChecker(os::SimDisk& disk, std::string path, LogChecker* parent = nullptr)
      : disk_(disk), path_(std::move(path)), parent_(parent) {
    disk.observe_writes([this](const std::string& file, std::uint64_t offset, os::Bytes bytes, os::Bytes before) {
      // Recovery writes what it adopts again, the same bytes to the same place: that changes nothing (store/adopt.cpp).
      const bool same = bytes.size() == before.size() && std::memcmp(bytes.data(), before.data(), bytes.size()) == 0;
      if (file == path_ && !same) on_write(offset, bytes);
    });
  }

  // Highest seqno that was written to the file, here or before the crash.
  [[nodiscard]] std::uint64_t highest_seqno() const {
    const std::uint64_t mine = contents_.empty() ? 0 : contents_.rbegin()->first;
    return parent_ != nullptr ? std::max(mine, parent_->highest_seqno()) : mine;
  }
  [[nodiscard]] std::uint64_t records_written() const { return records_; }
  [[nodiscard]] std::uint64_t lives() const { return lives_.size(); }

 private:
  struct Life {
    format::SegmentHeader header;
    std::uint32_t seed = 0;
    std::map<std::uint64_t, std::uint64_t> written;  // Begin → end, offsets in the segment.
    std::uint64_t next_record = format::kSegmentHeaderBytes;
    std::uint64_t last_seqno = 0;
    std::uint64_t footer_written_at_sync = UINT64_MAX;  // How many syncs there had been; UINT64_MAX: never.
  };

  [[noreturn]] void broken(const char* rule, std::uint64_t offset, const std::string& what) const {
    std::fprintf(stderr, "%s is broken at byte %llu of %s: %s\n", rule, static_cast<unsigned long long>(offset),
                 path_.c_str(), what.c_str());
    std::abort();
  }

  void begin() {
    if (begun_) return;
    begun_ = true;
    if (parent_ == nullptr) return;
    parent_->begin();
    lives_ = parent_->lives_;
    for (auto& [paddr, life] : lives_) {
      life.footer_written_at_sync = UINT64_MAX;
      life.next_record = 0;  // Where the log goes on is recovery's affair.
    }
  }

  [[nodiscard]] const std::uint64_t* content_of(std::uint64_t seqno) const {
    if (const auto found = contents_.find(seqno); found != contents_.end()) return &found->second;
    return parent_ != nullptr ? parent_->content_of(seqno) : nullptr;
  }

  // Behind the header of a segment, where its records are.
  [[nodiscard]] bool is_inside_a_life(std::uint64_t offset) const {
    const auto behind = lives_.upper_bound(offset);
    if (behind == lives_.begin()) return false;
    const auto& header = std::prev(behind)->second.header;
    return offset > header.link.paddr && offset < header.link.paddr + header.size_bytes;
  }

  void on_write(std::uint64_t offset, os::Bytes bytes) {
    begin();
    if (offset + bytes.size() <= format::kHeadBytes) return;  // The head's pages are overwritten.
    if (offset < format::kHeadBytes) broken("R1", offset, "a write covers the head and the log at once");
    if (bytes.size() >= format::kSegmentHeaderBytes && offset % format::kPageBytes == 0) {
      const auto header = format::decode_segment_header(bytes.first<format::kSegmentHeaderBytes>());
      if (header && header->link.paddr == offset) {
        begin_life(*header);
        if (bytes.size() != format::kSegmentHeaderBytes) broken("R7", offset, "records travel with their header");
        return;
      }
    }
    if (bytes.size() >= format::kPageHeaderBytes && offset % format::kPageBytes == 0) {
      const auto page = format::decode_page_header(bytes.first<format::kPageHeaderBytes>());
      if (page && page->paddr == offset) {
        write_pages(offset, bytes);
        return;
      }
    }
    // A header that was cut short by a fault: no life has begun.
    if (bytes.size() < format::kSegmentHeaderBytes && offset % format::kPageBytes == 0 && begins_like_a_header(bytes)) {
      return;
    }
    // The header of a segment that compaction has emptied is wiped.
    // (Again, if a crash has brought it back; in part, if a fault cuts that short.)
    // (So may be that of one whose header was cut short, so that its life has never begun.)
    if ((bytes.size() == format::kSegmentHeaderBytes ||
         (bytes.size() < format::kSegmentHeaderBytes && !is_inside_a_life(offset))) &&
        offset % format::kPageBytes == 0 &&
        std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; })) {
      lives_.erase(offset);
      return;
    }
    auto found = lives_.upper_bound(offset);
    if (found == lives_.begin()) broken("R1", offset, "a write to a place where no segment is");
    Life& life = std::prev(found)->second;
    const std::uint64_t from = offset - life.header.link.paddr;
    const std::uint64_t to = from + bytes.size();
    if (to > life.header.size_bytes) broken("R1", offset, "a write crosses the end of its segment");
    // Records that fill their segment to the last byte and its footer come in one write.
    if (const std::uint64_t limit = format::record_limit(life.header.size_bytes); from < limit && to > limit) {
      on_write(offset, bytes.first(limit - from));
      on_write(offset + (limit - from), bytes.subspan(limit - from));
      return;
    }
    if (from >= format::record_limit(life.header.size_bytes)) {
      if (life.footer_written_at_sync != UINT64_MAX && life.footer_written_at_sync != disk_.successful_syncs()) {
        broken("R1", offset, "a synced footer is written again");
      }
      // A footer that a fault cut short, or that was overwritten in part, is none.
      life.footer_written_at_sync = to == life.header.size_bytes ? disk_.successful_syncs() : UINT64_MAX;
      return;
    }
    // Ranges are disjoint and those that touch are one, but for the header's, so this is quick.
    const auto behind = life.written.upper_bound(from);
    const auto before = behind == life.written.begin() ? life.written.end() : std::prev(behind);
    const bool overlaps_before = before != life.written.end() && before->second > from;
    if (overlaps_before || (behind != life.written.end() && behind->first < to)) {
      broken("R1", offset,
             "bytes from " + std::to_string(overlaps_before ? from : behind->first) +
                 " on of the segment were written before in this life");
    }
    if (before != life.written.end() && before->second == from && before->first != 0) {
      before->second = to;
    } else {
      life.written[from] = to;
    }
    read_records(life, from, bytes);
  }

  // Pages of an image. That their space was free is proved by the crash test, which destroys superblocks; here, what
  // lay there before is gone. A fault may have cut the write short.
  void write_pages(std::uint64_t offset, os::Bytes bytes) {
    for (std::uint64_t at = 0; at + format::kPageHeaderBytes <= bytes.size(); at += format::kPageBytes) {
      const auto page = format::decode_page_header(bytes.subspan(at).first<format::kPageHeaderBytes>());
      if (!page) broken("R4", offset + at, "no page is written between the pages of an image");
      if (page->paddr != offset + at) broken("R4", offset + at, "a page is written that names another place");
    }
    end_lives(offset, offset + bytes.size());
  }

  void end_lives(std::uint64_t from, std::uint64_t to) {
    std::erase_if(lives_, [&](const auto& entry) {
      const auto& header = entry.second.header;
      return header.link.paddr < to && header.link.paddr + header.size_bytes > from;
    });
  }

  [[nodiscard]] static bool begins_like_a_header(os::Bytes bytes) {
    std::array<std::byte, format::kSegmentHeaderBytes> header;
    format::encode_segment_header({}, header);
    return bytes.size() >= 4 && std::memcmp(bytes.data(), header.data(), 4) == 0;
  }

  void begin_life(const format::SegmentHeader& header) {
    // What lay there before is gone; so are segments that the new one overlaps.
    const std::uint64_t end = header.link.paddr + header.size_bytes;
    for (auto at = lives_.begin(); at != lives_.end();) {
      const auto& old = at->second.header;
      if (old.link.paddr < end && old.link.paddr + old.size_bytes > header.link.paddr) {
        // The promised segment may be made again after a crash that lost it, but not once it holds records.
        if (old.link == header.link && at->second.written.size() > 1) {
          broken("R1", header.link.paddr, "the header of a life that has records is written again");
        }
        at = lives_.erase(at);
      } else {
        ++at;
      }
    }
    Life life{.header = header, .seed = format::life_seed(header.uuid, header.link), .written = {}};
    life.written[0] = format::kSegmentHeaderBytes;
    life.last_seqno = header.base_seqno - 1;
    lives_.emplace(header.link.paddr, std::move(life));
  }

  // Records begin where the last one ended. A large value is written in several pieces: its header piece is shorter
  // than the record.
  void read_records(Life& life, std::uint64_t from, os::Bytes bytes) {
    if (life.next_record == 0) {
      life.next_record = from;
      life.last_seqno = 0;
    }
    for (std::uint64_t at = 0; at < bytes.size();) {
      if (from + at < life.next_record) {
        // The rest of a large record; the next one may stand behind its last bytes.
        at += life.next_record - from - at;
        continue;
      }
      if (from + at != life.next_record) broken("R1", life.header.link.paddr + from + at, "records are not contiguous");
      if (bytes.size() - at < format::kRecordHeaderBytes) return;  // A short write; what follows it is a cut.
      const auto header = format::decode_record_header(bytes.subspan(at).first<format::kRecordHeaderBytes>(),
                                                       format::record_seed(life.seed, from + at));
      if (!header) broken("R2", life.header.link.paddr + from + at, "no valid record is written");
      // What compaction has moved keeps its seqnos, in the order of the keys.
      const bool in_order = life.header.kind == format::SegmentKind::log;
      if (in_order && life.last_seqno != 0 && header->seqno != life.last_seqno + 1) {
        broken("R6", life.header.link.paddr + from + at,
               "seqno " + std::to_string(header->seqno) + " follows " + std::to_string(life.last_seqno));
      }
      life.last_seqno = header->seqno;
      note(life, from + at, *header, bytes.subspan(at));
      const std::uint64_t record_bytes = header->record_bytes();
      life.next_record = from + at + record_bytes;
      at += record_bytes;
      ++records_;
    }
  }

  void note(const Life& life, std::uint64_t at, const format::RecordHeader& header, os::Bytes rest) {
    // The record's own checksums depend on its place; its header fields and its key do not. (A large value is written
    // in pieces of its own.) Compaction may store the value in another way.
    const std::uint64_t known =
        std::min<std::uint64_t>(rest.size(), format::kRecordHeaderBytes + std::min(header.key_bytes, 4'000u));
    constexpr std::size_t kEncodingOffset = 29;
    std::vector<std::byte> same(rest.begin() + 4, rest.begin() + static_cast<std::ptrdiff_t>(known));
    same[kEncodingOffset - 4] = std::byte{0};
    std::fill_n(same.begin() + format::kRecordValueLengthOffset - 4, 4, std::byte{0});
    const std::uint64_t content = XXH3_64bits(same.data(), same.size());
    if (const auto* const other = content_of(header.seqno); other != nullptr && *other != content) {
      broken("Uniqueness of seqnos", life.header.link.paddr + at,
             "seqno " + std::to_string(header.seqno) + " was given to another record before");
    }
    contents_.emplace(header.seqno, content);
  }

  os::SimDisk& disk_;
  std::string path_;
  LogChecker* parent_;
  bool begun_ = false;
  std::map<std::uint64_t, Life> lives_;              // By place.
  std::map<std::uint64_t, std::uint64_t> contents_;  // seqno → hash of the record.
  std::uint64_t records_ = 0;
};

}  // namespace kvb::testing
