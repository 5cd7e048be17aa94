#include "support/mutated_bucket.h"

#include <kvb/bucket.h>
#include <kvb/repair.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "kvb/api/bucket_access.h"
#include "kvb/format/identity.h"
#include "kvb/format/live_page.h"
#include "kvb/format/page.h"
#include "kvb/format/record.h"
#include "kvb/format/segment.h"
#include "kvb/format/superblock.h"

namespace kvb::fuzzing {
namespace {

constexpr const char* kPath = "fuzz.kvb";
constexpr std::size_t kMaxEdits = 24;
constexpr std::size_t kEditBytes = 8;
constexpr std::size_t kMaxFileBytes = 1 << 20;

[[noreturn]] void wrong(const char* what, const Error& error) {
  std::fprintf(stderr, "%s: %s\n", what, error.to_string().c_str());
  std::abort();
}
template <typename T>
T must(Result<T> result) {
  if (!result) wrong("making a bucket to start from", result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// --- Buckets to start from ---

FileBytes make_bucket(int shape) {
  os::SimDisk disk({.seed = 100 + static_cast<std::uint64_t>(shape), .recording = false});
  auto& process = disk.start_process(50);
  must(must(create_with(process, kPath)).close());
  auto bucket =
      must(open_with(process, kPath, {.checkpoint_bytes = shape % 2 == 0 ? OpenOptions{}.checkpoint_bytes : 2'048}));
  const int keys = shape < 2 ? 4 : shape < 5 ? 30 : 300;
  for (int i = 0; i < keys; ++i) {
    const std::string key = "key/" + std::to_string(i);
    must(bucket.put(key, std::string(static_cast<std::size_t>(i * 13 % 400), 'v'),
                    {.ttl_seconds = i % 5 == 4 ? 60u : 0u, .kind = static_cast<ValueKind>(i % 3)}));
    if (i % 7 == 6) must(bucket.remove("key/" + std::to_string(i - 2)));
    if (i % 11 == 3) {
      Batch batch;
      batch.put(key, "from a batch");
      batch.put("batch/" + std::to_string(i), "x");
      batch.remove("key/0");
      must(bucket.write(batch));
    }
    if (shape >= 2 && i % (keys / 3) == 9) must(bucket.checkpoint());
  }
  if (shape % 3 == 2)
    process.kill();
  else
    must(bucket.close());
  if (shape == 5) {
    auto& next = disk.start_process(51);
    auto again = must(open_with(next, kPath));
    must(again.put("after", "the cut"));
    must(again.close());
  }
  return disk.contents(kPath);
}

constexpr int kShapes = 6;
const FileBytes& bucket_of_shape(std::size_t shape) {
  static const auto* const kBuckets = [] {
    auto* const all = new std::array<FileBytes, kShapes>;
    for (int i = 0; i < kShapes; ++i) (*all)[static_cast<std::size_t>(i)] = make_bucket(i);
    return all;
  }();
  return (*kBuckets)[shape % kShapes];
}

// --- Where things are ---

std::vector<std::uint64_t> pages_with(const FileBytes& file, const char* magic) {
  std::vector<std::uint64_t> found;
  for (std::uint64_t at = format::kHeadBytes; at + 128 <= file.size(); at += format::kPageBytes) {
    if (std::memcmp(file.data() + at, magic, 4) == 0) found.push_back(at);
  }
  return found;
}
std::vector<std::uint64_t> segments_of(const FileBytes& file) {
  std::array<std::byte, format::kSegmentHeaderBytes> header;
  format::encode_segment_header({}, header);
  std::array<char, 5> magic{};
  std::memcpy(magic.data(), header.data(), 4);
  return pages_with(file, magic.data());
}

std::uint64_t load64(const FileBytes& file, std::uint64_t at) {
  return format::load_le<std::uint64_t>(file.data() + at);
}
std::uint32_t load32(const FileBytes& file, std::uint64_t at) {
  return format::load_le<std::uint32_t>(file.data() + at);
}

// The records of a segment, as their lengths say, valid or not.
std::vector<std::uint64_t> records_of(const FileBytes& file, std::uint64_t segment) {
  std::vector<std::uint64_t> found;
  const std::uint64_t end = std::min<std::uint64_t>(file.size(), segment + load64(file, segment + 48));
  for (std::uint64_t at = segment + format::kSegmentHeaderBytes; at + format::kRecordOverheadBytes <= end;) {
    if (load64(file, at + 4) == 0) break;  // Its seqno: nothing was written here.
    const std::uint64_t bytes =
        std::uint64_t{load32(file, at + 32)} + load32(file, at + 36) + format::kRecordOverheadBytes;
    found.push_back(at);
    if (bytes > end - at || found.size() > 400) break;
    at += bytes;
  }
  return found;
}

// --- Edits ---

std::uint64_t place_of(const FileBytes& file, std::uint8_t place, std::uint8_t number) {
  const auto pick = [&](const std::vector<std::uint64_t>& all) { return all.empty() ? 0 : all[number % all.size()]; };
  const auto segments = segments_of(file);
  switch (place % 9) {
    case 0:
      return format::kSuperblockAOffset;
    case 1:
      return format::kSuperblockBOffset;
    case 2:
      return number % 2 == 0 ? format::kLivePageOffset : format::kIdentityOffset;
    case 3:
      return pick(segments);
    case 4:
    case 5: {
      std::vector<std::uint64_t> records;
      for (const auto segment : segments) {
        const auto of_this = records_of(file, segment);
        records.insert(records.end(), of_this.begin(), of_this.end());
      }
      return pick(records);
    }
    case 6: {
      const std::uint64_t segment = pick(segments);
      const std::uint64_t end = segment == 0 ? 0 : segment + load64(file, segment + 48);
      return end >= format::kFooterBytes && end <= file.size() ? end - format::kFooterBytes : 0;
    }
    case 7:
      return pick(pages_with(file, "KVBP"));
    default:
      return file.size() * number / 256;
  }
}

void edit(FileBytes& file, const std::uint8_t* e) {
  const std::uint64_t base = place_of(file, e[1], e[2]);
  const std::uint64_t at = base + (std::uint64_t{e[3]} | std::uint64_t{e[4]} << 8) % (e[1] % 9 >= 7 ? 4096u : 512u);
  const std::uint64_t value = std::uint64_t{e[5]} | std::uint64_t{e[6]} << 8;
  static constexpr std::array<std::uint64_t, 16> kNumbers{0,
                                                          1,
                                                          0x7F,
                                                          0x80,
                                                          0xFF,
                                                          0xFFFF,
                                                          0x10000,
                                                          0x7FFFFFFF,
                                                          0xFFFFFFFF,
                                                          0x10000,
                                                          0x11000,
                                                          UINT64_MAX / 2,
                                                          UINT64_MAX - 4095,
                                                          UINT64_MAX,
                                                          std::uint64_t{1} << 32,
                                                          std::uint64_t{1} << 62};
  const auto write = [&](std::uint64_t number, std::size_t bytes) {
    if (at + bytes <= file.size()) std::memcpy(file.data() + at, &number, bytes);
  };
  const std::uint64_t room = at < file.size() ? file.size() - at : 0;
  const std::uint64_t length = std::min<std::uint64_t>(room, std::uint64_t{e[7]} * 16 + 1);
  switch (e[0] % 10) {
    case 0:
      if (room > 0) file[at] ^= static_cast<std::byte>(value | 1u);
      break;
    case 1:
      write(value, 1);
      break;
    case 2:
      write(value, 2);
      break;
    case 3:
      write(value, 4);
      break;
    case 4:
      write(kNumbers[value % kNumbers.size()] + (value >> 8), 8);
      break;
    case 5:
      write(kNumbers[value % kNumbers.size()] + (value >> 8), 4);
      break;
    case 6:
      if (length > 0) std::memset(file.data() + at, static_cast<int>(value & 0xFF), length);
      break;
    case 7: {  // Another part of the file.
      const std::uint64_t from = place_of(file, e[5], e[6]);
      if (from < file.size() && length > 0) {
        std::memmove(file.data() + at, file.data() + from, std::min<std::uint64_t>(length, file.size() - from));
      }
      break;
    }
    case 8:
      file.resize(std::min<std::uint64_t>(at, file.size()));
      break;
    default:
      file.resize(std::min<std::size_t>(file.size() + value, kMaxFileBytes));
      break;
  }
}

// --- Checksums ---

void fix_crc(FileBytes& file, std::uint64_t from, std::uint64_t bytes, std::uint64_t crc_at, std::uint32_t seed = 0) {
  if (crc_at + 4 > file.size() || from + bytes > file.size()) return;
  format::store_le(file.data() + crc_at, format::crc32c_extend(seed, std::span(file).subspan(from, bytes)));
}

void fix_records(FileBytes& file) {
  for (const std::uint64_t segment : segments_of(file)) {
    format::SegmentLink link{.id = load64(file, segment + 24), .paddr = segment, .salt = load64(file, segment + 40)};
    format::Uuid uuid;
    std::memcpy(uuid.data(), file.data() + segment + 8, uuid.size());
    const std::uint32_t life = format::life_seed(uuid, link);
    for (const std::uint64_t at : records_of(file, segment)) {
      // header_crc stands in front of the rest of the header; record_crc goes on from it.
      const std::uint32_t header_crc = format::crc32c_extend(
          format::record_seed(life, at - segment), std::span(file).subspan(at + 4, format::kRecordHeaderBytes - 4));
      format::store_le(file.data() + at, header_crc);
      const std::uint64_t body = std::uint64_t{load32(file, at + 32)} + load32(file, at + 36);
      if (body > file.size() || at + format::kRecordHeaderBytes + body + 4 > file.size()) continue;
      fix_crc(file, at + format::kRecordHeaderBytes, body, at + format::kRecordHeaderBytes + body, header_crc);
    }
    const std::uint64_t size = load64(file, segment + 48);
    if (size < format::kFooterBytes || size > file.size() || segment + size > file.size()) continue;
    const std::uint64_t footer = segment + size - format::kFooterBytes;
    const std::uint64_t points = std::uint64_t{load32(file, footer + 4)} * format::kResyncPointBytes;
    if (points > footer - segment) continue;
    std::array<std::byte, 8> place;
    format::store_le(place.data(), size - format::kFooterBytes);
    fix_crc(file, footer - points, points + 124, footer + 124, format::crc32c_extend(life, place));
  }
}

void fix_run(FileBytes& file, format::Root& root) {
  const auto inside = [&](std::uint64_t at, std::uint64_t bytes) {
    return at <= file.size() && bytes <= file.size() - at;
  };
  if (root.paddr == 0 || !inside(root.paddr, root.bytes) || root.bytes > 4 * format::kPageBytes) return;
  for (std::uint64_t page = root.paddr; page + format::kPageBytes <= root.paddr + root.bytes;
       page += format::kPageBytes) {
    const std::uint32_t extents = std::min<std::uint32_t>(load32(file, page + 48), 252);
    for (std::uint32_t i = 0; i < extents; ++i) {
      const std::uint64_t entry = page + format::kPageHeaderBytes + std::uint64_t{i} * 16;
      const std::uint64_t extent = load64(file, entry);
      const std::uint64_t pages = load32(file, entry + 8);
      if (pages > 1008 || !inside(extent, (pages + 1) * format::kPageBytes)) continue;
      for (std::uint64_t k = 0; k < pages; ++k) {
        fix_crc(file, extent + (k + 1) * format::kPageBytes, format::kPageBytes,
                extent + format::kPageHeaderBytes + k * 4);
      }
      fix_crc(file, extent, format::kPageBytes, entry + 12);
    }
  }
  root.crc = format::crc32c(std::span(file).subspan(root.paddr, root.bytes));
}

constexpr std::uint64_t kSuperblockCrcAt = format::kPageBytes - 4;

void fix_superblocks(FileBytes& file, bool pages_too) {
  for (const std::uint64_t at : {format::kSuperblockAOffset, format::kSuperblockBOffset}) {
    if (at + format::kPageBytes > file.size()) continue;
    fix_crc(file, at, kSuperblockCrcAt, at + kSuperblockCrcAt);
    const std::span<std::byte, format::kPageBytes> page(file.data() + at, format::kPageBytes);
    auto superblock = format::decode_superblock(page);
    if (!superblock || !pages_too) continue;
    for (auto* root : {&superblock->hash_directory, &superblock->key_table, &superblock->segment_table,
                       &superblock->free_map, &superblock->retired, &superblock->dictionaries_copy}) {
      fix_run(file, *root);
    }
    format::encode_superblock(*superblock, page);
  }
}

}  // namespace

FileBytes mutated_bucket(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return {};
  FileBytes file = bucket_of_shape(data[0]);
  const std::uint8_t fixes = data[1];
  const std::size_t edits = std::min((size - 2) / kEditBytes, kMaxEdits);
  for (std::size_t i = 0; i < edits; ++i) edit(file, data + 2 + i * kEditBytes);
  if ((fixes & 1u) != 0) {
    for (const std::uint64_t segment : segments_of(file)) fix_crc(file, segment, 124, segment + 124);
  }
  if ((fixes & 2u) != 0) fix_records(file);
  if ((fixes & 4u) != 0) fix_superblocks(file, (fixes & 8u) != 0);
  if ((fixes & 16u) != 0) fix_crc(file, format::kIdentityOffset, 508, format::kIdentityOffset + 508);
  return file;
}

namespace {

void read_everything(const Bucket& bucket) {
  for (const char* key : {"key/0", "key/1", "key/12", "batch/3", "after", "missing"}) {
    static_cast<void>(bucket.get(key));
    static_cast<void>(bucket.contains(key));
  }
  static_cast<void>(bucket.scan());
  static_cast<void>(bucket.scan({.prefix = "key/1", .reverse = true, .limit = 5}));
  static_cast<void>(bucket.scan({.from = "b", .to = "key/2", .keys_only = true}));
  static_cast<void>(bucket.count());
  static_cast<void>(bucket.stats());
  static_cast<void>(bucket.verify());
}

}  // namespace

void use_bucket(const FileBytes& file, bool write_and_reopen) {
  {
    os::SimDisk disk({.recording = false});
    disk.put_file(kPath, file);
    if (const auto bucket = open_with(disk.environment(), kPath, {.read_only = true})) read_everything(*bucket);
    if (disk.contents(kPath) != file) wrong("a reader has changed the file", Error{});
  }
  if (!write_and_reopen) return;
  os::SimDisk disk({.recording = false, .capacity_bytes = 8 << 20});
  disk.put_file(kPath, file);
  for (int round = 0; round < 2; ++round) {
    auto bucket = open_with(disk.environment(), kPath, {.checkpoint_bytes = 1'024});
    if (!bucket) return;
    static_cast<void>(bucket->get("key/3"));
    static_cast<void>(bucket->put("key/1", std::string(700, 'n')));
    static_cast<void>(bucket->remove("key/2"));
    Batch batch;
    batch.put("key/3", "new");
    batch.put("zzz", std::string(3'000, 'z'));
    static_cast<void>(bucket->write(batch));
    static_cast<void>(bucket->update("key/4", [](const std::optional<Value>&) -> Result<Update> {
      return Update{.action = Update::Action::put, .value = "updated"};
    }));
    static_cast<void>(bucket->checkpoint());
    static_cast<void>(bucket->scan({.prefix = "key/", .reverse = true, .limit = 40}));
    if (round == 1) static_cast<void>(bucket->verify());
    static_cast<void>(bucket->put("behind", "the checkpoint"));
    if (round == 0) static_cast<void>(bucket->close());
  }
}

void repair_bucket(const FileBytes& file) {
  os::SimDisk disk({.recording = false, .capacity_bytes = 16 << 20});
  disk.put_file(kPath, file);
  static_cast<void>(repair_with(disk.environment(), kPath, "", {.dry_run = true}));
  const auto repaired = repair_with(disk.environment(), kPath, "repaired.kvb");
  if (disk.contents(kPath) != file) wrong("repair has changed the damaged file", Error{});
  if (!repaired) return;
  const auto bucket = open_with(disk.environment(), "repaired.kvb");
  if (!bucket) wrong("what was repaired does not open", bucket.error());
  const auto report = bucket->verify();
  if (!report) wrong("what was repaired cannot be verified", report.error());
  if (!report->ok()) wrong("what was repaired has a fault", Error{.message = report->problems.front().message});
  const auto count = bucket->count();
  if (!count || *count > repaired->keys) wrong("more keys than repair reported", Error{});
}

}  // namespace kvb::fuzzing
