// The host functions of keystores, called as the VM calls them, over real files: what they store, what the engine finds
// there, how errors are named, and when a file is let go.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <kvb/bucket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "wfl/keystore/errors.h"
#include "wfl/keystore/keystore_library.h"
#include "wfl/keystore/keystore_object.h"
#include "wfl/vm/native.h"
#include "wfl/vm/operations.h"
#include "wfl/vm/vm.h"

namespace wfl::keystore {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using vm::ErrorKind;
using vm::Value;

const Value kLeftOut = Value::undefined();

class StatementsTest : public ::testing::Test {
 protected:
  StatementsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "wfl-keystore-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    machine_ = std::make_unique<vm::Vm>();
    register_keystore_statements(*machine_);
  }
  ~StatementsTest() override {
    machine_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string file(std::string_view name) const { return folder_ + "/" + std::string(name); }
  Value text(std::string_view bytes) { return Value(machine_->heap().text(bytes)); }
  static Value number(double n) { return Value::number(n); }

  // The arguments stay on a list that the collector doesn't see: none of these tests lets it run, except through
  // collect_garbage, which only open calls.
  std::expected<Value, vm::Error> call(std::string_view name, std::vector<Value> arguments) {
    const vm::HostFunction* host = machine_->hosts().find(name);
    if (host == nullptr) return std::unexpected(vm::Error{ErrorKind::kNotAvailable, std::string(name)});
    vm::NativeCall native(*machine_, machine_->heap(), arguments.data(), static_cast<std::uint32_t>(arguments.size()),
                          name, host->data);
    const Value result = host->function(native);
    if (native.failed()) return std::unexpected(native.take_error());
    return result;
  }
  Value must(std::string_view name, std::vector<Value> arguments) {
    auto result = call(name, std::move(arguments));
    EXPECT_TRUE(result.has_value()) << name << ": " << (result ? "" : result.error().message);
    return result ? *result : Value::undefined();
  }
  vm::Error error_of(std::string_view name, std::vector<Value> arguments) {
    auto result = call(name, std::move(arguments));
    EXPECT_FALSE(result.has_value()) << name << " gave " << vm::display(result.value_or(Value::null()));
    return result ? vm::Error{} : result.error();
  }

  std::vector<Value> opening(std::string_view mode, const std::string& path) {
    return {text(mode), text(path), kLeftOut, Value::boolean(false), Value::boolean(false)};
  }
  // Opens it and keeps it reachable, as a variable would.
  Value open(std::string_view mode, const std::string& path, std::string_view variable = "s") {
    const Value keystore = must("keystore.open", opening(mode, path));
    machine_->set_global(variable, keystore);
    return keystore;
  }
  void store(Value keystore, std::string_view key, Value value) {
    must("keystore.store", {keystore, text(key), value, kLeftOut, kLeftOut, kLeftOut, kLeftOut});
  }
  Value get(Value keystore, std::string_view key) { return must("keystore.get", {keystore, text(key)}); }
  std::string keys(Value keystore) {
    return vm::display(
        must("keystore.keys", {keystore, kLeftOut, kLeftOut, kLeftOut, Value::boolean(false), kLeftOut}));
  }

  std::string folder_;
  std::unique_ptr<vm::Vm> machine_;
};

TEST_F(StatementsTest, EveryHostFunctionOfTheTableIsRegistered) {
  std::size_t count = 0;
#define HOST_FUNCTION(name, arguments, doc)                   \
  if (std::string_view(name).starts_with("keystore.")) {      \
    EXPECT_NE(machine_->hosts().find(name), nullptr) << name; \
    ++count;                                                  \
  }
#include "wfl/language/host_functions.def"
#undef HOST_FUNCTION
  EXPECT_GE(count, 25U);
}

TEST_F(StatementsTest, TheEngineFindsWhatStatementsStored) {
  const Value keystore = open("create", file("a.kvb"));
  store(keystore, "text", text("Grüße"));
  store(keystore, "number", number(1.5));
  store(keystore, "bytes", Value(machine_->heap().binary("\xff")));
  store(keystore, "list", Value(machine_->heap().list({number(1), text("two")})));
  must("keystore.close", {keystore});

  auto bucket = kvb::Bucket::open(file("a.kvb"));
  ASSERT_TRUE(bucket.has_value()) << bucket.error().message;
  EXPECT_EQ((*bucket->get("text"))->bytes, "Grüße");
  EXPECT_EQ((*bucket->get("text"))->kind, kvb::ValueKind::text);
  EXPECT_EQ((*bucket->get("number"))->bytes, "1.5");
  EXPECT_EQ((*bucket->get("number"))->kind, kvb::ValueKind::json);
  EXPECT_EQ((*bucket->get("bytes"))->kind, kvb::ValueKind::bytes);
  EXPECT_EQ((*bucket->get("list"))->bytes, R"([1,"two"])");
}

TEST_F(StatementsTest, StatementsFindWhatTheEngineStored) {
  {
    auto bucket = kvb::Bucket::create(file("a.kvb"));
    ASSERT_TRUE(bucket.has_value());
    ASSERT_TRUE(bucket->put("text", "hello", {.kind = kvb::ValueKind::text}));
    ASSERT_TRUE(bucket->put("json", R"({"a":[1,true]})", {.kind = kvb::ValueKind::json}));
    ASSERT_TRUE(bucket->put("wrong json", "{", {.kind = kvb::ValueKind::json}));
    ASSERT_TRUE(bucket->put("bytes", "\x01", {}));
  }
  const Value keystore = open("open", file("a.kvb"));
  EXPECT_EQ(vm::display(get(keystore, "text")), "hello");
  EXPECT_EQ(vm::display(get(keystore, "json")), "[1, yes]");
  EXPECT_EQ(vm::display(get(keystore, "bytes")), "[Binary: 1 bytes]");
  const vm::Error error = error_of("keystore.get", {keystore, text("wrong json")});
  EXPECT_EQ(error.kind, ErrorKind::kKeystoreDamaged);
  EXPECT_THAT(error.message, AllOf(HasSubstr("\"wrong json\""), HasSubstr("a.kvb")));
}

TEST_F(StatementsTest, AMissingKeyIsUndefinedAndAStoredNothingIsNot) {
  const Value keystore = open("create", file("a.kvb"));
  EXPECT_TRUE(get(keystore, "a").is_undefined());
  store(keystore, "a", Value::null());
  EXPECT_TRUE(get(keystore, "a").is_null());
}

// A range that is nothing is a mistake in the program, and must not be taken for no range: that would remove all keys.
TEST_F(StatementsTest, ARangeThatIsNothingRemovesNothing) {
  const Value keystore = open("create", file("a.kvb"));
  store(keystore, "a", number(1));
  const Value no = Value::boolean(false);
  error_of("keystore.remove_range", {keystore, Value::null(), kLeftOut, kLeftOut, no, kLeftOut});
  error_of("keystore.remove_range", {keystore, kLeftOut, Value::null(), kLeftOut, no, kLeftOut});
  error_of("keystore.remove_range", {keystore, kLeftOut, kLeftOut, Value::null(), no, kLeftOut});
  EXPECT_EQ(keys(keystore), "[a]");
  EXPECT_EQ(must("keystore.remove_range", {keystore, kLeftOut, kLeftOut, kLeftOut, no, kLeftOut}).as_number(), 1);
}

TEST_F(StatementsTest, DurationsAreRoundedUpButNotByTheLastBit) {
  const Value keystore = open("create", file("a.kvb"));
  const auto seconds_for = [&](double amount, double unit) {
    must("keystore.store", {keystore, text("k"), number(1), number(amount), number(unit), kLeftOut, kLeftOut});
    return must("keystore.time_left", {keystore, text("k")}).as_number();
  };
  EXPECT_EQ(seconds_for(1.1, 60), 66);
  EXPECT_EQ(seconds_for(0.001, 1), 1);
  EXPECT_EQ(seconds_for(1, 86400), 86400);
  EXPECT_EQ(seconds_for(49710, 86400), 4294944000);
  for (const double wrong : {0.0, -1.0, 49711.0 * 86400.0, std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity()}) {
    error_of("keystore.store", {keystore, text("k"), number(2), number(wrong), number(1), kLeftOut, kLeftOut});
  }
  error_of("keystore.keep", {keystore, text("k"), Value::null(), number(1)});
  EXPECT_EQ(get(keystore, "k").as_number(), 1);
}

TEST_F(StatementsTest, AnotherProcessThatWritesMakesItBusyWithItsNumber) {
  int ready[2];
  int done[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(done), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto bucket = kvb::Bucket::create(file("a.kvb"));
    char byte = bucket.has_value() ? '1' : '0';
    if (::write(ready[1], &byte, 1) != 1 || ::read(done[0], &byte, 1) != 1) ::_exit(1);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, '1');
  const vm::Error error = error_of("keystore.open", opening("open", file("a.kvb")));
  EXPECT_EQ(error.kind, ErrorKind::kKeystoreBusy);
  EXPECT_THAT(error.message, AllOf(HasSubstr(std::to_string(child)), HasSubstr("since 20"), HasSubstr("for reading")));
  const Value reader = must("keystore.open", opening("open for reading", file("a.kvb")));
  EXPECT_TRUE(get(reader, "x").is_undefined());
  ASSERT_EQ(::write(done[1], &byte, 1), 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  for (const int descriptor : {ready[0], ready[1], done[0], done[1]}) ::close(descriptor);
}

TEST_F(StatementsTest, AProgramThatOpensTwiceForWritingIsToldAtOnce) {
  open("create", file("a.kvb"));
  std::filesystem::create_symlink(file("a.kvb"), file("link.kvb"));
  for (const std::string& path : {file("a.kvb"), folder_ + "/./a.kvb", file("link.kvb")}) {
    const auto start = std::chrono::steady_clock::now();
    const vm::Error error = error_of("keystore.open", opening("open", path));
    EXPECT_EQ(error.kind, ErrorKind::kKeystoreBusy);
    EXPECT_THAT(error.message, HasSubstr("this program"));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  }
}

TEST_F(StatementsTest, AKeystoreThatNobodyCanReachDoesNotKeepItsFile) {
  store(open("create", file("a.kvb"), "lost"), "a", number(1));
  machine_->set_global("lost", Value::null());
  const Value again = open("open", file("a.kvb"), "found");
  EXPECT_EQ(get(again, "a").as_number(), 1);
  // The other way round: what a list can reach is still open.
  machine_->set_global("list", Value(machine_->heap().list({again})));
  machine_->set_global("found", Value::null());
  EXPECT_EQ(error_of("keystore.open", opening("open", file("a.kvb"))).kind, ErrorKind::kKeystoreBusy);
}

TEST_F(StatementsTest, TheEndOfTheProgramClosesAllAndDropsBatches) {
  const Value keystore = open("create", file("a.kvb"), "a");
  open("create", file("b.kvb"), "b");
  const Value reader = open("open for reading", file("b.kvb"), "c");
  store(keystore, "kept", number(1));
  must("keystore.batch_begin", {keystore});
  store(keystore, "in the batch", number(2));
  EXPECT_THAT(close_keystores(*machine_), IsEmpty());
  EXPECT_FALSE(Keystore::from(keystore)->is_open());
  EXPECT_FALSE(Keystore::from(reader)->is_open());
  auto bucket = kvb::Bucket::open(file("a.kvb"), {.lock_deadline = std::chrono::milliseconds(0)});
  ASSERT_TRUE(bucket.has_value()) << bucket.error().message;
  EXPECT_TRUE(*bucket->contains("kept"));
  EXPECT_FALSE(*bucket->contains("in the batch"));
}

TEST_F(StatementsTest, ClosingKeepsNoOneFromClosingAgain) {
  const Value keystore = open("create", file("a.kvb"));
  must("keystore.close", {keystore});
  must("keystore.close", {keystore});
  const vm::Error error = error_of("keystore.get", {keystore, text("a")});
  EXPECT_THAT(error.message, AllOf(HasSubstr("closed"), HasSubstr("a.kvb")));
  EXPECT_EQ(vm::display(keystore), "keystore \"" + file("a.kvb") + "\"");
}

TEST_F(StatementsTest, BatchesAreAppliedAtTheEndOrNotAtAll) {
  const Value keystore = open("create", file("a.kvb"));
  const Value reader = open("open for reading", file("a.kvb"), "reader");
  store(keystore, "a", number(1));
  must("keystore.batch_begin", {keystore});
  store(keystore, "b", number(2));
  must("keystore.remove", {keystore, text("a")});
  EXPECT_EQ(keys(keystore), "[b]");
  EXPECT_EQ(keys(reader), "[a]");
  error_of("keystore.batch_begin", {keystore});
  error_of("keystore.close", {keystore});
  error_of("keystore.compact", {keystore, kLeftOut});
  must("keystore.batch_rollback", {keystore});
  must("keystore.batch_rollback", {keystore});
  EXPECT_EQ(keys(keystore), "[a]");
  must("keystore.batch_begin", {keystore});
  store(keystore, "c", number(3));
  must("keystore.batch_commit", {keystore});
  EXPECT_EQ(keys(reader), "[a, c]");
  error_of("keystore.batch_commit", {keystore});
}

TEST_F(StatementsTest, ExpiriesInBatches) {
  const Value keystore = open("create", file("a.kvb"));
  must("keystore.store", {keystore, text("old"), number(1), number(1), number(3600), kLeftOut, kLeftOut});
  must("keystore.batch_begin", {keystore});
  must("keystore.increase", {keystore, text("old"), number(5)});
  must("keystore.store", {keystore, text("new"), number(1), number(2), number(3600), kLeftOut, kLeftOut});
  must("keystore.keep", {keystore, text("new"), number(3), number(3600)});
  EXPECT_EQ(must("keystore.time_left", {keystore, text("new")}).as_number(), 10800);
  must("keystore.batch_commit", {keystore});
  EXPECT_NEAR(must("keystore.time_left", {keystore, text("old")}).as_number(), 3600, 5);
  EXPECT_NEAR(must("keystore.time_left", {keystore, text("new")}).as_number(), 10800, 5);
  EXPECT_EQ(get(keystore, "old").as_number(), 6);
}

TEST_F(StatementsTest, ALoopSeesOneStateWhateverItsBodyDoes) {
  const Value keystore = open("create", file("a.kvb"));
  for (int i = 0; i < 100; ++i) store(keystore, "k" + std::to_string(100 + i), number(i));
  const Value iteration =
      must("keystore.iterate", {keystore, text("k"), kLeftOut, kLeftOut, Value::boolean(false), kLeftOut});
  auto* iterator = static_cast<vm::HostIterator*>(iteration.as<vm::HostObject>());
  must("keystore.remove_range", {keystore, kLeftOut, kLeftOut, kLeftOut, Value::boolean(false), kLeftOut});
  must("keystore.close", {keystore});
  vm::NativeCall native(*machine_, machine_->heap(), nullptr, 0, "next", nullptr);
  for (int i = 0; i < 100; ++i) {
    const Value entry = iterator->next(native);
    ASSERT_TRUE(entry.is_map());
    EXPECT_EQ(vm::display(entry), "{key: k" + std::to_string(100 + i) + ", value: " + std::to_string(i) + "}");
  }
  EXPECT_TRUE(iterator->next(native).is_undefined());
  EXPECT_TRUE(iterator->next(native).is_undefined());
}

TEST_F(StatementsTest, LongLoopsGoOnAfterTheirKeystoreIsClosedAndOverASnapshot) {
  const Value keystore = open("create", file("a.kvb"));
  must("keystore.batch_begin", {keystore});
  for (int i = 0; i < 5000; ++i) store(keystore, "k" + std::to_string(10000 + i), number(i));
  must("keystore.batch_commit", {keystore});
  const Value snapshot = must("keystore.snapshot", {keystore});
  machine_->set_global("snapshot", snapshot);
  std::vector<vm::HostIterator*> loops;
  for (const Value source : {keystore, snapshot}) {
    const Value loop = must("keystore.iterate", {source, kLeftOut, kLeftOut, kLeftOut, Value::boolean(true), kLeftOut});
    machine_->set_global("loop" + std::to_string(loops.size()), loop);
    loops.push_back(static_cast<vm::HostIterator*>(loop.as<vm::HostObject>()));
  }
  vm::NativeCall native(*machine_, machine_->heap(), nullptr, 0, "next", nullptr);
  for (int i = 4999; i >= 0; --i) {
    if (i == 4000)
      must("keystore.remove_range", {keystore, kLeftOut, kLeftOut, kLeftOut, Value::boolean(false), kLeftOut});
    if (i == 3000) must("keystore.close", {snapshot});
    if (i == 2500) must("keystore.close", {keystore});
    for (vm::HostIterator* loop : loops) {
      const Value entry = loop->next(native);
      ASSERT_TRUE(entry.is_map()) << i;
      ASSERT_EQ(vm::display(entry), "{key: k" + std::to_string(10000 + i) + ", value: " + std::to_string(i) + "}");
    }
  }
  for (vm::HostIterator* loop : loops) EXPECT_TRUE(loop->next(native).is_undefined());
}

TEST_F(StatementsTest, ASnapshotKeepsItsKeystoreOpenAndIsCollectedWithIt) {
  const Value keystore = open("create", file("a.kvb"), "s");
  store(keystore, "key", text("value"));
  machine_->set_global("snapshot", must("keystore.snapshot", {keystore}));
  machine_->set_global("s", Value::null());
  // Opening for writing runs a collection; the keystore is still reached.
  EXPECT_EQ(error_of("keystore.open", opening("open", file("a.kvb"))).kind, ErrorKind::kKeystoreBusy);
  EXPECT_EQ(vm::display(get(machine_->get_global("snapshot"), "key")), "value");
  // A loop that nobody finished goes with both.
  const Value loop = must("keystore.iterate", {machine_->get_global("snapshot"), kLeftOut, kLeftOut, kLeftOut,
                                               Value::boolean(false), kLeftOut});
  EXPECT_NE(loop.try_as<vm::HostObject>(), nullptr);
  machine_->set_global("snapshot", Value::null());
  EXPECT_EQ(keys(open("open", file("a.kvb"))), "[key]");
}

TEST_F(StatementsTest, ConditionsAreJudgedByTheEngineAndInABatchOnWhatItHasDone) {
  const Value keystore = open("create", file("a.kvb"));
  const auto store_if = [&](std::string_view key, double n, std::string_view condition) {
    return must("keystore.store", {keystore, text(key), number(n), kLeftOut, kLeftOut, text(condition), kLeftOut})
        .as_boolean();
  };
  EXPECT_FALSE(store_if("a", 1, "present"));
  EXPECT_TRUE(store_if("a", 2, "missing"));
  EXPECT_FALSE(store_if("a", 3, "missing"));
  EXPECT_TRUE(store_if("a", 4, "present"));
  EXPECT_EQ(get(keystore, "a").as_number(), 4);
  must("keystore.batch_begin", {keystore});
  EXPECT_TRUE(store_if("b", 1, "missing"));
  EXPECT_FALSE(store_if("b", 2, "missing"));
  EXPECT_TRUE(store_if("b", 3, "present"));
  must("keystore.remove", {keystore, text("a")});
  EXPECT_FALSE(store_if("a", 5, "present"));
  EXPECT_TRUE(store_if("a", 6, "missing"));
  must("keystore.batch_commit", {keystore});
  EXPECT_EQ(get(keystore, "a").as_number(), 6);
  EXPECT_EQ(get(keystore, "b").as_number(), 3);
}

TEST_F(StatementsTest, FilesThatAreNoKeystores) {
  std::ofstream(file("letter.txt")) << "Dear Ada, this is only a letter.";
  for (const char* mode : {"open", "open or create", "open for reading"}) {
    const vm::Error error = error_of("keystore.open", opening(mode, file("letter.txt")));
    EXPECT_EQ(error.kind, ErrorKind::kKeystoreDamaged) << mode;
    EXPECT_THAT(error.message, AllOf(HasSubstr("not a keystore"), HasSubstr("letter.txt")));
  }
  EXPECT_EQ(std::filesystem::file_size(file("letter.txt")), 32U);
  EXPECT_EQ(error_of("keystore.open", opening("open", file("none.kvb"))).kind, ErrorKind::kKeystoreNotFound);
  EXPECT_EQ(error_of("keystore.open", opening("create", file("letter.txt"))).kind, ErrorKind::kKeystoreExists);
  const vm::Error no_folder = error_of("keystore.open", opening("open or create", file("no/such/a.kvb")));
  EXPECT_EQ(no_folder.kind, ErrorKind::kKeystoreNotFound);
  EXPECT_THAT(no_folder.message, HasSubstr("create directory at \"" + file("no/such") + "\""));
  EXPECT_THAT(error_of("keystore.open", opening("open", folder_)).message, ::testing::Not(HasSubstr("bucket")));
  error_of("keystore.open", opening("open", "redis://localhost"));
  error_of("keystore.open", opening("open", ""));
  error_of("keystore.open", opening("open", std::string("a\0b", 3)));
}

TEST_F(StatementsTest, OptionsThatAreStillToComeMakeNoFile) {
  auto with_secret = opening("create", file("secret.kvb"));
  with_secret[2] = text("open sesame");
  EXPECT_THAT(error_of("keystore.open", with_secret).message, HasSubstr("not yet"));
  auto compressed = opening("open or create", file("small.kvb"));
  compressed[3] = Value::boolean(true);
  EXPECT_THAT(error_of("keystore.open", compressed).message, HasSubstr("not yet"));
  EXPECT_FALSE(std::filesystem::exists(file("secret.kvb")));
  EXPECT_FALSE(std::filesystem::exists(file("small.kvb")));
  // Compression counts only when the keystore is made; an encryption key never fits one that isn't encrypted.
  must("keystore.close", {open("create", file("small.kvb"))});
  must("keystore.close", {must("keystore.open", compressed)});
  with_secret = opening("open", file("small.kvb"));
  with_secret[2] = text("open sesame");
  EXPECT_EQ(error_of("keystore.open", with_secret).kind, ErrorKind::kWrongEncryptionKey);
  must("keystore.close", {open("open", file("small.kvb"))});
}

TEST_F(StatementsTest, ADamagedRecordIsAnErrorAndOthersAreRead) {
  {
    const Value keystore = open("create", file("a.kvb"));
    store(keystore, "first", text("this value will be damaged"));
    store(keystore, "second", text("this one is fine"));
    must("keystore.close", {keystore});
  }
  std::string bytes;
  {
    std::ifstream in(file("a.kvb"), std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  const std::size_t at = bytes.find("this value will be damaged");
  ASSERT_NE(at, std::string::npos);
  {
    std::fstream out(file("a.kvb"), std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(at));
    out.put('T');
  }
  const auto opened = call("keystore.open", opening("open", file("a.kvb")));
  if (!opened) {
    EXPECT_EQ(opened.error().kind, ErrorKind::kKeystoreDamaged) << opened.error().message;
    return;
  }
  const vm::Error error = error_of("keystore.get", {*opened, text("first")});
  EXPECT_EQ(error.kind, ErrorKind::kKeystoreDamaged) << error.message;
  EXPECT_THAT(error.message, HasSubstr("a.kvb"));
  EXPECT_EQ(vm::display(get(*opened, "second")), "this one is fine");
}

TEST(KeystoreErrorsTest, EachFailureHasItsHandlerAndNamesTheFile) {
  using kvb::ErrorCode;
  const std::vector<std::pair<ErrorCode, ErrorKind>> expected = {
      {ErrorCode::not_found, ErrorKind::kKeystoreNotFound},
      {ErrorCode::already_exists, ErrorKind::kKeystoreExists},
      {ErrorCode::busy, ErrorKind::kKeystoreBusy},
      {ErrorCode::not_a_bucket, ErrorKind::kKeystoreDamaged},
      {ErrorCode::damaged, ErrorKind::kKeystoreDamaged},
      {ErrorCode::full, ErrorKind::kKeystoreFull},
      {ErrorCode::wrong_key, ErrorKind::kWrongEncryptionKey},
      {ErrorCode::permission_denied, ErrorKind::kPermissionDenied},
      {ErrorCode::io_error, ErrorKind::kGeneral},
      {ErrorCode::unsupported, ErrorKind::kGeneral},
      {ErrorCode::read_only, ErrorKind::kGeneral},
      {ErrorCode::closed, ErrorKind::kGeneral},
      {ErrorCode::poisoned, ErrorKind::kGeneral},
      {ErrorCode::out_of_memory, ErrorKind::kResourceLimit}};
  for (const auto& [code, kind] : expected) {
    kvb::Error error;
    error.code = code;
    const vm::Error described = describe(error, "data/shop.kvb");
    EXPECT_EQ(described.kind, kind) << kvb::error_name(code);
    EXPECT_THAT(described.message, HasSubstr("\"data/shop.kvb\"")) << kvb::error_name(code);
    EXPECT_EQ(described.message.back(), '.') << described.message;
  }
}

}  // namespace
}  // namespace wfl::keystore
