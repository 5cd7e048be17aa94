#include <algorithm>
#include <array>

#include "wfl/syntax/parser_impl.h"

// Which statement it is, and the plain ones: variables, collections, output, modules.

namespace wfl::syntax {

const Stmt* Parser::parse_statement() {
  const NestingScope nesting(*this);
  const Token token = peek();
  if (token.is(TokenKind::Keyword)) {
    if (const Stmt* statement = parse_keyword_statement(token.keyword)) {
      return statement;
    }
  } else if (token.is(TokenKind::Identifier)) {
    return parse_name_statement();
  }
  return parse_expression_statement();
}

// Null when the keyword begins an expression.
const Stmt* Parser::parse_keyword_statement(Keyword keyword) {
  switch (keyword) {
    case Keyword::Store:
      return parse_store();
    case Keyword::Create:
      return parse_create();
    case Keyword::Change:
      return parse_change();
    case Keyword::Add:
      return parse_add();
    case Keyword::Subtract:
    case Keyword::Multiply:
    case Keyword::Divide:
      return parse_arithmetic();
    case Keyword::Remove:
      return parse_remove();
    case Keyword::Clear:
      return parse_clear();
    case Keyword::Push:
      return parse_push();
    case Keyword::Display:
      return parse_display();
    case Keyword::Check:
      return parse_check();
    case Keyword::If:
      return parse_if();
    case Keyword::Route:
      return parse_route();
    case Keyword::For:
      return parse_for_each();
    case Keyword::Count:
      return peek(1).is_name("keys") && peek(2).is(Keyword::In) ? parse_count_keys() : parse_count();
    case Keyword::List:
      return peek(1).starts_with_words("keys") ? parse_list_keys() : nullptr;
    case Keyword::Repeat:
      return parse_repeat();
    case Keyword::Break:
      return make_statement<BreakStmt>(take().begin);
    case Keyword::Continue:
    case Keyword::Skip:
      return make_statement<ContinueStmt>(take().begin);
    case Keyword::Exit:
      return parse_exit();
    case Keyword::Define:
      return parse_define_action();
    case Keyword::Give:
    case Keyword::Return:
      return parse_return();
    case Keyword::Try:
      return parse_try();
    case Keyword::Include:
      return parse_include();
    case Keyword::Load:
      return parse_load_module();
    case Keyword::Export:
      return parse_export();
    case Keyword::Event:
      return parse_event();
    case Keyword::Trigger:
      return parse_trigger();
    case Keyword::On:
      return peek(1).starts_with_words("websocket") ? parse_on_websocket() : parse_on_event();
    case Keyword::Parent:
      return parse_parent_call();
    case Keyword::Open:
      return parse_open();
    case Keyword::Close:
      return parse_close();
    case Keyword::Write:
      return parse_write();
    case Keyword::Delete:
      return parse_delete();
    case Keyword::Execute:
      return parse_execute();
    case Keyword::Spawn:
      return parse_spawn();
    case Keyword::Kill:
      return parse_kill();
    case Keyword::Read:
      if (next_is(Keyword::Output)) {
        return parse_read_output();
      }
      fail_here("`read` alone is no statement", {"Store what you read: `store text as read content from f`.",
                                                 "For a process: `read output from process p as text`."});
    case Keyword::Wait:
      return parse_wait();
    case Keyword::Listen:
      return parse_listen();
    case Keyword::Respond:
      return parse_respond();
    case Keyword::Register:
      return parse_register();
    case Keyword::Stop:
      return parse_stop();
    case Keyword::Start:
      return peek(1).is_name("streaming") ? parse_start_stream() : nullptr;
    case Keyword::In:
      return peek(1).is_name("transaction") ? parse_transaction() : nullptr;
    case Keyword::Back:
      return peek(1).starts_with_words("up") ? parse_back_up() : nullptr;
    case Keyword::Describe:
      return parse_describe();
    case Keyword::Test:
      return parse_test();
    case Keyword::Expect:
      return parse_expect();
    case Keyword::Otherwise:
      fail_here("This `otherwise` belongs to no `check if`, `if`, `route` or `try`", {}, "WFL-P002");
    case Keyword::Catch:
    case Keyword::Finally:
      fail_here("This `" + std::string(language::spelling(keyword)) + "` belongs to no `try`", {}, "WFL-P002");
    default:
      return nullptr;
  }
}

const Stmt* Parser::parse_name_statement() {
  const Token token = peek();  // A copy: trials of keystore forms move the tokens.
  if (const Stmt* statement = parse_keystore_name_statement()) {
    return statement;
  }
  if (token.starts_with_words("send websocket message") || token.starts_with_words("broadcast websocket message")) {
    return parse_websocket_message();
  }
  if (token.is_name("connect") && next_is(Keyword::To) && peek(2).is(Keyword::Database)) {
    const std::uint32_t begin = take().begin;
    take();
    return parse_open_database(begin);
  }
  if ((token.is_name("copy_file") || token.is_name("move_file")) && next_is(Keyword::From)) {
    return parse_copy_or_move();
  }
  if ((token.is_name("makedirs") || token.is_name("remove_file") || token.is_name("remove_dir") ||
       token.is_name("delete_file")) &&
      (peek(1).is(TokenKind::Text) || next_is(Keyword::At))) {
    return parse_directory_command();
  }
  if (token.is_name("main") && next_is(Keyword::Loop)) {
    return parse_main_loop();
  }
  return parse_expression_statement();
}

const Stmt* Parser::parse_expression_statement() {
  const Token first = peek();
  const Expr* value = parse_expression();
  if (first.is(TokenKind::Identifier) && value->kind == ExprKind::Variable) {
    bare_name_ = {first.text, value->span};
  }
  return make_expression_statement(value);
}

// ---- Names ----

// One name token.
Name Parser::parse_name(std::string_view where) {
  // A word that joins the parts of a statement stands where the name was forgotten; any other was meant as the name.
  constexpr auto kJoining = std::to_array<Keyword>({Keyword::In, Keyword::As, Keyword::From, Keyword::To, Keyword::With,
                                                    Keyword::And, Keyword::Of, Keyword::By, Keyword::Needs});
  if (at(TokenKind::Keyword) && std::ranges::find(kJoining, peek().keyword) == kJoining.end()) {
    const std::string word(peek().text);
    std::string other = "my_" + word;
    if (const Token& next = peek(1); next.is(TokenKind::Identifier)) {  // `add person` was meant as one name.
      other = word + "_" + std::string(next.text.substr(0, next.text.find(' ')));
    }
    fail_expected("a name " + std::string(where),
                  {"`" + word + "` is a word of WFL. Choose another name, such as `" + other + "`."});
  }
  if (!at(TokenKind::Identifier)) {
    fail_expected("a name " + std::string(where));
  }
  return name_of(take());
}

// Several name tokens can only follow each other where the lexer could not merge them; they make one name.
Name Parser::parse_names(std::string_view where) {
  return parse_name(where);
}

// The name behind `as` of a binder: an identifier or a contextual keyword.
Name Parser::parse_binder_name(bool also_store) {
  const Token token = peek();
  if (token.is(TokenKind::Identifier)) {
    return name_of(take());
  }
  if (token.is(TokenKind::Keyword)) {
    const auto& word = language::info(token.keyword);
    if ((also_store && token.is(Keyword::Store)) || (word.contextual && !word.structural)) {
      take();
      if (at(TokenKind::Identifier)) {  // `list keys` and the like: the words make one name.
        const Token rest = take();
        return {arena_.copy(std::string(token.text) + " " + std::string(rest.text)),
                {source_.id(), token.begin, rest.end}};
      }
      return name_of(token);
    }
    fail_here("`" + std::string(token.text) + "` is a word of WFL and can't be a name here", {"Choose another name."},
              "WFL-P003");
  }
  fail_expected("a name after `as`");
}

Name Parser::parse_as_name(std::string_view where) {
  expect(Keyword::As, where);
  return parse_binder_name();
}

// The name of `store … as` and `create … as`: an identifier or a contextual keyword, then identifiers, up to `as`.
Name Parser::parse_declared_name() {
  const Token first = peek();
  std::string joined;
  if (first.is(TokenKind::Integer) || first.is(TokenKind::Float)) {
    fail_here("Cannot use a number as a variable name: " + std::string(first.text), {}, "WFL-P003");
  }
  if (first.is(Keyword::As)) {
    fail_here("Expected a variable name before `as`", {}, "WFL-P003");
  }
  if (first.is(TokenKind::Keyword)) {
    const auto& word = language::info(first.keyword);
    if (word.structural) {
      fail_here("Cannot use reserved keyword '" + std::string(first.text) + "' as a variable name",
                {"Choose another name, such as `my_" + std::string(first.text) + "`."}, "WFL-P003");
    }
    if (!word.contextual) {
      fail_here("Expected identifier for variable name, found `" + std::string(first.text) + "`",
                {"`" + std::string(first.text) + "` is a word of WFL. Choose another name, such as `my_" +
                 std::string(first.text) + "`."},
                "WFL-P003");
    }
  } else if (!first.is(TokenKind::Identifier)) {
    fail_here("Expected identifier for variable name, found " + describe(first),
              {"A variable is made with `store NAME as VALUE`."}, "WFL-P003");
  }
  take();
  if (!at(TokenKind::Identifier)) {
    return name_of(first);
  }
  joined = first.text;
  while (at(TokenKind::Identifier)) {
    joined += " ";
    joined += take().text;
  }
  return {arena_.copy(joined), span_from(first.begin)};
}

// ---- Variables ----

// A name directly followed by `as`, or `new constant`: never a keystore statement.
bool Parser::at_declaration() const {
  const Token& first = peek(1);
  if (first.is(Keyword::New)) {
    return peek(2).is(Keyword::Constant) || peek(2).is(Keyword::As) || peek(2).is(TokenKind::Identifier);
  }
  if (!first.is(TokenKind::Identifier) && !(first.is(TokenKind::Keyword) && language::info(first.keyword).contextual)) {
    return false;
  }
  unsigned n = 2;
  while (peek(n).is(TokenKind::Identifier)) {
    ++n;
  }
  return peek(n).is(Keyword::As);
}

bool Parser::line_has(Keyword keyword) const {
  int depth = 0;
  for (std::uint32_t i = at_;; i = tokens_[i].next) {
    const Token& token = tokens_[i];
    switch (token.kind) {
      case TokenKind::EndOfLine:
      case TokenKind::EndOfFile:
        return false;
      case TokenKind::LeftParen:
      case TokenKind::LeftBracket:
        ++depth;
        break;
      case TokenKind::RightParen:
      case TokenKind::RightBracket:
        --depth;
        break;
      default:
        if (depth <= 0 && token.is(keyword)) {
          return true;
        }
    }
  }
}

const Stmt* Parser::parse_store() {
  return at_declaration() ? parse_declaration() : parse_put();
}

const Stmt* Parser::parse_declaration() {
  const Token verb = take();
  const bool with_create = verb.is(Keyword::Create);
  bool is_constant = false;
  if (!with_create && at(Keyword::New)) {
    take();
    expect(Keyword::Constant, "after `new`");
    is_constant = true;
  }
  const Name name = parse_declared_name();
  if (!at(Keyword::As)) {
    if (with_create && name.text == "keystore") {
      fail_expected("`at` or `as` after `create keystore`",
                    {"A keystore is made with `create keystore at PATH as NAME`."});
    }
    fail_here("Expected `as` after the variable name '" + std::string(name.text) + "', but found " + describe(peek()));
  }
  take();
  if (at_end_of_line()) {
    fail_expected("a value after `as`");
  }
  // What people write to keep the result of a keystore statement.
  const bool is_keys =
      (at(Keyword::List) || at(Keyword::Count)) && peek(1).starts_with_words("keys") && peek(2).is(Keyword::In);
  if (is_keys) {
    const std::string word(peek().text);
    fail_here("`" + word + " keys` is a statement of its own",
              {"Write `" + word + " keys in S as " + std::string(name.text) + "`."}, "WFL-P006");
  }
  const Expr* value = nullptr;
  if (at_database_query()) {
    value = parse_database_query();
  } else {
    const Token first = peek();
    value = parse_expression();
    if (at(Keyword::From) && (first.is_name("get value") || first.is_name("get statistics"))) {
      fail(span_of(first), "`" + std::string(first.text) + "` is a statement of its own",
           {first.is_name("get value") ? "Write `get value from S with key K as " + std::string(name.text) + "`."
                                       : "Write `get statistics from S as " + std::string(name.text) + "`."},
           "WFL-P006");
    }
  }
  auto* node = make_statement<StoreStmt>(verb.begin);
  node->name = name;
  node->value = value;
  node->is_constant = is_constant;
  node->with_create = with_create;
  return node;
}

const Stmt* Parser::parse_create() {
  const Token& behind = peek(1);
  if (behind.is_name("keystore") && peek(2).is(Keyword::At)) {
    return parse_create_keystore();
  }
  if (behind.is(TokenKind::Keyword)) {
    switch (behind.keyword) {
      case Keyword::Container:
        return parse_create_container();
      case Keyword::Interface:
        return parse_create_interface();
      case Keyword::New:
        return parse_create_instance();
      case Keyword::Pattern:
        return parse_create_pattern();
      case Keyword::Directory:
        return parse_create_directory();
      case Keyword::File:
        return parse_create_file();
      case Keyword::List:
        return parse_create_list();
      case Keyword::Map:
        return parse_create_map();
      case Keyword::Date:
      case Keyword::Time:
        return parse_create_date_or_time();
      default:
        break;
    }
  }
  return parse_declaration();
}

const Stmt* Parser::parse_change() {
  if (peek(1).is_name("encryption key") && peek(2).is(Keyword::Of)) {
    return parse_change_encryption_key();
  }
  const Token verb = take();
  std::string joined;
  const std::uint32_t begin = peek().begin;
  while (at(TokenKind::Identifier) || (at(TokenKind::Keyword) && language::info(peek().keyword).contextual)) {
    joined += joined.empty() ? "" : " ";
    joined += take().text;
  }
  if (joined.empty()) {
    fail_expected("the name of a variable after `change`");
  }
  const Name name{arena_.copy(joined), span_from(begin)};
  if (!at(Keyword::To)) {
    fail_expected(
        "`to` after the variable name '" + joined + "'",
        {at(Keyword::As) ? "`change` uses `to`: `change " + joined + " to …`." : "Write `change NAME to VALUE`."});
  }
  take();
  const Expr* value = parse_expression();
  auto* node = make_statement<ChangeStmt>(verb.begin);
  node->name = name;
  node->value = value;
  return node;
}

const Stmt* Parser::parse_arithmetic() {
  const Token verb = take();
  ArithmeticOp op = ArithmeticOp::Subtract;
  Name name;
  const Expr* value = nullptr;
  if (verb.is(Keyword::Subtract)) {
    value = parse_expression();
    expect(Keyword::From, "after the value of `subtract`");
    name = parse_name("of a variable after `from`");
  } else {
    op = verb.is(Keyword::Multiply) ? ArithmeticOp::Multiply : ArithmeticOp::Divide;
    name = parse_name("of a variable after `" + std::string(verb.text) + "`");
    expect(Keyword::By, "after the name of the variable");
    value = parse_expression();
  }
  auto* node = make_statement<ArithmeticStmt>(verb.begin);
  node->op = op;
  node->name = name;
  node->value = value;
  return node;
}

// ---- Collections ----

const Stmt* Parser::parse_add() {
  const Token verb = take();
  const Expr* value = parse_expression();
  expect(Keyword::To, "after the value of `add`");
  const Name name = parse_name("of a variable after `to`");
  auto* node = make_statement<AddToStmt>(verb.begin);
  node->name = name;
  node->value = value;
  return node;
}

const Stmt* Parser::parse_remove() {
  const Token& behind = peek(1);
  if ((behind.is_name("keys starting") && peek(2).is(Keyword::With)) || behind.starts_with_words("all keys")) {
    return parse_remove_keys();
  }
  if (behind.starts_with_words("key") && !(behind.text == "key" && peek(2).is(Keyword::From))) {
    return parse_remove_key();
  }
  return parse_remove_from_list();
}

const Stmt* Parser::parse_remove_from_list() {
  const Token verb = take();
  const Expr* value = parse_expression();
  expect(Keyword::From, "after the value of `remove`");
  const Name name = at(Keyword::Store) ? name_of(take()) : parse_name("of a list after `from`");
  auto* node = make_statement<RemoveFromStmt>(verb.begin);
  node->value = value;
  node->name = name;
  return node;
}

const Stmt* Parser::parse_clear() {
  const Token verb = take();
  const Name name = parse_name("of a list after `clear`");
  eat(Keyword::List);
  auto* node = make_statement<ClearStmt>(verb.begin);
  node->name = name;
  return node;
}

const Stmt* Parser::parse_push() {
  const Token verb = take();
  expect(Keyword::With, "after `push`");
  const Expr* list = parse_primary();
  expect(Keyword::And, "between the list and the value");
  const Expr* value = parse_expression();
  auto* node = make_statement<PushStmt>(verb.begin);
  node->list = list;
  node->value = value;
  return node;
}

const Stmt* Parser::parse_create_list() {
  const Token verb = take();
  take();
  if (eat(Keyword::As)) {
    const Name name = parse_name("after `as`");
    auto* node = make_statement<CreateListStmt>(verb.begin);
    node->name = name;
    return node;
  }
  Name name;
  std::vector<const Expr*> items;
  SourceSpan head;
  header([&] {
    name = parse_name("after `create list`");
    expect(TokenKind::Colon, ":", "after the name of the list");
    head = span_from(verb.begin);
  });
  head = span_from(verb.begin);
  const BlockScope block(*this, "list", head);
  for (skip_lines(); !at_stop(kEnd); skip_lines()) {
    const std::uint32_t start = at_;
    try {
      expect(Keyword::Add, "before an element, or `end list`");
      items.push_back(parse_expression());
    } catch (const ParseFailure&) {
      if (at_ == start && !at_end_of_line()) {
        take();
      }
      recover();
    }
  }
  close_block();
  auto* node = make_statement<CreateListStmt>(verb.begin);
  node->name = name;
  node->items = arena_.copy(items);
  return close_statement(node, head);
}

const Stmt* Parser::parse_create_map() {
  const Token verb = take();
  take();
  Name name;
  std::vector<MapEntry> entries;
  header([&] {
    name = parse_name("after `create map`");
    expect(TokenKind::Colon, ":", "after the name of the map");
  });
  const SourceSpan head = span_from(verb.begin);
  const BlockScope block(*this, "map", head);
  for (skip_lines(); !at_stop(kEnd); skip_lines()) {
    const std::uint32_t start = at_;
    try {
      if (!at(TokenKind::Identifier) && !at(TokenKind::Text)) {
        fail_expected("a key (a name or a text), or `end map`",
                      {"A key that is a word of WFL stands in quotes: `\"" + std::string(peek().text) + "\" is …`."});
      }
      const Token key = take();
      if (!eat(Keyword::Is)) fail_expected("`is` after the key", {"Write `KEY is VALUE`, one a line."});
      entries.push_back({key.text, span_of(key), parse_expression()});
    } catch (const ParseFailure&) {
      if (at_ == start && !at_end_of_line()) {
        take();
      }
      recover();
    }
  }
  close_block();
  auto* node = make_statement<CreateMapStmt>(verb.begin);
  node->name = name;
  node->entries = arena_.copy(entries);
  return close_statement(node, head);
}

const Stmt* Parser::parse_create_date_or_time() {
  const Token verb = take();
  const bool is_date = take().is(Keyword::Date);
  const Name name = parse_name(is_date ? "after `create date`" : "after `create time`");
  const Expr* value = eat(Keyword::As) ? parse_expression() : nullptr;
  if (is_date) {
    auto* node = make_statement<CreateDateStmt>(verb.begin);
    node->name = name;
    node->value = value;
    return node;
  }
  auto* node = make_statement<CreateTimeStmt>(verb.begin);
  node->name = name;
  node->value = value;
  return node;
}

// ---- Output and modules ----

const Stmt* Parser::parse_display() {
  const Token verb = take();
  if (at_end_of_line()) {
    fail_expected("a value after `display`", {"For an empty line write `display \"\"`."});
  }
  std::vector<const Expr*> values{parse_expression()};
  while (starts_display_value()) {
    values.push_back(parse_expression());
  }
  auto* node = make_statement<DisplayStmt>(verb.begin);
  node->values = arena_.copy(values);
  return node;
}

const Stmt* Parser::parse_include() {
  const Token verb = take();
  expect(Keyword::From, "after `include`");
  const Expr* path = parse_expression();
  auto* node = make_statement<IncludeStmt>(verb.begin);
  node->path = path;
  return node;
}

const Stmt* Parser::parse_load_module() {
  const Token verb = take();
  expect(Keyword::Module, "after `load`");
  expect(Keyword::From, "after `module`");
  const Expr* path = parse_expression();
  if (at(Keyword::As)) {
    fail_here("A module can't get another name here", {"Write `load module from \"path\"`."});
  }
  auto* node = make_statement<LoadModuleStmt>(verb.begin);
  node->path = path;
  return node;
}

const Stmt* Parser::parse_export() {
  const Token verb = take();
  ExportKind what = ExportKind::Container;
  if (eat(Keyword::Action)) {
    what = ExportKind::Action;
  } else if (eat(Keyword::Constant)) {
    what = ExportKind::Constant;
  } else {
    expect(Keyword::Container, "(or `action` or `constant`) after `export`");
  }
  const Name name = parse_name("of what to export");
  auto* node = make_statement<ExportStmt>(verb.begin);
  node->what = what;
  node->name = name;
  return node;
}

}  // namespace wfl::syntax
