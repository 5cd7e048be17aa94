#include <kvb/bucket.h>

#include "peer.h"

namespace bench {
namespace {

class KvbPeer final : public Peer {
 public:
  [[nodiscard]] std::string name() const override { return "kvb"; }
  void open(const std::string& folder, bool durable) override {
    auto opened = kvb::Bucket::open_or_create(
        folder + "/bench.kvb", {.durability = durable ? kvb::Durability::sync : kvb::Durability::relaxed});
    if (!opened) fail(opened.error().to_string());
    bucket_ = std::make_unique<kvb::Bucket>(std::move(*opened));
  }
  void close() override {
    if (auto closed = bucket_->close(); !closed) fail(closed.error().to_string());
    bucket_.reset();
  }
  void put(std::string_view key, std::string_view value) override {
    if (auto written = bucket_->put(key, value); !written) fail(written.error().to_string());
  }
  bool get(std::string_view key, std::string& value) override {
    auto found = bucket_->get(key);
    if (!found) fail(found.error().to_string());
    if (!*found) return false;
    value = std::move((*found)->bytes);
    return true;
  }
  std::uint64_t iterate(const std::function<void(std::string_view, std::string_view)>& visit) override {
    std::uint64_t count = 0;
    auto done = bucket_->scan({}, [&](kvb::Entry&& entry) {
      visit(entry.key, entry.value.bytes);
      ++count;
      return true;
    });
    if (!done) fail(done.error().to_string());
    return count;
  }
  void flush() override {
    if (auto flushed = bucket_->flush(); !flushed) fail(flushed.error().to_string());
  }

 private:
  std::unique_ptr<kvb::Bucket> bucket_;
};

}  // namespace

std::unique_ptr<Peer> make_kvb() {
  return std::make_unique<KvbPeer>();
}

}  // namespace bench
