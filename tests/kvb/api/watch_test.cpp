// The change cursor: every committed write in order, none twice, none missed, and a clear word when the log has gone.
#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "kvb/api/bucket_access.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"
#include "kvb/support/processes.h"
#include "kvb/support/temp_folder.h"

namespace kvb {
namespace {

using std::chrono::milliseconds;
using testing::TempFolder;

std::string shown(const std::vector<Change>& changes) {
  std::string text;
  for (const Change& change : changes) {
    if (!text.empty()) text += ", ";
    text += change.type == Change::Type::put ? change.key + "=" + change.value.bytes : "-" + change.key;
  }
  return text;
}

std::vector<Change> all_changes(const Bucket& bucket, const WatchOptions& options = {}) {
  std::vector<Change> changes;
  KVB_MUST(bucket.changes(options, [&](Change&& change) {
    changes.push_back(std::move(change));
    return true;
  }));
  return changes;
}

TEST(Watch, gives_what_is_committed_from_now_on_in_order) {
  const TempFolder folder;
  auto bucket = KVB_MUST(Bucket::create(folder / "a.kvb"));
  KVB_MUST(bucket.put("before", "0"));
  auto watch = KVB_MUST(bucket.watch());
  EXPECT_TRUE(KVB_MUST(watch.next()).empty());
  KVB_MUST(bucket.put("a", "1", {.ttl_seconds = 90, .kind = ValueKind::json}));
  KVB_MUST(bucket.put("a", "2"));
  KVB_MUST(bucket.remove("a"));
  Batch batch;
  batch.put("b", "3");
  batch.remove("before");
  KVB_MUST(bucket.write(batch));
  const auto changes = KVB_MUST(watch.next());
  EXPECT_EQ(shown(changes), "a=1, a=2, -a, b=3, -before");
  EXPECT_EQ(changes[0].value.kind, ValueKind::json);
  EXPECT_EQ(changes[0].value.ttl_seconds, 90u);
  EXPECT_EQ(changes[0].value.seqno, 2u);
  EXPECT_EQ(changes[4].value.seqno, 6u);
  EXPECT_GT(changes[4].value.written_at_ns, 0);
  EXPECT_EQ(watch.seqno(), 6u);
  EXPECT_TRUE(KVB_MUST(watch.next()).empty());
}

TEST(Watch, a_prefix_passes_the_others_over_and_a_seqno_goes_on) {
  const TempFolder folder;
  auto bucket = KVB_MUST(Bucket::create(folder / "a.kvb"));
  auto watch = KVB_MUST(bucket.watch({.prefix = "user:", .keys_only = true}));
  KVB_MUST(bucket.put("user:1", "Ada"));
  KVB_MUST(bucket.put("other", "x"));
  KVB_MUST(bucket.put("user:2", "Grace"));
  KVB_MUST(bucket.put("use", "y"));
  EXPECT_EQ(shown(KVB_MUST(watch.next())), "user:1=, user:2=");
  EXPECT_EQ(watch.seqno(), 4u) << "those with other prefixes are behind it, too";
  EXPECT_EQ(shown(all_changes(bucket, {.prefix = "user:", .from_seqno = 1})), "user:2=Grace");
  EXPECT_EQ(shown(all_changes(bucket)), "user:1=Ada, other=x, user:2=Grace, use=y");
  EXPECT_EQ(KVB_MUST(bucket.changes({.from_seqno = 4}, [](Change&&) { return true; })), 4u);
  EXPECT_EQ(KVB_MUST(bucket.changes({}, [](Change&&) { return false; })), 1u) << "where to go on";
  EXPECT_CODE(bucket.watch({.from_seqno = 5}), invalid_argument);
}

TEST(Watch, waits_for_a_commit_and_not_longer_than_asked) {
  const TempFolder folder;
  auto bucket = KVB_MUST(Bucket::create(folder / "a.kvb"));
  auto watch = KVB_MUST(bucket.watch({.prefix = "wanted"}));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(KVB_MUST(watch.next(milliseconds(60))).empty());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(60));
  std::jthread writer([&] {
    for (int i = 0; i < 20; ++i) EXPECT_FINE(bucket.put("unwanted", std::to_string(i)));
    EXPECT_FINE(bucket.put("wanted", "1"));
  });
  EXPECT_EQ(shown(KVB_MUST(watch.next(std::chrono::hours(1)))), "wanted=1");
}

TEST(Watch, goes_back_over_checkpoints_reopening_and_segments) {
  const TempFolder folder;
  const std::string path = folder / "a.kvb";
  std::string expected;
  {
    auto bucket = KVB_MUST(Bucket::create(path));
    KVB_MUST(bucket.close());
  }
  for (int round = 0; round < 4; ++round) {
    auto bucket = KVB_MUST(Bucket::open(path, {.compact_automatically = false}));
    for (int i = 0; i < 100; ++i) {
      const std::string key = "k" + std::to_string(i);
      KVB_MUST(bucket.put(key, std::string(500, static_cast<char>('a' + round))));
      expected += (expected.empty() ? "" : ", ") + key + "=" + std::string(500, static_cast<char>('a' + round));
      if (i % 40 == 39) KVB_MUST(bucket.checkpoint());
    }
    EXPECT_EQ(shown(all_changes(bucket)), expected);
    KVB_MUST(bucket.close());
    EXPECT_EQ(shown(all_changes(KVB_MUST(Bucket::open(path, {.read_only = true})))), expected);
  }
  // From any place.
  const auto bucket = KVB_MUST(Bucket::open(path, {.read_only = true}));
  const auto all = all_changes(bucket);
  for (const std::uint64_t from : {1u, 39u, 40u, 41u, 99u, 100u, 101u, 350u, 399u, 400u}) {
    const auto some = all_changes(bucket, {.from_seqno = from});
    ASSERT_EQ(some.size(), all.size() - from) << from;
    if (some.empty()) continue;
    EXPECT_EQ(some.front().value.seqno, from + 1);
  }
}

TEST(Watch, what_compaction_has_taken_is_said_and_never_skipped) {
  const TempFolder folder;
  const std::string path = folder / "a.kvb";
  auto bucket = KVB_MUST(Bucket::create(path, {.durability = Durability::relaxed}));
  for (int i = 0; i < 3'000; ++i) KVB_MUST(bucket.put("k" + std::to_string(i % 50), std::to_string(i)));
  KVB_MUST(bucket.flush());
  const auto reader = KVB_MUST(Bucket::open(path, {.read_only = true}));
  ASSERT_EQ(all_changes(reader).size(), 3'000u);
  KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  for (const Bucket* source : std::initializer_list<const Bucket*>{&bucket, &reader}) {
    EXPECT_CODE(source->watch({.from_seqno = 0}), snapshot_expired);
    EXPECT_CODE(source->watch({.from_seqno = 1'500}), snapshot_expired);
    // How to begin anew: no change between the two is lost.
    const auto snapshot = KVB_MUST(source->snapshot());
    auto watch = KVB_MUST(source->watch({.from_seqno = snapshot.seqno()}));
    EXPECT_EQ(snapshot.seqno(), 3'000u);
    EXPECT_TRUE(KVB_MUST(watch.next()).empty());
  }
  KVB_MUST(bucket.put("after", "1"));
  KVB_MUST(bucket.flush());
  EXPECT_EQ(shown(all_changes(reader, {.from_seqno = 3'000})), "after=1");
}

// One that exists loses nothing, however far behind it is, whatever is compacted.
TEST(Watch, one_that_exists_keeps_what_it_has_not_given) {
  const TempFolder folder;
  const std::string path = folder / "a.kvb";
  auto bucket = KVB_MUST(Bucket::create(path, {.durability = Durability::relaxed}));
  KVB_MUST(bucket.put("k", "first"));
  KVB_MUST(bucket.flush());
  const auto reader = KVB_MUST(Bucket::open(path, {.read_only = true}));
  auto here = KVB_MUST(bucket.watch({.keys_only = true}));
  auto elsewhere = KVB_MUST(reader.watch({.keys_only = true}));
  for (int i = 0; i < 3'000; ++i) {
    KVB_MUST(bucket.put("k" + std::to_string(i % 50), std::string(200, 'v')));
    if (i % 1'000 == 999) KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
  }
  KVB_MUST(bucket.flush());
  for (Watch* watch : {&here, &elsewhere}) {
    std::uint64_t next = 2;
    for (;;) {
      const auto changes = KVB_MUST(watch->next());
      if (changes.empty()) break;
      EXPECT_LE(changes.size(), 1'100u) << "portions";
      for (const Change& change : changes) ASSERT_EQ(change.value.seqno, next++);
    }
    EXPECT_EQ(next, 3'002u);
  }
}

// A number inside a batch, for whoever stores one after each change: nothing comes twice.
TEST(Watch, goes_on_in_the_middle_of_a_batch) {
  os::SimDisk disk({.seed = 8, .recording = false});
  auto bucket = KVB_MUST(create_with(disk.environment(), "a.kvb"));
  Batch batch;
  for (int i = 0; i < 5; ++i) batch.put("k" + std::to_string(i), "v");
  KVB_MUST(bucket.write(batch));
  const std::uint64_t last = KVB_MUST(bucket.snapshot()).seqno();
  EXPECT_EQ(shown(all_changes(bucket, {.from_seqno = last - 2})), "k3=v, k4=v");
  EXPECT_EQ(shown(all_changes(bucket, {.from_seqno = last})), "");
}

TEST(Watch, gives_whole_batches) {
  const TempFolder folder;
  auto bucket = KVB_MUST(Bucket::create(folder / "a.kvb"));
  auto watch = KVB_MUST(bucket.watch());
  for (int batches = 0; batches < 5; ++batches) {
    Batch batch;
    for (int i = 0; i < 700; ++i) batch.put("k" + std::to_string(i), "v");
    KVB_MUST(bucket.write(batch));
  }
  std::size_t all = 0;
  for (;;) {
    const auto changes = KVB_MUST(watch.next());
    if (changes.empty()) break;
    EXPECT_EQ(changes.size() % 700, 0u);
    all += changes.size();
  }
  EXPECT_EQ(all, 3'500u);
}

TEST(Watch, in_relaxed_mode_it_gives_what_others_see) {
  const TempFolder folder;
  auto bucket = KVB_MUST(Bucket::create(folder / "a.kvb", {.durability = Durability::relaxed}));
  auto watch = KVB_MUST(bucket.watch());
  for (int i = 0; i < 10; ++i) KVB_MUST(bucket.put("k", std::to_string(i)));
  std::size_t seen = 0;
  while (seen < 10) {
    const auto changes = KVB_MUST(watch.next(std::chrono::seconds(20)));
    ASSERT_FALSE(changes.empty());
    seen += changes.size();
  }
  EXPECT_EQ(seen, 10u);
}

TEST(Watch, outlives_its_bucket_and_is_not_the_childs) {
  const TempFolder folder;
  std::optional<Watch> watch;
  {
    auto bucket = KVB_MUST(Bucket::create(folder / "a.kvb"));
    watch.emplace(KVB_MUST(bucket.watch()));
    const pid_t child = testing::start_child([&] {
      const auto changes = watch->next();
      return !changes && changes.error().code == ErrorCode::forked ? 0 : 1;
    });
    EXPECT_EQ(testing::end_of(child), 0);
    KVB_MUST(bucket.close());
  }
  EXPECT_CODE(watch->next(), closed);
}

TEST(Watch, a_damaged_record_is_told_once_and_passed) {
  const TempFolder folder;
  const std::string path = folder / "a.kvb";
  {
    auto bucket = KVB_MUST(Bucket::create(path));
    for (int i = 0; i < 5; ++i) KVB_MUST(bucket.put("k" + std::to_string(i), "value number " + std::to_string(i)));
    KVB_MUST(bucket.close());
  }
  std::string bytes = testing::read_whole_file(path);
  const auto at = bytes.find("value number 2");
  ASSERT_NE(at, std::string::npos);
  bytes[at] = 'V';
  testing::write_whole_file(path, bytes);
  const auto bucket = KVB_MUST(Bucket::open(path, {.read_only = true}));
  auto watch = KVB_MUST(bucket.watch({.from_seqno = 0, .keys_only = true}));
  EXPECT_EQ(shown(KVB_MUST(watch.next())), "k0=, k1=");
  EXPECT_CODE(watch.next(), damaged);
  EXPECT_EQ(shown(KVB_MUST(watch.next())), "k3=, k4=");
  EXPECT_TRUE(KVB_MUST(watch.next()).empty());
}

// Without background threads, on the simulated disk: the same with crashes in between, whose seqnos leave gaps.
TEST(Watch, R19_a_gap_in_the_seqnos_is_no_gap_in_the_log) {
  os::SimDisk disk({.seed = 5});
  std::vector<std::string> expected;
  for (int round = 0; round < 4; ++round) {
    os::SimProcess& process = disk.start_process(100 + round);
    auto bucket = KVB_MUST(open_or_create_with(process, "a.kvb"));
    for (int i = 0; i < 10; ++i) {
      KVB_MUST(bucket.put("k" + std::to_string(round), std::to_string(i)));
      expected.push_back("k" + std::to_string(round) + "=" + std::to_string(i));
    }
    if (round == 1) KVB_MUST(bucket.checkpoint());
    std::string all;
    for (const auto& one : expected) all += (all.empty() ? "" : ", ") + one;
    EXPECT_EQ(shown(all_changes(bucket)), all);
    process.kill();
  }
}

// ---------------------------------------------------------------------------------------------------- Processes

// A follower rebuilds the whole bucket from its changes, beside a writer that makes checkpoints and compacts.
TEST(WatchProcesses, a_copy_made_of_changes_alone_is_the_bucket) {
  const TempFolder folder;
  const std::string path = folder / "a.kvb";
  KVB_MUST(KVB_MUST(Bucket::create(path)).close());
  struct Common {
    std::atomic<bool> watching{false};
    std::atomic<std::uint64_t> last{0};  // Set when the writer is through.
  };
  testing::SharedMemory<Common> common;
  const pid_t writer = testing::start_child([&] {
    while (!common->watching) std::this_thread::sleep_for(milliseconds(1));
    auto bucket = Bucket::open(path, {.durability = Durability::relaxed, .checkpoint_bytes = 64 * 1024});
    if (!bucket) return 2;
    std::mt19937_64 random(7);
    for (int i = 0; i < 40'000; ++i) {
      const std::string key = (random() % 2 != 0 ? "odd " : "even ") + std::to_string(random() % 500);
      if (random() % 4 == 0) {
        if (!bucket->remove(key)) return 3;
      } else if (!bucket->put(key, std::to_string(i) + std::string(random() % 300, '.'))) {
        return 4;
      }
      if (random() % 4'000 == 0 && !bucket->compact({.strategy = CompactStrategy::full})) return 5;
    }
    if (!bucket->flush()) return 6;
    common->last = bucket->stats().committed_seqno;
    return bucket->close() ? 0 : 7;
  });
  const auto reader = KVB_MUST(Bucket::open(path, {.read_only = true}));
  auto watch = KVB_MUST(reader.watch({.prefix = "odd "}));
  common->watching = true;
  std::map<std::string, std::string> copy;
  std::uint64_t seqno = 0;
  std::uint64_t changes_seen = 0;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (common->last == 0 || watch.seqno() < common->last) {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up);
    auto changes = watch.next(milliseconds(100));
    ASSERT_FINE(changes);
    for (Change& change : *changes) {
      ASSERT_GT(change.value.seqno, seqno);
      seqno = change.value.seqno;
      ++changes_seen;
      if (change.type == Change::Type::put) {
        copy[change.key] = std::move(change.value.bytes);
      } else {
        copy.erase(change.key);
      }
    }
  }
  EXPECT_EQ(testing::end_of(writer), 0);
  std::map<std::string, std::string> there;
  for (auto& entry : KVB_MUST(reader.scan({.prefix = "odd "}))) there[entry.key] = std::move(entry.value.bytes);
  EXPECT_EQ(copy, there);
  EXPECT_GT(changes_seen, 10'000u);
}

TEST(WatchProcesses, a_sleeping_watch_is_woken_by_another_process) {
  const TempFolder folder;
  const std::string path = folder / "a.kvb";
  auto bucket = KVB_MUST(Bucket::create(path));
  testing::Pipe ready;
  testing::Pipe woken;
  const pid_t child = testing::start_child([&] {
    auto reader = Bucket::open(path, {.read_only = true});
    if (!reader) return 2;
    auto watch = reader->watch();
    if (!watch) return 3;
    ready.put(1);
    for (int i = 0; i < 20; ++i) {
      const auto changes = watch->next(std::chrono::seconds(30));
      if (!changes || changes->size() != 1) return 4;
      woken.put(static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()));
    }
    return 0;
  });
  ASSERT_TRUE(ready.take());
  std::vector<double> milliseconds_needed;
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
    KVB_MUST(bucket.put("k", std::to_string(i)));
    const auto written = std::chrono::steady_clock::now().time_since_epoch().count();
    const auto seen = woken.take();
    ASSERT_TRUE(seen);
    milliseconds_needed.push_back(static_cast<double>(static_cast<std::int64_t>(*seen) - written) / 1e6);
  }
  EXPECT_EQ(testing::end_of(child), 0);
  std::ranges::sort(milliseconds_needed);
  EXPECT_LT(milliseconds_needed[10], 100.0) << "it only looks from time to time";
}

}  // namespace
}  // namespace kvb
