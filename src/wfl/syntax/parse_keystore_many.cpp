#include <array>

#include "wfl/syntax/parser_impl.h"
#include "wfl/syntax/suggest.h"

// Keystore statements about many keys and about the whole file.
//
//   RANGE := [starting with P | from A [to B]] [reversed] [limit N]
//
// Words of a range stick to names in front of them (`cache limit`, `cache starting`), so the tokens are cut before they
// are read: `limit` at its last place that has something behind it, `starting` as the last word in front of `with`.

namespace wfl::syntax {

namespace {

bool opens(const Token& token) {
  return token.is(TokenKind::LeftParen) || token.is(TokenKind::LeftBracket);
}
bool closes_bracket(const Token& token) {
  return token.is(TokenKind::RightParen) || token.is(TokenKind::RightBracket);
}

}  // namespace

// ---- Ranges ----

void Parser::cut_limit() {
  std::uint32_t found = 0;
  unsigned found_words = 0;  // Words in front of `limit` in that token.
  bool any = false;
  int depth = 0;
  for (std::uint32_t i = at_;; i = tokens_[i].next) {
    const Token& token = tokens_[i];
    if (token.is(TokenKind::EndOfLine) || token.is(TokenKind::EndOfFile) ||
        (depth == 0 && (token.is(Keyword::As) || token.is(TokenKind::Colon)))) {
      break;
    }
    depth += opens(token) ? 1 : closes_bracket(token) ? -1 : 0;
    if (depth != 0 || !token.is(TokenKind::Identifier)) {
      continue;
    }
    const Token& behind = tokens_[token.next];
    const bool operand_follows =
        behind.is(TokenKind::Text) || behind.is(TokenKind::Integer) || behind.is(TokenKind::Float) ||
        behind.is(TokenKind::Boolean) || behind.is(TokenKind::LeftParen) || behind.is(Keyword::Call) ||
        (behind.is(TokenKind::Keyword) && language::info(behind.keyword).contextual && !behind.is(Keyword::Reversed) &&
         !behind.is(Keyword::At) && !behind.is(Keyword::Contains));
    unsigned word = 0;
    for (std::size_t begin = 0; begin < token.text.size(); ++word) {
      const std::size_t end = std::min(token.text.find(' ', begin), token.text.size());
      if (token.text.substr(begin, end - begin) == "limit" && (end < token.text.size() || operand_follows)) {
        found = i;
        found_words = word;
        any = true;
      }
      begin = end + 1;
    }
  }
  if (!any) {
    return;
  }
  if (count_words(tokens_[found].text) > found_words + 1) {
    split(found, found_words + 1);
  }
  if (found_words > 0) {
    split(found, found_words);
  }
}

// Cuts `starting` off the name in front of `with`; true if the line has `starting with` at all.
bool Parser::cut_starting() {
  int depth = 0;
  for (std::uint32_t i = at_;; i = tokens_[i].next) {
    const Token& token = tokens_[i];
    if (token.is(TokenKind::EndOfLine) || token.is(TokenKind::EndOfFile) ||
        (depth == 0 && (token.is(Keyword::As) || token.is(TokenKind::Colon)))) {
      return false;
    }
    depth += opens(token) ? 1 : closes_bracket(token) ? -1 : 0;
    if (depth == 0 && token.ends_with_word("starting") && tokens_[token.next].is(Keyword::With)) {
      if (count_words(token.text) > 1) {
        split(i, count_words(token.text) - 1);
      }
      return true;
    }
  }
}

// `starting with P` or `from A [to B]`, if there.
void Parser::parse_range_start(KeyRange& range) {
  if (at_name("starting")) {
    take();
    expect(Keyword::With, "after `starting`");
    range.kind = RangeKind::Prefix;
    range.prefix = parse_key_operand();
  } else if (eat(Keyword::From)) {
    range.kind = RangeKind::FromTo;
    range.from = parse_key_operand();
    if (eat(Keyword::To)) {
      range.to = parse_key_operand();
    }
  }
}

// `[reversed] [limit N]`
KeyRange* Parser::parse_range_tail(KeyRange* range, bool with_limit) {
  range->reversed = eat(Keyword::Reversed);
  if (at_name("limit")) {
    if (!with_limit) {
      fail_here("`limit` has no place here", {"A limited list comes from `scan S for keys … limit N as NAME`."},
                "WFL-P006");
    }
    take();
    range->limit = parse_key_operand();
    if (at(Keyword::Reversed)) {
      fail_here("`reversed` stands in front of `limit`", {"Write `… reversed limit N as NAME`."}, "WFL-P006");
    }
  }
  range->span.end = last_end_;
  return range;
}

const Stmt* Parser::parse_scan() {
  const Token words = peek();
  constexpr std::string_view kForm =
      "Write `scan S for keys starting with P as NAME`, `scan S for keys from A to B as NAME` or `scan S for all keys "
      "as NAME`.";
  const bool merged = count_words(words.text) > 1;
  if (!merged && !store_is_keystore(1) && !peek(1).is(TokenKind::LeftParen) && !next_is(Keyword::List) &&
      !peek(1).is(TokenKind::Integer) && !peek(1).is(TokenKind::Text)) {
    return nullptr;
  }
  const Expr* keystore = attempt([&]() -> const Expr* {
    if (merged) {
      split(at_, 1);
    }
    take();
    const Expr* operand = parse_keystore();
    // `scan items for each x in …` has always been two statements.
    if (!at(Keyword::For) || next_is(Keyword::Each)) {
      throw ParseFailure{};
    }
    return operand;
  });
  if (keystore == nullptr) {
    return nullptr;
  }
  take();
  cut_limit();
  auto* node = make_statement<ScanKeysStmt>(words.begin);
  node->keystore = keystore;
  KeyRange* range = arena_.make<KeyRange>();
  range->span = span_of(peek());
  if (eat_name("all keys")) {
    if (at(Keyword::From) || at_name("starting")) {
      fail_expected("`reversed`, `limit` or `as` after `all keys`", {std::string(kForm)});
    }
  } else if (at_name("keys starting")) {
    take();
    expect(Keyword::With, "after `starting`");
    range->kind = RangeKind::Prefix;
    range->prefix = parse_key_operand();
  } else if (at_name("keys") && next_is(Keyword::From)) {
    take();
    parse_range_start(*range);
  } else if (peek().starts_with_words("keys")) {
    const Token keys = take();
    if (at(Keyword::With) && count_words(keys.text) == 2) {
      static constexpr auto kWords = std::to_array<std::string_view>({"starting"});
      if (closest(keys.text.substr(keys.text.find(' ') + 1), kWords)) {
        fail_expected("`starting with` or `from` after `keys`", {"Did you mean `starting`?"});
      }
    }
    fail_expected("`starting with` or `from` after `keys`", {std::string(kForm)});
  } else {
    fail_expected("`keys` or `all keys` after `for`", {std::string(kForm)});
  }
  node->range = parse_range_tail(range, true);
  if (!at(Keyword::As)) {
    fail_expected("`as` and a name for the list", {std::string(kForm)});
  }
  node->result = parse_as_name("");
  end_of_keystore_statement(kForm);
  return close_statement(node, span_from(words.begin));
}

// `list keys in S RANGE as NAME`
const Stmt* Parser::parse_list_keys() {
  constexpr std::string_view kForm =
      "Write `list keys in S starting with P as NAME`, or without `starting with P` for all.";
  const Token verb = peek();
  if (!peek(1).is_name("keys") || !peek(2).is(Keyword::In)) {
    if (peek(1).is_name("keys") && peek(2).is(Keyword::From)) {
      take();
      take();
      fail_expected("`in` and a keystore", {std::string(kForm)});
    }
    return parse_expression_statement();
  }
  take();
  take();
  take();
  cut_limit();
  cut_starting();
  auto* node = make_statement<ListKeysStmt>(verb.begin);
  node->keystore = parse_keystore();
  KeyRange* range = arena_.make<KeyRange>();
  range->span = span_of(peek());
  parse_range_start(*range);
  node->range = parse_range_tail(range, true);
  if (!at(Keyword::As)) {
    fail_expected("`as` and a name for the list", {std::string(kForm)});
  }
  node->result = parse_as_name("");
  end_of_keystore_statement(kForm);
  return close_statement(node, span_from(verb.begin));
}

// `count keys in S [starting with P | from A [to B]] as NAME`
const Stmt* Parser::parse_count_keys() {
  constexpr std::string_view kForm =
      "Write `count keys in S starting with P as NAME`, or without `starting with P` for all.";
  const Token verb = take();
  take();
  take();
  cut_limit();
  cut_starting();
  auto* node = make_statement<CountKeysStmt>(verb.begin);
  node->keystore = parse_keystore();
  KeyRange* range = arena_.make<KeyRange>();
  range->span = span_of(peek());
  parse_range_start(*range);
  range->span.end = last_end_;
  if (at(Keyword::Reversed) || at_name("limit")) {
    fail_here("Counting needs neither `reversed` nor `limit`", {std::string(kForm)}, "WFL-P006");
  }
  node->range = range;
  if (!at(Keyword::As)) {
    fail_expected("`as` and a name for the number", {std::string(kForm)});
  }
  node->result = parse_as_name("");
  end_of_keystore_statement(kForm);
  return close_statement(node, span_from(verb.begin));
}

// `remove keys starting with P from S [as NAME]`, `remove all keys from S [as NAME]`
const Stmt* Parser::parse_remove_keys() {
  constexpr std::string_view kForm = "Write `remove keys starting with P from S` or `remove all keys from S`.";
  const Checkpoint start = checkpoint();
  const Token verb = peek();
  const bool all = peek(1).text.starts_with("all");
  if (all && (peek(1).text != "all keys" || !peek(2).is(Keyword::From))) {
    return parse_remove_from_list();
  }
  auto* node = arena_.make<RemoveKeysStmt>(span_of(verb));
  KeyRange* range = arena_.make<KeyRange>();
  range->span = span_of(peek(1));
  const auto read = [&]() -> const Expr* {
    take();
    take();
    if (!all) {
      take();  // `with`
      range->kind = RangeKind::Prefix;
      Mode mode;
      mode.of_without_from = true;
      const ModeScope scope(*this, mode);
      range->prefix = parse_key_operand();
    }
    range->span.end = last_end_;
    if (!at(Keyword::From)) {
      fail_expected("`from` and a keystore", {std::string(kForm)});
    }
    take();
    node->keystore = parse_keystore();
    if (!at(Keyword::As)) {
      end_of_keystore_statement(kForm);
    }
    return node->keystore;
  };
  if (attempt(read) == nullptr) {
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
  node->range = range;
  if (eat(Keyword::As)) {
    node->result = parse_binder_name();
    end_of_keystore_statement(kForm);
  } else {
    node->other.today = today_reading(start, at_, &Parser::parse_remove_from_list);
    node->other.rule = node->other.today != nullptr ? ReadingRule::Value : ReadingRule::OnlyKeystore;
  }
  return close_statement(node, span_from(verb.begin));
}

// What `for each E in [reversed]` walks over: any value, or the keys of a keystore that lie in a range.
void Parser::parse_for_each_range(ForEachStmt* node) {
  if (!cut_starting()) {
    const Checkpoint start = checkpoint();
    node->collection = parse_expression();
    if (!at(Keyword::From)) {
      if (at(Keyword::Reversed)) {
        fail_here("`reversed` stands behind `in`", {"Write `for each … in reversed …:`."}, "WFL-P006");
      }
      return;
    }
    rewind(start);
  }
  node->collection = parse_keystore();
  KeyRange* range = arena_.make<KeyRange>();
  range->span = span_of(peek());
  parse_range_start(*range);
  if (at(Keyword::Reversed)) {
    fail_here("`reversed` stands behind `in`", {"Write `for each … in reversed S starting with P:`."}, "WFL-P006");
  }
  if (peek().starts_with_words("limit")) {
    fail_here("`for each` has no `limit`", {"Leave the loop with `break`, or use `scan S for keys … limit N as NAME`."},
              "WFL-P006");
  }
  range->reversed = node->reversed;
  range->span.end = last_end_;
  node->range = range;
}

// `batch operations on S: … end batch`
const Stmt* Parser::parse_batch() {
  const Token words = peek();
  // In other words, but a block all the same: its statements are read as those of a batch.
  const bool other_words = line_ends_with_colon() && (words.is_name("batch operations") || words.is_name("batch") ||
                                                      words.is_name("begin batch") || words.is_name("start batch"));
  if (!words.is_name("batch operations") || !next_is(Keyword::On)) {
    if (words.starts_with_words("batch operations") && peek(1).is(TokenKind::Colon)) {
      fail_here("`on` is missing in front of the keystore", {"Write `batch operations on S:`."}, "WFL-P006");
    }
    if (!other_words) return nullptr;
  }
  auto* node = make_statement<BatchStmt>(words.begin);
  header([&] {
    if (!words.is_name("batch operations")) {
      fail_here("A batch begins in other words", {"Write `batch operations on S:`."}, "WFL-P006");
    }
    take();
    if (!at(Keyword::On)) fail_expected("`on` and a keystore", {"Write `batch operations on S:`."});
    take();
    node->keystore = parse_keystore();
    optional_colon();
    if (!at_end_of_line()) {
      fail_expected("the end of the line", {"Write `batch operations on S:`, then the statements, then `end batch`."});
    }
  });
  const SourceSpan head = span_from(words.begin);
  const BlockScope block(*this, "batch", head);
  ++batch_depth_;
  node->body = parse_body(kEnd);
  --batch_depth_;
  close_block();
  return close_statement(node, head);
}

// ---- Care ----

// `compact S [with strategy X] [as NAME]`
const Stmt* Parser::parse_compact() {
  const Token words = peek();
  const Checkpoint start = checkpoint();
  constexpr std::string_view kForm =
      "Write `compact S with strategy \"auto\" as NAME`; the strategies are \"auto\", \"aggressive\" and \"full\".";
  const bool merged = count_words(words.text) > 1;
  if (!merged && !store_is_keystore(1) && !peek(1).is(TokenKind::LeftParen)) {
    return nullptr;
  }
  const auto at_strategy = [this] {
    const Token& word = peek(1);
    return at(Keyword::With) && word.starts_with_words("strategy") &&
           (word.text != "strategy" || can_start_key(peek(2), peek(3)));
  };
  const Expr* keystore = attempt([&]() -> const Expr* {
    if (merged) {
      split(at_, 1);
    }
    take();
    const Expr* operand = parse_keystore();
    if (!at_strategy() && !at(Keyword::As) && !at_statement_end()) {
      throw ParseFailure{};
    }
    return operand;
  });
  if (keystore == nullptr) {
    return nullptr;
  }
  auto* node = make_statement<CompactStmt>(words.begin);
  node->keystore = keystore;
  if (at_strategy()) {
    take();
    if (peek().text != "strategy") {
      split(at_, 1);
    }
    take();
    node->strategy = parse_key_operand();
  }
  if (eat(Keyword::As)) {
    node->result = parse_binder_name();
  }
  end_of_keystore_statement(kForm);
  if (merged && node->strategy == nullptr && !node->result) {
    node->other.today = today_reading(start, at_, &Parser::parse_expression_statement);
    if (node->other.today != nullptr) {
      node->other.rule = ReadingRule::Name;
      node->other.today_words = name_of(words);
    }
  }
  return close_statement(node, span_from(words.begin));
}

// `flush S`: a keystore, or a stream of the web server, which had these words first.
const Stmt* Parser::parse_flush() {
  const Token words = peek();
  const Checkpoint start = checkpoint();
  const bool merged = count_words(words.text) > 1;
  if (!merged && !store_is_keystore(1) && !peek(1).is(TokenKind::LeftParen) && !next_is(Keyword::Call)) {
    return nullptr;
  }
  const bool is_store = next_is(Keyword::Store);
  if (merged) {
    split(at_, 1);
  }
  take();
  const Expr* target = parse_expression();
  auto* node = make_statement<FlushStmt>(words.begin);
  node->keystore = target;
  if (merged) {
    node->other.today = today_reading(start, at_, &Parser::parse_expression_statement);
  } else if (!is_store) {
    node->other.today = make_expression_statement(make_variable(words.text, span_of(words)));
  }
  if (node->other.today != nullptr) {
    node->other.rule = ReadingRule::Name;
    node->other.today_words = name_of(words);
  }
  return node;
}

// `back up S to PATH`
const Stmt* Parser::parse_back_up() {
  const Token verb = peek();
  const Token words = peek(1);
  const bool merged = words.text != "up";
  if (!merged && !store_is_keystore(2) && !peek(2).is(TokenKind::LeftParen) && !peek(2).is(TokenKind::LeftBracket)) {
    if (peek(2).is(Keyword::To)) {
      fail_here("This `back up` doesn't say which keystore", {"Write `back up S to PATH`."}, "WFL-P006");
    }
    return parse_expression_statement();
  }
  const Expr* keystore = attempt([&]() -> const Expr* {
    take();
    if (merged) {
      split(at_, 1);
    }
    take();
    const Expr* operand = parse_keystore();
    if (!at(Keyword::To)) {
      throw ParseFailure{};
    }
    return operand;
  });
  if (keystore == nullptr) {
    if (line_has(Keyword::As) || !merged) {
      fail_here("This `back up` doesn't say where to", {"Write `back up S to PATH`."}, "WFL-P006");
    }
    return parse_expression_statement();
  }
  take();
  const Expr* path = parse_key_operand();
  end_of_keystore_statement("Write `back up S to PATH`.");
  auto* node = make_statement<BackUpStmt>(verb.begin);
  node->keystore = keystore;
  node->path = path;
  return node;
}

// `verify S as NAME`
const Stmt* Parser::parse_verify() {
  const Token words = peek();
  const bool merged = count_words(words.text) > 1;
  if (!merged && !store_is_keystore(1) && !peek(1).is(TokenKind::LeftParen)) {
    return nullptr;
  }
  const Expr* keystore = attempt([&]() -> const Expr* {
    if (merged) {
      split(at_, 1);
    }
    take();
    const Expr* operand = parse_keystore();
    if (!at(Keyword::As)) {
      throw ParseFailure{};
    }
    return operand;
  });
  if (keystore == nullptr) {
    return nullptr;
  }
  auto* node = make_statement<VerifyStmt>(words.begin);
  node->keystore = keystore;
  node->result = parse_as_name("after the keystore");
  end_of_keystore_statement("Write `verify S as NAME`.");
  return close_statement(node, span_from(words.begin));
}

// `take snapshot of S as NAME`; without `as` these words call an action.
const Stmt* Parser::parse_snapshot() {
  const Token words = peek();
  const Expr* keystore = attempt([&]() -> const Expr* {
    take();
    take();
    const Expr* operand = parse_keystore();
    if (!at(Keyword::As)) {
      throw ParseFailure{};
    }
    return operand;
  });
  if (keystore == nullptr) {
    return nullptr;
  }
  take();
  auto* node = make_statement<SnapshotStmt>(words.begin);
  node->keystore = keystore;
  node->result = parse_binder_name(true);
  end_of_keystore_statement("Write `take snapshot of S as NAME`.");
  return close_statement(node, span_from(words.begin));
}

}  // namespace wfl::syntax
