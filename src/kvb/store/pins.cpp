// Pins, from both sides. A reader elsewhere (another process, or another Bucket here) holds the image of one epoch with
// a shared lock on a byte of the file; follow.cpp says how it gets one and why that is enough. The writer asks for the
// oldest such lock before it uses retired space again.
//
// A reader that stands still must not make the file grow for ever, so pins have an age limit (R26). A pin's age counts
// from the moment at which its image was no longer the newest, since only from then on it holds anything back. The
// writer knows that moment: it made the flip, or one before it did and has left a note in the live page. (Where the
// note is not exact, or not there, an image counts as younger than it is.) So writers that live for a moment only, one
// after the other, do not wait for a reader that stands still any longer than one that stays. When the limit is over:
//
//   writer   stores e + 1 in the `expired` word, and only then uses again what the pins up to e held.
//   reader   reads what it needs, and only then loads the word (R25). If it is above its epoch, what it has read is
//            worth nothing: a single read is done again on the newest image, a scan or snapshot answers
//            `snapshot_expired`.
//
// Why that is right: if any byte that the reader has read was written by the reuse, the store of the word came before
// that write, so the reader's load, which comes after, finds it. Until then it may have read anything: whatever decodes
// pages and records checks each bound again, because a file can be changed from outside, too. The file is not cut while
// somebody has an expired pin (R27); only its blocks are given back.
//
// A backup must not fail because it takes long. Its reader holds a second byte beside its pin, and is waited for.

#include <algorithm>
#include <array>
#include <chrono>

#include "kvb/format/live_page.h"
#include "kvb/os/system_error.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

// Older flips than that differ no more.
constexpr std::size_t kMostFlips = 4096;

}  // namespace

// ---------------------------------------------------------------------------------------------------- The writer

void Store::note_flip(std::uint64_t epoch) {
  const std::scoped_lock lock(pins_mutex_);
  if (flips_.size() == kMostFlips) flips_.erase(flips_.begin(), flips_.begin() + kMostFlips / 2);
  flips_.push_back({.epoch = epoch, .at_ns = environment_->monotonic_ns()});
}

// What the writers before this one have noted.
void Store::load_flips() {
  std::array<std::byte, format::kFlipTimesBytes> block{};
  if (file_->read(format::kFlipTimesOffset, block)) {
    const std::int64_t now_ns = environment_->monotonic_ns();
    const std::scoped_lock lock(pins_mutex_);
    flips_ = remembered_flips_ = format::decode_flip_times(block);
    std::erase_if(flips_, [&](const auto& flip) { return flip.epoch >= superblock_.epoch || flip.at_ns > now_ns; });
  }
  note_flip(superblock_.epoch);
}

// Leaves a note for the next writer of what concerns readers from this epoch on. It is not synced: with the system all
// readers go, too.
void Store::remember_flips(std::uint64_t oldest_pinned) {
  std::vector<format::FlipTime> kept;
  const std::scoped_lock lock(pins_mutex_);
  const auto first = std::ranges::upper_bound(flips_, oldest_pinned, {}, &format::FlipTime::epoch);
  std::int64_t apart_ns = std::chrono::nanoseconds(options_.reader_age_limit).count() / 16;
  do {
    kept.clear();
    for (auto flip = first; flip != flips_.end(); ++flip) {
      if (kept.empty() || flip->at_ns - kept.back().at_ns >= apart_ns) kept.push_back(*flip);
    }
    apart_ns = apart_ns * 2 + 1;
  } while (kept.size() > format::kMostFlipTimes);
  if (kept == remembered_flips_) return;
  std::array<std::byte, format::kFlipTimesBytes> block;
  format::encode_flip_times(kept, block);
  if (file_->write(format::kFlipTimesOffset, block)) remembered_flips_ = std::move(kept);
}

// Since when there is a newer image than that of this epoch; 0 if it is the newest.
std::int64_t Store::outdated_since_ns(std::uint64_t epoch) const {
  const std::scoped_lock lock(pins_mutex_);
  const auto newer = std::ranges::upper_bound(flips_, epoch, {}, &format::FlipTime::epoch);
  return newer != flips_.end() ? newer->at_ns : 0;
}

void Store::load_expired_word() {
  auto word = format::load_checked_word(*file_, format::kExpiredWord);
  if (!word || !*word) return;
  if (**word < next_epoch_) {
    expired_epoch_ = **word;
  } else {
    (void)format::store_checked_word(*file_, format::kExpiredWord, 0);  // No epoch that ever was; not ours.
  }
}

Result<std::uint64_t> Store::oldest_pin() {
  const std::uint64_t newest = superblock_.epoch;
  const std::int64_t limit_ns = std::chrono::nanoseconds(options_.reader_age_limit).count();
  for (;;) {
    auto locked = file_->first_locked(format::kPinLockBase + expired_epoch_, format::kPinLockBase + newest);
    if (!locked) return std::unexpected(locked.error());
    if (!*locked) return UINT64_MAX;
    const std::uint64_t epoch = **locked - format::kPinLockBase;
    const std::int64_t since_ns = outdated_since_ns(epoch);
    if (limit_ns > 0 && since_ns != 0) remember_flips(epoch);
    const bool too_old = limit_ns > 0 && since_ns != 0 && environment_->monotonic_ns() - since_ns > limit_ns;
    if (!too_old || epoch >= newest) return epoch;
    const std::uint64_t patient = format::kPatientLockBase + epoch;
    auto waited_for = file_->first_locked(patient, patient);
    if (!waited_for || *waited_for) return epoch;
    // Before anything is written to what they hold.
    if (!format::store_checked_word(*file_, format::kExpiredWord, epoch + 1)) return epoch;
    std::atomic_thread_fence(std::memory_order_seq_cst);
    expired_epoch_ = epoch + 1;
    expired_pins_.fetch_add(1, std::memory_order_relaxed);
    if (options_.log) {
      tell(LogLevel::warning, path_ +
                                  ": A reader has held an old state for longer than reader_age_limit, and is waited "
                                  "for no longer. Its scans and snapshots answer snapshot_expired.");
    }
  }
}

// Does somebody still read through a pin that does not count any more?
bool Store::expired_readers_are_left() const {
  const std::uint64_t expired = expired_epoch_;
  if (expired == 0) return false;
  auto locked = file_->first_locked(format::kPinLockBase, format::kPinLockBase + expired - 1);
  return !locked || locked->has_value();
}

void Store::fill_pin_stats(Stats& stats) const {
  stats.expired_pins = expired_pins_.load(std::memory_order_relaxed);
  if (!options_.read_only) stats.retired_bytes = retired_bytes_.load(std::memory_order_relaxed);
  // The same image may have been made the newest under several epochs.
  std::uint64_t newest = stats.epoch;
  {
    const std::scoped_lock lock(pins_mutex_);
    if (!flips_.empty()) newest = std::max(newest, flips_.back().epoch);
  }
  constexpr std::uint64_t kMostCounted = 1'000;
  for (std::uint64_t from = expired_epoch_; stats.pinned_epochs < kMostCounted && from <= newest;) {
    auto locked = file_->first_locked(format::kPinLockBase + from, format::kPinLockBase + newest);
    if (!locked || !*locked) return;
    const std::uint64_t epoch = **locked - format::kPinLockBase;
    if (stats.pinned_epochs++ == 0) {
      stats.oldest_pin_lag = newest - epoch;
      const std::int64_t since_ns = options_.read_only ? 0 : outdated_since_ns(epoch);
      if (since_ns != 0) stats.oldest_pin_age_ms = (environment_->monotonic_ns() - since_ns) / 1'000'000;
    }
    from = epoch + 1;
  }
}

// ---------------------------------------------------------------------------------------------------- Readers

bool Store::pin_expired(std::uint64_t epoch) const {
  if (!options_.read_only || epoch == 0) return false;
  std::atomic_thread_fence(std::memory_order_acquire);
  auto word = file_->load_word(format::kExpiredWord);
  if (!word || *word <= epoch || *word == ignored_expired_word_.load(std::memory_order_relaxed)) return false;
  // Seldom. The writer may be between the word and its complement.
  for (int tries = 0; tries < 100; ++tries) {
    auto checked = format::load_checked_word(*file_, format::kExpiredWord);
    if (!checked) return false;
    if (*checked) return **checked > epoch;
    std::this_thread::yield();
  }
  return false;
}

// What the word says when the newest image has just been pinned cannot concern that one.
void Store::judge_expired_word(std::uint64_t epoch) {
  auto word = file_->load_word(format::kExpiredWord);
  ignored_expired_word_ = word && *word > epoch ? *word : 0;
}

std::unexpected<Error> Store::expired_snapshot() const {
  return os::failure(ErrorCode::snapshot_expired,
                     "This state was read for longer than the program that writes the bucket waits for its readers, so "
                     "its space has been used again. Start again on the newest state; OpenOptions::reader_age_limit of "
                     "the writer is how long it waits.",
                     path_);
}

Store::Patience::Patience(Store& store, const Snapshot& snapshot)
    : store_(&store), epoch_(store.options_.read_only ? snapshot.state->base->epoch() : 0) {
  if (epoch_ == 0) return;
  const std::scoped_lock lock(store.pins_mutex_);
  if (!store.patient_.contains(epoch_)) {
    (void)store.file_->try_lock(format::kPatientLockBase + epoch_, os::LockMode::shared);
  }
  store.patient_.insert(epoch_);
}

Store::Patience::~Patience() {
  if (epoch_ == 0) return;
  const std::scoped_lock lock(store_->pins_mutex_);
  store_->patient_.erase(store_->patient_.find(epoch_));
  if (!store_->patient_.contains(epoch_) && store_->is_open()) {
    (void)store_->file_->unlock(format::kPatientLockBase + epoch_);
  }
}

}  // namespace kvb::store
