#ifdef BENCH_LMDB
// LMDB: one environment, one table, a map of 8 GiB. relaxed: MDB_NOSYNC, one write transaction a put, as users without
// batches write.
#include <lmdb.h>

#include "peer.h"

namespace bench {
namespace {

void check(int code) {
  if (code != MDB_SUCCESS) fail(std::string("lmdb: ") + mdb_strerror(code));
}

class LmdbPeer final : public Peer {
 public:
  [[nodiscard]] std::string name() const override { return "lmdb"; }
  void open(const std::string& folder, bool durable) override {
    check(mdb_env_create(&env_));
    check(mdb_env_set_mapsize(env_, std::size_t{8} << 30));
    check(mdb_env_open(env_, (folder + "/bench.mdb").c_str(), MDB_NOSUBDIR | (durable ? 0u : MDB_NOSYNC), 0644));
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn));
    check(mdb_dbi_open(txn, nullptr, 0, &dbi_));
    check(mdb_txn_commit(txn));
    check(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &reader_));
    mdb_txn_reset(reader_);
  }
  void close() override {
    mdb_txn_abort(reader_);
    mdb_env_close(env_);
  }
  void put(std::string_view key, std::string_view value) override {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn));
    MDB_val k = to_val(key);
    MDB_val v = to_val(value);
    check(mdb_put(txn, dbi_, &k, &v, 0));
    check(mdb_txn_commit(txn));
  }
  bool get(std::string_view key, std::string& value) override {
    check(mdb_txn_renew(reader_));
    MDB_val k = to_val(key);
    MDB_val v{};
    const int code = mdb_get(reader_, dbi_, &k, &v);
    if (code == MDB_SUCCESS) value.assign(static_cast<const char*>(v.mv_data), v.mv_size);
    mdb_txn_reset(reader_);
    if (code == MDB_NOTFOUND) return false;
    check(code);
    return true;
  }
  std::uint64_t iterate(const std::function<void(std::string_view, std::string_view)>& visit) override {
    check(mdb_txn_renew(reader_));
    MDB_cursor* cursor = nullptr;
    check(mdb_cursor_open(reader_, dbi_, &cursor));
    std::uint64_t count = 0;
    MDB_val k{};
    MDB_val v{};
    while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == MDB_SUCCESS) {
      visit({static_cast<const char*>(k.mv_data), k.mv_size}, {static_cast<const char*>(v.mv_data), v.mv_size});
      ++count;
    }
    mdb_cursor_close(cursor);
    mdb_txn_reset(reader_);
    return count;
  }
  void flush() override { check(mdb_env_sync(env_, 1)); }

 private:
  static MDB_val to_val(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }

  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
  MDB_txn* reader_ = nullptr;
};

}  // namespace

std::unique_ptr<Peer> make_lmdb() {
  return std::make_unique<LmdbPeer>();
}

}  // namespace bench
#endif
