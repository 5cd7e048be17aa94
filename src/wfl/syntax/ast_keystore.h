#pragma once

#include "wfl/syntax/ast_statement.h"

// The keystore statements. One node a form.
//
// Two readings: some lines of these statements meant something before keystores came and still do. Such a node holds
// both: the members of the node are the keystore's reading, `today` is the other one. Which rule chooses is in `rule`:
//
//   Name   If `today_words` (the whole words, such as `compact cache`) is a visible variable or action, run `today`.
//   Value  If the operand `keystore` is a keystore at run time, the keystore's reading, else `today`. The operand is
//   the same
//          expression in both readings. The analyzer reports a name only if it is undefined in both readings.
//
// NAME results (`as NAME`) of all nodes here are set if they exist and made if they don't.
namespace wfl::syntax {

enum class ReadingRule : std::uint8_t { OnlyKeystore, Name, Value };

struct OtherReading {
  ReadingRule rule = ReadingRule::OnlyKeystore;
  const Stmt* today = nullptr;  // Null only for OnlyKeystore.
  Name today_words;             // Rule Name: the whole words.
};

// `for N seconds`
struct Lifetime {
  const Expr* amount = nullptr;
  TimeUnit unit = TimeUnit::Seconds;
};

enum class RangeKind : std::uint8_t { All, Prefix, FromTo };

// RANGE: `[starting with P | from A [to B]] [reversed] [limit N]`.
struct KeyRange {
  RangeKind kind = RangeKind::All;
  const Expr* prefix = nullptr;  // Prefix
  const Expr* from = nullptr;    // FromTo
  const Expr* to = nullptr;      // FromTo, may be null. Both ends are included.
  bool reversed = false;
  const Expr* limit = nullptr;  // May be null.
  SourceSpan span;
};

struct KeystoreOptions {
  bool compression = false;
  bool relaxed_durability = false;
  const Expr* encryption_key = nullptr;  // May be null.
};

enum class OpenMode : std::uint8_t { Create, Open, OpenOrCreate };

// `create keystore at PATH …`, `open [or create] keystore at PATH [for reading] [with OPTIONS] as NAME`
struct OpenKeystoreStmt : StmtNode<StmtKind::OpenKeystore> {
  using StmtNode::StmtNode;
  OpenMode mode = OpenMode::Open;
  bool for_reading = false;
  const Expr* path = nullptr;
  KeystoreOptions options;
  Name name;
};

// `close keystore S`. Rule Name with `keystore cache`: today it closes that variable.
struct CloseKeystoreStmt : StmtNode<StmtKind::CloseKeystore> {
  using StmtNode::StmtNode;
  const Expr* keystore = nullptr;
  OtherReading other;
};

enum class PutCondition : std::uint8_t { Always, IfMissing, IfPresent, IfValueIs };

// `store V in S with key K [for N seconds] [if …] [as NAME]`
struct PutStmt : StmtNode<StmtKind::Put> {
  using StmtNode::StmtNode;
  const Expr* keystore = nullptr;  // Null: the innermost batch's (only inside a batch's own text).
  const Expr* value = nullptr;
  const Expr* key = nullptr;
  bool has_lifetime = false;
  Lifetime lifetime;
  PutCondition condition = PutCondition::Always;
  const Expr* expected = nullptr;  // IfValueIs
  Name result;                     // yes or no; may be empty.
};

// `get value from S with key K [or V] as NAME`
struct GetValueStmt : StmtNode<StmtKind::GetValue> {
  using StmtNode::StmtNode;
  const Expr* keystore = nullptr;
  const Expr* key = nullptr;
  const Expr* fallback = nullptr;  // Null: `nothing`. Evaluated only if the key is missing.
  Name result;
};

// `get time left from S with key K as NAME`
struct GetTimeLeftStmt : StmtNode<StmtKind::GetTimeLeft> {
  using StmtNode::StmtNode;
  const Expr* keystore = nullptr;
  const Expr* key = nullptr;
  Name result;
};

// `remove key K from S [as NAME]`. Rule Value for `remove key k1 from s`, `remove key 5 from s`, `remove key e["key"]
// from s`.
struct RemoveKeyStmt : StmtNode<StmtKind::RemoveKey> {
  using StmtNode::StmtNode;
  const Expr* keystore = nullptr;  // Null: the innermost batch's.
  const Expr* key = nullptr;
  Name result;  // yes or no; may be empty.
  OtherReading other;
};

// `increase|decrease key K in S by N [as NAME]`
struct ChangeCounterStmt : StmtNode<StmtKind::ChangeCounter> {
  using StmtNode::StmtNode;
  bool decrease = false;
  const Expr* keystore = nullptr;  // Null: the innermost batch's.
  const Expr* key = nullptr;
  const Expr* amount = nullptr;
  Name result;  // May be empty.
};

// `keep key K in S for N seconds [as NAME]`, `keep key K in S forever [as NAME]`
struct KeepKeyStmt : StmtNode<StmtKind::KeepKey> {
  using StmtNode::StmtNode;
  const Expr* keystore = nullptr;  // Null: the innermost batch's.
  const Expr* key = nullptr;
  bool forever = false;
  Lifetime lifetime;  // If not forever.
  Name result;        // May be empty.
};

// `scan S for keys RANGE as NAME`, `scan S for all keys … as NAME`: a list of entries.
struct ScanKeysStmt : StmtNode<StmtKind::ScanKeys> {
  using StmtNode::StmtNode;
  const Expr* keystore = nullptr;
  const KeyRange* range = nullptr;
  Name result;
};

// `list keys in S RANGE as NAME`: the key texts.
struct ListKeysStmt : StmtNode<StmtKind::ListKeys> {
  using StmtNode::StmtNode;
  const Expr* keystore = nullptr;
  const KeyRange* range = nullptr;
  Name result;
};

// `count keys in S RANGE as NAME`
struct CountKeysStmt : StmtNode<StmtKind::CountKeys> {
  using StmtNode::StmtNode;
  const Expr* keystore = nullptr;
  const KeyRange* range = nullptr;
  Name result;
};

// `remove keys starting with P from S [as NAME]`, `remove all keys from S [as NAME]`. Rule Value without `as`.
struct RemoveKeysStmt : StmtNode<StmtKind::RemoveKeys> {
  using StmtNode::StmtNode;
  const Expr* keystore = nullptr;
  const KeyRange* range = nullptr;
  Name result;  // May be empty.
  OtherReading other;
};

// `batch operations on S: … end batch`. The body runs in the surrounding scope.
struct BatchStmt : StmtNode<StmtKind::Batch> {
  using StmtNode::StmtNode;
  const Expr* keystore = nullptr;
  Block body;
};

// `compact S [with strategy X] [as NAME]`. Rule Name (`compact cache`) if there is neither strategy nor NAME.
struct CompactStmt : StmtNode<StmtKind::Compact> {
  using StmtNode::StmtNode;
  const Expr* keystore = nullptr;
  const Expr* strategy = nullptr;  // Null: "auto".
  Name result;                     // May be empty.
  OtherReading other;
};

// `get [detailed] statistics from S as NAME`
struct StatisticsStmt : StmtNode<StmtKind::Statistics> {
  using StmtNode::StmtNode;
  bool detailed = false;
  const Expr* keystore = nullptr;
  Name result;
};

// `flush S`. Rule Name (`flush cache`) first; then the value decides: a keystore, or a response stream of the web
// server.
struct FlushStmt : StmtNode<StmtKind::Flush> {
  using StmtNode::StmtNode;
  const Expr* keystore = nullptr;
  OtherReading other;
};

// `back up S to PATH`
struct BackUpStmt : StmtNode<StmtKind::BackUp> {
  using StmtNode::StmtNode;
  const Expr* keystore = nullptr;
  const Expr* path = nullptr;
};

// `verify S as NAME`
struct VerifyStmt : StmtNode<StmtKind::Verify> {
  using StmtNode::StmtNode;
  const Expr* keystore = nullptr;
  Name result;
};

// `take snapshot of S as NAME`
struct SnapshotStmt : StmtNode<StmtKind::Snapshot> {
  using StmtNode::StmtNode;
  const Expr* keystore = nullptr;
  Name result;
};

// `change encryption key of S to SECRET`
struct ChangeEncryptionKeyStmt : StmtNode<StmtKind::ChangeEncryptionKey> {
  using StmtNode::StmtNode;
  const Expr* keystore = nullptr;
  const Expr* secret = nullptr;
};

}  // namespace wfl::syntax
