#include <algorithm>
#include <array>

#include "wfl/syntax/habit_hints.h"
#include "wfl/syntax/parser_impl.h"
#include "wfl/syntax/suggest.h"

// Keystore statements about a file and about one key, and the parts that all of them share. None of their words is a
// keyword: they arrive inside merged names and are recognised at the start of a statement, or behind the fixed word
// that each form has.
//
//   S         name { [Expr] | .name } | ( Expr )
//   operand   arithmetic { with arithmetic }: K, P, A, B, PATH, SECRET, N, OLD. `and`, `or`, `is`, `contains` end it.
//   key       with key K. It ends a value in front of it (Mode::stop_at_key_clause).

namespace wfl::syntax {

namespace {

constexpr std::string_view kPutForm = "Write `store V in S with key K`.";
constexpr std::string_view kGetForm = "Write `get value from S with key K as NAME`.";

// The unit at the end of a `for` clause.
bool unit_of(std::string_view text, TimeUnit& unit) {
  constexpr std::array<std::pair<std::string_view, TimeUnit>, 8> kUnits{{{"second", TimeUnit::Seconds},
                                                                         {"seconds", TimeUnit::Seconds},
                                                                         {"minute", TimeUnit::Minutes},
                                                                         {"minutes", TimeUnit::Minutes},
                                                                         {"hour", TimeUnit::Hours},
                                                                         {"hours", TimeUnit::Hours},
                                                                         {"day", TimeUnit::Days},
                                                                         {"days", TimeUnit::Days}}};
  const std::string_view word = text.substr(text.rfind(' ') + 1);  // npos + 1 is 0.
  for (const auto& [name, value] : kUnits) {
    if (name == word) {
      unit = value;
      return true;
    }
  }
  return false;
}

}  // namespace

// ---- Shared parts ----

const Expr* Parser::parse_keystore() {
  const Token token = peek();
  if (token.is(TokenKind::LeftParen)) {
    return parse_parenthesized();
  }
  const bool is_name = token.is(TokenKind::Identifier) || token.is(Keyword::Store) ||
                       (token.is(TokenKind::Keyword) && language::info(token.keyword).contextual &&
                        !language::info(token.keyword).structural);
  if (!is_name) {
    if (token.is(TokenKind::Text) || token.is(TokenKind::Integer) || token.is(TokenKind::Float) ||
        token.is(TokenKind::Boolean) || token.is(TokenKind::Nothing) || token.is(TokenKind::LeftBracket)) {
      // Never a keystore, but a matter of types, not of words.
      bool takes_postfix = false;
      return parse_primary_lead(takes_postfix);
    }
    if (token.is(TokenKind::Keyword)) {
      fail_here("`" + std::string(token.text) + "` is a word of WFL and can't be the name of a keystore",
                {"Choose another name, such as `cache` or `store`."}, "WFL-P003");
    }
    fail_expected("the name of a keystore");
  }
  take();
  const Expr* expr = make_variable(token.text, span_of(token));
  while (at(TokenKind::LeftBracket) || at(TokenKind::Dot)) {
    expr = at(TokenKind::Dot) ? parse_member(expr) : parse_index(expr);
  }
  return expr;
}

const Expr* Parser::parse_key_operand() {
  Mode mode = mode_;
  mode.operand = true;
  mode.stop_at_key_clause = false;
  mode.terminator = Mode::Terminator::None;
  const ModeScope scope(*this, mode);
  std::vector<const Expr*> parts{parse_binary(2)};
  while (at(Keyword::With) && !(mode.stop_at_option && is_option_word(peek(1)))) {
    take();
    parts.push_back(parse_binary(2));
  }
  return parts.size() == 1 ? parts.front() : make_concat(parts);
}

// Whether `key` in front of this token is the word of a form and not a variable called `key`.
bool Parser::can_start_key(const Token& token, const Token& behind) {
  switch (token.kind) {
    case TokenKind::Text:
    case TokenKind::Integer:
    case TokenKind::Float:
    case TokenKind::Boolean:
    case TokenKind::Nothing:
    case TokenKind::LeftParen:
      return true;
    case TokenKind::Keyword:
      break;
    default:
      return false;
  }
  switch (token.keyword) {
    case Keyword::At:
    case Keyword::Contains:
    case Keyword::Starts:
    case Keyword::Ends:
    case Keyword::With:
    case Keyword::Not:
    case Keyword::When:
    case Keyword::Find:
    case Keyword::Replace:
    case Keyword::Split:
      return false;
    case Keyword::Count:
      return !behind.is(Keyword::From);
    default:
      return !starts_statement(token) && can_start_operand(token);
  }
}

bool Parser::at_key_clause() const {
  if (!at(Keyword::With)) {
    return false;
  }
  const Token& word = peek(1);
  return word.starts_with_words("key") && (word.text != "key" || can_start_key(peek(2), peek(3)));
}

void Parser::take_key_word() {
  take();
  if (peek().text != "key") {
    split(at_, 1);
  }
  take();
}

const Expr* Parser::parse_key_clause(std::string_view form) {
  if (!at_key_clause()) {
    if (at(Keyword::With) && peek(1).is_name("key")) {
      take();
      take();
      fail_expected("the key after `with key`", {std::string(form)});
    }
    Diagnostic& diagnostic = report(span_of(peek()), "`with key` is missing here", {std::string(form)}, "WFL-P006");
    diagnostic.label = "found " + describe(peek());
    throw ParseFailure{};
  }
  take_key_word();
  return parse_key_operand();
}

bool Parser::is_option_word(const Token& token) {
  return token.is_name("compression") || token.is_name("relaxed durability") ||
         token.starts_with_words("encryption key");
}

// Behind the leading words of a form, `store` is the name if one of these follows it.
bool Parser::store_is_keystore(unsigned n) const {
  if (!peek(n).is(Keyword::Store)) {
    return false;
  }
  const Token& behind = peek(n + 1);
  return behind.is(TokenKind::EndOfLine) || behind.is(TokenKind::EndOfFile) || behind.is(Keyword::For) ||
         behind.is(Keyword::With) || behind.is(Keyword::As) || behind.is(Keyword::To);
}

bool Parser::at_statement_end() const {
  const Token& token = peek();
  if (at_end_of_line() || starts_statement(token)) {
    return true;
  }
  if (!token.is(TokenKind::Keyword)) {
    return false;
  }
  switch (token.keyword) {
    case Keyword::Add:
    case Keyword::Subtract:
    case Keyword::Multiply:
    case Keyword::Divide:
    case Keyword::Remove:
    case Keyword::Clear:
    case Keyword::Delete:
    case Keyword::Write:
    case Keyword::Execute:
    case Keyword::Spawn:
    case Keyword::Kill:
    case Keyword::Listen:
    case Keyword::Respond:
    case Keyword::Register:
    case Keyword::Stop:
    case Keyword::Trigger:
    case Keyword::Expect:
    case Keyword::End:
    case Keyword::Otherwise:
    case Keyword::When:
    case Keyword::Catch:
    case Keyword::Finally:
    case Keyword::Until:
      return true;
    default:
      return false;
  }
}

void Parser::end_of_keystore_statement(std::string_view form) {
  if (!at_statement_end()) {
    Diagnostic& diagnostic =
        report(span_of(peek()), "I don't understand " + describe(peek()) + " at the end of this statement",
               {std::string(form)}, "WFL-P006");
    diagnostic.label = "the statement was complete before this";
    throw ParseFailure{};
  }
}

const Stmt* Parser::today_reading(const Checkpoint& from, std::uint32_t end, const Stmt* (Parser::*parse)()) {
  const std::uint32_t last_end = last_end_;
  rewind(from);
  const Stmt* today = attempt([&]() -> const Stmt* {
    const Stmt* statement = (this->*parse)();
    if (at_ != end) {
      throw ParseFailure{};
    }
    return statement;
  });
  // Only tokens that were never cut can end a statement, so the place is the same in both readings.
  at_ = end;
  last_end_ = last_end;
  bare_name_ = {};
  return today;
}

Lifetime Parser::parse_lifetime() {
  const Token word = take();
  // The unit is the last word of the clause; a variable in front of it has merged with it.
  std::uint32_t last = at_;
  int depth = 0;
  bool any = false;
  for (std::uint32_t i = at_;; i = tokens_[i].next) {
    const Token& token = tokens_[i];
    if (token.is(TokenKind::EndOfLine) || token.is(TokenKind::EndOfFile) ||
        (depth == 0 && (token.is(Keyword::If) || token.is(Keyword::As) || starts_statement(token)))) {
      break;
    }
    depth += token.is(TokenKind::LeftParen) || token.is(TokenKind::LeftBracket) ? 1 : 0;
    depth -= token.is(TokenKind::RightParen) || token.is(TokenKind::RightBracket) ? 1 : 0;
    last = i;
    any = true;
  }
  Lifetime lifetime;
  if (!any || !tokens_[last].is(TokenKind::Identifier) || !unit_of(tokens_[last].text, lifetime.unit)) {
    // `for 5 weeks`: a word stands where the unit should be. `for rest`: a name, and no unit.
    if (any && tokens_[last].is_name("ever")) {
      fail(span_of(tokens_[last]), "`forever` is one word", {"Write `keep key K in S forever`."}, "WFL-P006");
    }
    const bool other_unit = any && tokens_[at_].is(TokenKind::Integer) && tokens_[at_].next == last &&
                            tokens_[last].is(TokenKind::Identifier);
    fail(any ? span_of(tokens_[last]) : span_of(word),
         other_unit ? "`" + std::string(tokens_[last].text) + "` is no unit of time"
                    : "A length of time is missing its unit",
         {"Write `for 30 seconds`; the units are `seconds`, `minutes`, `hours` and `days`."}, "WFL-P006");
  }
  if (count_words(tokens_[last].text) > 1) {
    split(last, count_words(tokens_[last].text) - 1);
    last = tokens_[last].next;
  }
  if (at_ == last) {
    fail_here("I expected a number in front of `" + std::string(peek().text) + "`", {"Write `for 30 seconds`."},
              "WFL-P006");
  }
  lifetime.amount = parse_key_operand();
  if (at_ != last) {
    fail_expected("`seconds`, `minutes`, `hours` or `days`");
  }
  take();
  return lifetime;
}

// ---- Which statement ----

const Stmt* Parser::parse_keystore_name_statement() {
  const Token token = peek();
  const std::string_view first = token.text.substr(0, token.text.find(' '));
  if (first == "get") {
    return parse_get();
  }
  if (token.starts_with_words("increase key") || token.starts_with_words("decrease key")) {
    return parse_change_counter();
  }
  if (token.starts_with_words("keep key")) {
    return parse_keep_key();
  }
  if (first == "scan") {
    return parse_scan();
  }
  if (first == "batch" || token.is_name("begin batch") || token.is_name("start batch")) {
    return parse_batch();
  }
  if (first == "compact") {
    return parse_compact();
  }
  if (first == "flush") {
    return parse_flush();
  }
  if (first == "verify") {
    return parse_verify();
  }
  if (token.is_name("take snapshot") && next_is(Keyword::Of)) {
    return parse_snapshot();
  }
  return nullptr;
}

// ---- Lifecycle ----

const Stmt* Parser::parse_create_keystore() {
  const Token verb = take();
  take();
  auto* node = make_statement<OpenKeystoreStmt>(verb.begin);
  node->mode = OpenMode::Create;
  return finish_open_keystore(node);
}

// Behind `open`: `keystore at …` or `or create keystore at …`.
const Stmt* Parser::parse_open_keystore(std::uint32_t begin) {
  auto* node = make_statement<OpenKeystoreStmt>(begin);
  node->mode = OpenMode::Open;
  if (eat(Keyword::Or)) {
    expect(Keyword::Create, "after `open or`");
    node->mode = OpenMode::OpenOrCreate;
    if (!at_name("keystore")) {
      fail_expected("`keystore` after `open or create`");
    }
  }
  take();
  return finish_open_keystore(node);
}

const Stmt* Parser::finish_open_keystore(OpenKeystoreStmt* node) {
  const bool creates = node->mode != OpenMode::Open;
  const std::string words = node->mode == OpenMode::Create ? "create keystore"
                            : creates                      ? "open or create keystore"
                                                           : "open keystore";
  if (!at(Keyword::At)) {
    fail_expected("`at` after `" + words + "`", {"Write `" + words + " at PATH as NAME`."});
  }
  take();
  {
    Mode mode;
    mode.stop_at_option = true;
    const ModeScope scope(*this, mode);
    node->path = parse_key_operand();
  }
  if (at(Keyword::For)) {
    const Token word = take();
    if (creates) {
      fail(join(span_of(word), span_of(peek())), "`for reading` goes only with `open keystore`",
           {"Write `open keystore at PATH for reading as NAME`."}, "WFL-P006");
    }
    if (!eat_name("reading")) {
      fail_expected("`reading` after `for`", {"Without it a keystore is opened for reading and writing."});
    }
    node->for_reading = true;
  }
  const bool has_options = at(Keyword::With);
  if (has_options) {
    const Token word = peek();
    node->options = parse_options();
    if (node->options.compression && !creates) {
      fail(span_from(word.begin), "`compression` is chosen when a keystore is created",
           {"Reading a compressed keystore needs no option."}, "WFL-P006");
    }
    if (at(Keyword::For)) {
      fail_here("`for reading` stands in front of the options",
                {"Write `open keystore at PATH for reading with … as NAME`."}, "WFL-P006");
    }
  }
  if (!at(Keyword::As)) {
    if (at(Keyword::With) && has_options) {
      fail_expected("`as` and a name for the keystore",
                    {"Options are joined by `and`: `with compression and relaxed durability`."});
    }
    const Token& before = tokens_[at_ - 1];
    static constexpr auto kOptions = std::to_array<std::string_view>({"encryption key"});
    if (before.is(TokenKind::Identifier) && closest(before.text, kOptions)) {
      fail_expected("`as` and a name for the keystore", {"Did you mean the option `encryption key`?"});
    }
    fail_expected("`as` and a name for the keystore", {"Write `" + words + " at PATH as NAME`."});
  }
  take();
  node->name = parse_binder_name(true);
  end_of_keystore_statement("Write `" + words + " at PATH as NAME`.");
  return close_statement(node, span_from(node->span.begin));
}

// `with OPTION and OPTION …`, each once, in any order.
KeystoreOptions Parser::parse_options() {
  KeystoreOptions options;
  take();
  do {
    const Token word = peek();
    const auto once = [&](bool already) {
      if (already) {
        fail(span_of(word), "This option is given twice", {}, "WFL-P006");
      }
    };
    if (at_name("compression")) {
      once(options.compression);
      take();
      options.compression = true;
    } else if (at_name("relaxed durability")) {
      once(options.relaxed_durability);
      take();
      options.relaxed_durability = true;
    } else if (word.starts_with_words("encryption key")) {
      once(options.encryption_key != nullptr);
      if (count_words(word.text) > 2) {
        split(at_, 2);
      }
      take();
      Mode mode;
      mode.stop_at_option = true;
      const ModeScope scope(*this, mode);
      options.encryption_key = parse_key_operand();
    } else {
      static constexpr auto kOptions =
          std::to_array<std::string_view>({"compression", "encryption key", "relaxed durability"});
      if (const auto meant = closest(word.text, kOptions)) {
        fail_expected("an option", {"Did you mean `" + std::string(*meant) + "`?"});
      }
      fail_expected(
          "an option",
          {"The options are `compression`, `encryption key SECRET` and `relaxed durability`, joined by `and`."});
    }
  } while (eat(Keyword::And));
  return options;
}

// `close keystore S`
const Stmt* Parser::parse_close_keystore() {
  const Checkpoint start = checkpoint();
  const Token verb = peek();
  const Token words = peek(1);
  const bool merged = words.text != "keystore";
  if (!merged && !store_is_keystore(2) && !peek(2).is(TokenKind::LeftParen)) {
    return parse_close_value();
  }
  const Expr* keystore = attempt([&]() -> const Expr* {
    take();
    if (merged) {
      split(at_, 1);
    }
    take();
    const Expr* operand = parse_keystore();
    if (!at_statement_end()) {
      throw ParseFailure{};
    }
    return operand;
  });
  if (keystore == nullptr) {
    return parse_close_value();
  }
  auto* node = make_statement<CloseKeystoreStmt>(verb.begin);
  node->keystore = keystore;
  if (merged) {
    node->other.today = today_reading(start, at_, &Parser::parse_close_value);
    if (node->other.today != nullptr) {
      node->other.rule = ReadingRule::Name;
      node->other.today_words = name_of(words);
    }
  }
  return node;
}

const Stmt* Parser::parse_change_encryption_key() {
  const Token verb = take();
  take();
  take();
  auto* node = make_statement<ChangeEncryptionKeyStmt>(verb.begin);
  node->keystore = parse_keystore();
  if (!at(Keyword::To)) {
    fail_expected("`to` and the new key", {"Write `change encryption key of S to SECRET`."});
  }
  take();
  node->secret = parse_key_operand();
  end_of_keystore_statement("Write `change encryption key of S to SECRET`.");
  return close_statement(node, span_from(verb.begin));
}

// ---- One key ----

// `store V in S with key K …`; inside a batch also `store V with key K …`. What is neither this nor a declaration gets
// the error of the nearer of the two.
const Stmt* Parser::parse_put() {
  const Token verb = peek();
  const Checkpoint start = checkpoint();
  const auto read_value = [this] {
    take();
    Mode mode;
    mode.stop_at_key_clause = true;
    const ModeScope scope(*this, mode);
    return parse_expression();
  };
  const Expr* value = attempt([&]() -> const Expr* { return read_value(); });
  const bool is_put = value != nullptr && (at(Keyword::In) || at_key_clause());
  if (!is_put) {
    const std::uint32_t reached = at_;
    rewind(start);
    if (line_has(Keyword::As)) {
      return parse_declaration();
    }
    if (value == nullptr) {
      read_value();  // Says what is wrong with it.
    }
    const SourceSpan span{source_.id(), verb.begin, tokens_[reached].begin};
    take();
    const SourceSpan whole{span.file, span.begin, std::max(span.begin + 5, last_end_)};
    if (const auto form = habit_hint(source_.line_text(source_.line_of(verb.begin)))) {
      fail(whole, "This `store` is incomplete", {*form}, "WFL-P006");
    }
    fail(whole, "This `store` is incomplete",
         {"For a variable write `store NAME as VALUE`.",
          "To keep a value in a keystore write `store V in S with key K`."},
         "WFL-P006");
  }
  auto* node = make_statement<PutStmt>(verb.begin);
  node->value = value;
  if (at(Keyword::In)) {
    take();
    node->keystore = parse_keystore();
    if (!at_key_clause() && !(at(Keyword::With) && peek(1).is_name("key"))) {
      Diagnostic& diagnostic =
          report(span_from(verb.begin), "This `store` is missing `with key`", {std::string(kPutForm)}, "WFL-P006");
      diagnostic.label = "a keystore needs a key for each value";
      if (at(Keyword::With) && peek(1).is(TokenKind::Identifier)) {
        diagnostic.notes.push_back("I found `with " + std::string(peek(1).text) + "` instead.");
      }
      throw ParseFailure{};
    }
  } else if (batch_depth_ == 0) {
    fail(span_from(verb.begin), "This `store` doesn't say in which keystore",
         {std::string(kPutForm), "Only inside `batch operations on S:` the words `in S` may be left out."}, "WFL-P006");
  }
  node->key = parse_key_clause(kPutForm);
  if (at(Keyword::For) && !next_is(Keyword::Each)) {
    node->has_lifetime = true;
    node->lifetime = parse_lifetime();
  }
  if (at(Keyword::If)) {
    parse_put_condition(*node);
  }
  if (eat(Keyword::As)) {
    node->result = parse_binder_name();
  }
  end_of_keystore_statement(
      "The whole form is `store V in S with key K for N seconds if missing as NAME`; the last three parts may be left "
      "out.");
  return close_statement(node, span_from(verb.begin));
}

// `if missing`, `if present`, `if value is OLD`: on the line of a `store` an `if` always belongs to it.
void Parser::parse_put_condition(PutStmt& node) {
  take();
  if (at(TokenKind::Nothing) && peek().text == "missing") {
    take();
    node.condition = PutCondition::IfMissing;
  } else if (eat_name("present")) {
    node.condition = PutCondition::IfPresent;
  } else if (at_name("value") && next_is(Keyword::Is)) {
    take();
    take();
    node.condition = PutCondition::IfValueIs;
    node.expected = parse_key_operand();
  } else {
    fail_expected("`missing`, `present` or `value is OLD` after `if`",
                  {"An `if` of another kind begins a line of its own."});
  }
}

// `get value from S with key K [or V] as NAME`, `get time left from …`, `get [detailed] statistics from S as NAME`
const Stmt* Parser::parse_get() {
  const Token first = peek();
  if (first.is_name("get") && next_is(Keyword::Time) && peek(2).is_name("left") && peek(3).is(Keyword::From)) {
    for (int i = 0; i < 4; ++i) {
      take();
    }
    auto* node = make_statement<GetTimeLeftStmt>(first.begin);
    constexpr std::string_view kForm = "Write `get time left from S with key K as NAME`.";
    node->keystore = parse_keystore();
    node->key = parse_key_clause(kForm);
    if (!at(Keyword::As)) {
      fail_expected("`as` and a name for the result", {std::string(kForm)});
    }
    node->result = parse_as_name("");
    end_of_keystore_statement(kForm);
    return close_statement(node, span_from(first.begin));
  }
  const bool detailed = first.is_name("get detailed statistics");
  if ((detailed || first.is_name("get statistics")) && next_is(Keyword::From)) {
    take();
    take();
    auto* node = make_statement<StatisticsStmt>(first.begin);
    node->detailed = detailed;
    node->keystore = parse_keystore();
    if (!at(Keyword::As)) {
      fail_expected("`as` and a name for the result", {"Write `" + std::string(first.text) + " from S as NAME`."});
    }
    node->result = parse_as_name("");
    end_of_keystore_statement("Write `" + std::string(first.text) + " from S as NAME`.");
    return close_statement(node, span_from(first.begin));
  }
  if (!first.is_name("get value")) {
    return nullptr;
  }
  if (next_is(Keyword::With) && line_has(Keyword::From)) {
    fail_here("The keystore comes before the key", {std::string(kGetForm)}, "WFL-P006");
  }
  if (!next_is(Keyword::From)) {
    return nullptr;
  }
  take();
  take();
  auto* node = make_statement<GetValueStmt>(first.begin);
  node->keystore = parse_keystore();
  node->key = parse_key_clause(kGetForm);
  if (eat(Keyword::Or)) {
    node->fallback = parse_expression();
  }
  if (!at(Keyword::As)) {
    fail_expected("`as` and a name for the value", {std::string(kGetForm)});
  }
  node->result = parse_as_name("");
  end_of_keystore_statement(kGetForm);
  return close_statement(node, span_from(first.begin));
}

// `remove key K from S [as NAME]`; inside a batch also `remove key K`.
const Stmt* Parser::parse_remove_key() {
  const Checkpoint start = checkpoint();
  const Token verb = peek();
  const Token words = peek(1);
  const bool merged = words.text != "key";
  constexpr std::string_view kForm =
      "Write `remove key K from S`; inside `batch operations on S:` also `remove key K`.";
  if (!merged && !can_start_key(peek(2), peek(3))) {
    return parse_remove_from_list();
  }
  auto* node = arena_.make<RemoveKeyStmt>(span_of(verb));
  const auto read = [&]() -> const Expr* {
    take();
    if (merged) {
      split(at_, 1);
    }
    take();
    {
      Mode mode;
      mode.of_without_from = true;
      const ModeScope scope(*this, mode);
      node->key = parse_key_operand();
    }
    if (batch_depth_ > 0 && !at(Keyword::From) && (at_statement_end() || at(Keyword::As))) {
      return node->key;
    }
    if (!at(Keyword::From)) {
      fail_expected("`from` and a keystore after the key", {std::string(kForm)});
    }
    take();
    node->keystore = parse_keystore();
    if (!at(Keyword::As)) {
      end_of_keystore_statement(kForm);
    }
    return node->key;
  };
  if (attempt(read) == nullptr) {
    // Perhaps the words only make sense as they did before.
    const Stmt* today = attempt([&]() -> const Stmt* {
      const Stmt* statement = parse_remove_from_list();
      if (!at_statement_end()) {
        throw ParseFailure{};
      }
      return statement;
    });
    if (today != nullptr) {
      return today;
    }
    read();
  }
  if (eat(Keyword::As)) {
    node->result = parse_binder_name();
    end_of_keystore_statement(kForm);
  } else if (node->keystore != nullptr) {
    node->other.today = today_reading(start, at_, &Parser::parse_remove_from_list);
    node->other.rule = node->other.today != nullptr ? ReadingRule::Value : ReadingRule::OnlyKeystore;
  }
  return close_statement(node, span_from(verb.begin));
}

// `increase key K in S by N [as NAME]`; inside a batch also without `in S`.
const Stmt* Parser::parse_change_counter() {
  const Token words = peek();
  const std::string verb(words.text.substr(0, 8));
  const std::string form = "Write `" + verb + " key K in S by N`.";
  const bool merged = count_words(words.text) > 2;
  if (!merged && !can_start_key(peek(1), peek(2))) {
    return nullptr;
  }
  auto* node = arena_.make<ChangeCounterStmt>(span_of(words));
  node->decrease = verb == "decrease";
  const bool is_form = attempt([&]() -> bool {
    if (merged) {
      split(at_, 2);
    }
    take();
    node->key = parse_key_operand();
    if (!at(Keyword::In) && !(at(Keyword::By) && batch_depth_ > 0)) {
      throw ParseFailure{};
    }
    return true;
  });
  if (!is_form) {
    if (merged && !line_has(Keyword::By)) {
      return nullptr;  // A variable or an action of that name.
    }
    if (batch_depth_ > 0 && !line_has(Keyword::By)) {
      fail(span_of(words), "This `" + verb + " key` doesn't say by how much", {"Write `" + verb + " key K by N`."},
           "WFL-P006");
    }
    fail(span_of(words), "This `" + verb + " key` doesn't say in which keystore",
         {form, "Only inside `batch operations on S:` the words `in S` may be left out."}, "WFL-P006");
  }
  if (eat(Keyword::In)) {
    node->keystore = parse_keystore();
  }
  if (!at(Keyword::By)) {
    fail_expected("`by` and a number", {form});
  }
  take();
  node->amount = parse_key_operand();
  if (eat(Keyword::As)) {
    node->result = parse_binder_name();
  }
  end_of_keystore_statement(form);
  return close_statement(node, span_from(words.begin));
}

// `keep key K in S for N seconds [as NAME]`, `keep key K in S forever [as NAME]`
const Stmt* Parser::parse_keep_key() {
  const Token words = peek();
  constexpr std::string_view kForm = "Write `keep key K in S for N seconds` or `keep key K in S forever`.";
  const bool merged = count_words(words.text) > 2;
  if (!merged && !can_start_key(peek(1), peek(2))) {
    return nullptr;
  }
  auto* node = arena_.make<KeepKeyStmt>(span_of(words));
  const bool is_form = attempt([&]() -> bool {
    if (merged) {
      split(at_, 2);
    }
    take();
    node->key = parse_key_operand();
    const bool has_time = at(Keyword::Forever) || (at(Keyword::For) && !next_is(Keyword::Each));
    if (!at(Keyword::In) && !(has_time && batch_depth_ > 0)) {
      throw ParseFailure{};
    }
    return true;
  });
  if (!is_form) {
    if (merged && !line_has(Keyword::For) && !line_has(Keyword::Forever)) {
      return nullptr;
    }
    fail(span_of(words), "This `keep key` doesn't say in which keystore", {std::string(kForm)}, "WFL-P006");
  }
  if (eat(Keyword::In)) {
    node->keystore = parse_keystore();
  }
  if (eat(Keyword::Forever)) {
    node->forever = true;
  } else if (at(Keyword::For)) {
    node->lifetime = parse_lifetime();
  } else {
    fail_expected("`for` and a length of time, or `forever`", {std::string(kForm)});
  }
  if (eat(Keyword::As)) {
    node->result = parse_binder_name();
  }
  end_of_keystore_statement(kForm);
  return close_statement(node, span_from(words.begin));
}

}  // namespace wfl::syntax
