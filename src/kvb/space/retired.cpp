#include "kvb/space/retired.h"

#include <algorithm>

#include "kvb/format/endian.h"
#include "kvb/os/mapped_read.h"

namespace kvb::space {
namespace {

constexpr std::size_t kPerPage = format::kPagePayloadBytes / kRetiredEntryBytes;

}  // namespace

Result<void> write_retired(PageRunWriter& run, const std::vector<RetiredRange>& retired) {
  std::vector<std::byte> payload;
  for (std::size_t first = 0; first < retired.size(); first += kPerPage) {
    const std::size_t count = std::min(kPerPage, retired.size() - first);
    payload.resize(count * kRetiredEntryBytes);
    for (std::size_t i = 0; i < count; ++i) {
      const RetiredRange& entry = retired[first + i];
      std::byte* const out = payload.data() + i * kRetiredEntryBytes;
      format::store_le(out, entry.range.paddr);
      format::store_le(out + 8, entry.range.pages);
      format::store_le(out + 16, entry.epoch);
    }
    auto added = run.add(format::PageType::free_map, static_cast<std::uint32_t>(count), 0, payload);
    if (!added) return std::unexpected(added.error());
  }
  return {};
}

Result<std::vector<RetiredRange>> read_retired(const PageRun& run) {
  std::vector<RetiredRange> retired;
  for (std::uint64_t number = 0; number < run.pages(); ++number) {
    auto page = run.page(number, format::PageType::free_map);
    if (!page) return std::unexpected(page.error());
    const std::size_t before = retired.size();
    auto read = os::guarded(run.path(), 0, *page, format::kPageBytes, [&] {
      retired.resize(before);
      const std::size_t count = std::min<std::size_t>(format::load_le<std::uint32_t>(*page + 48), kPerPage);
      for (std::size_t i = 0; i < count; ++i) {
        const std::byte* const at = *page + format::kPageHeaderBytes + i * kRetiredEntryBytes;
        retired.push_back({.range = {format::load_le<std::uint64_t>(at), format::load_le<std::uint64_t>(at + 8)},
                           .epoch = format::load_le<std::uint64_t>(at + 16)});
      }
    });
    if (!read) return std::unexpected(read.error());
  }
  return retired;
}

}  // namespace kvb::space
