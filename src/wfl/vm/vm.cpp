#include "wfl/vm/vm.h"

#include <algorithm>
#include <new>

#include "wfl/vm/interpreter.h"

namespace wfl::vm {

namespace {
constexpr std::size_t kStackValues = std::size_t{4} << 20;  // 32 MiB of address space, used as far as needed.
constexpr std::uint32_t kMaxCallDepth = 1'000'000;

ValueArray reserve_values(std::size_t count) {
  void* memory = std::malloc(count * sizeof(Value));
  if (memory == nullptr) throw std::bad_alloc();
  return ValueArray(static_cast<Value*>(memory));
}
}  // namespace

// ---- Module ----

Module::Module() : values(reserve_values(kMaxGlobals)), constant(new std::uint8_t[kMaxGlobals]()) {}

std::uint32_t Module::slot(std::string_view name) {
  if (const std::uint32_t* found = find(name)) return *found;
  if (count == kMaxGlobals) return kMaxGlobals;
  index.emplace(std::string(name), count);
  names.emplace_back(name);
  values[count] = Value::undefined();
  return count++;
}

const std::uint32_t* Module::find(std::string_view name) const {
  const auto it = index.find(std::string(name));
  return it == index.end() ? nullptr : &it->second;
}

Value Module::get(std::string_view name) const {
  const std::uint32_t* found = find(name);
  return found == nullptr ? Value::undefined() : values[*found];
}

void Module::set(std::string_view name, Value value, bool is_constant) {
  const std::uint32_t at = slot(name);
  if (at == kMaxGlobals) return;
  values[at] = value;
  constant[at] = is_constant ? 1 : 0;
}

// ---- Vm ----

Vm::Vm() : stack_(reserve_values(kStackValues)) {
  stack_end_ = stack_.get() + kStackValues;
  high_water_ = stack_.get();
  Interpreter::grow_stack(*this, stack_.get() + 1);
  modules_.push_back(std::make_unique<Module>());
  frames_.resize(1);
  frames_[0] = Frame{nullptr, nullptr, stack_.get() + 1, nullptr, Frame::Return::kToNative};
  frame_ = frames_.data();
}

Vm::~Vm() {
  flush_output();
}

void Vm::define_native(std::string_view name, NativeFunction function, std::uint32_t min_arguments,
                       std::uint32_t max_arguments, void* data) {
  auto* native = heap_.make<Native>();
  native->name = std::string(name);
  native->function = function;
  native->min_arguments = min_arguments;
  native->max_arguments = max_arguments;
  native->data = data;
  globals().set(name, Value(native));
}

Module& Vm::new_module(Module& parent, std::string_view file) {
  modules_.push_back(std::make_unique<Module>());
  modules_.back()->parent = &parent;
  modules_.back()->file = std::string(file);
  return *modules_.back();
}

namespace {
void link(FunctionProto& function, const HostTable& hosts) {
  function.hosts.clear();
  for (const std::string& name : function.host_names) function.hosts.push_back(hosts.find(name));
  for (const auto& inner : function.functions) link(*inner, hosts);
}
}  // namespace

const FunctionProto* Vm::adopt(std::unique_ptr<FunctionProto> function) {
  link(*function, hosts_);
  functions_.push_back(std::move(function));
  return functions_.back().get();
}

std::expected<Value, RuntimeError> Vm::run(const FunctionProto* function) {
  return call_on(Value::null(), Closure{function, {}}, {});
}

std::expected<Value, RuntimeError> Vm::call(Value callee, std::span<const Value> arguments) {
  const auto count = static_cast<std::uint32_t>(arguments.size());
  Value* slot = Interpreter::stack_top(*this);
  if (!Interpreter::grow_stack(*this, slot + count + 1)) return std::unexpected(std::move(error_));
  slot[0] = callee;
  std::copy(arguments.begin(), arguments.end(), slot + 1);
  if (const auto* action = callee.try_as<Action>()) {
    const Closure* version = Interpreter::select_version(*this, *action, slot + 1, count);
    if (version == nullptr) return std::unexpected(std::move(error_));
    return call_on(callee, *version, arguments);
  }
  if (!Interpreter::call_value(*this, slot, count, CallStyle::kCall)) return std::unexpected(std::move(error_));
  return slot[0];
}

std::expected<Value, RuntimeError> Vm::call_on(Value self, const Closure& closure, std::span<const Value> arguments) {
  const auto count = static_cast<std::uint32_t>(arguments.size());
  if (frame_ == frames_.data()) {
    // Nothing runs: the limits may have changed. One frame for "none", one for the main function.
    const std::size_t depth = std::min(limits_.call_depth, kMaxCallDepth);
    frames_.reserve(depth + 2);
    frame_ = frames_.data();
    frame_limit_ = frames_.data() + depth + 2;
    if (started_ == std::chrono::steady_clock::time_point{}) start_clock();
  }
  Value* slot = Interpreter::stack_top(*this);
  if (!Interpreter::grow_stack(*this, slot + count + 1)) return std::unexpected(std::move(error_));
  slot[0] = self;
  std::copy(arguments.begin(), arguments.end(), slot + 1);
  if (!Interpreter::push_frame(*this, closure, slot + 1, count, Frame::Return::kToNative)) {
    return std::unexpected(std::move(error_));
  }
  if (closure.cells.empty()) frame_->closure = nullptr;
  const std::uint32_t loops = main_loops_;
  if (!Interpreter::run(*this)) {
    main_loops_ = loops;
    return std::unexpected(std::move(error_));
  }
  return slot[0];
}

void Vm::write_output(std::string_view text) {
  output_ += text;
  if (output_.size() >= output_buffer_bytes_) flush_output();
}

void Vm::flush_output() {
  if (output_.empty()) return;
  if (sink_) sink_(output_);
  output_.clear();
}

CodeSpan Vm::current_span() const {
  if (frame_->proto == nullptr) return {};
  const auto next = static_cast<std::uint32_t>(frame_->pc - frame_->proto->code.data());
  return frame_->proto->span_at(next == 0 ? 0 : next - 1);
}

const Module* Vm::current_module() const {
  return frame_->proto == nullptr ? modules_.front().get() : frame_->proto->module;
}

void Vm::start_clock() {
  operations_ = 0;
  started_ = std::chrono::steady_clock::now();
}

std::optional<std::chrono::milliseconds> Vm::time_left() const {
  if (limits_.run_time.count() == 0 || main_loops_ > 0) return std::nullopt;
  const auto spent = std::chrono::steady_clock::now() - started_;
  return limits_.run_time - std::chrono::duration_cast<std::chrono::milliseconds>(spent);
}

}  // namespace wfl::vm
