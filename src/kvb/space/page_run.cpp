#include "kvb/space/page_run.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "kvb/format/crc32c.h"
#include "kvb/format/endian.h"
#include "kvb/os/mapped_read.h"
#include "kvb/os/system_error.h"

namespace kvb::space {

using format::kPageBytes;
using format::kPageHeaderBytes;
using format::PageHeader;
using format::PageType;

namespace {

std::unexpected<Error> damaged_page(const std::string& path, std::uint64_t paddr, const std::string& what) {
  return os::failure(ErrorCode::damaged,
                     "A page of the index is damaged: " + what +
                         ". The records themselves are not concerned: `kvb repair` builds the bucket anew from them.",
                     path, paddr);
}

}  // namespace

PageRunWriter::PageRunWriter(os::File& file, const format::Uuid& uuid, std::uint64_t epoch, AllocatePages allocate,
                             std::function<Result<void>()> pace)
    : file_(&file), uuid_(uuid), epoch_(epoch), allocate_(std::move(allocate)), pace_(std::move(pace)) {}

Result<std::uint64_t> PageRunWriter::add(PageType type, std::uint32_t count, std::uint32_t link, os::Bytes payload) {
  if (extent_.empty()) {
    extent_.resize(kPageBytes);  // The checksum page comes when the extent is complete.
    extent_first_ = next_page_;
  }
  const std::size_t at = extent_.size();
  extent_.resize(at + kPageBytes);
  // Its place is filled in by write_extent, when the extent has one.
  format::encode_page_header(
      {.type = type, .uuid = uuid_, .logical_id = next_page_, .epoch = epoch_, .count = count, .link = link},
      std::span(extent_).subspan(at).first<kPageHeaderBytes>());
  std::ranges::copy(payload, extent_.begin() + static_cast<std::ptrdiff_t>(at + kPageHeaderBytes));
  const std::uint64_t number = next_page_++;
  if (next_page_ - extent_first_ == kExtentDataPages) {
    if (auto written = write_extent(); !written) return std::unexpected(written.error());
  }
  return number;
}

Result<void> PageRunWriter::write_extent() {
  const std::uint64_t data_pages = next_page_ - extent_first_;
  auto paddr = allocate_(data_pages + 1);
  if (!paddr) return std::unexpected(paddr.error());
  taken_.push_back({*paddr, data_pages + 1});
  std::byte* checksums = extent_.data() + kPageHeaderBytes;
  for (std::uint64_t i = 0; i < data_pages; ++i) {
    const auto page = std::span(extent_).subspan((i + 1) * kPageBytes, kPageBytes);
    auto header = *format::decode_page_header(page.first<kPageHeaderBytes>());
    header.paddr = *paddr + (i + 1) * kPageBytes;
    format::encode_page_header(header, page.first<kPageHeaderBytes>());
    format::store_le(checksums + i * sizeof(std::uint32_t), format::crc32c(page));
  }
  format::encode_page_header({.type = PageType::checksums,
                              .uuid = uuid_,
                              .logical_id = extent_first_,
                              .epoch = epoch_,
                              .paddr = *paddr,
                              .count = static_cast<std::uint32_t>(data_pages)},
                             std::span(extent_).first<kPageHeaderBytes>());
  entries_.push_back({.paddr = *paddr,
                      .pages = static_cast<std::uint32_t>(data_pages),
                      .crc = format::crc32c(std::span(extent_).first(kPageBytes))});
  auto written = file_->write(*paddr, extent_);
  extent_.clear();
  if (written && pace_ && data_pages == kExtentDataPages) written = pace_();
  return written;
}

Result<format::Root> PageRunWriter::finish() {
  if (!extent_.empty()) {
    if (auto written = write_extent(); !written) return std::unexpected(written.error());
  }
  if (entries_.empty()) return format::Root{};
  const std::uint64_t root_pages = (entries_.size() + kExtentsPerRootPage - 1) / kExtentsPerRootPage;
  auto paddr = allocate_(root_pages);
  if (!paddr) return std::unexpected(paddr.error());
  taken_.push_back({*paddr, root_pages});
  std::vector<std::byte> bytes(root_pages * kPageBytes);
  for (std::uint64_t p = 0; p < root_pages; ++p) {
    const std::uint64_t first = p * kExtentsPerRootPage;
    const std::uint64_t count = std::min<std::uint64_t>(kExtentsPerRootPage, entries_.size() - first);
    std::byte* page = bytes.data() + p * kPageBytes;
    format::encode_page_header({.type = PageType::root,
                                .uuid = uuid_,
                                .logical_id = p,
                                .epoch = epoch_,
                                .paddr = *paddr + p * kPageBytes,
                                .count = static_cast<std::uint32_t>(count)},
                               std::span<std::byte, kPageHeaderBytes>(page, kPageHeaderBytes));
    for (std::uint64_t i = 0; i < count; ++i) {
      std::byte* entry = page + kPageHeaderBytes + i * kExtentEntryBytes;
      format::store_le(entry, entries_[first + i].paddr);
      format::store_le(entry + 8, entries_[first + i].pages);
      format::store_le(entry + 12, entries_[first + i].crc);
    }
  }
  if (auto written = file_->write(*paddr, bytes); !written) return std::unexpected(written.error());
  return format::Root{.paddr = *paddr, .bytes = bytes.size(), .crc = format::crc32c(bytes), .levels = 1};
}

Result<std::unique_ptr<PageRun>> PageRun::open(const os::File& file, const format::Uuid& uuid, const format::Root& root,
                                               std::uint64_t epoch) {
  std::unique_ptr<PageRun> run(new PageRun(file, uuid, epoch));
  run->root_ = root;
  if (root.paddr == 0) return run;
  constexpr std::uint64_t kMostRootBytes = std::uint64_t{1} << 30;
  auto file_bytes = file.size();
  if (!file_bytes) return std::unexpected(file_bytes.error());
  const bool possible = root.bytes != 0 && root.bytes % kPageBytes == 0 && root.bytes <= kMostRootBytes &&
                        root.paddr % kPageBytes == 0 && root.paddr <= *file_bytes &&
                        root.bytes <= *file_bytes - root.paddr && root.levels == 1;
  if (!possible) return damaged_page(file.path(), root.paddr, "its root lies outside the file");
  std::vector<std::byte> bytes(root.bytes);
  if (auto read = file.read(root.paddr, bytes); !read) return std::unexpected(read.error());
  if (format::crc32c(bytes) != root.crc)
    return damaged_page(file.path(), root.paddr, "the checksum of its root is wrong");
  for (std::uint64_t p = 0; p < root.bytes / kPageBytes; ++p) {
    const std::byte* page = bytes.data() + p * kPageBytes;
    const std::uint64_t paddr = root.paddr + p * kPageBytes;
    const auto header =
        format::decode_page_header(std::span<const std::byte, kPageHeaderBytes>(page, kPageHeaderBytes));
    if (!header || header->type != PageType::root || header->uuid != uuid || header->logical_id != p ||
        header->epoch > epoch || header->paddr != paddr || header->count > kExtentsPerRootPage) {
      return damaged_page(file.path(), paddr, "it is not the root page that the superblock names");
    }
    for (std::uint32_t i = 0; i < header->count; ++i) {
      const std::byte* entry = page + kPageHeaderBytes + i * kExtentEntryBytes;
      Extent extent{.paddr = format::load_le<std::uint64_t>(entry),
                    .pages = format::load_le<std::uint32_t>(entry + 8),
                    .crc = format::load_le<std::uint32_t>(entry + 12),
                    .data = nullptr,
                    .seen = nullptr};
      // All but the last are full.
      const bool full_before = run->pages_ % kExtentDataPages == 0;
      const bool fits = full_before && extent.pages >= 1 && extent.pages <= kExtentDataPages &&
                        extent.paddr % kPageBytes == 0 && extent.paddr <= *file_bytes &&
                        (extent.pages + 1) * kPageBytes <= *file_bytes - extent.paddr;
      if (!fits) return damaged_page(file.path(), paddr, "an extent lies outside the file");
      auto data = file.map(extent.paddr, (extent.pages + 1) * kPageBytes);
      if (!data) return std::unexpected(data.error());
      extent.data = *data;
      extent.seen = std::make_unique<std::atomic<std::uint64_t>[]>((extent.pages + 1 + 63) / 64);
      run->pages_ += extent.pages;
      run->extents_.push_back(std::move(extent));
    }
  }
  return run;
}

Result<void> PageRun::check(const Extent& extent, std::uint64_t index, PageType type, std::uint64_t logical_id,
                            std::uint32_t crc) const {
  const std::byte* page = extent.data + index * kPageBytes;
  const std::uint64_t paddr = extent.paddr + index * kPageBytes;
  bool right = false;
  auto read = os::guarded(file_->path(), paddr, page, kPageBytes, [&] {
    const auto header =
        format::decode_page_header(std::span<const std::byte, kPageHeaderBytes>(page, kPageHeaderBytes));
    right = header && (type == PageType::any || header->type == type) && header->uuid == uuid_ &&
            header->logical_id == logical_id && header->epoch <= epoch_ && header->paddr == paddr &&
            format::crc32c({page, kPageBytes}) == crc;
  });
  if (!read) return read;
  if (!right) return damaged_page(file_->path(), paddr, "its checksum or its header is wrong");
  extent.seen[index / 64].fetch_or(std::uint64_t{1} << (index % 64), std::memory_order_release);
  return {};
}

Result<const std::byte*> PageRun::page(std::uint64_t number, PageType type) const {
  if (number >= pages_) return damaged_page(file_->path(), root_.paddr, "it names a page that does not exist");
  if (const std::byte* const known = page_if_checked(number)) return known;
  const Extent& extent = extents_[number / kExtentDataPages];
  const std::uint64_t index = number % kExtentDataPages + 1;
  const auto seen = [&](std::uint64_t i) {
    return (extent.seen[i / 64].load(std::memory_order_acquire) >> (i % 64) & 1) != 0;
  };
  if (!seen(index)) {
    if (!seen(0)) {
      auto checked = check(extent, 0, PageType::checksums, number - (index - 1), extent.crc);
      if (!checked) return std::unexpected(checked.error());
    }
    std::uint32_t crc = 0;
    const std::byte* at = extent.data + kPageHeaderBytes + (index - 1) * sizeof(std::uint32_t);
    auto read =
        os::guarded(file_->path(), extent.paddr, at, sizeof crc, [&] { crc = format::load_le<std::uint32_t>(at); });
    if (!read) return std::unexpected(read.error());
    if (auto checked = check(extent, index, type, number, crc); !checked) return std::unexpected(checked.error());
  }
  return extent.data + index * kPageBytes;
}

Result<void> PageRun::check_again(std::uint64_t number) const {
  if (number >= pages_) return damaged_page(file_->path(), root_.paddr, "it names a page that does not exist");
  const Extent& extent = extents_[number / kExtentDataPages];
  const std::uint64_t index = number % kExtentDataPages + 1;
  for (const std::uint64_t i : {std::uint64_t{0}, index}) {
    extent.seen[i / 64].fetch_and(~(std::uint64_t{1} << (i % 64)), std::memory_order_acq_rel);
  }
  auto checked = page(number, PageType::any);
  return checked ? Result<void>{} : std::unexpected(checked.error());
}

std::vector<PageRange> PageRun::ranges() const {
  std::vector<PageRange> all;
  for (const auto& extent : extents_) all.push_back({extent.paddr, extent.pages + 1});
  if (root_.paddr != 0) all.push_back({root_.paddr, root_.bytes / kPageBytes});
  return all;
}

}  // namespace kvb::space
