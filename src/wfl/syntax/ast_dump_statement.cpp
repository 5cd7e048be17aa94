#include <utility>

#include "wfl/syntax/ast_dump.h"
#include "wfl/syntax/ast_dump_text.h"

namespace wfl::syntax {

namespace {

using namespace dumping;  // The whole file writes with these words.

// ---- Statements ----

class Writer {
 public:
  void statement(const Stmt& stmt);
  void block(std::string_view label, const Block& body) {
    if (!label.empty()) {
      line(std::string(label) + ":");
    }
    depth_ += 1;
    for (const Stmt* stmt : body.statements) {
      statement(*stmt);
    }
    depth_ -= 1;
  }
  std::string take() { return std::move(out_); }

 private:
  void line(std::string_view text) {
    out_.append(depth_ * 2, ' ');
    out_ += text;
    out_ += "\n";
  }
  void body(const Block& body) { block("", body); }
  void other(const OtherReading& other) {
    if (other.rule == ReadingRule::OnlyKeystore) {
      return;
    }
    depth_ += 1;
    line(other.rule == ReadingRule::Name ? "if visible " + named(other.today_words) + ":" : "if no keystore:");
    depth_ += 1;
    if (other.today != nullptr) {
      statement(*other.today);
    }
    depth_ -= 2;
  }
  void core(const Stmt& stmt);
  void control(const Stmt& stmt);
  void container(const Stmt& stmt);
  void io(const Stmt& stmt);
  void web(const Stmt& stmt);
  void keystore(const Stmt& stmt);
  void action(const DefineActionStmt& node);

  std::string out_;
  std::size_t depth_ = 0;
};

std::string result_of(const Name& name) {
  return name ? " as=" + named(name) : "";
}
std::string part(std::string_view name, const Expr* value) {
  return value == nullptr ? "" : " " + std::string(name) + "=" + text_of(value);
}

void Writer::statement(const Stmt& stmt) {
  if (stmt.kind <= StmtKind::Clear) {
    core(stmt);
  } else if (stmt.kind <= StmtKind::Export) {
    control(stmt);
  } else if (stmt.kind <= StmtKind::Expect) {
    container(stmt);
  } else if (stmt.kind <= StmtKind::KillProcess) {
    io(stmt);
  } else if (stmt.kind <= StmtKind::Transaction) {
    web(stmt);
  } else {
    keystore(stmt);
  }
}

void Writer::core(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::Store: {
      const auto& node = as<StoreStmt>(stmt);
      return line((node.is_constant ? "constant " : "store ") + named(node.name) + part("value", node.value));
    }
    case StmtKind::Change: {
      const auto& node = as<ChangeStmt>(stmt);
      return line("change " + named(node.name) + part("value", node.value));
    }
    case StmtKind::Arithmetic: {
      const auto& node = as<ArithmeticStmt>(stmt);
      const std::string_view op = node.op == ArithmeticOp::Subtract   ? "subtract "
                                  : node.op == ArithmeticOp::Multiply ? "multiply "
                                                                      : "divide ";
      return line(std::string(op) + named(node.name) + part("value", node.value));
    }
    case StmtKind::AddTo: {
      const auto& node = as<AddToStmt>(stmt);
      return line("add-to " + named(node.name) + part("value", node.value));
    }
    case StmtKind::CreateList: {
      const auto& node = as<CreateListStmt>(stmt);
      return line("create-list " + named(node.name) + " [" + list_of(node.items, ", ") + "]");
    }
    case StmtKind::CreateMap: {
      const auto& node = as<CreateMapStmt>(stmt);
      std::string entries;
      for (const MapEntry& entry : node.entries) {
        entries += (entries.empty() ? "" : ", ") + quoted(entry.key) + "=" + text_of(entry.value);
      }
      return line("create-map " + named(node.name) + " {" + entries + "}");
    }
    case StmtKind::CreateDate: {
      const auto& node = as<CreateDateStmt>(stmt);
      return line("create-date " + named(node.name) + part("value", node.value));
    }
    case StmtKind::CreateTime: {
      const auto& node = as<CreateTimeStmt>(stmt);
      return line("create-time " + named(node.name) + part("value", node.value));
    }
    case StmtKind::Push: {
      const auto& node = as<PushStmt>(stmt);
      return line("push" + part("list", node.list) + part("value", node.value));
    }
    case StmtKind::RemoveFrom: {
      const auto& node = as<RemoveFromStmt>(stmt);
      return line("remove-from " + named(node.name) + part("value", node.value));
    }
    case StmtKind::Clear:
      return line("clear " + named(as<ClearStmt>(stmt).name));
    default:
      return;
  }
}

void Writer::action(const DefineActionStmt& node) {
  line((node.is_static ? "static action " : "action ") + named(node.name) + parameters_of(node.parameters) +
       (node.return_type != nullptr ? " returns=" + text_of(*node.return_type) : ""));
  body(node.body);
}

void Writer::control(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::Display:
      return line("display " + list_of(as<DisplayStmt>(stmt).values));
    case StmtKind::If: {
      const auto& node = as<IfStmt>(stmt);
      bool first = true;
      for (const IfBranch& branch : node.branches) {
        line((first ? "if " : "otherwise-if ") + text_of(branch.condition));
        body(branch.body);
        first = false;
      }
      if (node.has_otherwise) {
        block("otherwise", node.otherwise);
      }
      return;
    }
    case StmtKind::Route: {
      const auto& node = as<RouteStmt>(stmt);
      line("route " + text_of(node.subject));
      for (const RouteArm& arm : node.arms) {
        constexpr std::string_view kTests[] = {"equal", "contains", "one-of", "starts-with", "ends-with"};
        block("when " + std::string(kTests[static_cast<std::size_t>(arm.test)]) + " " + list_of(arm.values), arm.body);
      }
      if (node.has_otherwise) {
        block("otherwise", node.otherwise);
      }
      return;
    }
    case StmtKind::ForEach: {
      const auto& node = as<ForEachStmt>(stmt);
      line("for-each " + named(node.item) + " in=" + text_of(node.collection) + (node.reversed ? " reversed" : "") +
           (node.range != nullptr ? " keys: " + text_of(*node.range) : ""));
      return body(node.body);
    }
    case StmtKind::Count: {
      const auto& node = as<CountStmt>(stmt);
      line("count" + part("from", node.from) + part(node.down ? "down-to" : "to", node.to) + part("by", node.step) +
           result_of(node.variable));
      return body(node.body);
    }
    case StmtKind::RepeatWhile: {
      const auto& node = as<RepeatWhileStmt>(stmt);
      line("repeat-while " + text_of(node.condition));
      return body(node.body);
    }
    case StmtKind::RepeatUntil: {
      const auto& node = as<RepeatUntilStmt>(stmt);
      line("repeat-until " + text_of(node.condition));
      return body(node.body);
    }
    case StmtKind::Forever:
      line("repeat-forever");
      return body(as<ForeverStmt>(stmt).body);
    case StmtKind::MainLoop: {
      const auto& node = as<MainLoopStmt>(stmt);
      line(node.concurrent ? "main-loop concurrently" : "main-loop");
      return body(node.body);
    }
    case StmtKind::Break:
      return line("break");
    case StmtKind::Continue:
      return line("continue");
    case StmtKind::Exit:
      return line(as<ExitStmt>(stmt).whole_program ? "exit-program" : "exit-loop");
    case StmtKind::DefineAction:
      return action(as<DefineActionStmt>(stmt));
    case StmtKind::Return:
      return line("return" + part("value", as<ReturnStmt>(stmt).value));
    case StmtKind::Expression:
      return line("expression " + text_of(as<ExpressionStmt>(stmt).value));
    case StmtKind::Try: {
      const auto& node = as<TryStmt>(stmt);
      line("try");
      body(node.body);
      for (const Handler& handler : node.handlers) {
        constexpr std::string_view kKinds[] = {"error",
                                               "file-not-found",
                                               "permission-denied",
                                               "process-not-found",
                                               "process-spawn-failed",
                                               "process-kill-failed",
                                               "command-not-found",
                                               "keystore-not-found",
                                               "keystore-already-exists",
                                               "keystore-busy",
                                               "wrong-encryption-key",
                                               "keystore-damaged",
                                               "keystore-full"};
        block("when " + std::string(kKinds[static_cast<std::size_t>(handler.kind)]) + result_of(handler.variable),
              handler.body);
      }
      if (node.has_otherwise) {
        block("otherwise", node.otherwise);
      }
      if (node.has_finally) {
        block("finally", node.finally);
      }
      return;
    }
    case StmtKind::Include:
      return line("include" + part("path", as<IncludeStmt>(stmt).path));
    case StmtKind::LoadModule:
      return line("load-module" + part("path", as<LoadModuleStmt>(stmt).path));
    case StmtKind::Export: {
      const auto& node = as<ExportStmt>(stmt);
      constexpr std::string_view kWhat[] = {"container ", "action ", "constant "};
      return line("export " + std::string(kWhat[static_cast<std::size_t>(node.what)]) + named(node.name));
    }
    default:
      return;
  }
}

void Writer::container(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::DefineContainer: {
      const auto& node = as<DefineContainerStmt>(stmt);
      std::string head = "container " + named(node.name) + (node.parent ? " extends=" + named(node.parent) : "");
      for (const Name& name : node.interfaces) {
        head += " implements=" + named(name);
      }
      line(head);
      depth_ += 1;
      for (const PropertyDefinition& property : node.properties) {
        line((property.is_static ? "static property " : "property ") + named(property.name) +
             (property.type != nullptr ? ":" + text_of(*property.type) : "") + part("default", property.default_value));
      }
      for (const EventDeclaration& event : node.events) {
        line("event " + named(event.name) + parameters_of(event.parameters));
      }
      for (const DefineActionStmt* method : node.actions) {
        action(*method);
      }
      depth_ -= 1;
      return;
    }
    case StmtKind::DefineInterface: {
      const auto& node = as<DefineInterfaceStmt>(stmt);
      std::string head = "interface " + named(node.name);
      for (const Name& name : node.parents) {
        head += " extends=" + named(name);
      }
      line(head);
      depth_ += 1;
      for (const RequiredAction& required : node.actions) {
        line("requires " + named(required.name) + parameters_of(required.parameters) +
             (required.return_type != nullptr ? " returns=" + text_of(*required.return_type) : ""));
      }
      depth_ -= 1;
      return;
    }
    case StmtKind::CreateInstance: {
      const auto& node = as<CreateInstanceStmt>(stmt);
      std::string values;
      for (const PropertyInitializer& initializer : node.initializers) {
        values += (values.empty() ? "" : ", ") + named(initializer.name) + "=" + text_of(initializer.value);
      }
      return line("create-new " + named(node.container) + result_of(node.name) + " {" + values + "}");
    }
    case StmtKind::DeclareEvent:
      return line("event " + named(as<DeclareEventStmt>(stmt).event.name));
    case StmtKind::Trigger:
      return line("trigger " + named(as<TriggerStmt>(stmt).event));
    case StmtKind::OnEvent: {
      const auto& node = as<OnEventStmt>(stmt);
      return line("on " + text_of(node.source) + " " + named(node.event));
    }
    case StmtKind::ParentCall:
      return line("parent " + named(as<ParentCallStmt>(stmt).action));
    case StmtKind::DefinePattern: {
      const auto& node = as<DefinePatternStmt>(stmt);
      return line("pattern " + named(node.name) + " " + (node.pattern != nullptr ? text_of(*node.pattern) : "?"));
    }
    case StmtKind::Describe: {
      const auto& node = as<DescribeStmt>(stmt);
      line("describe " + quoted(node.title));
      depth_ += 1;
      if (node.has_setup) {
        block("setup", node.setup);
      }
      if (node.has_teardown) {
        block("teardown", node.teardown);
      }
      for (const Stmt* test : node.tests) {
        statement(*test);
      }
      depth_ -= 1;
      return;
    }
    case StmtKind::Test: {
      const auto& node = as<TestStmt>(stmt);
      line("test " + quoted(node.title));
      return body(node.body);
    }
    case StmtKind::Expect: {
      const auto& node = as<ExpectStmt>(stmt);
      constexpr std::string_view kKinds[] = {"equal", "be",      "greater", "less",        "be-yes", "be-no",
                                             "exist", "contain", "empty",   "have-length", "of-type"};
      return line("expect " + text_of(node.subject) + " " +
                  std::string(kKinds[static_cast<std::size_t>(node.assertion)]) +
                  (node.operand != nullptr ? " " + text_of(node.operand) : "") +
                  (node.type_name.empty() ? "" : " " + quoted(node.type_name)));
    }
    default:
      return;
  }
}

void Writer::io(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::WaitDuration: {
      const auto& node = as<WaitDurationStmt>(stmt);
      return line("wait " + text_of(node.amount) + " " + unit_name(node.unit));
    }
    case StmtKind::WaitStatement:
      line("wait-for");
      depth_ += 1;
      statement(*as<WaitStatementStmt>(stmt).inner);
      depth_ -= 1;
      return;
    case StmtKind::WaitVariable:
      return line("wait-for-variable " + named(as<WaitVariableStmt>(stmt).name));
    case StmtKind::WaitProcess: {
      const auto& node = as<WaitProcessStmt>(stmt);
      return line("wait-process " + text_of(node.process) + result_of(node.result));
    }
    case StmtKind::OpenFile: {
      const auto& node = as<OpenFileStmt>(stmt);
      constexpr std::string_view kModes[] = {"read", "write", "append", "read-binary", "write-binary"};
      return line("open-file" + part("path", node.path) + " " +
                  std::string(kModes[static_cast<std::size_t>(node.mode)]) + result_of(node.name));
    }
    case StmtKind::ReadFile: {
      const auto& node = as<ReadFileStmt>(stmt);
      return line("read-file" + part("path", node.path) + result_of(node.name));
    }
    case StmtKind::Close: {
      const auto& node = as<CloseStmt>(stmt);
      return line((node.says_file ? "close-file " : "close ") + text_of(node.value));
    }
    case StmtKind::WriteTo: {
      const auto& node = as<WriteToStmt>(stmt);
      return line("write" + part("content", node.content) + part("to", node.file));
    }
    case StmtKind::WriteContent: {
      const auto& node = as<WriteContentStmt>(stmt);
      constexpr std::string_view kModes[] = {"plain", "overwrite", "append"};
      return line("write-content " + std::string(kModes[static_cast<std::size_t>(node.mode)]) +
                  part("content", node.content) + part("into", node.file));
    }
    case StmtKind::WriteBinary: {
      const auto& node = as<WriteBinaryStmt>(stmt);
      return line("write-binary" + part("content", node.content) + part("into", node.file));
    }
    case StmtKind::CreateFile: {
      const auto& node = as<CreateFileStmt>(stmt);
      return line("create-file" + part("path", node.path) + part("content", node.content));
    }
    case StmtKind::CreateDirectory:
      return line("create-directory" + part("path", as<CreateDirectoryStmt>(stmt).path));
    case StmtKind::DeleteFile:
      return line("delete-file" + part("path", as<DeleteFileStmt>(stmt).path));
    case StmtKind::DeleteDirectory:
      return line("delete-directory" + part("path", as<DeleteDirectoryStmt>(stmt).path));
    case StmtKind::ExecuteCommand: {
      const auto& node = as<ExecuteCommandStmt>(stmt);
      return line("execute" + part("command", node.command) + part("arguments", node.arguments) +
                  (node.shell ? " shell" : "") + result_of(node.result));
    }
    case StmtKind::ExecuteFile: {
      const auto& node = as<ExecuteFileStmt>(stmt);
      return line("execute-file" + part("path", node.path) + part("request", node.request) + result_of(node.output));
    }
    case StmtKind::Spawn: {
      const auto& node = as<SpawnStmt>(stmt);
      return line("spawn" + part("command", node.command) + part("arguments", node.arguments) +
                  (node.shell ? " shell" : "") + result_of(node.name));
    }
    case StmtKind::ReadOutput: {
      const auto& node = as<ReadOutputStmt>(stmt);
      return line("read-output" + part("process", node.process) + result_of(node.name));
    }
    case StmtKind::KillProcess:
      return line("kill" + part("process", as<KillProcessStmt>(stmt).process));
    default:
      return;
  }
}

std::string clauses_of(const ResponseClauses& clauses) {
  return part("status", clauses.status) + part("type", clauses.content_type) + part("headers", clauses.headers);
}

void Writer::web(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::Listen: {
      const auto& node = as<ListenStmt>(stmt);
      return line("listen" + part("port", node.port) + (node.secured ? " secured" : "") +
                  part("certificate", node.certificate) + part("key", node.key) + part("redirect", node.redirect_port) +
                  result_of(node.name));
    }
    case StmtKind::WaitRequest: {
      const auto& node = as<WaitRequestStmt>(stmt);
      return line("wait-request" + part("on", node.server) + result_of(node.name) + part("timeout", node.timeout));
    }
    case StmtKind::Respond: {
      const auto& node = as<RespondStmt>(stmt);
      return line("respond" + part("to", node.request) + part("content", node.content) + clauses_of(node.clauses));
    }
    case StmtKind::StartStream: {
      const auto& node = as<StartStreamStmt>(stmt);
      return line("start-stream" + part("to", node.request) + clauses_of(node.clauses) + result_of(node.name));
    }
    case StmtKind::StreamWrite: {
      const auto& node = as<StreamWriteStmt>(stmt);
      return line((node.is_line ? "write-line" : "write-chunk") + part("value", node.value) + part("to", node.target) +
                  part("today", node.today_content));
    }
    case StmtKind::RegisterSignal: {
      const auto& node = as<RegisterSignalStmt>(stmt);
      return line("register-signal " + named(node.signal) + result_of(node.handler));
    }
    case StmtKind::StopAccepting:
      return line("stop-accepting" + part("on", as<StopAcceptingStmt>(stmt).server));
    case StmtKind::CloseServer:
      return line("close-server " + text_of(as<CloseServerStmt>(stmt).server));
    case StmtKind::OpenUrl: {
      const auto& node = as<OpenUrlStmt>(stmt);
      constexpr std::string_view kWanted[] = {"content", "response", "stream"};
      return line("open-url" + part("url", node.url) + part("method", node.method) + part("headers", node.headers) +
                  part("body", node.body) + " " + std::string(kWanted[static_cast<std::size_t>(node.wanted)]) +
                  result_of(node.name));
    }
    case StmtKind::WaitNext: {
      const auto& node = as<WaitNextStmt>(stmt);
      return line((node.is_line ? "wait-next-line" : "wait-next-chunk") + part("from", node.source) +
                  result_of(node.name));
    }
    case StmtKind::ListenWebSocket: {
      const auto& node = as<ListenWebSocketStmt>(stmt);
      return line("listen-websocket" + part("port", node.port) + result_of(node.name));
    }
    case StmtKind::OnWebSocket: {
      const auto& node = as<OnWebSocketStmt>(stmt);
      constexpr std::string_view kEvents[] = {"connect", "message", "disconnect"};
      line("on-websocket " + std::string(kEvents[static_cast<std::size_t>(node.event)]) + part("server", node.server) +
           result_of(node.name));
      return body(node.body);
    }
    case StmtKind::SendWebSocket: {
      const auto& node = as<SendWebSocketStmt>(stmt);
      return line("send-websocket" + part("message", node.message) + part("to", node.target));
    }
    case StmtKind::BroadcastWebSocket: {
      const auto& node = as<BroadcastWebSocketStmt>(stmt);
      return line("broadcast-websocket" + part("message", node.message) + part("to", node.server));
    }
    case StmtKind::OpenDatabase: {
      const auto& node = as<OpenDatabaseStmt>(stmt);
      return line("open-database" + part("url", node.url) + result_of(node.name));
    }
    case StmtKind::CloseDatabase:
      return line("close-database " + text_of(as<CloseDatabaseStmt>(stmt).database));
    case StmtKind::Transaction: {
      const auto& node = as<TransactionStmt>(stmt);
      line("transaction" + part("on", node.database));
      return body(node.body);
    }
    default:
      return;
  }
}

void Writer::keystore(const Stmt& stmt) {
  const auto in = [](const Expr* keystore) {
    return keystore == nullptr ? std::string(" in-batch") : part("in", keystore);
  };
  const auto time = [](const Lifetime& lifetime) {
    return " for=" + text_of(lifetime.amount) + " " + unit_name(lifetime.unit);
  };
  switch (stmt.kind) {
    case StmtKind::OpenKeystore: {
      const auto& node = as<OpenKeystoreStmt>(stmt);
      constexpr std::string_view kModes[] = {"create-keystore", "open-keystore", "open-or-create-keystore"};
      return line(std::string(kModes[static_cast<std::size_t>(node.mode)]) + part("path", node.path) +
                  (node.for_reading ? " for-reading" : "") + (node.options.compression ? " compression" : "") +
                  (node.options.relaxed_durability ? " relaxed" : "") + part("secret", node.options.encryption_key) +
                  result_of(node.name));
    }
    case StmtKind::CloseKeystore: {
      const auto& node = as<CloseKeystoreStmt>(stmt);
      line("close-keystore " + text_of(node.keystore));
      return other(node.other);
    }
    case StmtKind::Put: {
      const auto& node = as<PutStmt>(stmt);
      constexpr std::string_view kConditions[] = {"", " if-missing", " if-present", " if-value"};
      return line("put" + part("value", node.value) + in(node.keystore) + part("key", node.key) +
                  (node.has_lifetime ? time(node.lifetime) : "") +
                  std::string(kConditions[static_cast<std::size_t>(node.condition)]) +
                  (node.expected != nullptr ? "=" + text_of(node.expected) : "") + result_of(node.result));
    }
    case StmtKind::GetValue: {
      const auto& node = as<GetValueStmt>(stmt);
      return line("get" + in(node.keystore) + part("key", node.key) + part("or", node.fallback) +
                  result_of(node.result));
    }
    case StmtKind::GetTimeLeft: {
      const auto& node = as<GetTimeLeftStmt>(stmt);
      return line("get-time-left" + in(node.keystore) + part("key", node.key) + result_of(node.result));
    }
    case StmtKind::RemoveKey: {
      const auto& node = as<RemoveKeyStmt>(stmt);
      line("remove-key" + in(node.keystore) + part("key", node.key) + result_of(node.result));
      return other(node.other);
    }
    case StmtKind::ChangeCounter: {
      const auto& node = as<ChangeCounterStmt>(stmt);
      return line((node.decrease ? "decrease" : "increase") + in(node.keystore) + part("key", node.key) +
                  part("by", node.amount) + result_of(node.result));
    }
    case StmtKind::KeepKey: {
      const auto& node = as<KeepKeyStmt>(stmt);
      return line("keep" + in(node.keystore) + part("key", node.key) +
                  (node.forever ? " forever" : time(node.lifetime)) + result_of(node.result));
    }
    case StmtKind::ScanKeys: {
      const auto& node = as<ScanKeysStmt>(stmt);
      return line("scan" + in(node.keystore) + " " + text_of(*node.range) + result_of(node.result));
    }
    case StmtKind::ListKeys: {
      const auto& node = as<ListKeysStmt>(stmt);
      return line("list-keys" + in(node.keystore) + " " + text_of(*node.range) + result_of(node.result));
    }
    case StmtKind::CountKeys: {
      const auto& node = as<CountKeysStmt>(stmt);
      return line("count-keys" + in(node.keystore) + " " + text_of(*node.range) + result_of(node.result));
    }
    case StmtKind::RemoveKeys: {
      const auto& node = as<RemoveKeysStmt>(stmt);
      line("remove-keys" + in(node.keystore) + " " + text_of(*node.range) + result_of(node.result));
      return other(node.other);
    }
    case StmtKind::Batch: {
      const auto& node = as<BatchStmt>(stmt);
      line("batch" + part("on", node.keystore));
      return body(node.body);
    }
    case StmtKind::Compact: {
      const auto& node = as<CompactStmt>(stmt);
      line("compact " + text_of(node.keystore) + part("strategy", node.strategy) + result_of(node.result));
      return other(node.other);
    }
    case StmtKind::Statistics: {
      const auto& node = as<StatisticsStmt>(stmt);
      return line((node.detailed ? "detailed-statistics" : "statistics") + in(node.keystore) + result_of(node.result));
    }
    case StmtKind::Flush: {
      const auto& node = as<FlushStmt>(stmt);
      line("flush " + text_of(node.keystore));
      return other(node.other);
    }
    case StmtKind::BackUp: {
      const auto& node = as<BackUpStmt>(stmt);
      return line("back-up " + text_of(node.keystore) + part("to", node.path));
    }
    case StmtKind::Verify: {
      const auto& node = as<VerifyStmt>(stmt);
      return line("verify " + text_of(node.keystore) + result_of(node.result));
    }
    case StmtKind::Snapshot: {
      const auto& node = as<SnapshotStmt>(stmt);
      return line("snapshot " + text_of(node.keystore) + result_of(node.result));
    }
    case StmtKind::ChangeEncryptionKey: {
      const auto& node = as<ChangeEncryptionKeyStmt>(stmt);
      return line("change-encryption-key " + text_of(node.keystore) + part("to", node.secret));
    }
    default:
      return;
  }
}

}  // namespace

std::string dump(const Program& program) {
  std::string out;
  for (const Stmt* stmt : program.statements) {
    out += dump(*stmt);
  }
  return out;
}

std::string dump(const Stmt& statement) {
  Writer writer;
  writer.statement(statement);
  return writer.take();
}

}  // namespace wfl::syntax
