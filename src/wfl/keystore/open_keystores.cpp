#include "wfl/keystore/open_keystores.h"

#include <sys/stat.h>

#include <algorithm>

#include "wfl/keystore/errors.h"
#include "wfl/keystore/keystore_object.h"

namespace wfl::keystore {

std::optional<OpenKeystores::FileIdentity> OpenKeystores::identify(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileIdentity{.device = status.st_dev, .inode = status.st_ino};
}

void OpenKeystores::add(Keystore* keystore, bool writes) {
  rows_.push_back({.keystore = keystore, .writes = writes, .file = identify(keystore->path())});
}

void OpenKeystores::remove(const Keystore* keystore) {
  std::erase_if(rows_, [keystore](const Row& row) { return row.keystore == keystore; });
}

Keystore* OpenKeystores::writer_of(const std::string& path) const {
  const auto file = identify(path);
  if (!file) return nullptr;
  const auto found = std::ranges::find_if(rows_, [&](const Row& row) { return row.writes && row.file == file; });
  return found == rows_.end() ? nullptr : found->keystore;
}

void OpenKeystores::close_all() {
  while (!rows_.empty()) {
    Keystore* keystore = rows_.back().keystore;
    if (const auto closed = keystore->close(Loops::are_over); !closed) {
      note_problem(describe(closed.error(), keystore->path()).message);
    }
    remove(keystore);  // close() has done so; this makes sure that the loop ends.
  }
}

}  // namespace wfl::keystore
