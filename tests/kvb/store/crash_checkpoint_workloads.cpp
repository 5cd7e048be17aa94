// Workloads with checkpoints: asked for, and by themselves because the journal is long; on full disks, with calls that
// fail in the middle, and so often that the space of retired pages is used again.
#include "kvb/store/crash_workloads.h"

namespace kvb::testing {
namespace {

using os::Fault;
using os::SimCall;

void checkpoints_between_puts(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 24; ++i) {
    it.put(key(i), value(i, 60));
    if (i % 4 == 3) it.checkpoint();
  }
  it.reopen();
  it.put("end", "x");
}

void checkpoints_of_overwrites_and_removes(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 30; ++i) {
    it.put(key(i % 7), value(i, 200));
    if (i % 3 == 1) it.remove(key((i + 3) % 7));
    if (i % 5 == 4) it.checkpoint();
  }
  for (int i = 0; i < 7; ++i) it.remove(key(i));
  it.checkpoint();
  it.put("end", "x");
}

// Retired pages are free after the next checkpoint, and are used again by the one after that.
void checkpoints_in_a_row(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 6; ++i) {
    it.put(key(i), value(i, 100));
    it.checkpoint();
    it.checkpoint();
  }
  it.checkpoint();
  it.reopen();
  it.checkpoint();
  it.put("end", "x");
  it.checkpoint();
}

void checkpoints_of_an_empty_bucket(CrashHarness& it) {
  it.create();
  it.checkpoint();
  it.checkpoint();
  it.reopen();
  it.checkpoint();
  it.put("only", "one");
  it.remove("only");
  it.checkpoint();
  it.kill_and_open();
  it.checkpoint();
}

void checkpoints_and_reopens(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 8; ++i) {
    it.put(key(i), value(i, 250));
    it.checkpoint();
    it.put("same", value(i, 30));
    it.reopen();
  }
}

void checkpoints_and_deaths(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 6; ++i) {
    it.put(key(i), value(i, 250));
    it.checkpoint();
    it.put("same", value(i, 30));
    it.kill_and_open();
    if (i % 2 == 0) it.checkpoint();
  }
}

void checkpoints_with_batches(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 12; ++i) {
    Batch batch;
    for (int k = 0; k < 5; ++k) batch.put(key(k + i % 4), value(i * 10 + k, 150));
    if (i > 0) batch.remove(key(i % 4));
    it.write(batch);
    if (i % 3 == 2) it.checkpoint();
  }
}

void checkpoints_with_expiry(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 16; ++i) {
    it.put(key(i % 7), value(i, 100), {.ttl_seconds = static_cast<std::uint32_t>(i % 4)});
    it.advance(std::chrono::milliseconds(600));
    if (i % 4 == 3) it.checkpoint();
  }
  it.advance(std::chrono::seconds(10));
  it.checkpoint();
  it.reopen();
  it.put("last", "x", {.ttl_seconds = 1'000'000});
}

// Enough keys for several pages of each kind.
void checkpoints_of_many_keys(CrashHarness& it) {
  it.create();
  for (int round = 0; round < 4; ++round) {
    Batch batch;
    for (int i = 0; i < 150; ++i) batch.put(key(round * 100 + i), value(round, 12));
    it.write(batch);
    it.checkpoint();
    it.put("between", value(round, 30));
  }
  Batch removal;
  for (int i = 0; i < 400; ++i) removal.remove(key(i));
  it.write(removal);
  it.checkpoint();
  it.put("end", "x");
}

void checkpoints_of_long_keys(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 8; ++i) {
    it.put(std::string(3'000, 'k') + std::to_string(i), value(i, 20));
    it.put(std::string(static_cast<std::size_t>(1 + i * 40), static_cast<char>(i % 2 == 0 ? 0 : 255)), "");
    if (i % 2 == 1) it.checkpoint();
  }
  it.remove(std::string(3'000, 'k') + "0");
  it.checkpoint();
}

void checkpoints_over_segments(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 24; ++i) {
    it.put(key(i % 8), value(i, 3'000));
    if (i % 6 == 5) it.checkpoint();
  }
  it.put("large", value(1, 90'000));
  it.checkpoint();
  it.remove("large");
  it.checkpoint();
  it.put("end", "x");
}

void checkpoints_when_relaxed(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 40; ++i) {
    it.put(key(i % 9), value(i, 120));
    if (i % 5 == 4) it.advance(std::chrono::milliseconds(5));
    if (i % 8 == 7) it.checkpoint();
  }
  it.kill_and_open();
  it.put("end", "x");
  it.close();
  it.open();
}

void automatic_checkpoints(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 40; ++i) it.put(key(i % 12), value(i, 350));
  it.reopen();
  for (int i = 0; i < 10; ++i) it.put(key(i), value(i, 350));
}

void automatic_checkpoints_and_deaths(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 24; ++i) {
    it.put(key(i % 10), value(i, 700));
    if (i % 4 == 1) it.remove(key(i % 5));
    if (i % 6 == 5) it.kill_and_open();
  }
}

void automatic_checkpoints_with_batches(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 16; ++i) {
    Batch batch;
    for (int k = 0; k < 4; ++k) batch.put(key(k + i), value(i * 4 + k, 600));
    if (i > 2) batch.remove(key(i - 2));
    it.write(batch);
    if (i % 5 == 4) it.reopen();
  }
}

void automatic_checkpoints_over_segments(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 30; ++i) it.put(key(i % 6), value(i, 2'500));
  it.reopen();
  it.put("end", "x");
}

void automatic_checkpoints_when_relaxed(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 50; ++i) {
    it.put(key(i % 9), value(i, 400));
    if (i % 3 == 2) it.advance(std::chrono::milliseconds(5));
    if (i % 17 == 16) it.kill_and_open();
  }
  it.flush();
}

void checkpoints_on_a_full_disk(CrashHarness& it) {
  it.create();
  it.expect_failures(true);
  for (int i = 0; i < 26; ++i) {
    it.put(key(i), value(i, 4'000));
    if (i % 4 == 3) it.checkpoint();
  }
  it.checkpoint();
  it.kill_and_open();
  it.checkpoint();
  it.remove(key(0));
  it.disk().set_capacity_bytes(1'000'000);
  it.expect_failures(false);
  it.put("room", "again");
  it.checkpoint();
  it.checkpoint();
  it.reopen();
  it.put("end", "x");
}

void automatic_checkpoints_on_a_full_disk(CrashHarness& it) {
  it.create();
  it.expect_failures(true);
  for (int i = 0; i < 30; ++i) it.put(key(i % 20), value(i, 3'000));
  it.disk().set_capacity_bytes(1'000'000);
  it.expect_failures(false);
  for (int i = 0; i < 4; ++i) it.put(key(i), value(i, 3'000));
  it.reopen();
}

// The n-th call of a kind fails while the checkpoint is made; then the next one must succeed, in the same bucket if it
// can still write, else when it has been opened again.
void fail_within_checkpoints(CrashHarness& it, SimCall call, int error_number, Fault::Effect effect, int places) {
  it.create();
  for (int i = 0; i < places; ++i) {
    it.put(key(i), value(i, 300));
    it.put(key(i % 3), value(100 + i, 300));
    it.disk().inject(
        {.call = call, .skip = static_cast<std::uint64_t>(i), .error_number = error_number, .effect = effect});
    it.expect_failures(true);
    it.checkpoint();
    it.disk().clear_faults();
    const bool poisoned = it.bucket().stats().poisoned;
    if (poisoned) it.reopen();
    it.expect_failures(false);
    it.put("between", value(i, 30));
    if (i % 2 == 1) it.checkpoint();
    if (i % 4 == 2) it.kill_and_open();
  }
  it.checkpoint();
  it.reopen();
  it.put("end", "x");
}

void checkpoints_with_failed_writes(CrashHarness& it) {
  fail_within_checkpoints(it, SimCall::write, 5, Fault::Effect::partial, 8);
}
void checkpoints_with_refused_writes(CrashHarness& it) {
  fail_within_checkpoints(it, SimCall::write, 28, Fault::Effect::none, 8);
}
void checkpoints_with_failed_syncs(CrashHarness& it) {
  fail_within_checkpoints(it, SimCall::sync, 5, Fault::Effect::none, 5);
}
void checkpoints_with_lost_syncs(CrashHarness& it) {
  fail_within_checkpoints(it, SimCall::sync, 5, Fault::Effect::lost, 5);
}
void checkpoints_with_failed_allocations(CrashHarness& it) {
  fail_within_checkpoints(it, SimCall::allocate, 28, Fault::Effect::none, 5);
}

// The call fails in whatever the put does, a checkpoint included.
void automatic_checkpoints_with_failed_syncs(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 12; ++i) {
    it.disk().inject({.call = SimCall::sync,
                      .skip = static_cast<std::uint64_t>(i % 7),
                      .error_number = 5,
                      .effect = i % 2 == 0 ? Fault::Effect::lost : Fault::Effect::none});
    it.expect_failures(true);
    for (int k = 0; k < 3; ++k) it.put(key(i % 5 + k), value(i, 900));
    it.disk().clear_faults();
    const bool poisoned = it.bucket().stats().poisoned;
    if (poisoned) it.reopen();
    it.expect_failures(false);
    it.put("between", value(i, 30));
  }
}

constexpr std::uint64_t kFew = 4'096;  // Bytes of journal behind which a checkpoint is made.

const Workload kWorkloads[] = {
    {"checkpoints_between_puts", 4'750, checkpoints_between_puts, 700},
    {"checkpoints_of_overwrites_and_removes", 7'100, checkpoints_of_overwrites_and_removes, 700},
    {"checkpoints_in_a_row", 7'400, checkpoints_in_a_row, 700},
    {"checkpoints_of_an_empty_bucket", 1'250, checkpoints_of_an_empty_bucket, 700},
    {"checkpoints_and_reopens", 6'100, checkpoints_and_reopens, 700},
    {"checkpoints_and_deaths", 5'100, checkpoints_and_deaths, 700},
    {"checkpoints_with_batches", 4'650, checkpoints_with_batches, 700},
    {"checkpoints_with_expiry", 4'000, checkpoints_with_expiry, 700},
    {"checkpoints_of_many_keys", 7'100, checkpoints_of_many_keys, 700},
    {"checkpoints_of_long_keys", 8'950, checkpoints_of_long_keys, 700},
    {"checkpoints_over_segments", 18'750, checkpoints_over_segments, 700},
    {"checkpoints_when_relaxed", 7'050, checkpoints_when_relaxed, 700, Durability::relaxed},
    {"automatic_checkpoints", 8'400, automatic_checkpoints, 700, Durability::sync, UINT64_MAX, kFew},
    {"automatic_checkpoints_and_deaths", 7'400, automatic_checkpoints_and_deaths, 700, Durability::sync, UINT64_MAX,
     kFew},
    {"automatic_checkpoints_with_batches", 11'800, automatic_checkpoints_with_batches, 700, Durability::sync,
     UINT64_MAX, kFew},
    {"automatic_checkpoints_over_segments", 19'000, automatic_checkpoints_over_segments, 700, Durability::sync,
     UINT64_MAX, 4 * kFew},
    {"automatic_checkpoints_when_relaxed", 15'850, automatic_checkpoints_when_relaxed, 700, Durability::relaxed,
     UINT64_MAX, kFew},
    {"checkpoints_on_a_full_disk", 10'000, checkpoints_on_a_full_disk, 1'000, Durability::sync, 262'144},
    {"automatic_checkpoints_on_a_full_disk", 12'800, automatic_checkpoints_on_a_full_disk, 1'500, Durability::sync,
     262'144, kFew},
    {"checkpoints_with_failed_writes", 10'850, checkpoints_with_failed_writes, 700},
    {"checkpoints_with_refused_writes", 10'500, checkpoints_with_refused_writes, 700},
    {"checkpoints_with_failed_syncs", 6'300, checkpoints_with_failed_syncs, 700},
    {"checkpoints_with_lost_syncs", 5'250, checkpoints_with_lost_syncs, 700},
    {"checkpoints_with_failed_allocations", 5'300, checkpoints_with_failed_allocations, 700},
    {"automatic_checkpoints_with_failed_syncs", 12'400, automatic_checkpoints_with_failed_syncs, 700, Durability::sync,
     UINT64_MAX, kFew},
};

}  // namespace

std::span<const Workload> checkpoint_workloads() {
  return kWorkloads;
}

}  // namespace kvb::testing
