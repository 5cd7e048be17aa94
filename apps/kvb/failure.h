#pragma once
// How a command ends: with an exit code, or with a Failure that is told on stderr in words or as JSON.

#include <kvb/error.h>

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace kvb::cli {

// Part of the command's contract; `kvb --help` lists them.
enum class ExitCode : int {
  ok = 0,
  not_found = 1,  // The key is missing, or the condition of a put did not hold.
  usage = 2,      // The command line cannot mean anything.
  error = 3,      // It was understood, but could not be done.
};

struct Failure {
  ExitCode exit = ExitCode::error;
  std::string code;             // Stable, for machines: a name of <kvb/error_codes.def>, or one of ours.
  std::string message;          // One line: what happened, and what to do now.
  std::optional<Error> engine;  // The details, if the engine reported it.
};

template <typename T>
using Expected = std::expected<T, Failure>;

// What a command answers when it got through.
using Outcome = Expected<ExitCode>;

// The command line is wrong.
[[nodiscard]] std::unexpected<Failure> usage_failure(std::string message);

// Something outside the bucket is in the way, for example a file that cannot be read.
[[nodiscard]] std::unexpected<Failure> input_failure(std::string message, int system_errno = 0);

// The key is missing, or a put's condition did not hold.
[[nodiscard]] std::unexpected<Failure> not_found_failure(std::string code, std::string message);

// An error of the engine; `advice` is what the engine cannot know, such as a command or an option of ours that helps.
[[nodiscard]] std::unexpected<Failure> engine_failure(Error error, std::string_view advice = {});

// Tells a failure on stderr: one line that begins with "kvb: ", or one JSON object on a line.
void report(const Failure& failure, bool as_json);

// Whether to colour what goes to this descriptor: a terminal, NO_COLOR unset or empty, TERM not "dumb".
[[nodiscard]] bool wants_colour(int descriptor);

}  // namespace kvb::cli
