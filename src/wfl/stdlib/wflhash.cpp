#include "wfl/stdlib/wflhash.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace wfl::stdlib {
namespace {

// The first 24 of SHA-512's constants: fractional parts of the cube roots of the first primes.
constexpr std::array<std::uint64_t, 24> kConstants = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
    0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
    0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
    0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
};

constexpr std::size_t kRateBytes = 64;
constexpr std::uint64_t kKeyedMode = 1;
constexpr std::uint64_t kSaltMode = 2;

using Personalization = std::array<unsigned char, 16>;

std::uint64_t load_little(const unsigned char* bytes) {
  std::uint64_t word = 0;
  for (int i = 7; i >= 0; --i) word = (word << 8U) | bytes[i];
  return word;
}

class Sponge {
 public:
  Sponge(std::size_t digest_bytes, std::size_t key_bytes, std::uint64_t mode, const Personalization& personalization) {
    std::copy_n(kConstants.begin(), words_.size(), words_.begin());
    words_[0] ^= digest_bytes;
    words_[1] ^= key_bytes;
    words_[2] ^= mode ^ load_little(personalization.data());
    words_[3] ^= load_little(personalization.data() + 8);
    permute();
  }

  void absorb(std::string_view input) {
    std::array<unsigned char, kRateBytes> block{};
    while (!input.empty()) {
      const std::size_t size = std::min(input.size(), kRateBytes);
      block.fill(0);
      std::memcpy(block.data(), input.data(), size);
      absorb_block(block);
      input.remove_prefix(size);
    }
  }

  // The bytes of the padding, which are absorbed like input of their own.
  void pad(std::size_t input_bytes) {
    const std::size_t used = (input_bytes % kRateBytes + 1) % kRateBytes;
    const std::size_t zeros = used <= 56 ? 56 - used : 120 - used;
    std::string padding(1, '\x80');
    padding.append(zeros, '\0');
    const std::uint64_t bits = std::uint64_t{input_bytes} * 8;
    for (unsigned i = 0; i < 8; ++i) padding.push_back(static_cast<char>(bits >> (8 * i)));
    absorb(padding);
  }

  std::string squeeze(std::size_t bytes) {
    std::string out;
    while (true) {
      for (std::size_t i = 0; i < kRateBytes && out.size() < bytes; ++i) {
        out.push_back(static_cast<char>(words_[i / 8] >> (8 * (i % 8))));
      }
      if (out.size() >= bytes) return out;
      permute();
    }
  }

 private:
  void absorb_block(const std::array<unsigned char, kRateBytes>& block) {
    for (std::size_t i = 0; i < 8; ++i) words_[i] ^= load_little(block.data() + 8 * i);
    permute();
  }

  void mix(std::size_t ia, std::size_t ib, std::size_t ic, std::size_t id) {
    std::uint64_t& a = words_[ia];
    std::uint64_t& b = words_[ib];
    std::uint64_t& c = words_[ic];
    std::uint64_t& d = words_[id];
    a += b;
    d = std::rotr(d ^ a, 32);
    c += d;
    b = std::rotr(b ^ c, 24);
    a += b;
    d = std::rotr(d ^ a, 16);
    c += d;
    b = std::rotr(b ^ c, 14);
    const std::uint64_t before = a;
    a ^= std::rotl(c, 13);
    c ^= std::rotl(before, 7);
  }

  void permute() {
    for (const std::uint64_t constant : kConstants) {
      words_[0] ^= constant;
      for (std::size_t column = 0; column < 4; ++column) mix(column, column + 4, column + 8, column + 12);
      for (std::size_t row = 0; row < 4; ++row) mix(4 * row, 4 * row + 1, 4 * row + 2, 4 * row + 3);
    }
  }

  std::array<std::uint64_t, 16> words_{};  // Row by row.
};

}  // namespace

std::string wflhash(std::string_view input, std::size_t digest_bytes) {
  Sponge sponge(digest_bytes, 0, 0, {});
  sponge.absorb(input);
  sponge.pad(input.size());
  return sponge.squeeze(digest_bytes);
}

std::string wflhash_with_salt(std::string_view input, std::string_view salt, std::size_t digest_bytes) {
  Personalization personalization{};
  std::memcpy(personalization.data(), salt.data(), std::min(salt.size(), personalization.size()));
  Sponge sponge(digest_bytes, 0, kSaltMode, personalization);
  sponge.absorb(input);
  sponge.pad(input.size());
  return sponge.squeeze(digest_bytes);
}

std::string wflmac(std::string_view input, const std::array<unsigned char, 64>& derived_key, std::size_t key_bytes,
                   std::size_t digest_bytes) {
  Personalization personalization{};
  std::copy_n(derived_key.begin(), personalization.size(), personalization.begin());
  Sponge sponge(digest_bytes, key_bytes, kKeyedMode, personalization);
  sponge.absorb({reinterpret_cast<const char*>(derived_key.data()), derived_key.size()});
  sponge.absorb(input);
  sponge.pad(input.size());
  return sponge.squeeze(digest_bytes);
}

}  // namespace wfl::stdlib
