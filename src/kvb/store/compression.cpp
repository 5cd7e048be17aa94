// How values are stored, and the life of a dictionary.
//
// Values are encoded outside of the writers' lock (but for those that Bucket::update makes under it) and decoded after
// their checksum was found right. Which dictionary a value needs stands in its payload.
//
//   trained    by a checkpoint, from values of the image that it makes. Its pages are written and synced before any
//              record of this checkpoint that needs it, so repair, which looks at pages alone, finds it when it finds
//              the record.
//   named      by the same flip that makes these records valid. The superblock before names neither.
//   used       for new values when the *other* superblock names it too, that is after the next flip, which is made at
//              once: records of the log count whichever superblock does.
//   dropped    by a checkpoint that finds no segment that needs it (the newest one only if compression is off). The
//   segment table has a bit for each dictionary:
//              the bits of a segment are found when its records are counted, and a segment that has not been counted
//              needs all. What is written behind the cut needs only the dictionary that is in use, because a value
//              that was encoded with an older one is encoded again under the writers' lock; that one is never dropped.
//              Its pages are retired like others of an image (R15), so a reader or a superblock that still names it
//              finds it.
//
// In memory a dictionary is never forgotten (format/dictionary.h), so older states can be read on. A reader in another
// process has taken in an image that names the dictionary before it meets a record that needs it: the epoch word is
// stored before such a record is published.

#include <algorithm>
#include <array>

#include "kvb/format/endian.h"
#include "kvb/os/mapped_read.h"
#include "kvb/os/system_error.h"
#include "kvb/store/changes.h"
#include "kvb/store/relocation.h"
#include "kvb/store/store.h"

namespace kvb::store {
namespace {

constexpr std::uint64_t kSampleBytes = std::uint64_t{3} << 20;
constexpr std::size_t kLongestSample = 8 * 1024;
constexpr std::size_t kLeastSamples = 64;
constexpr std::uint64_t kLeastSampleBytes = 16 * 1024;
constexpr std::size_t kJudgedOf = 8;  // One of so many samples is kept out of the training, to judge by.
constexpr std::size_t kLeastDictionaryBytes = 4 * 1024;
constexpr std::size_t kUsualDictionaryBytes = 64 * 1024;
constexpr std::uint64_t kBytesForOne = 32;  // So many bytes of samples for one of the dictionary.
constexpr std::uint64_t kFirstTrainingBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kLeastTrainingBytes = 64 * 1024;
constexpr std::uint64_t kTryAgainFactor = 4;

}  // namespace

Result<void> check_compression(const Compression& compression, const std::string& path) {
  const bool possible = compression.method == Compression::Method::none ||
                        (compression.method == Compression::Method::zstd && compression.level >= format::kLowestLevel &&
                         compression.level <= format::kHighestLevel);
  if (possible) return {};
  return os::failure(ErrorCode::invalid_argument,
                     "There is no such compression. It is none, or zstd with a level from 1 to 19.", path);
}

// --------------------------------------------------------------------------------------------- single values

format::EncodedValue Store::encode(std::string_view value, std::string& room) const {
  return format::encode_value(
      value,
      {.level = level_.load(std::memory_order_relaxed), .dictionary = dictionary_.load(std::memory_order_acquire)},
      room);
}

void Store::encode_anew_if_stale(std::string_view value, format::EncodedValue& encoded, std::string& room) const {
  if (encoded.dictionary == 0) return;
  const format::Dictionary* const now = dictionary_.load(std::memory_order_acquire);
  if (now == nullptr || now->id() != encoded.dictionary) encoded = encode(value, room);
}

Result<void> Store::decode(format::Encoding encoding, std::string_view payload, std::string& value, std::uint64_t paddr,
                           std::uint64_t hash) const {
  const auto fault = format::decode_value(encoding, payload, shelf_, value);
  if (fault == format::DecodeFault::none) return {};
  Error error{.code = ErrorCode::damaged, .message = {}, .path = path_, .offset_bytes = paddr, .key_hash = hash};
  if (fault == format::DecodeFault::unknown_dictionary) {
    error.message = "The value of this key was compressed with dictionary " +
                    std::to_string(format::dictionary_of(encoding, payload)) +
                    ", of which both copies in this bucket are damaged. Restore it from a copy, or store the key anew.";
  } else {
    error.message =
        "The value of this key cannot be decompressed, though its checksum is right. Restore it from a "
        "copy, or store the key anew.";
  }
  return std::unexpected(std::move(error));
}

format::EncodedValue Store::encode_moved(format::Encoding encoding, std::string_view payload,
                                         const Relocation& relocation, Rooms& rooms) const {
  const format::EncodedValue as_it_is{
      .encoding = encoding, .payload = payload, .dictionary = format::dictionary_of(encoding, payload)};
  const int level = level_.load(std::memory_order_relaxed);
  if (level == 0 || encoding == format::Encoding::frame) return as_it_is;
  const format::Dictionary* const newest =
      relocation.dictionaries.empty() ? nullptr : shelf_.find(relocation.dictionaries.back().id);
  if (encoding == format::Encoding::block) {
    if (newest == nullptr || as_it_is.dictionary == newest->id()) return as_it_is;
    if (format::decode_value(encoding, payload, shelf_, rooms.value) != format::DecodeFault::none) return as_it_is;
    payload = rooms.value;
  }
  const auto encoded = format::encode_value(payload, {.level = level, .dictionary = newest}, rooms.payload);
  // If it is no longer than before, an older dictionary can go some day.
  return encoded.payload.size() <= as_it_is.payload.size() ? encoded : as_it_is;
}

// ------------------------------------------------------------------------------------------------- settings

Compression Store::compression() const {
  if (options_.read_only) {
    const std::scoped_lock lock(state_mutex_);
    const auto& superblock = current_->base->superblock();
    return superblock.compression == 1 ? Compression::zstd(superblock.compression_level) : Compression{};
  }
  const int level = level_.load(std::memory_order_relaxed);
  return level == 0 ? Compression{} : Compression::zstd(level);
}

Result<void> Store::set_compression(const Compression& compression) {
  if (auto possible = check_compression(compression, path_); !possible) return possible;
  if (auto writable = check_writable(); !writable) return writable;
  const std::scoped_lock one_at_a_time(checkpoint_mutex_);
  const bool on = compression.method == Compression::Method::zstd;
  const auto apply = [&](format::Superblock& superblock) {
    superblock.compression = on ? 1 : 0;
    superblock.compression_level = on ? compression.level : 0;
    if (on) superblock.features_incompatible |= format::kFeatureCompression;
  };
  const format::Superblock superblock_before = superblock_;
  format::Superblock again = superblock_;
  apply(again);
  if (!(again == superblock_)) {
    // In both, before the first such value: whichever counts, an older program refuses the bucket.
    for (int copy = 0; copy < 2; ++copy) {
      again = superblock_;
      apply(again);
      again.epoch = next_epoch_++;
      if (auto flipped = flip(again); !flipped) return flipped;
      const std::scoped_lock lock(write_mutex_);
      superblock_ = again;
    }
  }
  const bool changed = !(again == superblock_before);
  level_ = on ? compression.level : 0;
  if (!on) dictionary_ = nullptr;
  // Both copies have been written.
  if (on && changed) adopt_dictionary();
  return {};
}

// --------------------------------------------------------------------------------------------- dictionaries

// What an image names can be read from now on.
void Store::take_dictionaries(const index::Base& base) {
  for (const space::StoredDictionary& one : base.dictionaries()) shelf_.add(one.id, one.bytes);
}

// Both superblocks name the dictionaries of the newest image.
void Store::adopt_dictionary() {
  if (level_ == 0) return;
  std::shared_ptr<const index::Base> base;
  {
    const std::scoped_lock lock(state_mutex_);
    base = current_->base;
  }
  if (!base->dictionaries().empty()) dictionary_ = shelf_.find(base->dictionaries().back().id);
}

std::vector<std::byte> Store::newest_dictionary() const {
  const std::scoped_lock lock(state_mutex_);
  const auto& all = current_->base->dictionaries();
  return all.empty() ? std::vector<std::byte>{} : all.back().bytes;
}

bool Store::training_due(std::uint64_t journal_bytes) const noexcept {
  const std::uint64_t at = train_at_bytes_.load(std::memory_order_relaxed);
  return at != 0 && level_.load(std::memory_order_relaxed) != 0 &&
         idle_live_bytes_.load(std::memory_order_relaxed) + journal_bytes >= at;
}

// `live_bytes`: with so many it did not pay; 0: it has not been tried.
void Store::plan_training_at(std::uint64_t live_bytes) {
  // Who wants checkpoints of a tiny journal, wants small buckets to have dictionaries too.
  const std::uint64_t first = std::clamp(options_.checkpoint_bytes, kLeastTrainingBytes, kFirstTrainingBytes);
  train_at_bytes_ = std::max(first, live_bytes * kTryAgainFactor);
}

bool Store::training_may_pay(const Changes& changes, std::uint64_t grown) const {
  if (level_ == 0 || reserve_.is_tight()) return false;
  std::shared_ptr<const index::Base> base;
  {
    const std::scoped_lock lock(state_mutex_);
    base = current_->base;
  }
  const auto live = static_cast<std::uint64_t>(std::max<std::int64_t>(changes.live_bytes, 0));
  // Whoever asks for compaction wants the file to be short; by itself it is tried when it was planned.
  if (base->dictionaries().empty()) return live >= (grown == kGrown ? kLeastTrainingBytes : train_at_bytes_.load());
  return live / grown >= std::max(base->dictionaries().back().trained_from, kFirstTrainingBytes);
}

struct Store::Samples {
  std::string text;
  std::vector<std::size_t> sizes;
  std::vector<std::string> judged;
};

// Values from all over the bucket: the order of the hashes is as good as chance.
Result<Store::Samples> Store::take_samples(const ReadState& state, const Changes& changes) const {
  Samples samples;
  const auto live = static_cast<std::uint64_t>(std::max<std::int64_t>(changes.live_bytes, 0));
  const std::uint64_t stride = live / kSampleBytes + 1;
  std::uint64_t number = 0;
  const auto visited = for_each_slot(*state.base, changes.list, [&](const index::Slot& slot) -> Result<void> {
    if (number++ % stride != 0 || samples.text.size() > kSampleBytes) return {};
    auto version = version_at(slot.paddr, slot.hash);
    if (!version || version->is_damaged()) return {};
    auto place = place_of(*version);
    if (!place) return {};
    auto entry = read_entry(*version, *place, false);
    if (!entry) return {};  // What cannot be read is the affair of those who need it.
    const std::string_view value = std::string_view(entry->value.bytes).substr(0, kLongestSample);
    if (value.size() < format::kLeastBytesWithDictionary) return {};
    if ((samples.sizes.size() + samples.judged.size()) % kJudgedOf == kJudgedOf - 1) {
      samples.judged.emplace_back(value);
    } else {
      samples.text += value;
      samples.sizes.push_back(value.size());
    }
    return {};
  });
  if (!visited) return std::unexpected(visited.error());
  return samples;
}

Result<void> Store::train(const ReadState& state, const Changes& changes, Relocation& relocation,
                          format::Superblock& superblock, std::vector<space::PageRange>& taken) {
  TrainReport& report = relocation.trained;
  auto samples = take_samples(state, changes);
  if (!samples) return std::unexpected(samples.error());
  report.samples = samples->sizes.size();
  if (samples->sizes.size() < kLeastSamples || samples->text.size() < kLeastSampleBytes) {
    report.reason = "There are not enough values of 16 bytes or more to train a dictionary from.";
    return {};
  }
  if (relocation.dictionaries.size() == space::kDictionarySlots) {
    report.reason =
        "Values of this bucket need 8 dictionaries already, which is as many as there can be. Compact it "
        "(strategy full), then train it again.";
    return {};
  }
  std::uint16_t id = 0;
  while (id < format::kLowestDictionaryId || shelf_.find(id) != nullptr) {
    std::array<std::byte, 2> random;
    environment_->fill_random(random);
    id = format::load_le<std::uint16_t>(random.data());
  }
  const int level = level_.load(std::memory_order_relaxed);
  const std::size_t most =
      std::clamp<std::size_t>(samples->text.size() / kBytesForOne, kLeastDictionaryBytes, kUsualDictionaryBytes);
  auto bytes = format::train_dictionary(samples->text, samples->sizes, most, id, level);
  if (!bytes) {
    report.reason = "The values have too little in common for a dictionary.";
    return {};
  }
  const format::Dictionary trained(id, *bytes);
  const format::Dictionary* const before =
      relocation.dictionaries.empty() ? nullptr : shelf_.find(relocation.dictionaries.back().id);
  std::string room;
  for (const std::string& value : samples->judged) {
    report.sample_bytes += value.size();
    report.bytes_before += format::encode_value(value, {.level = level, .dictionary = before}, room).payload.size();
    report.bytes_after += format::encode_value(value, {.level = level, .dictionary = &trained}, room).payload.size();
  }
  report.dictionary_bytes = bytes->size();
  const bool better = report.bytes_after < report.bytes_before;
  bool pays = better;
  if (relocation.train == Relocation::Train::if_it_pays && better) {
    // A twentieth less, and on the whole more than it takes itself.
    constexpr std::uint64_t kPagesBeside = 2 * 3;
    const double saved = static_cast<double>(report.bytes_before - report.bytes_after) /
                         static_cast<double>(report.sample_bytes) * static_cast<double>(changes.live_bytes);
    pays = report.bytes_after * 20 <= report.bytes_before * 19 &&
           saved > static_cast<double>(2 * bytes->size() + kPagesBeside * format::kPageBytes);
  }
  if (!pays) {
    report.reason = before == nullptr ? "A dictionary would not make the values shorter by more than it takes itself."
                                      : "A new dictionary would not make the values shorter than the one there is.";
    return {};
  }
  std::uint8_t used = 0;
  for (const auto& one : relocation.dictionaries) used |= one.bit();
  space::StoredDictionary stored{
      .id = id, .trained_from = static_cast<std::uint64_t>(changes.live_bytes), .bytes = std::move(*bytes)};
  while ((used & stored.bit()) != 0) ++stored.slot;
  auto all = relocation.dictionaries;
  all.push_back(std::move(stored));
  if (auto written = write_dictionaries(all, superblock, taken); !written) return written;
  // Before any record that needs it.
  if (auto synced = sync_file(os::SyncKind::all); !synced) return poison(synced.error());
  relocation.dictionaries = std::move(all);
  shelf_.add(id, relocation.dictionaries.back().bytes);
  report.adopted = true;
  report.dictionary_id = id;
  return {};
}

Result<void> Store::write_dictionaries(std::span<const space::StoredDictionary> dictionaries,
                                       format::Superblock& superblock, std::vector<space::PageRange>& taken) {
  superblock.dictionaries = superblock.dictionaries_copy = {};
  if (dictionaries.empty()) return {};
  for (format::Root* root : {&superblock.dictionaries, &superblock.dictionaries_copy}) {
    auto run = new_page_run(superblock.epoch, taken);
    if (auto written = space::write_dictionaries(run, superblock.uuid, dictionaries); !written) return written;
    auto finished = run.finish();
    if (!finished) return std::unexpected(finished.error());
    *root = *finished;
  }
  return {};
}

Result<void> Store::drop_dictionaries(const index::Base& base, std::span<const log::SegmentState> segments,
                                      format::Superblock& superblock, std::vector<space::PageRange>& taken) {
  const auto& all = base.dictionaries();
  if (all.empty()) return {};
  std::uint8_t needed = 0;
  for (const log::SegmentState& segment : segments) {
    const bool known = segment.counted && !(segment.link == cut_.segment);
    needed |= known ? segment.dictionaries : std::uint8_t{UINT8_MAX};
  }
  const format::Dictionary* const in_use = dictionary_.load(std::memory_order_acquire);
  std::vector<space::StoredDictionary> kept;
  for (const auto& one : all) {
    const bool keep = (&one == &all.back() && level_ != 0) || (in_use != nullptr && one.id == in_use->id()) ||
                      (one.bit() & needed) != 0;
    if (keep) kept.push_back(one);
  }
  if (kept.size() == all.size() && base.damaged_dictionary_copies().empty()) return {};
  return write_dictionaries(kept, superblock, taken);
}

Result<TrainReport> Store::train_dictionary() {
  if (auto writable = check_writable(); !writable) return std::unexpected(writable.error());
  if (level_ == 0) {
    return os::failure(ErrorCode::invalid_argument,
                       "This bucket is not compressed, so it has no use for a dictionary. Set its compression first.",
                       path_);
  }
  const std::scoped_lock one_at_a_time(checkpoint_mutex_);
  TrainReport report;
  // One that was begun before and failed is finished first; what was written since comes with the next.
  for (int round = 0; round < 2; ++round) {
    const bool had_frozen = frozen_;
    auto done = checkpoint_and_move(
        false,
        [&](const Changes&, Relocation& relocation) {
          if (!had_frozen) relocation.train = Relocation::Train::if_it_is_better;
        },
        [&](const Relocation& relocation) { report = relocation.trained; });
    if (!done) return std::unexpected(done.error());
    if (!had_frozen) break;
  }
  return report;
}

Result<void> Store::use_dictionary(format::Bytes bytes) {
  const auto id = format::dictionary_id(bytes);
  if (!id) return {};
  const std::scoped_lock one_at_a_time(checkpoint_mutex_);
  format::Superblock next = superblock_;
  next.epoch = next_epoch_;
  std::vector<space::PageRange> taken;
  const std::vector<space::StoredDictionary> only{{.id = *id, .bytes = {bytes.begin(), bytes.end()}}};
  auto written = write_dictionaries(only, next, taken);
  if (written) written = sync_file(os::SyncKind::all);
  if (!written) {
    for (const auto& range : taken) free_space_.give_back(range);
    return written;
  }
  // Nothing of the image changes but this.
  auto base = index::Base::open(*file_, next);
  if (!base) return std::unexpected(base.error());
  for (int copy = 0; copy < 2; ++copy) {
    next.epoch = next_epoch_++;
    if (auto flipped = flip(next); !flipped) return flipped;
    const std::scoped_lock lock(write_mutex_);
    superblock_ = next;
    if (copy == 0) {
      take_dictionaries(**base);
      set_state({.active = active_, .frozen = nullptr, .base = std::move(*base)});
      train_at_bytes_ = 0;
    }
  }
  return {};
}

// ----------------------------------------------------------------------------------------------- statistics

void Store::fill_compression_stats(const ReadState& state, Stats& stats) const {
  stats.compression = compression();
  const auto& dictionaries = state.base->dictionaries();
  stats.dictionaries = dictionaries.size();
  if (!dictionaries.empty()) {
    stats.dictionary_id = dictionaries.back().id;
    stats.dictionary_bytes = dictionaries.back().bytes.size();
  }
  const auto& superblock = state.base->superblock();
  if (stats.compression.method == Compression::Method::none &&
      (superblock.features_incompatible & format::kFeatureCompression) == 0) {
    return;
  }
  constexpr std::uint64_t kPages = 32;
  constexpr std::size_t kSlotsAPage = 16;
  const auto add = [&](std::uint64_t paddr) {
    // Only lengths are read; whoever wants to know whether they are right, verifies the bucket.
    const os::MappedGuard guard(nullptr, os::kAnywhere);
    RecordPlace place;
    if (mapped_record(paddr, format::kRecordHeaderBytes, place) == nullptr) return;
    const auto header = format::decode_record_header(
        std::span<const std::byte, format::kRecordHeaderBytes>(place.bytes, format::kRecordHeaderBytes),
        format::record_seed(place.life, place.offset));
    if (!header || mapped_record(paddr, header->record_bytes(), place) == nullptr) return;
    const auto length = format::decoded_bytes(header->encoding, format::record_value(place.bytes, *header));
    if (!length || guard.verdict() != os::MappedGuard::Verdict::good) return;
    stats.sampled_value_bytes += *length;
    stats.sampled_stored_bytes += header->value_bytes;
  };
  const std::uint64_t pages = state.base->empty() ? 0 : state.base->hashes().pages();
  const std::uint64_t looked_at = std::min(pages, kPages);
  for (std::uint64_t i = 0; i < looked_at; ++i) {
    auto slots = state.base->hashes().slots_of_page(pages * i / looked_at);
    if (!slots) continue;
    for (std::size_t s = 0; s < std::min(slots->size(), kSlotsAPage); ++s) add((*slots)[s].paddr);
  }
  // What was written since the image: the first ones of its table, which is ordered by hashes too.
  const std::uint64_t published = published_.load(std::memory_order_acquire);
  std::size_t left = pages == 0 ? kPages * kSlotsAPage : kSlotsAPage;
  state.active->delta.for_each([&](const index::KeyNode& node) {
    if (left == 0) return;
    const index::Version* const version = node.visible(published);
    if (version == nullptr || version->is_delete() || version->is_damaged()) return;
    --left;
    add(version->paddr);
  });
}

}  // namespace kvb::store
