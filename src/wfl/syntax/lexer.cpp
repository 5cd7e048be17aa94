#include "wfl/syntax/lexer.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace wfl::syntax {

namespace {

constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_word(char c) {
  return is_letter(c) || is_digit(c) || c == '_';
}
constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\f';
}

bool equals_ignoring_case(std::string_view word, std::string_view lower) {
  if (word.size() != lower.size()) {
    return false;
  }
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = word[i] >= 'A' && word[i] <= 'Z' ? static_cast<char>(word[i] - 'A' + 'a') : word[i];
    if (c != lower[i]) {
      return false;
    }
  }
  return true;
}

class Lexer {
 public:
  Lexer(const SourceFile& source, Arena& arena, std::vector<Diagnostic>& diagnostics)
      : source_(source), text_(source.text()), arena_(arena), diagnostics_(diagnostics) {
    tokens_.reserve(text_.size() / 6 + 2);
  }

  std::vector<Token> run() {
    if (text_.starts_with("\xEF\xBB\xBF")) {
      at_ = 3;  // A byte order mark is no part of the program.
    }
    while (at_ < text_.size()) {
      next();
    }
    push(TokenKind::EndOfFile, at_, at_);
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      tokens_[i].next = static_cast<std::uint32_t>(i + 1 < tokens_.size() ? i + 1 : i);
    }
    return std::move(tokens_);
  }

 private:
  Token& push(TokenKind kind, std::size_t begin, std::size_t end) {
    flush_name();
    Token& token = tokens_.emplace_back();
    token.kind = kind;
    token.begin = static_cast<std::uint32_t>(begin);
    token.end = static_cast<std::uint32_t>(end);
    return token;
  }

  // Words are collected until something else follows; then they are one identifier.
  void flush_name() {
    if (words_ == 0) {
      return;
    }
    Token token;
    token.kind = TokenKind::Identifier;
    token.begin = static_cast<std::uint32_t>(name_begin_);
    token.end = static_cast<std::uint32_t>(name_end_);
    const std::string_view spelled = text_.substr(name_begin_, name_end_ - name_begin_);
    if (name_is_plain_) {
      token.text = spelled;
    } else {  // Other blanks, or characters that were skipped.
      std::string joined;
      for (const char c : spelled) {
        if (is_word(c)) {
          joined += c;
        } else if (joined.back() != ' ') {
          joined += ' ';
        }
      }
      token.text = arena_.copy(joined);
    }
    words_ = 0;
    tokens_.push_back(token);
  }

  void add_word(std::size_t begin, std::size_t end) {
    if (words_ == 0) {
      name_begin_ = begin;
      name_is_plain_ = true;
    } else if (begin != name_end_ + 1 || text_[name_end_] != ' ') {
      name_is_plain_ = false;
    }
    name_end_ = end;
    ++words_;
  }

  void next() {
    const char c = text_[at_];
    if (is_blank(c)) {
      ++at_;
    } else if (is_letter(c)) {
      word();
    } else if (c == '\n' || c == '\r') {
      const std::size_t begin = at_;
      at_ += c == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n' ? 2 : 1;
      push(TokenKind::EndOfLine, begin, at_);
    } else if (c == '"') {
      text();
    } else if (is_digit(c)) {
      number();
    } else if (c == '#' || (c == '/' && at_ + 1 < text_.size() && text_[at_ + 1] == '/')) {
      while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') {
        ++at_;
      }
    } else {
      punctuation(c);
    }
  }

  void word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) {
      ++at_;
    }
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (const auto keyword = language::find_keyword(word)) {
      if (*keyword == Keyword::Divided && text_.substr(at_, 3) == " by" &&
          (at_ + 3 == text_.size() || !is_word(text_[at_ + 3]))) {
        at_ += 3;
        Token& token = push(TokenKind::Keyword, begin, at_);
        token.keyword = Keyword::DividedBy;
        token.text = text_.substr(begin, at_ - begin);
        return;
      }
      Token& token = push(TokenKind::Keyword, begin, at_);
      token.keyword = *keyword;
      token.text = word;
    } else if (word.size() <= 5 && (equals_ignoring_case(word, "yes") || equals_ignoring_case(word, "true") ||
                                    equals_ignoring_case(word, "no") || equals_ignoring_case(word, "false"))) {
      Token& token = push(TokenKind::Boolean, begin, at_);
      token.text = word;
      token.number = word[0] == 'y' || word[0] == 'Y' || word[0] == 't' || word[0] == 'T' ? 1 : 0;
    } else if (word == "nothing" || word == "missing" || word == "undefined") {
      push(TokenKind::Nothing, begin, at_).text = word;
    } else {
      add_word(begin, at_);
    }
  }

  void number() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) {
      ++at_;
    }
    const bool is_float = at_ + 1 < text_.size() && text_[at_] == '.' && is_digit(text_[at_ + 1]);
    if (is_float) {
      ++at_;
      while (at_ < text_.size() && is_digit(text_[at_])) {
        ++at_;
      }
    }
    const std::string_view digits = text_.substr(begin, at_ - begin);
    Token& token = push(is_float ? TokenKind::Float : TokenKind::Integer, begin, at_);
    token.text = digits;
    bool fits = true;
    if (is_float) {
      fits = std::from_chars(digits.data(), digits.data() + digits.size(), token.number).ec == std::errc{} &&
             std::isfinite(token.number);
      // Too small is no error: the number is zero then.
      if (!fits && digits.find_first_not_of('0') == digits.find('.')) {
        token.number = 0;
        fits = true;
      }
    } else {
      std::int64_t value = 0;
      fits = std::from_chars(digits.data(), digits.data() + digits.size(), value).ec == std::errc{};
      token.number = static_cast<double>(value);
    }
    if (!fits) {
      error(begin, at_, "This number is too large",
            is_float ? "Numbers go up to about 1.8 with 308 zeros behind it."
                     : "Whole numbers go up to 9223372036854775807; write a larger one with a fraction, such as "
                       "10000000000000000000.0.");
    }
  }

  void text() {
    const std::size_t begin = at_++;
    bool has_escape = false;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        has_escape = true;
        ++at_;
      }
      ++at_;
    }
    if (at_ >= text_.size()) {
      at_ = text_.size();
      // Go on behind the line, so that the rest of the file is still looked at.
      const std::size_t line_end = text_.find_first_of("\r\n", begin);
      error(begin, begin + 1, "This text is never closed", "Put a `\"` where the text ends.", "The text starts here");
      at_ = line_end == std::string_view::npos ? text_.size() : line_end;
      push(TokenKind::Text, begin, at_).text = text_.substr(begin + 1, at_ - begin - 1);
      return;
    }
    ++at_;
    Token& token = push(TokenKind::Text, begin, at_);
    const std::string_view inner = text_.substr(begin + 1, at_ - begin - 2);
    token.text = has_escape ? arena_.copy(unescape(inner, begin + 1)) : inner;
  }

  std::string unescape(std::string_view inner, std::size_t offset) {
    std::string value;
    value.reserve(inner.size());
    for (std::size_t i = 0; i < inner.size(); ++i) {
      if (inner[i] != '\\') {
        value += inner[i];
        continue;
      }
      constexpr std::string_view kLetters = "ntr\\0\"";
      constexpr std::string_view kValues{"\n\t\r\\\0\"", 6};
      const std::size_t which = kLetters.find(inner[++i]);
      if (which == std::string_view::npos) {
        error(offset + i - 1, offset + i + 1, "A text can't have this `\\` pair in it",
              "Write \\\\ for a backslash. The others are \\n (new line), \\t (tab), \\r, \\0 and \\\".");
      } else {
        value += kValues[which];
      }
    }
    return value;
  }

  void punctuation(char c) {
    constexpr std::string_view kSigns = ":,.+-/%=()[]{}";
    constexpr TokenKind kKinds[] = {TokenKind::Colon,      TokenKind::Comma,       TokenKind::Dot,
                                    TokenKind::Plus,       TokenKind::Minus,       TokenKind::Slash,
                                    TokenKind::Percent,    TokenKind::Equals,      TokenKind::LeftParen,
                                    TokenKind::RightParen, TokenKind::LeftBracket, TokenKind::RightBracket,
                                    TokenKind::LeftBrace,  TokenKind::RightBrace};
    const std::size_t which = kSigns.find(c);
    if (which != std::string_view::npos && c != '\0') {
      push(kKinds[which], at_, at_ + 1).text = text_.substr(at_, 1);
      ++at_;
      return;
    }
    const std::size_t begin = at_++;
    while (at_ < text_.size() && (static_cast<unsigned char>(text_[at_]) & 0xC0U) == 0x80U) {
      ++at_;
    }
    Diagnostic& warning = error(begin, at_, "I skipped a character that has no meaning in WFL", "");
    warning.severity = Severity::Warning;
    if (c == '*') {
      warning.hints.emplace_back("Multiplication is written `times`.");
    } else if (c == '<' || c == '>') {
      warning.hints.emplace_back("Comparisons are written `is less than`, `is greater than`.");
    } else if (c == '\'') {
      warning.hints.emplace_back("Texts stand in double quotes: \"like this\".");
    } else if (c == '!') {
      warning.hints.emplace_back("Negation is written `not`, inequality `is not`.");
    } else if (c == ';') {
      warning.hints.emplace_back("A statement needs no `;` at its end.");
    }
  }

  Diagnostic& error(std::size_t begin, std::size_t end, std::string message, std::string hint, std::string label = {}) {
    Diagnostic& diagnostic = diagnostics_.emplace_back();
    diagnostic.code = "WFL-P004";
    diagnostic.message = std::move(message);
    diagnostic.span = {source_.id(), static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
    diagnostic.label = std::move(label);
    if (!hint.empty()) {
      diagnostic.hints.push_back(std::move(hint));
    }
    return diagnostic;
  }

  const SourceFile& source_;
  std::string_view text_;
  Arena& arena_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;

  // The identifier words collected so far.
  std::size_t words_ = 0;
  std::size_t name_begin_ = 0;
  std::size_t name_end_ = 0;
  bool name_is_plain_ = true;
};

}  // namespace

std::vector<Token> lex(const SourceFile& source, Arena& arena, std::vector<Diagnostic>& diagnostics) {
  return Lexer(source, arena, diagnostics).run();
}

std::string_view kind_name(TokenKind kind) {
  switch (kind) {
    case TokenKind::EndOfFile:
      return "end of file";
    case TokenKind::EndOfLine:
      return "end of line";
    case TokenKind::Identifier:
      return "name";
    case TokenKind::Keyword:
      return "keyword";
    case TokenKind::Text:
      return "text";
    case TokenKind::Integer:
      return "integer";
    case TokenKind::Float:
      return "float";
    case TokenKind::Boolean:
      return "boolean";
    case TokenKind::Nothing:
      return "nothing";
    case TokenKind::Colon:
      return ":";
    case TokenKind::Comma:
      return ",";
    case TokenKind::Dot:
      return ".";
    case TokenKind::Plus:
      return "+";
    case TokenKind::Minus:
      return "-";
    case TokenKind::Slash:
      return "/";
    case TokenKind::Percent:
      return "%";
    case TokenKind::Equals:
      return "=";
    case TokenKind::LeftParen:
      return "(";
    case TokenKind::RightParen:
      return ")";
    case TokenKind::LeftBracket:
      return "[";
    case TokenKind::RightBracket:
      return "]";
    case TokenKind::LeftBrace:
      return "{";
    case TokenKind::RightBrace:
      return "}";
  }
  return "";
}

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::EndOfFile:
      return "the end of the program";
    case TokenKind::EndOfLine:
      return "the end of the line";
    case TokenKind::Text:
      return token.text.size() <= 30 ? "the text \"" + std::string(token.text) + "\"" : std::string("a text");
    case TokenKind::Integer:
    case TokenKind::Float:
      return "the number " + std::string(token.text);
    default:
      return "`" + std::string(token.text) + "`";
  }
}

std::string dump_tokens(const SourceFile& source, const std::vector<Token>& tokens) {
  std::string out;
  for (const Token& token : tokens) {
    const LineColumn at = source.position_of(token.begin);
    out += std::to_string(at.line) + ":" + std::to_string(at.column) + "  ";
    out += kind_name(token.kind);
    if (!token.text.empty() && kind_name(token.kind) != token.text) {
      out += "  ";
      for (const char c : token.text) {
        if (c == '\n') {
          out += "\\n";
        } else if (c == '\r') {
          out += "\\r";
        } else {
          out += c;
        }
      }
    }
    out += "\n";
  }
  return out;
}

}  // namespace wfl::syntax
