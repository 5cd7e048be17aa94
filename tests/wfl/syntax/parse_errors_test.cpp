// What people see when they make the frequent mistakes: the whole message, as it is printed.
#include <gtest/gtest.h>

#include "wfl/syntax/parse_helper.h"

namespace wfl::syntax {
namespace {

// The hints of the first error, one a line, after its message.
std::string advice(std::string text) {
  const ParseResult result = parse_text(std::move(text));
  for (const Diagnostic& diagnostic : result.diagnostics) {
    if (diagnostic.severity == Severity::Error) {
      std::string out = diagnostic.message + "\n";
      for (const std::string& hint : diagnostic.hints) {
        out += "- " + hint + "\n";
      }
      return out;
    }
  }
  return "no error";
}

TEST(ErrorMessages, AStoreWithoutKey) {
  EXPECT_EQ(errors("store \"x\" in cache\n"),
            "error[WFL-P006]: This `store` is missing `with key`\n"
            "  ┌─ test.wfl:1:1\n"
            "  │\n"
            "1 │ store \"x\" in cache\n"
            "  │ ^^^^^^^^^^^^^^^^^^ a keystore needs a key for each value\n"
            "  │\n"
            "  = hint: Write `store V in S with key K`.\n");
}

TEST(ErrorMessages, AWordOfTheLanguageAsTheNameOfAnAction) {
  EXPECT_EQ(advice("define action called add person needs x:\n  display x\nend action\n"),
            "I expected a name for the action after `called`, but found `add`\n"
            "- `add` is a word of WFL. Choose another name, such as `add_person`.\n");
  EXPECT_EQ(advice("define action called register:\n  display 1\nend action\n"),
            "I expected a name for the action after `called`, but found `register`\n"
            "- `register` is a word of WFL. Choose another name, such as `my_register`.\n");
  // Here the name is missing.
  EXPECT_EQ(advice("for each in guests:\n  display 1\nend for\n").find("Choose another name"), std::string::npos);
}

TEST(ErrorMessages, AMissingEnd) {
  EXPECT_EQ(errors("check if x is 1:\n  display 1\n"),
            "error[WFL-P002]: The program ends, but `end check` is missing\n"
            "  ┌─ test.wfl:3:1\n"
            "  │\n"
            "3 │ \n"
            "  │ ^ Error occurred here\n"
            "  │\n"
            "  = note: The block that is still open starts in line 1: `check if x is 1:`.\n");
}

TEST(ErrorMessages, HalfKeystoreStatementsShowTheForm) {
  EXPECT_EQ(advice("store \"x\""),
            "This `store` is incomplete\n- For a variable write `store NAME as VALUE`.\n"
            "- To keep a value in a keystore write `store V in S with key K`.\n");
  EXPECT_EQ(advice("get value from s as x"),
            "`with key` is missing here\n- Write `get value from S with key K as NAME`.\n");
  EXPECT_EQ(advice("get value with key \"a\" from s as x"),
            "The keystore comes before the key\n- Write `get value from S with key K as NAME`.\n");
  EXPECT_EQ(advice("create keystore \"a.kvb\" as s"),
            "I expected `at` or `as` after `create keystore`, but found the text \"a.kvb\"\n"
            "- A keystore is made with `create keystore at PATH as NAME`.\n");
  EXPECT_EQ(advice("open keystore \"a.kvb\" as s"),
            "I expected `at` after `open keystore`, but found the text \"a.kvb\"\n- Write `open keystore at PATH as "
            "NAME`.\n");
  EXPECT_EQ(advice("open keystore at p with compression as s"),
            "`compression` is chosen when a keystore is created\n- Reading a compressed keystore needs no option.\n");
  EXPECT_EQ(advice("store 1 in s with key \"a\" for 5"),
            "A length of time is missing its unit\n"
            "- Write `for 30 seconds`; the units are `seconds`, `minutes`, `hours` and `days`.\n");
  EXPECT_EQ(advice("increase key k in s"),
            "I expected `by` and a number, but found the end of the program\n- Write `increase key K in S by N`.\n");
  EXPECT_EQ(advice("remove key \"k\" in s"),
            "I expected `from` and a keystore after the key, but found `in`\n"
            "- Write `remove key K from S`; inside `batch operations on S:` also `remove key K`.\n");
  EXPECT_EQ(advice("scan s for keys as r").substr(0, 61),
            "I expected `starting with` or `from` after `keys`, but found ");
  EXPECT_EQ(advice("scan s for keys starting with p limit 5 reversed as r"),
            "`reversed` stands in front of `limit`\n- Write `… reversed limit N as NAME`.\n");
  EXPECT_EQ(advice("batch operations s:\nend batch"),
            "`on` is missing in front of the keystore\n- Write `batch operations on S:`.\n");
  EXPECT_EQ(advice("back up cache as \"x\""), "This `back up` doesn't say where to\n- Write `back up S to PATH`.\n");
}

TEST(ErrorMessages, ThingsPeopleWillTry) {
  EXPECT_EQ(advice("delete key \"k\" from s"), "Keys are removed, not deleted\n- Write `remove key K from S`.\n");
  EXPECT_EQ(advice("check if not store contains key \"k\":\nend check"),
            "`not` takes only the name behind it, not the whole question\n"
            "- Put the question in parentheses: `not (store contains key \"k\")`.\n");
  EXPECT_EQ(advice("store x as list keys in s"),
            "`list keys` is a statement of its own\n- Write `list keys in S as x`.\n");
  EXPECT_EQ(advice("store x as get value from s with key k"),
            "`get value` is a statement of its own\n- Write `get value from S with key K as x`.\n");
  EXPECT_EQ(advice("get value from s with key k as data"),
            "`data` is a word of WFL and can't be a name here\n- Choose another name.\n");
  EXPECT_EQ(advice("open keystore at p as time"),
            "`time` is a word of WFL and can't be a name here\n- Choose another name.\n");
  EXPECT_EQ(advice("store 1 in data with key k"),
            "`data` is a word of WFL and can't be the name of a keystore\n- Choose another name, such as `cache` or "
            "`store`.\n");
  EXPECT_EQ(advice("change x as 5"),
            "I expected `to` after the variable name 'x', but found `as`\n- `change` uses `to`: `change x to …`.\n");
}

TEST(ErrorMessages, NothingFollowsACompleteStatement) {
  EXPECT_EQ(advice("store 1 in s with key \"a\" in t").substr(0, 58),
            "I don't understand `in` at the end of this statement\n- The");
  EXPECT_EQ(advice("get value from s with key k as x y z 5").substr(0, 40), "I don't understand the number 5 at the e");
}

TEST(ErrorMessages, MisspeltFirstWords) {
  EXPECT_EQ(advice("scna cache for keys starting with p as r"),
            "I expected `each` after `for`, but found `keys starting`\n- Did you mean `scan` instead of `scna`?\n");
}

TEST(ErrorMessages, WarningsDoNotStopAProgram) {
  const ParseResult result = parse_text("create new constant limit as 5\ndisplay 1 ; 2\n");
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.diagnostics.size(), 2U);
}

}  // namespace
}  // namespace wfl::syntax
