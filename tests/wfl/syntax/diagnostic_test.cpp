#include "wfl/syntax/diagnostic.h"

#include <gtest/gtest.h>

#include "wfl/syntax/suggest.h"

namespace wfl::syntax {
namespace {

Diagnostic at(std::uint32_t begin, std::uint32_t end) {
  Diagnostic diagnostic;
  diagnostic.code = "WFL-P001";
  diagnostic.message = "Something is wrong";
  diagnostic.span = {0, begin, end};
  return diagnostic;
}

TEST(DiagnosticTest, ShowsTheFrame) {
  const SourceFile source(0, "a.wfl", "store x as 1\nstore y 5\n");
  Diagnostic diagnostic = at(21, 22);
  diagnostic.notes = {"First.\nSecond line."};
  diagnostic.hints = {"Write `as`."};
  EXPECT_EQ(render(diagnostic, source),
            "error[WFL-P001]: Something is wrong\n"
            "  ┌─ a.wfl:2:9\n"
            "  │\n"
            "2 │ store y 5\n"
            "  │         ^ Error occurred here\n"
            "  │\n"
            "  = note: First.\n"
            "          Second line.\n"
            "  = hint: Write `as`.\n");
}

TEST(DiagnosticTest, TabsAndWideCharactersKeepTheUnderlineInPlace) {
  const SourceFile source(0, "a.wfl", "\tstore \"日本é\" wrong\n");
  const auto begin = static_cast<std::uint32_t>(source.text().find("wrong"));
  const std::string text = render(at(begin, begin + 5), source);
  EXPECT_NE(text.find("a.wfl:1:14\n"), std::string::npos) << text;
  EXPECT_NE(text.find("1 │     store \"日本é\" wrong\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  │                   ^^^^^ Error"), std::string::npos) << text;
}

TEST(DiagnosticTest, EndOfFileAndEmptySources) {
  const SourceFile empty(0, "a.wfl", "");
  EXPECT_NE(render(at(0, 0), empty).find("1 │ \n  │ ^ Error"), std::string::npos);
  const SourceFile source(0, "a.wfl", "store x as\n");
  EXPECT_NE(render(at(11, 11), source).find("a.wfl:2:1"), std::string::npos);
}

TEST(DiagnosticTest, LongLinesAreShownAroundThePlace) {
  const SourceFile source(0, "a.wfl", std::string(5000, 'a') + " here " + std::string(5000, 'b'));
  const std::string text = render(at(5001, 5005), source);
  EXPECT_LT(text.size(), 800U);
  EXPECT_NE(text.find("aaa here bbb"), std::string::npos);
  EXPECT_NE(text.find(":1:5002\n"), std::string::npos);
}

TEST(DiagnosticTest, SpansOverSeveralLinesStopAtTheFirst) {
  const SourceFile source(0, "a.wfl", "try:\n  x\nend try\n");
  EXPECT_NE(render(at(0, 16), source).find("│ ^^^^ Error"), std::string::npos);
}

TEST(DiagnosticTest, ColourOnlyWhenAsked) {
  const SourceFile source(0, "a.wfl", "x\n");
  EXPECT_EQ(render(at(0, 1), source).find('\x1b'), std::string::npos);
  EXPECT_NE(render(at(0, 1), source, {.color = true}).find('\x1b'), std::string::npos);
}

TEST(DiagnosticTest, WarningsSayTheirOwnWords) {
  const SourceFile source(0, "a.wfl", "x\n");
  Diagnostic diagnostic = at(0, 1);
  diagnostic.severity = Severity::Warning;
  diagnostic.label = "never used";
  const std::string text = render(diagnostic, source);
  EXPECT_TRUE(text.starts_with("warning[WFL-P001]: "));
  EXPECT_NE(text.find("^ never used"), std::string::npos);
}

TEST(SourceTest, LinesAndColumns) {
  const SourceFile source(7, "a.wfl", "ab\r\ncd\refé\nx");
  EXPECT_EQ(source.line_count(), 4U);
  EXPECT_EQ(source.line_text(1), "ab");
  EXPECT_EQ(source.line_text(2), "cd");
  EXPECT_EQ(source.line_text(3), "efé");
  EXPECT_EQ(source.position_of(4).line, 2U);
  EXPECT_EQ(source.position_of(4).column, 1U);
  EXPECT_EQ(source.position_of(11).line, 3U);
  EXPECT_EQ(source.position_of(11).column, 4U);
}

TEST(SuggestTest, FindsTheNearestWord) {
  const std::string_view words[] = {"display", "store", "keystore", "username", "user name"};
  EXPECT_EQ(closest("dispaly", words), "display");
  EXPECT_EQ(closest("stroe", words), "store");
  EXPECT_EQ(closest("keystor", words), "keystore");
  EXPECT_EQ(closest("USERNAME", words), "username");
  EXPECT_EQ(closest("qwertz", words), std::nullopt);
  EXPECT_EQ(closest("x", words), std::nullopt);
}

TEST(SuggestTest, CountsChanges) {
  EXPECT_EQ(edit_distance("abc", "abc", 5), 0U);
  EXPECT_EQ(edit_distance("abc", "acb", 5), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting", 5), 3U);
  EXPECT_EQ(edit_distance("", "abcdef", 3), 4U);
}

}  // namespace
}  // namespace wfl::syntax
