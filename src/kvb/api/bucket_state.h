#pragma once
// What a Bucket and its snapshots are made of, for the files of this layer.

#include <kvb/bucket.h>

#include <memory>
#include <new>
#include <string>

#include "kvb/os/system_error.h"
#include "kvb/store/store.h"

namespace kvb {

struct Bucket::State {
  std::shared_ptr<store::Store> store;
  std::string path;

  [[nodiscard]] Result<BackupReport> backup(const std::string& target, const BackupOptions& options) const;
};

// Runs what may throw, which only memory running out does.
template <typename Function>
auto without_exceptions(const std::string& path, Function&& function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return os::failure(ErrorCode::out_of_memory, "Memory ran out. Nothing was changed.", path);
  }
}

// What scan() of a Bucket or a Snapshot gives, as a list, and how much that is.
template <typename Source>
Result<std::vector<Entry>> entries_of(const Source& source, const ScanOptions& options) {
  std::vector<Entry> entries;
  auto done = source.scan(options, [&](Entry&& entry) {
    entries.push_back(std::move(entry));
    return true;
  });
  if (!done) return std::unexpected(done.error());
  return entries;
}

template <typename Source>
Result<std::uint64_t> count_of(const Source& source, const ScanOptions& options) {
  ScanOptions keys = options;
  keys.keys_only = true;
  std::uint64_t count = 0;
  auto done = source.scan(keys, [&](Entry&&) {
    ++count;
    return true;
  });
  if (!done) return std::unexpected(done.error());
  return count;
}

}  // namespace kvb
