#include "wfl/syntax/parser_impl.h"

// Files, processes, waiting (reference 6.6 to 6.8).

namespace wfl::syntax {

// ---- Files ----

const Stmt* Parser::parse_open() {
  const Token verb = peek();
  const Token& behind = peek(1);
  if (behind.is(Keyword::File)) {
    return parse_open_file();
  }
  if (behind.is(Keyword::Database)) {
    take();
    return parse_open_database(verb.begin);
  }
  if (behind.is(Keyword::Url)) {
    take();
    take();
    return parse_open_url(verb.begin);
  }
  if (behind.is_name("keystore") || behind.is(Keyword::Or)) {
    take();
    return parse_open_keystore(verb.begin);
  }
  take();
  fail_expected("`file`, `keystore`, `url` or `database` after `open`");
}

const Stmt* Parser::parse_open_file() {
  const Token verb = take();
  take();
  auto* node = make_statement<OpenFileStmt>(verb.begin);
  const bool has_at = eat(Keyword::At);
  node->path = parse_path();
  if (has_at && eat(Keyword::And)) {
    expect(Keyword::Read, "after `and`");
    expect(Keyword::Content, "after `read`");
    expect(Keyword::As, "after `content`");
    auto* read = make_statement<ReadFileStmt>(verb.begin);
    read->path = node->path;
    read->name = at(Keyword::Content) ? name_of(take()) : parse_binder_name();
    return close_statement(read, span_from(verb.begin));
  }
  if (has_at && eat(Keyword::For)) {
    if (eat(Keyword::Append) || eat(Keyword::Appending)) {
      node->mode = FileMode::Append;
    } else if (eat_name("reading")) {
      node->mode = eat(Keyword::Binary) ? FileMode::ReadBinary : FileMode::Read;
    } else if (eat_name("writing")) {
      node->mode = eat(Keyword::Binary) ? FileMode::WriteBinary : FileMode::Write;
    } else {
      fail_expected("`reading`, `writing` or `appending` after `for`");
    }
  }
  node->name = parse_as_name("after the path of the file");
  return close_statement(node, span_from(verb.begin));
}

const Stmt* Parser::parse_close() {
  const Token verb = peek();
  if (next_is(Keyword::Server) || next_is(Keyword::Database)) {
    take();
    const bool is_server = take().is(Keyword::Server);
    const Expr* value = parse_expression();
    if (is_server) {
      auto* node = make_statement<CloseServerStmt>(verb.begin);
      node->server = value;
      return node;
    }
    auto* node = make_statement<CloseDatabaseStmt>(verb.begin);
    node->database = value;
    return node;
  }
  return peek(1).starts_with_words("keystore") ? parse_close_keystore() : parse_close_value();
}

// `close [file] V`
const Stmt* Parser::parse_close_value() {
  const Token verb = take();
  const bool says_file = at(Keyword::File) && !peek(1).is(TokenKind::EndOfLine) && !peek(1).is(TokenKind::EndOfFile);
  if (says_file) {
    take();
  }
  const Expr* value = parse_expression();
  auto* node = make_statement<CloseStmt>(verb.begin);
  node->value = value;
  node->says_file = says_file;
  return node;
}

const Stmt* Parser::parse_write() {
  if (at_stream_write()) {
    const std::uint32_t begin = take().begin;
    return parse_stream_write(begin);
  }
  const Token verb = take();
  if (at(Keyword::Binary) || at(Keyword::Content)) {
    const bool is_binary = take().is(Keyword::Binary);
    const Expr* content = parse_expression();
    expect(Keyword::Into, "after the content");
    const Expr* file = parse_primary();
    if (is_binary) {
      auto* node = make_statement<WriteBinaryStmt>(verb.begin);
      node->content = content;
      node->file = file;
      return node;
    }
    auto* node = make_statement<WriteContentStmt>(verb.begin);
    node->content = content;
    node->file = file;
    return node;
  }
  const Expr* content = parse_expression();
  if (at(Keyword::Into)) {
    fail_expected("`to` after what to write", {"Write `write content … into …`, or `write … to …`."});
  }
  expect(Keyword::To, "after what to write");
  const Expr* file = parse_primary();
  auto* node = make_statement<WriteToStmt>(verb.begin);
  node->content = content;
  node->file = file;
  return node;
}

const Stmt* Parser::parse_create_file() {
  const Token verb = take();
  take();
  expect(Keyword::At, "after `create file`");
  const Expr* path = parse_primary();
  expect(Keyword::With, "after the path of the file");
  const Expr* content = parse_expression();
  auto* node = make_statement<CreateFileStmt>(verb.begin);
  node->path = path;
  node->content = content;
  return node;
}

const Stmt* Parser::parse_create_directory() {
  const Token verb = take();
  take();
  expect(Keyword::At, "after `create directory`");
  const Expr* path = parse_primary();
  auto* node = make_statement<CreateDirectoryStmt>(verb.begin);
  node->path = path;
  return node;
}

const Stmt* Parser::parse_delete() {
  const Token verb = take();
  if (peek().starts_with_words("key")) {
    fail(join(span_of(verb), span_of(peek())), "Keys are removed, not deleted", {"Write `remove key K from S`."},
         "WFL-P006");
  }
  const bool is_file = at(Keyword::File);
  if (!is_file && !at(Keyword::Directory)) {
    fail_expected("`file` or `directory` after `delete`");
  }
  take();
  expect(Keyword::At, is_file ? "after `delete file`" : "after `delete directory`");
  const Expr* path = parse_primary();
  if (is_file) {
    auto* node = make_statement<DeleteFileStmt>(verb.begin);
    node->path = path;
    return node;
  }
  auto* node = make_statement<DeleteDirectoryStmt>(verb.begin);
  node->path = path;
  return node;
}

// `copy_file from A to B`: a call of the built-in in words.
const Stmt* Parser::parse_copy_or_move() {
  const Token word = take();
  take();
  const Expr* source = parse_path();
  expect(Keyword::To, "after the first path");
  const Expr* target = parse_path();
  auto* call = make<CallExpr>(word.begin);
  call->form = CallForm::With;
  call->name = name_of(word);
  call->arguments = arena_.copy(std::vector<Argument>{{{}, source}, {{}, target}});
  return make_expression_statement(finish(call, {source, target}));
}

// `makedirs [at] P`, `remove_dir [at] P recursive yes`.
const Stmt* Parser::parse_directory_command() {
  const Token word = take();
  eat(Keyword::At);
  // `recursive` would merge with a variable in front of it.
  if (peek().ends_with_word("recursive") && count_words(peek().text) > 1) {
    split(at_, count_words(peek().text) - 1);
  }
  std::vector<Argument> arguments{{{}, parse_primary()}};
  if (eat_name("recursive") || eat(Keyword::With)) {
    arguments.push_back({{}, parse_primary()});
  }
  auto* call = make<CallExpr>(word.begin);
  call->form = CallForm::With;
  call->name = name_of(word);
  call->arguments = arena_.copy(arguments);
  for (const Argument& argument : arguments) {
    deepen(call, argument.value);
  }
  return make_expression_statement(call);
}

// ---- Processes ----

const Stmt* Parser::parse_execute() {
  if (next_is(Keyword::File) || peek(1).is_name("wfl")) {
    return parse_execute_file();
  }
  const Token verb = take();
  expect(Keyword::Command, "(or `file`) after `execute`");
  auto* node = make_statement<ExecuteCommandStmt>(verb.begin);
  node->command = parse_primary();
  if (eat(Keyword::With)) {
    expect(Keyword::Arguments, "after `with`");
    node->arguments = parse_primary();
  }
  if (eat(Keyword::Using)) {
    expect(Keyword::Shell, "after `using`");
    node->shell = true;
  }
  if (eat(Keyword::As)) {
    node->result = parse_binder_name();
  }
  return close_statement(node, span_from(verb.begin));
}

const Stmt* Parser::parse_execute_file() {
  const Token verb = take();
  eat_name("wfl");
  expect(Keyword::File, "after `execute`");
  expect(Keyword::At, "after `execute file`");
  auto* node = make_statement<ExecuteFileStmt>(verb.begin);
  node->path = parse_primary();
  if (eat(Keyword::With)) {
    node->request = parse_primary();
  }
  if (eat(Keyword::And)) {
    expect(Keyword::Read, "after `and`");
    expect(Keyword::Output, "after `read`");
    expect(Keyword::As, "after `read output`");
    node->output = at(Keyword::Output) ? name_of(take()) : parse_binder_name();
  }
  return close_statement(node, span_from(verb.begin));
}

const Stmt* Parser::parse_spawn() {
  const Token verb = take();
  expect(Keyword::Command, "after `spawn`");
  auto* node = make_statement<SpawnStmt>(verb.begin);
  node->command = parse_primary();
  if (eat(Keyword::With)) {
    expect(Keyword::Arguments, "after `with`");
    node->arguments = parse_primary();
  }
  if (eat(Keyword::Using)) {
    expect(Keyword::Shell, "after `using`");
    node->shell = true;
  }
  node->name = parse_as_name("after the command");
  return close_statement(node, span_from(verb.begin));
}

const Stmt* Parser::parse_read_output() {
  const Token verb = take();
  take();
  expect(Keyword::From, "after `read output`");
  expect(Keyword::Process, "after `from`");
  auto* node = make_statement<ReadOutputStmt>(verb.begin);
  node->process = parse_primary();
  expect(Keyword::As, "after the process");
  node->name = at(Keyword::Output) ? name_of(take()) : parse_binder_name();
  return close_statement(node, span_from(verb.begin));
}

const Stmt* Parser::parse_kill() {
  const Token verb = take();
  expect(Keyword::Process, "after `kill`");
  const Expr* process = parse_primary();
  auto* node = make_statement<KillProcessStmt>(verb.begin);
  node->process = process;
  return node;
}

// ---- Waiting ----

const Stmt* Parser::parse_wait() {
  const Token verb = take();
  expect(Keyword::For, "after `wait`");
  if ((at(Keyword::Append) || at(Keyword::Write)) && next_is(Keyword::Content)) {
    return parse_wait_for_content(verb.begin);
  }
  if (at(Keyword::Process)) {
    return parse_wait_process(verb.begin);
  }
  if (at(Keyword::Request)) {
    return parse_wait_request(verb.begin);
  }
  if ((at_name("next line") || at_name("next chunk")) && next_is(Keyword::From)) {
    return parse_wait_next(verb.begin);
  }
  // A length of time, tried first; otherwise the words are a statement of their own.
  const auto unit_of = [](const Token& token, TimeUnit& unit) {
    unit = token.is(Keyword::Milliseconds) ? TimeUnit::Milliseconds : TimeUnit::Seconds;
    return token.is(Keyword::Milliseconds) || token.is_name("seconds") || token.is_name("second");
  };
  TimeUnit unit = TimeUnit::Seconds;
  const Expr* amount = nullptr;
  if (can_start_operand(peek())) {
    amount = attempt([&]() -> const Expr* {
      const Expr* value = parse_expression();
      if (!unit_of(peek(), unit)) {
        throw ParseFailure{};
      }
      return value;
    });
  }
  if (amount != nullptr) {
    take();
    auto* node = make_statement<WaitDurationStmt>(verb.begin);
    node->amount = amount;
    node->unit = unit;
    return node;
  }
  const Stmt* inner = parse_statement();
  if (const auto* expression = try_as<ExpressionStmt>(inner)) {
    if (const auto* variable = try_as<VariableExpr>(expression->value)) {
      auto* node = make_statement<WaitVariableStmt>(verb.begin);
      node->name = {variable->name, variable->span};
      return node;
    }
  }
  auto* node = make_statement<WaitStatementStmt>(verb.begin);
  node->inner = inner;
  return node;
}

// `wait for write content V into F`, `wait for append content V into F`
const Stmt* Parser::parse_wait_for_content(std::uint32_t begin) {
  const bool appends = take().is(Keyword::Append);
  take();
  const Expr* content = parse_expression();
  expect(Keyword::Into, "after the content");
  const Expr* file = parse_expression();
  auto* node = make_statement<WriteContentStmt>(begin);
  node->mode = appends ? WriteMode::Append : WriteMode::Overwrite;
  node->content = content;
  node->file = file;
  return node;
}

const Stmt* Parser::parse_wait_process(std::uint32_t begin) {
  take();
  auto* node = make_statement<WaitProcessStmt>(begin);
  node->process = parse_primary();
  expect(Keyword::To, "after the process");
  if (!eat_name("complete")) {
    fail_expected("`complete` after `to`");
  }
  if (eat(Keyword::As)) {
    node->result = parse_binder_name();
  }
  return close_statement(node, span_from(begin));
}

}  // namespace wfl::syntax
