// Each call to the disk fails, one after the other, once and for ever, in every way the disk has. Whatever fails: the
// error says so, nothing acknowledged is lost, nothing that failed comes back, and the bucket can be used again when
// the fault is gone (after a failed sync: when it is opened again).
#include <gtest/gtest.h>
#include <kvb/bucket.h>

#include <cerrno>
#include <iostream>
#include <set>
#include <string>
#include <tuple>

#include "kvb/api/bucket_access.h"
#include "kvb/os/sim/crash_images.h"
#include "kvb/os/sim/sim_disk.h"
#include "kvb/support/expect.h"
#include "kvb/support/log_checker.h"
#include "kvb/support/model.h"
#include "kvb/support/proof.h"

namespace kvb::testing {
namespace {

using os::Fault;
using os::SimCall;

constexpr const char* kPath = "fault.kvb";

// Whether checkpoints are made, and how.
enum class Checkpoints : std::uint8_t { none, asked_for, automatic };

// A bucket's life of a few dozen disk calls, with the states that it may be in kept beside it.
class FaultRun {
 public:
  explicit FaultRun(const Fault& fault, Checkpoints checkpoints = Checkpoints::none)
      : checker_(disk_, kPath), checkpoints_(checkpoints) {
    disk_.inject(fault);
  }

  // What happened, for counting: which codes were met.
  std::set<ErrorCode> run() {
    if (!open_or_create()) return codes_;
    for (int i = 0; i < 4; ++i) put("key/" + std::to_string(i), std::string(500, static_cast<char>('a' + i)));
    Batch batch;
    for (int i = 0; i < 4; ++i) batch.put("key/" + std::to_string(i), std::string(4'000, static_cast<char>('A' + i)));
    batch.remove("key/1");
    checkpoint();
    write(batch);
    checkpoint();
    remove("key/2");
    note(bucket_->flush());
    checkpoint();
    note(bucket_->close());
    bucket_.reset();
    if (!open_or_create()) return codes_;
    for (int i = 0; i < 3; ++i) put("more/" + std::to_string(i), std::string(3'000, static_cast<char>('m' + i)));
    write(batch);
    checkpoint();
    checkpoint();
    compare("while the fault lasts");
    finish();
    return codes_;
  }

  // Was the fault met at all?
  [[nodiscard]] bool fired() const { return disk_.faults_fired() != 0; }

 private:
  [[nodiscard]] OpenOptions how_to_open() const {
    return {.checkpoint_bytes = checkpoints_ == Checkpoints::automatic ? 2'048 : OpenOptions{}.checkpoint_bytes};
  }

  // A checkpoint that fails changes nothing that can be read.
  void checkpoint() {
    if (checkpoints_ != Checkpoints::asked_for) return;
    const auto done = bucket_->checkpoint();
    note(done);
    if (!done) compare("after a failed checkpoint");
  }

  bool open_or_create() {
    // Twice: what failed once may go well the next time, and nothing of the failure may be in the way.
    for (int tries = 0; tries < 2; ++tries) {
      auto opened = open_or_create_with(disk_.environment(), kPath, how_to_open());
      if (opened) {
        bucket_.emplace(std::move(*opened));
        return true;
      }
      note(Result<void>(std::unexpected(opened.error())));
    }
    disk_.clear_faults();
    const auto opened = open_or_create_with(disk_.environment(), kPath);
    EXPECT_TRUE(opened.has_value()) << "after the fault is gone: " << outcome(opened);
    if (opened) check_states(*opened, "after the fault is gone");
    return false;
  }

  void note(const Result<void>& done) {
    if (done) return;
    codes_.insert(done.error().code);
    EXPECT_FALSE(done.error().message.empty());
    EXPECT_EQ(done.error().path, kPath) << done.error().message;
    const auto code = done.error().code;
    EXPECT_TRUE(code == ErrorCode::io_error || code == ErrorCode::full || code == ErrorCode::poisoned ||
                code == ErrorCode::damaged || code == ErrorCode::not_a_bucket || code == ErrorCode::already_exists ||
                code == ErrorCode::out_of_memory)
        << outcome(done);
  }

  template <typename Operation>
  void attempt(Model next, const Operation& operation) {
    const bool was_poisoned = bucket_->stats().poisoned;
    const Result<void> done = operation();
    note(done);
    if (done) {
      EXPECT_FALSE(was_poisoned) << "R9: a poisoned bucket has acknowledged a write";
      acknowledged_ = std::move(next);
      in_doubt_.clear();
      return;
    }
    const bool poisoned = bucket_->stats().poisoned;
    if (was_poisoned) {
      EXPECT_EQ(done.error().code, ErrorCode::poisoned) << outcome(done);
    } else if (poisoned) {
      in_doubt_.push_back(std::move(next));  // It may or may not be on the disk.
    }
    compare("right after an error");
  }
  void put(const std::string& key, const std::string& value) {
    Model next = acknowledged_;
    next[key] = model_value(value, {}, 0);
    attempt(std::move(next), [&]() -> Result<void> {
      auto done = bucket_->put(key, value);
      return done ? Result<void>{} : std::unexpected(done.error());
    });
  }
  void remove(const std::string& key) {
    Model next = acknowledged_;
    next.erase(key);
    attempt(std::move(next), [&]() -> Result<void> {
      auto done = bucket_->remove(key);
      return done ? Result<void>{} : std::unexpected(done.error());
    });
  }
  void write(const Batch& batch) {
    Model next = acknowledged_;
    apply(next, batch, 0);
    attempt(std::move(next), [&]() -> Result<void> {
      auto done = bucket_->write(batch);
      return done ? Result<void>{} : std::unexpected(done.error());
    });
  }

  // Reads go on and show what is acknowledged, or fail with an error.
  void compare(const std::string& when) {
    const auto found = bucket_->scan();
    if (!found) {
      note(Result<void>(std::unexpected(found.error())));
      return;
    }
    const auto wrong = difference(*found, model_scan(acknowledged_, {}, 0));
    EXPECT_TRUE(wrong.empty()) << when << ": " << wrong;
  }

  void check_states(const Bucket& bucket, const std::string& when) {
    const auto found = bucket.scan();
    ASSERT_FINE(found);
    std::string wrong = difference(*found, model_scan(acknowledged_, {}, 0));
    for (const auto& state : in_doubt_) {
      if (!wrong.empty() && difference(*found, model_scan(state, {}, 0)).empty()) wrong.clear();
    }
    EXPECT_TRUE(wrong.empty()) << when << ": " << wrong;
  }

  void finish() {
    disk_.clear_faults();
    const bool poisoned = bucket_->stats().poisoned;
    const auto put_now = bucket_->put("finish", "1");
    if (poisoned) {
      EXPECT_CODE(put_now, poisoned);
    } else {
      ASSERT_FINE(put_now);  // The fault is gone, so the bucket works again without being opened anew.
      acknowledged_["finish"] = model_value("1", {}, 0);
      in_doubt_.clear();
    }
    // The power goes now. Whatever is still unsynced may be lost, but nothing that was acknowledged.
    std::vector<os::CrashImage> images;
    os::CrashPoint(disk_, kPath).for_each({.images = 6, .seed = 5}, [&](const os::CrashImage& image) {
      images.push_back(image);
      return true;
    });
    for (const auto& image : images) {
      os::SimDisk after({.seed = 9, .recording = false});
      after.put_file(kPath, image.bytes);
      const auto opened = open_with(after.environment(), kPath);
      ASSERT_TRUE(opened.has_value()) << "after the power went: " << outcome(opened) << " " << image.describe();
      check_states(*opened, "after the power went, " + image.describe());
    }
    note(bucket_->close());
    bucket_.reset();
    auto opened = open_with(disk_.environment(), kPath);
    ASSERT_FINE(opened);
    check_states(*opened, "opened again");
    ASSERT_FINE(opened->put("opened again", "works"));
    const auto report = opened->verify();
    ASSERT_FINE(report);
    EXPECT_TRUE(report->ok()) << report->problems.front().message;
  }

  os::SimDisk disk_;
  LogChecker checker_;
  Checkpoints checkpoints_;
  std::optional<Bucket> bucket_;
  Model acknowledged_;
  std::vector<Model> in_doubt_;
  std::set<ErrorCode> codes_;
};

struct Kind {
  const char* name;
  SimCall call;
  int error_number;
  Fault::Effect effect;
  ErrorCode expected;  // Met at least once over all places.
};

constexpr Kind kKinds[] = {
    {"open_fails", SimCall::open, EIO, Fault::Effect::none, ErrorCode::io_error},
    {"read_fails", SimCall::read, EIO, Fault::Effect::none, ErrorCode::io_error},
    {"write_fails", SimCall::write, EIO, Fault::Effect::none, ErrorCode::io_error},
    {"write_finds_no_space", SimCall::write, ENOSPC, Fault::Effect::none, ErrorCode::full},
    {"write_is_short", SimCall::write, ENOSPC, Fault::Effect::partial, ErrorCode::full},
    {"write_is_short_and_fails", SimCall::write, EIO, Fault::Effect::partial, ErrorCode::io_error},
    {"write_finds_no_quota", SimCall::write, EDQUOT, Fault::Effect::none, ErrorCode::full},
    {"sync_fails_and_keeps", SimCall::sync, EIO, Fault::Effect::none, ErrorCode::poisoned},
    {"sync_fails_and_loses", SimCall::sync, EIO, Fault::Effect::lost, ErrorCode::poisoned},
    {"allocate_finds_no_space", SimCall::allocate, ENOSPC, Fault::Effect::none, ErrorCode::full},
    {"allocate_fails", SimCall::allocate, EIO, Fault::Effect::none, ErrorCode::io_error},
    {"truncate_fails", SimCall::truncate, EIO, Fault::Effect::none, ErrorCode::io_error},
    {"size_fails", SimCall::size, EIO, Fault::Effect::none, ErrorCode::io_error},
    {"map_fails", SimCall::map, ENOMEM, Fault::Effect::none, ErrorCode::out_of_memory},
    {"map_fails_on_a_bad_device", SimCall::map, EIO, Fault::Effect::none, ErrorCode::io_error},
    {"lock_fails", SimCall::lock, EIO, Fault::Effect::none, ErrorCode::io_error},
    {"sync_directory_fails", SimCall::sync_directory, EIO, Fault::Effect::none, ErrorCode::io_error},
    {"anything_fails", SimCall::any, EIO, Fault::Effect::none, ErrorCode::io_error},
    {"anything_finds_no_space", SimCall::any, ENOSPC, Fault::Effect::none, ErrorCode::full},
};

void PrintTo(const Kind& kind, std::ostream* out) {
  *out << kind.name;
}

class FaultTest : public ::testing::TestWithParam<std::tuple<Kind, Checkpoints>> {};

TEST_P(FaultTest, R9_each_call_fails_once) {
  const auto& [kind, checkpoints] = GetParam();
  std::set<ErrorCode> met;
  std::uint64_t places = 0;
  std::uint64_t runs = 0;
  for (std::uint64_t skip = 0;; ++skip) {
    SCOPED_TRACE("call " + std::to_string(skip) + " fails");
    FaultRun run({.call = kind.call, .skip = skip, .error_number = kind.error_number, .effect = kind.effect},
                 checkpoints);
    const auto codes = run.run();
    met.insert(codes.begin(), codes.end());
    if (HasFatalFailure() || HasNonfatalFailure()) return;
    if (!run.fired()) break;
    ++runs;
    places += codes.empty() ? 0 : 1;
  }
  std::cout << kind.name << ": an error at " << places << " places\n";
  report_proof("fault_runs", runs);
  EXPECT_GT(places, 0u);
}

TEST_P(FaultTest, R9_all_calls_fail_from_one_on) {
  const auto& [kind, checkpoints] = GetParam();
  std::set<ErrorCode> met;
  for (std::uint64_t skip = 0;; ++skip) {
    SCOPED_TRACE("all calls from " + std::to_string(skip) + " on fail");
    FaultRun run(
        {.call = kind.call, .skip = skip, .error_number = kind.error_number, .effect = kind.effect, .sticky = true},
        checkpoints);
    const auto codes = run.run();
    met.insert(codes.begin(), codes.end());
    if (HasFatalFailure() || HasNonfatalFailure()) return;
    if (!run.fired()) break;
  }
  EXPECT_TRUE(met.contains(kind.expected)) << "no " << error_name(kind.expected);
}

std::string name_of_case(const ::testing::TestParamInfo<std::tuple<Kind, Checkpoints>>& of) {
  const auto& [kind, checkpoints] = of.param;
  const char* const with = checkpoints == Checkpoints::none        ? ""
                           : checkpoints == Checkpoints::asked_for ? "_with_checkpoints"
                                                                   : "_automatic";
  return std::string(kind.name) + with;
}

INSTANTIATE_TEST_SUITE_P(Kinds, FaultTest,
                         ::testing::Combine(::testing::ValuesIn(kKinds),
                                            ::testing::Values(Checkpoints::none, Checkpoints::asked_for,
                                                              Checkpoints::automatic)),
                         name_of_case);

TEST(Fault, R9_a_failed_sync_ends_writing_names_the_doubt_and_is_not_repeated) {
  os::SimDisk disk;
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  KVB_MUST(bucket.put("safe", "1"));
  disk.inject({.call = SimCall::sync, .effect = Fault::Effect::lost});
  const auto failed = bucket.put("doubtful", "2");
  EXPECT_CODE(failed, poisoned);
  const std::uint64_t syncs = disk.calls(SimCall::sync);
  EXPECT_CODE(bucket.put("other", "3"), poisoned);
  EXPECT_CODE(bucket.remove("safe"), poisoned);
  EXPECT_CODE(bucket.flush(), poisoned);
  EXPECT_EQ(disk.calls(SimCall::sync), syncs) << "a failed sync was tried again";
  EXPECT_TRUE(bucket.stats().poisoned);
  EXPECT_EQ(KVB_MUST(bucket.get("safe"))->bytes, "1");
  EXPECT_FALSE(KVB_MUST(bucket.get("doubtful")).has_value());
}

// The live words only help: without them a bucket opens, reads and writes all the same.
TEST(Fault, R18_live_words_that_cannot_be_read_or_stored_hinder_nothing) {
  for (const SimCall call : {SimCall::load_word, SimCall::store_word}) {
    for (std::uint64_t skip = 0; skip < 30; ++skip) {
      for (const bool sticky : {true, false}) {
        FaultRun run({.call = call, .skip = skip, .error_number = EIO, .sticky = sticky});
        EXPECT_TRUE(run.run().empty());
      }
    }
  }
}

TEST(Fault, A_full_disk_loses_nothing_and_works_again_when_there_is_room) {
  os::SimDisk disk({.capacity_bytes = 400'000});
  LogChecker checker(disk, kPath);
  auto bucket = KVB_MUST(create_with(disk.environment(), kPath));
  std::uint64_t stored = 0;
  Result<bool> last = true;
  for (; last && stored < 1'000; ++stored) last = bucket.put("k" + std::to_string(stored), std::string(5'000, 'x'));
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, ErrorCode::full) << outcome(last);
  --stored;
  EXPECT_EQ(KVB_MUST(bucket.count()), stored);
  EXPECT_FALSE(bucket.stats().poisoned);
  EXPECT_FALSE(KVB_MUST(bucket.contains("k" + std::to_string(stored))));
  disk.set_capacity_bytes(2'000'000);
  ASSERT_FINE(bucket.put("room", "again"));
  EXPECT_EQ(KVB_MUST(bucket.count()), stored + 1);
  ASSERT_FINE(bucket.close());
  const auto again = KVB_MUST(open_with(disk.environment(), kPath));
  EXPECT_EQ(KVB_MUST(again.count()), stored + 1);
}

}  // namespace
}  // namespace kvb::testing
