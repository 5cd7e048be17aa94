#ifdef BENCH_SQLITE
// SQLite: a WITHOUT ROWID table, WAL, prepared statements. relaxed: synchronous=OFF; durable: synchronous=FULL.
#include <sqlite3.h>

#include "peer.h"

namespace bench {
namespace {

class SqlitePeer final : public Peer {
 public:
  [[nodiscard]] std::string name() const override { return "sqlite"; }
  void open(const std::string& folder, bool durable) override {
    check(sqlite3_open((folder + "/bench.sqlite").c_str(), &db_));
    run("PRAGMA journal_mode=WAL");
    run(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF");
    run("CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID");
    check(sqlite3_prepare_v2(db_, "INSERT OR REPLACE INTO kv VALUES (?, ?)", -1, &put_, nullptr));
    check(sqlite3_prepare_v2(db_, "SELECT v FROM kv WHERE k = ?", -1, &get_, nullptr));
    check(sqlite3_prepare_v2(db_, "SELECT k, v FROM kv ORDER BY k", -1, &iterate_, nullptr));
  }
  void close() override {
    for (sqlite3_stmt* statement : {put_, get_, iterate_}) sqlite3_finalize(statement);
    check(sqlite3_close(db_));
  }
  void put(std::string_view key, std::string_view value) override {
    bind(put_, 1, key);
    bind(put_, 2, value);
    if (sqlite3_step(put_) != SQLITE_DONE) fail(sqlite3_errmsg(db_));
    sqlite3_reset(put_);
  }
  bool get(std::string_view key, std::string& value) override {
    bind(get_, 1, key);
    const bool found = sqlite3_step(get_) == SQLITE_ROW;
    if (found) value = column(get_, 0);
    sqlite3_reset(get_);
    return found;
  }
  std::uint64_t iterate(const std::function<void(std::string_view, std::string_view)>& visit) override {
    std::uint64_t count = 0;
    while (sqlite3_step(iterate_) == SQLITE_ROW) {
      visit(column(iterate_, 0), column(iterate_, 1));
      ++count;
    }
    sqlite3_reset(iterate_);
    return count;
  }
  void flush() override { run("PRAGMA wal_checkpoint(FULL)"); }

 private:
  void check(int code) {
    if (code != SQLITE_OK) fail(std::string("sqlite: ") + sqlite3_errmsg(db_));
  }
  void run(const char* sql) { check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }
  void bind(sqlite3_stmt* statement, int at, std::string_view text) {
    check(sqlite3_bind_blob(statement, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC));
  }
  static std::string_view column(sqlite3_stmt* statement, int at) {
    return {static_cast<const char*>(sqlite3_column_blob(statement, at)),
            static_cast<std::size_t>(sqlite3_column_bytes(statement, at))};
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* put_ = nullptr;
  sqlite3_stmt* get_ = nullptr;
  sqlite3_stmt* iterate_ = nullptr;
};

}  // namespace

std::unique_ptr<Peer> make_sqlite() {
  return std::make_unique<SqlitePeer>();
}

}  // namespace bench
#endif
