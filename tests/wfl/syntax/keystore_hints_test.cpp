// What people write instead of a keystore statement, because other languages say it so, is answered with the right
// form.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wfl/syntax/parse_helper.h"

namespace wfl::syntax {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(KeystoreHints, OtherVerbsForStore) {
  for (const char* line :
       {"save \"x\" in cache with key \"k\"", "put \"x\" in cache with key \"k\"", "set \"x\" in cache with key \"k\"",
        "insert x in cache with key \"k\"", "put x into cache with key \"k\""}) {
    EXPECT_THAT(errors(line), HasSubstr("`store V in S with key K`")) << line;
  }
  EXPECT_THAT(errors("save 5 of"), Not(HasSubstr("with key K")));
}

TEST(KeystoreHints, OtherFormsOfGet) {
  for (const char* line :
       {"get \"k\" from cache as v", "get value of \"k\" from cache as v", "fetch value from cache with key \"k\" as v",
        "display get value from cache with key \"k\"", "check if get value from cache with key \"k\" is 5:"}) {
    EXPECT_THAT(errors(line), HasSubstr("`get value from S with key K as NAME`")) << line;
  }
}

TEST(KeystoreHints, OtherFormsOfCounting) {
  for (const char* line :
       {"increase \"n\" in cache by 1", "increment key \"n\" in cache by 1", "increment \"n\" in cache"}) {
    EXPECT_THAT(errors(line), HasSubstr("`increase key K in S by N`")) << line;
    EXPECT_THAT(errors(line), Not(HasSubstr("instead of `increase`"))) << line;
  }
  EXPECT_THAT(errors("decrement key \"n\" in cache by 1"), HasSubstr("`decrease key K in S by N`"));
}

TEST(KeystoreHints, OtherFormsForManyKeys) {
  EXPECT_THAT(errors("scan cache as r"), HasSubstr("`scan S for all keys as NAME`"));
  EXPECT_THAT(errors("list keys starting with \"a\" in cache as r"),
              HasSubstr("`list keys in S starting with P as NAME`"));
  EXPECT_THAT(errors("remove keys \"a\" from cache"), HasSubstr("`remove keys starting with P from S`"));
  EXPECT_THAT(errors("batch on cache:\nstore 1 in cache with key \"a\"\nend batch"),
              HasSubstr("`batch operations on S:`"));
}

TEST(KeystoreHints, UnitsOfTime) {
  EXPECT_THAT(errors("store 1 in cache with key \"a\" for 5 weeks"), HasSubstr("`weeks` is no unit of time"));
  EXPECT_THAT(errors("store 1 in cache with key \"a\" for 5"), HasSubstr("missing its unit"));
}

}  // namespace
}  // namespace wfl::syntax
