// Expressions, variables, conditions and loops, end to end.
#include <gtest/gtest.h>

#include "wfl/compile/program_runner.h"

namespace wfl::test {
namespace {

struct Case {
  const char* program;
  const char* output;
};

class Core : public testing::TestWithParam<Case> {};
TEST_P(Core, SaysWhatItShould) {
  EXPECT_EQ(run_all_ways(GetParam().program), GetParam().output);
}

INSTANTIATE_TEST_SUITE_P(
    Expressions, Core,
    testing::Values(
        Case{"display 1 plus 2 times 3", "7\n"}, Case{"display 10 minus 4 minus 3", "3\n"},
        Case{"display 7 divided by 2", "3.5\n"}, Case{"display 0.1 plus 0.2", "0.30000000000000004\n"},
        Case{"display 100000000000 times 1000000000", "100000000000000000000\n"},
        Case{"display 1 divided by 3", "0.3333333333333333\n"},
        Case{"store x as 0 minus 7\ndisplay x modulo 3", "-1\n"}, Case{"display 7.5 modulo 2", "1.5\n"},
        Case{"display 1 divided by 0", "error: Division by zero\n"},
        Case{"display 1 modulo 0", "error: Modulo by zero\n"}, Case{"display \"a\" plus 1", "a1\n"},
        Case{"display 1 plus yes", "error: Cannot add Number and Boolean\n"},
        Case{"display \"5\" times 2", "error: Cannot multiply Text and Number\n"},
        Case{"display yes minus 1", "error: Cannot subtract Number from Boolean\n"},
        Case{"display yes divided by 1", "error: Cannot divide Boolean by Number\n"},
        Case{"display -5 plus 1\n", "-4\n"}, Case{"store a as yes\ndisplay -a", "error: Cannot negate Boolean\n"},
        Case{"display not yes", "no\n"}, Case{"display 1 is 1 and 2 is 3", "no\n"},
        Case{"display 1 is 1 or 2 is 3", "yes\n"}, Case{"display 3 is greater than 2", "yes\n"},
        Case{"display 3 is less than or equal to 2", "no\n"}, Case{"display \"b\" is greater than \"a\"", "yes\n"},
        Case{"display 5 is between 1 and 5", "yes\n"}, Case{"display 6 is between 1 and 5", "no\n"},
        Case{"display yes is greater than 1", "error: Cannot compare Boolean and Number with >\n"},
        Case{"store a as [1, 2]\nstore b as [1, 2]\ndisplay a is b", "yes\n"},
        Case{"display [1, \"two\", yes, nothing]", "[1, two, yes, nothing]\n"},
        Case{"display nothing is missing", "yes\n"}, Case{"display [1, 2, 3] contains 2", "yes\n"},
        Case{"display \"hello\" contains \"ell\"", "yes\n"},
        Case{"display 5 contains 1", "error: Cannot check if Number contains Number\n"},
        Case{"display \"hello\" starts with \"he\"", "yes\n"}, Case{"display \"hello\" ends with \"he\"", "no\n"},
        Case{"store n as 3\ndisplay \"n: \" with n plus 1", "n: 4\n"},
        Case{"store xs as [10, 20, 30]\ndisplay xs at 1\ndisplay xs[2]\ndisplay xs 0", "20\n30\n10\n"},
        Case{"store xs as [1]\ndisplay xs[5]", "error: Index 5 out of bounds for list of length 1\n"},
        Case{"store t as \"x\"\ndisplay t[0]", "error: Cannot index Text with Number\n"},
        Case{"create map m:\n  name is \"Ann\"\n  age is 5\nend map\ndisplay m[\"name\"]\ndisplay name of m\ndisplay "
             "m.age\ndisplay m",
             "Ann\nAnn\n5\n{name: Ann, age: 5}\n"},
        Case{"create map m:\n  name is \"Ann\"\nend map\ndisplay m[\"x\"]", "error: Object has no key 'x'\n"},
        Case{"create map m:\n  name is \"Ann\"\nend map\ndisplay m.x", "error: Object has no property 'x'\n"},
        Case{"display length of \"h\xC3\xA9llo\"", "5\n"},
        Case{"store s as \"abc\"\ndisplay length of s plus \"!\"", "4\n"}, Case{"display random plus 1", "8\n"},
        Case{"display length of 5",
             "error: Error in native function: Runtime error at line 0, column 0: length expects a list, text, or "
             "binary, got Number\n"},
        Case{"display undefined_thing", "error: Undefined variable 'undefined_thing'\n"},
        Case{"display \"a\" \"b\" 3", "ab3\n"}));

INSTANTIATE_TEST_SUITE_P(
    Variables, Core,
    testing::Values(
        Case{"store x as 1\nchange x to x plus 1\ndisplay x", "2\n"},
        Case{"store x as 1\nadd 5 to x\nsubtract 2 from x\nmultiply x by 10\ndivide x by 4\ndisplay x", "10\n"},
        Case{"change y to 1", "error: Undefined variable 'y'\n"},
        Case{"store new constant c as 1\nchange c to 2", "error: Cannot modify constant 'c'\n"},
        Case{"store xs as [1]\nadd 2 to xs\npush with xs and 3\nremove 1 from xs\ndisplay xs\nclear xs\ndisplay xs",
             "[2, 3]\n[]\n"},
        Case{"store x as \"t\"\nadd 1 to x", "error: Cannot add to non-list value: \"t\"\n"},
        Case{"store x as 1\nadd yes to x", "error: Cannot add non-numeric value to number\n"},
        Case{"store x as 5\nremove 1 from x", "error: Cannot remove from non-list value: 5\n"},
        Case{"create list xs:\n  add 1\n  add \"two\"\nend list\ndisplay xs", "[1, two]\n"},
        Case{"store a as [1]\nstore b as a\nadd 2 to b\ndisplay a", "[1, 2]\n"},
        Case{"check if yes:\n  store x as 1\nend check\ndisplay x", "1\n"},
        Case{"check if no:\n  store x as 1\nend check\ndisplay x", "error: Undefined variable 'x'\n"},
        Case{"check if 1 is 2:\n  store x as 1\notherwise:\n  store x as 2\nend check\ndisplay x", "2\n"},
        Case{"store x as 0\ncount from 1 to 3:\n  store x as x plus count\nend count\ndisplay x", "6\n"},
        Case{"count from 1 to 2:\n  store y as count\nend count\ndisplay y", "error: Undefined variable 'y'\n"},
        Case{"define action called f:\n  store g as 5\nend action\nstore g as 1\ncall f\ndisplay g", "5\n"},
        Case{"define action called f:\n  store g as 5\n  return g\nend action\ndisplay f\nstore g as 1\ndisplay g",
             "5\n1\n"}));

INSTANTIATE_TEST_SUITE_P(
    Flow, Core,
    testing::Values(
        Case{"check if 1 is 2:\n  display \"a\"\notherwise check if 2 is 2:\n  display \"b\"\notherwise:\n  display "
             "\"c\"\nend check",
             "b\n"},
        Case{"check if nothing:\n  display \"a\"\notherwise:\n  display \"b\"\nend check", "b\n"},
        Case{"count from 1 to 10 by 4:\n  display count\nend count", "1\n5\n9\n"},
        Case{"count from 3 down to 1 as i:\n  display i\nend count", "3\n2\n1\n"},
        Case{"count from 5 to 1:\n  display count\nend count\ndisplay \"done\"", "done\n"},
        Case{"count from 1 to \"x\":\nend count", "error: Count loop end must be a number, got Text\n"},
        Case{"for each x in [1, 2, 3]:\n  display x\nend for", "1\n2\n3\n"},
        Case{"for each x in reversed [1, 2, 3]:\n  display x\nend for", "3\n2\n1\n"},
        Case{"store xs as [1, 2]\nfor each x in xs:\n  add x to xs\nend for\ndisplay xs", "[1, 2, 1, 2]\n"},
        Case{"create map m:\n  a is 1\n  b is 2\nend map\nfor each v in m:\n  display v\nend for", "1\n2\n"},
        Case{"for each x in 5:\nend for", "error: Cannot iterate over Number\n"},
        Case{"store i as 0\nrepeat while i is less than 3:\n  add 1 to i\n  display i\nend repeat", "1\n2\n3\n"},
        Case{"store i as 5\nrepeat until i is greater than 3:\n  add 1 to i\nend repeat\ndisplay i", "6\n"},
        Case{"store i as 0\nrepeat forever:\n  add 1 to i\n  check if i is 3:\n    break\n  end check\nend "
             "repeat\ndisplay i",
             "3\n"},
        Case{"count from 1 to 5:\n  check if count is 3:\n    continue\n  end check\n  check if count is 5:\n    "
             "break\n  end check\n  display count\nend count",
             "1\n2\n4\n"},
        Case{"count from 1 to 3 as i:\n  count from 1 to 3 as j:\n    check if j is 2:\n      exit loop\n    end "
             "check\n    display i with \",\" with j\n  end count\nend count\ndisplay \"after\"",
             "1,1\nafter\n"},
        Case{"store i as 0\nrepeat until i is 6:\n  add 1 to i\n  check if i is 2:\n    continue\n  end check\n  "
             "display i\nend repeat",
             "1\n3\n4\n5\n6\n"},
        Case{"main loop:\n  display \"once\"\n  break\nend loop", "once\n"},
        Case{"display \"a\"\nexit program\ndisplay \"b\"", "a\n"},
        Case{"store s as \"POST\"\nroute s:\n  when \"GET\":\n    display 1\n  when \"PUT\" or \"POST\":\n    display "
             "2\n  otherwise:\n    display 3\nend route",
             "2\n"},
        Case{"route \"report.txt\":\n  when starts with \"x\":\n    display 1\n  when contains \"port\":\n    display "
             "2\nend route",
             "2\n"},
        Case{"route \"b\":\n  when one of [\"a\", \"b\"]:\n    display \"in\"\nend route", "in\n"}));

TEST(Core, AnErrorKnowsItsLine) {
  const Outcome run = run_program("store x as 1\n\ndisplay x plus yes\n");
  EXPECT_EQ(run.error, "Cannot add Number and Boolean");
  EXPECT_EQ(run.line, 3U);
}

TEST(Core, TheOperationLimitStopsAnEndlessLoop) {
  const Outcome run = run_program("repeat forever:\nend repeat", {.operations = 100000});
  EXPECT_EQ(run.kind, language::ErrorKind::kResourceLimit);
}

TEST(Core, GarbageIsCollected) {
  const Outcome run =
      run_program("count from 1 to 300000:\n  store xs as [count, count, count, count]\nend count\ndisplay \"ok\"");
  EXPECT_EQ(run.output, "ok\n");
  EXPECT_GE(run.collections, 1U);
}

TEST(Core, ManyVariablesAndLongListsCompile) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "store v" + std::to_string(i) + " as " + std::to_string(i) + "\n";
  text += "store all as [";
  for (int i = 0; i < 3000; ++i) text += (i == 0 ? "v" : ", v") + std::to_string(i);
  text += "]\ndisplay all[2999]\n";
  EXPECT_EQ(run_all_ways(text), "2999\n");
}

TEST(Core, BlocksLongerThanAShortJumpCompile) {
  std::string text = "store x as 0\ncheck if x is 0:\n";
  for (int i = 0; i < 40000; ++i) text += "  change x to x plus 1\n";
  text += "end check\ndisplay x\n";
  EXPECT_EQ(run_program(text).output, "40000\n");
}

}  // namespace
}  // namespace wfl::test
