#pragma once
// The store: one open bucket. It joins the layers below into the operations of kvb::Bucket.
//
// Readers take no lock. They load the current ReadState inside a read section (os/read_sections.h), and nothing that
// can be reached from it changes under them: the base and the segments are immutable, the deltas grow only
// (index/delta.h), and what readers may see is bounded by `published_`.
//
// Locks, in the order in which they are taken:
//   checkpoint_mutex_   one checkpoint at a time; held for its whole length.
//   write_mutex_        one writer at a time: conditions, seqnos, staging, who leads the next commit, which delta is
//                       the active one. Not held during the leader's I/O. A reader process takes in what was published
//                       under it.
// The files of this folder: store.h, compression.cpp (how values are stored), open.cpp (opening, recovery), follow.cpp
// (reader processes), write.cpp (staging and conditions), pins.cpp (how long readers are waited for), changes.cpp (the
// log as a list of changes), commit.cpp (group commit, publishing, failing), read.cpp, get_many.cpp, scan.cpp,
// checkpoint.cpp (cut, flip, space), close.cpp, merge.* (the new image), full_disk.cpp (what the reserve is for),
// verify.cpp, stats.cpp, activity.cpp, salvage.*, head.* and writer_lock.*.

#include <kvb/bucket.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "kvb/format/live_page.h"
#include "kvb/format/value_codec.h"
#include "kvb/log/journal_reader.h"
#include "kvb/log/journal_writer.h"
#include "kvb/os/histogram.h"
#include "kvb/os/mapped_read.h"
#include "kvb/os/read_sections.h"
#include "kvb/os/sharded_counter.h"
#include "kvb/space/free_space.h"
#include "kvb/space/reserve.h"
#include "kvb/store/hash_filter.h"
#include "kvb/store/head.h"
#include "kvb/store/read_state.h"
#include "kvb/store/salvage.h"
#include "kvb/store/upkeep.h"

namespace kvb::store {

struct Change;
struct Changes;
struct Relocation;

// `invalid_argument` if there is no such compression.
[[nodiscard]] Result<void> check_compression(const Compression& compression, const std::string& path);

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
  // `removed`, if given, is how many of its removes met a key that was there.
  [[nodiscard]] Result<bool> write(const Batch& batch, std::uint64_t* removed = nullptr);
  [[nodiscard]] Result<std::uint64_t> remove_prefix(std::string_view prefix);
  [[nodiscard]] Result<void> update(std::string_view key,
                                    const std::function<Result<Update>(const std::optional<Value>&)>& decide);
  [[nodiscard]] Result<std::optional<Value>> get(std::string_view key);
  [[nodiscard]] Result<bool> contains(std::string_view key);
  [[nodiscard]] Result<std::vector<std::optional<Value>>> get_many(std::span<const std::string_view> keys);
  [[nodiscard]] Result<void> scan(const ScanOptions& options, const std::function<bool(Entry&&)>& visit);
  // The same on a snapshot. One that was taken is counted in the stats until it is let go.
  [[nodiscard]] Result<Snapshot> take_snapshot();
  void let_go(const Snapshot& snapshot);
  [[nodiscard]] Result<std::optional<Value>> get(const Snapshot& snapshot, std::string_view key);
  [[nodiscard]] Result<bool> contains(const Snapshot& snapshot, std::string_view key);
  [[nodiscard]] Result<std::vector<std::optional<Value>>> get_many(const Snapshot& snapshot,
                                                                   std::span<const std::string_view> keys);
  [[nodiscard]] Result<void> scan(const Snapshot& snapshot, const ScanOptions& options,
                                  const std::function<bool(Entry&&)>& visit);
  // changes.cpp: what was committed behind a seqno.
  struct ChangeCursor {
    std::string prefix;
    bool keys_only = false;
    std::uint64_t seqno = 0;                // Everything up to here was given.
    Snapshot pin;                           // The log behind `position` stays as long as this does.
    std::optional<log::Position> position;  // Of the record behind `seqno`, if it is known.
  };
  [[nodiscard]] Result<ChangeCursor> begin_changes(const WatchOptions& options);
  // The next whole batches behind the cursor, and moves it. Nothing if nothing was committed.
  [[nodiscard]] Result<std::vector<kvb::Change>> read_changes(ChangeCursor& cursor);
  // Returns when something is committed behind `seqno`, or after so long.
  [[nodiscard]] Result<void> wait_for_commit(std::uint64_t seqno, std::chrono::nanoseconds timeout);
  // As long as it lives a writer elsewhere waits for the reader of this snapshot, whatever its age (pins.cpp).
  class Patience {
   public:
    Patience(Store& store, const Snapshot& snapshot);
    ~Patience();
    Patience(const Patience&) = delete;
    Patience& operator=(const Patience&) = delete;

   private:
    Store* store_;
    std::uint64_t epoch_;
  };
  // Writes salvaged records as one batch, with their own timestamps.
  [[nodiscard]] Result<void> restore(std::span<const SalvagedRecord> records);
  [[nodiscard]] Result<void> flush();
  [[nodiscard]] Result<void> checkpoint();
  [[nodiscard]] Result<CompactReport> compact(const CompactOptions& options);
  [[nodiscard]] Result<void> set_compression(const Compression& compression);
  [[nodiscard]] Result<TrainReport> train_dictionary();
  [[nodiscard]] Compression compression() const;
  // For copies of a bucket: the dictionary that new values are compressed with, empty if there is none; and to use one
  // from the first value on, in a bucket that is empty.
  [[nodiscard]] std::vector<std::byte> newest_dictionary() const;
  [[nodiscard]] Result<void> use_dictionary(format::Bytes bytes);
  [[nodiscard]] Stats stats();
  [[nodiscard]] Activity activity();
  [[nodiscard]] Result<std::optional<Activity>> writer_activity();
  [[nodiscard]] Result<VerifyReport> verify();
  [[nodiscard]] Result<void> close();
  [[nodiscard]] bool is_open() const noexcept { return !closed_.load(std::memory_order_acquire); }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] os::Environment& environment() const noexcept { return *environment_; }

 private:
  // Writes that become durable, or fail, together.
  struct Group {
    std::vector<log::Chunk> chunks;       // Filled when the leader takes it.
    std::vector<index::KeyNode*> staged;  // A node for each version, in order.
    log::Position end;                    // Of the journal behind it; set when the leader takes it.
    bool done = false;
    std::optional<Error> error;
  };

  // A record's bytes while the read section lasts (or, for staged ones, the write lock is held).
  struct RecordPlace {
    const std::byte* bytes;
    std::uint64_t offset;  // In its segment.
    std::uint32_t life;
    bool mapped;  // In the file's mapping, so reading needs a guard; else in private memory.
  };

  Store(os::Environment& environment, std::unique_ptr<os::File> file, const Head& head, const OpenOptions& options);
  static void destroy(Store* store) noexcept;

  // open.cpp
  [[nodiscard]] static Result<std::shared_ptr<Store>> create_and_open(os::Environment& environment,
                                                                      const std::string& path,
                                                                      const OpenOptions& options);
  [[nodiscard]] static Result<std::shared_ptr<Store>> start(os::Environment& environment,
                                                            std::unique_ptr<os::File> file, const OpenOptions& options);
  // Opens the image that the head names, adds its segments, and begins a fresh active delta.
  [[nodiscard]] Result<std::shared_ptr<const index::Base>> load_image();
  [[nodiscard]] Result<void> reserve_space();
  [[nodiscard]] Result<void> replay(std::uint64_t up_to);
  // Writes the log behind `from` again, the same bytes to the same places (adopt.cpp).
  [[nodiscard]] Result<void> rewrite_unsynced(const log::Position& from);
  [[nodiscard]] Result<void> apply(std::span<const log::JournalRecord> records);
  [[nodiscard]] Result<void> start_writing();

  // follow.cpp
  [[nodiscard]] Result<void> start_reading();
  // Opens the newest image, replays what is published behind it, and makes that the state.
  [[nodiscard]] Result<void> read_from_newest_head(std::uint64_t up_to);
  [[nodiscard]] Result<void> read_from_head(std::uint64_t up_to);  // The same, once.
  [[nodiscard]] Result<void> pin_newest_head();
  void drop_old_pins();
  [[nodiscard]] Result<void> follow();  // A reader takes in what has been published since.
  [[nodiscard]] bool inherited_by_fork() const noexcept;
  [[nodiscard]] Result<void> check_usable() const;
  // `key`: nothing else is going to be read.
  [[nodiscard]] Result<void> before_reading(std::optional<std::string_view> key = {});
  [[nodiscard]] bool has_unpublished(std::string_view key) const;
  // `read(state, limit)` on the newest state, in a read section; again if a reader's pin expired meanwhile. `key`: as
  // above.
  template <typename Read>
  auto read_newest(Read&& read, std::optional<std::string_view> key = {})
      -> decltype(read(std::declval<const ReadState&>(), std::uint64_t{}));

  // pins.cpp
  void note_flip(std::uint64_t epoch);
  void load_flips();
  void remember_flips(std::uint64_t oldest_pinned);
  [[nodiscard]] std::int64_t outdated_since_ns(std::uint64_t epoch) const;
  void load_expired_word();
  // The oldest epoch that somebody has pinned and is to be waited for; UINT64_MAX if there is none.
  [[nodiscard]] Result<std::uint64_t> oldest_pin();
  [[nodiscard]] bool expired_readers_are_left() const;
  void fill_pin_stats(Stats& stats) const;
  // For readers elsewhere than the writer, after they have read: may the image have been overwritten under them?
  [[nodiscard]] bool pin_expired(std::uint64_t epoch) const;
  void judge_expired_word(std::uint64_t epoch);
  [[nodiscard]] std::unexpected<Error> expired_snapshot() const;

  // changes.cpp
  [[nodiscard]] Result<log::Position> find_in_log(const Snapshot& now, std::uint64_t seqno) const;
  [[nodiscard]] Result<bool> read_log(ChangeCursor& cursor, std::uint64_t up_to,
                                      std::vector<kvb::Change>& changes) const;

  // write.cpp
  [[nodiscard]] Result<bool> remove_now(std::string_view key);
  [[nodiscard]] Result<bool> write_now(const Batch& batch, std::uint64_t* removed);
  [[nodiscard]] Result<void> check_writable() const;
  // The same, and waits while a checkpoint makes its cut.
  [[nodiscard]] Result<void> begin_writing(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] Result<void> check_limits(std::string_view key, std::uint64_t value_bytes, ValueKind kind) const;
  // A key as the writer sees it, staged versions included.
  struct Newest {
    index::KeyNode* node = nullptr;         // In the active delta; null if the key is not in it.
    std::optional<index::Version> version;  // The newest one, wherever it is; nothing if the key is unknown.

    [[nodiscard]] bool has_value() const noexcept { return version && !version->is_delete(); }
  };
  // Both may let go of the lock for a moment, to write out a staged record that must be compared with.
  [[nodiscard]] Result<Newest> find_newest(std::unique_lock<std::mutex>& lock, std::uint64_t hash,
                                           std::string_view key);
  [[nodiscard]] Result<index::KeyNode*> find_active(std::unique_lock<std::mutex>& lock, std::uint64_t hash,
                                                    std::string_view key);
  // Is the newest version a value that has not expired?
  [[nodiscard]] Result<bool> is_live(const Newest& newest) const;
  [[nodiscard]] Result<bool> holds(const Newest& newest, std::string_view key, PutIf condition,
                                   std::string_view expected) const;
  struct NewRecord {
    format::RecordType type = format::RecordType::put;
    std::string_view key;
    std::string_view value;  // As it is stored.
    std::uint32_t ttl_seconds = 0;
    std::int64_t timestamp_ns = 0;  // 0: now.
    ValueKind kind = ValueKind::bytes;
    format::Encoding encoding = format::Encoding::raw;
    bool more_of_batch = false;
  };
  void sample(std::uint64_t hash);
  index::KeyNode* stage(const NewRecord& record, std::uint64_t hash, index::KeyNode* node);
  // Prepares, stages and commits one record.
  [[nodiscard]] Result<void> write_one(std::unique_lock<std::mutex>& lock, const NewRecord& record, std::uint64_t hash,
                                       index::KeyNode* node);
  // `only_removes`: the reserve for a full disk may be used.
  [[nodiscard]] Result<void> prepare(std::uint64_t record_bytes, bool only_removes = false);
  // Where a version's bytes are, staged or in the file; nothing if its value is borrowed memory.
  [[nodiscard]] Result<std::optional<RecordPlace>> place_of_newest(const index::Version& version) const;

  // compression.cpp
  [[nodiscard]] format::EncodedValue encode(std::string_view value, std::string& room) const;
  // With write_mutex_ held, before room is prepared for it: again, if it is not as values are to be stored now.
  void encode_anew_if_stale(std::string_view value, format::EncodedValue& encoded, std::string& room) const;
  struct Payload {
    format::Encoding encoding = format::Encoding::raw;
    std::uint16_t dictionary = 0;
    std::size_t at = 0;  // In the room.
    std::size_t bytes = 0;
  };
  void encode_batch(const Batch& batch, std::vector<Payload>& payloads, std::string& room) const;
  // The value of a payload whose checksum was right.
  [[nodiscard]] Result<void> decode(format::Encoding encoding, std::string_view payload, std::string& value,
                                    std::uint64_t paddr, std::uint64_t hash) const;
  void take_dictionaries(const index::Base& base);
  void adopt_dictionary();
  [[nodiscard]] bool training_due(std::uint64_t journal_bytes) const noexcept;
  void plan_training_at(std::uint64_t live_bytes);
  // Is a dictionary to be trained now that so much is alive? `grown`: that many times what the last one was trained
  // from.
  static constexpr std::uint64_t kGrownMuch = 8;
  static constexpr std::uint64_t kGrown = 2;
  [[nodiscard]] bool training_may_pay(const Changes& changes, std::uint64_t grown) const;
  struct Samples;
  [[nodiscard]] Result<Samples> take_samples(const ReadState& state, const Changes& changes) const;
  // Trains a dictionary, writes it, and names it in `superblock`, if it pays.
  [[nodiscard]] Result<void> train(const ReadState& state, const Changes& changes, Relocation& relocation,
                                   format::Superblock& superblock, std::vector<space::PageRange>& taken);
  [[nodiscard]] Result<void> write_dictionaries(std::span<const space::StoredDictionary> dictionaries,
                                                format::Superblock& superblock, std::vector<space::PageRange>& taken);
  // Writes those anew that are still needed, if some are not, or if a copy is damaged.
  [[nodiscard]] Result<void> drop_dictionaries(const index::Base& base, std::span<const log::SegmentState> segments,
                                               format::Superblock& superblock, std::vector<space::PageRange>& taken);
  // How a record that compaction moves is stored from now on; `rooms` are to be used again.
  struct Rooms {
    std::string value, payload;
  };
  [[nodiscard]] format::EncodedValue encode_moved(format::Encoding encoding, std::string_view payload,
                                                  const Relocation& relocation, Rooms& rooms) const;
  void fill_compression_stats(const ReadState& state, Stats& stats) const;

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
  // Every sync of the file goes through here, one at a time: the kernel tells of a failure once, and whoever syncs next
  // must know of it (R9).
  [[nodiscard]] Result<void> sync_file(os::SyncKind kind);

  // quick_read.cpp; inside a read section, and to be believed under a MappedGuard.
  struct QuickPlace {
    enum class Kind : std::uint8_t { nothing, at, unsure } kind;
    std::uint64_t paddr = 0;
    std::uint64_t seqno = 0;  // 0: not known here.
  };
  // Where the record of this hash is, whatever its key.
  [[nodiscard]] QuickPlace find_quickly(const ReadState& state, std::uint64_t hash, std::uint64_t limit) const noexcept;
  [[nodiscard]] QuickPlace find_quickly(const index::Base& base, std::uint64_t hash) const noexcept;
  // True if the record has this key and everything about it is right. Without `with_bytes` the value's bytes are
  // neither read nor checked.
  [[nodiscard]] bool read_quickly(const QuickPlace& found, std::uint64_t hash, std::string_view key, bool with_bytes,
                                  Value& value) const;
  // The answer to a get; nothing if the ordinary lookup has to give it.
  [[nodiscard]] std::optional<std::optional<Value>> get_quickly(const ReadState& state, std::uint64_t hash,
                                                                std::string_view key, std::uint64_t limit,
                                                                std::int64_t as_of_ns) const;
  [[nodiscard]] std::optional<std::optional<Value>> get_quickly(const QuickPlace& found, std::uint64_t hash,
                                                                std::string_view key, std::int64_t as_of_ns,
                                                                const os::MappedGuard& guard) const;
  // So many bytes of the record, mapped; null if it lies outside the log.
  [[nodiscard]] const std::byte* mapped_record(std::uint64_t paddr, std::uint64_t bytes,
                                               RecordPlace& place) const noexcept;

  // read.cpp; inside a read section.
  [[nodiscard]] const ReadState& state() const noexcept { return *state_.load(std::memory_order_acquire); }
  [[nodiscard]] Result<RecordPlace> place_of(const index::Version& version) const;
  [[nodiscard]] Result<format::RecordHeader> read_header(const RecordPlace& place, std::uint64_t paddr) const;
  [[nodiscard]] Result<bool> holds_key(const index::Version& version, std::string_view key,
                                       const RecordPlace& place) const;
  // At that time; 0: now.
  [[nodiscard]] Result<bool> has_expired(const index::Version& version, const RecordPlace& place,
                                         std::int64_t as_of_ns = 0) const;
  // Without `with_bytes` the value's bytes are checked, and left out.
  [[nodiscard]] Result<Value> read_value(const index::Version& version, std::string_view key, const RecordPlace& place,
                                         bool with_bytes = true) const;
  [[nodiscard]] Result<Entry> read_entry(const index::Version& version, const RecordPlace& place, bool key_only) const;
  // The value of what was found; nothing if it is none, or has expired.
  [[nodiscard]] Result<std::optional<Value>> value_of(const std::optional<index::Version>& version, std::uint64_t hash,
                                                      std::string_view key, std::int64_t as_of_ns) const;
  [[nodiscard]] Result<std::optional<Value>> get_from(const ReadState& state, std::string_view key, std::uint64_t limit,
                                                      std::int64_t as_of_ns) const;
  [[nodiscard]] Result<bool> contains_in(const ReadState& state, std::string_view key, std::uint64_t limit,
                                         std::int64_t as_of_ns) const;
  // get_many.cpp
  [[nodiscard]] Result<std::vector<std::optional<Value>>> get_many_from(const ReadState& state,
                                                                        std::span<const std::string_view> keys,
                                                                        std::uint64_t limit,
                                                                        std::int64_t as_of_ns) const;
  // The newest version of the key up to `limit`, a delete included; nothing if there is none. Looks below the active
  // delta only, or everywhere.
  [[nodiscard]] Result<std::optional<index::Version>> find_visible(const ReadState& state, std::uint64_t hash,
                                                                   std::string_view key, std::uint64_t limit) const;
  [[nodiscard]] Result<std::optional<index::Version>> find_in(const Layer& layer, std::uint64_t hash,
                                                              std::string_view key, std::uint64_t limit) const;
  [[nodiscard]] Result<std::optional<index::Version>> find_in(const index::Base& base, std::uint64_t hash,
                                                              std::string_view key) const;
  // What an index slot points at, as a version.
  [[nodiscard]] Result<index::Version> version_at(std::uint64_t paddr, std::uint64_t hash) const;
  [[nodiscard]] std::string_view key_of(const index::KeyNode& node) const noexcept;
  // Asks the processor for a record's header and key, or for that of a node's newest version.
  void prefetch_record(std::uint64_t paddr) const noexcept;
  void prefetch_record(const index::KeyNode& node) const noexcept;
  [[nodiscard]] std::unexpected<Error> damaged_record(const index::Version& version, std::uint64_t hash) const;
  [[nodiscard]] Result<bool> is_whole(const index::Version& version, const RecordPlace& place) const;
  template <typename Function>
  [[nodiscard]] Result<void> read_bytes(const RecordPlace& place, std::uint64_t paddr, std::uint64_t bytes,
                                        Function&& function) const;

  // scan.cpp
  [[nodiscard]] Snapshot snapshot() const;
  struct ScanState;
  struct ScanCandidate;
  // The next entries of a scan; false behind the last.
  [[nodiscard]] Result<bool> scan_some(ScanState& scan) const;
  [[nodiscard]] Result<bool> collect_entries(ScanState& scan) const;
  [[nodiscard]] Result<bool> gather_keys(ScanState& scan) const;
  [[nodiscard]] Result<bool> read_candidate(const ScanState& scan, const ScanCandidate& candidate, Entry& entry) const;
  [[nodiscard]] Result<std::optional<Entry>> read_live_entry(const index::Version& version, bool keys_only,
                                                             std::int64_t as_of_ns) const;
  [[nodiscard]] Result<index::KeyOrder::View> view_of(Layer& layer) const;

  [[nodiscard]] Result<VerifyReport> verify(const Snapshot& now) const;

  // stats.cpp
  // Bytes of the record below the delta that the node's key has there; 0 if none. Found out once for each node.
  [[nodiscard]] Result<std::uint64_t> bytes_below(const ReadState& state, const Layer& layer,
                                                  const index::KeyNode& node) const;
  [[nodiscard]] std::uint64_t journal_bytes_between(const format::JournalStart& start, const log::Position& end) const;
  struct Totals {
    std::int64_t keys = 0;
    std::int64_t live_bytes = 0;
  };
  [[nodiscard]] Result<Totals> totals(const ReadState& state, std::uint64_t limit) const;

  // checkpoint.cpp
  [[nodiscard]] std::shared_ptr<Layer> new_layer(std::size_t expected_keys);
  void set_state(ReadState state);  // What it replaces is destroyed at the next collect().
  // Destroys what no reader can see any more.
  void collect(log::SegmentTable::Garbage garbage);
  [[nodiscard]] Result<void> checkpoint_holding();  // checkpoint_mutex_ is held.
  // `seal`: the log's last segment is ended before the cut.
  [[nodiscard]] Result<void> freeze(std::unique_lock<std::mutex>& lock, bool seal);
  [[nodiscard]] const std::vector<log::SegmentState>& image_segments() const;
  [[nodiscard]] Result<void> poison(Error error);
  void set_trigger(const index::Base& base);
  [[nodiscard]] Upkeep upkeep_of(std::uint64_t live_bytes, std::uint64_t index_bytes) const;
  [[nodiscard]] std::uint64_t expected_dead(std::uint64_t journal_bytes) const;
  [[nodiscard]] bool idle_work_due();
  [[nodiscard]] std::uint64_t dead_in(const index::Base& base, std::int64_t now) const;
  [[nodiscard]] std::uint64_t pressure() const;
  void slow_down();
  // A page run of the image that is being made.
  [[nodiscard]] space::PageRunWriter new_page_run(std::uint64_t epoch, std::vector<space::PageRange>& taken);
  struct Merge;  // merge.cpp
  // Of a damaged record: is at least its key what it was?
  [[nodiscard]] bool is_key_right(std::string_view key, const index::Version& version, std::uint64_t hash) const;
  // The same; `plan`, if given, chooses segments to be emptied, and `moved` is told what was done.
  [[nodiscard]] Result<void> checkpoint_and_move(bool seal,
                                                 const std::function<void(const Changes&, Relocation&)>& plan,
                                                 const std::function<void(const Relocation&)>& moved);
  [[nodiscard]] Result<void> write_image(const ReadState& state, const Changes& changes, format::Superblock& superblock,
                                         const Relocation& relocation, std::vector<space::PageRange>& taken,
                                         std::vector<space::RetiredRange>& retired);
  [[nodiscard]] Result<void> flip(const format::Superblock& superblock);
  void reclaim();  // Gives retired space back that nobody needs any more.
  [[nodiscard]] bool checkpoint_due() const;
  void after_write();  // Makes or awaits a checkpoint, if one is due.
  void run_checkpoints(const std::stop_token& stop);
  [[nodiscard]] Result<void> automatic_checkpoint(bool idle);
  [[nodiscard]] Result<void> pace(std::uint64_t offset, std::uint64_t bytes);  // What was just written there.

  // survey.cpp; checkpoint_mutex_ is held.
  void count_segments(std::vector<log::SegmentState>& segments);
  void count_segment(log::SegmentState& state);
  // Null if there is none, or it would take too much memory.
  [[nodiscard]] const HashFilter* filter_of(const log::SegmentState& state);
  void keep_filter(std::uint64_t segment_id, HashFilter filter);
  [[nodiscard]] Result<Changes> survey(const ReadState& state);
  [[nodiscard]] Result<void> resolve_group(std::span<const index::Slot> slots, std::span<Change> changes) const;
  [[nodiscard]] bool is_plain_replacement(std::uint64_t paddr, Change& change) const noexcept;

  // compact.cpp; checkpoint_mutex_ is held.
  [[nodiscard]] std::vector<log::SegmentState> choose_victims(const Changes& changes, CompactStrategy strategy) const;
  [[nodiscard]] std::vector<log::SegmentState> choose_for_upkeep(const Changes& changes, bool idle) const;
  [[nodiscard]] bool can_be_emptied(const log::SegmentState& state) const;
  struct Shortening {
    int rounds = 1;
    std::uint64_t free_share = 2;          // Worth it if at least one of so many bytes of the file is free.
    std::uint64_t not_above = UINT64_MAX;  // In any case if the file is longer than this.
    std::uint64_t most_live_bytes = 0;     // To be moved in a round.
    std::uint64_t least_free = 0;          // Not for less.
  };
  [[nodiscard]] Result<void> shorten_file(const Shortening& how, const std::function<void(const Relocation&)>& moved);
  [[nodiscard]] std::vector<log::SegmentState> segments_far_out(std::uint64_t most_live_bytes) const;
  struct Mover;  // relocate.cpp
  [[nodiscard]] Result<void> relocate(const ReadState& state, const Changes& changes, Relocation& relocation,
                                      std::vector<space::PageRange>& taken);
  [[nodiscard]] Result<void> move_promise_down(bool forget_retired);
  [[nodiscard]] std::uint64_t next_relocated_id();
  [[nodiscard]] Result<void> give_back_space();

  // close.cpp
  [[nodiscard]] Result<void> close_file();
  [[nodiscard]] std::uint64_t live_bytes_at_close();
  [[nodiscard]] bool is_read_elsewhere();  // Or so it must be assumed.
  [[nodiscard]] Result<void> shrink_to_close();

  // stale.cpp; checkpoint_mutex_ is held, but for the first.
  [[nodiscard]] bool was_left_by_a_dead_writer() const;
  void give_back_outputs(const Relocation& relocation);
  [[nodiscard]] bool wipe_segment(const space::PageRange& range);
  void give_back_retired(std::vector<space::RetiredRange> free);
  void wipe_stale_segments();
  [[nodiscard]] bool may_have_stale_segments() const;

  // full_disk.cpp
  // What must be kept so that a full disk can be emptied. write_mutex_ is held.
  [[nodiscard]] space::Reserve::Need reserve_need() const;
  // The image that counts, once more under the next epoch: then what the last one retired is free, if nobody reads it.
  [[nodiscard]] Result<void> free_retired();
  void refill_reserve();
  // Segments to be emptied with the room that the reserve has for that; the deadest first.
  void find_older_records(Relocation& relocation);
  void choose_what_fits(const Changes& changes, Relocation& relocation);
  // A checkpoint, as on a nearly full disk: it empties segments if room is wanted, or if much is dead, and gives back
  // what it can. How many it emptied. checkpoint_mutex_ is held.
  [[nodiscard]] Result<std::size_t> checkpoint_when_tight(bool for_room);
  // After `full` for a removal: is there room now?
  [[nodiscard]] bool make_room_for_removing();
  // Runs a removal, and once more if it met a full disk and room could be made.
  template <typename Removal>
  [[nodiscard]] auto with_room_for_removing(Removal&& removal) {
    auto removed = removal();
    if (!removed && removed.error().code == ErrorCode::full && make_room_for_removing()) removed = removal();
    return removed;
  }

  // activity.cpp
  [[nodiscard]] os::Histogram* measure_write() const noexcept;  // Null for most, see activity.def.
  void publish_activity();
  void withdraw_activity();
  void tell(LogLevel level, std::string_view message) const;
  void tell_failed_checkpoint(const Error& error);
  void tell_poisoned(const Error& cause) const;
  void tell_of_opening() const;

  // expiry.cpp
  // By the wall clock, and never before what it has said before.
  [[nodiscard]] std::int64_t now_ns() const;
  [[nodiscard]] std::int64_t about_now_ns() const;  // Some milliseconds behind, and cheaper.
  [[nodiscard]] std::int64_t ratchet(std::int64_t wall) const;
  // Has a record that was written and expires then expired now, or at `as_of_ns`?
  [[nodiscard]] bool is_over(std::int64_t written_at_ns, std::int64_t expires_at_ns, std::int64_t as_of_ns = 0) const;
  [[nodiscard]] std::int64_t believed_newest_wall_ns() const;
  void note_replayed_time(std::int64_t timestamp_ns);
  void judge_clock();

  os::Environment* environment_;
  std::unique_ptr<os::File> file_;
  std::string path_;
  Head head_;
  OpenOptions options_;
  std::uint64_t instance_;  // Of all Stores this process ever had; never reused.
  std::uint64_t fork_generation_;

  mutable os::ReadSections readers_;
  log::SegmentTable segments_;
  std::shared_ptr<const ReadState> current_;      // Guarded by state_mutex_.
  std::atomic<const ReadState*> state_{nullptr};  // The same.
  mutable std::mutex state_mutex_;
  std::vector<std::shared_ptr<const ReadState>> replaced_;  // Guarded by state_mutex_.
  mutable std::mutex snapshots_mutex_;
  std::multiset<std::uint64_t> snapshots_;  // The limits of those that were taken and not let go.

  std::atomic<std::uint64_t> published_{0};
  std::atomic<std::uint64_t> synced_{0};
  mutable std::atomic<std::int64_t> newest_wall_ns_{0};  // A clock set back revives nothing.
  // A forward jump that does not count yet, see expiry.cpp; 0: none.
  mutable std::atomic<std::int64_t> jump_ns_{0};
  std::atomic<std::int64_t> jumped_from_ns_{0};
  std::atomic<std::int64_t> opened_at_ns_{0};  // By the monotonic clock.
  std::int64_t first_beyond_jump_ns_ = 0;      // Times of replayed records that were too far ahead.
  std::int64_t newest_beyond_jump_ns_ = 0;
  std::atomic<bool> closed_{false};
  std::atomic<bool> poisoned_{false};

  // Reader processes: the epochs that are pinned, and by what.
  struct Pin {
    std::uint64_t epoch;
    std::weak_ptr<const index::Base> base;
  };
  std::vector<Pin> pins_;                         // Guarded by write_mutex_.
  std::atomic<std::uint64_t> followed_epoch_{0};  // Newest epoch word that was looked at.
  std::unique_ptr<log::JournalReader> reader_;
  std::atomic<bool> restart_following_{false};  // The last try ended half-way. Stored under write_mutex_.
  std::atomic<std::uint64_t> ignored_expired_word_{0};

  // The writer's side of pins. flips_ tells when each image became the newest.
  mutable std::mutex pins_mutex_;
  std::vector<format::FlipTime> flips_;             // Guarded by pins_mutex_, as the next two.
  std::vector<format::FlipTime> remembered_flips_;  // What the file says of them.
  std::multiset<std::uint64_t> patient_;            // Epochs of this reader's backups.
  std::atomic<std::uint64_t> expired_epoch_{0};     // Pins on lower ones do not count any more.
  std::atomic<std::uint64_t> expired_pins_{0};
  std::atomic<std::uint64_t> retired_bytes_{0};

  // Writing.
  mutable std::mutex write_mutex_;
  std::condition_variable committed_;
  std::unique_ptr<log::JournalWriter> journal_;
  std::shared_ptr<Layer> active_;  // The delta that takes new versions; the one of the current state.
  std::shared_ptr<Group> open_group_;
  std::shared_ptr<Group> in_flight_;
  bool leader_active_ = false;
  std::optional<Error> deferred_error_;  // Relaxed mode: a tick failed; the next call says so.
  std::uint32_t writes_since_tick_ = 0;
  std::int64_t last_tick_ns_ = 0;
  std::int64_t last_sync_ns_ = 0;
  std::jthread ticker_;
  bool ticker_idle_ = false;  // It waits for something to do; guarded by write_mutex_.
  std::condition_variable_any ticker_wakes_;

  // How values are stored.
  format::DictionaryShelf shelf_;                               // Every dictionary that this Store has met.
  std::atomic<const format::Dictionary*> dictionary_{nullptr};  // The one for new values: both superblocks name it.
  std::atomic<int> level_{0};                                   // 0: new values are stored as they are.
  std::atomic<bool> training_first_{false};                     // A checkpoint with the first dictionary is under way.
  std::atomic<std::uint64_t> train_at_bytes_{0};  // Live bytes at which the first dictionary is tried; 0: there is one.

  // Checkpoints.
  space::FreeSpace free_space_;
  space::Reserve reserve_;
  std::mutex checkpoint_mutex_;
  format::Superblock superblock_;                // Of the newest image; guarded by checkpoint_mutex_.
  bool newest_is_a_ = true;                      // Where it is.
  log::Position cut_;                            // What the frozen delta ends at; guarded by checkpoint_mutex_.
  std::vector<log::SegmentState> cut_segments_;  // As they were then.
  std::uint64_t cut_next_segment_id_ = 0;
  std::vector<space::RetiredRange> retired_;  // Guarded by checkpoint_mutex_.
  // Segments that compaction has emptied, and the checkpoint that retired them.
  struct Victim {
    log::SegmentState segment;
    std::uint64_t epoch;
  };
  std::vector<Victim> victims_;
  bool retired_are_known_ = false;          // The segments among what had been retired before are among the victims.
  bool look_for_stale_segments_ = false;    // In what is free, before a checkpoint is made.
  bool stale_segments_left_ = false;        // Some could not be wiped.
  std::set<std::uint64_t> stuck_segments_;  // Ids of those that hold something damaged and cannot be emptied.
  std::map<std::uint64_t, HashFilter> filters_;  // By the segment's id, as far as they were needed.
  std::uint64_t filters_bytes_ = 0;
  std::uint64_t paced_bytes_ = 0;  // Written by checkpoint and compaction since the last sync of theirs.
  std::vector<std::weak_ptr<const index::Base>> old_bases_;  // Images that a scan here may still read.
  std::atomic<std::uint64_t> journal_bytes_{0};              // Log since the cut of the newest image.
  std::atomic<std::uint64_t> refused_at_bytes_{0};  // journal_bytes_ when the disk had no room for a checkpoint.
  std::atomic<std::uint64_t> checkpoints_{0};
  std::atomic<std::uint64_t> frozen_bytes_{0};  // Log that the frozen delta stands for.
  std::atomic<std::uint64_t> delta_memory_{0};  // Of the active delta.
  // For the size of the next image: keys and bytes of the key table of the newest one, and what came since.
  std::atomic<std::uint64_t> base_keys_{0}, base_key_bytes_{0}, base_bytes_{0};
  struct NewKeys {
    std::atomic<std::uint64_t> puts{0};
    std::atomic<std::uint64_t> key_bytes{0};  // Of the puts.

    void add(std::uint64_t bytes) noexcept {
      puts.fetch_add(1, std::memory_order_relaxed);
      key_bytes.fetch_add(bytes, std::memory_order_relaxed);
    }
  };
  NewKeys new_keys_, frozen_keys_;
  std::atomic<std::uint64_t> checkpoint_trigger_{0};
  std::atomic<std::uint64_t> delta_limit_{0};
  std::atomic<std::uint64_t> delta_bound_{UINT64_MAX};
  // See upkeep.h.
  std::atomic<std::uint64_t> image_dead_{0};        // Bytes that the newest image knows to be dead.
  std::atomic<std::uint64_t> delta_dead_bytes_{0};  // Of records that the active delta holds a newer one of.
  std::atomic<std::uint64_t> replaced_share_{0};    // Of the last checkpoint's keys, in 1024 parts.
  std::uint64_t new_in_delta_ = 0;                  // Keys that came into an active delta; guarded by write_mutex_.
  std::atomic<std::uint64_t> samples_{0};           // Of those that came into this one,
  std::atomic<std::uint64_t> sampled_replaced_{0};  // and how many of them took the place of a record.
  std::atomic<std::uint64_t> least_journal_{0};
  std::atomic<std::uint64_t> dead_budget_{0};
  std::atomic<std::uint64_t> idle_live_bytes_{0};
  std::atomic<std::uint64_t> idle_index_bytes_{0};
  std::int64_t idle_not_before_ns_ = 0;  // The checkpointer's own: when it may look again for what to give back.
  std::int64_t idle_pause_ns_ = 0;
  std::atomic<std::uint64_t> slowed_at_bytes_{0};
  std::uint64_t next_epoch_ = 0;  // Guarded by checkpoint_mutex_.
  std::mutex sync_mutex_;
  std::atomic<bool> synced_since_open_{false};
  std::atomic<bool> frozen_{false};   // There is a frozen delta.
  std::atomic<bool> working_{false};  // The checkpointer is making a checkpoint, or gives space back.
  bool freezing_ = false;             // Writers wait until the cut is made; guarded by write_mutex_.
  std::jthread checkpointer_;
  std::mutex checkpointer_mutex_;
  std::condition_variable_any checkpointer_wakes_;
  std::condition_variable_any checkpoint_done_;

  struct Counters {
    std::atomic<std::uint64_t> puts{0}, deletes{0}, batches{0}, syncs{0}, bytes_written{0};
    std::atomic<std::uint64_t> pauses{0}, paused_ns{0}, longest_pause_ns{0}, index_bytes_written{0}, bytes_moved{0};
    std::atomic<std::uint64_t> failed_checkpoints{0};
  };
  struct Latencies {
    os::Histogram get, write, sync, checkpoint, compaction;
  };
  mutable Latencies latencies_;
  std::int64_t opened_wall_ns_ = 0;
  bool shown_activity_ = false;  // The checkpointer's own, as the next two: what the activity page shows.
  std::uint64_t shown_gets_ = 0;
  std::uint64_t shown_writes_ = 0;
  // Reading the clock costs a tenth of what a quick one takes.
  struct MeasuredOneIn {
#define KVB_LATENCY(member, one_in, meaning) static constexpr std::uint64_t member = one_in;
#include <kvb/activity.def>
#undef KVB_LATENCY
  };

  mutable Counters counters_;
  enum ReadCounter : std::size_t { kGets, kHits, kReadCounters };
  mutable os::ShardedCounters<kReadCounters> read_counters_;
  std::uint64_t replayed_records_ = 0;
  std::uint64_t lost_records_ = 0;  // The file had been cut short from outside.
};

template <typename Read>
auto Store::read_newest(Read&& read, std::optional<std::string_view> key)
    -> decltype(read(std::declval<const ReadState&>(), std::uint64_t{})) {
  constexpr int kTries = 100;
  for (int tries = 0;; ++tries) {
    if (auto ready = before_reading(key); !ready) return std::unexpected(ready.error());
    const os::ReadSections::Section section(readers_);
    const ReadState& now = state();
    auto result = read(now, published_.load(std::memory_order_acquire));
    if (!pin_expired(now.base->epoch())) return result;
    if (tries == kTries) return expired_snapshot();
  }
}

}  // namespace kvb::store
