#include "kvb/index/base.h"

#include <array>

namespace kvb::index {

Result<std::unique_ptr<Base>> Base::open(const os::File& file, const format::Superblock& superblock) {
  std::unique_ptr<Base> base(new Base);
  base->superblock_ = superblock;
  const auto open_run = [&](const format::Root& root) {
    return space::PageRun::open(file, superblock.uuid, root, superblock.epoch);
  };
  auto hashes = open_run(superblock.hash_directory);
  if (!hashes) return std::unexpected(hashes.error());
  if (superblock.hash_pages > (*hashes)->pages() || ((*hashes)->pages() != 0 && superblock.hash_pages == 0)) {
    return std::unexpected(Error{.code = ErrorCode::damaged,
                                 .message = "The superblock states more pages of the hash index than there are. `kvb "
                                            "repair` builds the bucket anew from its records.",
                                 .path = file.path()});
  }
  base->hashes_ = std::make_unique<HashIndex>(std::move(*hashes), superblock.hash_pages);
  auto keys = open_run(superblock.key_table);
  if (!keys) return std::unexpected(keys.error());
  base->keys_ = std::make_unique<KeyTable>(std::move(*keys));
  auto segment_run = open_run(superblock.segment_table);
  if (!segment_run) return std::unexpected(segment_run.error());
  base->segment_run_ = std::move(*segment_run);
  auto segments = log::read_segments(*base->segment_run_);
  if (!segments) return std::unexpected(segments.error());
  base->segments_ = std::move(*segments);
  auto retired_run = open_run(superblock.retired);
  if (!retired_run) return std::unexpected(retired_run.error());
  base->retired_run_ = std::move(*retired_run);
  auto retired = space::read_retired(*base->retired_run_);
  if (!retired) return std::unexpected(retired.error());
  base->retired_ = std::move(*retired);
  for (const format::Root* root : {&superblock.dictionaries, &superblock.dictionaries_copy}) {
    if (root->paddr == 0) continue;
    auto run = open_run(*root);
    if (!run && run.error().code != ErrorCode::damaged && run.error().code != ErrorCode::io_error) {
      return std::unexpected(run.error());
    }
    if (!run || !space::read_dictionaries(**run, superblock.uuid, base->dictionaries_)) {
      base->damaged_dictionary_copies_.push_back(root->paddr);
    }
    if (!run) continue;
    const auto ranges = (*run)->ranges();
    base->dictionary_ranges_.insert(base->dictionary_ranges_.end(), ranges.begin(), ranges.end());
  }
  const auto ranges = base->ranges();
  for (const auto* part : {&ranges.hashes, &ranges.keys, &ranges.tables}) {
    for (const auto& range : *part) base->bytes_ += range.bytes();
  }
  return base;
}

Base::Ranges Base::ranges() const {
  Ranges ranges{.hashes = hashes_->run().ranges(),
                .keys = keys_->run().ranges(),
                .tables = segment_run_->ranges(),
                .dictionaries = dictionary_ranges_};
  const auto retired = retired_run_->ranges();
  ranges.tables.insert(ranges.tables.end(), retired.begin(), retired.end());
  return ranges;
}

Result<std::uint64_t> Base::check_all_pages() const {
  std::uint64_t bytes = 0;
  const std::array<const space::PageRun*, 4> runs{&hashes_->run(), &keys_->run(), segment_run_.get(),
                                                  retired_run_.get()};
  for (const space::PageRun* run : runs) {
    for (std::uint64_t number = 0; number < run->pages(); ++number) {
      // What was checked when it was first touched may have been damaged since.
      if (auto page = run->check_again(number); !page) return std::unexpected(page.error());
      bytes += format::kPageBytes;
    }
  }
  return bytes;
}

}  // namespace kvb::index
