// The C API: version, errors, opening and closing. The other files of this name have the rest.

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
  if (options->reserved != 0 || options->reserved_2 != 0) {
    return invalid("The reserved fields of kvb_open_options must be 0.");
  }
  if (options->lock_timeout_ms < KVB_NO_WAIT) {
    return invalid("lock_timeout_ms must be a number of milliseconds, 0 for the default, or KVB_NO_WAIT.");
  }
  kvb::OpenOptions result{.read_only = options->read_only != 0, .durability = *durability};
  if (options->lock_timeout_ms == KVB_NO_WAIT) {
    result.lock_deadline = std::chrono::milliseconds(0);
  } else if (options->lock_timeout_ms > 0) {
    result.lock_deadline = std::chrono::milliseconds(options->lock_timeout_ms);
  }
  if (options->checkpoint_bytes != 0) result.checkpoint_bytes = options->checkpoint_bytes;
  result.compact_automatically = options->compact_manually == 0;
  return result;
}

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

}  // extern "C"
