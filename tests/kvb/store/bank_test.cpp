// Many readers, one writer, each in a process of its own. The writer moves money between accounts in batches, lets
// other keys come, expire and go, makes checkpoints and compacts; so the sum of all accounts is the same in every
// committed state, and a reader that sees another sum has seen something that never was. Meanwhile readers and writers
// are stopped, go on, and are killed at any moment, and others take their places.
//
// It runs for KVB_BANK_SECONDS and counts its kills as proof.
#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "kvb/support/expect.h"
#include "kvb/support/processes.h"
#include "kvb/support/proof.h"
#include "kvb/support/temp_folder.h"

namespace kvb::testing {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kAccounts = 64;
constexpr std::int64_t kStart = 1'000;
constexpr std::int64_t kSum = kAccounts * kStart;
constexpr milliseconds kReaderAge{400};
// What is live is less than 2 MiB. The rest of the file is what readers hold for kReaderAge, and what waits for the
// next checkpoints: so it depends on how much the writer writes in a while, which is more on a quicker machine. A file
// from which nothing was given back would have all that was ever written.
constexpr std::chrono::seconds kWhile{4};
constexpr std::uint64_t kAtMostBesideThat = std::uint64_t{128} << 20;

std::string account(std::uint64_t i) {
  return "account " + std::to_string(1'000 + i);
}

std::int64_t number(std::string_view text) {
  std::int64_t value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

struct Common {
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> transfers{0};
  std::atomic<std::uint64_t> states_seen{0};  // That were checked whole.
  std::atomic<std::uint64_t> expired{0};      // Snapshots that were held too long.
  // What the writers have written; how large the file was at some time, and when that was.
  std::atomic<std::uint64_t> written_bytes{0};
  std::atomic<std::uint64_t> file_bytes{0};
  std::atomic<Clock::rep> file_looked_at{0};
  std::atomic<std::uint64_t> verified{0};
  std::atomic<std::uint64_t> acknowledged{0};  // The number of the last transfer that is on disk.
};

int complain(const std::string& what) {
  std::cerr << "process " << ::getpid() << ": " << what << std::endl;
  return 10;
}

// ---------------------------------------------------------------------------------------------------- Writer

int write_for_ever(const std::string& path, Common& common, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const bool relaxed = random() % 2 == 0;
  auto bucket = Bucket::open(path, {.durability = relaxed ? Durability::relaxed : Durability::sync,
                                    .checkpoint_bytes = 256 * 1024,
                                    .reader_age_limit = kReaderAge});
  if (!bucket) return complain("cannot open for writing: " + bucket.error().to_string());
  std::uint64_t done = 0;
  if (const auto last = bucket->get("transfers"); last && *last)
    done = static_cast<std::uint64_t>(number((*last)->bytes));
  if (done < common.acknowledged) {
    return complain("transfer " + std::to_string(common.acknowledged) + " is lost; the last one is " +
                    std::to_string(done));
  }
  const auto failed = [](const auto& result) { return !result.has_value(); };
  while (!common.stop) {
    const std::uint64_t from = random() % kAccounts;
    const std::uint64_t to = (from + 1 + random() % (kAccounts - 1)) % kAccounts;
    const auto a = bucket->get(account(from));
    const auto b = bucket->get(account(to));
    if (!a || !*a || !b || !*b) return complain("an account is missing");
    Batch transfer;
    const auto amount = static_cast<std::int64_t>(random() % 50);
    transfer.put(account(from), std::to_string(number((*a)->bytes) - amount));
    transfer.put("filler " + std::to_string(random() % 300), std::string(random() % 4'000, 'f'));
    transfer.put(account(to), std::to_string(number((*b)->bytes) + amount));
    transfer.put("transfers", std::to_string(++done));
    transfer.put("expires " + std::to_string(done % 500), "soon", {.ttl_seconds = 1});
    if (random() % 4 == 0) transfer.remove("filler " + std::to_string(random() % 300));
    if (failed(bucket->write(transfer))) return complain("a transfer failed");
    for (const auto& operation : transfer.operations()) {
      common.written_bytes += operation.key.size() + operation.value.size() + 48;
    }
    ++common.transfers;
    if (!relaxed) common.acknowledged = done;
    const auto what = random() % 4'000;
    if (what < 8) {
      if (const auto flushed = bucket->flush(); !flushed) return complain(flushed.error().to_string());
      common.acknowledged = done;
    } else if (what < 12) {
      if (const auto made = bucket->checkpoint(); !made) return complain(made.error().to_string());
    } else if (what < 18) {
      const auto compacted = bucket->compact({.strategy = static_cast<CompactStrategy>(random() % 3)});
      if (!compacted) return complain(compacted.error().to_string());
    } else if (what < 20) {
      if (const auto gone = bucket->remove_prefix("filler 1"); !gone) return complain(gone.error().to_string());
    }
    if (what % 64 == 0) {
      common.file_looked_at = Clock::now().time_since_epoch().count();
      common.file_bytes = bucket->stats().allocated_bytes;
    }
  }
  const auto closed = bucket->close();
  return closed ? 0 : complain(closed.error().to_string());
}

// ---------------------------------------------------------------------------------------------------- Reader

// One state that holds still. Empty if it is right.
template <typename Source>
std::string look_at(const Source& source, std::uint64_t how, std::uint64_t& transfers, bool& expired) {
  std::int64_t sum = 0;
  int count = 0;
  const auto failure = [&](const Error& error) {
    if (error.code == ErrorCode::snapshot_expired) {
      expired = true;
      return std::string();
    }
    return error.to_string();
  };
  if (how % 3 == 0) {
    std::vector<std::string> names;
    for (int i = 0; i < kAccounts; ++i) names.push_back(account(static_cast<std::uint64_t>(i)));
    std::vector<std::string_view> keys(names.begin(), names.end());
    keys.emplace_back("transfers");
    const auto values = source.get_many(keys);
    if (!values) return failure(values.error());
    for (int i = 0; i < kAccounts; ++i) {
      const auto& value = (*values)[static_cast<std::size_t>(i)];
      if (!value) return "get_many misses " + names[static_cast<std::size_t>(i)];
      sum += number(value->bytes);
      ++count;
    }
    if (!values->back()) return "get_many misses the number of transfers";
    transfers = static_cast<std::uint64_t>(number(values->back()->bytes));
  } else {
    std::string last;
    const bool reverse = how % 3 == 1;
    const auto scanned = source.scan({.reverse = reverse}, [&](Entry&& entry) {
      if (!last.empty() && (reverse ? entry.key >= last : entry.key <= last)) count = -1'000'000;
      last = entry.key;
      if (entry.key.starts_with("account ")) {
        sum += number(entry.value.bytes);
        ++count;
      } else if (entry.key == "transfers") {
        transfers = static_cast<std::uint64_t>(number(entry.value.bytes));
      } else if (entry.key.starts_with("filler ")) {
        if (entry.value.bytes.find_first_not_of('f') != std::string::npos) count = -2'000'000;
      }
      return true;
    });
    if (!scanned) return failure(scanned.error());
  }
  if (count != kAccounts) return "a state has " + std::to_string(count) + " accounts";
  if (sum != kSum) return "the sum of a state is " + std::to_string(sum) + " instead of " + std::to_string(kSum);
  return {};
}

int read_for_ever(const std::string& path, Common& common, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uint64_t newest = 0;
  while (!common.stop) {
    auto bucket = Bucket::open(path, {.read_only = true});
    if (!bucket) return complain("cannot open for reading: " + bucket.error().to_string());
    const std::uint64_t rounds = 1 + random() % 200;
    for (std::uint64_t round = 0; round < rounds && !common.stop; ++round) {
      const std::uint64_t how = random() % 12;
      std::uint64_t transfers = 0;
      bool expired = false;
      std::string wrong;
      if (how < 6) {
        wrong = look_at(*bucket, how, transfers, expired);
      } else if (how < 9) {
        auto snapshot = bucket->snapshot();
        if (!snapshot) return complain(snapshot.error().to_string());
        std::uint64_t first = 0;
        wrong = look_at(*snapshot, how, first, expired);
        if (wrong.empty() && !expired) {
          if (random() % 8 == 0) std::this_thread::sleep_for(milliseconds(random() % 900));
          wrong = look_at(*snapshot, how + 1, transfers, expired);
          if (wrong.empty() && !expired && transfers != first) wrong = "a snapshot has changed";
        }
      } else if (how < 11) {
        const auto value = bucket->get(account(random() % kAccounts));
        if (!value) {
          wrong = value.error().to_string();
        } else if (!*value) {
          wrong = "an account is missing";
        }
        transfers = newest;
      } else {
        // Committed before the call: must be seen.
        const std::uint64_t promised = common.acknowledged;
        const auto value = bucket->get("transfers");
        if (!value || !*value) return complain("the number of transfers is missing");
        transfers = static_cast<std::uint64_t>(number((*value)->bytes));
        if (transfers < promised) wrong = "a write that had returned is not seen";
      }
      if (!wrong.empty()) return complain(wrong);
      if (expired) {
        ++common.expired;
        continue;
      }
      if (transfers < newest) {
        return complain("transfer " + std::to_string(newest) + " was seen before, now only " +
                        std::to_string(transfers));
      }
      newest = transfers;
      ++common.states_seen;
    }
    if (random() % 32 == 0) {
      const auto report = bucket->verify();
      if (report && !report->ok()) return complain("verify: " + report->problems.front().message);
      if (!report && report.error().code != ErrorCode::snapshot_expired) return complain(report.error().to_string());
      ++common.verified;
    }
  }
  return 0;
}

// ---------------------------------------------------------------------------------------------------- Test

struct Role {
  bool writes;
  pid_t pid = -1;
  bool stopped = false;
  Clock::time_point goes_on{};
};

// How much has been written, moment by moment.
class WrittenLately {
 public:
  void note(std::uint64_t bytes) { moments_.emplace_back(Clock::now(), bytes); }
  // In the time of kWhile up to then, and what has been noted since.
  [[nodiscard]] std::uint64_t in_the_while_before(Clock::time_point then) const {
    std::uint64_t before = 0;
    for (const auto& [at, bytes] : moments_) {
      if (at <= then - kWhile) before = bytes;
    }
    return moments_.back().second - before;
  }

 private:
  std::vector<std::pair<Clock::time_point, std::uint64_t>> moments_;
};

TEST(Bank, R8_R22_R26_every_reader_sees_sums_that_were_committed_whoever_is_killed) {
  const auto seconds = number_from_environment("KVB_BANK_SECONDS", 60);
  const std::uint64_t seed = number_from_environment("KVB_KILL_SEED", std::random_device{}());
  std::mt19937_64 random(seed);
  std::uint64_t kills = 0;
  std::uint64_t killed_writers = 0;
  std::uint64_t stops = 0;
  std::uint64_t states = 0;
  std::uint64_t transfers = 0;
  std::uint64_t expired = 0;
  std::uint64_t largest = 0;
  const auto ends = Clock::now() + std::chrono::seconds(seconds);
  for (int banks = 0; Clock::now() < ends; ++banks) {
    SCOPED_TRACE("bank " + std::to_string(banks) + "; KVB_KILL_SEED=" + std::to_string(seed));
    TempFolder folder(banks % 2 == 1 && ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "");
    const std::string path = folder / "bank.kvb";
    {
      auto bucket = KVB_MUST(Bucket::create(path));
      Batch opening;
      for (int i = 0; i < kAccounts; ++i) opening.put(account(static_cast<std::uint64_t>(i)), std::to_string(kStart));
      opening.put("transfers", "0");
      KVB_MUST(bucket.write(opening));
      KVB_MUST(bucket.close());
    }
    SharedMemory<Common> common;
    WrittenLately written;
    std::vector<Role> roles{{.writes = true}, {.writes = false}, {.writes = false}, {.writes = false}};
    const auto start = [&](Role& role) {
      const std::uint64_t own_seed = random();
      role.stopped = false;
      role.pid = start_child([&, writes = role.writes] {
        return writes ? write_for_ever(path, *common.operator->(), own_seed)
                      : read_for_ever(path, *common.operator->(), own_seed);
      });
    };
    for (Role& role : roles) start(role);
    const auto bank_ends = std::min(ends, Clock::now() + std::chrono::seconds(12));
    while (Clock::now() < bank_ends && !HasFailure()) {
      std::this_thread::sleep_for(milliseconds(1 + random() % 60));
      written.note(common->written_bytes);
      const std::uint64_t file_bytes = common->file_bytes;
      const Clock::time_point looked_at{Clock::duration(common->file_looked_at)};
      EXPECT_LT(file_bytes, kAtMostBesideThat + written.in_the_while_before(looked_at));
      largest = std::max(largest, file_bytes);
      for (Role& role : roles) {
        if (role.stopped && Clock::now() >= role.goes_on) {
          ::kill(role.pid, SIGCONT);
          role.stopped = false;
        }
      }
      Role& role = roles[random() % roles.size()];
      const auto what = random() % 10;
      if (what < 5) {
        ASSERT_EQ(::kill(role.pid, SIGKILL), 0);
        const int end = end_of(role.pid);
        EXPECT_EQ(end, -SIGKILL) << (role.writes ? "the writer" : "a reader") << " has ended by itself";
        ++kills;
        killed_writers += role.writes ? 1 : 0;
        start(role);
      } else if (what < 8 && !role.stopped) {
        ASSERT_EQ(::kill(role.pid, SIGSTOP), 0);
        role.stopped = true;
        // A reader sometimes longer than its pin is respected.
        role.goes_on = Clock::now() + milliseconds(random() % (role.writes ? 200 : 1'500));
        ++stops;
      }
    }
    common->stop = true;
    for (Role& role : roles) {
      ::kill(role.pid, SIGCONT);
      EXPECT_EQ(end_of(role.pid), 0) << (role.writes ? "the writer" : "a reader");
    }
    states += common->states_seen;
    transfers += common->transfers;
    expired += common->expired;

    // Nothing is left behind: no pin, no lock, no damage, no space.
    auto bucket = KVB_MUST(Bucket::open(path, {.lock_deadline = milliseconds(0)}));
    EXPECT_EQ(bucket.stats().pinned_epochs, 0u);
    std::uint64_t seen = 0;
    bool too_old = false;
    for (const std::uint64_t how : {0u, 1u, 2u}) EXPECT_EQ(look_at(bucket, how, seen, too_old), "");
    EXPECT_GE(seen, common->acknowledged);
    const auto report = KVB_MUST(bucket.verify());
    EXPECT_TRUE(report.ok()) << report.problems.front().message;
    KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
    EXPECT_LT(bucket.stats().allocated_bytes, std::uint64_t{4} << 20);
    KVB_MUST(bucket.close());
    if (HasFailure()) return;
  }
  std::cout << kills << " kills (" << killed_writers << " of the writer), " << stops << " stops, " << transfers
            << " transfers, " << states << " states checked, " << expired << " snapshots expired, file up to "
            << (largest >> 20) << " MiB, seed " << seed << "\n";
  report_proof("kills", kills);
  report_proof("bank_seconds", seconds);
  EXPECT_GT(states, transfers / 1'000);
  EXPECT_GT(transfers, 100u);
}

}  // namespace
}  // namespace kvb::testing
