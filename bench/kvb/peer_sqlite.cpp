#ifdef BENCH_SQLITE
#include <sqlite3.h>

#include <mutex>

#include "peer.h"

namespace bench {
namespace {

// One connection and its prepared statements.
class Connection {
 public:
  Connection(const Setup& setup) {
    const int flags =
        SQLITE_OPEN_NOMUTEX | (setup.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    check(sqlite3_open_v2((setup.folder + "/bench.sqlite").c_str(), &db_, flags, nullptr));
    check(sqlite3_busy_timeout(db_, 10'000));
    if (!setup.read_only) {
      run("PRAGMA journal_mode=WAL");
      run(setup.durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF");
      run("CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID");
    }
    run("PRAGMA mmap_size=17179869184");
    run("PRAGMA cache_size=-" + std::to_string(setup.cache_bytes() >> 10));
    prepare(&put, "INSERT OR REPLACE INTO kv VALUES (?, ?)");
    prepare(&get, "SELECT v FROM kv WHERE k = ?");
    prepare(&remove, "DELETE FROM kv WHERE k = ?");
    prepare(&forward, "SELECT k, v FROM kv WHERE k >= ? ORDER BY k");
    prepare(&backward, "SELECT k, v FROM kv WHERE k >= ? ORDER BY k DESC");
    prepare(&keys_forward, "SELECT k FROM kv WHERE k >= ? ORDER BY k");
    prepare(&keys_backward, "SELECT k FROM kv WHERE k >= ? ORDER BY k DESC");
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    for (sqlite3_stmt* statement : {put, get, remove, forward, backward, keys_forward, keys_backward}) {
      sqlite3_finalize(statement);
    }
    sqlite3_close(db_);
  }
  void check(int code) const {
    if (code != SQLITE_OK) throw Failure(sqlite3_errmsg(db_));
  }
  void run(const std::string& sql) const { check(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr)); }
  void bind(sqlite3_stmt* statement, int at, std::string_view text) const {
    // A null pointer would bind NULL, which no key compares with.
    const char* data = text.data() == nullptr ? "" : text.data();
    check(sqlite3_bind_blob(statement, at, data, static_cast<int>(text.size()), SQLITE_STATIC));
  }
  void finish(sqlite3_stmt* statement) const {
    if (sqlite3_step(statement) != SQLITE_DONE) throw Failure(sqlite3_errmsg(db_));
    check(sqlite3_reset(statement));
  }

  sqlite3_stmt* put = nullptr;
  sqlite3_stmt* get = nullptr;
  sqlite3_stmt* remove = nullptr;
  sqlite3_stmt* forward = nullptr;
  sqlite3_stmt* backward = nullptr;
  sqlite3_stmt* keys_forward = nullptr;
  sqlite3_stmt* keys_backward = nullptr;

 private:
  void prepare(sqlite3_stmt** statement, const char* sql) const {
    check(sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, nullptr));
  }
  sqlite3* db_ = nullptr;
};

std::string_view column(sqlite3_stmt* statement, int at) {
  return {static_cast<const char*>(sqlite3_column_blob(statement, at)),
          static_cast<std::size_t>(sqlite3_column_bytes(statement, at))};
}

// Reads with a connection of its own; all writes go through the one connection that writes, under a mutex.
class SqliteSession final : public Session {
 public:
  SqliteSession(Connection& writer, std::mutex& mutex, const Setup& setup, bool own_reader)
      : writer_(writer), mutex_(mutex), own_(own_reader ? std::make_unique<Connection>(setup) : nullptr) {}
  void put(std::string_view key, std::string_view value) override {
    const std::lock_guard lock(mutex_);
    put_one({key, value});
  }
  void write(std::span<const Entry> entries) override {
    const std::lock_guard lock(mutex_);
    writer_.run("BEGIN");
    for (const Entry& entry : entries) put_one(entry);
    writer_.run("COMMIT");
  }
  bool get(std::string_view key, ShowValue show) override {
    const Connection& from = reader();
    from.bind(from.get, 1, key);
    const int code = sqlite3_step(from.get);
    if (code == SQLITE_ROW) show(column(from.get, 0));
    from.check(sqlite3_reset(from.get));
    return code == SQLITE_ROW;
  }
  void remove(std::string_view key) override {
    const std::lock_guard lock(mutex_);
    writer_.bind(writer_.remove, 1, key);
    writer_.finish(writer_.remove);
  }
  void remove_many(std::span<const std::string_view> keys) override {
    writer_.run("BEGIN");
    for (const std::string_view key : keys) remove(key);
    writer_.run("COMMIT");
  }
  std::uint64_t scan(const Scan& scan, ShowEntry show) override {
    const Connection& from = reader();
    sqlite3_stmt* statement = scan.reverse ? (scan.keys_only ? from.keys_backward : from.backward)
                                           : (scan.keys_only ? from.keys_forward : from.forward);
    from.bind(statement, 1, scan.prefix);
    std::uint64_t count = 0;
    while (sqlite3_step(statement) == SQLITE_ROW) {
      const std::string_view key = column(statement, 0);
      if (!key.starts_with(scan.prefix)) break;
      show(key, scan.keys_only ? std::string_view() : column(statement, 1));
      ++count;
    }
    from.check(sqlite3_reset(statement));
    return count;
  }

 private:
  void put_one(const Entry& entry) {
    writer_.bind(writer_.put, 1, entry.key);
    writer_.bind(writer_.put, 2, entry.value);
    writer_.finish(writer_.put);
  }
  [[nodiscard]] const Connection& reader() const { return own_ ? *own_ : writer_; }

  Connection& writer_;
  std::mutex& mutex_;
  std::unique_ptr<Connection> own_;
};

class SqlitePeer final : public Peer {
 public:
  [[nodiscard]] std::string name() const override { return "sqlite"; }
  [[nodiscard]] std::string version() const override { return sqlite3_libversion(); }
  [[nodiscard]] std::string settings() const override {
    return "WAL. Relaxed: synchronous=OFF; durable: synchronous=FULL. WITHOUT ROWID, prepared statements, mmap of "
           "16 GiB, one connection writes under a mutex, further threads read with their own.";
  }
  [[nodiscard]] bool other_processes() const override { return true; }
  [[nodiscard]] bool compacts() const override { return true; }

  void open(const Setup& setup) override {
    setup_ = setup;
    connection_ = std::make_unique<Connection>(setup);
    sessions_ = 0;
  }
  void close() override { connection_.reset(); }
  std::unique_ptr<Session> session() override {
    return std::make_unique<SqliteSession>(*connection_, mutex_, setup_, sessions_++ > 0);
  }
  void flush() override { connection_->run("PRAGMA wal_checkpoint(TRUNCATE)"); }
  void settle() override { flush(); }
  void compact() override {
    connection_->run("VACUUM");
    flush();
  }

 private:
  Setup setup_;
  std::unique_ptr<Connection> connection_;
  std::mutex mutex_;
  int sessions_ = 0;
};

}  // namespace

std::unique_ptr<Peer> make_sqlite() {
  return std::make_unique<SqlitePeer>();
}

}  // namespace bench
#endif
