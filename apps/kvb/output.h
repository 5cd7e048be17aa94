#pragma once
// Standard output: buffered, complete or an error, and quiet when the reader has left.

#include <string>
#include <string_view>

#include "failure.h"

namespace kvb::cli {

// Writes to a descriptor. What is written is on its way when flush() answers. If the reader has closed its end (as
// `head` does), everything later is dropped and reader_left() is true: that is not an error.
class Output {
 public:
  explicit Output(int descriptor) noexcept : descriptor_(descriptor) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Large pieces go out as they are, without a copy.
  [[nodiscard]] Expected<void> write(std::string_view bytes);
  [[nodiscard]] Expected<void> flush();

  [[nodiscard]] bool reader_left() const noexcept { return reader_left_; }
  [[nodiscard]] bool is_terminal() const noexcept;
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  [[nodiscard]] Expected<void> send(std::string_view bytes);

  int descriptor_;
  bool reader_left_ = false;
  std::string buffer_;
};

// To be called first of all. If a standard stream is closed, a bucket would get its number and be written to as if it
// were that stream; so it is opened on nothing, the wrong way round, which leaves its use an error. False if that
// fails.
[[nodiscard]] bool protect_standard_streams() noexcept;

}  // namespace kvb::cli
