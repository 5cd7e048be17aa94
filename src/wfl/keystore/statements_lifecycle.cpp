// create keystore, open keystore, open or create keystore, close keystore.
#include <fmt/format.h>

#include <filesystem>

#include "wfl/keystore/statements.h"
#include "wfl/vm/operations.h"
#include "wfl/vm/vm.h"

namespace wfl::keystore {
namespace {

enum class Mode : std::uint8_t { create, open, open_or_create, open_for_reading };

struct Request {
  Mode mode = Mode::open;
  std::string path;
  bool has_secret = false;
  bool compression = false;
  bool relaxed = false;
};

std::optional<Mode> mode_of(std::string_view words) {
  if (words == "create") return Mode::create;
  if (words == "open") return Mode::open;
  if (words == "open or create") return Mode::open_or_create;
  if (words == "open for reading") return Mode::open_for_reading;
  return std::nullopt;
}

// The arguments of the statement, or nothing when it failed the call.
std::optional<Request> request_arguments(vm::NativeCall& call) {
  Request request;
  const auto mode = call[0].is_text() ? mode_of(call[0].as_text()) : std::nullopt;
  if (!mode) {
    call.fail(
        "This way of opening a keystore is unknown. Use `create keystore`, `open keystore` or `open or create "
        "keystore`.");
    return std::nullopt;
  }
  request.mode = *mode;
  const vm::Value path = call[1];
  if (!path.is_text()) {
    call.fail(fmt::format("The path of a keystore must be a text such as \"data.kvb\", but this is {} {}.",
                          vm::type_name(path), vm::debug_form(path)));
    return std::nullopt;
  }
  request.path = path.as_text();
  if (request.path.empty()) {
    call.fail("The path of a keystore must not be empty. Give it a name such as \"data.kvb\".");
    return std::nullopt;
  }
  if (request.path.find('\0') != std::string::npos) {
    call.fail("The path of a keystore must not have a zero character in it.");
    return std::nullopt;
  }
  if (const std::size_t scheme = request.path.find("://"); scheme != std::string::npos) {
    fail_with(call, not_yet(fmt::format("A keystore at \"{}\"", request.path),
                            "Use the path of a file, such as \"data.kvb\"."));
    return std::nullopt;
  }
  const vm::Value secret = call[2];
  if (!secret.is_undefined()) {
    if (!secret.is_text() || secret.as_text().empty()) {
      call.fail(fmt::format("An encryption key must be a text that is not empty, but this is {}{}.",
                            vm::type_name(secret), secret.is_text() ? " \"\"" : ""));
      return std::nullopt;
    }
    request.has_secret = true;
  }
  request.compression = vm::truthy(call[3]);
  request.relaxed = vm::truthy(call[4]);
  return request;
}

// Options whose engine side is still to come are refused before a file is made, so that nobody believes data to be
// encrypted or compressed that is not. `compression` counts only when the statement creates; opening ignores it by the
// language's rules.
bool refuse_options(vm::NativeCall& call, const Request& request) {
  std::error_code ignored;
  const bool creates = request.mode == Mode::create ||
                       (request.mode == Mode::open_or_create && !std::filesystem::exists(request.path, ignored));
  if (!creates) return false;
  if (request.has_secret) {
    fail_with(call,
              not_yet("Encryption", "Nothing was made. Leave `encryption key` out to make a keystore without it."));
    return true;
  }
  if (request.compression) {
    fail_with(call, not_yet("Compression", "Nothing was made. Leave `compression` out to make a keystore without it."));
    return true;
  }
  return false;
}

kvb::Result<kvb::Bucket> open_bucket(const Request& request) {
  const kvb::Durability durability = request.relaxed ? kvb::Durability::relaxed : kvb::Durability::sync;
  switch (request.mode) {
    case Mode::create:
      return kvb::Bucket::create(request.path, {.durability = durability});
    case Mode::open:
      return kvb::Bucket::open(request.path, {.durability = durability});
    case Mode::open_or_create:
      return kvb::Bucket::open_or_create(request.path, {.durability = durability});
    case Mode::open_for_reading:
      return kvb::Bucket::open(request.path, {.read_only = true, .durability = durability});
  }
  return std::unexpected(kvb::Error{.code = kvb::ErrorCode::invalid_argument});
}

vm::Error opening_error(const Request& request, const kvb::Error& error) {
  vm::Error described = describe(error, request.path);
  const bool creates = request.mode == Mode::create || request.mode == Mode::open_or_create;
  if (error.code == kvb::ErrorCode::not_found && creates) {
    const std::string folder = std::filesystem::path(request.path).parent_path().string();
    described.message = fmt::format(
        "No keystore can be made at \"{0}\", because there is no folder \"{1}\". Make the folder first with: create "
        "directory at \"{1}\".",
        request.path, folder.empty() ? "." : folder);
  }
  return described;
}

// keystore.open: mode, path, secret?, compression, relaxed
vm::Value open_keystore(vm::NativeCall& call) {
  const auto request = request_arguments(call);
  if (!request || refuse_options(call, *request)) return vm::Value::null();
  auto& library = call.vm.service<Library>();
  if (request->mode == Mode::open || request->mode == Mode::open_or_create) {
    if (library.keystores->writer_of(request->path) != nullptr) {
      // Perhaps nothing refers to that keystore any more; then the collector closes it now.
      call.vm.collect_garbage(call);
      if (library.keystores->writer_of(request->path) != nullptr) {
        return fail_with(call, busy_in_this_program(request->path));
      }
    }
  }
  auto bucket = open_bucket(*request);
  if (!bucket) return fail_with(call, opening_error(*request, bucket.error()));
  if (request->has_secret) {
    // The engine knows no encrypted buckets yet, so one that opened has none.
    return call.fail(
        vm::ErrorKind::kWrongEncryptionKey,
        fmt::format("The keystore \"{0}\" is not encrypted, so it takes no encryption key. Open it with: open "
                    "keystore at \"{0}\" as NAME.",
                    request->path));
  }
  return vm::Value(call.heap.make<Keystore>(request->path, std::move(*bucket), request->mode == Mode::open_for_reading,
                                            library.keystores));
}

// keystore.close: keystore
vm::Value close_keystore(vm::NativeCall& call) {
  Keystore* keystore = Keystore::from(call[0]);
  if (keystore == nullptr) {
    return call.fail(fmt::format("`close keystore` needs a keystore, got {}.", vm::type_name(call[0])));
  }
  if (keystore->in_batch()) {
    return call.fail(
        fmt::format("The keystore \"{}\" cannot be closed in the middle of its batch. Close it after `end batch`.",
                    keystore->path()));
  }
  if (const auto closed = keystore->close(Loops::go_on); !closed)
    return fail_with(call, closed.error(), keystore->path());
  return vm::Value::null();
}

}  // namespace

void register_lifecycle_statements(vm::HostTable& table) {
  table.add("keystore.open", open_keystore);
  table.add("keystore.close", close_keystore);
}

}  // namespace wfl::keystore
