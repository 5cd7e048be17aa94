// Every byte of every golden bucket flipped and zeroed, and every truncation. Whatever is done: an error, a report that
// names the damage, or the right answers; never a value that its key did not have, a crash or a hang. A new file in
// tests/kvb/golden is tested without being named here.
#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "kvb/api/bucket_access.h"
#include "kvb/format/record.h"
#include "kvb/format/segment.h"
#include "kvb/format/value_codec.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/space/dictionary_run.h"
#include "kvb/support/expect.h"
#include "kvb/support/proof.h"
#include "kvb/support/temp_folder.h"

namespace kvb::testing {
namespace {

using FileBytes = std::vector<std::byte>;
constexpr std::size_t kSmallBytes = 256 * 1024;  // Larger ones: every 31st byte.

struct Golden {
  FileBytes bytes;
  std::map<std::string, std::string> contents;
  std::map<std::string, std::set<std::string>> ever;  // All values that a record of the file gives a key.
};

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(std::string(WFLKS_SOURCE_DIR) + "/tests/kvb/golden")) {
    if (file.path().extension() == ".kvb") names.push_back(file.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

Golden load(const std::string& name) {
  const std::string text = read_whole_file(std::string(WFLKS_SOURCE_DIR) + "/tests/kvb/golden/" + name + ".kvb");
  const auto raw = std::as_bytes(std::span(text));
  Golden golden{.bytes = {raw.begin(), raw.end()}, .contents = {}, .ever = {}};
  os::SimDisk disk({.recording = false});
  disk.put_file("golden.kvb", golden.bytes);
  const auto bucket = KVB_MUST(open_with(disk.environment(), "golden.kvb", {.read_only = true}));
  for (const auto& entry : KVB_MUST(bucket.scan())) golden.contents[entry.key] = entry.value.bytes;
  format::DictionaryShelf dictionaries;
  for (std::size_t at = format::kHeadBytes; at + format::kPageBytes <= raw.size(); at += format::kPageBytes) {
    const auto page = format::decode_page_header(raw.subspan(at).first<format::kPageHeaderBytes>());
    if (!page || page->type != format::PageType::dictionary || page->link != 0) continue;
    const auto found = space::parse_dictionary(raw.subspan(at), page->uuid, at);
    if (found) dictionaries.add(found->id, found->bytes);
  }
  for (std::size_t at = format::kHeadBytes; at + format::kSegmentHeaderBytes <= raw.size(); at += format::kPageBytes) {
    const auto header = format::decode_segment_header(raw.subspan(at).first<format::kSegmentHeaderBytes>());
    if (!header) continue;
    const std::uint32_t life = format::life_seed(header->uuid, header->link);
    for (std::size_t from = format::kSegmentHeaderBytes; at + from + format::kRecordOverheadBytes <= raw.size();) {
      const auto record = format::decode_record_header(raw.subspan(at + from).first<format::kRecordHeaderBytes>(),
                                                       format::record_seed(life, from));
      if (!record || record->record_bytes() > raw.size() - at - from) break;
      const std::byte* const bytes = raw.data() + at + from;
      if (record->type == format::RecordType::put) {
        std::string value;
        const auto fault =
            format::decode_value(record->encoding, format::record_value(bytes, *record), dictionaries, value);
        EXPECT_EQ(fault, format::DecodeFault::none);
        golden.ever[std::string(format::record_key(bytes, *record))].insert(value);
      }
      from += record->record_bytes();
    }
  }
  return golden;
}

struct Tally {
  std::uint64_t refused = 0;
  std::uint64_t detected = 0;
  std::uint64_t harmless = 0;
};

void examine(const Golden& golden, const FileBytes& bytes, const std::string& what, bool read_only, Tally& tally) {
  os::SimDisk disk({.seed = 4, .recording = false});
  disk.put_file("golden.kvb", bytes);
  const auto bucket = open_with(disk.environment(), "golden.kvb", {.read_only = read_only});
  if (!bucket) {
    const auto code = bucket.error().code;
    ASSERT_TRUE(code == ErrorCode::damaged || code == ErrorCode::not_a_bucket || code == ErrorCode::unsupported)
        << what << ": " << outcome(bucket);
    ASSERT_FALSE(bucket.error().message.empty()) << what;
    ++tally.refused;
    return;
  }
  const auto report = bucket->verify();
  bool complaint = !report || !report->ok();
  std::map<std::string, std::string> found;
  for (const auto& [key, values] : golden.ever) {
    const auto value = bucket->get(key);
    if (!value) {
      ASSERT_EQ(value.error().code, ErrorCode::damaged) << what << ": " << outcome(value);
      complaint = true;
    } else if (*value) {
      ASSERT_TRUE(values.contains((*value)->bytes)) << what << ": '" << key << "' has a value that it never had";
      found[key] = (*value)->bytes;
    }
  }
  const auto scanned = bucket->scan();
  if (!scanned) complaint = true;
  if (complaint) {
    ++tally.detected;
    return;
  }
  // Not EXPECT_EQ: it would print all values.
  ASSERT_TRUE(found == golden.contents) << what << ": nothing complains, and something is different: " << found.size()
                                        << " keys instead of " << golden.contents.size();
  ASSERT_EQ(scanned->size(), golden.contents.size()) << what;
  ++tally.harmless;
}

class GoldenDamage : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenDamage, R2_R18_every_byte_flipped_zeroed_and_every_truncation) {
  const Golden golden = load(GetParam());
  ASSERT_FALSE(golden.ever.empty());
  // Fewer where everything is slow: under the sanitizers.
  const std::size_t step = (golden.bytes.size() <= kSmallBytes ? 1 : 31) * (crash_scale() < 1 ? 11 : 1);
  Tally tally;
  const auto is_zero = [&](std::size_t at) { return at >= golden.bytes.size() || golden.bytes[at] == std::byte{0}; };
  FileBytes bytes = golden.bytes;
  for (std::size_t at = 0; at < golden.bytes.size() && !HasFatalFailure(); at += step) {
    // Of long runs of zeros every 64th byte.
    if (is_zero(at) && at % 64 != 0 && at != 0 && is_zero(at - 1) && is_zero(at + 1)) continue;
    bytes[at] ^= static_cast<std::byte>(1u << (at % 8));
    examine(golden, bytes, "byte " + std::to_string(at) + " flipped", at % 2 == 0, tally);
    if (!is_zero(at)) {
      bytes[at] = std::byte{0};
      examine(golden, bytes, "byte " + std::to_string(at) + " zeroed", at % 2 != 0, tally);
    }
    bytes[at] = golden.bytes[at];
  }
  while (!bytes.empty() && !HasFatalFailure()) {
    // In the head, which is mostly empty, every 16th length; of large files every 31st.
    bytes.resize(bytes.size() - std::min(bytes.size(), bytes.size() <= format::kHeadBytes ? 16 : step));
    examine(golden, bytes, "cut to " + std::to_string(bytes.size()), bytes.size() % 2 == 0, tally);
  }
  std::cout << GetParam() << ": " << tally.refused << " refused, " << tally.detected << " detected, " << tally.harmless
            << " harmless\n";
  report_proof("damaged_files", tally.refused + tally.detected + tally.harmless);
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenDamage, ::testing::ValuesIn(golden_names()),
                         [](const auto& of) { return of.param; });

TEST(GoldenDamageCounts, There_are_three_small_ones) {
  std::size_t small = 0;
  for (const auto& name : golden_names()) small += load(name).bytes.size() <= kSmallBytes ? 1 : 0;
  EXPECT_GE(small, 3u);
}

}  // namespace
}  // namespace kvb::testing
