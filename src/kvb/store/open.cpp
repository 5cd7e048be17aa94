// Opening a bucket: the lock, the head, replay of the journal, and (for readers) following a living writer.
//
// Recovery is replay, nothing else: what the journal reader delivers is a pure function of the file, and the delta is
// built from it alone. The end that it finds is then made durable (R20: sync before anything behind `synced` is
// published), and how writing goes on behind it is the journal writer's affair (log/journal_writer.h, 5.). Nothing is
// written to the file before the first append but lost copies of the head, the live words, and who holds the lock.
//
// Readers in other processes run the same replay. While somebody holds the writer's lock they stop at `published`; if
// nobody does, at the journal's own end, which is where the next writer will go on (R24).

#include <algorithm>

#include "kvb/format/hash.h"
#include "kvb/format/live_page.h"
#include "kvb/os/fork_watch.h"
#include "kvb/os/mapped_read.h"
#include "kvb/os/system_error.h"
#include "kvb/store/read_bytes.h"
#include "kvb/store/store.h"
#include "kvb/store/writer_lock.h"

namespace kvb::store {
namespace {

std::atomic<std::uint64_t> next_instance{1};

constexpr int kReaderOpenTries = 100;

}  // namespace

Store::Store(os::Environment& environment, std::unique_ptr<os::File> file, const Head& head, const OpenOptions& options)
    : environment_(&environment),
      file_(std::move(file)),
      path_(file_->path()),
      head_(head),
      options_(options),
      instance_(next_instance.fetch_add(1, std::memory_order_relaxed)),
      fork_generation_(os::fork_generation()),
      segments_(*file_),
      order_([this](const index::KeyNode& node) -> std::string_view {
        // Every version of a node has the same key, and a node comes into the order when its oldest kept version has
        // been written.
        const index::Version* version = node.visible(published_.load(std::memory_order_relaxed));
        const log::Segment* segment = version != nullptr ? segments_.find(version->paddr) : nullptr;
        if (segment == nullptr) return {};
        const std::byte* record = segment->data + (version->paddr - segment->paddr());
        const auto key_bytes = format::load_le<std::uint32_t>(record + 32);
        return {reinterpret_cast<const char*>(record) + format::kRecordHeaderBytes,
                std::min<std::uint64_t>(key_bytes, version->record_bytes - format::kRecordOverheadBytes)};
      }) {
  newest_wall_ns_ = head.superblock.newest_wall_ns;
}

bool Store::inherited_by_fork() const noexcept {
  return fork_generation_ != os::fork_generation();
}

Result<void> Store::check_usable() const {
  if (inherited_by_fork()) {
    return os::failure(
        ErrorCode::forked,
        "This bucket was opened before fork() and belongs to the parent process. Open it anew in the child.", path_);
  }
  if (!is_open()) return os::failure(ErrorCode::closed, "The bucket has been closed. Open it again to use it.", path_);
  return {};
}

std::int64_t Store::now_ns() const {
  const std::int64_t wall = environment_->wall_clock_ns();
  std::int64_t newest = newest_wall_ns_.load(std::memory_order_relaxed);
  while (wall > newest && !newest_wall_ns_.compare_exchange_weak(newest, wall, std::memory_order_relaxed)) {
  }
  return std::max(wall, newest);
}

Result<std::shared_ptr<Store>> Store::create(os::Environment& environment, const std::string& path,
                                             const CreateOptions& options) {
  auto file = environment.open(path, os::OpenMode::create_new);
  if (!file) return std::unexpected(file.error());
  auto locked = take_writer_lock(environment, **file, std::chrono::milliseconds(0));
  auto created = locked ? create_head(environment, **file) : locked;
  if (!created) {
    file->reset();
    (void)environment.remove(path);  // It is ours, and empty.
    return std::unexpected(created.error());
  }
  return start(environment, std::move(*file), {.durability = options.durability});
}

Result<std::shared_ptr<Store>> Store::open_or_create(os::Environment& environment, const std::string& path,
                                                     const OpenOptions& options) {
  auto opened = open(environment, path, options);
  if (opened || options.read_only) return opened;
  if (opened.error().code == ErrorCode::not_found) {
    auto created = create(environment, path, {.durability = options.durability});
    // Another process may have made it in between: then it is to be opened.
    if (created || created.error().code != ErrorCode::already_exists) return created;
    return open(environment, path, options);
  }
  if (opened.error().code != ErrorCode::not_a_bucket) return opened;

  // Perhaps the rest of a creation that a crash ended. Whoever has the lock may finish it.
  auto file = environment.open(path, os::OpenMode::read_write);
  if (!file) return opened;
  if (auto locked = take_writer_lock(environment, **file, options.lock_deadline); !locked) {
    return std::unexpected(locked.error());
  }
  auto unfinished = creation_unfinished(**file);
  if (!unfinished) return std::unexpected(unfinished.error());
  if (*unfinished) {
    if (auto created = create_head(environment, **file); !created) return std::unexpected(created.error());
  }
  return start(environment, std::move(*file), options);
}

Result<std::shared_ptr<Store>> Store::open(os::Environment& environment, const std::string& path,
                                           const OpenOptions& options) {
  auto file = environment.open(path, options.read_only ? os::OpenMode::read_only : os::OpenMode::read_write);
  if (!file) return std::unexpected(file.error());
  // The first look says whether this is a bucket at all, before its lock is touched; what counts is read under the
  // lock.
  auto head = load_head(**file);
  if (!head) return std::unexpected(head.error());
  if (!options.read_only) {
    if (head->only_for_reading) {
      return os::failure(ErrorCode::unsupported,
                         "This bucket uses a feature that this program can read but not write. Open it for reading "
                         "only, or use a newer program.",
                         path);
    }
    if (auto locked = take_writer_lock(environment, **file, options.lock_deadline); !locked) {
      return std::unexpected(locked.error());
    }
  }
  return start(environment, std::move(*file), options);
}

// The file is open, and locked if it is to be written.
Result<std::shared_ptr<Store>> Store::start(os::Environment& environment, std::unique_ptr<os::File> file,
                                            const OpenOptions& options) {
  auto head = load_head(*file);
  if (!head) return std::unexpected(head.error());
  std::shared_ptr<Store> store(new Store(environment, std::move(file), *head, options));
  auto started = options.read_only ? store->start_reading() : store->start_writing();
  if (!started) {
    store->closed_ = true;
    return std::unexpected(started.error());
  }
  return store;
}

void Store::reset_index() {
  const std::unique_lock lock(index_mutex_);
  order_.clear();
  damaged_nodes_.clear();
  delta_.clear();
  segments_.clear();
  keys_ = 0;
  live_bytes_ = 0;
  replayed_records_ = 0;
}

Result<void> Store::replay(std::uint64_t up_to) {
  std::vector<log::JournalRecord> batch;
  for (;;) {
    auto more = reader_->next_batch(batch, up_to);
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    if (auto applied = apply(batch); !applied) return applied;
    replayed_records_ += batch.size();
  }
}

// Adds a batch to the delta. index_mutex_ is held exclusively, or nobody else knows the store yet.
Result<void> Store::apply(const std::vector<log::JournalRecord>& batch) {
  // published_ moves first: nobody reads meanwhile, and only running scans still need older versions.
  published_.store(batch.back().header.seqno, std::memory_order_release);
  const std::uint64_t oldest = oldest_needed();
  for (const auto& record : batch) {
    const auto& header = record.header;
    index::Version version{.paddr = record.paddr,
                           .seqno = header.seqno,
                           .record_bytes = header.record_bytes(),
                           .flags = (header.type == format::RecordType::remove ? index::Version::kDelete : 0u) |
                                    (header.ttl_seconds != 0 ? index::Version::kExpires : 0u) |
                                    (record.damaged ? index::Version::kDamaged : 0u)};
    std::optional<Error> error;
    index::KeyNode* node = delta_.find(header.hash, [&](const index::KeyNode& candidate) {
      if (error) return false;
      const index::Version& newest = *candidate.newest;
      // A damaged record's key is unknown; that of equal hash is taken for it, so that it is never silently missed.
      if (newest.is_damaged() || record.damaged) return true;
      auto place = place_of(newest);
      if (!place) {
        error = place.error();
        return false;
      }
      bool same = false;
      const std::string_view key = record.key();
      auto read = read_bytes(*place, newest.paddr, newest.record_bytes, [&] {
        same = format::load_le<std::uint32_t>(place->bytes + 32) == key.size() &&
               std::string_view(reinterpret_cast<const char*>(place->bytes) + format::kRecordHeaderBytes, key.size()) ==
                   key;
      });
      if (!read) error = read.error();
      return same;
    });
    if (error) return std::unexpected(*error);
    if (node != nullptr && !node->newest->is_delete()) {
      --keys_;
      live_bytes_ -= static_cast<std::int64_t>(node->newest->record_bytes);
    }
    if (!version.is_delete()) {
      ++keys_;
      live_bytes_ += static_cast<std::int64_t>(version.record_bytes);
    }
    node = delta_.push(node, header.hash, version, oldest);
    if (record.damaged) {
      damaged_nodes_.push_back(node);
    } else if (!node->ordered) {
      node->ordered = true;
      order_.add(node);
    }
    std::int64_t newest_wall = newest_wall_ns_.load(std::memory_order_relaxed);
    if (header.timestamp_ns > newest_wall) newest_wall_ns_.store(header.timestamp_ns, std::memory_order_relaxed);
  }
  return {};
}

Result<void> Store::start_reading() {
  // A file system that is mounted read-only cannot lock; then nobody writes either.
  const auto writer_present = [&]() -> bool {
    auto locked = file_->first_locked(format::kWriterLockByte, format::kWriterLockByte);
    return locked && locked->has_value();
  };
  for (int tries = 0;; ++tries) {
    reset_index();
    published_ = head_.superblock.journal.seqno - 1;
    auto trusted = format::load_checked_word(*file_, format::kSyncedWord);
    const std::uint64_t synced = trusted && *trusted ? **trusted : 0;
    reader_ = std::make_unique<log::JournalReader>(*file_, segments_, head_.superblock.uuid, head_.superblock.journal,
                                                   synced);
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
    if (auto replayed = replay(up_to); !replayed) return replayed;
    // A writer that came in between may have appended while we read to the end: then what we saw might not be
    // committed.
    if (beside_a_writer || !writer_present() || tries == kReaderOpenTries) break;
  }
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
  if (*published <= published_.load(std::memory_order_acquire)) return {};
  const std::lock_guard following(follow_mutex_);
  const std::unique_lock lock(index_mutex_);
  if (*published <= published_.load(std::memory_order_acquire)) return {};
  if (auto refreshed = reader_->refresh(); !refreshed) return refreshed;
  if (auto trusted = format::load_checked_word(*file_, format::kSyncedWord); trusted && *trusted) {
    reader_->set_trusted(**trusted);
  }
  return replay(*published);
}

Result<void> Store::start_writing() {
  if (!head_.complete()) {
    if (auto healed = heal_head(*file_, head_); !healed) return healed;
  }
  auto trusted = format::load_checked_word(*file_, format::kSyncedWord);
  const std::uint64_t synced = trusted && *trusted ? **trusted : 0;
  published_ = head_.superblock.journal.seqno - 1;
  reader_ =
      std::make_unique<log::JournalReader>(*file_, segments_, head_.superblock.uuid, head_.superblock.journal, synced);
  if (auto replayed = replay(synced); !replayed) return replayed;
  const log::Position synced_end = reader_->position();
  if (auto replayed = replay(UINT64_MAX); !replayed) return replayed;
  const auto& stop = reader_->stop();
  if (stop.kind == log::Stop::Kind::damaged) {
    return os::failure(ErrorCode::damaged,
                       "The log of this bucket is damaged: " + stop.message +
                           ". Writing is refused so that nothing behind it is lost. Open it for reading only: "
                           "everything up to the damage can "
                           "be read. Keep the file, and take a copy before anything else.",
                       path_, stop.paddr);
  }
  const std::uint64_t last = reader_->last_seqno();
  auto file_bytes = file_->size();
  if (!file_bytes) return std::unexpected(file_bytes.error());
  const log::Position end = reader_->position();
  const bool tail_does_not_exist = reader_->segment_exists() && *file_bytes == end.segment.paddr + end.offset;
  const bool last_was_synced = trusted && *trusted && **trusted == last;

  if (stop.kind == log::Stop::Kind::cut_off) lost_records_ = synced - last;

  // R20: what the journal says is durable before anybody acts on it. After a clean end it was.
  if (!(tail_does_not_exist && last_was_synced)) {
    if (auto done = rewrite_unsynced(synced_end); !done) return done;
  }
  if (auto done = file_->sync(os::SyncKind::all); !done) return done;
  counters_.syncs.fetch_add(1, std::memory_order_relaxed);

  journal_ = std::make_unique<log::JournalWriter>(
      *environment_, *file_, segments_, index_mutex_,
      log::JournalWriter::Identity{
          .uuid = head_.superblock.uuid, .hash_seed = head_.superblock.hash_seed, .pid = environment_->process().pid},
      end, tail_does_not_exist && last_was_synced, std::max(last, synced));
  open_group_ = std::make_shared<Group>();
  published_ = last;
  synced_ = last;
  store_words();
  // Only for the message that others get; the lock is what counts.
  (void)announce_holder(*environment_, *file_);
  last_tick_ns_ = last_sync_ns_ = environment_->monotonic_ns();
  if (options_.durability == Durability::relaxed && environment_->has_background_threads()) {
    ticker_ = std::jthread([this](const std::stop_token& stop_token) { run_ticker(stop_token); });
  }
  return {};
}

Result<void> Store::before_reading() {
  if (auto usable = check_usable(); !usable) return usable;
  if (options_.read_only) return follow();
  // Relaxed mode: a thread sees its own writes; others see what is published. Publishing what is staged serves both.
  if (options_.durability == Durability::relaxed && own_newest_write() > published_.load(std::memory_order_acquire)) {
    std::unique_lock lock(write_mutex_);
    // A failure is the writers' affair: it stays for the next write or flush, and the read gives what is published.
    if (auto settled = settle_all(lock, false); !settled) deferred_error_ = settled.error();
  }
  return {};
}

}  // namespace kvb::store
