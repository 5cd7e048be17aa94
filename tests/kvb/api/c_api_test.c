// The C API used from C11, as an outside program would: everything through <kvb/kvb.h> and nothing else.
// Usage: c_api_test FOLDER, an existing folder for its files. Prints each failed check; exit 1 if there was one.
#include "c_api_check.h"

#include <inttypes.h>
#include <kvb/kvb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef EXPECTED_VERSION  // The build system's version of the project.
_Static_assert(sizeof(EXPECTED_VERSION) == sizeof(KVB_VERSION_STRING), "kvb.h names another version than the build");
#endif

static void names_and_versions(void) {
  CHECK(strcmp(kvb_version(), KVB_VERSION_STRING) == 0);
#ifdef EXPECTED_VERSION
  CHECK(strcmp(EXPECTED_VERSION, KVB_VERSION_STRING) == 0);
#endif
  char numbers[64];
  snprintf(numbers, sizeof numbers, "%d.%d.%d", KVB_VERSION_MAJOR, KVB_VERSION_MINOR, KVB_VERSION_PATCH);
  CHECK(strcmp(numbers, KVB_VERSION_STRING) == 0);
  CHECK(strcmp(kvb_code_name(KVB_OK), "ok") == 0);
  CHECK(strcmp(kvb_code_name(KVB_ALREADY_EXISTS), "already_exists") == 0);
  CHECK(strcmp(kvb_code_name(KVB_OUT_OF_MEMORY), "out_of_memory") == 0);
  CHECK(strcmp(kvb_code_name(12345), "unknown") == 0);
  CHECK(strlen(kvb_code_sentence(KVB_BUSY)) > 8);
  CHECK(strlen(kvb_code_sentence(12345)) > 8);
  CHECK(KVB_NOT_FOUND == 1 && KVB_OUT_OF_MEMORY == 18);
}

static void put_and_get(void) {
  kvb_bucket* bucket = new_bucket("put_and_get.kvb");
  CHECK(strcmp(kvb_path(bucket), file_in_folder("put_and_get.kvb")) == 0);
  OK(kvb_put(bucket, "greeting", 8, "Hello", 5, &error));

  kvb_value* value = NULL;
  OK(kvb_get(bucket, "greeting", 8, &value, &error));
  CHECK(value != NULL && value->size == 5 && strcmp(value->data, "Hello") == 0);
  CHECK(value != NULL && value->kind == KVB_BYTES && value->ttl_seconds == 0 && value->expires_at_ns == 0);
  CHECK(value != NULL && value->seqno > 0 && value->written_at_ns > INT64_C(1000000000000000000));
  kvb_value_free(value);

  value = (kvb_value*)&failures;  // Must be overwritten.
  OK(kvb_get(bucket, "Greeting", 8, &value, &error));
  CHECK(value == NULL);

  // Any bytes, zero included, and an empty value.
  OK(kvb_put(bucket, "a\0b", 3, "\0\xff\0", 3, &error));
  OK(kvb_put(bucket, "a", 1, NULL, 0, &error));
  OK(kvb_get(bucket, "a\0b", 3, &value, &error));
  CHECK(value != NULL && value->size == 3 && memcmp(value->data, "\0\xff\0", 4) == 0);
  kvb_value_free(value);
  OK(kvb_get(bucket, "a", 1, &value, &error));
  CHECK(value != NULL && value->size == 0 && value->data != NULL && value->data[0] == 0);
  kvb_value_free(value);

  // Every small size: strings change their shape at some of them.
  static char filler[300];
  memset(filler, 'f', sizeof filler);
  for (size_t size = 0; size <= sizeof filler; size++) {
    OK(kvb_put(bucket, "sized", 5, filler, size, &error));
    OK(kvb_get(bucket, "sized", 5, &value, &error));
    CHECK(value != NULL && value->size == size && memcmp(value->data, filler, size) == 0 && value->data[size] == 0);
    kvb_value_free(value);
  }

  bool found = false;
  OK(kvb_contains(bucket, "greeting", 8, &found, &error));
  CHECK(found);
  bool removed = false;
  OK(kvb_remove(bucket, "greeting", 8, &removed, &error));
  CHECK(removed);
  OK(kvb_remove(bucket, "greeting", 8, &removed, &error));
  CHECK(!removed);
  OK(kvb_contains(bucket, "greeting", 8, &found, &error));
  CHECK(!found);
  OK(kvb_remove(bucket, "a", 1, NULL, &error));

  OK(kvb_flush(bucket, &error));
  OK(kvb_close(bucket, &error));

  // Without error details everything works as well, and another handle finds what was written.
  CHECK(kvb_open(file_in_folder("put_and_get.kvb"), NULL, &bucket, NULL) == KVB_OK);
  CHECK(kvb_get(bucket, "a\0b", 3, &value, NULL) == KVB_OK && value != NULL && value->size == 3);
  kvb_value_free(value);
  CHECK(kvb_close(bucket, NULL) == KVB_OK);
}

static void conditions_kinds_and_ttl(void) {
  kvb_bucket* bucket = new_bucket("conditions.kvb");
  kvb_put_options options = KVB_PUT_OPTIONS_INIT;
  bool written = true;
  options.condition = KVB_IF_PRESENT;
  OK(kvb_put_with_options(bucket, "k", 1, "1", 1, &options, &written, &error));
  CHECK(!written);
  options.condition = KVB_IF_MISSING;
  options.kind = KVB_JSON;
  options.ttl_seconds = 3600;
  OK(kvb_put_with_options(bucket, "k", 1, "1", 1, &options, &written, &error));
  CHECK(written);
  OK(kvb_put_with_options(bucket, "k", 1, "2", 1, &options, &written, &error));
  CHECK(!written);
  kvb_value* value = NULL;
  OK(kvb_get(bucket, "k", 1, &value, &error));
  CHECK(value != NULL && value->kind == KVB_JSON && strcmp(value->data, "1") == 0 && value->ttl_seconds == 3600);
  CHECK(value != NULL && value->expires_at_ns == value->written_at_ns + INT64_C(3600) * 1000000000);
  kvb_value_free(value);

  options.condition = KVB_ALWAYS;
  options.ttl_seconds = 1;
  OK(kvb_put_with_options(bucket, "soon", 4, "gone", 4, &options, NULL, &error));
  sleep(2);
  OK(kvb_get(bucket, "soon", 4, &value, &error));
  CHECK(value == NULL);

  options.kind = 99;
  FAILS(KVB_INVALID_ARGUMENT, kvb_put_with_options(bucket, "k", 1, "1", 1, &options, NULL, &error));
  options.kind = KVB_TEXT;
  options.condition = -1;
  FAILS(KVB_INVALID_ARGUMENT, kvb_put_with_options(bucket, "k", 1, "1", 1, &options, NULL, &error));
  OK(kvb_close(bucket, &error));
}

static void options_of_other_versions(void) {
  kvb_bucket* bucket = new_bucket("versions.kvb");
  // All zero but for the size: the defaults.
  kvb_put_options zero;
  memset(&zero, 0, sizeof zero);
  zero.struct_size = sizeof zero;
  OK(kvb_put_with_options(bucket, "k", 1, "1", 1, &zero, NULL, &error));
  // Never initialised.
  zero.struct_size = 0;
  FAILS(KVB_INVALID_ARGUMENT, kvb_put_with_options(bucket, "k", 1, "2", 1, &zero, NULL, &error));
  // Of a newer header: fine as long as what this library doesn't know is zero.
  struct {
    kvb_put_options known;
    uint32_t added_later;
  } newer;
  memset(&newer, 0, sizeof newer);
  newer.known.struct_size = sizeof newer;
  OK(kvb_put_with_options(bucket, "k", 1, "3", 1, &newer.known, NULL, &error));
  newer.added_later = 7;
  FAILS(KVB_INVALID_ARGUMENT, kvb_put_with_options(bucket, "k", 1, "4", 1, &newer.known, NULL, &error));
  kvb_value* value = NULL;
  OK(kvb_get(bucket, "k", 1, &value, &error));
  CHECK(value != NULL && strcmp(value->data, "3") == 0);
  kvb_value_free(value);
  OK(kvb_close(bucket, &error));
}

static void batches(void) {
  kvb_bucket* bucket = new_bucket("batches.kvb");
  OK(kvb_put(bucket, "old", 3, "x", 1, &error));
  kvb_batch* batch = kvb_batch_new();
  CHECK(batch != NULL && kvb_batch_size(batch) == 0);
  OK(kvb_write(bucket, batch, &error));
  kvb_put_options options = KVB_PUT_OPTIONS_INIT;
  options.kind = KVB_TEXT;
  OK(kvb_batch_put(batch, "a", 1, "1", 1, NULL, &error));
  OK(kvb_batch_put(batch, "b", 1, "2", 1, &options, &error));
  OK(kvb_batch_remove(batch, "old", 3, &error));
  CHECK(kvb_batch_size(batch) == 3);
  OK(kvb_write(bucket, batch, &error));
  uint64_t count = 0;
  OK(kvb_count(bucket, NULL, &count, &error));
  CHECK(count == 2);
  // One bad write: none of them is done.
  kvb_batch_clear(batch);
  CHECK(kvb_batch_size(batch) == 0);
  OK(kvb_batch_remove(batch, "a", 1, &error));
  OK(kvb_batch_put(batch, "", 0, "no key", 6, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_write(bucket, batch, &error));
  OK(kvb_count(bucket, NULL, &count, &error));
  CHECK(count == 2);
  kvb_batch_free(batch);
  OK(kvb_close(bucket, &error));
}

static int add_one(void* context, const kvb_value* current, kvb_update_value* update) {
  char* digits = context;
  long number = current != NULL ? strtol(current->data, NULL, 10) : 0;
  update->size = (uint64_t)snprintf(digits, 32, "%ld", number + 1);
  update->data = digits;
  update->kind = KVB_JSON;
  return KVB_UPDATE_PUT;
}

static int remove_it(void* context, const kvb_value* current, kvb_update_value* update) {
  (void)update;
  *(bool*)context = current != NULL;
  return KVB_UPDATE_REMOVE;
}

static int keep_it(void* context, const kvb_value* current, kvb_update_value* update) {
  (void)update;
  *(bool*)context = current != NULL;
  return KVB_UPDATE_KEEP;
}

static int nonsense(void* context, const kvb_value* current, kvb_update_value* update) {
  (void)context, (void)current, (void)update;
  return 77;
}

static void updates(void) {
  kvb_bucket* bucket = new_bucket("updates.kvb");
  char digits[32];
  for (int i = 0; i < 3; i++) OK(kvb_update(bucket, "n", 1, add_one, digits, &error));
  kvb_value* value = NULL;
  OK(kvb_get(bucket, "n", 1, &value, &error));
  CHECK(value != NULL && strcmp(value->data, "3") == 0 && value->kind == KVB_JSON && value->ttl_seconds == 0);
  kvb_value_free(value);

  // The expiry stays when it is not changed.
  kvb_put_options options = KVB_PUT_OPTIONS_INIT;
  options.ttl_seconds = 1000;
  OK(kvb_put_with_options(bucket, "t", 1, "5", 1, &options, NULL, &error));
  int64_t expires_at_ns = 0;
  OK(kvb_get(bucket, "t", 1, &value, &error));
  if (value != NULL) expires_at_ns = value->expires_at_ns;
  kvb_value_free(value);
  OK(kvb_update(bucket, "t", 1, add_one, digits, &error));
  OK(kvb_get(bucket, "t", 1, &value, &error));
  CHECK(value != NULL && strcmp(value->data, "6") == 0);
  if (value != NULL) {
    int64_t moved = value->expires_at_ns - expires_at_ns;
    CHECK(moved > -INT64_C(2000000000) && moved < INT64_C(2000000000));
  }
  kvb_value_free(value);

  bool was_there = false;
  OK(kvb_update(bucket, "n", 1, keep_it, &was_there, &error));
  CHECK(was_there);
  OK(kvb_update(bucket, "n", 1, remove_it, &was_there, &error));
  CHECK(was_there);
  OK(kvb_update(bucket, "n", 1, keep_it, &was_there, &error));
  CHECK(!was_there);
  FAILS(KVB_INVALID_ARGUMENT, kvb_update(bucket, "n", 1, nonsense, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_update(bucket, "n", 1, NULL, NULL, &error));
  OK(kvb_close(bucket, &error));
}

struct walk {
  char keys[64];
  size_t stop_after;
  size_t seen;
  bool empty_values;
};

static bool collect(void* context, const kvb_entry* entry) {
  struct walk* walk = context;
  strncat(walk->keys, entry->key, sizeof walk->keys - strlen(walk->keys) - 1);
  walk->empty_values = entry->value->size == 0;
  walk->seen++;
  return walk->seen != walk->stop_after;
}

static void scans(void) {
  kvb_bucket* bucket = new_bucket("scans.kvb");
  for (char letter = 'a'; letter <= 'f'; letter++) OK(kvb_put(bucket, &letter, 1, "v", 1, &error));
  OK(kvb_put(bucket, "bb", 2, "v", 1, &error));

  struct {
    kvb_scan_options options;
    size_t stop_after;
    const char* expected;
  } cases[] = {
      {KVB_SCAN_OPTIONS_INIT, 0, "abbbcdef"}, {KVB_SCAN_OPTIONS_INIT, 2, "ab"},  {KVB_SCAN_OPTIONS_INIT, 0, "fedcbbba"},
      {KVB_SCAN_OPTIONS_INIT, 0, "bbb"},      {KVB_SCAN_OPTIONS_INIT, 0, "cde"}, {KVB_SCAN_OPTIONS_INIT, 0, "fe"},
      {KVB_SCAN_OPTIONS_INIT, 0, ""},         {KVB_SCAN_OPTIONS_INIT, 0, ""},    {KVB_SCAN_OPTIONS_INIT, 0, "ed"},
  };
  cases[2].options.reverse = 1;
  cases[3].options.prefix = "b";
  cases[3].options.prefix_size = 1;
  cases[4].options.from = "c";
  cases[4].options.from_size = 1;
  cases[4].options.to = "e";
  cases[4].options.to_size = 1;
  cases[5].options.reverse = 1;
  cases[5].options.has_limit = 1;
  cases[5].options.limit = 2;
  cases[6].options.has_limit = 1;
  cases[7].options.prefix = "zz";
  cases[7].options.prefix_size = 2;
  cases[8].options.reverse = 1;
  cases[8].options.from = "d";
  cases[8].options.from_size = 1;
  cases[8].options.to = "ez";
  cases[8].options.to_size = 2;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct walk walk = {"", cases[i].stop_after, 0, false};
    OK(kvb_scan(bucket, &cases[i].options, collect, &walk, &error));
    CHECK(strcmp(walk.keys, cases[i].expected) == 0);
    uint64_t count = 0;
    OK(kvb_count(bucket, &cases[i].options, &count, &error));
    CHECK(cases[i].stop_after != 0 || count == walk.seen);

    struct walk by_cursor = {"", 0, 0, false};
    kvb_cursor* cursor = NULL;
    OK(kvb_cursor_open(bucket, &cases[i].options, &cursor, &error));
    const kvb_entry* entry = NULL;
    for (size_t steps = 0;; steps++) {
      OK(kvb_cursor_next(cursor, &entry, &error));
      if (entry == NULL || (cases[i].stop_after != 0 && steps == cases[i].stop_after)) break;
      (void)collect(&by_cursor, entry);
    }
    CHECK(strcmp(by_cursor.keys, cases[i].expected) == 0);
    kvb_cursor_close(cursor);
  }

  kvb_scan_options keys_only = KVB_SCAN_OPTIONS_INIT;
  keys_only.keys_only = 1;
  struct walk walk = {"", 0, 0, false};
  OK(kvb_scan(bucket, &keys_only, collect, &walk, &error));
  CHECK(walk.seen == 7 && walk.empty_values);
  FAILS(KVB_INVALID_ARGUMENT, kvb_scan(bucket, NULL, NULL, NULL, &error));
  OK(kvb_close(bucket, &error));
}

// Many entries: several steps of the read-ahead, both directions, with big values and with writes in between.
static void long_cursors(void) {
  enum { kCount = 3000 };
  kvb_bucket* bucket = new_bucket("long_cursors.kvb");
  kvb_batch* batch = kvb_batch_new();
  char key[16];
  static char big[20000];
  memset(big, 'x', sizeof big);
  for (int i = 0; i < kCount; i++) {
    snprintf(key, sizeof key, "%06d", i);
    OK(kvb_batch_put(batch, key, 6, big, i % 10 == 0 ? sizeof big : 3, NULL, &error));
  }
  OK(kvb_write(bucket, batch, &error));
  kvb_batch_free(batch);
  for (int reverse = 0; reverse <= 1; reverse++) {
    for (uint64_t limit = 0; limit <= 2500; limit += 2500) {
      kvb_scan_options options = KVB_SCAN_OPTIONS_INIT;
      options.reverse = reverse;
      options.has_limit = limit != 0;
      options.limit = limit;
      kvb_cursor* cursor = NULL;
      OK(kvb_cursor_open(bucket, &options, &cursor, &error));
      const kvb_entry* entry = NULL;
      int seen = 0;
      for (;;) {
        OK(kvb_cursor_next(cursor, &entry, &error));
        if (entry == NULL) break;
        int number = reverse ? kCount - 1 - seen : seen;
        snprintf(key, sizeof key, "%06d", number);
        CHECK(strcmp(entry->key, key) == 0 && entry->key_size == 6);
        CHECK(entry->value->size == (number % 10 == 0 ? sizeof big : 3));
        seen++;
        // Behind it and before it: a cursor shows the state at its opening.
        if (seen % 500 == 0) OK(kvb_put(bucket, "000000-between", 14, "v", 1, &error));
        if (seen % 500 == 0) OK(kvb_put(bucket, "002998-between", 14, "v", 1, &error));
      }
      CHECK((uint64_t)seen == (limit != 0 ? limit : kCount));
      OK(kvb_cursor_next(cursor, &entry, &error));
      CHECK(entry == NULL);
      kvb_cursor_close(cursor);
      OK(kvb_remove(bucket, "000000-between", 14, NULL, &error));
      OK(kvb_remove(bucket, "002998-between", 14, NULL, &error));
    }
  }
  // A cursor may outlive its bucket's handle; it says so.
  kvb_cursor* cursor = NULL;
  const kvb_entry* entry = NULL;
  OK(kvb_cursor_open(bucket, NULL, &cursor, &error));
  OK(kvb_cursor_next(cursor, &entry, &error));
  OK(kvb_close(bucket, &error));
  kvb_code code = KVB_OK;
  for (int i = 0; i < kCount && code == KVB_OK; i++) code = kvb_cursor_next(cursor, &entry, NULL);
  CHECK(code == KVB_CLOSED);
  CHECK(entry == NULL);
  kvb_cursor_close(cursor);
}

static void errors(void) {
  kvb_bucket* bucket = NULL;
  kvb_error* error = NULL;
  const char* missing = file_in_folder("missing.kvb");
  CHECK(kvb_open(missing, NULL, &bucket, &error) == KVB_NOT_FOUND && bucket == NULL);
  CHECK(error != NULL && error->code == KVB_NOT_FOUND && error->path != NULL && strcmp(error->path, missing) == 0);
  kvb_error_free(error);
  CHECK(kvb_open(missing, NULL, &bucket, NULL) == KVB_NOT_FOUND);

  bucket = new_bucket("errors.kvb");
  const char* path = file_in_folder("errors.kvb");
  kvb_bucket* second = NULL;
  FAILS(KVB_ALREADY_EXISTS, kvb_create(path, NULL, &second, &error));
  CHECK(second == NULL);
  FAILS(KVB_INVALID_ARGUMENT, kvb_put(bucket, "", 0, "v", 1, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_put(bucket, NULL, 3, "v", 1, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_put(bucket, "k", 1, NULL, 1, &error));
  static char long_key[65536];
  memset(long_key, 'k', sizeof long_key);
  FAILS(KVB_INVALID_ARGUMENT, kvb_put(bucket, long_key, 65536, "v", 1, &error));
  OK(kvb_put(bucket, long_key, 65535, "v", 1, &error));
  bool found = false;
  OK(kvb_contains(bucket, long_key, 65535, &found, &error));
  CHECK(found);

  // Another process gets `busy` with this one's pid.
  fflush(NULL);
  pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0) {
    kvb_open_options options = KVB_OPEN_OPTIONS_INIT;
    options.lock_timeout_ms = KVB_NO_WAIT;
    kvb_bucket* mine = NULL;
    kvb_error* why = NULL;
    kvb_code code = kvb_open(path, &options, &mine, &why);
    bool right = code == KVB_BUSY && why != NULL && why->holder_pid == (int64_t)parent && mine == NULL;
    if (!right) fprintf(stderr, "the child got %s: %s\n", kvb_code_name(code), why != NULL ? why->message : "-");
    kvb_error_free(why);
    options.lock_timeout_ms = 0;
    options.read_only = 1;
    code = kvb_open(path, &options, &mine, &why);
    kvb_code written = kvb_put(mine, "k", 1, "v", 1, NULL);
    if (code != KVB_OK || written != KVB_READ_ONLY) right = false;
    kvb_close(mine, NULL);
    // What came through fork() is refused.
    if (kvb_put(bucket, "k", 1, "v", 1, NULL) != KVB_FORKED) right = false;
    _exit(right ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
  OK(kvb_close(bucket, &error));

  kvb_open_options options = KVB_OPEN_OPTIONS_INIT;
  options.read_only = 1;
  FAILS(KVB_INVALID_ARGUMENT, kvb_open_or_create(path, &options, &bucket, &error));
  options.read_only = 0;
  options.durability = 9;
  FAILS(KVB_INVALID_ARGUMENT, kvb_open(path, &options, &bucket, &error));
  options.durability = KVB_RELAXED;
  options.lock_timeout_ms = -2;
  FAILS(KVB_INVALID_ARGUMENT, kvb_open(path, &options, &bucket, &error));
  options.lock_timeout_ms = 10;
  options.reserved = 1;
  FAILS(KVB_INVALID_ARGUMENT, kvb_open(path, &options, &bucket, &error));
  options.reserved = 0;
  OK(kvb_open(path, &options, &bucket, &error));
  OK(kvb_put(bucket, "relaxed", 7, "v", 1, &error));
  OK(kvb_close(bucket, &error));
}

static void null_pointers(void) {
  kvb_bucket* bucket = NULL;
  FAILS(KVB_INVALID_ARGUMENT, kvb_open(NULL, NULL, &bucket, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_open(file_in_folder("x.kvb"), NULL, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_create(NULL, NULL, &bucket, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_create(file_in_folder("x.kvb"), NULL, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_open_or_create(NULL, NULL, &bucket, &error));
  CHECK(access(file_in_folder("x.kvb"), F_OK) != 0);
  FAILS(KVB_INVALID_ARGUMENT, kvb_put(NULL, "k", 1, "v", 1, &error));
  kvb_value* value = (kvb_value*)&failures;
  FAILS(KVB_INVALID_ARGUMENT, kvb_get(NULL, "k", 1, &value, &error));
  CHECK(value == NULL);
  bool flag = true;
  FAILS(KVB_INVALID_ARGUMENT, kvb_contains(NULL, "k", 1, &flag, &error));
  CHECK(!flag);
  FAILS(KVB_INVALID_ARGUMENT, kvb_remove(NULL, "k", 1, &flag, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_flush(NULL, &error));
  uint64_t count = 1;
  FAILS(KVB_INVALID_ARGUMENT, kvb_count(NULL, NULL, &count, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_scan(NULL, NULL, collect, NULL, &error));
  kvb_cursor* cursor = NULL;
  FAILS(KVB_INVALID_ARGUMENT, kvb_cursor_open(NULL, NULL, &cursor, &error));
  const kvb_entry* entry = NULL;
  FAILS(KVB_INVALID_ARGUMENT, kvb_cursor_next(NULL, &entry, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_update(NULL, "k", 1, add_one, NULL, &error));
  kvb_stats* stats = NULL;
  FAILS(KVB_INVALID_ARGUMENT, kvb_get_stats(NULL, &stats, &error));
  kvb_verify_report* report = NULL;
  FAILS(KVB_INVALID_ARGUMENT, kvb_verify(NULL, &report, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_batch_put(NULL, "k", 1, "v", 1, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_batch_remove(NULL, "k", 1, &error));

  bucket = new_bucket("null_pointers.kvb");
  FAILS(KVB_INVALID_ARGUMENT, kvb_get(bucket, "k", 1, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_contains(bucket, "k", 1, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_count(bucket, NULL, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_cursor_open(bucket, NULL, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_get_stats(bucket, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_verify(bucket, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_write(bucket, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_write(NULL, NULL, &error));
  OK(kvb_close(bucket, &error));

  OK(kvb_close(NULL, &error));
  kvb_error_free(NULL);
  kvb_value_free(NULL);
  kvb_batch_free(NULL);
  kvb_batch_clear(NULL);
  CHECK(kvb_batch_size(NULL) == 0);
  kvb_cursor_close(NULL);
  kvb_stats_free(NULL);
  kvb_verify_report_free(NULL);
  CHECK(strcmp(kvb_path(NULL), "") == 0);
}

static void stats_and_verify(void) {
  kvb_bucket* bucket = new_bucket("stats.kvb");
  OK(kvb_put(bucket, "a", 1, "1", 1, &error));
  OK(kvb_put(bucket, "b", 1, "2", 1, &error));
  OK(kvb_remove(bucket, "a", 1, NULL, &error));
  kvb_value* value = NULL;
  OK(kvb_get(bucket, "a", 1, &value, &error));
  CHECK(value == NULL);
  kvb_stats* stats = NULL;
  OK(kvb_get_stats(bucket, &stats, &error));
  if (stats != NULL) {
    CHECK(stats->keys == 1 && stats->puts == 2 && stats->deletes == 1 && stats->gets == 1 && stats->hits == 0);
    CHECK(stats->file_bytes >= 65536 && stats->committed_seqno == 3 && stats->synced_seqno == 3);
    CHECK(stats->uuid != NULL && strlen(stats->uuid) == 32 && strspn(stats->uuid, "0123456789abcdef") == 32);
    CHECK(stats->durability == KVB_SYNC && !stats->read_only && !stats->poisoned);
    CHECK(stats->created_at_ns > INT64_C(1000000000000000000));
  }
  kvb_stats_free(stats);
  kvb_verify_report* report = NULL;
  OK(kvb_verify(bucket, &report, &error));
  if (report != NULL) {
    CHECK(report->problem_count == 0 && report->problems != NULL && report->problems[0] == NULL);
    CHECK(report->records == 3 && report->keys == 1 && report->segments >= 1 && report->bytes > 3 * 44);
  }
  kvb_verify_report_free(report);
  OK(kvb_close(bucket, &error));
}

static void checkpoints_and_compaction(void) {
  kvb_bucket* bucket = new_bucket("compact.kvb");
  OK(kvb_close(bucket, &error));
  kvb_open_options options = KVB_OPEN_OPTIONS_INIT;
  options.compact_manually = 1;
  OK(kvb_open(file_in_folder("compact.kvb"), &options, &bucket, &error));
  static char value[1 << 20];
  memset(value, 'v', sizeof value);
  for (int i = 0; i < 8; ++i) OK(kvb_put(bucket, "big", 3, value, sizeof value, &error));
  OK(kvb_put(bucket, "small", 5, "kept", 4, &error));
  kvb_stats* stats = NULL;
  OK(kvb_get_stats(bucket, &stats, &error));
  const uint64_t epoch = stats != NULL ? stats->epoch : 0;
  kvb_stats_free(stats);
  OK(kvb_checkpoint(bucket, &error));
  OK(kvb_get_stats(bucket, &stats, &error));
  CHECK(stats != NULL && stats->epoch > epoch);
  kvb_stats_free(stats);
  OK(kvb_remove(bucket, "big", 3, NULL, &error));

  kvb_compact_report* report = NULL;
  OK(kvb_compact(bucket, KVB_COMPACT_FULL, &report, &error));
  if (report != NULL) {
    CHECK(report->file_bytes_before > 8u << 20 && report->file_bytes_after < 1u << 20);
    CHECK(report->allocated_bytes_after < report->allocated_bytes_before);
    CHECK(report->segments_freed >= 1 && report->records_moved >= 1 && report->bytes_moved > 0);
  }
  kvb_compact_report_free(report);
  OK(kvb_compact(bucket, KVB_COMPACT_AUTOMATIC, NULL, &error));
  OK(kvb_compact(bucket, KVB_COMPACT_AGGRESSIVE, NULL, &error));
  kvb_value* found = NULL;
  OK(kvb_get(bucket, "small", 5, &found, &error));
  CHECK(found != NULL && found->size == 4 && memcmp(found->data, "kept", 4) == 0);
  kvb_value_free(found);
  OK(kvb_get(bucket, "big", 3, &found, &error));
  CHECK(found == NULL);

  report = (kvb_compact_report*)value;
  FAILS(KVB_INVALID_ARGUMENT, kvb_compact(bucket, 3, &report, &error));
  CHECK(report == NULL);
  FAILS(KVB_INVALID_ARGUMENT, kvb_compact(bucket, -1, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_compact(NULL, KVB_COMPACT_FULL, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_checkpoint(NULL, &error));
  OK(kvb_close(bucket, &error));
  kvb_compact_report_free(NULL);

  kvb_open_options reading = KVB_OPEN_OPTIONS_INIT;
  reading.read_only = 1;
  OK(kvb_open(file_in_folder("compact.kvb"), &reading, &bucket, &error));
  FAILS(KVB_READ_ONLY, kvb_compact(bucket, KVB_COMPACT_FULL, NULL, &error));
  FAILS(KVB_READ_ONLY, kvb_checkpoint(bucket, &error));
  OK(kvb_close(bucket, &error));
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  folder = argv[1];
  names_and_versions();
  put_and_get();
  conditions_kinds_and_ttl();
  options_of_other_versions();
  batches();
  updates();
  scans();
  long_cursors();
  errors();
  null_pointers();
  stats_and_verify();
  checkpoints_and_compaction();
  if (failures != 0) {
    fprintf(stderr, "%d checks failed\n", failures);
    return 1;
  }
  printf("the C API works from C\n");
  return 0;
}
