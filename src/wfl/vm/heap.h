// The heap: makes objects, interns texts, and collects what the program can no longer reach.
//
// Mark and sweep, precise, not moving. Allocation only counts bytes; when the count passes a threshold the VM runs
// collect() at its next safepoint. The threshold follows the bytes that survived, so the cost stays proportional to
// allocation however large the live data is. Interned texts are held weakly.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "wfl/vm/value.h"

namespace wfl::vm {

// Handed to trace functions: marks values as reachable.
class Tracer {
 public:
  void mark(Value value) {
    if (value.is_object()) mark(value.as_object());
  }
  void mark(Object* object) {
    if (object != nullptr && !object->marked) {
      object->marked = true;
      gray_.push_back(object);
    }
  }

 private:
  friend class Heap;
  std::vector<Object*> gray_;
};

class Heap {
 public:
  Heap();
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  // A new text with a copy of the bytes, which must be UTF-8.
  Text* text(std::string_view bytes);
  // The one text with these bytes that all callers share; for names and keys that come up again and again.
  Text* intern(std::string_view bytes);
  // left followed by right; linear when a text is built up in a loop.
  Text* concat(Text* left, std::string_view right);
  // A text of `size` bytes for the caller to fill at once through *bytes.
  Text* text_of_size(std::size_t size, char** bytes);

  List* list() { return make<List>(); }
  List* list(std::vector<Value> items);
  Map* map() { return make<Map>(); }
  // Adds the pair with an interned key.
  void map_set(Map* map, std::string_view key, Value value) { map->set(intern(key), value); }
  Binary* binary(std::string bytes);
  Date* date(std::int32_t days);
  Time* time(std::uint32_t seconds, std::uint32_t nanoseconds = 0);
  DateTime* date_time(std::int64_t seconds, std::uint32_t nanoseconds = 0);
  // Any of the structs of value.h, or a class derived from HostObject.
  template <class T, class... Args>
  T* make(Args&&... args) {
    T* object = new T(std::forward<Args>(args)...);
    adopt(object, sizeof(T));
    return object;
  }

  // Bytes allocated outside of the heap's sight, such as a list's growth.
  void account(std::size_t bytes) { allocated_ += bytes; }
  [[nodiscard]] bool wants_collection() const { return allocated_ >= threshold_; }
  [[nodiscard]] std::size_t allocated_bytes() const { return allocated_; }
  // How much may be alive at once; 0: no limit. A single text beyond it is refused with std::bad_alloc, everything else
  // is noticed at the safepoint after a collection.
  void set_limit(std::size_t bytes) {
    limit_ = bytes;
    if (limit_ != 0) threshold_ = std::min(threshold_, limit_);
  }
  [[nodiscard]] bool over_limit() const { return limit_ != 0 && allocated_ > limit_; }
  // Frees all objects that mark_roots and the permanent roots don't lead to. Only at a safepoint.
  void collect(const std::function<void(Tracer&)>& mark_roots);
  // Keeps a value alive as long as the heap lives.
  void add_root(Value value) { roots_.push_back(value); }
  [[nodiscard]] std::size_t collections() const { return collections_; }
  [[nodiscard]] std::size_t object_count() const;
  // For tests: collect at every safepoint.
  void set_stress(bool on) {
    stress_ = on;
    if (on) threshold_ = 0;
  }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
    std::size_t operator()(const Text* t) const { return std::hash<std::string_view>{}(t->view()); }
  };
  struct TextEqual {
    using is_transparent = void;
    bool operator()(const Text* a, const Text* b) const { return a->view() == b->view(); }
    bool operator()(const Text* a, std::string_view b) const { return a->view() == b; }
    bool operator()(std::string_view a, const Text* b) const { return a == b->view(); }
  };

  void adopt(Object* object, std::size_t bytes) {
    object->next = objects_;
    objects_ = object;
    allocated_ += bytes;
  }
  static void destroy(Object* object);
  std::size_t trace(Object* object, Tracer& tracer);
  void check_room(std::size_t bytes) const;

  Object* objects_ = nullptr;
  std::size_t allocated_ = 0;
  std::size_t threshold_;
  std::size_t limit_ = 0;
  std::size_t collections_ = 0;
  bool stress_ = false;
  std::unordered_set<Text*, TextHash, TextEqual> interned_;
  std::vector<Value> roots_;
};

}  // namespace wfl::vm
