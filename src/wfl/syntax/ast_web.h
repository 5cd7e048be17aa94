#pragma once

#include "wfl/syntax/ast_statement.h"

// Statements outside of the core language: web server, HTTP client, WebSocket, SQL (reference chapter 18).
namespace wfl::syntax {

// `listen on port P [secured [with certificate C and key K] | redirecting to port R] as X`
struct ListenStmt : StmtNode<StmtKind::Listen> {
  using StmtNode::StmtNode;
  const Expr* port = nullptr;
  bool secured = false;
  const Expr* certificate = nullptr;
  const Expr* key = nullptr;
  const Expr* redirect_port = nullptr;
  Name name;
};

// `wait for request [that] comes in on S as X [with timeout T]`
struct WaitRequestStmt : StmtNode<StmtKind::WaitRequest> {
  using StmtNode::StmtNode;
  const Expr* server = nullptr;
  Name name;
  const Expr* timeout = nullptr;
};

// The clauses of `respond` and `start streaming response`; each may be null.
struct ResponseClauses {
  const Expr* status = nullptr;
  const Expr* content_type = nullptr;
  const Expr* headers = nullptr;
};

struct RespondStmt : StmtNode<StmtKind::Respond> {
  using StmtNode::StmtNode;
  const Expr* request = nullptr;
  const Expr* content = nullptr;
  ResponseClauses clauses;
};

struct StartStreamStmt : StmtNode<StmtKind::StartStream> {
  using StmtNode::StmtNode;
  const Expr* request = nullptr;
  ResponseClauses clauses;
  Name name;
};

// `write line V to S`, `write chunk V to S`. `today_content` is set when the same words are also `write X to F` with a
// variable named `line …`: if S is no response stream at run time, that one is meant.
struct StreamWriteStmt : StmtNode<StmtKind::StreamWrite> {
  using StmtNode::StmtNode;
  bool is_line = false;
  const Expr* value = nullptr;
  const Expr* target = nullptr;
  const Expr* today_content = nullptr;
};

// `register signal handler for SIGNAL as X`
struct RegisterSignalStmt : StmtNode<StmtKind::RegisterSignal> {
  using StmtNode::StmtNode;
  Name signal;
  Name handler;
};

struct StopAcceptingStmt : StmtNode<StmtKind::StopAccepting> {
  using StmtNode::StmtNode;
  const Expr* server = nullptr;
};

struct CloseServerStmt : StmtNode<StmtKind::CloseServer> {
  using StmtNode::StmtNode;
  const Expr* server = nullptr;
};

enum class UrlResult : std::uint8_t { Content, Response, Stream };

// `open url at U [clauses] [and read content|read response|stream response] as X`
struct OpenUrlStmt : StmtNode<StmtKind::OpenUrl> {
  using StmtNode::StmtNode;
  const Expr* url = nullptr;
  const Expr* method = nullptr;
  const Expr* headers = nullptr;
  const Expr* body = nullptr;
  UrlResult wanted = UrlResult::Content;
  Name name;
};

// `wait for next line|chunk from S as X`
struct WaitNextStmt : StmtNode<StmtKind::WaitNext> {
  using StmtNode::StmtNode;
  bool is_line = false;
  const Expr* source = nullptr;
  Name name;
};

// `listen for websockets on port P as X`
struct ListenWebSocketStmt : StmtNode<StmtKind::ListenWebSocket> {
  using StmtNode::StmtNode;
  const Expr* port = nullptr;
  Name name;
};

enum class WebSocketEvent : std::uint8_t { Connect, Message, Disconnect };

// `on websocket connect|message|disconnect to|from S as X: … end on`
struct OnWebSocketStmt : StmtNode<StmtKind::OnWebSocket> {
  using StmtNode::StmtNode;
  WebSocketEvent event = WebSocketEvent::Connect;
  const Expr* server = nullptr;
  Name name;
  Block body;
};

struct SendWebSocketStmt : StmtNode<StmtKind::SendWebSocket> {
  using StmtNode::StmtNode;
  const Expr* message = nullptr;
  const Expr* target = nullptr;
};

struct BroadcastWebSocketStmt : StmtNode<StmtKind::BroadcastWebSocket> {
  using StmtNode::StmtNode;
  const Expr* message = nullptr;
  const Expr* server = nullptr;
};

// `open database at U as X`, `connect to database at U as X`
struct OpenDatabaseStmt : StmtNode<StmtKind::OpenDatabase> {
  using StmtNode::StmtNode;
  const Expr* url = nullptr;
  Name name;
};

struct CloseDatabaseStmt : StmtNode<StmtKind::CloseDatabase> {
  using StmtNode::StmtNode;
  const Expr* database = nullptr;
};

// `in transaction on D: … end transaction`
struct TransactionStmt : StmtNode<StmtKind::Transaction> {
  using StmtNode::StmtNode;
  const Expr* database = nullptr;
  Block body;
};

}  // namespace wfl::syntax
