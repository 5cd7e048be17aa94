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
// Tags are resolved afterwards and from the outside in: whether {"$wfl:date":…} is a date or an ordinary map depends on
// whether a {"$wfl:map":…} is around it, and that one counts only if it has no other entry. Most values have no tag and
// are ready as they are.
class ValueBuilder final : public nlohmann::json_sax<Json> {
 public:
  explicit ValueBuilder(vm::Heap& heap) : heap_(heap) {}

  [[nodiscard]] vm::Value result() { return has_tags_ ? resolve(result_) : result_; }
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
    if (name.starts_with(kTagPrefix)) has_tags_ = true;
    frames_.back().key = heap_.intern(name);
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*size*/) override { return open(vm::Value(heap_.list())); }
  bool end_array() override { return close(); }

  bool parse_error(std::size_t position, const std::string& /*last_token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    problem_ = fmt::format("its JSON is wrong at byte {}", position);
    return false;
  }

 private:
  struct Frame {
    vm::Value container;
    vm::Text* key = nullptr;  // Of the entry that comes next, in a map.
  };

  bool open(vm::Value container) {
    if (frames_.size() == kMaxNesting) {
      problem_ = fmt::format("its lists and maps are nested more than {} deep", kMaxNesting);
      return false;
    }
    frames_.push_back({.container = container});
    return true;
  }

  bool close() {
    const vm::Value container = frames_.back().container;
    frames_.pop_back();
    return attach(container);
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

  // What the program stored: tags replaced by what they stand for. Recursion ends at kMaxNesting.
  vm::Value resolve(vm::Value value) {
    if (auto* list = value.try_as<vm::List>()) {
      for (vm::Value& item : list->items) item = resolve(item);
      return value;
    }
    if (!value.is_map()) return value;
    const vm::Value untagged = without_tag(*value.as<vm::Map>());
    if (untagged.is_undefined()) return resolve_entries(value);
    return untagged.is_map() ? resolve_entries(untagged) : untagged;
  }

  vm::Value resolve_entries(vm::Value map) {
    for (vm::Map::Entry& entry : map.as<vm::Map>()->entries()) {
      if (entry.key != nullptr) entry.value = resolve(entry.value);
    }
    return map;
  }

  // The value that a map with a tag stands for; undefined when it has none, or when what follows the tag is not of its
  // form.
  vm::Value without_tag(const vm::Map& map) {
    if (map.size() != 1) return vm::Value::undefined();
    const vm::Map::Entry& entry = map.entries().front();
    const std::string_view tag = entry.key->view();
    if (tag == kMapTag && entry.value.is_map()) return entry.value;
    if (!tag.starts_with(kTagPrefix) || !entry.value.is_text()) return vm::Value::undefined();
    const std::string_view text = entry.value.as_text();
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
    return vm::Value::undefined();
  }

  vm::Heap& heap_;
  std::vector<Frame> frames_;
  vm::Value result_ = vm::Value::null();
  bool has_tags_ = false;
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
