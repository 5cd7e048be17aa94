#pragma once
// The first 64 KiB of a bucket: making them, reading them, putting a lost copy back.
//
// Creation: (1) the identity block is written and the file extended to the whole head, sync; (2) the live words and
// both superblocks, sync; (3) the directory entry is synced. The bucket exists once a superblock is valid. A crash
// before that leaves a file without any superblock, no longer than the head, that is empty, all zero, or has a valid
// identity block: nothing can ever have been stored in it, so open_or_create starts afresh. The identity block is one
// sector, so it is whole or not there.

#include <kvb/bucket.h>

#include <cstdint>

#include "kvb/format/superblock.h"
#include "kvb/os/file.h"

namespace kvb::store {

struct Head {
  format::Superblock superblock;  // The valid one with the larger epoch.
  bool a_valid = false;
  bool b_valid = false;
  bool identity_valid = false;
  bool newest_is_a = true;  // Where `superblock` was read.
  // The other copy is valid, and would lead to a place where the log does not go on (format::kFlagJournalMoved).
  bool other_is_misleading = false;
  bool both_name_dictionaries =
      false;                      // The same ones; or one copy is not valid, and will be written again from the other.
  bool only_for_reading = false;  // It uses a read-only-compatible feature that this version does not know.
};

// `not_a_bucket`, `unsupported` or `damaged`, each with its own sentence, if there is no usable superblock.
[[nodiscard]] Result<Head> load_head(const os::File& file);

// Is this what a crash inside creation leaves behind? Never true for a file that could hold anything of anybody's.
[[nodiscard]] Result<bool> creation_unfinished(const os::File& file);

// Writes a new head into an empty file, or over an unfinished creation.
[[nodiscard]] Result<void> create_head(os::Environment& environment, os::File& file, const Compression& compression);

// Before a bucket is written to: writes the copies again that `head` says are not valid, and also the superblock that
// counts, the same bytes to the same place. It may be in the page cache only, if the sync that was to make it durable
// failed (store/adopt.cpp says more): then a sync now would not write it, and the next flip, which overwrites the other
// copy, would leave none. A misleading other copy is replaced. Not synced, but for what that needs.
[[nodiscard]] Result<void> heal_head(os::File& file, const Head& head);

}  // namespace kvb::store
