#pragma once
// The store: one open bucket. It joins the layers below into the operations of kvb::Bucket.
//
// Locks, in the order in which they are taken:
//   write_mutex_   one writer at a time: conditions, seqnos, staging, who leads the next commit. Not held during the
//   leader's I/O. index_mutex_   shared by readers, exclusive for changes of the delta, the ordered view and the
//   segment table.
// The files of this folder: store.h, open.cpp (opening, recovery, following), write.cpp (staging and conditions),
// commit.cpp (group commit, publishing, failing), read.cpp, scan.cpp, verify.cpp, head.* and writer_lock.*.

#include <kvb/bucket.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "kvb/index/delta.h"
#include "kvb/index/key_order.h"
#include "kvb/log/journal_reader.h"
#include "kvb/log/journal_writer.h"
#include "kvb/os/writer_first_mutex.h"
#include "kvb/store/head.h"
#include "kvb/store/salvage.h"

namespace kvb::store {

class Store {
 public:
  [[nodiscard]] static Result<std::shared_ptr<Store>> create(os::Environment& environment, const std::string& path,
                                                             const CreateOptions& options);
  [[nodiscard]] static Result<std::shared_ptr<Store>> open(os::Environment& environment, const std::string& path,
                                                           const OpenOptions& options);
  [[nodiscard]] static Result<std::shared_ptr<Store>> open_or_create(os::Environment& environment,
                                                                     const std::string& path,
                                                                     const OpenOptions& options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // What kvb::Bucket's functions of the same names promise.
  [[nodiscard]] Result<bool> put(std::string_view key, std::string_view value, const PutOptions& options);
  [[nodiscard]] Result<bool> remove(std::string_view key);
  [[nodiscard]] Result<void> write(const Batch& batch);
  [[nodiscard]] Result<void> update(std::string_view key,
                                    const std::function<Result<Update>(const std::optional<Value>&)>& decide);
  [[nodiscard]] Result<std::optional<Value>> get(std::string_view key);
  [[nodiscard]] Result<bool> contains(std::string_view key);
  [[nodiscard]] Result<void> scan(const ScanOptions& options, const std::function<bool(Entry&&)>& visit);
  // Writes salvaged records as one batch, with their own timestamps.
  [[nodiscard]] Result<void> restore(std::span<const SalvagedRecord> records);
  [[nodiscard]] Result<void> flush();
  [[nodiscard]] Result<void> checkpoint();
  [[nodiscard]] Stats stats();
  [[nodiscard]] Result<VerifyReport> verify();
  [[nodiscard]] Result<void> close();
  [[nodiscard]] bool is_open() const noexcept { return !closed_.load(std::memory_order_acquire); }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  // Undoes one staged version if its group fails.
  struct Undo {
    index::KeyNode* node;
    std::int64_t keys;        // What it added to keys_.
    std::int64_t live_bytes;  // What it added to live_bytes_.
  };

  // Writes that become durable, or fail, together.
  struct Group {
    std::vector<log::Chunk> chunks;  // Filled when the leader takes it.
    std::vector<Undo> undos;
    log::Position end;  // Of the journal behind it; set when the leader takes it.
    bool done = false;
    std::optional<Error> error;
  };

  // A record's bytes while the index lock (or, for staged ones, the write lock) is held.
  struct RecordPlace {
    const std::byte* bytes;
    std::uint64_t offset;  // In its segment.
    std::uint32_t life;
    bool mapped;  // In the file's mapping, so reading needs a guard; else in private memory.
  };

  Store(os::Environment& environment, std::unique_ptr<os::File> file, const Head& head, const OpenOptions& options);

  // open.cpp
  [[nodiscard]] static Result<std::shared_ptr<Store>> start(os::Environment& environment,
                                                            std::unique_ptr<os::File> file, const OpenOptions& options);
  [[nodiscard]] Result<void> recover();
  [[nodiscard]] Result<void> replay(std::uint64_t up_to);
  // Writes the log behind `from` again, the same bytes to the same places (adopt.cpp).
  [[nodiscard]] Result<void> rewrite_unsynced(const log::Position& from);
  [[nodiscard]] Result<void> apply(const std::vector<log::JournalRecord>& batch);
  [[nodiscard]] Result<void> start_reading();
  [[nodiscard]] Result<void> start_writing();
  [[nodiscard]] Result<void> follow();  // A reader takes in what has been published since.
  void reset_index();
  [[nodiscard]] bool inherited_by_fork() const noexcept;
  [[nodiscard]] Result<void> check_usable() const;
  [[nodiscard]] Result<void> before_reading();

  // write.cpp
  [[nodiscard]] Result<void> check_writable() const;
  [[nodiscard]] Result<void> check_limits(std::string_view key, std::uint64_t value_bytes, ValueKind kind) const;
  // The node of a key as the writer sees it, staged versions included; null if there is none.
  // May let go of the lock for a moment, to write out a staged record that it must compare with.
  [[nodiscard]] Result<index::KeyNode*> find_newest(std::unique_lock<std::mutex>& lock, std::uint64_t hash,
                                                    std::string_view key);
  // Is the newest version of the node a value that has not expired?
  [[nodiscard]] Result<bool> is_live(const index::KeyNode* node) const;
  struct NewRecord {
    format::RecordType type = format::RecordType::put;
    std::string_view key;
    std::string_view value;
    std::uint32_t ttl_seconds = 0;
    std::int64_t timestamp_ns = 0;  // 0: now.
    ValueKind kind = ValueKind::bytes;
    bool more_of_batch = false;
  };
  index::KeyNode* stage(const NewRecord& record, std::uint64_t hash, index::KeyNode* node);
  // Prepares, stages and commits one record.
  [[nodiscard]] Result<void> write_one(std::unique_lock<std::mutex>& lock, const NewRecord& record, std::uint64_t hash,
                                       index::KeyNode* node);
  [[nodiscard]] Result<void> prepare(std::uint64_t record_bytes);
  // Where a version's bytes are, staged or in the file; nothing if its value is borrowed memory.
  [[nodiscard]] Result<std::optional<RecordPlace>> place_of_newest(const index::Version& version) const;

  // commit.cpp. Messages for failed groups; then, all with write_mutex_ held through `lock`.
  [[nodiscard]] Result<void> commit(std::unique_lock<std::mutex>& lock);                 // What was just staged.
  [[nodiscard]] Result<void> settle_all(std::unique_lock<std::mutex>& lock, bool sync);  // Everything staged so far.
  void lead(std::unique_lock<std::mutex>& lock, bool sync);
  void publish(Group& group, bool synced);
  void fail_everything(Group& group, const Error& error, bool sync_failed);
  void store_words();
  void note_own_write();
  [[nodiscard]] std::uint64_t own_newest_write() const;
  void run_ticker(const std::stop_token& stop);
  [[nodiscard]] std::uint64_t oldest_needed() const;

  // read.cpp; index_mutex_ held.
  [[nodiscard]] Result<RecordPlace> place_of(const index::Version& version) const;
  [[nodiscard]] Result<format::RecordHeader> read_header(const RecordPlace& place, std::uint64_t paddr) const;
  [[nodiscard]] Result<bool> holds_key(const index::Version& version, std::string_view key,
                                       const RecordPlace& place) const;
  [[nodiscard]] Result<bool> has_expired(const index::Version& version, const RecordPlace& place) const;
  [[nodiscard]] Result<Value> read_value(const index::Version& version, std::string_view key,
                                         const RecordPlace& place) const;
  [[nodiscard]] Result<Entry> read_entry(const index::Version& version, const RecordPlace& place, bool key_only) const;
  [[nodiscard]] Result<const index::Version*> find_visible(std::uint64_t hash, std::string_view key,
                                                           std::uint64_t limit) const;
  [[nodiscard]] std::unexpected<Error> damaged_record(const index::Version& version, std::uint64_t hash) const;
  [[nodiscard]] Result<bool> is_whole(const index::Version& version, const RecordPlace& place) const;
  template <typename Function>
  [[nodiscard]] Result<void> read_bytes(const RecordPlace& place, std::uint64_t paddr, std::uint64_t bytes,
                                        Function&& function) const;

  // scan.cpp
  [[nodiscard]] Result<void> settle_order();
  struct ScanState;
  // The next entries of a scan; false behind the last.
  [[nodiscard]] Result<bool> scan_some(ScanState& state, std::vector<Entry>& entries);
  [[nodiscard]] Result<bool> collect(ScanState& state, std::vector<Entry>& entries);

  [[nodiscard]] std::int64_t now_ns() const;

  os::Environment* environment_;
  std::unique_ptr<os::File> file_;
  std::string path_;
  Head head_;
  OpenOptions options_;
  std::uint64_t instance_;  // Of all Stores this process ever had; never reused.
  std::uint64_t fork_generation_;

  mutable os::WriterFirstMutex index_mutex_;
  log::SegmentTable segments_;
  index::Delta delta_;
  index::KeyOrder order_;
  std::vector<index::KeyNode*> damaged_nodes_;  // Their keys cannot be believed, so they are in no order.
  std::int64_t keys_ = 0;
  std::int64_t live_bytes_ = 0;

  std::atomic<std::uint64_t> published_{0};
  std::atomic<std::uint64_t> synced_{0};
  mutable std::atomic<std::int64_t> newest_wall_ns_{0};  // A clock set back revives nothing.
  std::atomic<bool> closed_{false};
  std::atomic<bool> poisoned_{false};

  mutable std::mutex snapshots_mutex_;
  std::multiset<std::uint64_t> snapshots_;  // Seqnos that running scans read at.

  // Reader processes.
  std::mutex follow_mutex_;
  std::unique_ptr<log::JournalReader> reader_;

  // Writing.
  mutable std::mutex write_mutex_;
  std::condition_variable committed_;
  std::unique_ptr<log::JournalWriter> journal_;
  std::shared_ptr<Group> open_group_;
  std::shared_ptr<Group> in_flight_;
  bool leader_active_ = false;
  std::optional<Error> deferred_error_;  // Relaxed mode: a tick failed; the next call says so.
  std::uint32_t writes_since_tick_ = 0;
  std::int64_t last_tick_ns_ = 0;
  std::int64_t last_sync_ns_ = 0;
  std::jthread ticker_;
  std::condition_variable_any ticker_wakes_;

  struct Counters {
    std::atomic<std::uint64_t> puts{0}, gets{0}, hits{0}, deletes{0}, batches{0}, syncs{0}, bytes_written{0};
  };
  mutable Counters counters_;
  std::uint64_t replayed_records_ = 0;
  std::uint64_t lost_records_ = 0;  // The file had been cut short from outside.
};

}  // namespace kvb::store
