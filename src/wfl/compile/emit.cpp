// Instructions, jumps, constants and registers.
#include <algorithm>
#include <cmath>

#include "wfl/compile/compiler_impl.h"

namespace wfl::compile {

using vm::Instruction;
using vm::Value;

Position Compiler::emit(Op op, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  auto& places = f_->proto->places;
  if (places.empty() || !(places.back().span == f_->span)) places.push_back({here(), f_->span});
  f_->proto->code.push_back(
      Instruction{op, static_cast<std::uint16_t>(a), static_cast<std::uint16_t>(b), static_cast<std::uint16_t>(c)});
  return here() - 1;
}

Position Compiler::emit_wide(Op op, std::uint32_t a, std::int32_t value) {
  const Position position = emit(op, a);
  f_->proto->code[position].set_wide(value);
  return position;
}

void Compiler::patch_to(Position jump, Position target) {
  Instruction& instruction = f_->proto->code[jump];
  const std::int64_t distance = static_cast<std::int64_t>(target) - jump - 1;
  if (op_operands(instruction.op).back() == 'J') {
    instruction.set_wide(static_cast<std::int32_t>(distance));
  } else if (distance > 32767 || distance < -32768) {
    needs_long_jumps_ = true;  // The whole program is compiled again with long jumps only.
  } else {
    instruction.c = static_cast<std::uint16_t>(static_cast<std::int16_t>(distance));
  }
}

void Compiler::emit_loop(Position target) {
  const Position loop = emit_wide(Op::kLoop, 0, 0);
  patch_to(loop, target);
}

// Behind a loop: what its variables held must not keep a keystore open that the program can't reach any more (opening
// its file again asks the collector, see the keystore statements). Programs that have nothing to do with keystores pay
// nothing.
void Compiler::forget_dead_registers() {
  if (f_->proto->registers <= mark() || program_.source == nullptr) return;
  if (program_.source->text().find("keystore") == std::string_view::npos) return;
  emit(Op::kUndefine, mark(), f_->proto->registers - mark());
}

Register Compiler::take(std::uint32_t count) {
  const std::uint32_t first = f_->next_register;
  if (first + count > 65'000) {
    too_large("It has more variables and intermediate values than fit into one action");
    return 0;
  }
  f_->next_register = first + count;
  f_->proto->registers = std::max(f_->proto->registers, first + count);
  return static_cast<Register>(first);
}

std::uint32_t Compiler::constant(Value value) {
  const auto [it, added] = f_->value_constants.emplace(value.bits(), f_->proto->constants.size());
  if (added) f_->proto->constants.push_back(value);
  return it->second;
}

std::uint32_t Compiler::text_constant(std::string_view text) {
  const auto it = f_->text_constants.find(std::string(text));
  if (it != f_->text_constants.end()) return it->second;
  const auto index = static_cast<std::uint32_t>(f_->proto->constants.size());
  f_->proto->constants.emplace_back(vm_.heap().intern(text));
  f_->text_constants.emplace(std::string(text), index);
  return index;
}

std::uint16_t Compiler::short_constant(std::uint32_t index) {
  if (index > 65'535) {
    too_large("It has more different names and values than fit into one action");
    return 0;
  }
  return static_cast<std::uint16_t>(index);
}

void Compiler::load_text(Register target, std::string_view text) {
  emit_wide(Op::kLoadConstant, target, static_cast<std::int32_t>(text_constant(text)));
}

void Compiler::load_number(Register target, double number) {
  const auto small = static_cast<std::int16_t>(number >= -32768 && number <= 32767 ? number : 0);
  if (static_cast<double>(small) == number && !(number == 0 && std::signbit(number))) {
    emit(Op::kLoadSmall, target, static_cast<std::uint16_t>(small));
  } else {
    emit_wide(Op::kLoadConstant, target, static_cast<std::int32_t>(constant(Value(number))));
  }
}

void Compiler::raise(const std::string& message) {
  emit(Op::kRaise, short_constant(text_constant(message)));
}

void Compiler::intrinsic(vm::IntrinsicId id, Register first, std::uint32_t count) {
  emit(Op::kIntrinsic, first, static_cast<std::uint16_t>(id), count);
}

std::uint16_t Compiler::host_index(std::string_view name) {
  auto& names = f_->proto->host_names;
  const auto [it, added] = f_->host_indexes.emplace(std::string(name), names.size());
  if (added) names.emplace_back(name);
  return it->second;
}

void Compiler::too_large(std::string what) {
  if (!error_) {
    error_ = CompileError{std::move(what) + ". Split it into several actions.",
                          {f_->span.file, f_->span.begin, f_->span.end}};
  }
  f_->next_register = 0;
}

void Compiler::protect(vm::Protection::Kind kind, Position begin, Position end, std::uint32_t target, Register reg) {
  if (begin < end) f_->proto->protections.push_back({kind, begin, end, target, reg});
}

vm::CodeSpan Compiler::at(syntax::SourceSpan span) {
  const vm::CodeSpan old = f_->span;
  f_->span = {span.file, span.begin, span.end};
  return old;
}

Compiler::HostCall& Compiler::HostCall::optional(const syntax::Expr* expr, Singleton absent_value) {
  return expr != nullptr ? value(*expr) : absent(absent_value);
}

Register Compiler::HostCall::run() {
  const std::uint32_t count = c_.mark() - base_;
  if (count == 0) c_.take();
  c_.emit(Op::kHost, base_, c_.host_index(name_), count);
  c_.release_to(base_ + 1U);
  return base_;
}

}  // namespace wfl::compile
