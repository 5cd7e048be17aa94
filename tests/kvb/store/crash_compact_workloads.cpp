// Power cuts while records are moved and space is given back.
#include "kvb/store/crash_workloads.h"

namespace kvb::testing {
namespace {

CompactStrategy strategy(int i) {
  return static_cast<CompactStrategy>(i % 3);
}

void compactions_of_overwrites(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 48; ++i) {
    it.put(key(i % 9), value(i, 1'400));
    if (i % 16 == 15) it.compact(CompactStrategy::full);
  }
  it.put("end", "x");
}

void compactions_of_removes(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 24; ++i) it.put(key(i), value(i, 1'100));
  for (int i = 0; i < 24; ++i) {
    if (i % 6 != 0) it.remove(key(i));
  }
  it.compact(CompactStrategy::full);
  it.put(key(1), value(99, 60));
  it.compact(CompactStrategy::full);
  it.reopen();
}

void compactions_of_all_strategies(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 42; ++i) {
    it.put(key(i % 7), value(i, 1'900));
    if (i % 5 == 4) it.remove(key(i % 7));
    if (i % 7 == 6) it.compact(strategy(i / 7));
  }
}

void compactions_with_expiry(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 30; ++i) {
    it.put(key(i % 10), value(i, 900), {.ttl_seconds = static_cast<std::uint32_t>(i % 3)});
    it.advance(std::chrono::milliseconds(400));
    if (i % 10 == 9) it.compact(strategy(i));
  }
  it.advance(std::chrono::seconds(10));
  it.compact(CompactStrategy::full);
  it.put("end", "x");
}

void compactions_with_batches_and_deaths(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 12; ++i) {
    Batch batch;
    for (int k = 0; k < 5; ++k) batch.put(key(k + i % 4), value(i * 10 + k, 700));
    if (i > 0) batch.remove(key(i % 4));
    it.write(batch);
    if (i % 4 == 3) it.compact(CompactStrategy::full);
    if (i % 6 == 5) it.kill_and_open();
  }
  it.reopen();
}

// The log's last segment has not been written to since opening: it is opened, or cut, only to be ended.
void compactions_right_after_opening(CrashHarness& it) {
  it.create();
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 9; ++i) it.put(key(i % 5), value(round * 10 + i, 1'500));
    if (round % 3 == 2) it.checkpoint();
    if (round % 2 == 0) {
      it.reopen();
    } else {
      it.kill_and_open();
    }
    it.compact(CompactStrategy::full);
  }
  it.put("end", "x");
}

void compactions_when_relaxed(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 45; ++i) {
    it.put(key(i % 8), value(i, 1'000));
    if (i % 15 == 14) it.compact(strategy(i / 15));
    if (i % 20 == 19) it.flush();
  }
  it.reopen();
}

void compactions_and_automatic_checkpoints(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 36; ++i) {
    it.put(key(i % 6), value(i, 1'300));
    if (i % 12 == 11) it.compact(strategy(i / 12));
  }
  it.kill_and_open();
  it.compact(CompactStrategy::full);
}

void compactions_with_failed_writes(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 30; ++i) {
    it.put(key(i % 6), value(i, 1'500));
    if (i % 5 != 4) continue;
    it.expect_failures(true);
    it.disk().inject({.call = os::SimCall::write,
                      .skip = static_cast<std::uint64_t>(i / 5 * 3),
                      .error_number = i % 2 == 0 ? 28 : 5,
                      .effect = i % 3 == 0 ? os::Fault::Effect::partial : os::Fault::Effect::none});
    it.compact(CompactStrategy::full);
    it.disk().clear_faults();
    if (it.bucket().stats().poisoned) it.reopen();
    it.expect_failures(false);
  }
  it.compact(CompactStrategy::full);
  it.put("end", "x");
}

void compactions_on_a_full_disk(CrashHarness& it) {
  it.create();
  it.expect_failures(true);
  for (int i = 0; i < 40; ++i) {
    it.put(key(i % 12), value(i, 2'500));
    if (i % 10 == 9) it.compact(strategy(i / 10));
  }
  for (int i = 0; i < 12; i += 2) it.remove(key(i));
  it.disk().set_capacity_bytes(4'000'000);
  it.expect_failures(false);
  it.compact(CompactStrategy::full);
  it.put("end", "x");
}

// R11: filled until nothing more goes in, emptied as far as ten keys, compacted, filled again, all without outside
// help.
void empty_a_full_disk(CrashHarness& it, std::size_t value_bytes) {
  it.create();
  int stored = 0;
  it.expect_failures(true);
  for (std::size_t failures = it.failures(); it.failures() == failures && stored < 400; ++stored) {
    it.put(key(stored), value(stored, value_bytes));
  }
  it.expect_failures(false);
  --stored;
  EXPECT_LT(stored, 399);
  for (int i = 0; i < stored; ++i) {
    if (i % 9 != 4) it.remove(key(i));
  }
  it.flush();
  it.compact(CompactStrategy::full);
  for (int i = 0; i < stored / 3; ++i) it.put(key(i), value(i, value_bytes / 2));
  it.kill_and_open();
  it.remove(key(4));
  it.reopen();
  it.put("end", "x");
}

void full_disks_that_are_emptied(CrashHarness& it) {
  empty_a_full_disk(it, 4'000);
}

void full_disks_with_short_values_that_are_emptied(CrashHarness& it) {
  empty_a_full_disk(it, 300);
}

void compactions_by_themselves(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 60; ++i) it.put(key(i % 8), value(i, 3'400));
  it.reopen();
  for (int i = 0; i < 20; ++i) it.put(key(i % 5), value(i, 3'000));
}

void expired_records_are_reaped(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 4; ++i) it.put("stays " + key(i), value(i, 500));
  for (int i = 0; i < 30; ++i) {
    it.put(key(i % 15), value(i, 2'600), {.ttl_seconds = static_cast<std::uint32_t>(1 + i % 2)});
    it.advance(std::chrono::milliseconds(200));
  }
  it.advance(std::chrono::seconds(5));
  it.compact(CompactStrategy::automatic);
  it.put(key(2), value(7, 300));
  it.compact(CompactStrategy::automatic);
}

constexpr std::uint64_t kFew = 4'096;

const Workload kWorkloads[] = {
    {"compactions_of_overwrites", 19'000, compactions_of_overwrites, 300},
    {"compactions_of_removes", 11'000, compactions_of_removes, 300},
    {"compactions_of_all_strategies", 17'500, compactions_of_all_strategies, 300},
    {"compactions_with_expiry", 11'500, compactions_with_expiry, 300},
    {"compactions_with_batches_and_deaths", 7'900, compactions_with_batches_and_deaths, 300},
    {"compactions_right_after_opening", 25'000, compactions_right_after_opening, 300},
    {"compactions_when_relaxed", 5'900, compactions_when_relaxed, 300, Durability::relaxed},
    {"compactions_and_automatic_checkpoints", 16'000, compactions_and_automatic_checkpoints, 300, Durability::sync,
     UINT64_MAX, kFew},
    {"compactions_by_themselves", 2'000, compactions_by_themselves, 60, Durability::sync, UINT64_MAX, kFew},
    {"expired_records_are_reaped", 2'000, expired_records_are_reaped, 60, Durability::sync, UINT64_MAX, kFew},
    {"compactions_with_failed_writes", 14'000, compactions_with_failed_writes, 300},
    {"full_disks_that_are_emptied", 10'000, full_disks_that_are_emptied, 120, Durability::sync, 450'560},
    {"full_disks_with_short_values_that_are_emptied", 10'000, full_disks_with_short_values_that_are_emptied, 130,
     Durability::sync, 282'624, kFew},
    {"compactions_on_a_full_disk", 10'000, compactions_on_a_full_disk, 300, Durability::sync, 327'680},
};

}  // namespace

std::span<const Workload> compact_workloads() {
  return kWorkloads;
}

}  // namespace kvb::testing
