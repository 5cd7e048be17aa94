#pragma once
// The real disk: File over a POSIX descriptor. What is not obvious in it is said in posix_file.cpp.

#include <atomic>
#include <memory>
#include <string>

#include "kvb/os/file.h"
#include "kvb/os/file_map.h"
#include "kvb/os/fork_watch.h"

namespace kvb::os {

class PosixFile final : public File {
 public:
  [[nodiscard]] static Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode);

  [[nodiscard]] Result<void> read(std::uint64_t offset, MutableBytes out) const override;
  [[nodiscard]] Result<void> write(std::uint64_t offset, Bytes data) override;
  [[nodiscard]] Result<void> sync(SyncKind kind) override;
  void begin_write_back(std::uint64_t offset, std::uint64_t length) override;
  [[nodiscard]] Result<void> allocate(std::uint64_t offset, std::uint64_t length) override;
  [[nodiscard]] Result<void> punch(std::uint64_t offset, std::uint64_t length) override;
  [[nodiscard]] Result<void> truncate(std::uint64_t size) override;
  [[nodiscard]] Result<std::uint64_t> size() const override;
  [[nodiscard]] Result<std::uint64_t> next_data(std::uint64_t offset) const override;
  [[nodiscard]] Result<std::uint64_t> allocated_bytes() const override;
  [[nodiscard]] Result<std::uint64_t> available_bytes() const override;
  [[nodiscard]] Result<const std::byte*> map(std::uint64_t offset, std::uint64_t length) const override;
  [[nodiscard]] Result<void> store_word(std::uint64_t offset, std::uint64_t value) override;
  [[nodiscard]] Result<std::uint64_t> load_word(std::uint64_t offset) const override;
  [[nodiscard]] bool wait_for_word(std::uint64_t offset, std::uint64_t seen,
                                   std::chrono::nanoseconds timeout) const override;
  void wake_waiters(std::uint64_t offset) noexcept override;
  [[nodiscard]] Result<bool> try_lock(std::uint64_t byte, LockMode mode) override;
  [[nodiscard]] Result<void> unlock(std::uint64_t byte) override;
  [[nodiscard]] Result<std::optional<std::uint64_t>> first_locked(std::uint64_t first,
                                                                  std::uint64_t last) const override;
  [[nodiscard]] const std::string& path() const noexcept override { return path_; }

 private:
  PosixFile(Descriptor descriptor, std::string path, bool writable, std::uint64_t size);

  [[nodiscard]] Result<void> check(std::uint64_t offset, std::uint64_t length) const;
  [[nodiscard]] Result<void> check_limit(std::uint64_t end) const;
  [[nodiscard]] Result<void> covers(std::uint64_t offset, std::uint64_t length) const;
  [[nodiscard]] Result<void> fill_with_zeros(std::uint64_t offset, std::uint64_t length);

  Descriptor descriptor_;
  std::string path_;
  bool writable_;
  bool size_limited_;  // The process had a limit for file sizes when the file was opened.
  // The file is at least so long, unless another program cuts it. Saves asking before each use of the mapping.
  mutable std::atomic<std::uint64_t> known_size_;
  mutable FileMap map_;  // After descriptor_: its mappings go first.
};

}  // namespace kvb::os
