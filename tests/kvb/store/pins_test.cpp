// How long a writer waits for its readers, and what becomes of those that take longer.
#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include "kvb/api/bucket_access.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"

namespace kvb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kPath = "a.kvb";
constexpr int kKeys = 400;

std::string key(int i) {
  return "key " + std::to_string(1'000 + i);
}

class Pins : public ::testing::Test {
 protected:
  // A bucket with all keys of round 0, an image, and a reader that has not read yet.
  void open(milliseconds limit) {
    options_ = {.durability = Durability::relaxed, .reader_age_limit = limit};
    writer_.emplace(KVB_MUST(open_or_create_with(disk_.environment(), kPath, options_)));
    write_all(0);
    KVB_MUST(writer_->checkpoint());
    reader_.emplace(KVB_MUST(open_with(other_, kPath, {.read_only = true})));
  }
  void write_all(int round) {
    for (int i = 0; i < kKeys; ++i) KVB_MUST(writer_->put(key(i), std::to_string(round) + std::string(1'000, 'v')));
    KVB_MUST(writer_->flush());
  }
  // Rewrites everything so often that all of the first image's space would be used again if it may be.
  void churn(int from, int to) {
    for (int round = from; round < to; ++round) {
      write_all(round);
      KVB_MUST(writer_->compact({.strategy = CompactStrategy::full}));
    }
  }
  std::uint64_t allocated() { return writer_->stats().allocated_bytes; }

  os::SimDisk disk_{{.seed = 3, .recording = false}};
  os::SimProcess& other_ = disk_.start_process(77, "reader");
  OpenOptions options_;
  std::optional<Bucket> writer_;
  std::optional<Bucket> reader_;
};

TEST_F(Pins, R22_a_snapshot_elsewhere_keeps_what_it_shows) {
  open(seconds(0));
  const auto snapshot = KVB_MUST(reader_->snapshot());
  disk_.advance(std::chrono::hours(1000));
  churn(1, 6);
  EXPECT_EQ(KVB_MUST(snapshot.count()), static_cast<std::uint64_t>(kKeys));
  for (int i = 0; i < kKeys; ++i) EXPECT_EQ(KVB_MUST(snapshot.get(key(i)))->bytes[0], '0');
  EXPECT_EQ(KVB_MUST(reader_->get(key(1)))->bytes[0], '5');
  const Stats stats = writer_->stats();
  EXPECT_EQ(stats.pinned_epochs, 2u) << "the snapshot's, and what the reader has seen last";
  EXPECT_GT(stats.oldest_pin_lag, 4u);
  EXPECT_GT(stats.retired_bytes, 400'000u);
  EXPECT_EQ(stats.expired_pins, 0u);
}

TEST_F(Pins, R26_one_that_is_over_the_limit_answers_snapshot_expired) {
  open(seconds(10));
  const auto snapshot = KVB_MUST(reader_->snapshot());
  churn(1, 2);
  disk_.advance(seconds(9));
  churn(2, 4);
  EXPECT_EQ(KVB_MUST(snapshot.get(key(7)))->bytes[0], '0') << "the limit is not over";
  EXPECT_EQ(writer_->stats().oldest_pin_age_ms, 9'000);
  disk_.advance(seconds(2));
  churn(4, 8);
  EXPECT_CODE(snapshot.get(key(7)), snapshot_expired);
  EXPECT_CODE(snapshot.get("missing"), snapshot_expired);
  EXPECT_CODE(snapshot.contains(key(7)), snapshot_expired);
  const std::string_view keys[] = {"key 1003", "key 1004"};
  EXPECT_CODE(snapshot.get_many(keys), snapshot_expired);
  EXPECT_CODE(snapshot.scan(), snapshot_expired);
  EXPECT_CODE(snapshot.count({.prefix = "key 10"}), snapshot_expired);
  // The reader itself goes on as if nothing had been.
  EXPECT_EQ(KVB_MUST(reader_->get(key(7)))->bytes[0], '7');
  EXPECT_EQ(KVB_MUST(reader_->count()), static_cast<std::uint64_t>(kKeys));
  EXPECT_TRUE(KVB_MUST(reader_->verify()).ok());
  const auto fresh = KVB_MUST(reader_->snapshot());
  EXPECT_EQ(KVB_MUST(fresh.get(key(7)))->bytes[0], '7');
  EXPECT_EQ(writer_->stats().expired_pins, 1u);
}

TEST_F(Pins, R26_the_file_does_not_grow_for_it) {
  open(seconds(1));
  const auto snapshot = KVB_MUST(reader_->snapshot());
  churn(1, 2);
  const std::uint64_t live = allocated();
  for (int round = 2; round < 20; ++round) {
    disk_.advance(seconds(2));
    churn(round, round + 1);
    EXPECT_LT(allocated(), 2 * live) << round;
  }
  EXPECT_CODE(snapshot.get(key(7)), snapshot_expired);
}

// A reader that does nothing holds the image that it saw last; when it wakes up nothing is wrong with it.
TEST_F(Pins, R25_an_idle_reader_wakes_up_on_the_newest_state) {
  open(seconds(1));
  ASSERT_EQ(KVB_MUST(reader_->get(key(3)))->bytes[0], '0');
  for (int round = 1; round < 8; ++round) {
    disk_.advance(seconds(2));
    churn(round, round + 1);
  }
  const Stats stats = writer_->stats();
  EXPECT_EQ(stats.expired_pins, 1u);
  EXPECT_EQ(stats.pinned_epochs, 0u) << "those that count";
  for (int i = 0; i < kKeys; ++i) EXPECT_EQ(KVB_MUST(reader_->get(key(i)))->bytes[0], '7');
  EXPECT_EQ(writer_->stats().pinned_epochs, 1u);
  EXPECT_EQ(writer_->stats().oldest_pin_lag, 0u);
  EXPECT_EQ(writer_->stats().oldest_pin_age_ms, 0);
}

TEST_F(Pins, R26_a_scan_that_was_stopped_in_the_middle_ends_with_an_error_and_no_wrong_entry) {
  open(seconds(1));
  int seen = 0;
  const auto scanned = reader_->scan({}, [&](Entry&& entry) {
    EXPECT_EQ(entry.value.bytes[0], '0');
    if (++seen == 10) {
      for (int round = 1; round < 6; ++round) {
        disk_.advance(seconds(2));
        churn(round, round + 1);
      }
    }
    return true;
  });
  EXPECT_CODE(scanned, snapshot_expired);
  EXPECT_LT(seen, kKeys);
}

TEST_F(Pins, R26_a_backup_is_waited_for) {
  open(seconds(1));
  for (int i = 0; i < 3'000; ++i) KVB_MUST(writer_->put("more " + std::to_string(i), "0"));
  KVB_MUST(writer_->flush());
  int round = 1;
  const auto report = KVB_MUST(reader_->backup("copy.kvb", {.progress = [&](std::uint64_t, std::uint64_t) {
                                                 disk_.advance(seconds(5));
                                                 churn(round, round + 2);
                                                 round += 2;
                                               }}));
  EXPECT_GT(round, 4);
  EXPECT_EQ(report.keys, static_cast<std::uint64_t>(kKeys + 3'000));
  const auto copy = KVB_MUST(open_with(other_, "copy.kvb", {.read_only = true}));
  for (int i = 0; i < kKeys; ++i) EXPECT_EQ(KVB_MUST(copy.get(key(i)))->bytes[0], '0');
  EXPECT_EQ(writer_->stats().expired_pins, 0u);
  // Afterwards it is a reader like others.
  disk_.advance(seconds(5));
  churn(8, 9);
  EXPECT_EQ(writer_->stats().expired_pins, 1u);
}

TEST_F(Pins, R27_the_file_is_not_cut_under_an_expired_reader) {
  open(seconds(1));
  for (int i = 0; i < 2'000; ++i) KVB_MUST(writer_->put("more " + std::to_string(i), std::string(1'000, 'm')));
  KVB_MUST(writer_->checkpoint());
  const auto snapshot = KVB_MUST(reader_->snapshot());
  const std::uint64_t before = writer_->stats().file_bytes;
  KVB_MUST(writer_->remove_prefix("more "));
  KVB_MUST(writer_->flush());
  for (int i = 0; i < 3; ++i) {
    KVB_MUST(writer_->checkpoint());
    disk_.advance(seconds(2));
  }
  KVB_MUST(writer_->compact({.strategy = CompactStrategy::full}));
  EXPECT_CODE(snapshot.get("more 1"), snapshot_expired);
  EXPECT_GE(writer_->stats().file_bytes, before) << "its length";
  EXPECT_LT(allocated(), before / 2) << "its blocks";
  reader_->close().value();
  KVB_MUST(writer_->compact({.strategy = CompactStrategy::full}));
  EXPECT_LT(writer_->stats().file_bytes, before / 2);
}

TEST_F(Pins, R22_a_killed_reader_leaves_no_pin) {
  open(seconds(0));
  const auto snapshot = KVB_MUST(reader_->snapshot());
  churn(1, 4);
  ASSERT_EQ(writer_->stats().pinned_epochs, 1u);
  other_.kill();
  EXPECT_EQ(writer_->stats().pinned_epochs, 0u);
  churn(4, 6);
  EXPECT_LT(allocated(), 2u * kKeys * 1'100 + (1u << 20));
}

TEST_F(Pins, R26_what_expired_stays_so_for_the_next_writer) {
  open(seconds(1));
  const auto snapshot = KVB_MUST(reader_->snapshot());
  for (int round = 1; round < 4; ++round) {
    disk_.advance(seconds(2));
    churn(round, round + 1);
  }
  KVB_MUST(writer_->close());
  EXPECT_CODE(snapshot.get(key(1)), snapshot_expired);
  writer_.emplace(KVB_MUST(open_with(disk_.environment(), kPath, options_)));
  EXPECT_EQ(writer_->stats().pinned_epochs, 0u);
  const std::uint64_t before = allocated();
  churn(4, 8);
  EXPECT_LT(allocated(), before * 2 + (1u << 20));
  EXPECT_CODE(snapshot.get(key(1)), snapshot_expired);
  // One that pins now is waited for again, though its age is counted from the moment it is outdated.
  const auto fresh = KVB_MUST(reader_->snapshot());
  churn(8, 10);
  EXPECT_EQ(KVB_MUST(fresh.get(key(1)))->bytes[0], '7');
}

// Programs that open the bucket, write a little and end, one after the other: none of them lives as long as the limit.
class ShortWriters : public Pins, public ::testing::WithParamInterface<bool> {};

TEST_P(ShortWriters, R26_a_pin_gets_older_whoever_writes) {
  open(seconds(10));
  const auto snapshot = KVB_MUST(reader_->snapshot());
  KVB_MUST(writer_->close());
  std::uint64_t bytes_within_the_limit = 0;
  std::uint64_t expired_pins = 0;
  for (int round = 1; round < 60; ++round) {
    os::SimProcess& process = disk_.start_process(1'000 + round);
    auto bucket = KVB_MUST(open_with(process, kPath, options_));
    for (int i = 0; i < kKeys; ++i) KVB_MUST(bucket.put(key(i), std::to_string(round) + std::string(1'000, 'v')));
    KVB_MUST(bucket.compact({.strategy = CompactStrategy::full}));
    const Stats stats = bucket.stats();
    expired_pins += stats.expired_pins;
    if (GetParam()) {
      KVB_MUST(bucket.close());
    } else {
      process.kill();
    }
    if (round < 9) {
      EXPECT_EQ(KVB_MUST(snapshot.get(key(7)))->bytes[0], '0') << "the limit is not over";
      bytes_within_the_limit = stats.allocated_bytes;
    } else if (round > 12) {
      EXPECT_LT(stats.allocated_bytes, bytes_within_the_limit) << round;
    }
    disk_.advance(seconds(1));
  }
  EXPECT_CODE(snapshot.get(key(7)), snapshot_expired);
  EXPECT_EQ(expired_pins, 1u);
}

INSTANTIATE_TEST_SUITE_P(, ShortWriters, ::testing::Values(true, false),
                         [](const auto& test) { return test.param ? "closed" : "killed"; });

// A word that nobody can have stored (it names an epoch that never was) is no reason to refuse readers.
TEST_F(Pins, R26_a_spoilt_word_concerns_nobody) {
  open(seconds(1));
  KVB_MUST(writer_->close());
  KVB_MUST(reader_->close());
  auto bytes = disk_.contents(kPath);
  for (const bool with_complement : {false, true}) {
    for (int i = 0; i < 8; ++i) bytes[0x1000 + 48 + static_cast<std::size_t>(i)] = std::byte{0x11};
    for (int i = 0; i < 8; ++i) {
      bytes[0x1000 + 56 + static_cast<std::size_t>(i)] = with_complement ? std::byte{0xEE} : std::byte{0};
    }
    disk_.put_file(kPath, bytes);
    const auto reader = KVB_MUST(open_with(other_, kPath, {.read_only = true}));
    EXPECT_EQ(KVB_MUST(reader.count()), static_cast<std::uint64_t>(kKeys));
    auto writer = KVB_MUST(open_with(disk_.environment(), kPath, options_));
    EXPECT_EQ(KVB_MUST(writer.count()), static_cast<std::uint64_t>(kKeys));
    KVB_MUST(writer.put("after", "1"));
    KVB_MUST(writer.flush());
    EXPECT_EQ(KVB_MUST(reader.get("after"))->bytes, "1");
  }
}

// A new segment lies over the place of one that a reader still has in its table: the new one counts.
TEST_F(Pins, R3_a_follower_forgets_segments_that_were_given_up) {
  open(seconds(0));
  for (int round = 1; round < 30; ++round) {
    for (int i = 0; i < kKeys; ++i) {
      KVB_MUST(
          writer_->put(key(i), std::to_string(round) + std::string(static_cast<std::size_t>(round * i % 3'000), 'x')));
    }
    if (round % 3 == 0) KVB_MUST(writer_->compact({.strategy = CompactStrategy::automatic}));
    if (round % 7 == 0) KVB_MUST(writer_->compact({.strategy = CompactStrategy::full}));
    KVB_MUST(writer_->flush());
    for (int i = 0; i < kKeys; ++i) {
      const auto value = reader_->get(key(i));
      ASSERT_FINE(value);
      ASSERT_TRUE(value->has_value());
      ASSERT_TRUE((*value)->bytes.starts_with(std::to_string(round)));
    }
  }
}

}  // namespace
}  // namespace kvb
