// Keeps a counter and a greeting in hello.kvb, and finds them again the next time it runs.
// Build against the installed library:  cc hello.c $(pkg-config --cflags --libs kvb) -o hello
#include <kvb/kvb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Shows why a call failed and ends the program.
static void fail(kvb_error* error) {
  fprintf(stderr, "hello: %s\n", error->message);
  kvb_error_free(error);
  exit(1);
}

// Reads the number under the key, adds one and writes it back, with no other write in between.
static int add_one(void* context, const kvb_value* current, kvb_update_value* update) {
  char* digits = context;
  long runs = current != NULL ? strtol(current->data, NULL, 10) : 0;
  update->size = (uint64_t)snprintf(digits, 24, "%ld", runs + 1);
  update->data = digits;
  update->kind = KVB_JSON;
  return KVB_UPDATE_PUT;
}

static bool show(void* context, const kvb_entry* entry) {
  (void)context;
  printf("%s = %s\n", entry->key, entry->value->data);
  return true;
}

int main(void) {
  kvb_error* error = NULL;
  kvb_bucket* bucket = NULL;
  if (kvb_open_or_create("hello.kvb", NULL, &bucket, &error) != KVB_OK) fail(error);

  char digits[24];
  if (kvb_update(bucket, "runs", 4, add_one, digits, &error) != KVB_OK) fail(error);

  // A session that ends by itself after half an hour.
  kvb_put_options options = KVB_PUT_OPTIONS_INIT;
  options.kind = KVB_TEXT;
  options.ttl_seconds = 30 * 60;
  if (kvb_put_with_options(bucket, "session:ann", 11, "signed in", 9, &options, NULL, &error) != KVB_OK) fail(error);

  kvb_value* value = NULL;
  if (kvb_get(bucket, "runs", 4, &value, &error) != KVB_OK) fail(error);
  printf("Hello! I ran %s time%s.\n", value->data, strcmp(value->data, "1") == 0 ? "" : "s");
  kvb_value_free(value);

  if (kvb_scan(bucket, NULL, show, NULL, &error) != KVB_OK) fail(error);
  if (kvb_close(bucket, &error) != KVB_OK) fail(error);
  return 0;
}
