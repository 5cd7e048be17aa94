#pragma once
// Opens buckets in an environment other than the operating system's: the simulated disk and clock of the tests.

#include <kvb/bucket.h>
#include <kvb/repair.h>

#include "kvb/os/file.h"

namespace kvb {

// The same as Bucket::create, open and open_or_create. `environment` must outlive the Bucket.
[[nodiscard]] Result<Bucket> create_with(os::Environment& environment, const std::string& path,
                                         const CreateOptions& options = {});
[[nodiscard]] Result<Bucket> open_with(os::Environment& environment, const std::string& path,
                                       const OpenOptions& options = {});
[[nodiscard]] Result<Bucket> open_or_create_with(os::Environment& environment, const std::string& path,
                                                 const OpenOptions& options = {});
[[nodiscard]] Result<RepairReport> repair_with(os::Environment& environment, const std::string& path,
                                               const std::string& target, const RepairOptions& options = {});

}  // namespace kvb
