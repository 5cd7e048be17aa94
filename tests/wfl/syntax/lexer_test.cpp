#include "wfl/syntax/lexer.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace wfl::syntax {
namespace {

class LexerTest : public testing::Test {
 protected:
  // Kinds and texts of all tokens but the last, as one line.
  std::string lexed(std::string text) {
    source_ = std::make_unique<SourceFile>(0, "test.wfl", std::move(text));
    diagnostics_.clear();
    tokens_ = lex(*source_, arena_, diagnostics_);
    std::string out;
    for (const Token& token : tokens_) {
      if (token.is(TokenKind::EndOfFile)) {
        break;
      }
      out += out.empty() ? "" : " ";
      switch (token.kind) {
        case TokenKind::Identifier:
          out += "ID(" + std::string(token.text) + ")";
          break;
        case TokenKind::EndOfLine:
          out += "EOL";
          break;
        case TokenKind::Text:
          out += "\"" + std::string(token.text) + "\"";
          break;
        case TokenKind::Boolean:
          out += token.number != 0 ? "yes" : "no";
          break;
        case TokenKind::Nothing:
          out += "nothing";
          break;
        default:
          out += token.text;
          break;
      }
    }
    return out;
  }

  Arena arena_;
  std::unique_ptr<SourceFile> source_;
  std::vector<Diagnostic> diagnostics_;
  std::vector<Token> tokens_;
};

TEST_F(LexerTest, MergesAdjacentWords) {
  EXPECT_EQ(lexed("store user name as 1"), "store ID(user name) as 1");
  EXPECT_EQ(lexed("get value from s"), "ID(get value) from ID(s)");
  EXPECT_EQ(lexed("scan cache for keys starting with p"), "ID(scan cache) for ID(keys starting) with ID(p)");
  EXPECT_EQ(lexed("with key k1"), "with ID(key k1)");
  EXPECT_EQ(lexed("with key \"k\""), "with ID(key) \"k\"");
  EXPECT_EQ(lexed("total count"), "ID(total) count");
  EXPECT_EQ(lexed("file name"), "file ID(name)");
}

TEST_F(LexerTest, JoinsWordsByOneBlankWhateverStandsBetween) {
  EXPECT_EQ(lexed("user   name"), "ID(user name)");
  EXPECT_EQ(lexed("user\tname\f x"), "ID(user name x)");
  EXPECT_EQ(tokens_[0].begin, 0U);
  EXPECT_EQ(tokens_[0].end, 12U);
  EXPECT_EQ(lexed("user\nname"), "ID(user) EOL ID(name)");
  EXPECT_EQ(lexed("user // name\nname"), "ID(user) EOL ID(name)");
}

TEST_F(LexerTest, LongestMatchKeepsKeywordsOutOfNames) {
  EXPECT_EQ(lexed("stored content_type is_ok Store"), "ID(stored content_type is_ok Store)");
  EXPECT_EQ(lexed("store_x"), "ID(store_x)");
}

TEST_F(LexerTest, DividedByIsOneWordWithOneBlank) {
  lexed("a divided by b");
  EXPECT_TRUE(tokens_[1].is(Keyword::DividedBy));
  lexed("a divided  by b");
  EXPECT_TRUE(tokens_[1].is(Keyword::Divided));
  EXPECT_TRUE(tokens_[2].is(Keyword::By));
  lexed("a divided bye");
  EXPECT_TRUE(tokens_[1].is(Keyword::Divided));
}

TEST_F(LexerTest, LiteralsAndTheirCase) {
  EXPECT_EQ(lexed("YES No tRUE false"), "yes no yes no");
  EXPECT_EQ(lexed("nothing missing undefined Nothing"), "nothing nothing nothing ID(Nothing)");
  lexed("42 2.5 5. .5");
  EXPECT_EQ(tokens_[0].number, 42);
  EXPECT_EQ(tokens_[1].number, 2.5);
  EXPECT_TRUE(tokens_[2].is(TokenKind::Integer));
  EXPECT_TRUE(tokens_[3].is(TokenKind::Dot));
  EXPECT_TRUE(tokens_[4].is(TokenKind::Dot));
}

TEST_F(LexerTest, TextsWithEscapesAndLines) {
  lexed(R"("a\n\t\r\\\0\"b")");
  EXPECT_EQ(tokens_[0].text, std::string_view("a\n\t\r\\\0\"b", 8));
  EXPECT_EQ(lexed("\"two\nlines\" x"), "\"two\nlines\" ID(x)");
  EXPECT_TRUE(diagnostics_.empty());
}

TEST_F(LexerTest, AnUnknownEscapeIsOneError) {
  lexed(R"(display "a\qb")");
  ASSERT_EQ(diagnostics_.size(), 1U);
  EXPECT_EQ(diagnostics_[0].severity, Severity::Error);
  EXPECT_EQ(diagnostics_[0].span.begin, 10U);
  EXPECT_EQ(diagnostics_[0].span.end, 12U);
}

TEST_F(LexerTest, AnOpenTextIsReportedWhereItStarts) {
  EXPECT_EQ(lexed("display \"abc\nstore x as 1"), "display \"abc\" EOL store ID(x) as 1");
  ASSERT_EQ(diagnostics_.size(), 1U);
  EXPECT_EQ(diagnostics_[0].span.begin, 8U);
  EXPECT_EQ(diagnostics_[0].severity, Severity::Error);
}

TEST_F(LexerTest, NumbersThatAreTooLarge) {
  lexed("9223372036854775807");
  EXPECT_TRUE(diagnostics_.empty());
  lexed("9223372036854775808");
  EXPECT_EQ(diagnostics_.size(), 1U);
  lexed(std::string(400, '9') + ".0");
  EXPECT_EQ(diagnostics_.size(), 1U);
  lexed("0." + std::string(400, '0') + "1");
  EXPECT_TRUE(diagnostics_.empty());
}

TEST_F(LexerTest, StrangeCharactersAreSkippedWithAWarning) {
  EXPECT_EQ(lexed("a * b"), "ID(a b)");
  ASSERT_EQ(diagnostics_.size(), 1U);
  EXPECT_EQ(diagnostics_[0].severity, Severity::Warning);
  EXPECT_EQ(lexed("a é b"), "ID(a b)");
  EXPECT_EQ(diagnostics_.size(), 1U);
}

TEST_F(LexerTest, LineEndsAndComments) {
  EXPECT_EQ(lexed("a\nb\r\nc\rd"), "ID(a) EOL ID(b) EOL ID(c) EOL ID(d)");
  EXPECT_EQ(lexed("a // x\n# y\n\"# no\" / 2"), "ID(a) EOL EOL \"# no\" / 2");
}

TEST_F(LexerTest, EveryKeywordIsFoundAndNothingElse) {
  for (const auto& entry : language::keywords()) {
    EXPECT_EQ(language::find_keyword(entry.spelling), entry.keyword) << entry.spelling;
  }
  for (const char* word : {"keystore", "key", "keys", "scan", "get", "value", "transaction", "websocket", ""}) {
    EXPECT_FALSE(language::find_keyword(word).has_value()) << word;
  }
}

TEST_F(LexerTest, DumpShowsPlaces) {
  lexed("store é as 1");
  EXPECT_EQ(dump_tokens(*source_, tokens_),
            "1:1  keyword  store\n1:9  keyword  as\n1:12  integer  1\n1:13  end of file\n");
}

}  // namespace
}  // namespace wfl::syntax
