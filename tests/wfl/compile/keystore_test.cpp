// How keystore statements reach the host: arguments, batches and how they end, double readings.
#include <gtest/gtest.h>

#include "wfl/compile/program_runner.h"

namespace wfl::test {
namespace {

constexpr const char* kOpen = "create keystore at \"x\" as s\n";

std::string log_of(const std::string& program) {
  const Outcome run = run_program(kOpen + program);
  std::string out = host_log() + run.output;
  for (const std::string& error : run.parse_errors) out += "parse error: " + error + "\n";
  if (!run.error.empty()) out += "error: " + run.error + "\n";
  return out;
}

TEST(KeystoreStatements, PassTheirOperands) {
  EXPECT_EQ(log_of("store 5 in s with key \"k\""), "store k 5 - - - -\n");
  EXPECT_EQ(log_of("store 5 in s with key \"k\" for 2 hours if missing as done\ndisplay done"),
            "store k 5 2 3600 missing -\nyes\n");
  EXPECT_EQ(log_of("store 5 in s with key \"k\" if value is 4"), "store k 5 - - value 4\n");
  EXPECT_EQ(log_of("scan s for keys starting with \"a\" limit 3 as r"), "scan a - - no 3\n");
  EXPECT_EQ(log_of("increase key \"n\" in s by 2 as n\ndisplay n"), "increase n 2\nyes\n");
}

TEST(KeystoreStatements, GetFallsBackOnlyForAMissingKey) {
  EXPECT_EQ(
      log_of("store nothing in s with key \"k\"\nget value from s with key \"k\" or 7 as a\ndisplay a\n"
             "get value from s with key \"z\" or 7 as b\ndisplay b\nget value from s with key \"z\" as c\ndisplay c"),
      "store k nothing - - - -\nnothing\n7\nnothing\n");
}

TEST(KeystoreStatements, WorkInLoopsUnderOneName) {
  EXPECT_EQ(log_of("count from 1 to 2:\n  get value from s with key \"z\" or count as v\n  display v\nend count"),
            "1\n2\n");
}

TEST(Batch, IsCommittedAtItsEnd) {
  EXPECT_EQ(log_of("batch operations on s:\n  store 1 with key \"a\"\n  remove key \"b\"\nend batch"),
            "batch_begin\nstore a 1 - - - -\nremove b\nbatch_commit\n");
}

TEST(Batch, IsRolledBackHoweverItIsLeft) {
  EXPECT_EQ(log_of("try:\n  batch operations on s:\n    store 1 with key \"bad\"\n  end batch\nwhen keystore full:\n"
                   "  display \"full\"\nend try"),
            "batch_begin\nstore bad 1 - - - -\nbatch_rollback\nfull\n");
  EXPECT_EQ(log_of("count from 1 to 2:\n  batch operations on s:\n    break\n  end batch\nend count\ndisplay 1"),
            "batch_begin\nbatch_rollback\n1\n");
  EXPECT_EQ(log_of("count from 1 to 2:\n  batch operations on s:\n    continue\n  end batch\nend count"),
            "batch_begin\nbatch_rollback\nbatch_begin\nbatch_rollback\n");
  EXPECT_EQ(log_of("define action called f needs k:\n  batch operations on k:\n    return 5\n  end batch\nend action\n"
                   "display f of s"),
            "batch_begin\nbatch_rollback\n5\n");
  EXPECT_EQ(log_of("batch operations on s:\n  exit program\nend batch\ndisplay 1"), "batch_begin\nbatch_rollback\n");
  EXPECT_EQ(
      log_of("define action called f:\n  display 1 divided by 0\nend action\nbatch operations on s:\n  f\nend batch"),
      "batch_begin\nbatch_rollback\nerror: Division by zero\n");
}

TEST(Batch, AnErrorCaughtInsideLeavesItOpen) {
  EXPECT_EQ(
      log_of("batch operations on s:\n  try:\n    store 1 with key \"bad\"\n  when error:\n    display \"caught\"\n"
             "  end try\n  store 2 with key \"b\"\nend batch"),
      "batch_begin\nstore bad 1 - - - -\nstore b 2 - - - -\nbatch_commit\ncaught\n");
}

TEST(ForEach, ClosesItsIterationWhenItIsLeft) {
  const std::string fill = "store 1 in s with key \"a\"\nstore 2 in s with key \"b\"\n";
  const std::string filled = "store a 1 - - - -\nstore b 2 - - - -\n";
  EXPECT_EQ(log_of(fill + "for each k in s:\n  display k\nend for"), filled + "closed\na\nb\n");
  EXPECT_EQ(log_of(fill + "for each k in reversed s:\n  display k\n  break\nend for\ndisplay 9"),
            filled + "closed\nb\n9\n");
  EXPECT_EQ(log_of(fill + "for each k in s:\n  display k divided by 1\nend for"),
            filled + "closed\nerror: Cannot divide Text by Number\n");
  EXPECT_EQ(log_of(fill + "for each k in s starting with \"a\":\n  continue\nend for"),
            filled + "iterate a - - no -\nclosed\n");
  EXPECT_EQ(log_of(fill + "define action called f needs t:\n  for each k in t:\n    return k\n  end for\nend action\n"
                          "display f of s"),
            filled + "closed\na\n");
}

TEST(DoubleReadings, TheValueDecides) {
  EXPECT_EQ(log_of("store k1 as \"a\"\nremove key k1 from s"), "remove a\n");
  EXPECT_EQ(log_of("store key k1 as 2\nstore xs as [1, 2]\nremove key k1 from xs\ndisplay xs"), "[1]\n");
  EXPECT_EQ(
      log_of(
          "store 1 in s with key \"a\"\nstore k1 as \"a\"\ncheck if s contains key k1:\n  display \"in\"\nend check"),
      "store a 1 - - - -\nin\n");
  EXPECT_EQ(log_of("store key k1 as 2\ndisplay [1, 2] contains key k1"), "yes\n");
  EXPECT_EQ(log_of("compact s"), "compact -\n");
  EXPECT_EQ(log_of("define action called compact s:\n  display \"mine\"\nend action\ncompact s"), "mine\n");
  EXPECT_EQ(log_of("close keystore s"), "close\n");
  EXPECT_EQ(log_of("close s"), "close\n");
}

TEST(Hints, AKeystoreIsNoMap) {
  EXPECT_EQ(log_of("display s[\"k\"]"), "error: Use 'get value from S with key K'\n");
}

TEST(Unavailable, IsAnErrorThatSaysSo) {
  const Outcome run = run_program("open database at \"sqlite::memory:\" as db");
  EXPECT_EQ(run.kind, language::ErrorKind::kNotAvailable);
}

}  // namespace
}  // namespace wfl::test
