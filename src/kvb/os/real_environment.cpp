// The machine itself as an Environment: files, clocks, randomness, and who this process is.
#include <fcntl.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <thread>

#include "kvb/os/file.h"
#include "kvb/os/posix_file.h"
#include "kvb/os/system_error.h"

namespace kvb::os {
namespace {

std::int64_t clock_ns(clockid_t clock) {
  struct timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

class RealEnvironment final : public Environment {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    return PosixFile::open(path, mode);
  }

  Result<void> sync_directory_of(const std::string& path) override {
    const auto slash = path.find_last_of('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
    const Descriptor descriptor = Descriptor::open(folder.c_str(), O_RDONLY | O_DIRECTORY);
    if (descriptor.get() < 0) return std::unexpected(system_error(errno, "open the folder '" + folder + "'", path));
    while (::fsync(descriptor.get()) != 0) {
      if (errno == EINTR) continue;
      if (errno == EINVAL) return {};  // Some file systems keep their directories durable themselves and refuse this.
      Error error = system_error(errno, "make the entry in the folder '" + folder + "' durable", path);
      error.code = ErrorCode::io_error;
      return std::unexpected(std::move(error));
    }
    return {};
  }

  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return std::unexpected(system_error(errno, "remove the file", path));
    return {};
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno != EINVAL && errno != ENOSYS) return std::unexpected(system_error(errno, "give the file its name", to));
    // Some file systems cannot rename without replacing. A second name is refused by all of them if it is taken.
    if (::link(from.c_str(), to.c_str()) != 0) {
      return std::unexpected(system_error(errno, "give the file its name", to));
    }
    return remove(from);
  }

  std::int64_t wall_clock_ns() const override { return clock_ns(CLOCK_REALTIME); }
  std::int64_t coarse_wall_clock_ns() const override { return clock_ns(CLOCK_REALTIME_COARSE); }
  std::int64_t monotonic_ns() const override { return clock_ns(CLOCK_MONOTONIC); }
  void sleep(std::chrono::nanoseconds duration) override { std::this_thread::sleep_for(duration); }

  void fill_random(MutableBytes out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t got = ::getrandom(out.data() + done, out.size() - done, 0);
      if (got > 0) {
        done += static_cast<std::size_t>(got);
      } else if (errno != EINTR) {
        break;
      }
    }
    if (done == out.size()) return;
    // A kernel older than the call.
    std::ifstream device("/dev/urandom", std::ios::binary);
    device.read(reinterpret_cast<char*>(out.data() + done), static_cast<std::streamsize>(out.size() - done));
  }

  ProcessInfo process() const override {
    ProcessInfo info;
    info.pid = ::getpid();
    std::getline(std::ifstream("/proc/self/comm"), info.program);
    struct utsname names{};
    if (::uname(&names) == 0) info.host = names.nodename;
    return info;
  }

  bool has_background_threads() const override { return true; }
};

}  // namespace

Environment& real_environment() {
  static auto* const instance = new RealEnvironment;  // Never destroyed: buckets may outlive static destruction.
  return *instance;
}

}  // namespace kvb::os
