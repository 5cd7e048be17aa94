// Opening a bucket: the lock, the head, the image, replay of the journal.
//
// The image is opened, not read: the roots of its runs and the segment table (index/base.h). Recovery is replay of the
// log behind its cut, nothing else: what the journal reader delivers is a pure function of the file, and the delta is
// built from it alone (R16). The end that it finds is then made durable (R20: sync before anything behind `synced` is
// published), and how writing goes on behind it is the journal writer's affair (log/journal_writer.h, 5.). Nothing is
// written to the file before the first append but lost copies of the head, the live words, and who holds the lock.
//
// What is free is found out last: everything that neither the head, a segment, the image nor the list of retired space
// names (space/free_space.h).

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
      reserve_(*file_, free_space_) {
  newest_wall_ns_ = head.superblock.newest_wall_ns;
  opened_wall_ns_ = environment.wall_clock_ns();
}

// In a forked child the parent's threads do not exist, but what they were waiting on says that they wait: destroying it
// would wait for them for ever. So the memory is left alone; the descriptors are closed already (os/fork_watch.h).
void Store::destroy(Store* store) noexcept {
  if (store->inherited_by_fork()) {
    (void)store->close();
  } else {
    delete store;
  }
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

Result<std::shared_ptr<Store>> Store::create(os::Environment& environment, const std::string& path,
                                             const CreateOptions& options) {
  return create_and_open(environment, path, {.durability = options.durability, .compression = options.compression});
}

Result<std::shared_ptr<Store>> Store::create_and_open(os::Environment& environment, const std::string& path,
                                                      const OpenOptions& options) {
  const Compression compression = options.compression.value_or(Compression{});
  if (auto possible = check_compression(compression, path); !possible) return std::unexpected(possible.error());
  auto file = environment.open(path, os::OpenMode::create_new);
  if (!file) return std::unexpected(file.error());
  auto locked = take_writer_lock(environment, **file, std::chrono::milliseconds(0));
  auto created = locked ? create_head(environment, **file, compression) : locked;
  if (!created) {
    file->reset();
    (void)environment.remove(path);  // It is ours, and empty.
    return std::unexpected(created.error());
  }
  return start(environment, std::move(*file), options);
}

Result<std::shared_ptr<Store>> Store::open_or_create(os::Environment& environment, const std::string& path,
                                                     const OpenOptions& options) {
  auto opened = open(environment, path, options);
  if (opened || options.read_only) return opened;
  if (opened.error().code == ErrorCode::not_found) {
    auto created = create_and_open(environment, path, options);
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
    const Compression compression = options.compression.value_or(Compression{});
    if (auto possible = check_compression(compression, path); !possible) return std::unexpected(possible.error());
    auto created = create_head(environment, **file, compression);
    if (!created) return std::unexpected(created.error());
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
  std::shared_ptr<Store> store(new Store(environment, std::move(file), *head, options), &Store::destroy);
  auto started = options.read_only ? store->start_reading() : store->start_writing();
  if (!started) {
    store->closed_ = true;
    return std::unexpected(started.error());
  }
  store->tell_of_opening();
  return store;
}

Result<std::shared_ptr<const index::Base>> Store::load_image() {
  auto base = index::Base::open(*file_, head_.superblock);
  if (!base) return std::unexpected(base.error());
  for (const log::SegmentState& known : (*base)->segments()) {
    auto segment = segments_.add({.uuid = head_.superblock.uuid,
                                  .link = known.link,
                                  .size_bytes = known.size_bytes,
                                  .kind = known.kind,
                                  .base_seqno = known.base_seqno,
                                  .hash_seed = head_.superblock.hash_seed});
    if (!segment) return std::unexpected(segment.error());
    if (auto mapped = segments_.ensure_mapped(**segment, known.size_bytes); !mapped) {
      return std::unexpected(mapped.error());
    }
    (*segment)->end_offset.store(known.end_offset, std::memory_order_relaxed);
  }
  take_dictionaries(**base);
  set_trigger(**base);
  active_ = new_layer(0);
  new_keys_.puts = new_keys_.key_bytes = 0;
  journal_bytes_ = 0;
  return std::shared_ptr<const index::Base>(std::move(*base));
}

// Nothing of it is seen before published_ moves, so whole batches are applied some at a time: the places that they need
// in the delta's table are asked for together.
Result<void> Store::replay(std::uint64_t up_to) {
  constexpr std::size_t kTogether = 64;
  std::vector<log::JournalRecord> batch;
  std::vector<log::JournalRecord> waiting;
  const auto apply_waiting = [&]() -> Result<void> {
    for (const auto& record : waiting) active_->delta.prefetch(record.header.hash);
    for (const auto& record : waiting) active_->delta.prefetch_node(record.header.hash);
    // And the records whose keys will be compared, which lie anywhere in the log.
    for (const auto& record : waiting) {
      if (const auto* node = active_->delta.first_of(record.header.hash)) prefetch_record(*node);
    }
    auto applied = apply(waiting);
    replayed_records_ += waiting.size();
    waiting.clear();
    return applied;
  };
  for (;;) {
    auto more = reader_->next_batch(batch, up_to);
    if (!more) return std::unexpected(more.error());
    if (!*more) return apply_waiting();
    waiting.insert(waiting.end(), batch.begin(), batch.end());
    if (waiting.size() < kTogether) continue;
    if (auto applied = apply_waiting(); !applied) return applied;
  }
}

// Adds records to the active delta; whoever replays publishes it. One thread at a time.
Result<void> Store::apply(std::span<const log::JournalRecord> records) {
  index::Delta& delta = active_->delta;
  std::vector<index::KeyNode*> fresh;
  for (const auto& record : records) {
    const auto& header = record.header;
    const index::Version version{.paddr = record.paddr,
                                 .seqno = header.seqno,
                                 .record_bytes = header.record_bytes(),
                                 .flags = (header.type == format::RecordType::remove ? index::Version::kDelete : 0u) |
                                          (header.ttl_seconds != 0 ? index::Version::kExpires : 0u) |
                                          (record.damaged ? index::Version::kDamaged : 0u)};
    std::optional<Error> error;
    index::KeyNode* node = delta.find(header.hash, [&](const index::KeyNode& candidate) {
      if (error) return false;
      const index::Version& newest = *candidate.newest.load(std::memory_order_relaxed);
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
    node = delta.push(node, header.hash, version);
    journal_bytes_.fetch_add(version.record_bytes, std::memory_order_relaxed);
    if (header.type == format::RecordType::put) new_keys_.add(header.key_bytes);
    if (record.damaged && !is_key_right(record.key(), version, header.hash)) {
      const std::scoped_lock lock(active_->damaged_mutex);
      active_->damaged.push_back(node);
    } else if (!node->ordered) {
      node->ordered = true;
      fresh.push_back(node);
    }
    note_replayed_time(header.timestamp_ns);
  }
  active_->order.add(fresh);
  return {};
}

// Everything that is in use is taken out of the free space. Two structures at one place are a damaged bucket.
Result<void> Store::reserve_space() {
  const auto overlap = [this](std::uint64_t paddr) {
    return os::failure(ErrorCode::damaged,
                       "Two structures of this bucket claim the same place in the file, so nothing can be written "
                       "safely. Open it for reading only; `kvb repair` builds it anew from its records.",
                       path_, paddr);
  };
  for (const log::Segment* segment : segments_.all()) {
    if (!free_space_.reserve(space::range_of(segment->paddr(), segment->header.size_bytes))) {
      return overlap(segment->paddr());
    }
  }
  const index::Base& base = *current_->base;
  const auto ranges = base.ranges();
  for (const auto* part : {&ranges.hashes, &ranges.keys, &ranges.tables, &ranges.dictionaries}) {
    for (const auto& range : *part) {
      if (!free_space_.reserve(range)) return overlap(range.paddr);
    }
  }
  for (const auto& retired : base.retired()) {
    // If something lies there now, it was free by the rules, and has been used again since the list was written.
    if (free_space_.reserve(retired.range)) retired_.push_back(retired);
  }
  reclaim();
  return {};
}

Result<void> Store::start_writing() {
  if (auto healed = heal_head(*file_, head_); !healed) return healed;
  auto trusted = format::load_checked_word(*file_, format::kSyncedWord);
  const std::uint64_t synced = trusted && *trusted ? **trusted : 0;
  auto base = load_image();
  if (!base) return std::unexpected(base.error());
  superblock_ = head_.superblock;
  newest_is_a_ = head_.newest_is_a;
  auto epoch_word = format::load_checked_word(*file_, format::kEpochWord);
  next_epoch_ = std::max(superblock_.epoch, epoch_word && *epoch_word ? **epoch_word : 0) + 1;
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

  // R20: what the journal says is durable before anybody acts on it. Records that the synced word covers are: the word
  // is stored only after the sync. What else a failed sync may have left in the page cache only (the head's copies
  // above, the header and footer of the segment at the end) has been written again, and is synced before the first
  // append (JournalWriter::open_tail) and before the first flip.
  if (auto done = rewrite_unsynced(synced_end); !done) return done;
  if (!(trusted && *trusted && **trusted >= last)) {
    if (auto done = sync_file(os::SyncKind::all); !done) return done;
  }

  judge_clock();
  published_ = last;
  synced_ = last;
  set_state({.active = active_, .frozen = nullptr, .base = std::move(*base)});
  load_flips();
  load_expired_word();
  if (auto reserved = reserve_space(); !reserved) return reserved;
  level_ = superblock_.compression == 1 ? std::clamp<int>(superblock_.compression_level, 1, format::kHighestLevel) : 0;
  if (head_.both_name_dictionaries) adopt_dictionary();
  if (current_->base->dictionaries().empty()) plan_training_at(0);
  std::uint64_t next_segment_id = superblock_.counters.next_segment_id;
  for (const log::Segment* segment : segments_.all()) {
    next_segment_id = std::max(next_segment_id, segment->header.link.id + 1);
  }
  journal_ = std::make_unique<log::JournalWriter>(
      *environment_, *file_, segments_, free_space_, reserve_, [this] { return reserve_need(); },
      [this](os::SyncKind kind) { return sync_file(kind); },
      log::JournalWriter::Identity{
          .uuid = head_.superblock.uuid, .hash_seed = head_.superblock.hash_seed, .pid = environment_->process().pid},
      end, tail_does_not_exist && last_was_synced, std::max(last, synced), next_segment_id);
  const bool has_clean_end = !reader_->segment_exists() || (tail_does_not_exist && last_was_synced);
  look_for_stale_segments_ = !has_clean_end || was_left_by_a_dead_writer();
  journal_->look_for_stale_headers(look_for_stale_segments_);
  open_group_ = std::make_shared<Group>();
  store_words();
  // From here on readers stop at `published` (follow.cpp).
  if (auto locked = file_->try_lock(format::kAppendLockByte, os::LockMode::exclusive); !locked) {
    return std::unexpected(locked.error());
  }
  // For the message that others get, and for who opens the bucket next (stale.cpp).
  (void)announce_holder(*environment_, *file_);
  synced_since_open_ = false;
  last_tick_ns_ = last_sync_ns_ = environment_->monotonic_ns();
  if (options_.durability == Durability::relaxed && environment_->has_background_threads()) {
    ticker_ = std::jthread([this](const std::stop_token& stop_token) { run_ticker(stop_token); });
  }
  if (environment_->has_background_threads()) {
    checkpointer_ = std::jthread([this](const std::stop_token& stop_token) { run_checkpoints(stop_token); });
  }
  if (options_.compression && !(*options_.compression == compression())) return set_compression(*options_.compression);
  return {};
}

// Has somebody written a key of this hash that is not published yet? What is not published is in the active delta.
bool Store::has_unpublished(std::string_view key) const {
  const std::uint64_t hash = format::hash_key(key, head_.superblock.hash_seed);
  const os::ReadSections::Section section(readers_);
  const std::uint64_t published = published_.load(std::memory_order_acquire);
  return state().active->delta.find(hash, [&](const index::KeyNode& node) {
    const index::Version* const newest = node.newest.load(std::memory_order_acquire);
    return newest != nullptr && newest->seqno > published;
  }) != nullptr;
}

Result<void> Store::before_reading(std::optional<std::string_view> key) {
  if (auto usable = check_usable(); !usable) return usable;
  if (options_.read_only) return follow();
  // Relaxed mode: a thread sees its own writes; others see what is published. Publishing what is staged serves both.
  if (options_.durability == Durability::relaxed && own_newest_write() > published_.load(std::memory_order_acquire)) {
    if (key && !has_unpublished(*key)) return {};
    std::unique_lock lock(write_mutex_);
    // A failure is the writers' affair: it stays for the next write or flush, and the read gives what is published.
    if (auto settled = settle_all(lock, false); !settled) deferred_error_ = settled.error();
  }
  return {};
}

}  // namespace kvb::store
