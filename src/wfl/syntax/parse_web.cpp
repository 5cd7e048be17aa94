#include "wfl/syntax/parser_impl.h"

// Outside the core (reference chapter 18): web server, HTTP client, WebSocket, SQL.

namespace wfl::syntax {

// ---- Web server ----

const Stmt* Parser::parse_listen() {
  const Token verb = take();
  if (eat(Keyword::For)) {
    if (!eat_name("websockets") && !eat_name("websocket")) {
      fail_expected("`websockets` after `listen for`");
    }
    expect(Keyword::On, "after `listen for websockets`");
    expect(Keyword::Port, "after `on`");
    auto* node = make_statement<ListenWebSocketStmt>(verb.begin);
    node->port = parse_expression();
    node->name = parse_as_name("after the port");
    return close_statement(node, span_from(verb.begin));
  }
  expect(Keyword::On, "after `listen`");
  expect(Keyword::Port, "after `listen on`");
  auto* node = make_statement<ListenStmt>(verb.begin);
  if (count_words(peek().text) > 1 && (peek().ends_with_word("secured") || peek().ends_with_word("redirecting"))) {
    split(at_, count_words(peek().text) - 1);
    node->port = parse_primary();
  } else {
    node->port = parse_expression();
  }
  const auto path_after = [this](std::string_view word) {
    if (!peek().starts_with_words(word)) {
      fail_expected("`" + std::string(word) + "` and the path of a file");
    }
    if (peek().text != word) {
      split(at_, 1);
    }
    take();
    return parse_primary();
  };
  if (eat_name("secured")) {
    node->secured = true;
    if (eat(Keyword::With)) {
      node->certificate = path_after("certificate");
      expect(Keyword::And, "after the path of the certificate");
      node->key = path_after("key");
    }
    if (at_name("redirecting")) {
      fail_here("A server can't be `secured` and `redirecting` at once", {"Listen on two ports."});
    }
  } else if (eat_name("redirecting")) {
    expect(Keyword::To, "after `redirecting`");
    expect(Keyword::Port, "after `to`");
    node->redirect_port = parse_primary();
  }
  node->name = parse_as_name("after the port");
  return close_statement(node, span_from(verb.begin));
}

const Stmt* Parser::parse_wait_request(std::uint32_t begin) {
  take();
  eat(Keyword::That);
  expect(Keyword::Comes, "after `request`");
  expect(Keyword::In, "after `comes`");
  expect(Keyword::On, "after `in`");
  auto* node = make_statement<WaitRequestStmt>(begin);
  node->server = parse_expression();
  node->name = parse_as_name("after the server");
  if (eat(Keyword::With)) {
    expect(Keyword::Timeout, "after `with`");
    node->timeout = parse_expression();
  }
  return close_statement(node, span_from(begin));
}

// One clause behind `and` or `with`: status, content type, headers. False (nothing taken) when another word stands
// there.
bool Parser::parse_response_clause(ResponseClauses& clauses, bool streaming) {
  const Token& word = peek(1);
  const auto value = [&] {
    if (!streaming) {
      return parse_primary();
    }
    Mode mode = mode_;
    mode.stop_at_response_clause = true;
    const ModeScope scope(*this, mode);
    return parse_expression();
  };
  if (word.is(Keyword::Status)) {
    take();
    take();
    clauses.status = value();
    return true;
  }
  if (word.is(Keyword::Content)) {
    take();
    take();
    if (peek().starts_with_words("type")) {
      if (peek().text != "type") {
        split(at_, 1);
      }
      take();
    }
    clauses.content_type = value();
    return true;
  }
  const bool is_type = word.starts_with_words("content_type");
  if (!is_type && !word.starts_with_words("headers")) {
    return false;
  }
  take();
  if (count_words(peek().text) > 1) {
    split(at_, 1);
  }
  take();
  (is_type ? clauses.content_type : clauses.headers) = value();
  return true;
}

const Stmt* Parser::parse_respond() {
  const Token verb = take();
  expect(Keyword::To, "after `respond`");
  auto* node = make_statement<RespondStmt>(verb.begin);
  node->request = parse_primary();
  expect(Keyword::With, "after the request");
  node->content = parse_primary();
  while (at(Keyword::And) && parse_response_clause(node->clauses, false)) {
  }
  return close_statement(node, span_from(verb.begin));
}

const Stmt* Parser::parse_start_stream() {
  const Token verb = take();
  take();
  expect(Keyword::Response, "after `start streaming`");
  expect(Keyword::To, "after `response`");
  auto* node = make_statement<StartStreamStmt>(verb.begin);
  node->request = parse_primary();
  while ((at(Keyword::With) || at(Keyword::And)) && parse_response_clause(node->clauses, true)) {
  }
  if ((at(Keyword::With) || at(Keyword::And)) && next_is(Keyword::As)) {
    take();
  }
  node->name = parse_as_name("after the request");
  return close_statement(node, span_from(verb.begin));
}

// `write line …`, `write chunk …`, unless `line` is the variable that is written.
bool Parser::at_stream_write() const {
  const Token& word = peek(1);
  if (!word.starts_with_words("line") && !word.starts_with_words("chunk")) {
    return false;
  }
  if (count_words(word.text) > 1) {
    return true;
  }
  const Token& behind = peek(2);
  return behind.is(TokenKind::Text) || behind.is(TokenKind::Integer) || behind.is(TokenKind::Float) ||
         behind.is(TokenKind::Boolean) || behind.is(TokenKind::Nothing) || behind.is(TokenKind::LeftParen) ||
         behind.is(Keyword::Call) || behind.is(Keyword::Not) || behind.is(Keyword::Read) ||
         behind.is(Keyword::Header) || behind.is(Keyword::Current) || behind.is(Keyword::Count) ||
         behind.is(Keyword::Text) || behind.is(Keyword::List) || behind.is(Keyword::Output) ||
         behind.is(Keyword::Error);
}

const Stmt* Parser::parse_stream_write(std::uint32_t begin) {
  const Token word = peek();
  const Checkpoint start = checkpoint();
  const bool merged = count_words(word.text) > 1;
  if (merged) {
    split(at_, 1);
  }
  take();
  const bool could_be_index = at(TokenKind::Integer);
  const Expr* value = parse_expression();
  expect(Keyword::To, "after what to write");
  const Expr* target = parse_primary();
  auto* node = make_statement<StreamWriteStmt>(begin);
  node->is_line = word.starts_with_words("line");
  node->value = value;
  node->target = target;
  if (merged || could_be_index) {
    // The same words as a plain write of a variable `line …`.
    const std::uint32_t end = at_;
    const std::uint32_t last = last_end_;
    const Checkpoint after = checkpoint();
    rewind(start);
    node->today_content = attempt([&]() -> const Expr* {
      const Expr* content = parse_expression();
      expect(Keyword::To, "");
      parse_primary();
      if (at_ != end) {
        throw ParseFailure{};
      }
      return content;
    });
    rewind({end, last, after.diagnostics, splits_.size(), tokens_.size(), after.errors, after.incomplete});
  }
  return node;
}

const Stmt* Parser::parse_register() {
  const Token verb = take();
  expect(Keyword::Signal, "after `register`");
  expect(Keyword::Handler, "after `register signal`");
  expect(Keyword::For, "after `handler`");
  auto* node = make_statement<RegisterSignalStmt>(verb.begin);
  node->signal = parse_name("of a signal, such as SIGINT");
  node->handler = parse_as_name("after the signal");
  return close_statement(node, span_from(verb.begin));
}

const Stmt* Parser::parse_stop() {
  const Token verb = take();
  expect(Keyword::Accepting, "after `stop`");
  expect(Keyword::Connections, "after `accepting`");
  expect(Keyword::On, "after `connections`");
  const Expr* server = parse_expression();
  auto* node = make_statement<StopAcceptingStmt>(verb.begin);
  node->server = server;
  return node;
}

// ---- HTTP client ----

// A value joined by `with`, as long as `with` begins no clause.
const Expr* Parser::parse_url_value() {
  std::vector<const Expr*> parts{parse_primary()};
  while (at(Keyword::With) && !next_is(Keyword::Read) && !peek(1).starts_with_words("method") &&
         !peek(1).starts_with_words("headers") && !peek(1).starts_with_words("body")) {
    take();
    parts.push_back(parse_primary());
  }
  return parts.size() == 1 ? parts.front() : make_concat(parts);
}

const Expr* Parser::parse_url_clause(std::string_view word) {
  if (peek().text != word) {
    split(at_, 1);
  }
  take();
  return parse_url_value();
}

const Stmt* Parser::parse_open_url(std::uint32_t begin) {
  expect(Keyword::At, "after `open url`");
  auto* node = make_statement<OpenUrlStmt>(begin);
  node->url = parse_primary();
  const auto clause = [&](const Expr*& slot, std::string_view word) {
    if (slot != nullptr) {
      fail_here("`" + std::string(word) + "` is given twice");
    }
    slot = parse_url_clause(word);
  };
  while (true) {
    // A clause may begin a new line with `and` or `with`.
    if (at(TokenKind::EndOfLine)) {
      unsigned n = 1;
      while (peek(n).is(TokenKind::EndOfLine)) {
        ++n;
      }
      if (peek(n).is(Keyword::And) || peek(n).is(Keyword::With)) {
        skip_lines();
      }
    }
    if (at(Keyword::As)) {
      break;
    }
    if (!eat(Keyword::And) && !eat(Keyword::With)) {
      fail_expected("`and`, `with` or `as` after the URL", {"Write `open url at U and read content as NAME`."});
    }
    if (peek().starts_with_words("method")) {
      clause(node->method, "method");
    } else if (peek().starts_with_words("headers")) {
      clause(node->headers, "headers");
    } else if (peek().starts_with_words("body")) {
      clause(node->body, "body");
    } else if (at(Keyword::Read)) {
      take();
      if (eat(Keyword::Response)) {
        node->wanted = UrlResult::Response;
      } else {
        expect(Keyword::Content, "(or `response`) after `read`");
      }
      break;
    } else if (eat_name("stream")) {
      expect(Keyword::Response, "after `stream`");
      node->wanted = UrlResult::Stream;
      break;
    } else {
      fail_expected("`method`, `headers`, `body` or `read`");
    }
  }
  expect(Keyword::As, "and a name for the result");
  node->name = at(Keyword::Content) ? name_of(take()) : parse_binder_name();
  return close_statement(node, span_from(begin));
}

const Stmt* Parser::parse_wait_next(std::uint32_t begin) {
  auto* node = make_statement<WaitNextStmt>(begin);
  node->is_line = take().text == "next line";
  take();
  node->source = parse_primary();
  node->name = parse_as_name("after the stream");
  return close_statement(node, span_from(begin));
}

// ---- WebSocket ----

const Stmt* Parser::parse_on_websocket() {
  const std::uint32_t begin = peek().begin;
  auto* node = make_statement<OnWebSocketStmt>(begin);
  header([&] {
    take();
    if (eat_name("websocket connect")) {
      node->event = WebSocketEvent::Connect;
    } else if (eat_name("websocket message")) {
      node->event = WebSocketEvent::Message;
    } else if (eat_name("websocket disconnect")) {
      node->event = WebSocketEvent::Disconnect;
    } else {
      fail_expected("`websocket connect`, `websocket message` or `websocket disconnect` after `on`");
    }
    if (!eat(Keyword::To) && !eat(Keyword::From)) {
      fail_expected("`to` or `from` and the server");
    }
    node->server = parse_primary();
    node->name = parse_as_name("after the server");
    expect(TokenKind::Colon, ":", "after the name");
  });
  const SourceSpan head = span_from(begin);
  const BlockScope block(*this, "on", head);
  node->body = parse_body(kEnd);
  close_block();
  return close_statement(node, head);
}

// `send websocket message M to C`, `broadcast websocket message M to S`
const Stmt* Parser::parse_websocket_message() {
  const Token word = peek();
  const bool is_send = word.starts_with_words("send");
  if (count_words(word.text) > 3) {
    split(at_, 3);
  }
  take();
  const Expr* message = parse_expression();
  expect(Keyword::To, "after the message");
  const Expr* target = parse_expression();
  if (is_send) {
    auto* node = make_statement<SendWebSocketStmt>(word.begin);
    node->message = message;
    node->target = target;
    return node;
  }
  auto* node = make_statement<BroadcastWebSocketStmt>(word.begin);
  node->message = message;
  node->server = target;
  return node;
}

// ---- SQL ----

// At `database`.
const Stmt* Parser::parse_open_database(std::uint32_t begin) {
  expect(Keyword::Database, "");
  expect(Keyword::At, "after `database`");
  auto* node = make_statement<OpenDatabaseStmt>(begin);
  node->url = parse_primary();
  node->name = parse_as_name("after the database's URL");
  return close_statement(node, span_from(begin));
}

const Stmt* Parser::parse_transaction() {
  const std::uint32_t begin = peek().begin;
  auto* node = make_statement<TransactionStmt>(begin);
  header([&] {
    take();
    take();
    expect(Keyword::On, "after `in transaction`");
    node->database = parse_primary();
    expect(TokenKind::Colon, ":", "after the database");
  });
  const SourceSpan head = span_from(begin);
  const BlockScope block(*this, "transaction", head);
  node->body = parse_body(kEnd);
  close_block();
  return close_statement(node, head);
}

}  // namespace wfl::syntax
