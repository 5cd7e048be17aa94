#pragma once
// Buckets for the fuzz targets: valid ones of many shapes, changed by a short script (the fuzzer's input), and then
// with their checksums made right again, so that what lies behind the checksums is reached.
//
// The script: which bucket, which checksums are made right, then up to 24 edits of eight bytes each:
//   kind, place, number of the place, offset in it (2), value (2), length

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kvb/os/sim/sim_disk.h"

namespace kvb::fuzzing {

using FileBytes = std::vector<std::byte>;

// A changed bucket; empty if the script is too short.
FileBytes mutated_bucket(const std::uint8_t* data, std::size_t size);

// Reads it in every way; writes to a copy of it, with checkpoints, and opens that again. Whatever the bytes are, each
// call must end, with a value or an error. `write_and_reopen` is the longer half.
void use_bucket(const FileBytes& file, bool write_and_reopen);

// Salvages it; what comes out must be a bucket without faults.
void repair_bucket(const FileBytes& file);

}  // namespace kvb::fuzzing
