// What is probably wrong with a program that may run: each warning where it belongs, and silence where all is well.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wfl/check/analyzer.h"
#include "wfl/syntax/parser.h"

namespace wfl::check {
namespace {

using Texts = std::vector<std::string>;

// "CODE line N: message" of every finding; files are what `include` finds.
Texts warnings(const std::string& text, const std::vector<std::pair<std::string, std::string>>& files = {}) {
  const auto parsed = syntax::parse(std::make_shared<const syntax::SourceFile>(0, "test.wfl", text));
  EXPECT_TRUE(parsed.ok()) << text << (parsed.diagnostics.empty() ? "" : parsed.diagnostics.front().message);
  AnalyzerOptions options;
  options.read_include = [&](std::string_view path, std::string_view) -> std::optional<IncludedText> {
    for (const auto& [name, content] : files) {
      if (name == path) return IncludedText{.name = name, .text = content};
    }
    return std::nullopt;
  };
  const Analysis analysis = analyze(parsed.program, options);
  Texts out;
  const auto add = [&](const syntax::Diagnostic& d) {
    out.push_back(d.code + " line " + std::to_string(parsed.program.source->line_of(d.span.begin)) + ": " + d.message);
  };
  for (const auto& diagnostic : analysis.diagnostics) {
    if (diagnostic.severity == syntax::Severity::Warning) {
      add(diagnostic);
    } else {
      out.push_back("error " + diagnostic.code);
    }
  }
  for (const auto& finding : analysis.type_findings) add(finding);
  return out;
}

std::string hints(const std::string& text) {
  const auto parsed = syntax::parse(std::make_shared<const syntax::SourceFile>(0, "test.wfl", text));
  EXPECT_TRUE(parsed.ok()) << text;
  std::string out;
  const Analysis analysis = analyze(parsed.program);
  for (const auto* list : {&analysis.diagnostics, &analysis.type_findings}) {
    for (const auto& diagnostic : *list) {
      for (const std::string& hint : diagnostic.hints) out += hint + "\n";
    }
  }
  return out;
}

TEST(Warnings, AVariableThatNothingReads) {
  EXPECT_EQ(warnings("store x as 5\nstore z as 6\ndisplay z\n"), Texts{"WFL-S101 line 1: Unused variable 'x'"});
  EXPECT_EQ(warnings("create list basket:\n  add 1\nend list\n"), Texts{"WFL-S101 line 1: Unused variable 'basket'"});
  EXPECT_EQ(warnings("define action called f:\n  store x as 1\nend action\ncall f\n"),
            Texts{"WFL-S101 line 2: Unused variable 'x'"});
  EXPECT_EQ(warnings("create pattern number_like:\n  digit\nend pattern\n"),
            Texts{"WFL-S101 line 1: Unused variable 'number_like'"});
}

TEST(Warnings, EveryKindOfUseCounts) {
  for (const char* use : {"display x",
                          "change x to 2",
                          "add 1 to x",
                          "display \"a\" with x",
                          "display [x]",
                          "display length of x",
                          "for each e in x:\n  display e\nend for",
                          "push with x and 1",
                          "clear x",
                          "display x[0]",
                          "display x.a",
                          "check if x is 1:\n  display 1\nend check",
                          "try:\n  display x\nwhen error:\n  display 1\nend try",
                          "define action called f:\n  give back x\nend action\ncall f",
                          "wait for x",
                          "remove 1 from x",
                          "open or create keystore at \"a\" as k\nstore x in k with key \"a\"",
                          "open or create keystore at \"a\" as k\nget value from k with key x as r\ndisplay r",
                          "open or create keystore at \"a\" as k\ncheck if k contains key x:\n  display 1\nend check",
                          "open or create keystore at \"a\" as k\nremove key x from k"}) {
    for (const std::string& said : warnings("store x as [1]\n" + std::string(use) + "\n")) {
      EXPECT_FALSE(said.starts_with("WFL-S101")) << said << " of " << use;
    }
  }
  // A value that is made to see whether it can be made.
  EXPECT_EQ(warnings("try:\n  store x as parse_json of \"{\"\nwhen error:\n  display 1\nend try\n"), Texts{});
  EXPECT_EQ(warnings("store new constant rate as 2\nexport constant rate\n"), Texts{});
  EXPECT_EQ(
      warnings("create container Box:\n  property size: Number\n  action grow:\n    store size as 5\n  end\nend\n"),
      Texts{});
}

TEST(Warnings, CodeThatNothingReaches) {
  EXPECT_EQ(warnings("define action called f:\n  give back 1\n  display 2\n  display 3\nend action\ncall f\n"),
            Texts{"WFL-S102 line 3: Unreachable code"});
  EXPECT_EQ(warnings("for each x in [1]:\n  break\n  display x\nend for\n"),
            Texts{"WFL-S102 line 3: Unreachable code"});
  EXPECT_EQ(warnings("exit program\ndisplay 1\n"), Texts{"WFL-S102 line 2: Unreachable code"});
  EXPECT_EQ(warnings("repeat forever:\n  display 1\nend repeat\ndisplay 2\n"),
            Texts{"WFL-S102 line 4: Unreachable code"});
  EXPECT_EQ(
      warnings("define action called f needs a:\n  check if a is 1:\n    give back 1\n  otherwise:\n    give back "
               "2\n  end check\n  display 3\nend action\ncall f with 1\n"),
      Texts{"WFL-S102 line 7: Unreachable code"});
  EXPECT_EQ(warnings("repeat forever:\n  check if yes is yes:\n    break\n  end check\nend repeat\ndisplay 2\n"),
            Texts{});
  EXPECT_EQ(warnings("count from 1 to 3:\n  repeat forever:\n    exit loop\n  end repeat\nend count\ndisplay 2\n"),
            Texts{});
  EXPECT_EQ(warnings("define action called f needs a:\n  try:\n    give back a\n  when error:\n    display 1\n  end "
                     "try\n  give back 2\nend action\ncall f with 1\n"),
            Texts{});
  EXPECT_EQ(warnings("define action called f needs a:\n  check if a is 1:\n    give back 1\n  end check\n  give back "
                     "2\nend action\ncall f with 1\n"),
            Texts{});
}

TEST(Warnings, BranchesThatNeverRun) {
  EXPECT_EQ(warnings("check if no:\n  display 1\nend check\n"),
            Texts{"WFL-S103 line 2: This branch never runs: its condition is always no"});
  EXPECT_EQ(warnings("check if yes:\n  display 1\notherwise:\n  display 2\nend check\n"),
            Texts{"WFL-S103 line 4: This branch never runs: the condition before it is always yes"});
  EXPECT_EQ(
      warnings("store a as 1\ncheck if a is 1:\n  display 1\notherwise check if a is 1:\n  display 2\nend check\n"),
      Texts{"WFL-S103 line 5: This branch never runs: line 2 asks the same before it"});
  EXPECT_EQ(warnings("store a as 1\nroute a:\n  when 1:\n    display 1\n  when 2 or 1:\n    display 2\nend route\n"),
            Texts{});  // The arm still runs for 2.
  EXPECT_EQ(warnings("store a as 1\nroute a:\n  when 1:\n    display 1\n  when 1:\n    display 2\nend route\n"),
            Texts{"WFL-S103 line 6: This branch never runs: line 3 asks the same before it"});
  EXPECT_EQ(warnings("repeat while no:\n  display 1\nend repeat\n"),
            Texts{"WFL-S103 line 2: This loop never runs: its condition is always no"});
  EXPECT_EQ(warnings("check if random is greater than 0.5:\n  display 1\notherwise check if random is greater than "
                     "0.5:\n  display 2\nend check\n"),
            Texts{});  // Each call may answer differently.
  EXPECT_EQ(warnings("define action called toss:\n  give back random_boolean\nend action\ncheck if toss:\n  display "
                     "1\notherwise check if toss:\n  display 2\nend check\n"),
            Texts{});
}

TEST(Warnings, ActionsThatGiveBackAValueOnlySometimes) {
  EXPECT_EQ(warnings("define action called f needs a: number:\n  check if a is 1:\n    give back 1\n  end check\nend "
                     "action\ndisplay f of 1\n"),
            Texts{"WFL-S105 line 1: Action 'f' has inconsistent return paths"});
  EXPECT_EQ(warnings("define action called f needs a: number:\n  check if a is 1:\n    give back 1\n  otherwise:\n    "
                     "give back 2\n  end check\nend action\ndisplay f of 1\n"),
            Texts{});
  EXPECT_EQ(warnings("define action called f needs a: number:\n  try:\n    give back a\n  when error:\n    give back "
                     "0\n  end try\nend action\ndisplay f of 1\n"),
            Texts{});
  // One path ends without a value although others have one.
  EXPECT_EQ(warnings("define action called f needs a:\n  check if a is 1:\n    give back\n  end check\n  give back "
                     "2\nend action\ndisplay f of 1\n"),
            Texts{"WFL-S105 line 1: Action 'f' has inconsistent return paths"});
}

TEST(Warnings, RandomSeedsBesideSecretsAreErrors) {
  EXPECT_EQ(warnings("call random_seed with 5\ndisplay hash_password of \"x\"\n"), Texts{"error WFL-S016"});
  EXPECT_EQ(warnings("define action called f:\n  store done as random_seed of 5\n  display done\nend action\ndisplay "
                     "generate_csrf_token\ncall f\n"),
            Texts{"error WFL-S016"});
  EXPECT_EQ(warnings("call random_seed with 5\ndisplay sha256 of \"x\"\n"), Texts{});
}

TEST(Warnings, BuiltInFunctionsThatAVariableHides) {
  EXPECT_EQ(warnings("store size as 5\ndisplay size with \" items\"\n"), Texts{});
  EXPECT_EQ(warnings("store max as 5\ndisplay max with 3 and 4\n"),
            Texts{"WFL-S104 line 2: 'max' is a variable here, and can't be called as the built-in function"});
  EXPECT_EQ(warnings("store length as 5\ndisplay length of \"abc\"\ndisplay length\n"),
            Texts{"WFL-S104 line 2: 'length' is a variable here, and can't be called as the built-in function"});
  EXPECT_EQ(hints("store max as 5\ndisplay max with 3 and 4\n"),
            "Write `(max) with …` to join its text to another, or give the variable of line 1 another name.\n");
  EXPECT_EQ(warnings("store size as 5\ndisplay size\n"), Texts{});
  EXPECT_EQ(warnings("define action called size needs t:\n  give back t\nend action\ndisplay size of 1\n"), Texts{});
}

TEST(Warnings, NamesBehindAnIncludeAreStillLookedUp) {
  const std::vector<std::pair<std::string, std::string>> files = {
      {"shapes.wfl", "store sides as 4\ndefine action called area needs a:\n  give back a\nend action\n"},
      {"all.wfl", "include from \"shapes.wfl\"\nstore extra as sides\n"},
      {"broken.wfl", "store as as\n"}};
  EXPECT_EQ(warnings("include from \"shapes.wfl\"\ndisplay sides\ndisplay area of 2\n", files), Texts{});
  EXPECT_EQ(warnings("include from \"all.wfl\"\ndisplay sides with extra\n", files), Texts{});
  EXPECT_EQ(warnings("include from \"shapes.wfl\"\ndisplay side\n", files),
            Texts{"WFL-S002 line 2: Variable 'side' is not defined"});
  EXPECT_EQ(warnings("include from \"shapes.wfl\"\ncall aera with 1\n", files),
            Texts{"WFL-S003 line 2: Undefined action 'aera'"});
  EXPECT_EQ(warnings("include from \"nowhere.wfl\"\ndisplay side\n", files),
            (Texts{"WFL-S017 line 1: The included file 'nowhere.wfl' can't be found",
                   "WFL-S002 line 2: Variable 'side' is not defined"}));
  EXPECT_EQ(warnings("include from \"broken.wfl\"\ndisplay side\ncall area with 1\n", files),
            Texts{"WFL-S017 line 1: The included file 'broken.wfl' can't be understood"});
  // What an included file reads is used.
  EXPECT_EQ(warnings("store width as 5\ninclude from \"reader.wfl\"\n", {{"reader.wfl", "display width\n"}}), Texts{});
}

TEST(Warnings, TypesOfVariablesThatKeepTheirType) {
  EXPECT_EQ(warnings("store name as \"Ada\"\ndisplay name times 2\n"),
            Texts{"WFL-T001 line 2: Cannot use 'times' with this value - Expected Number but found Text"});
  EXPECT_EQ(
      warnings("store n as 5\nfor each x in n:\n  display x\nend for\n"),
      Texts{"WFL-T006 line 2: Cannot go through this value - Expected List, Object or Keystore but found Number"});
  EXPECT_EQ(warnings("count from \"a\" to 3:\n  display count\nend count\n"),
            Texts{"WFL-T001 line 1: Cannot count with this value - Expected Number but found Text"});
  EXPECT_EQ(warnings("display 5 is greater than \"a\"\n"),
            Texts{"WFL-T001 line 1: Cannot compare these values - Number and Text have no order"});
  EXPECT_EQ(warnings("store n as 5\nchange n to \"five\"\ndisplay n times 2\n"), Texts{});
  EXPECT_EQ(warnings("define action called f needs n:\n  give back n times 2\nend action\nstore n as \"a\"\ndisplay n "
                     "with f of 2\n"),
            Texts{});
}

TEST(Warnings, AnyNameMayBeAFieldOfAMap) {
  EXPECT_EQ(warnings("create map person:\n  city is \"Rome\"\nend map\ndisplay city of person\n"), Texts{});
  EXPECT_EQ(warnings("execute command \"ls\" as result\ndisplay output of result\n"), Texts{});
  EXPECT_EQ(warnings("for each p in parse_json of \"[]\":\n  display street of p\nend for\n"), Texts{});
  EXPECT_EQ(warnings("store n as 5\ndisplay city of n\n"), Texts{"error WFL-S002"});
  EXPECT_EQ(warnings("execute command \"ls\" as result\ndisplay lenght of result\n"), Texts{"error WFL-S002"});
  EXPECT_EQ(warnings("execute command \"ls\" as result\ndisplay city of result and 1\n"), Texts{"error WFL-S002"});
}

TEST(KeystoreWarnings, ChangesOfWhatIsOnlyRead) {
  const std::string reading = "open keystore at \"a.kvb\" for reading as cache\n";
  const std::string snapshot = "create keystore at \"a.kvb\" as box\ntake snapshot of box as cache\n";
  for (const char* change :
       {"store 1 in cache with key \"a\"\n", "remove key \"a\" from cache\n", "increase key \"a\" in cache by 1\n",
        "keep key \"a\" in cache forever\n", "remove all keys from cache\n", "compact cache with strategy \"full\"\n",
        "batch operations on cache:\n  store 1 with key \"a\"\nend batch\n"}) {
    EXPECT_EQ(warnings(reading + change), Texts{"WFL-S110 line 2: The keystore 'cache' is open for reading only"});
    EXPECT_EQ(warnings(snapshot + change),
              Texts{"WFL-S110 line 3: The keystore 'cache' is a snapshot, so it can't be changed"});
  }
  for (const char* fine :
       {"get value from cache with key \"a\" as v\ndisplay v\n", "verify cache as v\ndisplay v\n", "flush cache\n",
        "close keystore cache\n", "store cache as 5\n",
        "close keystore cache\nopen keystore at \"a.kvb\" as cache\nstore 1 in cache with key \"a\"\n",
        "check if 1 is 2:\n  open keystore at \"b.kvb\" as cache\nend check\nstore 1 in cache with key \"a\"\n",
        "for each e in [1, 2]:\n  open keystore at \"b.kvb\" as cache\nend for\nstore 1 in cache with key \"a\"\n"}) {
    for (const std::string& said : warnings(reading + fine)) EXPECT_FALSE(said.contains("S110")) << fine;
  }
}

TEST(KeystoreWarnings, UseAfterClose) {
  const std::string open = "open or create keystore at \"a.kvb\" as cache\n";
  EXPECT_EQ(warnings(open + "close keystore cache\nstore 1 in cache with key \"a\"\n"),
            Texts{"WFL-S106 line 3: The keystore 'cache' is closed here"});
  EXPECT_EQ(warnings(open + "close cache\ncheck if cache contains key \"a\":\n  display 1\nend check\n"),
            Texts{"WFL-S106 line 3: The keystore 'cache' is closed here"});
  EXPECT_EQ(warnings(open + "close keystore cache\nclose keystore cache\n"),
            Texts{"WFL-S106 line 3: The keystore 'cache' is closed already"});
  EXPECT_EQ(
      warnings(open + "for each e in [1, 2]:\n  store e in cache with key \"a\"\n  close keystore cache\nend for\n"),
      Texts{"WFL-S106 line 4: The keystore 'cache' is closed in a loop that needs it again in its next round"});
}

TEST(KeystoreWarnings, OnlyWhatIsSureIsSaid) {
  const std::string open = "open or create keystore at \"a.kvb\" as cache\n";
  for (const char* fine :
       {"close keystore cache\nopen keystore at \"a.kvb\" as cache\nstore 1 in cache with key \"a\"\nclose cache\n",
        "check if yes is yes:\n  close keystore cache\nend check\nstore 1 in cache with key \"a\"\n",
        "try:\n  close keystore cache\nwhen error:\n  store 1 in cache with key \"a\"\nend try\n",
        "close keystore cache\ncall reopen\nstore 1 in cache with key \"a\"\ndefine action called reopen:\n  open "
        "keystore at \"a.kvb\" as cache\nend action\n",
        "for each e in [1]:\n  store e in cache with key \"a\"\n  close keystore cache\n  break\nend for\n",
        "for each e in [1]:\n  open keystore at \"b.kvb\" as other\n  store e in other with key \"a\"\n  close "
        "keystore "
        "other\nend for\nclose keystore cache\n",
        "define action called f needs cache2:\n  close keystore cache2\nend action\ncall f with cache\n"}) {
    EXPECT_EQ(warnings(open + fine), Texts{}) << fine;
  }
}

TEST(KeystoreWarnings, TheWrongKindOfValue) {
  EXPECT_EQ(warnings("store cache as 5\nget value from cache with key \"a\" as x\ndisplay x\n"),
            Texts{"WFL-T005 line 2: 'get value from' needs a keystore - Expected Keystore but found Number"});
  const std::string open = "open or create keystore at \"a.kvb\" as cache\n";
  EXPECT_EQ(warnings(open + "store 1 in cache with key yes\n"),
            Texts{"WFL-T004 line 2: This can't be a key of a keystore - Expected Text or Number but found Boolean"});
  EXPECT_EQ(warnings(open + "store cache in cache with key \"a\"\n"),
            Texts{"WFL-T007 line 2: A keystore can't be kept in a keystore"});
  EXPECT_EQ(warnings(open + "store 1 in cache with key \"a\" for \"ten\" seconds\n"),
            Texts{"WFL-T001 line 2: A length of time is needed here - Expected Number but found Text"});
  EXPECT_EQ(warnings(open + "increase key \"a\" in cache by \"one\"\n"),
            Texts{"WFL-T001 line 2: An amount is needed here - Expected Number but found Text"});
  for (const auto& [use, hint] : std::vector<std::pair<std::string, std::string>>{
           {"display length of cache", "Write `count keys in cache as n`."},
           {"display cache[\"a\"]", "Write `get value from cache with key K as NAME`."},
           {"clear cache", "Write `remove all keys from cache`."},
           {"remove \"k\" from cache", "Write `remove key \"k\" from cache`."},
           {"display cache contains \"k\"", "Write `cache contains key \"k\"`."},
           {"display cache plus 1", ""}}) {
    const Texts said = warnings(open + use + "\n");
    ASSERT_EQ(said.size(), 1U) << use;
    EXPECT_TRUE(said.front().starts_with("WFL-T")) << said.front();
    if (!hint.empty()) {
      EXPECT_EQ(hints(open + use + "\n"), hint + "\n");
    }
  }
}

TEST(KeystoreHints, MisspeltOptionsOfTheOpeningStatement) {
  const auto advice = [](const std::string& options) {
    return hints("open or create keystore at \"a\" " + options + " as s\n");
  };
  EXPECT_EQ(advice("with compresion"), "Did you mean the option `with compression`?\n");
  EXPECT_EQ(advice("with relaxed durabilty"), "Did you mean the option `with relaxed durability`?\n");
  EXPECT_EQ(advice("with relaxed"), "Did you mean the option `with relaxed durability`?\n");
}

}  // namespace
}  // namespace wfl::check
