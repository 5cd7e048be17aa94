#ifdef BENCH_ROCKSDB
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/version.h>

#include <chrono>
#include <thread>

#include "data.h"
#include "peer.h"

namespace bench {
namespace {

void check(const rocksdb::Status& status) {
  if (!status.ok()) throw Failure(status.ToString());
}
rocksdb::Slice to_slice(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view to_view(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

class RocksdbSession final : public Session {
 public:
  RocksdbSession(rocksdb::DB& db, bool durable) : db_(db) { write_.sync = durable; }
  void put(std::string_view key, std::string_view value) override {
    check(db_.Put(write_, to_slice(key), to_slice(value)));
  }
  void write(std::span<const Entry> entries) override {
    rocksdb::WriteBatch batch;
    for (const Entry& entry : entries) batch.Put(to_slice(entry.key), to_slice(entry.value));
    check(db_.Write(write_, &batch));
  }
  bool get(std::string_view key, ShowValue show) override {
    value_.Reset();
    const rocksdb::Status status = db_.Get({}, db_.DefaultColumnFamily(), to_slice(key), &value_);
    if (status.IsNotFound()) return false;
    check(status);
    show(to_view(value_));
    return true;
  }
  void get_many(std::span<const std::string_view> keys, ShowValue show) override {
    std::vector<rocksdb::Slice> slices;
    for (const std::string_view key : keys) slices.push_back(to_slice(key));
    std::vector<rocksdb::PinnableSlice> values(keys.size());
    std::vector<rocksdb::Status> statuses(keys.size());
    db_.MultiGet({}, db_.DefaultColumnFamily(), keys.size(), slices.data(), values.data(), statuses.data());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      check(statuses[i]);
      show(to_view(values[i]));
    }
  }
  void remove(std::string_view key) override { check(db_.Delete(write_, to_slice(key))); }
  void remove_many(std::span<const std::string_view> keys) override {
    rocksdb::WriteBatch batch;
    for (const std::string_view key : keys) batch.Delete(to_slice(key));
    check(db_.Write(write_, &batch));
  }
  std::uint64_t scan(const Scan& scan, ShowEntry show) override {
    rocksdb::ReadOptions options;
    if (scan.prefix.empty()) {
      options.total_order_seek = true;
    } else {
      options.prefix_same_as_start = true;
    }
    const std::unique_ptr<rocksdb::Iterator> at(db_.NewIterator(options));
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
  rocksdb::DB& db_;
  rocksdb::WriteOptions write_;
  rocksdb::PinnableSlice value_;
};

class RocksdbPeer final : public Peer {
 public:
  [[nodiscard]] std::string name() const override { return "rocksdb"; }
  [[nodiscard]] std::string version() const override {
    return std::to_string(ROCKSDB_MAJOR) + "." + std::to_string(ROCKSDB_MINOR) + "." + std::to_string(ROCKSDB_PATCH);
  }
  [[nodiscard]] std::string settings() const override {
    return "WAL on. Relaxed: sync=false; durable: sync=true. Bloom filter of 10 bits, LRU block cache, 64 MiB "
           "memtable, "
           "2 threads in the background, prefix extractor of a group's 10 bytes, hash index in data blocks, blob files "
           "for large values. Given time to finish compaction before it is read.";
  }
  [[nodiscard]] bool compacts() const override { return true; }

  void open(const Setup& setup) override {
    setup_ = setup;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(setup.cache_bytes());
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kNoCompression;
    options.write_buffer_size = std::size_t{64} << 20;
    options.max_background_jobs = 2;
    options.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(kPrefixBytes));
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    options.enable_blob_files = setup.large_values;
    options.min_blob_size = 4096;
    rocksdb::DB* db = nullptr;
    check(rocksdb::DB::Open(options, setup.folder + "/rocksdb", &db));
    db_.reset(db);
  }
  void close() override {
    check(db_->Close());
    db_.reset();
  }
  std::unique_ptr<Session> session() override { return std::make_unique<RocksdbSession>(*db_, setup_.durable); }
  void flush() override { check(db_->SyncWAL()); }
  void settle() override {
    for (int idle = 0; idle < 3;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      std::uint64_t busy = 0;
      for (const char* property : {"rocksdb.mem-table-flush-pending", "rocksdb.compaction-pending",
                                   "rocksdb.num-running-flushes", "rocksdb.num-running-compactions"}) {
        std::uint64_t value = 0;
        if (!db_->GetIntProperty(property, &value)) throw Failure(std::string("does not know ") + property);
        busy += value;
      }
      idle = busy == 0 ? idle + 1 : 0;
    }
  }
  void compact() override { check(db_->CompactRange({}, nullptr, nullptr)); }

 private:
  Setup setup_;
  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace

std::unique_ptr<Peer> make_rocksdb() {
  return std::make_unique<RocksdbPeer>();
}

}  // namespace bench
#endif
