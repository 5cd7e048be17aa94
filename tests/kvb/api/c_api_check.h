// What the programs that use the C API from C11 share: checks that are counted, and buckets in the test's folder. Each
// program includes it once.
#pragma once

#include <kvb/kvb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;
static const char* folder = NULL;

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __func__, __LINE__, #condition); \
      failures++;                                                             \
    }                                                                         \
  } while (0)

// Calls that must succeed: shows the error if they don't.
#define OK(call)                                                                                   \
  do {                                                                                             \
    kvb_error* error = NULL;                                                                       \
    kvb_code code_ = (call);                                                                       \
    if (code_ != KVB_OK) {                                                                         \
      fprintf(stderr, "%s:%d: %s: %s\n", __func__, __LINE__, #call, error ? error->message : "?"); \
      failures++;                                                                                  \
    }                                                                                              \
    CHECK((code_ == KVB_OK) == (error == NULL));                                                   \
    kvb_error_free(error);                                                                         \
  } while (0)

// Calls that must fail with this code and say why.
#define FAILS(expected, call)                                                                                 \
  do {                                                                                                        \
    kvb_error* error = NULL;                                                                                  \
    kvb_code code_ = (call);                                                                                  \
    if (code_ != (expected)) {                                                                                \
      fprintf(stderr, "%s:%d: %s: %s, not %s\n", __func__, __LINE__, #call, kvb_code_name(code_), #expected); \
      failures++;                                                                                             \
    }                                                                                                         \
    CHECK(error != NULL && error->code == code_ && error->message != NULL && strlen(error->message) > 8);     \
    kvb_error_free(error);                                                                                    \
  } while (0)

static inline const char* file_in_folder(const char* name) {
  static char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static inline kvb_bucket* new_bucket(const char* name) {
  kvb_bucket* bucket = NULL;
  kvb_error* error = NULL;
  if (kvb_create(file_in_folder(name), NULL, &bucket, &error) != KVB_OK) {
    fprintf(stderr, "cannot make %s: %s\n", name, error != NULL ? error->message : "?");
    exit(1);
  }
  CHECK(error == NULL && bucket != NULL);
  return bucket;
}
