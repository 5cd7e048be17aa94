// YCSB, and readers beside a writer.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <mutex>
#include <new>
#include <thread>

#include "steps.h"

namespace bench {
namespace {

enum class Mix { c, b, a, f };

// The core workloads of YCSB on scrambled zipfian keys: A half updates, B a twentieth, C none, F half
// read-modify-writes.
void ycsb(Context& context, Mix mix) {
  const Operations operations(zipfian(context.keys, context.operations(500'000), context.seed));
  std::vector<bool> writes(operations.size());
  Random random(context.seed + 9);
  const std::uint64_t share = mix == Mix::c ? 0 : (mix == Mix::b ? 5 : 50);
  for (std::size_t i = 0; i < writes.size(); ++i) writes[i] = random.below(100) < share;
  context.peer.open(context.setup);
  {
    const auto session = context.peer.session();
    warm_up(context, *session);
    Values values;
    const Timing watch;
    std::size_t i = 0;
    for (; i < operations.size() && !is_over(watch, i, kReadPatience); ++i) {
      std::uint64_t version = 10 + i;
      if (!writes[i] || mix == Mix::f) {
        const bool found = session->get(operations.key(i), [&](std::string_view value) {
          const std::uint64_t read = check_value(operations.number(i), value);
          if (mix == Mix::f) version = read + 1;
        });
        if (!found) throw Failure("a key is missing");
      }
      if (writes[i]) session->put(operations.key(i), values.of(operations.number(i), version));
    }
    context.report_rate(context.name, i, watch);
  }
  context.peer.close();
}

// What the processes of a step tell each other.
struct Shared {
  std::atomic<std::uint64_t> done{0};
  std::atomic<bool> ready{false};
  std::atomic<bool> stop{false};
  std::atomic<bool> failed{false};
};

class SharedMemory {
 public:
  SharedMemory() {
    void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw Failure("no memory to share");
    shared_ = new (memory) Shared;
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory() { ::munmap(shared_, 4096); }
  Shared* operator->() const { return shared_; }

 private:
  Shared* shared_ = nullptr;
};

// Overwrites random keys until it is told to stop.
std::uint64_t write_until(Session& session, std::uint64_t keys, std::uint64_t seed, const std::atomic<bool>& stop) {
  Random random(seed);
  Values values;
  char key[kKeyBytes];
  std::uint64_t count = 0;
  for (; !stop.load(std::memory_order_relaxed); ++count) {
    const std::uint64_t number = random.below(keys);
    write_key(number, key);
    session.put({key, kKeyBytes}, values.of(number, 20 + count));
  }
  return count;
}

// Reads random keys for so many seconds; gives gets a second.
double read_for(Session& session, std::uint64_t keys, std::uint64_t seed, double seconds) {
  Random random(seed);
  char key[kKeyBytes];
  std::uint64_t count = 0;
  const Stopwatch watch;
  do {
    for (int i = 0; i < 256; ++i, ++count) {
      const std::uint64_t number = random.below(keys);
      write_key(number, key);
      const bool found =
          session.get({key, kKeyBytes}, [&](std::string_view value) { (void)check_value(number, value); });
      if (!found) throw Failure("a reader misses a key");
    }
  } while (watch.seconds() < seconds);
  return static_cast<double>(count) / watch.seconds();
}

// Runs `work` in a child; it must not use what the parent has open.
template <typename Work>
pid_t in_child(const Work& work) {
  const pid_t child = ::fork();
  if (child < 0) throw Failure("cannot fork");
  if (child == 0) {
    int code = 0;
    try {
      work();
    } catch (const std::exception& error) {
      (void)!::write(2, error.what(), std::string_view(error.what()).size());
      (void)!::write(2, "\n", 1);
      code = 1;
    }
    ::_exit(code);
  }
  return child;
}

void wait_for(const std::atomic<bool>& flag, const char* what) {
  const Stopwatch watch;
  while (!flag) {
    if (watch.seconds() > 60) throw Failure(std::string("waited a minute for ") + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// Loads in batches of 1,000, or one by one, until it is killed. What is counted in `done` has been acknowledged.
void load_until_killed(Context& context, const Operations& operations, const SharedMemory& shared, bool single) {
  context.peer.open(context.setup);
  const auto session = context.peer.session();
  shared->ready = true;
  Values values;
  std::vector<std::string> made(1000);
  std::vector<Entry> batch;
  std::size_t at = 0;
  while (at < operations.size()) {
    if (single) {
      session->put(operations.key(at), values.of(operations.number(at), 1));
      ++at;
    } else {
      batch.clear();
      for (; batch.size() < made.size() && at < operations.size(); ++at) {
        made[batch.size()] = values.of(operations.number(at), 1);
        batch.push_back({operations.key(at), made[batch.size()]});
      }
      session->write(batch);
    }
    shared->done.store(at, std::memory_order_release);
  }
  ::pause();
}

// A process loads, and is killed with signal 9 when 64 MiB of keys and values have been acknowledged. Then the store is
// opened: how long it takes, and how much of what was acknowledged is not there.
void kill_and_open(Context& context, bool single) {
  const std::uint64_t target = (context.quick ? std::uint64_t{16} << 20 : std::uint64_t{64} << 20) / kPayload;
  const Operations operations(shuffled(target * 2, context.seed));
  context.setup.expected_keys = operations.size();
  context.setup.expected_bytes = operations.size() * kPayload;
  context.setup.long_journal = true;
  const SharedMemory shared;
  const pid_t child = in_child([&] { load_until_killed(context, operations, shared, single); });
  const Stopwatch loading;
  while (shared->done.load(std::memory_order_acquire) < target && loading.seconds() < 120) {
    if (::waitpid(child, nullptr, WNOHANG) != 0) throw Failure("the process that loads has ended");
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  const std::uint64_t acknowledged = shared->done;
  const Stopwatch watch;
  context.peer.open(context.setup);
  context.report(context.name, watch.seconds() * 1e3);
  std::uint64_t lost = 0;
  {
    const auto session = context.peer.session();
    for (std::size_t i = 0; i < acknowledged; ++i) {
      lost += !session->get(operations.key(i),
                            [&](std::string_view value) { (void)whole_value(operations.number(i), value); });
    }
  }
  context.report(context.name + ".lost", static_cast<double>(lost));
  context.report(context.name + ".acknowledged", static_cast<double>(acknowledged));
  context.peer.close();
}

}  // namespace

void ycsb_c(Context& context) {
  ycsb(context, Mix::c);
}
void ycsb_b(Context& context) {
  ycsb(context, Mix::b);
}
void ycsb_a(Context& context) {
  ycsb(context, Mix::a);
}
void ycsb_f(Context& context) {
  ycsb(context, Mix::f);
}

// One thread reads while another writes as quickly as it can; and the same reads without it.
void read_beside_writer(Context& context) {
  const double seconds = context.quick ? 0.3 : 1.5;
  context.peer.open(context.setup);
  auto writer = context.peer.session();
  auto reader = context.peer.session();
  warm_up(context, *reader);
  context.report("read_beside_writer.alone", read_for(*reader, context.keys, context.seed, seconds));
  std::atomic<bool> stop = false;
  std::uint64_t written = 0;
  std::string failure;
  const Stopwatch watch;
  double rate = 0;
  double elapsed = 0;
  {
    std::jthread writing([&] {
      try {
        written = write_until(*writer, context.keys, context.seed + 1, stop);
      } catch (const std::exception& error) {
        failure = error.what();
      }
    });
    try {
      rate = read_for(*reader, context.keys, context.seed + 2, seconds);
    } catch (...) {
      stop = true;
      throw;
    }
    stop = true;
    writing.join();
    elapsed = watch.seconds();
  }
  if (!failure.empty()) throw Failure(failure);
  context.report("read_beside_writer", rate);
  context.report("read_beside_writer.writes", static_cast<double>(written) / elapsed);
  reader.reset();
  writer.reset();
  context.peer.close();
}

// The same with the writer in a process of its own.
void read_in_other_process(Context& context) {
  const double seconds = context.quick ? 0.3 : 1.5;
  const SharedMemory shared;
  const pid_t child = in_child([&] {
    context.peer.open(context.setup);
    {
      const auto session = context.peer.session();
      shared->ready = true;
      shared->done = write_until(*session, context.keys, context.seed + 1, shared->stop);
    }
    context.peer.close();
  });
  try {
    wait_for(shared->ready, "the writer to open the store");
    const Stopwatch watch;
    context.setup.read_only = true;
    context.peer.open(context.setup);
    double rate = 0;
    {
      const auto session = context.peer.session();
      rate = read_for(*session, context.keys, context.seed + 2, seconds);
    }
    shared->stop = true;
    const double elapsed = watch.seconds();
    context.peer.close();
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) throw Failure("the writer failed");
    context.report("read_in_other_process", rate);
    context.report("read_in_other_process.writes", static_cast<double>(shared->done) / elapsed);
  } catch (...) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    throw;
  }
}

void open_after_kill(Context& context) {
  kill_and_open(context, false);
}
void open_after_kill_relaxed(Context& context) {
  kill_and_open(context, true);
}

}  // namespace bench
