#include "wfl/vm/native.h"

#include "wfl/vm/heap.h"
#include "wfl/vm/operations.h"

namespace wfl::vm {

Value NativeCall::fail(ErrorKind kind, std::string message) {
  if (!failed_) {  // The first error counts; later ones are its consequences.
    failed_ = true;
    error_ = Error{kind, std::move(message)};
  }
  return Value::null();
}

double NativeCall::number(std::uint32_t i) {
  if (arguments[i].is_number()) return arguments[i].as_number();
  fail("Expected a number, got " + std::string(type_name(arguments[i])));
  return 0;
}

std::string_view NativeCall::text(std::uint32_t i) {
  if (arguments[i].is_text()) return arguments[i].as_text();
  fail("Expected text, got " + std::string(type_name(arguments[i])));
  return {};
}

Text* NativeCall::text_object(std::uint32_t i) {
  if (auto* found = arguments[i].try_as<Text>()) return found;
  fail("Expected text, got " + std::string(type_name(arguments[i])));
  return nullptr;
}

List* NativeCall::list(std::uint32_t i) {
  if (auto* found = arguments[i].try_as<List>()) return found;
  fail("Expected a list, got " + std::string(type_name(arguments[i])));
  return nullptr;
}

Map* NativeCall::map(std::uint32_t i) {
  if (auto* found = arguments[i].try_as<Map>()) return found;
  fail("Expected an object, got " + std::string(type_name(arguments[i])));
  return nullptr;
}

Value NativeCall::make_text(std::string_view bytes) {
  return Value(heap.text(bytes));
}

}  // namespace wfl::vm
