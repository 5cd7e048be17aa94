#include "wfl/compile/scan.h"

#include <algorithm>

namespace wfl::compile {

using namespace syntax;  // The walk names nearly every node of the tree.

void for_each_block(const Stmt& stmt, const std::function<void(const StmtList&, BlockScope)>& visit) {
  switch (stmt.kind) {
    case StmtKind::If: {
      const auto& node = as<IfStmt>(stmt);
      for (const IfBranch& branch : node.branches) visit(branch.body.statements, BlockScope::kSame);
      visit(node.otherwise.statements, BlockScope::kSame);
      return;
    }
    case StmtKind::Route: {
      const auto& node = as<RouteStmt>(stmt);
      for (const RouteArm& arm : node.arms) visit(arm.body.statements, BlockScope::kSame);
      visit(node.otherwise.statements, BlockScope::kSame);
      return;
    }
    case StmtKind::RepeatUntil:
      visit(as<RepeatUntilStmt>(stmt).body.statements, BlockScope::kSame);
      return;
    case StmtKind::Batch:
      visit(as<BatchStmt>(stmt).body.statements, BlockScope::kSame);
      return;
    case StmtKind::Transaction:
      visit(as<TransactionStmt>(stmt).body.statements, BlockScope::kSame);
      return;
    case StmtKind::ForEach:
      visit(as<ForEachStmt>(stmt).body.statements, BlockScope::kInner);
      return;
    case StmtKind::Count:
      visit(as<CountStmt>(stmt).body.statements, BlockScope::kInner);
      return;
    case StmtKind::RepeatWhile:
      visit(as<RepeatWhileStmt>(stmt).body.statements, BlockScope::kInner);
      return;
    case StmtKind::Forever:
      visit(as<ForeverStmt>(stmt).body.statements, BlockScope::kInner);
      return;
    case StmtKind::MainLoop:
      visit(as<MainLoopStmt>(stmt).body.statements, BlockScope::kInner);
      return;
    case StmtKind::Try: {
      const auto& node = as<TryStmt>(stmt);
      visit(node.body.statements, BlockScope::kInner);
      for (const Handler& handler : node.handlers) visit(handler.body.statements, BlockScope::kInner);
      visit(node.otherwise.statements, BlockScope::kInner);
      visit(node.finally.statements, BlockScope::kInner);
      return;
    }
    case StmtKind::Describe: {
      const auto& node = as<DescribeStmt>(stmt);
      visit(node.setup.statements, BlockScope::kInner);
      visit(node.tests, BlockScope::kInner);
      visit(node.teardown.statements, BlockScope::kInner);
      return;
    }
    case StmtKind::Test:
      visit(as<TestStmt>(stmt).body.statements, BlockScope::kInner);
      return;
    case StmtKind::WaitStatement: {
      const auto& node = as<WaitStatementStmt>(stmt);
      visit(StmtList(&node.inner, 1), BlockScope::kSame);
      return;
    }
    default:
      return;
  }
}

void for_each_bound_name(const Stmt& stmt, const std::function<void(std::string_view)>& visit) {
  const auto bind = [&visit](const Name& name) {
    if (!name.empty()) visit(name.text);
  };
  switch (stmt.kind) {
    case StmtKind::Store:
      bind(as<StoreStmt>(stmt).name);
      return;
    case StmtKind::CreateList:
      bind(as<CreateListStmt>(stmt).name);
      return;
    case StmtKind::CreateMap:
      bind(as<CreateMapStmt>(stmt).name);
      return;
    case StmtKind::CreateDate:
      bind(as<CreateDateStmt>(stmt).name);
      return;
    case StmtKind::CreateTime:
      bind(as<CreateTimeStmt>(stmt).name);
      return;
    case StmtKind::DefineAction:
      bind(as<DefineActionStmt>(stmt).name);
      return;
    case StmtKind::CreateInstance:
      bind(as<CreateInstanceStmt>(stmt).name);
      return;
    case StmtKind::DefinePattern:
      bind(as<DefinePatternStmt>(stmt).name);
      return;
    case StmtKind::WaitProcess:
      bind(as<WaitProcessStmt>(stmt).result);
      return;
    case StmtKind::OpenFile:
      bind(as<OpenFileStmt>(stmt).name);
      return;
    case StmtKind::ReadFile:
      bind(as<ReadFileStmt>(stmt).name);
      return;
    case StmtKind::ExecuteCommand:
      bind(as<ExecuteCommandStmt>(stmt).result);
      return;
    case StmtKind::ExecuteFile:
      bind(as<ExecuteFileStmt>(stmt).output);
      return;
    case StmtKind::Spawn:
      bind(as<SpawnStmt>(stmt).name);
      return;
    case StmtKind::ReadOutput:
      bind(as<ReadOutputStmt>(stmt).name);
      return;
    case StmtKind::Listen:
      bind(as<ListenStmt>(stmt).name);
      return;
    case StmtKind::WaitRequest:
      bind(as<WaitRequestStmt>(stmt).name);
      for (const char* name : {"method", "path", "query", "client_ip", "body", "headers"}) visit(name);
      return;
    case StmtKind::StartStream:
      bind(as<StartStreamStmt>(stmt).name);
      return;
    case StmtKind::OpenUrl:
      bind(as<OpenUrlStmt>(stmt).name);
      return;
    case StmtKind::WaitNext:
      bind(as<WaitNextStmt>(stmt).name);
      return;
    case StmtKind::ListenWebSocket:
      bind(as<ListenWebSocketStmt>(stmt).name);
      return;
    case StmtKind::OpenDatabase:
      bind(as<OpenDatabaseStmt>(stmt).name);
      return;
    case StmtKind::OpenKeystore:
      bind(as<OpenKeystoreStmt>(stmt).name);
      return;
    case StmtKind::Put:
      bind(as<PutStmt>(stmt).result);
      return;
    case StmtKind::GetValue:
      bind(as<GetValueStmt>(stmt).result);
      return;
    case StmtKind::GetTimeLeft:
      bind(as<GetTimeLeftStmt>(stmt).result);
      return;
    case StmtKind::RemoveKey:
      bind(as<RemoveKeyStmt>(stmt).result);
      return;
    case StmtKind::ChangeCounter:
      bind(as<ChangeCounterStmt>(stmt).result);
      return;
    case StmtKind::KeepKey:
      bind(as<KeepKeyStmt>(stmt).result);
      return;
    case StmtKind::ScanKeys:
      bind(as<ScanKeysStmt>(stmt).result);
      return;
    case StmtKind::ListKeys:
      bind(as<ListKeysStmt>(stmt).result);
      return;
    case StmtKind::CountKeys:
      bind(as<CountKeysStmt>(stmt).result);
      return;
    case StmtKind::RemoveKeys:
      bind(as<RemoveKeysStmt>(stmt).result);
      return;
    case StmtKind::Compact:
      bind(as<CompactStmt>(stmt).result);
      return;
    case StmtKind::Statistics:
      bind(as<StatisticsStmt>(stmt).result);
      return;
    case StmtKind::Verify:
      bind(as<VerifyStmt>(stmt).result);
      return;
    case StmtKind::Snapshot:
      bind(as<SnapshotStmt>(stmt).result);
      return;
    default:
      return;
  }
}

namespace {

void collect_bindings(const StmtList& statements, bool conditional, std::vector<Binding>& out) {
  for (const Stmt* stmt : statements) {
    for_each_bound_name(*stmt, [&](std::string_view name) { out.push_back({std::string(name), conditional}); });
    const bool sure = stmt->kind == StmtKind::WaitStatement;
    for_each_block(*stmt, [&](const StmtList& block, BlockScope scope) {
      if (scope == BlockScope::kSame) collect_bindings(block, conditional || !sure, out);
    });
  }
}

bool word_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool word_part(char c) {
  return word_start(c) || (c >= '0' && c <= '9') || c == '_';
}

std::string_view text_of(std::string_view source, SourceSpan span) {
  const std::size_t begin = std::min<std::size_t>(span.begin, source.size());
  return source.substr(begin, span.end > begin ? span.end - begin : 0);
}

void collect_facts(const StmtList& statements, std::string_view source, bool global, FileFacts& facts) {
  for (const Stmt* stmt : statements) {
    for_each_bound_name(*stmt, [&](std::string_view name) {
      if (stmt->kind != StmtKind::DefineAction) facts.bound_names.emplace(name);
      if (global) facts.global_names.emplace(name);
    });
    if (const auto* action = try_as<DefineActionStmt>(stmt)) {
      facts.action_names.emplace(action->name.text);
      facts.function_words.add_text(text_of(source, action->span));
      collect_facts(action->body.statements, source, false, facts);
    } else if (const auto* container = try_as<DefineContainerStmt>(stmt)) {
      facts.containers.emplace(container->name.text, container);
      facts.function_words.add_text(text_of(source, container->span));
      facts.global_names.emplace(container->name.text);
      for (const DefineActionStmt* method : container->actions) {
        collect_facts(method->body.statements, source, false, facts);
      }
    } else if (const auto* interface = try_as<DefineInterfaceStmt>(stmt)) {
      facts.global_names.emplace(interface->name.text);
    } else if (const auto* handler = try_as<OnWebSocketStmt>(stmt)) {
      facts.function_words.add_text(text_of(source, handler->span));
      collect_facts(handler->body.statements, source, false, facts);
    }
    for_each_block(*stmt, [&](const StmtList& block, BlockScope scope) {
      collect_facts(block, source, global && scope == BlockScope::kSame, facts);
    });
  }
}

}  // namespace

std::vector<Binding> bindings_of(const StmtList& statements) {
  std::vector<Binding> out;
  collect_bindings(statements, false, out);
  return out;
}

bool may_write(const StmtList& statements, std::string_view name) {
  for (const Stmt* stmt : statements) {
    bool found = false;
    for_each_bound_name(*stmt, [&](std::string_view bound) { found = found || bound == name; });
    if (const auto* change = try_as<ChangeStmt>(stmt)) found = found || change->name.text == name;
    if (const auto* arithmetic = try_as<ArithmeticStmt>(stmt)) found = found || arithmetic->name.text == name;
    if (const auto* add = try_as<AddToStmt>(stmt)) found = found || add->name.text == name;
    for_each_block(*stmt, [&](const StmtList& block, BlockScope) { found = found || may_write(block, name); });
    if (found) return true;
  }
  return false;
}

void WordSet::add_text(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    if (!word_start(text[i])) {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    while (i < text.size() && word_part(text[i])) ++i;
    words_.emplace(text.substr(begin, i - begin));
  }
}

bool WordSet::may_mention(std::string_view name) const {
  while (!name.empty()) {
    const std::size_t blank = name.find(' ');
    if (!words_.contains(std::string(name.substr(0, blank)))) return false;
    name = blank == std::string_view::npos ? std::string_view{} : name.substr(blank + 1);
  }
  return true;
}

FileFacts facts_of(const Program& program) {
  FileFacts facts;
  const std::string_view source = program.source->text();
  WordSet all;
  all.add_text(source);
  facts.open_world = all.has_word("include") || all.has_word("module");
  collect_facts(program.statements, source, true, facts);
  return facts;
}

void add_inner_function_words(const StmtList& statements, std::string_view source, WordSet& words,
                              bool skip_same_scope) {
  for (const Stmt* stmt : statements) {
    if (!skip_same_scope && (stmt->kind == StmtKind::DefineAction || stmt->kind == StmtKind::DefineContainer ||
                             stmt->kind == StmtKind::OnWebSocket)) {
      words.add_text(text_of(source, stmt->span));
    }
    for_each_block(*stmt, [&](const StmtList& block, BlockScope scope) {
      add_inner_function_words(block, source, words, skip_same_scope && scope == BlockScope::kSame);
    });
  }
}

}  // namespace wfl::compile
