// The files a program has open. Handles are texts (`file0`, `file1`, …), as programs print and compare them.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <unordered_map>

#include "wfl/vm/native.h"

namespace wfl::stdlib {

// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset();

 private:
  int fd_ = -1;
};

struct OpenFile {
  std::string path;
  Descriptor descriptor;
  bool readable = false;
  bool writable = false;
};

class FileTable {
 public:
  std::string add(OpenFile file);
  OpenFile* find(std::string_view handle);
  // Makes what was written durable and forgets the handle. An unknown handle is fine.
  std::expected<void, vm::Error> close(std::string_view handle);
  // At the end of the program: as if each were closed, but nobody is left to hear of a failure.
  void close_all();

 private:
  std::uint64_t next_ = 0;
  std::unordered_map<std::string, OpenFile> files_;
};

// "Failed to open file notes.txt: No such file or directory", with the kind that handlers ask for.
vm::Error file_error(std::string what, int error_number);

// All bytes from the descriptor's position on, or what went wrong; `limit` is max_file_read_size.
std::expected<std::string, vm::Error> read_all(int fd, const std::string& name, std::size_t limit);
std::expected<void, vm::Error> write_all(int fd, std::string_view bytes, const std::string& name);

// Replaces the content of the file at a path; makes the file when there is none.
std::expected<void, vm::Error> write_file(const std::string& path, std::string_view bytes);
// The whole file as bytes.
std::expected<std::string, vm::Error> read_file(const std::string& path, std::size_t limit);

}  // namespace wfl::stdlib
