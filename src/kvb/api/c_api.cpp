// The C API: version, errors, opening, writing, reading and updating. Scans and statistics have files of their own.

#include "kvb/api/c_api_support.h"

#include <kvb/kvb.h>

#include <utility>

namespace {

using kvb::Error;
using kvb::Result;
using namespace kvb::c_api;

struct OwnedError : kvb_error {
  std::string message_text;
  std::string path_text;
};

// What is handed out when there is no memory for an error. Never freed and never changed.
kvb_error out_of_memory_error = {
    .code = KVB_OUT_OF_MEMORY,
    .system_errno = 0,
    .message = "Memory ran out. Free some, or work in smaller pieces, and try again.",
    .path = nullptr,
    .offset_bytes = 0,
    .key_hash = 0,
    .holder_pid = 0,
    .holder_since_seconds = 0,
    .has_offset = false,
    .has_key_hash = false,
};

Result<kvb::Durability> read_durability(std::int32_t number) {
  const auto durability = enumerator(number, kvb::Durability::relaxed);
  if (!durability) return invalid("The durability is neither KVB_SYNC nor KVB_RELAXED.");
  return *durability;
}

Result<kvb::OpenOptions> read_open_options(const kvb_open_options* given) {
  const auto options = read_options(given);
  if (!options) return std::unexpected(options.error());
  const auto durability = read_durability(options->durability);
  if (!durability) return std::unexpected(durability.error());
  if (options->reserved != 0) return invalid("The reserved field of kvb_open_options must be 0.");
  if (options->lock_timeout_ms < KVB_NO_WAIT) {
    return invalid("lock_timeout_ms must be a number of milliseconds, 0 for the default, or KVB_NO_WAIT.");
  }
  kvb::OpenOptions result{.read_only = options->read_only != 0, .durability = *durability};
  if (options->lock_timeout_ms == KVB_NO_WAIT) {
    result.lock_deadline = std::chrono::milliseconds(0);
  } else if (options->lock_timeout_ms > 0) {
    result.lock_deadline = std::chrono::milliseconds(options->lock_timeout_ms);
  }
  return result;
}

Result<kvb::PutOptions> read_put_options(const kvb_put_options* given) {
  const auto options = read_options(given);
  if (!options) return std::unexpected(options.error());
  const auto kind = enumerator(options->kind, kvb::ValueKind::json);
  if (!kind) return invalid("The value's kind is none of KVB_BYTES, KVB_TEXT and KVB_JSON.");
  const auto condition = enumerator(options->condition, kvb::PutIf::present);
  if (!condition) return invalid("The condition is none of KVB_ALWAYS, KVB_IF_MISSING and KVB_IF_PRESENT.");
  return kvb::PutOptions{.ttl_seconds = options->ttl_seconds, .kind = *kind, .condition = *condition};
}

struct OwnedValue : kvb_value {
  kvb::Value value;
};
}  // namespace

kvb_error* kvb::c_api::make_error(const Error& error) noexcept {
  if (error.code == ErrorCode::out_of_memory) return &out_of_memory_error;
  try {
    auto owned = std::make_unique<OwnedError>();
    owned->message_text = error.to_string();
    owned->path_text = error.path;
    owned->code = static_cast<kvb_code>(error.code);
    owned->system_errno = error.system_errno;
    owned->message = owned->message_text.c_str();
    owned->path = owned->path_text.empty() ? nullptr : owned->path_text.c_str();
    owned->offset_bytes = error.offset_bytes.value_or(0);
    owned->key_hash = error.key_hash.value_or(0);
    owned->holder_pid = error.holder_pid;
    owned->holder_since_seconds = error.holder_since_seconds;
    owned->has_offset = error.offset_bytes.has_value();
    owned->has_key_hash = error.key_hash.has_value();
    return owned.release();
  } catch (const std::bad_alloc&) {
    return &out_of_memory_error;
  }
}

extern "C" {

const char* kvb_version(void) noexcept {
  return KVB_VERSION_STRING;
}

// ---------------------------------------------------------------------------------------------------- Errors

void kvb_error_free(kvb_error* error) noexcept {
  if (error != &out_of_memory_error) delete static_cast<OwnedError*>(error);
}

const char* kvb_code_name(int code) noexcept {
  switch (code) {
    case KVB_OK:
      return "ok";
#define KVB_ERROR(name, number, c_name, sentence) \
  case KVB_##c_name:                              \
    return #name;
#include <kvb/error_codes.def>
#undef KVB_ERROR
  }
  return "unknown";
}

const char* kvb_code_sentence(int code) noexcept {
  switch (code) {
    case KVB_OK:
      return "all went well";
#define KVB_ERROR(name, number, c_name, sentence) \
  case KVB_##c_name:                              \
    return sentence;
#include <kvb/error_codes.def>
#undef KVB_ERROR
  }
  return "an error of a kind that this version does not know";
}

// ---------------------------------------------------------------------------------------------------- Open, close

}  // extern "C"

namespace {

// What the three ways to get a bucket have in common. `make` answers Result<kvb::Bucket>.
template <typename Make>
kvb_code open_handle(const char* path, kvb_bucket** handle, kvb_error** error, const Make& make) noexcept {
  if (handle != nullptr) *handle = nullptr;
  return guarded(error, [&]() -> Result<void> {
    if (path == nullptr) return invalid("The path is a NULL pointer. Pass the bucket file's name.");
    if (handle == nullptr) return invalid("There is no place for the bucket: `bucket` is a NULL pointer.");
    auto owned = std::make_unique<kvb_bucket>();
    Result<kvb::Bucket> bucket = make(std::string(path));
    if (!bucket) return std::unexpected(bucket.error());
    owned->bucket = std::make_shared<kvb::Bucket>(std::move(*bucket));
    *handle = owned.release();
    return {};
  });
}

}  // namespace

extern "C" {

kvb_code kvb_create(const char* path, const kvb_create_options* options, kvb_bucket** bucket,
                    kvb_error** error) noexcept {
  return open_handle(path, bucket, error, [options](const std::string& name) -> Result<kvb::Bucket> {
    const auto given = read_options(options);
    if (!given) return std::unexpected(given.error());
    const auto durability = read_durability(given->durability);
    if (!durability) return std::unexpected(durability.error());
    return kvb::Bucket::create(name, {.durability = *durability});
  });
}

kvb_code kvb_open(const char* path, const kvb_open_options* options, kvb_bucket** bucket, kvb_error** error) noexcept {
  return open_handle(path, bucket, error, [options](const std::string& name) -> Result<kvb::Bucket> {
    const auto given = read_open_options(options);
    if (!given) return std::unexpected(given.error());
    return kvb::Bucket::open(name, *given);
  });
}

kvb_code kvb_open_or_create(const char* path, const kvb_open_options* options, kvb_bucket** bucket,
                            kvb_error** error) noexcept {
  return open_handle(path, bucket, error, [options](const std::string& name) -> Result<kvb::Bucket> {
    const auto given = read_open_options(options);
    if (!given) return std::unexpected(given.error());
    if (given->read_only) return invalid("kvb_open_or_create cannot open for reading only. Use kvb_open.");
    return kvb::Bucket::open_or_create(name, *given);
  });
}

kvb_code kvb_close(kvb_bucket* bucket, kvb_error** error) noexcept {
  const std::unique_ptr<kvb_bucket> owned(bucket);
  return guarded(error, [&]() -> Result<void> {
    if (owned == nullptr) return {};
    return owned->bucket->close();
  });
}

const char* kvb_path(const kvb_bucket* bucket) noexcept {
  return bucket == nullptr ? "" : bucket->bucket->path().c_str();
}

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
    if (given->condition != kvb::PutIf::always) {
      return invalid("A write in a batch cannot have a condition. Use kvb_put_with_options or kvb_update.");
    }
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
    const auto result = (*target)->write(batch->batch);  // True: batches have no conditions here.
    if (!result) return std::unexpected(result.error());
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

// ---------------------------------------------------------------------------------------------------- Read

kvb_code kvb_get(const kvb_bucket* bucket, const void* key, size_t key_size, kvb_value** value,
                 kvb_error** error) noexcept {
  if (value != nullptr) *value = nullptr;
  return guarded(error, [&]() -> Result<void> {
    const auto target = bucket_of(bucket);
    if (!target) return std::unexpected(target.error());
    if (value == nullptr) return invalid("There is no place for the value: `value` is a NULL pointer.");
    const auto key_view = key_bytes(key, key_size);
    if (!key_view) return std::unexpected(key_view.error());
    auto found = (*target)->get(*key_view);
    if (!found) return std::unexpected(found.error());
    if (!*found) return {};
    auto owned = std::make_unique<OwnedValue>();
    owned->value = std::move(**found);
    describe(*owned, owned->value);
    *value = owned.release();
    return {};
  });
}

void kvb_value_free(kvb_value* value) noexcept {
  delete static_cast<OwnedValue*>(value);
}

kvb_code kvb_contains(const kvb_bucket* bucket, const void* key, size_t key_size, bool* found,
                      kvb_error** error) noexcept {
  if (found != nullptr) *found = false;
  return guarded(error, [&]() -> Result<void> {
    const auto target = bucket_of(bucket);
    if (!target) return std::unexpected(target.error());
    if (found == nullptr) return invalid("There is no place for the answer: `found` is a NULL pointer.");
    const auto key_view = key_bytes(key, key_size);
    if (!key_view) return std::unexpected(key_view.error());
    const auto result = (*target)->contains(*key_view);
    if (!result) return std::unexpected(result.error());
    *found = *result;
    return {};
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
