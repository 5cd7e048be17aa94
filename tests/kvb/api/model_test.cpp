// Random operations on a bucket and on a std::map side by side; any difference is shown with the one line that repeats
// the run. KVB_MODEL_OPERATIONS is the work of each test, KVB_MODEL_FIRST_SEED moves all seeds, and KVB_MODEL_SEED
// makes one run alone.
#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <random>
#include <string>

#include "kvb/api/bucket_access.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"
#include "kvb/support/log_checker.h"
#include "kvb/support/model.h"
#include "kvb/support/proof.h"

namespace kvb::testing {
namespace {

constexpr const char* kPath = "model.kvb";
#ifdef KVB_TEST_HASH_BITS
constexpr bool kHash8 = true;
#else
constexpr bool kHash8 = false;
#endif

// How a bucket is used.
struct Setting {
  const char* name;
  Durability durability;
  std::uint64_t checkpoint_bytes = OpenOptions{}.checkpoint_bytes;
  Compression compression{};
};

class ModelRun {
 public:
  ModelRun(std::uint64_t seed, std::uint64_t operations, const Setting& setting)
      : seed_(seed),
        operations_(operations),
        setting_(setting),
        random_(seed),
        disk_({.seed = seed, .recording = false}),
        checker_(disk_, kPath) {}

  void run() {
    must(must(create_with(disk_.environment(), kPath, {.compression = setting_.compression})).close());
    bucket_.emplace(must(open_with(disk_.environment(), kPath, how_to_open())));
    for (at_ = 0; at_ < operations_ && !::testing::Test::HasFailure(); ++at_) step();
    if (!::testing::Test::HasFailure()) reopen();
  }

 private:
  [[nodiscard]] OpenOptions how_to_open() const {
    return {.durability = setting_.durability, .checkpoint_bytes = setting_.checkpoint_bytes};
  }
  [[nodiscard]] std::string replay() const {
    const std::string program = std::string(kHash8 ? "kvb_hash8_test" : "kvb_api_test");
    return "  operation " + std::to_string(at_) + "; to repeat it: KVB_MODEL_SEED=" + std::to_string(seed_) +
           " KVB_MODEL_OPERATIONS=" + std::to_string(at_ + 1) + " build/full/tests/" + program +
           " --gtest_filter='*ModelTest*/" + setting_.name + "'";
  }
  template <typename T>
  T must(Result<T> result) {
    EXPECT_TRUE(result.has_value()) << outcome(result) << "\n" << replay();
    if (!result) std::abort();
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }
  void same(bool condition, const std::string& what) { EXPECT_TRUE(condition) << what << "\n" << replay(); }

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  [[nodiscard]] std::int64_t now() { return newest_ = std::max(newest_, disk_.environment().wall_clock_ns()); }

  std::string some_key() {
    switch (below(10)) {
      case 0:
        return std::string(1 + below(4), static_cast<char>(below(3) * 127));  // Runs of 0x00, 0x7F, 0xFE.
      case 1:
        return "prefix/" + std::string(below(200), 'p');
      default: {
        static const char* const kGroups[] = {"a", "ab", "abc", "b/", "user:", "\xC3\xA4"};
        return kGroups[below(6)] + std::to_string(below(40));
      }
    }
  }
  // Values of a bucket that is compressed: short ones with much in common, and long ones that shrink by themselves.
  std::string some_text() {
    static const char* const kWords[] = {"\"name\":", "\"country\":\"Austria\",", "true", "false", "[1,2,3]",
                                         "\"id\":"};
    const std::uint64_t parts = below(200) == 0 ? below(6'000) : below(40) == 0 ? below(600) : below(20);
    std::string text;
    for (std::uint64_t i = 0; i < parts; ++i) text += kWords[below(6)] + std::to_string(below(1'000));
    return text;
  }
  std::string some_value() {
    if (setting_.compression.method != Compression::Method::none && below(4) != 0) return some_text();
    static constexpr std::uint64_t kSizes[] = {1, 8, 32, 100, 600, 5'000};
    std::string text(below(400) == 0 ? below(100'000) : below(kSizes[below(6)] + 1), '\0');
    for (std::size_t at = 0; at < text.size(); at += 8) {
      const std::uint64_t bits = random_();
      std::memcpy(text.data() + at, &bits, std::min<std::size_t>(8, text.size() - at));
    }
    return text;
  }
  PutOptions some_options() {
    PutOptions options;
    if (below(4) == 0) options.ttl_seconds = static_cast<std::uint32_t>(1 + below(30));
    options.kind = static_cast<ValueKind>(below(3));
    return options;
  }
  [[nodiscard]] bool live(const std::string& key) {
    const auto found = model_.find(key);
    return found != model_.end() && is_live(found->second, now());
  }

  void step() {
    switch (below(40)) {
      default:
        return put();
      case 0:
      case 1:
      case 2:
      case 3:
      case 4: {
        const std::string key = some_key();
        same(must(bucket_->remove(key)) == live(key), "remove says wrongly whether '" + key + "' was there");
        model_.erase(key);
        return;
      }
      case 5:
      case 6:
      case 7:
      case 8:
      case 9:
      case 10:
        return get();
      case 11:
      case 12:
      case 13:
        return batch();
      case 14:
      case 15:
        return conditional_put();
      case 16:
      case 17:
        return update();
      case 18:
      case 19:
        return scan();
      case 20:
        // A clock that is set back revives nothing: the newest time seen counts.
        if (below(4) == 0) {
          put();  // So that the bucket has seen the time as well.
          disk_.jump_wall_clock(-std::chrono::seconds(below(20)));
        } else {
          disk_.advance(std::chrono::milliseconds(below(3'000)));
        }
        return;
      case 21:
        if (below(20) == 0) reopen();
        return;
      case 22:
        return must(bucket_->flush());
      case 23:
        if (below(10) == 0) must(bucket_->checkpoint());
        if (below(60) == 0) must(bucket_->compact({.strategy = static_cast<CompactStrategy>(below(3))}));
        if (setting_.compression.method != Compression::Method::none) change_compression();
        return;
    }
  }

  void change_compression() {
    if (below(50) == 0) must(bucket_->set_compression(below(3) == 0 ? Compression{} : setting_.compression));
    if (below(50) == 0 && bucket_->stats().compression.method != Compression::Method::none) {
      must(bucket_->train_dictionary());
    }
  }

  void put() {
    const std::string key = some_key();
    const std::string value = some_value();
    const PutOptions options = some_options();
    same(must(bucket_->put(key, value, options)), "put says that it did nothing");
    model_[key] = model_value(value, options, now());
  }

  void get() {
    const std::string key = some_key();
    const auto found = must(bucket_->get(key));
    same(must(bucket_->contains(key)) == found.has_value(), "contains and get disagree about '" + key + "'");
    same(found.has_value() == live(key), "get says wrongly whether '" + key + "' is there");
    if (!found || !live(key)) return;
    const ModelValue& expected = model_[key];
    same(found->bytes == expected.bytes && found->kind == expected.kind &&
             found->expires_at_ns().value_or(0) == expected.expires_at_ns,
         "get gives another value, kind or expiry of '" + key + "'");
    if (at_ % 16 != 0) return;
    same(found->seqno != 0 && found->seqno <= bucket_->stats().committed_seqno, "a seqno that was never committed");
  }

  void batch() {
    Batch batch;
    const std::uint64_t count = below(12);
    for (std::uint64_t i = 0; i < count; ++i) {
      if (below(3) == 0) {
        batch.remove(some_key());
      } else {
        batch.put(some_key(), some_value(), some_options());
      }
    }
    must(bucket_->write(batch));
    apply(model_, batch, now());
  }

  void conditional_put() {
    const std::string key = some_key();
    const std::string value = some_value();
    PutOptions options = some_options();
    options.condition = below(2) == 0 ? PutIf::missing : PutIf::present;
    const bool expected = live(key) == (options.condition == PutIf::present);
    same(must(bucket_->put(key, value, options)) == expected, "a condition was evaluated wrongly for '" + key + "'");
    if (expected) model_[key] = model_value(value, options, now());
  }

  void update() {
    const std::string key = some_key();
    const bool there = live(key);
    const std::uint64_t choice = below(4);
    Update decision;
    decision.kind = ValueKind::text;
    decision.value = "updated " + std::to_string(at_);
    decision.action = choice == 0 ? Update::Action::keep : choice == 1 ? Update::Action::remove : Update::Action::put;
    decision.keep_expiry = choice == 2;
    decision.ttl_seconds = static_cast<std::uint32_t>(below(5));
    must(bucket_->update(key, [&](const std::optional<Value>& current) -> Result<Update> {
      same(current.has_value() == there, "update is shown wrongly whether '" + key + "' is there");
      if (current && there) same(current->bytes == model_[key].bytes, "update is shown another value");
      return decision;
    }));
    if (decision.action == Update::Action::remove) model_.erase(key);
    if (decision.action == Update::Action::put) {
      const std::int64_t expiry = decision.keep_expiry ? (there ? model_[key].expires_at_ns : 0)
                                  : decision.ttl_seconds == 0
                                      ? 0
                                      : now() + std::int64_t{decision.ttl_seconds} * 1'000'000'000;
      model_[key] = {.bytes = decision.value, .kind = decision.kind, .ttl_seconds = 0, .expires_at_ns = expiry};
    }
  }

  void scan() {
    ScanOptions options;
    static const char* const kPrefixes[] = {"", "a", "ab", "user:", "zzz"};
    options.prefix = kPrefixes[below(5)];
    if (below(3) == 0) options.from = some_key();
    if (below(3) == 0) options.to = some_key();
    options.reverse = below(2) == 0;
    if (below(2) == 0) options.limit = below(30);
    options.keys_only = below(3) == 0;
    const auto expected = model_scan(model_, options, now());
    const auto wrong = difference(must(bucket_->scan(options)), expected, options.keys_only);
    same(wrong.empty(), "scan: " + wrong);
    same(must(bucket_->count(options)) == expected.size(), "count is wrong");
    if (!expected.empty()) {
      // Stopping early gives a prefix of the same.
      const std::uint64_t stop = 1 + below(expected.size());
      std::vector<Entry> seen;
      must(bucket_->scan(options, [&](Entry&& entry) {
        seen.push_back(std::move(entry));
        return seen.size() < stop;
      }));
      same(seen.size() == stop, "a stopped scan visits " + std::to_string(seen.size()) + " keys");
    }
  }

  void reopen() {
    if (below(3) == 0) {
      must(bucket_->flush());
      process_->kill();
      process_ = &disk_.start_process(++pid_);
    } else {
      must(bucket_->close());
    }
    bucket_.reset();
    bucket_.emplace(must(open_with(*process_, kPath, how_to_open())));
    // What a bucket remembers of the clock across openings is the time of its newest record; a clock that was set back
    // comes back to the newest time here, so that both sides agree.
    const std::int64_t behind = newest_ - disk_.environment().wall_clock_ns();
    if (behind > 0) disk_.jump_wall_clock(std::chrono::nanoseconds(behind));
    const auto wrong = difference(must(bucket_->scan()), model_scan(model_, {}, now()));
    same(wrong.empty(), "after opening again: " + wrong);
    const auto report = must(bucket_->verify());
    same(report.ok(), report.ok() ? "" : "verify finds: " + report.problems.front().message);
  }

  std::uint64_t seed_;
  std::uint64_t operations_;
  Setting setting_;
  std::uint64_t at_ = 0;
  std::mt19937_64 random_;
  os::SimDisk disk_;
  LogChecker checker_;
  os::SimProcess* process_ = &disk_.environment();
  std::int64_t pid_ = 100;
  std::optional<Bucket> bucket_;
  Model model_;
  std::int64_t newest_ = 0;
};

constexpr std::uint64_t kFew = 4'096;
const Setting kSettings[] = {
    {"sync_1", Durability::sync},
    {"sync_compressed", Durability::sync, OpenOptions{}.checkpoint_bytes, Compression::zstd()},
    {"sync_and_checkpoints_1", Durability::sync, kFew},
    {"sync_and_checkpoints_2", Durability::sync, 8 * kFew},
    {"sync_and_checkpoints_3", Durability::sync, 64 * kFew},
    {"sync_and_checkpoints_compressed", Durability::sync, 2 * kFew, Compression::zstd(1)},
    {"relaxed_1", Durability::relaxed},
    {"relaxed_2", Durability::relaxed},
    {"relaxed_and_checkpoints_1", Durability::relaxed, kFew},
    {"relaxed_and_checkpoints_compressed", Durability::relaxed, 16 * kFew, Compression::zstd(9)},
};
// Of the two programs, the one with short hashes does a tenth: it is after what equal hashes do.
constexpr std::uint64_t kOperations = kHash8 ? 50'000 : 510'000;
// Most runs are short, because each seed begins with an empty bucket; some are long.
constexpr std::uint64_t kOperationsOfARun = 5'000;
constexpr std::uint64_t kOperationsOfALongRun = 15'000;
constexpr std::uint64_t kMinimumOfAll = 5'000'000;
static_assert(kHash8 || kOperations * std::size(kSettings) >= kMinimumOfAll);

class ModelTest : public ::testing::TestWithParam<std::size_t> {};

TEST_P(ModelTest, R8_a_bucket_is_a_sorted_map_with_a_clock) {
  const Setting& setting = kSettings[GetParam()];
  const std::uint64_t wanted = number_from_environment("KVB_MODEL_OPERATIONS", kOperations);
  if (const std::uint64_t seed = number_from_environment("KVB_MODEL_SEED", 0); seed != 0) {
    ModelRun(seed, wanted, setting).run();
    return;
  }
  const std::uint64_t first_seed =
      1 + number_from_environment("KVB_MODEL_FIRST_SEED", 0) * 1'000'000 + GetParam() * 10'000;
  std::uint64_t done = 0;
  std::uint64_t seed = first_seed;
  for (; done < wanted && !HasFailure(); ++seed) {
    const std::uint64_t operations =
        std::min(seed % 10 == 0 ? kOperationsOfALongRun : kOperationsOfARun, wanted - done);
    ModelRun(seed, operations, setting).run();
    done += operations;
  }
  std::cout << done << " operations with seeds " << first_seed << " to " << seed - 1 << "\n";
  report_proof(kHash8 ? "model_operations_with_short_hashes" : "model_operations", done);
  EXPECT_GE(done, wanted);
}

INSTANTIATE_TEST_SUITE_P(Settings, ModelTest, ::testing::Range<std::size_t>(0, std::size(kSettings)),
                         [](const auto& of) { return std::string(kSettings[of.param].name); });

}  // namespace
}  // namespace kvb::testing
