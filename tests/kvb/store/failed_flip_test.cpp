// A sync that fails while a superblock is being made durable: the page cache shows a superblock that the disk does not
// have. Opening writes it again, and nothing may overwrite the other copy before that has been synced (R9, R14): not
// even closing, which writes the same image under the next epoch to free retired space.

#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include "kvb/api/bucket_access.h"
#include "kvb/os/sim/crash_images.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"

namespace kvb::testing {
namespace {

TEST(FailedFlip, R14_a_power_cut_while_the_next_opener_closes_leaves_a_superblock) {
  std::size_t images = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    for (std::uint64_t skip = 0; skip < 3; ++skip) {
      os::SimDisk disk({.seed = seed});
      auto& first = disk.start_process(11, "first");
      auto bucket = KVB_MUST(create_with(first, "bucket.kvb"));
      for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(KVB_MUST(bucket.put("key " + std::to_string(i), "value")));
        KVB_MUST(bucket.checkpoint());
      }
      EXPECT_TRUE(KVB_MUST(bucket.put("last", "value")));
      disk.inject({.call = os::SimCall::sync, .skip = skip, .error_number = 5, .effect = os::Fault::Effect::lost});
      const bool failed = !bucket.checkpoint();
      disk.clear_faults();
      first.kill();
      if (!failed) continue;

      disk.observe_syncs([&](const std::string& path) {
        const os::CrashPoint point(disk, path);
        (void)point.for_each({.images = 64, .seed = seed}, [&](const os::CrashImage& image) {
          ++images;
          os::SimDisk after({.recording = false});
          after.put_file("bucket.kvb", image.bytes);
          const auto reopened = open_with(after.environment(), "bucket.kvb");
          EXPECT_TRUE(reopened) << "seed " << seed << ", skip " << skip << ": " << outcome(reopened);
          if (!reopened) return false;
          for (const char* const key : {"key 0", "key 1", "key 2", "last"}) {
            const auto value = reopened->get(key);
            EXPECT_TRUE(value && *value) << "seed " << seed << ", skip " << skip << ": " << key;
          }
          return true;
        });
      });
      auto& second = disk.start_process(12, "second");
      auto again = KVB_MUST(open_with(second, "bucket.kvb"));
      KVB_MUST(again.close());
      if (::testing::Test::HasFailure()) return;
    }
  }
  EXPECT_GE(images, 1000u);
}

}  // namespace
}  // namespace kvb::testing
