// The engine beside other stores, in one run on one machine: each round measures all of them in turn, and the ratio is
// that of the medians over the rounds. Times alone mean little on a shared machine; ratios do.
//
//   kvb_bench [KEYS] [ROUNDS]        default 200000 keys, 3 rounds
//
// 20-byte keys, 100-byte values, one thread. Every value that is read is compared with what was written.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <numeric>
#include <random>
#include <vector>

#include "peer.h"

namespace bench {

void fail(const std::string& what) {
  std::fprintf(stderr, "kvb_bench: %s\n", what.c_str());
  std::exit(1);
}

namespace {

constexpr std::size_t kValueBytes = 100;
constexpr int kDurablePuts = 1000;

std::string key_of(std::uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "key:%016llu", static_cast<unsigned long long>(number));
  return text;
}

std::string value_of(std::uint64_t number) {
  std::string value(kValueBytes, '.');
  const std::string digits = std::to_string(number);
  value.replace(0, digits.size(), digits);
  return value;
}

using Results = std::map<std::string, std::vector<double>>;  // Workload to operations a second, a round each.

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::uint64_t folder_bytes(const std::string& folder) {
  std::uint64_t bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (file.is_regular_file()) bytes += file.file_size();
  }
  return bytes;
}

void measure(Peer& peer, const std::string& folder, const std::vector<std::uint64_t>& order, Results& results) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const auto rate = [&](const char* workload, std::uint64_t operations, const Stopwatch& watch) {
    results[workload].push_back(static_cast<double>(operations) / watch.seconds());
  };
  const std::uint64_t keys = order.size();
  std::string value;

  peer.open(folder, false);
  {
    const Stopwatch watch;
    for (const std::uint64_t key : order) peer.put(key_of(key), value_of(key));
    peer.flush();
    rate("1 random put, relaxed", keys, watch);
  }
  {
    const Stopwatch watch;
    for (std::uint64_t i = 0; i < keys; ++i) {
      const std::uint64_t key = order[(i * 7919) % keys];
      if (!peer.get(key_of(key), value) || value != value_of(key)) fail(peer.name() + " gave a wrong value");
    }
    rate("2 random get, hit", keys, watch);
  }
  {
    const Stopwatch watch;
    for (std::uint64_t i = 0; i < keys; ++i) {
      if (peer.get(key_of(i + 10 * keys), value)) fail(peer.name() + " found what is not there");
    }
    rate("3 get, miss", keys, watch);
  }
  for (const char* workload : {"4 first full iteration", "5 full iteration again"}) {
    const Stopwatch watch;
    std::string before;
    const std::uint64_t seen = peer.iterate([&](std::string_view key, std::string_view found) {
      if (key <= before || found.size() != kValueBytes) fail(peer.name() + " is out of order");
      before = key;
    });
    if (seen != keys) fail(peer.name() + " lost keys");
    rate(workload, keys, watch);
  }
  peer.close();
  results["6 records a MB of file"].push_back(static_cast<double>(keys) /
                                              (static_cast<double>(folder_bytes(folder)) / 1e6));
  {
    const Stopwatch watch;
    peer.open(folder, true);
    if (!peer.get(key_of(order.front()), value)) fail(peer.name() + " lost a key");
    rate("7 open and first get", 1, watch);
  }
  {
    const Stopwatch watch;
    for (int i = 0; i < kDurablePuts; ++i) peer.put(key_of(order[static_cast<std::size_t>(i) % keys]), value_of(1));
    rate("8 durable put", kDurablePuts, watch);
  }
  peer.close();
  std::filesystem::remove_all(folder);
}

// What the disk allows: writing 128 bytes into allocated space and fdatasync.
double bare_syncs(const std::string& folder) {
  std::filesystem::create_directories(folder);
  const std::string path = folder + "/bare";
  const int fd = ::open(path.c_str(), O_CREAT | O_RDWR | O_TRUNC, 0644);
  if (fd < 0 || ::posix_fallocate(fd, 0, 1 << 20) != 0 || ::fsync(fd) != 0) fail("cannot write to " + path);
  const char bytes[128] = {};
  const Stopwatch watch;
  for (int i = 0; i < kDurablePuts; ++i) {
    if (::pwrite(fd, bytes, sizeof bytes, i * 168L) != sizeof bytes || ::fdatasync(fd) != 0)
      fail("cannot sync " + path);
  }
  const double rate = kDurablePuts / watch.seconds();
  ::close(fd);
  std::filesystem::remove_all(folder);
  return rate;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

std::string shown(double value) {
  char text[32];
  if (value >= 1e6) {
    std::snprintf(text, sizeof text, "%.2f M", value / 1e6);
  } else if (value >= 1e4) {
    std::snprintf(text, sizeof text, "%.0f k", value / 1e3);
  } else {
    std::snprintf(text, sizeof text, "%.0f", value);
  }
  return text;
}

int run(std::uint64_t keys, int rounds) {
  std::vector<std::unique_ptr<Peer>> peers;
  peers.push_back(make_kvb());
#ifdef BENCH_LMDB
  peers.push_back(make_lmdb());
#endif
#ifdef BENCH_SQLITE
  peers.push_back(make_sqlite());
#endif
  std::vector<std::uint64_t> order(keys);
  std::iota(order.begin(), order.end(), 0);
  std::ranges::shuffle(order, std::mt19937_64(42));
  const std::string folder =
      (std::filesystem::temp_directory_path() / ("kvb_bench." + std::to_string(::getpid()))).string();

  std::vector<Results> results(peers.size());
  std::vector<double> bare;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < peers.size(); ++i) {
      std::fprintf(stderr, "round %d of %d: %s        \r", round + 1, rounds, peers[i]->name().c_str());
      measure(*peers[i], folder, order, results[i]);
    }
    bare.push_back(bare_syncs(folder));
  }
  std::fprintf(stderr, "%40s\r", "");

  std::printf(
      "%llu keys of 20 bytes, values of 100 bytes, %d rounds, medians; per second. In brackets: kvb is so many times "
      "as fast.\n\n",
      static_cast<unsigned long long>(keys), rounds);
  std::printf("%-26s", "");
  for (const auto& peer : peers) std::printf("%20s", peer->name().c_str());
  std::printf("\n");
  for (const auto& [workload, rates] : results.front()) {
    std::printf("%-26s", workload.substr(2).c_str());
    const double ours = median(rates);
    for (std::size_t i = 0; i < peers.size(); ++i) {
      const double theirs = median(results[i].at(workload));
      char cell[48];
      if (i == 0) {
        std::snprintf(cell, sizeof cell, "%s", shown(theirs).c_str());
      } else {
        std::snprintf(cell, sizeof cell, "%s (%.2f)", shown(theirs).c_str(), ours / theirs);
      }
      std::printf("%20s", cell);
    }
    std::printf("\n");
  }
  std::printf("\nWriting 128 bytes and fdatasync without any store: %s a second.\n", shown(median(bare)).c_str());
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const std::uint64_t keys = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 200'000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 3;
  if (keys < 1000 || rounds < 1) {
    std::fprintf(stderr, "usage: kvb_bench [KEYS] [ROUNDS]   at least 1000 keys and 1 round\n");
    return 2;
  }
  return bench::run(keys, rounds);
}
