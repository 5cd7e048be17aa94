// The C++ side of bench/wfl/keystore.py: gets in a loop with the public API alone.
//
//   wfl_keystore_bench make PATH KEYS    a new bucket with KEYS small values
//   wfl_keystore_bench get PATH KEYS N   N gets, walking through the keys; prints milliseconds and the sum of the
//   values
#include <kvb/bucket.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

int fail(const kvb::Error& error) {
  std::fprintf(stderr, "%s\n", error.to_string().c_str());
  return 1;
}

int make(const std::string& path, long keys) {
  auto bucket = kvb::Bucket::open_or_create(path);
  if (!bucket) return fail(bucket.error());
  constexpr long kBatch = 1000;
  for (long first = 0; first < keys; first += kBatch) {
    kvb::Batch batch;
    for (long i = first; i < keys && i < first + kBatch; ++i) {
      batch.put("item:" + std::to_string(i), "value " + std::to_string(i));
    }
    if (auto written = bucket->write(batch); !written) return fail(written.error());
  }
  return 0;
}

int get(const std::string& path, long keys, long times) {
  auto bucket = kvb::Bucket::open_or_create(path);
  if (!bucket) return fail(bucket.error());
  std::size_t total = 0;
  long at = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (long i = 0; i < times; ++i) {
    at = (at + 7919) % keys;
    auto value = bucket->get("item:" + std::to_string(at));
    if (!value) return fail(value.error());
    if (value->has_value()) total += (*value)->bytes.size();
  }
  const auto spent = std::chrono::steady_clock::now() - begin;
  std::printf("%ld %zu\n", static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(spent).count()),
              total);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "make" && argc == 4) return make(argv[2], std::atol(argv[3]));
  if (what == "get" && argc == 5) return get(argv[2], std::atol(argv[3]), std::atol(argv[4]));
  std::fprintf(stderr, "usage: %s make PATH KEYS | get PATH KEYS N\n", argv[0]);
  return 2;
}
