#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "wfl/keystore/date_text.h"
#include "wfl/keystore/value_codec.h"
#include "wfl/keystore/value_tags.h"
#include "wfl/vm/operations.h"

namespace wfl::keystore {
namespace {

std::string cannot_store(vm::Value value, std::string_view instead) {
  return fmt::format("A value of type {} cannot be stored in a keystore. {}", vm::type_name(value), instead);
}

std::string_view instead_of(vm::Value value) {
  switch (value.as_object()->kind) {
    case vm::ObjectKind::kPattern:
      return "Store the texts it is for, and make the pattern again with `create pattern`.";
    case vm::ObjectKind::kAction:
    case vm::ObjectKind::kNative:
      return "Store what it gives back, for example: store (call NAME) in KEYSTORE with key KEY.";
    case vm::ObjectKind::kInstance:
      return "Store its properties, for example as a map made with `create map`.";
    case vm::ObjectKind::kContainer:
    case vm::ObjectKind::kInterface:
      return "Store the properties of an instance, for example as a map made with `create map`.";
    case vm::ObjectKind::kHost:
      return "Store its path as a text, and open it again from there.";
    default:
      return "Store a text, a number, a list or a map that describes it.";
  }
}

class JsonWriter {
 public:
  // False when the value cannot be written; the sentence is in problem().
  bool write(vm::Value value) {
    if (value.is_number()) return write_number(value.as_number());
    if (value.is_null()) return append("null");
    if (value.is_boolean()) return append(value.as_boolean() ? "true" : "false");
    if (!value.is_object()) return fail("A variable without a value cannot be stored in a keystore.");
    switch (value.as_object()->kind) {
      case vm::ObjectKind::kText:
        write_text(value.as_text());
        return true;
      case vm::ObjectKind::kList:
        return inside(value, [this, value] { return write_list(*value.as<vm::List>()); });
      case vm::ObjectKind::kMap:
        return inside(value, [this, value] { return write_map(*value.as<vm::Map>()); });
      case vm::ObjectKind::kDate:
        return write_tagged(kDateTag, date_to_text(value.as<vm::Date>()->days));
      case vm::ObjectKind::kTime:
        return write_tagged(kTimeTag, time_to_text(value.as<vm::Time>()->seconds, value.as<vm::Time>()->nanoseconds));
      case vm::ObjectKind::kDateTime:
        return write_tagged(
            kDateTimeTag, date_time_to_text(value.as<vm::DateTime>()->seconds, value.as<vm::DateTime>()->nanoseconds));
      case vm::ObjectKind::kBinary:
        return write_tagged(kBinaryTag, base64(value.as<vm::Binary>()->bytes));
      default:
        return fail(cannot_store(value, instead_of(value)));
    }
  }

  std::string& json() { return json_; }
  std::string& problem() { return problem_; }

 private:
  bool append(std::string_view text) {
    json_ += text;
    return true;
  }

  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  bool write_number(double number) {
    if (!std::isfinite(number)) {
      return fail(
          fmt::format("The number {} cannot be stored in a keystore, because it has no digits. Check how it was "
                      "worked out, or store a text or `nothing` instead.",
                      vm::format_number(number)));
    }
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    return append({digits, end});
  }

  void write_text(std::string_view text) {
    json_ += '"';
    for (const char c : text) {
      switch (c) {
        case '"':
          json_ += "\\\"";
          break;
        case '\\':
          json_ += "\\\\";
          break;
        case '\n':
          json_ += "\\n";
          break;
        case '\r':
          json_ += "\\r";
          break;
        case '\t':
          json_ += "\\t";
          break;
        default:
          if (static_cast<unsigned char>(c) < 0x20) {
            fmt::format_to(std::back_inserter(json_), "\\u{:04x}", static_cast<unsigned char>(c));
          } else {
            json_ += c;
          }
      }
    }
    json_ += '"';
  }

  bool write_list(const vm::List& list) {
    json_ += '[';
    bool first = true;
    for (const vm::Value item : list.items) {
      if (!first) json_ += ',';
      first = false;
      if (!write(item)) return false;
    }
    json_ += ']';
    return true;
  }

  bool write_map(const vm::Map& map) {
    const bool wrapped = looks_tagged(map);
    if (wrapped) {
      json_ += '{';
      write_text(kMapTag);
      json_ += ':';
    }
    json_ += '{';
    bool first = true;
    for (const vm::Map::Entry& entry : map.entries()) {
      if (entry.key == nullptr) continue;
      if (!first) json_ += ',';
      first = false;
      write_text(entry.key->view());
      json_ += ':';
      if (!write(entry.value)) return false;
    }
    json_ += wrapped ? "}}" : "}";
    return true;
  }

  static bool looks_tagged(const vm::Map& map) {
    if (map.size() != 1) return false;
    for (const vm::Map::Entry& entry : map.entries()) {
      if (entry.key != nullptr) return entry.key->view().starts_with(kTagPrefix);
    }
    return false;
  }

  bool write_tagged(std::string_view tag, std::string_view text) {
    json_ += '{';
    write_text(tag);
    json_ += ':';
    write_text(text);
    json_ += '}';
    return true;
  }

  static std::string base64(std::string_view bytes) {
    std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                      sodium_base64_VARIANT_ORIGINAL);
    text.pop_back();  // The terminating zero that libsodium counts.
    return text;
  }

  // Writes a list or a map with a note of where we are, so that one that contains itself is told from a deep one.
  template <class Write>
  bool inside(vm::Value container, Write&& write_it) {
    if (std::ranges::find(path_, container.as_object()) != path_.end()) {
      return fail(fmt::format(
          "This {} contains itself, so it has no end and cannot be stored in a keystore. Store a copy without the part "
          "that leads back.",
          container.is_list() ? "list" : "map"));
    }
    if (path_.size() == kMaxNesting) {
      return fail(fmt::format(
          "Lists and maps in a stored value can be nested {} deep, and this value goes deeper. Store its parts under "
          "keys of their own.",
          kMaxNesting));
    }
    path_.push_back(container.as_object());
    const bool written = write_it();
    path_.pop_back();
    return written;
  }

  std::string json_;
  std::string problem_;
  std::vector<const vm::Object*> path_;  // The lists and maps around the value that is being written.
};

}  // namespace

std::expected<EncodedValue, std::string> encode_value(vm::Value value) {
  if (value.is_text()) return EncodedValue{std::string(value.as_text()), kvb::ValueKind::text};
  if (const auto* binary = value.try_as<vm::Binary>()) return EncodedValue{binary->bytes, kvb::ValueKind::bytes};
  JsonWriter writer;
  if (!writer.write(value)) return std::unexpected(std::move(writer.problem()));
  if (writer.json().size() > kvb::kMaxValueBytes) {
    return std::unexpected(fmt::format(
        "A value can be at most {} bytes long, and this one has {}. Store its parts under keys of their own.",
        kvb::kMaxValueBytes, writer.json().size()));
  }
  return EncodedValue{std::move(writer.json()), kvb::ValueKind::json};
}

}  // namespace wfl::keystore
