// Hashes of passwords, in the text forms other programs read too: `$argon2id$…`, `$2b$…`, `$scrypt$…`,
// `$pbkdf2-sha256$…`.
#include <crypt.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wfl/stdlib/registry.h"

namespace wfl::stdlib {
namespace {

using vm::NativeCall;
using vm::Value;

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
constexpr int kBcryptCost = 12;
constexpr std::uint32_t kPbkdf2Rounds = 600'000;
constexpr std::uint32_t kScryptLogN = 17;
constexpr std::uint64_t kScryptMemory = std::uint64_t{1} << 30U;

std::string base64(std::string_view bytes) {
  constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
  std::string out(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    kVariant);
  out.pop_back();
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string out(text.size(), '\0');
  std::size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(), text.size(), nullptr,
                        &size, nullptr, sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0) {
    return std::nullopt;
  }
  out.resize(size);
  return out;
}

std::string random_salt() {
  std::string salt(kSaltBytes, '\0');
  randombytes_buf(salt.data(), salt.size());
  return salt;
}

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

// The parts of `$name$key=value,key=value$salt$hash`.
struct HashParts {
  std::string_view name;
  std::string_view parameters;
  std::string salt;
  std::string hash;

  [[nodiscard]] std::optional<std::uint32_t> parameter(std::string_view key) const {
    std::string_view rest = parameters;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      const std::string_view pair = rest.substr(0, comma);
      if (pair.size() > key.size() && pair.starts_with(key) && pair[key.size()] == '=') {
        std::uint32_t value = 0;
        const auto [end, code] = std::from_chars(pair.data() + key.size() + 1, pair.data() + pair.size(), value);
        if (code == std::errc() && end == pair.data() + pair.size()) return value;
        return std::nullopt;
      }
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
    return std::nullopt;
  }
};

std::optional<HashParts> split_hash(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t dollar = text.find('$');
    parts.push_back(text.substr(0, dollar));
    if (dollar == std::string_view::npos) break;
    text = text.substr(dollar + 1);
  }
  if (parts.size() != 5 || !parts[0].empty()) return std::nullopt;
  auto salt = from_base64(parts[3]);
  auto hash = from_base64(parts[4]);
  if (!salt || !hash || hash->empty()) return std::nullopt;
  return HashParts{parts[1], parts[2], std::move(*salt), std::move(*hash)};
}

// ---- argon2id ----

Value argon2_hash(NativeCall& call) {
  const std::string_view password = call.text(0);
  if (call.failed()) return Value::null();
  std::array<char, crypto_pwhash_STRBYTES> out{};
  if (crypto_pwhash_str(out.data(), password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                        crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0) {
    return call.fail(vm::ErrorKind::kResourceLimit,
                     "argon2_hash: there is not enough memory to hash a password (64 MiB)");
  }
  return call.make_text(out.data());
}

bool argon2_matches(std::string_view password, std::string_view hash) {
  const std::string text(hash);
  return crypto_pwhash_str_verify(text.c_str(), password.data(), password.size()) == 0;
}

// ---- bcrypt ----

std::optional<std::string> bcrypt(std::string_view password, const std::string& setting) {
  // bcrypt reads a C string: a password with a zero byte in it would be cut there.
  if (password.find('\0') != std::string_view::npos) return std::nullopt;
  const auto data = std::make_unique<crypt_data>();
  const std::string text(password);
  const char* result = crypt_r(text.c_str(), setting.c_str(), data.get());
  if (result == nullptr || result[0] == '*') return std::nullopt;
  return std::string(result);
}

Value bcrypt_hash(NativeCall& call) {
  const std::string_view password = call.text(0);
  if (call.failed()) return Value::null();
  const std::string salt = random_salt();
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  if (crypt_gensalt_rn("$2b$", kBcryptCost, salt.data(), static_cast<int>(salt.size()), setting.data(),
                       static_cast<int>(setting.size())) == nullptr) {
    return call.fail("bcrypt_hash: the password could not be hashed");
  }
  const auto hash = bcrypt(password, setting.data());
  if (!hash) return call.fail("bcrypt_hash: a password must not contain a zero character");
  return call.make_text(*hash);
}

bool bcrypt_matches(std::string_view password, std::string_view hash) {
  if (!hash.starts_with("$2")) return false;
  const auto again = bcrypt(password, std::string(hash));
  return again && same(*again, hash);
}

// ---- scrypt ----

std::optional<std::string> scrypt(std::string_view password, std::string_view salt, std::uint32_t log_n,
                                  std::uint32_t r, std::uint32_t p, std::size_t bytes) {
  if (log_n < 1 || log_n > 22 || r < 1 || r > 64 || p < 1 || p > 64) return std::nullopt;
  std::string out(bytes, '\0');
  if (EVP_PBE_scrypt(password.data(), password.size(), reinterpret_cast<const unsigned char*>(salt.data()), salt.size(),
                     std::uint64_t{1} << log_n, r, p, kScryptMemory, reinterpret_cast<unsigned char*>(out.data()),
                     out.size()) != 1) {
    return std::nullopt;
  }
  return out;
}

Value scrypt_hash(NativeCall& call) {
  const std::string_view password = call.text(0);
  if (call.failed()) return Value::null();
  const std::string salt = random_salt();
  const auto hash = scrypt(password, salt, kScryptLogN, 8, 1, kHashBytes);
  if (!hash) {
    return call.fail(vm::ErrorKind::kResourceLimit,
                     "scrypt_hash: there is not enough memory to hash a password (128 MiB)");
  }
  return call.make_text("$scrypt$ln=17,r=8,p=1$" + base64(salt) + "$" + base64(*hash));
}

bool scrypt_matches(std::string_view password, std::string_view hash) {
  const auto parts = split_hash(hash);
  if (!parts || parts->name != "scrypt") return false;
  const auto log_n = parts->parameter("ln");
  const auto r = parts->parameter("r");
  const auto p = parts->parameter("p");
  if (!log_n || !r || !p) return false;
  const auto again = scrypt(password, parts->salt, *log_n, *r, *p, parts->hash.size());
  return again && same(*again, parts->hash);
}

// ---- PBKDF2 ----

std::optional<std::string> pbkdf2(std::string_view password, std::string_view salt, std::uint32_t rounds,
                                  std::size_t bytes) {
  constexpr std::uint32_t kMaxRounds = 100'000'000;
  if (rounds < 1 || rounds > kMaxRounds) return std::nullopt;
  std::string out(bytes, '\0');
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                        reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()),
                        static_cast<int>(rounds), EVP_sha256(), static_cast<int>(out.size()),
                        reinterpret_cast<unsigned char*>(out.data())) != 1) {
    return std::nullopt;
  }
  return out;
}

Value pbkdf2_hash(NativeCall& call) {
  const std::string_view password = call.text(0);
  if (call.failed()) return Value::null();
  const std::string salt = random_salt();
  const auto hash = pbkdf2(password, salt, kPbkdf2Rounds, kHashBytes);
  if (!hash) return call.fail("pbkdf2_hash: the password could not be hashed");
  return call.make_text("$pbkdf2-sha256$i=600000,l=32$" + base64(salt) + "$" + base64(*hash));
}

bool pbkdf2_matches(std::string_view password, std::string_view hash) {
  const auto parts = split_hash(hash);
  if (!parts || parts->name != "pbkdf2-sha256") return false;
  const auto rounds = parts->parameter("i");
  if (!rounds) return false;
  const auto again = pbkdf2(password, parts->salt, *rounds, parts->hash.size());
  return again && same(*again, parts->hash);
}

bool any_matches(std::string_view password, std::string_view hash) {
  if (hash.starts_with("$argon2")) return argon2_matches(password, hash);
  if (hash.starts_with("$2")) return bcrypt_matches(password, hash);
  if (hash.starts_with("$scrypt$")) return scrypt_matches(password, hash);
  if (hash.starts_with("$pbkdf2")) return pbkdf2_matches(password, hash);
  return false;
}

template <bool (*Matches)(std::string_view, std::string_view)>
Value verify(NativeCall& call) {
  const std::string_view password = call.text(0);
  const std::string_view hash = call.text(1);
  if (call.failed()) return Value::null();
  return Value::boolean(Matches(password, hash));
}

constexpr auto kFunctions = std::to_array<BuiltinFunction>({
    {"hash_password", argon2_hash},
    {"verify_password", verify<any_matches>},
    {"argon2_hash", argon2_hash},
    {"argon2_verify", verify<argon2_matches>},
    {"bcrypt_hash", bcrypt_hash},
    {"bcrypt_verify", verify<bcrypt_matches>},
    {"scrypt_hash", scrypt_hash},
    {"scrypt_verify", verify<scrypt_matches>},
    {"pbkdf2_hash", pbkdf2_hash},
    {"pbkdf2_verify", verify<pbkdf2_matches>},
});

}  // namespace

std::span<const BuiltinFunction> password_functions() {
  return kFunctions;
}

}  // namespace wfl::stdlib
