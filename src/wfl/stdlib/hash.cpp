// Hashes, message authentication, random bytes, and sealing.
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include <array>
#include <cmath>
#include <string>

#include "wfl/stdlib/convert.h"
#include "wfl/stdlib/registry.h"
#include "wfl/stdlib/unicode.h"
#include "wfl/stdlib/wflhash.h"

namespace wfl::stdlib {
namespace {

using vm::NativeCall;
using vm::Value;

constexpr std::string_view kSealPrefix = "wflseal1:";
constexpr std::size_t kMaxRandomBytes = 4096;
constexpr double kMaxIterations = 100'000'000;
constexpr double kMaxDerivedBytes = 4096;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string hex(const unsigned char* bytes, std::size_t size) {
  std::string out(size * 2 + 1, '\0');
  sodium_bin2hex(out.data(), out.size(), bytes, size);
  out.pop_back();
  return out;
}

std::string hex(std::string_view bytes) {
  return hex(bytes_of(bytes), bytes.size());
}

std::array<unsigned char, 32> hmac(std::string_view key, std::string_view message) {
  std::array<unsigned char, 32> digest{};
  unsigned int size = digest.size();
  // A key of no bytes is a null pointer to OpenSSL, which then means "the last key".
  HMAC(EVP_sha256(), key.empty() ? "" : key.data(), static_cast<int>(key.size()), bytes_of(message), message.size(),
       digest.data(), &size);
  return digest;
}

std::string_view view(const std::array<unsigned char, 32>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// HKDF-SHA256 (RFC 5869) without a salt.
std::array<unsigned char, 64> derive_mac_key(std::string_view key) {
  const std::string no_salt(32, '\0');
  const auto extracted = hmac(no_salt, key);
  const std::string info = "WFLMAC-256-KEY-DERIVATION";
  const auto first = hmac(view(extracted), info + '\x01');
  const auto second = hmac(view(extracted), std::string(view(first)) + info + '\x02');
  std::array<unsigned char, 64> out{};
  std::copy(first.begin(), first.end(), out.begin());
  std::copy(second.begin(), second.end(), out.begin() + 32);
  return out;
}

Value sha256(NativeCall& call) {
  std::string_view input;
  if (const auto* binary = call[0].try_as<vm::Binary>()) {
    input = binary->bytes;
  } else {
    input = call.text(0);
  }
  if (call.failed()) return Value::null();
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), bytes_of(input), input.size());
  return call.make_text(hex(digest.data(), digest.size()));
}

Value hmac_sha256(NativeCall& call) {
  const std::string_view message = call.text(0);
  const std::string_view key = call.text(1);
  if (call.failed()) return Value::null();
  return call.make_text(hex(view(hmac(key, message))));
}

Value pbkdf2_hmac_sha256(NativeCall& call) {
  const std::string_view password = call.text(0);
  const std::string_view salt = call.text(1);
  const double iterations = call.number(2);
  const double length = call.number(3);
  if (call.failed()) return Value::null();
  if (!(iterations >= 1 && iterations <= kMaxIterations)) {
    return call.fail("pbkdf2_hmac_sha256: the iterations must be between 1 and 100000000, got " +
                     vm::format_number(iterations));
  }
  if (!(length >= 1 && length <= kMaxDerivedBytes)) {
    return call.fail("pbkdf2_hmac_sha256: the length must be between 1 and 4096 bytes, got " +
                     vm::format_number(length));
  }
  std::string out(static_cast<std::size_t>(length), '\0');
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), bytes_of(salt),
                        static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                        static_cast<int>(out.size()), reinterpret_cast<unsigned char*>(out.data())) != 1) {
    return call.fail("pbkdf2_hmac_sha256: the key could not be derived");
  }
  return call.make_text(hex(out));
}

// The text argument if it is not larger than WFLHASH takes.
std::string_view hash_input(NativeCall& call) {
  const std::string_view input = call.text(0);
  if (!call.failed() && input.size() > kWflHashMaxInput) call.fail("Input exceeds maximum allowed size");
  return input;
}

Value wflhash256(NativeCall& call) {
  const std::string_view input = hash_input(call);
  return call.failed() ? Value::null() : call.make_text(hex(wflhash(input, 32)));
}

Value wflhash512(NativeCall& call) {
  const std::string_view input = hash_input(call);
  return call.failed() ? Value::null() : call.make_text(hex(wflhash(input, 64)));
}

Value wflhash256_with_salt(NativeCall& call) {
  const std::string_view input = hash_input(call);
  const std::string_view salt = call.text(1);
  return call.failed() ? Value::null() : call.make_text(hex(wflhash_with_salt(input, salt, 32)));
}

Value wflmac256(NativeCall& call) {
  const std::string_view input = hash_input(call);
  const std::string_view key = call.text(1);
  if (call.failed()) return Value::null();
  return call.make_text(hex(wflmac(input, derive_mac_key(key), key.size(), 32)));
}

Value constant_time_equals(NativeCall& call) {
  const std::string_view a = call.text(0);
  const std::string_view b = call.text(1);
  if (call.failed()) return Value::null();
  return Value::boolean(a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0);
}

Value secure_random_bytes(NativeCall& call) {
  const double wanted = call.number(0);
  if (call.failed()) return Value::null();
  if (!(wanted >= 1 && wanted <= static_cast<double>(kMaxRandomBytes)) || wanted != std::floor(wanted)) {
    return call.fail("secure_random_bytes: the count must be a whole number between 1 and 4096, got " +
                     vm::format_number(wanted));
  }
  std::string bytes(static_cast<std::size_t>(wanted), '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return call.make_text(hex(bytes));
}

Value generate_csrf_token(NativeCall& call) {
  std::array<unsigned char, 32> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  return call.make_text(hex(bytes.data(), bytes.size()));
}

using SealKey = std::array<unsigned char, crypto_aead_xchacha20poly1305_ietf_KEYBYTES>;

bool read_key(NativeCall& call, SealKey& key) {
  const std::string_view text = call.text(1);
  if (call.failed()) return false;
  std::size_t size = 0;
  if (text.size() != key.size() * 2 ||
      sodium_hex2bin(key.data(), key.size(), text.data(), text.size(), nullptr, &size, nullptr) != 0 ||
      size != key.size()) {
    call.fail(std::string(call.name) +
              ": the key must be 64 hexadecimal digits, such as secure_random_bytes of 32 gives");
    return false;
  }
  return true;
}

Value seal(NativeCall& call) {
  const std::string_view text = call.text(0);
  SealKey key{};
  const std::string_view context = call.count > 2 ? call.text(2) : std::string_view{};
  if (!read_key(call, key) || call.failed()) return Value::null();
  constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
  std::string sealed(kNonce + text.size() + crypto_aead_xchacha20poly1305_ietf_ABYTES, '\0');
  auto* out = reinterpret_cast<unsigned char*>(sealed.data());
  randombytes_buf(out, kNonce);
  unsigned long long size = 0;
  crypto_aead_xchacha20poly1305_ietf_encrypt(out + kNonce, &size, bytes_of(text), text.size(), bytes_of(context),
                                             context.size(), nullptr, out, key.data());
  sodium_memzero(key.data(), key.size());
  return call.make_text(std::string(kSealPrefix) + hex(sealed));
}

Value unseal(NativeCall& call) {
  const std::string_view text = call.text(0);
  SealKey key{};
  const std::string_view context = call.count > 2 ? call.text(2) : std::string_view{};
  if (!read_key(call, key) || call.failed()) return Value::null();
  constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
  constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
  const std::string_view digits = text.starts_with(kSealPrefix) ? text.substr(kSealPrefix.size()) : std::string_view{};
  std::string sealed(digits.size() / 2, '\0');
  std::size_t read = 0;
  const bool readable = digits.size() % 2 == 0 && sealed.size() >= kNonce + kTag &&
                        sodium_hex2bin(reinterpret_cast<unsigned char*>(sealed.data()), sealed.size(), digits.data(),
                                       digits.size(), nullptr, &read, nullptr) == 0 &&
                        read == sealed.size();
  if (!readable) return call.fail("unseal: this is no sealed text");
  const auto* in = bytes_of(sealed);
  std::string plain(sealed.size() - kNonce - kTag, '\0');
  unsigned long long size = 0;
  const int result = crypto_aead_xchacha20poly1305_ietf_decrypt(reinterpret_cast<unsigned char*>(plain.data()), &size,
                                                                nullptr, in + kNonce, sealed.size() - kNonce,
                                                                bytes_of(context), context.size(), in, key.data());
  sodium_memzero(key.data(), key.size());
  if (result != 0) {
    return call.fail("unseal: the text was changed, or the key or the context is not the one it was sealed with");
  }
  if (!is_valid_utf8(plain)) return call.fail("unseal: the sealed data is not a text");
  return call.make_text(plain);
}

constexpr auto kFunctions = std::to_array<BuiltinFunction>({
    {"sha256", sha256},
    {"hmac_sha256", hmac_sha256},
    {"pbkdf2_hmac_sha256", pbkdf2_hmac_sha256},
    {"wflhash256", wflhash256},
    {"wflhash512", wflhash512},
    {"wflhash256_with_salt", wflhash256_with_salt},
    {"wflmac256", wflmac256},
    {"constant_time_equals", constant_time_equals},
    {"secure_random_bytes", secure_random_bytes},
    {"generate_csrf_token", generate_csrf_token},
    {"seal", seal},
    {"unseal", unseal},
});

}  // namespace

std::span<const BuiltinFunction> hash_functions() {
  return kFunctions;
}

}  // namespace wfl::stdlib
