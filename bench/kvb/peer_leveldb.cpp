#ifdef BENCH_LEVELDB
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "peer.h"

namespace bench {
namespace {

void check(const leveldb::Status& status) {
  if (!status.ok()) throw Failure(status.ToString());
}
leveldb::Slice to_slice(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view to_view(const leveldb::Slice& slice) {
  return {slice.data(), slice.size()};
}

class LeveldbSession final : public Session {
 public:
  LeveldbSession(leveldb::DB& db, bool durable) : db_(db) { write_.sync = durable; }
  void put(std::string_view key, std::string_view value) override {
    check(db_.Put(write_, to_slice(key), to_slice(value)));
  }
  void write(std::span<const Entry> entries) override {
    leveldb::WriteBatch batch;
    for (const Entry& entry : entries) batch.Put(to_slice(entry.key), to_slice(entry.value));
    check(db_.Write(write_, &batch));
  }
  bool get(std::string_view key, ShowValue show) override {
    const leveldb::Status status = db_.Get({}, to_slice(key), &value_);
    if (status.IsNotFound()) return false;
    check(status);
    show(value_);
    return true;
  }
  void remove(std::string_view key) override { check(db_.Delete(write_, to_slice(key))); }
  void remove_many(std::span<const std::string_view> keys) override {
    leveldb::WriteBatch batch;
    for (const std::string_view key : keys) batch.Delete(to_slice(key));
    check(db_.Write(write_, &batch));
  }
  std::uint64_t scan(const Scan& scan, ShowEntry show) override {
    const std::unique_ptr<leveldb::Iterator> at(db_.NewIterator({}));
    std::uint64_t count = 0;
    if (scan.reverse) {
      at->SeekToLast();
    } else {
      at->Seek(to_slice(scan.prefix));
    }
    for (; at->Valid() && to_view(at->key()).starts_with(scan.prefix); scan.reverse ? at->Prev() : at->Next()) {
      show(to_view(at->key()), scan.keys_only ? std::string_view() : to_view(at->value()));
      ++count;
    }
    check(at->status());
    return count;
  }

 private:
  leveldb::DB& db_;
  leveldb::WriteOptions write_;
  std::string value_;
};

class LeveldbPeer final : public Peer {
 public:
  [[nodiscard]] std::string name() const override { return "leveldb"; }
  [[nodiscard]] std::string version() const override {
    return std::to_string(leveldb::kMajorVersion) + "." + std::to_string(leveldb::kMinorVersion);
  }
  [[nodiscard]] std::string settings() const override {
    return "Relaxed: sync=false; durable: sync=true. Bloom filter of 10 bits, block cache, 64 MiB memtable, files of "
           "16 MiB. Given time to finish compaction before it is read.";
  }
  [[nodiscard]] bool compacts() const override { return true; }

  void open(const Setup& setup) override {
    setup_ = setup;
    cache_.reset(leveldb::NewLRUCache(setup.cache_bytes()));
    filter_.reset(leveldb::NewBloomFilterPolicy(10));
    leveldb::Options options;
    options.create_if_missing = true;
    options.compression = leveldb::kNoCompression;
    options.block_cache = cache_.get();
    options.filter_policy = filter_.get();
    options.write_buffer_size = std::size_t{64} << 20;
    options.max_file_size = std::size_t{16} << 20;
    leveldb::DB* db = nullptr;
    check(leveldb::DB::Open(options, path(), &db));
    db_.reset(db);
  }
  void close() override {
    db_.reset();
    cache_.reset();
  }
  std::unique_ptr<Session> session() override { return std::make_unique<LeveldbSession>(*db_, setup_.durable); }
  // A durable write syncs the log with all that is in it before.
  void flush() override {
    leveldb::WriteOptions options;
    options.sync = true;
    leveldb::WriteBatch empty;
    check(db_->Write(options, &empty));
  }
  // It does not say when it is idle: its files stay as they are for half a second then.
  void settle() override {
    std::uint64_t before = 0;
    for (int same = 0; same < 5;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      std::uint64_t now = 1;
      for (const auto& file : std::filesystem::directory_iterator(path())) {
        std::error_code gone;
        const std::uint64_t bytes = std::filesystem::file_size(file, gone);
        if (!gone) now = now * 31 + bytes;
      }
      same = now == before ? same + 1 : 0;
      before = now;
    }
  }
  void compact() override { db_->CompactRange(nullptr, nullptr); }

 private:
  [[nodiscard]] std::string path() const { return setup_.folder + "/leveldb"; }

  Setup setup_;
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::DB> db_;
};

}  // namespace

std::unique_ptr<Peer> make_leveldb() {
  return std::make_unique<LeveldbPeer>();
}

}  // namespace bench
#endif
