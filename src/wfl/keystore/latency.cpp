#include "wfl/keystore/latency.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace wfl::keystore {

// The first columns are one nanosecond wide. From 8 on, the power of two is the number's length in bits, and the part
// of it the next three bits.
std::size_t Latency::column_of(std::uint64_t nanoseconds) {
  if (nanoseconds < kParts) return static_cast<std::size_t>(nanoseconds);
  const int shift = std::bit_width(nanoseconds) - 4;
  const std::size_t column = kParts * static_cast<std::size_t>(shift) + static_cast<std::size_t>(nanoseconds >> shift);
  return std::min(column, kColumns - 1);
}

std::uint64_t Latency::most_of(std::size_t column) {
  if (column < kParts) return column;
  const std::size_t shift = column / kParts - 1;
  return ((static_cast<std::uint64_t>(column % kParts) + kParts + 1) << shift) - 1;
}

void Latency::add(std::uint64_t nanoseconds) {
  ++columns_[column_of(nanoseconds)];
  ++measured_;
  slowest_ns_ = std::max(slowest_ns_, nanoseconds);
}

std::uint64_t Latency::quantile_ns(double part) const {
  const auto wanted =
      std::max<std::uint64_t>(static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(measured_))), 1);
  std::uint64_t seen = 0;
  for (std::size_t column = 0; column < kColumns; ++column) {
    seen += columns_[column];
    if (seen >= wanted) return std::min(most_of(column), slowest_ns_);
  }
  return slowest_ns_;
}

}  // namespace wfl::keystore
