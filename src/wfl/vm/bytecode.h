// Compiled code: instructions, constants, and the tables around them.
//
// Why 64-bit instructions. The VM is a register machine like Lua's, but its instructions are four 16-bit fields instead
// of one packed word. A compare-and-jump carries both operands and its distance; an action may have 65,535 variables
// without a second addressing mode; decoding is one load per field with no shifts or masks. The price is twice the code
// size, which does not show: programs are small against the first-level cache.
//
// Frames. All registers live in one stack. A call places the callee and then its arguments in consecutive registers of
// the caller; the callee's frame starts at the first argument, and its result goes where the callee was. base[-1] is
// therefore always the action being run, or the instance (`this`) when an action of a container runs.
//
// Errors need no instruction on the good path: each function has a table of protected ranges. See Protection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wfl/vm/value.h"

namespace wfl::vm {

enum class Op : std::uint16_t {
#define OPCODE(name, operands, doc) k##name,
#include "wfl/vm/opcodes.def"
#undef OPCODE
};

[[nodiscard]] std::string_view op_name(Op op);
[[nodiscard]] std::string_view op_operands(Op op);
[[nodiscard]] std::size_t op_count();

struct Instruction {
  Op op;
  std::uint16_t a = 0;
  std::uint16_t b = 0;
  std::uint16_t c = 0;
  // The 32-bit number in b and c.
  [[nodiscard]] std::int32_t wide() const {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(b) | (static_cast<std::uint32_t>(c) << 16));
  }
  void set_wide(std::int32_t value) {
    b = static_cast<std::uint16_t>(static_cast<std::uint32_t>(value) & 0xffff);
    c = static_cast<std::uint16_t>(static_cast<std::uint32_t>(value) >> 16);
  }
};
static_assert(sizeof(Instruction) == 8);

// A place in a source file, in bytes. The driver owns the files and renders the place.
struct CodeSpan {
  std::uint32_t file = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  friend bool operator==(const CodeSpan&, const CodeSpan&) = default;
};

// How a call was written. After `of` a built-in's error is worded in its own way; `NAME with X` joins two texts when
// the name stands for a value that can't be called.
enum class CallStyle : std::uint16_t { kOf, kCall, kWith };

// A range of instructions in which an error does something before it goes on outwards. Inner ranges come first.
struct Protection {
  enum class Kind : std::uint8_t {
    kHandler,        // Jump to `target` with the error in register `reg`.
    kCloseIterator,  // Close the iteration in `reg`, go on outwards.
    kHostCall,       // Call host function `target` with register `reg`, go on outwards.
    kMainLoop,       // Leave a main loop, go on outwards.
  };
  Kind kind;
  std::uint32_t begin;  // First instruction …
  std::uint32_t end;    // … and one past the last.
  std::uint32_t target = 0;
  std::uint16_t reg = 0;
};

enum class ParameterType : std::uint8_t {
  kAny,
  kText,
  kNumber,
  kBoolean,
  kNothing,
  kPattern,
  kDate,
  kTime,
  kDateTime,
  kBinary,
  kList,
  kMap,
  kContainer,  // `type_name` says which.
};

struct ParameterInfo {
  std::string name;
  ParameterType type = ParameterType::kAny;
  std::string type_name;  // As written; empty when no type was.
};

// Where a closure takes a cell from when it is made.
struct CellSource {
  bool from_register;  // A register that holds a cell, else a cell of the enclosing closure.
  std::uint16_t index;
};

struct ContainerSpec {
  struct Property {
    std::string name;
    bool has_default;
  };
  struct Method {
    std::string name;
    std::uint32_t function;  // Index into FunctionProto::functions.
    bool is_static;
  };
  std::string name;
  std::string parent;  // Empty: none.
  std::vector<std::string> interfaces;
  std::vector<Property> properties;  // Not the static ones.
  std::vector<Method> methods;
  std::vector<std::string> events;
  std::int32_t defaults = -1;  // Function that sets the defaults, or -1.
};

struct InterfaceSpec {
  std::string name;
  std::vector<std::string> parents;
  std::vector<Interface::Requirement> requirements;
};

struct LinePlace {
  std::uint32_t pc;  // From this instruction on.
  CodeSpan span;
};

struct FunctionProto {
  std::string name;
  Module* module = nullptr;  // Its globals.
  std::vector<Instruction> code;
  std::vector<Value> constants;  // Kept alive by the proto's owner: see Vm::adopt.
  std::vector<std::unique_ptr<FunctionProto>> functions;
  std::vector<Protection> protections;
  std::vector<LinePlace> places;
  std::vector<ParameterInfo> parameters;
  std::vector<CellSource> cells;
  std::vector<std::string> host_names;            // Host functions by name …
  std::vector<const struct HostFunction*> hosts;  // … and as found by the linker; null when this build lacks it.
  std::vector<ContainerSpec> containers;
  std::vector<InterfaceSpec> interfaces;
  std::vector<std::shared_ptr<const PatternNode>> patterns;
  std::uint32_t registers = 0;
  std::string container;  // For actions of containers: where it was written.
  CodeSpan span;

  [[nodiscard]] CodeSpan span_at(std::uint32_t pc) const;
};

// One line an instruction, nested functions after their parent; for tests and for people.
[[nodiscard]] std::string disassemble(const FunctionProto& function);

}  // namespace wfl::vm
