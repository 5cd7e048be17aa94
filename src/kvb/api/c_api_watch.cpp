// The C API: watching the writes of a bucket.

#include <kvb/kvb.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "kvb/api/c_api_support.h"

// The changes of a step are handed out one by one.
struct kvb_watch {
  kvb::Watch watch;
  std::vector<kvb::Change> changes;
  std::size_t next = 0;           // Index of the change to hand out next.
  std::uint64_t seqno_given = 0;  // Of the one before it, as long as there are more.
  kvb_change shown{};
  kvb_value shown_value{};
};

namespace {

using kvb::Result;
using namespace kvb::c_api;

static_assert(static_cast<int>(kvb::Change::Type::put) == KVB_CHANGE_PUT);
static_assert(static_cast<int>(kvb::Change::Type::remove) == KVB_CHANGE_REMOVE);

Result<kvb::WatchOptions> read_watch_options(const kvb_watch_options* given) {
  const auto options = read_options(given);
  if (!options) return std::unexpected(options.error());
  const auto prefix = bytes(options->prefix, options->prefix_size, "The prefix is a NULL pointer with a size.");
  if (!prefix) return std::unexpected(prefix.error());
  if (options->reserved != 0) return invalid("The reserved field of kvb_watch_options must be 0.");
  kvb::WatchOptions result;
  result.prefix = *prefix;
  result.keys_only = options->keys_only != 0;
  if (options->has_from_seqno != 0) {
    result.from_seqno = options->from_seqno;
  } else if (options->from_seqno != 0) {
    return invalid("A number of a write is given but has_from_seqno is 0. Set has_from_seqno to 1.");
  }
  return result;
}

}  // namespace

kvb_code kvb_watch_open(const kvb_bucket* bucket, const kvb_watch_options* options, kvb_watch** watch,
                        kvb_error** error) noexcept {
  if (watch != nullptr) *watch = nullptr;
  return guarded(error, [&]() -> Result<void> {
    const auto source = bucket_of(bucket);
    if (!source) return std::unexpected(source.error());
    if (watch == nullptr) return invalid("There is no place for the watch: `watch` is a NULL pointer.");
    const auto given = read_watch_options(options);
    if (!given) return std::unexpected(given.error());
    auto begun = (*source)->watch(*given);
    if (!begun) return std::unexpected(begun.error());
    *watch = std::make_unique<kvb_watch>(kvb_watch{.watch = std::move(*begun), .changes = {}}).release();
    return {};
  });
}

kvb_code kvb_watch_next(kvb_watch* watch, int64_t timeout_ms, const kvb_change** change, kvb_error** error) noexcept {
  if (change != nullptr) *change = nullptr;
  return guarded(error, [&]() -> Result<void> {
    if (watch == nullptr) return invalid("The watch is a NULL pointer. Open one with kvb_watch_open.");
    if (change == nullptr) return invalid("There is no place for the change: `change` is a NULL pointer.");
    if (timeout_ms < 0) return invalid("timeout_ms must be 0 or a number of milliseconds.");
    if (watch->next == watch->changes.size()) {
      auto step = watch->watch.next(std::chrono::milliseconds(timeout_ms));
      if (!step) return std::unexpected(step.error());
      watch->changes = std::move(*step);
      watch->next = 0;
      if (watch->changes.empty()) return {};
    }
    const kvb::Change& given = watch->changes[watch->next++];
    watch->seqno_given = given.value.seqno;
    describe(watch->shown_value, given.value);
    watch->shown = {.type = static_cast<std::int32_t>(given.type),
                    .key = given.key.c_str(),
                    .key_size = given.key.size(),
                    .value = &watch->shown_value};
    *change = &watch->shown;
    return {};
  });
}

uint64_t kvb_watch_seqno(const kvb_watch* watch) noexcept {
  if (watch == nullptr) return 0;
  return watch->next == watch->changes.size() ? watch->watch.seqno() : watch->seqno_given;
}

void kvb_watch_close(kvb_watch* watch) noexcept {
  delete watch;
}
