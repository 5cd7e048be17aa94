// Gets, scans and opening on a store that was loaded in random order, closed, and opened again.
#include <algorithm>
#include <cstring>
#include <mutex>
#include <thread>

#include "steps.h"

namespace bench {
namespace {

// A get that has to find its key, checked.
void get_checked(Session& session, const Operations& operations, std::size_t at) {
  const bool found =
      session.get(operations.key(at), [&](std::string_view value) { (void)check_value(operations.number(at), value); });
  if (!found) throw Failure("a key is missing");
}

void measure_gets(Context& context, const Operations& operations) {
  const std::uint64_t before = private_bytes();
  context.peer.open(context.setup);
  {
    const auto session = context.peer.session();
    warm_up(context, *session);
    const Timing watch;
    std::size_t done = 0;
    for (; done < operations.size() && !is_over(watch, done, kReadPatience); ++done) {
      get_checked(*session, operations, done);
    }
    context.report_rate(context.name, done, watch);
    if (context.name == "get_uniform") {
      const std::uint64_t after = private_bytes();
      context.report("get_uniform.private_mb", static_cast<double>(after - std::min(before, after)) / 1e6);
    }
  }
  context.peer.close();
}

}  // namespace

void warm_up(Context& context, Session& session) {
  std::uint64_t seen = 0;
  std::uint64_t wrong = 0;
  Values values;
  session.scan({}, [&](std::string_view key, std::string_view value) {
    if (key.empty()) return;  // Tkrzw's HashDBM calls once more at either end.
    ++seen;
    std::uint64_t number = 0;
    std::memcpy(&number, value.data(), 8);
    char expected[kKeyBytes];
    write_key(number, expected);
    if (key != std::string_view(expected, kKeyBytes)) ++wrong;
    (void)whole_value(number, value);
  });
  if (seen != context.keys || wrong != 0) {
    throw Failure(std::to_string(seen) + " keys were found instead of " + std::to_string(context.keys) + ", " +
                  std::to_string(wrong) + " of them with the value of another key");
  }
  const Operations some(uniform(context.keys, context.keys / 10, context.seed + 50));
  for (std::size_t i = 0; i < some.size(); ++i) get_checked(session, some, i);
}

void get_uniform(Context& context) {
  measure_gets(context, Operations(uniform(context.keys, context.operations(1'000'000), context.seed)));
}
void get_zipfian(Context& context) {
  measure_gets(context, Operations(zipfian(context.keys, context.operations(1'000'000), context.seed)));
}

// Keys that are not there, and lie between those that are.
void get_miss(Context& context) {
  std::vector<std::uint64_t> numbers = uniform(context.keys, context.operations(1'000'000), context.seed);
  for (std::uint64_t& number : numbers) number += context.keys / kGroup * kGroup + kGroup;
  const Operations operations(std::move(numbers));
  context.peer.open(context.setup);
  {
    const auto session = context.peer.session();
    warm_up(context, *session);
    const Timing watch;
    std::uint64_t found = 0;
    std::size_t done = 0;
    for (; done < operations.size() && !is_over(watch, done, kReadPatience); ++done) {
      found += session->get(operations.key(done), [](std::string_view) {});
    }
    context.report_rate("get_miss", done, watch);
    if (found != 0) throw Failure("keys were found that nobody put");
  }
  context.peer.close();
}

// Two threads at once, uniform and zipfian, and each alone before, so that the ratio is of the same process.
void get_two_threads(Context& context) {
  const std::uint64_t count = context.operations(1'000'000);
  context.peer.open(context.setup);
  std::vector<std::unique_ptr<Session>> sessions;
  sessions.push_back(context.peer.session());
  sessions.push_back(context.peer.session());
  for (const auto& session : sessions) warm_up(context, *session);
  for (const bool zipf : {false, true}) {
    std::vector<Operations> operations;
    for (std::uint64_t t = 0; t < 2; ++t) {
      const std::uint64_t seed = context.seed + t * 1000;
      operations.emplace_back(zipf ? zipfian(context.keys, count, seed) : uniform(context.keys, count, seed));
    }
    std::mutex failing;
    std::string failure;
    std::uint64_t done[2] = {};
    const auto work = [&](std::size_t thread) {
      try {
        const Stopwatch patience;
        std::size_t i = 0;
        for (; i < count && !is_over(patience, i, kReadPatience); ++i) {
          get_checked(*sessions[thread], operations[thread], i);
        }
        done[thread] = i;
      } catch (const std::exception& error) {
        const std::lock_guard lock(failing);
        failure = error.what();
      }
    };
    const std::string name = zipf ? "get_zipfian_2_threads" : "get_uniform_2_threads";
    const Stopwatch alone;
    work(0);
    const double one = static_cast<double>(done[0]) / alone.seconds();
    const Timing watch;
    {
      const std::jthread other(work, 1);
      work(0);
    }
    const double two = static_cast<double>(done[0] + done[1]) / watch.seconds();
    context.report_rate(name, done[0] + done[1], watch);
    if (!failure.empty()) throw Failure(failure);
    context.report(name + ".over_one", two / one);
  }
  sessions.clear();
  context.peer.close();
}

// 64 keys at a time, and the same keys one by one in the same process: the second is what the first is measured by, in
// processor time.
void get_many(Context& context) {
  constexpr std::size_t kMany = 64;
  const Operations operations(uniform(context.keys, context.operations(1'000'000) / kMany * kMany, context.seed));
  context.peer.open(context.setup);
  {
    const auto session = context.peer.session();
    warm_up(context, *session);
    std::vector<std::string_view> keys(kMany);
    double many = 0;
    double single = 0;
    for (int turn = 0; turn < 2; ++turn) {
      const Timing watch;
      std::size_t done = 0;
      for (std::size_t at = 0; at < operations.size() && !is_over(watch, at, kReadPatience); at += kMany) {
        for (std::size_t i = 0; i < kMany; ++i) keys[i] = operations.key(at + i);
        std::size_t shown = at;
        session->get_many(keys, [&](std::string_view value) { (void)check_value(operations.number(shown++), value); });
        if (shown != at + kMany) throw Failure("get_many did not show all values");
        done = shown;
      }
      many += watch.cpu_seconds();
      if (turn == 0) context.report_rate("get_many", done, watch);
      const Timing again;
      for (std::size_t i = 0; i < done; ++i) get_checked(*session, operations, i);
      single += again.cpu_seconds();
    }
    context.report("get_many.over_get", single / many);
  }
  context.peer.close();
}

// A group of 100 records, with their values.
void scan_prefix(Context& context) {
  const std::uint64_t count = context.operations(50'000);
  const std::vector<std::uint64_t> groups = uniform(context.keys / kGroup, count, context.seed);
  context.peer.open(context.setup);
  {
    const auto session = context.peer.session();
    warm_up(context, *session);
    const Timing watch;
    char key[kKeyBytes];
    std::size_t done = 0;
    for (; done < count && !is_over(watch, done, kReadPatience); ++done) {
      const std::uint64_t group = groups[done];
      write_key(group * kGroup, key);
      std::uint64_t number = group * kGroup;
      session->scan({.prefix = {key, kPrefixBytes}},
                    [&](std::string_view, std::string_view value) { (void)check_value(number++, value); });
      if (number != (group + 1) * kGroup) throw Failure("a scan did not find the 100 records of its prefix");
    }
    context.report_rate(context.name, done, watch);
  }
  context.peer.close();
}

// Everything, in both directions and without values, three times each: the best counts, because these are short.
void iterate(Context& context) {
  context.peer.open(context.setup);
  {
    const auto session = context.peer.session();
    warm_up(context, *session);
    struct Way {
      const char* suffix;
      Scan scan;
    };
    for (const Way& way : {Way{"", {}}, Way{".reverse", {.reverse = true}}, Way{".keys_only", {.keys_only = true}}}) {
      if (way.scan.reverse && !context.peer.backwards()) continue;
      double best = 0;
      double cheapest = 0;
      for (int turn = 0; turn < 3; ++turn) {
        char before[kKeyBytes] = {};
        bool first = true;
        std::uint64_t seen = 0;
        const Timing watch;
        session->scan(way.scan, [&](std::string_view key, std::string_view value) {
          if (key.empty()) return;
          const int order = first ? 0 : std::memcmp(key.data(), before, kKeyBytes);
          if (!first && (way.scan.reverse ? order >= 0 : order <= 0)) throw Failure("an iteration is out of order");
          if (!way.scan.keys_only && value.size() != kValueBytes) throw Failure("an iteration has a wrong value");
          std::memcpy(before, key.data(), kKeyBytes);
          first = false;
          ++seen;
        });
        if (seen != context.keys) {
          throw Failure(context.name + way.suffix + " saw " + std::to_string(seen) + " keys instead of " +
                        std::to_string(context.keys));
        }
        const double cpu_ns = watch.cpu_seconds() * 1e9 / static_cast<double>(seen);
        best = std::max(best, static_cast<double>(seen) / watch.seconds());
        cheapest = turn == 0 ? cpu_ns : std::min(cheapest, cpu_ns);
      }
      context.report(context.name + way.suffix, best);
      context.report(context.name + way.suffix + ".cpu_ns", cheapest);
    }
  }
  context.peer.close();
}

// Opening what was closed, with the first get, the file being in memory. The first times after other processes have
// used the machine are not counted.
void open_clean(Context& context) {
  std::vector<double> opened;
  std::vector<double> with_get;
  for (int turn = 0; turn < 7; ++turn) {
    const Operations one(uniform(context.keys, 1, context.seed + static_cast<std::uint64_t>(turn)));
    const Stopwatch watch;
    context.peer.open(context.setup);
    const double open_ms = watch.seconds() * 1e3;
    {
      const auto session = context.peer.session();
      get_checked(*session, one, 0);
    }
    if (turn > 1) {
      opened.push_back(open_ms);
      with_get.push_back(watch.seconds() * 1e3);
    }
    context.peer.close();
  }
  context.report(context.name, median(opened));
  context.report(context.name + ".and_get", median(with_get));
}

}  // namespace bench
