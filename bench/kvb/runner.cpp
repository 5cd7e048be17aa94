#include "runner.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>

namespace bench {
namespace {

constexpr double kStepSeconds = 600;

// Ctrl-C and the like: the stores are removed before the program ends.
volatile std::sig_atomic_t stop_asked = 0;
void ask_to_stop(int /*signal*/) {
  stop_asked = 1;
}

struct Outcome {
  std::vector<std::pair<std::string, double>> values;  // In the order in which they were reported.
  std::string failure;
};

// Runs `work` in a child, which reports over a pipe: lines `metric value`, and `! message` when it fails.
Outcome in_process(const std::function<void(Report)>& work) {
  int ends[2];
  if (::pipe(ends) != 0) throw Failure("cannot make a pipe");
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw Failure("cannot fork");
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    ::setpgid(0, 0);  // With children of its own: all of them end together.
    ::close(ends[0]);
    int code = 0;
    try {
      work([&](std::string_view metric, double value) {
        ::dprintf(ends[1], "%.*s %.17g\n", static_cast<int>(metric.size()), metric.data(), value);
      });
    } catch (const std::exception& error) {
      ::dprintf(ends[1], "! %s\n", error.what());
      code = 1;
    }
    ::_exit(code);
  }
  ::setpgid(child, child);
  ::close(ends[1]);
  std::string text;
  Outcome outcome;
  const Stopwatch watch;
  while (true) {
    pollfd waiting{ends[0], POLLIN, 0};
    const int left = static_cast<int>((kStepSeconds - watch.seconds()) * 1000);
    const int ready = left <= 0 ? 0 : ::poll(&waiting, 1, left);
    if (ready == 0) outcome.failure = "it was not through after ten minutes";
    if (stop_asked != 0) outcome.failure = "stopped by a signal";
    if (!outcome.failure.empty()) break;
    if (ready < 0) continue;
    char buffer[4096];
    const ssize_t got = ::read(ends[0], buffer, sizeof buffer);
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  if (!outcome.failure.empty()) ::kill(-child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  ::kill(-child, SIGKILL);  // What it may have left.
  if (stop_asked != 0) throw Failure(outcome.failure);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    const std::size_t space = line.find(' ');
    if (space == std::string::npos) continue;
    if (line.starts_with("! ")) {
      outcome.failure = line.substr(2);
    } else {
      outcome.values.emplace_back(line.substr(0, space), std::strtod(line.c_str() + space, nullptr));
    }
  }
  if (outcome.failure.empty() && status != 0) {
    outcome.failure = WIFSIGNALED(status) ? "ended by signal " + std::to_string(WTERMSIG(status)) : "ended by an error";
  }
  return outcome;
}

const char* folder_of(Place place) {
  switch (place) {
    case Place::fresh:
      return "fresh";
    case Place::loaded:
      return "loaded";
    case Place::compacted:
      return "compacted";
    case Place::grown:
      return "grown";
  }
  return "";
}

std::string shown(double value) {
  char text[32];
  if (value >= 1e6) {
    std::snprintf(text, sizeof text, "%.2f M", value / 1e6);
  } else if (value >= 1e4) {
    std::snprintf(text, sizeof text, "%.0f k", value / 1e3);
  } else {
    std::snprintf(text, sizeof text, "%.3g", value);
  }
  return text;
}

class Runner {
 public:
  explicit Runner(const Options& options) : options_(options) {
    const Values values;  // What all values are made of is made before memory is looked at.
    for (const PeerEntry& peer : all_peers()) {
      if (options.stores.empty() || std::ranges::find(options.stores, peer.name) != options.stores.end()) {
        peers_.push_back(peer);
      }
    }
    for (const std::string& name : options.stores) {
      if (std::ranges::find(peers_, name, &PeerEntry::name) == peers_.end()) {
        throw Failure("there is no store named " + name + "; --list shows them");
      }
    }
    for (const std::string& name : options.only) {
      if (std::ranges::find(all_steps(), name, &Step::name) == all_steps().end()) {
        throw Failure("there is no workload named " + name + "; --list shows them");
      }
    }
  }

  Results run() {
    const Stopwatch watch;
    for (unsigned round = 0; round < options_.rounds; ++round) {
      results_.loads.push_back(load_average());
      for (const Step& step : all_steps()) {
        if (!wanted(step) || (step.once && round > 0)) continue;
        std::printf("%u/%u  %-24s", round + 1, options_.rounds, step.name.c_str());
        std::fflush(stdout);
        try {
          for (const PeerEntry& peer : peers_) run_step(step, peer, round, true);
          if (step.bare) run_bare();
        } catch (const Failure&) {
          if (stop_asked == 0) throw;
        }
        std::printf("\n");
        // What was measured until then is worth having.
        if (stop_asked != 0 || watch.seconds() > options_.minutes * 60) {
          results_.seconds = watch.seconds();
          results_.complete = false;
          return std::move(results_);
        }
      }
    }
    results_.seconds = watch.seconds();
    return std::move(results_);
  }

 private:
  [[nodiscard]] bool wanted(const Step& step) const {
    if (step.place == Place::grown && !options_.growth) return false;
    return options_.only.empty() || std::ranges::find(options_.only, step.name) != options_.only.end();
  }

  [[nodiscard]] std::string path(Place place, const PeerEntry& peer) const {
    return options_.folder + "/" + peer.name + "/" + folder_of(place);
  }

  // What a step needs that --only has left out is done for it, without being reported.
  void prepare(const Step& step, const PeerEntry& peer, unsigned round) {
    const auto make = [&](Place place) {
      if (std::filesystem::exists(path(place, peer))) return;
      for (const Step& maker : all_steps()) {
        if (maker.makes_place && maker.place == place) run_step(maker, peer, round, false);
      }
    };
    if (step.place == Place::compacted && step.makes_place) {
      make(Place::loaded);
      copy_folder(path(Place::loaded, peer), path(Place::compacted, peer));
    } else if (step.place == Place::fresh || step.makes_place) {
      make_folder(path(step.place, peer));
    } else {
      make(step.place);
    }
  }

  void run_step(const Step& step, const PeerEntry& entry, unsigned round, bool report) {
    const auto peer = entry.make();
    if ((step.needs_order && !peer->ordered()) || (step.needs_processes && !peer->other_processes())) return;
    if (step.place == Place::grown &&
        std::ranges::find(options_.growth_stores, entry.name) == options_.growth_stores.end()) {
      return;
    }
    prepare(step, entry, round);
    if (step.writes) touch_free_memory(std::uint64_t{options_.quick ? 128u : 1024u} << 20);
    sync_disk(options_.folder);
    const Outcome outcome = in_process([&](Report to) {
      const std::uint64_t keys = options_.keys * (step.place == Place::grown ? 10 : 1);
      Setup setup;
      setup.folder = path(step.place, entry);
      setup.durable = step.durable;
      setup.large_values = step.large;
      setup.expected_keys = keys;
      setup.expected_bytes = keys * kPayload;
      Context context{step.name, *peer, setup, keys, round + 1, options_.quick, to};
      step.run(context);
    });
    if (!outcome.failure.empty()) {
      std::printf("  %s: %s", entry.name.c_str(), outcome.failure.c_str());
      results_.failures.push_back({step.name, entry.name, outcome.failure});
    } else if (report) {
      for (const auto& [metric, value] : outcome.values) results_.values[metric][entry.name].push_back(value);
      if (!outcome.values.empty()) {
        std::printf("  %s %s", entry.name.c_str(), shown(outcome.values.front().second).c_str());
      }
    }
    std::fflush(stdout);
    if (step.place == Place::fresh) remove_folder(path(step.place, entry));
  }

  void run_bare() {
    sync_disk(options_.folder);
    const Outcome outcome = in_process([&](Report to) { bare_durable(options_.folder, to); });
    if (!outcome.failure.empty()) throw Failure(outcome.failure);
    for (const auto& [metric, value] : outcome.values) results_.values[metric]["bare"].push_back(value);
    std::printf("  bare %s", shown(outcome.values.front().second).c_str());
  }

  const Options& options_;
  std::vector<PeerEntry> peers_;
  Results results_;
};

}  // namespace

Results run_all(const Options& options) {
  struct sigaction action{};
  action.sa_handler = ask_to_stop;  // Without SA_RESTART: poll returns.
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  return Runner(options).run();
}

}  // namespace bench
