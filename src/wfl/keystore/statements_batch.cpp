// batch operations on S … end batch. The compiler makes sure that a batch that was begun is committed or rolled back,
// however its block is left.
#include <fmt/format.h>

#include "wfl/keystore/statements.h"

namespace wfl::keystore {
namespace {

// keystore.batch_begin: keystore
vm::Value batch_begin(vm::NativeCall& call) {
  Keystore* keystore = keystore_argument(call, 0, Access::write);
  if (call.failed()) return vm::Value::null();
  if (keystore->in_batch()) {
    return call.fail(fmt::format(
        "A batch on the keystore \"{}\" is under way already, and it can have one at a time. Finish that one with `end "
        "batch` first, or leave the inner `batch operations on` out.",
        keystore->path()));
  }
  keystore->begin_batch();
  return vm::Value::null();
}

// keystore.batch_commit: keystore
vm::Value batch_commit(vm::NativeCall& call) {
  Keystore* keystore = keystore_argument(call, 0, Access::write);
  if (call.failed()) return vm::Value::null();
  if (!keystore->in_batch()) {
    return call.fail(fmt::format("There is no batch on the keystore \"{}\" that could end here.", keystore->path()));
  }
  if (const auto written = keystore->commit_batch(); !written) {
    return fail_with(call, written.error(), keystore->path());
  }
  return vm::Value::null();
}

// keystore.batch_rollback: keystore
vm::Value batch_rollback(vm::NativeCall& call) {
  if (Keystore* keystore = Keystore::from(call[0])) keystore->drop_batch();
  return vm::Value::null();
}

// database.transaction_begin: database. What people who know databases try with a keystore; a real database goes to the
// function that was registered before this one, when the build has one.
vm::Value transaction_begin(vm::NativeCall& call) {
  if (const Keystore* keystore = Keystore::from(call[0])) {
    return call.fail(fmt::format(
        "A keystore has batches: they are applied all together or not at all. For the keystore \"{}\" write: batch "
        "operations on KEYSTORE: … end batch.",
        keystore->path()));
  }
  if (call.data != nullptr) {
    const auto& next = *static_cast<const vm::HostFunction*>(call.data);
    call.data = next.data;
    return next.function(call);
  }
  return call.fail(vm::ErrorKind::kNotAvailable,
                   "This build cannot use SQL databases, so `in transaction on` has no meaning.");
}

}  // namespace

void register_batch_statements(vm::HostTable& table, Library& library) {
  if (const vm::HostFunction* next = table.find("database.transaction_begin"))
    library.database_transaction_begin = *next;
  table.add("database.transaction_begin", transaction_begin,
            library.database_transaction_begin.function == nullptr ? nullptr : &library.database_transaction_begin);
  table.add("keystore.batch_begin", batch_begin);
  table.add("keystore.batch_commit", batch_commit);
  table.add("keystore.batch_rollback", batch_rollback);
}

}  // namespace wfl::keystore
