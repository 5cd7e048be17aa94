// Golden buckets: the bytes that a fixed history gives, from a simulated machine with a fixed clock and fixed
// randomness. They freeze the format: if this test fails, old buckets may have become unreadable. One of them,
// worked.kvb, is also the worked hexdump in docs/FORMAT.md.
//
// KVB_UPDATE_GOLDEN=1 writes those that are not there. What was released once stays as it is and must open for ever:
// when a history gives other bytes (because segments are made larger, say), the old file moves to a folder named after
// the last version that wrote it, below, and `opens_for_ever` goes on reading it. 0.1 is from before there were
// checkpoints.

#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>

#include "kvb/api/bucket_access.h"
#include "kvb/format/page.h"
#include "kvb/format/segment.h"
#include "kvb/format/superblock.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"

namespace kvb {
namespace {

using Bytes = std::vector<std::byte>;

const std::string kFolder = std::string(WFLKS_SOURCE_DIR) + "/tests/kvb/golden/";

bool updating() {
  return std::getenv("KVB_UPDATE_GOLDEN") != nullptr;
}

Bytes read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

void write_file(const std::string& path, os::Bytes bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

// Values of every kind, an overwrite, a removal, a batch, a time to live; closed.
Bytes small_bucket() {
  os::SimDisk disk({.seed = 7});
  auto bucket = KVB_MUST(create_with(disk.environment(), "small.kvb"));
  EXPECT_TRUE(KVB_MUST(bucket.put("greeting", "Hello", {.kind = ValueKind::text})));
  disk.advance(std::chrono::seconds(1));
  Batch batch;
  batch.put("user:1", R"({"name":"Ada"})", {.ttl_seconds = 3600, .kind = ValueKind::json});
  batch.remove("greeting");
  KVB_MUST(bucket.write(batch));
  KVB_MUST(bucket.close());
  return disk.contents("small.kvb");
}

// Several segments, sealed ones among them; closed.
Bytes sealed_bucket() {
  os::SimDisk disk({.seed = 8});
  auto bucket = KVB_MUST(create_with(disk.environment(), "sealed.kvb"));
  for (int i = 0; i < 600; ++i) {
    disk.advance(std::chrono::milliseconds(1));
    EXPECT_TRUE(KVB_MUST(bucket.put("key " + std::to_string(i % 200), std::string(static_cast<std::size_t>(i), 'v'),
                                    {.ttl_seconds = i % 3 == 0 ? 60u : 0u})));
  }
  EXPECT_GT(bucket.stats().segments, 2u);
  KVB_MUST(bucket.close());
  return disk.contents("sealed.kvb");
}

// A writer dies without closing; the next one cuts its tail and goes on.
Bytes cut_bucket() {
  os::SimDisk disk({.seed = 9});
  auto& first = disk.start_process(11, "first");
  auto dying = KVB_MUST(create_with(first, "cut.kvb"));
  EXPECT_TRUE(KVB_MUST(dying.put("before", "1")));
  EXPECT_TRUE(KVB_MUST(dying.put("before", "2")));
  const Bytes as_it_died = disk.contents("cut.kvb");
  KVB_MUST(dying.close());

  os::SimDisk after({.seed = 10});
  after.put_file("cut.kvb", as_it_died);
  auto bucket = KVB_MUST(open_with(after.environment(), "cut.kvb"));
  EXPECT_TRUE(KVB_MUST(bucket.put("after", "3")));
  EXPECT_EQ(bucket.stats().recovery_cuts, 1u);
  KVB_MUST(bucket.close());
  return after.contents("cut.kvb");
}

// The index on disk in all its parts: a key that is longer than a leaf has room for, slots of overwritten, removed and
// expired keys, a checkpoint that leaves the key table as it is, retired space, and a log behind it all. As it is when
// the writer dies.
constexpr int kImageKeys = 40;
std::string image_key(int i) {
  return i == 13 ? "key 13 " + std::string(1500, 'k') : "key " + std::to_string(i);
}

Bytes image_bucket() {
  os::SimDisk disk({.seed = 11});
  auto bucket = KVB_MUST(create_with(disk.environment(), "image.kvb"));
  for (int i = 0; i < kImageKeys; ++i) {
    EXPECT_TRUE(KVB_MUST(bucket.put(image_key(i), std::string(static_cast<std::size_t>(i), 'i'),
                                    {.ttl_seconds = i % 8 == 7 ? 5u : 0u, .kind = ValueKind::text})));
  }
  KVB_MUST(bucket.checkpoint());
  disk.advance(std::chrono::seconds(10));
  for (int i = 0; i < kImageKeys; i += 4) EXPECT_TRUE(KVB_MUST(bucket.remove(image_key(i))));
  EXPECT_TRUE(KVB_MUST(bucket.put("key 4", "come back")));
  KVB_MUST(bucket.checkpoint());
  for (int i = 1; i < kImageKeys; i += 4) {
    EXPECT_TRUE(KVB_MUST(bucket.put(image_key(i), "number " + std::to_string(i), {.kind = ValueKind::json})));
  }
  KVB_MUST(bucket.checkpoint());
  Batch batch;
  batch.put("key 1", "behind the checkpoint");
  batch.put("new", "only in the log");
  batch.remove("key 2");
  KVB_MUST(bucket.write(batch));
  EXPECT_TRUE(KVB_MUST(bucket.put("soon gone", "", {.ttl_seconds = 3600})));
  return disk.contents("image.kvb");
}

std::map<std::string, std::string> image_contents() {
  std::map<std::string, std::string> contents;
  for (int i = 0; i < kImageKeys; ++i) {
    if (i % 4 == 1) {
      contents[image_key(i)] = "number " + std::to_string(i);
    } else if (i % 4 != 0 && i % 8 != 7) {
      contents[image_key(i)] = std::string(static_cast<std::size_t>(i), 'i');
    }
  }
  contents["key 4"] = "come back";
  contents["key 1"] = "behind the checkpoint";
  contents["new"] = "only in the log";
  contents["soon gone"] = "";
  contents.erase("key 2");
  return contents;
}

// What compaction leaves: relocated segments, a removal that must be kept among their records, and emptied segments on
// the retired list, which a reader elsewhere keeps from being used again. As it is when the writer dies.
Bytes compacted_bucket() {
  os::SimDisk disk({.seed = 13});
  auto bucket = KVB_MUST(create_with(disk.environment(), "compacted.kvb"));
  for (int i = 0; i < 60; ++i) {
    EXPECT_TRUE(KVB_MUST(bucket.put("key " + std::to_string(i), std::string(500, static_cast<char>('a' + i % 26)))));
  }
  KVB_MUST(bucket.checkpoint());
  auto& other = disk.start_process(12, "reader");
  auto reader = KVB_MUST(open_with(other, "compacted.kvb", {.read_only = true}));
  for (int i = 0; i < 60; i += 3) EXPECT_TRUE(KVB_MUST(bucket.remove("key " + std::to_string(i))));
  for (int i = 1; i < 60; i += 3) EXPECT_TRUE(KVB_MUST(bucket.put("key " + std::to_string(i), "again")));
  (void)KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  EXPECT_TRUE(KVB_MUST(bucket.put("behind", "it all")));
  const Bytes bytes = disk.contents("compacted.kvb");
  const auto page = [&](std::size_t at) {
    return format::decode_superblock(os::Bytes(bytes).subspan(at).first<format::kPageBytes>());
  };
  EXPECT_NE(page(0)->retired.paddr, 0u);
  EXPECT_GT(bucket.stats().retired_bytes, 30'000u);
  EXPECT_GT(bucket.stats().bytes_moved, 10'000u);
  return bytes;
}

std::map<std::string, std::string> compacted_contents() {
  std::map<std::string, std::string> contents{{"behind", "it all"}};
  for (int i = 1; i < 60; i += 3) contents["key " + std::to_string(i)] = "again";
  for (int i = 2; i < 60; i += 3)
    contents["key " + std::to_string(i)] = std::string(500, static_cast<char>('a' + i % 26));
  return contents;
}

// As little as shows everything: two records, a checkpoint, a batch behind it; closed.
Bytes worked_bucket() {
  os::SimDisk disk({.seed = 12});
  auto bucket = KVB_MUST(create_with(disk.environment(), "worked.kvb"));
  EXPECT_TRUE(KVB_MUST(bucket.put("greeting", "Hello", {.kind = ValueKind::text})));
  EXPECT_TRUE(KVB_MUST(bucket.put("user:1", R"({"name":"Ada"})", {.kind = ValueKind::json})));
  KVB_MUST(bucket.checkpoint());
  disk.advance(std::chrono::seconds(1));
  Batch batch;
  batch.put("user:2", R"({"name":"Bob"})", {.ttl_seconds = 3600, .kind = ValueKind::json});
  batch.remove("greeting");
  KVB_MUST(bucket.write(batch));
  KVB_MUST(bucket.close());
  return disk.contents("worked.kvb");
}

struct Golden {
  const char* name;
  std::function<Bytes()> make;
};

const Golden kGoldens[] = {{"small", small_bucket}, {"sealed", sealed_bucket},       {"cut", cut_bucket},
                           {"image", image_bucket}, {"compacted", compacted_bucket}, {"worked", worked_bucket}};

TEST(Golden, the_same_history_gives_the_same_bytes) {
  for (const auto& golden : kGoldens) {
    const Bytes made = golden.make();
    const std::string path = kFolder + golden.name + ".kvb";
    if (updating() && !std::filesystem::exists(path)) write_file(path, made);
    EXPECT_TRUE(made == read_file(path)) << golden.name << ".kvb has changed: is the format still the same?";
  }
}

std::map<std::string, std::string> everything(const Bucket& bucket) {
  std::map<std::string, std::string> found;
  for (const auto& entry : KVB_MUST(bucket.scan())) found[entry.key] = entry.value.bytes;
  return found;
}

TEST(Golden, opens_for_ever) {
  const auto contents = [](const std::string& name) {
    os::SimDisk disk;
    disk.put_file("golden.kvb", read_file(kFolder + name + ".kvb"));
    // First as a reader, then as a writer that changes nothing: both find the same.
    auto reader = KVB_MUST(open_with(disk.environment(), "golden.kvb", {.read_only = true}));
    const auto report = KVB_MUST(reader.verify());
    EXPECT_TRUE(report.ok()) << name << ": " << report.problems.front().message;
    const auto found = everything(reader);
    KVB_MUST(reader.close());
    auto writer = KVB_MUST(open_with(disk.environment(), "golden.kvb"));
    EXPECT_TRUE(everything(writer) == found) << name;
    KVB_MUST(writer.close());
    return found;
  };
  using Map = std::map<std::string, std::string>;
  Map sealed;
  for (int i = 400; i < 600; ++i)
    sealed["key " + std::to_string(i % 200)] = std::string(static_cast<std::size_t>(i), 'v');
  for (const std::string folder : {"0.1/", ""}) {
    EXPECT_EQ(contents(folder + "small"), (Map{{"user:1", R"({"name":"Ada"})"}})) << folder;
    EXPECT_EQ(contents(folder + "cut"), (Map{{"before", "2"}, {"after", "3"}})) << folder;
    EXPECT_EQ(contents(folder + "sealed"), sealed) << folder;
  }
  // The readers' clock stands at the beginning, where nothing has expired; the newest record says that it is later.
  EXPECT_EQ(contents("image"), image_contents());
  EXPECT_EQ(contents("compacted"), compacted_contents());
  EXPECT_EQ(contents("worked"), (Map{{"user:1", R"({"name":"Ada"})"}, {"user:2", R"({"name":"Bob"})"}}));
}

// What begins at each place of a bucket, for people.
std::map<std::size_t, std::string> titles_of(const Bytes& bytes) {
  std::map<std::size_t, std::string> titles{
      {0x0000, "superblock A"}, {0x1000, "live page"}, {0x2000, "identity block"}, {0xF000, "superblock B"}};
  const auto page_at = [&](std::size_t at) { return os::Bytes(bytes).subspan(at); };
  std::map<std::uint64_t, std::string> roots;
  for (const std::size_t at : {0x0000, 0xF000}) {
    const auto superblock = format::decode_superblock(page_at(at).first<format::kPageBytes>());
    if (!superblock) continue;
    roots[superblock->hash_directory.paddr] = "hash index";
    roots[superblock->key_table.paddr] = "key table";
    roots[superblock->segment_table.paddr] = "segment table";
    roots[superblock->retired.paddr] = "retired list";
  }
  static const std::map<format::PageType, std::string> kKinds{{format::PageType::hash_slots, "hash index"},
                                                              {format::PageType::key_leaf, "key table"},
                                                              {format::PageType::key_overflow, "key table"},
                                                              {format::PageType::segment_table, "segment table"},
                                                              {format::PageType::free_map, "retired list"}};
  for (std::size_t at = format::kHeadBytes; at + format::kPageBytes <= bytes.size(); at += format::kPageBytes) {
    if (const auto segment = format::decode_segment_header(page_at(at).first<format::kSegmentHeaderBytes>())) {
      const std::string name = "segment " + std::to_string(segment->link.id);
      titles[at] = name + ": header";
      titles[at + format::kSegmentHeaderBytes] = name + ": records";
      titles[at + segment->size_bytes - format::kFooterBytes] = name + ": footer";
    } else if (const auto page = format::decode_page_header(page_at(at).first<format::kPageHeaderBytes>())) {
      if (page->type == format::PageType::checksums) {
        const auto next =
            format::decode_page_header(page_at(at + format::kPageBytes).first<format::kPageHeaderBytes>());
        titles[at] = kKinds.at(next->type) + ": checksums of an extent";
      } else if (page->type == format::PageType::root) {
        titles[at] = roots.at(at) + ": root page";
      } else {
        titles[at] = kKinds.at(page->type) + ": page " + std::to_string(page->logical_id);
      }
    }
  }
  return titles;
}

// The hexdump of docs/FORMAT.md: every line of 16 bytes that is not all zero, under the name of what lies there.
std::string hexdump(const Bytes& bytes) {
  const auto titles = titles_of(bytes);
  auto title = titles.begin();
  std::string out = "```hexdump\n";
  char text[32];
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    for (; title != titles.end() && title->first <= at; ++title) {
      out += std::string(title == titles.begin() ? "" : "\n") + "; " + title->second + "\n";
    }
    const std::size_t length = std::min<std::size_t>(16, bytes.size() - at);
    bool zero = true;
    std::string hex;
    std::string ascii;
    for (std::size_t i = 0; i < length; ++i) {
      const auto value = std::to_integer<unsigned>(bytes[at + i]);
      zero = zero && value == 0;
      std::snprintf(text, sizeof text, "%02x ", value);
      hex += text;
      ascii += value >= 0x20 && value < 0x7F ? static_cast<char>(value) : '.';
    }
    if (zero) continue;
    std::snprintf(text, sizeof text, "%05zx  ", at);
    hex.resize(48, ' ');
    out += text + hex + " " + ascii + "\n";
  }
  return out + "```\n";
}

TEST(Golden, the_hexdump_in_the_format_page_is_this_bucket) {
  const std::string path = std::string(WFLKS_SOURCE_DIR) + "/docs/FORMAT.md";
  const Bytes raw = read_file(path);
  std::string page(reinterpret_cast<const char*>(raw.data()), raw.size());
  const std::string begin_mark = "<!-- hexdump:begin -->\n";
  const std::string end_mark = "<!-- hexdump:end -->";
  const auto begin = page.find(begin_mark);
  const auto end = page.find(end_mark);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::string wanted = hexdump(worked_bucket());
  if (updating()) {
    page.replace(begin + begin_mark.size(), end - begin - begin_mark.size(), wanted);
    write_file(path, std::as_bytes(std::span(page)));
    return;
  }
  EXPECT_EQ(page.substr(begin + begin_mark.size(), end - begin - begin_mark.size()), wanted);
}

}  // namespace
}  // namespace kvb
