#include <fmt/format.h>
#include <sodium.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "wfl/keystore/date_text.h"
#include "wfl/keystore/value_codec.h"
#include "wfl/keystore/value_tags.h"
#include "wfl/vm/utf8.h"

namespace wfl::keystore {
namespace {

using Json = nlohmann::json;

std::optional<std::string> bytes_from_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(), text.size(), nullptr,
                        &size, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
      end != text.data() + text.size()) {
    return std::nullopt;
  }
  bytes.resize(size);
  return bytes;
}

// Builds the value while nlohmann's parser reads the text. Containers that are not closed yet are on a stack of our
// own, so nesting costs no C++ stack.
//
// A map is checked for a tag when it is closed, with one exception: the map inside {"$wfl:map":…} is an ordinary one
// whatever it looks like. Whether the outer map has only that one entry is known when *it* is closed; until then the
// inner map waits there unchanged.
class ValueBuilder final : public nlohmann::json_sax<Json> {
 public:
  explicit ValueBuilder(vm::Heap& heap) : heap_(heap) {}

  [[nodiscard]] vm::Value result() const { return result_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }

  bool null() override { return attach(vm::Value::null()); }
  bool boolean(bool value) override { return attach(vm::Value::boolean(value)); }
  bool number_integer(number_integer_t value) override {
    // The parser calls this for numbers with a sign only, so a zero here was written "-0".
    return attach(vm::Value::number(value == 0 ? -0.0 : static_cast<double>(value)));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return attach(vm::Value::number(static_cast<double>(value)));
  }
  bool number_float(number_float_t value, const string_t& /*digits*/) override {
    return attach(vm::Value::number(value));
  }
  bool string(string_t& value) override { return attach(vm::Value(heap_.text(value))); }
  bool binary(binary_t& /*value*/) override { return false; }

  bool start_object(std::size_t /*size*/) override { return open(vm::Value(heap_.map())); }
  bool key(string_t& name) override {
    frames_.back().key = heap_.intern(name);
    return true;
  }
  bool end_object() override {
    Frame frame = frames_.back();
    frames_.pop_back();
    auto* map = frame.container.as<vm::Map>();
    if (frame.holds_plain_map) {
      vm::Value* inner = map->find(heap_.intern(kMapTag));
      if (map->size() == 1 && inner->is_map()) return attach(*inner);
      *inner = untagged(*inner);
    }
    if (!frames_.empty() && frames_.back().key != nullptr && frames_.back().key->view() == kMapTag) {
      frames_.back().holds_plain_map = true;
      return attach(frame.container);
    }
    return attach(untagged(frame.container));
  }
  bool start_array(std::size_t /*size*/) override { return open(vm::Value(heap_.list())); }
  bool end_array() override {
    const vm::Value list = frames_.back().container;
    frames_.pop_back();
    return attach(list);
  }

  bool parse_error(std::size_t position, const std::string& /*last_token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    problem_ = fmt::format("its JSON is wrong at byte {}", position);
    return false;
  }

 private:
  struct Frame {
    vm::Value container;
    vm::Text* key = nullptr;       // Of the entry that comes next, in a map.
    bool holds_plain_map = false;  // Its entry `$wfl:map` is a map that has not been checked for a tag.
  };

  bool open(vm::Value container) {
    if (frames_.size() == kMaxNesting) {
      problem_ = fmt::format("its lists and maps are nested more than {} deep", kMaxNesting);
      return false;
    }
    frames_.push_back({.container = container});
    return true;
  }

  bool attach(vm::Value value) {
    if (frames_.empty()) {
      result_ = value;
      return true;
    }
    Frame& frame = frames_.back();
    if (frame.container.is_list()) {
      frame.container.as<vm::List>()->items.push_back(value);
      heap_.account(sizeof(vm::Value));
    } else {
      frame.container.as<vm::Map>()->set(frame.key, value);
      heap_.account(sizeof(vm::Map::Entry));
      frame.key = nullptr;
    }
    return true;
  }

  // The value that a map with a tag stands for; the map itself when it has none, or when what follows the tag is not of
  // its form.
  vm::Value untagged(vm::Value value) {
    if (!value.is_map() || value.as<vm::Map>()->size() != 1) return value;
    const vm::Map& map = *value.as<vm::Map>();
    const vm::Map::Entry* entry = nullptr;
    for (const vm::Map::Entry& candidate : map.entries()) {
      if (candidate.key != nullptr) entry = &candidate;
    }
    const std::string_view tag = entry->key->view();
    if (!tag.starts_with(kTagPrefix) || !entry->value.is_text()) return value;
    const std::string_view text = entry->value.as_text();
    if (tag == kDateTag) {
      if (const auto days = date_from_text(text)) return vm::Value(heap_.date(*days));
    } else if (tag == kTimeTag) {
      if (const auto time = time_from_text(text)) return vm::Value(heap_.time(time->seconds, time->nanoseconds));
    } else if (tag == kDateTimeTag) {
      if (const auto moment = date_time_from_text(text)) {
        return vm::Value(heap_.date_time(moment->seconds, moment->nanoseconds));
      }
    } else if (tag == kBinaryTag) {
      if (auto bytes = bytes_from_base64(text)) return vm::Value(heap_.binary(std::move(*bytes)));
    }
    return value;
  }

  vm::Heap& heap_;
  std::vector<Frame> frames_;
  vm::Value result_ = vm::Value::null();
  std::string problem_;
};

}  // namespace

std::expected<vm::Value, std::string> decode_value(vm::Heap& heap, std::string_view bytes, kvb::ValueKind kind) {
  switch (kind) {
    case kvb::ValueKind::text:
      if (bytes.size() <= vm::Text::kMaxBytes && vm::is_valid_utf8(bytes)) return vm::Value(heap.text(bytes));
      [[fallthrough]];
    case kvb::ValueKind::bytes:
      return vm::Value(heap.binary(std::string(bytes)));
    case kvb::ValueKind::json:
      break;
  }
  ValueBuilder builder(heap);
  if (!Json::sax_parse(bytes.begin(), bytes.end(), &builder)) {
    return std::unexpected(builder.problem().empty() ? std::string("its JSON is wrong") : builder.problem());
  }
  return builder.result();
}

}  // namespace wfl::keystore
