// The statements on files and directories: host functions "file.…" and "directory.…".
//
// A text operand is a handle when a file is open under that name, else a path. `write content` is the exception that
// old programs know: anything that looks like a handle (`file` and digits) must be an open one.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
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
using vm::ErrorKind;
using vm::NativeCall;
using vm::Value;

constexpr std::size_t kMaxBinaryWrite = 50U << 20U;

Value done(NativeCall& call, std::expected<void, vm::Error> result) {
  return result ? Value::null() : fail_with(call, std::move(result.error()));
}

// The text argument, or a failed call that says what was expected.
std::string text_argument(NativeCall& call, std::uint32_t i, std::string_view what) {
  const Value v = call[i];
  if (v.is_text()) return std::string(v.as_text());
  if (!call.failed()) call.fail("Expected string for " + std::string(what) + ", got " + vm::debug_form(v));
  return {};
}

FileTable& files_of(NativeCall& call) {
  return *runtime_of(call).files;
}
std::size_t read_limit(NativeCall& call) {
  return runtime_of(call).settings.max_file_read_bytes;
}

vm::Error code_error(std::string what, const std::error_code& code) {
  return file_error(std::move(what), code.value());
}

std::expected<OpenFile, vm::Error> open_path(const std::string& path, int flags) {
  OpenFile file;
  file.path = path;
  file.descriptor = Descriptor(::open(path.c_str(), flags | O_CLOEXEC, 0666));
  if (!file.descriptor.is_open()) return std::unexpected(file_error("Failed to open file " + path, errno));
  file.readable = (flags & O_ACCMODE) != O_WRONLY;
  file.writable = (flags & O_ACCMODE) != O_RDONLY;
  struct stat info{};
  if (::fstat(file.descriptor.get(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return std::unexpected(file_error("Failed to open file " + path, EISDIR));
  }
  return file;
}

Value open(NativeCall& call) {
  const std::string path = text_argument(call, 0, "file path");
  const std::string mode = text_argument(call, 1, "mode");
  if (call.failed()) return Value::null();
  int flags = O_RDONLY;
  if (mode == "write") flags = O_WRONLY | O_CREAT | O_TRUNC;
  if (mode == "append") flags = O_WRONLY | O_CREAT | O_APPEND;
  auto file = open_path(path, flags);
  if (!file) return fail_with(call, std::move(file.error()));
  return call.make_text(files_of(call).add(std::move(*file)));
}

// A missing file is made empty, as programs that read a file before its first writing rely on.
std::expected<std::string, vm::Error> read_or_make(const std::string& path, std::size_t limit) {
  auto file = open_path(path, O_RDONLY);
  if (!file && file.error().kind == ErrorKind::kFileNotFound) file = open_path(path, O_RDWR | O_CREAT);
  if (!file) return std::unexpected(std::move(file.error()));
  return read_all(file->descriptor.get(), path, limit);
}

Value text_content(NativeCall& call, const std::string& name, std::expected<std::string, vm::Error> bytes) {
  if (!bytes) return fail_with(call, std::move(bytes.error()));
  if (!is_valid_utf8(*bytes)) {
    return call.fail("Failed to read file " + name +
                     ": stream did not contain valid UTF-8. Read it with 'read binary from' instead");
  }
  return call.make_text(*bytes);
}

Value read_content(NativeCall& call) {
  const std::string target = text_argument(call, 0, "file handle");
  if (call.failed()) return Value::null();
  OpenFile* file = files_of(call).find(target);
  if (file == nullptr) return text_content(call, target, read_or_make(target, read_limit(call)));
  if (!file->readable) return call.fail("Failed to read file " + file->path + ": it was opened for writing");
  return text_content(call, file->path, read_all(file->descriptor.get(), file->path, read_limit(call)));
}

Value close(NativeCall& call) {
  const Value v = call[0];
  if (v.is_text()) return done(call, files_of(call).close(v.as_text()));
  if (v.is(vm::ObjectKind::kHost) && v.as<vm::HostObject>()->type_name() == "Keystore") {
    // `close S` means `close keystore S` when S is one; the keystore layer registers how.
    if (const vm::HostFunction* close_keystore = call.vm.hosts().find("keystore.close")) {
      NativeCall inner = call;
      inner.data = close_keystore->data;
      const Value result = close_keystore->function(inner);
      return inner.failed() ? fail_with(call, inner.take_error()) : result;
    }
  }
  if (v.is_map()) return call.fail("Cannot close this value: it is not a file handle or a streaming response");
  return call.fail("Expected a file handle or streaming response, got " + std::string(vm::type_name(v)));
}

Value not_writable(NativeCall& call, const OpenFile& file) {
  return call.fail("Failed to write to file " + file.path + ": it was opened for reading");
}

// The handle's content is replaced: the file is cut to nothing and written from its start.
Value overwrite(NativeCall& call, OpenFile& file, std::string_view bytes) {
  if (!file.writable) return not_writable(call, file);
  const int fd = file.descriptor.get();
  struct stat info{};
  if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (::lseek(fd, 0, SEEK_SET) != 0 || ::ftruncate(fd, 0) != 0)) {
    return fail_with(call, file_error("Failed to truncate file " + file.path, errno));
  }
  return done(call, write_all(fd, bytes, file.path));
}

Value append(NativeCall& call, OpenFile& file, std::string_view bytes) {
  if (!file.writable) return not_writable(call, file);
  ::lseek(file.descriptor.get(), 0, SEEK_END);
  return done(call, write_all(file.descriptor.get(), bytes, file.path));
}

Value write(NativeCall& call) {
  const std::string content = vm::display(call[0]);
  const std::string target = text_argument(call, 1, "file handle");
  if (call.failed()) return Value::null();
  if (OpenFile* file = files_of(call).find(target)) return overwrite(call, *file, content);
  return done(call, write_file(target, content));
}

bool looks_like_handle(std::string_view text) {
  return text.size() > 4 && text.starts_with("file") &&
         std::ranges::all_of(text.substr(4), [](char c) { return c >= '0' && c <= '9'; });
}

Value write_content(NativeCall& call) {
  const std::string content = vm::display(call[0]);
  const std::string target = text_argument(call, 1, "file handle");
  if (call.failed()) return Value::null();
  if (OpenFile* file = files_of(call).find(target)) return append(call, *file, content);
  if (looks_like_handle(target)) return call.fail("Invalid file handle: " + target);
  return done(call, write_file(target, content));
}

Value wait_write_content(NativeCall& call) {
  const std::string content = text_argument(call, 0, "file content");
  const std::string target = text_argument(call, 1, "file handle");
  if (call.failed()) return Value::null();
  if (OpenFile* file = files_of(call).find(target)) return overwrite(call, *file, content);
  return done(call, write_file(target, content));
}

Value append_content(NativeCall& call) {
  const std::string content = text_argument(call, 0, "file content");
  const std::string target = text_argument(call, 1, "file handle");
  if (call.failed()) return Value::null();
  if (OpenFile* file = files_of(call).find(target)) return append(call, *file, content);
  return call.fail("Invalid file handle: " + target);
}

Value write_binary(NativeCall& call) {
  const std::string target = text_argument(call, 1, "file handle");
  if (call.failed()) return Value::null();
  std::string bytes;
  if (const auto* binary = call[0].try_as<vm::Binary>()) {
    bytes = binary->bytes;
  } else if (call[0].is_text()) {
    bytes = call[0].as_text();
  } else if (const auto* list = call[0].try_as<vm::List>()) {
    if (list->items.size() > kMaxBinaryWrite) {
      return call.fail("Byte list length " + std::to_string(list->items.size()) + " exceeds maximum allowed (" +
                       std::to_string(kMaxBinaryWrite) + ")");
    }
    for (std::size_t i = 0; i < list->items.size(); ++i) {
      const Value item = list->items[i];
      if (!item.is_number()) {
        return call.fail("Expected number at byte index " + std::to_string(i) + ", got " +
                         std::string(vm::type_name(item)));
      }
      const double n = item.as_number();
      if (!(n >= 0 && n <= 255) || n != std::floor(n)) {
        return call.fail("Invalid byte value at index " + std::to_string(i) + ": " + vm::format_number(n) +
                         " (must be an integer 0-255)");
      }
      bytes.push_back(static_cast<char>(static_cast<unsigned char>(n)));
    }
  } else {
    return call.fail("Expected binary data or list of bytes, got " + std::string(vm::type_name(call[0])));
  }
  OpenFile* file = files_of(call).find(target);
  if (file == nullptr) return call.fail("Invalid file handle: " + target);
  if (!file->writable) return not_writable(call, *file);
  return done(call, write_all(file->descriptor.get(), bytes, file->path));
}

Value read_binary(NativeCall& call) {
  const std::string target = text_argument(call, 0, "file handle");
  if (call.failed()) return Value::null();
  OpenFile* file = files_of(call).find(target);
  if (file == nullptr) return call.fail("Invalid file handle: " + target);
  if (!file->readable) return call.fail("Failed to read file " + file->path + ": it was opened for writing");
  ::lseek(file->descriptor.get(), 0, SEEK_SET);
  auto bytes = read_all(file->descriptor.get(), file->path, read_limit(call));
  if (!bytes) return fail_with(call, std::move(bytes.error()));
  return Value::object(call.heap.binary(std::move(*bytes)));
}

Value read_bytes(NativeCall& call) {
  const double wanted = call.number(0);
  const std::string target = text_argument(call, 1, "file handle");
  if (call.failed()) return Value::null();
  if (!(wanted >= 0) || wanted != std::floor(wanted) || std::isinf(wanted)) {
    return call.fail("Invalid byte count: " + vm::format_number(wanted) + " (must be a non-negative integer)");
  }
  if (wanted > static_cast<double>(read_limit(call))) {
    return call.fail(ErrorKind::kResourceLimit, "Reading " + vm::format_number(wanted) +
                                                    " bytes is more than the read limit of " +
                                                    std::to_string(read_limit(call)) + " bytes (max_file_read_size)");
  }
  OpenFile* file = files_of(call).find(target);
  if (file == nullptr) return call.fail("Invalid file handle: " + target);
  if (!file->readable) return call.fail("Failed to read file " + file->path + ": it was opened for writing");
  std::string bytes(static_cast<std::size_t>(wanted), '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = ::read(file->descriptor.get(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_with(call, file_error("Failed to read file " + file->path, errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  bytes.resize(size);
  return Value::object(call.heap.binary(std::move(bytes)));
}

Value size(NativeCall& call) {
  const std::string target = text_argument(call, 0, "file handle");
  if (call.failed()) return Value::null();
  struct stat info{};
  if (OpenFile* file = files_of(call).find(target)) {
    if (::fstat(file->descriptor.get(), &info) != 0) {
      return fail_with(call, file_error("Failed to get file size of " + file->path, errno));
    }
  } else if (::stat(target.c_str(), &info) != 0) {
    return fail_with(call, file_error("Failed to get file size of " + target, errno));
  }
  return number_value(static_cast<std::size_t>(info.st_size));
}

Value exists(NativeCall& call) {
  const std::string path = text_argument(call, 0, "file path");
  if (call.failed()) return Value::null();
  std::error_code ignored;
  return Value::boolean(fs::exists(path, ignored));
}

Value directory_exists(NativeCall& call) {
  const std::string path = text_argument(call, 0, "directory path");
  if (call.failed()) return Value::null();
  std::error_code ignored;
  return Value::boolean(fs::is_directory(path, ignored));
}

Value create(NativeCall& call) {
  const std::string path = text_argument(call, 0, "file path");
  if (call.failed()) return Value::null();
  auto result = write_file(path, vm::display(call[1]));
  if (!result) result.error().message.replace(0, std::string_view("Failed to open").size(), "Failed to create");
  return done(call, std::move(result));
}

Value remove(NativeCall& call) {
  const std::string path = text_argument(call, 0, "file path");
  if (call.failed()) return Value::null();
  if (::unlink(path.c_str()) != 0) return fail_with(call, file_error("Failed to delete file " + path, errno));
  return Value::null();
}

Value directory_create(NativeCall& call) {
  const std::string path = text_argument(call, 0, "directory path");
  if (call.failed()) return Value::null();
  std::error_code code;
  fs::create_directories(path, code);
  if (code) return fail_with(call, code_error("Failed to create directory " + path, code));
  return Value::null();
}

Value directory_delete(NativeCall& call) {
  const std::string path = text_argument(call, 0, "directory path");
  if (call.failed()) return Value::null();
  std::error_code code;
  if (!fs::is_directory(fs::symlink_status(path, code))) {
    return fail_with(call,
                     file_error("Failed to delete directory " + path, code.value() != 0 ? code.value() : ENOTDIR));
  }
  fs::remove_all(path, code);
  if (code) return fail_with(call, code_error("Failed to delete directory " + path, code));
  return Value::null();
}

// The endings a filter names: one text, or a list of texts and lists of texts.
bool collect_endings(Value filter, std::vector<std::string>& endings, int depth = 0) {
  if (filter.is_text()) {
    endings.emplace_back(filter.as_text());
    return true;
  }
  return filter.is_list() && depth < 2 &&
         std::ranges::all_of(
             filter.as<vm::List>()->items, [&](Value item) { return collect_endings(item, endings, depth + 1); });
}

bool has_ending(const std::string& name, const std::vector<std::string>& endings) {
  return std::ranges::any_of(endings, [&](std::string_view ending) {
    if (ending.starts_with("*.")) ending.remove_prefix(1);
    if (ending.starts_with('.')) return name.ends_with(ending);
    return name.size() > ending.size() && name.ends_with(ending) && name[name.size() - ending.size() - 1] == '.';
  });
}

Value list(NativeCall& call) {
  const std::string path = text_argument(call, 0, "directory path");
  if (call.failed()) return Value::null();
  const bool recursively = call[1].as_boolean() && call[1].is_boolean();
  const bool filtered = !call[2].is_null();
  std::vector<std::string> endings;
  if (filtered && !collect_endings(call[3], endings)) {
    return call.fail("Expected string or list for extension, got " + vm::debug_form(call[3]));
  }
  std::error_code code;
  std::vector<std::string> found;
  const auto visit = [&](const fs::directory_entry& entry) {
    const std::string name = entry.path().filename().string();
    if (!recursively && !filtered) {
      found.push_back(name);
      return;
    }
    std::error_code ignored;
    if (entry.is_directory(ignored)) return;
    if (!filtered || has_ending(name, endings)) found.push_back(entry.path().string());
  };
  const std::string problem =
      recursively ? "Failed to list files recursively: " : "Failed to list files in directory: ";
  if (recursively) {
    auto it = fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, code);
    for (; !code && it != fs::recursive_directory_iterator(); it.increment(code)) visit(*it);
  } else {
    auto it = fs::directory_iterator(path, code);
    for (; !code && it != fs::directory_iterator(); it.increment(code)) visit(*it);
  }
  if (code) return fail_with(call, code_error(problem + path, code));
  std::ranges::sort(found);
  std::vector<Value> items;
  items.reserve(found.size());
  for (const std::string& name : found) items.push_back(call.make_text(repair_utf8(name)));
  return Value::object(call.heap.list(std::move(items)));
}

Value open_and_read(NativeCall& call) {
  const std::string path = text_argument(call, 0, "file path or handle");
  if (call.failed()) return Value::null();
  return read_content(call);
}

// The statement forms of the built-in functions take the same arguments.
template <std::size_t Arguments>
Value as_builtin(NativeCall& call, std::string_view name) {
  NativeCall inner = call;
  inner.count = static_cast<std::uint32_t>(Arguments);
  inner.name = name;
  const Value result = find_function(name)(inner);
  return inner.failed() ? fail_with(call, inner.take_error()) : result;
}

Value copy(NativeCall& call) {
  return as_builtin<2>(call, "copy_file");
}
Value move(NativeCall& call) {
  return as_builtin<2>(call, "move_file");
}
Value make_directories(NativeCall& call) {
  return as_builtin<1>(call, "makedirs");
}
Value remove_file(NativeCall& call) {
  return as_builtin<1>(call, "remove_file");
}
Value remove_directory(NativeCall& call) {
  return call[1].is_null() ? as_builtin<1>(call, "remove_dir") : as_builtin<2>(call, "remove_dir");
}

}  // namespace

void register_file_statements(vm::HostTable& table, Runtime& runtime) {
  const auto add = [&](std::string_view name, vm::NativeFunction function) { table.add(name, function, &runtime); };
  add("file.open", open);
  add("file.open_and_read", open_and_read);
  add("file.close", close);
  add("file.write", write);
  add("file.write_content", write_content);
  add("file.wait_write_content", wait_write_content);
  add("file.append_content", append_content);
  add("file.write_binary", write_binary);
  add("file.read_content", read_content);
  add("file.read_binary", read_binary);
  add("file.read_bytes", read_bytes);
  add("file.size", size);
  add("file.exists", exists);
  add("file.create", create);
  add("file.delete", remove);
  add("file.copy", copy);
  add("file.move", move);
  add("file.remove", remove_file);
  add("directory.exists", directory_exists);
  add("directory.create", directory_create);
  add("directory.delete", directory_delete);
  add("directory.list", list);
  add("directory.make", make_directories);
  add("directory.remove", remove_directory);
}

}  // namespace wfl::stdlib
