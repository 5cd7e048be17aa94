// Keystore statements. Their names after `as` are set if they exist and made if they don't.
#include "wfl/check/analyzer_impl.h"

namespace wfl::check {

using namespace syntax;  // NOLINT: the tree's node types are this file's vocabulary.

void Analyzer::bind_result(const Name& name) {
  if (name.empty()) return;
  Symbol* known = scopes_.find(name.text);
  if (known == nullptr || known->replaceable) {
    define_or_replace(name, {});
    return;
  }
  if (known->constant) {
    error("Cannot modify constant '" + std::string(name.text) + "' - constants are immutable once defined", name.span,
          "WFL-S005");
  } else if (known->kind == SymbolKind::kAction || known->kind == SymbolKind::kContainer) {
    error("'" + std::string(name.text) + "' is not a variable", name.span, "WFL-S004");
  }
}

void Analyzer::key_range(const KeyRange* range) {
  if (range == nullptr) return;
  for (const Expr* key : {range->prefix, range->from, range->to}) {
    expression(key);
    types_.check_key(key, true);  // The empty text is a prefix of all keys.
  }
  expression(range->limit);
}

// The keystore's reading and today's: a name is reported only when it is unknown in both.
void Analyzer::two_readings(const OtherReading& other, const std::function<void()>& keystore_reading) {
  if (other.rule == ReadingRule::OnlyKeystore || other.today == nullptr) {
    keystore_reading();
    return;
  }
  if (other.rule == ReadingRule::Name) {
    if (scopes_.find(other.today_words.text) != nullptr || is_container_property(other.today_words.text)) {
      statement(*other.today);
    } else {
      keystore_reading();
    }
    return;
  }
  const std::size_t errors = errors_.size();
  const std::size_t warnings = warnings_.size();
  const std::size_t findings = types_.findings.size();
  statement(*other.today);
  if (errors_.size() == errors && warnings_.size() == warnings) {
    types_.findings.resize(findings);
    return;
  }
  errors_.resize(errors);
  warnings_.resize(warnings);
  types_.findings.resize(findings);
  keystore_reading();
}

bool Analyzer::keystore_statement(const Stmt& stmt) {
  const auto keyed = [&](const Expr* keystore, const Expr* key, std::string_view words) {
    expression(keystore);
    types_.check_keystore(keystore, words);
    const std::size_t errors = errors_.size();
    expression(key);
    const auto* variable = syntax::try_as<syntax::VariableExpr>(key);
    if (variable != nullptr && errors_.size() > errors) {
      const std::string name(variable->name);
      errors_.back().hints.push_back("If '" + name + "' is the key itself, put it in quotes: with key \"" + name +
                                     "\".");
    }
    types_.check_key(key);
  };
  switch (stmt.kind) {
    case StmtKind::OpenKeystore: {
      const auto& open = as<OpenKeystoreStmt>(stmt);
      expression(open.path);
      expression(open.options.encryption_key);
      bind_result(open.name);
      return true;
    }
    case StmtKind::CloseKeystore: {
      const auto& close = as<CloseKeystoreStmt>(stmt);
      two_readings(close.other, [&] { expression(close.keystore); });
      return true;
    }
    case StmtKind::Put: {
      const auto& put = as<PutStmt>(stmt);
      expression(put.value);
      keyed(put.keystore, put.key, "store");
      expression(put.lifetime.amount);
      expression(put.expected);
      bind_result(put.result);
      return true;
    }
    case StmtKind::GetValue: {
      const auto& get = as<GetValueStmt>(stmt);
      keyed(get.keystore, get.key, "get value from");
      expression(get.fallback);
      bind_result(get.result);
      return true;
    }
    case StmtKind::GetTimeLeft: {
      const auto& get = as<GetTimeLeftStmt>(stmt);
      keyed(get.keystore, get.key, "get time left from");
      bind_result(get.result);
      return true;
    }
    case StmtKind::RemoveKey: {
      const auto& remove = as<RemoveKeyStmt>(stmt);
      two_readings(remove.other, [&] { keyed(remove.keystore, remove.key, "remove key"); });
      bind_result(remove.result);
      return true;
    }
    case StmtKind::ChangeCounter: {
      const auto& change = as<ChangeCounterStmt>(stmt);
      keyed(change.keystore, change.key, change.decrease ? "decrease key" : "increase key");
      expression(change.amount);
      bind_result(change.result);
      return true;
    }
    case StmtKind::KeepKey: {
      const auto& keep = as<KeepKeyStmt>(stmt);
      keyed(keep.keystore, keep.key, "keep key");
      expression(keep.lifetime.amount);
      bind_result(keep.result);
      return true;
    }
    case StmtKind::ScanKeys: {
      const auto& scan = as<ScanKeysStmt>(stmt);
      keyed(scan.keystore, nullptr, "scan");
      key_range(scan.range);
      bind_result(scan.result);
      return true;
    }
    case StmtKind::ListKeys: {
      const auto& list = as<ListKeysStmt>(stmt);
      keyed(list.keystore, nullptr, "list keys in");
      key_range(list.range);
      bind_result(list.result);
      return true;
    }
    case StmtKind::CountKeys: {
      const auto& count = as<CountKeysStmt>(stmt);
      keyed(count.keystore, nullptr, "count keys in");
      key_range(count.range);
      bind_result(count.result);
      return true;
    }
    case StmtKind::RemoveKeys: {
      const auto& remove = as<RemoveKeysStmt>(stmt);
      two_readings(remove.other, [&] {
        keyed(remove.keystore, nullptr, "remove keys");
        key_range(remove.range);
      });
      bind_result(remove.result);
      return true;
    }
    case StmtKind::Batch: {
      const auto& batch = as<BatchStmt>(stmt);
      keyed(batch.keystore, nullptr, "batch operations on");
      statements(batch.body);  // In the surrounding scope.
      return true;
    }
    case StmtKind::Compact: {
      const auto& compact = as<CompactStmt>(stmt);
      two_readings(compact.other, [&] {
        keyed(compact.keystore, nullptr, "compact");
        expression(compact.strategy);
      });
      bind_result(compact.result);
      return true;
    }
    case StmtKind::Statistics: {
      const auto& statistics = as<StatisticsStmt>(stmt);
      keyed(statistics.keystore, nullptr, "get statistics from");
      bind_result(statistics.result);
      return true;
    }
    case StmtKind::Flush: {
      const auto& flush = as<FlushStmt>(stmt);
      two_readings(flush.other, [&] { expression(flush.keystore); });
      return true;
    }
    case StmtKind::BackUp: {
      const auto& back_up = as<BackUpStmt>(stmt);
      keyed(back_up.keystore, nullptr, "back up");
      expression(back_up.path);
      return true;
    }
    case StmtKind::Verify: {
      const auto& verify = as<VerifyStmt>(stmt);
      keyed(verify.keystore, nullptr, "verify");
      bind_result(verify.result);
      return true;
    }
    case StmtKind::Snapshot: {
      const auto& snapshot = as<SnapshotStmt>(stmt);
      keyed(snapshot.keystore, nullptr, "take snapshot of");
      bind_result(snapshot.result);
      return true;
    }
    case StmtKind::ChangeEncryptionKey: {
      const auto& change = as<ChangeEncryptionKeyStmt>(stmt);
      keyed(change.keystore, nullptr, "change encryption key of");
      expression(change.secret);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace wfl::check
