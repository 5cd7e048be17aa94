// kvb_bench: the store beside others, in one run on one machine. `kvb_bench --help` has the options, docs/BENCHMARKS.md
// what is measured and how, and scripts/bench_report.py makes that page of the results.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "runner.h"

namespace bench {
namespace {

nlohmann::ordered_json to_json(const Options& options, const Results& results, const Machine& machine) {
  nlohmann::ordered_json json;
  json["machine"] = {{"cpu", machine.cpu},
                     {"cores", machine.cores},
                     {"memory_bytes", machine.memory_bytes},
                     {"kernel", machine.kernel},
                     {"file_system", machine.file_system}};
  json["date"] = machine.date;
  json["keys"] = options.keys;
  json["rounds"] = options.rounds;
  json["quick"] = options.quick;
  json["seconds"] = results.seconds;
  json["complete"] = results.complete;
  json["load_averages"] = results.loads;
  for (const PeerEntry& entry : all_peers()) {
    const auto peer = entry.make();
    json["stores"].push_back({{"name", entry.name}, {"version", peer->version()}, {"settings", peer->settings()}});
  }
  json["absent"] = absent_peers();
  json["failures"] = nlohmann::ordered_json::array();
  for (const FailedStep& failure : results.failures) {
    json["failures"].push_back({{"step", failure.step}, {"store", failure.store}, {"message", failure.message}});
  }
  for (const auto& [metric, stores] : results.values) {
    for (const auto& [store, values] : stores) json["results"][metric][store] = values;
  }
  return json;
}

void list() {
  std::printf("Workloads:\n");
  for (const Step& step : all_steps()) std::printf("  %s\n", step.name.c_str());
  std::printf("Stores:\n");
  for (const PeerEntry& peer : all_peers()) {
    std::printf("  %s %s\n", peer.name.c_str(), peer.make()->version().c_str());
  }
  for (const std::string& name : absent_peers()) std::printf("  %s: not built in\n", name.c_str());
}

int run(Options options, const std::string& json_path) {
  for (const std::string& name : absent_peers())
    std::printf("Left out, because it was not installed: %s\n", name.c_str());
  if (options.quick) options.growth = false;
  options.folder += "/kvb_bench." + std::to_string(::getpid());
  make_folder(options.folder);
  const Machine machine = this_machine(options.folder);
  if (machine.file_system == "tmpfs") {
    std::printf("%s is in memory: what durable writes cost is not seen there. Choose another place with --folder.\n",
                options.folder.c_str());
  }
  const Results results = run_all(options);
  remove_folder(options.folder);
  if (!json_path.empty()) {
    std::ofstream file(json_path);
    file << to_json(options, results, machine).dump(1) << "\n";
    if (!file.flush()) throw Failure("cannot write " + json_path);
  }
  // A peer that fails is a line in the report; of our own store nothing may fail.
  int code = 0;
  for (const FailedStep& failure : results.failures) {
    std::fprintf(stderr, "kvb_bench: %s of %s: %s\n", failure.step.c_str(), failure.store.c_str(),
                 failure.message.c_str());
    if (failure.store == "kvb") code = 1;
  }
  return code;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  bench::Options options;
  options.folder = "/var/tmp";
  options.growth_stores = {"kvb", "lmdb", "tkrzw-hash"};
  std::string json_path;
  bool list = false;
  bool no_growth = false;
  std::uint64_t keys = 0;
  unsigned rounds = 0;
  CLI::App app{"Measures the store beside LMDB, RocksDB, LevelDB, SQLite and Tkrzw."};
  app.add_option("--keys", keys, "Keys in a store (default 1000000; with --quick 100000)")
      ->check(CLI::Range(10'000, 100'000'000));
  app.add_option("--rounds", rounds, "How often each workload is run (default 3; with --quick 1)")
      ->check(CLI::Range(1, 99));
  app.add_option("--only", options.only, "Only these workloads, separated by commas")->delimiter(',');
  app.add_option("--engines", options.stores, "Only these stores, separated by commas")->delimiter(',');
  app.add_option("--folder", options.folder,
                 "Where the stores are made (default: /var/tmp, which is on a disk, as /tmp need not be)")
      ->check(CLI::ExistingDirectory);
  app.add_option("--minutes", options.minutes, "Begins no workload after so many minutes, and reports what it has");
  app.add_option("--json", json_path, "Writes all figures to this file");
  app.add_flag("--quick", options.quick, "A look in a few minutes; its ratios say little about large stores");
  app.add_flag("--no-growth", no_growth, "Leaves out the workloads with ten times the keys");
  app.add_flag("--list", list, "Lists workloads and stores, and measures nothing");
  CLI11_PARSE(app, argc, argv);
  if (list) {
    bench::list();
    return 0;
  }
  options.keys = keys != 0 ? keys : (options.quick ? 100'000 : 1'000'000);
  options.rounds = rounds != 0 ? rounds : (options.quick ? 1 : 3);
  options.growth = !no_growth;
  try {
    return bench::run(options, json_path);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kvb_bench: %s\n", error.what());
    bench::remove_folder(options.folder + "/kvb_bench." + std::to_string(::getpid()));
    return 1;
  }
}
