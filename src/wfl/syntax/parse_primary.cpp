#include <algorithm>
#include <array>

#include "wfl/syntax/parser_impl.h"

// Operands (reference 3.2 and 3.4): literals, names, the special forms, and what may follow them.

namespace wfl::syntax {

namespace {

// Keywords that read a variable of their name when they stand as an operand, beside the contextual ones.
constexpr auto kReadable =
    std::to_array<Keyword>({Keyword::Loop, Keyword::Output, Keyword::Repeat, Keyword::Exit, Keyword::Back, Keyword::Try,
                            Keyword::When, Keyword::Error, Keyword::File, Keyword::Directory, Keyword::Store});

bool is_readable(Keyword keyword) {
  return language::info(keyword).contextual || std::ranges::find(kReadable, keyword) != kReadable.end();
}

}  // namespace

bool Parser::can_start_operand(const Token& token) {
  switch (token.kind) {
    case TokenKind::LeftBracket:
    case TokenKind::LeftParen:
    case TokenKind::Text:
    case TokenKind::Integer:
    case TokenKind::Float:
    case TokenKind::Boolean:
    case TokenKind::Nothing:
    case TokenKind::Identifier:
    case TokenKind::Minus:
      return true;
    case TokenKind::Keyword:
      break;
    default:
      return false;
  }
  switch (token.keyword) {
    case Keyword::Call:
    case Keyword::Not:
    case Keyword::With:
    case Keyword::Process:
    case Keyword::Header:
    case Keyword::Current:
    case Keyword::Find:
    case Keyword::Replace:
    case Keyword::Split:
      return true;
    default:
      return is_readable(token.keyword);
  }
}

// Whether another value of the same `display` starts here.
bool Parser::starts_display_value() const {
  const Token& token = peek();
  if (!can_start_operand(token) || token.is(TokenKind::Minus) || token.is(TokenKind::LeftBracket)) {
    return false;
  }
  if (!token.is(TokenKind::Keyword)) {
    return true;
  }
  switch (token.keyword) {
    case Keyword::Store:
    case Keyword::Loop:
    case Keyword::Exit:
    case Keyword::Repeat:
    case Keyword::Try:
    case Keyword::When:
    case Keyword::Create:
    case Keyword::Change:
    case Keyword::Push:
    case Keyword::Parent:
    case Keyword::Skip:
    case Keyword::Give:
    case Keyword::With:
    case Keyword::Find:
    case Keyword::Replace:
    case Keyword::Split:
      return false;
    case Keyword::Count:
      return !next_is(Keyword::From) && !(peek(1).is_name("keys") && peek(2).is(Keyword::In));
    case Keyword::Read:
      return !next_is(Keyword::Output);
    default:
      return true;
  }
}

const Expr* Parser::parse_primary() {
  const NestingScope nesting(*this);
  bool takes_postfix = true;
  const Expr* expr = parse_primary_lead(takes_postfix);
  return takes_postfix ? parse_postfix(expr) : expr;
}

const Expr* Parser::parse_primary_lead(bool& takes_postfix) {
  const Token token = peek();
  switch (token.kind) {
    case TokenKind::LeftBracket:
      return parse_list_literal();
    case TokenKind::LeftParen:
      return parse_parenthesized();
    case TokenKind::Text: {
      take();
      auto* node = make<TextExpr>(token.begin);
      node->value = token.text;
      return node;
    }
    case TokenKind::Integer:
    case TokenKind::Float: {
      take();
      auto* node = make<NumberExpr>(token.begin);
      node->value = token.number;
      node->is_integer = token.is(TokenKind::Integer);
      return node;
    }
    case TokenKind::Boolean: {
      take();
      auto* node = make<BooleanExpr>(token.begin);
      node->value = token.number != 0;
      return node;
    }
    case TokenKind::Nothing:
      take();
      return make<NothingExpr>(token.begin);
    case TokenKind::Identifier:
      take();
      return make_variable(token.text, span_of(token));
    case TokenKind::Minus: {
      take();
      const Expr* operand = parse_primary();
      auto* node = make<UnaryExpr>(token.begin);
      node->op = UnaryOp::Minus;
      node->operand = operand;
      takes_postfix = false;
      return finish(node, {operand});
    }
    case TokenKind::Keyword:
      return parse_keyword_primary(takes_postfix);
    case TokenKind::EndOfLine:
    case TokenKind::EndOfFile:
      fail_expected("a value");
    default:
      fail_expected("a value, such as a name, a number or a text");
  }
}

const Expr* Parser::parse_keyword_primary(bool& takes_postfix) {
  const Token token = peek();
  switch (token.keyword) {
    case Keyword::Call:
      takes_postfix = false;
      return parse_call_action();
    case Keyword::Not: {
      take();
      const Expr* operand = parse_primary();
      auto* node = make<UnaryExpr>(token.begin);
      node->op = UnaryOp::Not;
      node->operand = operand;
      takes_postfix = false;
      return finish(node, {operand});
    }
    case Keyword::With:  // A leading `with` changes nothing.
      take();
      takes_postfix = false;
      return parse_expression();
    case Keyword::Pattern:
      if (peek(1).is(TokenKind::Text)) {
        take();
        const Token text = take();
        auto* node = make<PatternTextExpr>(token.begin);
        node->text = text.text;
        takes_postfix = false;
        return node;
      }
      break;
    case Keyword::File:
    case Keyword::Directory:
      if (next_is(Keyword::Exists)) {
        take();
        take();
        expect(Keyword::At, "after `exists`");
        const Expr* path = parse_primary();
        takes_postfix = false;
        if (token.is(Keyword::File)) {
          auto* node = make<FileExistsExpr>(token.begin);
          node->path = path;
          return finish(node, {path});
        }
        auto* node = make<DirectoryExistsExpr>(token.begin);
        node->path = path;
        return finish(node, {path});
      }
      if (token.is(Keyword::File) && peek(1).is_name("size")) {
        take();
        take();
        expect(Keyword::Of, "after `file size`");
        const Expr* file = parse_primary();
        auto* node = make<FileSizeExpr>(token.begin);
        node->file = file;
        takes_postfix = false;
        return finish(node, {file});
      }
      break;
    case Keyword::Process: {
      take();
      const Expr* process = parse_primary();
      expect(Keyword::Is, "running after the process");
      expect(Keyword::Running, "after `is`");
      auto* node = make<ProcessRunningExpr>(token.begin);
      node->process = process;
      takes_postfix = false;
      return finish(node, {process});
    }
    case Keyword::Header: {
      take();
      if (!at(TokenKind::Text)) {
        fail_expected("the name of the header as a text, such as `header \"Accept\" of request`");
      }
      const Token name = take();
      expect(Keyword::Of, "after the name of the header");
      const Expr* request = parse_primary();
      auto* node = make<HeaderExpr>(token.begin);
      node->header = name.text;
      node->request = request;
      takes_postfix = false;
      return finish(node, {request});
    }
    case Keyword::Current:
      takes_postfix = false;
      return parse_current_time();
    case Keyword::List:
      if (next_is(Keyword::Files)) {
        takes_postfix = false;
        return parse_list_files();
      }
      break;
    case Keyword::Read:
      if (const Expr* node = parse_read_primary()) {
        takes_postfix = false;
        return node;
      }
      break;
    case Keyword::Find: {
      take();
      const Expr* pattern = parse_expression();
      expect(Keyword::In, "after what to find");
      const Expr* text = parse_expression();
      auto* node = make<FindExpr>(token.begin);
      node->text = text;
      node->pattern = pattern;
      return finish(node, {text, pattern});
    }
    case Keyword::Replace: {
      take();
      const Expr* pattern = parse_primary();
      expect(Keyword::With, "after what to replace");
      const Expr* replacement = parse_expression();
      expect(Keyword::In, "after the replacement");
      const Expr* text = parse_expression();
      auto* node = make<ReplaceExpr>(token.begin);
      node->text = text;
      node->pattern = pattern;
      node->replacement = replacement;
      return finish(node, {text, pattern, replacement});
    }
    case Keyword::Split:
      return parse_split_primary();
    case Keyword::Create:
      if (next_is(Keyword::List)) {
        take();
        take();
        takes_postfix = false;
        return make<ListExpr>(token.begin);
      }
      break;
    case Keyword::Contains: {
      const Token& behind = peek(1);
      if (behind.is(Keyword::Of) || behind.is(TokenKind::EndOfLine) || behind.is(TokenKind::EndOfFile) ||
          behind.is(Keyword::With) || behind.is(Keyword::And) || behind.is(TokenKind::Colon)) {
        break;  // A variable or the built-in of that name.
      }
      take();
      const Expr* item = parse_primary();
      expect(Keyword::In, "after what to look for");
      const Expr* container = parse_primary();
      auto* node = make<CallExpr>(token.begin);
      node->form = CallForm::Of;
      node->name = name_of(token);
      const Argument arguments[] = {{{}, container}, {{}, item}};
      node->arguments = arena_.copy(std::vector<Argument>(std::begin(arguments), std::end(arguments)));
      return finish(node, {container, item});
    }
    default:
      break;
  }
  if (is_readable(token.keyword)) {
    take();
    return make_variable(token.text, span_of(token));
  }
  if (language::info(token.keyword).structural) {
    fail_expected("a value");
  }
  fail_expected("a value", {"`" + std::string(token.text) + "` is a word of WFL and can't be a name here."});
}

// ---- What follows an operand ----

const Expr* Parser::parse_postfix(const Expr* expr) {
  // Behind `.name` and behind brackets of a member, `[` must touch to be an index; `display alice.name [1, 2]` has two
  // values.
  bool after_member = false;
  // A list, something in parentheses: `[` and `.` must touch these too.
  const bool closed = expr->kind != ExprKind::Variable;
  while (true) {
    const Token token = peek();
    const bool touches = token.begin == last_end_;
    if (token.is(TokenKind::Integer)) {
      const bool indexable = expr->kind == ExprKind::Variable || expr->kind == ExprKind::Index ||
                             (expr->kind == ExprKind::Call && as<CallExpr>(*expr).form == CallForm::Of);
      if (!indexable || after_member) {
        return expr;
      }
      take();
      auto* number = make<NumberExpr>(token.begin);
      number->value = token.number;
      number->is_integer = true;
      auto* node = make<IndexExpr>(expr->span.begin);
      node->form = IndexForm::Direct;
      node->collection = expr;
      node->index = number;
      expr = finish(node, {expr, number});
    } else if (token.is(Keyword::At)) {
      take();
      const Expr* index = parse_expression();
      auto* node = make<IndexExpr>(expr->span.begin);
      node->form = IndexForm::At;
      node->collection = expr;
      node->index = index;
      expr = finish(node, {expr, index});
    } else if (token.is(TokenKind::LeftBracket)) {
      if ((after_member || closed) && !touches) {
        return expr;
      }
      expr = parse_index(expr);
    } else if (token.is(TokenKind::Dot)) {
      if (closed && !touches && expr->kind != ExprKind::Property && expr->kind != ExprKind::Index) {
        return expr;
      }
      expr = parse_member(expr);
      after_member = true;
    } else if (token.is(Keyword::Of)) {
      if (expr->kind != ExprKind::Variable && expr->kind != ExprKind::Call) {
        fail_here("Only a name can stand in front of `of`", {"Store this value in a variable first."});
      }
      expr = parse_of_call(expr);
    } else {
      return expr;
    }
  }
}

const Expr* Parser::parse_index(const Expr* collection) {
  const Token open = take();
  const ModeScope scope(*this, {});
  const Expr* index = parse_expression();
  if (!eat(TokenKind::RightBracket)) {
    fail(join(span_of(open), span_of(peek())),
         "This index is never closed: I expected `]`, but found " + describe(peek()));
  }
  auto* node = make<IndexExpr>(collection->span.begin);
  node->form = IndexForm::Bracket;
  node->collection = collection;
  node->index = index;
  return finish(node, {collection, index});
}

// `.name` or `.name(a, b)`
const Expr* Parser::parse_member(const Expr* object) {
  take();
  if (!at(TokenKind::Identifier) && !at(Keyword::Status)) {
    fail_expected("the name of a property or an action after `.`");
  }
  const Name name = name_of(take());
  if (!at(TokenKind::LeftParen)) {
    auto* node = make<PropertyExpr>(object->span.begin);
    node->object = object;
    node->name = name;
    return finish(node, {object});
  }
  const Token open = take();
  const ModeScope scope(*this, {});
  std::vector<const Expr*> arguments;
  if (!at(TokenKind::RightParen)) {
    do {
      arguments.push_back(parse_expression());
    } while (eat(TokenKind::Comma));
  }
  if (!eat(TokenKind::RightParen)) {
    fail(join(span_of(open), span_of(peek())),
         "I expected `,` or `)` after an argument, but found " + describe(peek()));
  }
  auto* node = make<MethodCallExpr>(object->span.begin);
  node->object = object;
  node->name = name;
  node->arguments = arena_.copy(arguments);
  deepen(node, object);
  return finish(node, node->arguments);
}

// ---- Special forms ----

const Expr* Parser::parse_list_literal() {
  const Token open = take();
  const ModeScope scope(*this, {});
  std::vector<const Expr*> items;
  if (!at(TokenKind::RightBracket)) {
    while (true) {
      items.push_back(parse_primary());
      if (at(TokenKind::RightBracket)) {
        break;
      }
      if (!at(TokenKind::Comma) && !at(TokenKind::Colon) && !at(Keyword::And)) {
        fail_here("I expected `,`, `and` or `]` in this list, but found " + describe(peek()),
                  {at_end_of_line() ? "A list ends on the line on which it begins: close it with `]`."
                                    : "Elements that are calculated stand in parentheses: `[(a plus 1), b]`."});
      }
      take();
    }
  }
  take();
  auto* node = make<ListExpr>(open.begin);
  node->items = arena_.copy(items);
  return finish(node, node->items);
}

const Expr* Parser::parse_parenthesized() {
  const Token open = take();
  const ModeScope scope(*this, {});
  const Expr* inner = parse_expression();
  if (!eat(TokenKind::RightParen)) {
    fail(join(span_of(open), span_of(peek())),
         "This parenthesis is never closed: I expected `)`, but found " + describe(peek()));
  }
  return inner;
}

const Expr* Parser::parse_call_action() {
  const Token word = take();
  if (!at(TokenKind::Identifier)) {
    fail_expected("the name of an action after `call`");
  }
  const Name name = name_of(take());
  std::span<const Argument> arguments;
  if (at(Keyword::With) && !(mode_.stop_at_key_clause && at_key_clause()) && !mode_.operand) {
    take();
    arguments = parse_arguments();
  } else if (at(Keyword::With) && mode_.operand && mode_.stop_at_option && is_option_word(peek(1))) {
    // `open keystore at call folder with compression`: the options are not its arguments.
  } else if (at(Keyword::With) && mode_.operand) {
    take();
    // Arguments end where the operand would: `and` still separates them.
    std::vector<Argument> list;
    do {
      list.push_back({{}, parse_binary(2)});
    } while (!stops_operators() && eat(Keyword::And));
    arguments = arena_.copy(list);
  }
  auto* node = make<CallExpr>(word.begin);
  node->form = CallForm::Call;
  node->name = name;
  node->arguments = arguments;
  for (const Argument& argument : arguments) {
    deepen(node, argument.value);
  }
  return node;
}

const Expr* Parser::parse_current_time() {
  const Token word = take();
  expect(Keyword::Time, "after `current`");
  if (eat(Keyword::In)) {
    expect(Keyword::Milliseconds, "after `current time in`");
    return make<CurrentMillisecondsExpr>(word.begin);
  }
  if (!eat(Keyword::Formatted)) {
    fail_expected("`in milliseconds` or `formatted as` after `current time`");
  }
  expect(Keyword::As, "after `formatted`");
  if (!at(TokenKind::Text)) {
    fail_expected("the format as a text, such as \"yyyy-MM-dd\"");
  }
  const Token format = take();
  auto* node = make<CurrentFormattedExpr>(word.begin);
  node->format = format.text;
  return node;
}

const Expr* Parser::parse_list_files() {
  const Token word = take();
  take();
  bool recursive = eat(Keyword::Recursively);
  expect(Keyword::In, "after `list files`");
  const Expr* path = parse_primary();
  recursive = eat(Keyword::Recursively) || recursive;
  const bool filtered = at(Keyword::With) && !(mode_.stop_at_key_clause && at_key_clause());
  ExprList extensions;
  if (filtered) {
    take();
    extensions = parse_extension_filter();
  }
  auto* node = make<ListFilesExpr>(word.begin);
  node->path = path;
  node->recursive = recursive;
  node->filtered = filtered;
  node->extensions = extensions;
  deepen(node, path);
  return finish(node, extensions);
}

ExprList Parser::parse_extension_filter() {
  if (!at(Keyword::Extension) && !at(Keyword::Extensions) && !at(Keyword::Pattern)) {
    fail_expected("`extension`, `extensions` or `pattern` after `with`");
  }
  const bool several = take().is(Keyword::Extensions);
  const Expr* value = parse_primary();
  if (const auto* list = try_as<ListExpr>(value); list != nullptr && several) {
    return list->items;
  }
  return arena_.copy(std::vector<const Expr*>{value});
}

// `read content from F`, `read binary from F`, `read N bytes from F`; null when `read` is a variable here.
const Expr* Parser::parse_read_primary() {
  const Token word = peek();
  const Token behind = peek(1);
  if (behind.is(Keyword::Content) || behind.is(Keyword::Binary)) {
    take();
    take();
    expect(Keyword::From, "after `read " + std::string(behind.text) + "`");
    const Expr* file = parse_primary();
    if (behind.is(Keyword::Content)) {
      auto* node = make<ReadContentExpr>(word.begin);
      node->file = file;
      return finish(node, {file});
    }
    auto* node = make<ReadBinaryExpr>(word.begin);
    node->file = file;
    return finish(node, {file});
  }
  if (!behind.is(TokenKind::Integer) && !behind.is(TokenKind::Identifier)) {
    return nullptr;
  }
  // A trial inside a trial inside … would double the work with each level, so it stops at a few.
  if (read_trials_ >= 4) {
    return nullptr;
  }
  ++read_trials_;
  const Expr* count = attempt([this]() -> const Expr* {
    take();
    const Expr* value = parse_primary();
    if (!at(Keyword::Bytes)) {
      throw ParseFailure{};
    }
    return value;
  });
  --read_trials_;
  if (count == nullptr) {
    return nullptr;
  }
  take();
  expect(Keyword::From, "after `bytes`");
  const Expr* file = parse_primary();
  auto* node = make<ReadBinaryExpr>(word.begin);
  node->file = file;
  node->count = count;
  return finish(node, {file, count});
}

const Expr* Parser::parse_split_primary() {
  const Token word = take();
  eat(Keyword::Of);
  const Expr* text = parse_expression();
  const bool on_pattern = at(Keyword::On);
  if (!on_pattern && !at(Keyword::By)) {
    fail_expected("`by` or `on pattern` after the text to split");
  }
  take();
  if (on_pattern) {
    expect(Keyword::Pattern, "after `on`");
  }
  const Expr* separator = parse_expression();
  auto* node = make<SplitExpr>(word.begin);
  node->on_pattern = on_pattern;
  node->text = text;
  node->separator = separator;
  return finish(node, {text, separator});
}

// `query db with …`, `execute db with …` at the start of a value.
bool Parser::at_database_query() const {
  if (at(Keyword::Execute)) {
    return peek(1).is(TokenKind::Identifier) && peek(2).is(Keyword::With);
  }
  return peek().starts_with_words("query") && !at_name("query") && next_is(Keyword::With);
}

const Expr* Parser::parse_database_query() {
  const Token word = peek();
  if (word.is(TokenKind::Identifier)) {
    split(at_, 1);
  }
  take();
  const Expr* database = parse_primary();
  expect(Keyword::With, "after the database");
  const Expr* sql = parse_primary();
  const Expr* parameters = nullptr;
  if (at(Keyword::And) && next_is(Keyword::Parameters)) {
    take();
    take();
    parameters = parse_primary();
  }
  auto* node = make<DatabaseQueryExpr>(word.begin);
  node->returns_rows = word.is(TokenKind::Identifier);
  node->database = database;
  node->sql = sql;
  node->parameters = parameters;
  return finish(node, {database, sql, parameters});
}

// `Prim { with Prim }`: a path, joined without other operators.
const Expr* Parser::parse_path() {
  std::vector<const Expr*> parts{parse_primary()};
  while (eat(Keyword::With)) {
    parts.push_back(parse_primary());
  }
  return parts.size() == 1 ? parts.front() : make_concat(parts);
}

}  // namespace wfl::syntax
