// The test framework: describe, test, expect. Results go to Vm::test_results(); printing them is the driver's job.
#include <algorithm>
#include <cmath>

#include "wfl/vm/interpreter.h"
#include "wfl/vm/operations.h"

namespace wfl::vm {

namespace {

// How a value looks in a failure message.
std::string shown(Value value) {
  if (value.is_number()) return format_number(value.as_number());
  if (value.is_text()) return "\"" + std::string(value.as_text()) + "\"";
  if (value.is_boolean()) return value.as_boolean() ? "yes" : "no";
  if (value.is_null()) return "nothing";
  if (const auto* list = value.try_as<List>()) {
    if (list->items.empty()) return "empty list";
    return "list with " + std::to_string(list->items.size()) + " items";
  }
  return std::string(type_name(value));
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return out;
}

std::optional<double> length_of(Value value) {
  if (const auto* list = value.try_as<List>()) return static_cast<double>(list->items.size());
  if (value.is_text()) return value.as<Text>()->length();
  return std::nullopt;
}

}  // namespace

bool Interpreter::describe_begin(Vm& vm, Value* args, std::uint32_t) {
  if (!vm.test_mode_) return fail(vm, "describe blocks can only be used in test mode (run with --test flag)");
  vm.test_context_.emplace_back(args[0].as_text());
  return true;
}

bool Interpreter::describe_end(Vm& vm, Value*, std::uint32_t) {
  if (!vm.test_context_.empty()) vm.test_context_.pop_back();
  return true;
}

bool Interpreter::test_passed(Vm& vm, Value*, std::uint32_t) {
  ++vm.tests_.passed;
  return true;
}

bool Interpreter::test_failed(Vm& vm, Value* args, std::uint32_t) {
  const RuntimeError& error = static_cast<ErrorObject*>(args[1].as<HostObject>())->error;
  // The end of the program and the end of its time are not a test's failure.
  if (error.kind == ErrorKind::kExitProgram || error.kind == ErrorKind::kCancelled) {
    vm.error_ = error;
    return false;
  }
  ++vm.tests_.failed;
  vm.tests_.failures.push_back(
      TestFailure{std::string(args[0].as_text()), vm.test_context_, error.message, error.span});
  return true;
}

bool Interpreter::expect(Vm& vm, Value* args, std::uint32_t) {
  if (!vm.test_mode_) return fail(vm, "expect statements can only be used in test mode (run with --test flag)");
  const Value subject = args[1];
  const Value operand = args[2];
  const auto result = [&](bool good, const std::string& message) {
    args[0] = Value::null();
    return good || fail(vm, "Expected " + shown(subject) + message);
  };
  switch (static_cast<ExpectKind>(static_cast<int>(args[0].as_number()))) {
    case ExpectKind::kEqual:
      return result(equals(subject, operand), " to equal " + shown(operand));
    case ExpectKind::kGreater:
      return result(subject.is_number() && operand.is_number() && subject.as_number() > operand.as_number(),
                    " to be greater than " + shown(operand) + ", but it was not");
    case ExpectKind::kLess:
      return result(subject.is_number() && operand.is_number() && subject.as_number() < operand.as_number(),
                    " to be less than " + shown(operand) + ", but it was not");
    case ExpectKind::kYes:
      return result(truthy(subject), " to be truthy, but it was falsy");
    case ExpectKind::kNo:
      return result(!truthy(subject), " to be falsy, but it was truthy");
    case ExpectKind::kExist:
      args[0] = Value::null();
      return !subject.is_null() || fail(vm, "Expected value to exist, but got " + shown(subject));
    case ExpectKind::kContain: {
      Value found = Value::boolean(false);
      if (!contains(vm, subject, operand, &found)) return false;
      return result(truthy(found), " to contain " + shown(operand) + ", but it did not");
    }
    case ExpectKind::kEmpty: {
      const auto length = length_of(subject);
      return result(length == 0.0, length.has_value()
                                       ? " to be empty, but it has " + format_number(*length) + " item(s)"
                                       : " to be empty, but it is no list or text");
    }
    case ExpectKind::kLength: {
      const auto length = length_of(subject);
      return result(
          length.has_value() && equals(Value(*length), operand),
          " to have length " + shown(operand) +
              (length.has_value() ? ", but its length is " + format_number(*length) : ", but it has no length"));
    }
    case ExpectKind::kType:
      args[0] = Value::null();
      return lower(type_name(subject)) == lower(operand.as_text()) ||
             fail(vm,
                  "Expected type " + std::string(operand.as_text()) + ", but got " + std::string(type_name(subject)));
  }
  return true;
}

}  // namespace wfl::vm
