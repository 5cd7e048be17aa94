#include "wfl/vm/heap.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "wfl/vm/operations.h"

namespace wfl::vm {

namespace {
constexpr std::size_t kFirstThreshold = 16u << 20;
// A text at least this long gets a buffer with room to grow when something is appended to it.
constexpr std::size_t kGrowingText = 64;

TextBuffer* new_buffer(std::size_t capacity) {
  auto* buffer = static_cast<TextBuffer*>(std::malloc(sizeof(TextBuffer) + capacity));
  if (buffer == nullptr) throw std::bad_alloc();
  new (buffer) TextBuffer{1, 0, static_cast<std::uint32_t>(capacity)};
  return buffer;
}

Text* new_inline_text(std::size_t size) {
  void* memory = std::malloc(sizeof(Text) + size);
  if (memory == nullptr) throw std::bad_alloc();
  auto* text = new (memory) Text();
  text->data = reinterpret_cast<char*>(text + 1);
  text->size = static_cast<std::uint32_t>(size);
  return text;
}
}  // namespace

Heap::Heap() : threshold_(kFirstThreshold) {}

Heap::~Heap() {
  // Host objects first: a finaliser must not meet dead objects it refers to.
  for (Object* object = objects_; object != nullptr; object = object->next) {
    if (object->kind == ObjectKind::kHost) {
      if (auto* iterator = dynamic_cast<HostIterator*>(static_cast<HostObject*>(object))) iterator->close();
    }
  }
  Object* rest = nullptr;
  for (Object* object = objects_; object != nullptr;) {
    Object* next = object->next;
    if (object->kind == ObjectKind::kHost) {
      destroy(object);
    } else {
      object->next = rest;
      rest = object;
    }
    object = next;
  }
  while (rest != nullptr) {
    Object* next = rest->next;
    destroy(rest);
    rest = next;
  }
}

void Heap::check_room(std::size_t bytes) const {
  if (bytes > Text::kMaxBytes) throw TooLarge("The text would be too long");
  if (limit_ != 0 && bytes > limit_) throw std::bad_alloc();
}

Text* Heap::text_of_size(std::size_t size, char** bytes) {
  check_room(size);
  Text* text = new_inline_text(size);
  adopt(text, sizeof(Text) + size);
  *bytes = const_cast<char*>(text->data);
  return text;
}

Text* Heap::text(std::string_view bytes) {
  char* to = nullptr;
  Text* text = text_of_size(bytes.size(), &to);
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return text;
}

Text* Heap::intern(std::string_view bytes) {
  const auto it = interned_.find(bytes);
  if (it != interned_.end()) return *it;
  Text* made = text(bytes);
  made->interned = true;
  interned_.insert(made);
  return made;
}

Text* Heap::concat(Text* left, std::string_view right) {
  if (right.empty()) return left;
  const std::size_t size = left->size + right.size();
  check_room(size);
  if (left->size < kGrowingText) {
    char* to = nullptr;
    Text* made = text_of_size(size, &to);
    std::memcpy(to, left->data, left->size);
    std::memcpy(to + left->size, right.data(), right.size());
    return made;
  }
  void* memory = std::malloc(sizeof(Text));
  if (memory == nullptr) throw std::bad_alloc();
  std::unique_ptr<void, void (*)(void*)> owner(memory, std::free);
  TextBuffer* buffer = left->shared;
  const bool in_place = buffer != nullptr && buffer->bytes() + buffer->used == left->data + left->size &&
                        buffer->capacity - buffer->used >= right.size();
  if (in_place) {
    // `right` may lie in the same buffer; the bytes written are beyond everything that is used.
    std::memcpy(buffer->bytes() + buffer->used, right.data(), right.size());
    buffer->used += static_cast<std::uint32_t>(right.size());
    ++buffer->references;
    allocated_ += right.size();
  } else {
    const std::size_t capacity =
        std::min<std::size_t>(left->shared != nullptr ? size * 2 : size + size / 4, Text::kMaxBytes);
    buffer = new_buffer(std::max(capacity, size));
    std::memcpy(buffer->bytes(), left->data, left->size);
    std::memcpy(buffer->bytes() + left->size, right.data(), right.size());
    buffer->used = static_cast<std::uint32_t>(size);
    allocated_ += buffer->capacity;
  }
  auto* made = new (owner.release()) Text();
  made->data = buffer->bytes();
  made->shared = buffer;
  made->size = static_cast<std::uint32_t>(size);
  // ASCII + ASCII stays ASCII: no need to count a long text again and again.
  if (left->cached_length != Text::kUnknown) {
    Text part;
    part.data = right.data();
    part.size = static_cast<std::uint32_t>(right.size());
    made->cached_length = left->cached_length + part.length();
  }
  adopt(made, sizeof(Text));
  return made;
}

List* Heap::list(std::vector<Value> items) {
  List* made = make<List>();
  account(items.size() * sizeof(Value));
  made->items = std::move(items);
  return made;
}

Binary* Heap::binary(std::string bytes) {
  auto* made = make<Binary>();
  account(bytes.size());
  made->bytes = std::move(bytes);
  return made;
}

Date* Heap::date(std::int32_t days) {
  auto* made = make<Date>();
  made->days = days;
  return made;
}

Time* Heap::time(std::uint32_t seconds, std::uint32_t nanoseconds) {
  auto* made = make<Time>();
  made->seconds = seconds;
  made->nanoseconds = nanoseconds;
  return made;
}

DateTime* Heap::date_time(std::int64_t seconds, std::uint32_t nanoseconds) {
  auto* made = make<DateTime>();
  made->seconds = seconds;
  made->nanoseconds = nanoseconds;
  return made;
}

void Heap::destroy(Object* object) {
  switch (object->kind) {
    case ObjectKind::kText: {
      auto* text = static_cast<Text*>(object);
      text->forget_place();
      if (text->shared != nullptr && --text->shared->references == 0) std::free(text->shared);
      text->~Text();
      std::free(text);
      return;
    }
    case ObjectKind::kList:
      delete static_cast<List*>(object);
      return;
    case ObjectKind::kMap:
      delete static_cast<Map*>(object);
      return;
    case ObjectKind::kDate:
      delete static_cast<Date*>(object);
      return;
    case ObjectKind::kTime:
      delete static_cast<Time*>(object);
      return;
    case ObjectKind::kDateTime:
      delete static_cast<DateTime*>(object);
      return;
    case ObjectKind::kBinary:
      delete static_cast<Binary*>(object);
      return;
    case ObjectKind::kPattern:
      delete static_cast<Pattern*>(object);
      return;
    case ObjectKind::kAction:
      delete static_cast<Action*>(object);
      return;
    case ObjectKind::kNative:
      delete static_cast<Native*>(object);
      return;
    case ObjectKind::kContainer:
      delete static_cast<Container*>(object);
      return;
    case ObjectKind::kInstance:
      delete static_cast<Instance*>(object);
      return;
    case ObjectKind::kInterface:
      delete static_cast<Interface*>(object);
      return;
    case ObjectKind::kCell:
      delete static_cast<Cell*>(object);
      return;
    case ObjectKind::kHost:
      delete static_cast<HostObject*>(object);
      return;
  }
}

// Marks what an object refers to; returns the bytes it takes.
std::size_t Heap::trace(Object* object, Tracer& tracer) {
  const auto mark_map = [&tracer](const Map& map) {
    for (const Map::Entry& entry : map.entries()) {
      if (entry.key != nullptr) {
        tracer.mark(entry.key);
        tracer.mark(entry.value);
      }
    }
  };
  switch (object->kind) {
    case ObjectKind::kText: {
      const auto* text = static_cast<Text*>(object);
      // A shared buffer is counted once for each text in it, but only with this text's own bytes.
      return sizeof(Text) + text->size;
    }
    case ObjectKind::kList: {
      const auto* list = static_cast<List*>(object);
      for (const Value item : list->items) tracer.mark(item);
      return sizeof(List) + list->items.capacity() * sizeof(Value);
    }
    case ObjectKind::kMap: {
      const auto* map = static_cast<Map*>(object);
      mark_map(*map);
      return sizeof(Map) + map->entries().capacity() * (sizeof(Map::Entry) + 8);
    }
    case ObjectKind::kBinary:
      return sizeof(Binary) + static_cast<Binary*>(object)->bytes.capacity();
    case ObjectKind::kAction:
      for (const Closure& closure : static_cast<Action*>(object)->versions) {
        for (Cell* cell : closure.cells) tracer.mark(cell);
      }
      return sizeof(Action) + 64;
    case ObjectKind::kContainer: {
      auto* container = static_cast<Container*>(object);
      tracer.mark(container->parent);
      tracer.mark(container->methods);
      tracer.mark(container->static_methods);
      tracer.mark(container->statics);
      tracer.mark(container->properties);
      tracer.mark(container->events);
      tracer.mark(container->defaults);
      return sizeof(Container);
    }
    case ObjectKind::kInstance: {
      auto* instance = static_cast<Instance*>(object);
      tracer.mark(instance->container);
      tracer.mark(instance->fields);
      return sizeof(Instance);
    }
    case ObjectKind::kInterface:
      for (Interface* parent : static_cast<Interface*>(object)->parents) tracer.mark(parent);
      return sizeof(Interface);
    case ObjectKind::kCell:
      tracer.mark(static_cast<Cell*>(object)->value);
      return sizeof(Cell);
    case ObjectKind::kHost: {
      auto* host = static_cast<HostObject*>(object);
      host->trace(tracer);
      return 64 + host->extra_bytes();
    }
    case ObjectKind::kDate:
    case ObjectKind::kTime:
    case ObjectKind::kDateTime:
    case ObjectKind::kPattern:
    case ObjectKind::kNative:
      return 64;
  }
  return 0;
}

void Heap::collect(const std::function<void(Tracer&)>& mark_roots) {
  ++collections_;
  Tracer tracer;
  std::size_t live = 0;
  try {
    for (const Value root : roots_) tracer.mark(root);
    mark_roots(tracer);
    while (!tracer.gray_.empty()) {
      Object* object = tracer.gray_.back();
      tracer.gray_.pop_back();
      live += trace(object, tracer);
    }
  } catch (const std::bad_alloc&) {
    // A mark that stayed would make the next collection believe that this object's parts are marked too.
    for (Object* object = objects_; object != nullptr; object = object->next) object->marked = false;
    throw;
  }
  std::erase_if(interned_, [](const Text* text) { return !text->marked; });
  Object** link = &objects_;
  while (Object* object = *link) {
    if (object->marked) {
      object->marked = false;
      link = &object->next;
    } else {
      *link = object->next;
      destroy(object);
    }
  }
  allocated_ = live;
  threshold_ = stress_ ? 0 : std::max(kFirstThreshold, live * 2);
  if (limit_ != 0) threshold_ = std::min(threshold_, limit_);
}

std::size_t Heap::object_count() const {
  std::size_t count = 0;
  for (const Object* object = objects_; object != nullptr; object = object->next) ++count;
  return count;
}

}  // namespace wfl::vm
