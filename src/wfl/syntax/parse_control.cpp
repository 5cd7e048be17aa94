#include "wfl/syntax/parser_impl.h"

// Conditions, loops, actions, errors, tests: the statements with bodies.

namespace wfl::syntax {

// ---- Conditions ----

// `check if … otherwise check if … otherwise … end check`: one chain with one closer, read by a loop.
const Stmt* Parser::parse_check() {
  const std::uint32_t begin = peek().begin;
  if (!next_is(Keyword::If) && !line_ends_with_colon() && !is_ended_by(Keyword::Check)) {  // As in parse_count.
    take();
    expect(Keyword::If, "after `check`");
  }
  std::vector<IfBranch> branches;
  Block otherwise;
  bool has_otherwise = false;
  SourceSpan head;
  const auto parse_branch = [&] {
    IfBranch branch;
    header([&] {
      take();  // `check`
      expect(Keyword::If, "after `check`");
      branch.condition = parse_expression();
      optional_colon();
    });
    if (branches.empty()) {
      head = span_from(begin);
      open_blocks_.back().head = head;
    }
    branch.body = parse_body(kOtherwise);
    branches.push_back(branch);
  };
  const BlockScope block(*this, "check", span_of(peek()));
  parse_branch();
  while (at(Keyword::Otherwise)) {
    const Token word = take();
    if (at(Keyword::Check)) {
      if (has_otherwise) {
        report(span_of(word), "`otherwise:` must come last in a `check`", {}, "WFL-P002");
      }
      parse_branch();
      continue;
    }
    if (has_otherwise) {
      report(span_of(word), "This `check` has two `otherwise`", {}, "WFL-P002");
    }
    optional_colon();
    has_otherwise = true;
    otherwise = parse_body(kOtherwise);
  }
  close_block();
  auto* node = make_statement<IfStmt>(begin);
  node->branches = arena_.copy(branches);
  node->has_otherwise = has_otherwise;
  node->otherwise = otherwise;
  return close_statement(node, head);
}

// `if … then …`. Today's rule: the statement needs `end if` unless the program ends right behind its one line.
const Stmt* Parser::parse_if() {
  const std::uint32_t begin = peek().begin;
  IfBranch branch;
  Block otherwise;
  bool has_otherwise = false;
  take();
  branch.condition = parse_expression();
  expect(Keyword::Then, "after the condition of `if`");
  const SourceSpan head = span_from(begin);
  const BlockScope block(*this, "if", head);
  const std::uint32_t first = at_;
  const bool several_lines = at(TokenKind::EndOfLine);
  branch.body = parse_body(kOtherwise);
  if (at(Keyword::Otherwise)) {
    take();
    has_otherwise = true;
    otherwise = parse_body(kEnd);
  }
  if (at(TokenKind::EndOfFile)) {
    bool one_line = !several_lines;
    for (std::uint32_t i = first; one_line && i != at_; i = tokens_[i].next) {
      one_line = !tokens_[i].is(TokenKind::EndOfLine);
    }
    if (!one_line && !reported_end_of_file_) {
      reported_end_of_file_ = true;
      report(span_of(peek()), "The program ends, but `end if` is missing",
             {"`if … then` needs `end if` also when it stands on one line.",
              "It starts in line " + std::to_string(source_.line_of(begin)) + "."},
             "WFL-P002");
    }
  } else {
    close_block();
  }
  auto* node = make_statement<IfStmt>(begin);
  node->branches = arena_.copy(std::vector<IfBranch>{branch});
  node->has_otherwise = has_otherwise;
  node->otherwise = otherwise;
  return close_statement(node, head);
}

const Stmt* Parser::parse_route() {
  const std::uint32_t begin = peek().begin;
  const Expr* subject = nullptr;
  header([&] {
    take();
    subject = parse_expression();
    optional_colon();
  });
  const SourceSpan head = span_from(begin);
  const BlockScope block(*this, "route", head);
  std::vector<RouteArm> arms;
  Block otherwise;
  bool has_otherwise = false;
  for (skip_lines(); !at_stop(kEnd); skip_lines()) {
    const Token word = peek();
    if (at(Keyword::When)) {
      if (has_otherwise) {
        report(span_of(word), "`otherwise` must be the last arm of a `route`", {}, "WFL-P002");
      }
      arms.push_back(parse_route_arm());
    } else if (at(Keyword::Otherwise)) {
      if (has_otherwise) {
        report(span_of(word), "A `route` has only one `otherwise`", {}, "WFL-P002");
      }
      take();
      optional_colon();
      has_otherwise = true;
      otherwise = parse_body(kWhen | kOtherwise);
    } else {
      report(span_of(word), "I expected `when`, `otherwise` or `end route`, but found " + describe(word), {},
             "WFL-P002");
      take();
      recover();
    }
  }
  close_block();
  auto* node = make_statement<RouteStmt>(begin);
  node->subject = subject;
  node->arms = arena_.copy(arms);
  node->has_otherwise = has_otherwise;
  node->otherwise = otherwise;
  return close_statement(node, head);
}

RouteArm Parser::parse_route_arm() {
  RouteArm arm;
  header([&] {
    take();  // `when`
    std::vector<const Expr*> values;
    if (at(Keyword::Contains)) {
      arm.test = RouteTest::Contains;
      take();
    } else if (at(Keyword::One) && next_is(Keyword::Of)) {
      arm.test = RouteTest::OneOf;
      take();
      take();
    } else if ((at(Keyword::Starts) || at(Keyword::Ends)) && next_is(Keyword::With)) {
      arm.test = at(Keyword::Starts) ? RouteTest::StartsWith : RouteTest::EndsWith;
      take();
      take();
    }
    values.push_back(parse_primary());
    while (arm.test == RouteTest::Equal && eat(Keyword::Or)) {
      values.push_back(parse_primary());
    }
    arm.values = arena_.copy(values);
    optional_colon();
  });
  arm.body = parse_body(kWhen | kOtherwise);
  return arm;
}

// ---- Loops ----

const Stmt* Parser::parse_for_each() {
  const std::uint32_t begin = peek().begin;
  auto* node = make_statement<ForEachStmt>(begin);
  header([&] {
    take();
    expect(Keyword::Each, "after `for`");
    node->item = parse_name("for the element after `each`");
    expect(Keyword::In, "after the name of the element");
    node->reversed = eat(Keyword::Reversed);
    parse_for_each_range(node);
    optional_colon();
  });
  const SourceSpan head = span_from(begin);
  const BlockScope block(*this, "for", head);
  node->body = parse_body(kEnd);
  close_block();
  return close_statement(node, head);
}

const Stmt* Parser::parse_count() {
  const std::uint32_t begin = peek().begin;
  // A line in other words without a colon and without an end opens no block, so no end is to be asked for.
  if (!next_is(Keyword::From) && !line_ends_with_colon() && !is_ended_by(Keyword::Count)) {
    take();
    if (at_name("keys") || peek().starts_with_words("keys")) {
      fail_expected("`in` after `count keys`", {"Write `count keys in S as NAME`."});
    }
    expect(Keyword::From, "after `count`");
  }
  auto* node = make_statement<CountStmt>(begin);
  header([&] {
    take();
    expect(Keyword::From, "after `count`");
    node->from = parse_expression();
    if (at(TokenKind::Identifier) && (peek().text == "down" || peek().text == "Down" || peek().text == "DOWN")) {
      take();
      node->down = true;
    }
    expect(Keyword::To, node->down ? "after `down`" : "(or `down to`) after the start");
    node->to = parse_expression();
    if (eat(Keyword::By)) {
      node->step = parse_expression();
    }
    if (eat(Keyword::As)) {
      node->variable = parse_name("after `as`");
    }
    optional_colon();
  });
  const SourceSpan head = span_from(begin);
  const BlockScope block(*this, "count", head);
  node->body = parse_body(kEnd);
  close_block();
  return close_statement(node, head);
}

const Stmt* Parser::parse_repeat() {
  const std::uint32_t begin = take().begin;
  const auto finish_loop = [&](auto* node, std::string_view word) {
    const SourceSpan head = span_from(begin);
    const BlockScope block(*this, word, head);
    node->body = parse_body(kEnd);
    close_block();
    return close_statement(node, head);
  };
  if (at(Keyword::While)) {
    auto* node = make_statement<RepeatWhileStmt>(begin);
    header([&] {
      take();
      node->condition = parse_expression();
      optional_colon();
    });
    return finish_loop(node, "repeat");
  }
  if (at(Keyword::Until)) {
    auto* node = make_statement<RepeatUntilStmt>(begin);
    header([&] {
      take();
      node->condition = parse_expression();
      optional_colon();
    });
    return finish_loop(node, "repeat");
  }
  if (at(Keyword::Forever)) {
    auto* node = make_statement<ForeverStmt>(begin);
    header([&] {
      take();
      expect(TokenKind::Colon, ":", "after `repeat forever`");
    });
    return finish_loop(node, "repeat");
  }
  if (!at(TokenKind::Colon)) {
    header([&] { fail_expected("`while`, `until`, `forever` or `:` after `repeat`"); });
    return finish_loop(make_statement<ForeverStmt>(begin), "repeat");
  }
  take();
  auto* node = make_statement<RepeatUntilStmt>(begin);
  const SourceSpan head = span_from(begin);
  const BlockScope block(*this, "repeat", head);
  node->body = parse_body(kUntil);
  if (at(Keyword::Until)) {
    take();
    node->condition = parse_expression();
  } else if (at(TokenKind::EndOfFile)) {
    if (!reported_end_of_file_) {
      reported_end_of_file_ = true;
      report(span_of(peek()), "The program ends, but this `repeat:` has no `until`",
             {"It starts in line " + std::to_string(source_.line_of(begin)) + "."}, "WFL-P002");
    }
  } else {
    report(span_of(peek()), "I expected `until` and a condition at the end of `repeat:`, but found " + describe(peek()),
           {"A loop without a condition is written `repeat forever:`."}, "WFL-P002");
    if (closes("repeat")) {
      take();
      take();
    }
  }
  return close_statement(node, head);
}

const Stmt* Parser::parse_main_loop() {
  const std::uint32_t begin = peek().begin;
  auto* node = make_statement<MainLoopStmt>(begin);
  header([&] {
    take();
    take();
    node->concurrent = eat_name("concurrently");
    expect(TokenKind::Colon, ":", "after `main loop`");
  });
  const SourceSpan head = span_from(begin);
  const BlockScope block(*this, "loop", head);
  node->body = parse_body(kEnd);
  close_block();
  return close_statement(node, head);
}

const Stmt* Parser::parse_exit() {
  const Token word = take();
  const bool whole_program = at(TokenKind::Identifier) && (peek().text == "program" || peek().text == "Program");
  if (whole_program || at(Keyword::Loop)) {
    take();
  }
  auto* node = make_statement<ExitStmt>(word.begin);
  node->whole_program = whole_program;
  return node;
}

// ---- Actions ----

const Stmt* Parser::parse_define_action() {
  const std::uint32_t begin = peek().begin;
  auto* node = make_statement<DefineActionStmt>(begin);
  header([&] {
    take();
    expect(Keyword::Action, "after `define`");
    expect(Keyword::Called, "after `define action`");
    node->name = parse_name("for the action after `called`");
    if (at(Keyword::Needs) || at(Keyword::With)) {
      take();
      eat(Keyword::Parameters);
      node->parameters = parse_action_parameters();
    }
    if (at(TokenKind::LeftParen)) {
      // Parameters in parentheses.
      const std::string_view line = source_.line_text(source_.line_of(peek().begin));
      const std::size_t open = line.find('(');
      const std::size_t close = line.find(')', open);
      if (close != std::string_view::npos) {
        std::string names(line.substr(open + 1, close - open - 1));
        for (std::size_t comma = names.find(", "); comma != std::string::npos; comma = names.find(", ")) {
          names.replace(comma, 2, " and ");
        }
        const std::string form = "define action called " + std::string(node->name.text);
        fail_expected("`:` at the end of the action's first line",
                      {names.empty() ? "An action without parameters begins with `" + form + ":`."
                                     : "Parameters stand behind `with`: `" + form + " with " + names + ":`."});
      }
    }
    expect(TokenKind::Colon, ":", "at the end of the action's first line");
    // A result type stands between two colons; without the second one it was the body.
    node->return_type = attempt([this]() -> const TypeRef* {
      const TypeRef* type = parse_return_type();
      expect(TokenKind::Colon, ":", "after the result type");
      return type;
    });
  });
  const SourceSpan head = span_from(begin);
  const BlockScope block(*this, "action", head);
  const unsigned batches = std::exchange(batch_depth_, 0);  // The body runs elsewhere.
  node->body = parse_body(kEnd);
  batch_depth_ = batches;
  close_block();
  return close_statement(node, head);
}

std::span<const Parameter> Parser::parse_action_parameters() {
  std::vector<Parameter> parameters;
  while (at(TokenKind::Identifier)) {
    Parameter parameter;
    // `default` has merged with the name or the type in front of it.
    const auto cut_default = [this] {
      if (peek().ends_with_word("default") && count_words(peek().text) > 1 && can_start_operand(peek(1))) {
        split(at_, count_words(peek().text) - 1);
      }
    };
    cut_default();
    const Token name = take();
    parameter.name = name_of(name);
    if (eat(Keyword::As)) {
      cut_default();
      parameter.type = parse_parameter_type();
    }
    if (at(TokenKind::Identifier) && peek().text == "default") {
      take();
      // Parameters are joined by `and`, which therefore ends a default.
      Mode mode;
      mode.stop_at_colon = true;
      const ModeScope scope(*this, mode);
      parameter.default_value = parse_binary(1);
    }
    parameters.push_back(parameter);
    if (!eat(Keyword::And)) {
      break;
    }
    if (!at(TokenKind::Identifier)) {
      fail_expected("the name of a parameter after `and`");
    }
  }
  return arena_.copy(parameters);
}

const TypeRef* Parser::make_type(TypeKind kind, const Token& token, const TypeRef* inner, const TypeRef* second) {
  TypeRef type;
  type.kind = kind;
  type.name = name_of(token);
  type.inner = inner;
  type.second = second;
  return arena_.make<TypeRef>(type);
}

// A plain type name, in any case.
const TypeRef* Parser::parse_parameter_type() {
  const Token token = peek();
  const auto known = [&](std::string_view lower) {
    if (token.text.size() != lower.size()) {
      return false;
    }
    for (std::size_t i = 0; i < lower.size(); ++i) {
      const char c =
          token.text[i] >= 'A' && token.text[i] <= 'Z' ? static_cast<char>(token.text[i] + 32) : token.text[i];
      if (c != lower[i]) {
        return false;
      }
    }
    return true;
  };
  TypeKind kind = TypeKind::Named;
  if (at(Keyword::Text) || at(Keyword::Pattern) || at(Keyword::Any) || at(Keyword::Date) || at(Keyword::Time) ||
      at(TokenKind::Nothing) || at(TokenKind::Identifier)) {
    if (known("text")) {
      kind = TypeKind::Text;
    } else if (known("number")) {
      kind = TypeKind::Number;
    } else if (known("boolean")) {
      kind = TypeKind::Boolean;
    } else if (known("nothing") || at(TokenKind::Nothing)) {
      kind = TypeKind::Nothing;
    } else if (known("pattern")) {
      kind = TypeKind::Pattern;
    } else if (known("any")) {
      kind = TypeKind::Any;
    } else if (known("date")) {
      kind = at(Keyword::Date) ? TypeKind::Date : TypeKind::Named;
    } else if (known("time")) {
      kind = at(Keyword::Time) ? TypeKind::Time : TypeKind::Named;
    }
    take();
    return make_type(kind, token);
  }
  fail_expected(
      "a type",
      {"The types are text, number, boolean, nothing, pattern, date, time, any, and the names of containers."});
}

const TypeRef* Parser::parse_return_type() {
  const NestingScope nesting(*this);
  const Token token = peek();
  if (at(Keyword::List) || at_name("List") || at(Keyword::Optional) || at_name("Optional")) {
    take();
    expect(Keyword::Of, "in the type");
    const TypeRef* inner = parse_return_type();
    return make_type(token.text == "list" || token.text == "List" ? TypeKind::List : TypeKind::Optional, token, inner);
  }
  if (at(Keyword::Map) || at_name("Map")) {
    take();
    expect(Keyword::Of, "in the type");
    const TypeRef* key = parse_return_type();
    expect(Keyword::To, "in the type");
    const TypeRef* value = parse_return_type();
    return make_type(TypeKind::Map, token, key, value);
  }
  if (at(Keyword::Binary) || at_name("Binary")) {
    take();
    return make_type(TypeKind::Binary, token);
  }
  return parse_parameter_type();
}

const Stmt* Parser::parse_return() {
  const Token word = take();
  if (word.is(Keyword::Give)) {
    expect(Keyword::Back, "after `give`");
  }
  const Expr* value = nullptr;
  if (!at_end_of_line() && !at(Keyword::End) && !at(Keyword::Otherwise)) {
    value = at_database_query() ? parse_database_query() : parse_expression();
  }
  auto* node = make_statement<ReturnStmt>(word.begin);
  node->value = value;
  return node;
}

// ---- Errors ----

const Stmt* Parser::parse_try() {
  constexpr unsigned kStops = kWhen | kCatch | kOtherwise | kFinally;
  const std::uint32_t begin = peek().begin;
  auto* node = make_statement<TryStmt>(begin);
  header([&] {
    take();
    expect(TokenKind::Colon, ":", "after `try`");
  });
  const SourceSpan head = span_from(begin);
  const BlockScope block(*this, "try", head);
  node->body = parse_body(kStops);
  std::vector<Handler> handlers;
  while (at(Keyword::When) || at(Keyword::Catch) || at(Keyword::Otherwise) || at(Keyword::Finally)) {
    const Token word = peek();
    if (node->has_finally) {
      report(span_of(word), "`finally` must come last in a `try`", {}, "WFL-P002");
    }
    if (at(Keyword::When) || at(Keyword::Catch)) {
      Handler handler = parse_handler();
      handler.body = parse_body(kStops);
      handlers.push_back(handler);
      continue;
    }
    const bool is_finally = at(Keyword::Finally);
    header([&] {
      take();
      expect(TokenKind::Colon, ":", is_finally ? "after `finally`" : "after `otherwise`");
    });
    const Block body = parse_body(kStops);
    (is_finally ? node->has_finally : node->has_otherwise) = true;
    (is_finally ? node->finally : node->otherwise) = body;
  }
  if (handlers.empty() && !node->has_finally && !at(TokenKind::EndOfFile)) {
    report(head, "This `try` handles nothing",
           {"Add `when error as e:` (or `catch:`, `finally:`) and what to do then."}, "WFL-P002");
  }
  close_block();
  node->handlers = arena_.copy(handlers);
  return close_statement(node, head);
}

Handler Parser::parse_handler() {
  Handler handler;
  const std::uint32_t begin = peek().begin;
  header([&] {
    if (take().is(Keyword::Catch)) {
      if (eat(Keyword::With)) {
        handler.variable = parse_name("for the message after `with`");
      }
      expect(TokenKind::Colon, ":", "after `catch`");
      return;
    }
    handler.kind = parse_handler_kind();
    if (eat(Keyword::As)) {
      handler.variable = at(Keyword::Error) ? name_of(take()) : parse_binder_name();
    }
    expect(TokenKind::Colon, ":", "at the end of the `when` line");
  });
  handler.head = span_from(begin);
  return handler;
}

namespace {
constexpr std::string_view kHandlerKinds =
    "The kinds are `error`, `file not found`, `permission denied`, `command not found`,\n"
    "`process not found`, `process spawn failed`, `process kill failed`, `keystore not found`,\n"
    "`keystore already exists`, `keystore busy`, `keystore damaged`, `keystore full`, `wrong encryption key`.";
}  // namespace

HandlerKind Parser::parse_handler_kind() {
  const Token word = peek();
  if (word.is(TokenKind::Colon) || word.is(Keyword::As)) {
    return HandlerKind::Any;
  }
  if (eat(Keyword::Error)) {
    return HandlerKind::Any;
  }
  const auto not_found = [this](HandlerKind kind) {
    if (!eat(Keyword::Not) || !eat(Keyword::Found)) fail_expected("`not found`", {std::string(kHandlerKinds)});
    return kind;
  };
  if (eat(Keyword::File)) {
    return not_found(HandlerKind::FileNotFound);
  }
  if (eat(Keyword::Permission)) {
    if (!eat(Keyword::Denied)) fail_expected("`denied` after `permission`", {std::string(kHandlerKinds)});
    return HandlerKind::PermissionDenied;
  }
  if (eat(Keyword::Command)) {
    return not_found(HandlerKind::CommandNotFound);
  }
  if (eat(Keyword::Process)) {
    if ((at(Keyword::Spawn) || at(Keyword::Kill)) && peek(1).is_name("failed")) {
      const bool is_spawn = take().is(Keyword::Spawn);
      take();
      return is_spawn ? HandlerKind::ProcessSpawnFailed : HandlerKind::ProcessKillFailed;
    }
    return not_found(HandlerKind::ProcessNotFound);
  }
  if (word.is(TokenKind::Identifier)) {
    take();
    if (word.text == "keystore") {
      return not_found(HandlerKind::KeystoreNotFound);
    }
    if (word.text == "keystore already") {
      expect(Keyword::Exists, "after `keystore already`");
      return HandlerKind::KeystoreAlreadyExists;
    }
    if (word.text == "keystore busy") {
      return HandlerKind::KeystoreBusy;
    }
    if (word.text == "keystore damaged") {
      return HandlerKind::KeystoreDamaged;
    }
    if (word.text == "keystore full") {
      return HandlerKind::KeystoreFull;
    }
    if (word.text == "wrong encryption key") {
      return HandlerKind::WrongEncryptionKey;
    }
  }
  fail(span_of(word), "I know no kind of error that begins with " + describe(word), {std::string(kHandlerKinds)});
}

// ---- Tests ----

std::string_view Parser::parse_title(std::string_view what) {
  if (!at(TokenKind::Text)) {
    fail_expected("the title as a text after `" + std::string(what) + "`");
  }
  const std::string_view title = take().text;
  expect(TokenKind::Colon, ":", "after the title");
  return title;
}

const Stmt* Parser::parse_describe() {
  const NestingScope nesting(*this);
  const std::uint32_t begin = peek().begin;
  auto* node = make_statement<DescribeStmt>(begin);
  header([&] {
    take();
    node->title = parse_title("describe");
  });
  const SourceSpan head = span_from(begin);
  const BlockScope block(*this, "describe", head);
  std::vector<const Stmt*> tests;
  for (skip_lines(); !at_stop(kEnd); skip_lines()) {
    const Token word = peek();
    if (at(Keyword::Test)) {
      tests.push_back(parse_test());
    } else if (at(Keyword::Describe)) {
      tests.push_back(parse_describe());
    } else if (at(Keyword::Setup) || at(Keyword::Teardown)) {
      const bool is_setup = at(Keyword::Setup);
      if (is_setup ? node->has_setup : node->has_teardown) {
        report(span_of(word), "A `describe` has only one `" + std::string(word.text) + "`", {}, "WFL-P002");
      }
      header([&] {
        take();
        expect(TokenKind::Colon, ":", "after `" + std::string(word.text) + "`");
      });
      const BlockScope inner(*this, word.text, span_of(word));
      (is_setup ? node->has_setup : node->has_teardown) = true;
      (is_setup ? node->setup : node->teardown) = parse_body(kEnd);
      close_block();
    } else {
      report(span_of(word),
             "I expected `test`, `setup`, `teardown`, `describe` or `end describe`, but found " + describe(word),
             {"Other statements go into a `test` or into `setup`."}, "WFL-P002");
      take();
      recover();
    }
  }
  close_block();
  node->tests = arena_.copy(tests);
  return close_statement(node, head);
}

const Stmt* Parser::parse_test() {
  const std::uint32_t begin = peek().begin;
  auto* node = make_statement<TestStmt>(begin);
  header([&] {
    take();
    node->title = parse_title("test");
  });
  const SourceSpan head = span_from(begin);
  const BlockScope block(*this, "test", head);
  node->body = parse_body(kEnd);
  close_block();
  return close_statement(node, head);
}

const Stmt* Parser::parse_expect() {
  const Token word = take();
  auto* node = make_statement<ExpectStmt>(word.begin);
  node->subject = parse_expression();
  expect(Keyword::To, "after what to expect something of");
  const bool be = eat(Keyword::Be);
  const auto with_operand = [&](AssertionKind kind) {
    node->assertion = kind;
    node->operand = parse_expression();
  };
  if (at(Keyword::Greater) || at(Keyword::Less)) {
    const bool greater = take().is(Keyword::Greater);
    expect(Keyword::Than, greater ? "after `greater`" : "after `less`");
    with_operand(greater ? AssertionKind::Greater : AssertionKind::Less);
  } else if (be && at(TokenKind::Boolean)) {
    node->assertion = take().number != 0 ? AssertionKind::BeYes : AssertionKind::BeNo;
  } else if (be && eat(Keyword::Empty)) {
    node->assertion = AssertionKind::Empty;
  } else if (be && eat(Keyword::Of)) {
    if (!eat_name("type") || !at(TokenKind::Text)) {
      fail_expected("`type` and the name of a type as a text, such as `be of type \"Number\"`");
    }
    node->assertion = AssertionKind::OfType;
    node->type_name = take().text;
  } else if (be) {
    with_operand(AssertionKind::Be);
  } else if (eat(Keyword::Equal)) {
    with_operand(AssertionKind::Equal);
  } else if (eat(Keyword::Contain)) {
    with_operand(AssertionKind::Contain);
  } else if (eat(Keyword::Exist)) {
    node->assertion = AssertionKind::Exist;
  } else if (eat(Keyword::Have)) {
    if (!peek().starts_with_words("length")) {
      fail_expected("`length` after `have`");
    }
    if (!at_name("length")) {
      split(at_, 1);  // `have length wanted size`: the rest is a name.
    }
    take();
    with_operand(AssertionKind::HaveLength);
  } else {
    fail_expected("`equal`, `be`, `contain`, `exist` or `have length` after `to`");
  }
  return close_statement(node, span_from(word.begin));
}

}  // namespace wfl::syntax
