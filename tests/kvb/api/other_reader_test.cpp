// docs/FORMAT.md says enough to write a reader in another language. tests/docs/read_bucket.py is one: it shares no code
// with the library, and must find the same keys, values, kinds and seqnos in every bucket, whatever its history.

#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kvb/api/bucket_access.h"
#include "kvb/format/hash.h"
#include "kvb/format/segment.h"
#include "kvb/format/superblock.h"
#include "kvb/os/sim/crash_images.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"
#include "kvb/support/temp_folder.h"

namespace kvb::testing {
namespace {

using FileBytes = std::vector<std::byte>;

const std::string kSource = WFLKS_SOURCE_DIR;

struct Answer {
  std::string text;
  int status = 0;
};

Answer run_other_reader(const std::string& arguments) {
  // Both outputs in one, so that a failed comparison shows the sentence.
  const std::string command = "python3 -B '" + kSource + "/tests/docs/read_bucket.py' " + arguments + " 2>&1";
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {.text = "python3 could not be started", .status = -1};
  Answer answer;
  std::array<char, 4096> part;
  for (std::size_t n = 0; (n = std::fread(part.data(), 1, part.size(), pipe)) != 0;) answer.text.append(part.data(), n);
  answer.status = ::pclose(pipe);
  return answer;
}

FileBytes read_bytes(const std::string& path) {
  const std::string text = read_whole_file(path);
  const auto raw = std::as_bytes(std::span(text));
  return {raw.begin(), raw.end()};
}

Answer other_reader(const FileBytes& bytes, std::int64_t now_ns) {
  const TempFolder folder;
  const std::string path = folder / "bucket.kvb";
  write_whole_file(path, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  return run_other_reader("--now " + std::to_string(now_ns) + " '" + path + "'");
}

std::string hex(const std::string& bytes) {
  std::string text;
  for (const unsigned char byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

// What the library finds, in the other reader's words.
std::string this_library(const FileBytes& bytes, std::int64_t now_ns) {
  os::SimDisk disk({.wall_clock_ns = now_ns});
  disk.put_file("bucket.kvb", bytes);
  const auto bucket = KVB_MUST(open_with(disk.environment(), "bucket.kvb", {.read_only = true}));
  std::string text;
  for (const auto& entry : KVB_MUST(bucket.scan())) {
    constexpr std::array kKinds{"bytes", "text", "json"};
    text += hex(entry.key) + " " + (entry.value.bytes.empty() ? "-" : hex(entry.value.bytes)) + " " +
            kKinds.at(static_cast<std::size_t>(entry.value.kind)) + " " + std::to_string(entry.value.seqno) + "\n";
  }
  return text;
}

void expect_same(const FileBytes& bytes, std::int64_t now_ns, const std::string& what) {
  const Answer answer = other_reader(bytes, now_ns);
  EXPECT_EQ(answer.status, 0) << what << ": " << answer.text.substr(0, 500);
  // Not EXPECT_EQ: it would print all values.
  EXPECT_TRUE(answer.text == this_library(bytes, now_ns)) << what << ": the two readers find different things";
}

TEST(OtherReader, finds_the_same_in_every_golden_bucket) {
  int buckets = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(kSource + "/tests/kvb/golden")) {
    if (file.path().extension() != ".kvb") continue;
    ++buckets;
    const FileBytes bytes = read_bytes(file.path().string());
    expect_same(bytes, 0, file.path().string());
    expect_same(bytes, std::int64_t{1'900'000'000} * 1'000'000'000, file.path().string() + " years later");
  }
  EXPECT_GE(buckets, 8);
}

// Random histories: all kinds of writes, checkpoints, compaction, closing and dying.
TEST(OtherReader, finds_the_same_after_any_history) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t n) { return random() % n; };
    const std::string prefix(1000, 'p');
    const auto some_key = [&] {
      const std::string number = std::to_string(below(120));
      return below(24) == 0 ? prefix + std::string(below(5000), 'q') + number : "key " + number;
    };
    FileBytes bytes;
    for (int life = 0; life < 4; ++life) {
      os::SimDisk disk({.seed = seed * 100 + static_cast<std::uint64_t>(life), .recording = false});
      disk.advance(std::chrono::minutes(10 * life));
      if (!bytes.empty()) disk.put_file("bucket.kvb", bytes);
      auto bucket =
          KVB_MUST(open_or_create_with(disk.environment(), "bucket.kvb", {.checkpoint_bytes = 1 + below(200'000)}));
      for (std::uint64_t i = below(150); i > 0; --i) {
        disk.advance(std::chrono::seconds(below(20)));
        const std::string key = some_key();
        const PutOptions options{.ttl_seconds = below(4) == 0 ? static_cast<std::uint32_t>(1 + below(900)) : 0u,
                                 .kind = below(2) == 0 ? ValueKind::bytes : ValueKind::text};
        const std::string value(below(80) == 0 ? below(90'000) : below(200), static_cast<char>('a' + below(26)));
        switch (below(8)) {
          case 0:
            (void)KVB_MUST(bucket.remove(key));
            break;
          case 1: {
            Batch batch;
            for (std::uint64_t k = 1 + below(5); k > 0; --k) {
              below(3) == 0 ? batch.remove(some_key()) : batch.put(some_key(), value, options);
            }
            KVB_MUST(bucket.write(batch));
            break;
          }
          default:
            EXPECT_TRUE(KVB_MUST(bucket.put(key, value, options)));
        }
        if (below(60) == 0) KVB_MUST(bucket.checkpoint());
        if (below(90) == 0) {
          constexpr std::array kStrategies{CompactStrategy::automatic, CompactStrategy::aggressive,
                                           CompactStrategy::full};
          (void)KVB_MUST(bucket.compact({.strategy = kStrategies.at(below(3))}));
        }
      }
      const FileBytes as_it_died = disk.contents("bucket.kvb");
      KVB_MUST(bucket.close());
      bytes = below(2) == 0 ? as_it_died : disk.contents("bucket.kvb");
    }
    const std::int64_t now_ns = std::int64_t{1'800'000'000 + 1900} * 1'000'000'000;
    expect_same(bytes, now_ns, "seed " + std::to_string(seed));
    // Without the superblock that counts the other one leads to the same: more is read, nothing is lost.
    FileBytes fallen_back = bytes;
    const auto epoch_at = [&](std::size_t at) {
      const auto copy = format::decode_superblock(
          std::span<const std::byte, format::kPageBytes>(bytes.data() + at, format::kPageBytes));
      return copy ? copy->epoch : 0;
    };
    const std::size_t newest = epoch_at(format::kSuperblockAOffset) >= epoch_at(format::kSuperblockBOffset)
                                   ? format::kSuperblockAOffset
                                   : format::kSuperblockBOffset;
    std::fill_n(fallen_back.begin() + static_cast<std::ptrdiff_t>(newest), format::kPageBytes, std::byte{0});
    EXPECT_TRUE(other_reader(fallen_back, now_ns).text == this_library(bytes, now_ns)) << "seed " << seed;
    if (HasFailure()) break;
  }
}

// What power cuts leave: torn records, half batches, pages of checkpoints that were never finished, superblocks of
// which one is torn. Both readers find the same, or both refuse the file (it is not a bucket yet).
TEST(OtherReader, finds_the_same_after_power_cuts) {
  std::vector<FileBytes> images;
  std::set<std::size_t> seen;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    std::mt19937_64 random(seed);
    os::SimDisk disk({.seed = seed});
    disk.observe_syncs([&](const std::string& path) {
      const os::CrashPoint point(disk, path);
      (void)point.for_each({.images = 40, .seed = random()}, [&](const os::CrashImage& image) {
        // Of the many states at each sync a few.
        if (!image.exists || random() % 12 != 0) return true;
        const auto hash =
            std::hash<std::string_view>{}({reinterpret_cast<const char*>(image.bytes.data()), image.bytes.size()});
        if (seen.insert(hash).second) images.push_back(image.bytes);
        return true;
      });
    });
    auto bucket = KVB_MUST(create_with(disk.environment(), "bucket.kvb"));
    for (int i = 0; i < 24; ++i) {
      Batch batch;
      for (std::uint64_t k = random() % 4; k > 0; --k) {
        batch.put("key " + std::to_string(random() % 30), std::string(random() % 900, 'b'), {.ttl_seconds = 100});
      }
      batch.remove("key " + std::to_string(random() % 30));
      KVB_MUST(bucket.write(batch));
      disk.advance(std::chrono::seconds(7));
      if (i % 6 == 5) KVB_MUST(bucket.checkpoint());
      if (i == 20) (void)KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
    }
    KVB_MUST(bucket.close());
  }
  ASSERT_GE(images.size(), 100u);

  const TempFolder folder;
  const std::int64_t now_ns = std::int64_t{1'800'000'000 + 120} * 1'000'000'000;
  std::string paths;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const std::string path = folder / std::to_string(i);
    write_whole_file(path, std::string(reinterpret_cast<const char*>(images[i].data()), images[i].size()));
    paths += " '" + path + "'";
  }
  const Answer answer = run_other_reader("--now " + std::to_string(now_ns) + paths);
  EXPECT_EQ(answer.status, 0) << answer.text.substr(0, 500);
  std::size_t at = 0;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const std::string title = "== " + (folder / std::to_string(i)) + "\n";
    ASSERT_EQ(answer.text.substr(at, title.size()), title);
    at += title.size();
    const std::size_t end = std::min(answer.text.find("== ", at), answer.text.size());
    const std::string theirs = answer.text.substr(at, end - at);
    at = end;
    os::SimDisk disk({.wall_clock_ns = now_ns});
    disk.put_file("bucket.kvb", images[i]);
    if (!open_with(disk.environment(), "bucket.kvb", {.read_only = true})) {
      ++refused;
      EXPECT_NE(theirs.find("contradicts"), std::string::npos) << "image " << i;
    } else {
      EXPECT_TRUE(theirs == this_library(images[i], now_ns)) << "image " << i << ": " << theirs.substr(0, 300);
    }
  }
  EXPECT_LT(refused, images.size() / 4);
  std::cout << images.size() << " images, " << refused << " of them no buckets yet\n";
}

// Keys that begin alike for more than a leaf keeps of them, so that separators are cut, in several leaves.
TEST(OtherReader, finds_keys_that_begin_alike_for_a_thousand_bytes) {
  os::SimDisk disk({.seed = 5, .recording = false});
  auto bucket = KVB_MUST(create_with(disk.environment(), "bucket.kvb"));
  Batch batch;
  for (int i = 0; i < 410; ++i) batch.put(std::string(1200, 'x') + std::to_string(1000 + i), "v" + std::to_string(i));
  KVB_MUST(bucket.write(batch));
  KVB_MUST(bucket.checkpoint());
  EXPECT_TRUE(KVB_MUST(bucket.remove(std::string(1200, 'x') + "1200")));
  KVB_MUST(bucket.checkpoint());
  KVB_MUST(bucket.close());
  expect_same(disk.contents("bucket.kvb"), 0, "410 long keys");
}

// More slots than a page of the hash index holds, so that it goes on in overflow pages.
TEST(OtherReader, finds_keys_whose_hashes_crowd_into_one_page) {
  os::SimDisk disk({.seed = 6, .recording = false});
  auto bucket = KVB_MUST(create_with(disk.environment(), "bucket.kvb"));
  const FileBytes empty = disk.contents("bucket.kvb");
  const auto superblock =
      format::decode_superblock(std::span<const std::byte, format::kPageBytes>(empty.data(), format::kPageBytes));
  ASSERT_TRUE(superblock);
  Batch batch;
  for (int i = 0, taken = 0; taken < 600; ++i) {
    const std::string key = "crowd " + std::to_string(i);
    if (format::hash_key(key, superblock->hash_seed) >> 62 != 2) continue;
    batch.put(key, std::to_string(taken++));
  }
  KVB_MUST(bucket.write(batch));
  KVB_MUST(bucket.checkpoint());
  KVB_MUST(bucket.close());
  expect_same(disk.contents("bucket.kvb"), 0, "600 keys in one page of three");
}

// It checks what the page tells to check: a changed byte is noticed, or means nothing.
TEST(OtherReader, notices_damage) {
  const FileBytes bytes = read_bytes(kSource + "/tests/kvb/golden/worked.kvb");
  const std::string right = this_library(bytes, 0);
  int noticed = 0;
  int harmless = 0;
  int seen = 0;
  FileBytes changed = bytes;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (bytes[at] == std::byte{0} || ++seen % 37 != 0) continue;
    changed[at] ^= std::byte{0x10};
    const Answer answer = other_reader(changed, 0);
    changed[at] = bytes[at];
    if (answer.status != 0) {
      ++noticed;
      EXPECT_NE(answer.text.find("contradicts docs/FORMAT.md"), std::string::npos) << "byte " << at << answer.text;
    } else {
      ++harmless;
      EXPECT_EQ(answer.text, right) << "byte " << at;
    }
  }
  EXPECT_GE(noticed, 10);
  EXPECT_GE(harmless, 3) << "a superblock has a second copy";
}

TEST(OtherReader, its_steps_through_the_worked_bucket_are_those_in_the_format_page) {
  const std::string page = read_whole_file(kSource + "/docs/FORMAT.md");
  const std::string begin_mark = "<!-- steps:begin -->\n```\n";
  const auto begin = page.find(begin_mark);
  const auto end = page.find("```\n<!-- steps:end -->");
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos && begin < end);
  const Answer steps = run_other_reader("--trace '" + kSource + "/tests/kvb/golden/worked.kvb'");
  EXPECT_EQ(page.substr(begin + begin_mark.size(), end - begin - begin_mark.size()), steps.text);
}

}  // namespace
}  // namespace kvb::testing
