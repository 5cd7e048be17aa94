#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "wfl/keystore/key_codec.h"
#include "wfl/keystore/statements.h"
#include "wfl/keystore/value_codec.h"
#include "wfl/vm/operations.h"

namespace wfl::keystore {

bool require_open(vm::NativeCall& call, const Keystore& keystore) {
  if (keystore.lost_its_keystore()) {
    call.fail(fmt::format(
        "This snapshot cannot be read any more, because its keystore \"{}\" has been closed. Close a keystore after "
        "its snapshots.",
        keystore.path()));
    return false;
  }
  if (keystore.is_snapshot() && !keystore.is_open()) {
    call.fail(fmt::format(
        "This snapshot of the keystore \"{}\" has been closed. Take another one with: take snapshot of KEYSTORE as "
        "NAME.",
        keystore.path()));
    return false;
  }
  if (!keystore.is_open()) {
    fail_with(call, kvb::Error{.code = kvb::ErrorCode::closed}, keystore.path());
    return false;
  }
  return true;
}

Keystore* keystore_argument(vm::NativeCall& call, std::uint32_t i, Access access) {
  if (call.failed()) return nullptr;
  Keystore* keystore = Keystore::from(call[i]);
  if (keystore == nullptr) {
    call.fail(fmt::format(
        "Expected a keystore here, got {} {}. A keystore comes from a statement such as: open or create keystore at "
        "\"data.kvb\" as NAME.",
        vm::type_name(call[i]), vm::debug_form(call[i])));
    return nullptr;
  }
  if (!require_open(call, *keystore)) return nullptr;
  if (access == Access::write && keystore->is_snapshot()) {
    call.fail(fmt::format(
        "This is a snapshot of the keystore \"{}\". It stays as it was, so nothing can be changed in it: change the "
        "keystore itself.",
        keystore->path()));
    return nullptr;
  }
  if (access == Access::write && keystore->read_only()) {
    fail_with(call, kvb::Error{.code = kvb::ErrorCode::read_only}, keystore->path());
    return nullptr;
  }
  return keystore;
}

std::optional<std::string> key_argument(vm::NativeCall& call, std::uint32_t i) {
  if (call.failed()) return std::nullopt;
  auto key = encode_key(call[i]);
  if (!key) {
    call.fail(std::move(key.error()));
    return std::nullopt;
  }
  return std::move(*key);
}

std::optional<kvb::ScanOptions> range_argument(vm::NativeCall& call, std::uint32_t i) {
  if (call.failed()) return std::nullopt;
  kvb::ScanOptions options;
  const vm::Value prefix = call[i];
  const vm::Value from = call[i + 1];
  const vm::Value to = call[i + 2];
  const vm::Value limit = call[i + 4];
  if (!prefix.is_undefined()) {
    auto bytes = encode_bound(prefix, "What the keys start with");
    if (!bytes) return call.fail(std::move(bytes.error())), std::nullopt;
    options.prefix = std::move(*bytes);
  }
  if (!from.is_undefined()) {
    auto bytes = encode_bound(from, "The first key");
    if (!bytes) return call.fail(std::move(bytes.error())), std::nullopt;
    options.from = std::move(*bytes);
  }
  if (!to.is_undefined()) {
    auto bytes = encode_bound(to, "The last key");
    if (!bytes) return call.fail(std::move(bytes.error())), std::nullopt;
    options.to = std::move(*bytes);
  }
  options.reverse = call[i + 3].is_boolean() && call[i + 3].as_boolean();
  if (!limit.is_undefined()) {
    const double most = limit.is_number() ? limit.as_number() : -1;
    if (!(most >= 0) || most != std::floor(most)) {
      call.fail(fmt::format("A limit must be a whole number that is not negative, such as 10, but this is {} {}.",
                            vm::type_name(limit), vm::debug_form(limit)));
      return std::nullopt;
    }
    // Beyond 2^63 there is nothing to count; the largest number means no limit.
    options.limit = most < 9.2e18 ? static_cast<std::uint64_t>(most) : std::numeric_limits<std::uint64_t>::max();
  }
  return options;
}

std::optional<Expiry> duration_argument(vm::NativeCall& call, std::uint32_t i) {
  if (call.failed()) return std::nullopt;
  const vm::Value amount = call[i];
  const vm::Value unit = call[i + 1];
  if (amount.is_undefined() || !unit.is_number()) return Expiry{.kind = Expiry::Kind::never};
  const double seconds = amount.is_number() ? amount.as_number() * unit.as_number() : 0;
  if (!(seconds > 0)) {
    call.fail(
        fmt::format("A length of time must be a number greater than 0, such as `for 30 minutes`, but this is {} {}. To "
                    "keep a value "
                    "for good, leave `for …` out; to remove it, use `remove key`.",
                    vm::type_name(amount), vm::debug_form(amount)));
    return std::nullopt;
  }
  constexpr double kMostSeconds = std::numeric_limits<std::uint32_t>::max();
  // Rounded up, but not because of the last bit of a product such as 1.1 × 60.
  const double whole = std::ceil(seconds * (1 - 1e-12));
  if (whole > kMostSeconds) {
    call.fail(
        fmt::format("A length of time can be at most {} days (136 years), but this is {} days. To keep a value for "
                    "good, leave `for …` "
                    "out.",
                    std::floor(kMostSeconds / 86'400), vm::format_number(std::floor(seconds / 86'400))));
    return std::nullopt;
  }
  return Expiry{.kind = Expiry::Kind::after, .seconds = static_cast<std::uint32_t>(whole)};
}

vm::Value load(vm::NativeCall& call, const Keystore& keystore, std::string_view key, const Stored& stored) {
  auto value = decode_value(call.heap, stored.bytes, stored.kind);
  if (value) return *value;
  return call.fail(
      vm::ErrorKind::kKeystoreDamaged,
      fmt::format("The value of key {} in the keystore \"{}\" cannot be read: {}. Another program has stored "
                  "it. Look at its bytes with: kvb get \"{}\" KEY, and store it again or remove it.",
                  quote_key(key), keystore.path(), value.error(), keystore.path()));
}

std::string contains_advice(vm::Value value) {
  const std::string shown = value.is_text() || value.is_number() ? vm::debug_form(value) : std::string("KEY");
  return fmt::format("A keystore is asked for a key with the word `key`: KEYSTORE contains key {}.", shown);
}

}  // namespace wfl::keystore
