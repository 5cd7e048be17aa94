#pragma once
// A handle on a file of the simulated disk.

#include <memory>
#include <string>

#include "kvb/os/sim/sim_disk.h"

namespace kvb::os {

class SimFile final : public File {
 public:
  SimFile(SimProcess& process, std::string path, std::shared_ptr<SimInode> inode, bool writable)
      : process_(process),
        disk_(process.disk_),
        path_(std::move(path)),
        inode_(std::move(inode)),
        writable_(writable) {}
  ~SimFile() override;

  [[nodiscard]] Result<void> read(std::uint64_t offset, MutableBytes out) const override;
  [[nodiscard]] Result<void> write(std::uint64_t offset, Bytes data) override;
  [[nodiscard]] Result<void> sync(SyncKind kind) override;
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
  [[nodiscard]] Result<bool> try_lock(std::uint64_t byte, LockMode mode) override;
  [[nodiscard]] Result<void> unlock(std::uint64_t byte) override;
  [[nodiscard]] Result<std::optional<std::uint64_t>> first_locked(std::uint64_t first,
                                                                  std::uint64_t last) const override;
  [[nodiscard]] const std::string& path() const noexcept override { return path_; }

 private:
  // With the disk's mutex held: the error this call must fail with, if any.
  [[nodiscard]] Result<void> begin(SimCall call, std::string_view what, std::uint64_t offset,
                                   Fault::Effect* effect = nullptr) const;
  [[nodiscard]] Result<void> begin_change(SimCall call, std::string_view what, std::uint64_t offset,
                                          std::uint64_t length, Fault::Effect* effect = nullptr);

  SimProcess& process_;
  SimDisk& disk_;
  std::string path_;
  std::shared_ptr<SimInode> inode_;
  bool writable_;
};

}  // namespace kvb::os
