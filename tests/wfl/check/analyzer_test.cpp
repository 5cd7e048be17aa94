// What stops a program before it runs, and what does not.
#include "wfl/check/analyzer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "wfl/syntax/parser.h"

namespace wfl::check {
namespace {

struct Found {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  std::vector<std::string> hints;
  std::vector<std::string> types;
};

Found found(const std::string& text) {
  const auto parsed = syntax::parse(std::make_shared<const syntax::SourceFile>(0, "test.wfl", text));
  EXPECT_TRUE(parsed.ok()) << text << (parsed.diagnostics.empty() ? "" : parsed.diagnostics.front().message);
  Found result;
  const Analysis analysis = analyze(parsed.program);
  for (const auto& diagnostic : analysis.diagnostics) {
    auto& list = diagnostic.severity == syntax::Severity::Error ? result.errors : result.warnings;
    list.push_back(diagnostic.message);
    result.hints.insert(result.hints.end(), diagnostic.hints.begin(), diagnostic.hints.end());
  }
  for (const auto& finding : analysis.type_findings) result.types.push_back(finding.message);
  return result;
}

using Texts = std::vector<std::string>;

TEST(Analyzer, ASecondBinderOfANameIsAnError) {
  EXPECT_EQ(found("store x as 1\nstore x as 2\n").errors,
            Texts{"Variable 'x' has already been defined at line 1. Use 'change x to <value>' to modify it."});
  EXPECT_EQ(found("store x as 1\ncheck if yes:\n  store x as 2\nend check\n").errors,
            Texts{"Variable 'x' has already been defined in an outer scope. Use 'change x to <value>' to modify it."});
  EXPECT_EQ(found("store x as 1\nfor each x in [1]:\n  display x\nend for\n").errors.size(), 1U);
  // A global that is stored behind an action does not clash with the action's own.
  EXPECT_TRUE(found("define action called f:\n  store x as 1\nend action\nstore x as 2\n").errors.empty());
}

TEST(Analyzer, UnknownNamesAreErrorsWithASuggestion) {
  const Found result = found("store counter as 1\ndisplay countre\n");
  EXPECT_EQ(result.errors, Texts{"Variable 'countre' is not defined"});
  EXPECT_EQ(result.hints, Texts{"Did you mean 'counter'?"});
  EXPECT_EQ(found("call nobody\n").errors, Texts{"Undefined action 'nobody'"});
  EXPECT_EQ(found("change x to 1\n").errors, Texts{"Variable 'x' is not defined"});
}

// `store list price as 1` is legal, but `list price` is then read as `list` and `price`.
TEST(Analyzer, ANameThatBeginsWithAWordOfTheLanguageIsExplainedWhereItIsRead) {
  const Texts explained = {
      "'list price' can be stored, but not read: 'list' is a word of WFL. Begin the name with another word, such as "
      "'my_list price'."};
  EXPECT_EQ(found("store list price as 1\ndisplay list price\n").hints.at(0), explained.at(0));
  EXPECT_EQ(found("store list price as 1\nstore x as list price\n").hints.at(0), explained.at(0));
  EXPECT_EQ(found("store map width as 1\ndisplay map width\n").hints.at(0).substr(0, 11), "'map width'");
  EXPECT_TRUE(found("store list as 1\ndisplay list\n").errors.empty());
  // Another unknown name is no reason to speak of it.
  EXPECT_TRUE(found("store list price as 1\ndisplay zebra\n").hints.empty());
}

TEST(Analyzer, BodiesThatRunOftenOrMayFailSoftenErrors) {
  const Found in_try = found("try:\n  display nobody\ncatch:\n  display error_message\nend try\n");
  EXPECT_TRUE(in_try.errors.empty());
  EXPECT_EQ(in_try.warnings, Texts{"Variable 'nobody' is not defined"});
  EXPECT_TRUE(found("store x as 1\nrepeat forever:\n  store x as 2\n  break\nend repeat\n").errors.empty());
  EXPECT_EQ(found("count from 1 to 2:\n  display nobody\nend count\n").errors.size(), 1U);
}

TEST(Analyzer, NamesOfBothBranchesAreVisibleBehindThem) {
  EXPECT_TRUE(found("check if yes:\n store a as 1\notherwise:\n store a as 2\nend check\ndisplay a\n").errors.empty());
  EXPECT_EQ(found("check if yes:\n store a as 1\nend check\ndisplay a\n").errors, Texts{"Variable 'a' is not defined"});
}

TEST(Analyzer, ConstantsParametersAndLoopVariablesKeepTheirValue) {
  EXPECT_EQ(found("store new constant MAX as 1\nchange MAX to 2\n").errors,
            Texts{"Cannot modify constant 'MAX' - constants are immutable once defined"});
  EXPECT_EQ(found("define action called f needs p:\n  change p to 2\nend action\n").errors.size(), 1U);
}

TEST(Analyzer, CallsAreCountedAndLiteralArgumentsChecked) {
  const std::string add = "define action called f needs a as number and b:\n  give back a\nend action\n";
  EXPECT_EQ(found(add + "display call f with 1\n").errors,
            Texts{"Action 'f' expects 2 argument(s), but 1 were provided"});
  EXPECT_EQ(found(add + "display f of 1 and 2 and 3\n").errors,
            Texts{"Function 'f' expects 2 arguments, but 3 were provided"});
  EXPECT_EQ(found(add + "display call f with \"x\" and 2\n").errors,
            Texts{"Argument 'a' of action 'f' expects Number, but got Text"});
  EXPECT_EQ(found("store x as 5\ndisplay x of 3\n").errors, Texts{"'x' is not a function"});
}

TEST(Analyzer, NestedCountLoopsNeedNamesOfTheirOwn) {
  EXPECT_EQ(
      found("count from 1 to 2:\n count from 1 to 2:\n display count\n end count\nend count\n").errors,
      Texts{"Nested count loops both use the loop variable 'count'. Give the loops distinct names with 'count from X "
            "to Y as <name>:'."});
}

TEST(Analyzer, KeystoreBindersDefineOrAssign) {
  EXPECT_TRUE(
      found("open or create keystore at \"a.kvb\" as s\nopen or create keystore at \"b.kvb\" as s\n"
            "get value from s with key \"k\" as v\nget value from s with key \"l\" as v\n"
            "scan s for all keys as all ones\nfor each e in all ones:\n display key of e \" \" value of e\nend for\n")
          .errors.empty());
  EXPECT_EQ(found("store new constant C as 1\nopen keystore at \"a.kvb\" as C\n").errors.size(), 1U);
}

TEST(TypeChecker, FindingsAreOnlyWarnings) {
  const Found result =
      found("store x as 1\ndisplay x minus \"a\"\ndisplay touppercase of 5\ndisplay sqrt of 1 and 2\n");
  EXPECT_TRUE(result.errors.empty());
  EXPECT_EQ(result.types.size(), 3U);
  EXPECT_TRUE(found("display 1 plus 2\ndisplay length of [1]\n").types.empty());
}

}  // namespace
}  // namespace wfl::check
