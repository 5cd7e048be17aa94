#pragma once
// Errors of the engine are values: a code, a sentence, and the place (file, byte offset, key hash) where there is one.
// No function of the engine throws, aborts or raises a signal for a bad file, a full disk or an I/O error.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace kvb {

enum class ErrorCode : int {
#define KVB_ERROR(name, number, c_name, sentence) name = number,
#include <kvb/error_codes.def>
#undef KVB_ERROR
};

// The code's name as written in the source, for example "already_exists"; stable, for machines.
[[nodiscard]] std::string_view error_name(ErrorCode code) noexcept;

// What the code means, as one English sentence part without a full stop.
[[nodiscard]] std::string_view error_sentence(ErrorCode code) noexcept;

struct Error {
  ErrorCode code{};
  std::string message{};                        // A whole sentence: what happened, and what to do now.
  std::string path{};                           // The file concerned; empty if there is none.
  std::optional<std::uint64_t> offset_bytes{};  // Where in the file, if it is about a place.
  std::optional<std::uint64_t> key_hash{};      // Hash of the key concerned, if a record is known by it.
  int system_errno = 0;                         // errno of the failed call, or 0.
  std::int64_t holder_pid = 0;                  // For `busy`: the process that writes to the bucket, or 0 if unknown.
  std::int64_t holder_since_seconds = 0;        // For `busy`: since when, seconds since the Unix epoch, or 0.

  // "PATH: MESSAGE [at byte N]", ready to be shown.
  [[nodiscard]] std::string to_string() const;
};

template <typename T>
using Result = std::expected<T, Error>;

}  // namespace kvb
