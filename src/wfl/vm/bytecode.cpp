#include "wfl/vm/bytecode.h"

#include <algorithm>
#include <array>

#include "wfl/vm/operations.h"

namespace wfl::vm {

namespace {
struct OpInfo {
  std::string_view name;
  std::string_view operands;
};
constexpr std::array kOps = {
#define OPCODE(name, operands, doc) OpInfo{#name, operands},
#include "wfl/vm/opcodes.def"
#undef OPCODE
};

void append_operand(std::string& out, char kind, std::uint16_t field, const Instruction& instruction, std::size_t pc,
                    const FunctionProto& function) {
  const auto constant = [&function](std::size_t at) {
    return at < function.constants.size() ? debug_form(function.constants[at]) : "?";
  };
  const auto target = [pc](std::int32_t distance) {
    return "-> " + std::to_string(static_cast<std::int64_t>(pc) + 1 + distance);
  };
  out += ' ';
  switch (kind) {
    case 'r':
      out += "r" + std::to_string(field);
      break;
    case 'k':
      out += constant(field);
      break;
    case 'K':
      out += constant(static_cast<std::size_t>(instruction.wide()));
      break;
    case 'i':
      out += std::to_string(static_cast<std::int16_t>(field));
      break;
    case 'j':
      out += target(static_cast<std::int16_t>(field));
      break;
    case 'J':
      out += target(instruction.wide());
      break;
    case 'g':
      out += "global " + std::to_string(field);
      break;
    case 'h':
      out += field < function.host_names.size() ? function.host_names[field] : "?";
      break;
    case 'd':
      out += "cell " + std::to_string(field);
      break;
    case 'f':
      out += "function " + std::to_string(field);
      break;
    default:
      out += std::to_string(field);
      break;
  }
}
}  // namespace

std::string_view op_name(Op op) {
  return kOps[static_cast<std::size_t>(op)].name;
}
std::string_view op_operands(Op op) {
  return kOps[static_cast<std::size_t>(op)].operands;
}
std::size_t op_count() {
  return kOps.size();
}

CodeSpan FunctionProto::span_at(std::uint32_t pc) const {
  const auto after = std::upper_bound(places.begin(), places.end(), pc,
                                      [](std::uint32_t at, const LinePlace& place) { return at < place.pc; });
  return after == places.begin() ? span : std::prev(after)->span;
}

std::string disassemble(const FunctionProto& function) {
  std::string out = "function " + (function.name.empty() ? "main" : function.name) + " (" +
                    std::to_string(function.parameters.size()) + " parameters, " + std::to_string(function.registers) +
                    " registers)\n";
  for (std::size_t pc = 0; pc < function.code.size(); ++pc) {
    const Instruction& instruction = function.code[pc];
    const OpInfo& info = kOps[static_cast<std::size_t>(instruction.op)];
    std::string number = std::to_string(pc);
    out += std::string(number.size() < 5 ? 5 - number.size() : 0, ' ') + number + "  ";
    out += info.name;
    const std::uint16_t fields[] = {instruction.a, instruction.b, instruction.c};
    for (std::size_t n = 0; n < info.operands.size(); ++n) {
      if (info.operands[n] != '-') append_operand(out, info.operands[n], fields[n], instruction, pc, function);
    }
    out += '\n';
  }
  for (const auto& inner : function.functions) out += disassemble(*inner);
  return out;
}

}  // namespace wfl::vm
