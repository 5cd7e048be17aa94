// Waiting, files, processes, and the statements of the web.
#include "wfl/check/analyzer_impl.h"

namespace wfl::check {

using namespace syntax;  // NOLINT: the tree's node types are this file's vocabulary.

bool Analyzer::io_statement(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::WaitDuration:
      expression(as<WaitDurationStmt>(stmt).amount);
      later(
          [this, &stmt] { types_.check_number(as<WaitDurationStmt>(stmt).amount, "A length of time is needed here"); });
      return true;
    case StmtKind::WaitStatement:
      statement(*as<WaitStatementStmt>(stmt).inner);
      return true;
    case StmtKind::WaitVariable:
      read_name(as<WaitVariableStmt>(stmt).name.text, as<WaitVariableStmt>(stmt).name.span);
      return true;
    case StmtKind::WaitProcess:
      expression(as<WaitProcessStmt>(stmt).process);
      define(as<WaitProcessStmt>(stmt).result);
      return true;
    case StmtKind::OpenFile:
      expression(as<OpenFileStmt>(stmt).path);
      define(as<OpenFileStmt>(stmt).name);
      return true;
    case StmtKind::ReadFile:
      expression(as<ReadFileStmt>(stmt).path);
      define(as<ReadFileStmt>(stmt).name);
      return true;
    case StmtKind::Close: {
      const auto& close = as<CloseStmt>(stmt);
      expression(close.value);
      const auto* variable = try_as<VariableExpr>(close.value);
      const Symbol* symbol = variable == nullptr ? nullptr : scopes_.find(variable->name);
      if (symbol != nullptr && symbol->type == ValueType::kKeystore) close_keystore(close.value, stmt);
      if (symbol == nullptr && variable != nullptr && variable->name.starts_with("snapshot ")) first_word(*close.value);
      return true;
    }
    case StmtKind::WriteTo:
      expression(as<WriteToStmt>(stmt).content);
      expression(as<WriteToStmt>(stmt).file);
      return true;
    case StmtKind::WriteContent:
      expression(as<WriteContentStmt>(stmt).content);
      expression(as<WriteContentStmt>(stmt).file);
      return true;
    case StmtKind::WriteBinary:
      expression(as<WriteBinaryStmt>(stmt).content);
      expression(as<WriteBinaryStmt>(stmt).file);
      return true;
    case StmtKind::CreateFile:
      expression(as<CreateFileStmt>(stmt).path);
      expression(as<CreateFileStmt>(stmt).content);
      return true;
    case StmtKind::CreateDirectory:
      expression(as<CreateDirectoryStmt>(stmt).path);
      return true;
    case StmtKind::DeleteFile:
      expression(as<DeleteFileStmt>(stmt).path);
      return true;
    case StmtKind::DeleteDirectory:
      expression(as<DeleteDirectoryStmt>(stmt).path);
      return true;
    case StmtKind::ExecuteCommand: {
      const auto& execute = as<ExecuteCommandStmt>(stmt);
      expression(execute.command);
      expression(execute.arguments);
      define(execute.result);
      return true;
    }
    case StmtKind::ExecuteFile: {
      const auto& execute = as<ExecuteFileStmt>(stmt);
      expression(execute.path);
      expression(execute.request);
      define(execute.output);
      return true;
    }
    case StmtKind::Spawn: {
      const auto& spawn = as<SpawnStmt>(stmt);
      expression(spawn.command);
      expression(spawn.arguments);
      define(spawn.name);
      return true;
    }
    case StmtKind::ReadOutput:
      expression(as<ReadOutputStmt>(stmt).process);
      define(as<ReadOutputStmt>(stmt).name);
      return true;
    case StmtKind::KillProcess:
      expression(as<KillProcessStmt>(stmt).process);
      return true;
    default:
      return false;
  }
}

bool Analyzer::web_statement(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::Listen: {
      const auto& listen = as<ListenStmt>(stmt);
      for (const Expr* part : {listen.port, listen.certificate, listen.key, listen.redirect_port}) expression(part);
      define(listen.name);
      return true;
    }
    case StmtKind::WaitRequest: {
      const auto& wait = as<WaitRequestStmt>(stmt);
      expression(wait.server);
      expression(wait.timeout);
      define_or_replace(wait.name, {.maybe_callable = true});
      // The request's fields become variables of their own.
      for (const std::string_view field : {"method", "path", "query", "client_ip", "body", "headers"}) {
        note_binding(field, ValueType::kUnknown);
        if (scopes_.find(field) == nullptr)
          scopes_.set(field, {.span = stmt.head, .maybe_callable = true, .used = true});
      }
      return true;
    }
    case StmtKind::Respond: {
      const auto& respond = as<RespondStmt>(stmt);
      for (const Expr* part : {respond.request, respond.content, respond.clauses.status, respond.clauses.content_type,
                               respond.clauses.headers}) {
        expression(part);
      }
      return true;
    }
    case StmtKind::StartStream: {
      const auto& start = as<StartStreamStmt>(stmt);
      for (const Expr* part :
           {start.request, start.clauses.status, start.clauses.content_type, start.clauses.headers}) {
        expression(part);
      }
      define(start.name);
      return true;
    }
    case StmtKind::StreamWrite: {
      const auto& write = as<StreamWriteStmt>(stmt);
      expression(write.target);
      if (write.today_content == nullptr) {
        expression(write.value);
        return true;
      }
      const Findings before = findings();
      expression(write.today_content);
      const bool fits = nothing_since(before);
      drop_since(before);
      expression(write.value);
      if (fits) drop_since(before);
      return true;
    }
    case StmtKind::RegisterSignal:
      if (const Name& handler = as<RegisterSignalStmt>(stmt).handler; scopes_.find(handler.text) == nullptr) {
        warning("Undefined signal handler '" + std::string(handler.text) + "'", handler.span, "WFL-S015");
      }
      return true;
    case StmtKind::StopAccepting:
      expression(as<StopAcceptingStmt>(stmt).server);
      return true;
    case StmtKind::CloseServer:
      expression(as<CloseServerStmt>(stmt).server);
      return true;
    case StmtKind::OpenUrl: {
      const auto& open = as<OpenUrlStmt>(stmt);
      for (const Expr* part : {open.url, open.method, open.headers, open.body}) expression(part);
      define(open.name);
      return true;
    }
    case StmtKind::WaitNext:
      expression(as<WaitNextStmt>(stmt).source);
      define_or_replace(as<WaitNextStmt>(stmt).name);
      return true;
    case StmtKind::ListenWebSocket:
      expression(as<ListenWebSocketStmt>(stmt).port);
      define(as<ListenWebSocketStmt>(stmt).name);
      return true;
    case StmtKind::OnWebSocket: {
      const auto& on = as<OnWebSocketStmt>(stmt);
      expression(on.server);
      scopes_.push();
      define_or_replace(on.name, {.maybe_callable = true});
      // `id of client` and the like read the fields of a connection.
      for (const std::string_view field : {"id", "ip", "body", "sender"}) {
        note_binding(field, ValueType::kUnknown);
        if (scopes_.find(field) == nullptr)
          scopes_.set(field, {.span = stmt.head, .maybe_callable = true, .used = true});
      }
      const KeystoreStates::Map outer_keystores = keystores_.now();
      keystores_.restore({});
      statements(on.body);
      static_cast<void>(keystores_.take_ended());
      keystores_.restore(outer_keystores);
      scopes_.pop();
      return true;
    }
    case StmtKind::SendWebSocket:
      expression(as<SendWebSocketStmt>(stmt).message);
      expression(as<SendWebSocketStmt>(stmt).target);
      return true;
    case StmtKind::BroadcastWebSocket:
      expression(as<BroadcastWebSocketStmt>(stmt).message);
      expression(as<BroadcastWebSocketStmt>(stmt).server);
      return true;
    case StmtKind::OpenDatabase:
      expression(as<OpenDatabaseStmt>(stmt).url);
      define(as<OpenDatabaseStmt>(stmt).name);
      return true;
    case StmtKind::CloseDatabase:
      expression(as<CloseDatabaseStmt>(stmt).database);
      return true;
    case StmtKind::Transaction:
      expression(as<TransactionStmt>(stmt).database);
      statements(as<TransactionStmt>(stmt).body);
      return true;
    default:
      return false;
  }
}

}  // namespace wfl::check
