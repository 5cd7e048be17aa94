// The statements about many keys: scan, list keys, count keys, remove keys, for each.
#include <fmt/format.h>

#include "wfl/keystore/key_codec.h"
#include "wfl/keystore/statements.h"
#include "wfl/vm/heap.h"
#include "wfl/vm/utf8.h"

namespace wfl::keystore {
namespace {

// A key as a value: the text it is. Another program may have stored a key that is no text; it cannot be named in this
// language, so it is shown as Binary.
vm::Value key_value(vm::NativeCall& call, std::string_view key) {
  if (vm::is_valid_utf8(key)) return vm::Value(call.heap.text(key));
  return vm::Value(call.heap.binary(std::string(key)));
}

// The entries become values one at a time.
class EntryIterator final : public vm::HostIterator {
 public:
  EntryIterator(Keystore* keystore, std::shared_ptr<RangeWalk> walk) : keystore_(keystore), walk_(std::move(walk)) {}

  void trace(vm::Tracer& tracer) override { tracer.mark(keystore_); }
  [[nodiscard]] std::size_t extra_bytes() const override { return walk_->bytes(); }

  vm::Value next(vm::NativeCall& call) override {
    const auto entry = walk_->next();
    if (!entry) return fail_with(call, entry.error(), keystore_->path());
    return *entry ? make_entry(call, *keystore_, **entry) : vm::Value::undefined();
  }

  // The collector calls it, too, when the keystore may be gone already.
  void close() override { walk_->stop(); }

 private:
  Keystore* keystore_;
  std::shared_ptr<RangeWalk> walk_;
};

// keystore.scan: keystore, RANGE
vm::Value scan_keys(vm::NativeCall& call) {
  Keystore* keystore = keystore_argument(call, 0, Access::read);
  const auto range = range_argument(call, 1);
  if (call.failed()) return vm::Value::null();
  auto entries = keystore->scan(*range);
  if (!entries) return fail_with(call, entries.error(), keystore->path());
  vm::List* list = call.heap.list();
  list->items.reserve(entries->size());
  for (StoredEntry& stored : *entries) {
    const StoredEntry entry = std::move(stored);  // Its memory is free when its value has been made.
    list->items.push_back(make_entry(call, *keystore, entry));
    if (call.failed()) return vm::Value::null();
  }
  call.heap.account(list->items.size() * sizeof(vm::Value));
  return vm::Value(list);
}

// keystore.keys: keystore, RANGE
vm::Value list_keys(vm::NativeCall& call) {
  Keystore* keystore = keystore_argument(call, 0, Access::read);
  auto range = range_argument(call, 1);
  if (call.failed()) return vm::Value::null();
  range->keys_only = true;
  const auto entries = keystore->scan(*range);
  if (!entries) return fail_with(call, entries.error(), keystore->path());
  vm::List* list = call.heap.list();
  list->items.reserve(entries->size());
  for (const StoredEntry& entry : *entries) list->items.push_back(key_value(call, entry.key));
  call.heap.account(list->items.size() * sizeof(vm::Value));
  return vm::Value(list);
}

// keystore.count: keystore, RANGE
vm::Value count_keys(vm::NativeCall& call) {
  Keystore* keystore = keystore_argument(call, 0, Access::read);
  const auto range = range_argument(call, 1);
  if (call.failed()) return vm::Value::null();
  const auto count = keystore->count(*range);
  if (!count) return fail_with(call, count.error(), keystore->path());
  return vm::Value::number(static_cast<double>(*count));
}

// keystore.remove_range: keystore, RANGE
vm::Value remove_range(vm::NativeCall& call) {
  Keystore* keystore = keystore_argument(call, 0, Access::write);
  auto range = range_argument(call, 1);
  if (call.failed()) return vm::Value::null();
  const auto removed = keystore->remove_all(std::move(*range));
  if (!removed) return fail_with(call, removed.error(), keystore->path());
  return vm::Value::number(static_cast<double>(*removed));
}

// keystore.iterate: keystore, RANGE
vm::Value iterate(vm::NativeCall& call) {
  Keystore* keystore = keystore_argument(call, 0, Access::read);
  auto range = range_argument(call, 1);
  if (call.failed()) return vm::Value::null();
  return iterate_range(call, *keystore, std::move(*range));
}

}  // namespace

vm::Value make_entry(vm::NativeCall& call, const Keystore& keystore, const StoredEntry& entry) {
  vm::Map* map = call.heap.map();
  const vm::Value value = load(call, keystore, entry.key, entry.value);
  if (call.failed()) return vm::Value::null();
  call.heap.map_set(map, "key", key_value(call, entry.key));
  call.heap.map_set(map, "value", value);
  return vm::Value(map);
}

vm::Value iterate_range(vm::NativeCall& call, Keystore& keystore, kvb::ScanOptions options) {
  if (!require_open(call, keystore)) return vm::Value::null();
  auto walk = keystore.walk(std::move(options));
  if (!walk) return fail_with(call, walk.error(), keystore.path());
  return vm::Value(call.heap.make<EntryIterator>(&keystore, std::move(*walk)));
}

void register_range_statements(vm::HostTable& table) {
  table.add("keystore.scan", scan_keys);
  table.add("keystore.keys", list_keys);
  table.add("keystore.count", count_keys);
  table.add("keystore.remove_range", remove_range);
  table.add("keystore.iterate", iterate);
}

}  // namespace wfl::keystore
