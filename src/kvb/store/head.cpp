#include "kvb/store/head.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "kvb/format/endian.h"
#include "kvb/format/identity.h"
#include "kvb/format/live_page.h"
#include "kvb/format/segment.h"
#include "kvb/os/system_error.h"

namespace kvb::store {
namespace {

using format::kHeadBytes;
using format::kIdentityBytes;
using format::kPageBytes;
using format::Superblock;
using format::SuperblockFault;

using Page = std::array<std::byte, kPageBytes>;

// The page, or zeros for what the file does not have of it.
Result<Page> read_page(const os::File& file, std::uint64_t offset, std::uint64_t file_bytes) {
  Page page{};
  if (offset < file_bytes) {
    const std::size_t there = static_cast<std::size_t>(std::min<std::uint64_t>(kPageBytes, file_bytes - offset));
    if (auto read = file.read(offset, os::MutableBytes(page).first(there)); !read) {
      return std::unexpected(read.error());
    }
  }
  return page;
}

bool is_zero(os::Bytes bytes) noexcept {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

// A page of the head whose device sector cannot be read must not hide the copy beside it.
Result<std::expected<Superblock, SuperblockFault>> read_superblock(const os::File& file, std::uint64_t offset,
                                                                   std::uint64_t file_bytes) {
  auto page = read_page(file, offset, file_bytes);
  if (!page) {
    if (page.error().code == ErrorCode::io_error)
      return std::expected<Superblock, SuperblockFault>(std::unexpected(SuperblockFault::bad_crc));
    return std::unexpected(page.error());
  }
  return format::decode_superblock(*page);
}

// The major version that a superblock names, whether or not its checksum is right; nothing if it is none.
std::optional<std::uint16_t> stated_version(const os::File& file, std::uint64_t offset, std::uint64_t file_bytes) {
  constexpr std::array<std::byte, 4> kMagic{std::byte{'K'}, std::byte{'V'}, std::byte{'B'}, std::byte{'K'}};
  const auto page = read_page(file, offset, file_bytes);
  if (!page || !std::ranges::equal(kMagic, std::span(*page).first(kMagic.size()))) return std::nullopt;
  return format::load_le<std::uint16_t>(page->data() + kMagic.size());
}

Result<bool> has_valid_identity(const os::File& file, std::uint64_t file_bytes) {
  auto page = read_page(file, format::kIdentityOffset, file_bytes);
  if (!page) return page.error().code == ErrorCode::io_error ? Result<bool>(false) : std::unexpected(page.error());
  return format::decode_identity(std::span(*page).first<kIdentityBytes>()).has_value();
}

}  // namespace

Result<Head> load_head(const os::File& file) {
  auto file_bytes = file.size();
  if (!file_bytes) return std::unexpected(file_bytes.error());
  auto a = read_superblock(file, format::kSuperblockAOffset, *file_bytes);
  if (!a) return std::unexpected(a.error());
  auto b = read_superblock(file, format::kSuperblockBOffset, *file_bytes);
  if (!b) return std::unexpected(b.error());
  auto identity = has_valid_identity(file, *file_bytes);
  if (!identity) return std::unexpected(identity.error());

  const auto fault_is = [&](SuperblockFault fault) {
    return (!*a && a->error() == fault) || (!*b && b->error() == fault);
  };
  if (fault_is(SuperblockFault::new_version)) {
    return os::failure(ErrorCode::unsupported,
                       "This bucket was written by a newer version of the format than version 1, which this program "
                       "knows. Use a newer "
                       "program to open it; nothing was changed.",
                       file.path());
  }
  if (!*a && !*b) {
    if (fault_is(SuperblockFault::bad_field)) {
      return os::failure(ErrorCode::unsupported,
                         "The superblock of this bucket has values that this program does not know (for example "
                         "another page size). Use the "
                         "program that made it; nothing was changed.",
                         file.path());
    }
    if (*file_bytes == 0) {
      return os::failure(ErrorCode::not_a_bucket,
                         "The file is empty, so it is no bucket. If it should become one, use open-or-create (kvb "
                         "init, or in WFL: open or create "
                         "keystore).",
                         file.path());
    }
    auto unfinished = creation_unfinished(file);
    if (unfinished && *unfinished) {
      return os::failure(ErrorCode::not_a_bucket,
                         "The creation of this bucket was never finished, and nothing is stored in it. Use "
                         "open-or-create (kvb init, or in WFL: "
                         "open or create keystore) to start afresh.",
                         file.path());
    }
    // A version that computes its checksum in another way: two copies are hardly ever damaged alike.
    const auto version_a = stated_version(file, format::kSuperblockAOffset, *file_bytes);
    const auto version_b = stated_version(file, format::kSuperblockBOffset, *file_bytes);
    if (version_a && version_b && *version_a == *version_b && *version_a > format::kVersionMajor) {
      return os::failure(
          ErrorCode::unsupported,
          "Both superblocks of this bucket state version " + std::to_string(*version_a) +
              " of the format, and this program knows version 1. Use a newer program to open it; nothing "
              "was changed. (If no newer program ever wrote to it, both are damaged.)",
          file.path());
    }
    if (*identity || fault_is(SuperblockFault::bad_crc)) {
      return os::failure(ErrorCode::damaged,
                         "Both superblocks of this bucket are damaged. The records in it may be whole: keep the file, "
                         "and take a copy before "
                         "anything else.",
                         file.path(), format::kSuperblockAOffset);
    }
    return os::failure(ErrorCode::not_a_bucket,
                       "This file is not a bucket: it does not begin as one. It was left as it is; check the path.",
                       file.path());
  }

  if (*file_bytes < kHeadBytes) {
    // The head's length is synced before its first superblock is written.
    return os::failure(ErrorCode::damaged,
                       "This bucket was cut short from outside: it has " + std::to_string(*file_bytes) +
                           " bytes, and its head alone has 65536. What it held is not in this file any more: restore "
                           "it from a copy.",
                       file.path(), *file_bytes);
  }
  Head head{.superblock = !*b || (*a && (*a)->epoch >= (*b)->epoch) ? **a : **b,
            .a_valid = a->has_value(),
            .b_valid = b->has_value(),
            .identity_valid = *identity,
            .newest_is_a = !*b || (*a && (*a)->epoch >= (*b)->epoch)};
  head.both_name_dictionaries = !*a || !*b || (*a)->dictionaries == (*b)->dictionaries;
  if (*a && *b && (head.superblock.flags & format::kFlagJournalMoved) != 0) {
    const Superblock& other = head.newest_is_a ? **b : **a;
    head.other_is_misleading =
        !(other.journal.segment == head.superblock.journal.segment) || !(other.retired == head.superblock.retired);
  }
  if ((head.superblock.features_incompatible & ~format::kKnownIncompatible) != 0) {
    return os::failure(ErrorCode::unsupported,
                       "This bucket uses a feature that this program does not know (incompatible feature bits " +
                           std::to_string(head.superblock.features_incompatible) +
                           "). Use a newer program to open it; nothing was changed.",
                       file.path());
  }
  head.only_for_reading = (head.superblock.features_read_only_compatible & ~format::kKnownReadOnlyCompatible) != 0;
  return head;
}

Result<bool> creation_unfinished(const os::File& file) {
  auto file_bytes = file.size();
  if (!file_bytes) return std::unexpected(file_bytes.error());
  if (*file_bytes > kHeadBytes) return false;
  std::vector<std::byte> bytes(*file_bytes);
  if (auto read = file.read(0, bytes); !read) return std::unexpected(read.error());
  if (is_zero(bytes)) return true;
  bytes.resize(kHeadBytes);
  const auto page = [&](std::uint64_t offset) { return std::span(bytes).subspan(offset).first<kPageBytes>(); };
  if (format::decode_superblock(page(format::kSuperblockAOffset)) ||
      format::decode_superblock(page(format::kSuperblockBOffset))) {
    return false;
  }
  return format::decode_identity(page(format::kIdentityOffset).first<kIdentityBytes>()).has_value();
}

Result<void> create_head(os::Environment& environment, os::File& file, const Compression& compression) {
  Superblock superblock;
  environment.fill_random(superblock.uuid);
  std::array<std::byte, 16> random;
  environment.fill_random(random);
  superblock.hash_seed = format::load_le<std::uint64_t>(random.data());
  superblock.created_ns = environment.wall_clock_ns();
  superblock.newest_wall_ns = superblock.created_ns;
  superblock.file_bytes = kHeadBytes;
  superblock.epoch = 1;
  superblock.journal = {
      .segment = {.id = 1, .paddr = kHeadBytes, .salt = format::load_le<std::uint64_t>(random.data() + 8)},
      .offset = format::kSegmentHeaderBytes,
      .seqno = 1};
  superblock.commit_paddr = kHeadBytes + format::kSegmentHeaderBytes;
  superblock.counters.next_segment_id = 2;
  if (compression.method == Compression::Method::zstd) {
    superblock.compression = 1;
    superblock.compression_level = compression.level;
    superblock.features_incompatible = format::kFeatureCompression;
  }

  // (1) Who it is, and its length.
  Page page{};
  format::encode_identity(format::identity_of(superblock), std::span(page).first<kIdentityBytes>());
  if (auto done = file.truncate(0); !done) return done;
  if (auto done = file.allocate(0, kHeadBytes); !done) return done;
  if (auto done = file.write(format::kIdentityOffset, page); !done) return done;
  if (auto done = file.sync(os::SyncKind::all); !done) return done;

  // (2) What makes it a bucket. The pages are written one by one, so that a later store to one word dirties one page
  // only.
  page.fill(std::byte{0});
  for (const std::uint64_t word : {format::kPublishedWord, format::kSyncedWord}) {
    format::store_le(page.data() + (word - format::kLivePageOffset), std::uint64_t{0});
    format::store_le(page.data() + (word - format::kLivePageOffset) + format::kComplementDistance, ~std::uint64_t{0});
  }
  format::store_le(page.data() + (format::kEpochWord - format::kLivePageOffset), superblock.epoch);
  format::store_le(page.data() + (format::kEpochWord - format::kLivePageOffset) + format::kComplementDistance,
                   ~superblock.epoch);
  if (auto done = file.write(format::kLivePageOffset, page); !done) return done;
  format::encode_superblock(superblock, page);
  if (auto done = file.write(format::kSuperblockBOffset, page); !done) return done;
  if (auto done = file.write(format::kSuperblockAOffset, page); !done) return done;
  if (auto done = file.sync(os::SyncKind::all); !done) return done;

  // (3) Its name.
  return environment.sync_directory_of(file.path());
}

Result<void> heal_head(os::File& file, const Head& head) {
  Page page;
  format::encode_superblock(head.superblock, page);
  const std::uint64_t newest = head.newest_is_a ? format::kSuperblockAOffset : format::kSuperblockBOffset;
  const std::uint64_t other = head.newest_is_a ? format::kSuperblockBOffset : format::kSuperblockAOffset;
  if (auto done = file.write(newest, page); !done) return done;
  const bool other_is_valid = head.newest_is_a ? head.b_valid : head.a_valid;
  if (head.other_is_misleading) {
    // It is valid: it may be overwritten only when the newest one is known to be durable.
    if (auto done = file.sync(os::SyncKind::all); !done) return done;
  }
  if (!other_is_valid || head.other_is_misleading) {
    if (auto done = file.write(other, page); !done) return done;
  }
  if (!head.identity_valid) {
    page.fill(std::byte{0});
    format::encode_identity(format::identity_of(head.superblock), std::span(page).first<kIdentityBytes>());
    if (auto done = file.write(format::kIdentityOffset, page); !done) return done;
  }
  return {};
}

}  // namespace kvb::store
