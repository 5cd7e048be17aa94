// Power cuts while a bucket in which nothing is left, or little, is made as short as what is in it (store/close.cpp).
#include "kvb/store/crash_workloads.h"

namespace kvb::testing {
namespace {

void closes_when_all_was_removed(CrashHarness& it) {
  it.create();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 14; ++i) it.put(key(i), value(i + round, 1'300));
    if (round == 1) it.checkpoint();
    if (round == 2) it.compact(CompactStrategy::full);
    for (int i = 0; i < 14; ++i) it.remove(key(i));
    it.close();
    EXPECT_EQ(it.disk().contents(kCrashPath).size(), format::kHeadBytes);
    it.open();
    it.put("after", value(round, 200));
    it.remove("after");
    it.reopen();
  }
  it.put("end", "x");
}

void closes_when_all_has_expired(CrashHarness& it) {
  it.create();
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 12; ++i) it.put(key(i), value(i, 1'500), {.ttl_seconds = 2});
    it.checkpoint();
    for (int i = 0; i < 6; ++i) it.put(key(i), value(i, 700), {.ttl_seconds = 1});
    if (round == 1) it.reopen();
    it.advance(std::chrono::seconds(3));
    it.close();
    EXPECT_EQ(it.disk().contents(kCrashPath).size(), format::kHeadBytes);
    it.open();
  }
  it.put("end", "x");
  it.reopen();
}

void closes_when_most_was_removed(CrashHarness& it) {
  it.create();
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 40; ++i) it.put(key(i), value(i + round, 9'000));
    it.checkpoint();
    for (int i = 0; i < 40; ++i) {
      if (i % 20 != 7) it.remove(key(i));
    }
    const std::size_t before = it.disk().contents(kCrashPath).size();
    it.close();
    EXPECT_LT(it.disk().contents(kCrashPath).size(), before / 3);
    it.open();
    it.put(key(7), value(round, 300));
  }
  it.reopen();
}

void closes_after_deaths(CrashHarness& it) {
  it.create();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 8; ++i) it.put(key(i), value(i, 2'000));
    it.kill_and_open();
    Batch batch;
    for (int i = 0; i < 8; ++i) batch.remove(key(i));
    it.write(batch);
    if (round != 0) it.kill_and_open();
    it.close();
    it.open();
  }
  it.put("end", "x");
}

void closes_on_a_full_disk(CrashHarness& it) {
  it.create();
  it.expect_failures(true);
  int stored = 0;
  for (std::size_t failures = it.failures(); it.failures() == failures && stored < 200; ++stored) {
    it.put(key(stored), value(stored, 3'000));
  }
  it.expect_failures(false);
  --stored;
  for (int i = 0; i < stored; ++i) it.remove(key(i));
  it.close();
  it.open();
  it.put("end", "x");
  it.reopen();
}

constexpr std::uint64_t kFew = 4'096;

const Workload kWorkloads[] = {
    {"closes_when_all_was_removed", 2'000, closes_when_all_was_removed, 120},
    {"closes_when_all_was_removed_relaxed", 1'000, closes_when_all_was_removed, 120, Durability::relaxed},
    {"closes_when_all_was_removed_with_checkpoints", 2'000, closes_when_all_was_removed, 120, Durability::sync,
     UINT64_MAX, kFew},
    {"closes_when_all_has_expired", 2'000, closes_when_all_has_expired, 120},
    {"closes_when_most_was_removed", 2'000, closes_when_most_was_removed, 60},
    {"closes_after_deaths", 1'000, closes_after_deaths, 120},
    {"closes_on_a_full_disk", 1'000, closes_on_a_full_disk, 60, Durability::sync, 327'680},
};

}  // namespace

std::span<const Workload> close_workloads() {
  return kWorkloads;
}

}  // namespace kvb::testing
