#include "kvb/os/sim/sim_disk.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "kvb/os/sim/sim_file.h"
#include "kvb/os/system_error.h"

namespace kvb::os {
namespace {

constexpr std::uint64_t kPage = 4096;

std::uint64_t splitmix(std::uint64_t& state) {
  std::uint64_t z = state += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

// Adds [begin, end) to a map of disjoint ranges, joining those it touches.
void add_range(std::map<std::uint64_t, std::uint64_t>& ranges, std::uint64_t begin, std::uint64_t end) {
  auto at = ranges.upper_bound(begin);
  if (at != ranges.begin() && std::prev(at)->second >= begin) {
    --at;
    begin = at->first;
    end = std::max(end, at->second);
    at = ranges.erase(at);
  }
  while (at != ranges.end() && at->first <= end) {
    end = std::max(end, at->second);
    at = ranges.erase(at);
  }
  ranges.emplace(begin, end);
}

void remove_range(std::map<std::uint64_t, std::uint64_t>& ranges, std::uint64_t begin, std::uint64_t end) {
  auto at = ranges.upper_bound(begin);
  if (at != ranges.begin()) --at;
  while (at != ranges.end() && at->first < end) {
    const auto [from, to] = *at;
    if (to <= begin) {
      ++at;
      continue;
    }
    at = ranges.erase(at);
    if (from < begin) ranges.emplace(from, begin);
    if (to > end) at = ranges.emplace(end, to).first;
  }
}

// The first byte that both have, if any.
std::optional<std::uint64_t> first_common(const std::map<std::uint64_t, std::uint64_t>& ranges, std::uint64_t begin,
                                          std::uint64_t end) {
  auto at = ranges.upper_bound(begin);
  if (at != ranges.begin() && std::prev(at)->second > begin) return begin;
  if (at != ranges.end() && at->first < end) return at->first;
  return std::nullopt;
}

}  // namespace

void SimDurable::resize(std::uint64_t size) {
  if (size < bytes.size()) {
    if (earlier.size() < bytes.size()) earlier.resize(bytes.size());
    std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(size), bytes.end(),
              earlier.begin() + static_cast<std::ptrdiff_t>(size));
  }
  bytes.resize(size);
  written.resize((size + kSectorBytes - 1) / kSectorBytes);
}

void SimDurable::apply(const SimChange& change) {
  const std::uint64_t end = change.offset + change.length;
  switch (change.kind) {
    case SimChange::Kind::write:
    case SimChange::Kind::word:
      if (end > bytes.size()) resize(end);
      if (!change.bytes.empty()) std::memcpy(bytes.data() + change.offset, change.bytes.data(), change.bytes.size());
      for (std::uint64_t sector = change.offset / kSectorBytes; sector * kSectorBytes < end; ++sector) {
        written[sector] = 1;
      }
      break;
    case SimChange::Kind::allocate:
      if (end > bytes.size()) resize(end);
      break;
    case SimChange::Kind::punch: {
      const std::uint64_t stop = std::min<std::uint64_t>(end, bytes.size());
      if (change.offset >= stop) break;
      if (earlier.size() < stop) earlier.resize(stop);
      std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(change.offset),
                bytes.begin() + static_cast<std::ptrdiff_t>(stop),
                earlier.begin() + static_cast<std::ptrdiff_t>(change.offset));
      std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(change.offset),
                bytes.begin() + static_cast<std::ptrdiff_t>(stop), std::byte{0});
      for (std::uint64_t sector = (change.offset + kSectorBytes - 1) / kSectorBytes;
           (sector + 1) * kSectorBytes <= stop; ++sector) {
        written[sector] = 0;
      }
      break;
    }
    case SimChange::Kind::truncate:
      resize(change.offset);
      break;
  }
}

SimDisk::SimDisk(const Options& options) : options_(options), wall_ns_(options.wall_clock_ns) {
  std::uint64_t seed = options.seed;
  for (auto& word : random_state_) word = splitmix(seed);
  processes_.push_back(std::make_unique<SimProcess>(*this, 4'242, "sim"));
}

SimDisk::~SimDisk() = default;

SimProcess& SimDisk::start_process(std::int64_t pid, const std::string& program) {
  const std::scoped_lock lock(mutex_);
  processes_.push_back(std::make_unique<SimProcess>(*this, pid, program));
  return *processes_.back();
}

// xoshiro256**: small, quick, and the same everywhere.
std::uint64_t SimDisk::random() {
  auto& s = random_state_;
  const std::uint64_t result = std::rotl(s[1] * 5, 7) * 9;
  const std::uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = std::rotl(s[3], 45);
  return result;
}

void SimDisk::put_file(const std::string& path, Bytes bytes) {
  const std::scoped_lock lock(mutex_);
  auto made = std::make_shared<SimInode>();
  if (!bytes.empty()) std::memcpy(made->memory.data(), bytes.data(), bytes.size());
  made->memory.touch(bytes.size());
  made->size = bytes.size();
  made->entry_durable = true;
  made->pages.assign((bytes.size() + kPage - 1) / kPage, true);
  used_pages_ += made->pages.size();
  if (options_.recording) {
    made->durable.bytes.assign(bytes.begin(), bytes.end());
    made->durable.written.assign((bytes.size() + kSectorBytes - 1) / kSectorBytes, 1);
  }
  auto& place = files_[path];
  if (place) {
    used_pages_ -= static_cast<std::uint64_t>(std::ranges::count(place->pages, true));
    place->removed = true;
  }
  place = std::move(made);
}

std::vector<std::byte> SimDisk::contents(const std::string& path) const {
  const std::scoped_lock lock(mutex_);
  const auto found = files_.find(path);
  if (found == files_.end()) return {};
  const std::byte* const data = found->second->memory.data();
  return {data, data + found->second->size};
}

bool SimDisk::exists(const std::string& path) const {
  const std::scoped_lock lock(mutex_);
  return files_.contains(path);
}

std::shared_ptr<const SimInode> SimDisk::inode(const std::string& path) const {
  const std::scoped_lock lock(mutex_);
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : found->second;
}

void SimDisk::set_wall_clock_ns(std::int64_t now) {
  wall_ns_.store(now);
}

void SimDisk::advance(std::chrono::nanoseconds duration) {
  wall_ns_.fetch_add(duration.count());
  monotonic_ns_.fetch_add(duration.count());
}

void SimDisk::jump_wall_clock(std::chrono::nanoseconds duration) {
  wall_ns_.fetch_add(duration.count());
}

void SimDisk::set_capacity_bytes(std::uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  options_.capacity_bytes = bytes;
}

std::uint64_t SimDisk::used_bytes() const {
  const std::scoped_lock lock(mutex_);
  return used_pages_ * kPage;
}

void SimDisk::inject(const Fault& fault) {
  const std::scoped_lock lock(mutex_);
  faults_.push_back({.fault = fault});
}

void SimDisk::clear_faults() {
  const std::scoped_lock lock(mutex_);
  faults_.clear();
}

std::uint64_t SimDisk::faults_fired() const {
  const std::scoped_lock lock(mutex_);
  return faults_fired_;
}

std::uint64_t SimDisk::calls(SimCall call) const {
  const std::scoped_lock lock(mutex_);
  return calls_[static_cast<std::size_t>(call)];
}

void SimDisk::observe_writes(WriteObserver observer) {
  const std::scoped_lock lock(mutex_);
  write_observer_ = std::move(observer);
}

void SimDisk::observe_syncs(std::function<void(const std::string&)> observer) {
  const std::scoped_lock lock(mutex_);
  sync_observer_ = std::move(observer);
}

void SimDisk::declare_write_once(const std::string& path, std::uint64_t offset, std::uint64_t length) {
  const std::scoped_lock lock(mutex_);
  add_range(write_once_[path].declared, offset, offset + length);
}

void SimDisk::forget_write_once(const std::string& path, std::uint64_t offset, std::uint64_t length) {
  const std::scoped_lock lock(mutex_);
  remove_range(write_once_[path].written, offset, offset + length);
}

void SimDisk::trace_reads(bool on) {
  const std::scoped_lock lock(mutex_);
  trace_reads_ = on;
}

std::vector<SimDisk::Access> SimDisk::take_reads() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(reads_, {});
}

std::optional<SimDisk::Fired> SimDisk::count(SimCall call) {
  ++calls_[static_cast<std::size_t>(call)];
  ++calls_[kSimCalls];
  for (auto& armed : faults_) {
    if (armed.spent || (armed.fault.call != SimCall::any && armed.fault.call != call)) continue;
    if (armed.seen++ < armed.fault.skip) continue;
    if (!armed.fault.sticky) armed.spent = true;
    ++faults_fired_;
    return Fired{.error_number = armed.fault.error_number, .effect = armed.fault.effect};
  }
  return std::nullopt;
}

bool SimDisk::take_space(SimInode& inode, std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t end = offset + length;
  if (end > SimMemory::kCapacity) return false;
  const std::uint64_t first = offset / kPage;
  const std::uint64_t stop = (end + kPage - 1) / kPage;
  std::uint64_t missing = 0;
  for (std::uint64_t page = first; page < stop; ++page) {
    if (page >= inode.pages.size() || !inode.pages[page]) ++missing;
  }
  if (missing != 0 && (used_pages_ + missing) > options_.capacity_bytes / kPage) return false;
  if (inode.pages.size() < stop) inode.pages.resize(stop);
  for (std::uint64_t page = first; page < stop; ++page) inode.pages[page] = true;
  used_pages_ += missing;
  return true;
}

void SimDisk::release_space(SimInode& inode, std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t stop = std::min<std::uint64_t>((offset + length) / kPage, inode.pages.size());
  for (std::uint64_t page = (offset + kPage - 1) / kPage; page < stop; ++page) {
    if (inode.pages[page]) {
      inode.pages[page] = false;
      --used_pages_;
    }
  }
}

void SimDisk::observe_write(const SimInode& inode, const std::string& path, std::uint64_t offset, Bytes bytes) {
  if (!write_observer_) return;
  const std::uint64_t there = offset < inode.size ? std::min<std::uint64_t>(bytes.size(), inode.size - offset) : 0;
  write_observer_(path, offset, bytes, there == 0 ? Bytes{} : Bytes(inode.memory.data() + offset, there));
}

void SimDisk::check_write_once(const std::string& path, std::uint64_t offset, std::uint64_t length) {
  if (write_once_.empty()) return;
  const auto found = write_once_.find(path);
  if (found == write_once_.end()) return;
  auto& [declared, written] = found->second;
  for (const auto& [from, to] : declared) {
    const std::uint64_t begin = std::max(from, offset);
    const std::uint64_t end = std::min(to, offset + length);
    if (begin >= end) continue;
    if (const auto twice = first_common(written, begin, end)) {
      std::fprintf(stderr,
                   "R1 is broken: byte %llu of %s is written a second time, by a write of %llu bytes at %llu.\n",
                   static_cast<unsigned long long>(*twice), path.c_str(), static_cast<unsigned long long>(length),
                   static_cast<unsigned long long>(offset));
      std::abort();
    }
    add_range(written, begin, end);
  }
}

void SimDisk::apply_write(SimInode& inode, std::uint64_t offset, Bytes bytes, SimChange::Kind kind) {
  if (options_.recording) {
    inode.unsynced.push_back({.kind = kind,
                              .offset = offset,
                              .length = bytes.size(),
                              .size_before = inode.size,
                              .bytes = {bytes.begin(), bytes.end()}});
  }
  std::byte* const to = inode.memory.data() + offset;
  if (kind == SimChange::Kind::word) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    __atomic_store_n(reinterpret_cast<std::uint64_t*>(to), value, __ATOMIC_RELEASE);
  } else {
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  }
  inode.memory.touch(offset + bytes.size());
  inode.size = std::max(inode.size, offset + bytes.size());
}

void SimDisk::make_durable(SimInode& inode, SyncKind kind) {
  if (!options_.recording) return;
  if (kind == SyncKind::all) {
    for (const auto& change : inode.unsynced) inode.durable.apply(change);
    inode.unsynced.clear();
    return;
  }
  // Only what is needed to find the written bytes again. A punch or truncation is needed if a later write lies where it
  // took something away; an allocation never is, because the writes bring their own blocks and size.
  std::deque<SimChange> left;
  for (std::size_t i = 0; i < inode.unsynced.size(); ++i) {
    auto& change = inode.unsynced[i];
    bool needed = change.kind == SimChange::Kind::write || change.kind == SimChange::Kind::word;
    if (change.kind == SimChange::Kind::punch || change.kind == SimChange::Kind::truncate) {
      const std::uint64_t end = change.kind == SimChange::Kind::punch ? change.offset + change.length : UINT64_MAX;
      for (std::size_t k = i + 1; k < inode.unsynced.size() && !needed; ++k) {
        const auto& later = inode.unsynced[k];
        if (later.kind != SimChange::Kind::write && later.kind != SimChange::Kind::word) continue;
        needed = later.offset < end && later.offset + later.length > change.offset;
      }
    }
    if (needed) {
      inode.durable.apply(change);
    } else {
      left.push_back(std::move(change));
    }
  }
  inode.unsynced = std::move(left);
}

void SimDisk::lose_unsynced(SimInode& inode) {
  if (!options_.recording) return;
  for (auto& change : inode.unsynced) {
    if (change.kind == SimChange::Kind::write) {
      for (std::uint64_t at = change.offset; at < change.offset + change.length;) {
        const std::uint64_t end = std::min((at / kSectorBytes + 1) * kSectorBytes, change.offset + change.length);
        if ((random() & 1u) != 0) {
          const auto first = change.bytes.begin() + static_cast<std::ptrdiff_t>(at - change.offset);
          inode.durable.apply({.kind = SimChange::Kind::write,
                               .offset = at,
                               .length = end - at,
                               .size_before = change.size_before,
                               .bytes = {first, first + static_cast<std::ptrdiff_t>(end - at)}});
        }
        at = end;
      }
    } else if ((random() & 1u) != 0) {
      inode.durable.apply(change);
    }
  }
  inode.unsynced.clear();
}

void SimProcess::kill() {
  const std::scoped_lock lock(disk_.mutex_);
  killed_.store(true);
  for (auto& [path, inode] : disk_.files_) {
    for (auto& [byte, holders] : inode->locks) {
      std::erase_if(holders, [this](const SimInode::Lock& held) { return held.process == this; });
    }
    std::erase_if(inode->locks, [](const auto& entry) { return entry.second.empty(); });
  }
}

Result<std::unique_ptr<File>> SimProcess::open(const std::string& path, OpenMode mode) {
  const std::scoped_lock lock(disk_.mutex_);
  if (killed()) return failure(ErrorCode::io_error, "This simulated process has been killed.", path);
  if (const auto fired = disk_.count(SimCall::open)) {
    return std::unexpected(system_error(fired->error_number, "open the file", path));
  }
  const auto found = disk_.files_.find(path);
  if (mode == OpenMode::create_new) {
    if (found != disk_.files_.end()) {
      return failure(ErrorCode::already_exists, "There is a file of this name already, and it was left alone.", path);
    }
    auto made = std::make_shared<SimInode>();
    disk_.files_.emplace(path, made);
    return std::make_unique<SimFile>(*this, path, std::move(made), true);
  }
  if (found == disk_.files_.end()) return failure(ErrorCode::not_found, "There is no file of this name.", path);
  return std::make_unique<SimFile>(*this, path, found->second, mode == OpenMode::read_write);
}

Result<void> SimProcess::sync_directory_of(const std::string& path) {
  const std::scoped_lock lock(disk_.mutex_);
  if (killed()) return failure(ErrorCode::io_error, "This simulated process has been killed.", path);
  if (const auto fired = disk_.count(SimCall::sync_directory)) {
    return std::unexpected(system_error(fired->error_number, "make the file's name durable", path));
  }
  if (const auto found = disk_.files_.find(path); found != disk_.files_.end()) found->second->entry_durable = true;
  return {};
}

Result<void> SimProcess::remove(const std::string& path) {
  const std::scoped_lock lock(disk_.mutex_);
  if (killed()) return failure(ErrorCode::io_error, "This simulated process has been killed.", path);
  if (const auto fired = disk_.count(SimCall::remove)) {
    return std::unexpected(system_error(fired->error_number, "remove the file", path));
  }
  const auto found = disk_.files_.find(path);
  if (found == disk_.files_.end()) return failure(ErrorCode::not_found, "There is no file of this name.", path);
  disk_.used_pages_ -= static_cast<std::uint64_t>(std::ranges::count(found->second->pages, true));
  found->second->pages.clear();
  found->second->removed = true;
  disk_.files_.erase(found);
  return {};
}

Result<void> SimProcess::rename(const std::string& from, const std::string& to) {
  const std::scoped_lock lock(disk_.mutex_);
  if (killed()) return failure(ErrorCode::io_error, "This simulated process has been killed.", to);
  if (const auto fired = disk_.count(SimCall::rename)) {
    return std::unexpected(system_error(fired->error_number, "give the file its name", to));
  }
  if (disk_.files_.contains(to)) {
    return failure(ErrorCode::already_exists, "There is a file of this name already, and it was left alone.", to);
  }
  const auto found = disk_.files_.find(from);
  if (found == disk_.files_.end()) return failure(ErrorCode::not_found, "There is no file of this name.", from);
  const auto inode = found->second;
  disk_.files_.erase(found);
  inode->entry_durable = false;
  disk_.files_.emplace(to, inode);
  return {};
}

void SimProcess::fill_random(MutableBytes out) {
  const std::scoped_lock lock(disk_.mutex_);
  for (std::size_t at = 0; at < out.size(); at += 8) {
    const std::uint64_t word = disk_.random();
    std::memcpy(out.data() + at, &word, std::min<std::size_t>(8, out.size() - at));
  }
}

ProcessInfo SimProcess::process() const {
  return {.pid = pid_, .program = program_, .host = "simulated"};
}

}  // namespace kvb::os
