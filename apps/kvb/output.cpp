#include "output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace kvb::cli {
namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;

}  // namespace

Expected<void> Output::write(std::string_view bytes) {
  if (buffer_.size() + bytes.size() < kBufferBytes) {
    buffer_ += bytes;
    return {};
  }
  if (auto flushed = flush(); !flushed) return flushed;
  if (bytes.size() >= kBufferBytes) return send(bytes);
  buffer_ += bytes;
  return {};
}

Expected<void> Output::flush() {
  auto sent = send(buffer_);
  buffer_.clear();
  return sent;
}

bool Output::is_terminal() const noexcept {
  return isatty(descriptor_) == 1;
}

Expected<void> Output::send(std::string_view bytes) {
  while (!bytes.empty() && !reader_left_) {
    const ssize_t sent = ::write(descriptor_, bytes.data(), bytes.size());
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EPIPE) {
      reader_left_ = true;
    } else if (errno != EINTR) {
      const int failed = errno;
      return input_failure(fmt::format("Writing to standard output failed: {}.", std::strerror(failed)), failed);
    }
  }
  return {};
}

bool protect_standard_streams() noexcept {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (fcntl(stream, F_GETFD) >= 0) continue;
    if (open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return false;
  }
  return true;
}

}  // namespace kvb::cli
