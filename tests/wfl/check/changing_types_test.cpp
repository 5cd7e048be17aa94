// A variable that gets values of several types has none for the checks, in whatever order the text says so.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "wfl/check/analyzer.h"
#include "wfl/syntax/parser.h"

namespace wfl::check {
namespace {

std::string first_finding(const std::string& text) {
  const auto parsed = syntax::parse(std::make_shared<const syntax::SourceFile>(0, "test.wfl", text));
  EXPECT_TRUE(parsed.ok()) << text;
  const Analysis analysis = analyze(parsed.program);
  for (const auto* list : {&analysis.diagnostics, &analysis.type_findings}) {
    if (!list->empty()) return list->front().code + " " + list->front().message;
  }
  return "";
}

TEST(ChangingTypes, AVariableThatIsChangedToAMapHasFields) {
  EXPECT_EQ(first_finding("store r as 5\nchange r to parse_json of \"{}\"\ndisplay city of r\n"), "");
  EXPECT_EQ(first_finding("store r as nothing\ndisplay city of r\n"), "");
  EXPECT_EQ(first_finding("store r as 5\ndefine action called f:\n  change r to parse_json of \"{}\"\nend action\ncall "
                          "f\ndisplay city of r\n"),
            "");
  EXPECT_EQ(first_finding("store r as 5\nopen or create keystore at \"a\" as k\nget value from k with key \"a\" as "
                          "r\ndisplay city of r\n"),
            "");
}

TEST(ChangingTypes, ACopyOfAVariableHasTheTypeOfItsMoment) {
  EXPECT_EQ(first_finding("store y as \"a\"\nchange y to 5\nstore x as y\ndisplay x times 2\n"), "");
  EXPECT_EQ(first_finding("store y as \"a\"\nstore x as y\nchange x to 2\ndisplay x times 2\n"), "");
}

TEST(ChangingTypes, WhatComesLaterInTheTextMayRunEarlier) {
  EXPECT_EQ(
      first_finding("store n as \"a\"\nrepeat while n is not 3:\n  check if n is 2:\n    display n times 2\n  end "
                    "check\n  change n to 2\nend repeat\n"),
      "");
  EXPECT_EQ(first_finding("store n as \"a\"\ncall use\ndefine action called use:\n  display n times 2\nend "
                          "action\ndefine action called set_it:\n  change n to 5\nend action\n"),
            "");
}

TEST(UnusedVariables, TheResultOfADatabasesChangeNeedNotBeRead) {
  EXPECT_EQ(
      first_finding("open database at \"sqlite://a\" as db\nstore done as execute db with \"DROP TABLE a\"\nclose "
                    "database db\n"),
      "");
}

TEST(ChangingTypes, AKeystoreThatIsReplacedIsNone) {
  EXPECT_EQ(first_finding("open or create keystore at \"a\" as k\nclose keystore k\nchange k to [1]\ndisplay length of "
                          "k\n"),
            "");
}

}  // namespace
}  // namespace wfl::check
