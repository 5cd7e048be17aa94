#pragma once
// A file mapped for reading in windows that are made when first needed and never moved or unmapped before the file is
// closed, so that pointers into them stay good while the file grows.
//
// Windows are 256 MiB long and begin every 128 MiB: any range of up to 128 MiB lies wholly in one of them, and which
// one follows from its offset. Longer ranges get a mapping of their own. A window may reach behind the file's end; what
// is there can be read once the file has grown over it.

#include <kvb/error.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace kvb::os {

class FileMap {
 public:
  // `fd` must stay open as long as this lives.
  FileMap(int fd, const std::string& path) noexcept : fd_(fd), path_(path) {}
  ~FileMap();
  FileMap(const FileMap&) = delete;
  FileMap& operator=(const FileMap&) = delete;

  // The caller has checked that the range lies in the file.
  [[nodiscard]] Result<const std::byte*> range(std::uint64_t offset, std::uint64_t length);

  // The word at an offset that is a multiple of 8, writable and shared with other processes.
  [[nodiscard]] Result<std::uint64_t*> writable_word(std::uint64_t offset);

 private:
  static constexpr std::uint64_t kStride = std::uint64_t{128} << 20;
  static constexpr std::uint64_t kWindow = 2 * kStride;

  struct Mapped {
    std::byte* base = nullptr;
    std::uint64_t length = 0;
  };
  using Slot = std::atomic<const std::byte*>;

  [[nodiscard]] Result<const std::byte*> window(std::uint64_t number);
  [[nodiscard]] Result<Mapped> map(std::uint64_t offset, std::uint64_t length, bool writable);

  int fd_;
  const std::string& path_;
  std::mutex mutex_;  // Held to make a mapping, never to use one.
  // Block k has 2^k windows: the table grows without moving, so that looking up needs no lock.
  std::array<std::atomic<Slot*>, 37> blocks_{};
  std::array<std::unique_ptr<Slot[]>, 37> block_owners_;
  std::map<std::uint64_t, Mapped> long_ranges_;       // By offset of the first page.
  using WordPages = std::map<std::uint64_t, Mapped>;  // By offset of the page; entries never move.
  WordPages word_pages_;
  // The page of the last word, which is nearly always the page of the next one.
  std::atomic<const WordPages::value_type*> last_word_page_{nullptr};
  std::map<const std::byte*, std::uint64_t> all_;  // Every mapping, for the destructor.
};

}  // namespace kvb::os
