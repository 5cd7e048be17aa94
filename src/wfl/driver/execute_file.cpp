#include "wfl/driver/execute_file.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include "wfl/driver/session.h"
#include "wfl/stdlib/unicode.h"
#include "wfl/vm/heap.h"
#include "wfl/vm/operations.h"

namespace wfl::driver {
namespace {

namespace fs = std::filesystem;
using vm::NativeCall;
using vm::Value;

constexpr std::string_view kRequestFields[] = {"method", "path", "query", "client_ip", "body", "headers"};

// A value of one VM for another: values that hold on to their VM (actions, keystores, …) can't go.
Value carry_over(vm::Heap& heap, Value value, int depth = 0) {
  if (!value.is_object()) return value;
  if (value.is_text()) return Value::object(heap.text(value.as_text()));
  if (const auto* binary = value.try_as<vm::Binary>()) return Value::object(heap.binary(binary->bytes));
  if (depth < 64) {
    if (const auto* list = value.try_as<vm::List>()) {
      std::vector<Value> items;
      for (const Value item : list->items) items.push_back(carry_over(heap, item, depth + 1));
      return Value::object(heap.list(std::move(items)));
    }
    if (const auto* map = value.try_as<vm::Map>()) {
      vm::Map* copy = heap.map();
      for (const auto& entry : map->entries()) {
        if (entry.key != nullptr) heap.map_set(copy, entry.key->view(), carry_over(heap, entry.value, depth + 1));
      }
      return Value::object(copy);
    }
  }
  return Value::null();
}

Value execute_file(NativeCall& call) {
  Session& parent = *static_cast<Session*>(call.data);
  if (!call[0].is_text())
    return call.fail("Expected a text for the path of the file to execute, got " + vm::debug_form(call[0]));
  const stdlib::Settings& settings = parent.options().config.settings;
  if (parent.options().execute_depth >= settings.max_execute_file_depth) {
    return call.fail(vm::ErrorKind::kResourceLimit, "execute file is nested deeper than " +
                                                        std::to_string(settings.max_execute_file_depth) +
                                                        " levels (max_execute_file_depth)");
  }
  const std::string name(call[0].as_text());
  const fs::path path = parent.sources().path_of(call.vm.current_span().file).parent_path() / name;
  std::error_code code;
  if (!fs::exists(path, code)) {
    return call.fail(vm::ErrorKind::kFileNotFound, "Cannot execute file '" + name +
                                                       "': there is no such file (looked for " +
                                                       path.lexically_normal().string() + ")");
  }
  auto text = read_source(path, settings.max_source_bytes);
  if (!text) return call.fail("Cannot execute file '" + name + "': " + text.error().message);

  call.vm.flush_output();
  const bool capture = call[2].is_boolean() && call[2].as_boolean();
  std::string captured;
  std::string messages;
  SessionOptions options;
  options.config = parent.options().config;
  options.execute_depth = parent.options().execute_depth + 1;
  options.time_left = call.vm.time_left();
  options.channels.output =
      capture ? [&captured](std::string_view bytes) { captured += bytes; } : parent.options().channels.output;
  options.channels.messages = [&messages](std::string_view bytes) { messages += bytes; };
  Session child(std::move(options));
  if (const auto* request = call[1].try_as<vm::Map>()) {
    for (const std::string_view field : kRequestFields) {
      if (const Value* value = request->find(field))
        child.set_variable(field, carry_over(child.machine().heap(), *value));
    }
  }
  const language::ExitCode result = child.run(name, path, std::move(*text));
  if (child.error()) {
    return call.fail(child.error()->kind, "Error in executed file '" + name + "' (line " +
                                              std::to_string(child.line_of(child.error()->span)) +
                                              "): " + child.error()->message);
  }
  if (result == language::ExitCode::kUsage || result == language::ExitCode::kSemantic) {
    return call.fail("Error in executed file '" + name + "': " + messages);
  }
  if (!messages.empty()) parent.options().channels.messages(messages);
  return capture ? call.make_text(stdlib::repair_utf8(captured)) : Value::null();
}

}  // namespace

void register_execute_file(vm::HostTable& table, Session& session) {
  table.add("program.execute_file", execute_file, &session);
}

}  // namespace wfl::driver
