// The C API: reading keys, from a bucket and from a snapshot of it.

#include "kvb/api/c_api_support.h"

#include <kvb/kvb.h>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using kvb::Result;
using namespace kvb::c_api;

struct OwnedValue : kvb_value {
  kvb::Value value;
};

struct OwnedValues : kvb_values {
  std::vector<std::optional<kvb::Value>> found;
  std::vector<kvb_value> shown;            // One for each value that was found.
  std::vector<const kvb_value*> pointers;  // Into `shown`; one for each key, and NULL at the end.
};

// The following do the same on a kvb::Bucket and on a kvb::Snapshot; `source` is Result<Source*>.

template <typename Source>
kvb_code get(const Result<Source*>& source, const void* key, size_t key_size, kvb_value** value,
             kvb_error** error) noexcept {
  if (value != nullptr) *value = nullptr;
  return guarded(error, [&]() -> Result<void> {
    if (!source) return std::unexpected(source.error());
    if (value == nullptr) return invalid("There is no place for the value: `value` is a NULL pointer.");
    const auto key_view = key_bytes(key, key_size);
    if (!key_view) return std::unexpected(key_view.error());
    auto found = (*source)->get(*key_view);
    if (!found) return std::unexpected(found.error());
    if (!*found) return {};
    auto owned = std::make_unique<OwnedValue>();
    owned->value = std::move(**found);
    describe(*owned, owned->value);
    *value = owned.release();
    return {};
  });
}

template <typename Source>
kvb_code get_many(const Result<Source*>& source, const kvb_key* keys, size_t count, kvb_values** values,
                  kvb_error** error) noexcept {
  if (values != nullptr) *values = nullptr;
  return guarded(error, [&]() -> Result<void> {
    if (!source) return std::unexpected(source.error());
    if (values == nullptr) return invalid("There is no place for the values: `values` is a NULL pointer.");
    if (keys == nullptr && count != 0) return invalid("The keys are a NULL pointer with a count that is not 0.");
    std::vector<std::string_view> views;
    views.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      const auto view = key_bytes(keys[i].data, keys[i].size);
      if (!view) return std::unexpected(view.error());
      views.push_back(*view);
    }
    auto found = (*source)->get_many(views);
    if (!found) return std::unexpected(found.error());
    auto owned = std::make_unique<OwnedValues>();
    owned->found = std::move(*found);
    owned->shown.reserve(count);  // The pointers need them to stay where they are.
    owned->pointers.reserve(count + 1);
    for (const std::optional<kvb::Value>& value : owned->found) {
      if (value) describe(owned->shown.emplace_back(), *value);
      owned->pointers.push_back(value ? &owned->shown.back() : nullptr);
    }
    owned->pointers.push_back(nullptr);
    static_cast<kvb_values&>(*owned) = {.count = count, .values = owned->pointers.data()};
    *values = owned.release();
    return {};
  });
}

template <typename Source>
kvb_code contains(const Result<Source*>& source, const void* key, size_t key_size, bool* found,
                  kvb_error** error) noexcept {
  if (found != nullptr) *found = false;
  return guarded(error, [&]() -> Result<void> {
    if (!source) return std::unexpected(source.error());
    if (found == nullptr) return invalid("There is no place for the answer: `found` is a NULL pointer.");
    const auto key_view = key_bytes(key, key_size);
    if (!key_view) return std::unexpected(key_view.error());
    const auto result = (*source)->contains(*key_view);
    if (!result) return std::unexpected(result.error());
    *found = *result;
    return {};
  });
}

}  // namespace

extern "C" {

kvb_code kvb_get(const kvb_bucket* bucket, const void* key, size_t key_size, kvb_value** value,
                 kvb_error** error) noexcept {
  return get(bucket_of(bucket), key, key_size, value, error);
}

kvb_code kvb_get_many(const kvb_bucket* bucket, const kvb_key* keys, size_t count, kvb_values** values,
                      kvb_error** error) noexcept {
  return get_many(bucket_of(bucket), keys, count, values, error);
}

kvb_code kvb_contains(const kvb_bucket* bucket, const void* key, size_t key_size, bool* found,
                      kvb_error** error) noexcept {
  return contains(bucket_of(bucket), key, key_size, found, error);
}

void kvb_value_free(kvb_value* value) noexcept {
  delete static_cast<OwnedValue*>(value);
}

void kvb_values_free(kvb_values* values) noexcept {
  delete static_cast<OwnedValues*>(values);
}

// ---------------------------------------------------------------------------------------------------- Snapshots

kvb_code kvb_snapshot_open(const kvb_bucket* bucket, kvb_snapshot** snapshot, kvb_error** error) noexcept {
  if (snapshot != nullptr) *snapshot = nullptr;
  return guarded(error, [&]() -> Result<void> {
    const auto target = bucket_of(bucket);
    if (!target) return std::unexpected(target.error());
    if (snapshot == nullptr) return invalid("There is no place for the snapshot: `snapshot` is a NULL pointer.");
    auto taken = (*target)->snapshot();
    if (!taken) return std::unexpected(taken.error());
    auto owned = std::make_unique<kvb_snapshot>();
    owned->snapshot = std::make_shared<const kvb::Snapshot>(std::move(*taken));
    *snapshot = owned.release();
    return {};
  });
}

void kvb_snapshot_close(kvb_snapshot* snapshot) noexcept {
  delete snapshot;
}

uint64_t kvb_snapshot_seqno(const kvb_snapshot* snapshot) noexcept {
  return snapshot == nullptr ? 0 : snapshot->snapshot->seqno();
}

kvb_code kvb_snapshot_get(const kvb_snapshot* snapshot, const void* key, size_t key_size, kvb_value** value,
                          kvb_error** error) noexcept {
  return get(snapshot_of(snapshot), key, key_size, value, error);
}

kvb_code kvb_snapshot_get_many(const kvb_snapshot* snapshot, const kvb_key* keys, size_t count, kvb_values** values,
                               kvb_error** error) noexcept {
  return get_many(snapshot_of(snapshot), keys, count, values, error);
}

kvb_code kvb_snapshot_contains(const kvb_snapshot* snapshot, const void* key, size_t key_size, bool* found,
                               kvb_error** error) noexcept {
  return contains(snapshot_of(snapshot), key, key_size, found, error);
}

}  // extern "C"
