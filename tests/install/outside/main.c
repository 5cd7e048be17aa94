/* A C program of somebody else: it knows the installed header and nothing else of the project. */
#include <kvb/kvb.h>
#include <stdio.h>
#include <string.h>

static int fail(const char* what, kvb_error* error) {
  fprintf(stderr, "%s: %s\n", what, error != NULL ? error->message : "no details");
  kvb_error_free(error);
  return 1;
}

static bool show(void* context, const kvb_entry* entry) {
  (void)context;
  printf("%s = %s\n", entry->key, entry->value->data);
  return true;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  kvb_bucket* bucket = NULL;
  kvb_error* error = NULL;
  if (kvb_create(argv[1], NULL, &bucket, &error) != KVB_OK) return fail("create", error);
  const char* names[] = {"pear", "apple", "fig"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
    char key[32];
    snprintf(key, sizeof key, "fruit:%s", names[i]);
    if (kvb_put(bucket, key, strlen(key), names[i], strlen(names[i]), &error) != KVB_OK) return fail("put", error);
  }
  bool removed = false;
  if (kvb_remove(bucket, "fruit:fig", 9, &removed, &error) != KVB_OK) return fail("remove", error);
  if (!removed) return 3;
  if (kvb_put(bucket, "count", 5, "3", 1, &error) != KVB_OK) return fail("put", error);
  if (kvb_close(bucket, &error) != KVB_OK) return fail("close", error);

  if (kvb_create(argv[1], NULL, &bucket, &error) != KVB_ALREADY_EXISTS || error == NULL) return 4;
  kvb_error_free(error);

  kvb_open_options options = KVB_OPEN_OPTIONS_INIT;
  options.read_only = 1;
  if (kvb_open(argv[1], &options, &bucket, &error) != KVB_OK) return fail("open", error);
  kvb_scan_options range = KVB_SCAN_OPTIONS_INIT;
  range.prefix = "fruit:";
  range.prefix_size = 6;
  if (kvb_scan(bucket, &range, show, NULL, &error) != KVB_OK) return fail("scan", error);
  kvb_value* value = NULL;
  if (kvb_get(bucket, "count", 5, &value, &error) != KVB_OK) return fail("get", error);
  if (value == NULL) return 5;
  printf("count = %s\n", value->data);
  kvb_value_free(value);
  if (kvb_close(bucket, &error) != KVB_OK) return fail("close", error);
  return 0;
}
