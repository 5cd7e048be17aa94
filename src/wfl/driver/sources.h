// The source files of a run, by the id that spans carry.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "wfl/syntax/diagnostic.h"
#include "wfl/syntax/source.h"

namespace wfl::driver {

class Sources {
 public:
  // Takes a text over. The name is how messages call the file, the path is where it really is (empty for none).
  std::shared_ptr<const syntax::SourceFile> add(std::string name, std::filesystem::path path, std::string text);

  [[nodiscard]] const syntax::SourceFile* find(std::uint32_t id) const;
  // Where the file is; for paths relative to it.
  [[nodiscard]] std::filesystem::path path_of(std::uint32_t id) const;

  // The diagnostic with its frame when the file is known.
  [[nodiscard]] std::string render(const syntax::Diagnostic& diagnostic, bool color) const;

 private:
  struct Entry {
    std::shared_ptr<const syntax::SourceFile> source;
    std::filesystem::path path;
  };
  std::vector<Entry> entries_;
};

// The whole file, or a sentence that says why not. Texts that are no UTF-8 or larger than the limit are refused.
struct SourceProblem {
  std::string message;
  bool too_large = false;
};
std::expected<std::string, SourceProblem> read_source(const std::filesystem::path& path, std::size_t limit);

}  // namespace wfl::driver
