// What people of other languages write first is answered with the form WFL has for it.
#include "wfl/syntax/habit_hints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wfl/syntax/parse_helper.h"

namespace wfl::syntax {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(HabitHints, AnswerALineWithTheFormItWasMeantToBe) {
  const std::pair<const char*, const char*> kLines[] = {
      {"store total = 5 plus 1", "Write `store total as 5 plus 1`."},
      {"create total to 5", "Write `store total as 5`."},
      {"let total = 5", "Write `store total as 5`."},
      {"var total", "A variable is made with `store NAME as VALUE`."},
      {"check x:", "Write `check if CONDITION:`, and `end check` behind its lines."},
      {"if x", "Write `check if CONDITION:`, and `end check` behind its lines."},
      {"else:", "The other branch is `otherwise:`."},
      {"elif x:", "Another question is `otherwise check if CONDITION:`."},
      {"else if x:", "Another question is `otherwise check if CONDITION:`."},
      {"for x in xs:", "Write `for each NAME in LIST:`, and `end for` behind its lines."},
      {"while x:", "Write `repeat while CONDITION:`, and `end repeat` behind its lines."},
      {"count 1 to 3:", "Write `count from 1 to 10:`, and `end count` behind its lines."},
      {"function greet:", "Write `define action called NAME with A and B:`, and `end action` behind its lines."},
      {"define action greet:", "Write `define action called NAME with A and B:`, and `end action` behind its lines."},
      {"class Person:", "Write `create container NAME:`, and `end` behind its lines."},
      {"switch x:", "Write `route VALUE:` with `when A:` for each case, and `end route` behind its lines."},
      {"echo \"a\"", "Text is shown with `display VALUE`."},
      {"import \"a.wfl\"", "Write `include from \"PATH\"`."},
      {"include \"a.wfl\"", "Write `include from \"PATH\"`."},
      {"open \"a.txt\" as f", "Write `open file at PATH for reading as NAME`."},
      {"wait 5 seconds", "Write `wait for 5 seconds`."},
      {"end while",
       "Blocks end with `end check`, `end for`, `end count`, `end repeat`, `end action`, `end try` and the like."},
      {"raise \"a\"", ""},
      {"display \"a\"", ""},
      {"", ""},
  };
  for (const auto& [line, hint] : kLines) EXPECT_EQ(habit_hint(line).value_or(""), hint) << line;
}

TEST(HabitHints, StandBehindTheErrorTheLineGives) {
  EXPECT_THAT(errors("store x = 5\n"), HasSubstr("hint: Write `store x as 5`.\n"));
  EXPECT_THAT(errors("store x = 5\n"), Not(HasSubstr("keystore")));
  EXPECT_THAT(errors("while yes:\n"), HasSubstr("`repeat while CONDITION:`"));
  EXPECT_THAT(errors("check if x == 5:\nend check\n"), HasSubstr("hint: Equality is written `is`, or with one `=`."));
  EXPECT_THAT(errors("define action called greet(name):\nend action\n"),
              HasSubstr("hint: Parameters stand behind `with`: `define action called greet with name:`."));
  EXPECT_THAT(errors("create map prices:\n  tea 3\nend map\n"), HasSubstr("hint: Write `KEY is VALUE`, one a line."));
  EXPECT_THAT(errors("try:\n  display 1\nwhen file missing:\n  display 2\nend try\n"),
              HasSubstr("hint: The kinds are `error`, `file not found`, `permission denied`"));
  EXPECT_THAT(errors("set \"a\" in cache with key \"k\"\n"), Not(HasSubstr("Did you mean")));
}

TEST(HabitHints, MisspeltOptionsOfAKeystore) {
  EXPECT_THAT(errors("create keystore at \"a\" with compression and relaxd durability as s\n"),
              HasSubstr("hint: Did you mean `relaxed durability`?"));
  EXPECT_THAT(errors("create keystore at \"a\" with encrytion key \"x\" as s\n"),
              HasSubstr("hint: Did you mean the option `encryption key`?"));
  EXPECT_THAT(errors("create keystore at \"a\" with compression with relaxed durability as s\n"),
              HasSubstr("hint: Options are joined by `and`: `with compression and relaxed durability`."));
  EXPECT_THAT(errors("scan cache for keys startng with \"a\" as pairs\n"), HasSubstr("Did you mean `starting`?"));
}

}  // namespace
}  // namespace wfl::syntax
