// Errors on their way outwards, and the work of a safepoint.
#include <algorithm>

#include "wfl/vm/interpreter.h"

namespace wfl::vm {

namespace {
// A trace longer than this says nothing more; a recursion would fill it with one line a thousand times.
constexpr std::size_t kTraceLimit = 32;
}  // namespace

bool Interpreter::fail(Vm& vm, ErrorKind kind, std::string message) {
  vm.error_ = RuntimeError{kind, std::move(message), {}, {}};
  return false;
}

bool Interpreter::undefined_variable(Vm& vm, std::string_view name) {
  return fail(vm, "Undefined variable '" + std::string(name) + "'");
}

void Interpreter::close_iteration(Vm&, Value iteration) {
  if (auto* host = iteration.try_as<HostObject>()) {
    if (auto* iterator = dynamic_cast<HostIterator*>(host)) iterator->close();
  }
}

bool Interpreter::unwind(Vm& vm) {
  bool first = true;
  while (true) {
    Frame& frame = *vm.frame_;
    const FunctionProto& proto = *frame.proto;
    const auto next = static_cast<std::uint32_t>(frame.pc - proto.code.data());
    const std::uint32_t at = next == 0 ? 0 : next - 1;
    if (first) {
      if (vm.error_.span == CodeSpan{}) vm.error_.span = proto.span_at(at);
    } else if (vm.error_.trace.size() < kTraceLimit) {
      vm.error_.trace.back().second = proto.span_at(at);
    }
    first = false;
    for (const Protection& protection : proto.protections) {
      if (at < protection.begin || at >= protection.end) continue;
      Value& reg = frame.base[protection.reg];
      switch (protection.kind) {
        case Protection::Kind::kHandler:
          reg = Value(static_cast<Object*>(vm.heap_.make<ErrorObject>(std::move(vm.error_))));
          frame.pc = proto.code.data() + protection.target;
          return true;
        case Protection::Kind::kCloseIterator:
          close_iteration(vm, reg);
          reg = Value::null();
          break;
        case Protection::Kind::kHostCall: {
          RuntimeError pending = std::move(vm.error_);
          Value argument = reg;
          call_host(vm, proto, protection.target, &argument, 1);
          vm.error_ = std::move(pending);
          break;
        }
        case Protection::Kind::kMainLoop:
          main_loop(vm, false);
          break;
      }
    }
    if (vm.error_.trace.size() < kTraceLimit) vm.error_.trace.emplace_back(proto.name, CodeSpan{});
    const Frame::Return how = frame.returns;
    --vm.frame_;
    if (how == Frame::Return::kToNative) return false;
    if (how != Frame::Return::kToFrame && vm.loader_ != nullptr) {
      Error error{vm.error_.kind, std::move(vm.error_.message)};
      vm.loader_->finished(how == Frame::Return::kModule ? LoadKind::kModule : LoadKind::kInclude, &error);
      vm.error_.kind = error.kind;
      vm.error_.message = std::move(error.message);
    }
  }
}

void Interpreter::main_loop(Vm& vm, bool enter) {
  if (enter) {
    if (vm.main_loops_++ == 0) vm.main_loop_began_ = std::chrono::steady_clock::now();
  } else if (--vm.main_loops_ == 0) {
    vm.started_ += std::chrono::steady_clock::now() - vm.main_loop_began_;  // It doesn't count as run time.
  }
}

bool Interpreter::safepoint(Vm& vm, std::int64_t spent) {
  vm.operations_ += static_cast<std::uint64_t>(spent);
  if (vm.heap_.wants_collection() && vm.native_depth_ == 0) {
    collect(vm);
    if (vm.heap_.over_limit()) {
      return fail(vm, ErrorKind::kResourceLimit, "The program's values need more memory than it may use");
    }
  }
  if (vm.cancelled_.load(std::memory_order_relaxed)) {
    return fail(vm, ErrorKind::kCancelled, "The program was stopped");
  }
  if (vm.limits_.operations != 0 && vm.operations_ > vm.limits_.operations) {
    return fail(vm, ErrorKind::kResourceLimit,
                "Execution exceeded the limit of " + std::to_string(vm.limits_.operations) + " operations");
  }
  if (const auto left = vm.time_left(); left.has_value() && left->count() <= 0) {
    return fail(vm, ErrorKind::kTimeout, "Execution exceeded timeout (" + vm.limits_.run_time_words + ")");
  }
  return true;
}

void Interpreter::collect(Vm& vm, Value* top) {
  vm.heap_.collect([&vm, top](Tracer& tracer) {
    for (Value* value = vm.stack_.get(); value < top; ++value) tracer.mark(*value);
    for (const auto& module : vm.modules_) {
      for (std::uint32_t i = 0; i < module->count; ++i) tracer.mark(module->values[i]);
    }
    const auto mark_function = [&tracer](const FunctionProto& function, const auto& self) -> void {
      for (const Value constant : function.constants) tracer.mark(constant);
      for (const auto& inner : function.functions) self(*inner, self);
    };
    for (const auto& function : vm.functions_) mark_function(*function, mark_function);
    for (const auto& mark : vm.roots_) mark(tracer);
  });
  // What lies above the top is stale: frames to come must not find pointers to objects that are gone.
  std::fill(top, vm.high_water_, Value::undefined());
}

bool Vm::collect_garbage(const NativeCall& call) {
  if (native_depth_ > 1) return false;
  Value* top = Interpreter::stack_top(*this);
  Value* const end = const_cast<Value*>(call.arguments) + call.count;
  if (end > stack_.get() && end < top) top = end;  // Unless C++ code called it, with arguments of its own.
  Interpreter::collect(*this, top);
  return true;
}

}  // namespace wfl::vm
