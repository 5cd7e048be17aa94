#pragma once
// A store as the benchmark sees it. Each is used as its own documentation advises for the same promise: `relaxed`
// writes may be lost by a power cut, not by the process's death after close; `durable` ones survive both when they
// return. Values that are read are checked by the caller.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace bench {

class Peer {
 public:
  virtual ~Peer() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  virtual void open(const std::string& folder, bool durable) = 0;  // A new store, or the one that was closed there.
  virtual void close() = 0;
  virtual void put(std::string_view key, std::string_view value) = 0;
  virtual bool get(std::string_view key, std::string& value) = 0;
  // All entries in key order; gives their number.
  virtual std::uint64_t iterate(const std::function<void(std::string_view key, std::string_view value)>& visit) = 0;
  virtual void flush() = 0;
};

std::unique_ptr<Peer> make_kvb();
#ifdef BENCH_LMDB
std::unique_ptr<Peer> make_lmdb();
#endif
#ifdef BENCH_SQLITE
std::unique_ptr<Peer> make_sqlite();
#endif

// Ends the program with a message: a benchmark that goes on after an error measures nothing.
[[noreturn]] void fail(const std::string& what);

}  // namespace bench
