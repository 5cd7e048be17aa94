// The statements about one key: store, get, time left, contains, remove, increase, decrease, keep.
#include <fmt/format.h>

#include <cmath>

#include "wfl/keystore/key_codec.h"
#include "wfl/keystore/statements.h"
#include "wfl/keystore/value_codec.h"
#include "wfl/vm/operations.h"

namespace wfl::keystore {
namespace {

// keystore.store: keystore, key, value, DURATION, condition?, old?
vm::Value store_value(vm::NativeCall& call) {
  Keystore* keystore = keystore_argument(call, 0, Access::write);
  const auto key = key_argument(call, 1);
  const auto expiry = duration_argument(call, 3);
  if (call.failed()) return vm::Value::null();
  auto encoded = encode_value(call[2]);
  if (!encoded) return call.fail(std::move(encoded.error()));
  Change put{
      .action = Change::Action::put, .bytes = std::move(encoded->bytes), .kind = encoded->kind, .expiry = *expiry};

  if (!call[5].is_text()) {
    if (const auto written = keystore->put(*key, std::move(put)); !written) {
      return fail_with(call, written.error(), keystore->path());
    }
    return vm::Value::boolean(true);
  }

  const std::string_view condition = call[5].as_text();
  if (condition == "missing" || condition == "present") {
    const kvb::PutIf holds_if = condition == "missing" ? kvb::PutIf::missing : kvb::PutIf::present;
    const auto written = keystore->put(*key, std::move(put), holds_if);
    if (!written) return fail_with(call, written.error(), keystore->path());
    return vm::Value::boolean(*written);
  }
  bool holds = false;
  const auto written = keystore->change(*key, [&](const std::optional<Stored>& current) {
    if (current) {
      // A stored value that cannot be read is equal to nothing a program has.
      const auto value = decode_value(call.heap, current->bytes, current->kind);
      holds = value && vm::equals(*value, call[6]);
    }
    return holds ? std::move(put) : Change{};
  });
  if (!written) return fail_with(call, written.error(), keystore->path());
  return vm::Value::boolean(holds);
}

// keystore.get: keystore, key
vm::Value get_value(vm::NativeCall& call) {
  Keystore* keystore = keystore_argument(call, 0, Access::read);
  const auto key = key_argument(call, 1);
  if (call.failed()) return vm::Value::null();
  const auto found = keystore->get(*key);
  if (!found) return fail_with(call, found.error(), keystore->path());
  return *found ? load(call, *keystore, *key, **found) : vm::Value::undefined();
}

// keystore.time_left: keystore, key
vm::Value time_left(vm::NativeCall& call) {
  Keystore* keystore = keystore_argument(call, 0, Access::read);
  const auto key = key_argument(call, 1);
  if (call.failed()) return vm::Value::null();
  const auto found = keystore->get(*key);
  if (!found) return fail_with(call, found.error(), keystore->path());
  if (!*found || !(*found)->expires_at_ns) return vm::Value::null();
  return vm::Value::number(seconds_until(*(*found)->expires_at_ns, wall_clock_ns()));
}

// keystore.contains: keystore, key
vm::Value contains_key(vm::NativeCall& call) {
  Keystore* keystore = keystore_argument(call, 0, Access::read);
  const auto key = key_argument(call, 1);
  if (call.failed()) return vm::Value::null();
  const auto found = keystore->contains_key(*key);
  if (!found) return fail_with(call, found.error(), keystore->path());
  return vm::Value::boolean(*found);
}

// keystore.remove: keystore, key
vm::Value remove_key(vm::NativeCall& call) {
  Keystore* keystore = keystore_argument(call, 0, Access::write);
  const auto key = key_argument(call, 1);
  if (call.failed()) return vm::Value::null();
  const auto removed = keystore->remove(*key);
  if (!removed) return fail_with(call, removed.error(), keystore->path());
  return vm::Value::boolean(*removed);
}

// Adds to the number under a key, in one step. The expiry stays.
vm::Value add_to_counter(vm::NativeCall& call, double sign, std::string_view verb) {
  Keystore* keystore = keystore_argument(call, 0, Access::write);
  const auto key = key_argument(call, 1);
  if (call.failed()) return vm::Value::null();
  if (!call[2].is_number()) {
    return call.fail(fmt::format("A key can be {}d by a number only, and this is {} {}.", verb, vm::type_name(call[2]),
                                 vm::debug_form(call[2])));
  }
  double sum = 0;
  std::string problem;
  const auto written = keystore->change(*key, [&](const std::optional<Stored>& current) {
    double before = 0;
    if (current) {
      const auto value = decode_value(call.heap, current->bytes, current->kind);
      if (!value || !value->is_number()) {
        problem = fmt::format(
            "Key {} of the keystore \"{}\" cannot be {}d, because its value is no number but {}. Store a number there "
            "first: "
            "store 0 in KEYSTORE with key {}.",
            quote_key(*key), keystore->path(), verb, value ? vm::type_name(*value) : "damaged", quote_key(*key));
        return Change{};
      }
      before = value->as_number();
    }
    sum = before + sign * call[2].as_number();
    auto encoded = encode_value(vm::Value::number(sum));
    if (!encoded) {
      problem = fmt::format("Key {} of the keystore \"{}\" cannot be {}d by {}: the result is too large for a number.",
                            quote_key(*key), keystore->path(), verb, vm::display(call[2]));
      return Change{};
    }
    return Change{.action = Change::Action::put,
                  .bytes = std::move(encoded->bytes),
                  .kind = encoded->kind,
                  .expiry = {.kind = Expiry::Kind::keep}};
  });
  if (!written) return fail_with(call, written.error(), keystore->path());
  if (!problem.empty()) return call.fail(std::move(problem));
  return vm::Value::number(sum);
}

// keystore.increase: keystore, key, amount
vm::Value increase_key(vm::NativeCall& call) {
  return add_to_counter(call, 1, "increase");
}
// keystore.decrease: keystore, key, amount
vm::Value decrease_key(vm::NativeCall& call) {
  return add_to_counter(call, -1, "decrease");
}

// keystore.keep: keystore, key, DURATION
vm::Value keep_key(vm::NativeCall& call) {
  Keystore* keystore = keystore_argument(call, 0, Access::write);
  const auto key = key_argument(call, 1);
  const auto expiry = duration_argument(call, 2);
  if (call.failed()) return vm::Value::null();
  bool there = false;
  const auto written = keystore->change(*key, [&](const std::optional<Stored>& current) {
    there = current.has_value();
    if (!current) return Change{};
    return Change{.action = Change::Action::put, .bytes = current->bytes, .kind = current->kind, .expiry = *expiry};
  });
  if (!written) return fail_with(call, written.error(), keystore->path());
  return vm::Value::boolean(there);
}

}  // namespace

void register_key_statements(vm::HostTable& table) {
  table.add("keystore.store", store_value);
  table.add("keystore.get", get_value);
  table.add("keystore.time_left", time_left);
  table.add("keystore.contains", contains_key);
  table.add("keystore.remove", remove_key);
  table.add("keystore.increase", increase_key);
  table.add("keystore.decrease", decrease_key);
  table.add("keystore.keep", keep_key);
}

}  // namespace wfl::keystore
