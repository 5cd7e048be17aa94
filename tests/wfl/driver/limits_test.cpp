// What happens to a program that asks for more than there is: an error it can catch, never the end of the process.
#include <gtest/gtest.h>

#include <new>
#include <string>

#include "wfl/driver/session.h"

namespace wfl::driver {
namespace {

struct Result {
  language::ExitCode code;
  std::string output;
  std::string messages;
};

Result run(const std::string& text, vm::NativeFunction exhaust = nullptr) {
  Result result;
  SessionOptions options;
  options.channels.output = [&](std::string_view bytes) { result.output += bytes; };
  options.channels.messages = [&](std::string_view bytes) { result.messages += bytes; };
  Session session(std::move(options));
  if (exhaust != nullptr) {
    session.machine().define_native("exhaust", exhaust, 0, 1);
    session.set_variable("exhaust", session.machine().get_global("exhaust"));
  }
  result.code = session.run("limits.wfl", {}, text);
  return result;
}

vm::Value no_memory(vm::NativeCall&) {
  throw std::bad_alloc();
}

vm::Value too_long_a_vector(vm::NativeCall&) {
  std::vector<int> items;
  items.reserve(items.max_size() + 1);
  return vm::Value::null();
}

// Each list holds the one before twice: 50 of them are a few kilobytes, and their text has 2^50 bytes.
constexpr const char* kDoubledList = R"(store piece as "0123456789abcdef"
count from 1 to 16:
  change piece to piece with piece
end count
store items as [piece]
count from 1 to 50:
  change items to [items, items]
end count
)";

TEST(Limits, MemoryThatRunsOutIsAnErrorTheProgramCanCatch) {
  const Result result = run(R"(define action called deeper needs n:
  check if n is 0:
    give back exhaust of n
  end check
  give back deeper of n minus 1
end action
count from 1 to 3:
  try:
    display deeper of 20
  when error:
    display error_message
  end try
end count
display "still here"
)",
                            no_memory);
  EXPECT_EQ(result.output,
            "There is not enough memory\nThere is not enough memory\nThere is not enough memory\nstill here\n")
      << result.messages;
  EXPECT_EQ(result.code, language::ExitCode::kSuccess);
}

TEST(Limits, MemoryThatRunsOutUncaughtEndsTheProgramWithAnError) {
  const Result result = run("display \"before\"\ndisplay exhaust of 1\ndisplay \"after\"\n", no_memory);
  EXPECT_EQ(result.output, "before\n");
  EXPECT_NE(result.messages.find("[Resource limit] There is not enough memory"), std::string::npos) << result.messages;
  EXPECT_NE(result.messages.find("limits.wfl:2"), std::string::npos) << result.messages;
  EXPECT_EQ(result.code, language::ExitCode::kFailure);
}

TEST(Limits, AContainerLargerThanTheMachineCanCountIsAnError) {
  const Result result =
      run("try:\n  display exhaust of 1\nwhen error:\n  display error_message\nend try\n", too_long_a_vector);
  EXPECT_EQ(result.output, "A value would be too large\n") << result.messages;
}

TEST(Limits, TheTextOfAListThatSharesItsPartsIsLimited) {
  const Result result = run(std::string(kDoubledList) + R"(try:
  display items
when error:
  display error_message
end try
try:
  store words as "all of it: " with items
when error:
  display error_message
end try
)");
  EXPECT_EQ(result.output.substr(0, 200),
            "The value is too large to be shown as a text\nThe value is too large to be shown as a text\n");
}

TEST(Limits, TheJsonOfAListThatSharesItsPartsIsLimited) {
  const Result result = run(std::string(kDoubledList) + R"(try:
  display length of stringify_json of items
when error:
  display error_message
end try
)");
  EXPECT_EQ(result.output, "The value is too large to be written as JSON\n");
}

TEST(Limits, ListsThatShareTheirPartsAreComparedWithoutWalkingAllPaths) {
  const Result result = run(R"(store a as [1]
store b as [1]
count from 1 to 50:
  change a to [a, a]
  change b to [b, b]
end count
display a is b
)");
  EXPECT_EQ(result.output, "yes\n");
}

TEST(Limits, ATextThatDoublesForeverIsAnError) {
  const Result result = run(R"(store x as "aa"
try:
  count from 1 to 64:
    change x to replace "a" with x in x
  end count
when error:
  display error_message
end try
)");
  EXPECT_EQ(result.output, "The text would be too long\n") << result.messages;
}

TEST(Limits, AListThatGrowsForeverIsAnError) {
  Result result;
  SessionOptions options;
  options.channels.output = [&](std::string_view bytes) { result.output += bytes; };
  options.channels.messages = [&](std::string_view bytes) { result.messages += bytes; };
  Session session(std::move(options));
  session.machine().heap().set_limit(std::size_t{64} << 20);
  result.code = session.run("limits.wfl", {}, R"(define action called grow:
  store items as []
  repeat forever:
    add "x" with (length of items) to items
  end repeat
end action
try:
  call grow
when error:
  display error_message
end try
display "still here"
)");
  EXPECT_EQ(result.output, "The program's values need more memory than it may use\nstill here\n") << result.messages;
}

TEST(Limits, EndlessRecursionIsAnError) {
  const Result result = run(R"(define action called down needs n:
  give back down of n plus 1
end action
try:
  display down of 1
when error:
  display error_message
end try
)");
  EXPECT_EQ(result.output, "Maximum call depth (1000) exceeded - possible infinite recursion\n");
}

}  // namespace
}  // namespace wfl::driver
