// A WFL value in eight bytes, and the objects it can point to.
//
// Encoding (NaN boxing, as in Wren and LuaJIT). A double that is "not a number" has 2^52 bit patterns of which the
// machine only ever makes one (0x7ff8… or, on x86, 0xfff8…). The patterns above 0xfff8_0000_0000_0000 are free, and
// they carry all that is not a number:
//
//     0000_0000_0000_0000 … fff8_0000_0000_0000   a double, as it is
//     fff9_0000_0000_000N                         the singletons: undefined, Null, Nothing, no, yes
//     fffa_PPPP_PPPP_PPPP                         a pointer to a heap object (48 bits are enough on our machines)
//
// So "is it a number" and "is it an object" are each one unsigned comparison, and a number needs no unpacking at all.
// `undefined` is never a value of a program: it marks a variable that doesn't exist yet and a key that is missing.
//
// Memory. Objects belong to a Heap (heap.h), a precise mark-sweep collector. It runs only at the VM's safepoints (loop
// back-edges and calls), never inside a native function. So natives keep plain Values in local variables without any
// registration; what must live longer belongs into a Value the program can reach, or into a Heap root.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wfl/vm/front_vector.h"

namespace wfl::vm {

class Heap;
class Tracer;
class Value;
struct NativeCall;
struct Module;
struct FunctionProto;
struct PatternNode;
struct Text;

enum class ObjectKind : std::uint8_t {
  kText,
  kList,
  kMap,
  kDate,
  kTime,
  kDateTime,
  kBinary,
  kPattern,
  kAction,
  kNative,
  kContainer,
  kInstance,
  kInterface,
  kHost,
  kCell,
};

// The head of every heap object. `next` chains all objects for the sweep.
struct Object {
  Object* next = nullptr;
  ObjectKind kind;
  bool marked = false;
  explicit Object(ObjectKind k) : kind(k) {}
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
};

class Value {
 public:
  constexpr Value() : bits_(kUndefined) {}
  constexpr explicit Value(double number) : bits_(std::bit_cast<std::uint64_t>(number)) {}
  explicit Value(const Object* object) : bits_(kObjectTag | reinterpret_cast<std::uint64_t>(object)) {}

  static constexpr Value number(double n) { return Value(n); }
  static constexpr Value boolean(bool b) { return from_bits(kNo + (b ? 1 : 0)); }
  // The literal `nothing`, and the result of whatever has none.
  static constexpr Value null() { return from_bits(kNull); }
  // JSON null and the like: equal to Null, but its type is called Nothing.
  static constexpr Value nothing() { return from_bits(kNothing); }
  static constexpr Value undefined() { return from_bits(kUndefined); }
  static Value object(const Object* o) { return Value(o); }
  static constexpr Value from_bits(std::uint64_t bits) {
    Value v;
    v.bits_ = bits;
    return v;
  }

  [[nodiscard]] constexpr std::uint64_t bits() const { return bits_; }
  [[nodiscard]] constexpr bool is_number() const { return bits_ <= kLastNumber; }
  [[nodiscard]] constexpr bool is_object() const { return bits_ >= kObjectTag; }
  [[nodiscard]] constexpr bool is_boolean() const { return (bits_ | 1) == kYes; }
  [[nodiscard]] constexpr bool is_null() const { return bits_ == kNull || bits_ == kNothing; }
  [[nodiscard]] constexpr bool is_nothing() const { return bits_ == kNothing; }
  [[nodiscard]] constexpr bool is_undefined() const { return bits_ == kUndefined; }
  [[nodiscard]] bool is(ObjectKind kind) const { return is_object() && as_object()->kind == kind; }
  [[nodiscard]] bool is_text() const { return is(ObjectKind::kText); }
  [[nodiscard]] bool is_list() const { return is(ObjectKind::kList); }
  [[nodiscard]] bool is_map() const { return is(ObjectKind::kMap); }

  [[nodiscard]] constexpr double as_number() const { return std::bit_cast<double>(bits_); }
  [[nodiscard]] constexpr bool as_boolean() const { return bits_ == kYes; }
  [[nodiscard]] Object* as_object() const { return reinterpret_cast<Object*>(bits_ & kPointerMask); }
  // The object as one of the structs below; the caller has checked the kind.
  template <class T>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(as_object());
  }
  // The object if it has the kind of T, else nullptr.
  template <class T>
  [[nodiscard]] T* try_as() const {
    return is(T::kKind) ? as<T>() : nullptr;
  }
  // The bytes of a text; the caller has checked the kind.
  [[nodiscard]] std::string_view as_text() const;

  // The same bits: identity for objects. WFL's equality is equals() in operations.h.
  friend constexpr bool operator==(Value a, Value b) { return a.bits_ == b.bits_; }

 private:
  static constexpr std::uint64_t kLastNumber = 0xfff8'0000'0000'0000;
  static constexpr std::uint64_t kUndefined = 0xfff9'0000'0000'0000;
  static constexpr std::uint64_t kNull = 0xfff9'0000'0000'0002;
  static constexpr std::uint64_t kNothing = 0xfff9'0000'0000'0003;
  static constexpr std::uint64_t kNo = 0xfff9'0000'0000'0004;
  static constexpr std::uint64_t kYes = 0xfff9'0000'0000'0005;
  static constexpr std::uint64_t kObjectTag = 0xfffa'0000'0000'0000;
  static constexpr std::uint64_t kPointerMask = 0x0000'ffff'ffff'ffff;

  std::uint64_t bits_;
};
static_assert(sizeof(Value) == 8);

// Bytes several texts may share: appending to the text that ends where the used part ends extends the buffer in place,
// so that building a text piece by piece in a loop takes linear time. What is used is never changed again.
struct TextBuffer {
  std::uint32_t references = 1;
  std::uint32_t used = 0;
  std::uint32_t capacity = 0;
  char* bytes() { return reinterpret_cast<char*>(this + 1); }
};

// An immutable UTF-8 text. Make one with Heap::text or Heap::concat.
struct Text : Object {
  static constexpr ObjectKind kKind = ObjectKind::kText;
  static constexpr std::uint32_t kUnknown = 0xffffffff;
  static constexpr std::uint32_t kMaxBytes = 0x7ffffff0;

  const char* data = nullptr;
  TextBuffer* shared = nullptr;  // Null when the bytes follow the object.
  std::uint32_t size = 0;
  mutable std::uint32_t cached_length = kUnknown;
  mutable std::uint32_t cached_hash = 0;  // 0: not computed yet.
  bool interned = false;

  Text() : Object(kKind) {}
  [[nodiscard]] std::string_view view() const { return {data, size}; }
  // Code points; counted once.
  [[nodiscard]] std::uint32_t length() const {
    if (cached_length == kUnknown) count_length();
    return cached_length;
  }
  // Whether every code point is one byte, so that positions are byte offsets.
  [[nodiscard]] bool ascii() const { return length() == size; }
  [[nodiscard]] std::uint32_t hash() const {
    if (cached_hash == 0) compute_hash();
    return cached_hash;
  }
  // The byte offset of a code point position; size when it is at or beyond the end.
  [[nodiscard]] std::uint32_t byte_offset(std::uint32_t code_point) const;
  // Before the text is destroyed.
  void forget_place() const;

 private:
  void count_length() const;
  void compute_hash() const;
};

inline std::string_view Value::as_text() const {
  return as<Text>()->view();
}

struct List : Object {
  static constexpr ObjectKind kKind = ObjectKind::kList;
  FrontVector<Value> items;
  List() : Object(kKind) {}
};

// Text keys to values, in the order of first insertion. Open addressing over an entry array; a removed entry leaves a
// hole that the next growth closes, so positions are stable only as long as nothing is inserted.
struct Map : Object {
  static constexpr ObjectKind kKind = ObjectKind::kMap;
  struct Entry {
    Text* key;  // Null: a hole.
    Value value;
  };
  Map() : Object(kKind) {}
  [[nodiscard]] std::size_t size() const { return count_; }
  // The value or nullptr.
  [[nodiscard]] const Value* find(std::string_view key) const;
  [[nodiscard]] const Value* find(const Text* key) const;
  [[nodiscard]] Value* find(const Text* key) { return const_cast<Value*>(static_cast<const Map*>(this)->find(key)); }
  void set(Text* key, Value value);
  bool remove(const Text* key);
  void clear();
  // All slots in insertion order; skip those whose key is null.
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] std::vector<Entry>& entries() { return entries_; }

 private:
  template <class Equal>
  [[nodiscard]] std::uint32_t locate(std::uint32_t hash, Equal equal) const;
  void rebuild(std::size_t capacity);
  std::vector<Entry> entries_;
  std::vector<std::uint32_t>
      index_;  // Entry number + 1; 0 is free. A power of two, at most 3/4 full; empty for small maps.
  std::size_t count_ = 0;
};

struct Date : Object {
  static constexpr ObjectKind kKind = ObjectKind::kDate;
  std::int32_t days = 0;  // Since 1970-01-01, proleptic Gregorian, local calendar.
  Date() : Object(kKind) {}
};

struct Time : Object {
  static constexpr ObjectKind kKind = ObjectKind::kTime;
  std::uint32_t seconds = 0;  // Since midnight, 0 … 86399.
  std::uint32_t nanoseconds = 0;
  Time() : Object(kKind) {}
};

struct DateTime : Object {
  static constexpr ObjectKind kKind = ObjectKind::kDateTime;
  std::int64_t seconds = 0;  // Since 1970-01-01 00:00:00 on the wall clock it shows; no zone.
  std::uint32_t nanoseconds = 0;
  DateTime() : Object(kKind) {}
};

struct Binary : Object {
  static constexpr ObjectKind kKind = ObjectKind::kBinary;
  std::string bytes;
  Binary() : Object(kKind) {}
};

// What the pattern library makes of a PatternNode tree; the VM only carries it.
class PatternProgram {
 public:
  virtual ~PatternProgram() = default;
};

struct Pattern : Object {
  static constexpr ObjectKind kKind = ObjectKind::kPattern;
  std::string name;
  std::shared_ptr<const PatternNode> description;  // From pattern.h.
  std::unique_ptr<PatternProgram> program;         // Set by the host function pattern.compile.
  Pattern() : Object(kKind) {}
};

// A variable shared between an action and the actions defined inside it.
struct Cell : Object {
  static constexpr ObjectKind kKind = ObjectKind::kCell;
  Value value;
  Cell() : Object(kKind) {}
};

// One version of an action: its code, and the variables of enclosing actions it uses.
struct Closure {
  const FunctionProto* proto;
  std::vector<Cell*> cells;
};

struct Action : Object {
  static constexpr ObjectKind kKind = ObjectKind::kAction;
  std::string name;
  std::vector<Closure> versions;  // More than one when the name is overloaded.
  Action() : Object(kKind) {}
};

using NativeFunction = Value (*)(NativeCall&);
inline constexpr std::uint32_t kAnyCount = 0xffffffff;

struct Native : Object {
  static constexpr ObjectKind kKind = ObjectKind::kNative;
  std::string name;
  NativeFunction function = nullptr;
  void* data = nullptr;  // Handed to the function as NativeCall::data.
  std::uint32_t min_arguments = 0;
  std::uint32_t max_arguments = 0;  // kAnyCount: no limit.
  Native() : Object(kKind) {}
};

struct Interface : Object {
  static constexpr ObjectKind kKind = ObjectKind::kInterface;
  struct Requirement {
    std::string action;
    std::uint32_t parameters;
  };
  std::string name;
  std::vector<Interface*> parents;
  std::vector<Requirement> requirements;
  Interface() : Object(kKind) {}
};

struct Container : Object {
  static constexpr ObjectKind kKind = ObjectKind::kContainer;
  std::string name;
  Container* parent = nullptr;
  std::vector<std::string> interfaces;
  Map* methods = nullptr;         // Name to Action.
  Map* static_methods = nullptr;  // Name to Action.
  Map* statics = nullptr;         // Static properties.
  Map* properties = nullptr;      // Declared instance properties: yes when it has a default.
  Map* events = nullptr;          // Declared events.
  Action* defaults = nullptr;     // Sets the defaults of a new instance; null when there are none.
  Container() : Object(kKind) {}
};

struct Instance : Object {
  static constexpr ObjectKind kKind = ObjectKind::kInstance;
  Container* container = nullptr;
  Map* fields = nullptr;
  Instance() : Object(kKind) {}
};

// What a program tried with a host object that it has no meaning for.
enum class HostAccess : std::uint8_t { kIndex, kField, kCall, kLength, kRemove, kClear };

// The base of every value whose kind the VM doesn't know: keystores, iterators, whatever a library adds. Compared by
// identity. The destructor runs when the collector finds it unreachable or when the Heap ends: it releases what it
// holds.
class HostObject : public Object {
 public:
  static constexpr ObjectKind kKind = ObjectKind::kHost;
  HostObject() : Object(kKind) {}
  virtual ~HostObject() = default;
  [[nodiscard]] virtual std::string_view type_name() const = 0;
  [[nodiscard]] virtual std::string display() const = 0;
  [[nodiscard]] virtual bool truthy() const { return true; }
  // Marks the Values it holds.
  virtual void trace(Tracer&) {}
  // Bytes it holds beside itself, for the collector's threshold.
  [[nodiscard]] virtual std::size_t extra_bytes() const { return 0; }
  // `for each E in it`: returns a HostIterator, or fails the call. The default fails with "Cannot iterate over T".
  virtual Value iterate(NativeCall& call, bool reversed);
  // `it contains V`: yes or no, or fails the call. The default fails with "Cannot check if A contains B".
  virtual Value contains(NativeCall& call, Value value);
  // `NAME of it`, `it.NAME`, `it[INDEX]`, `length of it` never reach a host object: say here what to write instead. An
  // empty text gives the general message.
  [[nodiscard]] virtual std::string access_hint(HostAccess /*access*/) const { return {}; }
};

class HostIterator : public HostObject {
 public:
  [[nodiscard]] std::string_view type_name() const override { return "Iterator"; }
  [[nodiscard]] std::string display() const override { return "[Iterator]"; }
  // The next element, or Value::undefined() at the end, or a failed call.
  virtual Value next(NativeCall& call) = 0;
  // Called once when the loop is left, at the end or before it; must not fail.
  virtual void close() {}
};

}  // namespace wfl::vm
