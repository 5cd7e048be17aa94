#include "data.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "peer.h"

namespace bench {

std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58'476D'1CE4'E5B9ull;
  value = (value ^ (value >> 27)) * 0x94D0'49BB'1331'11EBull;
  return value ^ (value >> 31);
}

namespace {

// A bijection of 50 bits, the 10 characters that a group has: multiplying by an odd number, and folding down.
constexpr std::uint64_t kGroupMask = (std::uint64_t{1} << 50) - 1;
std::uint64_t mix_group(std::uint64_t group) {
  std::uint64_t x = (group * 0x9E37'79B9'7F4Bull) & kGroupMask;
  x ^= x >> 25;
  x = (x * 0x2545'F491'4F6Dull) & kGroupMask;
  return x ^ (x >> 25);
}

void write_base32(std::uint64_t bits, char* to, int characters) {
  static constexpr char kDigits[] = "0123456789abcdefghijklmnopqrstuv";
  for (int i = characters - 1; i >= 0; --i, bits >>= 5) to[i] = kDigits[bits & 31];
}

// Bytes that no store can make smaller; values begin at different places of it.
constexpr std::size_t kPool = std::size_t{1} << 16;
const std::string& pool(std::size_t value_bytes) {
  static const std::string bytes = [&] {
    std::string made(kPool + (std::size_t{2} << 20), '\0');
    Random random(7);
    for (std::size_t at = 0; at + 8 <= made.size(); at += 8) {
      const std::uint64_t word = random.next();
      std::memcpy(made.data() + at, &word, 8);
    }
    return made;
  }();
  if (value_bytes > (std::size_t{2} << 20)) throw Failure("values are at most 2 MiB");
  return bytes;
}

std::uint64_t load(std::string_view value, std::size_t at) {
  std::uint64_t word = 0;
  std::memcpy(&word, value.data() + at, 8);
  return word;
}
std::uint64_t seal(std::uint64_t number, std::uint64_t version) {
  return (number + 1) * 0x9E37'79B9'7F4A'7C15ull ^ (version + 3) * 0xD6E8'FEB8'6659'FD93ull;
}

}  // namespace

void write_key(std::uint64_t number, char* to) {
  write_base32(mix_group(number / kGroup), to, 10);
  to[10] = ':';
  const auto item = static_cast<unsigned>(number % kGroup);
  to[11] = static_cast<char>('0' + item / 10);
  to[12] = static_cast<char>('0' + item % 10);
  write_base32(mix(number), to + 13, 7);
}

Operations::Operations(std::vector<std::uint64_t> numbers) : numbers_(std::move(numbers)) {
  keys_.resize(numbers_.size() * kKeyBytes);
  for (std::size_t i = 0; i < numbers_.size(); ++i) write_key(numbers_[i], keys_.data() + i * kKeyBytes);
}

std::vector<std::uint64_t> shuffled(std::uint64_t keys, std::uint64_t seed) {
  std::vector<std::uint64_t> numbers(keys);
  std::iota(numbers.begin(), numbers.end(), 0);
  Random random(seed);
  for (std::uint64_t i = keys; i > 1; --i) std::swap(numbers[i - 1], numbers[random.below(i)]);
  return numbers;
}

std::vector<std::uint64_t> ordered(std::uint64_t keys) {
  std::vector<std::uint64_t> numbers(keys);
  std::iota(numbers.begin(), numbers.end(), 0);
  std::ranges::sort(numbers, {}, [](std::uint64_t n) { return std::pair(mix_group(n / kGroup), n % kGroup); });
  return numbers;
}

std::vector<std::uint64_t> uniform(std::uint64_t keys, std::uint64_t count, std::uint64_t seed) {
  std::vector<std::uint64_t> numbers(count);
  Random random(seed);
  for (std::uint64_t& number : numbers) number = random.below(keys);
  return numbers;
}

// The method of Gray et al. that YCSB uses; the ranks are scattered over the keys, so that the popular ones are no
// neighbours.
std::vector<std::uint64_t> zipfian(std::uint64_t keys, std::uint64_t count, std::uint64_t seed) {
  constexpr double kTheta = 0.99;
  double zeta = 0;
  for (std::uint64_t i = 1; i <= keys; ++i) zeta += 1 / std::pow(static_cast<double>(i), kTheta);
  const double alpha = 1 / (1 - kTheta);
  const double zeta2 = 1 + std::pow(0.5, kTheta);
  const double n = static_cast<double>(keys);
  const double eta = (1 - std::pow(2 / n, 1 - kTheta)) / (1 - zeta2 / zeta);
  Random random(seed);
  std::vector<std::uint64_t> numbers(count);
  for (std::uint64_t& number : numbers) {
    const double u = static_cast<double>(random.next() >> 11) / 9007199254740992.0;
    const double uz = u * zeta;
    double rank = n * std::pow(eta * u - eta + 1, alpha);
    if (uz < 1) {
      rank = 0;
    } else if (uz < zeta2) {
      rank = 1;
    }
    number = mix(static_cast<std::uint64_t>(rank)) % keys;
  }
  return numbers;
}

Values::Values(std::size_t bytes) : value_(pool(bytes), 0, bytes) {}

std::string_view Values::of(std::uint64_t number, std::uint64_t version) {
  const std::size_t inside = value_.size() - 24;
  const std::uint64_t end = seal(number, version);
  char* to = value_.data();
  std::memcpy(to, &number, 8);
  std::memcpy(to + 8, &version, 8);
  // Large values differ at their ends only: filling them would be what is measured.
  if (inside < 4096) std::memcpy(to + 16, pool(value_.size()).data() + end % kPool, inside);
  std::memcpy(to + 16 + inside, &end, 8);
  return value_;
}

std::uint64_t check_value(std::uint64_t number, std::string_view value, std::size_t bytes) {
  if (value.size() != bytes || load(value, 0) != number || load(value, bytes - 8) != seal(number, load(value, 8))) {
    throw Failure("a wrong value for key number " + std::to_string(number));
  }
  return load(value, 8);
}

std::uint64_t whole_value(std::uint64_t number, std::string_view value, std::size_t bytes) {
  const std::uint64_t version = check_value(number, value, bytes);
  Values values(bytes);
  if (value != values.of(number, version)) {
    throw Failure("wrong bytes inside the value of key number " + std::to_string(number));
  }
  return version;
}

}  // namespace bench
