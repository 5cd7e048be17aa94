// From the words to the exit code: arguments.h prepares the words, command_line.h parses them, commands.h does the
// work, failure.h tells what went wrong.

#include "program.h"

#include <unistd.h>

#include <new>

#include "arguments.h"
#include "command_line.h"
#include "failure.h"
#include "output.h"

namespace kvb::cli {
namespace {

Outcome run_command_line(const std::vector<std::string>& words, Output& output) {
  const auto command = name_command(words);
  if (!command) return std::unexpected(command.error());
  const auto hidden = HiddenWords::hide(*command);
  if (!hidden) return std::unexpected(hidden.error());
  Outcome outcome = run_command(*hidden, output);
  if (auto flushed = output.flush(); !flushed && outcome) return std::unexpected(flushed.error());
  return outcome;
}

}  // namespace

int run_words(const std::vector<std::string>& words) {
  Output output(STDOUT_FILENO);
  Outcome outcome;
  try {
    outcome = run_command_line(words, output);
  } catch (const std::bad_alloc&) {
    outcome = std::unexpected(Failure{ExitCode::error, "out_of_memory", "Memory ran out. Close other programs.", {}});
  }
  if (outcome) return static_cast<int>(*outcome);
  report(outcome.error(), asks_for_json(words));
  return static_cast<int>(outcome.error().exit);
}

}  // namespace kvb::cli
