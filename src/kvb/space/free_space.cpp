#include "kvb/space/free_space.h"

#include <algorithm>
#include <cassert>

namespace kvb::space {

FreeSpace::FreeSpace() {
  free_.emplace(format::kHeadBytes, kEnd);
}

bool FreeSpace::reserve(PageRange range) {
  const std::scoped_lock lock(mutex_);
  auto found = free_.upper_bound(range.paddr);
  if (found == free_.begin()) return false;
  --found;
  const auto [begin, end] = *found;
  if (range.end() > end || range.end() < range.paddr) return false;
  free_.erase(found);
  if (begin < range.paddr) free_.emplace(begin, range.paddr);
  if (range.end() < end) free_.emplace(range.end(), end);
  return true;
}

PageRange FreeSpace::take(std::uint64_t bytes) {
  const PageRange wanted = range_of(0, bytes);
  const std::scoped_lock lock(mutex_);
  for (auto found = free_.begin(); found != free_.end(); ++found) {
    const auto [begin, end] = *found;
    if (end - begin < wanted.bytes()) continue;
    free_.erase(found);
    if (begin + wanted.bytes() < end) free_.emplace(begin + wanted.bytes(), end);
    return {begin, wanted.pages};
  }
  assert(false);
  return {};
}

std::optional<PageRange> FreeSpace::take_at(std::uint64_t paddr, std::uint64_t most) {
  PageRange range;
  {
    const std::scoped_lock lock(mutex_);
    auto found = free_.upper_bound(paddr);
    if (found == free_.begin()) return std::nullopt;
    --found;
    if (found->second <= paddr) return std::nullopt;
    range = range_of(paddr, std::min(most, found->second - paddr));
  }
  if (!reserve(range)) return std::nullopt;
  return range;
}

void FreeSpace::give_back(PageRange range) {
  if (range.pages == 0) return;
  const std::scoped_lock lock(mutex_);
  std::uint64_t begin = range.paddr;
  std::uint64_t end = range.end();
  auto next = free_.lower_bound(begin);
  assert(next == free_.end() || next->first >= end);
  if (next != free_.end() && next->first == end) {
    end = next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    auto before = std::prev(next);
    assert(before->second <= begin);
    if (before->second == begin) {
      begin = before->first;
      free_.erase(before);
    }
  }
  free_.emplace(begin, end);
}

std::uint64_t FreeSpace::end_of_used() const {
  const std::scoped_lock lock(mutex_);
  return free_.rbegin()->first;
}

std::uint64_t FreeSpace::free_bytes() const {
  const std::scoped_lock lock(mutex_);
  std::uint64_t bytes = 0;
  for (const auto& [begin, end] : free_) {
    if (end != kEnd) bytes += end - begin;
  }
  return bytes;
}

std::vector<PageRange> FreeSpace::free_ranges() const {
  const std::scoped_lock lock(mutex_);
  std::vector<PageRange> ranges;
  for (const auto& [begin, end] : free_) {
    if (end != kEnd) ranges.push_back(range_of(begin, end - begin));
  }
  return ranges;
}

}  // namespace kvb::space
