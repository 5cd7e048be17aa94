#include "wfl/keystore/errors.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <ctime>

namespace wfl::keystore {
namespace {

using kvb::ErrorCode;
using vm::ErrorKind;

ErrorKind kind_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::not_found:
      return ErrorKind::kKeystoreNotFound;
    case ErrorCode::already_exists:
      return ErrorKind::kKeystoreExists;
    case ErrorCode::busy:
      return ErrorKind::kKeystoreBusy;
    case ErrorCode::not_a_bucket:
    case ErrorCode::damaged:
      return ErrorKind::kKeystoreDamaged;
    case ErrorCode::full:
      return ErrorKind::kKeystoreFull;
    case ErrorCode::permission_denied:
      return ErrorKind::kPermissionDenied;
    case ErrorCode::wrong_key:
      return ErrorKind::kWrongEncryptionKey;
    case ErrorCode::out_of_memory:
      return ErrorKind::kResourceLimit;
    case ErrorCode::unsupported:
    case ErrorCode::io_error:
    case ErrorCode::invalid_argument:
    case ErrorCode::read_only:
    case ErrorCode::closed:
    case ErrorCode::poisoned:
    case ErrorCode::forked:
    case ErrorCode::snapshot_expired:
    case ErrorCode::not_supported_yet:
      return ErrorKind::kGeneral;
  }
  return ErrorKind::kGeneral;
}

// What the engine says about the failure, with a full stop, and in the words of the language: a bucket is a keystore
// there.
std::string engine_words(const kvb::Error& error) {
  std::string words = error.message.empty() ? std::string(kvb::error_sentence(error.code)) : error.message;
  constexpr std::string_view kEngineWord = "bucket";
  constexpr std::string_view kOurWord = "keystore";
  for (std::size_t at = words.find(kEngineWord); at != std::string::npos; at = words.find(kEngineWord, at)) {
    words.replace(at, kEngineWord.size(), kOurWord);
    at += kOurWord.size();
  }
  if (!words.empty() && words.back() != '.' && words.back() != '!' && words.back() != '?') words += '.';
  return words;
}

std::string busy_sentence(const kvb::Error& error, std::string_view path) {
  if (error.holder_pid == ::getpid()) return busy_in_this_program(path).message;
  std::string holder = "another program";
  if (error.holder_pid > 0) {
    holder += fmt::format(" (process {}", error.holder_pid);
    if (error.holder_since_seconds > 0) {
      const auto since = static_cast<std::time_t>(error.holder_since_seconds);
      std::tm local{};
      if (::localtime_r(&since, &local) != nullptr) holder += fmt::format(", since {:%Y-%m-%d %H:%M:%S}", local);
    }
    holder += ")";
  }
  return fmt::format(
      "The keystore \"{0}\" is being written by {1}, and only one program can write at a time. Wait until that program "
      "has "
      "finished, or read beside it with: open keystore at \"{0}\" for reading as NAME.",
      path, holder);
}

std::string sentence_for(const kvb::Error& error, std::string_view path) {
  switch (error.code) {
    case ErrorCode::not_found:
      return fmt::format(
          "There is no keystore at \"{0}\". Check the path, or make the keystore with: create keystore at \"{0}\" as "
          "NAME. "
          "`open or create keystore at` does whichever is needed.",
          path);
    case ErrorCode::already_exists:
      return fmt::format(
          "There is a file at \"{0}\" already, and `create` never overwrites one. Use what is there with: open "
          "keystore at "
          "\"{0}\" as NAME. `open or create keystore at` does whichever is needed.",
          path);
    case ErrorCode::busy:
      return busy_sentence(error, path);
    case ErrorCode::not_a_bucket:
      return fmt::format(
          "The file \"{}\" is not a keystore, so it was left as it is. Check the path: a keystore is a file that "
          "`create "
          "keystore` made.",
          path);
    case ErrorCode::damaged:
      return fmt::format(
          "The keystore \"{}\" is damaged: {} Make a copy of the file before you go on. If it can be opened, `verify "
          "KEYSTORE as NAME` lists all that is wrong.",
          path, engine_words(error));
    case ErrorCode::full:
      return fmt::format(
          "There is no space left on the disk for the keystore \"{}\", so nothing was changed. Make room and try "
          "again; "
          "removing keys still works.",
          path);
    case ErrorCode::permission_denied:
      return fmt::format(
          "The rights to use the keystore \"{0}\" are missing. Ask the owner of the file or the folder for them. If "
          "you may "
          "read it, this works: open keystore at \"{0}\" for reading as NAME.",
          path);
    case ErrorCode::wrong_key:
      return fmt::format("The encryption key does not fit the keystore \"{}\". {}", path, engine_words(error));
    case ErrorCode::read_only:
      return fmt::format(
          "The keystore \"{0}\" is open for reading only, so nothing can be changed in it. To write, open it without "
          "`for "
          "reading`: open keystore at \"{0}\" as NAME.",
          path);
    case ErrorCode::closed:
      return fmt::format(
          "The keystore \"{0}\" has been closed. Open it again before you use it: open keystore at \"{0}\" as NAME.",
          path);
    case ErrorCode::poisoned:
      return fmt::format(
          "The disk failed while the keystore \"{0}\" was being written, so it takes no more changes; reading still "
          "works. "
          "{1} Close it and open it again.",
          path, engine_words(error));
    case ErrorCode::out_of_memory:
      return fmt::format("There is not enough memory for this with the keystore \"{}\". {}", path, engine_words(error));
    case ErrorCode::unsupported:
    case ErrorCode::io_error:
    case ErrorCode::invalid_argument:
    case ErrorCode::forked:
    case ErrorCode::snapshot_expired:
    case ErrorCode::not_supported_yet:
      return fmt::format("The keystore \"{}\": {}", path, engine_words(error));
  }
  return fmt::format("The keystore \"{}\": {}", path, engine_words(error));
}

}  // namespace

vm::Error describe(const kvb::Error& error, std::string_view path) {
  return {.kind = kind_of(error.code), .message = sentence_for(error, path)};
}

vm::Error busy_in_this_program(std::string_view path) {
  return {
      .kind = ErrorKind::kKeystoreBusy,
      .message = fmt::format(
          "The keystore \"{0}\" is already open for writing in this program. Use the name it has, or close it first "
          "with: close keystore NAME. Reading beside it is possible with: open keystore at \"{0}\" for reading as "
          "NAME.",
          path)};
}

vm::Error not_yet(std::string_view what, std::string_view instead) {
  return {.kind = ErrorKind::kGeneral,
          .message = fmt::format("{} is not yet possible in this version of WFL. {}", what, instead)};
}

}  // namespace wfl::keystore
