// The C API used from C11: snapshots, many keys at once, conditions in batches, counters, expiry, backups, repair.
// Usage: c_api_many_test FOLDER, an existing folder for its files. Prints each failed check; exit 1 if there was one.
#include <stddef.h>
#include <unistd.h>

#include "c_api_check.h"

static bool has_value(kvb_bucket* bucket, const char* key, const char* expected) {
  kvb_value* value = NULL;
  OK(kvb_get(bucket, key, strlen(key), &value, &error));
  const bool same = expected == NULL ? value == NULL
                                     : value != NULL && value->size == strlen(expected) &&
                                           memcmp(value->data, expected, value->size) == 0;
  kvb_value_free(value);
  return same;
}

static uint64_t count_of(kvb_bucket* bucket, const char* prefix) {
  kvb_scan_options options = KVB_SCAN_OPTIONS_INIT;
  options.prefix = prefix;
  options.prefix_size = strlen(prefix);
  uint64_t count = 0;
  OK(kvb_count(bucket, &options, &count, &error));
  return count;
}

static bool append_key(void* context, const kvb_entry* entry) {
  strncat(context, entry->key, 1);
  strncat(context, entry->value->data, 1);
  return true;
}

static void snapshots(void) {
  kvb_bucket* bucket = new_bucket("snapshots.kvb");
  OK(kvb_put(bucket, "a", 1, "1", 1, &error));
  OK(kvb_put(bucket, "b", 1, "2", 1, &error));
  kvb_snapshot* snapshot = NULL;
  OK(kvb_snapshot_open(bucket, &snapshot, &error));
  CHECK(kvb_snapshot_seqno(snapshot) == 2);
  kvb_cursor* cursor = NULL;
  OK(kvb_snapshot_cursor_open(snapshot, NULL, &cursor, &error));
  OK(kvb_put(bucket, "a", 1, "X", 1, &error));
  OK(kvb_remove(bucket, "b", 1, NULL, &error));
  OK(kvb_put(bucket, "c", 1, "3", 1, &error));
  OK(kvb_checkpoint(bucket, &error));
  OK(kvb_compact(bucket, KVB_COMPACT_FULL, NULL, &error));

  kvb_stats* stats = NULL;
  OK(kvb_get_stats(bucket, &stats, &error));
  CHECK(stats != NULL && stats->snapshots >= 1 && stats->oldest_snapshot_age == 3);
  CHECK(stats != NULL && stats->checkpoints >= 1 && stats->index_bytes > 0);
  kvb_stats_free(stats);

  kvb_value* value = NULL;
  OK(kvb_snapshot_get(snapshot, "a", 1, &value, &error));
  CHECK(value != NULL && strcmp(value->data, "1") == 0);
  kvb_value_free(value);
  OK(kvb_snapshot_get(snapshot, "c", 1, &value, &error));
  CHECK(value == NULL);
  bool found = false;
  OK(kvb_snapshot_contains(snapshot, "b", 1, &found, &error));
  CHECK(found);
  uint64_t count = 0;
  OK(kvb_snapshot_count(snapshot, NULL, &count, &error));
  CHECK(count == 2);
  char seen[32] = "";
  OK(kvb_snapshot_scan(snapshot, NULL, append_key, seen, &error));
  CHECK(strcmp(seen, "a1b2") == 0);
  const kvb_key keys[] = {{"c", 1}, {"b", 1}};
  kvb_values* values = NULL;
  OK(kvb_snapshot_get_many(snapshot, keys, 2, &values, &error));
  CHECK(values != NULL && values->count == 2 && values->values[0] == NULL && values->values[1] != NULL);
  CHECK(values != NULL && values->values[1] != NULL && strcmp(values->values[1]->data, "2") == 0);
  kvb_values_free(values);

  // A cursor has its state without the snapshot that it came from.
  FAILS(KVB_INVALID_ARGUMENT, kvb_snapshot_get(snapshot, "a", 1, NULL, &error));
  kvb_snapshot_close(snapshot);
  const kvb_entry* entry = NULL;
  OK(kvb_cursor_next(cursor, &entry, &error));
  CHECK(entry != NULL && strcmp(entry->key, "a") == 0 && strcmp(entry->value->data, "1") == 0);
  OK(kvb_cursor_next(cursor, &entry, &error));
  CHECK(entry != NULL && strcmp(entry->key, "b") == 0);
  OK(kvb_cursor_next(cursor, &entry, &error));
  CHECK(entry == NULL);
  kvb_cursor_close(cursor);
  OK(kvb_get_stats(bucket, &stats, &error));
  CHECK(stats != NULL && stats->snapshots == 0 && stats->oldest_snapshot_age == 0);
  kvb_stats_free(stats);

  // Of a bucket that is only read, and one that outlives its bucket.
  OK(kvb_close(bucket, &error));
  kvb_open_options reading = KVB_OPEN_OPTIONS_INIT;
  reading.read_only = 1;
  OK(kvb_open(file_in_folder("snapshots.kvb"), &reading, &bucket, &error));
  OK(kvb_snapshot_open(bucket, &snapshot, &error));
  OK(kvb_snapshot_count(snapshot, NULL, &count, &error));
  CHECK(count == 2);
  OK(kvb_close(bucket, &error));
  value = (kvb_value*)seen;
  FAILS(KVB_CLOSED, kvb_snapshot_get(snapshot, "a", 1, &value, &error));
  CHECK(value == NULL);
  FAILS(KVB_CLOSED, kvb_snapshot_count(snapshot, NULL, &count, &error));
  kvb_snapshot_close(snapshot);

  snapshot = (kvb_snapshot*)seen;
  FAILS(KVB_INVALID_ARGUMENT, kvb_snapshot_open(NULL, &snapshot, &error));
  CHECK(snapshot == NULL);
  FAILS(KVB_INVALID_ARGUMENT, kvb_snapshot_get(NULL, "a", 1, &value, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_snapshot_contains(NULL, "a", 1, &found, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_snapshot_count(NULL, NULL, &count, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_snapshot_scan(NULL, NULL, append_key, seen, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_snapshot_get_many(NULL, keys, 2, &values, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_snapshot_cursor_open(NULL, NULL, &cursor, &error));
  CHECK(cursor == NULL);
  CHECK(kvb_snapshot_seqno(NULL) == 0);
  kvb_snapshot_close(NULL);
}

static void many_keys(void) {
  enum { kCount = 300 };
  kvb_bucket* bucket = new_bucket("many.kvb");
  char names[kCount][8];
  kvb_key keys[kCount];
  kvb_batch* batch = kvb_batch_new();
  for (int i = 0; i < kCount; i++) {
    snprintf(names[i], sizeof names[i], "%04d", i);
    keys[i] = (kvb_key){names[i], 4};
    if (i % 3 != 0) OK(kvb_batch_put(batch, names[i], 4, names[i], 4, NULL, &error));
  }
  OK(kvb_write(bucket, batch, &error));
  kvb_batch_free(batch);
  kvb_values* values = NULL;
  OK(kvb_get_many(bucket, keys, kCount, &values, &error));
  if (values != NULL) {
    CHECK(values->count == kCount && values->values[kCount] == NULL);
    for (int i = 0; i < kCount; i++) {
      const kvb_value* value = values->values[i];
      CHECK((value == NULL) == (i % 3 == 0));
      CHECK(value == NULL || (value->size == 4 && strcmp(value->data, names[i]) == 0 && value->seqno > 0));
    }
  }
  kvb_values_free(values);
  OK(kvb_get_many(bucket, NULL, 0, &values, &error));
  CHECK(values != NULL && values->count == 0 && values->values[0] == NULL);
  kvb_values_free(values);
  kvb_values_free(NULL);
  values = (kvb_values*)names;
  FAILS(KVB_INVALID_ARGUMENT, kvb_get_many(bucket, NULL, 1, &values, &error));
  CHECK(values == NULL);
  keys[7].data = NULL;
  FAILS(KVB_INVALID_ARGUMENT, kvb_get_many(bucket, keys, kCount, &values, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_get_many(bucket, keys, 1, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_get_many(NULL, keys, 1, &values, &error));

  uint64_t removed = 0;
  OK(kvb_remove_prefix(bucket, "00", 2, &removed, &error));
  CHECK(removed == 66 && count_of(bucket, "00") == 0 && count_of(bucket, "") == 134);
  OK(kvb_remove_prefix(bucket, "zz", 2, &removed, &error));
  CHECK(removed == 0);
  FAILS(KVB_INVALID_ARGUMENT, kvb_remove_prefix(bucket, NULL, 2, &removed, &error));
  OK(kvb_remove_prefix(bucket, NULL, 0, NULL, &error));
  CHECK(count_of(bucket, "") == 0);
  FAILS(KVB_INVALID_ARGUMENT, kvb_remove_prefix(NULL, NULL, 0, NULL, &error));
  OK(kvb_close(bucket, &error));
}

static void conditions(void) {
  kvb_bucket* bucket = new_bucket("equals.kvb");
  kvb_put_options options = KVB_PUT_OPTIONS_INIT;
  options.condition = KVB_IF_EQUALS;
  options.expected = "old";
  options.expected_size = 3;
  bool written = true;
  OK(kvb_put_with_options(bucket, "k", 1, "new", 3, &options, &written, &error));
  CHECK(!written);  // A missing key equals nothing.
  OK(kvb_put(bucket, "k", 1, "old", 3, &error));
  OK(kvb_put_with_options(bucket, "k", 1, "new", 3, &options, &written, &error));
  CHECK(written && has_value(bucket, "k", "new"));
  OK(kvb_put_with_options(bucket, "k", 1, "newer", 5, &options, &written, &error));
  CHECK(!written && has_value(bucket, "k", "new"));
  // NULL and 0 is the empty value.
  options.expected = NULL;
  options.expected_size = 0;
  OK(kvb_put(bucket, "empty", 5, NULL, 0, &error));
  OK(kvb_put_with_options(bucket, "empty", 5, "x", 1, &options, &written, &error));
  CHECK(written);
  options.expected_size = 3;
  FAILS(KVB_INVALID_ARGUMENT, kvb_put_with_options(bucket, "k", 1, "x", 1, &options, NULL, &error));
  options.condition = KVB_IF_PRESENT;  // An expected value would be ignored.
  options.expected = "old";
  FAILS(KVB_INVALID_ARGUMENT, kvb_put_with_options(bucket, "k", 1, "x", 1, &options, NULL, &error));
  options.condition = 4;
  FAILS(KVB_INVALID_ARGUMENT, kvb_put_with_options(bucket, "k", 1, "x", 1, &options, NULL, &error));

  // An older header's struct ends before `expected`.
  kvb_put_options older = KVB_PUT_OPTIONS_INIT;
  older.struct_size = 16;
  older.condition = KVB_IF_PRESENT;
  older.expected = "beyond the struct";
  OK(kvb_put_with_options(bucket, "k", 1, "old", 3, &older, &written, &error));
  CHECK(written && has_value(bucket, "k", "old"));
  older.struct_size = 15;
  FAILS(KVB_INVALID_ARGUMENT, kvb_put_with_options(bucket, "k", 1, "x", 1, &older, &written, &error));

  // In batches: one condition that does not hold, and nothing is written.
  kvb_batch* batch = kvb_batch_new();
  kvb_put_options if_missing = KVB_PUT_OPTIONS_INIT;
  if_missing.condition = KVB_IF_MISSING;
  OK(kvb_batch_put(batch, "first", 5, "1", 1, NULL, &error));
  OK(kvb_batch_put(batch, "k", 1, "2", 1, &if_missing, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_write(bucket, batch, &error));
  OK(kvb_write_if(bucket, batch, &written, &error));
  CHECK(!written && has_value(bucket, "first", NULL) && has_value(bucket, "k", "old"));
  kvb_batch_clear(batch);
  OK(kvb_batch_check(batch, "k", 1, KVB_IF_EQUALS, "old", 3, &error));
  OK(kvb_batch_check(batch, "first", 5, KVB_IF_MISSING, NULL, 0, &error));
  OK(kvb_batch_put(batch, "first", 5, "1", 1, NULL, &error));
  OK(kvb_batch_check(batch, "first", 5, KVB_IF_PRESENT, NULL, 0, &error));  // On what the batch leaves.
  CHECK(kvb_batch_size(batch) == 4);
  FAILS(KVB_INVALID_ARGUMENT, kvb_write(bucket, batch, &error));
  OK(kvb_write_if(bucket, batch, &written, &error));
  CHECK(written && has_value(bucket, "first", "1"));
  OK(kvb_write_if(bucket, batch, &written, &error));
  CHECK(!written);
  FAILS(KVB_INVALID_ARGUMENT, kvb_batch_check(batch, "k", 1, KVB_ALWAYS, NULL, 0, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_batch_check(batch, "k", 1, KVB_IF_MISSING, "x", 1, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_batch_check(batch, "k", 1, KVB_IF_EQUALS, NULL, 1, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_batch_check(batch, "k", 1, 17, NULL, 0, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_batch_check(NULL, "k", 1, KVB_IF_MISSING, NULL, 0, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_write_if(bucket, batch, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_write_if(NULL, batch, &written, &error));
  kvb_batch_clear(batch);
  OK(kvb_batch_put(batch, "plain", 5, "1", 1, NULL, &error));
  OK(kvb_write_if(bucket, batch, &written, &error));
  CHECK(written);
  kvb_batch_free(batch);
  OK(kvb_close(bucket, &error));
}

static void counters_and_expiry(void) {
  kvb_bucket* bucket = new_bucket("counters.kvb");
  int64_t sum = 0;
  OK(kvb_increment(bucket, "n", 1, 5, &sum, &error));
  CHECK(sum == 5);
  OK(kvb_increment(bucket, "n", 1, -7, NULL, &error));
  CHECK(has_value(bucket, "n", "-2"));
  OK(kvb_put(bucket, "max", 3, "9223372036854775807", 19, &error));
  sum = 1;
  FAILS(KVB_INVALID_ARGUMENT, kvb_increment(bucket, "max", 3, 1, &sum, &error));
  CHECK(sum == 0 && has_value(bucket, "max", "9223372036854775807"));
  OK(kvb_put(bucket, "text", 4, "five", 4, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_increment(bucket, "text", 4, 1, &sum, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_increment(NULL, "n", 1, 1, &sum, &error));

  bool found = true;
  OK(kvb_set_expiry(bucket, "nobody", 6, 60, &found, &error));
  CHECK(!found);
  OK(kvb_set_expiry(bucket, "n", 1, 3600, &found, &error));
  CHECK(found);
  OK(kvb_increment(bucket, "n", 1, 1, &sum, &error));
  kvb_value* value = NULL;
  OK(kvb_get(bucket, "n", 1, &value, &error));
  CHECK(value != NULL && value->expires_at_ns > value->written_at_ns + INT64_C(3500) * 1000000000);
  CHECK(value != NULL && value->kind == KVB_JSON && strcmp(value->data, "-1") == 0);
  kvb_value_free(value);
  OK(kvb_set_expiry(bucket, "n", 1, 0, NULL, &error));
  OK(kvb_get(bucket, "n", 1, &value, &error));
  CHECK(value != NULL && value->expires_at_ns == 0 && strcmp(value->data, "-1") == 0);
  kvb_value_free(value);
  OK(kvb_set_expiry(bucket, "text", 4, 1, &found, &error));
  sleep(2);
  CHECK(has_value(bucket, "text", NULL));
  FAILS(KVB_INVALID_ARGUMENT, kvb_set_expiry(NULL, "n", 1, 1, &found, &error));
  CHECK(!found);
  OK(kvb_close(bucket, &error));
}

struct backup_steps {
  uint64_t calls;
  uint64_t keys;
  bool rises;
};

static void count_step(void* context, uint64_t keys, uint64_t of_keys) {
  struct backup_steps* steps = context;
  steps->rises = (steps->calls == 0 || steps->rises) && keys > steps->keys && of_keys >= keys;
  steps->calls++;
  steps->keys = keys;
}

static void backups(void) {
  enum { kCount = 5000 };
  kvb_bucket* bucket = new_bucket("backed_up.kvb");
  kvb_batch* batch = kvb_batch_new();
  kvb_put_options options = KVB_PUT_OPTIONS_INIT;
  options.kind = KVB_JSON;
  options.ttl_seconds = 3600;
  char key[16];
  for (int i = 0; i < kCount; i++) {
    snprintf(key, sizeof key, "%06d", i);
    OK(kvb_batch_put(batch, key, 6, "[1]", 3, &options, &error));
  }
  OK(kvb_write(bucket, batch, &error));
  kvb_batch_free(batch);

  char target[4096];
  snprintf(target, sizeof target, "%s", file_in_folder("backup.kvb"));
  struct backup_steps steps = {0, 0, false};
  kvb_backup_options wanted = KVB_BACKUP_OPTIONS_INIT;
  wanted.progress = count_step;
  wanted.context = &steps;
  kvb_backup_report* report = NULL;
  OK(kvb_backup(bucket, target, &wanted, &report, &error));
  CHECK(report != NULL && report->keys == kCount && report->value_bytes == 3 * kCount && report->file_bytes > 65536);
  kvb_backup_report_free(report);
  kvb_backup_report_free(NULL);
  CHECK(steps.calls >= 2 && steps.keys == kCount && steps.rises);

  report = (kvb_backup_report*)key;
  FAILS(KVB_ALREADY_EXISTS, kvb_backup(bucket, target, NULL, &report, &error));
  CHECK(report == NULL);
  FAILS(KVB_NOT_FOUND, kvb_backup(bucket, file_in_folder("no/such/folder.kvb"), NULL, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_backup(bucket, NULL, NULL, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_backup(NULL, target, NULL, NULL, &error));
  wanted.reserved = 1;
  FAILS(KVB_INVALID_ARGUMENT, kvb_backup(bucket, file_in_folder("x.kvb"), &wanted, NULL, &error));
  OK(kvb_close(bucket, &error));

  OK(kvb_open(target, NULL, &bucket, &error));
  CHECK(count_of(bucket, "") == kCount);
  kvb_value* value = NULL;
  OK(kvb_get(bucket, "004321", 6, &value, &error));
  CHECK(value != NULL && strcmp(value->data, "[1]") == 0 && value->kind == KVB_JSON && value->expires_at_ns != 0);
  kvb_value_free(value);
  OK(kvb_close(bucket, &error));
}

// Overwrites the first place in the file where these bytes stand.
static void damage(const char* path, const char* bytes) {
  FILE* file = fopen(path, "r+b");
  CHECK(file != NULL);
  if (file == NULL) return;
  static char content[1 << 20];
  const size_t size = fread(content, 1, sizeof content, file);
  for (size_t i = 0; i + strlen(bytes) <= size; i++) {
    if (memcmp(content + i, bytes, strlen(bytes)) != 0) continue;
    fseek(file, (long)i, SEEK_SET);
    fputc('X', file);
    break;
  }
  fclose(file);
}

static void repairs(void) {
  kvb_bucket* bucket = new_bucket("damaged.kvb");
  OK(kvb_put(bucket, "a", 1, "the first value", 15, &error));
  OK(kvb_put(bucket, "b", 1, "the second value", 16, &error));
  OK(kvb_close(bucket, &error));
  char path[4096];
  char target[4096];
  snprintf(path, sizeof path, "%s", file_in_folder("damaged.kvb"));
  snprintf(target, sizeof target, "%s", file_in_folder("repaired.kvb"));
  damage(path, "the second value");

  kvb_repair_options dry = KVB_REPAIR_OPTIONS_INIT;
  dry.dry_run = 1;
  kvb_repair_report* report = NULL;
  OK(kvb_repair(path, NULL, &dry, &report, &error));
  CHECK(report != NULL && report->keys == 1 && report->value_bytes == 15 && report->loss_count == 1);
  CHECK(access(target, F_OK) != 0);
  kvb_repair_report_free(report);
  FAILS(KVB_INVALID_ARGUMENT, kvb_repair(path, target, &dry, &report, &error));
  CHECK(report == NULL);

  OK(kvb_repair(path, target, NULL, &report, &error));
  if (report != NULL) {
    CHECK(report->keys == 1 && report->segments >= 1 && report->records >= 1 && report->loss_count == 1);
    CHECK(report->losses[0] != NULL && report->losses[1] == NULL);
    CHECK(strlen(report->losses[0]->message) > 8 && report->losses[0]->offset_bytes > 0);
  }
  kvb_repair_report_free(report);
  kvb_repair_report_free(NULL);
  OK(kvb_open(target, NULL, &bucket, &error));
  CHECK(has_value(bucket, "a", "the first value") && has_value(bucket, "b", NULL));
  OK(kvb_close(bucket, &error));
  FAILS(KVB_ALREADY_EXISTS, kvb_repair(path, target, NULL, NULL, &error));
  FAILS(KVB_NOT_FOUND, kvb_repair(file_in_folder("missing.kvb"), "x.kvb", NULL, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_repair(NULL, target, NULL, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_repair(path, NULL, NULL, NULL, &error));
}

static void options_of_opening(void) {
  kvb_bucket* bucket = new_bucket("opening.kvb");
  OK(kvb_close(bucket, &error));
  kvb_open_options options = KVB_OPEN_OPTIONS_INIT;
  options.checkpoint_bytes = 1 << 20;
  options.durability = KVB_RELAXED;
  options.compact_manually = 1;
  OK(kvb_open(file_in_folder("opening.kvb"), &options, &bucket, &error));
  static char value[64 * 1024];
  for (int i = 0; i < 64; i++) OK(kvb_put(bucket, "big", 3, value, sizeof value, &error));
  kvb_stats* stats = NULL;
  for (int i = 0; i < 50; i++) {  // Checkpoints are made in the background.
    OK(kvb_get_stats(bucket, &stats, &error));
    if (stats == NULL || stats->checkpoints > 0) break;
    kvb_stats_free(stats);
    stats = NULL;
    usleep(100000);
  }
  CHECK(stats != NULL && stats->checkpoints > 0);
  kvb_stats_free(stats);
  OK(kvb_close(bucket, &error));
  // The struct of the first version.
  options.struct_size = offsetof(kvb_open_options, checkpoint_bytes);
  options.reserved_2 = 9;
  OK(kvb_open(file_in_folder("opening.kvb"), &options, &bucket, &error));
  OK(kvb_close(bucket, &error));
  options.struct_size = sizeof options;
  FAILS(KVB_INVALID_ARGUMENT, kvb_open(file_in_folder("opening.kvb"), &options, &bucket, &error));
}

static void check_change(kvb_watch* watch, int type, const char* key, const char* value) {
  const kvb_change* change = NULL;
  OK(kvb_watch_next(watch, 0, &change, &error));
  if (change == NULL) {
    CHECK(false);
    return;
  }
  CHECK(change->type == type && change->key_size == strlen(key) && strcmp(change->key, key) == 0);
  CHECK(strcmp(change->value->data, value) == 0 && change->value->seqno == kvb_watch_seqno(watch));
}

static void watches(void) {
  kvb_bucket* bucket = new_bucket("watched.kvb");
  OK(kvb_put(bucket, "before", 6, "0", 1, &error));
  kvb_watch* watch = NULL;
  OK(kvb_watch_open(bucket, NULL, &watch, &error));
  const kvb_change* change = NULL;
  OK(kvb_watch_next(watch, 5, &change, &error));
  CHECK(change == NULL);
  OK(kvb_put(bucket, "user:1", 6, "Ada", 3, &error));
  OK(kvb_put(bucket, "other", 5, "x", 1, &error));
  OK(kvb_remove(bucket, "user:1", 6, NULL, &error));
  check_change(watch, KVB_CHANGE_PUT, "user:1", "Ada");
  const uint64_t after_first = kvb_watch_seqno(watch);
  check_change(watch, KVB_CHANGE_PUT, "other", "x");
  check_change(watch, KVB_CHANGE_REMOVE, "user:1", "");
  OK(kvb_watch_next(watch, 0, &change, &error));
  CHECK(change == NULL);

  // From a place that was noted, of a prefix, without the values.
  kvb_watch_options options = KVB_WATCH_OPTIONS_INIT;
  options.has_from_seqno = 1;
  options.prefix = "user:";
  options.prefix_size = 5;
  options.keys_only = 1;
  kvb_watch* users = NULL;
  OK(kvb_watch_open(bucket, &options, &users, &error));
  check_change(users, KVB_CHANGE_PUT, "user:1", "");
  CHECK(kvb_watch_seqno(users) == after_first);
  kvb_watch_close(users);
  options.from_seqno = after_first;
  OK(kvb_watch_open(bucket, &options, &users, &error));
  check_change(users, KVB_CHANGE_REMOVE, "user:1", "");
  kvb_watch_close(users);

  options.from_seqno = 1000000;
  FAILS(KVB_INVALID_ARGUMENT, kvb_watch_open(bucket, &options, &users, &error));
  options = (kvb_watch_options)KVB_WATCH_OPTIONS_INIT;
  options.from_seqno = 1;
  FAILS(KVB_INVALID_ARGUMENT, kvb_watch_open(bucket, &options, &users, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_watch_open(NULL, NULL, &users, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_watch_open(bucket, NULL, NULL, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_watch_next(NULL, 0, &change, &error));
  FAILS(KVB_INVALID_ARGUMENT, kvb_watch_next(watch, -1, &change, &error));
  CHECK(kvb_watch_seqno(NULL) == 0);
  kvb_watch_close(NULL);
  OK(kvb_close(bucket, &error));
  FAILS(KVB_CLOSED, kvb_watch_next(watch, 0, &change, &error));
  kvb_watch_close(watch);
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  folder = argv[1];
  snapshots();
  many_keys();
  conditions();
  counters_and_expiry();
  backups();
  repairs();
  options_of_opening();
  watches();
  if (failures != 0) {
    fprintf(stderr, "%d checks failed\n", failures);
    return 1;
  }
  printf("the C API works from C\n");
  return 0;
}
