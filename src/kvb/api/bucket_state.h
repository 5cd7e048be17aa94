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

}  // namespace kvb
