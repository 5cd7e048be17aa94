// Loads, single puts, durable puts, removing, and writing the same keys again and again.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <thread>

#include "steps.h"

namespace bench {
namespace {

constexpr std::size_t kBatch = 1000;

// Touches every byte, as quickly as memory allows.
std::uint64_t sum_of(std::string_view value) {
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at + 8 <= value.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, value.data() + at, 8);
    sum += word;
  }
  return sum;
}

// Writes all operations in batches; the keys and values of a batch are made before it is handed over, as a program that
// loads has to.
void load(Session& session, const Operations& operations, std::uint64_t version) {
  std::vector<std::string> values(kBatch);
  std::vector<Entry> batch;
  batch.reserve(kBatch);
  Values made;
  for (std::size_t at = 0; at < operations.size();) {
    batch.clear();
    for (; batch.size() < kBatch && at < operations.size(); ++at) {
      std::string& value = values[batch.size()];
      value = made.of(operations.number(at), version);
      batch.push_back({operations.key(at), value});
    }
    session.write(batch);
  }
}

// Loads, and says how fast that was, what it needed, and how much of the disk a record takes.
void load_and_report(Context& context, std::vector<std::uint64_t> numbers) {
  const std::string& name = context.name;
  const Operations operations(std::move(numbers));
  const std::uint64_t before = private_bytes();
  context.peer.open(context.setup);
  {
    const auto session = context.peer.session();
    const Timing watch;
    load(*session, operations, 1);
    context.report_rate(name, operations.size(), watch);
    const std::uint64_t after = private_bytes();
    context.report(name + ".private_mb", static_cast<double>(after - std::min(before, after)) / 1e6);
    // What a program that goes on right after loading finds.
    if (context.peer.ordered() && name == "load_random") {
      const Stopwatch iterating;
      std::uint64_t seen = 0;
      session->scan({}, [&](std::string_view, std::string_view value) { seen += value.size() == kValueBytes; });
      if (seen != operations.size()) throw Failure("not all keys are there after the load");
      context.report("iterate_first", static_cast<double>(seen) / iterating.seconds());
    }
  }
  context.peer.settle();
  context.peer.flush();
  context.peer.close();
  context.report(name + ".bytes_a_record",
                 static_cast<double>(folder_size(context.setup.folder).allocated) / static_cast<double>(context.keys));
}

}  // namespace

void load_all(Session& session, const Operations& operations, std::uint64_t version) {
  load(session, operations, version);
}

void load_ordered(Context& context) {
  load_and_report(context, ordered(context.keys));
}

void load_random(Context& context) {
  load_and_report(context, shuffled(context.keys, context.seed));
}

void put_relaxed(Context& context) {
  const Operations operations(shuffled(context.keys, context.seed));
  context.peer.open(context.setup);
  {
    const auto session = context.peer.session();
    Values values;
    const Timing watch;
    std::size_t done = 0;
    for (; done < operations.size() && !is_over(watch, done, kWritePatience); ++done) {
      session->put(operations.key(done), values.of(operations.number(done), 1));
    }
    context.report_rate("put_relaxed", done, watch);
    for (std::size_t i = 0; i < done; i += 97) {
      const bool found = session->get(operations.key(i),
                                      [&](std::string_view value) { (void)whole_value(operations.number(i), value); });
      if (!found) throw Failure("a key that was put is missing");
    }
  }
  context.peer.close();
}

// Overwrites random keys, one thread and eight, each for a fixed time: a slow disk must not make the run long.
void put_durable(Context& context) {
  const double seconds = context.quick ? 0.2 : 1.0;
  context.peer.open(context.setup);
  for (const unsigned threads : {1u, 8u}) {
    if (threads > 1 && context.name != "put_durable") break;  // Growth is looked at with one.
    std::atomic<std::uint64_t> total = 0;
    std::mutex failing;
    std::string failure;
    // The sessions are made one after the other: opening is not what is measured.
    std::vector<std::unique_ptr<Session>> sessions;
    for (unsigned t = 0; t < threads; ++t) sessions.push_back(context.peer.session());
    const Stopwatch watch;
    const auto work = [&](unsigned thread) {
      try {
        Random random(context.seed * 100 + thread);
        Values values;
        char key[kKeyBytes];
        std::uint64_t count = 0;
        for (; watch.seconds() < seconds; ++count) {
          const std::uint64_t number = random.below(context.keys);
          write_key(number, key);
          sessions[thread]->put({key, kKeyBytes}, values.of(number, 2));
        }
        total += count;
      } catch (const std::exception& error) {
        const std::lock_guard lock(failing);
        failure = error.what();
      }
    };
    {
      std::vector<std::jthread> running;
      for (unsigned t = 1; t < threads; ++t) running.emplace_back(work, t);
      work(0);
    }
    if (!failure.empty()) throw Failure(failure);
    context.report(threads == 1 ? context.name : "put_durable_8_threads", static_cast<double>(total) / watch.seconds());
  }
  context.peer.close();
}

// The same amount of bytes to a plain file: into space that is allocated, and where the file grows.
void bare_durable(const std::string& folder, Report report) {
  const std::string path = folder + "/bare";
  for (const bool allocated : {true, false}) {
    const int fd = ::open(path.c_str(), O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0644);
    constexpr off_t kSpace = off_t{8} << 20;
    if (fd < 0 || (allocated && ::posix_fallocate(fd, 0, kSpace) != 0) || ::fsync(fd) != 0) {
      throw Failure("cannot write to " + path);
    }
    const char bytes[128] = {1};
    off_t at = 0;
    const Stopwatch watch;
    while (watch.seconds() < 1.0 && at + off_t{sizeof bytes} <= kSpace) {
      if (::pwrite(fd, bytes, sizeof bytes, at) != off_t{sizeof bytes} || ::fdatasync(fd) != 0) {
        throw Failure("cannot sync " + path);
      }
      at += off_t{sizeof bytes};
    }
    const double rate = static_cast<double>(at) / double{sizeof bytes} / watch.seconds();
    report(allocated ? "put_durable" : "put_durable.growing_file", rate);
    ::close(fd);
    ::unlink(path.c_str());
  }
}

// How long single relaxed puts take while checkpoints, compactions or merges go on beside them: overwrites, so that
// there is something to compact.
void put_latency(Context& context) {
  const std::uint64_t count = context.operations(2'000'000);
  const Operations operations(uniform(context.keys, count, context.seed));
  std::vector<std::uint32_t> nanoseconds;
  nanoseconds.reserve(count);
  context.peer.open(context.setup);
  {
    const auto session = context.peer.session();
    Values values;
    const Stopwatch watch;
    auto before = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < count && !is_over(watch, i, kWritePatience); ++i) {
      session->put(operations.key(i), values.of(operations.number(i), 3));
      const auto after = std::chrono::steady_clock::now();
      nanoseconds.push_back(static_cast<std::uint32_t>(std::min<std::int64_t>((after - before).count(), UINT32_MAX)));
      before = after;
    }
  }
  context.report("put_latency.median_ns", percentile(nanoseconds, 50));
  context.report("put_latency.p99_ns", percentile(nanoseconds, 99));
  context.report("put_latency.p999_ns", percentile(nanoseconds, 99.9));
  context.report("put_latency.max_ms", percentile(nanoseconds, 100) / 1e6);
  context.peer.close();
}

// Removes nine keys of ten one by one, then compacts: what stays should not take more room than it needs.
void remove_most(Context& context) {
  const Operations operations(shuffled(context.keys, context.seed));
  const std::size_t removed = operations.size() / 10 * 9;
  context.peer.open(context.setup);
  {
    const auto session = context.peer.session();
    load(*session, operations, 1);
    context.peer.settle();
    const Timing watch;
    std::size_t done = 0;
    for (; done < removed && !is_over(watch, done, kWritePatience); ++done) session->remove(operations.key(done));
    context.report_rate("remove", done, watch);
    for (std::vector<std::string_view> keys; done < removed; session->remove_many(keys)) {
      keys.clear();
      while (done < removed && keys.size() < kBatch) keys.push_back(operations.key(done++));
    }
  }
  if (context.peer.compacts()) {
    const Stopwatch watch;
    context.peer.compact();
    context.report("remove.compact_ms", watch.seconds() * 1e3);
    const double live = static_cast<double>((operations.size() - removed) * kPayload);
    context.report("remove.file_over_live", static_cast<double>(folder_size(context.setup.folder).allocated) / live);
  }
  {
    const auto session = context.peer.session();
    for (std::size_t i = 0; i < operations.size(); i += 101) {
      const bool found = session->get(operations.key(i),
                                      [&](std::string_view value) { (void)whole_value(operations.number(i), value); });
      if (found != (i >= removed)) throw Failure("removing kept a key, or took another one");
    }
  }
  context.peer.close();
}

void compact(Context& context) {
  context.peer.open(context.setup);
  const Stopwatch watch;
  context.peer.compact();
  context.report("compact_ms", watch.seconds() * 1e3);
  context.peer.flush();
  context.peer.close();
  context.report("compact.bytes_a_record",
                 static_cast<double>(folder_size(context.setup.folder).allocated) / static_cast<double>(context.keys));
}

// Five overwrites of each key on average, in random order, with whatever the store does by itself to keep its file
// small.
void churn(Context& context) {
  const std::uint64_t count = context.keys * 5;
  const std::string& name = context.name;
  const Operations all(shuffled(context.keys, context.seed));
  std::vector<std::uint64_t> numbers;
  numbers.reserve(count);
  for (std::uint64_t round = 0; round < 5; ++round) {
    const std::vector<std::uint64_t> order = shuffled(context.keys, context.seed * 10 + round);
    numbers.insert(numbers.end(), order.begin(), order.end());
  }
  const Operations operations(std::move(numbers));
  context.peer.open(context.setup);
  const double live = static_cast<double>(context.keys * kPayload);
  {
    const auto session = context.peer.session();
    load(*session, all, 1);
    context.peer.settle();
    Values values;
    std::atomic<bool> over = false;
    std::uint64_t peak = 0;
    std::size_t done = 0;
    {
      const std::jthread watcher([&] {
        while (!over) {
          peak = std::max(peak, folder_size(context.setup.folder).allocated);
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
      });
      const Timing watch;
      for (; done < operations.size() && !is_over(watch, done, kChurnPatience); ++done) {
        session->put(operations.key(done), values.of(operations.number(done), 2 + done / context.keys));
      }
      context.report_rate(name, done, watch);
      over = true;
    }
    context.report(name + ".file_over_live", static_cast<double>(folder_size(context.setup.folder).allocated) / live);
    context.report(name + ".peak_over_live", static_cast<double>(peak) / live);
    for (std::size_t i = 0; i < all.size(); i += 101) {
      const bool found = session->get(all.key(i), [&](std::string_view value) {
        if (whole_value(all.number(i), value) < 1 + done / context.keys) throw Failure("an overwrite was lost");
      });
      if (!found) throw Failure("a key that was overwritten is missing");
    }
  }
  context.peer.close();
  context.report(name + ".closed_over_live", static_cast<double>(folder_size(context.setup.folder).allocated) / live);
}

// 100 KiB, 512 KiB and 1 MiB: so many that it takes a while. Whoever reads looks at every byte.
void large_values(Context& context) {
  const std::uint64_t total = std::uint64_t{context.quick ? 64u : 384u} << 20;
  for (const std::uint64_t kibibytes : {100, 512, 1024}) {
    const std::uint64_t bytes = kibibytes << 10;
    const std::uint64_t count = total / bytes;
    const std::string suffix = "." + std::to_string(kibibytes) + "k";
    make_folder(context.setup.folder);
    context.peer.open(context.setup);
    {
      const auto session = context.peer.session();
      const Operations operations(shuffled(count, context.seed));
      Values values(bytes);
      const double megabytes = static_cast<double>(count * bytes) / 1e6;
      {
        const Stopwatch watch;
        for (std::size_t i = 0; i < count; ++i) {
          session->put(operations.key(i), values.of(operations.number(i), 1));
        }
        context.report("large_put" + suffix, megabytes / watch.seconds());
        context.peer.flush();
        context.report("large_put_synced" + suffix, megabytes / watch.seconds());
      }
      const Operations reads(uniform(count, count * 2, context.seed + 1));
      for (const bool warm : {false, true}) {
        const Stopwatch watch;
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < reads.size(); ++i) {
          const bool found = session->get(reads.key(i), [&](std::string_view value) {
            if (warm) {
              (void)check_value(reads.number(i), value, bytes);
              sum += sum_of(value);
            } else {
              (void)whole_value(reads.number(i), value, bytes);
            }
          });
          if (!found) throw Failure("a large value is missing");
        }
        if (warm) {
          if (sum == 0) throw Failure("large values were not read");
          context.report("large_get" + suffix, 2 * megabytes / watch.seconds());
        }
      }
    }
    context.peer.close();
  }
}

}  // namespace bench
