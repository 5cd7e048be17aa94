#pragma once
// What `import` reads: a file or standard input, line by line or so many bytes at a time.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "failure.h"

namespace kvb::cli {

class Source {
 public:
  // `-` is standard input.
  [[nodiscard]] static Expected<Source> open(const std::string& path);
  Source(Source&& other) noexcept;
  Source& operator=(Source&&) = delete;
  ~Source();

  // Whether it begins with these bytes, which stay unread.
  [[nodiscard]] Expected<bool> begins_with(std::string_view bytes);

  // The next line without its newline, valid until the next call; nothing at the end.
  [[nodiscard]] Expected<std::optional<std::string_view>> line();

  // The next bytes: fewer only at the end. Memory is taken as they come, however many are asked for.
  [[nodiscard]] Expected<std::string> bytes(std::uint64_t count);

  // How messages call it.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  // Bytes that were read so far, of so many; 0 if unknown.
  [[nodiscard]] std::uint64_t done_bytes() const noexcept { return done_bytes_ - (filled_ - at_); }
  [[nodiscard]] std::uint64_t of_bytes() const noexcept { return of_bytes_; }

 private:
  Source(int descriptor, std::string name, std::uint64_t of_bytes)
      : descriptor_(descriptor), name_(std::move(name)), of_bytes_(of_bytes) {}

  // Reads more behind what is there. False at the end.
  [[nodiscard]] Expected<bool> fill();

  int descriptor_;
  std::string name_;
  std::uint64_t of_bytes_;
  std::uint64_t done_bytes_ = 0;
  std::string buffer_;  // What was read and not yet given out is from at_ to filled_.
  std::size_t at_ = 0;
  std::size_t filled_ = 0;
};

}  // namespace kvb::cli
