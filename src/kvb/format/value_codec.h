#pragma once
// How a value lies in its record: as it is, or compressed with zstd.
//
//   raw     the value's bytes.
//   frame   varint of the value's length, then a zstd frame of it (RFC 8878), without a dictionary.
//   block   varint of the value's length, dictionary id u16 (0: none), then the content of one compressed block.
//
// A frame has 9 to 14 bytes that say nothing new when the value is small: a magic number, a descriptor, a length, a
// block header. With values of a hundred bytes that is a tenth of what is stored. So for values up to kMostBlockBytes
// only the block's content is kept, and the frame is built around it again before it is decoded; it is always the same
// but for two numbers that are known. docs/FORMAT.md gives the bytes.
//
// Nothing compressed is ever longer than the value; if it would save less than a sixteenth, the value is kept raw.
// Small values gain nothing without a dictionary and are not even tried (kLeastBytesAlone).
//
// Decoding believes nothing: the length that a payload states is bounded by what so many bytes can decode to before
// anything is allocated, what is decoded must have exactly that length, and there must be nothing behind it. That the
// payload is what was written is the record's checksum's affair; that the dictionary is the right one is its id's.
//
// zstd's contexts are kept by each thread, so a value costs no allocation.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kvb/format/dictionary.h"
#include "kvb/format/record.h"

namespace kvb::format {

inline constexpr std::size_t kMostBlockBytes = std::size_t{32} << 10;
inline constexpr std::size_t kLeastBytesAlone = 96;
inline constexpr std::size_t kLeastBytesWithDictionary = 16;

struct CompressionSettings {
  int level = 0;  // 0: values are kept raw.
  const Dictionary* dictionary = nullptr;
};

struct EncodedValue {
  Encoding encoding = Encoding::raw;
  std::string_view payload;      // The value itself, or bytes in `room`.
  std::uint16_t dictionary = 0;  // Its id, if one was used.
};

// `room` is given to be used again from value to value.
[[nodiscard]] EncodedValue encode_value(std::string_view value, const CompressionSettings& settings, std::string& room);

// The length of the value that a payload stands for; nothing if the payload cannot be one.
[[nodiscard]] std::optional<std::uint64_t> decoded_bytes(Encoding encoding, std::string_view payload) noexcept;

// The id of the dictionary that is needed for it; 0: none.
[[nodiscard]] std::uint16_t dictionary_of(Encoding encoding, std::string_view payload) noexcept;

enum class DecodeFault : std::uint8_t {
  none,
  bad_payload,         // It is not what encode_value makes.
  unknown_dictionary,  // It is right, as far as can be told without the dictionary.
};

[[nodiscard]] DecodeFault decode_value(Encoding encoding, std::string_view payload, const DictionaryShelf& dictionaries,
                                       std::string& value);

}  // namespace kvb::format
