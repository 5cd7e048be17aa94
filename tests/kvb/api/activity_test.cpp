// Counters, latencies, and what is told in words.
#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "kvb/api/bucket_access.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"
#include "kvb/support/processes.h"
#include "kvb/support/temp_folder.h"

namespace kvb {
namespace {

using std::chrono::milliseconds;
using testing::TempFolder;

// What the writer shows, once it fits the condition; waits some seconds for it.
template <typename Condition>
Activity shown(const Bucket& reader, Condition&& condition) {
  Activity last;
  for (int i = 0; i < 500; ++i) {
    const auto activity = KVB_MUST(reader.writer_activity());
    if (activity) last = *activity;
    if (activity && condition(*activity)) break;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return last;
}

TEST(Activity, counts_what_was_done_and_how_long_it_took) {
  TempFolder folder;
  auto bucket = KVB_MUST(Bucket::create(folder / "a.kvb"));
  for (int i = 0; i < 20; ++i) KVB_MUST(bucket.put("k" + std::to_string(i), "v"));
  for (int i = 0; i < 200; ++i) KVB_MUST(bucket.get("k" + std::to_string(i)));
  KVB_MUST(bucket.remove("k1"));
  Batch batch;
  batch.put("b", "1");
  KVB_MUST(bucket.write(batch));
  KVB_MUST(bucket.checkpoint());
  const Activity activity = bucket.activity();
  EXPECT_EQ(activity.puts, 21U);
  EXPECT_EQ(activity.gets, 200U);
  EXPECT_EQ(activity.hits, 20U);
  EXPECT_EQ(activity.deletes, 1U);
  EXPECT_EQ(activity.batches, 1U);
  EXPECT_GE(activity.checkpoints, 1U);
  EXPECT_EQ(activity.latency.write.count, 22U) << "With sync each is measured.";
  EXPECT_GT(activity.latency.write.p50_ns, 0U);
  EXPECT_GE(activity.latency.write.max_ns, activity.latency.write.p50_ns);
  EXPECT_GE(activity.latency.sync.count, 22U);
  EXPECT_EQ(activity.latency.sync.count, activity.syncs);
  // One in 64, the first included.
  EXPECT_GE(activity.latency.get.count, 200U / 64);
  EXPECT_LE(activity.latency.get.count, 200U / 64 + 2);
  EXPECT_GE(activity.latency.checkpoint.count, 1U);
  EXPECT_LT(activity.latency.checkpoint.max_ns, 60'000'000'000U);
  EXPECT_GT(activity.write_amplification(), 1.0);
  EXPECT_GT(activity.pid, 0);
  EXPECT_GE(activity.as_of_ns, activity.opened_at_ns);
  EXPECT_EQ(KVB_MUST(bucket.writer_activity())->puts, 21U);
}

TEST(Activity, compaction_is_told_apart_from_checkpoints) {
  TempFolder folder;
  auto bucket = KVB_MUST(Bucket::open_or_create(folder / "a.kvb", {.durability = Durability::relaxed}));
  const std::string value(5'000, 'x');
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 500; ++i) KVB_MUST(bucket.put("k" + std::to_string(i), value));
  }
  KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  const Activity activity = bucket.activity();
  EXPECT_GE(activity.compactions, 1U);
  EXPECT_EQ(activity.compactions, activity.latency.compaction.count);
  EXPECT_GT(activity.bytes_moved, 1'000'000U);
  EXPECT_GT(activity.latency.compaction.total_ns, 0U);
  EXPECT_EQ(activity.checkpoints, activity.latency.checkpoint.count + activity.compactions);
  // One write in eight.
  EXPECT_GE(activity.latency.write.count, 1'500U / 8 - 2);
  EXPECT_LE(activity.latency.write.count, 1'500U / 8 + 2);
}

TEST(Activity, a_reader_sees_what_the_writer_does) {
  TempFolder folder;
  const std::string path = folder / "a.kvb";
  auto writer = KVB_MUST(Bucket::create(path));
  auto reader = KVB_MUST(Bucket::open(path, {.read_only = true}));
  KVB_MUST(writer.put("k", "v"));
  KVB_MUST(writer.get("k"));
  const Activity seen = shown(reader, [](const Activity& a) { return a.puts == 1 && a.gets == 1; });
  EXPECT_EQ(seen.puts, 1U);
  EXPECT_EQ(seen.gets, 1U);
  EXPECT_EQ(seen.hits, 1U);
  EXPECT_EQ(seen.latency.write.count, 1U);
  EXPECT_GT(seen.latency.write.max_ns, 0U);
  EXPECT_EQ(seen.pid, writer.activity().pid);
  EXPECT_EQ(seen.opened_at_ns, writer.activity().opened_at_ns);
  EXPECT_EQ(reader.activity().puts, 0U) << "Its own.";
  KVB_MUST(writer.close());
  EXPECT_FALSE(KVB_MUST(reader.writer_activity())) << "Nobody writes any more.";
  std::ifstream file(path, std::ios::binary);
  file.seekg(0x4000);
  std::string block(4096, '?');
  file.read(block.data(), 4096);
  EXPECT_EQ(block, std::string(4096, '\0')) << "Closing wipes it.";
}

TEST(Activity, of_a_writer_that_was_killed_nothing_is_believed) {
  TempFolder folder;
  const std::string path = folder / "a.kvb";
  testing::Pipe ready;
  const pid_t child = testing::start_child([&] {
    auto bucket = Bucket::create(path);
    if (!bucket || !bucket->put("a", "1")) return 2;
    ready.put(1);
    ::pause();
    return 0;
  });
  ASSERT_TRUE(ready.take());
  auto reader = KVB_MUST(Bucket::open(path, {.read_only = true}));
  EXPECT_EQ(shown(reader, [](const Activity& a) { return a.puts == 1; }).pid, child);
  ::kill(child, SIGKILL);
  testing::end_of(child);
  EXPECT_FALSE(KVB_MUST(reader.writer_activity()));
  // The next writer begins at 0.
  auto next = KVB_MUST(Bucket::open(path));
  const Activity seen = shown(reader, [&](const Activity& a) { return a.pid != child; });
  EXPECT_EQ(seen.pid, next.activity().pid);
  EXPECT_EQ(seen.puts, 0U);
}

struct Told {
  std::mutex mutex;
  std::vector<std::pair<LogLevel, std::string>> lines;

  std::function<void(LogLevel, std::string_view)> listener() {
    return [this](LogLevel level, std::string_view message) {
      const std::scoped_lock lock(mutex);
      lines.emplace_back(level, message);
    };
  }
  bool has(LogLevel level, std::string_view part) {
    const std::scoped_lock lock(mutex);
    for (const auto& [told, message] : lines) {
      if (told == level && message.find(part) != std::string::npos) return true;
    }
    return false;
  }
};

TEST(Log, opening_says_what_it_found) {
  TempFolder folder;
  const std::string path = folder / "a.kvb";
  Told told;
  {
    auto bucket = KVB_MUST(Bucket::open_or_create(path, {.log = told.listener()}));
    EXPECT_TRUE(told.has(LogLevel::info, "Opened for writing; 0 records")) << told.lines.size();
    KVB_MUST(bucket.put("a", "1"));
  }
  auto reader = KVB_MUST(Bucket::open(path, {.read_only = true, .log = told.listener()}));
  EXPECT_TRUE(told.has(LogLevel::info, "Opened for reading; 1 record"));
  EXPECT_TRUE(told.has(LogLevel::info, path));
}

TEST(Log, a_file_that_was_cut_short_is_told_as_an_error) {
  TempFolder folder;
  const std::string path = folder / "a.kvb";
  {
    auto bucket = KVB_MUST(Bucket::create(path));
    for (int i = 0; i < 100; ++i) KVB_MUST(bucket.put("k" + std::to_string(i), std::string(100, 'x')));
  }
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 500);
  Told told;
  auto bucket = KVB_MUST(Bucket::open(path, {.log = told.listener()}));
  EXPECT_TRUE(told.has(LogLevel::error, "cut short"));
}

TEST(Log, a_failed_sync_ends_writing_and_is_told_once) {
  os::SimDisk disk;
  auto& environment = disk.environment();
  Told told;
  auto bucket = KVB_MUST(open_or_create_with(environment, "bucket.kvb", {.log = told.listener()}));
  KVB_MUST(bucket.put("a", "1"));
  disk.inject({.call = os::SimCall::sync, .error_number = 5, .effect = os::Fault::Effect::lost});
  EXPECT_CODE(bucket.put("b", "2"), poisoned);
  EXPECT_CODE(bucket.put("c", "3"), poisoned);
  EXPECT_TRUE(told.has(LogLevel::error, "Writing has ended"));
  EXPECT_EQ(bucket.activity().poisoned, 1U);
  EXPECT_EQ(std::ranges::count(told.lines, LogLevel::error, &std::pair<LogLevel, std::string>::first), 1);
}

TEST(Log, a_checkpoint_that_could_not_be_made_is_a_warning) {
  os::SimDisk disk;
  auto& environment = disk.environment();
  Told told;
  auto bucket = KVB_MUST(open_or_create_with(environment, "bucket.kvb", {.log = told.listener()}));
  KVB_MUST(bucket.put("a", "1"));
  disk.inject({.call = os::SimCall::write, .error_number = 5});
  EXPECT_FALSE(bucket.checkpoint());
  EXPECT_TRUE(told.has(LogLevel::warning, "tried again later"));
  EXPECT_EQ(bucket.activity().failed_checkpoints, 1U);
  EXPECT_FINE(bucket.checkpoint());
}

}  // namespace
}  // namespace kvb
