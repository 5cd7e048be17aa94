// A file that was cut short from outside opens with what is left, and says what is gone.

#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include "kvb/api/bucket_access.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"

namespace kvb {
namespace {

TEST(CutShort, what_is_gone_is_counted_by_stats_and_told_by_verify) {
  os::SimDisk disk;
  auto bucket = KVB_MUST(create_with(disk.environment(), "a.kvb"));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(KVB_MUST(bucket.put("key " + std::to_string(i), "value")));
  EXPECT_EQ(bucket.stats().lost_records, 0u);
  KVB_MUST(bucket.close());
  auto bytes = disk.contents("a.kvb");
  const std::size_t record = 44 + 5 + 5 + 4;
  bytes.resize(bytes.size() - 2 * record - 7);  // The last two records, and a piece of the one before.
  disk.put_file("a.kvb", bytes);

  for (const bool read_only : {true, false}) {
    auto cut = KVB_MUST(open_with(disk.environment(), "a.kvb", {.read_only = read_only}));
    EXPECT_EQ(cut.stats().lost_records, 3u) << "read_only " << read_only;
    EXPECT_EQ(KVB_MUST(cut.count()), 7u);
    const auto report = KVB_MUST(cut.verify());
    ASSERT_FALSE(report.ok());
    EXPECT_NE(report.problems.front().message.find("once complete"), std::string::npos)
        << report.problems.front().message;
    if (!read_only) {
      // Writing goes on, and no number of the lost records is used again.
      EXPECT_TRUE(KVB_MUST(cut.put("new", "value")));
      EXPECT_GT(KVB_MUST(cut.get("new"))->seqno, 10u);
    }
    KVB_MUST(cut.close());
  }
  auto again = KVB_MUST(open_with(disk.environment(), "a.kvb"));
  EXPECT_EQ(again.stats().lost_records, 0u) << "told once; the log goes on behind the cut";
  EXPECT_EQ(KVB_MUST(again.count()), 8u);
  EXPECT_TRUE(KVB_MUST(again.verify()).ok());
}

}  // namespace
}  // namespace kvb
