// Readers beside a writer, measured; and a long run of one writer with readers, checked.
//
//   kvb_processes readers [SECONDS]      what readers get alone and beside a writer, and what following costs
//   kvb_processes stress [GB] [MIB]      writes GB through a store of MIB live data with readers beside it, and ends
//   with
//                                        1 if the file or the memory grew beyond their bounds or a reader saw a wrong
//                                        sum
#include <fmt/format.h>
#include <kvb/bucket.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

template <typename T>
T must(kvb::Result<T> result) {
  if (!result) {
    fmt::print(stderr, "{}\n", result.error().to_string());
    std::_Exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// What the measuring process and its children have in common.
struct Common {
  std::atomic<bool> stop{false};
  std::atomic<int> ready{0};
  std::atomic<std::uint64_t> reads{0};
  std::atomic<std::uint64_t> writes{0};
  std::atomic<std::uint64_t> wrong{0};
};
Common& make_common() {
  void* const place = ::mmap(nullptr, sizeof(Common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return *new (place) Common;
}

pid_t start(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    std::_Exit(0);
  }
  return child;
}

bool ended_well(pid_t child) {
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class Folder {
 public:
  Folder() {
    const char* const parent = std::getenv("BENCH_FOLDER");
    std::string pattern = std::string(parent != nullptr ? parent : "/tmp") + "/kvb-processes-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file() const { return path_ + "/a.kvb"; }

 private:
  std::string path_;
};

std::string key_of(std::uint64_t i) {
  return fmt::format("key:{:010}", i);
}

// ---------------------------------------------------------------------------------------------------- Readers

constexpr std::uint64_t kKeys = 200'000;

void read_until_stopped(const kvb::Bucket& bucket, Common& common, unsigned seed) {
  std::minstd_rand random(seed);
  std::uint64_t done = 0;
  ++common.ready;
  while (!common.stop) {
    for (int i = 0; i < 64; ++i, ++done) {
      if (!must(bucket.get(key_of(random() % kKeys)))) ++common.wrong;
    }
  }
  common.reads += done;
}

void write_until_stopped(kvb::Bucket& bucket, Common& common) {
  std::minstd_rand random(99);
  const std::string value(100, 'w');
  std::uint64_t done = 0;
  ++common.ready;
  for (; !common.stop; ++done) must(bucket.put(key_of(random() % kKeys), value));
  common.writes += done;
}

struct Rate {
  double reads = 0;  // Of all readers, a second.
  double writes = 0;
};

// `processes`: each reader is one; else they are threads of the writer's process.
Rate measure(const std::string& path, int readers, bool processes, bool with_writer, double seconds) {
  Common& common = make_common();
  std::vector<pid_t> children;
  if (processes) {
    for (int i = 0; i < readers; ++i) {
      children.push_back(start([&, i] {
        const auto bucket = must(kvb::Bucket::open(path, {.read_only = true}));
        read_until_stopped(bucket, common, static_cast<unsigned>(i + 1));
      }));
    }
  }
  std::optional<kvb::Bucket> bucket;
  std::vector<std::jthread> threads;
  if (!processes || with_writer) bucket = must(kvb::Bucket::open(path, {.durability = kvb::Durability::relaxed}));
  for (int i = 0; !processes && i < readers; ++i) {
    threads.emplace_back([&, i] { read_until_stopped(*bucket, common, static_cast<unsigned>(i + 1)); });
  }
  if (with_writer) threads.emplace_back([&] { write_until_stopped(*bucket, common); });
  while (common.ready < readers + (with_writer ? 1 : 0)) std::this_thread::yield();
  const auto begin = Clock::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  common.stop = true;
  const double took = seconds_since(begin);
  threads.clear();
  for (const pid_t child : children) {
    if (!ended_well(child)) ++common.wrong;
  }
  if (common.wrong != 0) fmt::print("WRONG: {} reads found nothing, or a reader failed\n", common.wrong.load());
  const Rate rate{static_cast<double>(common.reads) / took, static_cast<double>(common.writes) / took};
  ::munmap(&common, sizeof common);
  return rate;
}

// Of this thread, so that what else the machine does is not counted.
double processor_seconds() {
  struct timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// What a record that the writer has published costs a reader, in time of the processor.
double follow_nanoseconds(const std::string& path) {
  auto writer = must(
      kvb::Bucket::open(path, {.durability = kvb::Durability::relaxed, .checkpoint_bytes = std::uint64_t{1} << 30}));
  const auto reader = must(kvb::Bucket::open(path, {.read_only = true}));
  std::minstd_rand random(5);
  const std::string value(100, 'f');
  std::vector<double> each;
  for (int round = 0; round < 9; ++round) {
    constexpr int kRecords = 50'000;
    must(reader.contains(key_of(0)));
    for (int i = 0; i < kRecords; ++i) must(writer.put(key_of(random() % kKeys), value));
    must(writer.flush());
    const double begin = processor_seconds();
    must(reader.contains(key_of(0)));
    each.push_back((processor_seconds() - begin) * 1e9 / kRecords);
  }
  std::sort(each.begin(), each.end());
  return each[each.size() / 2];
}

int readers(double seconds) {
  const Folder folder;
  const std::string path = folder.file();
  {
    auto bucket = must(kvb::Bucket::open_or_create(path, {.durability = kvb::Durability::relaxed}));
    for (std::uint64_t i = 0; i < kKeys; ++i) must(bucket.put(key_of(i), std::string(100, 'v')));
    must(bucket.close());
  }
  fmt::print("following a writer: {:.0f} ns of the processor a record\n", follow_nanoseconds(path));
  for (const bool processes : {false, true}) {
    const char* const what = processes ? "process" : "thread";
    const Rate one = measure(path, 1, processes, false, seconds);
    const Rate two = measure(path, 2, processes, false, seconds);
    const Rate beside = measure(path, 1, processes, true, seconds);
    fmt::print("1 reader {:8} {:9.0f} gets/s\n", what, one.reads);
    fmt::print("2 reader {:8} {:9.0f} gets/s together, {:.2f} times one\n", what, two.reads, two.reads / one.reads);
    fmt::print("1 reader {:8} {:9.0f} gets/s beside a writer of {:.0f} puts/s, {:.0f} % of alone\n", what, beside.reads,
               beside.writes, 100 * beside.reads / one.reads);
  }
  return 0;
}

// ---------------------------------------------------------------------------------------------------- Stress

// In KiB; private memory, so without the mapped file.
std::uint64_t private_memory_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::strtoull(line.c_str() + 8, nullptr, 10);
  }
  return 0;
}

int stress(std::uint64_t gigabytes, std::uint64_t live_mib) {
  const Folder folder;
  const std::string path = folder.file();
  Common& common = make_common();
  constexpr std::uint64_t kValueBytes = 1'000;
  const std::uint64_t keys = (live_mib << 20) / (kValueBytes + 68);
  std::vector<pid_t> children;
  auto bucket = must(kvb::Bucket::open_or_create(path, {.durability = kvb::Durability::relaxed}));
  const auto two = [&](std::uint64_t i, std::int64_t amount) {
    kvb::Batch batch;
    batch.put(fmt::format("pair:{}:a", i), std::to_string(amount));
    batch.put(fmt::format("pair:{}:b", i), std::to_string(1'000 - amount));
    must(bucket.write(batch));
  };
  for (std::uint64_t i = 0; i < 100; ++i) two(i, 500);
  must(bucket.flush());
  for (int r = 0; r < 2; ++r) {
    children.push_back(start([&] {
      const auto reader = must(kvb::Bucket::open(path, {.read_only = true}));
      while (!common.stop) {
        std::int64_t sum = 0;
        must(reader.scan({.prefix = "pair:"}, [&](kvb::Entry&& entry) {
          sum += std::strtoll(entry.value.bytes.c_str(), nullptr, 10);
          return true;
        }));
        if (sum != 100'000) ++common.wrong;
        ++common.reads;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    }));
  }
  std::mt19937_64 random(1);
  const std::string filler(kValueBytes, 'x');
  const std::uint64_t puts = (gigabytes << 30) / (kValueBytes + 68);
  std::vector<float> micros;
  micros.reserve(puts);
  std::uint64_t largest_file = 0;
  std::uint64_t most_memory = 0;
  const auto begin = Clock::now();
  for (std::uint64_t i = 0; i < puts; ++i) {
    const std::string key = key_of(i < keys ? i : random() % keys);
    const auto before = Clock::now();
    must(bucket.put(key, filler, {.ttl_seconds = i % 10 == 0 ? 20u : 0u}));
    micros.push_back(static_cast<float>(seconds_since(before) * 1e6));
    if (i % 1'000 == 0) two(i / 1'000 % 100, static_cast<std::int64_t>(random() % 1'000));
    if (i % 20'000 == 0) {
      largest_file = std::max(largest_file, bucket.stats().allocated_bytes);
      most_memory = std::max(most_memory, private_memory_kib());
    }
  }
  const double took = seconds_since(begin);
  must(bucket.flush());
  common.stop = true;
  bool fine = common.wrong == 0;
  for (const pid_t child : children) fine = ended_well(child) && fine;
  const auto report = must(bucket.verify());
  fine = fine && report.ok();
  const std::uint64_t live = bucket.stats().live_bytes;
  const std::uint64_t measuring_kib = puts * sizeof(float) / 1024;
  must(bucket.close());
  std::sort(micros.begin(), micros.end());
  const auto percentile = [&](double p) { return micros[static_cast<std::size_t>(p * static_cast<double>(puts - 1))]; };
  fmt::print("{} GiB written through {} MiB in {:.0f} s: {:.0f} MB/s, {:.0f} puts/s\n", gigabytes, live_mib, took,
             static_cast<double>(gigabytes << 30) / took / 1e6, static_cast<double>(puts) / took);
  fmt::print("put: median {:.1f} us, p99 {:.1f}, p99.9 {:.1f}, p99.99 {:.1f}, longest {:.0f}\n", percentile(0.5),
             percentile(0.99), percentile(0.999), percentile(0.9999), micros.back());
  fmt::print("space: at most {} MiB on disk ({:.2f} times the live data), {} MiB after closing\n", largest_file >> 20,
             static_cast<double>(largest_file) / static_cast<double>(live), std::filesystem::file_size(path) >> 20);
  fmt::print("private memory: at most {} MiB\n", (most_memory - std::min(most_memory, measuring_kib)) >> 10);
  fmt::print("{} states checked by readers, {} wrong; verify: {}\n", common.reads.load(), common.wrong.load(),
             report.ok() ? "fine" : report.problems.front().message);
  if (largest_file > 4 * live + (std::uint64_t{512} << 20)) {
    fmt::print("FAILED: the file grew beyond four times the live data and 512 MiB\n");
    fine = false;
  }
  if (most_memory > measuring_kib + (512 << 10)) {
    fmt::print("FAILED: more than 512 MiB of private memory\n");
    fine = false;
  }
  if (!fine) fmt::print("FAILED\n");
  return fine ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string what = count > 1 ? arguments[1] : "";
  const auto number = [&](int i, std::uint64_t otherwise) {
    return count > i ? std::strtoull(arguments[i], nullptr, 10) : otherwise;
  };
  if (what == "readers") return readers(static_cast<double>(number(2, 3)));
  if (what == "stress") return stress(number(2, 10), number(3, 512));
  fmt::print(stderr, "kvb_processes readers [SECONDS]\nkvb_processes stress [GB] [MIB]\n");
  return 2;
}
