#include "wfl/compile/program_runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "wfl/vm/operations.h"

namespace wfl::test {

std::string& host_log() {
  static std::string log;
  return log;
}

namespace {

using vm::NativeCall;
using vm::Value;

// The few built-ins the tests need; the real ones belong to a layer above.
Value native_length(NativeCall& call) {
  if (call[0].is_list()) return Value(static_cast<double>(call[0].as<vm::List>()->items.size()));
  if (call[0].is_text()) return Value(static_cast<double>(call[0].as<vm::Text>()->length()));
  return call.fail("length expects a list, text, or binary, got " + std::string(vm::type_name(call[0])));
}
Value native_typeof(NativeCall& call) {
  return call.make_text(vm::type_name(call[0]));
}
Value native_pop(NativeCall& call) {
  vm::List* list = call.list(0);
  if (call.failed()) return Value::null();
  if (list->items.empty()) return call.fail("Cannot pop from an empty list");
  const Value last = list->items.back();
  list->items.pop_back();
  return last;
}
Value native_seven(NativeCall&) {
  return Value(7.0);
}

// A keystore of the tests: keeps values in a map and writes down what it is asked.
class FakeKeystore : public vm::HostObject {
 public:
  [[nodiscard]] std::string_view type_name() const override { return "Keystore"; }
  [[nodiscard]] std::string display() const override { return "keystore"; }
  [[nodiscard]] std::string access_hint(vm::HostAccess) const override { return "Use 'get value from S with key K'"; }
  void trace(vm::Tracer& tracer) override {
    for (auto& [key, value] : values) tracer.mark(value);
  }
  Value iterate(NativeCall& call, bool reversed) override;
  std::map<std::string, Value> values;
};

class FakeIterator : public vm::HostIterator {
 public:
  explicit FakeIterator(std::vector<std::string> keys) : keys_(std::move(keys)) {}
  Value next(NativeCall& call) override {
    return at_ < keys_.size() ? call.make_text(keys_[at_++]) : Value::undefined();
  }
  void close() override {
    if (!closed_) host_log() += "closed\n";
    closed_ = true;
  }

 private:
  std::vector<std::string> keys_;
  std::size_t at_ = 0;
  bool closed_ = false;
};

Value iterator_over(NativeCall& call, const FakeKeystore& keystore, bool reversed) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : keystore.values) keys.push_back(key);
  if (reversed) std::reverse(keys.begin(), keys.end());
  return Value(static_cast<vm::Object*>(call.heap.make<FakeIterator>(std::move(keys))));
}

Value FakeKeystore::iterate(NativeCall& call, bool reversed) {
  return iterator_over(call, *this, reversed);
}

FakeKeystore* keystore_of(NativeCall& call) {
  auto* host = call[0].try_as<vm::HostObject>();
  auto* keystore = host == nullptr ? nullptr : dynamic_cast<FakeKeystore*>(host);
  if (keystore == nullptr) call.fail("Expected a keystore, got " + std::string(vm::type_name(call[0])));
  return keystore;
}

void log_call(NativeCall& call) {
  host_log() += std::string(call.name.substr(call.name.find('.') + 1));
  for (std::uint32_t i = 1; i < call.count; ++i) {
    host_log() += call[i].is_undefined() ? " -" : " " + vm::display(call[i]);
  }
  host_log() += "\n";
}

Value host_open(NativeCall& call) {
  return Value(static_cast<vm::Object*>(call.heap.make<FakeKeystore>()));
}
Value host_store(NativeCall& call) {
  log_call(call);
  FakeKeystore* keystore = keystore_of(call);
  if (keystore == nullptr) return Value::null();
  if (vm::display(call[1]) == "bad") return call.fail(language::ErrorKind::kKeystoreFull, "no space");
  keystore->values[vm::display(call[1])] = call[2];
  return Value::boolean(true);
}
Value host_get(NativeCall& call) {
  FakeKeystore* keystore = keystore_of(call);
  if (keystore == nullptr) return Value::null();
  const auto found = keystore->values.find(vm::display(call[1]));
  return found == keystore->values.end() ? Value::undefined() : found->second;
}
Value host_contains(NativeCall& call) {
  FakeKeystore* keystore = keystore_of(call);
  return Value::boolean(keystore != nullptr && keystore->values.contains(vm::display(call[1])));
}
Value host_iterate(NativeCall& call) {
  log_call(call);
  FakeKeystore* keystore = keystore_of(call);
  return keystore == nullptr ? Value::null() : iterator_over(call, *keystore, call[4].as_boolean());
}
Value host_only_log(NativeCall& call) {
  log_call(call);
  return keystore_of(call) == nullptr ? Value::null() : Value::boolean(true);
}

class Files : public vm::ModuleLoader {
 public:
  Files(vm::Vm& machine, const std::map<std::string, std::string>& files) : vm_(machine), files_(files) {}
  std::expected<std::unique_ptr<vm::FunctionProto>, vm::Error> load(vm::LoadKind kind, std::string_view path,
                                                                    vm::Module& module, vm::CodeSpan) override {
    const auto found = files_.find(std::string(path));
    if (found == files_.end()) {
      return std::unexpected(
          vm::Error{vm::ErrorKind::kFileNotFound, "Cannot resolve module path '" + std::string(path) + "'"});
    }
    auto source = std::make_shared<const syntax::SourceFile>(1, std::string(path), found->second);
    programs_.push_back(syntax::parse(source));
    vm::Module& target = kind == vm::LoadKind::kModule ? vm_.new_module(module, path) : module;
    auto compiled = compile::compile(programs_.back().program, vm_, target, {.keep_globals = true});
    if (!compiled) return std::unexpected(vm::Error{vm::ErrorKind::kGeneral, compiled.error().message});
    return std::move(*compiled);
  }
  void finished(vm::LoadKind, vm::Error* error) override {
    if (error != nullptr) error->message = "Error in file: " + error->message;
  }

 private:
  vm::Vm& vm_;
  const std::map<std::string, std::string>& files_;
  std::deque<syntax::ParseResult> programs_;
};

}  // namespace

Outcome run_program(const std::string& text, const RunOptions& options) {
  Outcome run;
  vm::Vm machine;
  machine.set_dispatch(options.dispatch);
  machine.heap().set_stress(options.collect_always);
  machine.set_test_mode(options.test_mode);
  machine.limits().operations = options.operations;
  machine.limits().call_depth = options.call_depth;
  machine.set_output([&run](std::string_view part) { run.output += part; });
  machine.define_native("length", native_length, 1, 1);
  machine.define_native("typeof", native_typeof, 1, 1);
  machine.define_native("pop", native_pop, 1, 1);
  machine.define_native("random", native_seven, 0, 0);
  host_log().clear();
  machine.hosts().add("keystore.open", host_open);
  machine.hosts().add("keystore.store", host_store);
  machine.hosts().add("keystore.get", host_get);
  machine.hosts().add("keystore.contains", host_contains);
  machine.hosts().add("keystore.iterate", host_iterate);
  for (const char* name : {"batch_begin", "batch_commit", "batch_rollback", "remove", "remove_range", "close",
                           "compact", "flush", "increase", "scan"}) {
    machine.hosts().add("keystore." + std::string(name), host_only_log);
  }
  Files files(machine, options.files);
  machine.set_loader(&files);
  auto source = std::make_shared<const syntax::SourceFile>(0, "test.wfl", text);
  const syntax::ParseResult parsed = syntax::parse(source);
  if (!parsed.ok()) {
    for (const syntax::Diagnostic& diagnostic : parsed.diagnostics) run.parse_errors.push_back(diagnostic.message);
    return run;
  }
  auto compiled = compile::compile(parsed.program, machine, machine.globals(), {.keep_globals = options.keep_globals});
  if (!compiled) {
    run.error = "compile: " + compiled.error().message;
    return run;
  }
  const auto result = machine.run(machine.adopt(std::move(*compiled)));
  machine.flush_output();
  if (!result && result.error().kind != language::ErrorKind::kExitProgram) {
    run.error = result.error().message;
    run.kind = result.error().kind;
    run.line = source->line_of(result.error().span.begin);
  }
  run.tests = machine.test_results();
  run.collections = machine.heap().collections();
  return run;
}

std::string run_all_ways(const std::string& text) {
  const auto whole = [](const Outcome& run) {
    std::string out = run.output;
    for (const std::string& error : run.parse_errors) out += "parse error: " + error + "\n";
    if (!run.error.empty()) out += "error: " + run.error + "\n";
    return out;
  };
  const std::string first = whole(run_program(text));
  EXPECT_EQ(first, whole(run_program(text, {.dispatch = vm::Vm::Dispatch::kSwitch}))) << text;
  EXPECT_EQ(first, whole(run_program(text, {.collect_always = true}))) << text;
  EXPECT_EQ(first, whole(run_program(text, {.collect_always = true, .keep_globals = true}))) << text;
  return first;
}

}  // namespace wfl::test
