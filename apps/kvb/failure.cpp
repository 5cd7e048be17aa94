#include "failure.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "text.h"

namespace kvb::cli {
namespace {

// A message on one line, and without anything that drives the terminal: it may hold a file name or a key.
std::string one_line(std::string_view message) {
  std::string escaped;
  append_escaped(escaped, message);
  // Backslashes of the message itself are meant for people.
  std::string out;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] == '\\' && i + 1 < escaped.size() && escaped[i + 1] == '\\') ++i;
    out += escaped[i];
  }
  return out;
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += fmt::format("\"{}", name);
  if (is_utf8(text)) {
    out += "\":";
    append_json_string(out, text);
  } else {
    out += "_base64\":\"";
    append_base64(out, text);
    out += '"';
  }
}

std::string as_json_line(const Failure& failure) {
  std::string out = "{\"error\":{";
  append_member(out, "code", failure.code);
  out += ',';
  append_member(out, "message", is_utf8(failure.message) ? failure.message : one_line(failure.message));
  out += fmt::format(",\"exit_code\":{}", static_cast<int>(failure.exit));
  if (failure.engine) {
    const Error& error = *failure.engine;
    out += fmt::format(",\"number\":{}", static_cast<int>(error.code));
    if (!error.path.empty()) {
      out += ',';
      append_member(out, "path", error.path);
    }
    if (error.offset_bytes) out += fmt::format(",\"offset_bytes\":{}", *error.offset_bytes);
    if (error.key_hash) out += fmt::format(",\"key_hash\":\"{:016x}\"", *error.key_hash);
    if (error.system_errno != 0) out += fmt::format(",\"errno\":{}", error.system_errno);
    if (error.holder_pid != 0) out += fmt::format(",\"holder_pid\":{}", error.holder_pid);
    if (error.holder_since_seconds != 0) {
      out += fmt::format(",\"holder_since\":\"{}\"", rfc3339(error.holder_since_seconds * 1'000'000'000));
    }
  }
  out += "}}\n";
  return out;
}

}  // namespace

std::unexpected<Failure> usage_failure(std::string message) {
  return std::unexpected(
      Failure{.exit = ExitCode::usage, .code = "usage", .message = std::move(message), .engine = std::nullopt});
}

std::unexpected<Failure> input_failure(std::string message, int system_errno) {
  if (system_errno != 0) message += fmt::format(" [errno {}]", system_errno);
  return std::unexpected(
      Failure{.exit = ExitCode::error, .code = "input", .message = std::move(message), .engine = std::nullopt});
}

std::unexpected<Failure> not_found_failure(std::string code, std::string message) {
  return std::unexpected(Failure{
      .exit = ExitCode::not_found, .code = std::move(code), .message = std::move(message), .engine = std::nullopt});
}

std::unexpected<Failure> engine_failure(Error error, std::string_view advice) {
  std::string message = error.to_string();
  if (!advice.empty()) message += fmt::format(" {}", advice);
  return std::unexpected(Failure{.exit = ExitCode::error,
                                 .code = std::string(error_name(error.code)),
                                 .message = std::move(message),
                                 .engine = std::move(error)});
}

void report(const Failure& failure, bool as_json) {
  std::string line;
  if (as_json) {
    line = as_json_line(failure);
  } else if (wants_colour(STDERR_FILENO)) {
    line = "\x1b[1;31mkvb:\x1b[0m " + one_line(failure.message) + '\n';
  } else {
    line = "kvb: " + one_line(failure.message) + '\n';
  }
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

bool wants_colour(int descriptor) {
  const char* no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  const char* terminal = std::getenv("TERM");
  if (terminal == nullptr || std::string_view(terminal) == "dumb") return false;
  return isatty(descriptor) == 1;
}

}  // namespace kvb::cli
