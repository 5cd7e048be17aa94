#include "wfl/stdlib/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace wfl::stdlib {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

Descriptor::~Descriptor() {
  reset();
}

void Descriptor::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::string FileTable::add(OpenFile file) {
  std::string handle = "file" + std::to_string(next_++);
  files_.emplace(handle, std::move(file));
  return handle;
}

OpenFile* FileTable::find(std::string_view handle) {
  const auto it = files_.find(std::string(handle));
  return it == files_.end() ? nullptr : &it->second;
}

namespace {
// Pipes and devices can't be synchronised; that is no failure of the program.
bool make_durable(const OpenFile& file) {
  return !file.writable || ::fsync(file.descriptor.get()) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP;
}
}  // namespace

void FileTable::close_all() {
  for (const auto& [handle, file] : files_) make_durable(file);
  files_.clear();
}

std::expected<void, vm::Error> FileTable::close(std::string_view handle) {
  const auto it = files_.find(std::string(handle));
  if (it == files_.end()) return {};
  const OpenFile file = std::move(it->second);
  files_.erase(it);
  if (!make_durable(file)) {
    return std::unexpected(file_error("Failed to flush file " + file.path + " during close", errno));
  }
  return {};
}

vm::Error file_error(std::string what, int error_number) {
  vm::ErrorKind kind = vm::ErrorKind::kGeneral;
  if (error_number == ENOENT) kind = vm::ErrorKind::kFileNotFound;
  if (error_number == EACCES || error_number == EPERM) kind = vm::ErrorKind::kPermissionDenied;
  return {kind, std::move(what) + ": " + std::strerror(error_number)};
}

std::expected<std::string, vm::Error> read_all(int fd, const std::string& name, std::size_t limit) {
  const auto too_large = [&] {
    return std::unexpected(vm::Error{
        vm::ErrorKind::kResourceLimit,
        "File " + name + " is larger than the read limit of " + std::to_string(limit) + " bytes (max_file_read_size)"});
  };
  struct stat info{};
  std::string bytes;
  if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
    const off_t at = ::lseek(fd, 0, SEEK_CUR);
    const auto left = static_cast<std::size_t>(info.st_size > at ? info.st_size - at : 0);
    if (left > limit) return too_large();
    bytes.reserve(left + 1);
  }
  char buffer[65536];
  while (true) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(file_error("Failed to read file " + name, errno));
    }
    if (got == 0) return bytes;
    if (bytes.size() + static_cast<std::size_t>(got) > limit) return too_large();
    bytes.append(buffer, static_cast<std::size_t>(got));
  }
}

std::expected<void, vm::Error> write_all(int fd, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(file_error("Failed to write to file " + name, errno));
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

std::expected<void, vm::Error> write_file(const std::string& path, std::string_view bytes) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file.is_open()) return std::unexpected(file_error("Failed to open file " + path, errno));
  return write_all(file.get(), bytes, path);
}

std::expected<std::string, vm::Error> read_file(const std::string& path, std::size_t limit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return std::unexpected(file_error("Failed to open file " + path, errno));
  return read_all(file.get(), path, limit);
}

}  // namespace wfl::stdlib
