// Values of the language as bytes, and back.
//
//   Text                         the UTF-8 bytes, kind text
//   Binary                       the bytes, kind bytes
//   Number, Boolean, nothing,
//   List, map                    JSON; numbers in the shortest form that reads back as the same number
//   Date, Time, DateTime,        JSON with a tag:  {"$wfl:date":"1815-12-10"}  {"$wfl:time":"16:30:05"}
//   Binary inside a list or map                    {"$wfl:datetime":"1969-07-16T13:32:07"}  {"$wfl:binary":"BASE64"}
//
// A tag can never be taken for a map of the program: a map with exactly one entry whose name begins with `$wfl:` is
// itself written inside {"$wfl:map":{…}}. So decode(encode(v)) equals v for every value that can be stored, and JSON
// that other programs wrote, whatever names it uses, is read as it is.
#pragma once

#include <kvb/bucket.h>

#include <expected>
#include <string>
#include <string_view>

#include "wfl/vm/heap.h"
#include "wfl/vm/value.h"

namespace wfl::keystore {

// How deep lists and maps may be nested in a stored value. It bounds the recursion of the writer.
inline constexpr std::size_t kMaxNesting = 500;

struct EncodedValue {
  std::string bytes;
  kvb::ValueKind kind = kvb::ValueKind::bytes;
};

// The bytes, or the sentence that says why this value cannot be stored and what to store instead.
[[nodiscard]] std::expected<EncodedValue, std::string> encode_value(vm::Value value);

// The value, or the sentence part that says what is wrong with the bytes ("the JSON is …"). Text that is no UTF-8 comes
// back as Binary, which loses nothing.
[[nodiscard]] std::expected<vm::Value, std::string> decode_value(vm::Heap& heap, std::string_view bytes,
                                                                 kvb::ValueKind kind);

}  // namespace wfl::keystore
