// Several processes, real files: who holds the bucket, what survives kill -9, and a disk that is really full.
#include <gtest/gtest.h>
#include <kvb/bucket.h>
#include <sys/mount.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>
#include <thread>

#include "kvb/os/file.h"
#include "kvb/support/expect.h"
#include "kvb/support/processes.h"
#include "kvb/support/proof.h"
#include "kvb/support/temp_folder.h"

namespace kvb::testing {
namespace {

TEST(Processes, A_second_process_waits_then_gets_busy_with_the_pid_and_since_when) {
  TempFolder folder;
  const std::string path = folder / "busy.kvb";
  Pipe ready;
  const pid_t child = start_child([&] {
    auto bucket = Bucket::create(path);
    if (!bucket || !bucket->put("a", "1")) return 2;
    ready.put(1);
    ::pause();
    return 0;
  });
  ASSERT_TRUE(ready.take());
  const auto start = std::chrono::steady_clock::now();
  const auto refused = Bucket::open(path, {.lock_deadline = std::chrono::milliseconds(300)});
  const auto waited = std::chrono::steady_clock::now() - start;
  EXPECT_CODE(refused, busy);
  EXPECT_EQ(refused.error().holder_pid, child);
  EXPECT_NEAR(static_cast<double>(refused.error().holder_since_seconds), static_cast<double>(::time(nullptr)), 20);
  EXPECT_NE(refused.error().message.find(std::to_string(child)), std::string::npos) << refused.error().message;
  EXPECT_GE(waited, std::chrono::milliseconds(290));
  EXPECT_LT(waited, std::chrono::seconds(5));
  // Reading goes on beside the writer.
  EXPECT_EQ(KVB_MUST(KVB_MUST(Bucket::open(path, {.read_only = true})).get("a"))->bytes, "1");
  // Within the deadline the holder may go, and the bucket is ours.
  std::thread killer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    ::kill(child, SIGKILL);
  });
  const auto opened = Bucket::open(path);
  killer.join();
  ASSERT_FINE(opened);
  EXPECT_EQ(end_of(child), -SIGKILL);
}

TEST(Processes, R23_a_forked_child_is_told_that_the_bucket_is_its_parents) {
  TempFolder folder;
  const std::string path = folder / "fork.kvb";
  Bucket bucket = KVB_MUST(Bucket::create(path));
  KVB_MUST(bucket.put("a", "1"));
  const pid_t child = start_child([&] {
    const auto forked = [](const auto& result) { return !result && result.error().code == ErrorCode::forked; };
    if (!forked(bucket.get("a"))) return 1;
    if (!forked(bucket.put("b", "2"))) return 2;
    if (!forked(bucket.remove("a"))) return 3;
    if (!forked(bucket.scan())) return 4;
    if (!forked(bucket.flush())) return 5;
    {
      const Bucket gone = std::move(bucket);  // Its destructor must leave the parent's file alone.
    }
    const auto own = Bucket::open(path, {.read_only = true});
    return own && own->contains("a").value_or(false) ? 0 : 6;
  });
  EXPECT_EQ(end_of(child), 0);
  ASSERT_FINE(bucket.put("c", "3"));
  EXPECT_CODE(Bucket::open(path), busy);
}

TEST(Processes, R23_a_child_that_outlives_its_parent_holds_nothing) {
  TempFolder folder;
  const std::string path = folder / "orphan.kvb";
  Pipe pids;
  const pid_t parent = start_child([&] {
    auto bucket = Bucket::create(path);
    if (!bucket || !bucket->put("a", "1")) return 2;
    const auto reader = Bucket::open(path, {.read_only = true});
    if (!reader || !reader->get("a")) return 3;
    const pid_t child = ::fork();
    if (child == 0) {
      // Lives on with whatever it has inherited.
      ::pause();
      ::_exit(0);
    }
    pids.put(static_cast<std::uint64_t>(child));
    ::pause();
    return 0;
  });
  const auto orphan = pids.take();
  ASSERT_TRUE(orphan);
  EXPECT_CODE(Bucket::open(path, {.lock_deadline = std::chrono::milliseconds(0)}), busy);
  ::kill(parent, SIGKILL);
  EXPECT_EQ(end_of(parent), -SIGKILL);
  ASSERT_EQ(::kill(static_cast<pid_t>(*orphan), 0), 0) << "the child should live on";
  {
    auto bucket = Bucket::open(path, {.lock_deadline = std::chrono::milliseconds(0)});
    ASSERT_FINE(bucket);
    EXPECT_EQ(bucket->stats().pinned_epochs, 0u);
    EXPECT_EQ(KVB_MUST(bucket->get("a"))->bytes, "1");
  }
  ::kill(static_cast<pid_t>(*orphan), SIGKILL);
}

// Who was killed left a note that it writes. It is never believed over the lock.
TEST(Processes, the_note_of_a_dead_writer_hinders_nobody) {
  TempFolder folder;
  const std::string path = folder / "dead.kvb";
  for (int round = 0; round < 3; ++round) {
    Pipe ready;
    const pid_t writer = start_child([&] {
      auto bucket = Bucket::open_or_create(path);
      if (!bucket || !bucket->put("round", std::to_string(round))) return 2;
      ready.put(1);
      ::pause();
      return 0;
    });
    ASSERT_TRUE(ready.take());
    const auto refused = Bucket::open(path, {.lock_deadline = std::chrono::milliseconds(0)});
    EXPECT_CODE(refused, busy);
    EXPECT_EQ(refused.error().holder_pid, writer) << "not the one before";
    EXPECT_NE(refused.error().message.find(os::real_environment().process().program), std::string::npos)
        << refused.error().message;
    ::kill(writer, SIGKILL);
    EXPECT_EQ(end_of(writer), -SIGKILL);
    const auto bucket = Bucket::open(path, {.lock_deadline = std::chrono::milliseconds(0)});
    ASSERT_FINE(bucket);
    EXPECT_EQ(KVB_MUST(bucket->get("round"))->bytes, std::to_string(round));
  }
}

// The writer says after each call what is safe; then it dies at any moment.
struct KillSetting {
  const char* name;
  Durability durability;
  std::uint64_t checkpoint_bytes;
};
const std::uint64_t kNoCheckpoints = OpenOptions{}.checkpoint_bytes;
const KillSetting kKillSettings[] = {
    {"sync", Durability::sync, kNoCheckpoints},
    {"sync_and_checkpoints", Durability::sync, 4 * 1024},
    {"relaxed", Durability::relaxed, kNoCheckpoints},
    {"relaxed_and_checkpoints", Durability::relaxed, 4 * 1024},
};
constexpr std::uint64_t kKillsEach = 80;
constexpr std::uint64_t kKillsOfABucket = 10;  // Each death costs a segment, so that after more the file is large.
constexpr std::uint64_t kMinimumKills = 300;
static_assert(kKillsEach * std::size(kKillSettings) >= kMinimumKills);

class KillLoop : public ::testing::TestWithParam<KillSetting> {
 protected:
  static std::string value_of(std::uint64_t number) {
    return std::string(number % 700, static_cast<char>('a' + number % 26));
  }

  // Writes batches from `number` on until it is killed; says in the pipe how many are promised.
  static int write_until_killed(const std::string& path, std::uint64_t number, Pipe& answers) {
    const auto [name, durability, checkpoint_bytes] = GetParam();
    const bool relaxed = durability == Durability::relaxed;
    auto bucket = Bucket::open(path, {.durability = durability, .checkpoint_bytes = checkpoint_bytes});
    if (!bucket) return 2;
    for (std::uint64_t i = number;; ++i) {
      Batch batch;
      batch.put("number/" + std::to_string(i), value_of(i));
      batch.put("last", std::to_string(i));
      batch.put("only/" + std::to_string(i), "one of these is there");
      if (i != 0) batch.remove("only/" + std::to_string(i - 1));
      if (!bucket->write(batch)) return 3;
      if (i % 100 == 99 && checkpoint_bytes != kNoCheckpoints && !bucket->checkpoint()) return 6;
      // In relaxed mode only what was flushed is promised at once.
      if (relaxed && i % 50 == 49 && !bucket->flush()) return 4;
      if ((!relaxed || i % 50 == 49) && !answers.put(i + 1)) return 5;
    }
  }

  static bool has_room(const char* folder) {
    std::error_code error;
    const auto space = std::filesystem::space(folder, error);
    return !error && space.available > (std::uint64_t{512} << 20) && ::access(folder, W_OK) == 0;
  }

  // How many batches the bucket holds; everything in it must fit to that number.
  static void check(const Bucket& bucket, bool verify, std::uint64_t& present) {
    present = KVB_MUST(bucket.count({.prefix = "number/"}));
    if (present != 0) {
      ASSERT_EQ(KVB_MUST(bucket.get("last"))->bytes, std::to_string(present - 1)) << "a batch is not whole";
      const auto only = KVB_MUST(bucket.scan({.prefix = "only/"}));
      ASSERT_EQ(only.size(), 1u) << "a batch is not whole";
      ASSERT_EQ(only.front().key, "only/" + std::to_string(present - 1));
    }
    for (std::uint64_t i = present > 60 ? present - 60 : 0; i < present; ++i) {
      const auto value = KVB_MUST(bucket.get("number/" + std::to_string(i)));
      ASSERT_TRUE(value.has_value()) << i << " of " << present;
      ASSERT_EQ(value->bytes, value_of(i));
    }
    if (verify) {
      const auto report = KVB_MUST(bucket.verify());
      ASSERT_TRUE(report.ok()) << report.problems.front().message;
      std::uint64_t number = 0;
      for (const auto& entry : KVB_MUST(bucket.scan({.prefix = "number/"}))) {
        number = std::stoull(entry.key.substr(7));
        ASSERT_LT(number, present);
        ASSERT_EQ(entry.value.bytes, value_of(number)) << entry.key;
      }
    }
  }
};

TEST_P(KillLoop, R7_R14_kill_9_loses_nothing_that_was_acknowledged) {
  const std::uint64_t kills = number_from_environment("KVB_KILLS", kKillsEach);
  const std::uint64_t seed = number_from_environment("KVB_KILL_SEED", std::random_device{}());
  std::mt19937_64 random(seed);
  std::uint64_t done = 0;
  std::uint64_t acknowledged_in_all = 0;
  std::uint64_t killed_while_opening = 0;
  std::uint64_t buckets = 0;
  while (done < kills) {
    // Every other bucket in memory, where a sync takes no time and so much more happens between two deaths.
    TempFolder folder(++buckets % 2 == 0 && has_room("/dev/shm") ? "/dev/shm" : "");
    const std::string path = folder / "kill.kvb";
    KVB_MUST(KVB_MUST(Bucket::create(path)).close());
    std::uint64_t acknowledged = 0;
    std::uint64_t present = 0;
    for (std::uint64_t round = 0; round < kKillsOfABucket && done < kills; ++round, ++done) {
      SCOPED_TRACE("kill " + std::to_string(done) + ", round " + std::to_string(round) +
                   " of its bucket; KVB_KILL_SEED=" + std::to_string(seed) + " KVB_KILLS=" + std::to_string(kills));
      Pipe answers;
      const pid_t child = start_child([&] {
        answers.close_reading();
        return write_until_killed(path, present, answers);
      });
      answers.close_writing();
      // Sometimes while it opens, mostly while it writes.
      std::this_thread::sleep_for(std::chrono::microseconds(random() % (random() % 4 == 0 ? 3'000 : 40'000)));
      ASSERT_EQ(::kill(child, SIGKILL), 0);
      const std::uint64_t before = acknowledged;
      while (const auto safe = answers.take()) acknowledged = *safe;
      ASSERT_EQ(end_of(child), -SIGKILL) << "the writer has ended by itself";
      if (acknowledged == before) ++killed_while_opening;

      const bool look_as_reader = round % 3 == 0;
      const Bucket bucket = KVB_MUST(Bucket::open(path, {.read_only = look_as_reader}));
      check(bucket, round % 4 == 3, present);
      if (HasFatalFailure()) return;
      ASSERT_GE(present, acknowledged);
      acknowledged = present;  // Whoever opens it syncs before it shows anything.
      acknowledged_in_all += acknowledged - before;
    }
  }
  std::cout << done << " kills, " << acknowledged_in_all << " batches there, " << killed_while_opening
            << " kills without a new promise, seed " << seed << "\n";
  report_proof("kills", done);
  EXPECT_GE(done, kills);
  EXPECT_GT(acknowledged_in_all, done);
}

INSTANTIATE_TEST_SUITE_P(Modes, KillLoop, ::testing::ValuesIn(kKillSettings),
                         [](const auto& of) { return std::string(of.param.name); });

// A small file system in memory, if this process may mount one.
class SmallDisk {
 public:
  explicit SmallDisk(std::uint64_t bytes) {
    const std::string options = "size=" + std::to_string(bytes);
    mounted_ = ::mount("kvb-test", folder_.path().c_str(), "tmpfs", 0, options.c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return folder_ / name; }

 private:
  TempFolder folder_;
  bool mounted_ = false;
};

TEST(FullDisk, A_real_full_disk_is_an_error_and_loses_nothing) {
  for (const auto durability : {Durability::sync, Durability::relaxed}) {
    for (const std::size_t value_bytes : {100u, 3'000u, 70'000u}) {
      const SmallDisk disk(2 * 1024 * 1024);
      if (!disk.mounted()) GTEST_SKIP() << "SKIPPED: only root may mount the small file system that this test fills";
      const std::string path = disk / "full.kvb";
      std::uint64_t stored = 0;
      {
        Bucket bucket = KVB_MUST(Bucket::create(path, {.durability = durability}));
        Result<bool> last = true;
        while (last && stored < 100'000) {
          last = bucket.put("k" + std::to_string(stored), std::string(value_bytes, 'v'));
          if (last) ++stored;
        }
        ASSERT_FALSE(last) << "a disk of 2 MiB took " << stored << " values of " << value_bytes;
        EXPECT_EQ(last.error().code, ErrorCode::full) << outcome(last);
        const auto after = bucket.put("one more", std::string(value_bytes, 'v'));
        if (!after) {
          EXPECT_EQ(after.error().code, ErrorCode::full) << outcome(after);
        }
        if (after) ++stored;
        const std::uint64_t there = KVB_MUST(bucket.count());
        // In relaxed mode a put that had returned may be among those that the full disk refused; they are the newest.
        if (durability == Durability::sync) {
          EXPECT_EQ(there, stored);
        } else {
          EXPECT_LE(there, stored);
          EXPECT_GE(there + 300, stored);
        }
        stored = there;
        EXPECT_FALSE(bucket.stats().poisoned);
        EXPECT_EQ(KVB_MUST(bucket.get("k0"))->bytes, std::string(value_bytes, 'v'));
        static_cast<void>(bucket.close());
      }
      const Bucket again = KVB_MUST(Bucket::open(path));
      EXPECT_EQ(KVB_MUST(again.count()), stored);
      const auto report = KVB_MUST(again.verify());
      EXPECT_TRUE(report.ok()) << report.problems.front().message;
    }
  }
}

// A file cut short by another program while the bucket is open: an error, no signal.
TEST(FullDisk, R13_a_file_cut_by_another_program_is_an_error) {
  TempFolder folder;
  const std::string path = folder / "cut.kvb";
  Bucket bucket = KVB_MUST(Bucket::create(path));
  for (int i = 0; i < 100; ++i) KVB_MUST(bucket.put("k" + std::to_string(i), std::string(2'000, 'x')));
  ASSERT_EQ(::truncate(path.c_str(), 70'000), 0);
  int errors = 0;
  for (int i = 0; i < 100; ++i) {
    const auto value = bucket.get("k" + std::to_string(i));
    if (!value) {
      ++errors;
      EXPECT_TRUE(value.error().code == ErrorCode::damaged || value.error().code == ErrorCode::io_error)
          << outcome(value);
    } else if (value->has_value()) {
      EXPECT_EQ((*value)->bytes, std::string(2'000, 'x'));
    } else {
      ADD_FAILURE() << "k" << i << " is silently missing";
    }
  }
  EXPECT_GT(errors, 90);
  EXPECT_FALSE(bucket.scan().has_value());
}

}  // namespace
}  // namespace kvb::testing
