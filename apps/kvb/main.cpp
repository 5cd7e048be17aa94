// The `kvb` command.

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include "output.h"
#include "program.h"

int main(int argc, char** argv) {
  // A reader that leaves, as `head` does, is seen by the write that fails, not by a signal.
  std::signal(SIGPIPE, SIG_IGN);
  if (!kvb::cli::protect_standard_streams()) return 3;
  return kvb::cli::run_words(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
}
