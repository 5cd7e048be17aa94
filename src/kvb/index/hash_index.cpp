#include "kvb/index/hash_index.h"

#include <algorithm>

#include "kvb/format/endian.h"
#include "kvb/os/mapped_read.h"

namespace kvb::index {
namespace {

using format::kPageHeaderBytes;
using format::PageType;

std::vector<std::byte> encode_slots(std::span<const Slot> slots) {
  std::vector<std::byte> payload(slots.size() * kSlotBytes);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    format::store_le(payload.data() + i * kSlotBytes, slots[i].hash);
    format::store_le(payload.data() + i * kSlotBytes + 8, slots[i].paddr);
  }
  return payload;
}

struct PageView {
  const std::byte* slots;
  std::size_t count;
  std::uint32_t link;

  explicit PageView(const std::byte* page)
      : slots(page + kPageHeaderBytes),
        count(std::min<std::size_t>(format::load_le<std::uint32_t>(page + 48), kSlotsPerPage)),
        link(format::load_le<std::uint32_t>(page + 52)) {}
  PageView(const std::byte* page, std::size_t known_count)
      : slots(page + kPageHeaderBytes), count(known_count), link(0) {}
  [[nodiscard]] std::uint64_t hash(std::size_t i) const noexcept {
    return format::load_le<std::uint64_t>(slots + i * kSlotBytes);
  }
  [[nodiscard]] std::uint64_t paddr(std::size_t i) const noexcept {
    return format::load_le<std::uint64_t>(slots + i * kSlotBytes + 8);
  }
};

// Where among the slots of its page a hash lies about: as far as its fraction of the page's range of hashes.
std::size_t likely_slot(std::uint64_t fraction, std::size_t count) noexcept {
  return static_cast<std::size_t>((static_cast<Uint128>(fraction) * count) >> 64);
}

// No chain of overflow pages is longer than the run has pages; a longer one would be a circle.
std::unexpected<Error> circle(const space::PageRun& run) {
  return std::unexpected(
      Error{.code = ErrorCode::damaged,
            .message = "The overflow pages of the index form a circle (" + std::to_string(run.pages()) + " pages)."});
}

}  // namespace

std::uint64_t hash_pages_for(std::uint64_t slots) noexcept {
  constexpr std::uint64_t kAimedSlots = kSlotsPerPage * 4 / 5;
  return std::max<std::uint64_t>(1, (slots + kAimedSlots - 1) / kAimedSlots);
}

HashIndexWriter::HashIndexWriter(space::PageRunWriter& run, std::uint64_t slots)
    : run_(&run), pages_(hash_pages_for(slots)) {}

Result<void> HashIndexWriter::add(const Slot& slot) {
  // Only the pages of a file that somebody has tampered with are not in order.
  if (slot.hash < last_hash_) {
    return std::unexpected(Error{
        .code = ErrorCode::damaged,
        .message = "The slots of the index are not in order. `kvb repair` builds the bucket anew from its records."});
  }
  last_hash_ = slot.hash;
  if (auto written = write_pages_before(hash_page(slot.hash, pages_)); !written) return written;
  in_page_.push_back(slot);
  ++slots_;
  return {};
}

Result<void> HashIndexWriter::write_pages_before(std::uint64_t page) {
  for (; current_ < page; ++current_) {
    const std::span<const Slot> slots(in_page_);
    std::uint32_t link = 0;
    std::size_t done = std::min(slots.size(), kSlotsPerPage);
    const auto first = slots.first(done);
    if (done < slots.size()) link = static_cast<std::uint32_t>(pages_ + overflow_.size());
    while (done < slots.size()) {
      const std::size_t part = std::min(slots.size() - done, kSlotsPerPage);
      const auto more = slots.subspan(done, part);
      overflow_.emplace_back(more.begin(), more.end());
      done += part;
    }
    auto added = run_->add(PageType::hash_slots, static_cast<std::uint32_t>(first.size()), link, encode_slots(first));
    if (!added) return std::unexpected(added.error());
    in_page_.clear();
  }
  return {};
}

Result<void> HashIndexWriter::finish() {
  if (auto written = write_pages_before(pages_); !written) return written;
  for (std::size_t i = 0; i < overflow_.size(); ++i) {
    // The next overflow page continues this one if this one is full and begins where the next one's page does.
    const auto& slots = overflow_[i];
    const bool continued = slots.size() == kSlotsPerPage && i + 1 < overflow_.size() &&
                           hash_page(slots.back().hash, pages_) == hash_page(overflow_[i + 1].front().hash, pages_);
    const std::uint32_t link = continued ? static_cast<std::uint32_t>(pages_ + i + 1) : 0;
    auto added = run_->add(PageType::hash_slots, static_cast<std::uint32_t>(slots.size()), link, encode_slots(slots));
    if (!added) return std::unexpected(added.error());
  }
  return {};
}

Result<void> HashIndex::read_some(Search& search) const {
  search.count = 0;
  if (run_->pages() == 0) {
    search.done = true;
    return {};
  }
  auto page = run_->page(search.page, PageType::hash_slots);
  if (!page) return std::unexpected(page.error());
  const std::uint64_t hash = search.hash;
  const auto fraction = static_cast<std::uint64_t>(static_cast<Uint128>(hash) * pages_);
  std::size_t count = 0;
  std::size_t slots = 0;
  bool more = false;
  std::uint32_t link = 0;
  auto read = os::guarded(run_->path(), 0, *page, format::kPageBytes, [&] {
    const PageView view(*page);
    count = 0;
    slots = view.count;
    link = view.link;
    // Guess, then walk to the first slot that is not before the hash.
    std::size_t at = likely_slot(fraction, view.count);
    while (at > 0 && view.hash(at - 1) >= hash) --at;
    while (at < view.count && view.hash(at) < hash) ++at;
    at += search.skip;
    for (; at < view.count && view.hash(at) == hash && count < search.found.size(); ++at) {
      search.found[count++] = view.paddr(at);
    }
    more = at < view.count && view.hash(at) == hash;
  });
  if (!read) return read;
  if (search.page < pages_ && link == 0) {
    counts_[search.page].store(static_cast<std::uint16_t>(slots), std::memory_order_release);
  }
  search.count = count;
  if (more) {
    search.skip += count;
  } else if (link == 0) {
    search.done = true;
  } else {
    if (++search.steps > run_->pages()) return circle(*run_);
    search.page = link;
    search.skip = 0;
  }
  return {};
}

HashIndex::Quick HashIndex::find_quickly(std::uint64_t hash, std::uint64_t& paddr) const noexcept {
  if (pages_ == 0) return Quick::unsure;
  const Uint128 product = static_cast<Uint128>(hash) * pages_;
  const auto number = static_cast<std::uint64_t>(product >> 64);
  const std::size_t count = known_count(number);
  const std::byte* const page = count != 0 ? run_->page_if_checked(number) : nullptr;
  if (page == nullptr) return Quick::unsure;
  const PageView view(page, count);
  std::size_t at = likely_slot(static_cast<std::uint64_t>(product), count);
  while (at > 0 && view.hash(at - 1) >= hash) --at;
  while (at < count && view.hash(at) < hash) ++at;
  if (at == count || view.hash(at) != hash) return Quick::none;
  if (at + 1 < count && view.hash(at + 1) == hash) return Quick::unsure;
  paddr = view.paddr(at);
  return Quick::one;
}

void HashIndex::prefetch(std::uint64_t hash) const noexcept {
  if (pages_ == 0) return;
  const Uint128 product = static_cast<Uint128>(hash) * pages_;
  const auto number = static_cast<std::uint64_t>(product >> 64);
  const std::size_t count = known_count(number);
  const std::byte* const page = count != 0 ? run_->page_if_checked(number) : nullptr;
  if (page == nullptr) return;
  // The slot lies within a few places of the guess, on either side.
  constexpr std::size_t kLineBytes = 64;
  const std::byte* const guess =
      page + kPageHeaderBytes + likely_slot(static_cast<std::uint64_t>(product), count) * kSlotBytes;
  __builtin_prefetch(guess - kLineBytes);
  __builtin_prefetch(guess);
  __builtin_prefetch(guess + kLineBytes);
}

Result<std::vector<Slot>> HashIndex::slots_of_page(std::uint64_t number) const {
  std::vector<Slot> slots;
  for (std::uint64_t steps = 0; steps <= run_->pages(); ++steps) {
    auto page = run_->page(number, PageType::hash_slots);
    if (!page) return std::unexpected(page.error());
    const std::size_t before = slots.size();
    std::uint32_t link = 0;
    auto read = os::guarded(run_->path(), 0, *page, format::kPageBytes, [&] {
      const PageView view(*page);
      slots.resize(before);
      link = view.link;
      for (std::size_t i = 0; i < view.count; ++i) slots.push_back({view.hash(i), view.paddr(i)});
    });
    if (!read) return std::unexpected(read.error());
    if (link == 0) return slots;
    number = link;
  }
  return circle(*run_);
}

Result<void> HashIndex::for_each(const std::function<Result<void>(const Slot&)>& visit) const {
  if (run_->pages() == 0) return {};
  for (std::uint64_t page = 0; page < pages_; ++page) {
    auto slots = slots_of_page(page);
    if (!slots) return std::unexpected(slots.error());
    for (const Slot& slot : *slots) {
      if (auto visited = visit(slot); !visited) return visited;
    }
  }
  return {};
}

}  // namespace kvb::index
