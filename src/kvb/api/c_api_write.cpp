// The C API: writing, batches, and reading and writing in one step.

#include "kvb/api/c_api_support.h"

#include <kvb/kvb.h>

#include <algorithm>
#include <new>

namespace {

using kvb::Result;
using namespace kvb::c_api;

// What the condition is compared with. Given without need it would be an option that is ignored.
Result<std::string_view> read_expected(kvb::PutIf condition, const void* expected, std::uint64_t size) {
  if (condition != kvb::PutIf::equals && (expected != nullptr || size != 0)) {
    return invalid("`expected` is given but the condition is not KVB_IF_EQUALS. Set that, or `expected` to NULL.");
  }
  return bytes(expected, size, "`expected` is a NULL pointer with a size that is not 0. Pass the value's bytes.");
}

Result<kvb::PutOptions> read_put_options(const kvb_put_options* given) {
  const auto options = read_options(given);
  if (!options) return std::unexpected(options.error());
  const auto kind = enumerator(options->kind, kvb::ValueKind::json);
  if (!kind) return invalid("The value's kind is none of KVB_BYTES, KVB_TEXT and KVB_JSON.");
  const auto condition = enumerator(options->condition, kvb::PutIf::equals);
  if (!condition) {
    return invalid("The condition is none of KVB_ALWAYS, KVB_IF_MISSING, KVB_IF_PRESENT and KVB_IF_EQUALS.");
  }
  const auto expected = read_expected(*condition, options->expected, options->expected_size);
  if (!expected) return std::unexpected(expected.error());
  return kvb::PutOptions{
      .ttl_seconds = options->ttl_seconds, .kind = *kind, .condition = *condition, .expected = *expected};
}

bool has_conditions(const kvb::Batch& batch) {
  return std::ranges::any_of(batch.operations(), [](const kvb::Batch::Operation& operation) {
    return operation.condition != kvb::PutIf::always || operation.type == kvb::Batch::Operation::Type::check;
  });
}

}  // namespace

extern "C" {

// ---------------------------------------------------------------------------------------------------- Write

kvb_code kvb_put(kvb_bucket* bucket, const void* key, size_t key_size, const void* value, size_t value_size,
                 kvb_error** error) noexcept {
  return kvb_put_with_options(bucket, key, key_size, value, value_size, nullptr, nullptr, error);
}

kvb_code kvb_put_with_options(kvb_bucket* bucket, const void* key, size_t key_size, const void* value,
                              size_t value_size, const kvb_put_options* options, bool* written,
                              kvb_error** error) noexcept {
  if (written != nullptr) *written = false;
  return guarded(error, [&]() -> Result<void> {
    const auto target = bucket_of(bucket);
    if (!target) return std::unexpected(target.error());
    const auto key_view = key_bytes(key, key_size);
    if (!key_view) return std::unexpected(key_view.error());
    const auto value_view = value_bytes(value, value_size);
    if (!value_view) return std::unexpected(value_view.error());
    const auto given = read_put_options(options);
    if (!given) return std::unexpected(given.error());
    const auto result = (*target)->put(*key_view, *value_view, *given);
    if (!result) return std::unexpected(result.error());
    if (written != nullptr) *written = *result;
    return {};
  });
}

kvb_code kvb_remove(kvb_bucket* bucket, const void* key, size_t key_size, bool* removed, kvb_error** error) noexcept {
  if (removed != nullptr) *removed = false;
  return guarded(error, [&]() -> Result<void> {
    const auto target = bucket_of(bucket);
    if (!target) return std::unexpected(target.error());
    const auto key_view = key_bytes(key, key_size);
    if (!key_view) return std::unexpected(key_view.error());
    const auto result = (*target)->remove(*key_view);
    if (!result) return std::unexpected(result.error());
    if (removed != nullptr) *removed = *result;
    return {};
  });
}

kvb_code kvb_remove_prefix(kvb_bucket* bucket, const void* prefix, size_t prefix_size, uint64_t* removed,
                           kvb_error** error) noexcept {
  if (removed != nullptr) *removed = 0;
  return guarded(error, [&]() -> Result<void> {
    const auto target = bucket_of(bucket);
    if (!target) return std::unexpected(target.error());
    const auto view = bytes(prefix, prefix_size, "The prefix is a NULL pointer with a size that is not 0.");
    if (!view) return std::unexpected(view.error());
    const auto result = (*target)->remove_prefix(*view);
    if (!result) return std::unexpected(result.error());
    if (removed != nullptr) *removed = *result;
    return {};
  });
}

kvb_code kvb_increment(kvb_bucket* bucket, const void* key, size_t key_size, int64_t delta, int64_t* sum,
                       kvb_error** error) noexcept {
  if (sum != nullptr) *sum = 0;
  return guarded(error, [&]() -> Result<void> {
    const auto target = bucket_of(bucket);
    if (!target) return std::unexpected(target.error());
    const auto key_view = key_bytes(key, key_size);
    if (!key_view) return std::unexpected(key_view.error());
    const auto result = (*target)->increment(*key_view, delta);
    if (!result) return std::unexpected(result.error());
    if (sum != nullptr) *sum = *result;
    return {};
  });
}

kvb_code kvb_set_expiry(kvb_bucket* bucket, const void* key, size_t key_size, uint32_t ttl_seconds, bool* found,
                        kvb_error** error) noexcept {
  if (found != nullptr) *found = false;
  return guarded(error, [&]() -> Result<void> {
    const auto target = bucket_of(bucket);
    if (!target) return std::unexpected(target.error());
    const auto key_view = key_bytes(key, key_size);
    if (!key_view) return std::unexpected(key_view.error());
    const auto result = (*target)->set_expiry(*key_view, ttl_seconds);
    if (!result) return std::unexpected(result.error());
    if (found != nullptr) *found = *result;
    return {};
  });
}

kvb_batch* kvb_batch_new(void) noexcept {
  return new (std::nothrow) kvb_batch;
}

void kvb_batch_free(kvb_batch* batch) noexcept {
  delete batch;
}

kvb_code kvb_batch_put(kvb_batch* batch, const void* key, size_t key_size, const void* value, size_t value_size,
                       const kvb_put_options* options, kvb_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    if (batch == nullptr) return invalid("The batch is a NULL pointer. Make one with kvb_batch_new.");
    const auto key_view = key_bytes(key, key_size);
    if (!key_view) return std::unexpected(key_view.error());
    const auto value_view = value_bytes(value, value_size);
    if (!value_view) return std::unexpected(value_view.error());
    const auto given = read_put_options(options);
    if (!given) return std::unexpected(given.error());
    batch->batch.put(*key_view, *value_view, *given);
    return {};
  });
}

kvb_code kvb_batch_remove(kvb_batch* batch, const void* key, size_t key_size, kvb_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    if (batch == nullptr) return invalid("The batch is a NULL pointer. Make one with kvb_batch_new.");
    const auto key_view = key_bytes(key, key_size);
    if (!key_view) return std::unexpected(key_view.error());
    batch->batch.remove(*key_view);
    return {};
  });
}

kvb_code kvb_batch_check(kvb_batch* batch, const void* key, size_t key_size, int condition, const void* expected,
                         size_t expected_size, kvb_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    if (batch == nullptr) return invalid("The batch is a NULL pointer. Make one with kvb_batch_new.");
    const auto key_view = key_bytes(key, key_size);
    if (!key_view) return std::unexpected(key_view.error());
    const auto chosen = enumerator(condition, kvb::PutIf::equals);
    if (!chosen || *chosen == kvb::PutIf::always) {
      return invalid("The condition is none of KVB_IF_MISSING, KVB_IF_PRESENT and KVB_IF_EQUALS.");
    }
    const auto compared = read_expected(*chosen, expected, expected_size);
    if (!compared) return std::unexpected(compared.error());
    batch->batch.check(*key_view, *chosen, *compared);
    return {};
  });
}

void kvb_batch_clear(kvb_batch* batch) noexcept {
  if (batch != nullptr) batch->batch.clear();
}

size_t kvb_batch_size(const kvb_batch* batch) noexcept {
  return batch == nullptr ? 0 : batch->batch.size();
}

kvb_code kvb_write(kvb_bucket* bucket, const kvb_batch* batch, kvb_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    const auto target = bucket_of(bucket);
    if (!target) return std::unexpected(target.error());
    if (batch == nullptr) return invalid("The batch is a NULL pointer. Make one with kvb_batch_new.");
    if (has_conditions(batch->batch)) {
      return invalid("The batch has conditions. Write it with kvb_write_if, which says whether they held.");
    }
    const auto result = (*target)->write(batch->batch);
    if (!result) return std::unexpected(result.error());
    return {};
  });
}

kvb_code kvb_write_if(kvb_bucket* bucket, const kvb_batch* batch, bool* written, kvb_error** error) noexcept {
  if (written != nullptr) *written = false;
  return guarded(error, [&]() -> Result<void> {
    const auto target = bucket_of(bucket);
    if (!target) return std::unexpected(target.error());
    if (batch == nullptr) return invalid("The batch is a NULL pointer. Make one with kvb_batch_new.");
    if (written == nullptr) return invalid("There is no place for the answer: `written` is a NULL pointer.");
    const auto result = (*target)->write(batch->batch);
    if (!result) return std::unexpected(result.error());
    *written = *result;
    return {};
  });
}

kvb_code kvb_flush(kvb_bucket* bucket, kvb_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    const auto target = bucket_of(bucket);
    if (!target) return std::unexpected(target.error());
    return (*target)->flush();
  });
}

// ---------------------------------------------------------------------------------------------------- Read and write

}  // extern "C"

namespace {

// Asks the caller's function and takes its answer over into the engine's terms.
Result<kvb::Update> ask(kvb_update_function decide, void* context, const std::optional<kvb::Value>& current) {
  kvb_value shown{};
  if (current) describe(shown, *current);
  kvb_update_value wanted{};
  wanted.struct_size = sizeof(kvb_update_value);
  kvb::Update update;
  switch (decide(context, current ? &shown : nullptr, &wanted)) {
    case KVB_UPDATE_KEEP:
      return update;
    case KVB_UPDATE_REMOVE:
      update.action = kvb::Update::Action::remove;
      return update;
    case KVB_UPDATE_PUT: {
      const auto value = value_bytes(wanted.data, wanted.size);
      if (!value) return std::unexpected(value.error());
      const auto kind = enumerator(wanted.kind, kvb::ValueKind::json);
      if (!kind) return invalid("The new value's kind is none of KVB_BYTES, KVB_TEXT and KVB_JSON.");
      update.action = kvb::Update::Action::put;
      update.value = *value;
      update.kind = *kind;
      update.keep_expiry = wanted.change_expiry == 0;
      if (update.keep_expiry && wanted.ttl_seconds != 0) {
        return invalid("ttl_seconds is given but change_expiry is 0. Set change_expiry to 1.");
      }
      update.ttl_seconds = wanted.ttl_seconds;
      return update;
    }
  }
  return invalid("The function given to kvb_update returned none of the KVB_UPDATE_ values.");
}

}  // namespace

extern "C" {

kvb_code kvb_update(kvb_bucket* bucket, const void* key, size_t key_size, kvb_update_function decide, void* context,
                    kvb_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    const auto target = bucket_of(bucket);
    if (!target) return std::unexpected(target.error());
    if (decide == nullptr) return invalid("The function that decides is a NULL pointer.");
    const auto key_view = key_bytes(key, key_size);
    if (!key_view) return std::unexpected(key_view.error());
    return (*target)->update(*key_view,
                             [&](const std::optional<kvb::Value>& current) { return ask(decide, context, current); });
  });
}

}  // extern "C"
