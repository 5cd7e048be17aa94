#pragma once
// A store as the benchmark sees it. Each one is used as its own documentation advises for the same two promises:
//
//   relaxed    a write that has returned need not be on disk
//   durable    it is on stable storage when it returns
//
// Compression is off everywhere, and a store with a cache of its own may use Setup::cache_bytes for it, because those
// that map their file may use all free memory. What differs otherwise is said by Peer::settings(), which goes into the
// report.
//
// Values are shown to a function, not returned: who can show the bytes where they lie need not copy them.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace bench {

// Thrown by a peer that cannot go on; it ends the step, and the report says so.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A function that is called within the call that it is given to; costs one indirect call and never allocates.
template <typename Signature>
class FunctionRef;
template <typename R, typename... Args>
class FunctionRef<R(Args...)> {
 public:
  template <typename F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>)
  FunctionRef(F&& function)  // NOLINT(google-explicit-constructor): it stands for the function.
      : object_(const_cast<void*>(static_cast<const void*>(&function))), call_([](void* object, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(object))(args...);
        }) {}
  R operator()(Args... args) const { return call_(object_, args...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

using ShowValue = FunctionRef<void(std::string_view value)>;
using ShowEntry = FunctionRef<void(std::string_view key, std::string_view value)>;

struct Entry {
  std::string_view key;
  std::string_view value;
};

struct Scan {
  std::string_view prefix{};  // Empty: all keys.
  bool reverse = false;
  bool keys_only = false;
};

// What one thread works with. Sessions of one peer may be used at the same time.
class Session {
 public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;
  virtual void put(std::string_view key, std::string_view value) = 0;
  virtual bool get(std::string_view key, ShowValue show) = 0;  // False if there is none.
  virtual void remove(std::string_view key) = 0;
  // All or nothing where the store has batches; one after the other elsewhere.
  virtual void write(std::span<const Entry> entries) {
    for (const Entry& entry : entries) put(entry.key, entry.value);
  }
  // As quickly as it can; how quickly is not measured.
  virtual void remove_many(std::span<const std::string_view> keys) {
    for (const std::string_view key : keys) remove(key);
  }
  // Shows the values in the order of the keys, all of which must be there.
  virtual void get_many(std::span<const std::string_view> keys, ShowValue show) {
    for (const std::string_view key : keys) {
      if (!get(key, show)) throw Failure("a key of get_many is missing");
    }
  }
  // In key order; gives the number of entries shown. Only for peers with ordered().
  virtual std::uint64_t scan(const Scan& /*scan*/, ShowEntry /*show*/) { throw Failure("has no order"); }
};

struct Setup {
  std::string folder;
  bool durable = false;
  bool read_only = false;            // Beside a writer in another process.
  bool large_values = false;         // 100 KiB and more.
  bool long_journal = false;         // Let 64 MiB of log stand at a kill, where the store can be told to.
  std::uint64_t expected_keys = 0;   // For stores that want to know beforehand.
  std::uint64_t expected_bytes = 0;  // Keys and values.
  [[nodiscard]] std::uint64_t cache_bytes() const {
    const std::uint64_t wanted = expected_bytes + expected_bytes / 2;
    const std::uint64_t least = std::uint64_t{256} << 20;
    return wanted > least ? wanted : least;
  }
};

class Peer {
 public:
  Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  virtual ~Peer() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::string version() const = 0;
  [[nodiscard]] virtual std::string settings() const = 0;  // One sentence for the report.
  [[nodiscard]] virtual bool ordered() const { return true; }
  [[nodiscard]] virtual bool backwards() const { return ordered(); }
  [[nodiscard]] virtual bool other_processes() const { return false; }  // May read beside a writer.
  [[nodiscard]] virtual bool compacts() const { return false; }

  virtual void open(const Setup& setup) = 0;  // A new store, or the one that was closed (or killed) there.
  virtual void close() = 0;
  virtual std::unique_ptr<Session> session() = 0;
  virtual void flush() = 0;  // All that was written is on stable storage.
  virtual void settle() {}   // Waits until work in the background is done.
  virtual void compact() {}  // As thoroughly as it can.
};

struct PeerEntry {
  std::string name;
  std::unique_ptr<Peer> (*make)();
};

// The store of this project first, then the peers that were found when the benchmark was configured.
std::vector<PeerEntry> all_peers();
// Those that were not.
std::vector<std::string> absent_peers();

std::unique_ptr<Peer> make_kvb();
std::unique_ptr<Peer> make_lmdb();
std::unique_ptr<Peer> make_rocksdb();
std::unique_ptr<Peer> make_leveldb();
std::unique_ptr<Peer> make_sqlite();
std::unique_ptr<Peer> make_tkrzw_hash();
std::unique_ptr<Peer> make_tkrzw_tree();

}  // namespace bench
