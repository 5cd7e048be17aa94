// The store of this project, through its public header, with the options it has by itself.
#include <kvb/bucket.h>

#include "peer.h"

namespace bench {
namespace {

template <typename T>
T value_or_failure(kvb::Result<T>&& result) {
  if (!result) throw Failure(result.error().to_string());
  return std::move(*result);
}
void check(const kvb::Result<void>& result) {
  if (!result) throw Failure(result.error().to_string());
}

class KvbSession final : public Session {
 public:
  explicit KvbSession(kvb::Bucket& bucket) : bucket_(bucket) {}
  void put(std::string_view key, std::string_view value) override { (void)value_or_failure(bucket_.put(key, value)); }
  bool get(std::string_view key, ShowValue show) override {
    auto found = bucket_.get(key);
    if (!found) throw Failure(found.error().to_string());
    if (!*found) return false;
    show((*found)->bytes);
    return true;
  }
  void remove(std::string_view key) override { (void)value_or_failure(bucket_.remove(key)); }
  void write(std::span<const Entry> entries) override {
    batch_.clear();
    for (const Entry& entry : entries) batch_.put(entry.key, entry.value);
    (void)value_or_failure(bucket_.write(batch_));
  }
  void remove_many(std::span<const std::string_view> keys) override {
    batch_.clear();
    for (const std::string_view key : keys) batch_.remove(key);
    (void)value_or_failure(bucket_.write(batch_));
  }
  void get_many(std::span<const std::string_view> keys, ShowValue show) override {
    auto found = bucket_.get_many(keys);
    if (!found) throw Failure(found.error().to_string());
    for (const auto& value : *found) {
      if (!value) throw Failure("a key of get_many is missing");
      show(value->bytes);
    }
  }
  std::uint64_t scan(const Scan& scan, ShowEntry show) override {
    kvb::ScanOptions options;
    options.prefix = scan.prefix;
    options.reverse = scan.reverse;
    options.keys_only = scan.keys_only;
    std::uint64_t count = 0;
    check(bucket_.scan(options, [&](kvb::Entry&& entry) {
      show(entry.key, entry.value.bytes);
      ++count;
      return true;
    }));
    return count;
  }

 private:
  kvb::Bucket& bucket_;
  kvb::Batch batch_;
};

class KvbPeer final : public Peer {
 public:
  [[nodiscard]] std::string name() const override { return "kvb"; }
  [[nodiscard]] std::string version() const override { return "this one"; }
  [[nodiscard]] std::string settings() const override {
    return "Every option as it is by itself: checksums on every read, automatic checkpoints and compaction. Relaxed: "
           "Durability::relaxed; durable: Durability::sync. Values are copied out, because the API owns what it "
           "returns.";
  }
  [[nodiscard]] bool other_processes() const override { return true; }
  [[nodiscard]] bool compacts() const override { return true; }

  void open(const Setup& setup) override {
    kvb::OpenOptions options;
    options.durability = setup.durable ? kvb::Durability::sync : kvb::Durability::relaxed;
    options.read_only = setup.read_only;
    if (setup.long_journal) options.checkpoint_bytes = std::uint64_t{1} << 30;
    const std::string path = setup.folder + "/bench.kvb";
    bucket_ = std::make_unique<kvb::Bucket>(value_or_failure(
        setup.read_only ? kvb::Bucket::open(path, options) : kvb::Bucket::open_or_create(path, options)));
  }
  void close() override {
    check(bucket_->close());
    bucket_.reset();
  }
  std::unique_ptr<Session> session() override { return std::make_unique<KvbSession>(*bucket_); }
  void flush() override { check(bucket_->flush()); }
  void compact() override {
    (void)value_or_failure(bucket_->compact({.strategy = kvb::CompactStrategy::full, .progress = {}}));
  }

 private:
  std::unique_ptr<kvb::Bucket> bucket_;
};

}  // namespace

std::unique_ptr<Peer> make_kvb() {
  return std::make_unique<KvbPeer>();
}

}  // namespace bench
