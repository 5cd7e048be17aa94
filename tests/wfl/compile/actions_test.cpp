// Actions, errors, containers, modules and the test framework, end to end.
#include <gtest/gtest.h>

#include "wfl/compile/program_runner.h"

namespace wfl::test {
namespace {

struct Case {
  const char* program;
  const char* output;
};

class Actions : public testing::TestWithParam<Case> {};
TEST_P(Actions, SaysWhatItShould) {
  EXPECT_EQ(run_all_ways(GetParam().program), GetParam().output);
}
class Containers : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(
    Calls, Actions,
    testing::Values(
        Case{"define action called sum two needs a and b:\n  return a plus b\nend action\ndisplay sum two of 1 and "
             "2\ndisplay call sum two with 3 and 4",
             "3\n7\n"},
        Case{"define action called fib needs n:\n  check if n is less than 2:\n    return n\n  end check\n  return "
             "(fib of n minus 1) plus (fib of n minus 2)\nend action\ndisplay fib of 15",
             "610\n"},
        Case{"define action called hello:\n  display \"hi\"\nend action\nhello\ncall hello", "hi\nhi\n"},
        Case{"define action called answer:\n  42\nend action\ndisplay answer plus 1", "43\n"},
        Case{"define action called f needs x:\n  check if x is 1:\n    \"one\"\n  otherwise:\n    \"other\"\n  end "
             "check\nend action\ndisplay f of 1\ndisplay f of 2",
             "one\nother\n"},
        Case{"define action called f needs x:\n  display x\nend action\ndisplay f of 1", "1\nnothing\n"},
        Case{"define action called f needs x:\n  return x\nend action\ndisplay call f with 1 and 2",
             "error: Expected 1 arguments but got 2\n"},
        Case{"define action called down needs n:\n  return down of (n plus 1)\nend action\ntry:\n  display down of "
             "1\nwhen error as e:\n  display e\nend try",
             "Maximum call depth (1000) exceeded - possible infinite recursion\n"},
        Case{"define action called main:\n  display \"not by itself\"\nend action\ndisplay \"x\"", "x\n"},
        Case{"define action called area needs r as number:\n  return r times r\nend action\ndefine action called area "
             "needs w as number and h as number:\n  return w times h\nend action\ndisplay area of 3\ndisplay area of 3 "
             "and 4",
             "9\n12\n"},
        Case{"define action called show needs v as number:\n  return \"number\"\nend action\ndefine action called show "
             "needs v as text:\n  return \"text\"\nend action\ndisplay show of 3\ndisplay show of \"x\"",
             "number\ntext\n"},
        Case{"define action called outer needs n:\n  store total as 0\n  define action called bump needs k:\n    "
             "change total to total plus k\n  end action\n  call bump with n\n  call bump with n\n  return total\nend "
             "action\ndisplay outer of 5",
             "10\n"},
        Case{"store counter as 0\ndefine action called tick:\n  change counter to counter plus 1\nend "
             "action\ntick\ntick\ndisplay counter",
             "2\n"},
        Case{"define action called f needs x:\n  store y as x\n  return y\nend action\nstore y as 1\ndisplay f of "
             "3\ndisplay y",
             "3\n3\n"}));

INSTANTIATE_TEST_SUITE_P(
    Errors, Actions,
    testing::Values(
        Case{"try:\n  display 1 divided by 0\nwhen error:\n  display \"caught: \" with error_message\nend try",
             "caught: Division by zero\n"},
        Case{"try:\n  display 1 divided by 0\nwhen file not found:\n  display \"no\"\notherwise:\n  display "
             "\"other\"\nend try",
             "other\n"},
        Case{"try:\n  display 1 divided by 0\nwhen file not found:\n  display \"no\"\nend try",
             "error: Division by zero\n"},
        Case{"try:\n  display \"ok\"\nwhen error:\n  display \"bad\"\notherwise:\n  display \"never\"\nfinally:\n  "
             "display \"end\"\nend try",
             "ok\nend\n"},
        Case{"try:\n  store x as 1 divided by 0\ncatch with problem:\n  display problem\nfinally:\n  display "
             "\"end\"\nend try",
             "Division by zero\nend\n"},
        Case{"define action called f:\n  try:\n    return 1\n  finally:\n    display \"cleanup\"\n  end try\nend "
             "action\ndisplay f",
             "cleanup\n1\n"},
        Case{
            "define action called f:\n  try:\n    return 1\n  finally:\n    return 2\n  end try\nend action\ndisplay f",
            "2\n"},
        Case{"count from 1 to 3:\n  try:\n    check if count is 2:\n      break\n    end check\n    display count\n  "
             "finally:\n    display \"f\" with count\n  end try\nend count",
             "1\nf1\nf2\n"},
        Case{"count from 1 to 3:\n  try:\n    check if count is 2:\n      continue\n    end check\n    display count\n "
             " finally:\n    display \"f\" with count\n  end try\nend count",
             "1\nf1\nf2\n3\nf3\n"},
        Case{"try:\n  exit program\nwhen error:\n  display \"not here\"\notherwise:\n  display \"nor "
             "here\"\nfinally:\n  display \"end\"\nend try\ndisplay \"never\"",
             "end\n"},
        Case{"try:\n  try:\n    display 1 modulo 0\n  finally:\n    display \"inner\"\n  end try\nwhen error as e:\n  "
             "display \"outer \" with e\nend try",
             "inner\nouter Modulo by zero\n"},
        Case{"try:\n  store inside as 1\nfinally:\n  display inside\nend try\ndisplay inside",
             "1\nerror: Undefined variable 'inside'\n"},
        Case{"define action called f needs n:\n  return 1 divided by n\nend action\ntry:\n  call f with 0\nwhen error "
             "as e:\n  display e\nend try\ndisplay f of 4",
             "Division by zero\n0.25\n"},
        Case{"try:\n  display pop of []\nwhen error as e:\n  display e\nend try",
             "Error in native function: Runtime error at line 0, column 0: Cannot pop from an empty list\n"},
        Case{"try:\n  listen on port 80 as site\nwhen error as e:\n  display \"caught\"\nend try", "caught\n"},
        Case{"create list xs:\nend list\ntry:\n  for each x in [1, 2]:\n    display x divided by 0\n  end for\nwhen "
             "error:\n  add 1 to xs\nend try\ndisplay xs",
             "[1]\n"}));

constexpr const char* kShapes = R"(create container Shape:
  property name: Text defaults "shape"
  property sides: Number defaults 0
  static property made: Number defaults 3
  action summary: Text
    return name with " with " with sides with " sides"
  end
  action rename needs n: Text
    change name to n
  end
  action twice
    call_me
  end
end
create container Square extends Shape:
  property size: Number
  action area: Number
    return size times size
  end
  action summary: Text
    return "square " with name
  end
end
)";

TEST_P(Containers, SayWhatTheyShould) {
  EXPECT_EQ(run_all_ways(std::string(kShapes) + GetParam().program), GetParam().output);
}
INSTANTIATE_TEST_SUITE_P(
    All, Containers,
    testing::Values(
        Case{"create new Shape as s:\n  sides is 3\nend\ndisplay s.summary()\ns.rename(\"tri\")\ndisplay "
             "s.name\ndisplay s.summary()\ndisplay typeof of s\ndisplay s",
             "shape with 3 sides\ntri\ntri with 3 sides\nContainerInstance\nShape instance\n"},
        Case{"create new Square as q:\n  size is 4\nend\ndisplay q.area()\nq.rename(\"Q\")\ndisplay "
             "q.summary()\ndisplay q.sides\ndisplay Shape.made",
             "16\nsquare Q\n0\n3\n"},
        Case{"create new Shape as s:\nend\ndisplay s.fly()", "error: Method 'fly' not found in container 'Shape'\n"},
        Case{"create new Shape as s:\nend\ndisplay s.weight", "error: Property 'weight' not found\n"},
        Case{"create new Shape as s:\nend\ncreate new Shape as t:\nend\ns.rename(\"a\")\ndisplay t.name", "shape\n"}));

TEST(Modules, IncludeRunsInTheSameScope) {
  const Outcome run = run_program(
      "store a as 1\ninclude from \"lib\"\ndisplay helper of 4\ndisplay b\ndisplay a",
      {.files = {
           {"lib",
            "define action called helper needs x:\n  return x times 2\nend action\nstore b as 7\nchange a to 9\n"}}});
  EXPECT_EQ(run.output, "8\n7\n9\n") << run.error;
}

TEST(Modules, AModuleSeesCopiesAndChangesNothing) {
  const Outcome run = run_program(
      "store xs as [1]\nload module from \"lib\"\ndisplay xs\ntry:\n  load module from \"bad\"\nwhen error as e:\n  "
      "display e\nend try",
      {.files = {{"lib", "add 2 to xs\ndisplay xs\nstore mine as 1\n"}, {"bad", "change xs to 5\n"}}});
  EXPECT_EQ(run.output,
            "[1]\n[1]\nError in file: Cannot modify parent variable 'xs' from module scope. Modules have read-only "
            "access to parent variables.\n")
      << run.error;
}

TEST(Modules, AMissingFileIsAnErrorThatCanBeCaught) {
  const Outcome run =
      run_program("try:\n  include from \"none\"\nwhen file not found:\n  display \"no file\"\nend try");
  EXPECT_EQ(run.output, "no file\n");
}

TEST(TestFramework, CountsAndDescribesFailures) {
  const Outcome run = run_program(R"(store xs as [1]
describe "lists":
  setup:
    store base as 10
  end setup
  test "good":
    add 2 to xs
    expect base to equal 10
    expect xs to have length 1
  end test
  test "bad":
    expect base to be greater than 11
    display "not reached"
  end test
  describe "inner":
    test "type":
      expect "x" to be of type "text"
      expect [1, 2] to contain 2
      expect yes to be yes
    end test
  end describe
end describe
)",
                                  {.test_mode = true});
  EXPECT_EQ(run.error, "");
  EXPECT_EQ(run.output, "");
  EXPECT_EQ(run.tests.passed, 2U);
  ASSERT_EQ(run.tests.failed, 1U);
  EXPECT_EQ(run.tests.failures[0].name, "bad");
  EXPECT_EQ(run.tests.failures[0].context, std::vector<std::string>{"lists"});
  EXPECT_EQ(run.tests.failures[0].message, "Expected 10 to be greater than 11, but it was not");
}

TEST(TestFramework, NeedsTestMode) {
  EXPECT_EQ(run_program("describe \"x\":\nend describe").error,
            "describe blocks can only be used in test mode (run with --test flag)");
}

}  // namespace
}  // namespace wfl::test
