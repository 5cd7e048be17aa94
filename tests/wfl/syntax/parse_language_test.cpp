// The language without keystores: precedence with its quirks, all statements, and how errors are survived.
#include <gtest/gtest.h>

#include "wfl/syntax/parse_helper.h"

namespace wfl::syntax {
namespace {

TEST(Expressions, Precedence) {
  EXPECT_EQ(value("1 plus 2 times 3"), "(plus 1 (times 2 3))");
  EXPECT_EQ(value("8 minus 2 minus 1"), "(minus (minus 8 2) 1)");
  EXPECT_EQ(value("a / b % c"), "(modulo (divide <a> <b>) <c>)");
  EXPECT_EQ(value("a divided by b modulo c"), "(modulo (divide <a> <b>) <c>)");
  EXPECT_EQ(value("a divided  by b"), "(divide <a> <b>)");
  EXPECT_EQ(value("a plus 1 is equal to 4 and b"), "(and (equal (plus <a> 1) 4) <b>)");
  EXPECT_EQ(value("a and b or c"), "(or (and <a> <b>) <c>)");
  EXPECT_EQ(value("a = b"), "(equal <a> <b>)");
  EXPECT_EQ(value("not a is b"), "(equal (not <a>) <b>)");
  EXPECT_EQ(value("-a plus b"), "(plus (negate <a>) <b>)");
  EXPECT_EQ(value("(1 plus 2) times 3"), "(times (plus 1 2) 3)");
}

TEST(Expressions, Comparisons) {
  EXPECT_EQ(value("a is greater than b"), "(greater <a> <b>)");
  EXPECT_EQ(value("a is greater than or equal to b"), "(greater-equal <a> <b>)");
  EXPECT_EQ(value("a is less than or equal b"), "(less-equal <a> <b>)");
  EXPECT_EQ(value("a is greater than or b"), "(greater <a> <b>)");
  // The words behind a finished comparison only turn it; what follows them is another statement.
  EXPECT_EQ(parsed("display a is less than b or equal to"), "display (less-equal <a> <b>)\n");
  EXPECT_EQ(value("a is above 1"), "(greater <a> 1)");
  EXPECT_EQ(value("a is below 1"), "(less <a> 1)");
  EXPECT_EQ(value("a is not equal to b"), "(not-equal <a> <b>)");
  EXPECT_EQ(value("a is not b"), "(not-equal <a> <b>)");
  EXPECT_EQ(value("a is between 1 and b plus 1 and c"), "(and (between <a> 1 (plus <b> 1)) <c>)");
  EXPECT_EQ(value("a starts with \"x\" and b ends with c"), "(and (starts-with <a> \"x\") (ends-with <b> <c>))");
}

TEST(Expressions, WithTakesTheRest) {
  EXPECT_EQ(value("\"a\" with x with y"), "(concat \"a\" <x> <y>)");
  EXPECT_EQ(value("\"n: \" with a plus 1"), "(concat \"n: \" (plus <a> 1))");
  EXPECT_EQ(value("\"x\" with a is b"), "(concat \"x\" (equal <a> <b>))");
  EXPECT_EQ(value("a plus b with c"), "(plus <a> (concat <b> <c>))");
  EXPECT_EQ(value("substring with \"abc\" and 0 and 1"), "(with <substring> \"abc\" 0 1)");
  EXPECT_EQ(value("greet with \"abc\""), "(concat <greet> \"abc\")");
  EXPECT_EQ(value("count with \"x\""), "(concat <count> \"x\")");
}

TEST(Expressions, Calls) {
  EXPECT_EQ(value("f of n minus 1"), "(of <f> (minus <n> 1))");
  EXPECT_EQ(value("f of x with \"!\""), "(concat (of <f> <x>) \"!\")");
  EXPECT_EQ(value("f of a is b"), "(equal (of <f> <a>) <b>)");
  EXPECT_EQ(value("substring of s from 0 length 5"), "(of <substring> <s> 0 5)");
  EXPECT_EQ(value("f of x and g of y"), "(of <f> <x> (of <g> <y>))");
  EXPECT_EQ(value("[length of a and 2]"), "[(of <length> <a> 2)]");
  EXPECT_EQ(value("call f with a and b: 1 plus 2"), "(call <f> <a> b: (plus 1 2))");
  EXPECT_EQ(value("call f"), "(call <f>)");
  EXPECT_EQ(value("obj.act(1, a plus b).name"), "(property (method <obj> <act> 1 (plus <a> <b>)) <name>)");
  EXPECT_EQ(value("r.status"), "(property <r> <status>)");
}

TEST(Expressions, Indexes) {
  EXPECT_EQ(value("items 0"), "(index <items> 0)");
  EXPECT_EQ(value("nested 0 1"), "(index (index <nested> 0) 1)");
  EXPECT_EQ(value("items at i plus 1"), "(index <items> (plus <i> 1))");
  EXPECT_EQ(value("items [i]"), "(index <items> <i>)");
  EXPECT_EQ(value("m[\"a\"][0].b"), "(property (index (index <m> \"a\") 0) <b>)");
  EXPECT_EQ(statement("display alice.name [1, 2]"), "display (property <alice> <name>)\nexpression [1, 2]");
}

TEST(Expressions, ListsAndSpecialForms) {
  EXPECT_EQ(value("[1, \"a\" and -2: yes]"), "[1, \"a\", (negate 2), yes]");
  EXPECT_EQ(value("[]"), "[]");
  EXPECT_EQ(value("create list"), "[]");
  EXPECT_EQ(value("file exists at p"), "(file-exists <p>)");
  EXPECT_EQ(value("file size of f"), "(file-size <f>)");
  EXPECT_EQ(value("list files recursively in d with extensions [\".a\", \".b\"]"),
            "(list-files-recursively <d> with [\".a\", \".b\"])");
  EXPECT_EQ(value("read content from f"), "(read-content <f>)");
  EXPECT_EQ(value("read 10 bytes from f"), "(read-binary <f> 10)");
  EXPECT_EQ(value("read plus 1"), "(plus <read> 1)");
  EXPECT_EQ(value("process p is running"), "(process-running <p>)");
  EXPECT_EQ(value("header \"A\" of r"), "(header \"A\" <r>)");
  EXPECT_EQ(value("current time in milliseconds"), "(current-milliseconds)");
  EXPECT_EQ(value("current time formatted as \"yyyy\""), "(current-time \"yyyy\")");
  EXPECT_EQ(value("replace p with r in t"), "(replace <t> <p> <r>)");
  EXPECT_EQ(value("t replace p with r"), "(replace <t> <p> <r>)");
  EXPECT_EQ(value("t find p"), "(find <t> <p>)");
  EXPECT_EQ(value("split t by \",\""), "(split-by <t> \",\")");
  EXPECT_EQ(value("split t on pattern p"), "(split-on <t> <p>)");
  EXPECT_EQ(value("t matches pattern p"), "(matches <t> <p>)");
  EXPECT_EQ(value("pattern \"x\""), "(pattern \"x\")");
  EXPECT_EQ(statement("store r as query db with \"q\" and parameters [1]"), "store <r> value=(query <db> \"q\" [1])");
  EXPECT_EQ(statement("return execute db with \"q\""), "return value=(execute <db> \"q\")");
}

TEST(Statements, VariablesAndCollections) {
  EXPECT_EQ(statement("change user count to 1"), "change <user count> value=1");
  EXPECT_EQ(statement("add 1 to total"), "add-to <total> value=1");
  EXPECT_EQ(statement("subtract 1 from total"), "subtract <total> value=1");
  EXPECT_EQ(statement("multiply total by 2"), "multiply <total> value=2");
  EXPECT_EQ(statement("divide total by 2"), "divide <total> value=2");
  EXPECT_EQ(statement("create list xs:\n  add 1\n  add \"a\" with b\nend list"),
            "create-list <xs> [1, (concat \"a\" <b>)]");
  EXPECT_EQ(statement("create list as xs"), "create-list <xs> []");
  EXPECT_EQ(statement("create map m:\n  a b is 1\n  \"c\" is 2\nend map"), "create-map <m> {\"a b\"=1, \"c\"=2}");
  EXPECT_EQ(statement("push with xs and 1 plus 2"), "push list=<xs> value=(plus 1 2)");
  EXPECT_EQ(statement("clear xs list"), "clear <xs>");
  EXPECT_EQ(statement("create date d as today"), "create-date <d> value=<today>");
  EXPECT_EQ(statement("create time t"), "create-time <t>");
}

TEST(Statements, DisplaySeveralValues) {
  EXPECT_EQ(statement("display \"Hello \" name \"!\""), "display \"Hello \" <name> \"!\"");
  EXPECT_EQ(parsed("display \"a\" -1"), "display (minus \"a\" 1)\n");
  EXPECT_EQ(parsed("display \"a\" count from 1 to 2:\nend count"), "display \"a\"\ncount from=1 to=2\n");
}

TEST(Statements, ConditionsAndLoops) {
  EXPECT_EQ(parsed("check if a:\n  display 1\notherwise check if b:\n  display 2\notherwise:\n  display 3\nend check"),
            "if <a>\n  display 1\notherwise-if <b>\n  display 2\notherwise:\n  display 3\n");
  EXPECT_EQ(parsed("if a then display 1 otherwise display 2"), "if <a>\n  display 1\notherwise:\n  display 2\n");
  EXPECT_EQ(parsed("if a then\n  display 1\nend if\ndisplay 2"), "if <a>\n  display 1\ndisplay 2\n");
  EXPECT_EQ(parsed("route x:\n  when 1 or 2:\n    display 1\n  when one of xs:\n    display 2\n  otherwise:\n    "
                   "display 3\nend route"),
            "route <x>\nwhen equal 1 2:\n  display 1\nwhen one-of <xs>:\n  display 2\notherwise:\n  display 3\n");
  EXPECT_EQ(parsed("count from 10 down to 1 by 2 as i:\n  skip\nend count"),
            "count from=10 down-to=1 by=2 as=<i>\n  continue\n");
  EXPECT_EQ(parsed("repeat while a:\n  break\nend repeat\nrepeat until b\n  exit loop\nend repeat"),
            "repeat-while <a>\n  break\nrepeat-until <b>\n  exit-loop\n");
  EXPECT_EQ(parsed("repeat:\n  display 1\nuntil a\nrepeat forever:\n  exit program\nend repeat"),
            "repeat-until <a>\n  display 1\nrepeat-forever\n  exit-program\n");
  EXPECT_EQ(parsed("main loop concurrently:\n  break\nend loop"), "main-loop concurrently\n  break\n");
}

TEST(Statements, ActionsAndErrors) {
  EXPECT_EQ(parsed("define action called f needs a as text and item price as number default 1: list of number:\n  give "
                   "back a\nend action"),
            "action <f>(<a>:text, <item price>:number=1) returns=list(number)\n  return value=<a>\n");
  EXPECT_EQ(parsed("define action called f:\n  return\nend action"), "action <f>()\n  return\n");
  EXPECT_EQ(parsed("try:\n  f\nwhen file not found as e:\n  display e\ncatch with m:\n  display m\notherwise:\n  "
                   "g\nfinally:\n  h\nend try"),
            "try\n  expression <f>\nwhen file-not-found as=<e>:\n  display <e>\nwhen error as=<m>:\n  display <m>\n"
            "otherwise:\n  expression <g>\nfinally:\n  expression <h>\n");
  EXPECT_EQ(parsed("try:\nwhen process spawn failed:\nwhen:\nend try"),
            "try\nwhen process-spawn-failed:\nwhen error:\n");
}

TEST(Statements, ContainersAndPatterns) {
  EXPECT_EQ(parsed("create container Dog extends Animal implements A, B:\n"
                   "  property name: Text defaults \"x\"\n"
                   "  static property total: Number\n"
                   "  event barked\n"
                   "  action bark needs loudness: Number, sure: Boolean: Text\n"
                   "    return name\n"
                   "  end\n"
                   "end"),
            "container <Dog> extends=<Animal> implements=<A> implements=<B>\n"
            "  property <name>:text default=\"x\"\n"
            "  static property <total>:number\n"
            "  event <barked>()\n"
            "  action <bark>(<loudness>:number, <sure>:boolean) returns=text\n"
            "    return value=<name>\n");
  EXPECT_EQ(parsed("create new Dog as rex:\n  name is \"Rex\"\n  age: 3\nend"),
            "create-new <Dog> as=<rex> {<name>=\"Rex\", <age>=3}\n");
  EXPECT_EQ(parsed("create interface I extends J:\n  requires action f needs a: Text: Number\nend"),
            "interface <I> extends=<J>\n  requires <f>(<a>:text) returns=number\n");
  EXPECT_EQ(parsed("create pattern p:\n  start of text one or more letter or digit \"-\" then exactly 2 of digit\n"
                   "  capture { any character or \"x\" } as c same as captured \"c\"\nend pattern"),
            "pattern <p> (sequence start (repeat 1.. (or letter digit)) \"-\" (repeat 2..2 digit) "
            "(capture <c> (or any \"x\")) (same-as \"c\"))\n");
  EXPECT_EQ(
      parsed(
          "create pattern p:\n  \"a\" between 2 and 3 followed by optional check not ahead for { digit }\nend pattern"),
      "pattern <p> (sequence (repeat 2..3 \"a\") (repeat 0..1 (not-ahead digit)))\n");
}

TEST(Statements, FilesAndProcesses) {
  EXPECT_EQ(statement("open file at dir with \"/x\" for writing binary as f"),
            "open-file path=(concat <dir> \"/x\") write-binary as=<f>");
  EXPECT_EQ(statement("open file at p and read content as content"), "read-file path=<p> as=<content>");
  EXPECT_EQ(statement("write content x into f"), "write-content plain content=<x> into=<f>");
  EXPECT_EQ(statement("wait for append content x into f"), "write-content append content=<x> into=<f>");
  EXPECT_EQ(statement("wait for 5 seconds"), "wait 5 seconds");
  EXPECT_EQ(statement("wait for n times 2 milliseconds"), "wait (times <n> 2) milliseconds");
  EXPECT_EQ(statement("wait for pause seconds"), "wait-for-variable <pause seconds>");
  EXPECT_EQ(statement("wait for result"), "wait-for-variable <result>");
  EXPECT_EQ(statement("execute command \"ls\" with arguments [\"-l\"] using shell as r"),
            "execute command=\"ls\" arguments=[\"-l\"] shell as=<r>");
  EXPECT_EQ(statement("wait for process p to complete as code"), "wait-process <p> as=<code>");
  EXPECT_EQ(statement("copy_file from a to b with \"x\""), "expression (with <copy_file> <a> (concat <b> \"x\"))");
}

TEST(Statements, WebAndTests) {
  EXPECT_EQ(statement("listen on port my_port secured with certificate c and key \"k\" as server1"),
            "listen port=<my_port> secured certificate=<c> key=\"k\" as=<server1>");
  EXPECT_EQ(statement("respond to r with t and status 404 and content_type my_type and headers h"),
            "respond to=<r> content=<t> status=404 type=<my_type> headers=<h>");
  EXPECT_EQ(statement("open url at u with method \"POST\" and body b\n  and read response as r"),
            "open-url url=<u> method=\"POST\" body=<b> response as=<r>");
  EXPECT_EQ(statement("write line x to f"), "write-line value=<x> to=<f> today=<line x>");
  EXPECT_EQ(parsed("in transaction on db:\n  display 1\nend transaction"), "transaction on=<db>\n  display 1\n");
  EXPECT_EQ(
      parsed(
          "describe \"a\":\n  setup:\n    store x as 1\n  end setup\n  test \"b\":\n    expect x to be greater than 0\n"
          "    expect x to have length n plus 1\n  end test\nend describe"),
      "describe \"a\"\n  setup:\n    store <x> value=1\n  test \"b\"\n    expect <x> greater 0\n"
      "    expect <x> have-length (plus <n> 1)\n");
}

TEST(Recovery, EveryMistakeIsOneError) {
  EXPECT_EQ(error_lines("store if as 1\ndisplay 1\nstore 5 as x\nchange to 3\n"),
            "1:7 Cannot use reserved keyword 'if' as a variable name\n"
            "3:7 Cannot use a number as a variable name: 5\n"
            "4:8 I expected the name of a variable after `change`, but found `to`\n");
}

TEST(Recovery, ABadHeaderDoesNotLoseItsBody) {
  EXPECT_EQ(error_lines("check if a is:\n  display 1\notherwise:\n  display )\nend check\ndisplay 2\n"),
            "1:14 I expected a value, such as a name, a number or a text, but found `:`\n"
            "4:11 I expected a value, such as a name, a number or a text, but found `)`\n");
}

TEST(Recovery, MissingAndWrongClosers) {
  EXPECT_EQ(error_lines("count from 1 to 2:\n  check if a:\n    display 1\nend count\ndisplay 2\n"),
            "4:1 I expected `end check`, but found `end count`\n");
  EXPECT_EQ(error_lines("repeat while a:\n  display 1\nend while\n"),
            "3:1 I expected `end repeat`, but found `end while`\n");
  EXPECT_EQ(error_lines("check if a:\n  count from 1 to 2:\n"), "3:1 The program ends, but `end count` is missing\n");
  EXPECT_TRUE(parse_text("check if a:\n").incomplete);
  EXPECT_TRUE(parse_text("store x as").incomplete);
  EXPECT_FALSE(parse_text("store if as 1\ncheck if a:\n").incomplete);
}

TEST(Recovery, LooseClosersAtTheTopLevelArePassedOver) {
  EXPECT_EQ(parsed("end check\ndisplay 1\nend loop\nend\n"), "display 1\n");
}

TEST(Limits, DeepNestingIsAnErrorAndNotACrash) {
  const auto repeated = [](std::string_view text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) {
      out += text;
    }
    return out;
  };
  for (const std::string& text : {"store x as " + repeated("(", 50000), "store x as " + repeated("not ", 50000) + "yes",
                                  "store x as " + repeated("[", 50000), "store x as " + repeated("f of ", 50000) + "1",
                                  "store x as " + repeated("a at ", 50000) + "1", repeated("check if x:\n", 5000),
                                  "store x as 1" + repeated(" plus 1", 50000), "store x as a" + repeated(".b", 50000),
                                  "create pattern p:\n" + repeated("(", 50000), repeated("describe \"x\":\n", 5000)}) {
    const std::string found = error_lines(text);
    EXPECT_TRUE(found.find("nested too deeply") != std::string::npos ||
                found.find("too many parts") != std::string::npos)
        << text.substr(0, 40) << found.substr(0, 200);
  }
  EXPECT_TRUE(parse_text("store x as \"a\"" + repeated(" with \"a\"", 100000)).ok());
  EXPECT_TRUE(parse_text("check if a:\n" + repeated("otherwise check if b:\n", 20000) + "end check").ok());
}

}  // namespace
}  // namespace wfl::syntax
