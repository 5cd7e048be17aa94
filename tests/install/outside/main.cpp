// A program of somebody else: it knows the installed headers and nothing else of the project.
#include <kvb/bucket.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

[[noreturn]] void fail(const char* what, const kvb::Error& error) {
  std::fprintf(stderr, "%s: %s\n", what, error.to_string().c_str());
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  {
    auto bucket = kvb::Bucket::create(argv[1]);
    if (!bucket) fail("create", bucket.error());
    for (const char* name : {"pear", "apple", "fig"}) {
      auto written = bucket->put(std::string("fruit:") + name, name);
      if (!written) fail("put", written.error());
    }
    kvb::Batch batch;
    batch.put("count", "3", {.kind = kvb::ValueKind::json});
    batch.remove("fruit:fig");
    if (auto written = bucket->write(batch); !written) fail("write", written.error());
    if (auto closed = bucket->close(); !closed) fail("close", closed.error());
  }
  auto again = kvb::Bucket::create(argv[1]);
  if (again || again.error().code != kvb::ErrorCode::already_exists) return 3;

  auto bucket = kvb::Bucket::open(argv[1], {.read_only = true});
  if (!bucket) fail("open", bucket.error());
  auto entries = bucket->scan({.prefix = "fruit:"});
  if (!entries) fail("scan", entries.error());
  for (const kvb::Entry& entry : *entries) std::printf("%s = %s\n", entry.key.c_str(), entry.value.bytes.c_str());
  auto count = bucket->get("count");
  if (!count) fail("get", count.error());
  if (!*count) return 4;
  std::printf("count = %s\n", (*count)->bytes.c_str());
}
