// How a SIGBUS becomes an error.
//
// Each thread keeps a list of the ranges it is reading (MappedGuard, on its stack; registering is two stores). The
// handler looks whether the faulting address lies in one of them. If so it puts anonymous zero pages over the rest of
// that range, from the faulting page on, notes it in the guard, and returns: the reading instruction runs again, sees
// zeros, and the thread goes on to the end of its function, where the guard's verdict is `fault` and what was read is
// thrown away. If the address is not ours, whoever had the signal before gets it.
//
// The zeros would stay, and other threads would take them for the file. So (1) the handler counts the fault as open,
// and as one more ever, before it puts the zeros there; (2) the guard's destructor maps the file back over them before
// it takes the fault off the open ones; (3) every guard notes at its begin how many faults there ever were, or, if one
// is open just then, a number that never matches, and its verdict is `doubtful` unless the count is the same at its
// end. Why this is enough: who read zeros did so between (1) and (2). If it had begun before (1), the count has
// changed; if it began after (1), the fault was still open when it began, because it was when the zeros were read.
//
// Signal handlers may call few functions. This one makes two system calls (mmap, and sigaction for a foreign signal),
// touches lock-free atomics and one thread-local pointer that needs no allocation (initial-exec).
#include "kvb/os/mapped_read.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>

#include "kvb/os/system_error.h"

namespace kvb::os {

namespace detail {
constinit std::atomic<std::uint64_t> faults_open{0};
constinit std::atomic<std::uint64_t> faults_ever{0};
}  // namespace detail

struct MappedGuardAccess {
  static std::uintptr_t begin(const MappedGuard& guard) { return guard.begin_; }
  static std::uintptr_t end(const MappedGuard& guard) { return guard.end_; }
  static std::atomic<std::uintptr_t>& fault(MappedGuard& guard) { return guard.fault_; }
  static std::atomic<std::uintptr_t>& fault_end(MappedGuard& guard) { return guard.fault_end_; }
  static MappedGuard* outer(const MappedGuard& guard) { return guard.outer_; }
};

namespace {

static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);

[[gnu::tls_model("initial-exec")]] constinit thread_local std::atomic<MappedGuard*> innermost{nullptr};

// One record and what surrounds it; a guard for more than this is one for "wherever".
constexpr std::uintptr_t kLongestMapping = std::uintptr_t{1} << 36;

constinit std::atomic<std::uintptr_t> page_size{4096};
struct sigaction previous_action;  // Written once, before the handler is installed.

std::uintptr_t page_of(std::uintptr_t address) {
  return address & ~(page_size.load(std::memory_order_relaxed) - 1);
}

// True if the fault was one of ours and the instruction can run again.
bool take_fault(std::uintptr_t address) {
  for (MappedGuard* guard = innermost.load(std::memory_order_relaxed); guard != nullptr;
       guard = MappedGuardAccess::outer(*guard)) {
    if (address < MappedGuardAccess::begin(*guard) || address >= MappedGuardAccess::end(*guard)) continue;
    const std::uintptr_t from = page_of(address);
    // The rest of the range at once, so that a long read of a file that was cut meets one fault and not a million; but
    // a range that is no single mapping's page by page, because what lies behind may be anything.
    std::uintptr_t to = from + page_size.load(std::memory_order_relaxed);
    if (MappedGuardAccess::end(*guard) - MappedGuardAccess::begin(*guard) <= kLongestMapping) {
      to = page_of(MappedGuardAccess::end(*guard) - 1) + page_size.load(std::memory_order_relaxed);
    }
    auto& noted = MappedGuardAccess::fault(*guard);
    auto& noted_end = MappedGuardAccess::fault_end(*guard);
    const std::uintptr_t before = noted.load(std::memory_order_relaxed);
    if (before == 0) {
      detail::faults_open.fetch_add(1, std::memory_order_seq_cst);
      detail::faults_ever.fetch_add(1, std::memory_order_seq_cst);
    }
    if (before == 0 || from < before) noted.store(from, std::memory_order_relaxed);
    if (to > noted_end.load(std::memory_order_relaxed)) noted_end.store(to, std::memory_order_relaxed);
    // Writable, because the fault may be a store of a word; what is stored there goes nowhere.
    return ::mmap(reinterpret_cast<void*>(from), to - from, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != MAP_FAILED;
  }
  return false;
}

void on_sigbus(int signal_number, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const bool taken = take_fault(reinterpret_cast<std::uintptr_t>(info->si_addr));
  errno = saved_errno;
  if (taken) return;
  if ((previous_action.sa_flags & SA_SIGINFO) != 0 && previous_action.sa_sigaction != nullptr) {
    previous_action.sa_sigaction(signal_number, info, context);
  } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(signal_number);
  } else {
    // The default: back to it, and the instruction that runs again ends the process as it would have without us.
    ::signal(SIGBUS, SIG_DFL);
  }
}

struct Mapping {
  std::size_t length;
  int fd;
  std::uint64_t file_offset;
  bool writable;
};

struct Mappings {
  std::mutex mutex;
  std::map<std::uintptr_t, Mapping> by_base;
};

Mappings& mappings() {
  static Mappings* const instance = new Mappings;  // Never destroyed: Files may outlive static destruction.
  return *instance;
}

void install_handler() {
  page_size.store(static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE)), std::memory_order_relaxed);
  ::sigaction(SIGBUS, nullptr, &previous_action);
  struct sigaction action{};
  action.sa_sigaction = &on_sigbus;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, nullptr);
}

// Puts the file back over [from, to), which may lie in several mappings. False if zeros are still there.
bool map_again(std::uintptr_t from, std::uintptr_t to) noexcept {
  Mappings& all = mappings();
  const std::scoped_lock lock(all.mutex);
  auto at = all.by_base.upper_bound(from);
  if (at != all.by_base.begin()) --at;
  bool done = true;
  for (; at != all.by_base.end() && at->first < to; ++at) {
    const auto& [base, mapping] = *at;
    const std::uintptr_t begin = std::max(from, base);
    const std::uintptr_t end = std::min(to, base + mapping.length);
    if (begin >= end) continue;
    void* const back =
        ::mmap(reinterpret_cast<void*>(begin), end - begin, mapping.writable ? PROT_READ | PROT_WRITE : PROT_READ,
               MAP_SHARED | MAP_FIXED, mapping.fd, static_cast<off_t>(mapping.file_offset + (begin - base)));
    if (back == MAP_FAILED) {
      done = false;
    } else {
      ::madvise(back, end - begin, MADV_DONTFORK);
    }
  }
  return done;
}

// A number that faults_ever never reaches: "there was a fault already when this guard began".
constexpr std::uint64_t kDoubtfulFromTheStart = UINT64_MAX;

}  // namespace

MappedGuard::MappedGuard(const std::byte* begin, std::size_t length) noexcept
    : begin_(reinterpret_cast<std::uintptr_t>(begin)),
      end_(begin_ + length),
      faults_ever_at_begin_(detail::faults_ever.load(std::memory_order_seq_cst)),
      outer_(innermost.load(std::memory_order_relaxed)) {
  if (detail::faults_open.load(std::memory_order_seq_cst) != 0) faults_ever_at_begin_ = kDoubtfulFromTheStart;
  innermost.store(this, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

MappedGuard::~MappedGuard() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  innermost.store(outer_, std::memory_order_relaxed);
  const std::uintptr_t from = fault_.load(std::memory_order_relaxed);
  if (from == 0) return;
  const std::uintptr_t to = fault_end_.load(std::memory_order_relaxed);
  // If the zeros cannot be taken away, the fault stays open: reads through mappings then fail, but none is wrong.
  if (map_again(from, to)) detail::faults_open.fetch_sub(1, std::memory_order_seq_cst);
}

MappedGuard::Verdict MappedGuard::verdict() const noexcept {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (fault_.load(std::memory_order_relaxed) != 0) return Verdict::fault;
  // The reads of the mapping must be over before the counters are read.
  std::atomic_thread_fence(std::memory_order_acquire);
  return detail::faults_ever.load(std::memory_order_seq_cst) == faults_ever_at_begin_ ? Verdict::good
                                                                                      : Verdict::doubtful;
}

std::size_t MappedGuard::fault_distance() const noexcept {
  const std::uintptr_t fault = fault_.load(std::memory_order_relaxed);
  return fault > begin_ ? fault - begin_ : 0;
}

void mapped_read_pause(int tries_so_far) noexcept {
  if (tries_so_far < 8) {
    std::this_thread::yield();
  } else {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

std::unexpected<Error> mapped_read_failure(const std::string& path, std::uint64_t offset_bytes) {
  return failure(ErrorCode::io_error,
                 "Could not read the file where it is mapped into memory: the device has a bad place, or the file was "
                 "cut short by another program. Check the device, and put the file back from a backup if it was cut.",
                 path, offset_bytes);
}

void register_mapping(const std::byte* base, std::size_t length, int fd, std::uint64_t file_offset, bool writable) {
  static std::once_flag installed;
  std::call_once(installed, install_handler);
  Mappings& all = mappings();
  const std::scoped_lock lock(all.mutex);
  all.by_base.insert_or_assign(reinterpret_cast<std::uintptr_t>(base), Mapping{length, fd, file_offset, writable});
}

void unregister_mapping(const std::byte* base) noexcept {
  Mappings& all = mappings();
  const std::scoped_lock lock(all.mutex);
  all.by_base.erase(reinterpret_cast<std::uintptr_t>(base));
}

}  // namespace kvb::os
