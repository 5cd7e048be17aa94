// Any bytes are a program: whatever passes the parser and the analyzer is compiled and run, with the built-in functions
// that touch nothing outside. A run ends by itself, by an error, or by its budget; values it leaves behind are freed,
// and both ways of dispatching and a collection at every safepoint behave alike.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "wfl/check/analyzer.h"
#include "wfl/compile/compiler.h"
#include "wfl/language/builtins.h"
#include "wfl/stdlib/registry.h"
#include "wfl/syntax/parser.h"
#include "wfl/vm/vm.h"

namespace {

using namespace wfl;

constexpr std::uint64_t kOperations = 20'000;
constexpr std::size_t kMemory = std::size_t{32} << 20;
constexpr std::size_t kComparedOutput = std::size_t{1} << 20;

struct Outcome {
  bool compiled = false;
  bool limited = false;  // By time, memory or the budget, so that another run may end elsewhere.
  std::string output;
  std::string error;
};

bool touches_nothing(const language::Builtin& builtin) {
  using enum language::BuiltinChapter;
  // Random numbers and the time differ between runs, files are not ours, and hashing passwords takes long on purpose.
  return builtin.chapter != kFiles && builtin.chapter != kCrypto && builtin.chapter != kRandom &&
         builtin.chapter != kTime;
}

Outcome run(const syntax::Program& program, vm::Vm::Dispatch dispatch, bool stress) {
  Outcome outcome;
  stdlib::Runtime runtime;
  runtime.settings.max_pattern_steps = 20'000;
  vm::Vm machine;
  machine.set_dispatch(dispatch);
  machine.set_output([&outcome](std::string_view text) {
    if (outcome.output.size() < kComparedOutput) outcome.output += text;
  });
  machine.limits().call_depth = 100;
  machine.limits().operations = kOperations;
  machine.limits().run_time = std::chrono::milliseconds(1000);
  machine.limits().run_time_words = "1s";
  machine.heap().set_limit(kMemory);
  machine.heap().set_stress(stress);
  for (const language::Builtin& builtin : language::kBuiltins) {
    if (!touches_nothing(builtin)) continue;
    const std::uint32_t most = builtin.max_arguments == language::kVariadic ? vm::kAnyCount : builtin.max_arguments;
    language::for_each_name(builtin, [&](std::string_view name) {
      machine.define_native(name, stdlib::find_function(builtin.name), builtin.min_arguments, most, &runtime);
    });
  }
  stdlib::register_pattern_statements(machine.hosts(), runtime);
  auto compiled = compile::compile(program, machine, machine.globals());
  if (!compiled) return outcome;
  outcome.compiled = true;
  const auto result = machine.run(machine.adopt(std::move(*compiled)));
  machine.flush_output();
  if (!result) {
    outcome.error = result.error().message;
    outcome.limited =
        result.error().kind == vm::ErrorKind::kResourceLimit || result.error().kind == vm::ErrorKind::kTimeout;
  }
  // Caught limits show in the output only.
  if (outcome.output.size() >= kComparedOutput || outcome.output.find("limit") != std::string::npos ||
      outcome.output.find("memory") != std::string::npos || outcome.output.find("timeout") != std::string::npos) {
    outcome.limited = true;
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const syntax::ParseResult parsed = syntax::parse(
      std::make_shared<syntax::SourceFile>(0, "fuzz.wfl", std::string(reinterpret_cast<const char*>(data), size)));
  if (!parsed.ok()) return 0;
  if (!check::analyze(parsed.program).ok()) return 0;
  const Outcome quick = run(parsed.program, vm::Vm::Dispatch::kComputedGoto, false);
  if (!quick.compiled || quick.limited || size > 4096) return 0;
  const Outcome careful = run(parsed.program, vm::Vm::Dispatch::kSwitch, true);
  if (careful.limited) return 0;
  if (quick.output != careful.output || quick.error != careful.error) std::abort();
  return 0;
}
