// What the engine does in a second, by workload: 20-byte keys, 100-byte values. Values that are read are compared with
// what was written; a wrong one ends the run. The peers come with the performance work; until then this shows whether a
// change made it slower.
//
//   kvb_bench [RECORDS [FOLDER]]      default: 200,000 records, in a scratch folder of the current one
#include <kvb/bucket.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

template <typename T>
T need(kvb::Result<T> result, const char* what) {
  if (!result) {
    std::fprintf(stderr, "kvb_bench: %s: %s\n", what, result.error().to_string().c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

std::string key_of(std::uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "key:%016llx", static_cast<unsigned long long>(number));
  return text;
}

std::string value_of(std::uint64_t number) {
  std::string value(100, 'v');
  std::snprintf(value.data(), value.size(), "value %llu", static_cast<unsigned long long>(number));
  return value;
}

// Runs `work` and prints operations a second.
template <typename Work>
void measure(const char* name, std::uint64_t operations, const Work& work) {
  const auto begun = Clock::now();
  work();
  const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  std::printf("%-34s %12.0f op/s %10llu operations %8.2f s\n", name, static_cast<double>(operations) / seconds,
              static_cast<unsigned long long>(operations), seconds);
  std::fflush(stdout);
}

void run(std::uint64_t records, const std::filesystem::path& folder) {
  std::vector<std::uint64_t> order(records);
  for (std::uint64_t i = 0; i < records; ++i) order[i] = i;
  std::mt19937_64 random(1);
  std::ranges::shuffle(order, random);
  const std::string relaxed_path = (folder / "relaxed.kvb").string();
  const std::string synced_path = (folder / "synced.kvb").string();
  const std::string batch_path = (folder / "batch.kvb").string();

  {
    auto bucket = need(kvb::Bucket::create(batch_path, {.durability = kvb::Durability::relaxed}), "create");
    measure("load, random, batches of 1,000", records, [&] {
      kvb::Batch batch;
      for (std::uint64_t i = 0; i < records; ++i) {
        batch.put(key_of(order[i]), value_of(order[i]));
        if (batch.size() == 1000 || i + 1 == records) {
          need(bucket.write(batch), "write");
          batch.clear();
        }
      }
      need(bucket.flush(), "flush");
    });
    need(bucket.close(), "close");
  }
  {
    auto bucket = need(kvb::Bucket::create(synced_path), "create");
    const std::uint64_t writes = std::min<std::uint64_t>(records, 5000);
    measure("durable put, 1 thread", writes, [&] {
      for (std::uint64_t i = 0; i < writes; ++i) need(bucket.put(key_of(i), value_of(i)), "put");
    });
    measure("durable put, 8 threads", 8 * (writes / 8), [&] {
      std::vector<std::jthread> threads;
      for (std::uint64_t t = 0; t < 8; ++t) {
        threads.emplace_back([&, t] {
          for (std::uint64_t i = 0; i < writes / 8; ++i) need(bucket.put(key_of((t << 32U) + i), value_of(i)), "put");
        });
      }
    });
  }
  auto bucket = need(kvb::Bucket::create(relaxed_path, {.durability = kvb::Durability::relaxed}), "create");
  measure("relaxed put, random", records, [&] {
    for (const std::uint64_t number : order) need(bucket.put(key_of(number), value_of(number)), "put");
  });
  measure("get, hit, random", records, [&] {
    for (std::uint64_t i = 0; i < records; ++i) {
      const std::uint64_t number = random() % records;
      const auto value = need(bucket.get(key_of(number)), "get");
      if (!value || value->bytes != value_of(number)) {
        std::fprintf(stderr, "kvb_bench: a value that was read is not the one that was written.\n");
        std::exit(1);
      }
    }
  });
  measure("get, miss", records, [&] {
    for (std::uint64_t i = 0; i < records; ++i) need(bucket.get(key_of(records + i)), "get");
  });
  measure("scan, all, records", records, [&] {
    std::uint64_t seen = 0;
    need(bucket.scan({},
                     [&](kvb::Entry&&) {
                       ++seen;
                       return true;
                     }),
         "scan");
    if (seen != records) {
      std::fprintf(stderr, "kvb_bench: a scan saw %llu of the records.\n", static_cast<unsigned long long>(seen));
      std::exit(1);
    }
  });
  need(bucket.close(), "close");
  measure("open, with replay of the journal", records, [&] { bucket = need(kvb::Bucket::open(relaxed_path), "open"); });
  const kvb::Stats stats = bucket.stats();
  std::printf("file: %.1f bytes a record; memory of the index: %.1f bytes a key\n",
              static_cast<double>(stats.file_bytes) / static_cast<double>(records),
              static_cast<double>(stats.memory_bytes) / static_cast<double>(records));
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t records = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 200'000;
  if (records < 8 || argc > 3) {
    std::fprintf(stderr, "usage: kvb_bench [RECORDS [FOLDER]], with at least 8 records\n");
    return 2;
  }
  std::string pattern = (std::filesystem::path(argc > 2 ? argv[2] : ".") / "kvb_bench.XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    std::perror("kvb_bench: no scratch folder");
    return 1;
  }
  run(records, pattern);
  std::error_code ignored;
  std::filesystem::remove_all(pattern, ignored);
  return 0;
}
