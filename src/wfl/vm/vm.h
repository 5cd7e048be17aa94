// The virtual machine: runs compiled functions, owns the heap and the globals, and enforces the limits.
//
// One Vm is one program run; it belongs to one thread. WFL calls never use the C++ stack, so the depth of a program's
// recursion is bounded only by Limits::call_depth. Native functions run on the C++ stack and return before the next
// safepoint. Errors travel as values; run() and call() hand the uncaught one to their caller.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <typeindex>
#include <unordered_map>
#include <vector>

#include "wfl/vm/bytecode.h"
#include "wfl/vm/heap.h"
#include "wfl/vm/native.h"
#include "wfl/vm/value.h"

namespace wfl::vm {

// An uncaught error with its place.
struct RuntimeError {
  ErrorKind kind = ErrorKind::kGeneral;
  std::string message;
  CodeSpan span;
  std::vector<std::pair<std::string, CodeSpan>>
      trace;  // Calls that led there, innermost first: action name, call place.
};

struct Limits {
  std::uint32_t call_depth = 1000;
  std::uint64_t operations = 0;           // Loop rounds and calls; 0: no limit.
  std::chrono::milliseconds run_time{0};  // 0: no limit. Not counted while a main loop runs.
  std::string run_time_words;             // How the message says it, e.g. "60s".
};

// Memory for values that is not touched before it is used.
struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};
using ValueArray = std::unique_ptr<Value[], FreeMemory>;

// A set of globals. A program has one; a loaded module has its own, with read-only access to its parent's.
struct Module {
  static constexpr std::uint32_t kMaxGlobals = 65'535;
  std::string file;  // The path it came from, for relative paths.
  Module* parent = nullptr;
  std::uint32_t count = 0;
  ValueArray values;                         // kMaxGlobals of them, touched only as used, so that they never move.
  std::unique_ptr<std::uint8_t[]> constant;  // 1: can't be changed.
  std::vector<std::string> names;
  std::unordered_map<std::string, std::uint32_t> index;

  Module();
  // The slot of a name; made when it is new. kMaxGlobals when there is no room.
  std::uint32_t slot(std::string_view name);
  [[nodiscard]] const std::uint32_t* find(std::string_view name) const;
  // The value here, or undefined. Does not look at the parent.
  [[nodiscard]] Value get(std::string_view name) const;
  void set(std::string_view name, Value value, bool is_constant = false);
};

enum class LoadKind : std::uint8_t { kInclude, kModule };

// What the driver does for `include` and `load module`: finds, parses, checks and compiles the file. An include is
// compiled into `module`; a module into a new Module whose parent it is. `from` is the place of the statement.
class ModuleLoader {
 public:
  virtual ~ModuleLoader() = default;
  virtual std::expected<std::unique_ptr<FunctionProto>, Error> load(LoadKind kind, std::string_view path,
                                                                    Module& module, CodeSpan from) = 0;
  // Called when the file has run, with the error that left it, which may be reworded.
  virtual void finished(LoadKind kind, Error* error) = 0;
};

struct TestFailure {
  std::string name;
  std::vector<std::string> context;
  std::string message;
  CodeSpan span;
};

struct TestResults {
  std::uint32_t passed = 0;
  std::uint32_t failed = 0;
  std::vector<TestFailure> failures;
};

struct Frame {
  const FunctionProto* proto;
  const Instruction* pc;   // Of the next instruction while another frame runs.
  Value* base;             // Register 0; base[-1] is the callee and takes the result.
  const Closure* closure;  // Null in a main function.
  enum class Return : std::uint8_t { kToFrame, kToNative, kInclude, kModule } returns;
};

class Vm {
 public:
  enum class Dispatch : std::uint8_t { kComputedGoto, kSwitch };

  Vm();
  ~Vm();
  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;

  Heap& heap() { return heap_; }
  Module& globals() { return *modules_.front(); }
  HostTable& hosts() { return hosts_; }
  Limits& limits() { return limits_; }

  // A built-in function, bound to a global of this name.
  void define_native(std::string_view name, NativeFunction function, std::uint32_t min_arguments,
                     std::uint32_t max_arguments, void* data = nullptr);
  void set_global(std::string_view name, Value value) { globals().set(name, value); }
  // The value, or Value::undefined().
  [[nodiscard]] Value get_global(std::string_view name) const { return modules_.front()->get(name); }
  // A library's own state, made at the first use and destroyed with the Vm (after the heap's objects).
  template <class T>
  T& service() {
    std::shared_ptr<void>& slot = services_[std::type_index(typeid(T))];
    if (!slot) slot = std::make_shared<T>();
    return *static_cast<T*>(slot.get());
  }

  Module& new_module(Module& parent, std::string_view file);
  // Takes a compiled function over, resolves its host functions, and keeps its constants alive.
  const FunctionProto* adopt(std::unique_ptr<FunctionProto> function);

  // Runs a main function. The value is that of its last expression statement (for a REPL), else Null.
  std::expected<Value, RuntimeError> run(const FunctionProto* function);
  // Calls an action or native from C++. Also from inside a native function.
  std::expected<Value, RuntimeError> call(Value callee, std::span<const Value> arguments);
  // Runs an action of a container on `self`.
  std::expected<Value, RuntimeError> call_on(Value self, const Closure& closure, std::span<const Value> arguments);

  void set_output(std::function<void(std::string_view)> sink) { sink_ = std::move(sink); }
  // How much output may wait before it goes to the sink: 64 KiB, or 0 where somebody watches every line come.
  void set_output_buffer(std::size_t bytes) { output_buffer_bytes_ = bytes; }
  void write_output(std::string_view text);
  void flush_output();
  void set_loader(ModuleLoader* loader) { loader_ = loader; }
  [[nodiscard]] ModuleLoader* loader() const { return loader_; }
  void set_dispatch(Dispatch dispatch) { dispatch_ = dispatch; }
  // Set from another thread or a signal handler to stop the program with a Cancelled error at its next safepoint.
  std::atomic<bool>& cancel_flag() { return cancelled_; }
  // Marks further roots at each collection, for libraries that hold Values in their own state.
  void add_roots(std::function<void(Tracer&)> mark) { roots_.push_back(std::move(mark)); }
  // Collects now, for a host function that needs what nobody can reach any more to be gone. To be called before it has
  // made any object. Registers above its arguments are dead and count as empty. False: it was not possible, because
  // another native function further down is waiting and may hold values.
  bool collect_garbage(const NativeCall& call);
  // The place of the statement that is running now, for natives that need the current file.
  [[nodiscard]] CodeSpan current_span() const;
  [[nodiscard]] const Module* current_module() const;
  void start_clock();
  // What is left of the run time; nothing when there is no limit (or a main loop runs).
  [[nodiscard]] std::optional<std::chrono::milliseconds> time_left() const;

  // --- test framework ---
  void set_test_mode(bool on) { test_mode_ = on; }
  [[nodiscard]] bool test_mode() const { return test_mode_; }
  TestResults& test_results() { return tests_; }
  std::vector<std::string>& test_context() { return test_context_; }

 private:
  friend struct Interpreter;

  Heap heap_;
  HostTable hosts_;
  Limits limits_;
  std::vector<std::unique_ptr<Module>> modules_;
  std::vector<std::unique_ptr<FunctionProto>> functions_;
  std::map<std::type_index, std::shared_ptr<void>> services_;
  ValueArray stack_;
  Value* stack_end_ = nullptr;
  Value* high_water_ = nullptr;  // No register above it was ever used; those between the top and it may be stale.
  std::vector<Frame> frames_;    // Never grows while a program runs.
  Frame* frame_ = nullptr;       // The one that runs; frames_[0] stands for "none".
  Frame* frame_limit_ = nullptr;
  std::vector<std::function<void(Tracer&)>> roots_;
  std::function<void(std::string_view)> sink_;
  std::string output_;
  std::size_t output_buffer_bytes_ = 64 * 1024;
  ModuleLoader* loader_ = nullptr;
  Dispatch dispatch_ = Dispatch::kComputedGoto;
  std::atomic<bool> cancelled_{false};
  std::uint64_t operations_ = 0;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point main_loop_began_;
  std::uint32_t main_loops_ = 0;
  std::uint32_t native_depth_ = 0;
  bool test_mode_ = false;
  TestResults tests_;
  std::vector<std::string> test_context_;
  RuntimeError error_;  // The one being raised.
};

}  // namespace wfl::vm
