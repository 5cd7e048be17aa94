#include "kvb/format/value_codec.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "kvb/format/endian.h"

namespace kvb::format {
namespace {

constexpr std::size_t kMostVarintBytes = 5;
constexpr std::uint64_t kMostValueBytes = UINT32_MAX;
constexpr std::size_t kBlockHeaderBytes = 3;
constexpr std::size_t kDictionaryIdBytes = 2;
// zstd: no block decodes to more, and none is shorter than its header and one byte.
constexpr std::uint64_t kMostBytesOfABlock = std::uint64_t{128} << 10;
constexpr std::uint64_t kLeastBlockBytes = kBlockHeaderBytes + 1;

// What is built around a block's content: magic number, descriptor (a dictionary id of two bytes follows the window; no
// length, no checksum), window of 128 KiB, dictionary id, header of the last block.
constexpr std::array<std::byte, 4> kFrameMagic = {std::byte{0x28}, std::byte{0xB5}, std::byte{0x2F}, std::byte{0xFD}};
constexpr std::byte kDescriptorAlone{0x00};
constexpr std::byte kDescriptorWithId{0x02};
constexpr std::byte kWindow{0x38};
constexpr std::uint32_t kLastCompressedBlock = 1 | (2u << 1);
constexpr std::size_t kMostFrontBytes = kFrameMagic.size() + 2 + kDictionaryIdBytes + kBlockHeaderBytes;
// What the encoder puts there, which has neither id nor length.
constexpr std::size_t kEncodedFrontBytes = kFrameMagic.size() + 2 + kBlockHeaderBytes;

struct Free {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};
struct Contexts {
  std::unique_ptr<ZSTD_CCtx, Free> encoding;
  std::unique_ptr<ZSTD_DCtx, Free> decoding;
  std::string frame;
};
thread_local Contexts contexts;

ZSTD_CCtx* encoding_context() {
  if (!contexts.encoding) contexts.encoding.reset(ZSTD_createCCtx());
  return contexts.encoding.get();
}

ZSTD_DCtx* decoding_context() {
  if (!contexts.decoding) contexts.decoding.reset(ZSTD_createDCtx());
  return contexts.decoding.get();
}

std::size_t put_varint(char* out, std::uint64_t number) noexcept {
  std::size_t bytes = 0;
  for (; number >= 0x80; number >>= 7) out[bytes++] = static_cast<char>(number | 0x80);
  out[bytes++] = static_cast<char>(number);
  return bytes;
}

// Gives the number of bytes it took; 0 if it is none, or not in its shortest form.
std::size_t take_varint(std::string_view in, std::uint64_t& number) noexcept {
  number = 0;
  for (std::size_t i = 0; i < in.size() && i < kMostVarintBytes; ++i) {
    const auto byte = static_cast<unsigned char>(in[i]);
    number |= std::uint64_t{byte & 0x7Fu} << (7 * i);
    if ((byte & 0x80) != 0) continue;
    return byte == 0 && i != 0 ? 0 : i + 1;
  }
  return 0;
}

std::uint32_t load_block_header(const char* at) noexcept {
  const auto byte = [&](int i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(at[i])); };
  return byte(0) | byte(1) << 8 | byte(2) << 16;
}

// So much a context may keep from value to value; the highest levels take more for a large value.
constexpr std::size_t kMostKeptBytes = std::size_t{8} << 20;

// The frame into `room` behind `front` bytes; 0 if it would not be shorter than the value.
std::size_t compress(std::string_view value, int level, const ZSTD_CDict* dictionary, std::size_t front,
                     std::string& room) {
  ZSTD_CCtx* const context = encoding_context();
  if (context == nullptr) return 0;
  // A value that did not fit leaves its session open, and then parameters would not be taken.
  const bool ready = ZSTD_isError(ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters)) == 0 &&
                     ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)) == 0 &&
                     ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0)) == 0 &&
                     ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_dictIDFlag, 0)) == 0 &&
                     ZSTD_isError(ZSTD_CCtx_refCDict(context, dictionary)) == 0;
  if (!ready) return 0;
  // As long as the value, and no longer: what does not fit is not wanted. (For small ones zstd needs some room to
  // work.)
  const std::size_t most = value.size() <= kMostBlockBytes ? ZSTD_compressBound(value.size()) : value.size();
  if (room.size() < front + most) room.resize(front + most);
  const std::size_t bytes = ZSTD_compress2(context, room.data() + front, most, value.data(), value.size());
  ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);  // It must not outlive the dictionary.
  if (value.size() > kMostBlockBytes && ZSTD_sizeof_CCtx(context) > kMostKeptBytes) contexts.encoding.reset();
  return ZSTD_isError(bytes) != 0 ? 0 : bytes;
}

bool pays(std::size_t payload_bytes, std::size_t value_bytes) noexcept {
  return payload_bytes <= value_bytes - (value_bytes + 15) / 16;
}

struct Parts {
  std::uint64_t value_bytes = 0;
  std::uint16_t dictionary = 0;
  std::string_view body;  // The frame, or the block's content.
};

std::optional<Parts> split(Encoding encoding, std::string_view payload) noexcept {
  Parts parts;
  const std::size_t length_bytes = take_varint(payload, parts.value_bytes);
  if (length_bytes == 0 || parts.value_bytes == 0 || parts.value_bytes > kMostValueBytes) return std::nullopt;
  parts.body = payload.substr(length_bytes);
  if (encoding == Encoding::block) {
    if (parts.value_bytes > kMostBlockBytes || parts.body.size() <= kDictionaryIdBytes) return std::nullopt;
    parts.dictionary = load_le<std::uint16_t>(reinterpret_cast<const std::byte*>(parts.body.data()));
    parts.body.remove_prefix(kDictionaryIdBytes);
    if (parts.body.size() >= kMostBlockBytes) return std::nullopt;
  } else if (parts.value_bytes > (parts.body.size() / kLeastBlockBytes + 1) * kMostBytesOfABlock) {
    return std::nullopt;
  }
  return parts;
}

}  // namespace

EncodedValue encode_value(std::string_view value, const CompressionSettings& settings, std::string& room) {
  const EncodedValue raw{.encoding = Encoding::raw, .payload = value};
  if (settings.level == 0) return raw;
  if (value.size() <= kMostBlockBytes) {
    const ZSTD_CDict* const dictionary =
        settings.dictionary != nullptr ? settings.dictionary->for_encoding(settings.level) : nullptr;
    if (value.size() < (dictionary != nullptr ? kLeastBytesWithDictionary : kLeastBytesAlone)) return raw;
    // The payload's front takes the place of the frame's, which is longer.
    const std::size_t bytes = compress(value, settings.level, dictionary, 0, room);
    if (bytes <= kEncodedFrontBytes) return raw;
    const std::uint32_t block = load_block_header(room.data() + kEncodedFrontBytes - kBlockHeaderBytes);
    const bool one_block = static_cast<std::byte>(room[kFrameMagic.size()]) == kDescriptorAlone &&
                           (block & 7) == kLastCompressedBlock && (block >> 3) == bytes - kEncodedFrontBytes;
    if (one_block) {
      std::array<char, kMostVarintBytes + kDictionaryIdBytes> front;
      std::size_t front_bytes = put_varint(front.data(), value.size());
      const std::uint16_t id = dictionary != nullptr ? settings.dictionary->id() : 0;
      store_le(reinterpret_cast<std::byte*>(front.data() + front_bytes), id);
      front_bytes += kDictionaryIdBytes;
      static_assert(kMostVarintBytes + kDictionaryIdBytes <= kEncodedFrontBytes);
      char* const begin = room.data() + kEncodedFrontBytes - front_bytes;
      std::memcpy(begin, front.data(), front_bytes);
      const std::string_view payload(begin, front_bytes + bytes - kEncodedFrontBytes);
      if (!pays(payload.size(), value.size())) return raw;
      return {.encoding = Encoding::block, .payload = payload, .dictionary = id};
    }
    if (value.size() < kLeastBytesAlone) return raw;
  }
  std::array<char, kMostVarintBytes> front;
  const std::size_t front_bytes = put_varint(front.data(), value.size());
  const std::size_t bytes = compress(value, settings.level, nullptr, front_bytes, room);
  if (bytes == 0 || !pays(front_bytes + bytes, value.size())) return raw;
  std::memcpy(room.data(), front.data(), front_bytes);
  return {.encoding = Encoding::frame, .payload = std::string_view(room).substr(0, front_bytes + bytes)};
}

std::optional<std::uint64_t> decoded_bytes(Encoding encoding, std::string_view payload) noexcept {
  if (encoding == Encoding::raw) return payload.size();
  const auto parts = split(encoding, payload);
  if (!parts) return std::nullopt;
  return parts->value_bytes;
}

std::uint16_t dictionary_of(Encoding encoding, std::string_view payload) noexcept {
  if (encoding != Encoding::block) return 0;
  const auto parts = split(encoding, payload);
  return parts ? parts->dictionary : 0;
}

DecodeFault decode_value(Encoding encoding, std::string_view payload, const DictionaryShelf& dictionaries,
                         std::string& value) {
  if (encoding == Encoding::raw) {
    value.assign(payload);
    return DecodeFault::none;
  }
  const auto parts = split(encoding, payload);
  if (!parts) return DecodeFault::bad_payload;
  const ZSTD_DDict* dictionary = nullptr;
  if (parts->dictionary != 0) {
    const Dictionary* const known = dictionaries.find(parts->dictionary);
    dictionary = known != nullptr ? known->for_decoding() : nullptr;
    if (dictionary == nullptr) return DecodeFault::unknown_dictionary;
  }
  std::string_view frame = parts->body;
  if (encoding == Encoding::block) {
    std::string& built = contexts.frame;
    const std::size_t bytes = kMostFrontBytes + frame.size();
    if (built.size() < bytes) built.resize(std::max<std::size_t>(bytes, 4096));
    char* out = built.data();
    std::memcpy(out, kFrameMagic.data(), kFrameMagic.size());
    out += kFrameMagic.size();
    *out++ = static_cast<char>(dictionary != nullptr ? kDescriptorWithId : kDescriptorAlone);
    *out++ = static_cast<char>(kWindow);
    if (dictionary != nullptr) {
      store_le(reinterpret_cast<std::byte*>(out), parts->dictionary);
      out += kDictionaryIdBytes;
    }
    const auto header = static_cast<std::uint32_t>(frame.size() << 3) | kLastCompressedBlock;
    for (int i = 0; i < 3; ++i) *out++ = static_cast<char>(header >> (8 * i));
    std::memcpy(out, frame.data(), frame.size());
    out += frame.size();
    frame = {built.data(), static_cast<std::size_t>(out - built.data())};
  } else if (frame.size() < kFrameMagic.size() ||
             std::memcmp(frame.data(), kFrameMagic.data(), kFrameMagic.size()) != 0 ||
             ZSTD_findFrameCompressedSize(frame.data(), frame.size()) != frame.size()) {
    return DecodeFault::bad_payload;
  }
  ZSTD_DCtx* const context = decoding_context();
  if (context == nullptr) return DecodeFault::bad_payload;
  const auto value_bytes = static_cast<std::size_t>(parts->value_bytes);
  std::size_t decoded = 0;
  // The length is not taken from the call: libstdc++ 12 passes what it has allocated, which may be more.
  value.resize_and_overwrite(value_bytes, [&](char* out, std::size_t) {
    decoded = ZSTD_decompress_usingDDict(context, out, value_bytes, frame.data(), frame.size(), dictionary);
    if (decoded != value_bytes) std::memset(out, 0, value_bytes);
    return value_bytes;
  });
  if (decoded == value_bytes) return DecodeFault::none;
  value.clear();
  return DecodeFault::bad_payload;
}

}  // namespace kvb::format
