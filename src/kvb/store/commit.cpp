// Group commit. Whoever finds no leader becomes it: it takes everything staged so far, lets go of the lock, writes it
// with one pwrite a stretch and one fdatasync, and publishes it. Others stage meanwhile and are the next group.
//
//   records → fdatasync → `synced` → `published` → return          (R7; in relaxed mode the sync comes later, by the
//   ticker)
//
// If writing fails, the group has failed, and so has all that was staged behind it, since its places and conditions
// build on the group. The delta goes back to what is published, and the journal is cut there, durably, before anybody
// gets an answer (log/journal_writer.h, 4.): what failed never comes back.
//
// If a sync fails, nobody knows what is on disk, and the kernel will not say again: writing ends until the bucket is
// opened anew (R9). That holds for every sync of the file, whoever asked for it: a group whose own sync succeeds after
// another's failed is in doubt too, since the kernel reports an error once.

#include <algorithm>
#include <chrono>
#include <utility>

#include "kvb/format/live_page.h"
#include "kvb/os/system_error.h"
#include "kvb/store/store.h"
#include "kvb/store/writer_lock.h"

namespace kvb::store {
namespace {

constexpr std::uint32_t kRelaxedTickWrites = 256;
constexpr std::int64_t kRelaxedTickNs = 4'000'000;
constexpr std::int64_t kRelaxedSyncNs = 100'000'000;
constexpr std::uint64_t kRelaxedMaxStagedBytes = 1024 * 1024;

// Which stores this thread has written to in relaxed mode, and how far, as long as that is not published.
struct OwnWrite {
  std::uint64_t instance;
  std::uint64_t seqno;
};
thread_local std::vector<OwnWrite> own_writes;

}  // namespace

void Store::note_own_write() {
  const std::uint64_t seqno = journal_->next_seqno() - 1;
  const auto mine = std::ranges::find(own_writes, instance_, &OwnWrite::instance);
  if (mine != own_writes.end()) {
    mine->seqno = seqno;
  } else {
    constexpr std::size_t kMost = 64;  // Forgotten ones are only those of stores that this thread left long ago.
    if (own_writes.size() == kMost) own_writes.erase(own_writes.begin());
    own_writes.push_back({instance_, seqno});
  }
}

std::uint64_t Store::own_newest_write() const {
  const auto mine = std::ranges::find(own_writes, instance_, &OwnWrite::instance);
  return mine != own_writes.end() ? mine->seqno : 0;
}

Result<void> Store::commit(std::unique_lock<std::mutex>& lock) {
  if (options_.durability == Durability::sync) {
    const std::shared_ptr<Group> group = open_group_;
    while (!group->done) {
      if (leader_active_) {
        committed_.wait(lock);
      } else {
        lead(lock, true);
      }
    }
    if (group->error) return std::unexpected(*group->error);
    return {};
  }
  ++writes_since_tick_;
  bool timer_due = false;
  bool sync_due = false;
  if (!environment_->has_background_threads()) {
    const std::int64_t now_ns = environment_->monotonic_ns();
    timer_due = now_ns - last_tick_ns_ >= kRelaxedTickNs;
    sync_due = now_ns - last_sync_ns_ >= kRelaxedSyncNs;
  }
  if (writes_since_tick_ >= kRelaxedTickWrites || timer_due || journal_->staged_bytes() >= kRelaxedMaxStagedBytes ||
      journal_->has_borrowed()) {
    return settle_all(lock, sync_due);
  }
  note_own_write();
  if (ticker_idle_) ticker_wakes_.notify_one();
  if (deferred_error_) return std::unexpected(*std::exchange(deferred_error_, std::nullopt));
  return {};
}

Result<void> Store::settle_all(std::unique_lock<std::mutex>& lock, bool sync) {
  for (;;) {
    if (leader_active_) {
      committed_.wait(lock);
      continue;
    }
    if (deferred_error_) return std::unexpected(*std::exchange(deferred_error_, std::nullopt));
    if (poisoned_) return check_writable();
    if (!journal_->has_staged() && (!sync || synced_ == published_)) return {};
    const std::shared_ptr<Group> group = open_group_;
    lead(lock, sync);
    if (group->error) {
      deferred_error_.reset();
      return std::unexpected(*group->error);
    }
    return {};
  }
}

void Store::lead(std::unique_lock<std::mutex>& lock, bool sync) {
  leader_active_ = true;
  const std::shared_ptr<Group> group = std::exchange(open_group_, std::make_shared<Group>());
  group->chunks = journal_->take_staged();
  group->end = journal_->tail();
  in_flight_ = group;
  writes_since_tick_ = 0;
  lock.unlock();

  std::optional<Error> error;
  bool sync_failed = false;
  for (const auto& chunk : group->chunks) {
    if (auto written = file_->write(chunk.offset, chunk.bytes()); !written) {
      error = written.error();
      break;
    }
  }
  if (!error && sync) {
    if (auto synced = sync_file(os::SyncKind::data); !synced) {
      error = synced.error();
      sync_failed = true;
    }
  }

  lock.lock();
  leader_active_ = false;
  in_flight_.reset();
  const std::int64_t now_ns = environment_->monotonic_ns();
  last_tick_ns_ = now_ns;
  if (sync) last_sync_ns_ = now_ns;
  if (!error && poisoned_) {
    error = Error{.code = ErrorCode::poisoned,
                  .message =
                      "Another sync of this bucket failed at the same time, so it is not known whether this write is "
                      "on disk. Check the disk, "
                      "then open the bucket again and look.",
                  .path = path_};
    sync_failed = true;
  }
  if (error) {
    fail_everything(*group, *error, sync_failed);
  } else {
    publish(*group, sync);
  }
  journal_->recycle(std::exchange(group->chunks, {}));
  group->done = true;
  committed_.notify_all();
}

void Store::publish(Group& group, bool synced) {
  journal_->committed(group.end);
  if (!group.staged.empty()) {
    // Nothing is frozen while a group is under way, so the keys are in the active delta.
    std::vector<index::KeyNode*> fresh;
    for (index::KeyNode* const node : group.staged) {
      if (node->ordered) continue;
      node->ordered = true;
      fresh.push_back(node);
    }
    // Ordered before it is published: a scan that reads at the new seqno must meet every key of the group.
    active_->order.add(fresh);
    published_.store(group.end.next_seqno - 1, std::memory_order_release);
  }
  if (synced) synced_.store(published_.load(std::memory_order_acquire), std::memory_order_release);
  store_words();
}

void Store::fail_everything(Group& group, const Error& cause, bool sync_failed) {
  const std::shared_ptr<Group> behind = std::exchange(open_group_, std::make_shared<Group>());
  for (Group* failed : {behind.get(), &group}) {
    for (auto node = failed->staged.rbegin(); node != failed->staged.rend(); ++node) active_->delta.pop(*node);
  }
  const std::uint64_t first = published_.load(std::memory_order_acquire) + 1;
  const std::uint64_t last = journal_->next_seqno() - 1;
  Error error = cause;
  const auto in_doubt = [&] {
    const bool was_poisoned = poisoned_.exchange(true);
    error.code = ErrorCode::poisoned;
    error.message += " It is not known whether the writes " + std::to_string(std::min(first, last)) + " to " +
                     std::to_string(last) +
                     " are on disk. Writing has ended; what was acknowledged before can still be read. Check the disk, "
                     "then open the bucket "
                     "again and look.";
    if (!was_poisoned) tell_poisoned(error);
  };
  if (sync_failed) {
    in_doubt();
  } else if (auto burned = journal_->burn(); !burned) {
    in_doubt();
  }
  group.error = error;
  behind->error = error;
  behind->done = true;
  // In relaxed mode the writers have their answers already: the next call tells.
  if (options_.durability == Durability::relaxed) deferred_error_ = error;
}

void Store::store_words() {
  // `synced` first: a reader that sees the new `published` must not find an older `synced` beside it (R7). A word that
  // cannot be stored only delays other processes; nothing is recovered from it but the difference between torn and
  // damaged.
  (void)format::store_checked_word(*file_, format::kSyncedWord, synced_.load(std::memory_order_acquire));
  (void)format::store_checked_word(*file_, format::kPublishedWord, published_.load(std::memory_order_acquire));
  file_->wake_waiters(format::kPublishedWord);
}

void Store::run_ticker(const std::stop_token& stop) {
  std::unique_lock lock(write_mutex_);
  const auto work = [this] { return !poisoned_ && (journal_->has_staged() || synced_ != published_); };
  while (!stop.stop_requested()) {
    ticker_idle_ = true;
    const bool working = ticker_wakes_.wait(lock, stop, work);
    ticker_idle_ = false;
    if (!working) return;
    // Collect for a moment.
    const auto due = std::chrono::steady_clock::now() + std::chrono::nanoseconds(kRelaxedTickNs);
    while (!stop.stop_requested() && std::chrono::steady_clock::now() < due) {
      ticker_wakes_.wait_until(lock, stop, due, [] { return false; });
    }
    if (stop.stop_requested()) return;
    if (leader_active_ || poisoned_) continue;
    const bool sync_due = environment_->monotonic_ns() - last_sync_ns_ >= kRelaxedSyncNs && synced_ != published_;
    if (journal_->has_staged() || sync_due) lead(lock, sync_due);
  }
}

Result<void> Store::flush() {
  if (auto usable = check_usable(); !usable) return usable;
  if (options_.read_only) return {};
  std::unique_lock lock(write_mutex_);
  return settle_all(lock, true);
}

Result<void> Store::close() {
  if (closed_.load(std::memory_order_acquire)) return {};
  if (inherited_by_fork()) {
    // The threads exist in the parent only; there is nothing to join here.
    for (std::jthread* thread : {&ticker_, &checkpointer_}) {
      if (thread->joinable()) thread->detach();
    }
    closed_ = true;
    return {};
  }
  Result<void> result;
  if (!options_.read_only && journal_) {
    for (std::jthread* thread : {&checkpointer_, &ticker_}) {
      if (!thread->joinable()) continue;
      thread->request_stop();
      thread->join();
    }
    result = close_file();
    withdraw_activity();
    if (result && !poisoned_ && !may_have_stale_segments()) withdraw_holder(*file_);
  }
  closed_ = true;
  // The lock ends with the file's descriptor.
  reader_.reset();
  journal_.reset();
  active_.reset();
  {
    const std::scoped_lock lock(state_mutex_);
    state_.store(nullptr, std::memory_order_release);
    current_.reset();
    replaced_.clear();
  }
  pins_.clear();
  file_.reset();
  return result;
}

Store::~Store() {
  (void)close();
  ticker_ = {};
  checkpointer_ = {};
}

}  // namespace kvb::store
