// Workloads of the log: appends, batches, segments, cuts, full disks.
#include "kvb/store/crash_workloads.h"

namespace kvb::testing {
namespace {

void small_puts(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 24; ++i) it.put(key(i), value(i, 20));
}

void puts_over_sectors(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 20; ++i) it.put(key(i), value(i, 300 + static_cast<std::size_t>(i) * 211));
}

void overwrites(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 36; ++i) it.put(key(i % 3), value(i, 700));
}

void removes(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 12; ++i) it.put(key(i), value(i, 200));
  for (int i = 0; i < 12; i += 2) it.remove(key(i));
  it.remove("was never there");
  for (int i = 0; i < 6; ++i) it.put(key(i), value(100 + i, 50));
  for (int i = 0; i < 12; ++i) it.remove(key(i));
}

void batches(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 16; ++i) {
    Batch batch;
    for (int k = 0; k < 6; ++k) batch.put(key(k + i % 4), value(i * 10 + k, 150));
    if (i > 0) batch.remove(key(i % 4));
    it.write(batch);
  }
}

void batches_and_puts(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 10; ++i) {
    it.put("single", value(i, 90));
    Batch batch;
    batch.put("sum/a", std::to_string(100 - i));
    batch.put("sum/b", std::to_string(i));
    batch.put("filler", value(i, 1'000));
    it.write(batch);
    if (i % 3 == 0) it.remove("single");
  }
}

void empty_and_extreme_values(CrashHarness& it) {
  it.create();
  it.put("k", "");
  it.put(std::string(1, '\0'), std::string(3, '\0'));
  it.put(std::string(5'000, 'k'), "long key");
  it.put("k", std::string(9'000, '\xFF'));
  it.put(std::string("\xFF\xFE"), "", {.kind = ValueKind::json});
  it.remove(std::string(5'000, 'k'));
  it.put("k", "");
  for (int i = 0; i < 6; ++i) it.put(std::string(static_cast<std::size_t>(i) + 1, 'x'), value(i, 512));
}

void segment_seals(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 40; ++i) it.put(key(i % 10), value(i, 3'000));
}

void batches_that_need_a_new_segment(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 10; ++i) {
    Batch batch;
    for (int k = 0; k < 4; ++k) batch.put(key(k), value(i * 4 + k, 2'500));
    it.write(batch);
    it.put("between", value(i, 40));
  }
}

void values_with_a_segment_of_their_own(CrashHarness& it) {
  it.create();
  it.put("small", "1");
  it.put("large", value(1, 80'000));
  it.put("small", "2");
  it.put("large", value(2, 130'000));
  it.remove("large");
  it.put("small", "3");
}

void reopens(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 10; ++i) {
    it.put(key(i), value(i, 250));
    it.put("same", value(i, 30));
    it.reopen();
  }
}

void reopens_after_death(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 6; ++i) {  // The file's size doubles each time.
    it.put(key(i), value(i, 250));
    it.put("same", value(i, 30));
    it.kill_and_open();
  }
}

void closes_of_an_empty_bucket(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 8; ++i) it.reopen();
  it.kill_and_open();
  it.put("only", "one");
  it.reopen();
  it.remove("only");
  it.reopen();
}

void expiry(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 20; ++i) {
    it.put(key(i % 7), value(i, 100), {.ttl_seconds = static_cast<std::uint32_t>(i % 4)});
    it.advance(std::chrono::milliseconds(600));
  }
  it.reopen();
  it.put("last", "x", {.ttl_seconds = 1'000'000});
}

void flushes_between(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 15; ++i) {
    it.put(key(i % 5), value(i, 420));
    it.flush();
  }
}

void values_that_look_like_buckets(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 8; ++i) {
    it.put(key(i), value(i, 600));
    // The bucket's own bytes, as a value: valid records in a wrong place.
    const auto bytes = it.disk().contents(kCrashPath);
    const std::size_t from = bytes.size() > 65'536 ? 65'536 : 0;
    const std::size_t length = std::min<std::size_t>(bytes.size() - from, 6'000);
    it.put("copy", std::string(reinterpret_cast<const char*>(bytes.data()) + from, length));
  }
}

void full_disk(CrashHarness& it) {
  it.create();
  it.expect_failures(true);
  for (int i = 0; i < 90; ++i) it.put(key(i), value(i, 4'000));
  it.remove(key(0));
  it.disk().set_capacity_bytes(1'000'000);
  it.expect_failures(false);
  for (int i = 0; i < 6; ++i) it.put(key(50 + i), value(i, 4'000));
  it.reopen();
  it.put("end", "x");
}

void full_disk_batches(CrashHarness& it) {
  it.create();
  it.expect_failures(true);
  for (int i = 0; i < 40; ++i) {
    Batch batch;
    for (int k = 0; k < 5; ++k) batch.put(key(k), value(i, 2'900));
    it.write(batch);
  }
  it.kill_and_open();
  it.disk().set_capacity_bytes(1'000'000);
  it.expect_failures(false);
  it.put("end", "x");
}

// B2 of the design's review: what failed must not come back.
void failed_batches(CrashHarness& it) {
  it.create();
  it.expect_failures(true);
  for (int i = 0; i < 12; ++i) {
    it.put(key(i), value(i, 300));
    if (i % 2 == 0) {
      it.disk().inject({.call = os::SimCall::write,
                        .error_number = i % 4 == 0 ? 28 : 5,
                        .effect = i % 3 == 0 ? os::Fault::Effect::partial : os::Fault::Effect::none});
    }
    Batch batch;
    for (int k = 0; k < 5; ++k) batch.put("batch/" + std::to_string(k), value(i, 400));
    it.write(batch);
    it.disk().clear_faults();
  }
  EXPECT_EQ(it.failures(), 6u);
  it.expect_failures(false);
  it.put("end", "x");
  it.reopen();
}

void failed_allocations(CrashHarness& it) {
  it.create();
  it.expect_failures(true);
  for (int i = 0; i < 28; ++i) {
    if (i % 3 == 0) it.disk().inject({.call = os::SimCall::allocate, .error_number = 28});
    it.put(key(i), value(i, 6'000));
    it.disk().clear_faults();
  }
  it.expect_failures(false);
  it.put("end", "x");
}

void relaxed_puts(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 60; ++i) {
    it.put(key(i % 9), value(i, 120));
    if (i % 5 == 4) it.advance(std::chrono::milliseconds(5));
    if (i % 20 == 19) it.flush();
  }
  it.reopen();
}

void relaxed_batches_and_deaths(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 24; ++i) {
    Batch batch;
    for (int k = 0; k < 3; ++k) batch.put(key(k + i % 3), value(i, 200));
    if (i % 4 == 0) batch.remove(key(1));
    it.write(batch);
    it.put("single", value(i, 33));
    it.advance(std::chrono::milliseconds(i % 6 == 5 ? 120 : 1));
    if (i % 8 == 7) it.kill_and_open();
  }
  it.close();
  it.open();
}

void relaxed_over_segments(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 40; ++i) {
    it.put(key(i % 6), value(i, 2'000));
    if (i % 3 == 2) it.advance(std::chrono::milliseconds(5));
  }
  it.flush();
  it.put("end", "x");
}

const Workload kWorkloads[] = {
    {"small_puts", 2'000, small_puts, 700},
    {"puts_over_sectors", 10'600, puts_over_sectors, 700},
    {"overwrites", 6'600, overwrites, 700},
    {"removes", 2'800, removes, 700},
    {"batches", 5'550, batches, 700},
    {"batches_and_puts", 4'700, batches_and_puts, 700},
    {"empty_and_extreme_values", 3'500, empty_and_extreme_values, 700},
    {"segment_seals", 23'200, segment_seals, 700},
    {"batches_that_need_a_new_segment", 9'200, batches_that_need_a_new_segment, 700},
    {"values_with_a_segment_of_their_own", 2'200, values_with_a_segment_of_their_own, 700},
    {"reopens", 1'850, reopens, 700},
    {"reopens_after_death", 1'550, reopens_after_death, 700},
    {"closes_of_an_empty_bucket", 450, closes_of_an_empty_bucket, 700},
    {"expiry", 1'900, expiry, 700},
    {"flushes_between", 2'250, flushes_between, 700},
    {"values_that_look_like_buckets", 4'550, values_that_look_like_buckets, 700},
    {"full_disk", 20'800, full_disk, 700, Durability::sync, 425'984},
    {"full_disk_batches", 11'600, full_disk_batches, 700, Durability::sync, 524'288},
    {"failed_batches", 5'500, failed_batches, 700},
    {"failed_allocations", 18'900, failed_allocations, 700},
    {"relaxed_puts", 17'350, relaxed_puts, 700, Durability::relaxed},
    {"relaxed_batches_and_deaths", 7'450, relaxed_batches_and_deaths, 700, Durability::relaxed},
    {"relaxed_over_segments", 20'400, relaxed_over_segments, 700, Durability::relaxed},
};

}  // namespace

std::span<const Workload> log_workloads() {
  return kWorkloads;
}

}  // namespace kvb::testing
