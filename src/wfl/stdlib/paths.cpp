// Built-in functions on paths, files and directories.
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "wfl/stdlib/convert.h"
#include "wfl/stdlib/files.h"
#include "wfl/stdlib/registry.h"
#include "wfl/stdlib/unicode.h"
#include "wfl/vm/heap.h"

namespace wfl::stdlib {
namespace {

namespace fs = std::filesystem;
using vm::NativeCall;
using vm::Value;

std::string path_argument(NativeCall& call, std::uint32_t i) {
  return std::string(call.text(i));
}

bool file_exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}
bool is_regular(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}
bool is_directory(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

Value failed(NativeCall& call, std::string what, const std::error_code& code) {
  return fail_with(call, file_error(std::move(what), code.value()));
}

Value text_list(NativeCall& call, std::vector<std::string> texts) {
  std::ranges::sort(texts);
  std::vector<Value> items;
  items.reserve(texts.size());
  for (const std::string& text : texts) items.push_back(call.make_text(repair_utf8(text)));
  return Value::object(call.heap.list(std::move(items)));
}

// The path without slashes at its end ("/" stays).
std::string_view without_trailing_slashes(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

std::string_view last_part(std::string_view path) {
  path = without_trailing_slashes(path);
  if (path == "/") return {};
  const std::size_t slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  return name == ".." ? std::string_view{} : name;
}

Value join(NativeCall& call) {
  std::string out;
  for (std::uint32_t i = 0; i < call.count; ++i) {
    const std::string_view part = call.text(i);
    if (call.failed()) return Value::null();
    if (part.starts_with('/')) {
      out = part;  // An absolute path starts again.
    } else {
      if (!out.empty() && !out.ends_with('/')) out.push_back('/');
      out += part;
    }
  }
  return call.make_text(out);
}

Value basename(NativeCall& call) {
  return call.make_text(last_part(call.text(0)));
}

Value dirname(NativeCall& call) {
  const std::string_view path = without_trailing_slashes(call.text(0));
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || path == "/") return call.make_text("");
  return call.make_text(slash == 0 ? path.substr(0, 1) : without_trailing_slashes(path.substr(0, slash)));
}

// A dot at the start of a name (".profile") begins no extension.
std::size_t extension_dot(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == 0 ? std::string_view::npos : dot;
}

Value extension(NativeCall& call) {
  const std::string_view name = last_part(call.text(0));
  const std::size_t dot = extension_dot(name);
  return call.make_text(dot == std::string_view::npos ? "" : name.substr(dot + 1));
}

Value stem(NativeCall& call) {
  const std::string_view name = last_part(call.text(0));
  return call.make_text(name.substr(0, extension_dot(name)));
}

Value path_exists(NativeCall& call) {
  return Value::boolean(file_exists(path_argument(call, 0)));
}
Value is_file(NativeCall& call) {
  return Value::boolean(is_regular(path_argument(call, 0)));
}
Value is_dir(NativeCall& call) {
  return Value::boolean(is_directory(path_argument(call, 0)));
}

Value file_size(NativeCall& call) {
  const std::string path = path_argument(call, 0);
  if (call.failed()) return Value::null();
  if (!file_exists(path)) return call.fail("File does not exist: " + path);
  if (!is_regular(path)) return call.fail("Path is not a file: " + path);
  std::error_code code;
  const auto size = fs::file_size(path, code);
  if (code) return failed(call, "Failed to get file metadata for '" + path + "'", code);
  return number_value(static_cast<std::size_t>(size));
}

Value file_mtime(NativeCall& call) {
  const std::string path = path_argument(call, 0);
  if (call.failed()) return Value::null();
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return call.fail("File does not exist: " + path);
  return Value::number(static_cast<double>(info.st_mtim.tv_sec) + static_cast<double>(info.st_mtim.tv_nsec) / 1e9);
}

Value count_lines(NativeCall& call) {
  const std::string path = path_argument(call, 0);
  if (call.failed()) return Value::null();
  if (!file_exists(path)) return call.fail("File does not exist: " + path);
  if (!is_regular(path)) return call.fail("Path is not a file: " + path);
  auto bytes = read_file(path, runtime_of(call).settings.max_file_read_bytes);
  if (!bytes) return fail_with(call, std::move(bytes.error()));
  if (!is_valid_utf8(*bytes)) {
    return call.fail("Failed to read file '" + path + "': stream did not contain valid UTF-8");
  }
  auto lines = static_cast<std::size_t>(std::ranges::count(*bytes, '\n'));
  if (!bytes->empty() && bytes->back() != '\n') ++lines;
  return number_value(lines);
}

Value list_dir(NativeCall& call) {
  const std::string path = path_argument(call, 0);
  if (call.failed()) return Value::null();
  if (!file_exists(path)) return call.fail("Directory does not exist: " + path);
  if (!is_directory(path)) return call.fail("Path is not a directory: " + path);
  std::error_code code;
  std::vector<std::string> names;
  for (auto it = fs::directory_iterator(path, code); !code && it != fs::directory_iterator(); it.increment(code)) {
    names.push_back(it->path().filename().string());
  }
  if (code) return failed(call, "Failed to read directory " + path, code);
  return text_list(call, std::move(names));
}

// Walks the file system along a pattern: each part between slashes is matched by fnmatch, `**` stands for any number of
// directories.
class Glob {
 public:
  explicit Glob(std::string_view pattern) {
    if (pattern.starts_with('/')) root_ = "/";
    while (!pattern.empty()) {
      const std::size_t slash = pattern.find('/');
      const std::string_view part = pattern.substr(0, slash);
      if (!part.empty() && part != ".") parts_.emplace_back(part);
      pattern = slash == std::string_view::npos ? std::string_view{} : pattern.substr(slash + 1);
    }
  }

  std::vector<std::string> find() {
    if (!parts_.empty()) walk(root_, 0, 0);
    std::ranges::sort(found_);
    const auto repeated = std::ranges::unique(found_);
    found_.erase(repeated.begin(), repeated.end());
    return std::move(found_);
  }

 private:
  static constexpr std::size_t kMaxDepth = 256;

  static std::string below(const std::string& directory, const std::string& name) {
    if (directory.empty()) return name;
    return directory.ends_with('/') ? directory + name : directory + "/" + name;
  }

  void walk(const std::string& directory, std::size_t part, std::size_t depth) {
    if (depth > kMaxDepth) return;
    const bool last = part + 1 == parts_.size();
    if (parts_[part] == "**") {
      if (!last) walk(directory, part + 1, depth + 1);
      visit(directory, [&](const fs::directory_entry& entry, const std::string& path) {
        std::error_code ignored;
        if (!entry.is_directory(ignored) || entry.is_symlink(ignored)) return;
        if (last) found_.push_back(path);
        walk(path, part, depth + 1);
      });
      return;
    }
    if (parts_[part].find_first_of("*?[") == std::string::npos) {
      const std::string path = below(directory, parts_[part]);
      if (!file_exists(path)) return;
      if (last) {
        found_.push_back(path);
      } else {
        walk(path, part + 1, depth + 1);
      }
      return;
    }
    visit(directory, [&](const fs::directory_entry& entry, const std::string& path) {
      if (::fnmatch(parts_[part].c_str(), entry.path().filename().c_str(), 0) != 0) return;
      if (last) {
        found_.push_back(path);
      } else if (is_directory(path)) {
        walk(path, part + 1, depth + 1);
      }
    });
  }

  template <class Visit>
  void visit(const std::string& directory, Visit visit_entry) {
    std::error_code code;
    auto it = fs::directory_iterator(directory.empty() ? "." : directory, code);
    for (; !code && it != fs::directory_iterator(); it.increment(code)) {
      visit_entry(*it, below(directory, it->path().filename().string()));
    }
  }

  std::string root_;
  std::vector<std::string> parts_;
  std::vector<std::string> found_;
};

Value glob_in(NativeCall& call, bool recursive) {
  const std::string pattern = path_argument(call, 0);
  const std::string base = path_argument(call, 1);
  if (call.failed()) return Value::null();
  const std::string middle = recursive ? "**/" : "";
  return text_list(call, Glob(base.empty() || base == "." ? middle + pattern : base + "/" + middle + pattern).find());
}

Value glob(NativeCall& call) {
  return glob_in(call, false);
}
Value rglob(NativeCall& call) {
  return glob_in(call, true);
}

Value makedirs(NativeCall& call) {
  const std::string path = path_argument(call, 0);
  if (call.failed()) return Value::null();
  std::error_code code;
  fs::create_directories(path, code);
  if (code) return failed(call, "Failed to create directories '" + path + "'", code);
  return Value::null();
}

Value copy_file(NativeCall& call) {
  const std::string from = path_argument(call, 0);
  const std::string to = path_argument(call, 1);
  if (call.failed()) return Value::null();
  if (!file_exists(from)) return call.fail("Source file does not exist: " + from);
  if (!is_regular(from)) return call.fail("Source path is not a file: " + from);
  std::error_code code;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, code);
  if (code) return failed(call, "Failed to copy file from '" + from + "' to '" + to + "'", code);
  return Value::null();
}

Value move_file(NativeCall& call) {
  const std::string from = path_argument(call, 0);
  const std::string to = path_argument(call, 1);
  if (call.failed()) return Value::null();
  if (!file_exists(from)) return call.fail("Source file does not exist: " + from);
  std::error_code code;
  fs::rename(from, to, code);
  if (code == std::errc::cross_device_link) {
    code.clear();
    fs::copy_file(from, to, fs::copy_options::overwrite_existing, code);
    if (!code) fs::remove(from, code);
  }
  if (code) return failed(call, "Failed to move file from '" + from + "' to '" + to + "'", code);
  return Value::null();
}

Value remove_file(NativeCall& call) {
  const std::string path = path_argument(call, 0);
  if (call.failed()) return Value::null();
  if (!file_exists(path)) return call.fail("File does not exist: " + path);
  if (!is_regular(path)) return call.fail("Path is not a file: " + path);
  if (::unlink(path.c_str()) != 0) return fail_with(call, file_error("Failed to remove file '" + path + "'", errno));
  return Value::null();
}

Value remove_dir(NativeCall& call) {
  const std::string path = path_argument(call, 0);
  if (call.failed()) return Value::null();
  if (call.count > 1 && !call[1].is_boolean()) {
    return call.fail("Second argument to remove_dir must be boolean, got " + std::string(vm::type_name(call[1])));
  }
  const bool recursive = call.count > 1 && call[1].as_boolean();
  if (!file_exists(path)) return call.fail("Directory does not exist: " + path);
  if (!is_directory(path)) return call.fail("Path is not a directory: " + path);
  std::error_code code;
  if (recursive) {
    fs::remove_all(path, code);
    if (code) return failed(call, "Failed to remove directory '" + path + "' recursively", code);
  } else if (::rmdir(path.c_str()) != 0) {
    vm::Error error = file_error("Failed to remove directory '" + path + "'", errno);
    error.message += ". Directory may not be empty. Use recursive parameter to force removal.";
    return fail_with(call, std::move(error));
  }
  return Value::null();
}

Value file_mode(NativeCall& call) {
  const std::string path = path_argument(call, 0);
  if (call.failed()) return Value::null();
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return call.fail("File does not exist: " + path);
  std::string digits = "0000";
  for (std::size_t i = 0; i < 4; ++i) digits[i] = static_cast<char>('0' + ((info.st_mode >> (9 - 3 * i)) & 7U));
  return call.make_text(digits);
}

Value set_file_mode(NativeCall& call) {
  const std::string path = path_argument(call, 0);
  const std::string mode = path_argument(call, 1);
  if (call.failed()) return Value::null();
  const bool valid =
      (mode.size() == 3 || mode.size() == 4) && std::ranges::all_of(mode, [](char c) { return c >= '0' && c <= '7'; });
  if (!valid) {
    return call.fail(
        "set_file_mode: '" + mode +
        "' is not a valid file mode. Expected 3 or 4 octal digits, such as \"0600\" (owner read/write only) "
        "or \"0644\".");
  }
  if (!file_exists(path)) return call.fail("File does not exist: " + path);
  if (::chmod(path.c_str(), static_cast<mode_t>(std::stoul(mode, nullptr, 8))) != 0) {
    return fail_with(call, file_error("Failed to set permissions on '" + path + "'", errno));
  }
  return Value::null();
}

constexpr auto kFunctions = std::to_array<BuiltinFunction>({
    {"path_join", join},
    {"path_basename", basename},
    {"path_dirname", dirname},
    {"path_extension", extension},
    {"path_stem", stem},
    {"path_exists", path_exists},
    {"is_file", is_file},
    {"is_dir", is_dir},
    {"file_size", file_size},
    {"file_mtime", file_mtime},
    {"count_lines", count_lines},
    {"list_dir", list_dir},
    {"glob", glob},
    {"rglob", rglob},
    {"makedirs", makedirs},
    {"copy_file", copy_file},
    {"move_file", move_file},
    {"remove_file", remove_file},
    {"remove_dir", remove_dir},
    {"file_mode", file_mode},
    {"set_file_mode", set_file_mode},
});

}  // namespace

std::span<const BuiltinFunction> path_functions() {
  return kFunctions;
}

}  // namespace wfl::stdlib
