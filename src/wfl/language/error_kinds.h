// The kinds of run-time errors. A kind decides which `when …` handler catches an error and the bracketed prefix in the
// one-line form of the message. One table makes the enum, the prefixes and the words a handler is written with.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wfl::language {

// X(name, prefix in messages, words of the handler after `when`; empty when no handler names the kind)
#define WFL_ERROR_KINDS(X)                                                 \
  X(kGeneral, "", "error")                                                 \
  X(kTimeout, "Timeout", "")                                               \
  X(kResourceLimit, "Resource limit", "")                                  \
  X(kCancelled, "Cancelled", "")                                           \
  X(kFileNotFound, "File not found", "file not found")                     \
  X(kPermissionDenied, "Permission denied", "permission denied")           \
  X(kProcessNotFound, "Process not found", "process not found")            \
  X(kProcessSpawnFailed, "Process spawn failed", "process spawn failed")   \
  X(kProcessKillFailed, "Process kill failed", "process kill failed")      \
  X(kCommandNotFound, "Command not found", "command not found")            \
  X(kKeystoreNotFound, "Keystore not found", "keystore not found")         \
  X(kKeystoreExists, "Keystore already exists", "keystore already exists") \
  X(kKeystoreBusy, "Keystore busy", "keystore busy")                       \
  X(kWrongEncryptionKey, "Wrong encryption key", "wrong encryption key")   \
  X(kKeystoreDamaged, "Keystore damaged", "keystore damaged")              \
  X(kKeystoreFull, "Keystore full", "keystore full")                       \
  X(kNotAvailable, "Not available", "")                                    \
  X(kExitProgram, "Exit program", "")

enum class ErrorKind : std::uint8_t {
#define WFL_KIND_NAME(name, prefix, words) name,
  WFL_ERROR_KINDS(WFL_KIND_NAME)
#undef WFL_KIND_NAME
};

struct ErrorKindInfo {
  ErrorKind kind;
  std::string_view prefix;
  std::string_view words;
};

inline constexpr std::array kErrorKinds = {
#define WFL_KIND_ROW(name, prefix, words) ErrorKindInfo{ErrorKind::name, prefix, words},
    WFL_ERROR_KINDS(WFL_KIND_ROW)
#undef WFL_KIND_ROW
};

[[nodiscard]] constexpr std::string_view error_prefix(ErrorKind kind) {
  return kErrorKinds[static_cast<std::size_t>(kind)].prefix;
}

// The kind a handler names with these words, or nothing when no kind has them.
[[nodiscard]] constexpr std::optional<ErrorKind> error_kind_from_words(std::string_view words) {
  for (const ErrorKindInfo& info : kErrorKinds) {
    if (!info.words.empty() && info.words == words) return info.kind;
  }
  return std::nullopt;
}

// Whether a handler written for `handler` catches an error of kind `raised`. `when error` catches everything that can
// be caught at all; `when file not found` also catches a keystore that is not there. `exit program` is no error to a
// handler.
[[nodiscard]] constexpr bool handler_catches(ErrorKind handler, ErrorKind raised) {
  if (raised == ErrorKind::kExitProgram) return false;
  if (handler == ErrorKind::kGeneral) return true;
  if (handler == ErrorKind::kFileNotFound && raised == ErrorKind::kKeystoreNotFound) return true;
  return handler == raised;
}

}  // namespace wfl::language
