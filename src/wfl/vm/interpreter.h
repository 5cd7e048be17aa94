// The inside of the VM, shared between its files: the dispatch loops (run_loop.inc), the slow paths of instructions,
// calls, unwinding and intrinsics. Nobody outside of vm/ includes this.
//
// Convention: a function that can fail returns false after it has set the Vm's pending error with fail(). The dispatch
// loop then adds the place, looks for a protected range, and either goes on there or hands the error to its caller.
#pragma once

#include <string>

#include "wfl/vm/vm.h"

namespace wfl::vm {

// An error as a value in a register of a handler.
class ErrorObject : public HostObject {
 public:
  explicit ErrorObject(RuntimeError e) : error(std::move(e)) {}
  [[nodiscard]] std::string_view type_name() const override { return "Error"; }
  [[nodiscard]] std::string display() const override { return error.message; }
  RuntimeError error;
};

// Operations that need no opcode of their own. Arguments are registers from a on; the result goes to the first of them.
// X(name, C++ function, doc)
#define WFL_INTRINSICS(X)                                                                  \
  X(DefineContainer, define_container, "number of the spec -> container")                  \
  X(DefineInterface, define_interface, "number of the spec -> interface")                  \
  X(NewInstance, new_instance, "container value, name -> instance with its defaults")      \
  X(OnEvent, on_event, "source, event name -> Null")                                       \
  X(FieldOf, field_of, "callee or undefined, object, name -> field, or undefined to call") \
  X(Remove, remove_item, "list, item -> Null")                                             \
  X(Clear, clear_collection, "list -> Null")                                               \
  X(Push, push_item, "list, item -> Null")                                                 \
  X(NewPattern, new_pattern, "number of the description, name -> uncompiled pattern")      \
  X(Export, check_export, "what, name -> Null")                                            \
  X(Include, include_file, "path -> Null")                                                 \
  X(LoadModule, load_module, "path -> Null")                                               \
  X(DescribeBegin, describe_begin, "title -> Null")                                        \
  X(DescribeEnd, describe_end, "-> Null")                                                  \
  X(TestPassed, test_passed, "title -> Null")                                              \
  X(TestFailed, test_failed, "title, error -> Null")                                       \
  X(Expect, expect, "kind, subject, operand -> Null")                                      \
  X(ReplaceText, replace_text, "text, pattern text, replacement -> text")                  \
  X(Measure, measure, "value -> its length, or undefined if it has none")

enum class IntrinsicId : std::uint16_t {
#define WFL_INTRINSIC_NAME(name, function, doc) k##name,
  WFL_INTRINSICS(WFL_INTRINSIC_NAME)
#undef WFL_INTRINSIC_NAME
};

enum class ExpectKind : std::uint8_t { kEqual, kGreater, kLess, kYes, kNo, kExist, kContain, kEmpty, kLength, kType };

struct Interpreter {
  // --- dispatch loops: run until the frame that returns to native code returns. False: vm.error_ is uncaught.
  static bool run(Vm& vm);
  static bool run_computed_goto(Vm& vm);
  static bool run_switch(Vm& vm);

  // --- errors and unwinding (unwind.cpp)
  static bool fail(Vm& vm, ErrorKind kind, std::string message);
  static bool fail(Vm& vm, std::string message) { return fail(vm, ErrorKind::kGeneral, std::move(message)); }
  // Finds who handles the pending error; the frames in between are gone afterwards. False: the frame that returns to
  // native code was reached and is gone too.
  static bool unwind(Vm& vm);
  static bool undefined_variable(Vm& vm, std::string_view name);
  // Safepoint: limits, cancellation, garbage. `spent`: operations since the last one.
  static bool safepoint(Vm& vm, std::int64_t spent);
  static void collect(Vm& vm) { collect(vm, stack_top(vm)); }
  static void collect(Vm& vm, Value* top);  // Registers from `top` on are dead.
  static void main_loop(Vm& vm, bool enter);
  static void close_iteration(Vm& vm, Value iteration);

  // --- calls (calls.cpp). On success the frame of an action is pushed, or the result of a native is in callee[0].
  static bool call_value(Vm& vm, Value* callee, std::uint32_t count, CallStyle style);
  static bool push_frame(Vm& vm, const Closure& closure, Value* base, std::uint32_t count, Frame::Return returns);
  static bool grow_stack(Vm& vm, const Value* top);
  static bool call_native(Vm& vm, const Native& native, Value* callee, std::uint32_t count, CallStyle style);
  static bool call_host(Vm& vm, const FunctionProto& proto, std::uint32_t index, Value* args, std::uint32_t count);
  static bool call_bare(Vm& vm, Value* callee);
  static bool call_member(Vm& vm, Value* object, std::uint32_t count, std::string_view name);
  static bool call_parent(Vm& vm, Value self, Value* target, std::uint32_t count, std::string_view name);
  static const Closure* select_version(Vm& vm, const Action& action, const Value* args, std::uint32_t count);

  // --- slow paths (slow_paths.cpp); `out` is the target register
  static bool arithmetic(Vm& vm, Op op, Value left, Value right, Value* out);
  static bool divide(Vm& vm, double left, double right, Value* out);
  static bool order(Vm& vm, Op op, Value left, Value right, bool* out);
  static bool negate(Vm& vm, Value value, Value* out);
  static bool contains(Vm& vm, Value collection, Value item, Value* out);
  static bool affix(Vm& vm, Op op, Value text, Value part, Value* out);
  static bool concat(Vm& vm, const Value* parts, std::uint32_t count, Value* out);
  static bool index(Vm& vm, Value collection, Value at, Value* out);
  static bool get_property(Vm& vm, Value object, Text* name, Value* out);
  static bool set_property(Vm& vm, Value object, Text* name, Value value);
  // The property an action sees under a plain name: of the instance, else a static one; null when there is none.
  static Value* find_field(Value self, const Text* name);
  static bool add_to(Vm& vm, Value* target, Value value);
  static bool count_prepare(Vm& vm, Value* counter, bool* enter);
  static bool iterate_prepare(Vm& vm, Value* iteration, std::uint32_t flags);
  static bool iterate_next(Vm& vm, Value* iteration, bool* more);
  static Value read_global(Vm& vm, Module& module, std::uint32_t slot);
  static bool set_global(Vm& vm, Module& module, std::uint32_t slot, Value value, bool must_exist);
  static bool define_constant(Vm& vm, Module& module, std::uint32_t slot, Value value);
  static bool define_action(Vm& vm, Module& module, std::uint32_t slot, Value action);
  static bool merge_action(Vm& vm, Value* into, Value from);
  static bool make_closure(Vm& vm, const Frame& frame, std::uint32_t function, Value* out);
  static void show(Vm& vm, const Value* parts, std::uint32_t count);

  // --- intrinsics (intrinsics.cpp, containers.cpp, testing.cpp)
  static bool intrinsic(Vm& vm, std::uint32_t id, Value* args, std::uint32_t count);
#define WFL_INTRINSIC_DECLARATION(name, function, doc) static bool function(Vm& vm, Value* args, std::uint32_t count);
  WFL_INTRINSICS(WFL_INTRINSIC_DECLARATION)
#undef WFL_INTRINSIC_DECLARATION

  // The first register no frame uses.
  static Value* stack_top(const Vm& vm) {
    return vm.frame_->base + (vm.frame_->proto == nullptr ? 0 : vm.frame_->proto->registers);
  }
};

}  // namespace wfl::vm
