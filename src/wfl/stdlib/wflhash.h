// WFLHASH, the language's own hash: a sponge over 16 words of 64 bits (8 of them rate, 8 capacity), 24 rounds.
//
//   state    the first 16 round constants of SHA-512; digest length, key length, mode and a 16-byte personalization are
//            XORed into words 0 to 3; then the permutation runs once.
//   absorb   64-byte blocks, the last one filled with zeros, XORed little-endian into the first 8 words; permute.
//   padding  a block of its own: 0x80, zeros, the input's bit length; absorbed like input.
//   squeeze  the first 8 words little-endian; permute between pieces.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace wfl::stdlib {

inline constexpr std::size_t kWflHashMaxInput = std::size_t{100} << 20U;

std::string wflhash(std::string_view input, std::size_t digest_bytes);
// The first 16 bytes of the salt personalize the hash.
std::string wflhash_with_salt(std::string_view input, std::string_view salt, std::size_t digest_bytes);
// `derived_key` are the 64 bytes of HKDF-SHA256 over the key.
std::string wflmac(std::string_view input, const std::array<unsigned char, 64>& derived_key, std::size_t key_bytes,
                   std::size_t digest_bytes);

}  // namespace wfl::stdlib
