// The keystores that a running program has open: so that a second opening for writing is refused at once instead of
// after the engine's deadline, and so that all are closed when the program ends, however it ends.
//
// Files are told apart by device and inode, so `box.kvb` and `./down/../box.kvb` are the same one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wfl::keystore {

class Keystore;

class OpenKeystores {
 public:
  void add(Keystore* keystore, bool writes);
  void remove(const Keystore* keystore);

  // The keystore that has this file open for writing, or nullptr.
  [[nodiscard]] Keystore* writer_of(const std::string& path) const;

  // Closes every one. What went wrong is noted as a problem.
  void close_all();

  // Sentences about keystores that could not be closed properly where nobody could be told. Taking them empties the
  // list.
  void note_problem(std::string problem) { problems_.push_back(std::move(problem)); }
  [[nodiscard]] std::vector<std::string> take_problems() { return std::move(problems_); }

 private:
  struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    bool operator==(const FileIdentity&) const = default;
  };
  struct Row {
    Keystore* keystore;
    bool writes;
    std::optional<FileIdentity> file;
  };
  [[nodiscard]] static std::optional<FileIdentity> identify(const std::string& path);

  std::vector<Row> rows_;
  std::vector<std::string> problems_;
};

}  // namespace wfl::keystore
