// What the files of statements share: registration, and checked access to the arguments of a host function.
//
// The checks fail the call and give nothing back, so that a statement reads
//
//   auto* keystore = keystore_argument(call, 0, Access::write);
//   const auto key = key_argument(call, 1);
//   if (call.failed()) return vm::Value::null();
#pragma once

#include <kvb/bucket.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "wfl/keystore/errors.h"
#include "wfl/keystore/keystore_object.h"
#include "wfl/keystore/open_keystores.h"
#include "wfl/vm/native.h"

namespace wfl::keystore {

// The state of the library in one VM, held by it as a service.
struct Library {
  std::shared_ptr<OpenKeystores> keystores = std::make_shared<OpenKeystores>();
  vm::HostFunction
      database_transaction_begin;  // What was registered before; the keystores answer for themselves first.
};

void register_lifecycle_statements(vm::HostTable& table);
void register_key_statements(vm::HostTable& table);
void register_range_statements(vm::HostTable& table);
void register_batch_statements(vm::HostTable& table, Library& library);
void register_care_statements(vm::HostTable& table);

enum class Access : std::uint8_t { read, write };

// The open keystore in an argument. Fails the call when it is something else, closed, or (for Access::write) only for
// reading.
Keystore* keystore_argument(vm::NativeCall& call, std::uint32_t i, Access access);
// Fails the call, and answers no, when the keystore has been closed.
bool require_open(vm::NativeCall& call, const Keystore& keystore);
// The bytes of a key; nothing when it failed the call.
std::optional<std::string> key_argument(vm::NativeCall& call, std::uint32_t i);
// The five arguments of a RANGE, from i on.
std::optional<kvb::ScanOptions> range_argument(vm::NativeCall& call, std::uint32_t i);
// The two arguments of a DURATION, from i on: Expiry::never when it was left out.
std::optional<Expiry> duration_argument(vm::NativeCall& call, std::uint32_t i);

// The value of a stored one; fails the call when it cannot be read.
vm::Value load(vm::NativeCall& call, const Keystore& keystore, std::string_view key, const Stored& stored);
// A map with `key` and `value`.
vm::Value make_entry(vm::NativeCall& call, const Keystore& keystore, const StoredEntry& entry);
// A HostIterator over the entries of a range, as they are now.
vm::Value iterate_range(vm::NativeCall& call, Keystore& keystore, kvb::ScanOptions options);
// What to write instead of `KEYSTORE contains VALUE`.
std::string contains_advice(vm::Value value);

}  // namespace wfl::keystore
