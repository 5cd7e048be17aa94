// Expressions. expression() leaves the value in `target`, or without one in a register of its choice: a variable's own
// register where that can be used directly, else a new temporary. A target is written only by the last instruction of
// an expression, so it may be a variable that the expression reads.
#include <cmath>

#include "wfl/compile/compiler_impl.h"
#include "wfl/syntax/length_reading.h"

namespace wfl::compile {

using namespace syntax;  // The code names nearly every expression node.
using vm::IntrinsicId;

namespace {
constexpr std::size_t kListChunk = 256;
}

std::optional<double> Compiler::literal_number(const Expr& expr) const {
  if (const auto* number = try_as<NumberExpr>(&expr)) return number->value;
  if (const auto* unary = try_as<UnaryExpr>(&expr); unary != nullptr && unary->op == UnaryOp::Minus) {
    if (const auto* number = try_as<NumberExpr>(unary->operand)) return -number->value;
  }
  return std::nullopt;
}

// Moves a result to the target if one is wanted.
Register Compiler::finish(Register result, int target) {
  if (target < 0 || target == result) return result;
  emit(Op::kMove, static_cast<Register>(target), result);
  return static_cast<Register>(target);
}

Position Compiler::host_check(Register value, std::string_view type_name) {
  emit(Op::kJumpUnlessHost, value, short_constant(text_constant(type_name)), 1);
  emit_wide(Op::kJump, 0, 1);
  return emit_wide(Op::kJump, 0, 0);
}

Register Compiler::expression(const Expr& expr, int target) {
  if (&expr == given_expression_) return finish(given_register_, target);
  const std::uint32_t before = mark();
  const vm::CodeSpan place = at(expr.span);
  // The register for the result when there is no target; taken after `before` is released.
  const auto result_register = [&]() -> Register {
    release_to(before);
    return target >= 0 ? static_cast<Register>(target) : take();
  };
  const auto host_result = [&](HostCall& host) -> Register {
    const Register result = host.run();
    if (target < 0) return result;
    finish(result, target);
    release_to(before);
    return static_cast<Register>(target);
  };
  Register result = 0;
  switch (expr.kind) {
    case ExprKind::Number:
      result = result_register();
      load_number(result, as<NumberExpr>(expr).value);
      break;
    case ExprKind::Text:
      result = result_register();
      load_text(result, as<TextExpr>(expr).value);
      break;
    case ExprKind::Boolean:
      result = result_register();
      load(result, as<BooleanExpr>(expr).value ? kYes : kNo);
      break;
    case ExprKind::Nothing:
      result = result_register();
      load(result, kNull);
      break;
    case ExprKind::List:
      result = list(as<ListExpr>(expr).items, target);
      break;
    case ExprKind::PatternText: {
      HostCall host(*this, "pattern.literal");
      result = host_result(host.text(as<PatternTextExpr>(expr).text));
      break;
    }
    case ExprKind::Variable: {
      const std::string_view name = as<VariableExpr>(expr).name;
      if (name == "this" && f_->container != nullptr) {
        result = result_register();
        emit(Op::kGetSelf, result);
      } else if (may_be_action(name) &&
                 !(resolve(name).front().definite && !facts_.action_names.contains(std::string(name)))) {
        const Register callee = take();
        read_name(name, callee);
        emit(Op::kCallBare, callee);
        result = finish(callee, target);
        if (target >= 0) release_to(before);
      } else {
        result = read_name(name, target);
      }
      break;
    }
    case ExprKind::Unary: {
      const auto& unary = as<UnaryExpr>(expr);
      if (const auto number = literal_number(expr)) {
        result = result_register();
        load_number(result, *number);
        break;
      }
      const Register operand = expression(*unary.operand);
      result = result_register();
      emit(unary.op == UnaryOp::Not ? Op::kNot : Op::kNegate, result, operand);
      break;
    }
    case ExprKind::Binary:
      result = binary(as<BinaryExpr>(expr), target);
      break;
    case ExprKind::Between: {
      const auto& between = as<BetweenExpr>(expr);
      const Register subject = expression(*between.subject);
      const Register low = expression(*between.low);
      const Register high = expression(*between.high);
      const Register above = take();
      const Register below = take();
      emit(Op::kGreaterEqual, above, subject, low);
      emit(Op::kLessEqual, below, subject, high);
      result = result_register();
      emit(Op::kAnd, result, above, below);
      break;
    }
    case ExprKind::Concat: {
      const auto& parts = as<ConcatExpr>(expr).parts;
      const auto first = static_cast<Register>(mark());
      std::uint32_t pending = 0;
      for (const Expr* part : parts) {
        expression(*part, take());
        if (++pending == kListChunk) {
          emit(Op::kConcat, first, first, pending);
          release_to(first + 1U);
          pending = 1;
        }
      }
      at(expr.span);
      result = result_register();
      emit(Op::kConcat, result, first, pending);
      break;
    }
    case ExprKind::Call:
      result = call(as<CallExpr>(expr), target);
      break;
    case ExprKind::Index: {
      const auto& index = as<IndexExpr>(expr);
      const Register collection = expression(*index.collection);
      const Register position = expression(*index.index);
      result = result_register();
      at(expr.span);
      emit(Op::kIndex, result, collection, position);
      break;
    }
    case ExprKind::Property: {
      const auto& property = as<PropertyExpr>(expr);
      const Register object = expression(*property.object);
      result = result_register();
      at(expr.span);
      emit(Op::kGetProperty, result, object, short_constant(text_constant(property.name.text)));
      break;
    }
    case ExprKind::MethodCall: {
      const auto& method = as<MethodCallExpr>(expr);
      const Register object = take();
      expression(*method.object, object);
      for (const Expr* argument : method.arguments) expression(*argument, take());
      at(expr.span);
      emit(Op::kCallMember, object, static_cast<std::uint32_t>(method.arguments.size()),
           short_constant(text_constant(method.name.text)));
      release_to(object + 1U);
      result = finish(object, target);
      if (target >= 0) release_to(before);
      break;
    }
    case ExprKind::PatternMatch: {
      const auto& match = as<PatternMatchExpr>(expr);
      HostCall host(*this, "pattern.matches");
      result = host_result(host.value(*match.text).value(*match.pattern));
      break;
    }
    case ExprKind::Find: {
      const auto& find = as<FindExpr>(expr);
      HostCall host(*this, "pattern.find");
      result = host_result(host.value(*find.text).value(*find.pattern));
      break;
    }
    case ExprKind::Replace: {
      const auto& replace = as<ReplaceExpr>(expr);
      HostCall host(*this, "pattern.replace");
      result = host_result(host.value(*replace.text).value(*replace.pattern).value(*replace.replacement));
      break;
    }
    case ExprKind::Split: {
      const auto& split = as<SplitExpr>(expr);
      HostCall host(*this, split.on_pattern ? "pattern.split" : "text.split");
      result = host_result(host.value(*split.text).value(*split.separator));
      break;
    }
    case ExprKind::FileExists: {
      HostCall host(*this, "file.exists");
      result = host_result(host.value(*as<FileExistsExpr>(expr).path));
      break;
    }
    case ExprKind::DirectoryExists: {
      HostCall host(*this, "directory.exists");
      result = host_result(host.value(*as<DirectoryExistsExpr>(expr).path));
      break;
    }
    case ExprKind::FileSize: {
      HostCall host(*this, "file.size");
      result = host_result(host.value(*as<FileSizeExpr>(expr).file));
      break;
    }
    case ExprKind::ListFiles: {
      const auto& files = as<ListFilesExpr>(expr);
      HostCall host(*this, "directory.list");
      host.value(*files.path).flag(files.recursive);
      if (!files.filtered) {
        host.absent(kNull).absent(kNull);
      } else if (files.extensions.size() == 1) {
        host.text("extension").value(*files.extensions[0]);
      } else {
        host.text("extensions");
        list(files.extensions, take());
      }
      result = host_result(host);
      break;
    }
    case ExprKind::ReadContent: {
      HostCall host(*this, "file.read_content");
      result = host_result(host.value(*as<ReadContentExpr>(expr).file));
      break;
    }
    case ExprKind::ReadBinary: {
      const auto& read = as<ReadBinaryExpr>(expr);
      HostCall host(*this, read.count != nullptr ? "file.read_bytes" : "file.read_binary");
      if (read.count != nullptr) host.value(*read.count);
      result = host_result(host.value(*read.file));
      break;
    }
    case ExprKind::ProcessRunning: {
      HostCall host(*this, "process.is_running");
      result = host_result(host.value(*as<ProcessRunningExpr>(expr).process));
      break;
    }
    case ExprKind::Header: {
      const auto& header = as<HeaderExpr>(expr);
      HostCall host(*this, "web.header");
      result = host_result(host.text(header.header).value(*header.request));
      break;
    }
    case ExprKind::CurrentMilliseconds: {
      HostCall host(*this, "time.now_milliseconds");
      result = host_result(host);
      break;
    }
    case ExprKind::CurrentFormatted: {
      HostCall host(*this, "time.now_formatted");
      result = host_result(host.text(as<CurrentFormattedExpr>(expr).format));
      break;
    }
    case ExprKind::DatabaseQuery: {
      const auto& query = as<DatabaseQueryExpr>(expr);
      HostCall host(*this, query.returns_rows ? "database.query" : "database.execute");
      host.value(*query.database).value(*query.sql).optional(query.parameters, kNull);
      result = host_result(host);
      break;
    }
    case ExprKind::KeystoreContains:
      result = keystore_contains(as<KeystoreContainsExpr>(expr), target);
      break;
  }
  at(place);
  return result;
}

Register Compiler::list(std::span<const Expr* const> items, int target) {
  const std::uint32_t before = mark();
  const Register made = take();
  const std::size_t direct = std::min(items.size(), kListChunk);
  for (std::size_t i = 0; i < direct; ++i) expression(*items[i], take());
  emit(Op::kNewList, made, made + 1U, static_cast<std::uint32_t>(direct));
  release_to(made + 1U);
  for (std::size_t i = direct; i < items.size(); ++i) {
    const Register item = expression(*items[i]);
    emit(Op::kAppend, made, item);
    release_to(made + 1U);
  }
  const Register result = finish(made, target);
  if (target >= 0) release_to(before);
  return result;
}

Register Compiler::binary(const BinaryExpr& expr, int target) {
  const std::uint32_t before = mark();
  Op op{};
  Op with_constant = Op::kLoadConstant;  // Stands for none.
  switch (expr.op) {
    case BinaryOp::Plus:
      op = Op::kAdd, with_constant = Op::kAddK;
      break;
    case BinaryOp::Minus:
      op = Op::kSubtract, with_constant = Op::kSubtractK;
      break;
    case BinaryOp::Times:
      op = Op::kMultiply, with_constant = Op::kMultiplyK;
      break;
    case BinaryOp::Divide:
      op = Op::kDivide, with_constant = Op::kDivideK;
      break;
    case BinaryOp::Modulo:
      op = Op::kModulo, with_constant = Op::kModuloK;
      break;
    case BinaryOp::Equal:
      op = Op::kEqual;
      break;
    case BinaryOp::NotEqual:
      op = Op::kNotEqual;
      break;
    case BinaryOp::Greater:
      op = Op::kGreater;
      break;
    case BinaryOp::Less:
      op = Op::kLess;
      break;
    case BinaryOp::GreaterEqual:
      op = Op::kGreaterEqual;
      break;
    case BinaryOp::LessEqual:
      op = Op::kLessEqual;
      break;
    case BinaryOp::And:
      op = Op::kAnd;
      break;
    case BinaryOp::Or:
      op = Op::kOr;
      break;
    case BinaryOp::Contains:
      op = Op::kContains;
      break;
    case BinaryOp::StartsWith:
      op = Op::kStartsWith;
      break;
    case BinaryOp::EndsWith:
      op = Op::kEndsWith;
      break;
  }
  const Register left = expression(*expr.left);
  std::uint32_t index = 0x10000;
  if (with_constant != Op::kLoadConstant) {
    if (const auto number = literal_number(*expr.right)) index = constant(vm::Value(*number));
  }
  const bool use_constant = index <= 0xffff;
  const Register right = use_constant ? static_cast<Register>(index) : expression(*expr.right);
  at(expr.span);
  release_to(before);
  const Register result = target >= 0 ? static_cast<Register>(target) : take();
  emit(use_constant ? with_constant : op, result, left, right);
  return result;
}

// `length of A minus 1`, where A decides at run time; see length_reading.h.
Register Compiler::length_of_sum(const CallExpr& expr, const Expr& first, int target) {
  const std::uint32_t before = mark();
  const Register result = take();
  const Register operand = take();
  const Register measured = take();
  expression(first, operand);
  at(expr.span);
  emit(Op::kMove, measured, operand);
  intrinsic(IntrinsicId::kMeasure, measured, 1);
  const Expr* outer_expression = std::exchange(given_expression_, &first);
  const Register outer_register = std::exchange(given_register_, measured);
  const Position plain = emit_wide(Op::kJumpIfUndefined, measured, 0);
  expression(*expr.arguments[0].value, result);
  const Position done = emit_wide(Op::kJump, 0, 0);
  patch(plain);
  given_register_ = operand;
  const Register callee = take();
  read_name(expr.name.text, callee);
  expression(*expr.arguments[0].value, take());
  at(expr.span);
  emit(Op::kCall, callee, 1, static_cast<std::uint32_t>(vm::CallStyle::kOf));
  emit(Op::kMove, result, callee);
  patch(done);
  given_expression_ = outer_expression;
  given_register_ = outer_register;
  release_to(result + 1U);
  finish(result, target);
  if (target < 0) return result;
  release_to(before);
  return static_cast<Register>(target);
}

Register Compiler::call(const CallExpr& expr, int target) {
  if (const BinaryExpr* sum = syntax::length_of_sum(expr); sum != nullptr && is_native(expr.name.text)) {
    return length_of_sum(expr, *sum->left, target);
  }
  const std::uint32_t before = mark();
  const Register callee = take();
  const auto count = static_cast<std::uint32_t>(expr.arguments.size());
  const auto style = static_cast<std::uint32_t>(expr.form == CallForm::Of     ? vm::CallStyle::kOf
                                                : expr.form == CallForm::Call ? vm::CallStyle::kCall
                                                                              : vm::CallStyle::kWith);
  const auto arguments = [&] {
    for (const Argument& argument : expr.arguments) expression(*argument.value, take());
    at(expr.span);
  };
  const std::string_view name = expr.name.text;
  if (expr.callee != nullptr) {
    expression(*expr.callee, callee);
    arguments();
    emit(Op::kCall, callee, count, style);
  } else if (expr.form == CallForm::Of && count == 1 && !is_native(name) &&
             !facts_.action_names.contains(std::string(name))) {
    // `NAME of X`: a field of a map, or a call of something this file doesn't define.
    expression(*expr.arguments[0].value, take());
    load_text(take(), name);
    at(expr.span);
    read_raw(name, callee);
    intrinsic(IntrinsicId::kFieldOf, callee, 3);
    const Position done = emit_wide(Op::kJumpIfDefined, callee, 0);
    read_name(name, callee);
    emit(Op::kCall, callee, count, style);
    patch(done);
  } else {
    const vm::CodeSpan here_span = at(expr.name.span);
    read_name(name, callee);
    at(here_span);
    arguments();
    emit(Op::kCall, callee, count, style);
  }
  release_to(callee + 1U);
  const Register result = finish(callee, target);
  if (target >= 0) release_to(before);
  return result;
}

Register Compiler::keystore_contains(const KeystoreContainsExpr& expr, int target) {
  const std::uint32_t before = mark();
  const Register result = take();
  const Register container = expression(*expr.container);
  const auto ask = [&] {
    const std::uint32_t saved = mark();
    HostCall host(*this, "keystore.contains");
    emit(Op::kMove, result, host.reg(container).value(*expr.key).run());
    release_to(saved);
  };
  if (expr.today_item == nullptr) {
    ask();
  } else {
    const Position other = host_check(container, "Keystore");
    ask();
    const Position done = emit_wide(Op::kJump, 0, 0);
    patch(other);
    const Register item = expression(*expr.today_item);
    at(expr.span);
    emit(Op::kContains, result, container, item);
    patch(done);
  }
  release_to(result + 1U);
  finish(result, target);
  if (target < 0) return result;
  release_to(before);
  return static_cast<Register>(target);
}

// Emits jumps that are taken when the expression is true (or false, after jump_when); all to be patched by the caller.
void Compiler::condition(const Expr& expr, bool jump_when, std::vector<Position>& jumps) {
  const std::uint32_t before = mark();
  const vm::CodeSpan place = at(expr.span);
  if (const auto* unary = try_as<UnaryExpr>(&expr); unary != nullptr && unary->op == UnaryOp::Not) {
    condition(*unary->operand, !jump_when, jumps);
    at(place);
    return;
  }
  const auto* binary_expr = try_as<BinaryExpr>(&expr);
  Op plain = Op::kJumpIfFalse;  // Stands for none.
  Op with_constant = Op::kJumpIfFalse;
  if (binary_expr != nullptr && !long_jumps_) {
    switch (binary_expr->op) {
      case BinaryOp::Equal:
        plain = jump_when ? Op::kJumpEqual : Op::kJumpNotEqual;
        with_constant = jump_when ? Op::kJumpEqualK : Op::kJumpNotEqualK;
        break;
      case BinaryOp::NotEqual:
        plain = jump_when ? Op::kJumpNotEqual : Op::kJumpEqual;
        with_constant = jump_when ? Op::kJumpNotEqualK : Op::kJumpEqualK;
        break;
      case BinaryOp::Less:
        plain = jump_when ? Op::kJumpLess : Op::kJumpNotLess;
        with_constant = jump_when ? Op::kJumpLessK : Op::kJumpNotLessK;
        break;
      case BinaryOp::LessEqual:
        plain = jump_when ? Op::kJumpLessEqual : Op::kJumpNotLessEqual;
        with_constant = jump_when ? Op::kJumpLessEqualK : Op::kJumpNotLessEqualK;
        break;
      case BinaryOp::Greater:
        plain = jump_when ? Op::kJumpGreater : Op::kJumpNotGreater;
        with_constant = jump_when ? Op::kJumpGreaterK : Op::kJumpNotGreaterK;
        break;
      case BinaryOp::GreaterEqual:
        plain = jump_when ? Op::kJumpGreaterEqual : Op::kJumpNotGreaterEqual;
        with_constant = jump_when ? Op::kJumpGreaterEqualK : Op::kJumpNotGreaterEqualK;
        break;
      default:
        break;
    }
  }
  if (plain != Op::kJumpIfFalse) {
    const Register left = expression(*binary_expr->left);
    std::uint32_t index = 0x10000;
    if (const auto number = literal_number(*binary_expr->right)) {
      index = constant(vm::Value(*number));
    } else if (const auto* text = try_as<TextExpr>(binary_expr->right)) {
      index = text_constant(text->value);
    }
    const bool use_constant = index <= 0xffff;
    const Register right = use_constant ? static_cast<Register>(index) : expression(*binary_expr->right);
    at(expr.span);
    jumps.push_back(emit(use_constant ? with_constant : plain, left, right, 0));
  } else {
    const Register value = expression(expr);
    jumps.push_back(emit_wide(jump_when ? Op::kJumpIfTrue : Op::kJumpIfFalse, value, 0));
  }
  release_to(before);
  at(place);
}

}  // namespace wfl::compile
