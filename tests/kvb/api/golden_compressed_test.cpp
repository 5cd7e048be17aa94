// A bucket with compressed values and two dictionaries, as libzstd 1.5.4 made it: tests/kvb/golden/compressed.kvb.
// Other versions of libzstd compress in other ways, so what is held against it is what it contains, not its bytes;
// whatever is read here must be read by every later version. KVB_UPDATE_GOLDEN=1 writes it if it is not there.

#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "kvb/api/bucket_access.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"
#include "kvb/support/temp_folder.h"

namespace kvb::testing {
namespace {

const std::string kFile = std::string(WFLKS_SOURCE_DIR) + "/tests/kvb/golden/compressed.kvb";

std::string key_of(int i) {
  return "user:" + std::to_string(i);
}
std::string record(int i) {
  return R"({"id":)" + std::to_string(i) + R"(,"name":"customer )" + std::to_string(i * 7919 % 10'007) +
         R"(","email":"someone)" + std::to_string(i % 97) + R"(@example.com","country":"Austria","active":)" +
         (i % 3 == 0 ? "true" : "false") + R"(,"balance":)" + std::to_string(i * 31 % 1'000) + "}";
}
std::string element(int i) {
  return "<entry at='" + std::to_string(i * 77) +
         "' from='somebody'><state>sent</state><warehouse>Vienna, third floor</warehouse><price currency='EUR'>" +
         std::to_string(i * 13 % 500) + "</price></entry>";
}

std::map<std::string, std::string> expected() {
  std::map<std::string, std::string> all;
  for (int i = 0; i < 170; ++i) all[key_of(i)] = i < 160 ? element(i) : record(i + 1'000);
  all["long"] = std::string(40'000, 'x');
  all["raw"] = "short";
  return all;
}

void make(os::SimDisk& disk) {
  auto bucket = KVB_MUST(create_with(disk.environment(), "a.kvb", {.compression = Compression::zstd()}));
  Batch batch;
  for (int i = 0; i < 170; ++i) batch.put(key_of(i), record(i), {.kind = ValueKind::json});
  KVB_MUST(bucket.write(batch));
  ASSERT_TRUE(KVB_MUST(bucket.train_dictionary()).adopted);
  batch.clear();
  for (int i = 160; i < 170; ++i) batch.put(key_of(i), record(i + 1'000), {.kind = ValueKind::json});
  for (int i = 0; i < 150; ++i) batch.put(key_of(i), element(i));
  KVB_MUST(bucket.write(batch));
  ASSERT_TRUE(KVB_MUST(bucket.train_dictionary()).adopted);
  for (int i = 150; i < 160; ++i) KVB_MUST(bucket.put(key_of(i), element(i)));
  KVB_MUST(bucket.put("long", std::string(40'000, 'x')));
  KVB_MUST(bucket.put("raw", "short"));
  EXPECT_EQ(bucket.stats().dictionaries, 2u);
  KVB_MUST(bucket.close());
}

TEST(GoldenCompressed, opens_for_ever) {
  if (std::getenv("KVB_UPDATE_GOLDEN") != nullptr && !std::ifstream(kFile)) {
    os::SimDisk disk({.seed = 31});
    make(disk);
    const auto bytes = disk.contents("a.kvb");
    std::ofstream(kFile, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  const std::string text = read_whole_file(kFile);
  const auto bytes = std::as_bytes(std::span(text));
  os::SimDisk disk;
  disk.put_file("a.kvb", {bytes.begin(), bytes.end()});
  for (const bool read_only : {true, false}) {
    auto bucket = KVB_MUST(open_with(disk.environment(), "a.kvb", {.read_only = read_only}));
    std::map<std::string, std::string> found;
    for (const auto& entry : KVB_MUST(bucket.scan())) found[entry.key] = entry.value.bytes;
    EXPECT_EQ(found, expected());
    EXPECT_TRUE(KVB_MUST(bucket.verify()).ok());
    EXPECT_EQ(bucket.stats().dictionaries, 2u);
    EXPECT_EQ(bucket.stats().compression, Compression::zstd());
  }
}

}  // namespace
}  // namespace kvb::testing
