// Power cuts while values are compressed, dictionaries trained and dropped, and old values compressed by compaction.
#include "kvb/store/crash_workloads.h"

namespace kvb::testing {
namespace {

// Small values with much in common.
std::string record(int number) {
  return R"({"id":)" + std::to_string(number) + R"(,"name":"customer )" + std::to_string(number * 7919 % 10'007) +
         R"(","email":"someone)" + std::to_string(number % 97) + R"(@example.com","active":)" +
         (number % 3 == 0 ? "true" : "false") + R"(,"country":"Austria","tags":["news","shop"],"balance":)" +
         std::to_string(number * 31 % 1'000) + "}";
}

// Enough of them to train a dictionary from.
void put_many(CrashHarness& it, int first) {
  Batch batch;
  for (int i = 0; i < 170; ++i) batch.put(key(first + i), record(first + i));
  it.write(batch);
}

void compressed_values(CrashHarness& it) {
  it.create();
  for (int i = 0; i < 30; ++i) {
    it.put(key(i % 7), value(i % 5, 400) + record(i) + record(i));
    if (i % 10 == 4) it.checkpoint();
    if (i % 13 == 12) it.kill_and_open();
  }
  it.compact(CompactStrategy::full);
  it.reopen();
}

void dictionaries_are_trained(CrashHarness& it) {
  it.create();
  put_many(it, 0);
  it.train();
  for (int i = 0; i < 8; ++i) it.put(key(i), record(1'000 + i));
  it.kill_and_open();
  it.put(key(3), record(2'000));
  it.checkpoint();
  it.put(key(4), record(2'001));
  it.reopen();
  it.put(key(5), record(2'002));
}

void dictionaries_are_dropped(CrashHarness& it) {
  it.create();
  put_many(it, 0);
  it.train();
  put_many(it, 100);
  it.put("old", record(1));
  // Other values have come, and another dictionary is better.
  Batch batch;
  for (int i = 0; i < 270; ++i) {
    batch.put(key(i), "<entry at='" + std::to_string(i * 77) + "'>" + value(1, 90) + "</entry>");
  }
  batch.remove("old");
  it.write(batch);
  it.train();
  it.put("new", record(2));
  it.compact(CompactStrategy::full);
  it.put("end", record(3));
  it.compact(CompactStrategy::full);
  EXPECT_EQ(it.bucket().stats().dictionaries, 1u);
  it.reopen();
}

void compaction_compresses_what_is_there(CrashHarness& it) {
  it.create();
  put_many(it, 0);
  it.checkpoint();
  it.set_compression(Compression::zstd());
  it.put("after", value(1, 500));
  it.compact(CompactStrategy::full);
  it.train();
  it.remove(key(3));
  it.compact(CompactStrategy::full);
  it.set_compression({});
  it.put("raw", record(5));
  it.reopen();
}

const Workload kWorkloads[] = {
    {.name = "compressed_values",
     .minimum_images = 4'000,
     .run = compressed_values,
     .images_per_point = 100,
     .compression = Compression::zstd()},
    {.name = "dictionaries_are_trained",
     .minimum_images = 1'800,
     .run = dictionaries_are_trained,
     .images_per_point = 150,
     .compression = Compression::zstd()},
    {.name = "dictionaries_are_dropped",
     .minimum_images = 4'200,
     .run = dictionaries_are_dropped,
     .images_per_point = 150,
     .compression = Compression::zstd()},
    {.name = "compaction_compresses_what_is_there",
     .minimum_images = 3'600,
     .run = compaction_compresses_what_is_there,
     .images_per_point = 150},
};

}  // namespace

std::span<const Workload> compression_workloads() {
  return kWorkloads;
}

}  // namespace kvb::testing
