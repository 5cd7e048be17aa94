#pragma once
// A step is what one process does with one store: it opens it, does a workload, reports figures, and ends. Each runs in
// a process of its own, so that memory is its own, and a store that dies takes nothing with it. The runner goes through
// the stores in turn, round after round.
//
// Where a step finds its store:
//   fresh      in an empty folder
//   loaded     as load_random left it; steps after it find what this one did
//   compacted  a copy of that, compacted once
//   grown      as load_grown left it, with ten times the keys

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data.h"
#include "measure.h"
#include "peer.h"

namespace bench {

using Report = FunctionRef<void(std::string_view metric, double value)>;

struct Context {
  std::string name;  // Of the step.
  Peer& peer;
  Setup setup;
  std::uint64_t keys;  // In the store.
  std::uint64_t seed;  // Another one each round.
  bool quick;          // Much less work.
  Report report;

  // Operations a second, and NAME.cpu_ns: nanoseconds of processor time for each.
  void report_rate(const std::string& metric, std::uint64_t operations, const Timing& timing) const {
    const auto count = static_cast<double>(operations);
    const double cpu = timing.cpu_seconds();
    report(metric, count / timing.seconds());
    report(metric + ".cpu_ns", cpu * 1e9 / count);
  }
  // So many operations of a workload that is quick with each of them.
  [[nodiscard]] std::uint64_t operations(std::uint64_t full) const { return quick ? full / 10 : full; }
};

enum class Place { fresh, loaded, compacted, grown };

struct Step {
  std::string name;
  Place place = Place::fresh;
  void (*run)(Context&) = nullptr;
  bool durable = false;
  bool large = false;
  bool makes_place = false;      // The folder is made anew, by this step, for those after it.
  bool writes = false;           // Much: memory is touched before.
  bool once = false;             // In the first round only.
  bool needs_order = false;      // Left out for stores that have none.
  bool needs_processes = false;  // Left out for stores that one process has to itself.
  bool bare = false;             // Also done without any store: what the machine allows.
};

// In the order in which they are run.
const std::vector<Step>& all_steps();

// Workload names are what --only, the results and bench/kvb/targets.toml call them.
void load_ordered(Context& context);
void load_random(Context& context);
void put_relaxed(Context& context);
void put_durable(Context& context);
void put_latency(Context& context);
void remove_most(Context& context);
void churn(Context& context);
void get_uniform(Context& context);
void get_zipfian(Context& context);
void get_miss(Context& context);
void get_two_threads(Context& context);
void get_many(Context& context);
void scan_prefix(Context& context);
void iterate(Context& context);
void compact(Context& context);
void ycsb_c(Context& context);
void ycsb_b(Context& context);
void ycsb_a(Context& context);
void ycsb_f(Context& context);
void read_beside_writer(Context& context);
void read_in_other_process(Context& context);
void large_values(Context& context);
void open_clean(Context& context);
void open_after_kill(Context& context);
void open_after_kill_relaxed(Context& context);
// Without a store.
void bare_durable(const std::string& folder, Report report);

// Shared by the files of the steps.
void load_all(Session& session, const Operations& operations, std::uint64_t version);
// Reads everything once and compares every byte, so that what follows finds caches full and files mapped.
void warm_up(Context& context, Session& session);

}  // namespace bench
