// The value of type Keystore: a bucket, the path it was opened by, and the batch that is under way; or a snapshot of
// such a keystore, which is read in the same way and stays as it was.
//
// Statements go through this class and never to the bucket, so that none of them has to know whether a batch is under
// way: inside one, reads look through its pending writes and writes go into it.
//
// How long a keystore is open. It stays open while the program can reach it, under whatever name, until `close`, or
// until the program ends (OpenKeystores). One that nothing refers to any more is closed by the collector. Because a
// collection may be a long way off, opening a file that this program already has open for writing first runs a
// collection (see statements_lifecycle.cpp): so an action that opens a keystore for itself can be called twice, and
// only a keystore that can still be reached is `busy`. A snapshot reaches the keystore that it shows.
#pragma once

#include <kvb/bucket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wfl/keystore/latency.h"
#include "wfl/keystore/pending_batch.h"
#include "wfl/keystore/range_walk.h"
#include "wfl/vm/value.h"

namespace wfl::keystore {

class OpenKeystores;

// When a changed key expires.
struct Expiry {
  enum class Kind : std::uint8_t { keep, never, after } kind = Kind::never;
  std::uint32_t seconds = 0;  // For `after`.
};

// What becomes of the loops that are under way when their keystore is closed.
enum class Loops : std::uint8_t { go_on, are_over };

// What becomes of a key that was looked at.
struct Change {
  enum class Action : std::uint8_t { keep, put, remove } action = Action::keep;
  std::string bytes;  // For `put`, like the rest.
  kvb::ValueKind kind = kvb::ValueKind::bytes;
  Expiry expiry;
};

class Keystore final : public vm::HostObject {
 public:
  static constexpr std::string_view kTypeName = "Keystore";

  Keystore(std::string path, kvb::Bucket bucket, bool read_only, std::shared_ptr<OpenKeystores> registry);
  // A snapshot of `of`, or of the keystore that `of` is a snapshot of.
  Keystore(Keystore& of, std::shared_ptr<const kvb::Snapshot> snapshot);
  ~Keystore() override;

  // The keystore in a value, or nullptr when it is something else.
  [[nodiscard]] static Keystore* from(vm::Value value);

  [[nodiscard]] std::string_view type_name() const override { return kTypeName; }
  [[nodiscard]] std::string display() const override;
  [[nodiscard]] std::size_t extra_bytes() const override;
  void trace(vm::Tracer& tracer) override;
  vm::Value iterate(vm::NativeCall& call, bool reversed) override;
  vm::Value contains(vm::NativeCall& call, vm::Value value) override;
  [[nodiscard]] std::string access_hint(vm::HostAccess access) const override;

  [[nodiscard]] const std::string& path() const { return path_; }
  // A snapshot is open as long as its keystore is.
  [[nodiscard]] bool is_open() const { return snapshot_ ? of_->is_open() : bucket_.has_value(); }
  [[nodiscard]] bool is_snapshot() const { return of_ != nullptr; }
  // Of a snapshot: it was not closed itself, but the keystore that it shows was.
  [[nodiscard]] bool lost_its_keystore() const { return snapshot_ && !of_->is_open(); }
  [[nodiscard]] bool read_only() const { return read_only_; }
  [[nodiscard]] bool in_batch() const { return batch_ != nullptr; }
  // The bucket itself, for what has nothing to do with batches. The keystore must be open and no snapshot.
  [[nodiscard]] kvb::Bucket& bucket() { return *bucket_; }

  // Lets go of the file or the snapshot, dropping a batch that is under way. Closing twice is fine.
  [[nodiscard]] kvb::Result<void> close(Loops loops);

  // All of the following need an open keystore.
  [[nodiscard]] kvb::Result<std::optional<Stored>> get(std::string_view key);
  [[nodiscard]] kvb::Result<bool> contains_key(std::string_view key);
  // Whether the condition held; nothing was changed otherwise. The expiry must not be `keep`, the condition not
  // `equals`.
  [[nodiscard]] kvb::Result<bool> put(std::string_view key, Change change, kvb::PutIf condition = kvb::PutIf::always);
  // Whether the key was there.
  [[nodiscard]] kvb::Result<bool> remove(std::string_view key);
  // Shows `decide` the newest value and does what it says, with no other write in between.
  [[nodiscard]] kvb::Result<void> change(std::string_view key,
                                         const std::function<Change(const std::optional<Stored>&)>& decide);
  [[nodiscard]] kvb::Result<std::vector<StoredEntry>> scan(kvb::ScanOptions options);
  [[nodiscard]] kvb::Result<std::uint64_t> count(const kvb::ScanOptions& options);
  // The same entries one at a time, as they are now.
  [[nodiscard]] kvb::Result<std::shared_ptr<RangeWalk>> walk(kvb::ScanOptions options);
  // The state that is in the file now, without the batch's; of a snapshot the one that it shows.
  [[nodiscard]] kvb::Result<std::shared_ptr<const kvb::Snapshot>> snapshot();
  // Removes all keys of the range together; how many there were.
  [[nodiscard]] kvb::Result<std::uint64_t> remove_all(kvb::ScanOptions options);

  // How long the bucket took for single keys that were looked at, single keys that were changed, and batches.
  [[nodiscard]] const Latency& reads() const { return reads_; }
  [[nodiscard]] const Latency& writes() const { return writes_; }
  [[nodiscard]] const Latency& batches() const { return batches_; }

  void begin_batch() { batch_ = std::make_unique<PendingBatch>(); }
  // Applies the batch and ends it, also when applying fails: then nothing of it was applied.
  [[nodiscard]] kvb::Result<void> commit_batch();
  void drop_batch() { batch_.reset(); }

 private:
  // The state in the file, whatever the batch says.
  [[nodiscard]] kvb::Result<std::optional<Stored>> get_from_file(std::string_view key);

  std::string path_;
  std::optional<kvb::Bucket> bucket_;
  Keystore* of_ = nullptr;                         // Not null in a snapshot.
  std::shared_ptr<const kvb::Snapshot> snapshot_;  // Only in a snapshot.
  bool read_only_;
  std::vector<std::weak_ptr<RangeWalk>> walks_;
  Latency reads_;
  Latency writes_;
  Latency batches_;
  std::unique_ptr<PendingBatch> batch_;
  std::shared_ptr<OpenKeystores> registry_;
};

}  // namespace wfl::keystore
