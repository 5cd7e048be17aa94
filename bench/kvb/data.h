#pragma once
// The data of all workloads, the same for every store. Key number n is 20 bytes: 10 that its group has in common (100
// keys a group, so that a scan of a prefix finds 100 records), then its place in the group, then 7 that look random.
// The groups lie in random order, so neighbours in number are not neighbours in the file, and there is little for a
// store to guess.
//
// A value says which key it belongs to, which version it is, and ends with a hash of both, so whoever reads it can tell
// in a few nanoseconds whether it is one that was written for this key, and whole_value() tells exactly.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

inline constexpr std::size_t kKeyBytes = 20;
inline constexpr std::size_t kPrefixBytes = 10;
inline constexpr std::size_t kValueBytes = 100;
inline constexpr std::uint64_t kGroup = 100;
inline constexpr std::uint64_t kPayload = kKeyBytes + kValueBytes;

// A bijection of 64 bits that looks random.
[[nodiscard]] std::uint64_t mix(std::uint64_t value);

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  [[nodiscard]] std::uint64_t next() { return mix(state_ += 0x9E37'79B9'7F4A'7C15ull); }
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

void write_key(std::uint64_t number, char* to);

// Numbers and their keys in the order in which a workload uses them, worked out before its time is taken: reading them
// one after the other costs next to nothing.
class Operations {
 public:
  Operations() = default;
  explicit Operations(std::vector<std::uint64_t> numbers);
  [[nodiscard]] std::size_t size() const { return numbers_.size(); }
  [[nodiscard]] std::uint64_t number(std::size_t at) const { return numbers_[at]; }
  [[nodiscard]] std::string_view key(std::size_t at) const { return {keys_.data() + at * kKeyBytes, kKeyBytes}; }

 private:
  std::vector<std::uint64_t> numbers_;
  std::string keys_;
};

// All of 0 … keys-1: in random order, in the order of the keys.
std::vector<std::uint64_t> shuffled(std::uint64_t keys, std::uint64_t seed);
std::vector<std::uint64_t> ordered(std::uint64_t keys);
// So many of them, each as likely as the other, or as in YCSB's scrambled zipfian distribution (0.99).
std::vector<std::uint64_t> uniform(std::uint64_t keys, std::uint64_t count, std::uint64_t seed);
std::vector<std::uint64_t> zipfian(std::uint64_t keys, std::uint64_t count, std::uint64_t seed);

// The value of a key in a version. Valid until the next call on the same object.
class Values {
 public:
  explicit Values(std::size_t bytes = kValueBytes);
  [[nodiscard]] std::string_view of(std::uint64_t number, std::uint64_t version);

 private:
  std::string value_;
};

// Throws Failure if it is not a value of this key; gives its version. Looks at the ends.
std::uint64_t check_value(std::uint64_t number, std::string_view value, std::size_t bytes = kValueBytes);
// The same, and looks at every byte.
std::uint64_t whole_value(std::uint64_t number, std::string_view value, std::size_t bytes = kValueBytes);

}  // namespace bench
