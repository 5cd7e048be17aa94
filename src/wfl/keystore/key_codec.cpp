#include "wfl/keystore/key_codec.h"

#include <fmt/format.h>
#include <kvb/bucket.h>

#include <cmath>

#include "wfl/vm/operations.h"
#include "wfl/vm/utf8.h"

namespace wfl::keystore {
namespace {

constexpr std::size_t kShownCodePoints = 40;

std::string advice_for(vm::Value value) {
  using vm::ObjectKind;
  if (value.is_boolean()) return "Use a text such as \"yes\" or \"no\".";
  if (value.is_null()) return "Check the variable that holds the key: it has no value.";
  if (value.is_list()) return "Make a text of it first, for example with: join of LIST and \":\".";
  if (value.is_map()) return "Use one of its fields, for example: id of MAP.";
  if (value.is(ObjectKind::kDate) || value.is(ObjectKind::kTime) || value.is(ObjectKind::kDateTime)) {
    return "Make a text of it first, for example: \"\" with DATE.";
  }
  return "Use a text that stands for it, such as its name.";
}

// The bytes of a text or a number; nothing for any other value.
std::expected<std::string, std::string> bytes_of(vm::Value value, std::string_view what) {
  if (value.is_text()) return std::string(value.as_text());
  if (value.is_number()) {
    if (!std::isfinite(value.as_number())) {
      return std::unexpected(fmt::format(
          "{} must be a text or a number, and {} is not a number that can be written down.", what, vm::display(value)));
    }
    return vm::format_number(value.as_number());
  }
  return std::unexpected(fmt::format("{} must be a text or a number, but this is of type {}. {}", what,
                                     vm::type_name(value), advice_for(value)));
}

}  // namespace

std::expected<std::string, std::string> encode_key(vm::Value value) {
  auto bytes = bytes_of(value, "A key");
  if (!bytes) return bytes;
  if (bytes->empty()) {
    return std::unexpected(
        std::string("A key must not be an empty text. Give every value a key of at least one character."));
  }
  if (bytes->size() > kvb::kMaxKeyBytes) {
    return std::unexpected(fmt::format(
        "A key can be at most {} bytes long, and this one has {}: {}. Use a shorter key and put the long text into the "
        "value.",
        kvb::kMaxKeyBytes, bytes->size(), quote_key(*bytes)));
  }
  return bytes;
}

std::expected<std::string, std::string> encode_bound(vm::Value value, std::string_view what) {
  return bytes_of(value, what);
}

std::string quote_key(std::string_view key) {
  if (!vm::is_valid_utf8(key)) {
    std::string shown = "0x";
    const std::size_t count = std::min(key.size(), kShownCodePoints / 2);
    for (std::size_t i = 0; i < count; ++i) shown += fmt::format("{:02x}", static_cast<unsigned char>(key[i]));
    if (count < key.size()) shown += "…";
    return shown;
  }
  const std::size_t end = vm::offset_of_code_point(key, kShownCodePoints);
  std::string shown = "\"";
  for (const char c : key.substr(0, end)) {
    switch (c) {
      case '\n':
        shown += "\\n";
        break;
      case '\r':
        shown += "\\r";
        break;
      case '\t':
        shown += "\\t";
        break;
      case '"':
        shown += "\\\"";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
          shown += c;
        }
    }
  }
  if (end < key.size()) shown += "…";
  return shown + "\"";
}

}  // namespace wfl::keystore
