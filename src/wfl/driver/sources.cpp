#include "wfl/driver/sources.h"

#include <cerrno>
#include <cstring>

#include "wfl/stdlib/files.h"
#include "wfl/stdlib/unicode.h"

namespace wfl::driver {

std::shared_ptr<const syntax::SourceFile> Sources::add(std::string name, std::filesystem::path path, std::string text) {
  auto source = std::make_shared<const syntax::SourceFile>(static_cast<std::uint32_t>(entries_.size()), std::move(name),
                                                           std::move(text));
  entries_.push_back({source, std::move(path)});
  return source;
}

const syntax::SourceFile* Sources::find(std::uint32_t id) const {
  return id < entries_.size() ? entries_[id].source.get() : nullptr;
}

std::filesystem::path Sources::path_of(std::uint32_t id) const {
  return id < entries_.size() ? entries_[id].path : std::filesystem::path{};
}

std::string Sources::render(const syntax::Diagnostic& diagnostic, bool color) const {
  const syntax::RenderOptions options{.color = color};
  const syntax::SourceFile* source = find(diagnostic.span.file);
  return source == nullptr ? syntax::render(diagnostic, options) : syntax::render(diagnostic, *source, options);
}

std::expected<std::string, SourceProblem> read_source(const std::filesystem::path& path, std::size_t limit) {
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) {
    return std::unexpected(SourceProblem{"'" + path.string() + "' is a directory, not a program"});
  }
  auto bytes = stdlib::read_file(path.string(), limit);
  if (!bytes) {
    if (bytes.error().kind == vm::ErrorKind::kResourceLimit) {
      return std::unexpected(SourceProblem{
          "The program '" + path.string() + "' is larger than " + std::to_string(limit) + " bytes (max_source_size)",
          true});
    }
    return std::unexpected(SourceProblem{"Could not read '" + path.string() +
                                         "': " + bytes.error().message.substr(bytes.error().message.rfind(": ") + 2)});
  }
  if (bytes->starts_with("\xEF\xBB\xBF")) bytes->erase(0, 3);
  if (!stdlib::is_valid_utf8(*bytes)) {
    return std::unexpected(SourceProblem{"The program '" + path.string() + "' is not valid UTF-8 text"});
  }
  return std::move(*bytes);
}

}  // namespace wfl::driver
