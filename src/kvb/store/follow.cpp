// Readers in other processes than the writer's, or beside it in this one. They open the newest image and run the same
// replay as recovery. While somebody may append they stop at `published`; if nobody does, at the journal's own end,
// which is where the next writer will go on (R24). A writer that has just the bucket's lock may not append yet: first
// it recovers and publishes what it found, which may be more than its dead predecessor had published, and only then
// takes the lock that readers ask for. So nobody who comes meanwhile sees less than others have seen. Each read first
// takes in what has been published since, and goes over to the newest image when there is one.
//
// A reader pins the epoch whose image it reads: a shared lock on byte 2^62 + e of the file (R22). It reads e, takes the
// lock, and reads e again; if there is a newer image by then, it lets go and tries again. Why that is enough: the
// writer gives the pages of image e back only after it has made superblock e + 2 durable and has then found no lock up
// to e. A reader whose second look found e had its lock before superblock e + 1 was written, so the writer sees it. The
// lock ends with the process, however that ends. pins.cpp says how long the writer waits for such a lock.

#include <algorithm>
#include <chrono>

#include "kvb/format/live_page.h"
#include "kvb/os/fork_watch.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

constexpr int kReaderOpenTries = 100;

}  // namespace

Result<void> Store::pin_newest_head() {
  for (int tries = 0;; ++tries) {
    const std::uint64_t epoch = head_.superblock.epoch;
    const bool pinned_before = std::ranges::any_of(pins_, [&](const Pin& pin) { return pin.epoch == epoch; });
    // A file system that is mounted read-only may not lock; then nobody writes either.
    if (!pinned_before) (void)file_->try_lock(format::kPinLockBase + epoch, os::LockMode::shared);
    auto again = load_head(*file_);
    if (!again) return std::unexpected(again.error());
    if (again->superblock.epoch == epoch || tries == kReaderOpenTries) {
      if (!pinned_before) pins_.push_back({.epoch = epoch, .base = {}});
      return {};
    }
    if (!pinned_before) (void)file_->unlock(format::kPinLockBase + epoch);
    head_ = *again;
  }
}

void Store::drop_old_pins() {
  std::shared_ptr<const index::Base> current;
  {
    const std::scoped_lock lock(state_mutex_);
    if (current_) current = current_->base;
  }
  std::erase_if(pins_, [&](const Pin& pin) {
    const bool used = !pin.base.expired() || (current && current->epoch() == pin.epoch);
    if (!used) (void)file_->unlock(format::kPinLockBase + pin.epoch);
    return !used;
  });
}

Result<void> Store::read_from_head(std::uint64_t up_to) {
  if (auto pinned = pin_newest_head(); !pinned) return pinned;
  judge_expired_word(head_.superblock.epoch);
  auto trusted = format::load_checked_word(*file_, format::kSyncedWord);
  const std::uint64_t synced = trusted && *trusted ? **trusted : 0;
  auto base = load_image();
  if (!base) return std::unexpected(base.error());
  pins_.back().base = *base;
  replayed_records_ = 0;
  reader_ =
      std::make_unique<log::JournalReader>(*file_, segments_, head_.superblock.uuid, head_.superblock.journal, synced);
  if (auto replayed = replay(up_to); !replayed) return replayed;
  set_state({.active = active_, .frozen = nullptr, .base = std::move(*base)});
  published_.store(std::max(published_.load(), reader_->last_seqno()), std::memory_order_release);
  collect(segments_.take_garbage());
  drop_old_pins();
  return {};
}

Result<void> Store::read_from_newest_head(std::uint64_t up_to) {
  // Until all of it is done the delta that grows is not the one of the state, so a failure half-way means: all anew.
  restart_following_ = true;
  for (int tries = 0;; ++tries) {
    auto read = read_from_head(up_to);
    // R25: who was stopped for long in the middle of it may have read an image that was being overwritten.
    const bool expired = pin_expired(head_.superblock.epoch);
    if (read && !expired) {
      restart_following_ = false;
      return read;
    }
    if (!expired && read.error().code != ErrorCode::damaged) return read;
    if (tries == kReaderOpenTries) return expired ? expired_snapshot() : read;
    auto head = load_head(*file_);
    if (!head) return std::unexpected(head.error());
    // A writer that is closing the bucket leaves out pages that nobody had pinned a moment ago (close.cpp).
    if (!expired && head->superblock.epoch == head_.superblock.epoch) return read;
    head_ = *head;
  }
}

Result<void> Store::start_reading() {
  segments_.let_newer_replace();
  const auto writer_present = [&]() -> bool {
    auto locked = file_->first_locked(format::kAppendLockByte, format::kAppendLockByte);
    return locked && locked->has_value();
  };
  for (int tries = 0;; ++tries) {
    std::uint64_t up_to = UINT64_MAX;
    const bool beside_a_writer = writer_present();
    if (beside_a_writer) {
      auto published = file_->load_word(format::kPublishedWord);
      if (!published) return std::unexpected(published.error());
      up_to = *published;
    } else {
      // What a dead writer left may be in the page cache only. A failure is no reason to refuse reading: read-only
      // media have nothing to sync.
      (void)file_->sync(os::SyncKind::data);
    }
    published_ = 0;
    if (auto read = read_from_newest_head(up_to); !read) return read;
    // A writer that came in between may have appended while we read to the end: then what we saw might not be
    // committed.
    if (beside_a_writer || !writer_present() || tries == kReaderOpenTries) break;
    auto head = load_head(*file_);
    if (!head) return std::unexpected(head.error());
    head_ = *head;
  }
  judge_clock();
  synced_ = published_.load();
  if (const auto& stop = reader_->stop(); stop.kind == log::Stop::Kind::cut_off) {
    auto trusted = format::load_checked_word(*file_, format::kSyncedWord);
    if (trusted && *trusted && **trusted > published_) lost_records_ = **trusted - published_;
  }
  return {};
}

Result<void> Store::follow() {
  if (inherited_by_fork()) return {};
  auto published = file_->load_word(format::kPublishedWord);
  if (!published) return std::unexpected(published.error());
  auto epoch = file_->load_word(format::kEpochWord);
  if (!epoch) return std::unexpected(epoch.error());
  if (*published <= published_.load(std::memory_order_acquire) && *epoch <= followed_epoch_.load() &&
      !restart_following_.load(std::memory_order_relaxed)) {
    return {};
  }
  const std::scoped_lock following(write_mutex_);
  if (*epoch > followed_epoch_.load() || restart_following_) {
    // Whatever becomes of it, this epoch is looked at once: the word may have been left by an image that is lost.
    followed_epoch_ = std::max(*epoch, followed_epoch_.load());
    auto head = load_head(*file_);
    if (!head) return std::unexpected(head.error());
    if (head->superblock.epoch > head_.superblock.epoch || restart_following_) {
      head_ = *head;
      return read_from_newest_head(std::max(*published, published_.load()));
    }
  }
  if (*published <= published_.load(std::memory_order_acquire)) return {};
  if (auto refreshed = reader_->refresh(); !refreshed) return refreshed;
  if (auto trusted = format::load_checked_word(*file_, format::kSyncedWord); trusted && *trusted) {
    reader_->set_trusted(**trusted);
  }
  restart_following_ = true;
  auto replayed = replay(*published);
  if (pin_expired(head_.superblock.epoch)) {
    // Keys may have been compared with bytes that were no records any more.
    auto head = load_head(*file_);
    if (!head) return std::unexpected(head.error());
    head_ = *head;
    return read_from_newest_head(*published);
  }
  if (!replayed) return replayed;
  restart_following_ = false;
  published_.store(std::max(published_.load(), reader_->last_seqno()), std::memory_order_release);
  return {};
}

}  // namespace kvb::store
