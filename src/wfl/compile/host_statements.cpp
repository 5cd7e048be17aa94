// Statements that call host functions: files, processes, waiting, dates, web, SQL. Names and arguments are those of
// language/host_functions.def.
#include "wfl/compile/compiler_impl.h"

namespace wfl::compile {

using namespace syntax;  // The code names nearly every statement node.

bool Compiler::host_statement(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::CreateDate:
    case StmtKind::CreateTime: {
      const bool is_date = stmt.kind == StmtKind::CreateDate;
      const Name& name = is_date ? as<CreateDateStmt>(stmt).name : as<CreateTimeStmt>(stmt).name;
      const Expr* value = is_date ? as<CreateDateStmt>(stmt).value : as<CreateTimeStmt>(stmt).value;
      if (value != nullptr) {
        define_result(name, expression(*value));
      } else {
        define_result(name, HostCall(*this, is_date ? "time.today" : "time.now").run());
      }
      return true;
    }
    case StmtKind::WaitDuration: {
      const auto& node = as<WaitDurationStmt>(stmt);
      static constexpr double kMilliseconds[] = {1, 1000, 60'000, 3'600'000, 86'400'000};
      HostCall(*this, "time.wait").value(*node.amount).number(kMilliseconds[static_cast<std::size_t>(node.unit)]).run();
      return true;
    }
    case StmtKind::WaitStatement:
      statement_body(*as<WaitStatementStmt>(stmt).inner, false);
      return true;
    case StmtKind::WaitVariable: {
      const std::string_view name = as<WaitVariableStmt>(stmt).name.text;
      HostCall host(*this, "wait.for_value");
      const Register value = take();
      read_name(name, value);
      // Waiting for what an action is called means calling it.
      if (may_be_action(name)) emit(Op::kCallBare, value);
      std::vector<Position> skip;
      const Register is_null = take();
      const Register null = take();
      load(null, kNull);
      emit(Op::kNotEqual, is_null, value, null);
      skip.push_back(emit_wide(Op::kJumpIfTrue, is_null, 0));
      release_to(value + 1U);
      host.text(name).run();
      patch_all(skip);
      return true;
    }
    case StmtKind::WaitProcess: {
      const auto& node = as<WaitProcessStmt>(stmt);
      define_result(node.result, HostCall(*this, "process.wait").value(*node.process).run());
      return true;
    }
    case StmtKind::OpenFile: {
      const auto& node = as<OpenFileStmt>(stmt);
      const bool binary_mode = node.mode == FileMode::ReadBinary || node.mode == FileMode::WriteBinary;
      const std::string_view mode = node.mode == FileMode::Append                                        ? "append"
                                    : node.mode == FileMode::Write || node.mode == FileMode::WriteBinary ? "write"
                                                                                                         : "read";
      define_result(node.name, HostCall(*this, "file.open").value(*node.path).text(mode).flag(binary_mode).run());
      return true;
    }
    case StmtKind::ReadFile: {
      const auto& node = as<ReadFileStmt>(stmt);
      define_result(node.name, HostCall(*this, "file.open_and_read").value(*node.path).run());
      return true;
    }
    case StmtKind::Close: {
      const Register value = take();
      expression(*as<CloseStmt>(stmt).value, value);
      at(stmt.head);
      const Position other = host_check(value, "Keystore");
      const std::uint32_t before = mark();
      HostCall(*this, "keystore.close").reg(value).run();
      release_to(before);
      const Position done = emit_wide(Op::kJump, 0, 0);
      patch(other);
      HostCall(*this, "file.close").reg(value).run();
      patch(done);
      return true;
    }
    case StmtKind::WriteTo: {
      const auto& node = as<WriteToStmt>(stmt);
      HostCall(*this, "file.write").value(*node.content).value(*node.file).run();
      return true;
    }
    case StmtKind::WriteContent: {
      const auto& node = as<WriteContentStmt>(stmt);
      const std::string_view name = node.mode == WriteMode::Plain       ? "file.write_content"
                                    : node.mode == WriteMode::Overwrite ? "file.wait_write_content"
                                                                        : "file.append_content";
      HostCall(*this, name).value(*node.content).value(*node.file).run();
      return true;
    }
    case StmtKind::WriteBinary: {
      const auto& node = as<WriteBinaryStmt>(stmt);
      HostCall(*this, "file.write_binary").value(*node.content).value(*node.file).run();
      return true;
    }
    case StmtKind::CreateFile: {
      const auto& node = as<CreateFileStmt>(stmt);
      HostCall(*this, "file.create").value(*node.path).value(*node.content).run();
      return true;
    }
    case StmtKind::CreateDirectory:
      HostCall(*this, "directory.create").value(*as<CreateDirectoryStmt>(stmt).path).run();
      return true;
    case StmtKind::DeleteFile:
      HostCall(*this, "file.delete").value(*as<DeleteFileStmt>(stmt).path).run();
      return true;
    case StmtKind::DeleteDirectory:
      HostCall(*this, "directory.delete").value(*as<DeleteDirectoryStmt>(stmt).path).run();
      return true;
    case StmtKind::ExecuteCommand: {
      const auto& node = as<ExecuteCommandStmt>(stmt);
      HostCall host(*this, "process.execute");
      define_result(node.result, host.value(*node.command).optional(node.arguments, kNull).flag(node.shell).run());
      return true;
    }
    case StmtKind::ExecuteFile: {
      const auto& node = as<ExecuteFileStmt>(stmt);
      HostCall host(*this, "program.execute_file");
      host.value(*node.path).optional(node.request, kNull).flag(!node.output.empty());
      define_result(node.output, host.run());
      return true;
    }
    case StmtKind::Spawn: {
      const auto& node = as<SpawnStmt>(stmt);
      HostCall host(*this, "process.spawn");
      define_result(node.name, host.value(*node.command).optional(node.arguments, kNull).flag(node.shell).run());
      return true;
    }
    case StmtKind::ReadOutput: {
      const auto& node = as<ReadOutputStmt>(stmt);
      define_result(node.name, HostCall(*this, "process.read_output").value(*node.process).run());
      return true;
    }
    case StmtKind::KillProcess:
      HostCall(*this, "process.kill").value(*as<KillProcessStmt>(stmt).process).run();
      return true;
    default:
      return false;
  }
}

bool Compiler::web_statement(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::Listen: {
      const auto& node = as<ListenStmt>(stmt);
      HostCall host(*this, "web.listen");
      host.value(*node.port);
      const Register options = take();
      emit(Op::kNewMap, options);
      const auto option = [&](std::string_view key, const Expr* value) {
        if (value == nullptr) return;
        emit(Op::kMapSet, options, short_constant(text_constant(key)), expression(*value));
        release_to(options + 1U);
      };
      if (node.secured) {
        const Register yes = take();
        load(yes, kYes);
        emit(Op::kMapSet, options, short_constant(text_constant("secured")), yes);
        release_to(options + 1U);
      }
      option("certificate", node.certificate);
      option("key", node.key);
      option("redirect_port", node.redirect_port);
      define_result(node.name, host.run());
      return true;
    }
    case StmtKind::WaitRequest: {
      const auto& node = as<WaitRequestStmt>(stmt);
      const Register request =
          HostCall(*this, "web.wait_for_request").value(*node.server).optional(node.timeout, kNull).run();
      define_result(node.name, request);
      for (const char* field : {"method", "path", "query", "client_ip", "body", "headers"}) {
        const std::uint32_t before = mark();
        const Register value = take();
        emit(Op::kGetProperty, value, request, short_constant(text_constant(field)));
        emit(Op::kSetGlobal, value, module_.slot(field));
        release_to(before);
      }
      return true;
    }
    case StmtKind::Respond: {
      const auto& node = as<RespondStmt>(stmt);
      HostCall(*this, "web.respond")
          .value(*node.request)
          .value(*node.content)
          .optional(node.clauses.status, kNull)
          .optional(node.clauses.content_type, kNull)
          .optional(node.clauses.headers, kNull)
          .run();
      return true;
    }
    case StmtKind::StartStream: {
      const auto& node = as<StartStreamStmt>(stmt);
      define_result(node.name, HostCall(*this, "web.start_stream")
                                   .value(*node.request)
                                   .optional(node.clauses.status, kNull)
                                   .optional(node.clauses.content_type, kNull)
                                   .optional(node.clauses.headers, kNull)
                                   .run());
      return true;
    }
    case StmtKind::StreamWrite: {
      const auto& node = as<StreamWriteStmt>(stmt);
      const auto to_stream = [&](Register target) {
        HostCall(*this, "web.write_stream").text(node.is_line ? "line" : "chunk").value(*node.value).reg(target).run();
      };
      const Register target = take();
      expression(*node.target, target);
      if (node.today_content == nullptr) {
        to_stream(target);
        return true;
      }
      const Position other = host_check(target, "ResponseStream");
      const std::uint32_t before = mark();
      to_stream(target);
      release_to(before);
      const Position done = emit_wide(Op::kJump, 0, 0);
      patch(other);
      HostCall(*this, "file.write").value(*node.today_content).reg(target).run();
      patch(done);
      return true;
    }
    case StmtKind::RegisterSignal: {
      const auto& node = as<RegisterSignalStmt>(stmt);
      HostCall(*this, "web.signal_handler").text(node.signal.text).text(node.handler.text).run();
      return true;
    }
    case StmtKind::StopAccepting:
      HostCall(*this, "web.stop_accepting").value(*as<StopAcceptingStmt>(stmt).server).run();
      return true;
    case StmtKind::CloseServer:
      HostCall(*this, "web.close_server").value(*as<CloseServerStmt>(stmt).server).run();
      return true;
    case StmtKind::OpenUrl: {
      const auto& node = as<OpenUrlStmt>(stmt);
      const std::string_view wanted = node.wanted == UrlResult::Content    ? "content"
                                      : node.wanted == UrlResult::Response ? "response"
                                                                           : "stream";
      define_result(node.name, HostCall(*this, "http.open")
                                   .value(*node.url)
                                   .optional(node.method, kNull)
                                   .optional(node.headers, kNull)
                                   .optional(node.body, kNull)
                                   .text(wanted)
                                   .run());
      return true;
    }
    case StmtKind::WaitNext: {
      const auto& node = as<WaitNextStmt>(stmt);
      define_result(node.name,
                    HostCall(*this, "http.next").text(node.is_line ? "line" : "chunk").value(*node.source).run());
      return true;
    }
    case StmtKind::ListenWebSocket: {
      const auto& node = as<ListenWebSocketStmt>(stmt);
      define_result(node.name, HostCall(*this, "websocket.listen").value(*node.port).run());
      return true;
    }
    case StmtKind::OnWebSocket: {
      const auto& node = as<OnWebSocketStmt>(stmt);
      const Parameter parameter{node.name, nullptr, nullptr};
      const std::uint32_t handler =
          function("a websocket handler", std::span(&parameter, 1), node.body.statements, node.span, nullptr);
      const std::string_view event = node.event == WebSocketEvent::Connect   ? "connect"
                                     : node.event == WebSocketEvent::Message ? "message"
                                                                             : "disconnect";
      HostCall host(*this, "websocket.on");
      host.text(event).value(*node.server);
      emit(Op::kClosure, take(), short_constant(handler));
      host.run();
      return true;
    }
    case StmtKind::SendWebSocket: {
      const auto& node = as<SendWebSocketStmt>(stmt);
      HostCall(*this, "websocket.send").value(*node.message).value(*node.target).run();
      return true;
    }
    case StmtKind::BroadcastWebSocket: {
      const auto& node = as<BroadcastWebSocketStmt>(stmt);
      HostCall(*this, "websocket.broadcast").value(*node.message).value(*node.server).run();
      return true;
    }
    case StmtKind::OpenDatabase: {
      const auto& node = as<OpenDatabaseStmt>(stmt);
      define_result(node.name, HostCall(*this, "database.open").value(*node.url).run());
      return true;
    }
    case StmtKind::CloseDatabase:
      HostCall(*this, "database.close").value(*as<CloseDatabaseStmt>(stmt).database).run();
      return true;
    default:
      return false;
  }
}

}  // namespace wfl::compile
