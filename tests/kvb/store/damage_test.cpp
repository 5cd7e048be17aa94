// Damaged files. Whatever is done to the bytes: opening and reading give the right answer or an error, never a wrong
// value, a crash or a hang.
#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include <algorithm>
#include <cstring>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "kvb/api/bucket_access.h"
#include "kvb/format/layout.h"
#include "kvb/format/live_page.h"
#include "kvb/format/superblock.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"
#include "kvb/support/proof.h"

namespace kvb::testing {
namespace {

constexpr const char* kPath = "damage.kvb";
using Contents = std::map<std::string, std::string>;
using FileBytes = std::vector<std::byte>;

struct Sample {
  FileBytes bytes;
  Contents contents;
  std::vector<Contents> history;  // After each write; the first is empty.
};

// A small bucket: overwrites, a remove, a batch, an empty value, and enough for a second segment.
Sample make_sample(bool closed) {
  os::SimDisk disk({.seed = 3, .recording = false});
  Sample sample;
  sample.history.emplace_back();
  {
    auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
    const auto put = [&](const std::string& key, const std::string& value) {
      KVB_MUST(bucket.put(key, value));
      sample.contents[key] = value;
      sample.history.push_back(sample.contents);
    };
    put("alpha", "first");
    put("beta", std::string(300, 'b'));
    put("alpha", "second");
    put("empty", "");
    KVB_MUST(bucket.remove("beta"));
    sample.contents.erase("beta");
    sample.history.push_back(sample.contents);
    Batch batch;
    batch.put("batch/1", "one");
    batch.put("batch/2", std::string(100, '2'));
    KVB_MUST(bucket.write(batch));
    sample.contents["batch/1"] = "one";
    sample.contents["batch/2"] = std::string(100, '2');
    sample.history.push_back(sample.contents);
    put("large", std::string(14'500, 'L'));
    put("next segment", std::string(4'000, 'n'));
    put("last", "the end");
    if (closed) KVB_MUST(bucket.close());
    if (!closed) sample.bytes = disk.contents(kPath);
    disk.environment().kill();
  }
  if (closed) sample.bytes = disk.contents(kPath);
  return sample;
}

struct Tally {
  std::uint64_t refused = 0;   // Did not open.
  std::uint64_t detected = 0;  // Opened; reads or verify name the damage.
  std::uint64_t harmless = 0;  // Everything is there.
  std::uint64_t older = 0;     // Opened at an earlier state, with a word of warning or as a torn tail.
  std::string first_older;
  std::string last_older;
};

// Opens the bytes and compares. A value must be the newest, or the key must answer with an error; keys may be missing
// only where verify or an error says that something is wrong, or the state is one that the bucket once had.
void examine(const Sample& sample, const FileBytes& bytes, const std::string& what, bool read_only, Tally& tally) {
  os::SimDisk disk({.seed = 4, .recording = false});
  disk.put_file(kPath, bytes);
  const auto bucket = open_with(disk.environment(), kPath, {.read_only = read_only});
  if (!bucket) {
    EXPECT_FALSE(bucket.error().message.empty()) << what;
    EXPECT_EQ(bucket.error().path, kPath) << what;
    const auto code = bucket.error().code;
    EXPECT_TRUE(code == ErrorCode::damaged || code == ErrorCode::not_a_bucket || code == ErrorCode::unsupported)
        << what << ": " << outcome(bucket);
    ++tally.refused;
    return;
  }
  const auto report = bucket->verify();
  ASSERT_TRUE(report.has_value()) << what << ": " << outcome(report);
  bool complaint = !report->ok();
  Contents found;
  std::vector<std::string> answers_damaged;
  for (const auto& state : sample.history) {
    for (const auto& [key, ignored] : state) {
      const auto value = bucket->get(key);
      if (!value) {
        EXPECT_EQ(value.error().code, ErrorCode::damaged) << what << ": " << outcome(value);
        complaint = true;
        answers_damaged.push_back(key);
      } else if (*value) {
        found[key] = (*value)->bytes;
      }
    }
  }
  const auto scanned = bucket->scan();
  if (!scanned) {
    EXPECT_EQ(scanned.error().code, ErrorCode::damaged) << what;
    complaint = true;
  } else if (answers_damaged.empty()) {
    Contents listed;
    for (const auto& entry : *scanned) listed[entry.key] = entry.value.bytes;
    EXPECT_EQ(listed, found) << what << ": scan and get disagree";
  }
  if (found == sample.contents && answers_damaged.empty()) {
    ++(complaint ? tally.detected : tally.harmless);
    return;
  }
  // What is found must be the newest value, unless the whole bucket is at an earlier state.
  Contents state;
  bool is_a_state = false;
  for (const auto& candidate : sample.history) is_a_state = is_a_state || candidate == found;
  if (complaint) {
    ++tally.detected;
    for (const auto& [key, value] : found) {
      bool ever = false;
      for (const auto& candidate : sample.history) {
        const auto at = candidate.find(key);
        ever = ever || (at != candidate.end() && at->second == value);
      }
      EXPECT_TRUE(ever) << what << ": a value that was never stored under '" << key << "'";
    }
    return;
  }
  EXPECT_TRUE(is_a_state) << what << ": no complaint, and no state that the bucket ever had";
  ++tally.older;
  if (tally.first_older.empty()) tally.first_older = what;
  tally.last_older = what;
}

void report(const std::string& name, const Tally& tally) {
  std::cout << name << ": " << tally.refused << " refused, " << tally.detected << " detected, " << tally.harmless
            << " harmless, " << tally.older << " opened at an earlier state"
            << (tally.first_older.empty() ? "" : " (first: " + tally.first_older + ", last: " + tally.last_older + ")")
            << "\n";
  report_proof("damaged_files", tally.refused + tally.detected + tally.harmless + tally.older);
}

class EveryByte : public ::testing::TestWithParam<bool> {};

TEST_P(EveryByte, R2_R18_flipped_is_detected_or_harmless) {
  const Sample sample = make_sample(GetParam());
  Tally tally;
  for (std::size_t at = 0; at < sample.bytes.size(); ++at) {
    // Long runs of zeros that nothing reads: every 64th byte of them will do.
    const bool zeros = sample.bytes[at] == std::byte{0} && at % 64 != 0 && at > 1 && at + 1 < sample.bytes.size() &&
                       sample.bytes[at - 1] == std::byte{0} && sample.bytes[at + 1] == std::byte{0};
    if (zeros) continue;
    FileBytes bytes = sample.bytes;
    bytes[at] ^= static_cast<std::byte>(1u << (at % 8));
    examine(sample, bytes, "byte " + std::to_string(at) + " flipped", at % 2 == 0, tally);
    if (HasFatalFailure() || HasNonfatalFailure()) return;
  }
  report("flips", tally);
  // Everything here was acknowledged and synced: no single flip may make it silently disappear.
  EXPECT_EQ(tally.older, 0u);
  EXPECT_GT(tally.detected + tally.refused, 10'000u);
}

TEST_P(EveryByte, R2_R18_zeroed_is_detected_or_harmless) {
  const Sample sample = make_sample(GetParam());
  Tally tally;
  for (std::size_t at = 0; at < sample.bytes.size(); ++at) {
    if (sample.bytes[at] == std::byte{0}) continue;
    FileBytes bytes = sample.bytes;
    bytes[at] = std::byte{0};
    examine(sample, bytes, "byte " + std::to_string(at) + " zeroed", at % 2 == 0, tally);
    if (HasFatalFailure() || HasNonfatalFailure()) return;
  }
  report("zeroed bytes", tally);
  EXPECT_EQ(tally.older, 0u);
}

TEST_P(EveryByte, R2_R18_sector_zeroed_or_replaced_by_another) {
  const Sample sample = make_sample(GetParam());
  Tally tally;
  const std::size_t sectors = sample.bytes.size() / 512;
  for (std::size_t sector = 0; sector < sectors; ++sector) {
    FileBytes bytes = sample.bytes;
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(sector * 512);
    std::fill(begin, begin + 512, std::byte{0});
    examine(sample, bytes, "sector " + std::to_string(sector) + " zeroed", false, tally);
    for (std::size_t other = 0; other < sectors; ++other) {
      if (other == sector || (other * 7 + sector) % 5 != 0) continue;
      std::copy_n(sample.bytes.begin() + static_cast<std::ptrdiff_t>(other * 512), 512, begin);
      examine(sample, bytes, "sector " + std::to_string(sector) + " is a copy of " + std::to_string(other),
              other % 2 == 0, tally);
    }
    if (HasFatalFailure() || HasNonfatalFailure()) return;
  }
  report("sectors", tally);
}

TEST_P(EveryByte, R17_R18_every_truncation) {
  const Sample sample = make_sample(GetParam());
  Tally tally;
  for (std::size_t length = 0; length < sample.bytes.size(); length += length < 65'400 ? 97 : 1) {
    FileBytes bytes(sample.bytes.begin(), sample.bytes.begin() + static_cast<std::ptrdiff_t>(length));
    examine(sample, bytes, "cut to " + std::to_string(length), length % 2 == 0, tally);
    if (HasFatalFailure() || HasNonfatalFailure()) return;
  }
  report("truncations", tally);
}

INSTANTIATE_TEST_SUITE_P(Samples, EveryByte, ::testing::Bool(),
                         [](const auto& of) { return std::string(of.param ? "closed" : "killed"); });

TEST(Damage, R15_either_superblock_is_enough) {
  for (const bool closed : {true, false}) {
    const Sample sample = make_sample(closed);
    for (const std::uint64_t offset : {format::kSuperblockAOffset, format::kSuperblockBOffset}) {
      for (const std::byte fill : {std::byte{0}, std::byte{0xFF}, std::byte{0x5A}}) {
        FileBytes bytes = sample.bytes;
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), format::kPageBytes, fill);
        for (const bool read_only : {true, false}) {
          os::SimDisk disk({.recording = false});
          disk.put_file(kPath, bytes);
          auto bucket = KVB_MUST(open_with(disk.environment(), kPath, {.read_only = read_only}));
          EXPECT_EQ(KVB_MUST(bucket.count()), sample.contents.size());
          if (read_only) continue;
          // The writer has put the lost copy back: the other one may go now.
          ASSERT_FINE(bucket.put("more", "1"));
          ASSERT_FINE(bucket.close());
          FileBytes healed = disk.contents(kPath);
          const std::uint64_t other =
              offset == format::kSuperblockAOffset ? format::kSuperblockBOffset : format::kSuperblockAOffset;
          std::fill_n(healed.begin() + static_cast<std::ptrdiff_t>(other), format::kPageBytes, fill);
          os::SimDisk second({.recording = false});
          second.put_file(kPath, healed);
          const auto again = KVB_MUST(open_with(second.environment(), kPath));
          EXPECT_EQ(KVB_MUST(again.count()), sample.contents.size() + 1);
        }
      }
    }
  }
}

TEST(Damage, Both_superblocks_gone_is_a_clear_error) {
  const Sample sample = make_sample(true);
  FileBytes bytes = sample.bytes;
  for (const std::uint64_t offset : {format::kSuperblockAOffset, format::kSuperblockBOffset}) {
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), format::kPageBytes, std::byte{0x5A});
  }
  os::SimDisk disk;
  disk.put_file(kPath, bytes);
  for (const bool read_only : {true, false}) {
    EXPECT_CODE(open_with(disk.environment(), kPath, {.read_only = read_only}), damaged);
  }
  EXPECT_CODE(open_or_create_with(disk.environment(), kPath), damaged);
  EXPECT_EQ(disk.contents(kPath), bytes) << "a damaged bucket was changed";
}

// A torn tail: the file ends inside the last record, or the record's bytes are wrong, and it was never synced as far as
// the file says. Every earlier write is there, and writing goes on.
TEST(Damage, R17_a_tail_cut_at_any_byte_of_the_last_record_opens_with_the_rest) {
  os::SimDisk disk({.seed = 3, .recording = false});
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  for (int i = 0; i < 5; ++i) KVB_MUST(bucket.put("k" + std::to_string(i), std::string(50, 'v')));
  const FileBytes before = disk.contents(kPath);
  std::uint64_t from = UINT64_MAX;
  std::uint64_t to = 0;
  disk.observe_writes([&](const std::string&, std::uint64_t offset, os::Bytes bytes, os::Bytes) {
    if (offset < format::kHeadBytes) return;
    from = std::min(from, offset);
    to = std::max(to, offset + bytes.size());
  });
  KVB_MUST(bucket.put("last", std::string(200, 'x')));
  const FileBytes after = disk.contents(kPath);
  disk.observe_writes({});
  ASSERT_LT(from, to);
  for (std::uint64_t cut = from; cut < to; ++cut) {
    for (const bool shorter_file : {true, false}) {
      FileBytes bytes(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(cut));
      if (!shorter_file) bytes.resize(after.size());
      // The live words as they were on the disk before the record: a power cut, not damage.
      std::copy_n(before.begin() + static_cast<std::ptrdiff_t>(format::kLivePageOffset), 64,
                  bytes.begin() + static_cast<std::ptrdiff_t>(format::kLivePageOffset));
      os::SimDisk second({.seed = cut, .recording = false});
      second.put_file(kPath, bytes);
      auto opened = open_with(second.environment(), kPath);
      ASSERT_TRUE(opened.has_value()) << "cut at " << cut << ": " << outcome(opened);
      EXPECT_EQ(KVB_MUST(opened->count()), 5u) << "cut at " << cut;
      ASSERT_FINE(opened->put("after", "1"));
      ASSERT_FINE(opened->close());
      const auto again = KVB_MUST(open_with(second.environment(), kPath));
      EXPECT_EQ(KVB_MUST(again.count()), 6u) << "cut at " << cut;
    }
  }
}

// R18. The same, but the file says that the record was synced: then it is damage, not a torn tail, and nothing may hide
// it.
TEST(Damage, R18_a_synced_record_that_is_bad_is_named_not_dropped) {
  const Sample sample = make_sample(true);
  FileBytes bytes = sample.bytes;
  const std::string needle = "the end";
  const auto at = std::search(bytes.begin(), bytes.end(), reinterpret_cast<const std::byte*>(needle.data()),
                              reinterpret_cast<const std::byte*>(needle.data()) + needle.size());
  ASSERT_NE(at, bytes.end());
  *at ^= std::byte{1};
  os::SimDisk disk({.recording = false});
  disk.put_file(kPath, bytes);
  const auto bucket = KVB_MUST(open_with(disk.environment(), kPath, {.read_only = true}));
  const auto value = bucket.get("last");
  EXPECT_CODE(value, damaged);
  EXPECT_TRUE(value.error().offset_bytes.has_value());
  EXPECT_TRUE(value.error().key_hash.has_value());
  EXPECT_EQ(KVB_MUST(bucket.get("alpha"))->bytes, "second");
  const auto found = bucket.verify();
  ASSERT_FINE(found);
  EXPECT_FALSE(found->ok());
}

TEST(Damage, Files_that_are_no_bucket_have_their_own_error) {
  os::SimDisk disk;
  const std::string text = "Dear reader, this is a letter and no bucket at all. " + std::string(70'000, '.');
  disk.put_file("text", std::as_bytes(std::span(text)));
  disk.put_file("short", std::as_bytes(std::span("hello", 5)));
  disk.put_file("empty", {});
  for (const char* const name : {"text", "short", "empty"}) {
    for (const bool read_only : {true, false}) {
      const auto opened = open_with(disk.environment(), name, {.read_only = read_only});
      EXPECT_CODE(opened, not_a_bucket);
    }
  }
  EXPECT_CODE(open_or_create_with(disk.environment(), "text"), not_a_bucket);
  EXPECT_CODE(open_or_create_with(disk.environment(), "short"), not_a_bucket);
  EXPECT_EQ(disk.contents("text").size(), text.size());
  EXPECT_EQ(disk.contents("short").size(), 5u);
  EXPECT_FINE(open_or_create_with(disk.environment(), "empty"));  // A crash inside create leaves this.
  EXPECT_CODE(create_with(disk.environment(), "text"), already_exists);
}

class OtherVersions : public ::testing::Test {
 protected:
  // The sample with both superblocks changed.
  Result<Bucket> open_changed(const std::function<void(format::Superblock&)>& change, bool read_only) {
    FileBytes bytes = sample_.bytes;
    for (const std::uint64_t offset : {format::kSuperblockAOffset, format::kSuperblockBOffset}) {
      const auto page = std::span(bytes).subspan(offset).first<format::kPageBytes>();
      auto superblock = format::decode_superblock(page);
      EXPECT_TRUE(superblock.has_value());
      change(*superblock);
      format::encode_superblock(*superblock, page);
    }
    disk_.put_file(kPath, bytes);
    return open_with(disk_.environment(), kPath, {.read_only = read_only});
  }
  Sample sample_ = make_sample(true);
  os::SimDisk disk_;
};

TEST_F(OtherVersions, Unknown_feature_bits_refuse_restrict_or_are_ignored) {
  for (const bool read_only : {true, false}) {
    EXPECT_CODE(open_changed([](auto& s) { s.features_incompatible |= std::uint32_t{1} << 31; }, read_only),
                unsupported);
    EXPECT_FINE(open_changed([](auto& s) { s.features_compatible |= std::uint32_t{1} << 31; }, read_only));
  }
  EXPECT_CODE(open_changed([](auto& s) { s.features_read_only_compatible |= std::uint32_t{1} << 31; }, false),
              unsupported);
  const auto reading = open_changed([](auto& s) { s.features_read_only_compatible |= std::uint32_t{1} << 31; }, true);
  ASSERT_FINE(reading);
  EXPECT_EQ(KVB_MUST(reading->count()), sample_.contents.size());
}

TEST_F(OtherVersions, A_newer_major_version_is_unsupported_and_left_alone) {
  FileBytes bytes = sample_.bytes;
  for (const std::uint64_t offset : {format::kSuperblockAOffset, format::kSuperblockBOffset}) {
    // The version follows the magic; its place can never change, or no version could name another.
    bytes[offset + 4] = std::byte{2};
  }
  disk_.put_file(kPath, bytes);
  for (const bool read_only : {true, false}) {
    EXPECT_CODE(open_with(disk_.environment(), kPath, {.read_only = read_only}), unsupported);
  }
  EXPECT_CODE(open_or_create_with(disk_.environment(), kPath), unsupported);
  EXPECT_EQ(disk_.contents(kPath), bytes);
}

// Whole buckets as values, and a bucket's bytes moved to where another's log would go on: nothing of it is taken.
TEST(Damage, R2_R3_records_of_other_places_lives_and_buckets_are_never_accepted) {
  const Sample other = make_sample(true);
  os::SimDisk disk({.seed = 77, .recording = false});
  {
    auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
    KVB_MUST(bucket.put("mine", "1"));
    KVB_MUST(bucket.put("bucket", std::string(reinterpret_cast<const char*>(other.bytes.data()), other.bytes.size())));
    KVB_MUST(bucket.close());
  }
  FileBytes bytes = disk.contents(kPath);
  const std::size_t end = bytes.size();
  // Behind the end: the other bucket's log; this bucket's own log; each at every alignment that the format knows.
  for (const std::size_t shift : {0u, 1u, 128u, 512u, 4'096u}) {
    for (const FileBytes* source : {&other.bytes, const_cast<const FileBytes*>(&bytes)}) {
      FileBytes longer = bytes;
      longer.resize(end + shift);
      longer.insert(longer.end(), source->begin() + 65'536, source->end());
      os::SimDisk second({.recording = false});
      second.put_file(kPath, longer);
      auto opened = open_with(second.environment(), kPath);
      ASSERT_FINE(opened);
      EXPECT_EQ(KVB_MUST(opened->count()), 2u);
      EXPECT_FALSE(KVB_MUST(opened->contains("alpha")));
      ASSERT_FINE(opened->put("new", "2"));
      ASSERT_FINE(opened->close());
      const auto again = KVB_MUST(open_with(second.environment(), kPath));
      EXPECT_EQ(KVB_MUST(again.count()), 3u);
    }
  }
}

}  // namespace
}  // namespace kvb::testing
