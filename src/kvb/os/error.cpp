// The texts of kvb/error.h: made from the one list of codes.
#include <kvb/error.h>

namespace kvb {

std::string_view error_name(ErrorCode code) noexcept {
  switch (code) {
#define KVB_ERROR(name, number, c_name, sentence) \
  case ErrorCode::name:                           \
    return #name;
#include <kvb/error_codes.def>
#undef KVB_ERROR
  }
  return "unknown_error";
}

std::string_view error_sentence(ErrorCode code) noexcept {
  switch (code) {
#define KVB_ERROR(name, number, c_name, sentence) \
  case ErrorCode::name:                           \
    return sentence;
#include <kvb/error_codes.def>
#undef KVB_ERROR
  }
  return "an error of a kind that this version does not know";
}

std::string Error::to_string() const {
  std::string text;
  if (!path.empty()) text += path + ": ";
  if (message.empty()) {
    text += error_sentence(code);
  } else {
    text += message;
  }
  if (offset_bytes) text += " [at byte " + std::to_string(*offset_bytes) + "]";
  return text;
}

}  // namespace kvb
