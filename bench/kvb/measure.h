#pragma once
// Time, memory, files, and keeping the machine out of the figures.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Some stores need a minute for what takes others a second. They are stopped then, and what they did until then counts.
[[nodiscard]] inline bool is_over(const Stopwatch& watch, std::size_t done, double seconds) {
  return done % 256 == 0 && watch.seconds() > seconds;
}
inline constexpr double kReadPatience = 3;
inline constexpr double kWritePatience = 6;  // A store that is smaller for it is quicker, if anything.
inline constexpr double kChurnPatience = 20;

// The time, and the processor time that all threads of this process have used meanwhile. That is what the work costs
// where other programs take turns on the processors, and it counts what a store does in the background.
class Timing : public Stopwatch {
 public:
  Timing() : cpu_start_(cpu_now()) {}
  [[nodiscard]] double cpu_seconds() const { return cpu_now() - cpu_start_; }

 private:
  static double cpu_now();
  double cpu_start_;
};

// Memory of this process that no file backs.
std::uint64_t private_bytes();

struct FolderSize {
  std::uint64_t length = 0;     // Sum of the files' lengths.
  std::uint64_t allocated = 0;  // Blocks that they occupy: what counts for files with holes.
};
FolderSize folder_size(const std::string& folder);

void remove_folder(const std::string& folder);
void copy_folder(const std::string& from, const std::string& to);  // Keeps holes.
// Empties it, if it is there.
void make_folder(const std::string& folder);

// A guest gives memory that nobody uses back to its host, and the first touch of such a page costs 10 µs: ten times a
// put. Touching free memory before a step keeps that out of it.
void touch_free_memory(std::uint64_t bytes);
// Writes out what steps before have left in the page cache, so that it is not written during the next.
void sync_disk(const std::string& folder);

// The value that so many of a hundred are at most. Sorts.
std::uint32_t percentile(std::vector<std::uint32_t>& values, double percent);
double median(std::vector<double> values);

struct Machine {
  std::string cpu, kernel, file_system, date;
  unsigned cores = 0;
  std::uint64_t memory_bytes = 0;
};
Machine this_machine(const std::string& folder);
// Of the last minute; above 1 before the benchmark begins, others use the machine too.
double load_average();

}  // namespace bench
