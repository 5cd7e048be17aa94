#include "wfl/language/builtins.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace wfl::language {
namespace {

TEST(Builtins, NoNameStandsTwice) {
  std::set<std::string_view> seen;
  for (const Builtin& builtin : kBuiltins) {
    for_each_name(builtin, [&](std::string_view name) { EXPECT_TRUE(seen.insert(name).second) << name; });
  }
  EXPECT_GT(seen.size(), 150U);
}

TEST(Builtins, EachRowDescribesAsManyParametersAsItTakes) {
  for (const Builtin& builtin : kBuiltins) {
    std::uint32_t described = builtin.parameters.empty() ? 0 : 1;
    for (const char c : builtin.parameters) described += c == ',' ? 1 : 0;
    if (builtin.max_arguments == kVariadic) {
      EXPECT_EQ(described, 1U) << builtin.name;
    } else {
      EXPECT_EQ(described, builtin.max_arguments) << builtin.name;
    }
    EXPECT_LE(builtin.min_arguments, builtin.max_arguments) << builtin.name;
    EXPECT_TRUE(builtin.doc.ends_with('.')) << builtin.name;
  }
}

TEST(Builtins, AliasesLeadToTheSameRow) {
  ASSERT_NE(find_builtin("to_uppercase"), nullptr);
  EXPECT_EQ(find_builtin("to_uppercase"), find_builtin("touppercase"));
  EXPECT_EQ(find_builtin("find_index"), find_builtin("indexof"));
  EXPECT_EQ(find_builtin("no such function"), nullptr);
}

TEST(Builtins, ReservedNamesAreNoBuiltins) {
  for (const std::string_view name : {"filter", "sleep", "read_file", "months_between"}) {
    EXPECT_TRUE(is_reserved_builtin(name)) << name;
    EXPECT_EQ(find_builtin(name), nullptr) << name;
  }
  EXPECT_FALSE(is_reserved_builtin("length"));
}

}  // namespace
}  // namespace wfl::language
