#pragma once
// What the files of the C API share. The API is a thin skin over kvb::Bucket; what it adds is what C needs: handles,
// objects that are freed by hand, options that may come from an older or newer header, and a wall that no exception
// passes.
//
// Every function has the same shape: `guarded` clears the error, runs the body, and turns what it returns or throws
// into a code and, if it is wanted, a kvb_error. An object that the library hands out is a struct that inherits the
// public one and owns the strings that it points into; nothing is copied that could be moved.

#include <kvb/bucket.h>
#include <kvb/kvb.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

// The handle. Cursors share the Bucket, so that one which outlives kvb_close finds a closed bucket and not freed
// memory.
struct kvb_bucket {
  std::shared_ptr<kvb::Bucket> bucket;
};

struct kvb_batch {
  kvb::Batch batch;
};

// Cursors share the Snapshot.
struct kvb_snapshot {
  std::shared_ptr<const kvb::Snapshot> snapshot;
};

namespace kvb::c_api {

// The C enums repeat the C++ ones; a change of one that forgets the other must not compile.
static_assert(static_cast<int>(kvb::Durability::sync) == KVB_SYNC);
static_assert(static_cast<int>(kvb::Durability::relaxed) == KVB_RELAXED);
static_assert(static_cast<int>(kvb::ValueKind::bytes) == KVB_BYTES);
static_assert(static_cast<int>(kvb::ValueKind::text) == KVB_TEXT);
static_assert(static_cast<int>(kvb::ValueKind::json) == KVB_JSON);
static_assert(static_cast<int>(kvb::PutIf::always) == KVB_ALWAYS);
static_assert(static_cast<int>(kvb::PutIf::missing) == KVB_IF_MISSING);
static_assert(static_cast<int>(kvb::PutIf::present) == KVB_IF_PRESENT);
static_assert(static_cast<int>(kvb::PutIf::equals) == KVB_IF_EQUALS);

// The error as an object for the caller to free; one for all when there is no memory for it.
[[nodiscard]] kvb_error* make_error(const Error& error) noexcept;

inline std::unexpected<Error> invalid(const char* message) {
  return std::unexpected(Error{.code = ErrorCode::invalid_argument, .message = message});
}

// Runs the body of an API function: Result<void>() in, code and details out.
template <typename Body>
kvb_code guarded(kvb_error** error, const Body& body) noexcept {
  if (error != nullptr) *error = nullptr;
  const auto failed = [error](const Error& why) noexcept {
    if (error != nullptr) *error = make_error(why);
    return static_cast<kvb_code>(why.code);
  };
  try {
    const Result<void> result = body();
    return result ? KVB_OK : failed(result.error());
  } catch (const std::bad_alloc&) {
    return failed(Error{.code = ErrorCode::out_of_memory, .message = {}});
  } catch (const std::length_error&) {
    return failed(Error{.code = ErrorCode::out_of_memory, .message = {}});
  } catch (const std::exception& exception) {
    try {
      return failed(
          Error{.code = ErrorCode::io_error, .message = std::string("An operation failed: ") + exception.what()});
    } catch (...) {
      return failed(Error{.code = ErrorCode::out_of_memory, .message = {}});
    }
  } catch (...) {
    // Nothing of the engine throws such a thing; a callback may have, against its contract.
    return failed(Error{.code = ErrorCode::invalid_argument, .message = {}});
  }
}

// ---------------------------------------------------------------------------------------------------- Arguments

inline Result<std::string_view> bytes(const void* data, std::size_t size, const char* if_null) {
  if (data == nullptr && size != 0) return invalid(if_null);
  return data == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data), size);
}

inline Result<std::string_view> key_bytes(const void* key, std::size_t size) {
  return bytes(key, size, "The key is a NULL pointer with a size that is not 0. Pass the key's bytes.");
}

inline Result<std::string_view> value_bytes(const void* value, std::size_t size) {
  return bytes(value, size, "The value is a NULL pointer with a size that is not 0. Pass the value's bytes.");
}

// No options struct will ever be longer: a size above it was never set.
inline constexpr std::size_t kMaxOptionsBytes = 4096;

// The size that a struct had in its first version, for those that have grown since.
template <typename Options>
inline constexpr std::size_t kFirstOptionsBytes = sizeof(Options);
template <>
inline constexpr std::size_t kFirstOptionsBytes<kvb_open_options> = 24;
template <>
inline constexpr std::size_t kFirstOptionsBytes<kvb_put_options> = 16;

// The caller's options as this library's version of the struct. A caller with an older header passes a shorter struct:
// what it lacks is zero. One with a newer header may pass a longer one, as long as the part that is unknown here is
// zero, that is, asks for nothing.
template <typename Options>
Result<Options> read_options(const Options* given) {
  Options options{};
  options.struct_size = sizeof(Options);
  if (given == nullptr) return options;
  const std::size_t size = given->struct_size;
  if (size < kFirstOptionsBytes<Options> || size > kMaxOptionsBytes) {
    return invalid("The options' struct_size is wrong. Initialise the options with their _INIT macro.");
  }
  const auto* first = reinterpret_cast<const unsigned char*>(given);
  const std::size_t known = std::min(size, sizeof(Options));
  if (!std::all_of(first + known, first + size, [](unsigned char byte) { return byte == 0; })) {
    return invalid("The options ask for something that this older library does not know. Install a newer libkvb.");
  }
  std::memcpy(&options, given, known);
  return options;
}

template <typename Enum>
std::optional<Enum> enumerator(std::int32_t number, Enum last) {
  if (number < 0 || number > static_cast<std::int32_t>(last)) return std::nullopt;
  return static_cast<Enum>(number);
}

inline Result<kvb::Bucket*> bucket_of(const kvb_bucket* handle) {
  if (handle == nullptr) return invalid("The bucket is a NULL pointer. Open one with kvb_open.");
  return handle->bucket.get();
}

inline Result<const kvb::Snapshot*> snapshot_of(const kvb_snapshot* handle) {
  if (handle == nullptr) return invalid("The snapshot is a NULL pointer. Take one with kvb_snapshot_open.");
  return handle->snapshot.get();
}

inline void describe(kvb_value& shown, const kvb::Value& value) noexcept {
  shown.data = value.bytes.c_str();
  shown.size = value.bytes.size();
  shown.kind = static_cast<kvb_kind>(value.kind);
  shown.ttl_seconds = value.ttl_seconds;
  shown.seqno = value.seqno;
  shown.written_at_ns = value.written_at_ns;
  shown.expires_at_ns = value.expires_at_ns().value_or(0);
}

inline void describe(kvb_entry& shown, kvb_value& shown_value, const kvb::Entry& entry) noexcept {
  describe(shown_value, entry.value);
  shown.key = entry.key.c_str();
  shown.key_size = entry.key.size();
  shown.value = &shown_value;
}

}  // namespace kvb::c_api
