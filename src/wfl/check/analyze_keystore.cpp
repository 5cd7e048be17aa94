// Keystore statements. Their names after `as` are set if they exist and made if they don't.
#include <array>
#include <optional>
#include <string>

#include "wfl/check/analyzer_impl.h"
#include "wfl/syntax/suggest.h"

namespace wfl::check {

using namespace syntax;  // NOLINT: the tree's node types are this file's vocabulary.

void Analyzer::bind_result(const Name& name, ValueType type) {
  if (name.empty()) return;
  note_binding(name.text, type);
  Symbol* known = scopes_.find(name.text);
  if (known == nullptr || known->replaceable) {
    define_or_replace(name, {.type = type});
    return;
  }
  if (known->type != type) known->type = ValueType::kUnknown;
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
    later([this, key] { types_.check_key(key, true); });  // The empty text is a prefix of all keys.
  }
  expression(range->limit);
  later([this, range] { types_.check_number(range->limit, "A number of keys is needed here"); });
}

// A statement works on the keystore this expression names.
void Analyzer::use_keystore(const Expr* keystore) {
  const auto* variable = try_as<VariableExpr>(keystore);
  if (variable == nullptr) return;
  const KeystoreState* state = keystores_.find(variable->name);
  keystores_.use(variable->name);
  if (state == nullptr || !state->closed) return;
  later([this, variable, place = state->place, in_action = in_action_] {
    if (!in_action && set_in_actions_.contains(variable->name)) return;
    Diagnostic& diagnostic =
        warning("The keystore '" + std::string(variable->name) + "' is closed here", variable->span, "WFL-S106");
    diagnostic.notes.push_back("Line " + std::to_string(line_of(place)) + " closes it.");
    diagnostic.hints.push_back("Close it later, or open it again: `open keystore at PATH as " +
                               std::string(variable->name) + "`.");
  });
}

// A statement changes what the keystore has.
void Analyzer::change_keystore(const Expr* keystore) {
  const auto* variable = try_as<VariableExpr>(keystore);
  const KeystoreState* state = variable == nullptr ? nullptr : keystores_.find(variable->name);
  if (state == nullptr || state->closed || state->use == KeystoreState::Use::any) return;
  later([this, variable, found = *state, in_action = in_action_] {
    if (!in_action && set_in_actions_.contains(variable->name)) return;
    const bool snapshot = found.use == KeystoreState::Use::snapshot;
    const std::string name(variable->name);
    Diagnostic& diagnostic = warning(snapshot ? "The keystore '" + name + "' is a snapshot, so it can't be changed"
                                              : "The keystore '" + name + "' is open for reading only",
                                     variable->span, "WFL-S110");
    diagnostic.notes.push_back("Line " + std::to_string(line_of(found.place)) +
                               (snapshot ? " takes the snapshot." : " opens it."));
    diagnostic.hints.push_back(snapshot ? "Change the keystore that the snapshot was taken of."
                                        : "Open it without `for reading` there.");
  });
}

void Analyzer::close_keystore(const Expr* keystore, const Stmt& stmt) {
  const auto* variable = try_as<VariableExpr>(keystore);
  if (variable == nullptr) return;
  const KeystoreState* state = keystores_.find(variable->name);
  if (state != nullptr && state->closed) {
    later([this, variable, place = state->place, in_action = in_action_] {
      if (!in_action && set_in_actions_.contains(variable->name)) return;
      Diagnostic& diagnostic =
          warning("The keystore '" + std::string(variable->name) + "' is closed already", variable->span, "WFL-S106");
      diagnostic.label = "closing it again does nothing";
      diagnostic.notes.push_back("Line " + std::to_string(line_of(place)) + " closes it.");
    });
    return;
  }
  if (in_action_) set_in_actions_.insert(variable->name);
  keystores_.set(variable->name, {.closed = true, .place = stmt.head});
}

// An option whose word is not quite right reads as a part of the path: a variable that nobody knows.
void Analyzer::misspelt_option(const OpenKeystoreStmt& open) {
  const auto* path = try_as<ConcatExpr>(open.path);
  if (path == nullptr) return;
  static constexpr auto kOptions =
      std::to_array<std::string_view>({"compression", "relaxed durability", "encryption key"});
  for (const Expr* part : path->parts) {
    const auto* variable = try_as<VariableExpr>(part);
    if (variable == nullptr || is_known(variable->name)) continue;
    std::optional<std::string_view> meant = closest(variable->name, kOptions);
    for (const std::string_view option : kOptions) {
      if (!meant && option.starts_with(std::string(variable->name) + " ")) meant = option;
    }
    for (std::vector<Diagnostic>* list : {&errors_, &warnings_}) {
      for (Diagnostic& diagnostic : *list) {
        if (!meant || diagnostic.span.begin != variable->span.begin || diagnostic.code != "WFL-S002") continue;
        diagnostic.hints = {"Did you mean the option `with " + std::string(*meant) + "`?"};
      }
    }
  }
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
  const Findings before = findings();
  statement(*other.today);
  const bool fits = nothing_since(before);
  drop_since(before);
  keystore_reading();
  if (fits) drop_since(before);
}

bool Analyzer::keystore_statement(const Stmt& stmt) {
  const auto keyed = [&](const Expr* keystore, const Expr* key, std::string_view words, bool changes = false) {
    expression(keystore);
    later([this, keystore, words] { types_.check_keystore(keystore, words); });
    use_keystore(keystore);
    if (changes) change_keystore(keystore);
    const std::size_t errors = errors_.size();
    expression(key);
    const auto* variable = syntax::try_as<syntax::VariableExpr>(key);
    if (variable != nullptr && errors_.size() > errors) {
      const std::string name(variable->name);
      errors_.back().hints.push_back("If '" + name + "' is the key itself, put it in quotes: with key \"" + name +
                                     "\".");
    }
    later([this, key] { types_.check_key(key); });
  };
  switch (stmt.kind) {
    case StmtKind::OpenKeystore: {
      const auto& open = as<OpenKeystoreStmt>(stmt);
      expression(open.path);
      expression(open.options.encryption_key);
      misspelt_option(open);
      has_keystores_ = true;
      bind_result(open.name, ValueType::kKeystore);
      if (in_action_) set_in_actions_.insert(open.name.text);
      const auto use = open.for_reading ? KeystoreState::Use::reading : KeystoreState::Use::any;
      keystores_.set(open.name.text, {.closed = false, .use = use, .place = stmt.head});
      return true;
    }
    case StmtKind::CloseKeystore: {
      const auto& close = as<CloseKeystoreStmt>(stmt);
      two_readings(close.other, [&] {
        expression(close.keystore);
        later([this, &close] { types_.check_keystore(close.keystore, "close keystore"); });
        close_keystore(close.keystore, stmt);
      });
      return true;
    }
    case StmtKind::Put: {
      const auto& put = as<PutStmt>(stmt);
      expression(put.value);
      keyed(put.keystore, put.key, "store", true);
      later([this, &put] {
        types_.check_kept(*put.value);
        types_.check_number(put.lifetime.amount, "A length of time is needed here");
      });
      expression(put.lifetime.amount);
      expression(put.expected);
      bind_result(put.result, ValueType::kBoolean);
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
      two_readings(remove.other, [&] { keyed(remove.keystore, remove.key, "remove key", true); });
      bind_result(remove.result);
      return true;
    }
    case StmtKind::ChangeCounter: {
      const auto& change = as<ChangeCounterStmt>(stmt);
      keyed(change.keystore, change.key, change.decrease ? "decrease key" : "increase key", true);
      expression(change.amount);
      later([this, &change] { types_.check_number(change.amount, "An amount is needed here"); });
      bind_result(change.result, ValueType::kNumber);
      return true;
    }
    case StmtKind::KeepKey: {
      const auto& keep = as<KeepKeyStmt>(stmt);
      keyed(keep.keystore, keep.key, "keep key", true);
      expression(keep.lifetime.amount);
      later([this, &keep] { types_.check_number(keep.lifetime.amount, "A length of time is needed here"); });
      bind_result(keep.result, ValueType::kBoolean);
      return true;
    }
    case StmtKind::ScanKeys: {
      const auto& scan = as<ScanKeysStmt>(stmt);
      keyed(scan.keystore, nullptr, "scan");
      key_range(scan.range);
      bind_result(scan.result, ValueType::kList);
      return true;
    }
    case StmtKind::ListKeys: {
      const auto& list = as<ListKeysStmt>(stmt);
      keyed(list.keystore, nullptr, "list keys in");
      key_range(list.range);
      bind_result(list.result, ValueType::kList);
      return true;
    }
    case StmtKind::CountKeys: {
      const auto& count = as<CountKeysStmt>(stmt);
      keyed(count.keystore, nullptr, "count keys in");
      key_range(count.range);
      bind_result(count.result, ValueType::kNumber);
      return true;
    }
    case StmtKind::RemoveKeys: {
      const auto& remove = as<RemoveKeysStmt>(stmt);
      two_readings(remove.other, [&] {
        keyed(remove.keystore, nullptr, "remove keys", true);
        key_range(remove.range);
      });
      bind_result(remove.result);
      return true;
    }
    case StmtKind::Batch: {
      const auto& batch = as<BatchStmt>(stmt);
      keyed(batch.keystore, nullptr, "batch operations on", true);
      statements(batch.body);  // In the surrounding scope.
      return true;
    }
    case StmtKind::Compact: {
      const auto& compact = as<CompactStmt>(stmt);
      two_readings(compact.other, [&] {
        keyed(compact.keystore, nullptr, "compact", true);
        const std::size_t known_errors = errors_.size();
        expression(compact.strategy);
        const auto* word = try_as<VariableExpr>(compact.strategy);
        if (word != nullptr && errors_.size() > known_errors) {
          errors_.back().hints = {"A strategy stands in quotes: `compact S with strategy \"" + std::string(word->name) +
                                  "\"`."};
        }
      });
      bind_result(compact.result);
      return true;
    }
    case StmtKind::Statistics: {
      const auto& statistics = as<StatisticsStmt>(stmt);
      keyed(statistics.keystore, nullptr, "get statistics from");
      bind_result(statistics.result, ValueType::kMap);
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
      bind_result(verify.result, ValueType::kMap);
      return true;
    }
    case StmtKind::Snapshot: {
      const auto& snapshot = as<SnapshotStmt>(stmt);
      keyed(snapshot.keystore, nullptr, "take snapshot of");
      bind_result(snapshot.result, ValueType::kKeystore);
      if (in_action_) set_in_actions_.insert(snapshot.result.text);
      keystores_.set(snapshot.result.text, {.closed = false, .use = KeystoreState::Use::snapshot, .place = stmt.head});
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
