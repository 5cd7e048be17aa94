#include "measure.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include "peer.h"

namespace bench {
namespace {

// The rest of the line of a file in /proc that begins with `name`.
std::string proc_line(const char* path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    const std::size_t from = line.find_first_not_of(" \t:", name.size());
    return from == std::string::npos ? std::string() : line.substr(from);
  }
  return {};
}

std::uint64_t proc_kilobytes(const char* path, const std::string& name) {
  return std::strtoull(proc_line(path, name).c_str(), nullptr, 10) << 10;
}

}  // namespace

double Timing::cpu_now() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::uint64_t private_bytes() {
  return proc_kilobytes("/proc/self/status", "RssAnon");
}

FolderSize folder_size(const std::string& folder) {
  FolderSize size;
  std::error_code error;
  // Stores remove files while this runs.
  for (std::filesystem::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    struct stat info{};
    if (::stat(at->path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    size.length += static_cast<std::uint64_t>(info.st_size);
    size.allocated += static_cast<std::uint64_t>(info.st_blocks) * 512;
  }
  return size;
}

void remove_folder(const std::string& folder) {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

void make_folder(const std::string& folder) {
  remove_folder(folder);
  std::filesystem::create_directories(folder);
}

void copy_folder(const std::string& from, const std::string& to) {
  remove_folder(to);
  const std::string command = "cp -r --sparse=always '" + from + "' '" + to + "'";
  if (std::system(command.c_str()) != 0) throw Failure("could not copy " + from);
}

void touch_free_memory(std::uint64_t bytes) {
  const std::uint64_t available = proc_kilobytes("/proc/meminfo", "MemAvailable");
  bytes = std::min(bytes, available / 2);
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory != MAP_FAILED) ::munmap(memory, bytes);
}

void sync_disk(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::syncfs(fd);
  ::close(fd);
}

std::uint32_t percentile(std::vector<std::uint32_t>& values, double percent) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::size_t>(percent / 100 * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(at));
  return values[at];
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Machine this_machine(const std::string& folder) {
  Machine machine;
  machine.cpu = proc_line("/proc/cpuinfo", "model name");
  utsname name{};
  if (::uname(&name) == 0) machine.kernel = std::string(name.sysname) + " " + name.release;
  machine.cores = std::thread::hardware_concurrency();
  machine.memory_bytes = proc_kilobytes("/proc/meminfo", "MemTotal");
  // The mount with the longest path that leads to the folder.
  const std::string path = std::filesystem::canonical(folder).string();
  std::ifstream mounts("/proc/mounts");
  std::string device, at, type, rest;
  std::size_t longest = 0;
  while (mounts >> device >> at >> type && std::getline(mounts, rest)) {
    if (path.starts_with(at) && at.size() >= longest) {
      longest = at.size();
      machine.file_system = type;
    }
  }
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", std::gmtime(&now));
  machine.date = text;
  return machine;
}

double load_average() {
  double load = 0;
  return ::getloadavg(&load, 1) == 1 ? load : 0;
}

}  // namespace bench
