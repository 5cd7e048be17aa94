#ifdef BENCH_TKRZW
#include <tkrzw_dbm_hash.h>
#include <tkrzw_dbm_tree.h>
#include <tkrzw_lib_common.h>

#include "peer.h"

namespace bench {
namespace {

void check(const tkrzw::Status& status) {
  if (status != tkrzw::Status::SUCCESS) throw Failure(tkrzw::ToString(status));
}

// Shows a record where it lies, and leaves it as it is.
class Shower final : public tkrzw::DBM::RecordProcessor {
 public:
  explicit Shower(ShowEntry show) : show_(show) {}
  std::string_view ProcessFull(std::string_view key, std::string_view value) override {
    show_(key, value);
    ++count_;
    return NOOP;
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  ShowEntry show_;
  std::uint64_t count_ = 0;
};

// Both kinds of file have the same interface. There are no batches that are all or nothing.
class TkrzwSession final : public Session {
 public:
  TkrzwSession(tkrzw::DBM& dbm, bool durable) : dbm_(dbm), durable_(durable) {}
  void put(std::string_view key, std::string_view value) override {
    check(dbm_.Set(key, value));
    sync();
  }
  void write(std::span<const Entry> entries) override {
    for (const Entry& entry : entries) check(dbm_.Set(entry.key, entry.value));
    sync();
  }
  bool get(std::string_view key, ShowValue show) override {
    const auto shown = [&](std::string_view, std::string_view value) { show(value); };
    Shower shower(shown);
    check(dbm_.Process(key, &shower, false));
    return shower.count() != 0;
  }
  void remove(std::string_view key) override {
    const tkrzw::Status status = dbm_.Remove(key);
    if (status != tkrzw::Status::NOT_FOUND_ERROR) check(status);
    sync();
  }
  std::uint64_t scan(const Scan& scan, ShowEntry show) override {
    if (scan.prefix.empty() && !scan.reverse) {
      Shower shower(show);
      check(dbm_.ProcessEach(&shower, false));
      return shower.count();
    }
    const std::unique_ptr<tkrzw::DBM::Iterator> at = dbm_.MakeIterator();
    check(scan.reverse ? at->Last() : at->Jump(scan.prefix));
    std::uint64_t count = 0;
    std::string key;
    std::string value;
    while (true) {
      const tkrzw::Status status = at->Get(&key, scan.keys_only ? nullptr : &value);
      if (status == tkrzw::Status::NOT_FOUND_ERROR) break;
      check(status);
      if (!std::string_view(key).starts_with(scan.prefix)) break;
      show(key, value);
      ++count;
      check(scan.reverse ? at->Previous() : at->Next());
    }
    return count;
  }

 private:
  void sync() {
    if (durable_) check(dbm_.Synchronize(true));
  }
  tkrzw::DBM& dbm_;
  bool durable_;
};

template <typename Dbm>
class TkrzwPeer : public Peer {
 public:
  [[nodiscard]] std::string version() const override { return tkrzw::PACKAGE_VERSION; }
  [[nodiscard]] bool compacts() const override { return true; }
  void close() override { check(dbm_.Close()); }
  std::unique_ptr<Session> session() override { return std::make_unique<TkrzwSession>(dbm_, durable_); }
  void flush() override { check(dbm_.Synchronize(true)); }
  void compact() override { check(dbm_.Rebuild()); }

 protected:
  Dbm dbm_;
  bool durable_ = false;
};

class HashPeer final : public TkrzwPeer<tkrzw::HashDBM> {
 public:
  [[nodiscard]] std::string name() const override { return "tkrzw-hash"; }
  [[nodiscard]] std::string settings() const override {
    return "HashDBM, 2 buckets a key, mapped file. Relaxed: Set; durable: Set + Synchronize(hard). No order and no "
           "batches: its loads are single sets.";
  }
  [[nodiscard]] bool ordered() const override { return false; }
  void open(const Setup& setup) override {
    durable_ = setup.durable;
    tkrzw::HashDBM::TuningParameters tuning;
    tuning.num_buckets = static_cast<std::int64_t>(2 * setup.expected_keys);
    check(dbm_.OpenAdvanced(setup.folder + "/bench.tkh", true, tkrzw::File::OPEN_DEFAULT, tuning));
  }
};

class TreePeer final : public TkrzwPeer<tkrzw::TreeDBM> {
 public:
  // In a file that was opened again, its iterator ends after the last page.
  [[nodiscard]] bool backwards() const override { return false; }
  [[nodiscard]] std::string name() const override { return "tkrzw-tree"; }
  [[nodiscard]] std::string settings() const override {
    return "TreeDBM, pages of 4080 bytes, as many cached pages as the cache rule allows; changed pages live in the "
           "process until they are flushed. Relaxed: Set; durable: Set + Synchronize(hard). No batches. Not "
           "iterated backwards: in a file that was opened again, its iterator ends after one page.";
  }
  void open(const Setup& setup) override {
    durable_ = setup.durable;
    tkrzw::TreeDBM::TuningParameters tuning;
    tuning.max_page_size = 4080;
    tuning.max_cached_pages = static_cast<std::int32_t>(setup.cache_bytes() / 4080);
    tuning.num_buckets = static_cast<std::int64_t>(setup.expected_bytes / 2000 + 1000);
    check(dbm_.OpenAdvanced(setup.folder + "/bench.tkt", true, tkrzw::File::OPEN_DEFAULT, tuning));
  }
};

}  // namespace

std::unique_ptr<Peer> make_tkrzw_hash() {
  return std::make_unique<HashPeer>();
}
std::unique_ptr<Peer> make_tkrzw_tree() {
  return std::make_unique<TreePeer>();
}

}  // namespace bench
#endif
