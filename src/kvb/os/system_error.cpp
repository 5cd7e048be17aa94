#include "kvb/os/system_error.h"

#include <cerrno>
#include <system_error>
#include <utility>

namespace kvb::os {
namespace {

struct Meaning {
  ErrorCode code;
  std::string_view advice;  // A whole sentence, or empty.
};

Meaning meaning_of(int error_number) {
  switch (error_number) {
    case ENOSPC:
      return {ErrorCode::full, "Make room on the device, then try again."};
    case EDQUOT:
      return {ErrorCode::full, "The quota for disk space is used up: make room or have it raised, then try again."};
    case EFBIG:
      return {ErrorCode::full,
              "The file would be larger than its file system or the process's limit (ulimit -f) allows."};
    case ENOENT:
      return {ErrorCode::not_found, ""};
    case EEXIST:
      return {ErrorCode::already_exists, "Choose another name, or open the file that is there."};
    case EACCES:
    case EPERM:
      return {ErrorCode::permission_denied, "Ask the file's owner for the right, or run as a user who has it."};
    case EROFS:
      return {ErrorCode::permission_denied,
              "The file system is mounted for reading only: open the bucket for reading only."};
    case ENOMEM:
      return {ErrorCode::out_of_memory, "Close other programs or raise the process's memory limit."};
    case EMFILE:
    case ENFILE:
      return {ErrorCode::io_error, "Too many files are open: close some, or raise the limit (ulimit -n)."};
    case ENAMETOOLONG:
    case ELOOP:
    case ENOTDIR:
      return {ErrorCode::invalid_argument, "Check the path."};
    case EISDIR:
      return {ErrorCode::invalid_argument, "A bucket is a file: name a file in that folder."};
    default:
      return {ErrorCode::io_error, "Check the device and the system's log."};
  }
}

}  // namespace

Error system_error(int error_number, std::string_view what, const std::string& path,
                   std::optional<std::uint64_t> offset_bytes) {
  const Meaning meaning = meaning_of(error_number);
  Error error;
  error.code = meaning.code;
  error.message = "Could not " + std::string(what) + ": " + std::generic_category().message(error_number) + ".";
  if (!meaning.advice.empty()) error.message += " " + std::string(meaning.advice);
  error.path = path;
  error.offset_bytes = offset_bytes;
  error.system_errno = error_number;
  return error;
}

std::unexpected<Error> failure(ErrorCode code, std::string message, const std::string& path,
                               std::optional<std::uint64_t> offset_bytes) {
  Error error;
  error.code = code;
  error.message = std::move(message);
  error.path = path;
  error.offset_bytes = offset_bytes;
  return std::unexpected(std::move(error));
}

}  // namespace kvb::os
