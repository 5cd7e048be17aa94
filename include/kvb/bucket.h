#pragma once
// kvb::Bucket: an embedded key/value store in one file.
//
//   auto bucket = kvb::Bucket::open_or_create("app.kvb");
//   if (!bucket) return report(bucket.error());
//   auto written = bucket->put("greeting", "Hello");      // On disk when it returns.
//   auto value = bucket->get("greeting");                 // Result<std::optional<Value>>
//
// Keys and values are byte strings: keys of 1 to 65,535 bytes, values of 0 to 4 GiB − 1. Keys are ordered byte by byte
// (as unsigned), which for UTF-8 text is the order of the code points.
//
// Ownership: a Bucket owns its file, its lock and its threads; it can be moved, not copied; the destructor closes it.
// Byte strings that are passed in are copied before the call returns; what is returned belongs to the caller.
//
// Threads: a Bucket may be used from any number of threads at once. A Batch, and the Bucket object itself during a
// move, close() or destruction, belong to one thread.
//
// Processes: one process writes at a time (the others wait up to OpenOptions::lock_deadline, then get `busy`); any
// number read at the same time with OpenOptions::read_only. A reader sees whole committed batches only.
//
// After fork() a child must not use the parent's buckets: every call answers `forked`.

#include <kvb/activity.h>
#include <kvb/error.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kvb {

inline constexpr std::size_t kMaxKeyBytes = 65'535;
inline constexpr std::uint64_t kMaxValueBytes = 0xFFFF'FFFFull;

// When a write that has returned is safe.
enum class Durability : std::uint8_t {
  sync,     // It survives power loss. One fdatasync for each group of concurrent writes.
  relaxed,  // It survives the process within 4 ms or 256 writes, power loss within 100 ms; what is lost is always the
            // newest writes.
};

// What the bytes of a value are, kept beside them so that tools can show them. The engine never interprets them.
enum class ValueKind : std::uint8_t { bytes = 0, text = 1, json = 2 };

// How new values are stored. It is kept in the bucket; to read one nothing has to be known of it. A value that would
// not become shorter is stored as it is. Small values shrink with a dictionary, which is trained from the bucket's own
// values as soon as there are enough of them, and by Bucket::train_dictionary.
struct Compression {
  enum class Method : std::uint8_t { none = 0, zstd = 1 } method = Method::none;
  int level = 3;  // Of zstd: 1 (fast) to 19 (small). Reading takes the same time at every level.

  [[nodiscard]] static Compression zstd(int level = 3) { return {.method = Method::zstd, .level = level}; }
  friend bool operator==(const Compression& a, const Compression& b) {
    return a.method == b.method && (a.method == Method::none || a.level == b.level);
  }
};

struct CreateOptions {
  Durability durability = Durability::sync;
  Compression compression{};
};

enum class LogLevel : std::uint8_t {
  info,     // Worth a line in a log: what the last program left, what was compacted.
  warning,  // Somebody should look: a checkpoint was not possible, a reader was waited for no longer.
  error,    // Data is lost, or writing has ended.
};

struct OpenOptions {
  bool read_only = false;
  Durability durability = Durability::sync;       // Of writes through this Bucket; nothing of it is stored.
  std::chrono::milliseconds lock_deadline{5000};  // How long to wait for another writer before answering `busy`.
  // Log behind the last checkpoint, in bytes, at which the next one is made by itself (in the background, while writes
  // go on). Larger: more memory and a longer opening after a crash. At least twice the index is waited for, so that the
  // index is not rewritten too often.
  std::uint64_t checkpoint_bytes = std::uint64_t{64} << 20;
  // When a checkpoint is made by itself and a third of the log is dead, segments that are half dead are emptied with
  // it.
  bool compact_automatically = true;
  // Of the writer: how long a reader elsewhere may keep the space of what it reads after a newer checkpoint has taken
  // its place. A scan or snapshot that goes on for longer answers `snapshot_expired`; single reads notice nothing, and
  // backups are waited for. 0: readers are waited for without end, and the file grows meanwhile.
  std::chrono::milliseconds reader_age_limit{std::chrono::hours{1}};
  // Told in words what happens that no call answers, or that whoever runs the program wants to know later. It may be
  // called from any thread, also during a call of yours and with locks held: it must be short, must not throw, and must
  // not use this Bucket.
  std::function<void(LogLevel, std::string_view message)> log{};
  // Of a bucket that open_or_create makes. One that is there, opened for writing: as Bucket::set_compression. Nothing:
  // as the bucket says.
  std::optional<Compression> compression{};
};

// A condition is evaluated on the newest state, under the writer's lock, together with the write.
enum class PutIf : std::uint8_t {
  always,
  missing,  // The key is missing or expired.
  present,  // The key is there.
  equals,   // The key is there, and its value has the bytes of PutOptions::expected (compare and set).
};

struct PutOptions {
  std::uint32_t ttl_seconds = 0;  // 0: never expires. Else the key is gone this many seconds after the write.
  ValueKind kind = ValueKind::bytes;
  PutIf condition = PutIf::always;
  std::string_view expected{};  // For PutIf::equals. Only bytes are compared, not kinds.
};

struct Value {
  std::string bytes{};
  ValueKind kind = ValueKind::bytes;
  std::uint64_t seqno = 0;  // Rises with every write to the bucket; never used twice.
  // Wall clock, nanoseconds since the Unix epoch; up to 10 ms early for what never expires.
  std::int64_t written_at_ns = 0;
  std::uint32_t ttl_seconds = 0;  // As given to put; 0: never expires.

  // Wall clock time at which the value expires, nanoseconds since the Unix epoch; nothing if it never does.
  [[nodiscard]] std::optional<std::int64_t> expires_at_ns() const noexcept {
    if (ttl_seconds == 0) return std::nullopt;
    return written_at_ns + static_cast<std::int64_t>(ttl_seconds) * 1'000'000'000;
  }
};

struct Entry {
  std::string key;
  Value value;  // As if nothing had been stored when a scan asked for keys alone.
};

// Which keys a scan visits, in which order. Bounds and prefix may be combined; the default is all keys.
struct ScanOptions {
  std::string prefix{};               // Only keys that begin with these bytes.
  std::optional<std::string> from{};  // Only keys ≥ this one.
  std::optional<std::string> to{};    // Only keys ≤ this one (inclusive).
  bool reverse = false;               // From the last key to the first.
  std::uint64_t limit = UINT64_MAX;   // At most so many entries, counted after `reverse`.
  bool keys_only = false;             // Gives keys alone: nothing of the values, which is much quicker.
};

// Writes that are applied together: all of them or none, for readers and across a crash. Later ones win over earlier
// ones. Conditions are evaluated in the order of the batch, each on the state that the operations before it leave; if
// one of them does not hold, nothing of the batch is written.
class Batch {
 public:
  struct Operation {
    enum class Type : std::uint8_t { put, remove, check } type;
    std::string key;
    std::string value;
    std::uint32_t ttl_seconds = 0;
    ValueKind kind = ValueKind::bytes;
    PutIf condition = PutIf::always;
    std::string expected{};  // For PutIf::equals.
  };

  Batch() = default;
  Batch(const Batch&) = default;
  Batch& operator=(const Batch&) = default;
  Batch(Batch&& other) noexcept
      : operations_(std::exchange(other.operations_, {})), size_(std::exchange(other.size_, 0)) {}
  Batch& operator=(Batch&& other) noexcept {
    operations_ = std::exchange(other.operations_, {});
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  ~Batch() = default;

  // Limits are checked when the batch is written, so these never fail.
  void put(std::string_view key, std::string_view value, const PutOptions& options = {});
  void remove(std::string_view key);
  // Writes nothing; the batch is applied only if this holds for the key.
  void check(std::string_view key, PutIf condition, std::string_view expected = {});
  // Empties it; its memory stays, for the next operations.
  void clear() noexcept { size_ = 0; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<const Operation> operations() const noexcept {
    return std::span<const Operation>(operations_).first(size_);
  }

 private:
  Operation& add(Operation::Type type, std::string_view key);

  std::vector<Operation> operations_;  // Behind the first `size_` of them: some to be used again.
  std::size_t size_ = 0;
};

struct Stats {
  std::uint64_t keys = 0;             // Live keys (expired ones that nobody has reaped may be included).
  std::uint64_t live_bytes = 0;       // Bytes of the newest records of live keys, headers included.
  std::uint64_t file_bytes = 0;       // Length of the file.
  std::uint64_t allocated_bytes = 0;  // Blocks that the file occupies on the device.
  std::uint64_t segments = 0;
  std::uint64_t journal_bytes = 0;  // Log that the next opening would replay.
  std::uint64_t memory_bytes = 0;   // Private memory of the index: what was written since the last checkpoint.
  std::uint64_t index_bytes = 0;    // The index in the file, as of the last checkpoint.
  std::uint64_t checkpoints = 0;    // Made since this Bucket was opened.
  std::uint64_t epoch = 0;
  std::uint64_t committed_seqno = 0;   // Newest write that other readers see.
  std::uint64_t synced_seqno = 0;      // Newest write that survives power loss.
  std::uint64_t replayed_records = 0;  // By the opening of this Bucket.
  std::uint64_t recovery_cuts = 0;     // Unclean ends and failed appends that the log notes.
  std::uint64_t lost_records =
      0;  // Synced once, and gone when it was opened: the file had been cut short from outside.
  // Since this Bucket was opened:
  std::uint64_t puts = 0;
  std::uint64_t gets = 0;
  std::uint64_t hits = 0;     // Gets that found a value.
  std::uint64_t deletes = 0;  // Removes of a key that was there.
  std::uint64_t batches = 0;
  std::uint64_t syncs = 0;
  std::uint64_t bytes_written = 0;  // Handed to the file for the log. Write amplification is all three, by this one.
  std::uint64_t bytes_moved = 0;    // Handed to it by compaction, for records that were moved,
  std::uint64_t index_bytes_written = 0;  // and by checkpoints, for the index.
  std::uint64_t dead_bytes = 0;           // What compaction could give back, nearly: as of the last checkpoint.
  std::uint64_t write_pauses = 0;         // How often a writer was slowed because a checkpoint was behind,
  std::uint64_t write_pause_ns = 0;       // for how long in all,
  std::uint64_t longest_write_pause_ns = 0;
  // The system's clock is so far ahead of the newest time that the bucket knew when it was opened that it is not
  // believed yet (0: it is). What was written before expires an hour after opening at the earliest.
  std::int64_t clock_ahead_ns = 0;
  // Of this Bucket. An old snapshot keeps the space of what was overwritten since.
  std::uint64_t snapshots = 0;            // Open ones.
  std::uint64_t oldest_snapshot_age = 0;  // Writes that the oldest of them does not see.
  // Readers elsewhere: in other processes, or through another Bucket in this one. They hold the state of a checkpoint.
  std::uint64_t pinned_epochs = 0;     // Checkpoints that are held, by any number of readers each.
  std::uint64_t oldest_pin_lag = 0;    // How many checkpoints the oldest of them is behind the newest.
  std::int64_t oldest_pin_age_ms = 0;  // Since when it is behind; 0 if it is not, or if this Bucket is read-only.
  std::uint64_t expired_pins = 0;      // Checkpoints whose readers were waited for no longer (reader_age_limit).
  std::uint64_t retired_bytes = 0;     // Space that waits for readers, or for the next checkpoint, to be used again.
  bool read_only = false;
  bool poisoned = false;
  Durability durability = Durability::sync;
  std::string uuid;  // 32 hexadecimal digits.
  std::int64_t created_at_ns = 0;
  Compression compression{};
  std::uint32_t dictionary_id = 0;  // Of the one that new values are compressed with; 0: none.
  std::uint64_t dictionary_bytes = 0;
  std::uint64_t dictionaries = 0;  // Older ones, that some values still need, included.
  // Of some hundred values that are spread over the bucket: their bytes, and what they take in the file. Both are 0 if
  // nothing is compressed.
  std::uint64_t sampled_value_bytes = 0;
  std::uint64_t sampled_stored_bytes = 0;
};

// What Bucket::train_dictionary did.
struct TrainReport {
  bool adopted = false;  // A dictionary was trained, and is used from now on.
  // If not: why, in a sentence. Nothing has changed then.
  std::string reason{};
  std::uint32_t dictionary_id = 0;
  std::uint64_t dictionary_bytes = 0;
  std::uint64_t samples = 0;       // Values that it was trained from.
  std::uint64_t sample_bytes = 0;  // Of others that it was tried on:
  std::uint64_t bytes_before = 0;  // their bytes as they would be stored without it,
  std::uint64_t bytes_after = 0;   // and with it.
};

// How thoroughly Bucket::compact works.
enum class CompactStrategy : std::uint8_t {
  automatic,   // Empties segments of which at least half is dead. Cheap: what the bucket does by itself.
  aggressive,  // Those of which at least a tenth is dead.
  full,        // Rewrites everything in the order of the keys, and makes the file as short as it can be.
};

struct CompactReport {
  std::uint64_t file_bytes_before = 0;
  std::uint64_t file_bytes_after = 0;
  std::uint64_t allocated_bytes_before = 0;  // Blocks on the device.
  std::uint64_t allocated_bytes_after = 0;
  std::uint64_t segments_freed = 0;
  std::uint64_t records_moved = 0;
  std::uint64_t bytes_moved = 0;
};

struct CompactOptions {
  CompactStrategy strategy = CompactStrategy::automatic;
  // Called after each round with what has been done so far; in the calling thread.
  std::function<void(const CompactReport&)> progress{};
};

struct VerifyProblem {
  std::string message;
  std::uint64_t offset_bytes = 0;
  std::optional<std::uint64_t> key_hash;
};

struct VerifyReport {
  std::uint64_t records = 0;  // Records whose checksums were computed.
  std::uint64_t segments = 0;
  std::uint64_t keys = 0;
  std::uint64_t bytes = 0;  // Bytes that the checks covered.
  std::vector<VerifyProblem> problems;
  [[nodiscard]] bool ok() const noexcept { return problems.empty(); }
};

// What Bucket::update's function wants done with the key it was shown.
struct Update {
  enum class Action : std::uint8_t { keep, put, remove } action = Action::keep;
  std::string value{};                // For `put`.
  ValueKind kind = ValueKind::bytes;  // For `put`.
  bool keep_expiry = true;            // For `put`: the key expires when it would have expired before.
  std::uint32_t ttl_seconds = 0;      // For `put` with keep_expiry == false.
};

// One committed state of a bucket, which stays as it is: whatever is written, removed or expires later is not seen. It
// takes no lock and keeps no writer waiting, but as long as it lives the space of what it shows cannot be given back.
//
// It can be moved, and used from any number of threads at once. It may outlive the Bucket: once that is closed or
// destroyed, every call answers `closed`; in a child of fork(), `forked`. As with the Bucket's own calls, none may be
// under way while the Bucket is being closed.
class Snapshot {
 public:
  Snapshot(Snapshot&&) noexcept;
  Snapshot& operator=(Snapshot&&) noexcept;
  ~Snapshot();

  // What Bucket's functions of the same names do, on this state.
  [[nodiscard]] Result<std::optional<Value>> get(std::string_view key) const;
  [[nodiscard]] Result<std::vector<std::optional<Value>>> get_many(std::span<const std::string_view> keys) const;
  [[nodiscard]] Result<bool> contains(std::string_view key) const;
  [[nodiscard]] Result<void> scan(const ScanOptions& options, const std::function<bool(Entry&&)>& visit) const;
  [[nodiscard]] Result<std::vector<Entry>> scan(const ScanOptions& options = {}) const;
  [[nodiscard]] Result<std::uint64_t> count(const ScanOptions& options = {}) const;

  // No write behind this one is part of the state. 0 if it was moved from.
  [[nodiscard]] std::uint64_t seqno() const noexcept;

 private:
  friend class Bucket;
  struct State;
  explicit Snapshot(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

// One committed write.
struct Change {
  enum class Type : std::uint8_t { put, remove } type = Type::put;
  std::string key{};
  // Of a put: what was written. Of a remove only `seqno` and `written_at_ns` say something.
  Value value{};
};

struct WatchOptions {
  std::string prefix{};                       // Only keys that begin with these bytes.
  std::optional<std::uint64_t> from_seqno{};  // Changes behind this write. Nothing: those committed from now on.
  bool keys_only = false;                     // Leaves Value::bytes empty.
};

// The writes of a bucket as they are committed, by whomever: this Bucket, or another process. It reads the log, so it
// misses nothing in between: a key that was written three times comes three times, in the order of the seqnos. A key
// that expires is no write and does not come.
//
// The log keeps a write until compaction empties its part of the file. A Watch that exists keeps what it has not given
// yet, but only as long as OpenOptions::reader_age_limit if it is elsewhere than the writer. To go on after a restart,
// store seqno() and give it as WatchOptions::from_seqno; if the log does not reach back so far, the answer is
// `snapshot_expired`. Then read everything anew: take a snapshot(), watch from its seqno(), and scan the snapshot.
//
// It can be moved, and belongs to one thread. As a Snapshot it may outlive the Bucket, and then answers `closed`.
class Watch {
 public:
  Watch(Watch&&) noexcept;
  Watch& operator=(Watch&&) noexcept;
  ~Watch();

  // The next changes, oldest first; waits for one, at most so long, and gives none if none came. Whole batches; about a
  // thousand changes or a MiB at most, unless a batch is larger. `damaged` once for each record that cannot be read;
  // the next call goes on behind it.
  [[nodiscard]] Result<std::vector<Change>> next(std::chrono::milliseconds timeout = std::chrono::milliseconds{0});

  // All changes up to this write have been given, those with other prefixes passed over. 0 if it was moved from.
  [[nodiscard]] std::uint64_t seqno() const noexcept;

 private:
  friend class Bucket;
  struct State;
  explicit Watch(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

struct BackupOptions {
  // Called from time to time in the calling thread with the number of keys written so far, of about so many.
  std::function<void(std::uint64_t keys, std::uint64_t of_keys)> progress{};
};

struct BackupReport {
  std::uint64_t keys = 0;
  std::uint64_t value_bytes = 0;
  std::uint64_t file_bytes = 0;  // Length of the copy.
};

class Bucket {
 public:
  // Makes a new bucket. `already_exists` if there is a file of that name, which is left alone.
  [[nodiscard]] static Result<Bucket> create(const std::string& path, const CreateOptions& options = {});

  // Opens a bucket. Never needs a flag, a size or a tool, whatever ended the last writer. `not_found` if there is no
  // such file.
  [[nodiscard]] static Result<Bucket> open(const std::string& path, const OpenOptions& options = {});

  // Opens it, or makes it first if it isn't there (or if a crash inside create left an empty file).
  [[nodiscard]] static Result<Bucket> open_or_create(const std::string& path, const OpenOptions& options = {});

  Bucket(Bucket&&) noexcept;
  Bucket& operator=(Bucket&&) noexcept;
  ~Bucket();

  // Sets or replaces a value. False if a condition was given and did not hold: nothing is changed then.
  [[nodiscard]] Result<bool> put(std::string_view key, std::string_view value, const PutOptions& options = {});

  // The value, or nothing if the key is missing or expired. `damaged` if its record's checksum is wrong.
  [[nodiscard]] Result<std::optional<Value>> get(std::string_view key) const;

  // The values of many keys on one committed state, in the order of the keys; quicker than single gets, because waiting
  // for memory overlaps. If the record of one of them is damaged, that is the answer for all.
  [[nodiscard]] Result<std::vector<std::optional<Value>>> get_many(std::span<const std::string_view> keys) const;

  [[nodiscard]] Result<bool> contains(std::string_view key) const;

  // True if the key was there. Removing a missing key writes nothing.
  [[nodiscard]] Result<bool> remove(std::string_view key);

  // Removes all keys that begin with these bytes (all keys, if there are none) and says how many there were: those of
  // the state at the call. Goes in batches of about 256 keys; each of them is atomic, the whole is not, and after an
  // error those before it stay applied. On a full disk it goes as far as the space that is kept for removing (about a
  // thousand keys) before it answers `full`. To remove together what belongs together, use a Batch.
  [[nodiscard]] Result<std::uint64_t> remove_prefix(std::string_view prefix);

  // Adds to a number and gives the sum. The value is a whole number of 64 bits with sign in decimal digits; anything
  // else, and a sum that does not fit, is `invalid_argument`, and nothing is changed. A missing key counts as 0 and
  // gets a value of kind json, which is how a WFL program keeps a number; one that is there keeps its kind and its
  // expiry.
  [[nodiscard]] Result<std::int64_t> increment(std::string_view key, std::int64_t delta = 1);

  // Lets the key expire so many seconds from now (0: never). The value stays. False if the key is not there.
  [[nodiscard]] Result<bool> set_expiry(std::string_view key, std::uint32_t ttl_seconds);

  // Applies the batch atomically. False if a condition of it did not hold: nothing is changed then. An empty batch does
  // nothing.
  [[nodiscard]] Result<bool> write(const Batch& batch);

  // Reads one key, lets `decide` say what becomes of it, and writes that, with no other write in between. The newest
  // value is shown (nothing if missing or expired). `decide` runs under the writer's lock: it must be short and must
  // not call this Bucket. An Error that it returns is passed on and nothing is changed.
  [[nodiscard]] Result<void> update(std::string_view key,
                                    const std::function<Result<Update>(const std::optional<Value>&)>& decide);

  // Calls `visit` for every live key of the range, in order, on one committed state. Stops when `visit` returns false.
  [[nodiscard]] Result<void> scan(const ScanOptions& options, const std::function<bool(Entry&&)>& visit) const;
  [[nodiscard]] Result<std::vector<Entry>> scan(const ScanOptions& options = {}) const;

  // How many keys a scan with these options would visit.
  [[nodiscard]] Result<std::uint64_t> count(const ScanOptions& options = {}) const;

  // The newest committed state, to be read as long as it is wanted.
  [[nodiscard]] Result<Snapshot> snapshot() const;

  // Begins to watch. `snapshot_expired` if the log does not reach back to `from_seqno` any more.
  [[nodiscard]] Result<Watch> watch(const WatchOptions& options = {}) const;

  // Calls `visit` for each change behind options.from_seqno (0 if it is not given) up to now, oldest first; stops when
  // `visit` returns false. Gives the seqno from which to go on the next time.
  [[nodiscard]] Result<std::uint64_t> changes(const WatchOptions& options,
                                              const std::function<bool(Change&&)>& visit) const;

  // Writes one committed state into a new bucket at `target`, while this one goes on: all keys with their values,
  // kinds, times of writing and expiries, in key order and without what was overwritten. The new bucket is on disk when
  // this returns; it has an identity (uuid) and seqnos of its own. `already_exists` if there is a file at `target`. The
  // copy is made under the name "TARGET.partial" and gets its own when it is complete, so a crash leaves no half of
  // one; an error removes it. `damaged` if a record cannot be read: see kvb::repair.
  [[nodiscard]] Result<BackupReport> backup(const std::string& target, const BackupOptions& options = {}) const;

  // Everything written before the call survives power loss when it returns.
  [[nodiscard]] Result<void> flush();

  // Writes the index of everything committed so far to the file, so that the next opening has to replay only what comes
  // later. Happens by itself (OpenOptions::checkpoint_bytes, close); this is for choosing the moment. Writes of other
  // threads go on meanwhile. `full` if the disk has no room for it: nothing is lost then.
  [[nodiscard]] Result<void> checkpoint();

  // Gives the space of deleted, overwritten and expired data back to the file system. Reads and writes go on meanwhile.
  // Needs free space on the disk for what it moves: at most 64 MiB at a time, for `full` what the live data needs.
  // `full` if there is none, and nothing is lost. Readers and snapshots that are open keep what they read alive: its
  // space comes back with a later call.
  [[nodiscard]] Result<CompactReport> compact(const CompactOptions& options = {});

  // How values are stored from now on. Those that are there stay as they are until compaction moves them; it compresses
  // what is not compressed, but never the other way round. Programs older than this feature refuse the bucket from then
  // on, even if it is `none` again. `invalid_argument` if there is no such level.
  [[nodiscard]] Result<void> set_compression(const Compression& compression);

  // Trains a dictionary from values of the bucket, and uses it for new values if it makes them shorter; values that are
  // there follow when compaction moves them (CompactStrategy::full: all of them). `invalid_argument` if the bucket is
  // not compressed.
  [[nodiscard]] Result<TrainReport> train_dictionary();

  [[nodiscard]] Stats stats() const;

  // What was done through this Bucket, and how long it took.
  [[nodiscard]] Activity activity() const;

  // The same of whoever has it open for writing, in this process or another, as it was half a second ago or while a
  // long checkpoint is made, longer; nothing if nobody writes. A reader's own calls are not part of it.
  [[nodiscard]] Result<std::optional<Activity>> writer_activity() const;

  // Checks every structure and every record of the file. Problems are in the report; an Error means that it could not
  // be done.
  [[nodiscard]] Result<VerifyReport> verify() const;

  // Makes everything durable and lets go of the file. Every later call answers `closed`. Closing twice is fine.
  [[nodiscard]] Result<void> close();

  [[nodiscard]] bool is_open() const noexcept;
  [[nodiscard]] const std::string& path() const noexcept;

  struct Access;  // For tests and layers of this library: reaches the store behind the Bucket.

 private:
  struct State;
  explicit Bucket(std::shared_ptr<State> state) noexcept;
  std::shared_ptr<State> state_;
};

}  // namespace kvb
