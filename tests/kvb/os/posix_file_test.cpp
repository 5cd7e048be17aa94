#include "kvb/os/posix_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "kvb/os/file.h"
#include "kvb/support/expect.h"
#include "kvb/support/temp_folder.h"

namespace kvb::os {
namespace {

using kvb::testing::TempFolder;

constexpr std::uint64_t kLockByte = std::uint64_t{1} << 62;

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::unique_ptr<File> make(const std::string& path) {
  return KVB_MUST(real_environment().open(path, OpenMode::create_new));
}
std::unique_ptr<File> reopen(const std::string& path, OpenMode mode = OpenMode::read_write) {
  return KVB_MUST(real_environment().open(path, mode));
}

std::string text_at(const File& file, std::uint64_t offset, std::size_t length) {
  std::string text(length, '?');
  KVB_MUST(file.read(offset, std::as_writable_bytes(std::span(text.data(), text.size()))));
  return text;
}

TEST(PosixFile, Reads_what_was_written_through_another_handle_too) {
  TempFolder folder;
  const auto file = make(folder / "a");
  ASSERT_FINE(file->write(0, bytes_of("hello")));
  ASSERT_FINE(file->write(10'000, bytes_of("far")));
  EXPECT_EQ(KVB_MUST(file->size()), 10'003u);
  const auto other = reopen(folder / "a", OpenMode::read_only);
  EXPECT_EQ(text_at(*other, 0, 5), "hello");
  EXPECT_EQ(text_at(*other, 10'000, 3), "far");
  EXPECT_EQ(text_at(*other, 9'998, 5), std::string("\0\0far", 5));
  EXPECT_EQ(file->path(), folder / "a");
  EXPECT_FINE(file->sync(SyncKind::data));
  EXPECT_FINE(file->sync(SyncKind::all));
  EXPECT_FINE(other->sync(SyncKind::data));
  EXPECT_FINE(real_environment().sync_directory_of(folder / "a"));
}

TEST(PosixFile, Reading_behind_the_end_is_damage_with_the_place) {
  TempFolder folder;
  const auto file = make(folder / "a");
  ASSERT_FINE(file->write(0, bytes_of("hello")));
  std::array<std::byte, 4> out{};
  const auto read = file->read(3, out);
  EXPECT_CODE(read, damaged);
  EXPECT_EQ(read.error().offset_bytes, 3u);
  EXPECT_EQ(read.error().path, folder / "a");
  EXPECT_CODE(file->map(3, 4), damaged);
  EXPECT_CODE(file->read(UINT64_MAX - 1, out), invalid_argument);
}

TEST(PosixFile, Each_wrong_kind_of_path_has_its_own_error) {
  TempFolder folder;
  auto& environment = real_environment();
  for (const auto mode : {OpenMode::read_only, OpenMode::read_write}) {
    EXPECT_CODE(environment.open(folder / "missing", mode), not_found);
    EXPECT_CODE(environment.open(folder / "no/such/folder", mode), not_found);
    EXPECT_CODE(environment.open(folder.path(), mode), invalid_argument);
    EXPECT_CODE(environment.open("/dev/null", mode), invalid_argument);
    EXPECT_CODE(environment.open("", mode), invalid_argument);
    EXPECT_CODE(environment.open(std::string("a\0b", 3), mode), invalid_argument);
    EXPECT_CODE(environment.open(folder / std::string(300, 'n'), mode), invalid_argument);
  }
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  EXPECT_CODE(environment.open(folder / "fifo", OpenMode::read_only), invalid_argument);
  EXPECT_CODE(environment.open(folder / "fifo", OpenMode::read_write), invalid_argument);

  make(folder / "a");
  EXPECT_CODE(environment.open(folder / "a", OpenMode::create_new), already_exists);
  EXPECT_CODE(environment.open(folder.path(), OpenMode::create_new), already_exists);
  const auto no_folder = environment.open(folder / "no/file", OpenMode::create_new);
  EXPECT_CODE(no_folder, not_found);
  EXPECT_NE(no_folder.error().message.find("folder"), std::string::npos) << no_folder.error().message;
  EXPECT_CODE(environment.open(folder / "a/b", OpenMode::create_new), invalid_argument);
  EXPECT_CODE(environment.remove(folder / "missing"), not_found);
  EXPECT_FINE(environment.remove(folder / "a"));
  EXPECT_CODE(environment.open(folder / "a", OpenMode::read_only), not_found);
}

TEST(PosixFile, A_file_without_rights_is_permission_denied) {
  if (::geteuid() == 0) {
    // Root may read everything: look from a child that has given its rights away.
    TempFolder folder;
    make(folder / "a");
    ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
    ASSERT_EQ(::chmod((folder / "a").c_str(), 0600), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(2);
      const auto opened = real_environment().open(folder / "a", OpenMode::read_only);
      ::_exit(!opened && opened.error().code == ErrorCode::permission_denied ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    return;
  }
  TempFolder folder;
  make(folder / "a");
  ASSERT_EQ(::chmod((folder / "a").c_str(), 0), 0);
  EXPECT_CODE(real_environment().open(folder / "a", OpenMode::read_only), permission_denied);
}

TEST(PosixFile, Allocate_extends_with_zeros_and_keeps_what_is_there) {
  TempFolder folder;
  const auto file = make(folder / "a");
  ASSERT_FINE(file->write(0, bytes_of("keep")));
  ASSERT_FINE(file->allocate(0, 100'000));
  EXPECT_EQ(KVB_MUST(file->size()), 100'000u);
  EXPECT_GE(KVB_MUST(file->allocated_bytes()), 100'000u);
  EXPECT_EQ(text_at(*file, 0, 6), std::string("keep\0\0", 6));
  EXPECT_EQ(text_at(*file, 99'990, 10), std::string(10, '\0'));
  ASSERT_FINE(file->allocate(10, 10));  // Already there.
  EXPECT_EQ(KVB_MUST(file->size()), 100'000u);
}

TEST(PosixFile, Punch_gives_zeros_and_blocks_back) {
  TempFolder folder;
  const auto file = make(folder / "a");
  ASSERT_FINE(file->write(0, bytes_of(std::string(65'536, 'x'))));
  ASSERT_FINE(file->sync(SyncKind::all));
  const auto before = KVB_MUST(file->allocated_bytes());
  ASSERT_FINE(file->punch(8'192, 16'384));
  EXPECT_EQ(KVB_MUST(file->size()), 65'536u);
  EXPECT_EQ(text_at(*file, 8'191, 3), std::string("x\0\0", 3));
  EXPECT_EQ(text_at(*file, 24'575, 2), std::string("\0x", 2));
  EXPECT_LE(KVB_MUST(file->allocated_bytes()), before - 16'384);
}

TEST(PosixFile, Mapping_stays_while_the_file_grows_and_shows_later_writes) {
  TempFolder folder;
  const auto file = make(folder / "a");
  ASSERT_FINE(file->write(0, bytes_of("first")));
  const std::byte* const start = KVB_MUST(file->map(0, 5));
  EXPECT_EQ(std::memcmp(start, "first", 5), 0);
  ASSERT_FINE(file->truncate(1'000'000));
  ASSERT_FINE(reopen(folder / "a")->write(999'000, bytes_of("later")));
  EXPECT_EQ(KVB_MUST(file->map(0, 5)), start);
  EXPECT_EQ(std::memcmp(KVB_MUST(file->map(999'000, 5)), "later", 5), 0);
  EXPECT_EQ(std::memcmp(start + 999'000, "later", 5), 0);
  const auto only_reading = reopen(folder / "a", OpenMode::read_only);
  EXPECT_EQ(std::memcmp(KVB_MUST(only_reading->map(999'000, 5)), "later", 5), 0);
}

TEST(PosixFile, Mapping_reaches_every_place_of_a_big_sparse_file) {
  TempFolder folder;
  const auto file = make(folder / "a");
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  ASSERT_FINE(file->truncate(3'000 * kMiB));
  for (const std::uint64_t at : {127 * kMiB, 128 * kMiB, 255 * kMiB, 256 * kMiB, 384 * kMiB, 511 * kMiB, 512 * kMiB,
                                 640 * kMiB, 1'024 * kMiB, 2'999 * kMiB - 6}) {
    const std::uint64_t place = at - 2;  // Across the border.
    ASSERT_FINE(file->write(place, bytes_of("middle")));
    EXPECT_EQ(std::memcmp(KVB_MUST(file->map(place, 6)), "middle", 6), 0) << place;
    for (const std::uint64_t length : {kMiB, 127 * kMiB, 128 * kMiB, 129 * kMiB, 300 * kMiB, 1'500 * kMiB}) {
      if (place + length > 3'000 * kMiB) continue;
      const std::byte* const range = KVB_MUST(file->map(place, length));
      EXPECT_EQ(std::memcmp(range, "middle", 6), 0) << place << " " << length;
      EXPECT_EQ(KVB_MUST(file->map(place, length)), range) << "the same range moved";
    }
  }
}

TEST(PosixFile, Words_are_shared_between_handles) {
  TempFolder folder;
  const auto file = make(folder / "a");
  ASSERT_FINE(file->truncate(8'192));
  ASSERT_FINE(file->store_word(4'096, 0x1122334455667788u));
  ASSERT_FINE(file->store_word(8, 7));
  EXPECT_EQ(KVB_MUST(file->load_word(4'096)), 0x1122334455667788u);
  const auto other = reopen(folder / "a", OpenMode::read_only);
  EXPECT_EQ(KVB_MUST(other->load_word(4'096)), 0x1122334455667788u);
  EXPECT_EQ(KVB_MUST(other->load_word(8)), 7u);
  ASSERT_FINE(file->store_word(4'096, 9));
  EXPECT_EQ(KVB_MUST(other->load_word(4'096)), 9u);
  EXPECT_EQ(text_at(*other, 4'096, 1), "\x09");
  EXPECT_CODE(other->store_word(8, 1), read_only);
  EXPECT_CODE(file->store_word(12, 1), invalid_argument);
  EXPECT_CODE(file->load_word(12), invalid_argument);
  EXPECT_CODE(file->load_word(8'192), damaged);
  EXPECT_CODE(file->store_word(8'192, 1), damaged);
}

TEST(PosixFile, Locks_exclude_other_handles_and_end_with_theirs) {
  TempFolder folder;
  auto a = make(folder / "a");
  auto b = reopen(folder / "a");
  auto reader = reopen(folder / "a", OpenMode::read_only);
  EXPECT_TRUE(KVB_MUST(a->try_lock(kLockByte, LockMode::exclusive)));
  EXPECT_TRUE(KVB_MUST(a->try_lock(kLockByte, LockMode::exclusive)));
  EXPECT_FALSE(KVB_MUST(b->try_lock(kLockByte, LockMode::exclusive)));
  EXPECT_FALSE(KVB_MUST(b->try_lock(kLockByte, LockMode::shared)));
  EXPECT_FALSE(KVB_MUST(reader->try_lock(kLockByte, LockMode::shared)));
  EXPECT_TRUE(KVB_MUST(b->try_lock(kLockByte + 1, LockMode::exclusive)));
  EXPECT_TRUE(KVB_MUST(a->try_lock(kLockByte, LockMode::shared)));  // Changes the mode.
  EXPECT_TRUE(KVB_MUST(reader->try_lock(kLockByte, LockMode::shared)));
  EXPECT_FALSE(KVB_MUST(a->try_lock(kLockByte, LockMode::exclusive)));
  reader.reset();
  EXPECT_TRUE(KVB_MUST(a->try_lock(kLockByte, LockMode::exclusive)));
  ASSERT_FINE(a->unlock(kLockByte));
  EXPECT_TRUE(KVB_MUST(b->try_lock(kLockByte, LockMode::exclusive)));
  b.reset();
  EXPECT_TRUE(KVB_MUST(a->try_lock(kLockByte + 1, LockMode::exclusive)));
}

TEST(PosixFile, First_locked_finds_the_lowest_lock_whoever_came_first) {
  TempFolder folder;
  const auto writer = make(folder / "a");
  EXPECT_EQ(KVB_MUST(writer->first_locked(kLockByte, kLockByte + 1'000)), std::nullopt);
  const auto high = reopen(folder / "a", OpenMode::read_only);
  const auto low = reopen(folder / "a", OpenMode::read_only);
  const auto middle = reopen(folder / "a", OpenMode::read_only);
  ASSERT_TRUE(KVB_MUST(high->try_lock(kLockByte + 900, LockMode::shared)));
  ASSERT_TRUE(KVB_MUST(low->try_lock(kLockByte + 7, LockMode::shared)));
  ASSERT_TRUE(KVB_MUST(middle->try_lock(kLockByte + 400, LockMode::shared)));
  ASSERT_TRUE(KVB_MUST(writer->try_lock(kLockByte + 1, LockMode::exclusive)));  // One's own lock is no conflict.
  EXPECT_EQ(KVB_MUST(writer->first_locked(kLockByte, kLockByte + 1'000)), kLockByte + 7);
  EXPECT_EQ(KVB_MUST(writer->first_locked(kLockByte + 8, kLockByte + 1'000)), kLockByte + 400);
  EXPECT_EQ(KVB_MUST(writer->first_locked(kLockByte + 401, kLockByte + 899)), std::nullopt);
  EXPECT_EQ(KVB_MUST(high->first_locked(kLockByte, kLockByte + 5)), kLockByte + 1);
}

TEST(PosixFile, A_file_size_limit_is_full_and_raises_no_signal) {
  TempFolder folder;
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const struct rlimit limit{.rlim_cur = 4'096, .rlim_max = 4'096};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(2);
    auto file = PosixFile::open(folder / "a", OpenMode::create_new);
    if (!file) ::_exit(3);
    const std::string text(4'000, 'x');
    if (!(*file)->write(0, bytes_of(text))) ::_exit(4);
    const auto write = (*file)->write(4'000, bytes_of(text));
    if (write || write.error().code != ErrorCode::full) ::_exit(5);
    const auto allocate = (*file)->allocate(0, 8'192);
    if (allocate || allocate.error().code != ErrorCode::full) ::_exit(6);
    const auto truncate = (*file)->truncate(8'192);
    if (truncate || truncate.error().code != ErrorCode::full) ::_exit(7);
    if (!(*file)->write(4'000, bytes_of("still"))) ::_exit(8);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// R23. The lock dies with the parent although a child made by fork() lives on, mappings included.
TEST(PosixFile, R23_a_forked_child_keeps_no_lock_and_is_told_so) {
  TempFolder folder;
  int parent_to_test[2];
  ASSERT_EQ(::pipe(parent_to_test), 0);
  const pid_t parent = ::fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    auto file = make(folder / "a");
    if (!file->truncate(8'192) || !file->map(0, 100) || !file->store_word(0, 1)) ::_exit(2);
    if (!*file->try_lock(kLockByte, LockMode::exclusive)) ::_exit(3);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto write = file->write(0, bytes_of("no"));
      const auto read = file->load_word(0);
      const auto lock = file->unlock(kLockByte);
      const bool told = !write && write.error().code == ErrorCode::forked && !read &&
                        read.error().code == ErrorCode::forked && !lock && lock.error().code == ErrorCode::forked;
      // A descriptor of the same number belongs to the child now; destroying the File must not close it.
      const int mine = ::open("/dev/null", O_RDONLY);
      file.reset();
      const bool mine_is_open = ::fcntl(mine, F_GETFD) >= 0;
      const char answer = told ? (mine_is_open ? 'y' : 'c') : 'n';
      if (::write(parent_to_test[1], &answer, 1) != 1) ::_exit(4);
      ::sleep(20);
      ::_exit(0);
    }
    if (::write(parent_to_test[1], &child, sizeof child) != sizeof child) ::_exit(4);
    ::pause();
  }
  pid_t child = 0;
  char answer = '?';
  // Both write to the pipe; the answer is one byte and the pid four, in either order.
  std::array<char, 5> got{};
  std::size_t count = 0;
  while (count < got.size()) {
    const ssize_t more = ::read(parent_to_test[0], got.data() + count, got.size() - count);
    ASSERT_GT(more, 0);
    count += static_cast<std::size_t>(more);
  }
  // The highest byte of a pid is 0, so a last byte that is a letter is the answer.
  const auto is_answer = [](char c) { return c == 'y' || c == 'n' || c == 'c'; };
  if (is_answer(got[4])) {
    answer = got[4];
    std::memcpy(&child, got.data(), sizeof child);
  } else {
    answer = got[0];
    std::memcpy(&child, got.data() + 1, sizeof child);
  }
  EXPECT_EQ(answer, 'y');
  auto mine = reopen(folder / "a");
  EXPECT_FALSE(KVB_MUST(mine->try_lock(kLockByte, LockMode::exclusive)));
  ASSERT_EQ(::kill(parent, SIGKILL), 0);
  ASSERT_EQ(::waitpid(parent, nullptr, 0), parent);
  ASSERT_EQ(::kill(child, 0), 0) << "the child should still live";
  EXPECT_TRUE(KVB_MUST(mine->try_lock(kLockByte, LockMode::exclusive)));
  ::kill(child, SIGKILL);
  ::close(parent_to_test[0]);
  ::close(parent_to_test[1]);
}

TEST(RealEnvironment, Clocks_randomness_and_process) {
  auto& environment = real_environment();
  EXPECT_GT(environment.wall_clock_ns(), std::int64_t{1'700'000'000} * 1'000'000'000);
  const auto before = environment.monotonic_ns();
  environment.sleep(std::chrono::milliseconds(2));
  EXPECT_GE(environment.monotonic_ns() - before, 2'000'000);
  std::array<std::byte, 32> a{};
  std::array<std::byte, 32> b{};
  environment.fill_random(a);
  environment.fill_random(b);
  EXPECT_NE(a, b);
  const auto process = environment.process();
  EXPECT_EQ(process.pid, ::getpid());
  EXPECT_FALSE(process.program.empty());
  EXPECT_FALSE(process.host.empty());
  EXPECT_TRUE(environment.has_background_threads());
}

}  // namespace
}  // namespace kvb::os
