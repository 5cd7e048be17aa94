#pragma once
// Runs a workload on the simulated disk and, before each sync and after each operation, rebuilds the states in which a
// power cut may have left the file. Each is opened like a stranger would, and must hold
//
//   a state that the bucket had, no older than the last acknowledged write and no newer than the one under way;
//   and: `verify` finds nothing wrong; a reader sees the same as the writer; what is written afterwards is there, also
//   after another opening; a crash while it is being opened and written to (to a given depth) holds all the same; it
//   opens on a disk without any room; and if the newest superblock is destroyed on top of it, the other one leads to a
//   state of the same range (R15).
//
// The run is reproducible: the same workload and seed give the same images. Each workload has a bucket of another uuid,
// so that images of two workloads are never the same.

#include <gtest/gtest.h>
#include <kvb/bucket.h>
#include <xxhash.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "kvb/api/bucket_access.h"
#include "kvb/format/superblock.h"
#include "kvb/os/sim/crash_images.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"
#include "kvb/support/log_checker.h"
#include "kvb/support/model.h"
#include "kvb/support/proof.h"

namespace kvb::testing {

inline constexpr const char* kCrashPath = "crash.kvb";

inline constexpr std::size_t kMostCrashes = 3;  // One on another.

struct CrashOptions {
  std::string workload;
  std::string repeat;  // The command that repeats the run, shown when it fails.
  std::uint64_t seed = 1;
  std::size_t images_per_point = 40;
  // So many images between those that are crashed again, after the first crash and after the second.
  std::array<std::size_t, kMostCrashes - 1> deeper_every{101, 17};
  std::size_t deeper_images = 7;  // For each point of a deeper crash.
  Durability durability = Durability::sync;
  bool stale_space = true;
  std::uint64_t capacity_bytes = UINT64_MAX;
  std::uint64_t checkpoint_bytes = OpenOptions{}.checkpoint_bytes;
  Compression compression{};
};

struct CrashCounts {
  std::uint64_t images = 0;                            // Opened and compared.
  std::array<std::uint64_t, kMostCrashes> by_level{};  // Of them, after the first crash, the second, the third.
  std::uint64_t superblocks_destroyed = 0;             // Images that were also opened without their newest superblock.
  std::uint64_t opened_when_full = 0;                  // Images that were also opened on a disk without any room.
  std::uint64_t checkpoints = 0;                       // That succeeded while the workload ran.
  std::unordered_set<std::uint64_t> distinct;
};

class CrashHarness {
 public:
  CrashHarness(CrashOptions options, CrashCounts& counts) : options_(std::move(options)), counts_(counts), level_(0) {
    disk_ = std::make_unique<os::SimDisk>(
        os::SimDisk::Options{.seed = options_.seed, .capacity_bytes = options_.capacity_bytes});
    checker_ = std::make_unique<LogChecker>(*disk_, kCrashPath);
    process_ = &disk_->environment();
    states_.emplace_back();
    watch();
  }
  CrashHarness(const CrashHarness&) = delete;
  CrashHarness& operator=(const CrashHarness&) = delete;
  ~CrashHarness() { bucket_.reset(); }

  // --- Workloads are made of these. Each checks that the bucket and the model agree at once. ---

  void create() {
    bucket_ = std::make_unique<Bucket>(must_open(
        create_with(*process_, kCrashPath, {.durability = options_.durability, .compression = options_.compression})));
    created_ = true;
    point();
    // A bucket is created with the default trigger of checkpoints; opened, it has that of the workload.
    if (options_.checkpoint_bytes != OpenOptions{}.checkpoint_bytes) reopen();
  }
  void put(const std::string& key, const std::string& value, const PutOptions& options = {}) {
    Model next = states_.back();
    next[key] = model_value(value, options, now());
    attempt(std::move(next), [&]() -> Result<void> {
      auto done = bucket_->put(key, value, options);
      return done ? Result<void>{} : std::unexpected(done.error());
    });
  }
  void remove(const std::string& key) {
    Model next = states_.back();
    next.erase(key);
    attempt(std::move(next), [&]() -> Result<void> {
      auto done = bucket_->remove(key);
      return done ? Result<void>{} : std::unexpected(done.error());
    });
  }
  void write(const Batch& batch) {
    Model next = states_.back();
    apply(next, batch, now());
    attempt(std::move(next), [&]() -> Result<void> {
      auto done = bucket_->write(batch);
      return done ? Result<void>{} : std::unexpected(done.error());
    });
  }
  void flush() { settle(bucket_->flush()); }
  void checkpoint() {
    const auto done = bucket_->checkpoint();
    if (done) ++counts_.checkpoints;
    settle(done);
  }
  void compact(CompactStrategy strategy) {
    const auto done = bucket_->compact({.strategy = strategy});
    settle(done ? Result<void>{} : std::unexpected(done.error()));
  }
  void set_compression(const Compression& compression) { settle(bucket_->set_compression(compression)); }
  // Expects that a dictionary was adopted.
  void train() {
    const auto done = bucket_->train_dictionary();
    EXPECT_TRUE(!done || done->adopted) << done->reason;
    settle(done ? Result<void>{} : std::unexpected(done.error()));
  }
  void close() {
    const auto done = bucket_->close();
    if (done && !doubtful_) acknowledged_ = states_.size() - 1;
    expect_allowed_failure(done);
    bucket_.reset();
    point();
  }
  void open() {
    bucket_ = std::make_unique<Bucket>(must_open(open_with(*process_, kCrashPath, how_to_open())));
    const std::size_t found = find_state(*bucket_, now(), acknowledged_, states_.size() - 1);
    if (found == kNone) fail("opened again: " + last_difference_);
    // What was in doubt is decided now: opening syncs before it shows anything.
    states_.resize(found + 1);
    acknowledged_ = found;
    doubtful_ = false;
    point();
  }
  void reopen() {
    close();
    open();
  }
  // The process dies, the machine lives on: all that was written to the file is there.
  void kill_and_open() {
    process_->kill();
    bucket_.reset();
    process_ = &disk_->start_process(++pid_);
    open();
  }
  void advance(std::chrono::nanoseconds duration) { disk_->advance(duration); }

  os::SimDisk& disk() { return *disk_; }
  Bucket& bucket() { return *bucket_; }
  // By compaction, since the bucket was opened.
  [[nodiscard]] std::uint64_t moved_bytes() const { return bucket_->stats().bytes_moved; }
  [[nodiscard]] std::size_t failures() const { return failed_operations_; }
  [[nodiscard]] bool has(const std::string& key) const { return states_.back().contains(key); }
  void expect_failures(bool allowed) { failures_allowed_ = allowed; }
  [[nodiscard]] const LogChecker& checker() const { return *checker_; }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  [[nodiscard]] OpenOptions how_to_open() const {
    return {.durability = options_.durability, .checkpoint_bytes = options_.checkpoint_bytes};
  }

  // A disk that begins as an image of another one's crash.
  CrashHarness(const CrashHarness& crashed, const os::CrashImage& image, std::uint64_t seed)
      : options_(crashed.options_), counts_(crashed.counts_), level_(crashed.level_ + 1) {
    options_.seed = seed;
    disk_ = std::make_unique<os::SimDisk>(os::SimDisk::Options{
        .seed = seed, .recording = false, .wall_clock_ns = crashed.disk_->environment().wall_clock_ns()});
    checker_ = std::make_unique<LogChecker>(*disk_, kCrashPath, crashed.checker_.get());
    process_ = &disk_->environment();
    crash_here_ = false;
    if (image.exists) disk_->put_file(kCrashPath, image.bytes);
    trail_ = crashed.trail_ + (crashed.trail_.empty() ? "" : "\n    then ") + image.describe();
  }

  void watch() {
    disk_->observe_syncs([this](const std::string&) { point(); });
  }

  [[nodiscard]] std::int64_t now() const { return disk_->environment().wall_clock_ns(); }

  [[noreturn]] void fail(const std::string& what) const {
    std::cerr << "\nCrash test failed: workload " << options_.workload << ", operation " << operations_ << ", level "
              << level_ << ", seed " << options_.seed << "\n  " << what
              << "\n  image: " << (shown_.empty() ? trail_ : shown_) << "\n  to repeat it: " << options_.repeat
              << std::endl;
    std::abort();
  }

  Bucket must_open(Result<Bucket> opened) const {
    if (!opened) fail("opening failed: " + outcome(opened));
    return std::move(*opened);
  }

  void expect_allowed_failure(const Result<void>& done) {
    if (done) return;
    ++failed_operations_;
    if (!failures_allowed_) fail("an operation failed: " + outcome(done));
  }

  void attempt(Model next, const std::function<Result<void>()>& operation) {
    ++operations_;
    under_way_ = std::move(next);
    in_operation_ = true;
    const auto done = operation();
    in_operation_ = false;
    if (done) {
      states_.push_back(std::move(under_way_));
      if (options_.durability == Durability::sync) acknowledged_ = states_.size() - 1;
    } else if (!doubtful_ && bucket_->stats().poisoned) {
      // A failed sync: this write may be there or not when the bucket is opened again, and no later one is.
      states_.push_back(std::move(under_way_));
      doubtful_ = true;
    }
    expect_allowed_failure(done);
    if (operations_ % 16 == 0) compare_now();
    point();
  }

  void settle(const Result<void>& done) {
    if (done && !doubtful_) acknowledged_ = states_.size() - 1;
    expect_allowed_failure(done);
    point();
  }

  void compare_now() {
    if (doubtful_) return;
    const auto found = bucket_->scan();
    if (!found) fail("scan failed: " + outcome(found));
    const auto wrong = difference(*found, model_scan(states_.back(), {}, now()));
    if (!wrong.empty()) fail("without any crash: " + wrong);
  }

  // Every state that a crash may leave now.
  void point() {
    if (!crash_here_) return;
    const os::CrashPoint here(*disk_, kCrashPath);
    const std::size_t limit =
        level_ == 0 ? static_cast<std::size_t>(static_cast<double>(options_.images_per_point) * crash_scale())
                    : options_.deeper_images;
    std::unordered_set<std::uint64_t> seen;
    here.for_each({.images = std::max<std::size_t>(limit, 4),
                   .seed = options_.seed * 1'000'003 + ++points_,
                   .stale_space = options_.stale_space},
                  [&](const os::CrashImage& image) {
                    const std::uint64_t hash = image.exists ? XXH3_64bits(image.bytes.data(), image.bytes.size()) : 0;
                    if (!seen.insert(hash).second) return true;
                    counts_.distinct.insert(hash);
                    ++counts_.images;
                    ++counts_.by_level[level_];
                    check(image, hash);
                    return true;
                  });
  }

  // Which of the states the bucket shows: index into states_, states_.size() for the one under way.
  std::size_t find_state(const Bucket& bucket, std::int64_t at_ns, std::size_t oldest, std::size_t newest) {
    const auto found = bucket.scan();
    if (!found) fail("scan failed: " + outcome(found));
    for (std::size_t i = newest + 1; i-- > oldest;) {
      const Model& state = i == states_.size() ? under_way_ : states_[i];
      const auto wrong = difference(*found, model_scan(state, {}, at_ns));
      if (wrong.empty()) return i;
      if (i == newest || i == oldest) last_difference_ = wrong;
    }
    return kNone;
  }

  void check(const os::CrashImage& image, std::uint64_t hash) {
    CrashHarness after(*this, image, options_.seed ^ hash);
    // The count of this level: in a common one, the images of a second crash would never stand at a multiple.
    const bool deeper = level_ + 1 < kMostCrashes && counts_.by_level[level_] % options_.deeper_every[level_] == 0;

    if (!created_) {
      check_unfinished(after, image);
      return;
    }
    const std::size_t newest = in_operation_ ? states_.size() : states_.size() - 1;

    // As a reader, on a disk of its own: reading must not be what repairs.
    std::size_t read_state = kNone;
    if (counts_.images % 3 == 0) {
      CrashHarness reading(*this, image, options_.seed ^ hash);
      const Bucket reader = reading.must_open(open_with(reading.disk_->environment(), kCrashPath, {.read_only = true}));
      shown_ = reading.trail_;
      read_state = find_state(reader, now(), acknowledged_, newest);
      if (read_state == kNone) reading.fail("a reader sees no state that there was: " + last_difference_);
    }

    if (counts_.images % 3 == 1) check_without_newest_superblock(image, hash, newest);
    if (counts_.images % 11 == 2) check_on_a_full_disk(image, hash, newest);

    if (deeper) {
      after.disk_ =
          std::make_unique<os::SimDisk>(os::SimDisk::Options{.seed = options_.seed ^ hash, .wall_clock_ns = now()});
      after.disk_->put_file(kCrashPath, image.bytes);
      after.checker_ = std::make_unique<LogChecker>(*after.disk_, kCrashPath, checker_.get());
      // Crashes during recovery: what is acknowledged now was before; what may be there may still be.
      after.states_.assign(states_.begin() + static_cast<std::ptrdiff_t>(acknowledged_), states_.end());
      if (in_operation_) after.states_.push_back(under_way_);
      after.acknowledged_ = 0;
      after.created_ = true;
      after.process_ = &after.disk_->environment();
      after.crash_here_ = true;
      after.watch();
    }
    auto opened = std::make_unique<Bucket>(after.must_open(open_with(*after.process_, kCrashPath, after_how())));
    shown_ = after.trail_;
    const std::size_t state = find_state(*opened, now(), acknowledged_, newest);
    if (state == kNone) {
      after.fail("no state between the last acknowledged (" + std::to_string(acknowledged_) + ") and the newest (" +
                 std::to_string(newest) + "): " + last_difference_);
    }
    if (read_state != kNone && read_state != state && !(state_at(read_state) == state_at(state))) {
      after.fail("a reader sees state " + std::to_string(read_state) + ", the writer " + std::to_string(state));
    }
    const auto report = opened->verify();
    if (!report) after.fail("verify failed: " + outcome(report));
    if (!report->ok()) after.fail("verify finds: " + report->problems.front().message);

    // Life goes on. What was found is acknowledged now: opening syncs before it shows anything.
    after.states_.assign(1, state_at(state));
    after.acknowledged_ = 0;
    after.created_ = true;
    after.bucket_ = std::move(opened);
    after.point();
    after.put("after/" + std::to_string(level_), "a first write after the crash");
    if (counts_.images % 2 == 0) {
      Batch batch;
      batch.put("after/batch", std::string(300, 'b'));
      batch.remove("after/" + std::to_string(level_));
      after.write(batch);
    }
    const std::uint64_t committed = after.bucket_->stats().committed_seqno;
    if (committed < after.checker_->highest_seqno()) after.fail("a seqno from before the crash is higher");
    if (counts_.images % 4 == 1) {
      after.close();
      after.open();
    } else {
      after.kill_and_open();
    }
    after.compare_now();
    after.bucket_.reset();
  }

  // After a crash the bucket is used with sync durability, whatever the workload's was.
  [[nodiscard]] OpenOptions after_how() const { return {.checkpoint_bytes = options_.checkpoint_bytes}; }

  // R15: what a checkpoint retires stays until the next one is durable, so the older superblock is as good as the newer
  // one at every moment. An image in which the crash tore one of them has only the other, and is left out.
  void check_without_newest_superblock(const os::CrashImage& image, std::uint64_t hash, std::size_t newest) {
    constexpr std::size_t kLast = format::kSuperblockBOffset + format::kPageBytes;
    if (image.bytes.size() < kLast) return;
    const auto page = [&](std::uint64_t offset) {
      return format::decode_superblock(
          std::span<const std::byte, format::kPageBytes>(image.bytes.data() + offset, format::kPageBytes));
    };
    const auto a = page(format::kSuperblockAOffset);
    const auto b = page(format::kSuperblockBOffset);
    if (!a || !b) return;
    const bool a_is_newest = a->epoch != b->epoch ? a->epoch > b->epoch : hash % 2 == 0;
    os::CrashImage destroyed;
    destroyed.kept = image.kept;
    destroyed.stale = image.stale;
    destroyed.bytes = image.bytes;
    std::byte* const superblock =
        destroyed.bytes.data() + (a_is_newest ? format::kSuperblockAOffset : format::kSuperblockBOffset);
    switch (hash / 2 % 3) {
      case 0:
        std::memset(superblock, 0, format::kPageBytes);
        break;
      case 1:
        std::memset(superblock, 0xA5, format::kPageBytes);
        break;
      default:
        superblock[hash / 6 % 512] ^= std::byte{0x10};
        break;
    }
    CrashHarness other(*this, destroyed, options_.seed ^ hash);
    other.trail_ += a_is_newest ? ", superblock A (the newest) destroyed" : ", superblock B (the newest) destroyed";
    const Bucket opened = other.must_open(open_with(other.disk_->environment(), kCrashPath, after_how()));
    shown_ = other.trail_;
    if (find_state(opened, now(), acknowledged_, newest) == kNone) {
      other.fail("R15: without the newest superblock something acknowledged is lost: " + last_difference_);
    }
    const auto report = opened.verify();
    if (!report) other.fail("verify failed: " + outcome(report));
    if (!report->ok()) other.fail("verify finds: " + report->problems.front().message);
    ++counts_.superblocks_destroyed;
  }

  // Opening never needs room.
  void check_on_a_full_disk(const os::CrashImage& image, std::uint64_t hash, std::size_t newest) {
    CrashHarness other(*this, image, options_.seed ^ hash);
    other.trail_ += ", and the disk is full";
    other.disk_->set_capacity_bytes(other.disk_->used_bytes());
    const Bucket opened = other.must_open(open_with(other.disk_->environment(), kCrashPath, after_how()));
    shown_ = other.trail_;
    if (find_state(opened, now(), acknowledged_, newest) == kNone) {
      other.fail("on a full disk no state between the last acknowledged and the newest: " + last_difference_);
    }
    ++counts_.opened_when_full;
  }

  // The crash came while the bucket was being made: nothing was promised yet.
  void check_unfinished(CrashHarness& after, const os::CrashImage& image) {
    auto& environment = after.disk_->environment();
    const auto opened = open_with(environment, kCrashPath);
    if (!image.exists && (opened || opened.error().code != ErrorCode::not_found)) {
      after.fail("a file that is not there: " + outcome(opened));
    }
    if (opened) {
      const auto found = opened->scan();
      if (!found || !found->empty()) after.fail("a new bucket is not empty");
      return;
    }
    auto made = open_or_create_with(environment, kCrashPath);
    if (!made) {
      // Noise in the head cannot be told from somebody's file, which must not be overwritten.
      if (image.stale == os::StaleSpace::zeros) after.fail("an unfinished bucket cannot be finished: " + outcome(made));
      return;
    }
    if (const auto put = made->put("k", "v"); !put) after.fail("a finished bucket takes no write: " + outcome(put));
  }

  [[nodiscard]] const Model& state_at(std::size_t index) const {
    return index == states_.size() ? under_way_ : states_[index];
  }

  CrashOptions options_;
  CrashCounts& counts_;
  std::size_t level_;
  std::unique_ptr<os::SimDisk> disk_;
  std::unique_ptr<LogChecker> checker_;
  std::unique_ptr<Bucket> bucket_;
  std::vector<Model> states_;     // After each successful operation; the first is the empty bucket.
  std::size_t acknowledged_ = 0;  // Index of the oldest state that a crash may leave.
  Model under_way_;
  bool in_operation_ = false;
  bool created_ = false;
  bool crash_here_ = true;             // Points are crash points; not on most disks that began as an image.
  os::SimProcess* process_ = nullptr;  // The one that has the bucket open.
  bool failures_allowed_ = false;
  bool doubtful_ = false;  // A sync has failed, so the newest state may be there or not; decided by opening again.
  std::size_t failed_operations_ = 0;
  std::uint64_t operations_ = 0;
  std::uint64_t points_ = 0;
  std::int64_t pid_ = 5'000;
  std::string trail_;
  std::string shown_;  // Of the image that is being looked at.
  std::string last_difference_;
};

}  // namespace kvb::testing
