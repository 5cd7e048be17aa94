#ifdef BENCH_LMDB
#include <lmdb.h>

#include "peer.h"

namespace bench {
namespace {

void check(int code) {
  if (code != MDB_SUCCESS) throw Failure(mdb_strerror(code));
}
MDB_val to_val(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};
}
std::string_view to_view(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

// A read transaction that is renewed for each call, as its documentation advises: no allocation, and no old state is
// held on to.
class LmdbSession final : public Session {
 public:
  LmdbSession(MDB_env* env, MDB_dbi dbi) : env_(env), dbi_(dbi) {
    check(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &reader_));
    mdb_txn_reset(reader_);
  }
  ~LmdbSession() override {
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
    mdb_txn_abort(reader_);
  }
  void put(std::string_view key, std::string_view value) override {
    const Entry entry{key, value};
    write({&entry, 1});
  }
  void write(std::span<const Entry> entries) override {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn));
    for (const Entry& entry : entries) {
      MDB_val k = to_val(entry.key);
      MDB_val v = to_val(entry.value);
      check(mdb_put(txn, dbi_, &k, &v, 0));
    }
    check(mdb_txn_commit(txn));
  }
  bool get(std::string_view key, ShowValue show) override {
    check(mdb_txn_renew(reader_));
    MDB_val k = to_val(key);
    MDB_val v{};
    const int code = mdb_get(reader_, dbi_, &k, &v);
    if (code == MDB_SUCCESS) show(to_view(v));
    mdb_txn_reset(reader_);
    if (code == MDB_NOTFOUND) return false;
    check(code);
    return true;
  }
  void get_many(std::span<const std::string_view> keys, ShowValue show) override {
    check(mdb_txn_renew(reader_));
    for (const std::string_view key : keys) {
      MDB_val k = to_val(key);
      MDB_val v{};
      check(mdb_get(reader_, dbi_, &k, &v));
      show(to_view(v));
    }
    mdb_txn_reset(reader_);
  }
  void remove(std::string_view key) override { remove_many({&key, 1}); }
  void remove_many(std::span<const std::string_view> keys) override {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn));
    for (const std::string_view key : keys) {
      MDB_val k = to_val(key);
      const int code = mdb_del(txn, dbi_, &k, nullptr);
      if (code != MDB_NOTFOUND) check(code);
    }
    check(mdb_txn_commit(txn));
  }
  std::uint64_t scan(const Scan& scan, ShowEntry show) override {
    check(mdb_txn_renew(reader_));
    if (cursor_ == nullptr) {
      check(mdb_cursor_open(reader_, dbi_, &cursor_));
    } else {
      check(mdb_cursor_renew(reader_, cursor_));
    }
    MDB_val k = to_val(scan.prefix);
    MDB_val v{};
    if (scan.reverse && !scan.prefix.empty()) throw Failure("no workload scans a prefix backwards");
    int code =
        mdb_cursor_get(cursor_, &k, &v, scan.reverse ? MDB_LAST : (scan.prefix.empty() ? MDB_FIRST : MDB_SET_RANGE));
    std::uint64_t count = 0;
    while (code == MDB_SUCCESS && to_view(k).starts_with(scan.prefix)) {
      show(to_view(k), scan.keys_only ? std::string_view() : to_view(v));
      ++count;
      code = mdb_cursor_get(cursor_, &k, &v, scan.reverse ? MDB_PREV : MDB_NEXT);
    }
    if (code != MDB_NOTFOUND) check(code);
    mdb_txn_reset(reader_);
    return count;
  }

 private:
  MDB_env* env_;
  MDB_dbi dbi_;
  MDB_txn* reader_ = nullptr;
  MDB_cursor* cursor_ = nullptr;
};

class LmdbPeer final : public Peer {
 public:
  [[nodiscard]] std::string name() const override { return "lmdb"; }
  [[nodiscard]] std::string version() const override {
    return std::to_string(MDB_VERSION_MAJOR) + "." + std::to_string(MDB_VERSION_MINOR) + "." +
           std::to_string(MDB_VERSION_PATCH);
  }
  [[nodiscard]] std::string settings() const override {
    return "Relaxed: MDB_NOSYNC + MDB_WRITEMAP; durable: as it is by itself. MDB_NOSUBDIR, MDB_NOTLS, one renewed read "
           "transaction a thread, a map of 8 GiB + 6 × the data. Values are shown where they lie, without a checksum.";
  }
  [[nodiscard]] bool other_processes() const override { return true; }

  void open(const Setup& setup) override {
    check(mdb_env_create(&env_));
    const std::uint64_t map = (std::uint64_t{8} << 30) + 6 * setup.expected_bytes;
    check(mdb_env_set_mapsize(env_, static_cast<std::size_t>(map)));
    const unsigned sync = setup.durable ? 0u : unsigned{MDB_NOSYNC | MDB_WRITEMAP};
    const unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | (setup.read_only ? unsigned{MDB_RDONLY} : sync);
    check(mdb_env_open(env_, (setup.folder + "/bench.mdb").c_str(), flags, 0644));
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, setup.read_only ? MDB_RDONLY : 0, &txn));
    check(mdb_dbi_open(txn, nullptr, 0, &dbi_));
    check(mdb_txn_commit(txn));
  }
  void close() override { mdb_env_close(env_); }
  std::unique_ptr<Session> session() override { return std::make_unique<LmdbSession>(env_, dbi_); }
  void flush() override { check(mdb_env_sync(env_, 1)); }

 private:
  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
};

}  // namespace

std::unique_ptr<Peer> make_lmdb() {
  return std::make_unique<LmdbPeer>();
}

}  // namespace bench
#endif
