// Single instructions, run by both dispatch loops, and the tables around them.
#include <gtest/gtest.h>

#include <set>

#include "wfl/vm/bytecode.h"
#include "wfl/vm/vm.h"

namespace wfl::vm {
namespace {

// Runs the code with registers 0 … preset from the values, returns register 0 at the end or the error's message.
class Instructions : public testing::TestWithParam<Vm::Dispatch> {
 protected:
  Instructions() { vm_.set_dispatch(GetParam()); }

  std::string run(std::vector<Value> registers, std::vector<Instruction> code, std::vector<Value> constants = {}) {
    auto function = std::make_unique<FunctionProto>();
    function->module = &vm_.globals();
    function->registers = 16;
    function->constants = std::move(constants);
    for (std::size_t i = 0; i < registers.size(); ++i) {
      function->constants.push_back(registers[i]);
      Instruction load{Op::kLoadConstant, static_cast<std::uint16_t>(i)};
      load.set_wide(static_cast<std::int32_t>(function->constants.size() - 1));
      function->code.push_back(load);
    }
    function->code.insert(function->code.end(), code.begin(), code.end());
    function->code.push_back({Op::kReturn, 0});
    const auto result = vm_.run(vm_.adopt(std::move(function)));
    if (!result) return "error: " + result.error().message;
    return result->is_number()    ? std::to_string(static_cast<int>(result->as_number()))
           : result->is_text()    ? std::string(result->as_text())
           : result->is_boolean() ? (result->as_boolean() ? "yes" : "no")
                                  : "nothing";
  }

  Vm vm_;
};
INSTANTIATE_TEST_SUITE_P(Dispatch, Instructions, testing::Values(Vm::Dispatch::kComputedGoto, Vm::Dispatch::kSwitch));

TEST_P(Instructions, Arithmetic) {
  const Value seven(7.0);
  const Value three(3.0);
  EXPECT_EQ(run({seven, three}, {{Op::kAdd, 0, 0, 1}}), "10");
  EXPECT_EQ(run({seven, three}, {{Op::kSubtract, 0, 0, 1}}), "4");
  EXPECT_EQ(run({seven, three}, {{Op::kMultiply, 0, 0, 1}}), "21");
  EXPECT_EQ(run({seven, three}, {{Op::kModulo, 0, 0, 1}}), "1");
  EXPECT_EQ(run({Value(-7.0)}, {{Op::kModuloK, 0, 0, 0}}, {three}), "-1");
  EXPECT_EQ(run({seven}, {{Op::kSubtractK, 0, 0, 0}}, {three}), "4");
  EXPECT_EQ(run({seven, Value(0.0)}, {{Op::kDivide, 0, 0, 1}}), "error: Division by zero");
  EXPECT_EQ(run({Value(1e308), Value(1e-308)}, {{Op::kDivide, 0, 0, 1}}),
            "error: Division resulted in invalid number: inf");
  EXPECT_EQ(run({Value(vm_.heap().text("a")), seven}, {{Op::kAdd, 0, 0, 1}}), "a7");
  EXPECT_EQ(run({Value::null(), seven}, {{Op::kSubtract, 0, 0, 1}}), "error: Cannot subtract Number from Null");
  EXPECT_EQ(run({seven}, {{Op::kNegate, 0, 0, 0}}), "-7");
}

TEST_P(Instructions, ComparisonsWithNotANumberAreFalse) {
  const Value nan(0.0 / std::numeric_limits<double>::quiet_NaN());
  for (const Op op : {Op::kLess, Op::kLessEqual, Op::kGreater, Op::kGreaterEqual}) {
    EXPECT_EQ(run({nan, Value(1.0)}, {{op, 0, 0, 1}}), "no");
  }
  // A jump on "not less" is taken, though "greater or equal" is false.
  EXPECT_EQ(run({nan, Value(1.0)}, {{Op::kJumpNotLess, 0, 1, 1}, {Op::kLoadSmall, 1, 5}, {Op::kMove, 0, 1}}), "1");
  EXPECT_EQ(run({nan, Value(1.0)}, {{Op::kJumpGreaterEqual, 0, 1, 1}, {Op::kLoadSmall, 1, 5}, {Op::kMove, 0, 1}}), "5");
}

TEST_P(Instructions, JumpsGoBothWays) {
  // r0 counts from 0 to 5 by a backward jump.
  EXPECT_EQ(run({Value(0.0)}, {{Op::kAddK, 0, 0, 0}, {Op::kJumpLessK, 0, 1, static_cast<std::uint16_t>(-2)}},
                {Value(1.0), Value(5.0)}),
            "5");
}

TEST_P(Instructions, MissingVariablesAreErrors) {
  const std::uint32_t slot = vm_.globals().slot("x");
  const auto g = static_cast<std::uint16_t>(slot);
  EXPECT_EQ(run({}, {{Op::kGetGlobal, 0, g}}), "error: Undefined variable 'x'");
  EXPECT_EQ(run({Value(1.0)}, {{Op::kChangeGlobal, 0, g}}), "error: Undefined variable 'x'");
  EXPECT_EQ(run({Value(1.0)}, {{Op::kDefineConstant, 0, g}, {Op::kSetGlobal, 0, g}}),
            "error: Cannot modify constant 'x'");
  EXPECT_EQ(run({Value(2.0)}, {{Op::kGetGlobal, 0, g}}), "1");
}

TEST_P(Instructions, AHostFunctionThatIsNotThereIsAnError) {
  auto function = std::make_unique<FunctionProto>();
  function->module = &vm_.globals();
  function->registers = 1;
  function->host_names = {"web.listen"};
  function->code = {{Op::kHost, 0, 0, 0}, {Op::kReturn, 0}};
  const auto result = vm_.run(vm_.adopt(std::move(function)));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kNotAvailable);
}

TEST_P(Instructions, CancellingStopsALoop) {
  vm_.cancel_flag() = true;
  Instruction loop{Op::kLoop};
  loop.set_wide(-1);
  EXPECT_EQ(run({}, {loop}), "error: The program was stopped");
}

TEST_P(Instructions, TheRunTimeLimitStopsALoop) {
  vm_.limits().run_time = std::chrono::milliseconds(20);
  vm_.limits().run_time_words = "20ms";
  Instruction loop{Op::kLoop};
  loop.set_wide(-1);
  EXPECT_EQ(run({}, {loop}), "error: Execution exceeded timeout (20ms)");
}

TEST_P(Instructions, NativesReportTheirErrors) {
  vm_.define_native("half", [](NativeCall& call) { return Value(call.number(0) / 2); }, 1, 1);
  const Value half = vm_.get_global("half");
  const Value arguments[] = {Value(8.0)};
  EXPECT_EQ(vm_.call(half, arguments)->as_number(), 4);
  const Value wrong[] = {Value::null()};
  EXPECT_EQ(vm_.call(half, wrong).error().message, "Expected a number, got Null");
  EXPECT_EQ(vm_.call(half, {}).error().message, "half expects 1 argument, got 0");
  EXPECT_EQ(vm_.call(Value(1.0), {}).error().message, "Cannot call Number");
}

TEST(Opcodes, TheTableIsSound) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < op_count(); ++i) {
    const auto op = static_cast<Op>(i);
    EXPECT_TRUE(names.insert(op_name(op)).second) << op_name(op);
    EXPECT_GE(op_operands(op).size(), 2U) << op_name(op);
    EXPECT_EQ(op_operands(op).find_first_not_of("rknigfhxsdejJK-"), std::string_view::npos) << op_name(op);
  }
}

TEST(Opcodes, TheDisassemblerNamesWhatItShows) {
  FunctionProto function;
  function.name = "f";
  function.constants = {Value(2.0)};
  function.code = {{Op::kJumpNotLessK, 0, 0, 1}, {Op::kReturn, 0}, {Op::kReturnNull}};
  const std::string text = disassemble(function);
  EXPECT_NE(text.find("function f"), std::string::npos);
  EXPECT_NE(text.find("JumpNotLessK r0 2 -> 2"), std::string::npos) << text;
}

TEST(ErrorKinds, HandlersCatchWhatTheyShould) {
  using language::handler_catches;
  EXPECT_TRUE(handler_catches(ErrorKind::kGeneral, ErrorKind::kTimeout));
  EXPECT_TRUE(handler_catches(ErrorKind::kFileNotFound, ErrorKind::kKeystoreNotFound));
  EXPECT_FALSE(handler_catches(ErrorKind::kKeystoreNotFound, ErrorKind::kFileNotFound));
  EXPECT_FALSE(handler_catches(ErrorKind::kGeneral, ErrorKind::kExitProgram));
  EXPECT_EQ(language::error_kind_from_words("keystore busy"), ErrorKind::kKeystoreBusy);
}

}  // namespace
}  // namespace wfl::vm
