// Keeps a counter and a greeting in hello.kvb, and finds them again the next time it runs.
// Build against the installed library:  c++ -std=c++23 hello.cpp $(pkg-config --cflags --libs kvb) -o hello
#include <kvb/bucket.h>

#include <cstdlib>
#include <iostream>
#include <string>

namespace {

// The value of a result, or the end of the program with the reason.
template <typename T>
T need(kvb::Result<T> result) {
  if (!result) {
    std::cerr << "hello: " << result.error().to_string() << '\n';
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace

int main() {
  auto bucket = need(kvb::Bucket::open_or_create("hello.kvb"));

  // Reads the number, adds one and writes it back, with no other write in between.
  need(bucket.update("runs", [](const std::optional<kvb::Value>& current) -> kvb::Result<kvb::Update> {
    const long runs = current ? std::strtol(current->bytes.c_str(), nullptr, 10) : 0;
    return kvb::Update{
        .action = kvb::Update::Action::put, .value = std::to_string(runs + 1), .kind = kvb::ValueKind::json};
  }));

  // A session that ends by itself after half an hour.
  need(bucket.put("session:ann", "signed in", {.ttl_seconds = 30 * 60, .kind = kvb::ValueKind::text}));

  const auto runs = need(bucket.get("runs"));
  std::cout << "Hello! I ran " << runs->bytes << " time" << (runs->bytes == "1" ? "" : "s") << ".\n";

  need(bucket.scan({}, [](kvb::Entry&& entry) {
    std::cout << entry.key << " = " << entry.value.bytes << '\n';
    return true;
  }));
  need(bucket.close());
}
