// What the actions of a container see: properties, static properties, this, the parent's actions.
#include <gtest/gtest.h>

#include "wfl/compile/program_runner.h"

namespace wfl::test {
namespace {

constexpr const char* kCounters = R"(create container Counter:
  property value: Number defaults 0
  static property made: Number defaults 3
  action bump
    store value as value plus 1
    add 1 to value
  end
  action twice
    this.bump()
    this.bump()
  end
  action show: Text
    store note as "v="
    return note with value
  end
  static action total: Number
    change made to made plus 1
    return made
  end
end
create container Big extends Counter:
  property items: List
  action bump
    parent bump
    store value as value plus 100
  end
end
)";

TEST(ContainerActions, ChangeTheirProperties) {
  EXPECT_EQ(run_all_ways(std::string(kCounters) +
                         "create new Counter as c:\nend\nc.twice()\ndisplay c.show()\ncreate new Counter as "
                         "d:\nend\ndisplay d.show()"),
            "v=4\nv=0\n");
}

TEST(ContainerActions, OfAContainerItselfSeeItsStaticProperties) {
  EXPECT_EQ(
      run_all_ways(std::string(kCounters) + "display Counter.total()\ndisplay Counter.total()\ndisplay Counter.made"),
      "4\n5\n5\n");
}

TEST(ContainerActions, CallTheParentsOnTheSameInstance) {
  EXPECT_EQ(
      run_all_ways(std::string(kCounters) + "create new Big as b:\n  items is [1, 2]\nend\nb.twice()\ndisplay b.value\n"
                                            "display length of b.items"),
      "204\n2\n");
}

TEST(ContainerActions, AreFoundWithoutKnowingTheContainer) {
  EXPECT_EQ(run_all_ways(std::string(kCounters) +
                         "create new Counter as c:\nend\ncreate new Big as b:\nend\nfor each s in [c, b]:\n  "
                         "s.bump()\n  display s.value\nend for"),
            "2\n102\n");
}

TEST(Interfaces, AreCheckedWhenTheDefinitionRuns) {
  const std::string interface = "create interface Shown:\n  requires action show\nend\n";
  EXPECT_EQ(run_all_ways(interface + "create container A implements Shown:\n  action hide\n    display 1\n  end\nend"),
            "error: Container 'A' does not satisfy interface 'Shown': missing required action 'show'\n");
  EXPECT_EQ(run_all_ways(interface + "create container A implements Shown:\n  action show needs x: Number\n    display "
                                     "x\n  end\nend"),
            "error: Container 'A' does not satisfy interface 'Shown': action 'show' takes 1 parameter(s) but the "
            "interface requires 0\n");
  EXPECT_EQ(run_all_ways("create container A implements Other:\n  action show\n    display 1\n  end\nend"),
            "error: Interface 'Other' not found for container 'A'\n");
}

}  // namespace
}  // namespace wfl::test
