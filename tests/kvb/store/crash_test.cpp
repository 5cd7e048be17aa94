// Power cuts at every sync point and between all operations of many workloads (support/crash_harness.h says what must
// hold). Each test asserts how many different images it tried; KVB_CRASH_SCALE=N tries N times as many at each point.
#include <gtest/gtest.h>

#include <iostream>
#include <numeric>
#include <string>

#include "kvb/support/crash_harness.h"

namespace kvb::testing {
namespace {

std::string key(int number) {
  return "key/" + std::to_string(number);
}
std::string value(int number, std::size_t bytes) {
  std::string text = "value " + std::to_string(number) + " ";
  while (text.size() < bytes)
    text += static_cast<char>('a' + (text.size() * 7 + static_cast<std::size_t>(number)) % 26);
  text.resize(bytes);
  return text;
}

struct Workload {
  const char* name;
  std::size_t minimum_images;  // Different ones.
  void (*run)(CrashHarness&);
  Durability durability = Durability::sync;
  std::size_t images_per_point = 100;
  std::uint64_t capacity_bytes = UINT64_MAX;
};

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
  for (int i = 0; i < 10; ++i) {
    it.put(key(i), value(i, 250));
    it.put("same", value(i, 30));
    it.kill_and_open();
  }
}

void closes_of_an_empty_bucket(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 5; ++i) it.reopen();
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
  for (int i = 0; i < 30; ++i) it.put(key(i), value(i, 4'000));
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
  for (int i = 0; i < 14; ++i) {
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
  for (int i = 0; i < 24; ++i) {
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

constexpr Workload kWorkloads[] = {
    {"small_puts", 1'350, small_puts},
    {"puts_over_sectors", 1'800, puts_over_sectors},
    {"overwrites", 2'900, overwrites},
    {"removes", 2'000, removes},
    {"batches", 1'250, batches},
    {"batches_and_puts", 1'600, batches_and_puts},
    {"empty_and_extreme_values", 1'200, empty_and_extreme_values},
    {"segment_seals", 3'700, segment_seals},
    {"batches_that_need_a_new_segment", 1'850, batches_that_need_a_new_segment},
    {"values_with_a_segment_of_their_own", 650, values_with_a_segment_of_their_own},
    {"reopens", 1'550, reopens},
    {"reopens_after_death", 1'450, reopens_after_death},
    {"closes_of_an_empty_bucket", 250, closes_of_an_empty_bucket},
    {"expiry", 1'350, expiry},
    {"flushes_between", 1'450, flushes_between},
    {"values_that_look_like_buckets", 1'450, values_that_look_like_buckets},
    {"full_disk", 2'300, full_disk, Durability::sync, 100, 131'072},
    {"full_disk_batches", 850, full_disk_batches, Durability::sync, 100, 131'072},
    {"failed_batches", 1'500, failed_batches},
    {"failed_allocations", 2'850, failed_allocations},
    {"relaxed_puts", 1'750, relaxed_puts, Durability::relaxed},
    {"relaxed_batches_and_deaths", 1'050, relaxed_batches_and_deaths, Durability::relaxed},
    {"relaxed_over_segments", 2'050, relaxed_over_segments, Durability::relaxed},
};

class CrashTest : public ::testing::TestWithParam<Workload> {};

TEST_P(CrashTest, R6_R7_R17_R19_R20_every_image_opens_in_a_state_that_was) {
  const Workload& workload = GetParam();
  CrashCounts counts;
  {
    CrashHarness harness({.workload = workload.name,
                          .images_per_point = workload.images_per_point,
                          .durability = workload.durability,
                          .capacity_bytes = workload.capacity_bytes},
                         counts);
    workload.run(harness);
  }
  std::cout << workload.name << ": " << counts.distinct.size() << " different images, " << counts.images
            << " opened, of them " << counts.deeper << " after a crash during recovery\n";
  if (crash_scale() >= 1) {
    EXPECT_GE(counts.distinct.size(), workload.minimum_images);
    EXPECT_GT(counts.deeper, 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(Workloads, CrashTest, ::testing::ValuesIn(kWorkloads),
                         [](const auto& of) { return std::string(of.param.name); });

TEST(CrashTestCounts, The_minimums_add_up) {
  const std::size_t sum =
      std::accumulate(std::begin(kWorkloads), std::end(kWorkloads), std::size_t{0},
                      [](std::size_t so_far, const Workload& w) { return so_far + w.minimum_images; });
  EXPECT_GE(sum, 35'000u);
}

}  // namespace
}  // namespace kvb::testing
