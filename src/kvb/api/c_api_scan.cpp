// The C API: scans with a callback, cursors, counting; on a bucket and on a snapshot of it.

#include "kvb/api/c_api_support.h"

#include <kvb/kvb.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using kvb::Result;
using namespace kvb::c_api;

// How far a cursor reads ahead.
constexpr std::size_t kCursorEntries = 1024;
constexpr std::size_t kCursorBytes = 1024 * 1024;

Result<kvb::ScanOptions> read_scan_options(const kvb_scan_options* given) {
  const auto options = read_options(given);
  if (!options) return std::unexpected(options.error());
  kvb::ScanOptions result;
  const auto prefix = bytes(options->prefix, options->prefix_size, "The prefix is a NULL pointer with a size.");
  if (!prefix) return std::unexpected(prefix.error());
  const auto from = bytes(options->from, options->from_size, "`from` is a NULL pointer with a size.");
  if (!from) return std::unexpected(from.error());
  const auto to = bytes(options->to, options->to_size, "`to` is a NULL pointer with a size.");
  if (!to) return std::unexpected(to.error());
  result.prefix = *prefix;
  if (options->from != nullptr) result.from = *from;
  if (options->to != nullptr) result.to = *to;
  result.reverse = options->reverse != 0;
  result.keys_only = options->keys_only != 0;
  if (options->has_limit != 0) {
    result.limit = options->limit;
  } else if (options->limit != 0) {
    return invalid("A limit is given but has_limit is 0. Set has_limit to 1.");
  }
  return result;
}

// The following do the same on a kvb::Bucket and on a kvb::Snapshot; `source` is Result<Source*>.

template <typename Source>
kvb_code scan(const Result<Source*>& source, const kvb_scan_options* options, kvb_visit_function visit, void* context,
              kvb_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    if (!source) return std::unexpected(source.error());
    if (visit == nullptr) return invalid("The function that visits is a NULL pointer.");
    const auto given = read_scan_options(options);
    if (!given) return std::unexpected(given.error());
    return (*source)->scan(*given, [&](kvb::Entry&& entry) {
      kvb_entry shown{};
      kvb_value shown_value{};
      describe(shown, shown_value, entry);
      return visit(context, &shown);
    });
  });
}

template <typename Source>
kvb_code count_keys(const Result<Source*>& source, const kvb_scan_options* options, uint64_t* count,
                    kvb_error** error) noexcept {
  if (count != nullptr) *count = 0;
  return guarded(error, [&]() -> Result<void> {
    if (!source) return std::unexpected(source.error());
    if (count == nullptr) return invalid("There is no place for the number: `count` is a NULL pointer.");
    const auto given = read_scan_options(options);
    if (!given) return std::unexpected(given.error());
    const auto result = (*source)->count(*given);
    if (!result) return std::unexpected(result.error());
    *count = *result;
    return {};
  });
}

}  // namespace

// A cursor is a snapshot that is scanned in steps: each step is a scan of its own that begins where the last one ended.
// The buffer holds one step's entries; the key of its last entry is where the next step goes on.
struct kvb_cursor {
  std::shared_ptr<const kvb::Snapshot> snapshot;
  kvb::ScanOptions options;         // Of what is still to be visited; `limit` counts down.
  std::vector<kvb::Entry> entries;  // Read ahead.
  std::size_t next = 0;             // Index of the entry to hand out next.
  bool at_end = false;              // Nothing is to be read any more.
  kvb_entry shown{};
  kvb_value shown_value{};

  // Reads the next step into the buffer, which has been used up.
  Result<void> read_ahead() {
    std::vector<kvb::Entry> step;
    std::size_t step_bytes = 0;
    bool stopped = false;
    const auto scanned = snapshot->scan(options, [&](kvb::Entry&& entry) {
      step_bytes += entry.key.size() + entry.value.bytes.size();
      step.push_back(std::move(entry));
      stopped = step.size() >= kCursorEntries || step_bytes >= kCursorBytes;
      return !stopped;
    });
    if (!scanned) return std::unexpected(scanned.error());
    if (options.limit != UINT64_MAX) options.limit -= step.size();
    at_end = !stopped || options.limit == 0 || !move_bound(step.back().key);
    entries = std::move(step);
    next = 0;
    return {};
  }

  // Makes the next step begin behind this key. False if no key can lie there.
  bool move_bound(const std::string& last) {
    if (!options.reverse) {
      options.from = last + '\0';  // The smallest byte string above it.
      return true;
    }
    // The keys below `last` have no greatest byte string in general, but keys are at most kMaxKeyBytes long: it is the
    // one with the last byte lowered and filled up with 0xFF; if that byte is 0, it is `last` without it.
    std::string bound = last;
    if (bound.back() == '\0') {
      bound.pop_back();
    } else {
      bound.back() = static_cast<char>(static_cast<unsigned char>(bound.back()) - 1);
      bound.resize(kvb::kMaxKeyBytes, '\xFF');
    }
    if (bound.empty()) return false;
    options.to = std::move(bound);
    return true;
  }
};

namespace {

// `take` answers Result<std::shared_ptr<const kvb::Snapshot>>.
template <typename Take>
kvb_code open_cursor(const kvb_scan_options* options, kvb_cursor** cursor, kvb_error** error,
                     const Take& take) noexcept {
  if (cursor != nullptr) *cursor = nullptr;
  return guarded(error, [&]() -> Result<void> {
    if (cursor == nullptr) return invalid("There is no place for the cursor: `cursor` is a NULL pointer.");
    auto given = read_scan_options(options);
    if (!given) return std::unexpected(given.error());
    auto owned = std::make_unique<kvb_cursor>();
    Result<std::shared_ptr<const kvb::Snapshot>> snapshot = take();
    if (!snapshot) return std::unexpected(snapshot.error());
    owned->snapshot = std::move(*snapshot);
    owned->options = std::move(*given);
    *cursor = owned.release();
    return {};
  });
}

}  // namespace

extern "C" {

kvb_code kvb_scan(const kvb_bucket* bucket, const kvb_scan_options* options, kvb_visit_function visit, void* context,
                  kvb_error** error) noexcept {
  return scan(bucket_of(bucket), options, visit, context, error);
}

kvb_code kvb_snapshot_scan(const kvb_snapshot* snapshot, const kvb_scan_options* options, kvb_visit_function visit,
                           void* context, kvb_error** error) noexcept {
  return scan(snapshot_of(snapshot), options, visit, context, error);
}

kvb_code kvb_count(const kvb_bucket* bucket, const kvb_scan_options* options, uint64_t* count,
                   kvb_error** error) noexcept {
  return count_keys(bucket_of(bucket), options, count, error);
}

kvb_code kvb_snapshot_count(const kvb_snapshot* snapshot, const kvb_scan_options* options, uint64_t* count,
                            kvb_error** error) noexcept {
  return count_keys(snapshot_of(snapshot), options, count, error);
}

kvb_code kvb_cursor_open(const kvb_bucket* bucket, const kvb_scan_options* options, kvb_cursor** cursor,
                         kvb_error** error) noexcept {
  return open_cursor(options, cursor, error, [bucket]() -> Result<std::shared_ptr<const kvb::Snapshot>> {
    const auto target = bucket_of(bucket);
    if (!target) return std::unexpected(target.error());
    auto taken = (*target)->snapshot();
    if (!taken) return std::unexpected(taken.error());
    return std::make_shared<const kvb::Snapshot>(std::move(*taken));
  });
}

kvb_code kvb_snapshot_cursor_open(const kvb_snapshot* snapshot, const kvb_scan_options* options, kvb_cursor** cursor,
                                  kvb_error** error) noexcept {
  return open_cursor(options, cursor, error, [snapshot]() -> Result<std::shared_ptr<const kvb::Snapshot>> {
    if (const auto source = snapshot_of(snapshot); !source) return std::unexpected(source.error());
    return snapshot->snapshot;
  });
}

kvb_code kvb_cursor_next(kvb_cursor* cursor, const kvb_entry** entry, kvb_error** error) noexcept {
  if (entry != nullptr) *entry = nullptr;
  return guarded(error, [&]() -> Result<void> {
    if (cursor == nullptr) return invalid("The cursor is a NULL pointer. Open one with kvb_cursor_open.");
    if (entry == nullptr) return invalid("There is no place for the entry: `entry` is a NULL pointer.");
    if (cursor->next == cursor->entries.size() && !cursor->at_end) {
      if (const auto read = cursor->read_ahead(); !read) return read;
    }
    if (cursor->next == cursor->entries.size()) return {};
    describe(cursor->shown, cursor->shown_value, cursor->entries[cursor->next++]);
    *entry = &cursor->shown;
    return {};
  });
}

void kvb_cursor_close(kvb_cursor* cursor) noexcept {
  delete cursor;
}

}  // extern "C"
