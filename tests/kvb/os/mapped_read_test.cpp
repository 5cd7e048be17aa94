#include "kvb/os/mapped_read.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "kvb/os/file.h"
#include "kvb/support/expect.h"
#include "kvb/support/temp_folder.h"

namespace kvb::os {
namespace {

using kvb::testing::TempFolder;

constexpr std::size_t kLength = 64 * 1024;

std::unique_ptr<File> file_of_sevens(const std::string& path) {
  auto file = KVB_MUST(real_environment().open(path, OpenMode::create_new));
  const std::vector<std::byte> sevens(kLength, std::byte{7});
  KVB_MUST(file->write(0, sevens));
  return file;
}

Result<void> copy(const File& file, const std::byte* from, std::size_t offset, std::vector<std::byte>& out) {
  return guarded(file.path(), offset, from + offset, out.size(),
                 [&] { std::memcpy(out.data(), from + offset, out.size()); });
}

TEST(MappedRead, A_file_cut_from_outside_is_an_error_with_the_place) {
  TempFolder folder;
  const auto file = file_of_sevens(folder / "a");
  const std::byte* const base = KVB_MUST(file->map(0, kLength));
  std::vector<std::byte> out(kLength);
  ASSERT_FINE(copy(*file, base, 0, out));
  EXPECT_TRUE(std::ranges::all_of(out, [](std::byte b) { return b == std::byte{7}; }));

  ASSERT_EQ(::truncate(file->path().c_str(), 16'384), 0);
  const auto failed = copy(*file, base, 0, out);
  EXPECT_CODE(failed, io_error);
  EXPECT_EQ(failed.error().offset_bytes, 16'384u);
  std::vector<std::byte> small(100);
  EXPECT_CODE(copy(*file, base, 40'000, small), io_error);
  ASSERT_FINE(copy(*file, base, 16'284, small));  // What is left can be read.
}

TEST(MappedRead, Reading_works_again_when_the_file_is_whole_again) {
  TempFolder folder;
  const auto file = file_of_sevens(folder / "a");
  const std::byte* const base = KVB_MUST(file->map(0, kLength));
  ASSERT_EQ(::truncate(file->path().c_str(), 0), 0);
  std::vector<std::byte> out(kLength);
  EXPECT_CODE(copy(*file, base, 0, out), io_error);
  const std::vector<std::byte> eights(kLength, std::byte{8});
  ASSERT_FINE(file->write(0, eights));
  ASSERT_FINE(copy(*file, base, 0, out));
  EXPECT_EQ(out, eights);
  EXPECT_EQ(KVB_MUST(file->map(0, kLength)), base);
}

TEST(MappedRead, Words_of_a_cut_file_are_errors_too) {
  TempFolder folder;
  const auto file = file_of_sevens(folder / "a");
  ASSERT_FINE(file->store_word(8'192, 5));
  ASSERT_EQ(::truncate(file->path().c_str(), 4'096), 0);
  EXPECT_FALSE(file->store_word(8'192, 6).has_value());
  EXPECT_FALSE(file->load_word(8'192).has_value());
  ASSERT_EQ(::truncate(file->path().c_str(), kLength), 0);
  EXPECT_EQ(KVB_MUST(file->load_word(8'192)), 0u);
  ASSERT_FINE(file->store_word(8'192, 9));
  EXPECT_EQ(KVB_MUST(file->load_word(8'192)), 9u);
}

TEST(MappedRead, A_guard_for_wherever_takes_faults_in_any_mapping) {
  TempFolder folder;
  const auto a = file_of_sevens(folder / "a");
  const auto b = file_of_sevens(folder / "b");
  const volatile std::byte* const in_a = KVB_MUST(a->map(0, kLength));
  const volatile std::byte* const in_b = KVB_MUST(b->map(0, kLength));
  ASSERT_EQ(::truncate(a->path().c_str(), 4'096), 0);
  ASSERT_EQ(::truncate(b->path().c_str(), 8'192), 0);
  EXPECT_CODE(guarded("everything", 0, nullptr, SIZE_MAX / 2,
                      [&] {
                        for (std::size_t at = 0; at < kLength; at += 1'000) {
                          static_cast<void>(in_a[at]);
                          static_cast<void>(in_b[at]);
                        }
                      }),
              io_error);
  // The files are back where they were, and their other pages were never touched.
  const std::vector<std::byte> sevens(kLength, std::byte{7});
  ASSERT_FINE(a->write(0, sevens));
  ASSERT_FINE(b->write(0, sevens));
  std::vector<std::byte> out(kLength);
  ASSERT_FINE(copy(*a, const_cast<const std::byte*>(in_a), 0, out));
  EXPECT_EQ(out, sevens);
  ASSERT_FINE(copy(*b, const_cast<const std::byte*>(in_b), 0, out));
  EXPECT_EQ(out, sevens);
}

TEST(MappedRead, Guards_nest) {
  TempFolder folder;
  const auto file = file_of_sevens(folder / "a");
  const std::byte* const base = KVB_MUST(file->map(0, kLength));
  ASSERT_EQ(::truncate(file->path().c_str(), 4'096), 0);
  int inner_failed = 0;
  std::byte first{};
  const auto outer = guarded(file->path(), 0, base, 4'096, [&] {
    const auto inner = guarded(file->path(), 8'192, base + 8'192, 1, [&] { first = base[8'192]; });
    inner_failed += inner ? 0 : 1;
    first = base[0];
  });
  EXPECT_GT(inner_failed, 0);
  // The outer one cannot tell its own thread's fault from another's and may give up, but never gives a wrong byte.
  if (outer) {
    EXPECT_EQ(first, std::byte{7});
  }
}

TEST(MappedRead, No_thread_takes_the_zeros_of_anothers_fault_for_the_file) {
  TempFolder folder;
  const auto file = file_of_sevens(folder / "a");
  const std::byte* const base = KVB_MUST(file->map(0, kLength));
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::atomic<int> good{0};
  std::atomic<int> failed{0};
  const auto reader = [&] {
    std::vector<std::byte> out(1'000);
    while (!stop) {
      const auto done = copy(*file, base, 36'000, out);
      if (!done) {
        ++failed;
      } else if (std::ranges::all_of(out, [](std::byte b) { return b == std::byte{7}; })) {
        ++good;
      } else {
        ++wrong;
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back(reader);
  const std::vector<std::byte> sevens(kLength - 32'768, std::byte{7});
  for (int round = 0; round < 300; ++round) {
    ASSERT_EQ(::truncate(file->path().c_str(), 32'768), 0);
    // No zeros of the file system's own: the bytes come in one write, at once with the new size of each page.
    ASSERT_FINE(file->write(32'768, sevens));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(good, 0);
  std::cout << "good " << good << ", errors " << failed << "\n";
}

// Foreign faults go where they went before: here, to the default, which ends the process.
TEST(MappedRead, A_foreign_fault_still_ends_the_process) {
  TempFolder folder;
  const auto file = file_of_sevens(folder / "a");
  const std::byte* const base = KVB_MUST(file->map(0, kLength));
  ASSERT_EQ(::truncate(file->path().c_str(), 0), 0);
  const volatile std::byte* const bytes = base;  // Volatile, so that reads whose value nobody needs happen too.
  ASSERT_FALSE(guarded(file->path(), 0, base, 1, [&] { static_cast<void>(bytes[0]); }));
  EXPECT_DEATH(
      {
        const auto foreign = file_of_sevens(folder / "b");
        const volatile std::byte* const unguarded = KVB_MUST(foreign->map(0, kLength));
        if (::truncate(foreign->path().c_str(), 0) != 0) ::_exit(0);
        const std::byte byte = unguarded[0];
        ::_exit(byte == std::byte{7} ? 1 : 0);
      },
      "");
}

std::atomic<int> foreign_signals{0};
std::byte* foreign_page = nullptr;

void foreign_handler(int, siginfo_t*, void*) {
  ++foreign_signals;
  ::mmap(foreign_page, 4'096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

// In a process of its own, because the handler has to be there before ours.
TEST(MappedRead, A_handler_from_before_ours_gets_its_own_signals) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // A new process, in which nothing has been mapped yet.
  TempFolder folder;
  EXPECT_EXIT(
      {
        struct sigaction action{};
        action.sa_sigaction = &foreign_handler;
        action.sa_flags = SA_SIGINFO;
        ::sigaction(SIGBUS, &action, nullptr);
        const auto file = file_of_sevens(folder / "a");
        const std::byte* const base = KVB_MUST(file->map(0, kLength));  // Installs ours, in front of it.
        if (::truncate(file->path().c_str(), 0) != 0) ::_exit(3);
        const volatile std::byte* const bytes = base;
        const bool ours = !guarded(file->path(), 0, base, 1, [&] { static_cast<void>(bytes[0]); });
        foreign_page = const_cast<std::byte*>(base) + 8'192;
        const std::byte sink = bytes[8'192];
        ::_exit(ours && foreign_signals == 1 && sink == std::byte{0} ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace kvb::os
