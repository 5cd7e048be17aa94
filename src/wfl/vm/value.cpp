#include "wfl/vm/value.h"

#include <algorithm>
#include <array>

#include "wfl/vm/native.h"
#include "wfl/vm/operations.h"
#include "wfl/vm/utf8.h"

namespace wfl::vm {

void Text::count_length() const {
  cached_length = static_cast<std::uint32_t>(count_code_points(view()));
}

void Text::compute_hash() const {
  // Eight bytes a step, multiply and fold; seeds and mixing only need to spread keys over a table in memory.
  const char* p = data;
  std::size_t left = size;
  std::uint64_t h = 0x9e3779b97f4a7c15ULL ^ size;
  const auto mix = [&h](std::uint64_t word) {
    h ^= word;
    h *= 0xff51afd7ed558ccdULL;
    h ^= h >> 32;
  };
  while (left >= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    mix(word);
    p += 8;
    left -= 8;
  }
  if (left > 0) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, left);
    mix(word);
  }
  h *= 0xc4ceb9fe1a85ec53ULL;
  h ^= h >> 29;
  const auto folded = static_cast<std::uint32_t>(h ^ (h >> 32));
  cached_hash = folded == 0 ? 1 : folded;
}

// Programs walk through texts: the next position asked for is near the last one. So the last place in each of a
// few longer texts is kept, and the walk begins there; otherwise a loop over all characters would take time that grows
// with their square.
namespace {
struct Place {
  const Text* text = nullptr;
  std::uint32_t code_point = 0;
  std::uint32_t byte = 0;
};
thread_local std::array<Place, 8> last_places;

Place& last_place_in(const Text* text) {
  return last_places[(reinterpret_cast<std::uintptr_t>(text) >> 5U) % last_places.size()];
}

constexpr std::uint32_t kLongText = 64;

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}
}  // namespace

std::uint32_t Text::byte_offset(std::uint32_t code_point) const {
  if (code_point >= length()) return size;
  if (ascii()) return code_point;
  if (size < kLongText) return static_cast<std::uint32_t>(offset_of_code_point(view(), code_point));
  Place& last = last_place_in(this);
  Place place = last.text == this && code_point >= last.code_point / 2 ? last : Place{this, 0, 0};
  while (place.code_point > code_point) {
    do --place.byte;
    while (continues_character(data[place.byte]));
    --place.code_point;
  }
  while (place.code_point < code_point) {
    do ++place.byte;
    while (place.byte < size && continues_character(data[place.byte]));
    ++place.code_point;
  }
  last = place;
  return place.byte;
}

void Text::forget_place() const {
  if (Place& last = last_place_in(this); last.text == this) last = {};
}

// ---- Map ----

namespace {
constexpr std::size_t kLinearLimit = 8;  // Maps up to this size are searched entry by entry.

std::uint32_t hash_bytes(std::string_view key) {
  Text probe;
  probe.data = key.data();
  probe.size = static_cast<std::uint32_t>(key.size());
  return probe.hash();
}
}  // namespace

template <class Equal>
std::uint32_t Map::locate(std::uint32_t hash, Equal equal) const {
  const std::size_t mask = index_.size() - 1;
  for (std::size_t slot = hash & mask;; slot = (slot + 1) & mask) {
    const std::uint32_t entry = index_[slot];
    if (entry == 0) return 0;
    const Text* key = entries_[entry - 1].key;
    if (key != nullptr && equal(key)) return entry;
  }
}

const Value* Map::find(const Text* key) const {
  if (index_.empty()) {
    for (const Entry& entry : entries_) {
      if (entry.key == key) return &entry.value;
    }
    for (const Entry& entry : entries_) {
      if (entry.key != nullptr && entry.key->view() == key->view()) return &entry.value;
    }
    return nullptr;
  }
  const std::uint32_t hash = key->hash();
  const std::uint32_t entry = locate(
      hash, [&](const Text* other) { return other == key || (other->hash() == hash && other->view() == key->view()); });
  return entry == 0 ? nullptr : &entries_[entry - 1].value;
}

const Value* Map::find(std::string_view key) const {
  if (index_.empty()) {
    for (const Entry& entry : entries_) {
      if (entry.key != nullptr && entry.key->view() == key) return &entry.value;
    }
    return nullptr;
  }
  const std::uint32_t hash = hash_bytes(key);
  const std::uint32_t entry =
      locate(hash, [&](const Text* other) { return other->hash() == hash && other->view() == key; });
  return entry == 0 ? nullptr : &entries_[entry - 1].value;
}

void Map::rebuild(std::size_t capacity) {
  std::erase_if(entries_, [](const Entry& entry) { return entry.key == nullptr; });
  std::size_t slots = 16;
  while (slots * 3 / 4 < capacity) slots *= 2;
  index_.assign(slots, 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t slot = entries_[i].key->hash() & (slots - 1);
    while (index_[slot] != 0) slot = (slot + 1) & (slots - 1);
    index_[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

void Map::set(Text* key, Value value) {
  if (Value* found = find(key)) {
    *found = value;
    return;
  }
  if (index_.empty()) {
    if (entries_.size() >= kLinearLimit) rebuild(2 * kLinearLimit);
  } else if (entries_.size() + 1 > index_.size() * 3 / 4) {
    rebuild(2 * count_ + 2);
  }
  entries_.push_back({key, value});
  ++count_;
  if (!index_.empty()) {
    const std::size_t mask = index_.size() - 1;
    std::size_t slot = key->hash() & mask;
    while (index_[slot] != 0) slot = (slot + 1) & mask;
    index_[slot] = static_cast<std::uint32_t>(entries_.size());
  }
}

bool Map::remove(const Text* key) {
  Value* found = find(key);
  if (found == nullptr) return false;
  auto* entry = reinterpret_cast<Entry*>(reinterpret_cast<char*>(found) - offsetof(Entry, value));
  if (index_.empty()) {
    entries_.erase(entries_.begin() + (entry - entries_.data()));
  } else {
    entry->key = nullptr;
    entry->value = Value::null();
  }
  --count_;
  return true;
}

void Map::clear() {
  entries_.clear();
  index_.clear();
  count_ = 0;
}

// ---- HostObject ----

Value HostObject::iterate(NativeCall& call, bool) {
  return call.fail("Cannot iterate over " + std::string(type_name()));
}

Value HostObject::contains(NativeCall& call, Value value) {
  return call.fail("Cannot check if " + std::string(type_name()) + " contains " +
                   std::string(wfl::vm::type_name(value)));
}

}  // namespace wfl::vm
