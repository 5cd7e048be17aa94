#include "source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace kvb::cli {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;
// A key and a value in base64 with the names around them take less.
constexpr std::uint64_t kMostLineBytes = std::uint64_t{6} << 30;

}  // namespace

Expected<Source> Source::open(const std::string& path) {
  const bool standard_input = path == "-";
  const int descriptor = standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const int failed = errno;
    return input_failure(fmt::format("The file '{}' cannot be opened: {}.", path, std::strerror(failed)), failed);
  }
  struct stat status{};
  const bool is_file = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  return Source(descriptor, standard_input ? "standard input" : path,
                is_file ? static_cast<std::uint64_t>(status.st_size) : 0);
}

Source::Source(Source&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      name_(std::move(other.name_)),
      of_bytes_(other.of_bytes_),
      done_bytes_(other.done_bytes_),
      buffer_(std::move(other.buffer_)),
      at_(other.at_),
      filled_(other.filled_) {}

Source::~Source() {
  if (descriptor_ > STDIN_FILENO) close(descriptor_);
}

Expected<bool> Source::fill() {
  if (at_ > 0) {
    buffer_.erase(0, at_);
    filled_ -= at_;
    at_ = 0;
  }
  if (buffer_.size() < filled_ + kReadBytes) buffer_.resize(std::max(filled_ + kReadBytes, filled_ * 2));
  for (;;) {
    const ssize_t got = read(descriptor_, buffer_.data() + filled_, buffer_.size() - filled_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int failed = errno;
      return input_failure(fmt::format("Reading {} failed: {}.", name_, std::strerror(failed)), failed);
    }
    filled_ += static_cast<std::size_t>(got);
    done_bytes_ += static_cast<std::uint64_t>(got);
    return got > 0;
  }
}

Expected<bool> Source::begins_with(std::string_view bytes) {
  while (filled_ - at_ < bytes.size()) {
    const auto more = fill();
    if (!more) return more;
    if (!*more) return false;
  }
  return std::string_view(buffer_).substr(at_, bytes.size()) == bytes;
}

Expected<std::optional<std::string_view>> Source::line() {
  std::size_t searched = 0;  // From at_ on.
  for (;;) {
    const std::string_view unread = std::string_view(buffer_).substr(at_, filled_ - at_);
    const std::size_t newline = unread.find('\n', searched);
    if (newline != std::string_view::npos) {
      at_ += newline + 1;
      return unread.substr(0, newline);
    }
    searched = unread.size();
    if (searched > kMostLineBytes) {
      return input_failure(fmt::format("A line of {} is longer than any entry of a bucket can be.", name_));
    }
    const auto more = fill();
    if (!more) return std::unexpected(more.error());
    if (!*more) {
      if (filled_ == at_) return std::nullopt;
      const std::string_view last = std::string_view(buffer_).substr(at_, filled_ - at_);
      at_ = filled_;
      return last;
    }
  }
}

Expected<std::string> Source::bytes(std::uint64_t count) {
  std::string result;
  for (;;) {
    const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(filled_ - at_, count - result.size()));
    result.append(buffer_, at_, take);
    at_ += take;
    if (result.size() == count) return result;
    const auto more = fill();
    if (!more) return std::unexpected(more.error());
    if (!*more) return result;
  }
}

}  // namespace kvb::cli
