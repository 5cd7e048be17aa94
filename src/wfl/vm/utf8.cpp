#include "wfl/vm/utf8.h"

#include <bit>
#include <cstring>

namespace wfl::vm {

std::size_t count_code_points(std::string_view text) {
  // Every byte that is not a continuation byte (10xxxxxx) starts a code point; eight at a time.
  const char* p = text.data();
  const char* const end = p + text.size();
  std::size_t continuations = 0;
  while (end - p >= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    const std::uint64_t high = word & 0x8080808080808080ULL;
    if (high != 0) continuations += static_cast<std::size_t>(std::popcount(high & ~((word << 1) & high)));
    p += 8;
  }
  for (; p < end; ++p) continuations += (static_cast<unsigned char>(*p) & 0xc0) == 0x80 ? 1 : 0;
  return text.size() - continuations;
}

std::size_t offset_of_code_point(std::string_view text, std::size_t position) {
  std::size_t offset = 0;
  while (offset < text.size()) {
    if ((static_cast<unsigned char>(text[offset]) & 0xc0) != 0x80) {
      if (position == 0) return offset;
      --position;
    }
    ++offset;
  }
  return text.size();
}

bool is_valid_utf8(std::string_view bytes) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    std::size_t length = 1;
    std::uint32_t code = lead;
    if (lead >= 0x80) {
      if (lead >= 0xc2 && lead <= 0xdf) {
        length = 2;
        code = lead & 0x1fU;
      } else if (lead >= 0xe0 && lead <= 0xef) {
        length = 3;
        code = lead & 0x0fU;
      } else if (lead >= 0xf0 && lead <= 0xf4) {
        length = 4;
        code = lead & 0x07U;
      } else {
        return false;
      }
      if (i + length > bytes.size()) return false;
      for (std::size_t k = 1; k < length; ++k) {
        const auto next = static_cast<unsigned char>(bytes[i + k]);
        if ((next & 0xc0) != 0x80) return false;
        code = (code << 6) | (next & 0x3fU);
      }
      if ((length == 3 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) ||
          (length == 4 && (code < 0x10000 || code > 0x10ffff))) {
        return false;
      }
    }
    i += length;
  }
  return true;
}

}  // namespace wfl::vm
