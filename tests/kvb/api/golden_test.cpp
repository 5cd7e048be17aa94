// Golden buckets: the bytes that a fixed history gives, from a simulated machine with a fixed clock and fixed
// randomness. They freeze the format: if this test fails, old buckets may have become unreadable. The first of them is
// also the worked hexdump in docs/FORMAT.md.
//
// KVB_UPDATE_GOLDEN=1 writes those that are not there. What was released once stays as it is and must open for ever:
// after a change of the bytes that a history gives, the table below gets new names.

#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>

#include "kvb/api/bucket_access.h"
#include "kvb/format/segment.h"
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

// Two checkpoints, of which the second has removed and expired keys to leave out, and a journal behind them.
Bytes image_bucket() {
  os::SimDisk disk({.seed = 11});
  auto bucket = KVB_MUST(create_with(disk.environment(), "image.kvb"));
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(KVB_MUST(bucket.put("key " + std::to_string(i), std::string(static_cast<std::size_t>(i), 'i'),
                                    {.ttl_seconds = i % 8 == 7 ? 5u : 0u, .kind = ValueKind::text})));
  }
  KVB_MUST(bucket.checkpoint());
  disk.advance(std::chrono::seconds(10));
  for (int i = 0; i < 40; i += 4) EXPECT_TRUE(KVB_MUST(bucket.remove("key " + std::to_string(i))));
  KVB_MUST(bucket.checkpoint());
  EXPECT_TRUE(KVB_MUST(bucket.put("key 1", "behind the checkpoint")));
  return disk.contents("image.kvb");  // As it is when the writer dies.
}

struct Golden {
  const char* name;
  std::function<Bytes()> make;
};

// sealed.kvb and cut.kvb are what the same histories gave before there were checkpoints.
const Golden kGoldens[] = {
    {"small", small_bucket}, {"segments", sealed_bucket}, {"second_writer", cut_bucket}, {"image", image_bucket}};

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

TEST(Golden, buckets_of_old_still_open) {
  const auto contents = [](const std::string& name) {
    os::SimDisk disk;
    disk.put_file("golden.kvb", read_file(kFolder + name + ".kvb"));
    auto bucket = KVB_MUST(open_with(disk.environment(), "golden.kvb", {.read_only = true}));
    const auto report = KVB_MUST(bucket.verify());
    EXPECT_TRUE(report.ok()) << report.problems.front().message;
    return everything(bucket);
  };
  using Map = std::map<std::string, std::string>;
  EXPECT_EQ(contents("small"), (Map{{"user:1", R"({"name":"Ada"})"}}));
  for (const char* const name : {"cut", "second_writer"}) {
    EXPECT_EQ(contents(name), (Map{{"before", "2"}, {"after", "3"}})) << name;
  }
  Map sealed;
  for (int i = 400; i < 600; ++i)
    sealed["key " + std::to_string(i % 200)] = std::string(static_cast<std::size_t>(i), 'v');
  for (const char* const name : {"sealed", "segments"}) EXPECT_EQ(contents(name), sealed) << name;
  Map image;
  for (int i = 1; i < 40; ++i) {
    if (i % 4 != 0) image["key " + std::to_string(i)] = std::string(static_cast<std::size_t>(i), 'i');
  }
  image["key 1"] = "behind the checkpoint";
  // The reader's clock stands still at the beginning, where none of those with a time to live has expired; the newest
  // record says that it is later.
  for (int i = 7; i < 40; i += 8) image.erase("key " + std::to_string(i));
  EXPECT_EQ(contents("image"), image);
}

// The hexdump of docs/FORMAT.md: every line of 16 bytes that is not all zero, under the name of what lies there.
std::string hexdump(const Bytes& bytes) {
  struct Title {
    std::size_t at;
    const char* text;
  };
  static constexpr Title kTitles[] = {{0x0000, "superblock A"},       {0x1000, "live page"},
                                      {0x2000, "identity block"},     {0xF000, "superblock B"},
                                      {0x10000, "segment 1: header"}, {0x10080, "segment 1: records"}};
  std::string out = "```hexdump\n";
  std::size_t next_title = 0;
  char text[32];
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    while (next_title < std::size(kTitles) && kTitles[next_title].at <= at) {
      out += std::string(next_title == 0 ? "" : "\n") + "; " + kTitles[next_title].text + "\n";
      ++next_title;
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
  const std::string wanted = hexdump(small_bucket());
  if (updating()) {
    page.replace(begin + begin_mark.size(), end - begin - begin_mark.size(), wanted);
    write_file(path, std::as_bytes(std::span(page)));
    return;
  }
  EXPECT_EQ(page.substr(begin + begin_mark.size(), end - begin - begin_mark.size()), wanted);
}

}  // namespace
}  // namespace kvb
