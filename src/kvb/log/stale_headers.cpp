#include "kvb/log/stale_headers.h"

#include <algorithm>
#include <array>

namespace kvb::log {

Result<std::optional<format::SegmentHeader>> header_at(const os::File& file, const format::Uuid& uuid,
                                                       std::uint64_t paddr) {
  auto file_bytes = file.size();
  if (!file_bytes) return std::unexpected(file_bytes.error());
  std::array<std::byte, format::kSegmentHeaderBytes> bytes;
  if (paddr > *file_bytes || *file_bytes - paddr < bytes.size()) return std::optional<format::SegmentHeader>{};
  if (auto read = file.read(paddr, bytes); !read) return std::unexpected(read.error());
  auto header = format::decode_segment_header(bytes);
  if (!header || header->link.paddr != paddr || header->uuid != uuid) return std::optional<format::SegmentHeader>{};
  return std::optional(*header);
}

Result<std::vector<std::uint64_t>> find_headers(const os::File& file, const format::Uuid& uuid,
                                                const space::PageRange& range) {
  auto file_bytes = file.size();
  if (!file_bytes) return std::unexpected(file_bytes.error());
  const std::uint64_t end = std::min(range.end(), *file_bytes);
  std::vector<std::uint64_t> found;
  // So much is read on before the file system is asked again for what has no blocks.
  constexpr std::uint64_t kStretch = std::uint64_t{1} << 20;
  for (std::uint64_t at = range.paddr; at < end;) {
    auto data = file.next_data(at);
    if (!data) return std::unexpected(data.error());
    at = std::max(at, *data / format::kPageBytes * format::kPageBytes);
    const std::uint64_t stretch_end = std::min(end, at + kStretch);
    for (; at < stretch_end; at += format::kPageBytes) {
      auto header = header_at(file, uuid, at);
      if (!header) return std::unexpected(header.error());
      if (*header) found.push_back(at);
    }
  }
  return found;
}

bool wipe_header(os::File& file, std::uint64_t paddr) {
  const std::array<std::byte, format::kSegmentHeaderBytes> zeros{};
  return file.write(paddr, zeros).has_value();
}

}  // namespace kvb::log
