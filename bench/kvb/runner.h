#pragma once
// Runs the steps: each in a process of its own, store after store within a step, step after step within a round. So a
// disturbance of some seconds hits neighbours and not one store alone, and medians over the rounds leave it out.

#include <map>
#include <string>
#include <vector>

#include "measure.h"
#include "steps.h"

namespace bench {

struct Options {
  std::uint64_t keys = 1'000'000;
  unsigned rounds = 3;
  bool quick = false;
  bool growth = true;
  std::vector<std::string> only;           // Names of steps; empty: all.
  std::vector<std::string> stores;         // Empty: all.
  std::vector<std::string> growth_stores;  // For ten times the keys.
  std::string folder;
  double minutes = 600;  // No step begins after them.
};

struct FailedStep {
  std::string step, store, message;
};

struct Results {
  // Metric, store, a value each round. The store "bare" is the machine without a store.
  std::map<std::string, std::map<std::string, std::vector<double>>> values;
  std::vector<FailedStep> failures;
  std::vector<double> loads;  // Load average of the machine before each round.
  double seconds = 0;
  bool complete = true;  // It was neither stopped nor out of time.
};

// Throws Failure if an option names what is not there.
Results run_all(const Options& options);

}  // namespace bench
