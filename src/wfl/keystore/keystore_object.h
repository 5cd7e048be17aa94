// The value of type Keystore: a bucket, the path it was opened by, and the batch that is under way.
//
// Statements go through this class and never to the bucket, so that none of them has to know whether a batch is under
// way: inside one, reads look through its pending writes and writes go into it.
//
// How long a keystore is open. It stays open while the program can reach it, under whatever name, until `close`, or
// until the program ends (OpenKeystores). One that nothing refers to any more is closed by the collector. Because a
// collection may be a long way off, opening a file that this program already has open for writing first runs a
// collection (see statements_lifecycle.cpp): so an action that opens a keystore for itself can be called twice, and
// only a keystore that can still be reached is `busy`.
#pragma once

#include <kvb/bucket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wfl/keystore/pending_batch.h"
#include "wfl/vm/value.h"

namespace wfl::keystore {

class OpenKeystores;

// When a changed key expires.
struct Expiry {
  enum class Kind : std::uint8_t { keep, never, after } kind = Kind::never;
  std::uint32_t seconds = 0;  // For `after`.
};

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
  ~Keystore() override;

  // The keystore in a value, or nullptr when it is something else.
  [[nodiscard]] static Keystore* from(vm::Value value);

  [[nodiscard]] std::string_view type_name() const override { return kTypeName; }
  [[nodiscard]] std::string display() const override;
  [[nodiscard]] std::size_t extra_bytes() const override;
  vm::Value iterate(vm::NativeCall& call, bool reversed) override;
  vm::Value contains(vm::NativeCall& call, vm::Value value) override;
  [[nodiscard]] std::string access_hint(vm::HostAccess access) const override;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool is_open() const { return bucket_.has_value(); }
  [[nodiscard]] bool read_only() const { return read_only_; }
  [[nodiscard]] bool in_batch() const { return batch_ != nullptr; }
  // The bucket itself, for what has nothing to do with batches. The keystore must be open.
  [[nodiscard]] kvb::Bucket& bucket() { return *bucket_; }

  // Lets go of the file, dropping a batch that is under way. Closing twice is fine.
  [[nodiscard]] kvb::Result<void> close();

  // All of the following need an open keystore.
  [[nodiscard]] kvb::Result<std::optional<Stored>> get(std::string_view key);
  [[nodiscard]] kvb::Result<bool> contains_key(std::string_view key);
  [[nodiscard]] kvb::Result<void> put(std::string_view key, Change change);
  // Whether the key was there.
  [[nodiscard]] kvb::Result<bool> remove(std::string_view key);
  // Shows `decide` the newest value and does what it says, with no other write in between.
  [[nodiscard]] kvb::Result<void> change(std::string_view key,
                                         const std::function<Change(const std::optional<Stored>&)>& decide);
  [[nodiscard]] kvb::Result<std::vector<StoredEntry>> scan(kvb::ScanOptions options);
  [[nodiscard]] kvb::Result<std::uint64_t> count(const kvb::ScanOptions& options);
  // Removes all keys of the range together; how many there were.
  [[nodiscard]] kvb::Result<std::uint64_t> remove_all(kvb::ScanOptions options);

  void begin_batch() { batch_ = std::make_unique<PendingBatch>(); }
  // Applies the batch and ends it, also when applying fails: then nothing of it was applied.
  [[nodiscard]] kvb::Result<void> commit_batch();
  void drop_batch() { batch_.reset(); }

 private:
  // The state in the file, whatever the batch says.
  [[nodiscard]] kvb::Result<std::optional<Stored>> get_from_file(std::string_view key);

  std::string path_;
  std::optional<kvb::Bucket> bucket_;
  bool read_only_;
  std::unique_ptr<PendingBatch> batch_;
  std::shared_ptr<OpenKeystores> registry_;
};

}  // namespace wfl::keystore
