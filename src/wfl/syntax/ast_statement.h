#pragma once

#include "wfl/syntax/ast_expression.h"
#include "wfl/syntax/ast_pattern.h"

namespace wfl::syntax {

enum class StmtKind : std::uint8_t {
  // Variables and collections.
  Store,
  Change,
  Arithmetic,
  AddTo,
  CreateList,
  CreateMap,
  CreateDate,
  CreateTime,
  Push,
  RemoveFrom,
  Clear,
  // Output, conditions, loops.
  Display,
  If,
  Route,
  ForEach,
  Count,
  RepeatWhile,
  RepeatUntil,
  Forever,
  MainLoop,
  Break,
  Continue,
  Exit,
  // Actions, errors, modules.
  DefineAction,
  Return,
  Expression,
  Try,
  Include,
  LoadModule,
  Export,
  // Containers and events.
  DefineContainer,
  DefineInterface,
  CreateInstance,
  DeclareEvent,
  Trigger,
  OnEvent,
  ParentCall,
  DefinePattern,
  // Tests.
  Describe,
  Test,
  Expect,
  // Waiting, files, processes.
  WaitDuration,
  WaitStatement,
  WaitVariable,
  WaitProcess,
  OpenFile,
  ReadFile,
  Close,
  WriteTo,
  WriteContent,
  WriteBinary,
  CreateFile,
  CreateDirectory,
  DeleteFile,
  DeleteDirectory,
  ExecuteCommand,
  ExecuteFile,
  Spawn,
  ReadOutput,
  KillProcess,
  // Web, HTTP, WebSocket, SQL.
  Listen,
  WaitRequest,
  Respond,
  StartStream,
  StreamWrite,
  RegisterSignal,
  StopAccepting,
  CloseServer,
  OpenUrl,
  WaitNext,
  ListenWebSocket,
  OnWebSocket,
  SendWebSocket,
  BroadcastWebSocket,
  OpenDatabase,
  CloseDatabase,
  Transaction,
  // Keystores (ast_keystore.h).
  OpenKeystore,
  CloseKeystore,
  Put,
  GetValue,
  GetTimeLeft,
  RemoveKey,
  ChangeCounter,
  KeepKey,
  ScanKeys,
  ListKeys,
  CountKeys,
  RemoveKeys,
  Batch,
  Compact,
  Statistics,
  Flush,
  BackUp,
  Verify,
  Snapshot,
  ChangeEncryptionKey,
};

// ---- Variables and collections ----

// `store X as V`, `create X as V`, `store new constant X as V`. A DatabaseQuery as the value is a binder of its own in
// ch. 5.
struct StoreStmt : StmtNode<StmtKind::Store> {
  using StmtNode::StmtNode;
  Name name;
  const Expr* value = nullptr;
  bool is_constant = false;
  bool with_create = false;  // Written with `create`; `create new constant` is deprecated.
};

// `change X to V`
struct ChangeStmt : StmtNode<StmtKind::Change> {
  using StmtNode::StmtNode;
  Name name;
  const Expr* value = nullptr;
};

enum class ArithmeticOp : std::uint8_t { Subtract, Multiply, Divide };

// `subtract V from X`, `multiply X by V`, `divide X by V`.
struct ArithmeticStmt : StmtNode<StmtKind::Arithmetic> {
  using StmtNode::StmtNode;
  ArithmeticOp op = ArithmeticOp::Subtract;
  Name name;
  const Expr* value = nullptr;
};

// `add V to X`: adds to a number, appends to a list.
struct AddToStmt : StmtNode<StmtKind::AddTo> {
  using StmtNode::StmtNode;
  Name name;
  const Expr* value = nullptr;
};

// `create list X: add … end list` and `create list as X`.
struct CreateListStmt : StmtNode<StmtKind::CreateList> {
  using StmtNode::StmtNode;
  Name name;
  ExprList items;
};

struct MapEntry {
  std::string_view key;
  SourceSpan key_span;
  const Expr* value = nullptr;
};

// `create map X: k is V … end map`
struct CreateMapStmt : StmtNode<StmtKind::CreateMap> {
  using StmtNode::StmtNode;
  Name name;
  std::span<const MapEntry> entries;
};

// `create date X [as V]`; a null value means today.
struct CreateDateStmt : StmtNode<StmtKind::CreateDate> {
  using StmtNode::StmtNode;
  Name name;
  const Expr* value = nullptr;
};

// `create time X [as V]`; a null value means now.
struct CreateTimeStmt : StmtNode<StmtKind::CreateTime> {
  using StmtNode::StmtNode;
  Name name;
  const Expr* value = nullptr;
};

// `push with LIST and V`
struct PushStmt : StmtNode<StmtKind::Push> {
  using StmtNode::StmtNode;
  const Expr* list = nullptr;
  const Expr* value = nullptr;
};

// `remove V from X`
struct RemoveFromStmt : StmtNode<StmtKind::RemoveFrom> {
  using StmtNode::StmtNode;
  const Expr* value = nullptr;
  Name name;
};

// `clear X [list]`
struct ClearStmt : StmtNode<StmtKind::Clear> {
  using StmtNode::StmtNode;
  Name name;
};

// ---- Output, conditions, loops ----

// `display A B …`: the values side by side, then a line end.
struct DisplayStmt : StmtNode<StmtKind::Display> {
  using StmtNode::StmtNode;
  ExprList values;
};

struct IfBranch {
  const Expr* condition = nullptr;
  Block body;
};

// `check if …: … otherwise check if …: … otherwise: … end check` and both forms of `if … then …`.
struct IfStmt : StmtNode<StmtKind::If> {
  using StmtNode::StmtNode;
  std::span<const IfBranch> branches;  // At least one; tried in order.
  bool has_otherwise = false;
  Block otherwise;
};

enum class RouteTest : std::uint8_t { Equal, Contains, OneOf, StartsWith, EndsWith };

// Equal: subject equals one of `values`. Contains, StartsWith, EndsWith: the call of that built-in with the subject and
// values[0]. OneOf: values[0] contains the subject. The subject is evaluated again for every test.
struct RouteArm {
  RouteTest test = RouteTest::Equal;
  ExprList values;
  Block body;
};

struct RouteStmt : StmtNode<StmtKind::Route> {
  using StmtNode::StmtNode;
  const Expr* subject = nullptr;
  std::span<const RouteArm> arms;
  bool has_otherwise = false;
  Block otherwise;
};

struct KeyRange;  // ast_keystore.h

// `for each X in [reversed] C: … end for`. With a `range` C must be a keystore (`for each E in S starting with P`);
// without one the value decides at run time.
struct ForEachStmt : StmtNode<StmtKind::ForEach> {
  using StmtNode::StmtNode;
  Name item;
  const Expr* collection = nullptr;
  bool reversed = false;
  const KeyRange* range = nullptr;
  Block body;
};

// `count from A (to | down to) B [by S] [as X]: … end count`
struct CountStmt : StmtNode<StmtKind::Count> {
  using StmtNode::StmtNode;
  Name variable;  // Empty: `count`.
  const Expr* from = nullptr;
  const Expr* to = nullptr;
  const Expr* step = nullptr;  // May be null.
  bool down = false;
  Block body;
};

// `repeat while C: … end repeat`
struct RepeatWhileStmt : StmtNode<StmtKind::RepeatWhile> {
  using StmtNode::StmtNode;
  const Expr* condition = nullptr;
  Block body;
};

// `repeat until C: … end repeat` and `repeat: … until C`: the body first, then the test.
struct RepeatUntilStmt : StmtNode<StmtKind::RepeatUntil> {
  using StmtNode::StmtNode;
  const Expr* condition = nullptr;
  Block body;
};

// `repeat forever: … end repeat`
struct ForeverStmt : StmtNode<StmtKind::Forever> {
  using StmtNode::StmtNode;
  Block body;
};

// `main loop [concurrently]: … end loop`
struct MainLoopStmt : StmtNode<StmtKind::MainLoop> {
  using StmtNode::StmtNode;
  bool concurrent = false;
  Block body;
};

struct BreakStmt : StmtNode<StmtKind::Break> {
  using StmtNode::StmtNode;
};

// `continue` and `skip`.
struct ContinueStmt : StmtNode<StmtKind::Continue> {
  using StmtNode::StmtNode;
};

// `exit`, `exit loop` (all loops of the action), `exit program`.
struct ExitStmt : StmtNode<StmtKind::Exit> {
  using StmtNode::StmtNode;
  bool whole_program = false;
};

// ---- Actions, errors, modules ----

struct Parameter {
  Name name;
  const TypeRef* type = nullptr;        // May be null.
  const Expr* default_value = nullptr;  // May be null; parsed, checked, not applied.
};

struct DefineActionStmt : StmtNode<StmtKind::DefineAction> {
  using StmtNode::StmtNode;
  Name name;
  std::span<const Parameter> parameters;
  const TypeRef* return_type = nullptr;
  bool is_static = false;  // Only inside containers.
  Block body;
};

// `give back [V]`, `return [V]`
struct ReturnStmt : StmtNode<StmtKind::Return> {
  using StmtNode::StmtNode;
  const Expr* value = nullptr;
};

struct ExpressionStmt : StmtNode<StmtKind::Expression> {
  using StmtNode::StmtNode;
  const Expr* value = nullptr;
};

// What a `when` of `try` catches.
enum class HandlerKind : std::uint8_t {
  Any,  // `when error`, bare `when`, `catch`.
  FileNotFound,
  PermissionDenied,
  ProcessNotFound,
  ProcessSpawnFailed,
  ProcessKillFailed,
  CommandNotFound,
  KeystoreNotFound,
  KeystoreAlreadyExists,
  KeystoreBusy,
  WrongEncryptionKey,
  KeystoreDamaged,
  KeystoreFull,
};

struct Handler {
  HandlerKind kind = HandlerKind::Any;
  Name variable;  // Empty: `error`.
  SourceSpan head;
  Block body;
};

struct TryStmt : StmtNode<StmtKind::Try> {
  using StmtNode::StmtNode;
  Block body;
  std::span<const Handler> handlers;
  bool has_otherwise = false;  // Runs when an error matched no handler.
  Block otherwise;
  bool has_finally = false;
  Block finally;
};

// `include from P`
struct IncludeStmt : StmtNode<StmtKind::Include> {
  using StmtNode::StmtNode;
  const Expr* path = nullptr;
};

// `load module from P`
struct LoadModuleStmt : StmtNode<StmtKind::LoadModule> {
  using StmtNode::StmtNode;
  const Expr* path = nullptr;
};

enum class ExportKind : std::uint8_t { Container, Action, Constant };

struct ExportStmt : StmtNode<StmtKind::Export> {
  using StmtNode::StmtNode;
  ExportKind what = ExportKind::Container;
  Name name;
};

// ---- Containers and events ----

struct PropertyDefinition {
  Name name;
  const TypeRef* type = nullptr;        // May be null.
  const Expr* default_value = nullptr;  // May be null.
  bool is_static = false;
};

struct EventDeclaration {
  Name name;
  std::span<const Parameter> parameters;
};

struct DefineContainerStmt : StmtNode<StmtKind::DefineContainer> {
  using StmtNode::StmtNode;
  Name name;
  Name parent;  // May be empty.
  std::span<const Name> interfaces;
  std::span<const PropertyDefinition> properties;    // Static ones too, in the order written.
  std::span<const DefineActionStmt* const> actions;  // Static ones too.
  std::span<const EventDeclaration> events;
};

struct RequiredAction {
  Name name;
  std::span<const Parameter> parameters;
  const TypeRef* return_type = nullptr;
};

struct DefineInterfaceStmt : StmtNode<StmtKind::DefineInterface> {
  using StmtNode::StmtNode;
  Name name;
  std::span<const Name> parents;
  std::span<const RequiredAction> actions;
};

struct PropertyInitializer {
  Name name;
  const Expr* value = nullptr;
};

// `create new TYPE as X: … end`
struct CreateInstanceStmt : StmtNode<StmtKind::CreateInstance> {
  using StmtNode::StmtNode;
  Name container;
  Name name;
  std::span<const Argument> arguments;
  std::span<const PropertyInitializer> initializers;
};

// `event X` outside of a container.
struct DeclareEventStmt : StmtNode<StmtKind::DeclareEvent> {
  using StmtNode::StmtNode;
  EventDeclaration event;
};

// `trigger X`
struct TriggerStmt : StmtNode<StmtKind::Trigger> {
  using StmtNode::StmtNode;
  Name event;
  std::span<const Argument> arguments;
};

// `on E X`: registers an empty handler.
struct OnEventStmt : StmtNode<StmtKind::OnEvent> {
  using StmtNode::StmtNode;
  const Expr* source = nullptr;
  Name event;
};

// `parent X`
struct ParentCallStmt : StmtNode<StmtKind::ParentCall> {
  using StmtNode::StmtNode;
  Name action;
  std::span<const Argument> arguments;
};

// `create pattern X: … end pattern`
struct DefinePatternStmt : StmtNode<StmtKind::DefinePattern> {
  using StmtNode::StmtNode;
  Name name;
  const Pattern* pattern = nullptr;
};

// ---- Tests ----

struct DescribeStmt : StmtNode<StmtKind::Describe> {
  using StmtNode::StmtNode;
  std::string_view title;
  bool has_setup = false;
  Block setup;
  bool has_teardown = false;
  Block teardown;
  StmtList tests;  // Test and Describe only.
};

struct TestStmt : StmtNode<StmtKind::Test> {
  using StmtNode::StmtNode;
  std::string_view title;
  Block body;
};

enum class AssertionKind : std::uint8_t {
  Equal,  // `equal V`
  Be,     // `be V`; the same test as Equal.
  Greater,
  Less,
  BeYes,
  BeNo,
  Exist,
  Contain,
  Empty,
  HaveLength,
  OfType,
};

struct ExpectStmt : StmtNode<StmtKind::Expect> {
  using StmtNode::StmtNode;
  const Expr* subject = nullptr;
  AssertionKind assertion = AssertionKind::Equal;
  const Expr* operand = nullptr;  // Null for Exist, Empty, BeYes, BeNo, OfType.
  std::string_view type_name;     // OfType only.
};

// ---- Waiting, files, processes ----

enum class TimeUnit : std::uint8_t { Milliseconds, Seconds, Minutes, Hours, Days };

struct WaitDurationStmt : StmtNode<StmtKind::WaitDuration> {
  using StmtNode::StmtNode;
  const Expr* amount = nullptr;
  TimeUnit unit = TimeUnit::Milliseconds;
};

// `wait for STATEMENT`: runs it. `wait for write/append content …` comes as a WriteContentStmt of its own mode.
struct WaitStatementStmt : StmtNode<StmtKind::WaitStatement> {
  using StmtNode::StmtNode;
  const Stmt* inner = nullptr;
};

// `wait for X`: until the variable is not null.
struct WaitVariableStmt : StmtNode<StmtKind::WaitVariable> {
  using StmtNode::StmtNode;
  Name name;
};

// `wait for process P to complete [as X]`
struct WaitProcessStmt : StmtNode<StmtKind::WaitProcess> {
  using StmtNode::StmtNode;
  const Expr* process = nullptr;
  Name result;  // May be empty.
};

enum class FileMode : std::uint8_t { Read, Write, Append, ReadBinary, WriteBinary };

// `open file [at] P [for MODE] as X`
struct OpenFileStmt : StmtNode<StmtKind::OpenFile> {
  using StmtNode::StmtNode;
  const Expr* path = nullptr;
  FileMode mode = FileMode::Read;
  Name name;
};

// `open file at P and read content as X`
struct ReadFileStmt : StmtNode<StmtKind::ReadFile> {
  using StmtNode::StmtNode;
  const Expr* path = nullptr;
  Name name;
};

// `close [file] V`: a file, a stream or a keystore.
struct CloseStmt : StmtNode<StmtKind::Close> {
  using StmtNode::StmtNode;
  const Expr* value = nullptr;
  bool says_file = false;
};

// `write V to F`
struct WriteToStmt : StmtNode<StmtKind::WriteTo> {
  using StmtNode::StmtNode;
  const Expr* content = nullptr;
  const Expr* file = nullptr;
};

enum class WriteMode : std::uint8_t {
  Plain,      // `write content V into F`
  Overwrite,  // `wait for write content V into F`
  Append,     // `wait for append content V into F`, `append content V into F`
};

struct WriteContentStmt : StmtNode<StmtKind::WriteContent> {
  using StmtNode::StmtNode;
  WriteMode mode = WriteMode::Plain;
  const Expr* content = nullptr;
  const Expr* file = nullptr;
};

// `write binary V into F`
struct WriteBinaryStmt : StmtNode<StmtKind::WriteBinary> {
  using StmtNode::StmtNode;
  const Expr* content = nullptr;
  const Expr* file = nullptr;
};

// `create file at P with V`
struct CreateFileStmt : StmtNode<StmtKind::CreateFile> {
  using StmtNode::StmtNode;
  const Expr* path = nullptr;
  const Expr* content = nullptr;
};

struct CreateDirectoryStmt : StmtNode<StmtKind::CreateDirectory> {
  using StmtNode::StmtNode;
  const Expr* path = nullptr;
};

struct DeleteFileStmt : StmtNode<StmtKind::DeleteFile> {
  using StmtNode::StmtNode;
  const Expr* path = nullptr;
};

struct DeleteDirectoryStmt : StmtNode<StmtKind::DeleteDirectory> {
  using StmtNode::StmtNode;
  const Expr* path = nullptr;
};

// `execute command C [with arguments A] [using shell] [as X]`
struct ExecuteCommandStmt : StmtNode<StmtKind::ExecuteCommand> {
  using StmtNode::StmtNode;
  const Expr* command = nullptr;
  const Expr* arguments = nullptr;
  bool shell = false;
  Name result;  // May be empty.
};

// `execute [wfl] file at P [with R] [and read output as X]`
struct ExecuteFileStmt : StmtNode<StmtKind::ExecuteFile> {
  using StmtNode::StmtNode;
  const Expr* path = nullptr;
  const Expr* request = nullptr;
  Name output;  // May be empty.
};

// `spawn command C [with arguments A] [using shell] as X`
struct SpawnStmt : StmtNode<StmtKind::Spawn> {
  using StmtNode::StmtNode;
  const Expr* command = nullptr;
  const Expr* arguments = nullptr;
  bool shell = false;
  Name name;
};

// `read output from process P as X`
struct ReadOutputStmt : StmtNode<StmtKind::ReadOutput> {
  using StmtNode::StmtNode;
  const Expr* process = nullptr;
  Name name;
};

struct KillProcessStmt : StmtNode<StmtKind::KillProcess> {
  using StmtNode::StmtNode;
  const Expr* process = nullptr;
};

}  // namespace wfl::syntax
