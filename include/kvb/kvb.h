#pragma once
// kvb.h: the C API of libkvb, an embedded key/value store in one file. C11; also the door for other languages.
//
//   kvb_bucket* bucket = NULL;
//   kvb_error* error = NULL;
//   if (kvb_open_or_create("app.kvb", NULL, &bucket, &error) != KVB_OK) {
//     fprintf(stderr, "%s\n", error->message);
//     kvb_error_free(error);
//     return 1;
//   }
//   kvb_put(bucket, "greeting", 8, "Hello", 5, NULL);     // On disk when it returns.
//   kvb_value* value = NULL;
//   if (kvb_get(bucket, "greeting", 8, &value, NULL) == KVB_OK && value != NULL) puts(value->data);
//   kvb_value_free(value);
//   kvb_close(bucket, NULL);
//
// Keys and values are byte strings with a size; they may hold any bytes, zero included. Keys have 1 to 65,535 bytes,
// values 0 to 4 GiB - 1. Keys are ordered byte by byte (as unsigned), which for UTF-8 is the order of the code points.
// Paths are handed to the operating system as they are.
//
// ERRORS. A function that can fail returns a kvb_code, KVB_OK (0) if all went well. Its last parameter `error` may be
// NULL. If it isn't, it is always written: NULL on success, else an object that the caller frees with kvb_error_free.
// The details come out through a parameter and not from a "last error of this thread", because bindings run where
// threads are not what they seem: goroutines, green threads and async executors may continue on another thread between
// two calls, and a second failing call on the same thread would overwrite the first one's details. A missing key is not
// an error: results say so (a NULL value, a false flag). Out parameters for results are written in every case
// (NULL, false or 0 on failure). A newer library may return codes that this header does not list; treat them as errors.
//
// STRUCTS. Those that the caller fills (…_options, kvb_update) begin with `struct_size` and are to be initialised with
// their …_INIT macro, or in another language by setting every byte to zero and then struct_size to the size of the
// struct. Zero always means the default, so NULL options and such options mean the same. Newer headers add fields only
// at the end; a library that is older than the header refuses a field it doesn't know unless it is zero
// (KVB_INVALID_ARGUMENT), so no option is ever ignored. Those that the library hands out (kvb_error, kvb_value,
// kvb_entry, kvb_stats, kvb_verify_report, …) are read-only, are only ever reached through pointers, and may grow at
// the end: never copy them by their size.
//
// MEMORY. Bytes that are passed in are copied before the call returns. What a function returns through a `T**`
// belongs to the caller and is freed with the function that the struct's comment names; what is reached through a
// const pointer belongs to the object it came from. Every free and close function accepts NULL.
//
// CALLBACKS run in the calling thread, during the call that they were given to. They must not throw or jump out of it.
//
// THREADS. A kvb_bucket may be used from any number of threads at once, except that nothing else may use it during or
// after kvb_close; so may a kvb_snapshot until kvb_snapshot_close. A kvb_batch or kvb_cursor belongs to one thread at a
// time. The other objects never change.
//
// PROCESSES. One process writes to a bucket at a time (others wait, then get KVB_BUSY); any number read at the same
// time with `read_only`. After fork() a child must not use the parent's buckets: every call answers KVB_FORKED.
//
// A NULL for a required pointer is answered with KVB_INVALID_ARGUMENT, never with a crash. A NULL key or value with
// size 0 is an empty one. No C++ exception leaves this API; when memory runs out the answer is KVB_OUT_OF_MEMORY.
// Any function may answer KVB_INVALID_ARGUMENT, KVB_OUT_OF_MEMORY, KVB_CLOSED and KVB_FORKED; other codes are listed.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define KVB_API __attribute__((visibility("default")))
#else
#define KVB_API
#endif

#ifdef __cplusplus
#define KVB_NOEXCEPT noexcept
extern "C" {
#else
#define KVB_NOEXCEPT
#endif

// ---------------------------------------------------------------------------------------------------- Version

#define KVB_VERSION_MAJOR 0
#define KVB_VERSION_MINOR 1
#define KVB_VERSION_PATCH 0
#define KVB_VERSION_STRING "0.1.0"

// Version of the library that is running, "MAJOR.MINOR.PATCH", which may differ from this header's. Static memory. The
// shared library's soname holds the ABI version: it changes when, and only when, old programs would break.
KVB_API const char* kvb_version(void) KVB_NOEXCEPT;

// ---------------------------------------------------------------------------------------------------- Errors

// KVB_OK, KVB_NOT_FOUND, KVB_ALREADY_EXISTS, KVB_BUSY, …: the list with its meanings is <kvb/error_codes.def>. Numbers
// are never reused. Bindings may treat it as a C int.
typedef enum kvb_code {
  KVB_OK = 0,
#define KVB_ERROR(name, number, c_name, sentence) KVB_##c_name = number,
#include <kvb/error_codes.def>
#undef KVB_ERROR
} kvb_code;

// Why a call failed. Free it with kvb_error_free.
typedef struct kvb_error {
  kvb_code code;
  int32_t system_errno;          // errno of the failed system call, or 0.
  const char* message;           // "PATH: What happened, and what to do now.", ready to be shown. Never NULL.
  const char* path;              // The file concerned, or NULL.
  uint64_t offset_bytes;         // Where in the file, if has_offset.
  uint64_t key_hash;             // Hash of the key concerned, if has_key_hash.
  int64_t holder_pid;            // For KVB_BUSY: the process that writes to the bucket, or 0 if unknown.
  int64_t holder_since_seconds;  // For KVB_BUSY: since when, seconds since the Unix epoch, or 0 if unknown.
  bool has_offset;
  bool has_key_hash;
} kvb_error;

KVB_API void kvb_error_free(kvb_error* error) KVB_NOEXCEPT;

// The stable name of a kvb_code, for example "already_exists"; "ok" for KVB_OK and "unknown" for a number that is no
// code. Static memory.
KVB_API const char* kvb_code_name(int code) KVB_NOEXCEPT;

// What the code means, one part of an English sentence without a full stop. Static memory.
KVB_API const char* kvb_code_sentence(int code) KVB_NOEXCEPT;

// ---------------------------------------------------------------------------------------------------- Open, close

typedef struct kvb_bucket kvb_bucket;

// When a write that has returned is safe.
typedef enum kvb_durability {
  KVB_SYNC = 0,     // It survives power loss.
  KVB_RELAXED = 1,  // It survives the process within 4 ms or 256 writes, power loss within 100 ms; what is lost is
                    // always the newest writes.
} kvb_durability;

typedef struct kvb_create_options {
  uint32_t struct_size;  // sizeof(kvb_create_options).
  int32_t durability;    // A kvb_durability, of writes through the new handle.
} kvb_create_options;
#define KVB_CREATE_OPTIONS_INIT {(uint32_t)sizeof(kvb_create_options), 0}

// For lock_timeout_ms: answer KVB_BUSY at once.
#define KVB_NO_WAIT (-1)

typedef struct kvb_open_options {
  uint32_t struct_size;     // sizeof(kvb_open_options).
  int32_t durability;       // A kvb_durability, of writes through this handle; nothing of it is stored.
  int32_t read_only;        // 1: reads beside any writer, never changes the file. 0: reads and writes.
  int32_t reserved;         // Must be 0.
  int64_t lock_timeout_ms;  // Milliseconds to wait for another writer before answering KVB_BUSY. 0: the default, 5,000.
                            // KVB_NO_WAIT: none.
  // Log behind the last checkpoint, in bytes, at which the next one is made by itself. 0: the default, 64 MiB. Larger:
  // more memory, and a longer opening after a crash.
  uint64_t checkpoint_bytes;
  int32_t compact_manually;  // 0: segments that are half dead are emptied with a checkpoint. 1: kvb_compact only.
  int32_t reserved_2;        // Must be 0.
} kvb_open_options;
#define KVB_OPEN_OPTIONS_INIT {(uint32_t)sizeof(kvb_open_options), 0, 0, 0, 0, 0, 0, 0}

// Makes a new bucket and opens it for writing. KVB_ALREADY_EXISTS if there is a file of that name, which is left alone;
// KVB_NOT_FOUND if its folder is missing; KVB_PERMISSION_DENIED, KVB_FULL, KVB_IO_ERROR. `options` may be NULL.
// *bucket belongs to the caller: kvb_close.
KVB_API kvb_code kvb_create(const char* path, const kvb_create_options* options, kvb_bucket** bucket,
                            kvb_error** error) KVB_NOEXCEPT;

// Opens a bucket, whatever ended its last writer. KVB_NOT_FOUND if there is no such file; KVB_BUSY with holder_pid
// if another process (or another handle of this one) still wrote to it at the deadline; KVB_NOT_A_BUCKET,
// KVB_UNSUPPORTED, KVB_DAMAGED, KVB_PERMISSION_DENIED, KVB_FULL, KVB_IO_ERROR. `options` may be NULL.
// *bucket belongs to the caller: kvb_close.
KVB_API kvb_code kvb_open(const char* path, const kvb_open_options* options, kvb_bucket** bucket,
                          kvb_error** error) KVB_NOEXCEPT;

// kvb_open, or kvb_create first if there is no such file. `read_only` must be 0.
KVB_API kvb_code kvb_open_or_create(const char* path, const kvb_open_options* options, kvb_bucket** bucket,
                                    kvb_error** error) KVB_NOEXCEPT;

// Makes every write durable, lets go of the file and frees the handle, which may not be used afterwards, whatever is
// returned: KVB_IO_ERROR, KVB_FULL or KVB_POISONED mean that the last relaxed writes may be lost. Cursors and snapshots
// that are still open answer KVB_CLOSED from then on and are to be closed as usual.
KVB_API kvb_code kvb_close(kvb_bucket* bucket, kvb_error** error) KVB_NOEXCEPT;

// The path that the bucket was opened with. Belongs to the bucket. "" for NULL.
KVB_API const char* kvb_path(const kvb_bucket* bucket) KVB_NOEXCEPT;

// ---------------------------------------------------------------------------------------------------- Write

// What the bytes of a value are, kept beside them so that tools can show them. The engine never interprets them.
typedef enum kvb_kind { KVB_BYTES = 0, KVB_TEXT = 1, KVB_JSON = 2 } kvb_kind;

typedef enum kvb_condition {
  KVB_ALWAYS = 0,
  KVB_IF_MISSING = 1,  // Write only if the key is missing or expired.
  KVB_IF_PRESENT = 2,  // Write only if the key is there.
  KVB_IF_EQUALS = 3,   // Write only if the key is there and its value has the bytes of `expected` (compare and set).
} kvb_condition;

typedef struct kvb_put_options {
  uint32_t struct_size;  // sizeof(kvb_put_options).
  uint32_t ttl_seconds;  // 0: never expires. Else the key is gone this many seconds after the write.
  int32_t kind;          // A kvb_kind.
  int32_t condition;     // A kvb_condition; evaluated together with the write, on the newest state.
  const void* expected;  // For KVB_IF_EQUALS, else NULL. Only bytes are compared, not kinds.
  uint64_t expected_size;
} kvb_put_options;
#define KVB_PUT_OPTIONS_INIT {(uint32_t)sizeof(kvb_put_options), 0, 0, 0, NULL, 0}

// Every function of this part may answer KVB_READ_ONLY, KVB_FULL, KVB_IO_ERROR or KVB_POISONED, and those that look at
// what is there (conditions, kvb_remove, kvb_increment, kvb_set_expiry, kvb_update) KVB_DAMAGED; nothing is changed
// then. One exception: after KVB_IO_ERROR from a failed sync the message says which writes are in doubt.

// Sets or replaces a value of kind KVB_BYTES that never expires.
KVB_API kvb_code kvb_put(kvb_bucket* bucket, const void* key, size_t key_size, const void* value, size_t value_size,
                         kvb_error** error) KVB_NOEXCEPT;

// The same with options (NULL: the defaults). *written (may be NULL) is false if the condition did not hold: nothing
// is changed then, and the answer is KVB_OK.
KVB_API kvb_code kvb_put_with_options(kvb_bucket* bucket, const void* key, size_t key_size, const void* value,
                                      size_t value_size, const kvb_put_options* options, bool* written,
                                      kvb_error** error) KVB_NOEXCEPT;

// Removes a key. *removed (may be NULL) says whether it was there; if it wasn't, nothing is written.
KVB_API kvb_code kvb_remove(kvb_bucket* bucket, const void* key, size_t key_size, bool* removed,
                            kvb_error** error) KVB_NOEXCEPT;

// Removes all keys that begin with these bytes (all keys, if there are none): those of the state at the call. *removed
// (may be NULL) says how many there were. It goes in batches of about 256 keys; each of them is atomic, the whole is
// not, and after an error those before it stay applied. To remove together what belongs together, use a batch.
KVB_API kvb_code kvb_remove_prefix(kvb_bucket* bucket, const void* prefix, size_t prefix_size, uint64_t* removed,
                                   kvb_error** error) KVB_NOEXCEPT;

// Adds to a number, with no other write in between; *sum (may be NULL) is the new one. The value is a whole number of
// 64 bits with sign in decimal digits; anything else, and a sum that does not fit, is KVB_INVALID_ARGUMENT, and nothing
// is changed. A missing key counts as 0 and gets a value of kind KVB_JSON; one that is there keeps its kind and its
// expiry.
KVB_API kvb_code kvb_increment(kvb_bucket* bucket, const void* key, size_t key_size, int64_t delta, int64_t* sum,
                               kvb_error** error) KVB_NOEXCEPT;

// Lets the key expire so many seconds from now (0: never); its value stays. *found (may be NULL) is false if the key is
// not there.
KVB_API kvb_code kvb_set_expiry(kvb_bucket* bucket, const void* key, size_t key_size, uint32_t ttl_seconds, bool* found,
                                kvb_error** error) KVB_NOEXCEPT;

// A list of writes that kvb_write applies together: all of them or none, for readers and across a crash. Later ones win
// over earlier ones. The list is kept in memory; it can be written more than once. It may hold conditions. They are
// evaluated in its order, each on the state that the operations before it leave; kvb_write_if applies the batch only if
// all of them hold.
typedef struct kvb_batch kvb_batch;

// An empty batch, or NULL if memory ran out. Belongs to the caller: kvb_batch_free.
KVB_API kvb_batch* kvb_batch_new(void) KVB_NOEXCEPT;
KVB_API void kvb_batch_free(kvb_batch* batch) KVB_NOEXCEPT;

// Adds a write. Sizes are checked when the batch is written. `options` may be NULL, and may hold a condition.
KVB_API kvb_code kvb_batch_put(kvb_batch* batch, const void* key, size_t key_size, const void* value, size_t value_size,
                               const kvb_put_options* options, kvb_error** error) KVB_NOEXCEPT;
KVB_API kvb_code kvb_batch_remove(kvb_batch* batch, const void* key, size_t key_size, kvb_error** error) KVB_NOEXCEPT;

// Adds a condition without a write: the batch is applied only if it holds for the key. `condition` is a kvb_condition
// other than KVB_ALWAYS; `expected` (NULL and 0 unless it is KVB_IF_EQUALS) is what the value is compared with.
KVB_API kvb_code kvb_batch_check(kvb_batch* batch, const void* key, size_t key_size, int condition,
                                 const void* expected, size_t expected_size, kvb_error** error) KVB_NOEXCEPT;

// Forgets all that was added.
KVB_API void kvb_batch_clear(kvb_batch* batch) KVB_NOEXCEPT;

// How many writes and conditions it holds. 0 for NULL.
KVB_API size_t kvb_batch_size(const kvb_batch* batch) KVB_NOEXCEPT;

// Applies the batch atomically and leaves it as it is. An empty batch does nothing. A batch with conditions is
// KVB_INVALID_ARGUMENT, because nobody would learn whether they held: use kvb_write_if.
KVB_API kvb_code kvb_write(kvb_bucket* bucket, const kvb_batch* batch, kvb_error** error) KVB_NOEXCEPT;

// The same if all conditions of the batch hold. *written, which must not be NULL, is false if one of them does not:
// nothing is changed then, and the answer is KVB_OK. A batch without conditions is always written.
KVB_API kvb_code kvb_write_if(kvb_bucket* bucket, const kvb_batch* batch, bool* written,
                              kvb_error** error) KVB_NOEXCEPT;

// Everything written before the call survives power loss when it returns. (After KVB_SYNC writes it has nothing to do.)
KVB_API kvb_code kvb_flush(kvb_bucket* bucket, kvb_error** error) KVB_NOEXCEPT;

// Writes the index of everything committed so far to the file, so that the next opening has to replay only what comes
// later. It happens by itself; this is for choosing the moment. Errors: those of writing; after KVB_FULL nothing is
// lost.
KVB_API kvb_code kvb_checkpoint(kvb_bucket* bucket, kvb_error** error) KVB_NOEXCEPT;

// How thoroughly kvb_compact works.
typedef enum kvb_compact_strategy {
  KVB_COMPACT_AUTOMATIC = 0,   // Empties segments of which at least half is dead. Cheap.
  KVB_COMPACT_AGGRESSIVE = 1,  // Those of which at least a tenth is dead.
  KVB_COMPACT_FULL = 2,        // Rewrites everything in the order of the keys; the file is as short as it can be.
} kvb_compact_strategy;

// Free it with kvb_compact_report_free.
typedef struct kvb_compact_report {
  uint64_t file_bytes_before;
  uint64_t file_bytes_after;
  uint64_t allocated_bytes_before;  // Blocks on the device.
  uint64_t allocated_bytes_after;
  uint64_t segments_freed;
  uint64_t records_moved;
  uint64_t bytes_moved;
} kvb_compact_report;

// Gives the space of removed, overwritten and expired data back to the file system. Other threads read and write
// meanwhile. `strategy` is a kvb_compact_strategy; *report (may be NULL) says what was done. It needs free space for
// what it moves: 64 MiB at a time, for KVB_COMPACT_FULL what the live data needs; KVB_FULL if there is none, and
// nothing is lost. What open readers and cursors still read comes back with a later call. Errors: those of writing and
// of reading.
KVB_API kvb_code kvb_compact(kvb_bucket* bucket, int strategy, kvb_compact_report** report,
                             kvb_error** error) KVB_NOEXCEPT;
KVB_API void kvb_compact_report_free(kvb_compact_report* report) KVB_NOEXCEPT;

// ---------------------------------------------------------------------------------------------------- Read

// A value as it was found. From kvb_get and kvb_snapshot_get: free it with kvb_value_free.
typedef struct kvb_value {
  const char* data;       // `size` bytes, then one zero byte that is not counted. Never NULL.
  size_t size;            // In bytes.
  kvb_kind kind;          // As given to the write.
  uint32_t ttl_seconds;   // As given to the write; 0: never expires.
  uint64_t seqno;         // Number of the write; rises with every write to the bucket, never used twice.
  int64_t written_at_ns;  // Wall clock, nanoseconds since the Unix epoch.
  int64_t expires_at_ns;  // The same clock; 0 if it never expires.
} kvb_value;

// Reading functions may answer KVB_DAMAGED (a checksum is wrong: the error names the place) and KVB_IO_ERROR.

// *value is NULL if the key is missing or expired, else it belongs to the caller.
KVB_API kvb_code kvb_get(const kvb_bucket* bucket, const void* key, size_t key_size, kvb_value** value,
                         kvb_error** error) KVB_NOEXCEPT;
KVB_API void kvb_value_free(kvb_value* value) KVB_NOEXCEPT;

// Whether the key is there and has not expired.
KVB_API kvb_code kvb_contains(const kvb_bucket* bucket, const void* key, size_t key_size, bool* found,
                              kvb_error** error) KVB_NOEXCEPT;

// One of the keys of kvb_get_many.
typedef struct kvb_key {
  const void* data;
  size_t size;  // In bytes.
} kvb_key;

// The values of many keys. Free it, and with it all values, with kvb_values_free.
typedef struct kvb_values {
  size_t count;                    // As many as keys were given.
  const kvb_value* const* values;  // In the order of the keys; NULL for one that is missing or expired. After the last
                                   // one comes one more NULL, which is not counted.
} kvb_values;

// The values of many keys on one committed state; quicker than single gets, because waiting for memory overlaps. If the
// record of one of them is damaged, that is the answer for all. `keys` may be NULL if `count` is 0.
KVB_API kvb_code kvb_get_many(const kvb_bucket* bucket, const kvb_key* keys, size_t count, kvb_values** values,
                              kvb_error** error) KVB_NOEXCEPT;
KVB_API void kvb_values_free(kvb_values* values) KVB_NOEXCEPT;

// ---------------------------------------------------------------------------------------------------- Read and write

// What becomes of a key that kvb_update has shown.
typedef enum kvb_update_action { KVB_UPDATE_KEEP = 0, KVB_UPDATE_PUT = 1, KVB_UPDATE_REMOVE = 2 } kvb_update_action;

// Filled by the function given to kvb_update, for KVB_UPDATE_PUT. It arrives with struct_size set by the library and
// all else zero: fields beyond that size don't exist.
typedef struct kvb_update_value {
  uint32_t struct_size;
  uint32_t ttl_seconds;   // With change_expiry: as in kvb_put_options.
  int32_t kind;           // A kvb_kind.
  int32_t change_expiry;  // 0: the key expires when it would have expired before. 1: ttl_seconds from now.
  const void* data;       // The new value. Must stay valid until kvb_update returns.
  uint64_t size;          // In bytes.
} kvb_update_value;

// `current` is NULL if the key is missing or expired; it is valid during this call only. Returns a kvb_update_action.
typedef int (*kvb_update_function)(void* context, const kvb_value* current, kvb_update_value* update);

// Reads one key, lets `decide` say what becomes of it, and writes that, with no other write in between. `decide` is
// called once, under the writer's lock: it must be short, and must not use this bucket. Errors: those of writing and of
// reading.
KVB_API kvb_code kvb_update(kvb_bucket* bucket, const void* key, size_t key_size, kvb_update_function decide,
                            void* context, kvb_error** error) KVB_NOEXCEPT;

// ---------------------------------------------------------------------------------------------------- Scan

// Which keys a scan visits, in which order. Prefix and bounds may be combined; NULL or all zero: every key.
typedef struct kvb_scan_options {
  uint32_t struct_size;  // sizeof(kvb_scan_options).
  int32_t reverse;       // 1: from the last key to the first.
  int32_t keys_only;     // 1: gives keys alone, which is much quicker.
  int32_t has_limit;     // 1: `limit` counts, and 0 means none at all.
  uint64_t limit;        // At most so many entries, counted after `reverse`.
  const void* prefix;    // Only keys that begin with these bytes.
  uint64_t prefix_size;
  const void* from;  // Only keys >= this one. NULL: from the first.
  uint64_t from_size;
  const void* to;  // Only keys <= this one (inclusive). NULL: to the last.
  uint64_t to_size;
} kvb_scan_options;
#define KVB_SCAN_OPTIONS_INIT {(uint32_t)sizeof(kvb_scan_options), 0, 0, 0, 0, NULL, 0, NULL, 0, NULL, 0}

// One key and its value.
typedef struct kvb_entry {
  const char* key;  // `key_size` bytes, then one zero byte that is not counted.
  size_t key_size;
  const kvb_value* value;  // Never NULL; nothing of it is set for keys_only.
} kvb_entry;

// Return false to stop. The entry is valid during the call only.
typedef bool (*kvb_visit_function)(void* context, const kvb_entry* entry);

// Calls `visit` for every live key of the range, in order, on one committed state. `visit` must not write to this
// bucket.
KVB_API kvb_code kvb_scan(const kvb_bucket* bucket, const kvb_scan_options* options, kvb_visit_function visit,
                          void* context, kvb_error** error) KVB_NOEXCEPT;

// How many keys a scan with these options would visit. Values are not read.
KVB_API kvb_code kvb_count(const kvb_bucket* bucket, const kvb_scan_options* options, uint64_t* count,
                           kvb_error** error) KVB_NOEXCEPT;

// The same walk with the loop on the caller's side, for languages that don't like callbacks. A cursor shows the
// committed state at its opening to its end, however much is written meanwhile, and keeps the space of that state from
// being given back until it is closed. It reads ahead in steps of up to 1,024 entries or about 1 MiB.
typedef struct kvb_cursor kvb_cursor;

// *cursor belongs to the caller: kvb_cursor_close. The options are copied.
KVB_API kvb_code kvb_cursor_open(const kvb_bucket* bucket, const kvb_scan_options* options, kvb_cursor** cursor,
                                 kvb_error** error) KVB_NOEXCEPT;

// *entry is the next entry, or NULL at the end (and again after it). It belongs to the cursor and is valid until the
// next call with it. After an error the cursor stays where it is: the call may be repeated.
KVB_API kvb_code kvb_cursor_next(kvb_cursor* cursor, const kvb_entry** entry, kvb_error** error) KVB_NOEXCEPT;
KVB_API void kvb_cursor_close(kvb_cursor* cursor) KVB_NOEXCEPT;

// ---------------------------------------------------------------------------------------------------- Snapshots

// One committed state of a bucket, which stays as it is: whatever is written, removed or expires later is not seen. It
// keeps no writer waiting, but as long as it is open the space of what it shows cannot be given back. Once its bucket
// is closed, every call with it answers KVB_CLOSED; it is to be closed as usual.
typedef struct kvb_snapshot kvb_snapshot;

// The newest committed state. *snapshot belongs to the caller: kvb_snapshot_close.
KVB_API kvb_code kvb_snapshot_open(const kvb_bucket* bucket, kvb_snapshot** snapshot, kvb_error** error) KVB_NOEXCEPT;
KVB_API void kvb_snapshot_close(kvb_snapshot* snapshot) KVB_NOEXCEPT;

// No write behind this one is part of the state. 0 for NULL.
KVB_API uint64_t kvb_snapshot_seqno(const kvb_snapshot* snapshot) KVB_NOEXCEPT;

// What the functions of a bucket with the same names do, on this state.
KVB_API kvb_code kvb_snapshot_get(const kvb_snapshot* snapshot, const void* key, size_t key_size, kvb_value** value,
                                  kvb_error** error) KVB_NOEXCEPT;
KVB_API kvb_code kvb_snapshot_get_many(const kvb_snapshot* snapshot, const kvb_key* keys, size_t count,
                                       kvb_values** values, kvb_error** error) KVB_NOEXCEPT;
KVB_API kvb_code kvb_snapshot_contains(const kvb_snapshot* snapshot, const void* key, size_t key_size, bool* found,
                                       kvb_error** error) KVB_NOEXCEPT;
KVB_API kvb_code kvb_snapshot_scan(const kvb_snapshot* snapshot, const kvb_scan_options* options,
                                   kvb_visit_function visit, void* context, kvb_error** error) KVB_NOEXCEPT;
KVB_API kvb_code kvb_snapshot_count(const kvb_snapshot* snapshot, const kvb_scan_options* options, uint64_t* count,
                                    kvb_error** error) KVB_NOEXCEPT;

// A cursor over this state. It may outlive the snapshot, and keeps its state until it is closed itself.
KVB_API kvb_code kvb_snapshot_cursor_open(const kvb_snapshot* snapshot, const kvb_scan_options* options,
                                          kvb_cursor** cursor, kvb_error** error) KVB_NOEXCEPT;

// ---------------------------------------------------------------------------------------------------- Watching

// The writes of a bucket as they are committed, by whomever: this handle, or another process. Nothing in between is
// missed: a key that was written three times comes three times, in the order of the seqnos. A key that expires is no
// write and does not come. The log keeps a write until compaction empties its part of the file; a watch that is open
// keeps what it has not given yet (of another process only for a time that the writer sets). To go on after a restart,
// store kvb_watch_seqno and give it as `from_seqno`; if the log does not reach back so far, the answer is
// KVB_SNAPSHOT_EXPIRED. A watch belongs to one thread at a time. Once its bucket is closed, it gives what it has read
// already and then answers KVB_CLOSED; it is to be closed as usual.
typedef struct kvb_watch kvb_watch;

typedef struct kvb_watch_options {
  uint32_t struct_size;    // sizeof(kvb_watch_options).
  int32_t keys_only;       // 1: leaves the data of values empty.
  int32_t has_from_seqno;  // 1: changes behind `from_seqno`. 0: those committed from now on; `from_seqno` must be 0.
  int32_t reserved;        // Must be 0.
  uint64_t from_seqno;     // 0 (and has_from_seqno 1): from the beginning.
  const void* prefix;      // Only keys that begin with these bytes.
  uint64_t prefix_size;
} kvb_watch_options;
#define KVB_WATCH_OPTIONS_INIT {(uint32_t)sizeof(kvb_watch_options), 0, 0, 0, 0, NULL, 0}

typedef enum kvb_change_type {
  KVB_CHANGE_PUT = 0,
  KVB_CHANGE_REMOVE = 1,
} kvb_change_type;

// One committed write.
typedef struct kvb_change {
  int32_t type;     // A kvb_change_type.
  const char* key;  // `key_size` bytes, then one zero byte that is not counted.
  size_t key_size;
  const kvb_value* value;  // Never NULL. Of a remove only seqno and written_at_ns say something.
} kvb_change;

// `options` may be NULL. *watch belongs to the caller: kvb_watch_close.
KVB_API kvb_code kvb_watch_open(const kvb_bucket* bucket, const kvb_watch_options* options, kvb_watch** watch,
                                kvb_error** error) KVB_NOEXCEPT;

// *change is the next one; if there is none, waits for it at most `timeout_ms` milliseconds and gives NULL if none
// came. It belongs to the watch and is valid until the next call with it. KVB_DAMAGED once for each record that cannot
// be read; the next call goes on behind it.
KVB_API kvb_code kvb_watch_next(kvb_watch* watch, int64_t timeout_ms, const kvb_change** change,
                                kvb_error** error) KVB_NOEXCEPT;

// All changes up to this write have been given. 0 for NULL.
KVB_API uint64_t kvb_watch_seqno(const kvb_watch* watch) KVB_NOEXCEPT;
KVB_API void kvb_watch_close(kvb_watch* watch) KVB_NOEXCEPT;

// ---------------------------------------------------------------------------------------------------- Look after

// Free it with kvb_stats_free. Sizes are in bytes; the counters of the second part count since this handle was opened.
typedef struct kvb_stats {
  uint64_t keys;              // Live keys (expired ones that nobody has reaped may be included).
  uint64_t live_bytes;        // Bytes of the newest records of live keys, headers included.
  uint64_t file_bytes;        // Length of the file.
  uint64_t allocated_bytes;   // Blocks that the file occupies on the device.
  uint64_t segments;          // Runs of pages that hold records.
  uint64_t journal_bytes;     // Log that the next opening would replay.
  uint64_t memory_bytes;      // Private memory of the index.
  uint64_t epoch;             // Number of the last checkpoint.
  uint64_t committed_seqno;   // Newest write that other readers see.
  uint64_t synced_seqno;      // Newest write that survives power loss.
  uint64_t replayed_records;  // By the opening of this handle.
  uint64_t recovery_cuts;     // Unclean ends and failed appends that the log notes.

  uint64_t puts;
  uint64_t gets;
  uint64_t hits;     // Gets that found a value.
  uint64_t deletes;  // Removes of a key that was there.
  uint64_t batches;
  uint64_t syncs;
  uint64_t bytes_written;  // Handed to the file.

  int64_t created_at_ns;      // Wall clock, nanoseconds since the Unix epoch.
  kvb_durability durability;  // Of this handle.
  bool read_only;
  bool poisoned;          // Writing has ended because a sync failed.
  const char* uuid;       // 32 hexadecimal digits.
  uint64_t lost_records;  // Synced once, and gone when it was opened: the file had been cut short from outside.

  uint64_t index_bytes;          // The index in the file, as of the last checkpoint.
  uint64_t checkpoints;          // Made since this handle was opened.
  uint64_t snapshots;            // That are open on this handle, cursors included.
  uint64_t oldest_snapshot_age;  // Writes that the oldest of them does not see. It keeps their old space.
} kvb_stats;

KVB_API kvb_code kvb_get_stats(const kvb_bucket* bucket, kvb_stats** stats, kvb_error** error) KVB_NOEXCEPT;
KVB_API void kvb_stats_free(kvb_stats* stats) KVB_NOEXCEPT;

typedef struct kvb_verify_problem {
  const char* message;    // A whole sentence.
  uint64_t offset_bytes;  // Where in the file.
  uint64_t key_hash;      // Of the key concerned, if has_key_hash.
  bool has_key_hash;
} kvb_verify_problem;

// Free it with kvb_verify_report_free.
typedef struct kvb_verify_report {
  uint64_t records;  // Records whose checksums were computed.
  uint64_t segments;
  uint64_t keys;
  uint64_t bytes;                             // Bytes that the checks covered.
  size_t problem_count;                       // 0: the bucket is sound.
  const kvb_verify_problem* const* problems;  // problem_count pointers, then NULL.
} kvb_verify_report;

// Checks every structure and every record of the file. Problems are in the report and the answer is KVB_OK; an error
// means that the check could not be done.
KVB_API kvb_code kvb_verify(const kvb_bucket* bucket, kvb_verify_report** report, kvb_error** error) KVB_NOEXCEPT;
KVB_API void kvb_verify_report_free(kvb_verify_report* report) KVB_NOEXCEPT;

// ---------------------------------------------------------------------------------------------------- Back up, repair

// Called from time to time with the number of keys written so far, of about so many.
typedef void (*kvb_backup_progress)(void* context, uint64_t keys, uint64_t of_keys);

typedef struct kvb_backup_options {
  uint32_t struct_size;          // sizeof(kvb_backup_options).
  int32_t reserved;              // Must be 0.
  kvb_backup_progress progress;  // May be NULL.
  void* context;                 // Handed to it.
} kvb_backup_options;
#define KVB_BACKUP_OPTIONS_INIT {(uint32_t)sizeof(kvb_backup_options), 0, NULL, NULL}

// Free it with kvb_backup_report_free.
typedef struct kvb_backup_report {
  uint64_t keys;
  uint64_t value_bytes;
  uint64_t file_bytes;  // Length of the copy.
} kvb_backup_report;

// Writes one committed state into a new bucket at `target`, while this one is read and written by others: all keys with
// their values, kinds, times of writing and expiries. It is on disk when this returns, and has an identity and seqnos
// of its own. KVB_ALREADY_EXISTS if there is a file at `target`. The copy is made under the name "TARGET.partial" and
// gets its own when it is complete. `options` and `report` may be NULL. Other errors: those of reading,
// KVB_PERMISSION_DENIED, KVB_FULL.
KVB_API kvb_code kvb_backup(const kvb_bucket* bucket, const char* target, const kvb_backup_options* options,
                            kvb_backup_report** report, kvb_error** error) KVB_NOEXCEPT;
KVB_API void kvb_backup_report_free(kvb_backup_report* report) KVB_NOEXCEPT;

typedef struct kvb_repair_options {
  uint32_t struct_size;  // sizeof(kvb_repair_options).
  int32_t dry_run;       // 1: only the report; nothing is written, and `target` must be NULL.
} kvb_repair_options;
#define KVB_REPAIR_OPTIONS_INIT {(uint32_t)sizeof(kvb_repair_options), 0}

typedef struct kvb_repair_loss {
  const char* message;    // A whole sentence.
  uint64_t offset_bytes;  // Where in the damaged file.
  uint64_t length_bytes;  // How many bytes of it could not be used; 0 if unknown.
  uint64_t key_hash;      // Of the key concerned, if has_key_hash.
  bool has_key_hash;
} kvb_repair_loss;

// Free it with kvb_repair_report_free.
typedef struct kvb_repair_report {
  uint64_t segments;                     // That were found and used.
  uint64_t records;                      // Whole records that were read.
  uint64_t keys;                         // Live keys that were saved, or would be.
  uint64_t value_bytes;                  // Of their values.
  size_t loss_count;                     // 0: nothing is lost.
  const kvb_repair_loss* const* losses;  // loss_count pointers in the order of the file, then NULL.
} kvb_repair_report;

// Saves what the damaged bucket at `path` still holds into a new one at `target`; the damaged file is only read. Losses
// are in the report and the answer is KVB_OK. KVB_NOT_A_BUCKET if no part of the file is recognisable,
// KVB_ALREADY_EXISTS if there is a file at `target`; KVB_NOT_FOUND, KVB_PERMISSION_DENIED, KVB_FULL, KVB_IO_ERROR: then
// nothing is left at `target`. `options` and `report` may be NULL. A bucket that opens needs no repair.
KVB_API kvb_code kvb_repair(const char* path, const char* target, const kvb_repair_options* options,
                            kvb_repair_report** report, kvb_error** error) KVB_NOEXCEPT;
KVB_API void kvb_repair_report_free(kvb_repair_report* report) KVB_NOEXCEPT;

#ifdef __cplusplus
}  // extern "C"
#endif
