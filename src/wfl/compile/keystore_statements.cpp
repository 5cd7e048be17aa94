// The keystore statements. Lines that have a second meaning are decided as the nodes say: by whether a name is visible
// here, or by the operand's value at run time.
#include "wfl/compile/compiler_impl.h"

namespace wfl::compile {

using namespace syntax;  // The code names nearly every statement node.

// RANGE: prefix?, from?, to?, reversed, limit?
void Compiler::range(HostCall& host, const KeyRange* range, bool reversed) {
  host.optional(range->kind == RangeKind::Prefix ? range->prefix : nullptr, kUndefined)
      .optional(range->kind == RangeKind::FromTo ? range->from : nullptr, kUndefined)
      .optional(range->kind == RangeKind::FromTo ? range->to : nullptr, kUndefined)
      .flag(range->reversed || reversed)
      .optional(range->limit, kUndefined);
}

// DURATION: amount?, unit
void Compiler::lifetime(HostCall& host, const Lifetime* lifetime) {
  if (lifetime == nullptr) {
    host.absent(kUndefined).absent(kUndefined);
    return;
  }
  static constexpr double kSeconds[] = {0.001, 1, 60, 3600, 86400};
  host.value(*lifetime->amount).number(kSeconds[static_cast<std::size_t>(lifetime->unit)]);
}

// S, or the keystore of the innermost batch where the words for it are left out.
void Compiler::keystore_operand(HostCall& host, const Expr* keystore) {
  if (keystore != nullptr) {
    host.value(*keystore);
  } else if (!f_->batches.empty()) {
    host.reg(f_->batches.back());
  } else {
    raise("This statement needs 'in' and the name of a keystore outside of 'batch operations on'");
    host.absent(kNull);
  }
}

// Rule Name: whether the words are today's variable or action; then today's statement is compiled.
bool Compiler::today_by_name(const OtherReading& other, bool tail) {
  if (other.rule != ReadingRule::Name || other.today == nullptr || !is_visible(other.today_words.text)) return false;
  statement_body(*other.today, tail);
  return true;
}

bool Compiler::keystore_statement(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::OpenKeystore: {
      const auto& node = as<OpenKeystoreStmt>(stmt);
      const std::string_view mode = node.mode == OpenMode::Create         ? "create"
                                    : node.mode == OpenMode::OpenOrCreate ? "open or create"
                                    : node.for_reading                    ? "open for reading"
                                                                          : "open";
      HostCall host(*this, "keystore.open");
      host.text(mode).value(*node.path).optional(node.options.encryption_key, kUndefined);
      store_result(node.name, host.flag(node.options.compression).flag(node.options.relaxed_durability).run());
      return true;
    }
    case StmtKind::CloseKeystore: {
      const auto& node = as<CloseKeystoreStmt>(stmt);
      if (!today_by_name(node.other, false)) HostCall(*this, "keystore.close").value(*node.keystore).run();
      return true;
    }
    case StmtKind::Put: {
      const auto& node = as<PutStmt>(stmt);
      // As it is read: the value first, then the keystore and the key.
      const Register value = take();
      expression(*node.value, value);
      HostCall host(*this, "keystore.store");
      keystore_operand(host, node.keystore);
      host.value(*node.key).reg(value);
      lifetime(host, node.has_lifetime ? &node.lifetime : nullptr);
      switch (node.condition) {
        case PutCondition::Always:
          host.absent(kUndefined).absent(kUndefined);
          break;
        case PutCondition::IfMissing:
          host.text("missing").absent(kUndefined);
          break;
        case PutCondition::IfPresent:
          host.text("present").absent(kUndefined);
          break;
        case PutCondition::IfValueIs:
          host.text("value").value(*node.expected);
          break;
      }
      at(stmt.head);
      store_result(node.result, host.run());
      return true;
    }
    case StmtKind::GetValue: {
      const auto& node = as<GetValueStmt>(stmt);
      const Register found = HostCall(*this, "keystore.get").value(*node.keystore).value(*node.key).run();
      const Position present = emit_wide(Op::kJumpIfDefined, found, 0);
      if (node.fallback != nullptr) {
        expression(*node.fallback, found);
      } else {
        load(found, kNull);
      }
      patch(present);
      store_result(node.result, found);
      return true;
    }
    case StmtKind::GetTimeLeft: {
      const auto& node = as<GetTimeLeftStmt>(stmt);
      store_result(node.result, HostCall(*this, "keystore.time_left").value(*node.keystore).value(*node.key).run());
      return true;
    }
    case StmtKind::RemoveKey: {
      const auto& node = as<RemoveKeyStmt>(stmt);
      if (node.other.rule != ReadingRule::Value) {
        HostCall host(*this, "keystore.remove");
        keystore_operand(host, node.keystore);
        store_result(node.result, host.value(*node.key).run());
        return true;
      }
      const Register keystore = take();
      expression(*node.keystore, keystore);
      const Position other = host_check(keystore, "Keystore");
      const std::uint32_t before = mark();
      store_result(node.result, HostCall(*this, "keystore.remove").reg(keystore).value(*node.key).run());
      release_to(std::max(before, f_->scopes.back().reserved));
      const Position done = emit_wide(Op::kJump, 0, 0);
      patch(other);
      statement_body(*node.other.today, false);
      patch(done);
      return true;
    }
    case StmtKind::ChangeCounter: {
      const auto& node = as<ChangeCounterStmt>(stmt);
      HostCall host(*this, node.decrease ? "keystore.decrease" : "keystore.increase");
      keystore_operand(host, node.keystore);
      store_result(node.result, host.value(*node.key).value(*node.amount).run());
      return true;
    }
    case StmtKind::KeepKey: {
      const auto& node = as<KeepKeyStmt>(stmt);
      HostCall host(*this, "keystore.keep");
      keystore_operand(host, node.keystore);
      host.value(*node.key);
      lifetime(host, node.forever ? nullptr : &node.lifetime);
      store_result(node.result, host.run());
      return true;
    }
    case StmtKind::ScanKeys:
    case StmtKind::ListKeys:
    case StmtKind::CountKeys: {
      const bool scan = stmt.kind == StmtKind::ScanKeys;
      const bool keys = stmt.kind == StmtKind::ListKeys;
      const Expr* keystore = scan   ? as<ScanKeysStmt>(stmt).keystore
                             : keys ? as<ListKeysStmt>(stmt).keystore
                                    : as<CountKeysStmt>(stmt).keystore;
      const KeyRange* which = scan   ? as<ScanKeysStmt>(stmt).range
                              : keys ? as<ListKeysStmt>(stmt).range
                                     : as<CountKeysStmt>(stmt).range;
      const Name& name = scan   ? as<ScanKeysStmt>(stmt).result
                         : keys ? as<ListKeysStmt>(stmt).result
                                : as<CountKeysStmt>(stmt).result;
      HostCall host(*this, scan ? "keystore.scan" : keys ? "keystore.keys" : "keystore.count");
      host.value(*keystore);
      range(host, which);
      store_result(name, host.run());
      return true;
    }
    case StmtKind::RemoveKeys: {
      const auto& node = as<RemoveKeysStmt>(stmt);
      const Register keystore = take();
      expression(*node.keystore, keystore);
      const bool two = node.other.rule == ReadingRule::Value;
      const Position other = two ? host_check(keystore, "Keystore") : 0;
      const std::uint32_t before = mark();
      HostCall host(*this, "keystore.remove_range");
      host.reg(keystore);
      range(host, node.range);
      store_result(node.result, host.run());
      if (!two) return true;
      release_to(std::max(before, f_->scopes.back().reserved));
      const Position done = emit_wide(Op::kJump, 0, 0);
      patch(other);
      statement_body(*node.other.today, false);
      patch(done);
      return true;
    }
    case StmtKind::Batch: {
      const auto& node = as<BatchStmt>(stmt);
      guarded(*node.keystore, node.body, "keystore.batch_", true, false);
      return true;
    }
    case StmtKind::Compact: {
      const auto& node = as<CompactStmt>(stmt);
      if (today_by_name(node.other, false)) return true;
      store_result(node.result,
                   HostCall(*this, "keystore.compact").value(*node.keystore).optional(node.strategy, kUndefined).run());
      return true;
    }
    case StmtKind::Statistics: {
      const auto& node = as<StatisticsStmt>(stmt);
      store_result(node.result, HostCall(*this, "keystore.statistics").value(*node.keystore).flag(node.detailed).run());
      return true;
    }
    case StmtKind::Flush: {
      const auto& node = as<FlushStmt>(stmt);
      if (today_by_name(node.other, false)) return true;
      const Register value = take();
      expression(*node.keystore, value);
      const Position other = host_check(value, "ResponseStream");
      const std::uint32_t before = mark();
      HostCall(*this, "web.flush_stream").reg(value).run();
      release_to(before);
      const Position done = emit_wide(Op::kJump, 0, 0);
      patch(other);
      HostCall(*this, "keystore.flush").reg(value).run();
      patch(done);
      return true;
    }
    case StmtKind::BackUp: {
      const auto& node = as<BackUpStmt>(stmt);
      HostCall(*this, "keystore.back_up").value(*node.keystore).value(*node.path).run();
      return true;
    }
    case StmtKind::Verify: {
      const auto& node = as<VerifyStmt>(stmt);
      store_result(node.result, HostCall(*this, "keystore.verify").value(*node.keystore).run());
      return true;
    }
    case StmtKind::Snapshot: {
      const auto& node = as<SnapshotStmt>(stmt);
      store_result(node.result, HostCall(*this, "keystore.snapshot").value(*node.keystore).run());
      return true;
    }
    case StmtKind::ChangeEncryptionKey: {
      const auto& node = as<ChangeEncryptionKeyStmt>(stmt);
      HostCall(*this, "keystore.change_secret").value(*node.keystore).value(*node.secret).run();
      return true;
    }
    default:
      return false;
  }
}

}  // namespace wfl::compile
