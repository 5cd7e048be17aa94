// Many threads on one Bucket: every reader sees committed states only, whole batches only, and its own writes at once.

#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include <atomic>
#include <charconv>
#include <random>
#include <thread>

#include "kvb/support/expect.h"
#include "kvb/support/temp_folder.h"

namespace kvb {
namespace {

using testing::TempFolder;

constexpr int kAccounts = 20;
constexpr int kStart = 100;

std::string account(int i) {
  return "account " + std::to_string(i);
}

int number(const std::string& text) {
  int value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Money moves between accounts in batches; its sum must be the same in whatever anybody sees.
void run_bank(Durability durability) {
  const TempFolder folder;
  const std::string path = folder.path() + "/bank.kvb";
  auto bucket = KVB_MUST(Bucket::open_or_create(path, {.durability = durability}));
  Batch opening;
  for (int i = 0; i < kAccounts; ++i) opening.put(account(i), std::to_string(kStart));
  KVB_MUST(bucket.write(opening));
  KVB_MUST(bucket.flush());

  std::atomic<bool> done{false};
  std::atomic<int> scans{0};
  const auto check = [&](const Bucket& reader) {
    int sum = 0;
    int count = 0;
    auto scanned = reader.scan({.prefix = "account "}, [&](Entry&& entry) {
      sum += number(entry.value.bytes);
      ++count;
      return true;
    });
    ASSERT_TRUE(scanned.has_value()) << scanned.error().to_string();
    ASSERT_EQ(count, kAccounts);
    ASSERT_EQ(sum, kAccounts * kStart);
    scans.fetch_add(1);
  };
  std::vector<std::jthread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      while (!done) check(bucket);
    });
  }
  threads.emplace_back([&] {
    // The same through another opening of the file, as another process would do it.
    auto beside = KVB_MUST(Bucket::open(path, {.read_only = true}));
    while (!done) check(beside);
  });
  {
    std::vector<std::jthread> writers;
    std::mutex moving;  // A transfer reads two accounts and writes them; two transfers must not cross.
    for (int t = 0; t < 3; ++t) {
      writers.emplace_back([&, t] {
        std::mt19937 random(static_cast<unsigned>(t));
        for (int i = 0; i < 150; ++i) {
          const int from = static_cast<int>(random() % kAccounts);
          const int to = (from + 1 + static_cast<int>(random() % (kAccounts - 1))) % kAccounts;
          {
            const std::lock_guard lock(moving);
            // In relaxed mode another thread's last transfer may not be published yet; its own always is visible.
            if (durability == Durability::relaxed) KVB_MUST(bucket.flush());
            const int a = number(KVB_MUST(bucket.get(account(from)))->bytes);
            const int b = number(KVB_MUST(bucket.get(account(to)))->bytes);
            Batch transfer;
            transfer.put(account(from), std::to_string(a - 1));
            transfer.put(account(to), std::to_string(b + 1));
            KVB_MUST(bucket.write(transfer));
          }
          const std::string mine = "note " + std::to_string(t);
          EXPECT_TRUE(KVB_MUST(bucket.put(mine, std::to_string(i))));
          EXPECT_EQ(KVB_MUST(bucket.get(mine))->bytes, std::to_string(i)) << "a thread must see its own write";
        }
      });
    }
  }
  done = true;
  threads.clear();
  EXPECT_GT(scans.load(), 0);
  check(bucket);
  EXPECT_TRUE(KVB_MUST(bucket.verify()).ok());
  KVB_MUST(bucket.close());
  check(KVB_MUST(Bucket::open(path)));
}

TEST(Threads, R8_readers_see_whole_committed_batches_in_sync_mode) {
  run_bank(Durability::sync);
}
TEST(Threads, R8_readers_see_whole_committed_batches_in_relaxed_mode) {
  run_bank(Durability::relaxed);
}

TEST(Threads, writers_share_syncs) {
  const TempFolder folder;
  auto bucket = KVB_MUST(Bucket::create(folder.path() + "/group.kvb"));
  constexpr int kThreads = 8;
  constexpr int kEach = 100;
  {
    std::vector<std::jthread> writers;
    for (int t = 0; t < kThreads; ++t) {
      writers.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          EXPECT_TRUE(KVB_MUST(bucket.put(std::to_string(t) + "/" + std::to_string(i), "value")));
        }
      });
    }
  }
  EXPECT_EQ(KVB_MUST(bucket.count()), static_cast<std::uint64_t>(kThreads * kEach));
  EXPECT_EQ(bucket.stats().synced_seqno, static_cast<std::uint64_t>(kThreads * kEach));
}

TEST(Threads, counters_lose_no_increment) {
  const TempFolder folder;
  auto bucket = KVB_MUST(Bucket::open_or_create(folder.path() + "/count.kvb", {.durability = Durability::relaxed}));
  {
    std::vector<std::jthread> writers;
    for (int t = 0; t < 4; ++t) {
      writers.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          KVB_MUST(bucket.update("n", [](const std::optional<Value>& value) -> Result<Update> {
            const int n = value ? number(value->bytes) : 0;
            return Update{.action = Update::Action::put, .value = std::to_string(n + 1)};
          }));
        }
      });
    }
  }
  // Their writes may still wait for the next tick; this thread is not one of the writers.
  KVB_MUST(bucket.flush());
  EXPECT_EQ(KVB_MUST(bucket.get("n"))->bytes, "2000");
}

TEST(Threads, a_scan_sees_one_state_whatever_its_visitor_changes) {
  const TempFolder folder;
  auto bucket = KVB_MUST(Bucket::open_or_create(folder.path() + "/scan.kvb", {.durability = Durability::relaxed}));
  for (int i = 0; i < 2000; ++i) EXPECT_TRUE(KVB_MUST(bucket.put("key " + std::to_string(i), "old")));
  int visited = 0;
  KVB_MUST(bucket.scan({}, [&](Entry&& entry) {
    EXPECT_EQ(entry.value.bytes, "old");
    // Changes what comes next, what was, and adds new keys.
    EXPECT_TRUE(KVB_MUST(bucket.put("key " + std::to_string((visited * 7) % 2000), "new")));
    EXPECT_TRUE(KVB_MUST(bucket.put(entry.key + " more", "new")));
    if (visited % 3 == 0) (void)KVB_MUST(bucket.remove("key " + std::to_string((visited * 11) % 2000)));
    ++visited;
    return true;
  }));
  EXPECT_EQ(visited, 2000);
}

}  // namespace
}  // namespace kvb
